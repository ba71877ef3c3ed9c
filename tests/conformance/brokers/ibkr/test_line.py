"""TWS and IB Gateway: whose account, connecting, the line to IB, and answers that are none."""

import asyncio
import threading
from contextlib import closing
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.conformance.brokers import ibkr_wire as wire
from tests.conformance.brokers.faults import START
from tests.conformance.brokers.ibkr_server import (
    ACCOUNT,
    CASH,
    COMPLETED,
    CONTRACT,
    EXECUTIONS,
    LIVE_ACCOUNT,
    OPEN,
    POSITIONS,
    SHARES,
    IbkrServer,
)
from tests.conformance.brokers.ibkr_setting import ended, ibkr, lost_for, patiently, said_when_asked, share, taken
from tests.conformance.brokers.setting import Polls, by_id, make_order, units, wait_for
from tests.unit.executor.world import INSTRUMENTS
from vanta.common.errors import CredentialsRefused, OperatorError, OutcomeUnknown, OutsideError, Throttled
from vanta.common.models.configuration import AccountSettings
from vanta.executor.brokers.hosts import check
from vanta.executor.brokers.ibkr import IbkrBroker
from vanta.executor.brokers.ibkr_link import Bounds, Link
from vanta.executor.brokers.ibkr_session import Session
from vanta.executor.brokers.ibkr_wire import Place, client
from vanta.executor.brokers.port import Accepted, Postponed, Rejected


@pytest.mark.parametrize(("port", "mode", "fits"), [
    (7497, "paper", True), (4002, "paper", True), (7496, "paper", False), (4001, "paper", False),
    (7496, "simulate", False), (7496, "live", True), (4001, "live", True)])
def test_live_ports_start_in_live_mode_only(port: int, mode: str, fits: bool) -> None:
    """Read back from where the client would connect to, before anything is contacted."""
    broker = IbkrBroker(AccountSettings(adapter="ibkr", url=f"tws://127.0.0.1:{port}"), {}, lambda: INSTRUMENTS,
                        live=mode == "live")
    if fits:
        check(mode, "main", broker.urls())
    else:
        with pytest.raises(OperatorError, match="live host"):
            check(mode, "main", broker.urls())
    broker.close()


@pytest.mark.parametrize(("live", "url"), [(False, "tws://127.0.0.1:7497"), (True, "tws://127.0.0.1:7496")])
def test_the_default_is_tws_on_this_machine(live: bool, url: str) -> None:
    """The port of its paper account, or of its live one."""
    assert IbkrBroker(AccountSettings(adapter="ibkr"), {}, lambda: INSTRUMENTS, live=live).urls() == [url]


@pytest.mark.parametrize("url", ["127.0.0.1:7497", "tws://127.0.0.1", "http://127.0.0.1:7497", "tws://:7497",
                                 "tws://h:99999", "tws://h:x"])
def test_what_is_no_gateways_address_is_said_to_be(url: str) -> None:
    """Host and port, nothing is guessed."""
    with pytest.raises(OperatorError, match="no address of a gateway"):
        IbkrBroker(AccountSettings(adapter="ibkr", url=url), {}, lambda: INSTRUMENTS, live=False)


@pytest.mark.parametrize(("options", "said"), [
    ({"account": "../x"}, "account"), ({"client_id": 0}, "client_id"), ({"timezone": "Mars/Base"}, "no time zone"),
    ({"timezone": "../x"}, "no time zone"), ({"polls": 3}, "polls")])
def test_options_that_make_no_sense_are_named(options: dict[str, object], said: str) -> None:
    """Before anything is contacted."""
    with pytest.raises(OperatorError, match=said):
        IbkrBroker(AccountSettings(adapter="ibkr", options=options), {}, lambda: INSTRUMENTS, live=False)


@pytest.mark.parametrize(("live", "account", "said"), [
    (False, LIVE_ACCOUNT, "is a live account, but executor.mode is not live"), (False, "F1", "is a live account"),
    (True, ACCOUNT, "is a paper account, but executor.mode is live"), (True, "DF1", "is a paper account")])
