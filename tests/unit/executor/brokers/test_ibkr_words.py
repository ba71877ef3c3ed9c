"""What TWS and IB Gateway say, case by case: numbers, names, states, codes, corrections, totals."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from ib_async import Contract, Order, OrderState

from vanta.executor.brokers import ibkr_words as words
from vanta.executor.brokers.ibkr_words import Execution, Row, State, Told
from vanta.executor.brokers.port import Accepted, Busted, Fill, Postponed, Rejected

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


def execution(exec_id: str, quantity: str, total: str, *, price: str = "200", seconds: int = 0) -> Execution:
    """An execution of one order."""
    return Execution(exec_id, "7", "v1", Decimal(quantity), Decimal(price), Decimal(total),
                     NOW + timedelta(seconds=seconds), "USD")


def row(**fields: Any) -> Row:
    """An order that is over."""
    return Row(**{"order_id": "v1", "venue_id": "7", "symbol": "AAPL", "side": "buy", "leaves": Decimal(0),
                  "filled": Decimal(0), "status": "Cancelled", "over": True, "detail": "Cancelled", **fields})


@pytest.mark.parametrize(("value", "number"), [
    (0.1, "0.1"), (200.0123, "200.0123"), (5.0, "5.0"), (-3, "-3"), ("12.340", "12.340"), (1e16, "1E+16"),
    (0.1 + 0.2, "0.30000000000000004")])
def test_numbers_are_those_of_the_wire(value: Any, number: str) -> None:
    """The library's floats by their shortest form, text as it is."""
    assert str(words.number(value)) == number
    assert words.given(value) == Decimal(number)


@pytest.mark.parametrize("value", [True, None, "", "ten", float("inf"), float("nan"), 1.7976931348623157e308,
                                   "1.7976931348623157E308", []])
def test_what_is_no_number_is_none(value: Any) -> None:
    """Nothing is taken for zero, and the sign for "not given" is no amount."""
    with pytest.raises(ValueError, match="no number"):
        words.number(value)
    assert words.given(value) is None


@pytest.mark.parametrize(("kind", "symbol", "currency", "local", "name"), [
    ("STK", "AAPL", "USD", "AAPL", "AAPL"), ("STK", "BRK B", "USD", "BRK B", "BRK.B"),
    ("STK", "AAPL", "EUR", "APC", "AAPL@EUR"), ("STK", "SAP", "EUR", "SAP", "SAP"),
    ("OPT", "AAPL", "USD", "AAPL  261218C00200000", "OPT:AAPL  261218C00200000"),
    ("CASH", "EUR", "USD", "", "CASH:EUR")])
def test_how_things_are_called_here(kind: str, symbol: str, currency: str, local: str, name: str) -> None:
    """Shares as instruments spell them; what no instrument is gets a name that none has."""
    contract = Contract(secType=kind, symbol=symbol, currency=currency, localSymbol=local)
    assert words.ours(contract, {"AAPL": "USD", "BRK.B": "USD"}) == name


def test_share_classes_have_a_space_there() -> None:
    """And a dot here."""
    assert words.theirs("BRK.B") == "BRK B"


@pytest.mark.parametrize(("action", "side"), [("BUY", "buy"), ("SELL", "sell"), ("SSHORT", "sell"), ("SLONG", "sell")])
def test_sides(action: str, side: str) -> None:
    """Selling short is selling."""
    assert words.side(action) == side


def test_a_word_that_is_no_side_is_no_answer() -> None:
    """It is not guessed."""
    with pytest.raises(ValueError, match="no side"):
        words.side("HOLD")


@pytest.mark.parametrize(("status", "refusal", "over"), [
    ("Submitted", None, False), ("Submitted", "201 no", False), ("Inactive", None, False),
    ("Inactive", "201 no", True)])
def test_when_an_open_order_is_over(status: str, refusal: str | None, over: bool) -> None:
    """Inactive alone may be a wait, and an error alone a warning; both together are a refusal."""
    order = Order(orderId=3, clientId=17, permId=7, action="BUY", totalQuantity=5, orderRef="v1")
    found = words.open_row(order, "AAPL", State(status, Decimal(2), Decimal(3)), refusal)
    assert (found.over, found.leaves, found.filled, found.number, found.client_id) == (
        over, Decimal(3), Decimal(2), 3, 17)
    assert words.venue_order(found) == ("v1", "7", "AAPL", "buy", Decimal(3))


def test_an_order_without_the_venues_number_has_none() -> None:
    """Zero is no name."""
    found = words.open_row(Order(action="BUY"), "AAPL", State("PendingSubmit", Decimal(0), Decimal(5)), None)
    assert found.venue_id == ""


@pytest.mark.parametrize(("status", "said", "how"), [
    ("Filled", "Filled Size: 5", None), ("Cancelled", "Cancelled by Trader", "cancelled"),
    ("ApiCancelled", "", "cancelled"), ("Cancelled", "Expired", "expired"),
    ("Cancelled", "Rejected by System: margin", "rejected"), ("Inactive", "", "rejected")])
def test_how_orders_end(status: str, said: str, how: str | None) -> None:
    """By the sentence first: TWS calls most ends cancelled."""
    found = words.ended(words.completed_row(Order(action="SELL", permId=7, orderRef="v1", filledQuantity=5.0), "AAPL",
                                            OrderState(status=status, completedStatus=said)))
    assert (found.how if found else None) == how
    assert found is None or found.detail == f"ibkr: {said or status}"


