"""The quick decoder accepts what the pydantic model accepts, and nothing else."""

from typing import Any, get_args

import msgspec
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from tests.unit.markets.claims import claim, feed_document
from vanta.common.canonical import document
from vanta.common.errors import BadInput
from vanta.common.models import signal as contract
from vanta.common.models.signal import FeedDocument
from vanta.common.store.document import parse
from vanta.markets.core import wire_signal
from vanta.markets.core.wire_signal import decode, quick

GOOD = feed_document(claim("one"), claim("two", event_at="2024-02-29T23:59:59.999Z", features={"n": 1, "x": "0.5"}),
                     claim("three", supersedes="sig1_x", flags=["swarm"])).model_dump(mode="json")


def _raw(**changes: Any) -> bytes:
    """The good document in our own form with some fields of its first signal changed; `a.b` is a nested one."""
    body = orjson.loads(orjson.dumps(GOOD))
    for path, value in changes.items():
        at = body["signals"][0]
        *way, last = path.split("__")
        for step in way:
            at = at[int(step)] if isinstance(at, list) else at[step]
        at[last] = value
    return document(body)


def _contract(raw: bytes) -> FeedDocument | None:
    try:
        return parse(raw, FeedDocument, file="news_signals.json")
    except BadInput:
        return None


def _same(raw: bytes) -> bool:
    """Both say the same of these bytes; where both accept, they read the same. Returns whether they accept."""
    expected, fast = _contract(raw), quick(raw, file="news_signals.json")
    try:
        feed = decode(raw, file="news_signals.json")
    except BadInput:
        assert expected is None
        assert fast is None
        return False
    assert expected is not None
    assert [msgspec.to_builtins(one) for one in feed.signals] == [one.model_dump() for one in expected.signals]
    assert feed.head == expected.model_copy(update={"signals": []})
    assert fast is None or (fast.head, fast.signals) == (feed.head, feed.signals)
    return True


@pytest.mark.parametrize(("wire", "model"), [
    (wire_signal.WireSignal, contract.Signal), (wire_signal.WireEntity, contract.Entity),
    (wire_signal.WireMatch, contract.Match), (wire_signal.WireFactor, contract.Factor),
    (wire_signal.WireEvidence, contract.Evidence), (wire_signal.WireStamp, contract.CollectorStamp)],
    ids=lambda one: one.__name__)
def test_twins_have_the_same_fields_in_the_same_order(wire: type[msgspec.Struct], model: type[BaseModel]) -> None:
    """A field that is added to the contract has to be added here, or every file takes the slow way."""
    assert list(wire.__struct_fields__) == list(model.model_fields)
    for field in msgspec.structs.fields(wire):
        literal = get_args(model.model_fields[field.name].annotation)
        if literal and all(isinstance(value, str) for value in literal):
            assert get_args(field.type) == literal


def test_our_own_form_takes_the_quick_way() -> None:
    """What a collector writes is never decoded the slow way."""
    assert quick(_raw(), file="x") is not None
    assert _same(_raw())


MANY = document(feed_document(*(claim(str(n)) for n in range(2 * wire_signal.BATCH + 1))).model_dump(mode="json"))


@pytest.mark.parametrize("signals", [1, wire_signal.BATCH - 1, wire_signal.BATCH, wire_signal.BATCH + 1])
def test_batches_meet(signals: int) -> None:
    """Signals are encoded again so many at a time; wherever a batch ends, our own form is our own form."""
    lines = MANY.splitlines(keepends=True)
    first = lines.index(b'"signals": [\n') + 1
    last = first + signals - 1
    raw = b"".join([*lines[:last], lines[last].replace(b",\n", b"\n"), b"]\n}\n"])
    assert quick(raw, file="x") is not None
    assert _same(raw)


