"""The composition root of the markets node: the only place that names its adapters and hands out its settings.

A `Markets` opens what it needs when it is first asked for it. Collecting takes the feed's own lock for one pass;
reflecting and promoting take the node's lock, `markets.lock`, and keep it until `close`.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from vanta.common.calendars import Calendar
from vanta.common.calls import why_no_calls
from vanta.common.clock import Clock
from vanta.common.errors import UsageError
from vanta.common.instruments import Instrument
from vanta.common.models.configuration import FeedSettings, Settings
from vanta.common.paths import COLLECTION_LOG, FEEDS, PROMOTION_LOG, REFLECTION_LOG, Home
from vanta.common.registry import Registry, default_universe
from vanta.common.resources import calendars
from vanta.common.store.inmemory import MemoryJournal, MemorySnapshots
from vanta.common.store.lock import FileLock
from vanta.common.store.ports import Journal
from vanta.common.store.storage import DURABLE, Storage
from vanta.markets.collect import PassReport, Ports, Task, run
from vanta.markets.collectors.crypto import CryptoCollector
from vanta.markets.collectors.news import NewsCollector
from vanta.markets.collectors.port import Collector, Gate, RawPayload
from vanta.markets.collectors.prices import PricesCollector
from vanta.markets.collectors.reddit import RedditCollector
from vanta.markets.collectors.sec import SecCollector
from vanta.markets.core.records import Problem
from vanta.markets.journals import OpenJournal, collection_log, kept_open, open_log
from vanta.markets.products import Product, QuotesFile, SignalsFile
from vanta.markets.promoter import PromoteOutcome, Promoter
from vanta.markets.recorded import recorded
from vanta.markets.reflector import PreviewRow, Reflector, ReflectOutcome
from vanta.markets.shelf import Shelf, Sliced, slice_of

__all__ = ["COLLECTORS", "PROGRAM", "Markets", "Shelf", "build", "payloads", "shelve"]

COLLECTORS: Mapping[str, Callable[[Clock], Collector]] = {
    "sec": SecCollector, "news": NewsCollector, "reddit": RedditCollector, "crypto": CryptoCollector,
    "prices": PricesCollector,
}
PROGRAM = "markets"
SHARED = "ratelimit"
"""Beside the collectors' own folders: rate limits and hold-offs by host or exchange."""


@dataclass(frozen=True, slots=True)
class _Bench:
    """What reflecting and promoting hold from first use to `close`."""

    lock: FileLock
    journals: tuple[Journal, Journal]
    reflector: Reflector
    promoter: Promoter


