"""What of the contract applies to the paper broker: it has no wire, no books of its own, and cannot be silent."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.conformance.brokers.faults import START
from tests.conformance.brokers.setting import Order, Polls, by_id, make_order, make_stop, units, worth
from tests.unit.executor.world import INSTRUMENTS
from vanta.common.models.configuration import PaperSettings
from vanta.common.times import millis
from vanta.executor.brokers.paper import PaperBroker
from vanta.executor.brokers.port import Accepted, Ended, Found
from vanta.executor.core.entries import QuoteEntry

FREE = PaperSettings(commission_bp=0, slippage_bp=0, half_spread_bp=0)


class Market:
    """Quotes as the executor would have recorded them; each shows so many shares at one price."""

    def __init__(self) -> None:
        self.quotes: dict[str, QuoteEntry] = {}
        self.broker = PaperBroker(FREE, self.quotes.get, lambda: INSTRUMENTS)

    def show(self, quantity: str, price: str) -> None:
        """The next quote."""
        last, number = Decimal(price), len(self.quotes)
        before = self.quotes.get("equity:AAPL")
        at_ms = before.at_ms + 1 if before else millis(START) + number
        self.quotes["equity:AAPL"] = QuoteEntry(bid=last, ask=last, last=last, size=Decimal(quantity), at_ms=at_ms,
                                                volume=None, previous=None, seq=1)

    def restart(self) -> None:
        """A new process, with the quotes that the journal holds."""
        self.broker = PaperBroker(FREE, self.quotes.get, lambda: INSTRUMENTS)


@pytest.fixture
def market() -> Market:
    """A market without quotes."""
    return Market()


def share() -> Order:
    """Five shares."""
    return make_order("equity:AAPL", "1000", price="200.00")


def test_an_order_is_taken_once_whatever_is_asked(market: Market) -> None:
    """The same id again is the same order: five shares are bought, not ten."""
    order = share()
    answers = {market.broker.submit(order.approved, now=START) for _ in range(2)}
    assert answers == {Accepted(f"paper-{order.order_id}")}
    assert market.broker.capabilities.deduplicates
    market.show("100", "200")
    polls = Polls(market.broker)
    polls.units(5)
    market.show("100", "200")
    polls.once()
    assert units(by_id(polls.events)) == 5


def test_executions_have_exact_numbers_and_ids_of_their_own(market: Market) -> None:
    """One a quote, at most what it shows."""
    order = share()
    market.broker.submit(order.approved, now=START)
    polls = Polls(market.broker)
    for quantity, price in (("1", "200.01"), ("1", "200.01"), ("3", "199.10")):
        market.show(quantity, price)
        polls.once()
        polls.once()
    fills = by_id(polls.events)
    assert (len(fills), units(fills), worth(fills)) == (3, Decimal(5), Decimal("997.32"))
    assert {fill.order_id for fill in fills.values()} == {order.order_id}


def test_an_unknown_id_is_definitely_unknown(market: Market) -> None:
    """And a known one is found."""
    order = share()
    assert market.broker.lookup(order.order_id) is None
    market.broker.submit(order.approved, now=START)
    assert market.broker.lookup(order.order_id) == Found(f"paper-{order.order_id}")


def test_a_cancel_ends_the_order_and_asking_twice_does_no_harm(market: Market) -> None:
    """One end, and no execution after it; a cancel of what is filled tells nothing."""
    order = share()
    market.broker.submit(order.approved, now=START)
    for _ in range(2):
        market.broker.cancel(order.order_id, now=START)
    market.show("100", "200")
    polls = Polls(market.broker)
    polls.once()
    polls.once()
    assert [(type(event), event.order_id) for event in polls.events if isinstance(event, Ended)] == [
        (Ended, order.order_id)]
    assert len(polls.events) == 1
    filled = share()
    market.broker.submit(filled.approved, now=START)
    polls.units(5)
    market.broker.cancel(filled.order_id, now=START)
    assert not polls.once()


def test_a_restart_goes_on_where_the_journal_ends(market: Market) -> None:
    """What is left works on, and what was executed on a quote is not executed on it again."""
    order = share()
    market.broker.submit(order.approved, now=START)
    market.show("2", "200")
    before = Polls(market.broker).units(2)
    (fill,) = before.values()
    order.entry.filled, order.entry.fill_count, order.entry.last_fill_ms = fill.quantity, 1, fill.quote_ms
    market.restart()
    market.broker.restore([order.entry])
    polls = Polls(market.broker, START + timedelta(minutes=5))
    assert not polls.once()
    market.show("100", "201")
    after = polls.units(3)
    assert not after.keys() & before.keys()


def test_a_stop_rests_until_the_market_comes_to_it(market: Market) -> None:
    """Also across a restart. Then it trades like any market order, also at better prices than its own."""
    order = make_stop("equity:AAPL", "buy", price="200", quantity="5")
    market.broker.submit(order.approved, now=START)
    market.show("100", "190.01")
    assert not list(market.broker.poll(START))
    market.restart()
    market.broker.restore([order.entry])
    market.show("2", "190")
    polls = Polls(market.broker, START + timedelta(minutes=5))
    assert worth(polls.units(2)) == 2 * 190
    market.show("100", "195")
    assert worth(polls.units(5)) == 2 * 190 + 3 * 195


def test_it_has_no_books_of_its_own(market: Market) -> None:
    """There is nothing that could differ from the journal, whose fold it is."""
    assert market.broker.holdings(START) is None


def test_an_id_that_was_filled_makes_no_second_order(market: Market) -> None:
    """Asked again after the fill, in the same process: nothing more is bought."""
    order = share()
    market.broker.submit(order.approved, now=START)
    market.show("100", "200")
    polls = Polls(market.broker)
    polls.units(5)
    market.broker.submit(order.approved, now=START)
    market.show("100", "200")
    assert list(market.broker.poll(START)) == []


@pytest.mark.parametrize("time_in_force", ["day", "gtc"])
def test_a_limit_rests_until_a_quote_is_at_it_and_is_never_filled_beyond_it(market: Market,
                                                                            time_in_force: str) -> None:
    """Also across a restart: what the journal holds of the order is all that there is to know."""
    order = make_order("equity:AAPL", "1000", price="200.00", type="limit", limit_offset_pct="-0.005",
                       time_in_force=time_in_force)
    assert order.approved.terms == (Decimal(199), time_in_force, None)
    assert market.broker.capabilities.terms == {"limit", "gtc", "stop"}
    market.broker.submit(order.approved, now=START)
    market.show("100", "199.01")
    assert not list(market.broker.poll(START))
    market.restart()
    market.broker.restore([order.entry])
    assert not list(market.broker.poll(START))
    market.show("2", "199")
    market.show("2", "198.5")
    polls = Polls(market.broker, START + timedelta(minutes=5))
    (fill,) = polls.units(2).values()
    assert fill.price == Decimal("198.5")
    market.show("100", "199.5")
    assert not polls.once()
    market.show("100", "199")
    assert worth(polls.units(5)) == 2 * Decimal("198.5") + 3 * 199