@pytest.mark.parametrize("line", [wire_signal.BATCH - 1, wire_signal.BATCH])
@pytest.mark.parametrize("end", [b" ,\n", b",\n\n", b",", b", \n"])
def test_every_line_end_is_looked_at(line: int, end: bytes) -> None:
    """Another way to separate two signals is read the slow way, between two batches too."""
    lines = MANY.splitlines(keepends=True)
    at = lines.index(b'"signals": [\n') + 1 + line
    raw = b"".join([*lines[:at], lines[at].replace(b",\n", end), *lines[at + 1:]])
    assert quick(raw, file="x") is None
    assert _same(raw)


def _balanced() -> bytes:
    """A duplicate key in the first signal, and as many characters fewer in later places."""
    body = orjson.loads(_raw())
    for one in body["signals"][:2]:
        one.update(direction=1, strength=1, confidence=1)
    return document(body).replace(b'"flags":[]', b'"flags":[], "flags":[]', 1)


SPELLINGS = [
    pytest.param(_raw().replace(b'"revision":1,', b'"revision": 1,', 1), id="a space more"),
    pytest.param(orjson.dumps(GOOD), id="all on one line"),
    pytest.param(orjson.dumps(GOOD, option=orjson.OPT_INDENT_2), id="indented"),
    pytest.param(_raw(direction=1), id="an integer where a fraction may stand"),
    pytest.param(_raw().replace(b'"direction":0.5', b'"direction":5e-1', 1), id="an exponent"),
    pytest.param(_raw().replace(b'"direction":0.5', b'"direction":0.50', 1), id="a trailing zero"),
    pytest.param(_raw().replace(b'"direction":0.5', b'"direction":-0.0', 1), id="minus zero"),
    pytest.param(_raw().replace(b'"summary":"one"', b'"summary":"on\\u0065"', 1), id="a needless escape"),
    pytest.param(_raw(summary="ümlaut \U0001f600 \x00 \u2028"), id="any text"),
    pytest.param(_raw(features={"n": 2**63 - 1, "m": -2**63}), id="the largest integers"),
    pytest.param(_raw().replace(b'"supersedes":null,', b"", 1), id="an optional field left out"),
    pytest.param(document({**GOOD, "signals": []}), id="no signals at all"),
    pytest.param(document({**GOOD, "signals": []}).replace(b"[]\n}", b"[\n\n]\n}"), id="no signals on a line"),
    pytest.param(document({"signals": GOOD["signals"], **GOOD}), id="signals not last"),
    pytest.param(_raw(strength=0.0001), id="the smallest step"),
    pytest.param(_raw(confidence_basis=[{"factor": "a", "value": "b"}]), id="a factor"),
    pytest.param(_raw(evidence=[]), id="no evidence"),
]


@pytest.mark.parametrize("raw", SPELLINGS)
def test_other_spellings_are_accepted_alike(raw: bytes) -> None:
    """Whatever the way, both accept and read the same."""
    assert _same(raw)


