"""Interactive Brokers through TWS or IB Gateway: everything is asked for anew, what comes by itself is only a hint.

The order's reference carries our client order id. It is a label: a second request makes a second order, so an order
whose answer got lost is looked for among the open and the completed ones and in the executions, and left to a person if
it is nowhere. Executions come from the one list that can be asked again, which holds those of the gateway's day. An
order ends only once its executions add up to what the venue says was filled.

Two things are known only once connected, before anything else is asked: the account, which has to fit the mode, and
that no other program uses our clientId. Only the clientId that has sent an order can cancel it.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field

from vanta.common.errors import CredentialsRefused, OperatorError, OutcomeUnknown, OutsideError, Throttled
from vanta.common.instruments import Instrument
from vanta.common.models.base import OperatorModel, Real, validate
from vanta.common.models.configuration import AccountSettings
from vanta.common.money import ZERO
from vanta.common.outside.out import Out
from vanta.executor.brokers import ibkr_words as words
from vanta.executor.brokers.following import Following, Pace
from vanta.executor.brokers.hosts import misfit
from vanta.executor.brokers.ibkr_link import Bounds, Link
from vanta.executor.brokers.ibkr_session import Session
from vanta.executor.brokers.ibkr_wire import Place
from vanta.executor.brokers.ibkr_words import Execution, Row
from vanta.executor.brokers.port import Answer, Capabilities, Event, Found, Postponed, RealBroker, Rejected
from vanta.executor.core.approval import Approved
from vanta.executor.core.entries import OrderEntry
from vanta.executor.core.reconcile import Holdings, named_by_a_home

LIVE, PAPER = "tws://127.0.0.1:7496", "tws://127.0.0.1:7497"

_LOG = logging.getLogger("vanta.executor.brokers.ibkr")
_FEES_SHARE = 4
"""Waiting for fees takes at most this part of a call's time."""


class IbkrOptions(OperatorModel):
    """What the account's options may say."""

    account: str | None = Field(default=None, pattern="^[A-Z]+[0-9]+$", description="the account's number; needed "
                                "where the login has several")
    client_id: int = Field(default=17, ge=1, le=2**31 - 1, description="as which of the gateway's clients it connects; "
                           "orders can only be cancelled by the one that sent them")
    poll_s: Real = Field(default=1.0, ge=0.1, le=3600, description="how often it is asked what became of orders")
    fee_wait_s: Real = Field(default=1.0, ge=0, le=10, description="how long an execution waits for its commission")
    idle_s: Real = Field(default=30.0, gt=0, le=3600, description="a connection over which nothing is asked for so "
                         "long ends: then calls are not allowed")
    reconnect_s: Real = Field(default=1.0, ge=0, le=60, description="pause after an attempt to connect that failed; it "
                              "doubles up to a minute")
    timezone: str = Field(default="UTC", min_length=1, description="of times that the gateway gives without one")


