"""Limits in force, and whether a change of them allows more."""

from typing import Any

import pytest

from vanta.alpha.core.assigning import assigned
from vanta.alpha.core.envelopes import Changed, Limit, compared, dropped, limits
from vanta.common.models.vault import House, Risk, Vault, VaultRegistry


def registry(*vaults: dict[str, Any], house: dict[str, Any] | None = None) -> VaultRegistry:
    return VaultRegistry.model_validate({"vaults": list(vaults), "house": house or {}})


def vault(**fields: Any) -> dict[str, Any]:
    return {"vault_id": "V_A", "label": "A", **fields}


def test_limits_say_what_is_in_force_and_what_is_the_default() -> None:
    """Nested fields by their path; text, tables, truth and nothing in the file's own words."""
    found = {one.path: one for one in limits(Vault.model_validate(vault(
        risk={"max_drawdown": "0.12"}, crypto_enabled=True)))}
    assert found["risk.max_drawdown"] == Limit("risk.max_drawdown", "0.12", default=False)
    assert found["risk.max_daily_loss"] == Limit("risk.max_daily_loss", "0.03", default=True)
    assert found["crypto_enabled"].value == "true"
    assert found["risk.permitted"].value == "none"
    assert found["label"].value == "A"
    assert found["mirroring.fee.type"].value == "none"
    assert found["risk.max_asset_class_pct"].value == '{"equity": 1.00, "crypto": 0.30, "option": 0}'


R: dict[str, tuple[str, Any, Any, bool]] = {
    "a lower maximum": ("max_drawdown", "0.12", "0.10", False),
    "a higher maximum": ("max_drawdown", "0.1", "0.11", True),
    "a longer wait": ("reentry_cooldown_s", 10, 20, False), "a shorter wait": ("reentry_cooldown_s", 20, 10, True),
    "a higher minimum": ("min_cash_pct", "0.1", "0.2", False), "a lower minimum": ("min_cash_pct", "0.2", "0.1", True),
    "one more restricted": ("restricted", ["a"], ["b", "a"], False), "one fewer": ("restricted", ["a"], [], True),
    "permitted at all": ("permitted", None, ["a"], False),
    "permitted no longer a list": ("permitted", ["a"], None, True),
    "fewer permitted": ("permitted", ["a", "b"], ["b"], False),
    "more permitted": ("permitted", ["a"], ["a", "b"], True),
    "a class no longer": ("max_asset_class_pct", {"equity": "1", "crypto": "1"}, {"equity": "1"}, False),
    "a class more": ("max_asset_class_pct", {"equity": "1"}, {"equity": "1", "crypto": "0.1"}, True),
    "more of a class": ("max_asset_class_pct", {"equity": "0.5"}, {"equity": "0.6"}, True),
    "less of a class": ("max_asset_class_pct", {"equity": "0.5"}, {"equity": "0.4"}, False),
}
V: dict[str, tuple[str, Any, Any, bool]] = {
    "a rail closed": ("crypto_enabled", True, False, False), "a rail opened": ("crypto_enabled", False, True, True),
    "a cap": ("envelope", {}, {"crypto": 100}, False), "a cap no longer": ("envelope", {"crypto": 100}, {}, True),
    "a higher cap": ("envelope", {"crypto": 100}, {"crypto": 200}, True),
    "a budget": ("persona_budgets", {"Athena": "0.5"}, {"Athena": "0.4"}, False),
    "more capital": ("capital", 100, 200, True), "less capital": ("capital", 200, 100, True),
    "another account": ("account", "paper", "real", True), "another label": ("label", "A", "B", False),
    "other personas": ("personas", ["Athena"], ["Apollo"], True),
    "other orders": ("orders", {"type": "market"}, {"type": "limit"}, True),
    "less invested": ("allocation", {"invest_pct": "0.8"}, {"invest_pct": "0.5"}, False),
    "shorts": ("allocation", {"allow_short": False}, {"allow_short": True}, True),
}


