"""What TWS and IB Gateway say, in the port's words. Pure: no connection, no clock.

An execution has a name whose last part counts its corrections: `….01.01` is replaced by `….01.02`. The newest stands,
the ones before it are taken back. Numbers come from the library as floats and are read by their shortest form, which
gives back the decimals of the wire. Share classes are written with a space.

What is not listed here as a definite no to an order is none: it is waited for, and asked about.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from vanta.common.money import ZERO
from vanta.executor.brokers.port import Accepted, Answer, Busted, Ended, Event, Fill, Postponed, Rejected
from vanta.executor.core.reconcile import VenueOrder

TAKEN = frozenset({"PreSubmitted", "Submitted", "Filled", "Cancelled", "ApiCancelled", "PendingCancel"})
"""States that an order has only if it was taken, whatever became of it. `Inactive` may be a refusal, or a wait."""

CANCELLED = frozenset({"PendingCancel", "Cancelled", "ApiCancelled", "Filled"})
"""States that answer a cancel: done, on its way, or too late."""

GONE = frozenset({"Cancelled", "ApiCancelled", "Filled"})
"""States of an order that a list of open ones may still show, and that does not work."""

CONNECTION = {
    326: "another program uses this clientId: set another client_id, end that program, or restart the gateway",
    502: "the gateway accepts no connections: allow them in its API settings",
    504: "the gateway is not connected: start it, or log in again",
    507: "the gateway could not read a message",
    1300: "the gateway listens on another port now: set the account's url to it",
}
"""After these nothing comes over a connection any more: what happened, and what to do."""

LOST, RESTORED = frozenset({1100, 2110}), frozenset({1101, 1102})
"""The gateway lost its line to IB, and has it again. What it answers in between is old."""

TOO_FAST, TWICE = 100, 103
FIRST_PAUSE_S, PAUSE_S = 1.0, 5.0
"""How long a gateway is left alone that is asked too fast, and one that cannot take an order now."""

REFUSED = frozenset({
    *range(106, 135), 144, 145, 146, 147, 148, *range(151, 161), 163, 164, 168, 200, 201, 203, 320, 321, 325, 328, 336,
    337, 338, 355, *range(358, 368), 382, 383, 387, 388, 389, 403, 411, 412, 434, 435, 436, 460, 463, 10005, 10052,
    10243, 10268, 10289, 10318})
"""Codes with which TWS turns a new order down. Warnings such as 399, 404, 2109 and 10349 are none: the order works."""

NOTHING_TO_CANCEL = frozenset({161, 202, 10147, 10148})
"""Codes that say that an order is being cancelled, or over."""

UNNAMED = frozenset({100, 320, 321, 322, 323})
"""Codes that, without a number, are about a question that had none."""


class Row(NamedTuple):
    """One order as it is listed. `number` and `client_id` are what it can be cancelled by. `leaves`: what still works.

    `over`: nothing more comes of it, `filled` is all of it (`None`: the venue does not say) and `detail` says why.
    """

    order_id: str
    venue_id: str
    symbol: str
    side: str
    leaves: Decimal
    filled: Decimal | None
    status: str
    number: int = 0
    client_id: int = 0
    over: bool = False
    detail: str = ""


class State(NamedTuple):
    """What the message beside an open order says."""

    status: str
    filled: Decimal
    leaves: Decimal


class Execution(NamedTuple):
    """One execution, or a correction of one. `total` is what its order came to with it."""

    exec_id: str
    venue_id: str
    order_id: str
    quantity: Decimal
    price: Decimal
    total: Decimal
    at: datetime
    currency: str


def number(value: Any) -> Decimal:
    """An exact number. Raises `ValueError` on what is none, such as the library's sign for "not given"."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{value!r} is no number")
    try:
        found = Decimal(value if isinstance(value, str) else repr(value))
    except ArithmeticError:
        raise ValueError(f"{value!r} is no number") from None
    if not found.is_finite() or abs(found) >= Decimal("1e300"):
        raise ValueError(f"{value!r} is no number")
    return found


def given(value: Any) -> Decimal | None:
    """A number; `None` where the venue gives none."""
    try:
        return number(value)
    except ValueError:
        return None


def theirs(symbol: str) -> str:
    """`BRK.B` as TWS writes it."""
    return symbol.replace(".", " ")


def ours(contract: Any, currencies: Mapping[str, str]) -> str:
    """`BRK B` as `Instrument.symbol` has it. What is no share of that currency gets a name that no instrument has."""
    symbol = str(contract.symbol).replace(" ", ".")
    if contract.secType != "STK":
        return f"{contract.secType}:{contract.localSymbol or symbol}"
    if currencies.get(symbol, contract.currency) != contract.currency:
        return f"{symbol}@{contract.currency}"
    return symbol


def open_row(order: Any, symbol: str, state: State, refusal: str | None) -> Row:
    """One of the open orders. `refusal`: the venue's no that came after its yes; then an inactive order is over."""
    return Row(str(order.orderRef), str(order.permId or ""), symbol, side(order.action), state.leaves, state.filled,
               state.status, int(order.orderId), int(order.clientId),
               over=refusal is not None and state.status == "Inactive", detail=refusal or "")


