"""One pass of one feed: fetch, keep, parse, compare, write. The only writer of a feed's files.

The order is what makes a crash harmless at any point; it costs a refetch and never an item:

    raw payloads, records and both versions of the file are durable snapshots
    → one `collected` record in collection_log.jsonl is synced
    → the feed's file is replaced durably
    → the cursor moves

Decides nothing (that is `core/passes.py`); it only carries values from step to step. Example: `run(task, ports)`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from vanta import __version__
from vanta.common.calls import CallsDisabled
from vanta.common.canonical import document
from vanta.common.errors import BadInput, StateError, VantaError, contained
from vanta.common.events import Kind
from vanta.common.exitcodes import Exit
from vanta.common.models.configuration import FeedSettings
from vanta.common.store.document import load_if_any
from vanta.common.store.ports import Files, Snapshots
from vanta.common.strictjson import loads_object
from vanta.common.times import iso
from vanta.markets.collectors.port import Collector, FetchContext, Gate, RawPayload
from vanta.markets.core.passes import Intake, Setting, decide, recorded
from vanta.markets.core.products import Product, Result
from vanta.markets.core.records import Problem
from vanta.markets.journals import OpenJournal

CURSOR = "cursor.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where a pass keeps what it sees. `private` is the collector's own folder."""

    files: Files
    snapshots: Snapshots
    journal: OpenJournal
    private: Files


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One pass. `payloads` are recorded ones to be used instead of the network (`None`: fetch)."""

    collector: Collector
    product: Product[Any]
    settings: FeedSettings
    universe: dict[str, str]
    state_dir: Path
    gate: Gate
    now: datetime
    payloads: Iterable[RawPayload | Problem] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PassReport:
    """What one pass did. `exit` is the status a command ends with, `cure` what to do about a failure."""

    feed: str
    file: str
    run_id: str
    result: Result
    exit: Exit
    cure: str = ""


@dataclass(slots=True)
class _Harvest:
    """What was fetched so far: the payloads that were read whole, and why it ended early."""

    intake: Intake
    whole: list[RawPayload] = field(default_factory=list)
    failure: VantaError | None = None


def run(task: Task, ports: Ports) -> PassReport:
    """Make one pass. Raises `StateError` or `BadInput` if the feed's own file cannot be read or written.

    Failures of the outside are not raised: they end up in the feed's file and in the report.
    """
    product, collector, settings = task.product, task.collector, task.settings
    previous = load_if_any(ports.files, product.name, product.model)
    fetching = FetchContext(now=task.now, cursor=_cursor(ports.private), state_dir=task.state_dir,
                            options=dict(settings.options), gate=task.gate)
    harvest = _gather(task, ports, fetching)
    made = decide(product, previous.value if previous else None, harvest.intake, Setting(
        now=task.now, by=f"markets collect {collector.feed} {__version__}", window_s=settings.window_s,
        source="network" if task.payloads is None else "recorded", history_s=collector.history_s,
        universe=task.universe))
    said = recorded(product, previous.raw if previous else None, harvest.intake, made)
    for data in said.blobs.values():
        ports.snapshots.put(data)
    with ports.journal() as journal:
        journal.append(Kind.COLLECTED, said.payload, at=iso(task.now), ids={"run_id": made.run_id})
        journal.sync()
    result, failure = made.result, made.failure or harvest.failure
    if result.raw is not None:
        ports.files.replace(product.name, result.raw)
    if task.payloads is None and failure is None:
        cursor = contained(lambda: collector.next_cursor(harvest.whole, fetching), "next_cursor")
        if cursor != fetching.cursor:
            ports.private.replace(CURSOR, document({"schema_version": 1, "cursor": cursor}))
    return PassReport(feed=collector.feed, file=product.name, run_id=made.run_id, result=result,
                      exit=_exit(task, failure, result), cure=failure.cure if failure else "")


def _cursor(private: Files) -> dict[str, str]:
    """The stored cursor; an unreadable one is none, which only costs a refetch."""
    try:
        stored = loads_object(private.read(CURSOR), file=CURSOR)["cursor"]
    except (StateError, BadInput, KeyError):
        return {}
    well_formed = isinstance(stored, dict) and all(isinstance(value, str) for value in stored.values())
    return dict(stored) if well_formed else {}


def _gather(task: Task, ports: Ports, fetching: FetchContext) -> _Harvest:
    """Fetch, store and parse until the source ends or fails."""
    harvest = _Harvest(Intake(task.collector))
    for item in _items(task, fetching, harvest):
        if isinstance(item, Problem):
            harvest.intake.miss(item)
        elif harvest.intake.take(item, ports.snapshots.put(item.body)) and task.payloads is None:
            harvest.whole.append(item)
    return harvest


def _items(task: Task, fetching: FetchContext, harvest: _Harvest) -> Iterator[RawPayload | Problem]:
    """What the source gives until it ends or fails; a failure is noted. Failures of our own stores are not its."""
    try:
        if task.payloads is None:
            task.gate.permitted()  # before a collector finds fault with its options: nothing may be asked at all
        source = contained(lambda: iter(task.collector.fetch(fetching) if task.payloads is None else task.payloads),
                           "fetching")
        while (item := contained(lambda: next(source, None), "fetching")) is not None:
            yield item
    except VantaError as error:
        harvest.failure, harvest.intake.failure = error, error.what


def _exit(task: Task, failure: VantaError | None, result: Result) -> Exit:
    if isinstance(failure, CallsDisabled):
        return failure.exit_code  # also where something had been fetched before the switch was set
    if result.status != "error":
        return Exit.DONE if result.status == "ok" else Exit.PARTIAL
    if failure is not None:
        return failure.exit_code
    return Exit.UNAVAILABLE if task.payloads is None else Exit.CONFIG