@pytest.mark.parametrize("name", R)
def test_what_of_the_risk_limits_allows_more(name: str) -> None:
    """Only what is certain to tighten is no loosening."""
    field, old, new, looser = R[name]
    (one,) = compared(registry(vault(risk={field: old})), registry(vault(risk={field: new})))
    assert (one.path, one.looser) == (f"V_A.risk.{field}", looser)


@pytest.mark.parametrize("name", V)
def test_what_of_a_vault_allows_more(name: str) -> None:
    """Doubt counts as looser: money, accounts, personas, the way of ordering."""
    field, old, new, looser = V[name]
    (one,) = compared(registry(vault(**{field: old})), registry(vault(**{field: new})))
    assert one.looser is looser
    assert one.path.startswith(f"V_A.{field}")


def test_every_limit_of_risk_and_house_has_a_direction() -> None:
    """A limit that is added to the model without one would need a reason to be tightened: it is noticed here."""
    for model, path in ((Risk, "risk"), (House, "house")):
        for name, info in model.model_fields.items():
            default = info.get_default(call_default_factory=True)
            if name in ("restricted", "permitted", "max_asset_class_pct"):
                continue
            other = default / 2 if default else type(default)(1)
            low, high = sorted((default, type(default)(other)))
            if low == high:
                low, high = default, default + 1
            given = [{name: one if isinstance(one, int) else str(one)} for one in (low, high)]
            made = [registry(vault(risk=one)) if path == "risk" else registry(vault(), house=one) for one in given]
            up, down = compared(made[0], made[1])[0].looser, compared(made[1], made[0])[0].looser
            assert up != down, f"{path}.{name}"


def test_vaults_that_come_and_go() -> None:
    """A new one is looser, one that is gone is named; a default written out is no change; the house comes last."""
    before = registry(vault(), vault(vault_id="V_B"))
    after = registry(vault(risk={"max_drawdown": "0.10"}), vault(vault_id="V_C", account="x"),
                     house={"max_open_orders": 10})
    assert compared(before, after) == [
        Changed("V_B", "A, 100000 USD on paper", "absent", looser=False),
        Changed("V_C", "absent", "A, 100000 USD on x", looser=True),
        Changed("house.max_open_orders", "200", "10", looser=False)]
    assert dropped(before, after) == ["V_B"]
    assert compared(before, before) == []


def test_a_value_goes_where_its_path_says() -> None:
    """Into a vault or the house, tables made on the way, JSON as JSON and anything else as text; the old one stays."""
    fields = {"vaults": [{"vault_id": "V_A", "risk": {"max_drawdown": 1}}, 7], "x": 1}
    assert str(assigned(fields, "V_A.risk.max_drawdown = 0.10")["vaults"][0]["risk"]["max_drawdown"]) == "0.10"
    assert assigned(fields, "V_A.label=Core of all")["vaults"][0]["label"] == "Core of all"
    assert assigned(fields, 'V_A.risk.restricted=["equity:XOM"]')["vaults"][0]["risk"]["restricted"] == ["equity:XOM"]
    assert assigned(fields, "house.max_open_orders=5")["house"] == {"max_open_orders": 5}
    assert assigned(fields, "V_A.a.b.c=null")["vaults"][0]["a"] == {"b": {"c": None}}
    assert fields["vaults"][0] == {"vault_id": "V_A", "risk": {"max_drawdown": 1}}  # type: ignore[index]


@pytest.mark.parametrize(("text", "why"), [
    ("V_A.label", "is no assignment"), ("=1", "is no assignment"), ("V_A=1", "is no assignment"),
    ("V_A..x=1", "is no assignment"), ("V_B.label=x", "there is no vault 'V_B'; there are V_A, and `house`"),
    ("V_A.label.x=1", "V_A.label is not a table"), ("V_A.label.x.y=1", "V_A.label.x is not a table"),
])
def test_an_assignment_that_leads_nowhere_is_refused(text: str, why: str) -> None:
    """With what is wrong."""
    with pytest.raises(ValueError, match=r"no assignment|no vault|not a table") as caught:
        assigned({"vaults": [{"vault_id": "V_A", "label": "x"}]}, text)
    assert why in str(caught.value)
    with pytest.raises(ValueError, match="there are none"):
        assigned({"vaults": 3}, "V_A.label=x")
