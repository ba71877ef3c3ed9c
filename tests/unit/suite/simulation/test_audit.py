"""The account kept from the log alone, held against the published portfolio."""

from decimal import Decimal
from typing import Any

import pytest

from vanta.common.models.account import Portfolio
from vanta.common.store.ports import Record
from vanta.suite.simulation.audit import Audit
from vanta.suite.simulation.report import drawdown

AT = "2020-01-02T21:00:00.000Z"
HEADER: dict[str, Any] = {"schema_version": 1, "revision": 1, "written_at": AT, "written_by": "executor", "now": AT,
                          "home": "abcdef", "as_of_seq": 3, "as_of_hash": "0" * 64, "basis": {}, "intents": {}}
PRICES = {"equity:AAPL": Decimal("210.005")}


def record(kind: str, **payload: Any) -> Record:
    """A record of the trade log, as far as the account looks at it."""
    return Record(seq=1, at=AT, kind=kind, dag_id=None, ids={}, payload=payload, prev="", hash="")


def audit() -> Audit:
    """100,000 paid in, 10.5 bought for 2,000 with a fee of 0.40 and half a unit, 3 sold at 205.00 with one of 0.10."""
    account = Audit()
    account.see(record("adjustment", type="transfer", vault="V", currency="USD", amount="100000"))
    for side, quantity, cash, fee, kept in (("buy", "10.5", "2000", "0.4", "0.5"), ("sell", "3", "-615", "0.1", "0")):
        account.see(record("fill", vault="V", instrument_id="equity:AAPL", side=side, quantity=quantity, cash=cash,
                           fee=fee, fee_units=kept, multiplier="1"))
    return account


def portfolio(**changes: Any) -> Portfolio:
    """The portfolio that fits: 98,614.50 of cash, 7 shares worth 1,470.04 (half to even), in all 100,084.54."""
    position = {"instrument_id": "equity:AAPL", "quantity": "7", "average_price": "200", "mark": "210.005",
                "marked_at": AT, "value": "1470.04", "unrealised": "70.04", "working_buy": "0",
                "working_sell": "0", "basis_seq": 3}
    vault = {"vault_id": "V", "account": "paper", "currency": "USD", "cash": "98614.5", "reserved_cash": "0",
             "realised": "14.5", "nav": "100084.54"}
    account = {"account": "paper", "cash": {"USD": "98614.5"}, "positions": {"equity:AAPL": "7"}}
    for part in (position, vault):
        part.update({key: value for key, value in changes.items() if key in part})
    account["positions"] = changes.get("positions", account["positions"])
    return Portfolio.model_validate({**HEADER, "accounts": [account], "vaults": [{**vault, "positions": [position]}]})


def test_a_portfolio_that_fits_has_no_differences() -> None:
    """Cash, quantity, value, NAV and the account's sums."""
    assert audit().differences(portfolio(), PRICES) == []


@pytest.mark.parametrize(("changes", "said"), [
    ({"cash": "98614.51"}, "V: cash is published as 98614.51, counted as 98614.5"),
    ({"quantity": "8"}, "V: quantity of equity:AAPL is published as 8, counted as 7"),
    ({"value": "1470.03"}, "V: value of equity:AAPL is published as 1470.03, counted as 1470.04"),
    ({"value": None}, "V: value of equity:AAPL is published as unknown, counted as 1470.04"),
    ({"nav": "100084.53"}, "V: nav is published as 100084.53, counted as 100084.54"),
    ({"nav": None}, "V: nav is published as unknown, counted as 100084.54"),
    ({"positions": {}}, "account paper: equity:AAPL is published as 0, counted as 7"),
])
def test_every_difference_is_named(changes: dict[str, Any], said: str) -> None:
    """One cent is enough."""
    found = audit().differences(portfolio(**changes), PRICES)
    assert said in found


def test_a_holding_without_a_price_is_a_difference() -> None:
    """Unknown is not zero."""
    assert "V: equity:AAPL is held and has no price" in audit().differences(portfolio(), {})


def test_a_vault_that_nobody_funded_is_a_difference() -> None:
    """The log and the portfolio name the same vaults."""
    assert audit().differences(portfolio(vault_id="W"), PRICES)[0] == "vaults ['W'] where the log has ['V']"


def test_what_happened_is_counted() -> None:
    """Refusals count each code of an intent once."""
    account = audit()
    account.see(record("intent.seen"))
    account.see(record("order.accepted"))
    account.see(record("intent.refused", lines=[["cash", "cash.not_enough", "1", "0", ""], ["halt", None, "", "", ""],
                                                ["cash", "cash.not_enough", "1", "0", ""]]))
    account.see(record("intent.held", codes=["session.closed"]))
    account.see(record("intent.expired"))
    account.see(record("latch.set", code="loss.daily"))
    counts = account.counts
    assert (counts.intents, counts.orders, counts.fills, counts.expired) == (1, 1, 2, 1)
    assert (counts.refusals, counts.holds, counts.latches) == (
        {"cash.not_enough": 1}, {"session.closed": 1}, {"loss.daily": 1})


def test_drawdown_is_measured_from_the_highest_value_so_far() -> None:
    """100 → 120 → 90 → 130 → 117: the deepest fall is a quarter."""
    assert drawdown(map(Decimal, (100, 120, 90, 130, 117))) == Decimal("0.25")
