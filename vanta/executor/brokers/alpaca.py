"""Alpaca through alpaca-py: REST is the truth, the stream of trade updates only makes the next look come sooner.

The stream does not replay what it missed and names executions otherwise than REST does, so nothing is booked from it.
A poll lists the open orders, asks about every followed order that is not among them, and fetches the executions of an
order whenever its filled quantity has grown: by order, never by time, so that no clock matters. An order ends only once
its executions add up to what the venue says was filled.

The library is kept on a leash: no retries (it would repeat an order on 429 and 504), no redirects, timeouts (it has
none), raw answers (its models turn quantities into floats).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from warnings import catch_warnings, simplefilter

from pydantic import Field

from vanta.common.errors import CredentialsRefused, OutcomeUnknown, OutsideError, Throttled
from vanta.common.instruments import Instrument
from vanta.common.models.base import OperatorModel, Real, validate
from vanta.common.models.configuration import AccountSettings
from vanta.common.money import plain
from vanta.common.outside.out import Out
from vanta.common.outside.over_requests import mount
from vanta.executor.brokers import alpaca_words as words
from vanta.executor.brokers.alpaca_stream import Hints
from vanta.executor.brokers.following import Following, Pace, bounded, total
from vanta.executor.brokers.port import (
    Accepted,
    Answer,
    Capabilities,
    Event,
    Fill,
    Found,
    Postponed,
    RealBroker,
    Rejected,
)
from vanta.executor.core.approval import Approved
from vanta.executor.core.entries import OrderEntry
from vanta.executor.core.reconcile import Holdings, named_by_a_home

LIVE, PAPER = "https://api.alpaca.markets", "https://paper-api.alpaca.markets"
PAGE, FILLS = 500, 100
"""The largest pages of orders and of executions that Alpaca gives."""

_OPEN_TO_DOUBT = frozenset({408, 409, 425, 499})
"""Client errors that do not say that the order was refused."""

_BUSY_S = 30.0
"""How long to leave a busy venue alone that does not say for how long; its limit is by the minute."""


class AlpacaOptions(OperatorModel):
    """What the account's options may say."""

    poll_s: Real = Field(default=1.0, ge=0.1, le=3600, description="how often it is asked what became of orders")
    recent_s: Real = Field(default=30.0, ge=0, le=3600,
                           description="how often closed orders are looked through for ones that turned up late")
    stream: bool = Field(default=True, description="whether trade updates make the next look come sooner")
    stream_url: str | None = Field(default=None, description="where they come from; by default made from the url")
    stream_idle_s: Real = Field(default=30.0, gt=0, le=3600, description="a stream whose hints nobody asks for ends "
                                "after so long: then calls are not allowed")


