"""The composition root of the markets node: collecting (`collectors/wire.py`), reflecting and promoting.

A `Markets` opens what it needs when it is first asked for it. Reflecting and promoting take the node's lock,
`markets.lock`, and keep it until `close`.
"""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from vanta.common.clock import Clock
from vanta.common.models.configuration import Settings
from vanta.common.paths import PROMOTION_LOG, REFLECTION_LOG, Home
from vanta.common.registry import by_entity
from vanta.common.store.inmemory import MemoryJournal, MemorySnapshots
from vanta.common.store.lock import FileLock
from vanta.common.store.storage import DURABLE, Storage
from vanta.markets.collectors.port import RawPayload
from vanta.markets.collectors.wire import COLLECTORS, Harvest, collector_of
from vanta.markets.core.flipped import FlipPreview
from vanta.markets.core.records import Problem
from vanta.markets.promoter import PromoteOutcome, Promoter
from vanta.markets.recorded import recorded
from vanta.markets.reflector import PreviewRow, Reflector, ReflectOutcome
from vanta.markets.shelf import Shelf

__all__ = ["COLLECTORS", "PROGRAM", "Markets", "Shelf", "build", "payloads", "shelve"]

PROGRAM = "markets"


@dataclass(frozen=True, slots=True)
class _Bench:
    """What reflecting and promoting hold from first use to `close`."""

    held: ExitStack
    reflector: Reflector
    promoter: Promoter


class Markets(Harvest):
    """One markets node over one home."""

    def __init__(self, home: Home, settings: Settings, clock: Clock, storage: Storage = DURABLE) -> None:
        super().__init__(home, settings, clock, storage)
        self._bench: _Bench | None = None

    def hold(self) -> None:
        """Take the node's lock and open its logs now. Raises `LockHeld` or `StateError`."""
        self._opened()

    def reflect(self) -> ReflectOutcome:
        """One reflection. Raises `LockHeld` if another process reflects or promotes in this home."""
        return self._opened().reflector.run(self._clock.now())

    def preview(self, what: str) -> list[PreviewRow]:
        """What a persona, or the flip in force, would make of the evidence. Takes no lock and writes nothing."""
        aside = Reflector(self._files, MemorySnapshots(), MemoryJournal(), self._settings)
        return aside.preview(what, self._clock.now())

    def preview_flip(self) -> FlipPreview:
        """What the flip in force changes in its vault. Takes no lock and writes nothing."""
        aside = Reflector(self._files, MemorySnapshots(), MemoryJournal(), self._settings)
        return aside.preview_flip(self._clock.now(), by_entity(self._registry()))


    def promote(self) -> PromoteOutcome:
        """One promotion. Raises `LockHeld` if another process reflects or promotes in this home."""
        return self._opened().promoter.run(self._clock.now())

    def close(self) -> None:
        """Let go of logs and lock."""
        super().close()
        if self._bench is not None:
            self._bench.held.close()
            self._bench = None

    def _opened(self) -> _Bench:
        """Take the node's lock and open its logs, once."""
        if self._bench is None:
            with ExitStack() as held:
                held.enter_context(FileLock(self._home.lock(PROGRAM), owner=PROGRAM, now=self._clock.now()))
                reflections = held.enter_context(closing(self._log(REFLECTION_LOG, "markets reflect")))
                promotions = held.enter_context(closing(self._log(PROMOTION_LOG, "markets promote")))
                reflector = Reflector(self._files, self._snapshots, reflections, self._settings)
                promoter = Promoter(self._files, self._snapshots, promotions, self._settings, self._registry)
                self._bench = _Bench(held.pop_all(), reflector, promoter)
        return self._bench


def payloads(source: Path, now: datetime) -> Iterator[RawPayload | Problem]:
    """What `--from PATH` reads. Raises `OperatorError` if there is nothing."""
    return recorded(source, now)


def shelve(feed: str, source: Path, latency: timedelta, clock: Clock) -> Shelf:
    """A feed's recorded payloads, to be shown in time. Raises `OperatorError` if there is nothing at `source`."""
    return Shelf(collector_of(feed, clock), recorded(source, clock.now()), latency)


def build(home: Home, settings: Settings, clock: Clock, storage: Storage = DURABLE) -> Markets:
    """The node. Opens nothing yet. Use as a context manager, or call `close`."""
    return Markets(home, settings, clock, storage)
