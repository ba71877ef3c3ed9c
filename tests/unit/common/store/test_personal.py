"""Personal values in journals: readable in place, withheld without breaking the chain, never guessable."""

from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vanta.common.canonical import sha256
from vanta.common.errors import StateError
from vanta.common.events import Kind
from vanta.common.store.chain import chain, decode, encode
from vanta.common.store.inmemory import MemoryJournal
from vanta.common.store.journal import FileJournal
from vanta.common.store.personal import FIELDS, digest, is_withheld, revealed, sealed, withhold

AT = "2026-01-05T09:00:00.000Z"
SALT = "0123456789abcdef0123456789abcdef"


def log_of(path: Path, *people: str) -> bytes:
    """A log in which each of these gave a command, and one record without a name stands between."""
    journal = FileJournal(path)
    for name in people:
        journal.append(Kind.COMMAND_GIVEN, {"command_id": "c", "by": name, "reason": f"{name} says so"}, at=AT)
        journal.append(Kind.FILL, {"by": "market"}, at=AT)
    journal.close()
    return path.read_bytes()


def test_readers_see_the_name_and_the_file_holds_it_beside_a_salt(tmp_path: Path) -> None:
    """What is returned, what is read, and what stands in the file."""
    raw = log_of(tmp_path / "log.jsonl", "anna")
    first = next(chain(raw, name="log"))
    assert first.payload["by"] == "anna"
    stored = orjson.loads(raw.split(b"\n")[0])["payload"]
    assert stored["by"]["$personal"] == "anna"
    assert len(bytes.fromhex(stored["by"]["salt"])) == 16
    assert b'"payload":{"by":"market"}' in raw  # of kinds that name no person nothing is sealed


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=12), min_size=1, max_size=4))
def test_a_log_without_its_names_is_the_same_chain(names: list[str]) -> None:
    """Whatever the names are, quotes, backslashes and lookalikes among them."""
    journal = MemoryJournal()
    for name in names:
        journal.append(Kind.CONTROL_CHANGED, {"what": "overlay", "by": name, "uid": "1", "account": None}, at=AT)
    raw = journal.raw()
    less = withhold(raw)
    assert is_withheld(less)
    assert b"$personal" not in less
    assert [(one.hash, one.prev) for one in chain(less, name="log")] == [
        (one.hash, one.prev) for one in chain(raw, name="log")]
    assert all(one.payload["by"].startswith("withheld:") for one in chain(less, name="log"))
    assert withhold(less) == less


def test_the_hash_is_of_salt_and_value() -> None:
    """So that whoever has both can show it by hand."""
    line = encode({"by": {"$personal": "anna", "salt": SALT}})
    expected = sha256(SALT.encode() + b':"anna"')
    assert withhold(line) == b'{"by":{"$withheld":"' + expected.encode() + b'"}}'
    assert digest(line) == sha256(withhold(line)) == digest(withhold(line))


@pytest.mark.parametrize("change", [(b'"anna"', b'"bert"'), (SALT.encode(), b"f" + SALT.encode()[1:]),
                                    (b'"salt"', b'"sale"'), (b"$personal", b"$persona1")])
def test_a_changed_name_or_salt_breaks_the_chain(change: tuple[bytes, bytes]) -> None:
    """A name cannot be exchanged for another, nor its salt."""
    raw = encode({"seq": 1, "at": AT, "kind": "command.given", "dag_id": None, "ids": {},
                  "payload": {"by": {"$personal": "anna", "salt": SALT}}, "prev": "0" * 64})
    assert change[0] in raw
    after = encode({"seq": 2, "at": AT, "kind": "fill", "dag_id": None, "ids": {}, "payload": {}, "prev": digest(raw)})
    changed = raw.replace(*change)
    assert len(list(chain(raw + b"\n" + after + b"\n", name="log"))) == 2
    with pytest.raises(StateError, match="does not follow line 1"):
        list(chain(changed + b"\n" + after + b"\n", name="log"))


def test_what_only_looks_like_a_personal_value_is_hashed_as_it_is() -> None:
    """Text that quotes the form, a salt of another shape, other keys."""
    for payload in ({"text": '{"$personal":"x","salt":"' + SALT + '"}'}, {"by": {"$personal": "x", "salt": "short"}},
                    {"by": {"$personal": "x", "salt": SALT, "more": 1}}):
        raw = encode({"seq": 1, "at": AT, "kind": "fill", "dag_id": None, "ids": {}, "payload": payload, "prev": ""})
        assert digest(raw) == sha256(raw) == decode(raw, where="x").hash
        assert withhold(raw) == raw
    assert revealed({"by": {"$personal": "x", "salt": SALT, "more": 1}}) == {
        "by": {"$personal": "x", "salt": SALT, "more": 1}}


def test_numbers_become_text_and_nothing_stays_nothing() -> None:
    """A missing name is not hidden: it says that nobody was named."""
    made = sealed(Kind.CONTROL_CHANGED, {"by": None, "uid": 0, "account": "root"}, lambda: SALT)
    assert made == {"by": None, "uid": {"$personal": "0", "salt": SALT}, "account": {"$personal": "root", "salt": SALT}}
    plain = {"by": None}
    assert sealed(Kind.CONTROL_SEEN, plain, lambda: SALT) is plain


def test_two_equal_names_have_unlike_hashes(tmp_path: Path) -> None:
    """Whoever sees only the hashes cannot tell whether two commands came from one person."""
    lines = withhold(log_of(tmp_path / "log.jsonl", "anna", "anna")).split(b"\n")
    one, other = (orjson.loads(lines[number])["payload"]["by"]["$withheld"] for number in (0, 2))
    assert one != other


def test_a_log_with_names_opens_again_and_goes_on(tmp_path: Path) -> None:
    """The hash that a later opening computes is that of the writer."""
    log_of(tmp_path / "log.jsonl", "anna")
    raw = log_of(tmp_path / "log.jsonl", "bert")
    assert [one.seq for one in chain(raw, name="log")] == [1, 2, 3, 4]


def test_the_table_names_fields_of_kinds() -> None:
    """A kind that is written twice would hide one of its rows."""
    assert all(names and len(set(names)) == len(names) for names in FIELDS.values())