def test_an_account_of_the_other_kind_is_refused_before_any_order(venue: IbkrServer, live: bool, account: str,
                                                                  said: str) -> None:
    """A port is a setting of the gateway, so only the account's number tells whose money it is."""
    venue.accounts = account
    broker = IbkrBroker(AccountSettings(adapter="ibkr", url=venue.url, options={"reconnect_s": 0}), {},
                        lambda: INSTRUMENTS, live=live)
    with closing(broker):
        answer = broker.submit(share().approved, now=START)
        assert isinstance(answer, Rejected)
        assert said in answer.message
        with pytest.raises(CredentialsRefused, match=said):
            broker.holdings(START)
    assert venue.seen == []
    assert not {OPEN, POSITIONS, CASH} & venue.kinds.keys()


@pytest.mark.parametrize(("account", "live"), [("DF7", False), ("U7", True), ("F7", True)])
def test_an_account_of_the_right_kind_is_taken(venue: IbkrServer, account: str, live: bool) -> None:
    """Advisors' accounts begin otherwise."""
    venue.accounts = account
    with closing(IbkrBroker(AccountSettings(adapter="ibkr", url=venue.url), {}, lambda: INSTRUMENTS, live=live)) as one:
        assert isinstance(one.submit(share().approved, now=START), Accepted)
    assert venue.orders[0].body["account"] == account


def test_of_several_accounts_one_has_to_be_named(venue: IbkrServer) -> None:
    """What belongs to another one is not counted in."""
    venue.accounts = f"{ACCOUNT},DU2"
    with closing(ibkr(venue)) as broker, pytest.raises(CredentialsRefused, match=r"2 accounts, .*none of them") as no:
        broker.holdings(START)
    assert ACCOUNT not in str(no.value)  # what is said gets into records
    with closing(ibkr(venue, account="DU3")) as broker, pytest.raises(CredentialsRefused, match="name another one"):
        broker.holdings(START)
    venue.position("AAPL", "7")
    venue.foreign("AAPL", "sell", "3")
    with closing(ibkr(venue, account=ACCOUNT)) as broker:
        order = taken(venue, broker)
        venue.fill(order.order_id, "5", "200", fill_id="e1")
        assert broker.lookup(order.order_id) is not None
    with closing(ibkr(venue, account="DU2")) as broker:
        assert broker.lookup(order.order_id) is None
        found = broker.holdings(START)
        assert found is not None
        assert (dict(found.positions), dict(found.cash), found.orders) == ({}, {}, ())


def test_nobody_listens() -> None:
    """Said with what to do; an order did certainly not leave and may later."""
    server = IbkrServer()
    server.stop()
    with closing(ibkr(server)) as broker:
        with pytest.raises(OutsideError, match=r"nothing answers where.*refused.*start TWS or IB Gateway"):
            broker.holdings(START)
        answer = broker.submit(share().approved, now=START)
        assert isinstance(answer, Postponed)
        assert answer.retry_after_s == 5.0


def test_a_client_id_that_is_in_use_is_said_with_the_cure(venue: IbkrServer, broker: IbkrBroker) -> None:
    """Error 326 comes before the connection is cut; waiting for the timeout would hide why."""
    venue.busy_clients.add(17)
    with pytest.raises(OutsideError, match="another program uses this clientId: set another client_id"):
        broker.poll(START)
    with closing(ibkr(venue, client_id=18)) as other:
        other.poll(START)
    venue.busy_clients.clear()
    assert broker.holdings(START) is not None


def test_attempts_to_connect_keep_their_pauses(venue: IbkrServer) -> None:
    """In between nobody is contacted, and what was wrong is said again in the same words."""
    venue.busy_clients.add(17)
    with closing(ibkr(venue, reconnect_s=60)) as broker:
        said = set()
        for seconds in range(5):
            with pytest.raises(OutsideError) as caught:
                broker.poll(START + timedelta(seconds=seconds))
            said.add(caught.value.what)
        assert (venue.opened, len(said)) == (1, 1)
        assert isinstance(broker.submit(share().approved, now=START), Postponed)
    assert venue.seen == []


