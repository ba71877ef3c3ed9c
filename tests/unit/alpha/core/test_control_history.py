"""Two logs as one story: who, when, what changed, why."""

from typing import Any

from vanta.alpha.core.control_history import entries, wanted
from vanta.common.canonical import sha256

ONE = b'{"full_halt": false, "note": 1}'
TWO = b'{"full_halt": {"enabled": true}, "note": 1}'
SPACED = b'{"full_halt":   {"enabled": true}, "note": 1}'
MANY = b'{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7, "full_halt": false, "note": 1}'
VAULT = b'{"vaults": [{"vault_id": "V_A", "label": "x"}, 7], "house": {}}'
VAULT_TWO = b'{"vaults": [{"vault_id": "V_A", "label": "y"}, 7], "house": {}}'
KEPT = {sha256(raw): raw for raw in (ONE, TWO, SPACED, MANY, VAULT, VAULT_TWO, b"{")}


def record(kind: str, **payload: Any) -> dict[str, Any]:
    return {"kind": kind, "at": "2026-11-20T15:00:00.000Z", "payload": payload}


def seen(raw: bytes, what: str = "overlay", **more: Any) -> dict[str, Any]:
    return record("control.seen", what=what, sha256=sha256(raw), **more)


def changes(*records: dict[str, Any]) -> list[tuple[str, ...]]:
    return [one.changes for one in entries(records, KEPT)]


def test_a_command_tells_who_and_why() -> None:
    """As it was recorded; what else is in the log is passed over."""
    (one,) = entries([record("journal.opened"), record(
        "control.changed", what="permit", before="present", after="absent", by="ann", reason="odd")], KEPT)
    assert (one.who, one.what, one.changes, one.why, one.source) == (
        "ann", "permit", ("present → absent",), "odd", "control log")


def test_a_save_tells_what_it_changed() -> None:
    """Field by field against the save before; vaults by their ids; a save that changes nothing says so."""
    told = entries([seen(ONE), seen(TWO, by="ben", reason="why"), seen(SPACED), seen(VAULT, "vaults"),
                    seen(VAULT_TWO, "vaults"), seen(ONE, "instruments")], KEPT)
    assert [one.changes for one in told] == [
        (f"content {sha256(ONE)[:12]}",), ('full_halt: false → {"enabled": true}',), ("only spacing",),
        (f"content {sha256(VAULT)[:12]}",), ('V_A.label: "x" → "y"',)]
    assert (told[1].who, told[1].why, told[1].what) == ("ben", "why", "vault_overlay.json")
    assert told[4].what == "vault.json"
    assert len(changes(seen(ONE), seen(MANY))[1]) == 7
    assert changes(seen(ONE), seen(MANY))[1][-1] == "and 1 more"


def test_what_is_not_kept_or_cannot_be_read_is_named_by_its_hash() -> None:
    """Nothing is guessed."""
    gone = sha256(b"gone")
    assert changes(seen(ONE), record("control.seen", what="overlay", sha256=gone))[1] == (
        f"content {gone[:12]}, {sha256(ONE)[:12]} before",)
    assert changes(seen(ONE), seen(b"{"), seen(TWO))[1:] == [
        (f"content {sha256(b'{')[:12]}, {sha256(ONE)[:12]} before",),
        (f"content {sha256(TWO)[:12]}, {sha256(b'{')[:12]} before",)]
    assert changes(record("control.seen", what="overlay", sha256="unreadable: torn"), seen(ONE)) == [
        ("unreadable: torn",), (f"content {sha256(ONE)[:12]}, unreadable before",)]


def test_copies_are_asked_for_once_by_hash() -> None:
    """Of the operator's files alone."""
    records = [seen(ONE), seen(ONE), seen(VAULT, "vaults"), seen(MANY, "instruments"), record("fill", sha256="x"),
               record("control.seen", what="overlay", sha256="unreadable: torn")]
    assert wanted(records) == [sha256(ONE), sha256(VAULT)]


def test_permits_ends_and_watched_saves() -> None:
    """The permit as it was seen, a switch that ended by itself, an editor that was caught at it."""
    told = entries([record("control.seen", what="permit", sha256="absent"),
                    record("control.ended", what="maintenance on everything until X"),
                    record("control.edited", what="vaults", user="ann", changes=[["a", "1", "2"], ["", None, "x"]]),
                    record("control.edited", what="overlay", user=None, by="ben", changes=[])], KEPT)
    assert [(one.what, one.who, one.changes) for one in told] == [
        ("dispatch.permit", None, ("absent",)),
        ("vault_overlay.json", None, ("over by itself: maintenance on everything until X",)),
        ("vault.json", "ann", ("a: 1 → 2", "the whole: absent → x")), ("vault_overlay.json", "ben", ())]
