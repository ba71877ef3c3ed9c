r"""The strict parser: agrees with the standard library on good documents, refuses what lenient ones let through."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vanta.common import strictjson
from vanta.common.canonical import canonical
from vanta.common.errors import BadInput

EXACT = settings(deadline=None, derandomize=True, max_examples=300)


def refusal(data: bytes, max_bytes: int = strictjson.MAX_BYTES) -> BadInput:
    """The error that `data` is refused with."""
    with pytest.raises(BadInput) as caught:
        strictjson.loads(data, file="vault.json", max_bytes=max_bytes)
    return caught.value


# What is refused, the line it is found on, the field where there is one, and what is said.
REFUSED: dict[str, tuple[bytes, int, str | None, str]] = {
    "duplicate key": (b'{"a": 1,\n "b": 2,\n "a": 3}', 3, "a", "duplicate key 'a'"),
    "duplicate key, second with an escape": (b'{"full_halt": true,\n\n"full\\u005fhalt": false}', 3, "full_halt",
                                             "duplicate key 'full_halt'"),
    "duplicate key, first with an escape": (b'{"full\\u005fhalt": true,\n"full_halt": false}', 2, "full_halt",
                                            "duplicate key 'full_halt'"),
    "duplicate key whose name is also a value": (b'{"a": "a",\n"a": 1,\n"b": "a"}', 2, "a", "duplicate key 'a'"),
    "duplicate key deep inside": (b'{"v": [1, {"x": {}},\n{"k": [],\n"k": {}}]}', 3, "v.2.k", "duplicate key 'k'"),
    "duplicate key after a duplicate inside": (b'{"a": {"b": 1,\n"b": 2},\n"a": 3}', 2, "a.b", "duplicate key 'b'"),
    "duplicate empty key": (b'{"": 1,\n"": 2}', 2, None, "duplicate key ''"),
    "duplicate key with quotes": (b'{"\\"": 1,\n"\\u0022": 2}', 2, '"', "duplicate key '\"'"),
    "NaN": (b'{"a": [0,\nNaN]}', 2, "a.1", "NaN is not a number"),
    "Infinity": (b'\n{"a": Infinity}', 2, "a", "Infinity is not a number"),
    "-Infinity": (b'[\n-Infinity]', 2, "0", "-Infinity is not a number"),
    "NaN alone": (b"NaN", 1, None, "NaN is not a number"),
    "overflow": (b'{"a": 1,\n"b": 1e400}', 2, "b", "number 1e400 overflows"),
    "underflow": (b'[1e-400]', 1, "0", "number 1e-400 overflows"),
    "overflow of a zero": (b'[0e999]', 1, "0", "number 0e999 overflows"),
    "overflow of the exponent itself": (b'[1e99999999999999999999]', 1, "0", "number 1e99999999999999999999 overflows"),
    "an integer of 65 bits": (b'{"intents": [{}, {"provenance":\n{"conviction_bp": 18446744073709551616}}]}', 2,
                              "intents.1.provenance.conviction_bp",
                              "integer 18446744073709551616 does not fit into 64 bits"),
    "a negative integer of 65 bits": (b'[0,\n-9223372036854775809]', 2, "1",
                                      "integer -9223372036854775809 does not fit"),
    "30 digits after a fraction": (b'[1.5, 1e18,\n123456789012345678901234567890]', 2, "2",
                                   "integer 123456789012345678901234567890 does not fit"),
    "400 digits": (b"9" * 400, 1, None, "integer " + "9" * 40 + " does not fit into 64 bits"),
    "5,000 digits": (b'{"a":\n' + b"9" * 5_000 + b"}", 2, "a", "a number of 5000 characters"),
    "5,000 decimals": (b'{"a":\n0.' + b"1" * 5_000 + b"}", 2, "a", "a number of 5002 characters"),
    "byte-order mark": (b'\xef\xbb\xbf{}', 1, None, "starts with a byte-order mark"),
    "UTF-16 with a mark": ('{"a": 1}'.encode("utf-16"), 1, None, "invalid UTF-8 at byte 0"),
    "UTF-16 without a mark": ('{"a": 1}'.encode("utf-16-le"), 1, None, "not JSON"),
    "invalid UTF-8": (b'{"a":\n"\xff"}', 2, None, "invalid UTF-8 at byte 7"),
    "overlong UTF-8": (b'["\xc0\xaf"]', 1, None, "invalid UTF-8 at byte 2"),
    "surrogate as UTF-8": (b'["\xed\xa0\x80"]', 1, None, "invalid UTF-8 at byte 2"),
    "lone high surrogate": (b'{"a": 1,\n"b": "\\ud800"}', 2, None, "a lone surrogate"),
    "lone low surrogate": (b'["\\uDC00"]', 1, None, "a lone surrogate"),
    "lone surrogate before a pair": (b'["\\ud83d\\ud83d\\ude00"]', 1, None, "a lone surrogate"),
    "lone surrogate in a key": (b'{\n"\\udfff": 1}', 2, None, "a lone surrogate"),
    "65 levels of lists": (b"[\n" * 65 + b"]" * 65, 65, None, "nested deeper than 64"),
    "66 levels after a shallow part": (b'{"a": [[], {}],\n"b": ' + b"[" * 64 + b"]" * 64 + b"}", 2, None,
                                       "nested deeper than 64"),
    "66 levels behind an escaped quote": (b'["\\"",\n' + b"[" * 64, 2, None, "nested deeper than 64"),
    "100,000 levels": (b"[" * 100_000, 1, None, "nested deeper than 64"),
    "100,000 levels of objects": (b'{"a":\n' * 100_000, 65, None, "nested deeper than 64"),
    "empty": (b"", 1, None, "the file is empty"),
    "only white space": (b" \n\n", 1, None, "the file is empty"),
    "NULs": (b"\x00" * 64, 1, None, "not JSON"),
    "half a document": (b'{"a": 1,\n"b"', 2, None, "not JSON"),
    "trailing garbage": (b'{}\n\n{}', 3, None, "not JSON: Extra data"),
    "a comma too many": (b'{"a": 1,\n}', 2, None, "not JSON"),
    "single quotes": (b"{'a': 1}", 1, None, "not JSON"),
    "a comment": (b'{\n// no\n}', 2, None, "not JSON"),
    "a newline in a string": (b'["a\nb"]', 1, None, "not JSON: Invalid control character"),
    "a leading zero": (b"[01]", 1, None, "not JSON"),
    "a plus": (b"[+1]", 1, None, "not JSON"),
    "a hexadecimal number": (b"[0x1]", 1, None, "not JSON"),
    "a bare word": (b"[yes]", 1, None, "not JSON"),
    "a no-break space": (b'{\xc2\xa0"a": 1}', 1, None, "not JSON"),
}


@pytest.mark.parametrize(("data", "line", "field", "what"), REFUSED.values(), ids=REFUSED.keys())
def test_refusals_say_where(data: bytes, line: int, field: str | None, what: str) -> None:
    """Every refusal names the file, the line, the field where there is one, and why."""
    error = refusal(data)
    assert (error.file, error.line, error.field) == ("vault.json", line, field)
    assert error.reason.startswith(what)
    assert str(error).startswith(f"vault.json:{line}")


def test_size_limit() -> None:
    """A document over the limit is refused before it is looked at, and has no line to name."""
    error = refusal(b'{"a": 1}', max_bytes=7)
    assert (error.line, error.reason) == (None, "8 bytes; at most 7 are read")


ACCEPTED: dict[str, tuple[bytes, object]] = {
    "exact decimals": (b'{"a": 0.10}', {"a": Decimal("0.10")}),
    "exponents": (b"[1E2, -1.5e-3]", [Decimal("1E+2"), Decimal("-0.0015")]),
    "integers stay integers": (b"[2, -0, 9007199254740993]", [2, 0, 2**53 + 1]),
    "the largest integers": (b"[18446744073709551615, -9223372036854775808]", [2**64 - 1, -2**63]),
    "larger whole numbers with a point": (b"[18446744073709551616.0]", [Decimal("18446744073709551616.0")]),
    "the largest exponent": (b"[1e308, 1e-308]", [Decimal("1e308"), Decimal("1e-308")]),
    "64 levels": (b"[" * 64 + b"]" * 64, json.loads("[" * 64 + "]" * 64)),
    "brackets inside strings": (b'["' + b"[" * 99 + b'\\"' + b"{" * 99 + b'"]', ["[" * 99 + '"' + "{" * 99]),
    "brackets inside strings without escapes": (b'["' + b"[" * 99 + b'", "' + b"}" * 99 + b'"]', ["[" * 99, "}" * 99]),
    "surrogate pairs": (b'["\\ud83d\\uDE00"]', ["\U0001f600"]),
    "a backslash before a u": (b'["\\\\ud800"]', ["\\ud800"]),
    "equal keys in different objects": (b'[{"a": 1}, {"a": {"a": 2}}]', [{"a": 1}, {"a": {"a": 2}}]),
    "white space around": (b' \t\r\n{"a" :\n[ ] }\n ', {"a": []}),
    "scalars": (b"null", None),
}


@pytest.mark.parametrize(("data", "value"), ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted(data: bytes, value: object) -> None:
    """What is strict JSON is read exactly, without rounding."""
    parsed = strictjson.loads(data, file="x")
    assert parsed == value
    assert repr(parsed) == repr(value)


SCALARS = (st.none() | st.booleans() | st.integers(-2**63, 2**64 - 1) | st.text(max_size=8)
           | st.decimals(allow_nan=False, allow_infinity=False, min_value=-10**6, max_value=10**6, places=6)
           .map(float))
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner,
                                                                                          max_size=4), max_leaves=20)


@EXACT
@given(value=VALUES, ascii_only=st.booleans(), indent=st.sampled_from([None, 2]))
def test_agrees_with_the_standard_library(value: Any, ascii_only: bool, indent: int | None) -> None:
    """On documents that are valid the result is what json.loads gives, escapes and layout included."""
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    expected = json.loads(text, parse_float=Decimal)
    assert strictjson.loads(text.encode("utf-8"), file="x") == expected


@EXACT
@given(value=VALUES, position=st.integers(0, 10_000), junk=st.binary(min_size=1, max_size=3))
def test_refuses_or_agrees_on_damaged_documents(value: Any, position: int, junk: bytes) -> None:
    """Whatever bytes come in, the outcome is a value that json.loads gives too, or a refusal with file and line."""
    data = json.dumps(value).encode()
    position %= len(data)
    data = data[:position] + junk + data[position + 1:]
    try:
        parsed = strictjson.loads(data, file="x")
    except BadInput:
        assert refusal(data).line is not None
    else:
        assert parsed == json.loads(data, parse_float=Decimal)


@EXACT
@given(number=st.integers(-2**70, 2**70) | st.integers(2**64 - 3, 2**64 + 3) | st.integers(-2**63 - 3, 3 - 2**63))
def test_what_is_read_can_be_written_again(number: int) -> None:
    """Every integer that passes has a canonical form and a line in a journal; every other one is refused by name."""
    text = json.dumps({"a": [0, number]}).encode()
    if -2**63 <= number < 2**64:
        assert json.loads(canonical(strictjson.loads(text, file="x"))) == {"a": [0, number]}
    else:
        assert (refusal(text).field, refusal(text).line) == ("a.1", 1)


@EXACT
@given(before=st.dictionaries(st.text(max_size=5), SCALARS, max_size=5), key=st.text(max_size=5), data=st.data())
def test_duplicate_key_is_found_on_its_line(before: dict[str, Any], key: str, data: st.DataObject) -> None:
    """However either key is spelled, the line of the second one is named."""
    def spell(text: str) -> str:
        escaped = "".join(f"\\u{unit:04x}" for unit in memoryview(text.encode("utf-16-le")).cast("H"))
        return data.draw(st.sampled_from([json.dumps(text), json.dumps(text, ensure_ascii=False), f'"{escaped}"']))

    before.pop(key, None)
    pairs = [*before.items(), (key, 1), (key, 2)]
    text = "{\n" + ",\n".join(f"{spell(name)}: {json.dumps(value)}" for name, value in pairs) + "\n}"
    assert refusal(text.encode()).line == len(pairs) + 1


def test_an_endless_string_costs_one_pass() -> None:
    """A megabyte of quotes behind backslashes without an end is refused, not searched from each quote anew."""
    assert refusal(b'["' + b'\\"' * 500_000).reason.startswith("not JSON")


def test_long_keys_and_literals_are_shortened() -> None:
    """A message stays readable whatever the document holds."""
    key = b"k" * 10_000
    assert len(str(refusal(b'{"' + key + b'": 1, "' + key + b'": 2}'))) < 300
    assert len(str(refusal(b"[1e" + b"9" * 390 + b"]"))) < 200


OBJECTS = {"list": (b"[]", "a list"), "string": (b'"x"', "a string"), "boolean": (b"true", "a boolean"),
           "number": (b"1", "a number"), "fraction": (b"1.5", "a number"), "null": (b"null", "null")}


@pytest.mark.parametrize(("data", "name"), OBJECTS.values(), ids=OBJECTS.keys())
def test_object_is_insisted_on(data: bytes, name: str) -> None:
    """Where an object must stand, anything else is named for what it is."""
    with pytest.raises(BadInput, match=f"must be a JSON object, not {name}"):
        strictjson.loads_object(data, file="x")


def test_object_is_returned() -> None:
    """An object passes."""
    assert strictjson.loads_object(b'{"a": 1}', file="x") == {"a": 1}


def test_numbers_may_be_made_by_the_caller() -> None:
    """Whoever wants floats says so; the refusals stay."""
    assert strictjson.loads(b"[1.5]", file="x", number=float) == [1.5]
    with pytest.raises(BadInput):
        strictjson.loads(b"[1e400]", file="x", number=float)
