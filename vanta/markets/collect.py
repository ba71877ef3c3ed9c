"""One pass of one feed: fetch, keep, parse, compare, write. The only writer of a feed's files.

The order is what makes a crash harmless at any point; it costs a refetch and never an item:

    raw payloads, records and both versions of the file are durable snapshots
    → one `collected` record in collection_log.jsonl is synced
    → the feed's file is replaced durably
    → the cursor moves

Decides nothing about signals (that is `core/feedfile.py`); it only carries values from step to step. A parser that
fails in a way that nobody foresaw costs its payload, not the feed. Example: `run(task, ports)`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import orjson

from vanta import __version__
from vanta.common.calls import CallsDisabled
from vanta.common.canonical import canonical, document
from vanta.common.errors import BadInput, Bug, StateError, VantaError
from vanta.common.events import Kind
from vanta.common.exitcodes import Exit
from vanta.common.ids import run_id
from vanta.common.models.configuration import FeedSettings
from vanta.common.store.ports import Files, Snapshots
from vanta.common.strictjson import loads_object
from vanta.common.times import iso
from vanta.markets.collectors.port import Collector, FetchContext, Gate, RawPayload
from vanta.markets.core.feedfile import Seen, Stamp
from vanta.markets.core.records import NormaliseContext, Problem, Reading
from vanta.markets.journals import OpenJournal
from vanta.markets.products import Product, Result, Turn

CURSOR = "cursor.json"
T = TypeVar("T")


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

    product: Product[Any]
    settings: FeedSettings
    universe: dict[str, str]
    state_dir: Path
    gate: Gate
    now: datetime
    payloads: Iterable[RawPayload | Problem] | None = None

    @property
    def collector(self) -> Collector:
        """Whose feed it is."""
        return self.product.collector


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
    """What transport and parser gave so far."""

    whole: list[RawPayload] = field(default_factory=list)
    manifest: list[dict[str, Any]] = field(default_factory=list)
    records: list[bytes] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    read_whole: int = 0
    missed: int = 0
    failure: VantaError | None = None

    def seen(self) -> Seen:
        """The same in numbers."""
        return Seen(payloads=len(self.manifest), whole=self.read_whole, records=len(self.records), missed=self.missed,
                    problems=tuple(self.problems), failure=self.failure.what if self.failure else None)


def run(task: Task, ports: Ports) -> PassReport:
    """Make one pass. Raises `StateError` or `BadInput` if the feed's own file cannot be read or written.

    Failures of the outside are not raised: they end up in the feed's file and in the report.
    """
    product, feed = task.product, task.collector.feed
    previous = product.load(ports.files)
    fetching = FetchContext(now=task.now, cursor=_cursor(ports.private), state_dir=task.state_dir,
                            options=dict(task.settings.options), gate=task.gate)
    harvest = _gather(task, ports, fetching)
    this = run_id(feed, iso(task.now), [entry["sha256"] for entry in harvest.manifest])
    result = _decide(task, previous.value if previous else None, harvest, this)
    _keep(task, ports, harvest, _Versions(this, previous.raw if previous else None, result))
    if result.raw is not None:
        ports.files.replace(product.name, result.raw)
    if task.payloads is None and harvest.failure is None:
        cursor = contained(lambda: task.collector.next_cursor(harvest.whole, fetching), "next_cursor")
        if cursor != fetching.cursor:
            ports.private.replace(CURSOR, document({"schema_version": 1, "cursor": cursor}))
    return PassReport(feed=feed, file=product.name, run_id=this, result=result, exit=_exit(task, harvest, result),
                      cure=harvest.failure.cure if harvest.failure else "")


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
    harvest = _Harvest()
    for item in _items(task, fetching, harvest):
        if isinstance(item, Problem):
            harvest.problems.append(item)
            harvest.missed += 1
        else:
            _take(task, ports, harvest, item)
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
        harvest.failure = error


def _take(task: Task, ports: Ports, harvest: _Harvest, payload: RawPayload) -> None:
    """Keep one payload and its records."""
    digest = ports.snapshots.put(payload.body)
    origin = {"_sha256": digest, "_url": payload.url, "_media_type": payload.media_type,
              "_fetched_at": iso(payload.fetched_at)}
    harvest.manifest.append({"sha256": digest, "url": payload.url, "media_type": payload.media_type,
                             "fetched_at": origin["_fetched_at"], "bytes": len(payload.body)})
    reading = _read(task.collector, payload)
    harvest.problems += reading.problems
    for record in reading.records:
        try:
            harvest.records.append(canonical({**record, **origin}))
        except TypeError as error:  # such as half a surrogate pair in a text
            harvest.problems.append(Problem(code="bad_record", detail=str(error), where=payload.url))
    if reading.complete:
        harvest.read_whole += 1
        if task.payloads is None:
            harvest.whole.append(payload)


def _read(collector: Collector, payload: RawPayload) -> Reading:
    try:
        return contained(lambda: collector.read(payload), payload.url)
    except VantaError as error:
        problem = Problem(code="unreadable", detail=error.what, where=payload.url)
        return Reading(records=[], problems=[problem], complete=False)


def _decide(task: Task, previous: Any, harvest: _Harvest, run: str) -> Result:
    """What the file holds next. The normaliser sees the records exactly as their snapshot holds them."""
    collector = task.collector
    stamp = Stamp(feed=collector.feed, run_id=run, by=f"markets collect {collector.feed} {__version__}", now=task.now,
                  window_s=task.settings.window_s, history_s=collector.history_s)
    context = NormaliseContext(now=task.now, collector=collector.feed, version=collector.version, run_id=run,
                               universe=task.universe, known=task.product.known(previous))
    if harvest.seen().usable:
        records = [orjson.loads(line) for line in harvest.records]
        turn = Turn(seen=harvest.seen(), records=records, context=context, stamp=stamp)
        try:
            return contained(lambda: task.product.after(previous, turn), "normalising")
        except VantaError as error:
            harvest.failure = error
    return task.product.failed(previous, Turn(seen=harvest.seen(), records=[], context=context, stamp=stamp))


@dataclass(frozen=True, slots=True)
class _Versions:
    """The file before and after a pass."""

    run: str
    before: bytes | None
    result: Result


def _keep(task: Task, ports: Ports, harvest: _Harvest, versions: _Versions) -> None:
    """Make durable, in this order, everything the pass used and made, and the record of it."""
    def stored(data: bytes | None) -> str | None:
        return None if data is None else ports.snapshots.put(data)

    result, collector = versions.result, task.collector
    payload = {
        "feed": collector.feed, "run_id": versions.run, "version": collector.version,
        "source": "network" if task.payloads is None else "recorded",
        "status": result.status, "status_reason": result.reason, "counts": result.counts.model_dump(),
        "window_s": task.settings.window_s, "history_s": collector.history_s,
        "inputs": {"previous": stored(versions.before), "universe": stored(canonical(task.universe)),
                   "payloads": stored(canonical(harvest.manifest)), "records": stored(b"\n".join(harvest.records)),
                   "problems": stored(canonical([asdict(problem) for problem in harvest.problems]))},
        "output": {"file": task.product.name, "sha256": stored(result.raw)},
    }
    with ports.journal() as journal:
        journal.append(Kind.COLLECTED, payload, at=iso(task.now), ids={"run_id": versions.run})
        journal.sync()


def _exit(task: Task, harvest: _Harvest, result: Result) -> Exit:
    if isinstance(harvest.failure, CallsDisabled):
        return harvest.failure.exit_code  # also where something had been fetched before the switch was set
    if result.status != "error":
        return Exit.DONE if result.status == "ok" else Exit.PARTIAL
    if harvest.failure is not None:
        return harvest.failure.exit_code
    return Exit.UNAVAILABLE if task.payloads is None else Exit.CONFIG


def contained(action: Callable[[], T], where: str) -> T:
    """Run a collector's code; whatever it raises that is no `VantaError` becomes a `Bug` that names the place."""
    try:
        return action()
    except VantaError:
        raise
    except Exception as error:
        raise Bug(f"{where}: {type(error).__name__}: {error}", "Report this with the payload; it is kept.") from error
