"""Signatures and the succession of keys: what was not signed as it says is told apart from what was."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vanta.common.errors import OperatorError, StateError
from vanta.common.signatures import Signer, fingerprint, first, is_signed, keys, successor

OLD, NEW, FOREIGN = (Signer(bytes([n]) * 32) for n in (1, 2, 3))
SAID = {"at": "2026-11-27T10:00:00.000Z", "by": "ann", "reason": "yearly"}


def lines(*rows: object) -> bytes:
    """A list of keys."""
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


@given(st.binary(max_size=200), st.data())
def test_a_signature_is_good_for_its_message_and_key_alone(message: bytes, data: st.DataObject) -> None:
    """Any other byte, key or text is refused without an error."""
    made = OLD.sign(message)
    assert is_signed(message, made, OLD.public)
    assert not is_signed(message + b" ", made, OLD.public)
    assert not is_signed(message, made, NEW.public)
    at = data.draw(st.integers(0, len(made) - 3))
    other = data.draw(st.sampled_from("ABCDabcd0123+/=é").filter(lambda letter: letter != made[at]))
    assert not is_signed(message, made[:at] + other + made[at + 1:], OLD.public)
    assert not is_signed(message, "", "")


def test_the_private_half_is_not_shown() -> None:
    """Neither in a repr nor in what is kept."""
    assert "AQEBAQ" not in repr(OLD) + str(vars(OLD))


def test_keys_follow_one_another() -> None:
    """Oldest first; each line after the first is signed by the key before it."""
    assert keys(lines(first(OLD.public))) == (OLD.public,)
    assert keys(lines(first(OLD.public), successor(NEW.public, SAID, OLD))) == (OLD.public, NEW.public)


@pytest.mark.parametrize("change", [
    {"key": FOREIGN.public}, {"by": "eve"}, {"at": "2026-11-27T10:00:00.001Z"}, {"reason": ""}, {"sig": ""},
    {"sig": FOREIGN.sign(b"x")}, {"more": 1}])
def test_a_changed_succession_is_refused(change: dict[str, object]) -> None:
    """Every field is signed, and nothing may be added."""
    with pytest.raises(StateError, match=r"audit_keys\.jsonl:2: the key before it did not sign this line"):
        keys(lines(first(OLD.public), {**successor(NEW.public, SAID, OLD), **change}))


def test_a_succession_signed_by_a_stranger_is_refused() -> None:
    """Only the key before may name the next."""
    with pytest.raises(StateError, match="did not sign"):
        keys(lines(first(OLD.public), successor(NEW.public, SAID, FOREIGN)))


@pytest.mark.parametrize(("raw", "why"), [(b"", "names no key"), (b"{\n", ":1: "), (b"[]\n", ":1: ")])
def test_a_list_that_is_none_is_refused(raw: bytes, why: str) -> None:
    """Empty, cut, something else."""
    with pytest.raises(StateError, match=why):
        keys(raw)


def test_a_fingerprint_is_read_aloud() -> None:
    """Groups of four letters and digits; the same key, the same groups."""
    shown = fingerprint(OLD.public)
    assert {len(group) for group in shown.split("-")} == {4}
    assert shown != fingerprint(NEW.public)
    with pytest.raises(OperatorError, match="'AAAA' is no public key"):
        fingerprint("AAAA")
