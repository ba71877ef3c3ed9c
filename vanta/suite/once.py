"""`vanta-run once`: one full pass over a home, in one process: collect, reflect, promote, execute, promote again.

A feed that fails is a part that failed, not the end: the others are collected all the same and the pass goes on. In a
home where the executor has never run it is started first, because nothing is staged for vaults that are not funded. The
exit status is that of the worst part.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from vanta.common.cli import HomeOption, JsonFlag, NowOption, Report, emit
from vanta.common.clock import Clock
from vanta.common.errors import VantaError
from vanta.common.exitcodes import Exit
from vanta.common.models.configuration import Settings
from vanta.common.paths import FEEDS, PORTFOLIO, Home
from vanta.common.settings import clock_from, home_from, load
from vanta.executor.wire import build as build_executor
from vanta.markets.wire import Markets
from vanta.markets.wire import build as build_markets
from vanta.suite.progress import Progress
from vanta.suite.render import data, show
from vanta.suite.screen import View, screen

STEPS = 2
"""Executor steps: one sends and fills what can be sent, one sees what followed."""

GRAVITY = (Exit.DONE, Exit.PARTIAL, Exit.TEMPORARY, Exit.REFUSED, Exit.UNAVAILABLE, Exit.CREDENTIALS, Exit.FAILED,
           Exit.CONFIG, Exit.OUTCOME_UNKNOWN)
"""Statuses from best to worst."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the pass."""

    name: str
    said: str
    exit: Exit = Exit.DONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What a whole pass did. `staged` are the ids of intents that were not there before."""

    parts: Sequence[Part]
    staged: Sequence[str]

    @property
    def exit(self) -> Exit:
        """The status of the worst part."""
        return max((part.exit for part in self.parts), key=GRAVITY.index)


def once(home: HomeOption = None, json: JsonFlag = False, now: NowOption = None) -> int:
    """Collect every feed, reflect, promote, carry out, and show what came of it."""
    place = home_from(home).existing()
    settings = load(place)
    clock = clock_from(settings, now)
    done = full_pass(place, settings, Progress(clock, as_json=json), now)
    sections = screen(View(place, settings, clock.now()))
    if not json:
        show(sections)
    parts = [{"part": part.name, "said": part.said, "exit": int(part.exit)} for part in done.parts]
    failed = [f"Error: {part.name}: {part.said}" for part in done.parts if part.exit not in (Exit.DONE, Exit.PARTIAL)]
    return emit(Report(schema="vanta.run.once/1", at=clock.now(), exit=done.exit, lines=[], warnings=failed,
                       items={"parts": parts, "staged": list(done.staged), "screen": data(sections)}), as_json=json)


def full_pass(home: Home, settings: Settings, progress: Progress, now: datetime | None = None) -> Pass:
    """Make the pass, at `now` if that is given.

    Raises `LockHeld` while daemons work in the home, `StateError` if a log cannot be trusted.
    """
    clock, parts = clock_from(settings, now), []
    with build_markets(home, settings, clock) as markets:
        markets.hold()
        for feed in (*FEEDS, "prices"):
            if settings.markets.feed(feed).enabled:
                with progress.step(f"collecting {feed}"):
                    parts.append(_collect(markets, feed))
        if not home.file(PORTFOLIO).exists():
            with progress.step("funding the vaults"):
                _execute(home, settings, clock)
        with progress.step("reflecting and promoting"):
            reflected = markets.reflect()
            said = f"revision {reflected.revision}" if reflected.written else "no change"
            parts.append(Part(name="reflect", said=said))
            first = _promote(markets, "promote")
        with progress.step("carrying out"):
            executed = _execute(home, settings, clock)
            second = _promote(markets, "promote again")
    return Pass(parts=[*parts, first.part, executed, second.part], staged=[*first.staged, *second.staged])


@dataclass(frozen=True, slots=True)
class _Promoted:
    part: Part
    staged: Sequence[str] = ()


def _collect(markets: Markets, feed: str) -> Part:
    try:
        report = markets.collect(feed)
    except VantaError as error:
        return Part(name=feed, said=error.what, exit=error.exit_code)
    return Part(name=feed, said=f"{report.result.status}: {report.result.reason}", exit=report.exit)


def _execute(home: Home, settings: Settings, clock: Clock) -> Part:
    built = build_executor(home, settings, clock)
    seen = accepted = fills = 0
    halted = ""
    try:
        for _ in range(STEPS):
            report = built.executor.step()
            seen, accepted, fills = seen + report.seen, accepted + report.accepted, fills + report.fills
            halted = report.halted
    finally:
        built.executor.close()
    said = f"{seen} new intents, {accepted} orders, {fills} fills" + (f"; stopped: {halted}" if halted else "")
    return Part(name="execute", said=said)


def _promote(markets: Markets, name: str) -> _Promoted:
    outcome = markets.promote()
    if outcome.held is not None:
        return _Promoted(Part(name=name, said=outcome.held, exit=Exit.PARTIAL))
    said = f"{len(outcome.staged)} staged, {len(outcome.withdrawn)} withdrawn, {len(outcome.removed)} removed"
    return _Promoted(Part(name=name, said=said), outcome.staged)
