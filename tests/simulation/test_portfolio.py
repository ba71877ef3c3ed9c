"""Whatever befalls a portfolio, the money adds up: cash, holdings, results, and every table of the profit.

Buys, sells, shorts, parts of orders, executions taken back, fees, dividends, funding, transfers, splits and marks, in
any order, over two vaults and three kinds of instrument. What is expected is worked out here from the events alone, as
whole cents and exact units, without any lots.
"""

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, NamedTuple

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.simulation.records import Desk, picture
from vanta.common.clock import ManualClock
from vanta.common.events import Kind
from vanta.executor.core import views
from vanta.executor.core.book import Book
from vanta.executor.core.lots import TABLES

D = Decimal
VAULTS = ("V_CORE", "V_ALT")
MULTIPLIER = {"equity:AAPL": D(1), "crypto:BTC-USD": D(1), "option:AAPL261218C00200000": D(100)}
STEP = {"equity:AAPL": D(1), "crypto:BTC-USD": D("0.00000001"), "option:AAPL261218C00200000": D(1)}
INSTRUMENTS = tuple(MULTIPLIER)

units = st.integers(1, 5_000)
prices = st.decimals(min_value=D("0.01"), max_value=D(9_999), places=2)
amounts = st.decimals(min_value=D("-5000"), max_value=D(5000), places=2)
fees = st.decimals(min_value=D(0), max_value=D(9), places=2)


def cents(amount: Decimal) -> Decimal:
    """To the cent, half to even."""
    return amount.quantize(D("0.01"), ROUND_HALF_EVEN)


class Done(NamedTuple):
    """One execution as it was told: whose, of what, signed units, what it cost, fee."""

    intent: str
    vault: str
    instrument: str
    signed: Decimal
    paid: Decimal
    fee: Decimal


