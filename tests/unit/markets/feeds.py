"""A small feed whose transport does as it is told, and stores that fail when told to."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.unit.markets.claims import NOW, claim
from vanta.common.clock import ManualClock
from vanta.common.errors import StateError
from vanta.common.models.configuration import FeedSettings
from vanta.common.store.inmemory import MemoryFiles, MemoryJournal, MemorySnapshots
from vanta.common.store.ports import MAX_BYTES, Journal
from vanta.common.times import iso, parse_iso
from vanta.markets.collect import PassReport, Ports, Task, run
from vanta.markets.collectors.port import (
    Collector,
    FetchContext,
    Gate,
    NormaliseContext,
    Normalised,
    Problem,
    RawPayload,
    Reading,
)
from vanta.markets.core.products import SignalsFile


def payload(*names: str, url: str = "https://feed/1", at: datetime = NOW, **more: str) -> RawPayload:
    """A page that lists claims by name; `more` are published times by name."""
    items = [{"name": name} for name in names] + [{"name": name, "at": time} for name, time in more.items()]
    return RawPayload(url=url, body=json.dumps(items).encode(), media_type="application/json", fetched_at=at)


def garbage(url: str = "https://feed/bad") -> RawPayload:
    """A page that is no page."""
    return RawPayload(url=url, body=b"<html>", media_type="text/html", fetched_at=NOW)


class ToyCollector(Collector):
    """Serves what it was given; an exception in the list is raised when its turn comes."""

    feed = "news"

    def __init__(self, serve: Sequence[RawPayload | Problem | Exception] = ()) -> None:
        self.serve = list(serve)
        self.contexts: list[FetchContext] = []
        self.known: list[set[str]] = []

    def fetch(self, context: FetchContext) -> Iterator[RawPayload | Problem]:
        self.contexts.append(context)
        for item in self.serve:
            if isinstance(item, Exception):
                raise item
            yield item

    def read(self, payload: RawPayload) -> Reading:
        if payload.body == b"boom":
            raise KeyError("an assumption")
        try:
            items = json.loads(payload.body)
        except ValueError:
            problem = Problem(code="not_json", detail="it is not JSON", where=payload.url)
            return Reading(records=[], problems=[problem], complete=False)
        return Reading(records=items, problems=[])

    def normalise(self, records: list[dict[str, Any]], context: NormaliseContext) -> Normalised:
        self.known.append({signal.summary for signal in context.known.values()})
        if any(record["name"] == "poison" for record in records):
            raise ZeroDivisionError("an assumption")
        return Normalised(signals=[
            claim(record["name"], published=parse_iso(record.get("at", iso(NOW))), observed_at=iso(context.now),
                  raw_ref=record["_sha256"]) for record in records])

    def next_cursor(self, payloads: list[RawPayload], context: FetchContext) -> dict[str, str]:
        return {**context.cursor, **{item.url: "seen" for item in payloads}}


@dataclass
class World:
    """In-memory stores of one feed. `fail_at` names the step that breaks, once; `forbidden` why nobody may call."""

    files: MemoryFiles = field(default_factory=MemoryFiles)
    private: MemoryFiles = field(default_factory=MemoryFiles)
    snapshots: MemorySnapshots = field(default_factory=MemorySnapshots)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    steps: list[str] = field(default_factory=list)
    fail_at: str | None = None
    forbidden: str | None = None

    def step(self, name: str) -> None:
        """Note a step, or break at it."""
        if self.fail_at == name:
            self.fail_at = None
            raise StateError(f"the disk is gone at {name}")
        self.steps.append(name)

    def broke(self) -> bool:
        """Whether the failure that was asked for has happened."""
        return self.fail_at is None

    def ports(self) -> Ports:
        """The ports, each of which passes through `step`."""
        @contextmanager
        def opened() -> Iterator[Journal]:
            self.step("journal")
            yield self.journal

        return Ports(files=_Files(self, self.files, "file"), private=_Files(self, self.private, "cursor"),
                     snapshots=_Snapshots(self), journal=opened)

    def collect(self, *serve: RawPayload | Problem | Exception, now: datetime = NOW,
                recorded: bool = False) -> PassReport:
        """One pass over `serve`, from the network or as recorded."""
        if recorded:
            given = [item for item in serve if not isinstance(item, Exception)]
            return self.collect_with(ToyCollector(), now=now, payloads=given)
        return self.collect_with(ToyCollector(serve), now=now)

    def collect_with(self, collector: Collector, *, now: datetime = NOW,
                     payloads: list[RawPayload | Problem] | None = None) -> PassReport:
        """One pass of any collector."""
        return run(Task(collector=collector, product=SignalsFile(collector), settings=FeedSettings(),
                        universe={"AAPL": "Apple Inc."}, state_dir=Path("/nowhere"), now=now, payloads=payloads,
                        gate=Gate(Path("/nowhere"), ManualClock(now), lambda: self.forbidden)), self.ports())


class _Files(MemoryFiles):
    def __init__(self, world: World, inner: MemoryFiles, name: str) -> None:
        super().__init__()
        self._world, self._inner, self._name = world, inner, name

    def read(self, name: str, *, max_bytes: int = MAX_BYTES) -> bytes:
        return self._inner.read(name, max_bytes=max_bytes)

    def exists(self, name: str) -> bool:
        return self._inner.exists(name)

    def replace(self, name: str, data: bytes) -> None:
        self._world.step(self._name)
        self._inner.replace(name, data)


class _Snapshots(MemorySnapshots):
    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def put(self, data: bytes) -> str:
        self._world.step("snapshot")
        return self._world.snapshots.put(data)