class Markets:
    """One markets node over one home."""

    def __init__(self, home: Home, settings: Settings, clock: Clock, storage: Storage = DURABLE) -> None:
        self._home = home
        self._settings = settings.markets
        self._clock = clock
        self._storage = storage
        self._files = storage.files(home.memory)
        self._snapshots = storage.snapshots(home.snapshots)
        self._registry = Registry(home)
        self._instruments: Mapping[str, Instrument] | None = None
        self._names: dict[str, str] = {}
        self._bench: _Bench | None = None
        self._collected: Journal | None = None

    def collector(self, feed: str) -> Collector:
        """The collector of a feed. Raises `UsageError` if there is no such feed."""
        if feed not in COLLECTORS:
            close = difflib.get_close_matches(feed, list(COLLECTORS), n=1)
            meant = f" Did you mean {close[0]}?" if close else ""
            raise UsageError(f"there is no feed {feed!r}", f"The feeds are {', '.join(COLLECTORS)}.{meant}")
        return COLLECTORS[feed](self._clock)

    def collect(self, feed: str, source: Path | None = None) -> PassReport:
        """One pass of a feed: over `source`, else over the folder that its settings name, else from the network.

        Raises `LockHeld` if a pass of the feed is under way, `OperatorError` if there is nothing at `source`.
        """
        collector = self.collector(feed)
        folder = self._settings.feed(feed).source
        given = source or (Path(folder) if folder else None)
        return self.collect_with(collector, None if given is None else recorded(given, self._clock.now()))

    def collect_with(self, collector: Collector, payloads: Iterable[RawPayload | Problem] | None) -> PassReport:
        """One pass of a collector over recorded payloads, or from the network (`None`)."""
        feed, now = collector.feed, self._clock.now()
        product: Product[Any] = SignalsFile(collector) if feed in FEEDS else QuotesFile(collector, self._calendars)
        private = self._home.collector_state(feed)
        with (nullcontext() if self._storage.alone else
              FileLock(self._home.lock(f"collect-{feed}"), owner=f"markets collect {feed}", now=now)):
            private.mkdir(mode=0o750, parents=True, exist_ok=True)
            return run(
                Task(product=product, settings=self._feed_settings(feed), universe=self._universe(), now=now,
                     state_dir=private, payloads=payloads, gate=self._gate()),
                Ports(files=self._files, snapshots=self._snapshots, private=self._storage.files(private),
                      journal=self._collection_log()))

    def collect_records(self, feed: str, records: Iterable[Mapping[str, Any]], origin: str) -> PassReport:
        """One pass over records that are parsed already. `origin` is their `url` in the evidence."""
        return self.collect_with(Sliced(self.collector(feed)), [slice_of(records, origin, self._clock.now())])

    def _gate(self) -> Gate:
        """The way out that all feeds and processes of the home share."""
        return Gate(self._home.collector_state(SHARED), self._clock, lambda: why_no_calls(self._home))

    def _collection_log(self) -> OpenJournal:
        """The log of all collectors: opened for each pass, or kept open where nobody else writes it."""
        if not self._storage.alone:
            return collection_log(self._home, self._clock, self._storage)
        if self._collected is None:
            self._collected = self._log(COLLECTION_LOG, "markets collect")
        return kept_open(self._collected)

    def _log(self, name: str, program: str) -> Journal:
        return open_log(self._home.file(name), program=program, now=self._clock.now(), storage=self._storage)

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

    def promote(self) -> PromoteOutcome:
        """One promotion. Raises `LockHeld` if another process reflects or promotes in this home."""
        return self._opened().promoter.run(self._clock.now())

    def close(self) -> None:
        """Let go of logs and lock."""
        if self._collected is not None:
            self._collected.close()
            self._collected = None
        if self._bench is not None:
            for journal in self._bench.journals:
                journal.close()
            self._bench.lock.release()
            self._bench = None

    def __enter__(self) -> "Markets":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def _opened(self) -> _Bench:
        """Take the node's lock and open its logs, once."""
        if self._bench is None:
            now = self._clock.now()
            lock = FileLock(self._home.lock(PROGRAM), owner=PROGRAM, now=now)
            try:
                logs = (self._log(REFLECTION_LOG, "markets reflect"), self._log(PROMOTION_LOG, "markets promote"))
                self._bench = _Bench(
                    lock, logs, Reflector(self._files, self._snapshots, logs[0], self._settings),
                    Promoter(self._files, self._snapshots, logs[1], self._settings, self._registry))
            except BaseException:
                lock.release()
                raise
        return self._bench

    def _feed_settings(self, feed: str) -> FeedSettings:
        """A feed's settings; the node's contact is the feed's, unless it names its own."""
        settings = self._settings.feed(feed)
        if self._settings.contact is None or "contact" in settings.options:
            return settings
        return settings.model_copy(update={"options": {**settings.options, "contact": self._settings.contact}})

    def _universe(self) -> dict[str, str]:
        """What texts may be about: the shipped universe, and by symbol alone whatever else can be traded."""
        table = self._registry()
        if table is not self._instruments:  # the registry gives the same object while nothing changed
            universe = default_universe()
            for item in table.values():
                if item.asset_class != "option":
                    universe.setdefault(item.entity.removeprefix("equity:"), "")
            self._instruments, self._names = table, universe
        return self._names

    @cached_property
    def _calendars(self) -> dict[str, Calendar]:
        return calendars()


def payloads(source: Path, now: datetime) -> Iterator[RawPayload | Problem]:
    """What `--from PATH` reads. Raises `OperatorError` if there is nothing."""
    return recorded(source, now)


def shelve(feed: str, source: Path, latency: timedelta, clock: Clock) -> Shelf:
    """A feed's recorded payloads, to be shown in time. Raises `OperatorError` if there is nothing at `source`."""
    return Shelf(COLLECTORS[feed](clock), recorded(source, clock.now()), latency)


def build(home: Home, settings: Settings, clock: Clock, storage: Storage = DURABLE) -> Markets:
    """The node. Opens nothing yet. Use as a context manager, or call `close`."""
    return Markets(home, settings, clock, storage)
