"""Coinbase and Bybit through the real ccxt, against servers that speak their wire formats."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.conformance.brokers.bybit_server import BybitServer
from tests.conformance.brokers.coinbase_server import CoinbaseServer
from tests.conformance.brokers.faults import START, Execution, VenueServer
from tests.conformance.brokers.setting import PLANTED, Polls, make_order
from tests.conformance.brokers.suite import BrokerSuite, BustSuite
from tests.conformance.brokers.terms_suite import OnTerms, TermsSuite, TermsUnderTheExecutor
from tests.unit.executor.world import INSTRUMENTS
from vanta.common.errors import CredentialsRefused, OperatorError, OutcomeUnknown, OutsideError, Throttled
from vanta.common.models.configuration import AccountSettings
from vanta.executor.brokers.ccxt import CcxtBroker
from vanta.executor.brokers.hosts import check
from vanta.executor.brokers.port import Accepted, Ended, Fill, Postponed, RealBroker, Rejected
from vanta.executor.core.approval import Approved
from vanta.executor.wire import ADAPTERS

TOLD: dict[str, Any] = {"exchange": "bybiteu", "quote": "USD", "client_id_param": "clientOrderId",
                           "lookup_param": "orderLinkId", "deduplicates": False, "market_buys_by_quantity": True}


class OnCoins(OnTerms):
    """Bitcoin in dollars. Neither exchange has orders for the day."""

    day = gtc = "GTC"
    market_day = "IOC"

    instrument_id = "crypto:BTC-USD"

    def hung_up(self, broker: RealBroker) -> None:
        """See `Setting.hung_up`: it has learnt the markets."""
        broker.close()


def new(server: CoinbaseServer | BybitServer, timeout_s: float = 20.0, **options: Any) -> CcxtBroker:
    """The adapter at a server, which it has not asked anything."""
    return CcxtBroker(AccountSettings(adapter="ccxt", url=server.url, timeout_s=timeout_s, options=options),
                      server.secrets, lambda: INSTRUMENTS, live=False)


def prepared(server: CoinbaseServer | BybitServer, timeout_s: float, **options: Any) -> CcxtBroker:
    """The adapter that has learnt the markets, so that a fault meets the order; the server counts from there."""
    broker = new(server, timeout_s, **options)
    broker.holdings(START)
    server.requests = 0
    return broker


class OnCoinbase(OnCoins):
    """An account at Coinbase."""

    def make_server(self) -> CoinbaseServer:
        """See `Setting.make_server`."""
        return CoinbaseServer(key_name=f"organizations/0000/apiKeys/{PLANTED}")

    def make_broker(self, server: VenueServer, timeout_s: float) -> CcxtBroker:
        """See `Setting.make_broker`."""
        assert isinstance(server, CoinbaseServer)
        return prepared(server, timeout_s, exchange="coinbase")

    def terms_sent(self, server: VenueServer) -> list[tuple[str, str | None, str]]:
        """See `OnTerms`: the name of the configuration says it all."""
        return [(kind.partition("_")[0], asked.get("limit_price"), kind.rpartition("_")[2].upper())
                for one in server.orders for kind, asked in one.body["order_configuration"].items()]


class OnBybit(OnCoins):
    """An account at Bybit, in dollars so that the instruments of all tests are listed there."""

    def make_server(self) -> BybitServer:
        """See `Setting.make_server`."""
        return BybitServer("USD", (f"key-{PLANTED}", f"secret-{PLANTED}"))

    def make_broker(self, server: VenueServer, timeout_s: float) -> CcxtBroker:
        """See `Setting.make_broker`."""
        assert isinstance(server, BybitServer)
        return prepared(server, timeout_s, exchange="bybit", quote="USD")

    def terms_sent(self, server: VenueServer) -> list[tuple[str, str | None, str]]:
        """See `OnTerms`: what is not said is the venue's default, which for a market order is to cancel the rest."""
        return [(one.body["orderType"].lower(), one.body.get("price"), one.body.get("timeInForce", "IOC"))
                for one in server.orders]


