"""The line to a gateway: a thread with the library's loop, one connection at a time, opened by whoever asks.

There is no task that reconnects: a question that finds no connection opens one, after a pause that grows while it
fails. A connection that has left a question without an answer is given up, because what comes late over it would be
taken for an answer to the next question. When nobody asks any more, the connection ends.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

from vanta.common.errors import CredentialsRefused, OutsideError
from vanta.common.outside.out import Out, unwatched
from vanta.executor.brokers.ibkr_session import Session
from vanta.executor.brokers.ibkr_talk import Talk
from vanta.executor.brokers.ibkr_wire import Place

T = TypeVar("T")

_LONGEST_PAUSE_S = 60.0


class Bounds(NamedTuple):
    """Seconds: for a question with all that it needs, until an idle connection ends, first pause after a failure.

    `cut_s`: a gateway that is without its line to IB for longer is asked over a new connection.
    """

    timeout_s: float
    idle_s: float
    pause_s: float
    cut_s: float = 60.0


class Link:
    """Runs questions. `admit` chooses the account among those of a gateway, or raises."""

    def __init__(self, place: Place, bounds: Bounds, admit: Callable[[list[str]], str],
                 out: Out | None = None) -> None:
        self._place, self._bounds, self._admit, self._out = place, bounds, admit, out or unwatched()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._one_at_a_time = asyncio.Lock()
        self._talk: Talk | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._failures, self._not_before = 0, float("-inf")
        self._said = OutsideError("ibkr: not asked yet", "It is tried again.")

    @property
    def url(self) -> str:
        """Where connections go."""
        return f"tws://{self._place.host}:{self._place.port}"

    def heard(self) -> bool:
        """Whether something came since the last look that nobody asked for. A cut is something."""
        talk = self._talk
        if talk is None:
            return False
        heard, talk.heard = talk.heard or not talk.alive, False
        return heard

    def run(self, ask: Callable[[Session], Awaitable[T]]) -> T:
        """Ask over the connection. Raises `OutsideError` if there is none, or no answer in time."""
        if self._loop is None:
            self._loop, self._one_at_a_time = asyncio.new_event_loop(), asyncio.Lock()
            self._thread = threading.Thread(target=self._loop.run_forever, name="ibkr", daemon=True)
            self._thread.start()
        return asyncio.run_coroutine_threadsafe(self._bounded(ask), self._loop).result()

    def close(self) -> None:
        """Hang up and end the thread. A question that is asked after it begins anew."""
        loop, self._loop = self._loop, None
        if loop is not None and self._thread is not None:
            asyncio.run_coroutine_threadsafe(self._hang_up(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            self._thread.join()
            loop.close()

    async def _bounded(self, ask: Callable[[Session], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(self._bounds.timeout_s), self._one_at_a_time:
                found = await ask(await self._connected())
        except TimeoutError:
            self._drop()
            self._said = OutsideError(f"ibkr: no answer within {self._bounds.timeout_s:g} s", "It is asked again.")
            raise self._said from None
        except OutsideError as error:
            self._said = error
            raise
        finally:
            self._wind()
        self._failures, self._not_before = 0, float("-inf")
        return found

    async def _connected(self) -> Session:
        """The connection, opened if there is none. Only here."""
        loop, talk = asyncio.get_running_loop(), self._talk
        if talk is not None and talk.alive and (talk.cut is None or loop.time() - talk.cut_at < self._bounds.cut_s):
            return Session(talk)
        self._drop()
        if loop.time() < self._not_before:
            refused = isinstance(self._said, CredentialsRefused)
            raise (CredentialsRefused if refused else OutsideError)(self._said.what, self._said.cure)
        self._not_before = loop.time() + min(_LONGEST_PAUSE_S, self._bounds.pause_s * 2 ** min(self._failures, 10))
        self._failures += 1
        opened = self._talk = Talk(self._place, self._out)
        try:
            await opened.open(self._admit)
        except OutsideError:
            self._drop()
            raise
        return Session(opened)

    def _drop(self) -> None:
        """Give the connection up."""
        talk, self._talk = self._talk, None
        if talk is not None:
            talk.close()

    def _wind(self) -> None:
        """Let the connection end if nobody asks for a while: calls may have been forbidden."""
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(self._bounds.idle_s, self._drop)

    async def _hang_up(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._drop()
        for _ in range(3):  # a transport closes in the turns after the one that asks it to
            await asyncio.sleep(0)
