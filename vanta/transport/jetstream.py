"""The server: NATS JetStream, over mutual TLS. The only place that knows its client library and its words.

The library is asynchronous and reconnects by itself. Here each call runs its loop until it is answered, with one
deadline for everything, and a connection on which anything went wrong is given up: the next call begins anew, with the
next server of the list. So nothing is ever sent twice behind the caller's back.
"""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, TypeVar

import orjson

from vanta.common.errors import OperatorError
from vanta.common.outside.allowed import host_of
from vanta.common.outside.call import NotAllowed
from vanta.common.outside.out import Asking
from vanta.transport.bus import Conflict, Message, NotTaken, Way
from vanta.transport.core.streams import Stream, inbox
from vanta.transport.port import LinkDown

T = TypeVar("T")
Client = Any
"""The library's connection; as everywhere it is imported only where it is used."""
Msg = Any
"""Its message: `data`, and `headers` or `None`."""
_WRONG_LAST = frozenset({10071, 10164})
_END, _NONE = "204", "404"
_CLOSE_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where the servers are, as `tls://host:4222`, and the files by which both sides know each other."""

    servers: tuple[str, ...]
    user: str
    ca: str
    certificate: str
    key_file: str
    timeout_s: float


class NatsBus:
    """See `Bus`. One thread at a time. Each connection leaves its lines: opened, closed, or what went wrong."""

    def __init__(self, access: Access, way: Way) -> None:
        """Raises `OperatorError` where the library is not installed."""
        if find_spec("nats") is None:
            raise OperatorError("the client of NATS is not installed", "Run `scripts/setup.sh nats`.")
        logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of every end of a TLS connection
        self._access, self._way = access, way
        self._call: Asking | None = None
        self._turn = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: Client | None = None
        self._trouble: asyncio.Future[Exception] | None = None

    def most(self) -> int:
        """See `Bus.most`."""
        async def work(client: Client) -> int:
            return int(client.max_payload)
        return self._run(work)

    def publish(self, stream: Stream, body: bytes, *, after: int | None = None, name: str | None = None) -> int:
        """See `Bus.publish`."""
        if len(body) > self.most():
            raise NotTaken(f"{stream.subject}: a message has {len(body):,} bytes, and the server takes {self.most():,}")
        headers = {"Nats-Expected-Stream": stream.name}
        if after is not None:
            headers["Nats-Expected-Last-Sequence"] = str(after)
        if name is not None:
            headers["Nats-Msg-Id"] = name
        said = self._said(stream.subject, body, headers, missing=f"no stream takes {stream.subject}: make them with "
                          "`vanta transport streams`")
        return int(said["seq"])

    def last(self, stream: Stream) -> Message | None:
        """See `Bus.last`."""
        found = self._messages(f"$JS.API.DIRECT.GET.{stream.name}.{stream.subject}", b"", stream)
        return found[0] if found else None

    def from_seq(self, stream: Stream, seq: int, *, count: int, most: int) -> list[Message]:
        """See `Bus.from_seq`."""
        asked = {"seq": seq, "batch": count, "max_bytes": most} if count > 1 else {"seq": seq, "batch": 1}
        return self._messages(f"$JS.API.DIRECT.GET.{stream.name}", orjson.dumps(asked), stream)

    def ensure(self, configuration: dict[str, Any]) -> bool:
        """See `Bus.ensure`."""
        name, body, missing = configuration["name"], orjson.dumps(configuration), "JetStream is not enabled there"
        there = self._said(f"$JS.API.STREAM.INFO.{name}", b"", {}, missing=missing, absent=True)
        what = "UPDATE" if there else "CREATE"
        self._said(f"$JS.API.STREAM.{what}.{name}", body, {}, missing=missing)
        return not there

    def close(self) -> None:
        """See `Bus.close`."""
        loop, client, self._loop, self._client = self._loop, self._client, None, None
        call, self._call = self._call, None
        if call is not None and client is not None:
            call.closed(client.stats["in_bytes"])
        if loop is None:
            return
        with contextlib.suppress(Exception):
            if client is not None:
                loop.run_until_complete(asyncio.wait_for(client.close(), _CLOSE_S))
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.close()

    def _said(self, subject: str, body: bytes, headers: Mapping[str, str], *, missing: str,
              absent: bool = False) -> dict[str, Any]:
        """An answer in the server's own words; with `absent` empty for what is not there. Raises `NotTaken`."""
        message = self._run(lambda client: self._ask(client, subject, body, headers))[0]
        if (message.headers or {}).get("Status"):
            raise NotTaken(missing)
        try:
            found: dict[str, Any] = orjson.loads(message.data)
            error = found.get("error")
            code, words = (int(error.get("err_code", 0)), str(error.get("description"))) if error else (0, "")
        except (ValueError, AttributeError, TypeError) as problem:
            raise self._down(f"an answer that makes no sense: {message.data[:80]!r}") from problem
        if absent and error and error.get("code") == int(_NONE):
            return {}
        if error:
            raise (Conflict if code in _WRONG_LAST else NotTaken)(f"{subject}: the server says: {words}")
        return found

    def _messages(self, subject: str, body: bytes, stream: Stream) -> list[Message]:
        answers = self._run(lambda client: self._ask(client, subject, body, {}, many=True))
        found = list[Message]()
        for one in answers:
            headers = one.headers or {}
            status = headers.get("Status")
            if status in {_END, _NONE}:
                break
            if status:
                raise NotTaken(f"there is no stream {stream.name}, or it cannot be read (status {status}): make them "
                               "with `vanta transport streams`")
            if not headers.get("Nats-Sequence", "").isdigit() or headers.get("Nats-Stream") != stream.name:
                raise self._down("a message that is none of the stream that was asked for")
            found.append(Message(int(headers["Nats-Sequence"]), bytes(one.data)))
        return found

    def _run(self, work: Callable[[Client], Awaitable[T]]) -> T:
        """Let the loop run until it is done. Whatever goes wrong ends the connection."""
        import nats.errors

        async def whole() -> T:
            if self._client is None:
                self._client = await self._connected()
            return await work(self._client)

        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        try:
            return self._loop.run_until_complete(asyncio.wait_for(whole(), self._access.timeout_s))
        except TimeoutError as error:
            raise self._down(f"no answer within {self._access.timeout_s:g} s") from error
        except NotAllowed as error:
            raise self._down(error.what) from error
        except (OSError, ValueError, nats.errors.Error) as error:
            raise self._down(f"{self._server()}: {str(error) or type(error).__name__}") from error

    def _server(self) -> str:
        return self._access.servers[self._turn % len(self._access.servers)]

    def _down(self, why: str) -> LinkDown:
        self.close()
        self._turn += 1
        return LinkDown(why)

    async def _connected(self) -> Client:
        import nats.errors
        from nats.aio.client import Client as Library

        trouble = self._trouble = asyncio.get_running_loop().create_future()

        async def wrong(error: Exception) -> None:
            if not trouble.done():
                trouble.set_result(error)

        async def over() -> None:
            if not trouble.done():
                trouble.set_result(ConnectionResetError("the link ended"))

        client, tls = Library(), self._tls()
        call = self._call = self._way.out.begin(host_of(self._server()), None, self._way.purpose)
        try:
            await self._next(client.connect(  # by itself it would try again and again
                self._server(), name=f"vanta {self._access.user}", allow_reconnect=False, tls=tls,
                inbox_prefix=inbox(self._access.user), error_cb=wrong, closed_cb=over, disconnected_cb=over,
                connect_timeout=max(1, round(self._access.timeout_s)), pending_size=64 << 20))
        except asyncio.CancelledError:
            call.failed(TimeoutError())
            raise
        except (OSError, ValueError, nats.errors.Error) as error:
            call.failed(error)
            raise
        call.opened()
        return client

    def _tls(self) -> ssl.SSLContext:
        """Both sides show a certificate of the one authority that is named."""
        try:
            context = ssl.create_default_context(cafile=self._access.ca)
            context.load_cert_chain(self._access.certificate, self._access.key_file)
        except OSError as error:
            raise OSError(f"the files of [transport.nats] cannot be used: {error}") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        return context

    async def _ask(self, client: Client, subject: str, body: bytes, headers: Mapping[str, str], *,
                   many: bool = False) -> list[Msg]:
        """The answer, or with `many` all of them up to the one that ends them."""
        inbox_, found = client.new_inbox(), list[Msg]()
        answers = await client.subscribe(inbox_)
        await client.publish(subject, body, reply=inbox_, headers=dict(headers) or None)
        while not found or (many and _goes_on(found[-1])):
            found.append(await self._next(answers.next_msg(timeout=None)))
        await answers.unsubscribe()
        return found

    async def _next(self, message: Awaitable[Msg]) -> Msg:
        """What is waited for; a permission that is missing, or a link that ends or is refused, is told at once."""
        assert self._trouble is not None
        waiting = asyncio.ensure_future(message)
        waiting.add_done_callback(lambda one: one.cancelled() or one.exception())  # somebody has to have looked
        try:
            await asyncio.wait({waiting, self._trouble}, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                raise self._trouble.result()
            return waiting.result()
        finally:
            waiting.cancel()


def _goes_on(message: Msg) -> bool:
    """Whether more answers follow: not after a status, nor from a server that knows no batches."""
    headers = message.headers or {}
    return not headers.get("Status") and "Nats-Num-Pending" in headers