class TestCoinbase(OnCoinbase, BrokerSuite, BustSuite, TermsSuite):
    """Coinbase, asked directly."""

    @pytest.mark.parametrize(("why", "answer"), [
        ("INSUFFICIENT_FUND", Rejected), ("INVALID_SIDE_NOT_KNOWN_TO_CCXT", Rejected),
        ("UNKNOWN_FAILURE_REASON", OutcomeUnknown), ("DUPLICATE_CLIENT_ORDER_ID", OutcomeUnknown)])
    def test_what_a_failure_means(self, why: str, answer: type, server: CoinbaseServer, broker: CcxtBroker) -> None:
        """A reason is definite, "unknown" and "there is one already" are not; all arrive with status 200."""
        server.faults.refuse, server.why = True, why
        assert outcome(broker, self.order().approved) is answer
        assert len(server.seen) == 1

    def test_a_market_buy_names_a_quantity(self, server: CoinbaseServer, broker: CcxtBroker) -> None:
        """By itself ccxt would name an amount of money to spend."""
        order = self.order()
        broker.submit(order.approved, now=START)
        assert server.orders[0].body == {
            "client_order_id": order.order_id, "product_id": "BTC-USD", "side": "BUY",
            "order_configuration": {"market_market_ioc": {"base_size": "5"}}}

    def test_an_answer_about_another_order_is_none(self, server: CoinbaseServer, broker: CcxtBroker) -> None:
        """An id that ccxt has made up would be one that nobody can ask about."""
        server.names_another = True
        assert outcome(broker, self.order().approved) is OutcomeUnknown

    def test_a_clock_that_is_wrong_is_refused(self, server: CoinbaseServer, broker: CcxtBroker) -> None:
        """The token is not valid yet; nothing was taken."""
        server.behind_s = 600
        assert outcome(broker, self.order().approved) is Rejected
        assert not server.orders

    def test_the_commission_is_booked_to_the_cent(self, server: CoinbaseServer, broker: CcxtBroker) -> None:
        """In the currency of the quote, beside the price."""
        server.commission = Decimal("0.006")
        order = self.order()
        broker.submit(order.approved, now=START)
        server.fill(order.order_id, "5", "200.10", fill_id="e1")
        (fill,) = Polls(broker).fills(1).values()
        assert (fill.quantity, fill.price, fill.fee) == (Decimal(5), Decimal("200.10"), Decimal("6.003"))

    def test_without_an_address_paper_is_refused(self, server: CoinbaseServer) -> None:
        """There is no sandbox, and asking ccxt for one leaves the live address: the mode guard sees that."""
        broker = CcxtBroker(AccountSettings(adapter="ccxt", options={"exchange": "coinbase"}), server.secrets,
                            lambda: INSTRUMENTS, live=False)
        assert broker.urls() == ["https://api.coinbase.com"]
        with pytest.raises(OperatorError, match="live host"):
            check("paper", "coin", broker.urls())

    def test_a_key_that_cannot_sign_sends_nothing(self, server: CoinbaseServer) -> None:
        """It is found before an order could be of unknown outcome."""
        server.secrets["secret"] = "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n"
        assert outcome(new(server, exchange="coinbase"), self.order().approved) is Postponed
        assert not server.seen

    def test_a_key_pasted_from_json_works(self, server: CoinbaseServer) -> None:
        """Coinbase hands keys out with their line ends spelled as two characters."""
        server.secrets["secret"] = server.secrets["secret"].replace("\n", "\\n")
        assert outcome(new(server, exchange="coinbase"), self.order().approved) is Accepted


class TestCoinbaseUnderTheExecutor(OnCoinbase, TermsUnderTheExecutor):
    """Coinbase under the executor."""


