"""One pass of one feed, from its payloads to its file and to the record of it. Pure.

Decides what a pass made of what it was given. The runner (`markets/collect.py`) asks while it fetches, replay with the
payloads that the record names: same inputs, same bytes. Refuses to know transports and stores.

    intake = Intake(feed); intake.take(payload, digest) …; made = decide(product, previous, intake, setting)
    said = recorded(product, raw, intake, made)  ->  the `collected` record's payload, and the bytes that it names

A parser that fails in a way that nobody foresaw costs its payload, a normaliser the pass, neither of them the feed.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import orjson

from vanta.common.canonical import canonical, sha256
from vanta.common.errors import VantaError, contained
from vanta.common.ids import run_id
from vanta.common.times import iso
from vanta.markets.core.feed import Feed
from vanta.markets.core.feedfile import Seen, Stamp
from vanta.markets.core.products import Product, Result, Turn
from vanta.markets.core.records import NormaliseContext, Problem, RawPayload, Reading


@dataclass(slots=True)
class Intake:
    """What transport and parser gave so far. `failure` is why fetching ended early, `None` if it did not."""

    feed: Feed
    manifest: list[dict[str, Any]] = field(default_factory=list)
    records: list[bytes] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    missed: list[dict[str, Any]] = field(default_factory=list)
    whole: int = 0
    failure: str | None = None

    def take(self, payload: RawPayload, digest: str) -> bool:
        """Read one payload, whose bytes are kept under `digest`. Whether it was read to its end."""
        origin = {"_sha256": digest, "_url": payload.url, "_media_type": payload.media_type,
                  "_fetched_at": iso(payload.fetched_at)}
        self.manifest.append({"sha256": digest, "url": payload.url, "media_type": payload.media_type,
                              "fetched_at": origin["_fetched_at"], "headers": dict(payload.headers),
                              "bytes": len(payload.body)})
        reading = self._read(payload)
        self.problems += reading.problems
        for record in reading.records:
            try:
                self.records.append(canonical({**record, **origin}))
            except TypeError as error:  # such as half a surrogate pair in a text
                self.problems.append(Problem(code="bad_record", detail=str(error), where=payload.url))
        self.whole += reading.complete
        return reading.complete

    def miss(self, problem: Problem) -> None:
        """Note a payload that could not be had; behind which of the others is noted too."""
        self.problems.append(problem)
        self.missed.append({"behind": len(self.manifest), **asdict(problem)})

    def _read(self, payload: RawPayload) -> Reading:
        try:
            return contained(lambda: self.feed.read(payload), payload.url)
        except VantaError as error:
            problem = Problem(code="unreadable", detail=error.what, where=payload.url)
            return Reading(records=[], problems=[problem], complete=False)

    def seen(self) -> Seen:
        """The same in numbers."""
        return Seen(payloads=len(self.manifest), whole=self.whole, records=len(self.records), missed=len(self.missed),
                    problems=tuple(self.problems), failure=self.failure)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a pass depends on besides its payloads. `source` is `network` or `recorded`; `by` who writes."""

    now: datetime
    by: str
    source: str
    window_s: int
    history_s: int
    universe: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What came of a pass. `failure` is what the normaliser failed with, `None` if it did not."""

    run_id: str
    setting: Setting
    result: Result
    failure: VantaError | None


def decide(product: Product[Any], previous: Any, intake: Intake, setting: Setting) -> Made:
    """What the file holds next. The normaliser sees the records exactly as their snapshot holds them."""
    feed, now = intake.feed, setting.now
    run = run_id(feed.feed, iso(now), [entry["sha256"] for entry in intake.manifest])
    stamp = Stamp(feed=feed.feed, run_id=run, by=setting.by, now=now, window_s=setting.window_s,
                  history_s=setting.history_s)
    context = NormaliseContext(now=now, collector=feed.feed, version=feed.version, run_id=run,
                               universe=dict(setting.universe), known=product.known(previous))
    failure: VantaError | None = None
    seen = intake.seen()
    if seen.usable:
        turn = Turn(seen=seen, records=[orjson.loads(line) for line in intake.records], context=context, stamp=stamp)
        try:
            result = contained(lambda: product.after(previous, turn), "normalising")
            return Made(run_id=run, setting=setting, result=result, failure=None)
        except VantaError as error:
            failure, seen = error, _failed(seen, error)
    result = product.failed(previous, Turn(seen=seen, records=[], context=context, stamp=stamp))
    return Made(run_id=run, setting=setting, result=result, failure=failure)


def _failed(seen: Seen, error: VantaError) -> Seen:
    return Seen(payloads=seen.payloads, whole=seen.whole, records=seen.records, missed=seen.missed,
                problems=seen.problems, failure=error.what)


@dataclass(slots=True)
class Recorded:
    """The payload of a `collected` record, and by hash everything that it names besides the raw payloads."""

    payload: dict[str, Any] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)

    def keep(self, data: bytes) -> str:
        """Take note of bytes and give their hash."""
        digest = sha256(data)
        self.blobs[digest] = data
        return digest

    def kept(self, data: bytes | None) -> str | None:
        """The same where there may be none."""
        return None if data is None else self.keep(data)


def recorded(product: Product[Any], previous: bytes | None, intake: Intake, made: Made) -> Recorded:
    """The record of a pass. From it the pass can be made again: nothing that decided anything is left out."""
    said, feed, setting, result = Recorded(), intake.feed, made.setting, made.result
    said.payload = {
        "feed": feed.feed, "run_id": made.run_id, "version": feed.version, "by": setting.by,
        "source": setting.source, "form": feed.form,
        "status": result.status, "status_reason": result.reason, "counts": result.counts.model_dump(),
        "window_s": setting.window_s, "history_s": setting.history_s, "failure": intake.failure,
        "inputs": {"previous": said.kept(previous), "universe": said.keep(canonical(dict(setting.universe))),
                   "calendars": {name: said.keep(raw) for name, raw in product.calendars.items()},
                   "payloads": said.keep(canonical(intake.manifest)),
                   "missed": said.keep(canonical(intake.missed)) if intake.missed else None,
                   "records": said.keep(b"\n".join(intake.records)),
                   "problems": said.keep(canonical([asdict(problem) for problem in intake.problems]))},
        "output": {"file": product.name, "sha256": said.kept(result.raw)},
    }
    return said