FAULTS = [
    pytest.param(_raw(id="sig1_short"), id="id too short"),
    pytest.param(_raw(id="sig1_" + "A" * 26), id="id in capitals"),
    pytest.param(_raw(id="sig1_" + "a" * 26 + "\nsig1_" + "b" * 26), id="two ids in one"),
    pytest.param(_raw(id=""), id="no id"),
    pytest.param(_raw(revision=0), id="revision 0"),
    pytest.param(_raw(revision=1.0), id="a fraction where an integer stands"),
    pytest.param(_raw(revision="1"), id="text where an integer stands"),
    pytest.param(_raw(revision=True), id="a boolean where an integer stands"),
    pytest.param(_raw(direction=1.0001), id="direction above 1"),
    pytest.param(_raw(direction=-1.5), id="direction below -1"),
    pytest.param(_raw(strength=-0.1), id="strength below 0"),
    pytest.param(_raw(confidence=0.12345), id="confidence off the grid"),
    pytest.param(_raw(entity__match__confidence=0.00001), id="match off the grid"),
    pytest.param(_raw(direction="0.5"), id="text where a fraction stands"),
    pytest.param(_raw(direction=None), id="null where a fraction stands"),
    pytest.param(_raw(direction=True), id="a boolean where a fraction stands"),
    pytest.param(_raw().replace(b'"direction":0.5', b'"direction":NaN', 1), id="NaN"),
    pytest.param(_raw().replace(b'"direction":0.5', b'"direction":1e-400', 1), id="a number that underflows"),
    pytest.param(_raw().replace(b'"direction":0.5', b'"direction":1e999', 1), id="a number that overflows"),
    pytest.param(_raw().replace(b'"direction":0.5', b'"direction":0.5,"direction":0.4', 1), id="a duplicate key"),
    pytest.param(_raw().replace(b'"feed": "news"', b'"feed": "news",\n"feed": "news"', 1), id="a double head field"),
    pytest.param(_raw().replace(b'"signals": [', b'"signals": [],\n"signals": [', 1), id="signals twice"),
    pytest.param(_balanced(), id="a duplicate key that costs no length"),
    pytest.param(b'"flags":[],"flags":['.join(_raw().rsplit(b'"flags":[', 1)), id="a duplicate key in the last signal"),
    pytest.param(_raw(kind="rumour"), id="unknown kind"),
    pytest.param(_raw(source_kind="hearsay"), id="unknown source kind"),
    pytest.param(_raw(time_quality="good"), id="unknown time quality"),
    pytest.param(_raw(entity__type="person"), id="unknown entity type"),
    pytest.param(_raw(entity__key="equity:aapl"), id="entity key in small letters"),
    pytest.param(_raw(entity__key="equity:"), id="entity key without a name"),
    pytest.param(_raw(entity__key="equity:AAPL\n"), id="entity key with a line end"),
    pytest.param(_raw(entity__key="bond:US"), id="unknown entity class"),
    pytest.param(_raw(entity__match__method="guess"), id="unknown match"),
    pytest.param(_raw(published_at="2026-02-30T00:00:00.000Z"), id="a day that does not exist"),
    pytest.param(_raw(published_at="2023-02-29T00:00:00.000Z"), id="no leap year"),
    pytest.param(_raw(observed_at="0000-01-01T00:00:00.000Z"), id="year 0"),
    pytest.param(_raw(observed_at="2026-01-01T24:00:00.000Z"), id="hour 24"),
    pytest.param(_raw(observed_at="2026-01-01T23:60:00.000Z"), id="minute 60"),
    pytest.param(_raw(expires_at="2026-01-01T23:59:60.000Z"), id="second 60"),
    pytest.param(_raw(expires_at="2026-01-01T23:59:59.000+00:00"), id="an offset instead of Z"),
    pytest.param(_raw(expires_at="2026-01-01T23:59:59Z"), id="no milliseconds"),
    pytest.param(_raw(expires_at="2026-01-01 23:59:59.000Z"), id="no T"),
    pytest.param(_raw(expires_at="２０２６-01-01T23:59:59.000Z"), id="digits of another script"),
    pytest.param(_raw(event_at="yesterday"), id="event time in words"),
    pytest.param(_raw(event_at=""), id="event time empty"),
    pytest.param(_raw(evidence__0__fetched_at="2026-13-01T00:00:00.000Z"), id="month 13"),
    pytest.param(_raw(evidence__0__sha256="0" * 63), id="hash too short"),
    pytest.param(_raw(evidence__0__sha256="G" * 64), id="hash of other letters"),
    pytest.param(_raw(half_life_s=0), id="no half-life"),
    pytest.param(_raw(features={"n": 7}).replace(b'"n":7', b'"n":1' + b"0" * 30, 1), id="an integer of 31 digits"),
    pytest.param(_raw(features={"n": 7}).replace(b'"n":7', b'"n":-9223372036854775809', 1), id="one of 65 bits"),
    pytest.param(_raw(features={"n": 2**63}), id="one too large for a sign"),
    pytest.param(_raw(revision=2**63), id="a revision of 64 bits"),
    pytest.param(_raw(half_life_s=2**63), id="a half-life of 64 bits"),
    pytest.param(_raw(features={"n": 1.5}), id="a fraction among the features"),
    pytest.param(_raw(features={"n": None}), id="null among the features"),
    pytest.param(_raw(features={"n": True}), id="a boolean among the features"),
    pytest.param(_raw(features={"n": [1]}), id="a list among the features"),
    pytest.param(_raw(flags="swarm"), id="text instead of a list"),
    pytest.param(_raw(flags=[1]), id="a number among the flags"),
    pytest.param(_raw(confidence_basis=[{"factor": "a", "value": "b", "more": 1}]), id="unknown field in a factor"),
    pytest.param(_raw(more=1), id="unknown field"),
    pytest.param(_raw(collector__more=1), id="unknown nested field"),
    pytest.param(document({**GOOD, "more": 1}), id="unknown field in the head"),
    pytest.param(document({**GOOD, "status": "fine"}), id="unknown status"),
    pytest.param(document({**GOOD, "signals": [*GOOD["signals"], 1]}), id="a number among the signals"),
    pytest.param(document({key: value for key, value in GOOD.items() if key != "feed"}), id="no feed"),
    pytest.param(_raw().replace(b'"url":"file:a",', b"", 1), id="no url"),
    pytest.param(_raw()[:-5], id="cut short"),
    pytest.param(_raw() + b"x", id="something behind the end"),
    pytest.param(_raw().replace(b'"summary":"one"', b'"summary":"\\ud800"', 1), id="half a surrogate pair"),
    pytest.param(_raw().replace(b'"summary":"one"', b'"summary":"\xff"', 1), id="invalid UTF-8"),
    pytest.param(_raw().replace(b'"summary":"one"', b'"summary":"a\tb"', 1), id="a raw control character"),
    pytest.param(b"\xef\xbb\xbf" + _raw(), id="a byte-order mark"),
    pytest.param(_raw(features="[" * 100_000), id="text where a table stands"),
    pytest.param(_raw().replace(b'"flags":[]', b'"flags":' + b"[" * 50_000 + b"]" * 50_000, 1), id="absurd nesting"),
    pytest.param(b"", id="nothing"),
    pytest.param(b"[]", id="a list"),
]


