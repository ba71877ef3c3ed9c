"""Only bytes that say so explicitly permit an order."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.executor.world import ALL_CLEAR, without_permission
from vanta.common.reasons import Reason
from vanta.executor.core.controls import Known, Scope, read_overlay, stops, summary

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
KNOWN = Known(vault=frozenset({"V_CORE"}), broker=frozenset({"paper"}), instrument=frozenset({"equity:AAPL"}))
SCOPE = Scope(vault="V_CORE", broker="paper", instrument="equity:AAPL", asset_class="equity")


def permits(raw: bytes) -> bool:
    return not stops(read_overlay(raw), SCOPE, KNOWN, now=NOW)


def changed(**fields: Any) -> bytes:
    return without_permission(fields)


def without(name: str) -> bytes:
    return json.dumps({key: value for key, value in json.loads(ALL_CLEAR).items() if key != name}).encode()


PERMITTED = {
    "bare booleans": ALL_CLEAR,
    "long spelling, disabled": changed(maintenance={"enabled": False}, full_halt={"enabled": False, "by": "ops"}),
    "without reduce_only": without("reduce_only"),
    "ended maintenance": changed(maintenance={"enabled": True, "until": "2026-11-20T14:59:59.000Z"}),
    "boosts and flip": changed(persona_boosts={"contrarian": "0.10"}, flip={
        "flip_id": "F1", "vault": "V_CORE", "persona": "Apollo", "ttl_min": 45, "slice": "0.10", "amplify": "0.35",
        "started_at": "2026-11-20T14:30:00.000Z"}),
    "scoped switches elsewhere or off": changed(scopes={"vault": {"V_CORE": {"full_halt": False}}}),
}
HALTED = {
    "empty": b"", "blank": b"  \n", "truncated": ALL_CLEAR[:40], "trailing garbage": ALL_CLEAR + b"x",
    "NULs": b"\0" * 80,
    "list": b"[]", "null": b"null", "BOM": b"\xef\xbb\xbf" + ALL_CLEAR, "UTF-16": ALL_CLEAR.decode().encode("utf-16"),
    "invalid UTF-8": ALL_CLEAR[:-1] + b',"reason":"\xff"}',
    "lone surrogate": changed(reason="X").replace(b"X", b"\\ud800"),
    "duplicate key": ALL_CLEAR[:-1] + b', "full_halt": false}',
    "duplicate by escape": ALL_CLEAR[:-1] + b', "full\\u005fhalt": true}',
    "case variant": changed(Full_Halt=False), "unknown switch": changed(half_halt=False),
    "string false": changed(full_halt="false"), "zero": changed(full_halt=0), "null value": changed(full_halt=None),
    "list value": changed(full_halt=[]), "enabled zero": changed(full_halt={"enabled": 0}),
    "enabled string": changed(full_halt={"enabled": "false"}), "enabled missing": changed(full_halt={"reason": "x"}),
    "unknown key in switch": changed(full_halt={"enabled": False, "wby": "x"}),
    "no maintenance": without("maintenance"), "no orders_disabled": without("orders_disabled"),
    "no external_calls": without("external_calls_disabled"), "no full_halt": without("full_halt"),
    "NaN": ALL_CLEAR[:-1] + b', "persona_boosts": {"Ares": NaN}}',
    "infinite": ALL_CLEAR[:-1] + b', "persona_boosts": {"Ares": 1e999}}',
    "boost out of bounds": changed(persona_boosts={"Ares": "0.9"}),
    "unknown persona": changed(persona_boosts={"Zeus": "0.1"}),
    "deep nesting": ALL_CLEAR[:-1] + b', "reason": ' + b"[" * 500 + b"]" * 500 + b"}",
    "huge": ALL_CLEAR[:-1] + b', "reason": "' + b"a" * 300_000 + b'"}',
    "maintenance": changed(maintenance=True), "orders": changed(orders_disabled=True),
    "calls": changed(external_calls_disabled=True), "halt": changed(full_halt=True),
    "reduce": changed(reduce_only=True),
    "scoped by vault": changed(scopes={"vault": {"V_CORE": {"maintenance": {"enabled": True}}}}),
    "scope unknown": changed(scopes={"vault": {"V_COER": {"maintenance": True}}}),
    "scope kind unknown": changed(scopes={"planet": {"earth": {"maintenance": True}}}),
    "halt with until in the past": changed(full_halt={"enabled": True, "until": "2026-11-20T14:59:59.000Z"}),
    "until without offset": changed(maintenance={"enabled": True, "until": "2026-11-20T14:59:59"}),
}


@pytest.mark.parametrize("name", PERMITTED)
def test_permitted(name: str) -> None:
    """The few forms that permit."""
    assert permits(PERMITTED[name])


@pytest.mark.parametrize("name", HALTED)
def test_halted(name: str) -> None:
    """Everything else halts and says why."""
    assert not permits(HALTED[name])
    assert summary(read_overlay(HALTED[name]), KNOWN, now=NOW) or name == "scoped by vault"


def test_a_note_names_the_person_or_says_that_nobody_did() -> None:
    """The reason of a halt is shown with who set it."""
    named = read_overlay(changed(full_halt={"enabled": True, "reason": "fat finger", "by": "R. Example"}))
    bare = read_overlay(changed(full_halt=True))
    assert "fat finger (by R. Example)" in summary(named, KNOWN, now=NOW)
    assert "reason not stated" in summary(bare, KNOWN, now=NOW)
    unnamed = read_overlay(changed(full_halt={"enabled": True}))
    assert "an unnamed person" in summary(unnamed, KNOWN, now=NOW)
    assert summary(read_overlay(ALL_CLEAR), KNOWN, now=NOW) == "dispatch permitted"


def test_unreadable_bytes_carry_their_problem() -> None:
    """When the file could not be read, the reader's words are the note."""
    found = stops(read_overlay(None, problem="it is a pipe"), None, KNOWN, now=NOW)
    assert [(stop.code, stop.note) for stop in found] == [(Reason.HALT_UNREADABLE, "it is a pipe")]
    assert stops(read_overlay(None), None, KNOWN, now=NOW)[0].note


