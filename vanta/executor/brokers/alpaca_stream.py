"""A hint that something happened at Alpaca: its stream of trade updates, in a thread of its own.

Nothing is read from a message but that it came. So a stream that is silent, refused, cut or hostile costs a second of
waiting and nothing else, and messages that come faster than they are looked at are one hint: there is no queue. When
nobody asks for hints any more the stream ends, because calls may have been forbidden; the next look starts it again.
"""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from vanta.common.outside.allowed import host_of
from vanta.common.outside.call import STREAM
from vanta.common.outside.out import Asking, Out


class Hints:
    """Starts the library's stream at the first look. The library reconnects by itself, after 1 to 30 seconds."""

    def __init__(self, url: str, secrets: Mapping[str, str], *, bounds: tuple[float, float], out: Out) -> None:
        """`bounds`: seconds to connect within, and after which it ends if nobody asks."""
        self._heard, self._asked = threading.Event(), threading.Event()
        self._stream = _stream(url, secrets, bounds, self._asked, out)
        self._stream.subscribe_trade_updates(self._note)
        self._thread: threading.Thread | None = None

    def urls(self) -> list[str]:
        """Where the stream connects to."""
        return [str(self._stream._endpoint)]  # noqa: SLF001 - the library has no other word for it

    def heard(self) -> bool:
        """Whether something came since the last look."""
        self._asked.set()
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._stream.run, name="alpaca-stream", daemon=True)
            self._thread.start()
        heard = self._heard.is_set()
        self._heard.clear()
        return heard

    async def _note(self, _message: Any) -> None:
        self._heard.set()

    def close(self) -> None:
        """End the thread. One that does not end in time dies with the process: it holds nothing."""
        if self._thread is None:
            return
        for _ in range(100):  # it may not have begun to listen yet
            self._stream.end()
            self._thread.join(0.05)
            if not self._thread.is_alive():
                return


async def _opened(out: Out, host: str, start: Callable[[], Awaitable[None]]) -> Asking:
    """Connect, and leave a line of how that ended."""
    call = out.begin(host, None, STREAM)
    try:
        await start()
    except BaseException as error:
        call.failed(error)
        raise
    call.opened()
    return call


def _stream(url: str, secrets: Mapping[str, str], bounds: tuple[float, float], asked: threading.Event,
            out: Out) -> Any:
    """The library's stream, which waits for no answer for ever and can be ended."""
    from alpaca.trading.stream import TradingStream

    timeout_s, idle_s = bounds

    class Bounded(TradingStream):  # type: ignore[misc]
        """With a bound for connecting and authenticating, and an end that does not wait for the next message."""

        call: Asking | None = None

        async def _start_ws(self) -> None:
            start = super()._start_ws
            self.call = await _opened(out, host_of(url), lambda: asyncio.wait_for(start(), timeout_s))

        async def close(self) -> None:
            try:
                await super().close()
            finally:
                if self.call is not None:
                    self.call.closed()

        async def _run_forever(self) -> None:
            watch = asyncio.create_task(self._watch())
            try:
                await super()._run_forever()
            finally:
                watch.cancel()

        async def _watch(self) -> None:
            """End when nobody has asked for a while."""
            while asked.is_set():
                asked.clear()
                await asyncio.sleep(idle_s)
            await self._stop()

        async def _stop(self) -> None:
            await self.stop_ws()
            await self.close()

        def end(self) -> None:
            """Stop from another thread."""
            loop = self._loop
            if loop is not None:
                with contextlib.suppress(RuntimeError):  # the loop has ended already
                    asyncio.run_coroutine_threadsafe(self._stop(), loop)

    return Bounded(secrets["key_id"], secrets["secret_key"], raw_data=True, url_override=url)