@pytest.mark.parametrize("raw", FAULTS)
def test_faults_are_refused_alike(raw: bytes) -> None:
    """Neither way accepts it."""
    assert not _same(raw)


def test_a_refusal_says_where() -> None:
    """The error is pydantic's own, with file and field."""
    with pytest.raises(BadInput, match=r"news_signals\.json \(signals\.0\.kind\)"):
        decode(_raw(kind="rumour"), file="news_signals.json")


@settings(deadline=None, derandomize=True, max_examples=300)
@given(at=st.integers(0, len(_raw()) - 1), byte=st.integers(0, 255), mode=st.sampled_from(["set", "drop", "insert"]))
def test_any_single_byte_changed(at: int, byte: int, mode: str) -> None:
    """However a byte is damaged, both ways say the same of it."""
    raw = _raw()
    new = b"" if mode == "drop" else bytes([byte])
    _same(raw[:at] + new + raw[at + (mode != "insert"):])


values = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.floats(-2, 2, allow_nan=False), st.text(max_size=5),
    st.sampled_from(["news", "equity:AAPL", "2026-01-02T03:04:05.000Z", "sig1_" + "a" * 26, 0.5, 0.0001]),
    st.just([]), st.just({}))


@settings(deadline=None, derandomize=True, max_examples=300)
@given(field=st.sampled_from(list(wire_signal.WireSignal.__struct_fields__)), value=values)
def test_any_field_replaced(field: str, value: object) -> None:
    """Whatever stands in a field, both ways say the same of it."""
    _same(_raw(**{field: value}))