def completed_row(order: Any, symbol: str, state: Any) -> Row:
    """An order that is over, with what it came to."""
    return Row(str(order.orderRef), str(order.permId), symbol, side(order.action), ZERO, given(order.filledQuantity),
               str(state.status), over=True, detail=str(state.completedStatus or state.status))


def execution(contract: Any, row: Any) -> Execution:
    """An execution, as the library read it."""
    return Execution(str(row.execId), str(row.permId), str(row.orderRef), number(row.shares), number(row.price),
                     number(row.cumQty), row.time, str(contract.currency))


def side(action: str) -> str:
    """`BUY` or `SELL`, `SSHORT` among them. Raises `ValueError`."""
    if action not in ("BUY", "SELL", "SSHORT", "SLONG"):
        raise ValueError(f"{action!r} is no side")
    return "buy" if action == "BUY" else "sell"


def venue_order(row: Row) -> VenueOrder:
    """A working order, as holdings list it."""
    return VenueOrder(row.order_id, row.venue_id, row.symbol, row.side, row.leaves)


def ended(row: Row) -> Ended | None:
    """The end of an order that is over; `None` if it was filled."""
    if row.status == "Filled":
        return None
    said, how = row.detail.lower(), "cancelled"
    if row.status == "Inactive" or "reject" in said:
        how = "rejected"
    elif "expire" in said:
        how = "expired"
    return Ended(order_id=row.order_id, how=how, detail=f"ibkr: {row.detail}")


def is_told(row: Row, executions: Iterable[Execution], booked: Decimal) -> bool:
    """Whether the executions that are known are all of an order that is over.

    A new process has only those of the day. What came before them has to be in the books already.
    """
    if row.filled is None:
        return True
    newest = newest_of(executions).values()
    listed = sum((one.quantity for one in newest), ZERO)
    before = min((one.total - one.quantity for one in newest), default=row.filled)
    return listed == row.filled or (listed + before == row.filled and before <= booked)


def newest_of(executions: Iterable[Execution]) -> dict[str, Execution]:
    """The telling that stands, by what all tellings of one execution have in common, in the order of time."""
    found: dict[str, Execution] = {}
    for one in executions:
        stem, revision = parted(one.exec_id)
        if stem not in found or revision > parted(found[stem].exec_id)[1]:
            found[stem] = one
    return dict(sorted(found.items(), key=lambda item: (item[1].at, item[1].total, item[0])))


def parted(exec_id: str) -> tuple[str, int]:
    """What all tellings of one execution have in common, and which one this is."""
    stem, _, last = exec_id.rpartition(".")
    return (stem, int(last)) if stem and last.isdecimal() and int(last) else (exec_id, 1)


def replaced(exec_id: str) -> list[str]:
    """Names of the tellings that this one replaces. Who was told them may be another process, so all are named."""
    stem, revision = parted(exec_id)
    width = len(exec_id) - len(stem) - 1
    return [f"{stem}.{earlier:0{width}d}" for earlier in range(1, min(revision, 100))]


class Told:
    """Executions that were told, or are not to be. Memory grows with the executions of one process only."""

    def __init__(self) -> None:
        self._seen: dict[str, Execution] = {}
        self._fills: dict[str, Fill] = {}

    def past(self, executions: Iterable[Execution]) -> None:
        """These are no news; a later correction of them is."""
        self._seen.update(newest_of(executions))

    def with_earlier(self, executions: Iterable[Execution], venue_id: str) -> list[Execution]:
        """These and the ones of an order that were told before: a list forgets them at the venue's midnight."""
        return [*executions, *(one for one in self._seen.values() if one.venue_id == venue_id)]

    def unknown(self, executions: Iterable[Execution], *, again: bool = False) -> dict[str, str]:
        """Names and currencies of the ones that `tell` would tell for the first time."""
        return {one.exec_id: one.currency for stem, one in newest_of(executions).items()
                if (again or self._is_news(stem, one)) and one.exec_id not in self._fills}

    def tell(self, executions: Iterable[Execution], fees: Mapping[str, Decimal], *, again: bool = False) -> list[Event]:
        """What is news of them, or all of it `again`. What a correction replaces is taken back before it is told."""
        events: list[Event] = []
        for stem, one in newest_of(executions).items():
            if again or self._is_news(stem, one):
                self._seen[stem] = one
                fill = self._fills.setdefault(one.exec_id, Fill(
                    one.order_id, one.exec_id, one.quantity, one.price, fees.get(one.exec_id, ZERO), one.at))
                events += [Busted(name, f"corrected by {one.exec_id}") for name in replaced(one.exec_id)]
                events += [fill] if fill.quantity else []
        return events

    def _is_news(self, stem: str, one: Execution) -> bool:
        return stem not in self._seen or parted(self._seen[stem].exec_id)[1] < parted(one.exec_id)[1]


def answer_to_order(code: int, message: str) -> Answer | None:
    """What an error about a new order means; `None` if it decides nothing."""
    said = f"ibkr {code}: {message}"
    if code == TOO_FAST:
        return Postponed(said, FIRST_PAUSE_S)
    if code == TWICE:  # its number was used before: this order was not taken, and the next gets another number
        return Postponed(said, PAUSE_S)
    return Rejected(said) if code in REFUSED else None


def answer_of_state(status: str, venue_id: int) -> Answer | None:
    """What the state of a new order means; `None` if it decides nothing."""
    return Accepted(str(venue_id)) if status in TAKEN and venue_id else None
