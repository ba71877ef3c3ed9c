"""Turning one switch: what the file says afterwards, and what counts as loosening."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from vanta.alpha.core.operator_json import dumps
from vanta.alpha.core.switching import (
    UNREADABLE,
    Place,
    Wish,
    flip_words,
    looser,
    needless,
    place_of,
    rows,
    safe,
    turned,
    value_of,
    without,
    words,
)
from vanta.common.models.overlay import Flip, Overlay, Switch
from vanta.executor.core.controls import Known, Scope, read_overlay, stops

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
LATER, SOONER, PAST = "2026-11-20T18:00:00.000Z", "2026-11-20T16:00:00.000Z", "2026-11-20T14:00:00.000Z"
CLEAR = {"maintenance": False, "orders_disabled": False, "external_calls_disabled": False, "full_halt": False}
VAULT = Place("vault", "V_CORE")


def overlay(**fields: Any) -> Overlay:
    return Overlay.model_validate({**CLEAR, **fields})


def wish(switch: str = "maintenance", place: Place | None = None, on: bool = True, until: str | None = None) -> Wish:
    return Wish(switch=switch, place=place, on=on, reason="drill", by="ann", until=until)


def test_a_place_is_a_kind_and_a_name() -> None:
    """The name may hold colons; nothing and `everything` are the root."""
    assert place_of("vault:V_CORE") == VAULT
    assert place_of("instrument:equity:AAPL") == Place("instrument", "equity:AAPL")
    assert place_of(None) is place_of("everything") is None
    for text in ("V_CORE", "vaults:V_CORE", "vault:", ""):
        with pytest.raises(ValueError, match="is no scope"):
            place_of(text)


def test_a_switch_is_turned_and_everything_else_stays() -> None:
    """At the root and in a scope, beside what is there already."""
    said = {"enabled": True, "reason": "drill", "by": "ann"}
    fields = {**CLEAR, "note": 1, "scopes": {"vault": {"V_CORE": {"full_halt": True}, "V_B": {}}}}
    assert turned(fields, wish(until=LATER)) == {**fields, "maintenance": {**said, "until": LATER}}
    assert turned(fields, wish(place=VAULT))["scopes"] == {
        "vault": {"V_CORE": {"full_halt": True, "maintenance": said}, "V_B": {}}}
    assert turned(CLEAR, wish(place=VAULT))["scopes"] == {"vault": {"V_CORE": {"maintenance": said}}}
    assert fields["scopes"] == {"vault": {"V_CORE": {"full_halt": True}, "V_B": {}}}
    assert without(fields, VAULT)["scopes"] == {"vault": {"V_B": {}}}
    assert without(CLEAR, VAULT)["scopes"] == {}


def test_what_is_said_of_a_switch() -> None:
    """Root, scope, and a scope that does not mention it."""
    found = overlay(full_halt=True, scopes={"vault": {"V_CORE": {"maintenance": True}}})
    assert value_of(found, "full_halt", None) is True
    assert value_of(found, "maintenance", VAULT) is True
    assert value_of(found, "full_halt", VAULT) is False
    assert value_of(found, "maintenance", Place("broker", "paper")) is False


NEEDLESS: dict[str, tuple[bool | Switch, Wish, bool, bool]] = {
    "on already": (True, wish(), False, True),
    "on already, with words of its own": (True, wish(), True, False),
    "off": (False, wish(), False, False),
    "over by itself": (Switch(enabled=True, until=PAST), wish(), False, False),
    "on until later, for good now": (Switch(enabled=True, until=LATER), wish(), False, False),
    "on until then already": (Switch(enabled=True, until=LATER), wish(until=LATER), False, True),
    "an end that is none": (Switch(enabled=True, until=LATER), wish("full_halt"), False, True),
    "off already": (False, wish(on=False), True, True),
    "on, to be off": (True, wish(on=False), True, False),
}


@pytest.mark.parametrize("name", NEEDLESS)
def test_what_is_so_already_is_not_said_again(name: str) -> None:
    """Unless it comes with a reason of its own, or another end."""
    value, wanted, stated, expected = NEEDLESS[name]
    assert needless(value, wanted, NOW, stated=stated) is expected


LOOSER: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "off": ({"full_halt": True}, {}, ["full_halt on everything"]),
    "on": ({}, {"full_halt": True}, []),
    "an end": ({"maintenance": True}, {"maintenance": {"enabled": True, "until": LATER}},
               ["maintenance on everything"]),
    "a sooner end": ({"reduce_only": {"enabled": True, "until": LATER}},
                     {"reduce_only": {"enabled": True, "until": SOONER}}, ["reduce_only on everything"]),
    "a later end": ({"reduce_only": {"enabled": True, "until": SOONER}},
                    {"reduce_only": {"enabled": True, "until": LATER}}, []),
    "an end that does not count": ({"full_halt": True}, {"full_halt": {"enabled": True, "until": SOONER}}, []),
    "over already": ({"maintenance": {"enabled": True, "until": PAST}}, {}, []),
    "a scope that is gone": ({"scopes": {"vault": {"V_CORE": {"full_halt": True}}}}, {},
                             ["full_halt on vault V_CORE"]),
}


@pytest.mark.parametrize("name", LOOSER)
def test_looser_is_off_or_sooner_over(name: str) -> None:
    """Anything else tightens or changes nothing."""
    before, after, expected = LOOSER[name]
    assert looser(overlay(**before), overlay(**after), NOW) == expected


BROKEN: dict[str, tuple[bytes | None, bool]] = {
    "nothing there": (None, True), "torn": (b'{"maintenance": fal', True),
    "calls were plainly allowed": (b'{"external_calls_disabled":  false, "full_halt": tru', False),
    "calls were stopped": (b'{"external_calls_disabled": true, ', True),
    "said twice": (b'{"external_calls_disabled": false, "external_calls_disabled": true, ', True),
    "said twice, once by escape": (b'{"external_calls_disabled": false, "external_calls\\u005fdisabled": true', True),
    "an object": (b'{"external_calls_disabled": {"enabled": false}, ', True),
    "a word that begins alike": (b'{"external_calls_disabled": falsehood', True),
}


@pytest.mark.parametrize("switch", ["maintenance", "full_halt", "reduce_only", "external_calls_disabled"])
@pytest.mark.parametrize("name", BROKEN)
def test_what_replaces_a_broken_file_permits_nothing(name: str, switch: str) -> None:
    """No order leaves, whatever was asked for; calls go on only where the broken text plainly allowed them."""
    broken, silent = BROKEN[name]
    fields = safe(broken, wish(switch))
    controls = read_overlay(dumps(fields))
    known = Known(vault=frozenset({"V"}), broker=frozenset(), instrument=frozenset())
    codes = {str(stop.code) for stop in stops(controls, Scope("V", "paper", "equity:X", "equity"), known, now=NOW)}
    assert "halt.orders_disabled" in codes
    assert ("halt.external_calls_disabled" in codes) is (silent or switch == "external_calls_disabled")
    assert fields[switch] == {"enabled": True, "reason": "drill", "by": "ann"}
    assert UNREADABLE in json.dumps(fields)


def test_switches_in_words() -> None:
    """On with reason and name, off, over by itself."""
    found = overlay(full_halt=True, maintenance={"enabled": True, "until": PAST, "reason": "x", "by": "ann"},
                    orders_disabled={"enabled": False},
                    scopes={"vault": {"V_CORE": {"reduce_only": {"enabled": True, "until": LATER}}}})
    assert [row for row in rows(found, NOW) if row[2] != "off"] == [
        ("everything", "maintenance", f"off since {PAST}: x (by ann)"),
        ("everything", "full_halt", "on: reason not stated"),
        ("vault V_CORE", "reduce_only", f"on until {LATER}: reason not stated (by an unnamed person)")]
    assert words(Switch(enabled=True, until=PAST, reason="r", by="b"), "full_halt", NOW) == "on: r (by b)"
    assert words(Switch(enabled=True, reason="r", by="b"), "full_halt", NOW, named=False) == "on: r"
    assert (wish().control, wish(place=VAULT).control) == ("overlay maintenance",
                                                           "overlay scopes.vault.V_CORE.maintenance")
    assert [one.becomes for one in (wish(), wish(on=False), wish(until=LATER))] == ["on", "off", f"on until {LATER}"]
    assert wish().where == "maintenance on everything"
    assert wish(place=VAULT).where == "maintenance on vault V_CORE"


def test_a_flip_in_words() -> None:
    """Minutes left are rounded up; past its end it is over."""
    assert flip_words(None, NOW) == "none"
    made = Flip(flip_id="f1", vault="V_CORE", persona="Ares", ttl_min=45, slice=Decimal("0.1"), amplify=Decimal("0.5"),
                started_at="2026-11-20T14:30:30.000Z")
    assert flip_words(made, NOW) == ("V_CORE towards Ares, slice 0.1, amplify 0.5, 16 min left "
                                     "(f1, since 2026-11-20T14:30:30.000Z)")
    assert "amplify 0.5, over (" in flip_words(made, datetime(2026, 11, 20, 15, 15, 30, tzinfo=UTC))
