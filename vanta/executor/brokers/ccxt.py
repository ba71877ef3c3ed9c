"""Exchanges through ccxt: `coinbase`, `bybit`, and others whose ways the account's options tell.

One submit is one request: nothing is retried, redirects are not followed, and what has to be known first (markets, kind
of account) is asked for before. What became of an order is asked for, at most every `poll_s` seconds: executions by
time with an overlap, then the orders that are not open any more; an end is told after all of its executions.
What an exchange means by its answers is in `ccxt_words`, how it is reached in `ccxt_client`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from vanta.common.errors import CredentialsRefused, OutcomeUnknown, OutsideError, Throttled
from vanta.common.instruments import Instrument
from vanta.common.models.configuration import AccountSettings
from vanta.common.money import plain
from vanta.common.outside.out import Out
from vanta.common.times import millis, parse_iso
from vanta.executor.brokers import ccxt_words as words
from vanta.executor.brokers.ccxt_client import Hidden, Wire, addresses, client, redirected
from vanta.executor.brokers.following import total
from vanta.executor.brokers.port import (
    Accepted,
    Answer,
    Ended,
    Event,
    Fill,
    Found,
    Postponed,
    RealBroker,
    Rejected,
)
from vanta.executor.brokers.trouble import trouble, without_addresses
from vanta.executor.core.approval import Approved
from vanta.executor.core.entries import OrderEntry
from vanta.executor.core.reconcile import Holdings

T = TypeVar("T")
_Told = dict[str, Event]
"""What was told about one order: its executions by id."""

OVERLAP_MS = 5 * 60 * 1000
"""Executions may show up later than others that came after them."""

BACK = timedelta(days=1)
"""How far a new process looks back for executions of orders that had ended before they were told."""

PAUSE_S, LONGEST_PAUSE_S = 5.0, 3600.0
_ODD = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
_PAGES: dict[str, Any] = {"paginate": True, "paginationCalls": 200, "maxRetries": 0}


class CcxtBroker(RealBroker):
    """See the module. Secrets: `api_key`, `secret`, and `password` where the exchange has one."""

    def __init__(self, settings: AccountSettings, secrets: Mapping[str, str],
                 instruments: Callable[[], Mapping[str, Instrument]], *, live: bool, out: Out | None = None) -> None:
        super().__init__(settings, secrets, instruments, live=live, out=out)
        self._dialect = words.dialect(settings.options)
        self.name, self.capabilities = self._dialect.name, self._dialect.capabilities
        self._quote = str(settings.options.get("quote", self._dialect.quote))
        self._every = timedelta(seconds=float(settings.options.get("poll_s", 1.0)))
        missing = [name for name in ("api_key", "secret") if not secrets.get(name)]
        if missing:
            raise CredentialsRefused(f"{self.name} needs {' and '.join(missing)}",
                                     "Put them into the credential that the account names, one file each.")
        self._secrets = Hidden(value for value in secrets.values() if value)
        self._instruments = instruments
        self._wire = Wire()
        self._api = client(self._dialect, {
            "apiKey": secrets["api_key"], "secret": secrets["secret"].replace("\\n", "\n"),
            "password": secrets.get("password", ""), "timeout": int(settings.timeout_s * 1000),
            "enableRateLimit": False,  # it sleeps, before orders too; polls are counted out here
            "options": {**self._dialect.options, "maxRetriesOnFailure": 0}}, self._wire, self.out)
        if settings.url is not None:
            self._api.urls["api"] = redirected(self._api.urls["api"], settings.url.rstrip("/"))
        elif not live and self._api.urls.get("test"):  # without one, asking ccxt for it fails and stays live
            self._api.set_sandbox_mode(True)
        self._ready = False
        self._quiet_until = 0
        self._polled: datetime | None = None
        self._began = 0
        self._now: datetime | None = None
        self._since: int | None = None
        self._markets: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._working: dict[str, _Told] = {}

    def urls(self) -> list[str]:
        """See `RealBroker.urls`."""
        return sorted({self._api.implode_hostname(url) for url in addresses(self._api.urls["api"])})

    def close(self) -> None:
        """See `Broker.close`."""
        self._api.session.close()

    def restore(self, orders: Sequence[OrderEntry]) -> None:
        """See `Broker.restore`."""
        for order in orders:
            self._working[order.order_id] = {}
            self._markets[order.order_id] = order.instrument_id
            if order.venue_id:  # by which it is found, however long ago it was sent
                self._names[order.venue_id] = order.order_id
            sent = parse_iso(order.submitted_at)
            self._since = min(self._since or millis(sent), millis(sent - BACK))

    def _submit(self, order: Approved, now: datetime) -> Answer:
        import ccxt

        self._now = now
        try:
            self._prepare()
        except OutsideError as error:
            pause = error.retry_after_s if isinstance(error, Throttled) else PAUSE_S
            return Postponed(f"not sent: {error.what}", pause)
        refusal = self._unfit(order)
        if refusal is not None:
            return Rejected(refusal)
        self._wire.asks()
        failure, said = None, {}
        try:
            said = self._api.create_order(order.symbol, order.terms.type, order.side, plain(order.quantity),
                                          _limit(order), self._parameters(order))
        except ccxt.BaseError as error:
            failure = error
        if failure is not None:  # judged out here: what is raised in there would carry the exchange's words with it
            return self._judged(failure)
        if not said.get("id") or (said.get("clientOrderId") or order.order_id) != order.order_id:
            raise OutcomeUnknown(f"{self.name}: its answer does not name the order that was sent")
        self._markets[order.order_id] = order.instrument_id
        self._names[str(said["id"])] = order.order_id
        self._working.setdefault(order.order_id, {})
        return Accepted(str(said["id"]))

    def _prepare(self) -> None:
        """Learn what has to be known before an order, so that sending one is one request. Raises `OutsideError`."""
        if not self._ready:
            self._ask(self._api.load_markets)
            if self.name == "bybit":
                self._ask(self._api.is_unified_enabled)
            self._ready = True

    def _unfit(self, order: Approved) -> str | None:
        """Why the exchange could not carry out exactly this order; `None` if nothing speaks against it."""
        market = self._api.markets.get(order.symbol)
        if market is None or not market.get("spot"):
            return f"{self.name} has no spot market {order.symbol}"
        if market["quote"] != self._quote:
            return f"{order.symbol} is not traded in {self._quote}, the currency of this account"
        step = market["precision"]["amount"]
        if step is None or order.quantity % words.number(step):
            return (f"{plain(order.quantity)} {order.symbol} is no multiple of {step}, the step of {self.name}: "
                    "the instrument's lot has to be one")
        limit, tick = order.terms.limit_price, market["precision"]["price"]
        if limit is not None and (tick is None or limit % words.number(tick)):
            return (f"{plain(limit)} is no price of {order.symbol}, whose step at {self.name} is {tick}: the "
                    "instrument's tick has to be a multiple of it")
        if self.name == "bybit" and not any(self._api.is_unified_enabled()):
            return "in a classic account a market buy names a cost, not a quantity; a unified account is needed"
        return None

    def _parameters(self, order: Approved) -> dict[str, Any]:
        """What goes with an order. ccxt would turn Coinbase's market buys into an amount of money to spend.

        No exchange here has an order for the day: it is given until cancelled, and the executor cancels it.
        """
        found: dict[str, Any] = {self._dialect.client_id_param: order.order_id}
        size, limit = {"base_size": plain(order.quantity)}, _limit(order)
        if self.name == "coinbase":
            found["order_configuration"] = {"market_market_ioc": size} if limit is None else {
                "limit_limit_gtc": {**size, "limit_price": limit, "post_only": False}}
        elif limit is not None:
            found.update(timeInForce="GTC", postOnly=False)
        return found

    def _judged(self, error: Exception) -> Answer:
        """What an error of ccxt says about the order. Raises `OutcomeUnknown` unless it says that none was taken."""
        import ccxt

        status, text = self._wire.status, self._text(error)
        if status is not None and status < 500 and words.code_of(self._wire.body) not in self._dialect.doubtful:
            if status in self._dialect.busy or isinstance(error, (ccxt.DDoSProtection, ccxt.RateLimitExceeded)):
                return Postponed(text, self._pause())
            if isinstance(error, ccxt.InvalidNonce):
                return Postponed(f"its clock and ours differ: {text}", LONGEST_PAUSE_S / 60)
            refusing = (ccxt.AuthenticationError, ccxt.InsufficientFunds, ccxt.BadRequest, ccxt.NotSupported,
                        ccxt.OperationRejected, ccxt.InvalidOrder)
            known = isinstance(error, refusing) and not isinstance(error, ccxt.DuplicateOrderId | ccxt.OrderNotFound)
            if known or words.refused(status, self._wire.body):
                return Rejected(text)
        raise OutcomeUnknown(f"{self.name}: {text}")

    def _ms(self) -> int:
        """The newest time that the executor has told, or the clock that signs requests where it has told none yet."""
        return int(self._api.milliseconds()) if self._now is None else millis(self._now)

    def _pause(self) -> float:
        """How long the exchange wants to be left alone, within bounds. Questions keep to it where it says so."""
        asked = self._wire.headers.get("Retry-After", "")
        if not re.fullmatch(r"\d{1,9}(\.\d+)?", asked, re.ASCII):
            return PAUSE_S
        pause = min(float(asked), LONGEST_PAUSE_S)
        self._quiet_until = self._ms() + int(pause * 1000)
        return pause

    def _ask(self, question: Callable[[], T]) -> T:
        """One question. Raises `CredentialsRefused`, `Throttled` or another `OutsideError`."""
        import ccxt

        left = (self._quiet_until - self._ms()) / 1000
        if left > 0:
            raise Throttled(f"{self.name} asked to be left alone", left)
        self._wire.asks()
        try:
            return question()
        except (ccxt.BaseError, *_ODD) as error:  # the second: a key that cannot sign, or an answer of another shape
            failure = error
        status, text = self._wire.status or 0, self._text(failure)
        busy = status < 500 and isinstance(failure, (ccxt.DDoSProtection, ccxt.RateLimitExceeded))
        if status in self._dialect.busy or busy:
            raise Throttled(f"{self.name}: {text}", self._pause())
        if status < 500 and isinstance(failure, ccxt.AuthenticationError):
            raise CredentialsRefused(f"{self.name}: {text}", "Look at the account's credential.")
        raise OutsideError(f"{self.name}: {text}", "It is asked again.")

    def _text(self, error: Exception) -> str:
        """An error in words, without addresses and secrets: exchanges have been seen to repeat a key they refused."""
        if self._wire.status is None:  # nothing that an exchange said
            return trouble(error)
        text = without_addresses(f"{type(error).__name__}: {error}")
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text[:300]

    def _lookup(self, order_id: str) -> Found | None:
        self._prepare()
        order = self._find(order_id)
        if order is None:
            return None
        self._names[str(order["id"])] = order_id
        told = self._working.setdefault(order_id, {})
        since = int(order["timestamp"] or self._ms() - self.capabilities.lookup_window_s * 1000) - OVERLAP_MS
        for trade in self._trades(since, str(order["symbol"])):
            if str(trade["order"]) == str(order["id"]):
                told[str(trade["id"])] = words.execution(trade, order_id)
        return Found(str(order["id"]), (*told.values(), *self._ends(order, order_id)))

    def _find(self, order_id: str) -> Mapping[str, Any] | None:
        """The order under a client id; `None` only if the exchange answered and does not have it."""
        key = self._dialect.lookup_param
        if key is None:
            venue_id = next((venue_id for venue_id, name in self._names.items() if name == order_id), None)
            if venue_id is not None:
                return dict(self._ask(lambda: self._api.fetch_order(venue_id)))
            since = self._ms() - (self.capabilities.lookup_window_s + 3600) * 1000
            found = self._ask(lambda: self._api.fetch_orders(None, since, None, _PAGES))
            return next((order for order in found if order.get("clientOrderId") == order_id), None)
        for symbol in self._symbols(order_id):
            past = "fetchCanceledAndClosedOrders" if self._api.has.get("fetchCanceledAndClosedOrders") else \
                "fetchClosedOrders"
            for method in ("fetchOpenOrders", past):
                ask = getattr(self._api, self._api.un_camel_case(method))
                for order in self._ask(partial(ask, symbol, None, None, {key: order_id})):
                    if order.get("clientOrderId") == order_id:
                        return dict(order)
        return None

    def _symbols(self, order_id: str = "") -> list[str | None]:
        """The markets that a question has to name: one without a name where the exchange needs none."""
        if not self._dialect.by_symbol:
            return [None]
        table = self._instruments()
        known = table.get(self._markets.get(order_id, ""))
        listed = sorted(item.symbol for item in table.values()
                        if item.currency == self._quote and item.symbol in self._api.markets)
        return [known.symbol] if known is not None else [*listed]

    def _trades(self, since: int, symbol: str | None = None) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        pages = {} if self._dialect.by_symbol else _PAGES
        for one in [symbol] if symbol is not None else self._symbols():
            found += self._ask(partial(self._api.fetch_my_trades, one, since, None, pages))
        return sorted(found, key=lambda trade: (trade["timestamp"] or 0, str(trade["id"])))

    def _open(self) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        if self.name == "coinbase":  # ccxt turns its pages only beside a time, by which open orders are not asked for
            page: dict[str, Any] = {}
            for _ in range(_PAGES["paginationCalls"]):
                found += self._ask(partial(self._api.fetch_open_orders, None, None, None, page))
                page = {"cursor": self._wire.body.get("cursor")}
                if not page["cursor"] or not self._wire.body.get("has_next"):
                    return found
            raise OutsideError(f"{self.name}: its list of open orders does not end", "It is asked again.")
        pages = {} if self._dialect.by_symbol else _PAGES
        since = 1 if self.name == "bybit" else None  # a cursor comes with each of its pages, which ccxt follows only so
        for symbol in self._symbols():
            found += self._ask(partial(self._api.fetch_open_orders, symbol, since, None, pages))
        return found

    def _cancel(self, order_id: str, now: datetime) -> None:
        self._now = now
        self._prepare()
        order = self._find(order_id)
        if order is None or words.is_over(order):
            return
        self._working.setdefault(order_id, {})
        try:
            self._ask(lambda: self._api.cancel_order(order["id"], order["symbol"]))
        except OutsideError:
            if words.code_of(self._wire.body) not in self._dialect.gone:
                raise

    def _poll(self, now: datetime) -> Sequence[Event]:
        if self._polled is not None and now - self._polled < self._every:
            return ()
        self._polled = self._now = now
        self._prepare()
        self._began = self._began or millis(now)
        if self._since is None:
            self._since = millis(now - BACK)
        events: list[Event] = []
        for trade in self._trades(self._since):
            name = self._name(trade)
            if words.OURS.fullmatch(name) or trade["timestamp"] >= self._began:
                event = words.execution(trade, name)
                events.append(event)
                if name in self._working:
                    self._working[name][str(trade["id"])] = event
            self._since = max(self._since, trade["timestamp"] - OVERLAP_MS)
        return [*events, *self._endings()]

    def _name(self, trade: Mapping[str, Any]) -> str:
        """The client order id that an execution belongs to, or the exchange's name where somebody else ordered it."""
        venue_id = str(trade["order"])
        if venue_id not in self._names:
            found = trade["info"].get(self._dialect.lookup_param or "")
            if found is None:
                found = self._ask(lambda: self._api.fetch_order(venue_id, trade["symbol"])).get("clientOrderId")
            self._names[venue_id] = str(found or venue_id)
        return self._names[venue_id]

    def _endings(self) -> list[Ended]:
        """Ends of orders that are not open any more."""
        if not self._working:
            return []
        listed = {order.get("clientOrderId") for order in self._open()}
        found: list[Ended] = []
        for order_id in [name for name in self._working if name not in listed]:
            order = self._find(order_id)
            if order is not None:
                self._names[str(order["id"])] = order_id
                found += self._ends(order, order_id)
        return found

    def _ends(self, order: Mapping[str, Any], order_id: str) -> list[Ended]:
        """The end of an order that is over and whose executions were all told; from then on it is left alone."""
        executed = total(event for event in self._working[order_id].values() if isinstance(event, Fill))
        if not words.is_over(order) or executed < words.amount(order, "filled"):
            return []
        del self._working[order_id]
        end = words.ending(order, order_id)
        return [end] if end is not None else []

    def _holdings(self, now: datetime) -> Holdings | None:
        self._now = now
        self._prepare()
        balance = self._ask(self._api.fetch_balance)
        return words.holdings(balance, self._open(), self._quote)


def _limit(order: Approved) -> str | None:
    """The limit price of an order, exactly."""
    return None if order.terms.limit_price is None else plain(order.terms.limit_price)
