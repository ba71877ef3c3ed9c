"""A rate limit that processes share: one token bucket per host or key, in one small file.

Limits are per address or per key, but cron starts many processes. Each request reserves its slot in the
bucket's file under `flock` and then waits outside the lock, so that a hundred processes together keep the
rate that one would. A process that dies after reserving costs one slot, never the limit.

Time is the monotonic clock, which all processes of a host share and which a `--now` does not stop. After a
reboot it starts again: a bucket from its future is read as empty, as is one whose file is unreadable.

    rate 5/s, burst 1:   slots at 0 ms, 200 ms, 400 ms …, whoever asks

`slot` decides; `SharedBucket` carries the decision through the file.
"""

import fcntl
import os
import re
from dataclasses import dataclass
from pathlib import Path

from vanta.common.clock import Clock
from vanta.common.errors import BadInput, StateError, Throttled
from vanta.common.store.atomic import describe, write_all
from vanta.common.strictjson import loads_object

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_UNSAFE = re.compile(r"[^a-z0-9.\-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """`per_second` requests a second, at most `burst` of them at once. `max_wait_s` bounds the queue."""

    per_second: int
    burst: int = 1
    max_wait_s: int = 60


@dataclass(frozen=True, slots=True)
class Level:
    """What the bucket holds: thousandths of a token (negative = slots promised) at a time in ms."""

    millitokens: int
    at_ms: int


def slot(level: Level | None, now_ms: int, rate: Rate) -> tuple[Level, int] | None:
    """Reserve one slot: the new level and how many ms to wait for it. `None` if the queue is too long.

    `level` is `None` for a bucket that nobody has used; one from the future (a reboot) starts empty.
    """
    if level is None:
        filled = rate.burst * 1000
    elif level.at_ms > now_ms:
        filled = 0
    else:
        filled = min(level.millitokens + (now_ms - level.at_ms) * rate.per_second, rate.burst * 1000)
    left = filled - 1000
    wait_ms = -(left // rate.per_second) if left < 0 else 0
    if wait_ms > rate.max_wait_s * 1000:
        return None
    return Level(left, now_ms), wait_ms


class SharedBucket:
    """The file adapter of `slot`: every process that names the same folder and bucket shares it."""

    def __init__(self, folder: Path, name: str, rate: Rate, clock: Clock) -> None:
        self._path = folder / f"{_UNSAFE.sub('_', name.lower())}.json"
        self._rate = rate
        self._clock = clock

    def acquire(self) -> None:
        """Wait for a slot. Raises `Throttled` at once if the queue is longer than `max_wait_s`."""
        wait_ms = self._reserve()
        if wait_ms is None:
            raise Throttled(f"the queue of {self._path.stem} is longer than {self._rate.max_wait_s} s",
                            self._rate.max_wait_s)
        if wait_ms:
            self._clock.sleep(wait_ms / 1000)

    def _reserve(self) -> int | None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fd = os.open(self._path, _FLAGS, 0o640)
        except OSError as error:
            raise StateError(f"rate limit {self._path} cannot be opened: {describe(error)}") from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            now_ms = int(self._clock.monotonic() * 1000)
            granted = slot(self._level(fd, now_ms), now_ms, self._rate)
            if granted is None:
                return None
            level, wait_ms = granted
            # In place, not by rename: a new file would be a new lock.
            os.ftruncate(fd, 0)
            os.lseek(fd, 0, os.SEEK_SET)
            write_all(fd, f'{{"millitokens": {level.millitokens}, "at_ms": {level.at_ms}}}\n'.encode())
            return wait_ms
        finally:
            os.close(fd)

    def _level(self, fd: int, now_ms: int) -> Level | None:
        data = os.pread(fd, 4096, 0)
        if not data:
            return None
        try:
            fields = loads_object(data, file=str(self._path))
        except BadInput:
            return Level(0, now_ms)
        millitokens, at_ms = fields.get("millitokens"), fields.get("at_ms")
        if isinstance(millitokens, int) and isinstance(at_ms, int):
            return Level(millitokens, at_ms)
        return Level(0, now_ms)
