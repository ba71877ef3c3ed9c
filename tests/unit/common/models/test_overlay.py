"""`vault_overlay.json`: both spellings of a switch, and nothing that is only almost a switch."""

import json
from decimal import Decimal
from typing import Any

import pytest

from vanta.common.errors import BadInput
from vanta.common.models.overlay import HALTING, SCOPES, SWITCHES, Overlay, Switch
from vanta.common.store.document import parse

CLEAR = dict.fromkeys(HALTING, False)
FLIP = {"flip_id": "F1", "vault": "V_CORE", "persona": "Apollo", "ttl_min": 45, "slice": "0.10", "amplify": "0.35",
        "started_at": "2026-01-02T03:04:05.000Z"}


def read(**fields: Any) -> Overlay:
    """An overlay with nothing halted, changed as asked, read as from a file."""
    return parse(json.dumps({**CLEAR, **fields}).encode(), Overlay, file="vault_overlay.json")


@pytest.mark.parametrize("name", SWITCHES)
@pytest.mark.parametrize("enabled", [True, False])
def test_both_spellings_mean_the_same(name: str, enabled: bool) -> None:
    """A bare boolean and an object with `enabled` are the same switch."""
    assert getattr(read(**{name: enabled}), name) is enabled
    long = getattr(read(**{name: {"enabled": enabled, "reason": "test", "by": "me",
                                  "until": "2026-01-02T03:04:05.000Z"}}), name)
    assert isinstance(long, Switch)
    assert (long.enabled, long.reason, long.by) == (enabled, "test", "me")


@pytest.mark.parametrize("name", HALTING)
def test_halting_switches_have_to_be_there(name: str) -> None:
    """An overlay without one of the four says nothing about it, so it is refused."""
    fields = {key: value for key, value in CLEAR.items() if key != name}
    with pytest.raises(BadInput, match="Field required") as caught:
        parse(json.dumps(fields).encode(), Overlay, file="vault_overlay.json")
    assert caught.value.field == name


ALMOST = {"text": "false", "zero": 0, "one": 1, "null": None, "list": [], "empty object": {}, "object with text":
          {"enabled": "false"}, "object with a number": {"enabled": 0}, "fraction": 0.0}


@pytest.mark.parametrize("value", ALMOST.values(), ids=ALMOST.keys())
def test_almost_a_switch_is_none(value: object) -> None:
    """Only the literal booleans count."""
    with pytest.raises(BadInput) as caught:
        read(full_halt=value)
    assert (caught.value.field or "").startswith("full_halt")


HINTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "mistyped switch": ({"ful_halt": True}, "ful_halt", "did you mean 'full_halt'"),
    "mistyped field of a switch": ({"maintenance": {"enbled": False}}, "maintenance.enbled", "did you mean 'enabled'"),
    "mistyped field of a flip": ({"flip": {**FLIP, "personna": "x"}}, "flip.personna", "did you mean 'persona'"),
    "other case": ({"Full_Halt": True}, "Full_Halt", "did you mean 'full_halt'"),
}


@pytest.mark.parametrize(("fields", "field", "hint"), HINTS.values(), ids=HINTS.keys())
def test_mistyped_names_get_a_hint(fields: dict[str, Any], field: str, hint: str) -> None:
    """An unknown switch is named with the one that was probably meant."""
    with pytest.raises(BadInput) as caught:
        read(**fields)
    assert caught.value.field == field
    assert hint in caught.value.reason


def test_complete_overlay_of_the_design() -> None:
    """The documented overlay with scopes, boosts and a flip loads."""
    overlay = read(reduce_only=False, scopes={"vault": {"V_CORE": {"full_halt": {"enabled": True, "reason": "…",
                                                                                  "by": "…"}}}},
                   persona_boosts={"contrarian": "0.10"}, flip=FLIP)
    halt = overlay.scopes["vault"]["V_CORE"]["full_halt"]
    assert isinstance(halt, Switch)
    assert halt.enabled
    assert overlay.persona_boosts == {"contrarian": Decimal("0.10")}
    assert overlay.flip is not None
    assert overlay.flip.slice == Decimal("0.10")


@pytest.mark.parametrize("scope", SCOPES)
def test_every_scope_takes_every_switch(scope: str) -> None:
    """Each switch works in each scope, in both spellings."""
    switches = dict.fromkeys(SWITCHES, True)
    assert read(scopes={scope: {"X": switches}}).scopes


WRONG: dict[str, dict[str, Any]] = {
    "unknown scope": {"scopes": {"planet": {"X": {"full_halt": True}}}},
    "unknown switch in a scope": {"scopes": {"vault": {"X": {"ful_halt": True}}}},
    "text in a scope": {"scopes": {"vault": {"X": {"full_halt": "true"}}}},
    "unknown persona boosted": {"persona_boosts": {"zeus": "0.1"}},
    "boost too large": {"persona_boosts": {"Athena": "0.51"}},
    "flip of an unknown persona": {"flip": {**FLIP, "persona": "zeus"}},
    "flip too large": {"flip": {**FLIP, "slice": "0.26"}},
    "flip without end": {"flip": {**FLIP, "ttl_min": 10_000}},
    "time without zone": {"maintenance": {"enabled": True, "until": "2026-01-02T03:04:05"}},
}


@pytest.mark.parametrize("fields", WRONG.values(), ids=WRONG.keys())
def test_what_does_not_exist_is_refused(fields: dict[str, Any]) -> None:
    """Unknown scopes, switches, personas and limits out of range do not load."""
    with pytest.raises(BadInput, match=r"vault_overlay\.json"):
        read(**fields)


@pytest.mark.parametrize(("written", "kept"), [
    ("2026-11-18T15:20:00.000Z", "2026-11-18T15:20:00.000Z"),
    ("2026-11-18T15:20:00Z", "2026-11-18T15:20:00.000Z"),
    ("2026-11-18t15:20z", "2026-11-18T15:20:00.000Z"),
    ("2026-11-18T16:20:00+01:00", "2026-11-18T15:20:00.000Z"),
    ("2026-11-18 15:20:00.123456+00:00", "2026-11-18T15:20:00.123Z"),
])
def test_people_write_times_as_they_like(written: str, kept: str) -> None:
    """Any ISO form with an offset, for the end of a switch and the start of a flip; kept in one form."""
    overlay = read(maintenance={"enabled": True, "until": written}, flip={**FLIP, "started_at": written})
    assert isinstance(overlay.maintenance, Switch)
    assert overlay.flip is not None
    assert (overlay.maintenance.until, overlay.flip.started_at) == (kept, kept)


@pytest.mark.parametrize("written", [
    "2026-11-18T15:20:00", "2026-11-18", "15:20", "tomorrow", "", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+10:00",
    "2026-11-18T15:20:00Z" + " " * 100])
def test_a_time_of_nobody_knows_whom_is_refused(written: str) -> None:
    """The form is said."""
    with pytest.raises(BadInput, match="2026-01-02T03:04:05Z") as caught:
        read(maintenance={"enabled": True, "until": written})
    assert caught.value.field == "maintenance.until"
