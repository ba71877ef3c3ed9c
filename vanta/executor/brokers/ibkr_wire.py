"""The library that speaks with TWS and IB Gateway: its client, what it is given to send, and what it reads.

The only place that imports it. Quantities and prices go out as text, so that the wire has our decimals.
"""

from collections.abc import Callable
from datetime import UTC
from types import SimpleNamespace
from typing import Any, NamedTuple

from vanta.common.money import plain
from vanta.executor.brokers import ibkr_words as words
from vanta.executor.core.approval import Approved


class Place(NamedTuple):
    """Where a gateway listens, and as which of its clients we come. `zone`: of times that name none."""

    host: str
    port: int
    client_id: int
    zone: str


class Rows(NamedTuple):
    """Whose rows they are (`None`: the number is the first field), and which of the fields to keep."""

    key: str | None
    fields: tuple[int, ...]


ROWS = {"openOrder": Rows("open", (1, 2, 3)), "completedOrder": Rows("completed", (0, 1, 2)),
        "execDetails": Rows(None, (1, 2)), "position": Rows("positions", (0, 1, 2)),
        "accountUpdateMulti": Rows(None, (1, 3, 4, 5)), "contractDetails": Rows(None, (1,))}
"""What the library calls a row of an answer."""

ENDS = {"openOrderEnd": "open", "completedOrdersEnd": "completed", "positionEnd": "positions", "execDetailsEnd": None,
        "accountUpdateMultiEnd": None, "contractDetailsEnd": None}
"""What it calls the end of an answer, and of which; `None`: the number is the first field."""


class _Ear:
    """What the library calls: whatever it reads is passed on, under the library's own name for it."""

    def __init__(self, hear: Callable[[str, tuple[Any, ...]], None], zone: str) -> None:
        self.hear = hear
        self.defaultTimezone = UTC
        self.ib = SimpleNamespace(TimezoneTWS=zone)

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *said: self.hear(name, said)


def client(place: Place, hear: Callable[[str, tuple[Any, ...]], None], misread: Callable[[str], None]) -> Any:
    """A client that is not connected yet.

    `misread` takes the place of the decoder's log: there, a row that cannot be read is noted and then passed over.
    """
    made = _library().Client(_Ear(hear, place.zone))
    made.decoder.logger = SimpleNamespace(exception=misread)
    return made


def received(client: Any) -> int | None:
    """How many bytes came over a connection; `None` once it was cut, when the library knows it no more."""
    return int(client.connectionStats().numBytesRecv) if client.isReady() else None


def share(symbol: str, currency: str, contract_id: int = 0) -> Any:
    """A share, routed by the venue; by the venue's number for it, once that is known."""
    return _library().Contract(conId=contract_id, secType="STK", symbol=words.theirs(symbol), exchange="SMART",
                               currency=currency)


def order(order: Approved, account: str) -> Any:
    """An order as it is sent."""
    limit, stop = order.terms.limit_price, order.terms.stop_price
    price = ({} if limit is None else {"lmtPrice": plain(limit)}) if stop is None else {"auxPrice": plain(stop)}
    return _library().Order(action=order.side.upper(), totalQuantity=plain(order.quantity), orderRef=order.order_id,
                            account=account, tif=order.terms.time_in_force.upper(),
                            orderType={"market": "MKT", "limit": "LMT", "stop": "STP"}[order.terms.type], **price)


def executions_of(account: str) -> Any:
    """Which executions to list: all of an account."""
    return _library().ExecutionFilter(acctCode=account)


def _library() -> Any:
    """The library, which is imported when it is needed."""
    import ib_async

    return ib_async
