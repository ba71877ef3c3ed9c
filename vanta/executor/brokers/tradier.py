"""Tradier over HTTP: a venue that knows orders by its own numbers only, so that a lost answer is answered by looking.

Nothing stops it from taking one order twice: the tag is a label. `lookup` therefore lists the session's orders with
their tags, and an order that is not there is left to a person. Executions are told by totals; see `tradier_words`.
It is asked every two seconds and no stream is used: totals miss nothing. 60 calls a minute are allowed; orders of
earlier days, which no list has, are asked about by number one by one, and so rarely that orders and cancels have room.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from vanta.common import strictjson
from vanta.common.errors import BadInput, CredentialsRefused, OutcomeUnknown, OutsideError, Throttled
from vanta.common.instruments import Instrument
from vanta.common.models.base import OperatorModel, Real, validate
from vanta.common.models.configuration import AccountSettings
from vanta.common.money import plain
from vanta.common.outside.out import Out
from vanta.common.outside.over_httpx import transport
from vanta.common.times import millis
from vanta.executor.brokers import tradier_words as words
from vanta.executor.brokers.following import Followed, Following, Pace, bounded
from vanta.executor.brokers.port import Accepted, Answer, Capabilities, Event, Found, Postponed, RealBroker, Rejected
from vanta.executor.core.approval import Approved
from vanta.executor.core.entries import OrderEntry
from vanta.executor.core.reconcile import Holdings, named_by_a_home

LIVE, SANDBOX = "https://api.tradier.com/v1", "https://sandbox.tradier.com/v1"

_OPEN_TO_DOUBT = frozenset({408, 409, 425, 499})
"""Client errors that do not say that the order was refused."""

_OLDER_S = 6.0
"""How often one order of an earlier day is asked about: ten calls a minute, beside thirty lists, six for the books."""

_BUSY_S = 60.0
"""How long to leave a busy venue alone that does not say for how long; its limit is by the minute."""


class TradierOptions(OperatorModel):
    """What the account's options may say, and have to."""

    account_id: str = Field(min_length=1, pattern="^[A-Za-z0-9]+$", description="the account's number at Tradier")
    poll_s: Real = Field(default=2.0, ge=1, le=3600, description="how often it is asked what became of orders")