def test_refused_credentials_stay_refused_during_the_pause(venue: IbkrServer) -> None:
    """An order is turned down for good, whether or not it is a moment to connect."""
    venue.accounts = LIVE_ACCOUNT
    with closing(ibkr(venue, reconnect_s=60)) as broker:
        for _ in range(2):
            assert isinstance(broker.submit(share().approved, now=START), Rejected)
    assert venue.opened == 1


def test_a_gateway_that_sends_nonsense_at_the_opening_is_given_up() -> None:
    """No answer to be understood, no order sent, no waiting beyond the timeout."""
    server = IbkrServer()
    server.version = 100  # a gateway from before the library's time: it hangs up by itself
    with closing(ibkr(server, 0.4)) as broker, pytest.raises(OutsideError):
        broker.holdings(START)
    server.stop()


def test_a_connection_over_which_nobody_asks_ends(venue: IbkrServer) -> None:
    """Calls may have been forbidden; the next question opens it again."""
    with closing(ibkr(venue, idle_s=0.05)) as broker:
        assert broker.holdings(START) is not None
        wait_for(lambda: not venue.lines, "the end of the connection")
        assert broker.holdings(START) is not None
        assert venue.opened == 2


def test_a_connection_that_ends_between_two_questions_is_not_asked_the_second(venue: IbkrServer) -> None:
    """An order is not sent into it either."""
    link = Link(Place("127.0.0.1", venue.port, 17, "UTC"), Bounds(20.0, 30.0, 0.0), lambda names: names[0])

    async def ask(session: Session) -> None:
        await session.cash()
        venue.disconnect()
        while True:
            session.ready()
            await asyncio.sleep(0)

    with closing(link), pytest.raises(OutsideError, match="was cut"):
        link.run(ask)
    assert venue.opened == 1


def test_positions_that_are_told_unasked_are_no_hint(venue: IbkrServer) -> None:
    """A subscription that was called off may tell one more; nothing became of an order by it."""
    with closing(ibkr(venue, poll_s=3600)) as broker:
        Polls(broker).once()
        venue.lines[0].tell(wire.position(ACCOUNT, "STK", SHARES["MSFT"], "3"))
        assert broker.holdings(START) is not None
        wait_for(lambda: len(venue.called_off) == 2, "the last message of that")
        asked = venue.requests
        Polls(broker, START + timedelta(seconds=2)).once()
        assert venue.requests == asked


def test_closing_ends_the_thread(venue: IbkrServer) -> None:
    """And the connection. One that was never used has none to end, nor has one that was closed before."""
    ibkr(venue).close()
    broker = ibkr(venue)
    broker.holdings(START)
    assert "ibkr" in {thread.name for thread in threading.enumerate()}
    broker.close()
    broker.close()
    assert "ibkr" not in {thread.name for thread in threading.enumerate()}
    wait_for(lambda: not venue.lines, "the end of the connection")


def test_the_librarys_throttle_stays_on() -> None:
    """TWS sends clients away that send more than 50 messages a second."""
    made = client(Place("127.0.0.1", 1, 17, "UTC"), lambda _name, _said: None, lambda _what: None)
    assert (made.MaxRequests, made.RequestsInterval) == (45, 1)


@pytest.mark.parametrize("version", [157, 159, 160, 162, 163, 164, 166, 169, 170, 177, 200])
def test_gateways_of_every_version_are_understood(venue: IbkrServer, version: int) -> None:
    """Fields come and go with the version that is negotiated; newer gateways speak as old as the library."""
    venue.version = version
    with closing(ibkr(venue)) as broker:
        order, other = taken(venue, broker), taken(venue, broker)
        venue.fill(order.order_id, "5", "200.01", fill_id="e1")
        broker.cancel(other.order_id, now=START)
        assert isinstance(broker.submit(make_order("equity:MSFT", "400", price="400").approved, now=START), Accepted)
        polls = Polls(broker)
        polls.until(lambda events: ended(events) == ["cancelled"] and units(by_id(events)) == 5, "fill and end")
        found = broker.holdings(START)
        assert found is not None
        assert found.positions == {"AAPL": Decimal(5)}
        assert [one.symbol for one in found.orders] == ["MSFT"]
        venue.faults.refuse = True
        assert isinstance(broker.submit(share().approved, now=START), Rejected)