class TestBybit(OnBybit, BrokerSuite, TermsSuite):
    """Bybit, asked directly."""

    @pytest.mark.parametrize("how", ["cancelled", "rejected"])
    def test_an_end_that_nobody_here_asked_for_arrives(self, how: str, server: VenueServer,
                                                       broker: RealBroker) -> None:
        """Spot orders do not expire there."""
        super().test_an_end_that_nobody_here_asked_for_arrives(how, server, broker)

    def test_the_same_id_again(self, server: VenueServer, broker: RealBroker) -> None:
        """Refused while the first order works; a second order once that is over. So it is declared not to know ids."""
        order = self.order()
        broker.submit(order.approved, now=START)
        assert outcome(broker, order.approved) is OutcomeUnknown
        assert server.live() == {order.order_id: 1}
        server.fill(order.order_id, "5", "200", fill_id="e1")
        assert outcome(broker, order.approved) is Accepted
        assert server.live() == {order.order_id: 2}
        assert not broker.capabilities.deduplicates

    @pytest.mark.parametrize(("code", "answer"), [
        (170131, Rejected), (170999, Rejected), (10005, Rejected), (10006, Postponed), (110072, OutcomeUnknown),
        (10016, OutcomeUnknown), (12345, OutcomeUnknown)])
    def test_what_a_code_means(self, code: int, answer: type, server: BybitServer, broker: CcxtBroker) -> None:
        """All arrive with status 200; what is not known to be a refusal is none."""
        server.faults.refuse, server.why = True, (code, "says the venue")
        assert outcome(broker, self.order().approved) is answer
        assert len(server.seen) == 1

    def test_a_clock_that_is_wrong_postpones(self, server: BybitServer, broker: CcxtBroker) -> None:
        """The request was not looked at; the order leaves when the clocks agree."""
        server.behind_s = 60
        assert outcome(broker, self.order().approved) is Postponed
        assert not server.orders

    def test_a_market_buy_names_a_quantity(self, server: BybitServer, broker: CcxtBroker) -> None:
        """Bybit would take the number for an amount of money without being told."""
        order = self.order()
        broker.submit(order.approved, now=START)
        assert server.orders[0].body == {
            "symbol": "BTCUSD", "side": "Buy", "orderType": "Market", "category": "spot", "marketUnit": "baseCoin",
            "qty": "5", "orderLinkId": order.order_id}

    def test_a_classic_account_is_not_ordered_for(self, server: BybitServer) -> None:
        """There a market buy is always over an amount of money."""
        server.unified = False
        assert outcome(new(server, exchange="bybit", quote="USD"), self.order().approved) is Rejected
        assert not server.seen

    def test_a_quantity_that_does_not_fit_is_not_cut(self, server: BybitServer, broker: CcxtBroker) -> None:
        """By itself ccxt would send less than was approved without a word."""
        order = make_order(self.instrument_id, "1000", price="299.99")
        answer = broker.submit(order.approved, now=START)
        assert isinstance(answer, Rejected)
        assert "the step of bybit" in answer.message
        assert not server.seen

    def test_without_an_address_paper_is_the_testnet(self, server: BybitServer) -> None:
        """And live is the exchange itself."""
        settings = AccountSettings(adapter="ccxt", options={"exchange": "bybit"})
        found = {live: CcxtBroker(settings, server.secrets, lambda: INSTRUMENTS, live=live).urls()
                 for live in (False, True)}
        assert found == {False: ["https://api-testnet.bybit.com"], True: ["https://api.bybit.com"]}
        check("paper", "coin", found[False])
        check("live", "coin", found[True])

    def test_a_fee_kept_in_coins_makes_less_arrive(self, server: BybitServer, broker: CcxtBroker) -> None:
        """All of the order was executed, and so it is over without a word; what was kept is said in coins."""
        server.fee = Decimal("0.001")
        order = self.order()
        broker.submit(order.approved, now=START)
        server.fill(order.order_id, "5", "200", fill_id="e1")
        polls = Polls(broker)
        (fill,) = polls.units(5).values()
        assert (fill.quantity, fill.fee, fill.fee_units) == (Decimal(5), Decimal(0), Decimal("0.005"))
        polls.once()
        assert not [event for event in polls.events if isinstance(event, Ended)]


class TestBybitUnderTheExecutor(OnBybit, TermsUnderTheExecutor):
    """Bybit under the executor."""


class OnToldExchange(OnBybit):
    """An exchange without a row in the table, whose ways the options tell. ccxt speaks Bybit's format to it."""

    def make_broker(self, server: VenueServer, timeout_s: float) -> CcxtBroker:
        """See `Setting.make_broker`."""
        assert isinstance(server, BybitServer)
        return prepared(server, timeout_s, **TOLD)


