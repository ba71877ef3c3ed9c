"""Permission is explicit: never for bytes that an independent reading denies."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.executor.world import ALL_CLEAR, OPEN
from vanta.alpha.core.permission import permission, ways
from vanta.common.instruments import crypto, equity
from vanta.common.models.vault import VaultRegistry
from vanta.executor.core.controls import Known, read_overlay

KNOWN = Known(vault=frozenset({"V_CORE"}), broker=frozenset({"paper"}), instrument=frozenset({"equity:AAPL"}))
FLAGS = ("maintenance", "orders_disabled", "external_calls_disabled", "full_halt")
FIELDS = {*FLAGS, "reduce_only", "scopes", "persona_boosts", "flip", "reason", "by", "schema_version", "revision",
          "written_at", "written_by"}


def permits(raw: bytes) -> bool:
    """What VANTA says of these bytes."""
    return permission(read_overlay(raw), KNOWN, now=OPEN).permits


def denies(raw: bytes) -> bool:
    """An independent reading: no strict UTF-8, no object, a key twice, unknown or missing, a flag not literally off."""
    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in items}) != len(items):
            raise ValueError("a key stands twice")
        return dict(items)

    def refuse(literal: str) -> Any:
        raise ValueError(f"{literal} is no number")

    def off(value: Any) -> bool:
        if isinstance(value, dict):
            return value.get("enabled") is False and set(value) <= {"enabled", "reason", "by", "until"}
        return value is False

    try:
        text = raw.decode("utf-8", "strict")
        value = json.loads(text, object_pairs_hook=pairs, parse_constant=refuse)
    except (ValueError, RecursionError):
        return True
    if raw.startswith(b"\xef\xbb\xbf") or not isinstance(value, dict) or not set(value) <= FIELDS:
        return True
    if not all(flag in value and off(value[flag]) for flag in FLAGS):
        return True
    return not off(value.get("reduce_only", False))


MUTATIONS = st.lists(st.tuples(st.sampled_from(["set", "drop", "add", "double"]), st.integers(0, 4000),
                               st.integers(0, 255)), min_size=1, max_size=4)
LONG = (b'{"maintenance": {"enabled": false, "reason": "done", "by": "ann"}, "orders_disabled": false, "full_halt": '
        b'{"enabled": false}, "external_calls_disabled": false, "reduce_only": false, "scopes": {"vault": {"V_CORE": '
        b'{"full_halt": true}}}, "persona_boosts": {"Ares": "0.10"}}')


@given(st.sampled_from([ALL_CLEAR, LONG]), MUTATIONS)
@settings(deadline=None, derandomize=True, max_examples=2000)
def test_no_mutation_permits_what_the_other_reading_denies(raw: bytes, mutations: list[tuple[str, int, int]]) -> None:
    """Bytes set, dropped, added and doubled at random: VANTA may be stricter than the reading, never laxer."""
    for how, at, value in mutations:
        place = at % (len(raw) + 1)
        if how == "set":
            raw = raw[:place] + bytes([value]) + raw[place + 1:]
        elif how == "drop":
            raw = raw[:place] + raw[place + 1 + value % 8:]
        elif how == "add":
            raw = raw[:place] + bytes([value]) + raw[place:]
        else:
            raw = raw[:place] + raw[place:place + 1 + value % 60] + raw[place:]
    assert not (permits(raw) and denies(raw))


WORDS = st.sampled_from([b"true", b'"false"', b"0", b"null", b"[]", b"{}", b'{"enabled": 0}', b'{"enabled": true}',
                         b'{"enabled": "false"}', b'{"enabled": false, "enabled": true}', b"False", b"NaN", b""])


@given(st.sampled_from([ALL_CLEAR, LONG]), st.integers(0, 8), WORDS)
@settings(deadline=None, derandomize=True, max_examples=500)
def test_no_other_word_stands_for_false(raw: bytes, which: int, word: bytes) -> None:
    """Each `false` in turn replaced by what other readers take for false, too."""
    parts = raw.split(b"false")
    at = 1 + which % (len(parts) - 1)
    changed = b"false".join(parts[:at]) + word + b"false".join(parts[at:])
    assert denies(changed)
    assert not permits(changed)


def test_both_readings_permit_what_is_all_clear() -> None:
    """The property above is not empty: there are bytes that both let through."""
    for raw in (ALL_CLEAR, LONG):
        assert permits(raw)
        assert not denies(raw)


@pytest.mark.parametrize(("scope", "expected"), [
    ({"vault": {"V_CORE": {"full_halt": True}}}, ["halt.full_halt on vault V_CORE"]),
    ({"asset_class": {"crypto": {"reduce_only": True}}}, ["halt.reduce_only on asset_class crypto"]),
    ({"broker": {"paper": {"maintenance": False}}}, []),
])
def test_scoped_switches_are_listed_and_deny_nothing_else(scope: dict[str, Any], expected: list[str]) -> None:
    """A switch in a scope stops only what it names."""
    raw = json.dumps({**json.loads(ALL_CLEAR), "scopes": scope}).encode()
    said = permission(read_overlay(raw), KNOWN, now=OPEN)
    assert (said.permits, list(said.scoped)) == (True, expected)


def test_a_scope_that_names_nothing_known_stops_everything() -> None:
    """A typo in a scope must not leave the meant vault unprotected."""
    raw = json.dumps({**json.loads(ALL_CLEAR), "scopes": {"vault": {"V_CROE": {"full_halt": True}}}}).encode()
    said = permission(read_overlay(raw), KNOWN, now=OPEN)
    assert not said.permits
    assert "vault V_CROE" in said.stops[0]


HALT = {"full_halt": True}
TWO = VaultRegistry.model_validate({"vaults": [
    {"vault_id": "V_CORE", "label": "a", "account": "paper", "crypto_enabled": True},
    {"vault_id": "V_SWIFT", "label": "b", "account": "second", "crypto_enabled": True, "fiat_enabled": False}]})
ITEMS = [equity("AAPL"), equity("MSFT"), crypto("BTC")]
ALL_KNOWN = Known(vault=frozenset({"V_CORE", "V_SWIFT"}), broker=frozenset({"paper", "second"}),
                  instrument=frozenset(one.instrument_id for one in ITEMS))


@pytest.mark.parametrize(("scopes", "permits"), [
    pytest.param({}, True, id="no scopes"),
    pytest.param({"vault": {"V_CORE": HALT}}, True, id="one vault of two"),
    pytest.param({"vault": {"V_CORE": HALT, "V_SWIFT": HALT}}, False, id="every vault"),
    pytest.param({"vault": {"V_CORE": HALT, "V_SWIFT": {"reduce_only": True}}}, False, id="every vault, one to exits"),
    pytest.param({"vault": {"V_CORE": HALT, "V_SWIFT": {"full_halt": False}}}, True, id="a switch that is off"),
    pytest.param({"vault": {"V_CORE": HALT, "V_SWIFT": {"maintenance": {
        "enabled": True, "until": "2020-01-01T00:00:00.000Z"}}}}, True, id="a switch that is over"),
    pytest.param({"broker": {"paper": HALT}}, True, id="one account of two"),
    pytest.param({"broker": {"paper": HALT, "second": HALT}}, False, id="every account"),
    pytest.param({"asset_class": {"equity": HALT}}, True, id="one class of two"),
    pytest.param({"asset_class": {"crypto": HALT, "option": HALT}}, True, id="a class that nobody holds"),
    pytest.param({"asset_class": {"equity": HALT, "crypto": HALT}}, False, id="every class that is held"),
    pytest.param({"vault": {"V_CORE": HALT}, "asset_class": {"crypto": HALT}}, False, id="a vault, the other's class"),
    pytest.param({"vault": {"V_SWIFT": HALT}, "asset_class": {"crypto": HALT}}, True, id="a vault, and half the other"),
    pytest.param({"vault": {"V_CORE": HALT}, "broker": {"second": HALT}}, False, id="a vault, and the other's account"),
    pytest.param({"instrument": {one.instrument_id: HALT for one in ITEMS}}, False, id="every instrument"),
    pytest.param({"instrument": {"equity:AAPL": HALT}, "asset_class": {"crypto": HALT}}, True, id="MSFT is left"),
])
def test_scopes_that_name_everything_permit_nothing(scopes: dict[str, Any], permits: bool) -> None:
    """Nothing could leave though no root switch is on; anything less leaves the rest open."""
    raw = json.dumps({**json.loads(ALL_CLEAR), "scopes": scopes}).encode()
    said = permission(read_overlay(raw), ALL_KNOWN, now=OPEN, ways=ways(TWO, ITEMS))
    assert said.permits is permits
    assert bool(said.stops) is not permits


def test_where_nothing_may_be_traded_scopes_are_only_listed() -> None:
    """Without vaults it is not known what scopes leave open."""
    raw = json.dumps({**json.loads(ALL_CLEAR), "scopes": {"vault": {"V_CORE": HALT}}}).encode()
    assert permission(read_overlay(raw), ALL_KNOWN, now=OPEN, ways=ways(VaultRegistry(vaults=[]), ITEMS)).permits