@pytest.mark.parametrize("code", [1101, 1102])
def test_without_a_line_to_ib_nothing_is_asked_or_sent(venue: IbkrServer, broker: IbkrBroker, code: int) -> None:
    """The gateway would answer with what is old; when the line is back, it is asked over a new connection."""
    order = taken(venue, broker)
    Polls(broker).once()
    venue.say(-1, 1100, "Connectivity between IB and TWS has been lost.")
    lost_for(broker)
    sent, asked = len(venue.seen), venue.requests
    for ask in (lambda: broker.poll(START + timedelta(minutes=1)), lambda: broker.holdings(START),
                lambda: broker.lookup(order.order_id), lambda: broker.cancel(order.order_id, now=START)):
        with pytest.raises(OutsideError, match=r"lost its line to IB \(1100\)"):
            ask()
    answer = broker.submit(share().approved, now=START)
    assert answer == Postponed("ibkr: the gateway has lost its line to IB (1100)", 5.0)
    assert (len(venue.seen), venue.requests, venue.opened) == (sent, asked, 1)
    venue.fill(order.order_id, "5", "200", fill_id="e1")
    venue.say(-1, code, "Connectivity between IB and TWS has been restored.")
    Polls(broker, START + timedelta(hours=1)).units(5)
    assert venue.opened == 2


def test_an_order_that_is_out_when_the_line_is_lost_may_be_live(venue: IbkrServer, broker: IbkrBroker) -> None:
    """It was taken; only asking tells, once the line is back."""
    order = share()
    venue.says = [(1100, "Connectivity between IB and TWS has been lost.")]
    with pytest.raises(OutcomeUnknown, match="lost its line"):
        broker.submit(order.approved, now=START)
    venue.say(-1, 1102)
    wait_for(lambda: not venue.lines, "the end of the old connection")
    found = broker.lookup(order.order_id)
    assert found is not None
    assert (found.venue_id, venue.live()) == (venue.orders[0].venue_id, {order.order_id: 1})


def test_a_question_that_is_open_when_the_line_is_lost_has_no_answer(venue: IbkrServer, broker: IbkrBroker) -> None:
    """What came before the loss may not be all of it."""
    broker.holdings(START)
    venue.mute.add(POSITIONS)
    with said_when_asked(venue, POSITIONS, [(-1, 1100, "")]), pytest.raises(OutsideError, match="lost its line"):
        broker.holdings(START)


def test_a_line_that_does_not_come_back_is_asked_about_over_a_new_connection(venue: IbkrServer) -> None:
    """The good news may have got lost."""
    link = Link(Place("127.0.0.1", venue.port, 17, "UTC"), Bounds(20.0, 30.0, 0.0, cut_s=0.0), lambda names: names[0])
    with closing(link):
        link.run(lambda session: session.cash())
        venue.say(-1, 2110)
        wait_for(lambda: venue.opened == 2 or not link.run(lambda session: session.cash()), "another connection")


@pytest.mark.parametrize(("code", "said"), [(502, "accepts no connections"), (504, "is not connected"),
                                            (507, "could not read a message"), (1300, "on another port")])
def test_a_connection_that_is_over_is_not_asked_again(venue: IbkrServer, broker: IbkrBroker, code: int,
                                                      said: str) -> None:
    """What happened is in the sentence, and the next question opens another one."""
    broker.holdings(START)
    venue.mute.add(OPEN)
    with said_when_asked(venue, OPEN, [(-1, code, "")]), pytest.raises(OutsideError, match=said):
        broker.holdings(START)
    venue.mute.clear()
    assert broker.holdings(START) is not None
    assert venue.opened == 2


@pytest.mark.parametrize("kind", [POSITIONS, OPEN, CASH])
def test_a_lost_part_of_the_holdings_is_no_empty_account(venue: IbkrServer, hasty: IbkrBroker, kind: int) -> None:
    """The library would report an empty portfolio when the positions do not come."""
    venue.position("AAPL", "7")
    venue.mute.add(kind)
    with pytest.raises(OutsideError, match="no answer within"):
        hasty.holdings(START)
    venue.mute.clear()
    assert patiently(lambda: hasty.holdings(START)).positions == {"AAPL": 7}