class TestToldExchange(OnToldExchange):
    """Another exchange by configuration."""

    def test_an_order_from_end_to_end(self, server: BybitServer, broker: CcxtBroker) -> None:
        """Sent once under its id, found by it, executed, ended, cancelled for good; every question names a market."""
        order, other = self.order(), self.order()
        assert outcome(broker, order.approved) is Accepted
        assert server.live() == {order.order_id: 1}
        server.fill(order.order_id, "2", "200", fill_id="e1")
        polls = Polls(broker)
        assert [fill.order_id for fill in polls.fills(1).values()] == [order.order_id]
        broker.cancel(order.order_id, now=START)
        found = broker.lookup(order.order_id)
        assert found is not None
        assert [type(event) for event in found.events] == [Fill, Ended]
        assert broker.lookup(other.order_id) is None
        broker.cancel(other.order_id, now=START)
        assert not broker.capabilities.deduplicates
        holdings = broker.holdings(START)
        assert holdings is not None
        assert holdings.positions == {"BTC/USD": Decimal(2)}

    def test_an_exchange_that_does_not_look_at_the_id_is_searched(self, server: BybitServer) -> None:
        """It lists orders whatever it is asked for; ours is the one with our id, and no other."""
        with closing(prepared(server, 20.0, **{**TOLD, "lookup_param": "unheardOf"})) as broker:
            first, second, third = (self.order() for _ in range(3))
            broker.submit(first.approved, now=START)
            broker.submit(second.approved, now=START)
            found = broker.lookup(first.order_id)
            assert found is not None
            assert found.venue_id == server.orders[0].venue_id
            assert broker.lookup(third.order_id) is None


