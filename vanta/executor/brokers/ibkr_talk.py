"""One connection to TWS or IB Gateway, and what is said over it.

The library's client does the wire: handshake, framing, decoding, at most 45 messages a second. Its layer above, which
keeps orders, positions and executions, is not used (adr/0013). What the client reads arrives in `hear`, under the names
that the library gives it. Rows are collected for the question that is open; its end completes it. A message that cannot
be read fails the open questions, because it may have been one of their rows.

Everything here runs in the loop of `ibkr_link`.
"""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

from vanta.common.errors import CredentialsRefused, OutsideError, Throttled
from vanta.common.outside.call import GATEWAY
from vanta.common.outside.out import Asking, Out
from vanta.executor.brokers import ibkr_wire as wire
from vanta.executor.brokers import ibkr_words as words
from vanta.executor.brokers.ibkr_wire import Place
from vanta.executor.brokers.ibkr_words import State
from vanta.executor.brokers.port import Answer
from vanta.executor.brokers.trouble import trouble

Key = str | int
"""Of a question: a request's number, or a name where the wire has no number for it."""


class Talk:
    """Whatever is asked raises `OutsideError` unless there is an answer.

    `heard`: something came that nobody asked for. `cut`: why what the gateway answers now is old. `states`, `refusals`
    and `fees` are what messages beside the answers said: by venue id, by an order's number, by execution.
    """

    def __init__(self, place: Place, out: Out) -> None:
        self._out = out
        self._call: Asking | None = None
        self.client = wire.client(place, self.hear, self.misread)
        self.place = place
        self._questions: dict[Key, _Question] = {}
        self._orders: dict[int, asyncio.Future[Answer]] = {}
        self._cancels: dict[int, asyncio.Future[None]] = {}
        self.states: dict[str, State] = {}
        self.refusals: dict[int, str] = {}
        self.fees: dict[str, tuple[Decimal, str]] = {}
        self.more_fees = asyncio.Event()
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._why = "the connection to the gateway was cut"
        self.cut: str | None = None
        self.cut_at = 0.0
        self.heard = False
        self.account = ""

    @property
    def alive(self) -> bool:
        """Whether questions can be asked."""
        return not self._over.done()

    async def open(self, admit: Callable[[list[str]], str]) -> None:
        """Connect. `admit` chooses the account among those that the gateway has, or raises."""
        call = self._call = self._out.begin(self.place.host, None, GATEWAY)
        try:
            await self._connect()
        except asyncio.CancelledError:
            call.failed(TimeoutError())
            raise
        except Exception as error:
            call.failed(error)
            raise
        call.opened()
        self.account = admit(self.client.getAccounts())

    async def _connect(self) -> None:
        place = self.place
        opening = asyncio.ensure_future(self.client.connectAsync(place.host, place.port, place.client_id, 0))
        try:
            await asyncio.wait({opening, self._over}, return_when=asyncio.FIRST_COMPLETED)
            if self._over.done():
                raise OutsideError(f"ibkr: {self._why}", "It is tried again.")
            await opening
        except OSError as error:
            raise OutsideError(f"ibkr: nothing answers where the account's url says ({trouble(error)}): start TWS or "
                               "IB Gateway, log in, and allow socket clients", "It is tried again.") from error
        finally:
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)

    def close(self, why: str = "the connection was closed") -> None:
        """Hang up. Open questions fail."""
        self._end(why)
        self.client.disconnect()

    def ready(self) -> None:
        """Raises `OutsideError` unless the gateway could take an order now."""
        if not self.alive:
            raise OutsideError(f"ibkr: {self._why}", "It is tried again.")
        if self.cut is not None:
            raise OutsideError(f"ibkr: {self.cut}", "It is asked again when the gateway says that it is connected.")

    async def ask(self, name: str | None, send: Callable[[int], None],
                   stop: Callable[[int], None] = lambda _: None) -> list[Any]:
        """One question. Without a name it goes by its number. `stop` calls off what would go on being told."""
        self.ready()
        number = self.client.getReqId()
        key: Key = number if name is None else name
        question = self._questions[key] = _Question(asyncio.get_running_loop().create_future(), [])
        try:
            send(number)
            await question.done
        except OutsideError as error:
            if name is not None and self.cut is None:  # rows that come late would be taken for the next answer
                self.close(error.what.removeprefix("ibkr: "))
            raise
        finally:
            del self._questions[key]
        stop(number)
        self.ready()  # what was answered while the gateway lost its line is old
        return question.rows

    async def answer_to_order(self, send: Callable[[int], None]) -> Answer:
        """Send one order, once, and wait for what the gateway makes of it."""
        number = self.client.getReqId()
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._orders[number] = answer
        try:
            send(number)
            return await answer
        finally:
            del self._orders[number]

    async def cancelled(self, number: int) -> None:
        """Cancel an order of this client, and wait until the gateway has understood. Being over is fine."""
        self.ready()
        answer = self._cancels[number] = asyncio.get_running_loop().create_future()
        try:
            self.client.cancelOrder(number)
            await answer
        finally:
            del self._cancels[number]

    def hear(self, name: str, said: tuple[Any, ...]) -> None:
        """Something that the library has read. What nobody here knows is passed over."""
        if name in wire.ENDS:
            self._complete(wire.ENDS[name] or said[0])
        elif name in wire.ROWS:
            self._row(name, said)
        elif name == "error":
            self._error(*said[:3])
        elif name == "orderStatus":
            self._status(said)
        elif name == "commissionReport":
            fee = words.given(said[0].commission)
            if fee is not None:
                self.fees[said[0].execId] = (fee, said[0].currency)
                self.more_fees.set()
        elif name == "setEventsDone":
            self._end(self._why)

    def misread(self, what: str) -> None:
        """A message came that the library could not read: it may have been a row of an open question."""
        for question in self._questions.values():
            _fail(question.done, OutsideError(f"ibkr: a message cannot be read: {what[:100]}", "It is asked again."))

    def _complete(self, key: Key) -> None:
        question = self._questions.get(key)
        if question is not None and not question.done.done():
            question.done.set_result(None)

    def _row(self, name: str, said: tuple[Any, ...]) -> None:
        """A row of a question that is open, or news."""
        where = wire.ROWS[name]
        question = self._questions.get(where.key if where.key is not None else said[0])
        if name == "openOrder":
            number, _, order, state = said
            if order.clientId == self.place.client_id and order.orderId == number:
                self._answered(number, state.status, order.permId)
        if question is not None:
            question.rows.append(tuple(said[at] for at in where.fields) if len(where.fields) > 1 else said[1])
        elif name != "position":  # those go on until they are called off
            self.heard = True

    def _status(self, said: tuple[Any, ...]) -> None:
        number, status, filled, leaves, _, venue_id, _, _, client_id, *_ = said
        self.states[str(venue_id)] = State(status, words.number(filled), words.number(leaves))
        self.heard = self.heard or "open" not in self._questions
        if client_id == self.place.client_id:
            self._answered(number, status, venue_id)

    def _answered(self, number: int, status: str, venue_id: int) -> None:
        """An order of ours is in a state: that may be the answer to it, or to its cancel."""
        answer = words.answer_of_state(status, venue_id)
        if number in self._orders and answer is not None:
            _settle(self._orders[number], answer)
        if number in self._cancels and status in words.CANCELLED:
            _settle(self._cancels[number], None)

    def _error(self, number: int, code: int, message: str) -> None:
        """TWS says errors, warnings and good news in one way."""
        said = f"ibkr {code}: {message}"
        if code in words.LOST | words.RESTORED or code in words.CONNECTION:
            self._line(code)
        elif number in self._orders:
            self._refused(number, code, message)
        elif number in self._cancels:
            if code in words.NOTHING_TO_CANCEL:
                _settle(self._cancels[number], None)
            else:
                _fail(self._cancels[number], OutsideError(said, "It is asked again."))
        elif number in self._questions:
            _fail(self._questions[number].done, _no_answer(code, said))
        elif number == -1 and code in words.UNNAMED:
            self._fail_all(_no_answer(code, said))
        elif number > 0 and code in words.REFUSED:  # its yes was taken back
            self.refusals[number], self.heard = f"{code} {message}", True

    def _line(self, code: int) -> None:
        """Something about the lines from us to the gateway, or from there to IB."""
        if code in words.CONNECTION:
            self.close(words.CONNECTION[code])
        elif code in words.RESTORED:  # what was asked before is answered now, or never: begin anew
            self.close("the gateway has its line to IB again")
        else:
            self.cut, self.cut_at = f"the gateway has lost its line to IB ({code})", asyncio.get_running_loop().time()
            self._fail_all(OutsideError(f"ibkr: {self.cut}", "It is asked again when the line is back."))

    def _refused(self, number: int, code: int, message: str) -> None:
        """An error about an order that is waited for."""
        answer = words.answer_to_order(code, message)
        if answer is not None:
            _settle(self._orders[number], answer)
        if code == words.TWICE:
            self.close("the gateway has used this order number before")

    def _fail_all(self, error: OutsideError) -> None:
        """No open question is answered. An order that is out is of unknown outcome by it."""
        waiting: list[asyncio.Future[Any]] = [one.done for one in self._questions.values()]
        for one in (*waiting, *self._orders.values(), *self._cancels.values()):
            _fail(one, error)

    def _end(self, why: str) -> None:
        """Nothing comes any more."""
        if not self._over.done():
            self._why = why
            self._over.set_result(None)
            if self._call is not None:
                self._call.closed(wire.received(self.client))
            self._fail_all(OutsideError(f"ibkr: {why}", "It is tried again."))


class _Question(NamedTuple):
    done: asyncio.Future[None]
    rows: list[Any]


class NoSuchContract(OutsideError):
    """TWS knows no share of that description."""


def _no_answer(code: int, said: str) -> OutsideError:
    """What an error answer to a question means."""
    if code == words.TOO_FAST:
        return Throttled(said, words.FIRST_PAUSE_S)
    if code == 200:
        return NoSuchContract(said, "")
    if code == 321:
        return CredentialsRefused(said, 'Switch "Read-Only API" off in the gateway\'s settings, if that is it.')
    return OutsideError(said, "It is asked again.")


def _settle(waiting: "asyncio.Future[Any]", answer: Any) -> None:
    if not waiting.done():
        waiting.set_result(answer)


def _fail(waiting: "asyncio.Future[Any]", error: OutsideError) -> None:
    if not waiting.done():
        waiting.set_exception(error)