@pytest.mark.parametrize("kind", [OPEN, COMPLETED, EXECUTIONS])
def test_a_lost_part_of_a_lookup_is_not_unknown(venue: IbkrServer, hasty: IbkrBroker, kind: int) -> None:
    """Each list may be the one that has the order."""
    venue.mute.add(kind)
    with pytest.raises(OutsideError, match="no answer within"):
        hasty.lookup(share().order_id)


@pytest.mark.parametrize(("message", "field", "ask"), [
    (61, 14, "holdings"), (61, 3, "holdings"), (5, 14, "holdings"), (3, 3, "holdings"), (73, 6, "holdings"),
    (5, 14, "lookup"), (101, 12, "lookup"), (101, 13, "lookup"), (11, 15, "lookup"), (11, 19, "lookup"),
    (11, 20, "lookup")])
def test_a_row_that_cannot_be_read_spoils_its_answer(venue: IbkrServer, broker: IbkrBroker, message: int, field: int,
                                                     ask: str) -> None:
    """The library notes it and leaves the row out: a position or an execution would be missing, and nobody knew."""
    order, over = taken(venue, broker), taken(venue, broker)
    venue.fill(order.order_id, "2", "200", fill_id="e1")
    venue.fill(over.order_id, "5", "200", fill_id="e2")
    broker.holdings(START)
    venue.spoil = (message, field, "x")
    with pytest.raises(OutsideError):
        broker.holdings(START) if ask == "holdings" else broker.lookup(order.order_id)
    assert broker.holdings(START) is not None


def test_a_contract_that_cannot_be_read_sends_nothing(venue: IbkrServer, broker: IbkrBroker) -> None:
    """The order may leave later."""
    venue.mute.add(CONTRACT)
    with closing(ibkr(venue, 0.4)) as hasty:
        assert isinstance(hasty.submit(share().approved, now=START), Postponed)
    assert venue.seen == []


def test_the_end_of_an_old_list_does_not_end_a_new_one(venue: IbkrServer, hasty: IbkrBroker) -> None:
    """Lists have no number: what comes late would be an empty account, so the connection is given up."""
    taken(venue, hasty)
    venue.mute.add(OPEN)
    with said_when_asked(venue, OPEN, [(-1, 322, "Error processing")]), pytest.raises(OutsideError, match="322"):
        hasty.holdings(START)
    with said_when_asked(venue, OPEN, [], [[53, 1]]), pytest.raises(OutsideError, match="no answer within"):
        hasty.holdings(START)


def test_read_only_gateways_are_said_to_be(venue: IbkrServer, broker: IbkrBroker) -> None:
    """TWS answers that without the number of a question; an order is turned down."""
    venue.mute.add(OPEN)
    says = "Error validating request.-'bO' : cause - The API interface is currently in Read-Only mode."
    with said_when_asked(venue, OPEN, [(-1, 321, says)]), pytest.raises(CredentialsRefused, match="Read-Only"):
        broker.poll(START)


def test_an_error_about_a_question_is_its_answer(venue: IbkrServer, broker: IbkrBroker) -> None:
    """By its number; news without one is none."""
    venue.mute.add(EXECUTIONS)
    says = [(-1, 2106, "HMDS data farm connection is OK:ushmds"), *((one, 322, "Error processing") for one in range(9))]
    with said_when_asked(venue, EXECUTIONS, says), pytest.raises(OutsideError, match="322: Error processing"):
        broker.poll(START)


def test_a_gateway_that_is_asked_too_fast_is_left_alone(venue: IbkrServer, broker: IbkrBroker) -> None:
    """For a second, in which nothing is asked."""
    venue.faults.status = [(429, None)]
    with pytest.raises(Throttled):
        broker.poll(START)
    asked = venue.requests
    with pytest.raises(Throttled):
        broker.poll(START + timedelta(seconds=0.9))
    assert venue.requests == asked
    venue.faults.order_status = [(429, None)]
    assert isinstance(broker.submit(share().approved, now=START), Postponed)
    broker.poll(START + timedelta(seconds=2))
    assert venue.requests > asked