class Portfolio(RuleBasedStateMachine):
    """Two vaults of one account."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(ManualClock(datetime(2026, 11, 20, 15, tzinfo=UTC)))
        self.put_in = dict.fromkeys(VAULTS, D(0))
        self.earned = dict.fromkeys(VAULTS, D(0))
        self.done: dict[str, Done] = {}
        self.busted: set[str] = set()
        self.settled: set[str] = set()
        self.held: dict[tuple[str, str], Decimal] = {}
        self.marks: dict[str, Decimal] = {}
        self.drawn = 0
        for vault in VAULTS:
            self._adjust(vault, "transfer", "100000")
            self.put_in[vault] += 100_000

    def _adjust(self, vault: str, kind: str, amount: str, **more: str) -> None:
        self.desk.put(Kind.ADJUSTMENT, {"type": kind, "vault": vault, "account": "paper", "currency": "USD",
                                        "amount": amount, "evidence": "statement", **more})

    @rule(vault=st.sampled_from(VAULTS), instrument=st.sampled_from(INSTRUMENTS), side=st.sampled_from(("buy", "sell")),
          parts=st.lists(st.tuples(units, prices, fees), min_size=1, max_size=3), whole=st.booleans())
    def trade(self, vault: str, instrument: str, side: str, parts: list[tuple[int, Decimal, Decimal]],
              whole: bool) -> None:
        """An order is filled, in one part or several, wholly or not."""
        self.drawn += 1
        name, step = f"i{self.drawn}", STEP[instrument]
        self.desk.see(name, (vault, instrument, side), band="high" if self.drawn % 2 else "low")
        self.desk.about(Kind.INTENT_APPROVED, name, intent_state="approved", lines=[])
        asked = sum(quantity for quantity, _, _ in parts) + (0 if whole else 1)
        self.desk.send(name, f"{asked * step:f}", multiplier=str(MULTIPLIER[instrument]))
        for number, (quantity, price, fee) in enumerate(parts):
            signed = quantity * step if side == "buy" else -quantity * step
            paid = cents(signed * price * MULTIPLIER[instrument])
            kept = quantity * step / 8 if self.drawn % 3 == 0 else D(0)
            signed -= kept
            self.desk.fill(name, f"{name}-{number}", quantity=f"{quantity * step:f}", price=str(price), cash=str(paid),
                           fee=str(fee), fee_units=f"{kept:f}")
            self.done[f"{name}-{number}"] = Done(name, vault, instrument, signed, paid, fee)
            self._move(vault, instrument, signed)
        if not whole:
            self.desk.about(Kind.ORDER_CANCELLED, name, intent_state="cancelled", detail="")

    def _move(self, vault: str, instrument: str, signed: Decimal) -> None:
        key = (vault, instrument)
        self.held[key] = self.held.get(key, D(0)) + signed

    @precondition(lambda self: set(self.done) - self.busted - self.settled)
    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        """The venue takes an execution back that no split has changed since."""
        fill_id = data.draw(st.sampled_from(sorted(set(self.done) - self.busted - self.settled)))
        one = self.done[fill_id]
        self.desk.about(Kind.FILL_BUSTED, one.intent, fill_id=fill_id, quantity=f"{abs(one.signed):f}",
                        cash=str(-one.paid), fee=str(-one.fee), detail="erroneous trade")
        self.busted.add(fill_id)
        self._move(one.vault, one.instrument, -one.signed)

    @rule(vault=st.sampled_from(VAULTS), kind=st.sampled_from(("dividend", "fee", "funding")), amount=amounts)
    def result(self, vault: str, kind: str, amount: Decimal) -> None:
        """Cash that is earned or lost without a trade."""
        self._adjust(vault, kind, str(amount))
        self.earned[vault] += amount

    @rule(vault=st.sampled_from(VAULTS), amount=amounts)
    def transfer(self, vault: str, amount: Decimal) -> None:
        """Money comes or goes; that is no result."""
        self._adjust(vault, "transfer", str(amount))
        self.put_in[vault] += amount

    @rule(vault=st.sampled_from(VAULTS), instrument=st.sampled_from(INSTRUMENTS),
          ratio=st.sampled_from(("2", "4", "1.5", "0.5", "0.1")))
    def split(self, vault: str, instrument: str, ratio: str) -> None:
        """More or fewer units of the same worth."""
        self._adjust(vault, "split", "0", instrument_id=instrument, ratio=ratio)
        key = (vault, instrument)
        if key in self.held:
            self.held[key] *= D(ratio)
        self.settled |= {name for name, one in self.done.items() if (one.vault, one.instrument) == key}

    @rule(instrument=st.sampled_from(INSTRUMENTS), price=prices)
    def mark(self, instrument: str, price: Decimal) -> None:
        """A price."""
        self.desk.quote(instrument, str(price))
        self.marks[instrument] = price

    def _cash(self, vault: str) -> Decimal:
        """From the events alone."""
        spent = sum((one.paid + one.fee for name, one in self.done.items()
                     if one.vault == vault and name not in self.busted), D(0))
        return self.put_in[vault] + self.earned[vault] - spent

    def _worth(self, vault: str) -> Decimal | None:
        """Cash plus marked holdings, or `None` while something held has no mark."""
        total = self._cash(vault)
        for (owner, instrument), quantity in self.held.items():
            if owner == vault and quantity:
                if instrument not in self.marks:
                    return None
                total += cents(quantity * self.marks[instrument] * MULTIPLIER[instrument])
        return total

    @invariant()
    def cash_and_holdings_are_what_was_told(self) -> None:
        """Σ executions by id, less what was taken back, is what is held; and what they cost is gone from the cash."""
        book = self.desk.book
        for vault in VAULTS:
            entry = book.vaults[vault]
            held = {name: position.quantity for name, position in entry.positions.items() if position.quantity}
            assert held == {name: quantity for (owner, name), quantity in self.held.items()
                            if owner == vault and quantity}
            assert entry.cash == self._cash(vault)
            assert entry.ledger.fees == sum((one.fee for name, one in self.done.items()
                                             if one.vault == vault and name not in self.busted), D(0))

    @invariant()
    def cash_and_cost_are_capital_and_result(self) -> None:
        """To the cent; lots of one instrument lie on one side and sum to the holding; what is closed costs nothing."""
        for vault in VAULTS:
            entry = self.desk.book.vaults[vault]
            costs = D(0)
            for position in entry.positions.values():
                costs += position.cost()
                assert sum((lot.quantity for lot in position.lots), D(0)) == position.quantity
                assert len({lot.quantity > 0 for lot in position.lots}) <= 1
                assert position.quantity or not position.cost()
            assert entry.cash + costs == self.put_in[vault] + entry.ledger.realised

    @invariant()
    def every_table_sums_to_the_total(self) -> None:
        """By vault, band, persona and source; and, once everything is marked, to what NAV has gained."""
        profit = views.pnl(self.desk.book, "now")
        for table in ("vault", *TABLES):
            for column in ("realised", "unrealised", "fees"):
                rows = [D(row[column]) for row in profit[f"by_{table}"].values()]
                assert sum(rows, D(0)) == D(profit["total"][column]), (table, column)
        worth = [self._worth(vault) for vault in VAULTS]
        if None not in worth:
            gained = sum((one for one in worth if one is not None), D(0)) - sum(self.put_in.values())
            assert D(profit["total"]["total"]) == gained

    @invariant()
    def the_portfolio_says_the_same(self) -> None:
        """Rows of vaults and of the account."""
        document = views.portfolio(self.desk.book, "now")
        for row in document["vaults"]:
            worth = self._worth(row["vault_id"])
            assert (row["nav"] is None) == (worth is None)
            assert worth is None or D(row["nav"]) == worth
            assert D(row["cash"]) == self._cash(row["vault_id"])
        (account,) = document["accounts"]
        assert D(account["cash"]["USD"]) == sum(self._cash(vault) for vault in VAULTS)
        assert {name: D(quantity) for name, quantity in account["positions"].items()} == self._account()

    def _account(self) -> dict[str, Any]:
        held: dict[str, Decimal] = {}
        for vault in VAULTS:
            for instrument in INSTRUMENTS:
                quantity = self.held.get((vault, instrument), D(0))
                if quantity:
                    held[instrument] = held.get(instrument, D(0)) + quantity
        return held

    def teardown(self) -> None:
        """Reading everything again comes to the same."""
        again: Book = self.desk.refolded()
        assert picture(again) == picture(self.desk.book)


TestPortfolio = Portfolio.TestCase
TestPortfolio.settings = settings(max_examples=100, stateful_step_count=40, deadline=None, derandomize=True,
                                  suppress_health_check=[HealthCheck.too_slow])