class IbkrBroker(RealBroker):
    """See the module's contract. No secrets: whoever runs the gateway logs in. Options: `IbkrOptions`."""

    name = "ibkr"
    # The reference makes no order unique. Completed orders and executions are listed until the gateway's midnight: for
    # eight hours after the close where it keeps New York's time. Nothing promises that a new order is listed at once.
    capabilities = Capabilities(deduplicates=False, lookup_window_s=28_800, settle_s=10, limit=True, gtc=True,
                                stop=True)

    def __init__(self, settings: AccountSettings, secrets: Mapping[str, str],
                 instruments: Callable[[], Mapping[str, Instrument]], *, live: bool, out: Out | None = None) -> None:
        super().__init__(settings, secrets, instruments, live=live, out=out)
        options = validate(IbkrOptions, settings.options, file="options of the ibkr account")
        host, port = _address(settings.url or (LIVE if live else PAPER))
        _insist_on_zone(options.timezone)
        self._instruments, self._options, self._live = instruments, options, live
        self._link = Link(Place(host, port, options.client_id, options.timezone),
                          Bounds(settings.timeout_s, options.idle_s, options.reconnect_s), self._admit, self.out)
        self._fee_wait_s = min(options.fee_wait_s, settings.timeout_s / _FEES_SHARE)
        self._pace = Pace(options.poll_s)
        self._following, self._told = Following(), words.Told()
        self._booked: dict[str, Decimal] = {}
        self._contracts: dict[tuple[str, str], int] = {}
        self._cancels: dict[str, tuple[Pace, OutsideError | None]] = {}
        self._knows_the_past = False

    def urls(self) -> list[str]:
        """See `RealBroker.urls`."""
        return [self._link.url]

    def close(self) -> None:
        """See `Broker.close`."""
        self._link.close()

    def restore(self, orders: Sequence[OrderEntry]) -> None:
        """See `Broker.restore`. Executions of the day are told from the beginning, older ones are in the books."""
        for order in orders:
            self._following.follow(order.order_id, order.venue_id)
            self._booked[order.order_id] = order.filled

    def _admit(self, accounts: list[str]) -> str:
        """Choose the account, before anything is asked or sent. Raises `CredentialsRefused`."""
        wanted = self._options.account
        if wanted is None and len(accounts) == 1:
            wanted = accounts[0]
        if wanted not in accounts:
            raise CredentialsRefused(f"ibkr: the login has {len(accounts)} accounts, and the settings name "
                                     f"{'another one' if wanted else 'none of them'}",
                                     "Set account in the account's options; the gateway shows their numbers.")
        wrong = misfit(wanted, live=self._live)
        if wrong is not None:
            raise CredentialsRefused(f"ibkr: {wrong}", "Log the gateway in to the other kind, or set executor.mode.")
        return wanted

    def _submit(self, order: Approved, now: datetime) -> Answer:  # noqa: ARG002 - the port's shape
        if order.asset_class != "equity":
            return Rejected(f"ibkr: {order.asset_class} is not traded here, shares are")
        out = False

        async def send(session: Session) -> Answer:
            nonlocal out
            contract_id = await self._contract(session, order)
            if isinstance(contract_id, Rejected):
                return contract_id
            session.ready()
            out = True
            return await session.place(order, contract_id)

        self._following.follow(order.order_id)
        try:
            answer = self._link.run(send)
        except OutsideError as error:
            if out:
                raise OutcomeUnknown(error.what, "The venue is asked before anything else happens.") from error
            answer = _not_sent(error)
        if isinstance(answer, Rejected | Postponed):
            self._following.forget(order.order_id)
        else:
            self._following.follow(order.order_id, answer.venue_id)
        return answer

    async def _contract(self, session: Session, order: Approved) -> int | Rejected:
        """The venue's number for what is to be traded, asked for once."""
        key = (order.symbol, order.currency)
        if key not in self._contracts:
            found = await session.contracts(*key)
            if len(found) != 1:
                listed = ", ".join(sorted(str(one.primaryExchange or one.exchange) for one in found))
                return Rejected(f"ibkr: {order.symbol} in {order.currency} is " + (
                    f"ambiguous: {listed}" if found else "not a share that it knows"))
            self._contracts[key] = int(found[0].conId)
        return self._contracts[key]

    def _lookup(self, order_id: str) -> Found | None:
        async def look(session: Session) -> tuple[list[Row], list[Execution], dict[str, Decimal]]:
            rows = {row.venue_id: row for row in (*await session.open_orders(), *await session.completed())
                    if row.order_id == order_id}
            executions = [one for one in await session.executions() if one.order_id == order_id]
            return list(rows.values()), executions, await self._fees(session, executions, again=True)

        rows, executions, fees = self._link.run(look)
        venue_ids = {row.venue_id for row in rows} | {one.venue_id for one in executions}
        if not venue_ids:
            self._following.forget(order_id)
            return None
        if len(venue_ids) > 1:
            raise OutsideError(f"ibkr has {len(venue_ids)} orders with the reference {order_id}",
                               "Settle it at the venue: one of them must not be there.")
        (venue_id,) = venue_ids
        if not venue_id:
            raise OutsideError(f"ibkr: order {order_id} has no number yet", "It is asked again.")
        self._following.reopen(venue_id)  # it may have been over when this process first looked
        self._following.follow(order_id, venue_id)
        over = [row for row in rows if row.over]
        if not all(self._is_told(row, executions) for row in over):
            raise OutsideError(f"ibkr: executions of {order_id} do not add up to what was filled", "It is asked again.")
        events = self._told.tell(executions, fees, again=True)
        for row in over:
            self._following.end(order_id, None)
            events += [end for end in [words.ended(row)] if end]
        return Found(venue_id, tuple(events))

    def _cancel(self, order_id: str, now: datetime) -> None:
        pace, said = self._cancels.setdefault(order_id, (Pace(self._options.poll_s), None))
        if not pace.due(now):
            if said is not None:
                raise OutsideError(said.what, said.cure)
            return
        try:
            self._link.run(lambda session: self._call_off(session, order_id))
        except OutsideError as error:
            self._cancels[order_id] = (pace, error)
            raise
        self._cancels[order_id] = (pace, None)

    async def _call_off(self, session: Session, order_id: str) -> None:
        mine = self._options.client_id
        found = [row for row in await session.open_orders() if row.order_id == order_id and not row.over]
        if not found and not any(row.order_id == order_id for row in await session.completed()):
            raise OutsideError(f"ibkr does not list order {order_id}", "It is asked again.")
        for row in found:
            if row.client_id != mine:
                raise OutsideError(f"ibkr: order {order_id} was sent as client {row.client_id}, which alone can cancel "
                                   f"it, and client_id is {mine}: set it back, or cancel the order in TWS", "")
            if row.status not in words.CANCELLED:
                await session.cancel(row.number)

    def _poll(self, now: datetime) -> Sequence[Event]:
        if not self._pace.due(now, heard=self._link.heard()):
            return ()
        try:
            self._link.run(self._look)
        except Throttled as busy:
            self._pace.pause(now, busy.retry_after_s)
            raise
        return self._following.news()

    async def _look(self, session: Session) -> None:
        """Ask about everything that may have changed; what is found waits in `following`."""
        rows = {row.venue_id: row for row in await session.open_orders() if row.venue_id}
        listed = {row.order_id for row in rows.values()}
        if not self._knows_the_past or any(order_id not in listed for order_id in self._following.orders):
            rows.update((row.venue_id, row) for row in await session.completed())
        executions = await session.executions()
        if not self._knows_the_past:  # what was over before this process began is not news
            old = {venue_id for venue_id, row in rows.items() if row.over} | {
                one.venue_id for one in executions if one.venue_id not in rows}
            old -= {row.venue_id for row in rows.values() if row.order_id in self._following.orders}
            old -= {one.venue_id for one in executions if one.order_id in self._following.orders}
            self._following.over(old)
            self._told.past(one for one in executions if one.venue_id in old)
            self._knows_the_past = True
        ours = [one for one in executions if named_by_a_home(one.order_id)]
        fees = await self._fees(session, ours)
        self._following.tell(self._told.tell(ours, fees))
        for one in ours:
            self._known(one.order_id, one.venue_id)
        for _, row in sorted(rows.items()):
            if named_by_a_home(row.order_id):
                self._examine(row, [one for one in executions if one.venue_id == row.venue_id])

    def _known(self, order_id: str, venue_id: str) -> str | None:
        """Under which key an order is followed; `None` if everything about it was told."""
        if self._following.is_over(venue_id):
            return None
        followed = self._following.orders.get(order_id)
        key = order_id if followed is None or followed.venue_id in ("", venue_id) else venue_id
        self._following.follow(key, venue_id)  # a second order under the reference is one of its own
        return key

    def _examine(self, row: Row, executions: list[Execution]) -> None:
        """Tell the end of an order once all of it was told."""
        key = self._known(row.order_id, row.venue_id)
        if key is not None and row.over and self._is_told(row, executions):
            self._following.end(key, words.ended(row))
            self._cancels.pop(row.order_id, None)

    def _is_told(self, row: Row, executions: list[Execution]) -> bool:
        """Whether all of an order that is over was told, or is about to be."""
        return words.is_told(row, self._told.with_earlier(executions, row.venue_id),
                             self._booked.get(row.order_id, ZERO))

    async def _fees(self, session: Session, executions: Iterable[Execution], *,
                    again: bool = False) -> dict[str, Decimal]:
        """Fees of executions that are to be told. One whose fee does not come in time is booked without, and noted."""
        unknown = self._told.unknown(executions, again=again)
        fees = await session.fees(unknown, self._fee_wait_s)
        for name in sorted(unknown.keys() - fees.keys()):
            _LOG.warning("ibkr: execution %s is booked without a fee: none came in its currency", name)
        return fees

    def _holdings(self, now: datetime) -> Holdings | None:  # noqa: ARG002 - the port's shape
        shares = [item for item in self._instruments().values() if item.asset_class == "equity"]
        currencies = {item.symbol: item.currency for item in shares}

        async def look(session: Session) -> Holdings:
            orders = tuple(words.venue_order(row) for row in await session.open_orders() if self._works(row))
            return Holdings(await session.positions(currencies), await session.cash(), orders)

        return self._link.run(look)

    def _works(self, row: Row) -> bool:
        """Whether an open order works: TWS goes on listing what it has turned down, as inactive."""
        if row.status == "Inactive":
            return not row.over and row.order_id in self._following.orders
        return bool(row.venue_id) and row.status not in words.GONE


def _address(url: str) -> tuple[str, int]:
    """Host and port of `tws://host:port`. Raises `OperatorError`."""
    parts = urlsplit(url)
    try:
        if parts.scheme == "tws" and parts.hostname and parts.port:
            return parts.hostname, parts.port
    except ValueError:
        pass
    raise OperatorError(f"{url!r} is no address of a gateway", "Write it as tws://127.0.0.1:7497 (IB Gateway: 4002).")


def _insist_on_zone(name: str) -> None:
    """Raises `OperatorError` unless there is such a time zone."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError):
        raise OperatorError(f"{name!r} is no time zone", "Write timezone as in America/New_York.") from None


def _not_sent(error: OutsideError) -> Answer:
    """An order that certainly did not leave: it may later, unless somebody has to act first."""
    if isinstance(error, CredentialsRefused):
        return Rejected(error.what)
    return Postponed(error.what, error.retry_after_s if isinstance(error, Throttled) else words.PAUSE_S)
