"""`vault.json`: the example of the architecture page loads unchanged, defaults are conservative, mistakes are named."""

import json
from decimal import Decimal
from typing import Any

import pytest

from vanta.common.errors import BadInput
from vanta.common.models.vault import PERSONA_ALIASES, Vault, VaultRegistry, persona_name
from vanta.common.store.document import parse

EXAMPLE = (b'{"vaults":[{"vault_id":"V_CORE","label":"Core Discretionary","base_currency":"USD","crypto_enabled":true,'
           b'"fiat_enabled":true,"personas":["risk_averse","contrarian","aggressive"],"risk":{"max_drawdown":0.12,'
           b'"max_single_pos_pct":0.08},"mirroring":{"mode":"proportional","min_account_equity":5000,"fee":{"type":'
           b'"performance_or_flat","flat_usd":2000,"perf_share":0.20}}}]}')


def registry(**vault: Any) -> VaultRegistry:
    """A registry of the smallest vault, changed as asked, read as from a file."""
    raw = json.dumps({"vaults": [{"vault_id": "V_CORE", "label": "Core", **vault}]}).encode()
    return parse(raw, VaultRegistry, file="vault.json")


def test_example_of_the_design_loads_unchanged() -> None:
    """Operators can start from the documented example."""
    vault = parse(EXAMPLE, VaultRegistry, file="vault.json").get("V_CORE")
    assert vault is not None
    assert (vault.label, vault.base_currency, vault.crypto_enabled) == ("Core Discretionary", "USD", True)
    assert vault.persona_names() == ["Athena", "Ares", "Apollo"]
    assert (str(vault.risk.max_drawdown), str(vault.risk.max_single_pos_pct)) == ("0.12", "0.08")
    assert (vault.mirroring.min_account_equity, vault.mirroring.fee.perf_share) == (Decimal(5000), Decimal("0.20"))


def test_what_is_left_out_is_conservative() -> None:
    """A vault that only has a name may not hold crypto or options, not sell short, and keeps some cash."""
    vault = registry().vaults[0]
    assert not vault.crypto_enabled
    assert not vault.options_enabled
    assert not vault.allocation.allow_short
    assert vault.persona_names() == ["Athena"]
    assert vault.risk.max_single_pos_pct <= Decimal("0.05")
    assert vault.risk.max_gross_pct <= 1
    assert vault.risk.min_cash_pct > 0
    assert vault.mirroring.mode == "off"


def test_unknown_vault_is_none() -> None:
    """Asking for a vault that does not exist gives nothing."""
    assert registry().get("V_OTHER") is None


MISTAKES: dict[str, tuple[dict[str, Any], str, str]] = {
    "mistyped limit": ({"risk": {"max_drawdwn": 0.1}}, "vaults.0.risk.max_drawdwn", "did you mean 'max_drawdown'"),
    "mistyped switch": ({"cripto_enabled": True}, "vaults.0.cripto_enabled", "did you mean 'crypto_enabled'"),
    "nothing alike": ({"xyzzy": 1}, "vaults.0.xyzzy", "unknown field 'xyzzy'"),
    "text for a boolean": ({"crypto_enabled": "false"}, "vaults.0.crypto_enabled", "valid boolean"),
    "number for a boolean": ({"crypto_enabled": 0}, "vaults.0.crypto_enabled", "valid boolean"),
    "boolean for a limit": ({"risk": {"max_drawdown": True}}, "vaults.0.risk.max_drawdown", "not a decimal number"),
    "limit over 100 %": ({"risk": {"max_drawdown": 12}}, "vaults.0.risk.max_drawdown", "less than or equal to 1"),
    "limit of zero": ({"risk": {"max_single_pos_pct": 0}}, "vaults.0.risk.max_single_pos_pct", "greater than 0"),
    "limit as words": ({"risk": {"max_order_value": "lots"}}, "vaults.0.risk.max_order_value", "not a decimal number"),
    "no limit": ({"risk": {"max_drawdown": None}}, "vaults.0.risk.max_drawdown", "None is not a decimal number"),
    "unknown persona": ({"personas": ["zeus"]}, "vaults.0.personas", "unknown persona 'zeus'; known are Athena"),
    "one persona under two names": ({"personas": ["Athena", "risk_averse"]}, "vaults.0.personas", "listed twice"),
    "no persona": ({"personas": []}, "vaults.0.personas", "at least 1 item"),
    "band that is no number": ({"allocation": {"bands": {"high": "0.1"}}}, "vaults.0.allocation.bands", "band 'high'"),
    "band beyond the scale": ({"allocation": {"bands": {"10001": "0.1"}}}, "vaults.0.allocation.bands", "0 to 10000"),
    "band over the whole": ({"allocation": {"bands": {"100": "1.1"}}}, "vaults.0.allocation.bands", "weight of 0 to 1"),
    "odd id": ({"vault_id": "core"}, "vaults.0.vault_id", "match pattern"),
    "no capital": ({"capital": "-5"}, "vaults.0.capital", "greater than 0"),
}