class AlpacaBroker(RealBroker):
    """See the module's contract. Secrets: `key_id`, `secret_key`. Options: `AlpacaOptions`."""

    name = "alpaca"
    # A repeated client_order_id is answered with 422 and makes no order, for as long as Alpaca keeps the order; we rely
    # on a day. Orders show up under their id at once as a rule, but nothing promises it: ten seconds.
    capabilities = Capabilities(deduplicates=True, lookup_window_s=86_400, settle_s=10, limit=True, gtc=True,
                                stop=True)

    def __init__(self, settings: AccountSettings, secrets: Mapping[str, str],
                 instruments: Callable[[], Mapping[str, Instrument]], *, live: bool, out: Out | None = None) -> None:
        super().__init__(settings, secrets, instruments, live=live, out=out)
        options = validate(AlpacaOptions, settings.options, file="options of the alpaca account")
        missing = [name for name in ("key_id", "secret_key") if not secrets.get(name)]
        if missing:
            raise CredentialsRefused(f"alpaca needs the secrets key_id and secret_key; missing: {', '.join(missing)}",
                                     "Put them into the account's credentials folder, one file each.")
        url = (settings.url or (LIVE if live else PAPER)).rstrip("/").removesuffix("/v2")
        self._instruments = instruments
        self._client = _client(url, secrets, settings.timeout_s, self.out, live=live)
        bounds = settings.timeout_s, options.stream_idle_s
        self._hints = Hints(options.stream_url or f"ws{url.removeprefix('http')}/stream", secrets, bounds=bounds,
                            out=self.out) if options.stream else None
        self._pace, self._recent = Pace(options.poll_s), Pace(options.recent_s)
        self._following = Following()
        self._knows_the_past = False

    def urls(self) -> list[str]:
        """See `RealBroker.urls`."""
        base = self._client._base_url  # noqa: SLF001 - the library has no other word for it
        return [str(getattr(base, "value", base)), *(self._hints.urls() if self._hints else ())]

    def close(self) -> None:
        """See `Broker.close`."""
        if self._hints is not None:
            self._hints.close()
        self._client._session.close()  # noqa: SLF001 - the library has no close

    def restore(self, orders: Sequence[OrderEntry]) -> None:
        """See `Broker.restore`. Executions are told from the beginning; the executor knows which it has booked."""
        for order in orders:
            self._following.follow(order.order_id)

    def _submit(self, order: Approved, now: datetime) -> Answer:  # noqa: ARG002 - the port's shape
        terms = order.terms
        if terms.stop_price is not None and (order.asset_class == "crypto" or order.quantity % 1):
            return Rejected("alpaca: a stop rests for whole shares only")
        body = {"symbol": order.symbol, "qty": plain(order.quantity), "side": order.side, "type": terms.type,
                "time_in_force": "gtc" if order.asset_class == "crypto" else terms.time_in_force,  # no day without end
                "client_order_id": order.order_id}
        if terms.limit_price is not None:
            body["limit_price"] = plain(terms.limit_price)
        if terms.stop_price is not None:
            body["stop_price"] = plain(terms.stop_price)
        self._following.follow(order.order_id)
        try:
            said = self._client.post("/orders", body)
        except _api_error() as error:
            answer = _refused(error)
            self._following.forget(order.order_id)
            return answer
        if not isinstance(said, dict) or said.get("client_order_id") != order.order_id or not said.get("id"):
            raise OutcomeUnknown("alpaca: the answer does not name the order")
        self._following.follow(order.order_id, str(said["id"]))
        return Accepted(str(said["id"]))

    def _lookup(self, order_id: str) -> Found | None:
        order = self._order(order_id)
        if order is None:
            self._following.forget(order_id)
            return None
        fills = self._fills(order, order_id)
        if total(fills) != words.filled(order):
            raise OutsideError(f"alpaca: executions of {order_id} do not add up to what was filled", "Asked again.")
        if not self._following.is_over(str(order["id"])):
            self._following.follow(order_id, str(order["id"]))
        end = words.ended(order, order_id)
        return Found(str(order["id"]), (*fills, *([end] if end else [])))

    def _cancel(self, order_id: str, now: datetime) -> None:  # noqa: ARG002 - the port's shape
        followed = self._following.orders.get(order_id)
        venue_id = followed.venue_id if followed else ""
        if not venue_id:
            order = self._order(order_id)
            if order is None:
                raise OutsideError(f"alpaca does not know order {order_id}", "It is asked again.")
            venue_id = str(order["id"])
        try:
            self._client.delete(f"/orders/{venue_id}")
        except _api_error() as error:
            if error.status_code != 422:  # it is over already: the poll tells how
                raise _no_answer(error) from None

    def _poll(self, now: datetime) -> Sequence[Event]:
        heard = self._hints.heard() if self._hints else False
        if not self._pace.due(now, heard=heard):
            return ()
        try:
            self._look(now)
        except Throttled as busy:
            self._pace.pause(now, busy.retry_after_s)
            raise
        return self._following.news()

    def _look(self, now: datetime) -> None:
        """Ask about everything that may have changed; what is found waits in `following`."""
        seen = {str(order["client_order_id"]): order for order in self._open_orders()}
        if self._recent.due(now) or not self._knows_the_past:
            closed = self._ask("/orders", {"status": "closed", "limit": 100, "direction": "desc"})
            strangers = [order for order in closed if str(order["client_order_id"]) not in self._following.orders]
            if not self._knows_the_past:  # what was over before this process began is not news
                self._following.over(str(order["id"]) for order in strangers)
                self._knows_the_past = True
            seen.update((str(order["client_order_id"]), order) for order in closed
                        if not self._following.is_over(str(order["id"])))
        for order_id in self._following.orders.keys() - seen.keys():
            order = self._order(order_id)
            if order is not None:
                seen[order_id] = order
        for order_id in sorted(filter(named_by_a_home, seen)):
            self._examine(order_id, seen[order_id])

    def _examine(self, order_id: str, order: Mapping[str, Any]) -> None:
        """Tell executions that were not told, and the end once all of them are."""
        followed, filled = self._following.follow(order_id, str(order["id"])), words.filled(order)
        if filled != followed.told:
            fills = self._fills(order, order_id)
            self._following.tell(fills)
            followed.told = total(fills)
        if order["status"] in words.OVER and followed.told == filled:
            self._following.end(order_id, words.ended(order, order_id))

    def _holdings(self, now: datetime) -> Holdings | None:  # noqa: ARG002 - the port's shape
        spelled = words.spelling(self._instruments())
        account = self._ask("/account", kind=dict)
        orders = tuple(words.venue_order(order, spelled) for order in self._open_orders())
        positions = dict(words.position(item, spelled) for item in self._ask("/positions"))
        return Holdings(positions, {str(account["currency"]): words.number(account["cash"])}, orders)

    def _order(self, order_id: str) -> dict[str, Any] | None:
        """The order under a client order id; `None` only if Alpaca says in its own words that there is none."""
        try:
            found = self._ask("/orders:by_client_order_id", {"client_order_id": order_id}, kind=dict)
        except _NotFound:
            return None
        if found.get("client_order_id") != order_id:
            raise OutsideError(f"alpaca: asked for order {order_id}, told about another one", "It is asked again.")
        return dict(found)

    def _open_orders(self) -> list[dict[str, Any]]:
        """Every open order, oldest first, page by page."""
        found: dict[str, dict[str, Any]] = {}
        after: dict[str, Any] = {}
        while True:
            page = self._ask("/orders", {"status": "open", "limit": PAGE, "direction": "asc", **after})
            known = len(found)
            found.update((str(order["id"]), order) for order in page)
            if len(page) < PAGE:
                return list(found.values())
            if len(found) == known:
                raise OutsideError("alpaca: pages of open orders do not advance", "Fewer orders have to be open.")
            after = {"after": page[-1]["submitted_at"]}

    def _fills(self, order: Mapping[str, Any], order_id: str) -> list[Fill]:
        """Every execution of one order, each once. None are asked for where none are."""
        found: dict[str, Fill] = {}
        page: list[dict[str, Any]] = []
        asked: dict[str, Any] = {"order_id": str(order["id"]), "direction": "asc", "page_size": FILLS}
        while words.filled(order) and (not found or len(page) == FILLS):
            page = self._ask("/account/activities/FILL", asked)
            known = len(found)
            found.update((str(one["id"]), words.fill(one, order_id)) for one in page
                         if one["order_id"] == order["id"])
            if len(found) == known:
                break
            asked["page_token"] = page[-1]["id"]
        return list(found.values())

    def _ask(self, path: str, asked: Mapping[str, Any] | None = None, kind: type = list) -> Any:
        """One question. Raises `OutsideError` unless the answer is of the expected kind."""
        try:
            said = self._client.get(path, dict(asked or {}))
        except _api_error() as error:
            raise _no_answer(error) from None
        if not isinstance(said, kind):
            raise OutsideError(f"alpaca: {path} was answered with {type(said).__name__}", "It is asked again.")
        return said