class TestBoth:
    """What is the adapter's own, whichever exchange."""

    @pytest.fixture(params=["coinbase", "bybit"])
    def server(self, request: pytest.FixtureRequest) -> Iterator[CoinbaseServer | BybitServer]:
        """Each of the exchanges."""
        server = CoinbaseServer() if request.param == "coinbase" else BybitServer("USD")
        yield server
        server.stop()

    @pytest.fixture
    def broker(self, server: CoinbaseServer | BybitServer) -> Iterator[CcxtBroker]:
        """The adapter, which has asked nothing yet."""
        with closing(new(server, **self.options(server))) as broker:
            yield broker

    def options(self, server: CoinbaseServer | BybitServer) -> dict[str, Any]:
        """The account's options."""
        return {"exchange": "coinbase" if isinstance(server, CoinbaseServer) else "bybit", "quote": "USD"}

    def test_the_first_order_asks_first_and_is_sent_once(self, server: CoinbaseServer | BybitServer,
                                                         broker: CcxtBroker) -> None:
        """Markets have to be known; while they are not, the order is certain not to have left."""
        assert server.requests == 0
        order = make_order("crypto:BTC-USD", "1000", price="200")
        for fault, pause in (((503, None), 5.0), ((429, 7.0), 7.0)):
            server.faults.status = [fault]
            answer = broker.submit(order.approved, now=START)
            assert isinstance(answer, Postponed)
            assert answer.retry_after_s == pytest.approx(pause)
        assert not server.seen
        assert outcome(broker, order.approved, START + timedelta(seconds=8)) is Accepted
        assert len(server.seen) == 1
        asked = server.requests
        broker.submit(make_order("crypto:BTC-USD", "1000", price="200").approved, now=START)
        assert server.requests == asked + 1

    def test_questions_keep_to_the_pause(self, server: CoinbaseServer | BybitServer, broker: CcxtBroker) -> None:
        """An exchange that says for how long is not asked before, and answers afterwards."""
        broker.poll(START)
        server.faults.status = [(429, 30.0)]
        with pytest.raises(Throttled) as first:
            broker.holdings(START)
        assert first.value.retry_after_s == pytest.approx(30)
        asked = server.requests
        with pytest.raises(Throttled):
            broker.poll(START + timedelta(seconds=29))
        assert server.requests == asked
        broker.poll(START + timedelta(seconds=31))

    def test_what_is_not_traded_here_is_not_sent(self, server: CoinbaseServer | BybitServer) -> None:
        """A pair that is not listed, and one in another currency than the account's."""
        order = make_order("crypto:BTC-USD", "1000", price="200")
        with closing(new(server, **{**self.options(server), "quote": "EUR"})) as broker:
            answer = broker.submit(order.approved, now=START)
        assert isinstance(answer, Rejected)
        server.coins = ("ETH",)
        with closing(new(server, **self.options(server))) as broker:
            again = broker.submit(order.approved, now=START)
        assert isinstance(again, Rejected)
        assert ("EUR" in answer.message, "no spot market" in again.message) == (True, True)
        assert not server.seen

    def test_a_price_between_two_of_the_exchanges_steps_is_not_sent(self, server: CoinbaseServer | BybitServer,
                                                                    broker: CcxtBroker) -> None:
        """The library would round it, and another order than the one that was judged would leave."""
        order = make_order("crypto:BTC-USD", "800.004", price="200", type="limit", limit_offset_pct="0.000005")
        assert order.approved.terms.limit_price == Decimal("200.001")
        answer = broker.submit(order.approved, now=START)
        assert isinstance(answer, Rejected)
        assert "200.001 is no price of BTC/USD" in answer.message
        assert not server.seen

    def test_everything_is_read_page_by_page(self, server: CoinbaseServer | BybitServer, broker: CcxtBroker) -> None:
        """Executions, and the oldest order among many."""
        server.page = 2
        orders = [make_order("crypto:BTC-USD", "200", price="200") for _ in range(5)]
        for number, order in enumerate(orders):
            broker.submit(order.approved, now=START)
            server.fill(order.order_id, "1", "200", fill_id=f"e{number}")
        assert len(Polls(broker).fills(5)) == 5
        with closing(new(server, **self.options(server))) as another:
            another.holdings(START)
            assert another.lookup(orders[0].order_id) is not None

    def test_a_strangers_execution_is_told_under_the_venues_name(self, server: CoinbaseServer | BybitServer,
                                                                 broker: CcxtBroker) -> None:
        """It moved money of this account; what was before this process is for the positions to show."""
        server.clock = lambda: START - timedelta(hours=1)
        server.foreign("BTC/USD", "buy", "3")
        server.orders[0].fills.append(Execution("old", Decimal(1), Decimal(200), server.now()))
        polls = Polls(broker)
        assert list(polls.once()) == []
        server.clock = lambda: START + timedelta(minutes=1)
        server.orders[0].fills.append(Execution("new", Decimal(2), Decimal(200), server.now()))
        assert {name: fill.order_id for name, fill in polls.fills(1).items()} == {"new": server.orders[0].venue_id}

    def test_a_late_execution_of_ours_is_told_after_a_restart(self, server: CoinbaseServer | BybitServer,
                                                              broker: CcxtBroker) -> None:
        """The order had ended and nobody restores it; its execution came while there was no process."""
        order = make_order("crypto:BTC-USD", "1000", price="200")
        broker.submit(order.approved, now=START)
        server.end(order.order_id, "cancelled")
        server.fill(order.order_id, "1", "200", fill_id="late")
        with closing(new(server, **self.options(server))) as after:
            polls = Polls(after, START + timedelta(hours=3))
            assert [fill.order_id for fill in polls.fills(1).values()] == [order.order_id]

    def test_what_a_failing_server_says_about_an_order_is_not_believed(
            self, server: CoinbaseServer | BybitServer, broker: CcxtBroker) -> None:
        """The words of a refusal with a status of 500 may have been said after the order was passed on."""
        server.faults.refuse = True
        order = make_order("crypto:BTC-USD", "1000", price="200")
        assert outcome(broker, order.approved) is Rejected
        server.refusal_status = 500
        assert outcome(broker, order.approved) is OutcomeUnknown

    def test_numbers_keep_all_their_digits(self, server: CoinbaseServer | BybitServer, broker: CcxtBroker) -> None:
        """More than a binary float has room for."""
        order = make_order("crypto:BTC-USD", "1000", price="200")
        broker.submit(order.approved, now=START)
        server.fill(order.order_id, "1.000000000000000001", "200.100000000000000003", fill_id="e1")
        server.cash("USD", cash := "123456789012.123456789")
        (fill,) = Polls(broker).fills(1).values()
        holdings = broker.holdings(START + timedelta(minutes=1))
        assert holdings is not None
        assert (fill.quantity, fill.price) == (Decimal("1.000000000000000001"), Decimal("200.100000000000000003"))
        assert (holdings.positions["BTC/USD"], holdings.cash["USD"]) == (fill.quantity, Decimal(cash))

    def test_a_restored_order_is_followed_from_when_it_was_sent(self, server: CoinbaseServer | BybitServer,
                                                                broker: CcxtBroker) -> None:
        """However long there was no process: longer than ended orders are looked for."""
        order = make_order("crypto:BTC-USD", "1000", price="200")
        broker.submit(order.approved, now=START)
        server.fill(order.order_id, "1", "200", fill_id="e1")
        with closing(new(server, **self.options(server))) as after:
            after.restore([order.entry])
            assert len(Polls(after, START + timedelta(days=3)).fills(1)) == 1

    def test_a_cancel_that_comes_too_late_is_fine(self, server: CoinbaseServer | BybitServer,
                                                  broker: CcxtBroker) -> None:
        """Filled between our look and our request; of an order that never was there is nothing to cancel."""
        order = make_order("crypto:BTC-USD", "1000", price="200")
        broker.submit(order.approved, now=START)
        server.beaten = True
        broker.cancel(order.order_id, now=START)
        assert server.orders[0].status == "filled"
        broker.cancel("vaaaaaa-aaaaaaaaaaaaaaaaaaaa-1", now=START)

    def test_a_cancel_that_is_refused_is_said(self, server: CoinbaseServer | BybitServer, broker: CcxtBroker) -> None:
        """The order works on; only "there is nothing left to cancel" is as good as a cancel."""
        order = make_order("crypto:BTC-USD", "1000", price="200")
        broker.submit(order.approved, now=START)
        server.no_cancel = True
        with pytest.raises(OutsideError):
            broker.cancel(order.order_id, now=START)
        assert server.orders[0].status == "open"

    def test_a_restored_order_that_the_exchange_does_not_know_is_left_open(
            self, server: CoinbaseServer | BybitServer, broker: CcxtBroker) -> None:
        """Not known is no end: the reconciler says that the books differ."""
        broker.restore([make_order("crypto:BTC-USD", "1000", price="200").entry])
        assert list(broker.poll(START)) == []
        assert server.requests > 0

    def test_an_end_waits_for_its_executions(self, server: CoinbaseServer | BybitServer, broker: CcxtBroker) -> None:
        """The order shows as done before its executions are listed: an end now would be told too early."""
        order = make_order("crypto:BTC-USD", "1000", price="200")
        broker.submit(order.approved, now=START)
        done = Execution("e1", Decimal(1), Decimal(200), server.now(), busted=False)
        server.hidden = {"e1"}
        server.orders[0].fills.append(done)
        server.end(order.order_id, "cancelled")
        polls = Polls(broker)
        assert (list(polls.once()), list(polls.once())) == ([], [])
        server.hidden = set()
        assert [type(event) for event in polls.once()] == [Fill, Ended]

    def test_secrets_have_to_be_there(self, server: CoinbaseServer | BybitServer) -> None:
        """Said at the start and by name."""
        server.secrets = {"api_key": "x"}
        with pytest.raises(CredentialsRefused, match="needs secret"):
            new(server, **self.options(server))

    def test_the_wire_finds_the_adapter(self) -> None:
        """By the name that settings give."""
        assert ADAPTERS["ccxt"] is CcxtBroker


def test_an_exchange_that_ccxt_does_not_know_is_refused() -> None:
    """Before anything else."""
    settings = AccountSettings(adapter="ccxt", options={**TOLD, "exchange": "nowhere"})
    with pytest.raises(OperatorError, match="no exchange that ccxt knows"):
        CcxtBroker(settings, {"api_key": "x", "secret": "y"}, lambda: INSTRUMENTS, live=False)


def outcome(broker: RealBroker, order: Approved, now: datetime = START) -> type:
    """What becomes of a submit: the kind of answer, or `OutcomeUnknown`."""
    try:
        return type(broker.submit(order, now=now))
    except OutcomeUnknown:
        return OutcomeUnknown
