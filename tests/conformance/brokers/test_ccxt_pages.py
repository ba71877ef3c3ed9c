"""Where ccxt reads page by page it would ask again by itself, in silence: each question is one request here, too."""

from datetime import timedelta

import pytest

from tests.conformance.brokers.coinbase_server import CoinbaseServer
from tests.conformance.brokers.faults import START
from tests.conformance.brokers.setting import Polls
from tests.conformance.brokers.test_ccxt import OnCoinbase
from vanta.common.errors import OutsideError
from vanta.executor.brokers.ccxt import CcxtBroker
from vanta.executor.brokers.port import Ended


class TestPages(OnCoinbase):
    """Coinbase tells executions and orders in pages."""

    def test_a_page_that_fails_is_not_asked_for_again(self, server: CoinbaseServer, broker: CcxtBroker) -> None:
        """A venue in trouble is asked by the executor's own clock, and the failure is known."""
        Polls(broker).once()
        server.faults.status = [(503, None)]
        asked = server.requests
        with pytest.raises(OutsideError):
            broker.poll(START + timedelta(minutes=1))
        assert server.requests == asked + 1

    def test_nor_is_a_later_page(self, server: CoinbaseServer, broker: CcxtBroker) -> None:
        """The first came, the second did not: nothing is told by halves, and the next look tells all."""
        server.page = 2
        for number in range(3):
            order = self.order()
            broker.submit(order.approved, now=START)
            server.fill(order.order_id, "1", "200", fill_id=f"e{number}")
        polls = Polls(broker)
        server.faults.status = [(0, None), (503, None)]
        asked = server.requests
        with pytest.raises(OutsideError):
            polls.once()
        assert (server.requests, polls.events) == (asked + 2, [])
        assert len(polls.fills(3)) == 3

    def test_more_open_orders_than_a_page_holds(self, server: CoinbaseServer, broker: CcxtBroker) -> None:
        """All are known to be open, whatever page they stand on; the end of each is told, and no other."""
        server.page = 2
        orders = [self.order() for _ in range(5)]
        for order in orders:
            broker.submit(order.approved, now=START)
        holdings = broker.holdings(START)
        assert holdings is not None
        assert {one.order_id for one in holdings.orders} == {order.order_id for order in orders}
        polls = Polls(broker)
        assert list(polls.once()) == []
        server.end(orders[0].order_id, "cancelled")
        events = polls.until(bool, "the end of the first")
        assert [event.order_id for event in events if isinstance(event, Ended)] == [orders[0].order_id]
        assert len(events) == 1

    def test_a_list_that_does_not_end_is_given_up(self, server: CoinbaseServer, broker: CcxtBroker) -> None:
        """A cursor that leads to the same page again and again must not hold the executor up for ever."""
        broker.submit(self.order().approved, now=START)
        server.endless = True
        with pytest.raises(OutsideError, match="does not end"):
            broker.holdings(START)