class _NotFound(OutsideError):
    """Alpaca says that there is no such order."""


def _client(url: str, secrets: Mapping[str, str], timeout_s: float, out: Out, *, live: bool) -> Any:
    """The library's client on its leash."""
    with catch_warnings():
        simplefilter("ignore", DeprecationWarning)  # it imports the older half of websockets
        from alpaca.trading.client import TradingClient

    client = TradingClient(secrets["key_id"], secrets["secret_key"], paper=not live, raw_data=True, url_override=url)
    client._retry, client._retry_codes = 0, []  # noqa: SLF001 - it takes no argument for it, and 0 for "not given"
    session = client._session  # noqa: SLF001 - the only way to a timeout
    session.trust_env = False  # a netrc entry would add an authorization of its own, a proxy would see orders
    mount(session, out, timeout_s=timeout_s)
    return client


def _api_error() -> Any:
    """The library's error, which is imported when it is needed."""
    from alpaca.common.exceptions import APIError

    return APIError


def _details(error: Any) -> tuple[int, int, str]:
    """Status, Alpaca's code (0 if there is none) and its words, from whatever the body is."""
    import json

    try:
        body = json.loads(str(error))
        return int(error.status_code), int(body["code"]), str(body["message"])
    except (ValueError, KeyError, TypeError):
        return int(error.status_code), 0, str(error)[:200]


def _pause(error: Any) -> float:
    """How long the venue wants to be left alone."""
    try:
        return bounded(error.response.headers["Retry-After"])
    except (KeyError, ValueError):
        return _BUSY_S


def _refused(error: Any) -> Answer:
    """What an error answer to an order means. Raises `OutcomeUnknown` unless it is a definite no."""
    status, _, message = _details(error)
    if status == 429:
        return Postponed(f"alpaca: {message}", _pause(error))
    if "client_order_id" in message:  # it exists: ours, from a request whose answer was lost
        raise OutcomeUnknown(f"alpaca: {message}")
    if 400 <= status < 500 and status not in _OPEN_TO_DOUBT:
        return Rejected(f"alpaca {status}: {message}")
    raise OutcomeUnknown(f"alpaca {status}: {message}")


def _no_answer(error: Any) -> OutsideError:
    """What an error answer to a question means."""
    status, code, message = _details(error)
    said = f"alpaca {status}: {message}"
    if status == 429:
        return Throttled(said, _pause(error))
    if status in (401, 403):
        return CredentialsRefused(said, "Check the account's key_id and secret_key.")
    if status == 404 and code == 40410000:
        return _NotFound(said, "")
    return OutsideError(said, "It is asked again.")