def independent(raw: bytes) -> bool:
    """A checker that shares nothing with the product: strict object, four literal false, known keys only."""
    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in items}) != len(items):
            raise ValueError("duplicate")
        return dict(items)

    def refuse(_: str) -> Any:
        raise ValueError("constant")

    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=pairs, parse_constant=refuse)
    except (ValueError, RecursionError):
        return False
    halting = ("maintenance", "orders_disabled", "external_calls_disabled", "full_halt")
    if not isinstance(value, dict) or any(name not in value for name in halting):
        return False
    for name in (*halting, "reduce_only"):
        switch = value.get(name, False)
        if isinstance(switch, dict):
            switch = switch.get("enabled")
        if switch is not False:
            return False
    return set(value) <= {*halting, "reduce_only", "scopes", "persona_boosts", "flip", "reason", "by",
                          "schema_version", "revision", "written_at", "written_by"}


@given(st.data())
@settings(deadline=None, derandomize=True, max_examples=1500)
def test_mutated_bytes_are_never_permitted_where_an_independent_checker_denies(data: st.DataObject) -> None:
    """Flip, drop, insert and swap bytes of a clear overlay: no permission that the other checker would refuse."""
    raw = bytearray(data.draw(st.sampled_from([ALL_CLEAR, PERMITTED["long spelling, disabled"]])))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        how = data.draw(st.sampled_from(["flip", "drop", "insert", "cut", "copy"]))
        if how == "flip":
            raw[at] ^= 1 << data.draw(st.integers(0, 7))
        elif how == "drop":
            del raw[at]
        elif how == "insert":
            raw.insert(at, data.draw(st.sampled_from(list(b'{}[],:"\\ truefalsnu0123456789\x00'))))
        elif how == "cut":
            del raw[at:at + data.draw(st.integers(1, 20))]
        else:
            raw[at:at] = raw[at:at + 15]
        if not raw:
            break
    mutated = bytes(raw)
    assert not (permits(mutated) and not independent(mutated))