@pytest.mark.parametrize(("vault", "field", "what"), MISTAKES.values(), ids=MISTAKES.keys())
def test_mistakes_name_the_field(vault: dict[str, Any], field: str, what: str) -> None:
    """Each mistake is refused with the field's full path and what is wrong with it."""
    with pytest.raises(BadInput) as caught:
        registry(**vault)
    assert caught.value.field == field
    assert what in caught.value.reason


def test_missing_field_is_named() -> None:
    """What has no safe default must be there."""
    with pytest.raises(BadInput, match="Field required") as caught:
        parse(b'{"vaults": [{"vault_id": "V_CORE"}]}', VaultRegistry, file="vault.json")
    assert caught.value.field == "vaults.0.label"


def test_two_vaults_of_one_name() -> None:
    """An id names one vault."""
    vault = {"vault_id": "V_CORE", "label": "Core"}
    with pytest.raises(BadInput, match="vault_id V_CORE appears twice"):
        parse(json.dumps({"vaults": [vault, vault]}).encode(), VaultRegistry, file="vault.json")


def test_several_mistakes_are_counted() -> None:
    """The first mistake is explained, the others are announced."""
    with pytest.raises(BadInput, match=r"\(and 1 more\)"):
        registry(capital="0", label=7)


@pytest.mark.parametrize(("alias", "name"), PERSONA_ALIASES.items())
def test_personas_have_two_names(alias: str, name: str) -> None:
    """The design's name and the proper name, in any case, mean the same persona."""
    assert persona_name(alias) == persona_name(name) == persona_name(name.upper()) == name


def test_bands_are_read() -> None:
    """Weights by conviction, from 0 to the whole."""
    assert registry(allocation={"bands": {"0": "0", "10000": "1"}}).vaults[0].allocation.bands["10000"] == 1


def test_numbers_are_exact() -> None:
    """A limit is the very decimal that was written, as a number or as text."""
    raw = b'{"vault_id": "V_CORE", "label": "x", "capital": 0.1, "risk": {"max_order_value": "100.10"}}'
    vault = parse(raw, Vault, file="x")
    assert (str(vault.capital), str(vault.risk.max_order_value)) == ("0.1", "100.10")


def test_orders_go_to_the_market_for_the_day_unless_somebody_says_otherwise() -> None:
    """The plain order is the default, and it is never replaced."""
    orders = Vault(vault_id="V_CORE", label="x").orders
    assert (orders.type, orders.time_in_force, orders.replace_after_s) == ("market", "day", None)


@pytest.mark.parametrize(("orders", "said"), [
    ({"time_in_force": "gtc"}, 'needs type "limit"'), ({"type": "limit", "limit_offset_pct": "0.21"}, "less than"),
    ({"type": "limit", "limit_offset_pct": "-0.21"}, "greater than"), ({"replace_after_s": 4}, "greater than"),
    ({"replace_after_s": 5}, "max_repeats"), ({"type": "stop"}, "'market' or 'limit'")])
def test_terms_that_mean_harm_or_nothing_are_refused(orders: dict[str, Any], said: str) -> None:
    """A market order that waits, prices far away, and replacing so often that the vault would latch itself."""
    with pytest.raises(BadInput, match=said):
        registry(orders=orders)


def test_replacing_may_be_as_frequent_as_repeats_are_allowed() -> None:
    """Ten alike in a minute are allowed: one every six seconds."""
    assert registry(orders={"replace_after_s": 6}).vaults[0].orders.replace_after_s == 6


@pytest.mark.parametrize(("rails", "may"), [
    ({}, {"equity"}), ({"crypto_enabled": True}, {"equity", "crypto"}),
    ({"options_enabled": True}, {"equity", "option"}),
    ({"fiat_enabled": False, "options_enabled": True}, set()),
    ({"fiat_enabled": False, "crypto_enabled": True}, {"crypto"}),
])
def test_what_a_vault_may_hold_by_its_rails(rails: dict[str, bool], may: set[str]) -> None:
    """Options need their own switch and that of the rail that they are paid on."""
    vault = registry(**rails).vaults[0]
    assert {name for name in ("equity", "crypto", "option") if vault.may_hold(name)} == may
