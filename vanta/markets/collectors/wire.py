"""The composition root of collecting: names the collectors and hands them their settings.

A collector's module is imported when its feed is asked for, so that a pass over one feed does not pay for the others.
Each pass takes the feed's own lock. One over the network has a way out of its own: it may ask the hosts of its feed, or
those that the settings list, and each request leaves a line in the feed's `calls_*.jsonl`.
"""

import difflib
import importlib
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from vanta import __version__
from vanta.common.calls import why_no_calls
from vanta.common.canonical import canonical
from vanta.common.clock import Clock
from vanta.common.errors import OperatorError, UsageError
from vanta.common.instruments import Instrument
from vanta.common.models.configuration import FeedSettings, Settings
from vanta.common.outside.allowed import Allowed
from vanta.common.outside.ledger import JournalLedger, Later
from vanta.common.outside.out import Out, unwatched
from vanta.common.paths import COLLECTION_LOG, OVERLAY, Home, calls_of, routes
from vanta.common.registry import Registry, default_universe
from vanta.common.resources import calendar_files
from vanta.common.signing_key import signer_of
from vanta.common.store.lock import FileLock
from vanta.common.store.ports import Files, Journal
from vanta.common.store.routed import RoutedFiles
from vanta.common.store.storage import DURABLE, Storage
from vanta.markets.collect import PassReport, Ports, Task, run
from vanta.markets.collectors.port import Collector, Gate, RawPayload
from vanta.markets.core.products import product_of
from vanta.markets.core.records import Problem
from vanta.markets.core.sliced import slice_of
from vanta.markets.journals import OpenJournal, collection_log, kept_open, open_log
from vanta.markets.recorded import recorded
from vanta.markets.shelf import Slices

COLLECTORS = {"sec": "SecCollector", "news": "NewsCollector", "reddit": "RedditCollector", "crypto": "CryptoCollector",
              "prices": "PricesCollector"}
"""The class of each feed's collector, in the module that is named like the feed."""
SHARED = "ratelimit"
"""Beside the collectors' own folders: rate limits and hold-offs by host or exchange."""


def collector_of(feed: str, clock: Clock) -> Collector:
    """The collector of a feed. Raises `UsageError` if there is no such feed."""
    if feed not in COLLECTORS:
        close = difflib.get_close_matches(feed, list(COLLECTORS), n=1)
        meant = f" Did you mean {close[0]}?" if close else ""
        raise UsageError(f"there is no feed {feed!r}", f"The feeds are {', '.join(COLLECTORS)}.{meant}")
    made: Collector = getattr(importlib.import_module(f"vanta.markets.collectors.{feed}"), COLLECTORS[feed])(clock)
    return made


class Harvest:
    """The collecting half of a markets node over one home. Use as a context manager, or call `close`."""

    def __init__(self, home: Home, settings: Settings, clock: Clock, storage: Storage = DURABLE) -> None:
        self._home = home
        self._settings = settings.markets
        self._listed = settings.outside.hosts
        self._clock = clock
        self._storage = storage
        self._elsewhere = routes(settings.node.name if settings.node else None)
        files = storage.files(home.memory)
        self._files: Files = RoutedFiles(files, self._elsewhere) if self._elsewhere else files
        self._snapshots = storage.snapshots(home.snapshots)
        self._registry = Registry(home)
        self._instruments: Mapping[str, Instrument] | None = None
        self._names: dict[str, str] = {}
        self._collected: Journal | None = None

    def collector(self, feed: str) -> Collector:
        """See `collector_of`."""
        return collector_of(feed, self._clock)

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
        private = self._home.collector_state(feed)
        with (nullcontext() if self._storage.alone else
              FileLock(self._home.lock(f"collect-{feed}"), owner=f"markets collect {feed}", now=now)):
            private.mkdir(mode=0o750, parents=True, exist_ok=True)
            with nullcontext(unwatched()) if payloads is not None else self._way_out(collector) as out:
                return run(
                    Task(collector=collector, product=product_of(collector, self._calendars),
                         settings=self._feed_settings(feed), universe=self._universe(), now=now, state_dir=private,
                         payloads=payloads, gate=self._gate(out)),
                    Ports(files=self._files, snapshots=self._snapshots, private=self._storage.files(private),
                          journal=self._collection_log()))

    def hosts(self, feed: str) -> frozenset[str]:
        """Whom a pass of the feed asks. Raises `OperatorError` if its options do not say."""
        return self.collector(feed).hosts(self._feed_settings(feed).options)

    def _way_out(self, collector: Collector) -> Out:
        """Open to the feed's own hosts, or to those that the settings list."""
        feed, hosts = collector.feed, self._listed
        if hosts is None:
            try:
                hosts = sorted(collector.hosts(self._feed_settings(feed).options))
            except OperatorError:
                hosts = []  # the pass says what is wrong with the options
        return Out(Allowed.of(hosts), Later(lambda: self._ledger(feed)), self._clock, purpose=f"feed:{feed}")

    def _ledger(self, feed: str) -> JournalLedger:
        journal = self._storage.trail(self._home.file(calls_of(feed)), signer=signer_of(self._home))
        return JournalLedger(journal, self._clock, program=f"markets collect {feed} {__version__}")

    def collect_records(self, feed: str, records: Iterable[Mapping[str, Any]], origin: str) -> PassReport:
        """One pass over records that are parsed already. `origin` is their `url` in the evidence."""
        lines = map(canonical, records)
        return self.collect_with(Slices(self.collector(feed)), [slice_of(lines, origin, self._clock.now())])

    def _gate(self, out: Out) -> Gate:
        """The gate that all feeds and processes of the home share, before this pass's way out."""
        return Gate(self._home.collector_state(SHARED), self._clock, self._forbidden, out)

    def _forbidden(self) -> str | None:
        """What forbids calls: an overlay here, and where Alpha is on another host, what arrived from there as well."""
        why, place = why_no_calls(self._home), self._home.replica("alpha")
        if why is not None or OVERLAY not in self._elsewhere:
            return why
        return why_no_calls(place) if place.file(OVERLAY).exists() else f"{OVERLAY} of Alpha has not arrived"

    def _collection_log(self) -> OpenJournal:
        """The log of all collectors: opened for each pass, or kept open where nobody else writes it."""
        if not self._storage.alone:
            return collection_log(self._home, self._clock, self._storage)
        if self._collected is None:
            self._collected = self._log(COLLECTION_LOG, "markets collect")
        return kept_open(self._collected)

    def _log(self, name: str, program: str) -> Journal:
        return open_log(self._home, name, program=program, now=self._clock.now(), storage=self._storage)

    def close(self) -> None:
        """Let go of the log of all collectors, if it is open."""
        if self._collected is not None:
            self._collected.close()
            self._collected = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

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
    def _calendars(self) -> dict[str, bytes]:
        return calendar_files()


def build(home: Home, settings: Settings, clock: Clock, storage: Storage = DURABLE) -> Harvest:
    """The half node. Opens nothing yet."""
    return Harvest(home, settings, clock, storage)