class TradierBroker(RealBroker):
    """See the module's contract. Secrets: `access_token`. Options: `TradierOptions`."""

    name = "tradier"
    # The tag makes no order unique: a second request makes a second order. Orders are listed for the session of the day
    # (6.5 hours), and nothing promises that a new one is listed at once: ten seconds.
    capabilities = Capabilities(deduplicates=False, lookup_window_s=23_400, settle_s=10, limit=True, gtc=True,
                                stop=True)

    def __init__(self, settings: AccountSettings, secrets: Mapping[str, str],
                 instruments: Callable[[], Mapping[str, Instrument]], *, live: bool, out: Out | None = None) -> None:
        super().__init__(settings, secrets, instruments, live=live, out=out)
        import httpx

        if not secrets.get("access_token"):
            raise CredentialsRefused("tradier needs the secret access_token",
                                     "Put it into the account's credentials folder, as a file of its own.")
        options = validate(TradierOptions, settings.options, file="options of the tradier account")
        self._client = httpx.Client(
            base_url=settings.url or (LIVE if live else SANDBOX), timeout=settings.timeout_s, follow_redirects=False,
            transport=transport(self.out),
            trust_env=False,  # a netrc entry would replace the authorization, a proxy would see orders
            headers={"Accept": "application/json", "Authorization": f"Bearer {secrets['access_token']}"})
        self._account = f"accounts/{options.account_id}"
        self._pace, self._older = Pace(options.poll_s), Pace(_OLDER_S)
        self._asked_last = ""
        self._following = Following()
        self._knows_the_past = False

    def urls(self) -> list[str]:
        """See `RealBroker.urls`."""
        return [str(self._client.base_url)]

    def close(self) -> None:
        """See `Broker.close`."""
        self._client.close()

    def restore(self, orders: Sequence[OrderEntry]) -> None:
        """See `Broker.restore`. Executions are told from what the books hold on."""
        for order in orders:
            followed = self._following.follow(order.order_id, order.venue_id)
            followed.told, followed.worth = order.filled, order.worth

    def _submit(self, order: Approved, now: datetime) -> Answer:
        if order.asset_class != "equity":
            return Rejected(f"tradier: {order.asset_class} is not traded here")
        self._following.follow(order.order_id)
        limit, stop = order.terms.limit_price, order.terms.stop_price
        response = self._client.post(f"{self._account}/orders", data={
            "class": "equity", "symbol": words.theirs(order.symbol),
            "side": words.side(order.side, reduces=order.reduces), "quantity": plain(order.quantity),
            "type": order.terms.type, "duration": order.terms.time_in_force, "tag": order.order_id,
            **({} if limit is None else {"price": plain(limit)}), **({} if stop is None else {"stop": plain(stop)})})
        body = _readable(response)
        if response.status_code == 200 and isinstance(body, dict) and words.problem(body) is None:
            venue_id = str(body["order"]["id"])
            self._following.follow(order.order_id, venue_id)
            return Accepted(venue_id)
        answer = _refused(response, body, now)
        self._following.forget(order.order_id)
        return answer

    def _lookup(self, order_id: str) -> Found | None:
        found = [order for order in self._orders() if order.get("tag") == order_id]
        if not found:
            self._following.forget(order_id)
            return None
        if len(found) > 1:
            raise OutsideError(f"tradier has {len(found)} orders with the tag {order_id}",
                               "Settle it at the venue: one of them must not be there.")
        venue_id = str(found[0]["id"])
        self._following.reopen(venue_id)  # it may have been over when this process first looked
        self._examine(found[0])
        return Found(venue_id, tuple(self._following.news()))

    def _cancel(self, order_id: str, now: datetime) -> None:  # noqa: ARG002 - the port's shape
        followed = self._following.orders.get(order_id)
        venue_ids = [followed.venue_id] if followed and followed.venue_id else [
            str(order["id"]) for order in self._orders() if order.get("tag") == order_id]
        if not venue_ids:
            raise OutsideError(f"tradier does not list order {order_id}", "It is asked again.")
        for venue_id in venue_ids:
            try:
                self._ask("DELETE", f"orders/{venue_id}")
            except Throttled:
                raise
            except OutsideError:  # it may be over already: only its state tells
                if self._order(venue_id)["status"] not in words.OVER:
                    raise

    def _poll(self, now: datetime) -> Sequence[Event]:
        if not self._pace.due(now):
            return ()
        try:
            self._look(now)
        except Throttled as busy:
            self._pace.pause(now, busy.retry_after_s)
            raise
        return self._following.news()

    def _look(self, now: datetime) -> None:
        """Ask about everything that may have changed; what is found waits in `following`."""
        listed = {str(order["id"]): order for order in self._orders()}
        if not self._knows_the_past:  # what was over before this process began is not news
            self._following.over(venue_id for venue_id, order in listed.items()
                                 if order["status"] in words.OVER and order.get("tag") not in self._following.orders)
            self._knows_the_past = True
        older = sorted(followed.venue_id for followed in self._following.orders.values()
                       if followed.venue_id and followed.venue_id not in listed)
        if older and self._older.due(now):  # known by its number only: one after the other
            self._asked_last = next((name for name in older if name > self._asked_last), older[0])
            listed[self._asked_last] = self._order(self._asked_last)
        for venue_id, order in sorted(listed.items()):
            if named_by_a_home(str(order.get("tag") or "")) and not self._following.is_over(venue_id):
                self._examine(order)

    def _examine(self, order: Mapping[str, Any]) -> None:
        """Tell what was executed beyond what was told, and the end."""
        tag, venue_id = str(order["tag"]), str(order["id"])
        if self._following.is_over(venue_id):
            return
        before = self._following.orders.get(tag, Followed())
        key = tag if before.venue_id in ("", venue_id) else venue_id  # a second order under the tag is one of its own
        followed = self._following.follow(key, venue_id)
        fill = words.fill(order, tag, followed)
        if fill is not None:
            self._following.tell([fill])
            followed.told += fill.quantity
            followed.worth += fill.quantity * fill.price
        if words.is_over(order):
            self._following.end(key, words.ended(order, tag))

    def _holdings(self, now: datetime) -> Holdings | None:  # noqa: ARG002 - the port's shape
        positions = {words.ours(str(row["symbol"])): words.number(row["quantity"])
                     for row in words.rows(self._ask("GET", "positions"), "positions", "position")}
        cash = words.number(self._ask("GET", "balances")["balances"]["total_cash"])
        orders = tuple(words.venue_order(order) for order in self._orders() if order["status"] not in words.OVER)
        return Holdings(positions, {"USD": cash}, orders)

    def _orders(self) -> list[dict[str, Any]]:
        """The orders of the session, and older ones that work."""
        return words.rows(self._ask("GET", "orders", includeTags="true"), "orders", "order")

    def _order(self, venue_id: str) -> dict[str, Any]:
        """One order by Tradier's number."""
        (order,) = words.rows({"orders": self._ask("GET", f"orders/{venue_id}", includeTags="true")}, "orders", "order")
        return order

    def _ask(self, method: str, path: str, **query: str) -> dict[str, Any]:
        """One question. Raises `OutsideError` unless there is an answer."""
        response = self._client.request(method, f"{self._account}/{path}", params=query)
        status = response.status_code
        if status == 429:
            raise Throttled("tradier is busy", _pause(response, None))
        if status in (401, 403):
            raise CredentialsRefused(f"tradier {status}: {response.text[:200]}", "Check the account's access_token.")
        try:
            body = _body(response)
        except BadInput as error:
            raise OutsideError(f"tradier {status}: {error.reason}", "It is asked again.") from None
        said = words.problem(body)
        if status != 200 or said is not None or not isinstance(body, dict):
            raise OutsideError(f"tradier {status}: {said or response.text[:200]}", "It is asked again.")
        return body


def _body(response: Any) -> Any:
    """The answer, read strictly: numbers keep their decimals. Raises `BadInput`."""
    return strictjson.loads(response.content, file="answer of tradier")


def _readable(response: Any) -> Any:
    """The answer, or `None`: errors are often plain text."""
    try:
        return _body(response)
    except BadInput:
        return None


def _pause(response: Any, now: datetime | None) -> float:
    """How long the venue wants to be left alone: Retry-After, or until its minute is over."""
    try:
        if "Retry-After" in response.headers:
            return bounded(response.headers["Retry-After"])
        if now is not None:
            until = int(response.headers["X-Ratelimit-Expiry"])
            return min(_BUSY_S, max(1.0, (until - millis(now)) / 1000))
    except (KeyError, ValueError):
        pass
    return _BUSY_S


def _refused(response: Any, body: Any, now: datetime) -> Answer:
    """What an answer other than yes means for an order. Raises `OutcomeUnknown` unless it is a definite no."""
    status, errors = response.status_code, words.problem(body)
    said = errors or response.text[:200]
    if status == 429:
        return Postponed(f"tradier: {said}", _pause(response, now))
    refused = 400 <= status < 500 and status not in _OPEN_TO_DOUBT
    if refused or (status == 200 and errors is not None and "order" not in body):
        return Rejected(f"tradier {status}: {said}")
    raise OutcomeUnknown(f"tradier {status}: {said}")