@pytest.mark.parametrize(("exec_id", "stem", "revision", "before"), [
    ("0000e0d5.5f5b.01.01", "0000e0d5.5f5b.01", 1, []), ("a.01.03", "a.01", 3, ["a.01.01", "a.01.02"]),
    ("a.1.2", "a.1", 2, ["a.1.1"]), ("whole", "whole", 1, []), ("a.b", "a.b", 1, []), ("a.00", "a.00", 1, []),
    (".02", ".02", 1, [])])
def test_the_last_number_of_a_name_counts_corrections(exec_id: str, stem: str, revision: int,
                                                      before: list[str]) -> None:
    """A name of another shape is whole, and replaces nothing."""
    assert words.parted(exec_id) == (stem, revision)
    assert words.replaced(exec_id) == before


def test_an_absurd_count_of_corrections_replaces_a_hundred() -> None:
    """No answer makes us tell a million events."""
    assert len(words.replaced("a.999999999")) == 99


def test_the_newest_telling_stands_wherever_it_is_listed() -> None:
    """In the order of time; a list may be in any order and tell things twice."""
    first, second, other = execution("a.01", "2", "2", seconds=5), execution("a.02", "3", "3", seconds=5), execution(
        "b.01", "1", "1")
    for listed in ([first, second, other], [second, other, first, first, second]):
        assert list(words.newest_of(listed).items()) == [("b", other), ("a", second)]


def test_an_execution_is_told_once_or_again() -> None:
    """Again means all of it, exactly as it was told, whatever fee has come since."""
    told, listed = Told(), [execution("a.01", "2", "2")]
    assert told.unknown(listed) == {"a.01": "USD"}
    fill = Fill("v1", "a.01", Decimal(2), Decimal(200), Decimal("1.5"), NOW)
    assert told.tell(listed, {"a.01": Decimal("1.5")}) == [fill]
    assert (told.unknown(listed), told.unknown(listed, again=True)) == ({}, {})
    assert told.tell(listed, {"a.01": Decimal(9)}) == []
    assert told.tell(listed, {"a.01": Decimal(9)}, again=True) == [fill]


def test_what_was_over_before_is_told_only_when_it_is_asked_for() -> None:
    """Then with its fee; a correction of it is news either way."""
    told, listed = Told(), [execution("a.01", "2", "2")]
    told.past(listed)
    assert (told.unknown(listed), told.tell(listed, {})) == ({}, [])
    assert told.unknown(listed, again=True) == {"a.01": "USD"}
    assert [type(event) for event in told.tell(listed, {}, again=True)] == [Fill]
    corrected = [*listed, execution("a.02", "0", "0")]
    assert told.tell(corrected, {}) == [Busted("a.01", "corrected by a.02")]
    assert told.tell(listed, {}) == [], "a list that is older than what was told"
    assert told.with_earlier([], "7") == [corrected[1]]
    assert told.with_earlier(listed, "8") == listed


@pytest.mark.parametrize(("filled", "executions", "booked", "is_told"), [
    ("0", [], "0", True), ("5", [("2", "2"), ("3", "5")], "0", True), ("5", [("2", "2")], "0", False),
    ("5", [("3", "5")], "0", False), ("5", [("3", "5")], "2", True), ("5", [("3", "5")], "1", False),
    ("5", [], "5", True), ("5", [], "3", False), ("5", [("1", "3"), ("1", "5")], "5", False), (None, [], "0", True)])
def test_when_all_of_an_order_was_told(filled: str | None, executions: list[tuple[str, str]], booked: str,
                                       is_told: bool) -> None:
    """The listed ones are its total, or are the end of it and the beginning is in the books; none may be missing."""
    listed = [execution(f"{number}.01", *one) for number, one in enumerate(executions)]
    over = row(filled=None if filled is None else Decimal(filled))
    assert words.is_told(over, listed, Decimal(booked)) == is_told


@pytest.mark.parametrize(("code", "answer"), [
    (100, Postponed), (103, Postponed), (201, Rejected), (203, Rejected), (110, Rejected), (200, Rejected),
    (321, Rejected), (10318, Rejected), (202, None), (322, None), (399, None), (404, None), (2109, None), (10349, None),
    (135, None), (10147, None), (99_999, None)])
def test_which_codes_are_a_no_to_an_order(code: int, answer: type | None) -> None:
    """Too fast and a number used twice are none for good; a warning and an unknown code decide nothing."""
    found = words.answer_to_order(code, "why")
    assert type(found) is (answer or type(None))
    if isinstance(found, Rejected | Postponed):
        assert found.message == f"ibkr {code}: why"


@pytest.mark.parametrize(("status", "venue_id", "taken"), [
    ("PreSubmitted", 7, True), ("Submitted", 7, True), ("Filled", 7, True), ("Cancelled", 7, True),
    ("PendingSubmit", 7, False), ("ApiPending", 7, False), ("Inactive", 7, False), ("Submitted", 0, False),
    ("a_new_word", 7, False)])
def test_which_states_are_a_yes(status: str, venue_id: int, taken: bool) -> None:
    """What was sent is not yet taken, and an inactive order may have been turned down."""
    assert words.answer_of_state(status, venue_id) == (Accepted("7") if taken else None)


def test_lists_of_codes_do_not_meet() -> None:
    """A warning that were a refusal would end an order that works."""
    assert not words.REFUSED & (words.LOST | words.RESTORED | words.CONNECTION.keys() | words.NOTHING_TO_CANCEL)
    assert not words.REFUSED & {399, 404, 2100, 2109, 10349, words.TOO_FAST, words.TWICE}
