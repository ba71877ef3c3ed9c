"""What the executor publishes validates against the models, and adds up."""

from decimal import Decimal

from tests.unit.executor.world import World
from vanta.common.events import Kind
from vanta.common.models.account import ExecutorState, OpenOrders, PnlSummary, Portfolio
from vanta.common.models.configuration import ExecutorSettings, PaperSettings
from vanta.common.paths import EXECUTOR_STATE, OPEN_ORDERS, PNL, PORTFOLIO
from vanta.common.store.document import load
from vanta.executor.core import views


def busy() -> World:
    """A world with two positions, a partial fill that still works, a loss taken and fees paid."""
    world = World(settings=ExecutorSettings(paper=PaperSettings(commission_bp=7, slippage_bp=3)))
    world.quote("equity:AAPL", "200.00")
    world.quote("crypto:BTC-USD", "50000.11")
    world.quote("equity:MSFT", "100.00", size="3")
    world.want("equity:AAPL", "3333")
    world.want("crypto:BTC-USD", "7777.77")
    world.want("equity:MSFT", "1000")
    world.step()
    world.quote("equity:AAPL", "190.01")
    world.quote("crypto:BTC-USD", "51234.56")
    world.want("equity:AAPL", "1000", side="sell")
    world.step()
    return world


def test_documents_validate_and_name_their_cut() -> None:
    """Every document is of its model and says which record it is the fold of."""
    world = busy()
    portfolio = load(world.files, PORTFOLIO, Portfolio).value
    orders = load(world.files, OPEN_ORDERS, OpenOrders).value
    profit = load(world.files, PNL, PnlSummary).value
    state = load(world.files, EXECUTOR_STATE, ExecutorState).value
    assert {portfolio.as_of_seq, orders.as_of_seq, profit.as_of_seq} == {world.book.seq}
    assert portfolio.as_of_hash == world.book.hash
    assert [order.instrument_id for order in orders.orders] == ["equity:MSFT"]
    assert state.dispatch == "open"
    assert state.queue_depth == 4


def test_profit_adds_up_to_the_cent_in_every_table() -> None:
    """Realised plus unrealised is NAV less capital, and each table sums to the total."""
    world = busy()
    profit = load(world.files, PNL, PnlSummary).value
    nav = world.book.nav("V_CORE")
    assert nav is not None
    assert profit.total.total == nav - Decimal(100_000)
    for table in (profit.by_vault, profit.by_band, profit.by_persona, profit.by_source):
        assert sum(line.realised for line in table.values()) == profit.total.realised
        assert sum(line.unrealised for line in table.values()) == profit.total.unrealised
        assert sum(line.fees for line in table.values()) == profit.total.fees
    assert profit.total.realised < 0 < profit.total.fees


def test_cash_and_positions_are_nav() -> None:
    """Cash plus marked positions is NAV, and the account holds the sum of its vaults."""
    world = busy()
    portfolio = load(world.files, PORTFOLIO, Portfolio).value
    row = portfolio.vaults[0]
    assert row.nav == row.cash + sum((position.value or Decimal(0)) for position in row.positions)
    assert portfolio.accounts[0].cash == {"USD": row.cash}
    assert portfolio.accounts[0].positions == {
        position.instrument_id: position.quantity for position in row.positions if position.quantity}
    assert next(p for p in row.positions if p.instrument_id == "equity:MSFT").working_buy == 7
    assert row.reserved_cash > 700


def test_an_unmarked_holding_makes_nav_unknown_not_zero() -> None:
    """Without a quote for something held there is no NAV, and the position says so."""
    world = busy()
    del world.book.quotes["equity:AAPL"]
    world.book.quotes_seq += 1
    body = views.portfolio(world.book, world.book.at)
    assert body["vaults"][0]["nav"] is None
    assert next(p for p in body["vaults"][0]["positions"] if p["instrument_id"] == "equity:AAPL")["value"] is None


def test_latched_and_halted_are_shown() -> None:
    """The heartbeat says what stops dispatch, latch before switch before permit."""
    world = busy()
    world.gate.permit = False
    world.step()
    world.step(seconds=10)
    assert load(world.files, EXECUTOR_STATE, ExecutorState).value.dispatch == "held"
    world.gate.raw = b"{}"
    world.step(seconds=10)
    assert load(world.files, EXECUTOR_STATE, ExecutorState).value.dispatch == "halted"
    world.step(seconds=10)
    world.step(seconds=10)
    state = load(world.files, EXECUTOR_STATE, ExecutorState).value
    assert state.dispatch == "latched"
    assert [latch.code for latch in state.latches] == ["halt.unreadable"]


def test_an_adjustment_books_cash_and_splits() -> None:
    """A dividend is realised profit; a two-for-one split doubles quantity and keeps cost."""
    world = busy()
    now = world.clock.now()
    recorder = world.executor.recorder
    cash, held = world.cash(), world.held("equity:AAPL")
    before = world.book.vaults["V_CORE"].ledger.realised
    common = {"vault": "V_CORE", "account": "paper", "currency": "USD", "evidence": "statement"}
    recorder.put(Kind.ADJUSTMENT, {**common, "type": "dividend", "amount": "12.34"}, now=now)
    recorder.put(Kind.ADJUSTMENT, {**common, "type": "split", "instrument_id": "equity:AAPL", "ratio": "2"}, now=now)
    recorder.put(Kind.ADJUSTMENT, {**common, "type": "split", "instrument_id": "equity:NONE", "ratio": "2"}, now=now)
    assert world.cash() == cash + Decimal("12.34")
    assert world.book.vaults["V_CORE"].ledger.realised == before + Decimal("12.34")
    assert world.held("equity:AAPL") == held * 2
