"""The other node at the end of a child's pipes: our own `serve` on a mounted folder, or `ssh` to it.

Whatever hangs, hangs in the child: each question has a deadline, and a child that misses it, dies or talks nonsense is
killed. One that cannot even be killed (a mount that does not come back) is left behind; while there are `LEFT` of them
no new one is started.
"""

import contextlib
import os
import select
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from vanta.common.clock import Clock, SystemClock
from vanta.common.outside.call import NOT_STARTED, NotAllowed
from vanta.common.outside.out import Asking, Out
from vanta.common.settings import plain_environment
from vanta.transport.core.frames import LONGEST, Answer, Ask, Garbled, answered, line
from vanta.transport.port import LinkDown, Stat, raised

LEFT = 2
_GONE_S = 0.2
_SAID = 2000


@dataclass(frozen=True, slots=True)
class Calls:
    """By which way a child leaves this host, where to and what for: each child is a connection."""

    out: Out
    host: str
    purpose: str


class PipeRemote:
    """See `Remote`. `command` is started when it is first needed, and anew after `LinkDown`."""

    def __init__(self, command: Sequence[str], *, timeout_s: float, clock: Clock | None = None,
                 calls: Calls | None = None) -> None:
        self._calls = calls
        self._call: Asking | None = None
        self._received = 0
        self._command = list(command)
        self._timeout_s = timeout_s
        self._clock: Clock = clock or SystemClock()
        self._child: subprocess.Popen[bytes] | None = None
        self._left: list[subprocess.Popen[bytes]] = []
        self._rest = b""

    def stat(self, name: str) -> Stat:
        """See `Remote.stat`."""
        answer, _ = self._ask(Ask("stat", name), 0)
        if answer.stat is None:
            raise self._down("an answer without what was asked for")
        return answer.stat

    def read(self, name: str, start: int, most: int) -> bytes:
        """See `Remote.read`."""
        return self._ask(Ask("read", name, start, most), most)[1]

    def stale(self) -> str:
        """See `Remote.stale`."""
        return ""

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._end(self._child)
            self._child = None
            if self._call is not None:
                self._call.closed(self._received)

    def _ask(self, ask: Ask, most: int) -> tuple[Answer, bytes]:
        ends = self._clock.monotonic() + self._timeout_s
        child = self._running()
        try:
            self._send(child, line(ask), ends)
            answer = answered(self._until(child, ends), most)
            body = self._exactly(child, answer.size, ends)
        except (Garbled, OSError, TimeoutError) as error:
            raise self._down(str(error)) from error
        if answer.kind:
            raise raised(answer)
        return answer, body

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            self._left = [one for one in self._left if one.poll() is None]
            if len(self._left) >= LEFT:
                raise LinkDown(f"{len(self._left)} readers hang and cannot be ended: is the mount still there?")
            self._rest = b""
            self._begin()
            try:
                self._child = subprocess.Popen(  # noqa: S603 - fixed words, no shell
                    self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                    env=plain_environment(), start_new_session=True, bufsize=0)
            except OSError as error:
                if self._call is not None:
                    self._call.ended(NOT_STARTED)
                raise LinkDown(f"{self._command[0]} cannot be started: {error.strerror}") from error
            for stream in (self._child.stdin, self._child.stdout, self._child.stderr):
                assert stream is not None
                os.set_blocking(stream.fileno(), False)
        return self._child

    def _begin(self) -> None:
        """A child that leaves this host is about to be started."""
        if self._calls is not None:
            try:
                self._call = self._calls.out.begin(self._calls.host, None, self._calls.purpose)
            except NotAllowed as error:
                raise LinkDown(error.what) from error
        self._received = 0

    def _send(self, child: subprocess.Popen[bytes], words: bytes, ends: float) -> None:
        assert child.stdin is not None
        self._await(child.stdin.fileno(), select.POLLOUT, ends)
        os.write(child.stdin.fileno(), words)  # shorter than a pipe's buffer, which is empty: nobody asks twice at once

    def _until(self, child: subprocess.Popen[bytes], ends: float) -> bytes:
        """One line."""
        while b"\n" not in self._rest:
            if len(self._rest) > LONGEST:
                raise Garbled("not an answer: it has no end")
            self._rest += self._more(child, ends)
        found, _, self._rest = self._rest.partition(b"\n")
        return found

    def _exactly(self, child: subprocess.Popen[bytes], size: int, ends: float) -> bytes:
        parts, missing = [self._rest], size - len(self._rest)
        while missing > 0:
            parts.append(self._more(child, ends))
            missing -= len(parts[-1])
        whole = b"".join(parts)
        self._rest = whole[size:]
        return whole[:size]

    def _more(self, child: subprocess.Popen[bytes], ends: float) -> bytes:
        assert child.stdout is not None
        self._await(child.stdout.fileno(), select.POLLIN, ends)
        found = os.read(child.stdout.fileno(), 1 << 20)
        if not found:
            raise OSError(f"the link ended{self._last_words(child)}")
        if self._call is not None and not self._received:
            self._call.opened()  # it has said something: the other host is there
        self._received += len(found)
        return found

    def _await(self, fd: int, what: int, ends: float) -> None:
        poll = select.poll()
        poll.register(fd, what)
        left = ends - self._clock.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise TimeoutError(f"no answer within {self._timeout_s:g} s")

    def _last_words(self, child: subprocess.Popen[bytes]) -> str:
        """What the child said on stderr, in one line."""
        assert child.stderr is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_GONE_S)
        said = b""
        with contextlib.suppress(OSError):
            said = os.read(child.stderr.fileno(), _SAID)
        words = " ".join(said.decode("utf-8", "replace").split())
        return f": {words}" if words else ""

    def _down(self, why: str) -> LinkDown:
        """The link is over; the next question starts a new one."""
        if self._call is not None and not self._received:
            self._call.ended("failed")
        self.close()
        return LinkDown(why)

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        for stream in (child.stdin, child.stdout, child.stderr):
            assert stream is not None
            stream.close()
        child.kill()
        try:
            child.wait(_GONE_S)
        except subprocess.TimeoutExpired:
            self._left.append(child)
