"""`vanta markets …`: collect, reflect, promote, run."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from vanta.common.cli import (
    HomeOption,
    JsonFlag,
    Next,
    NowOption,
    Report,
    application,
    emit,
    exit_table,
    main,
)
from vanta.common.clock import Clock
from vanta.common.errors import UsageError
from vanta.common.exitcodes import Exit
from vanta.common.log import configure
from vanta.common.notify import Notifier
from vanta.common.paths import ALLOCATION, PORTFOLIO, QUEUE, TRADE_SIGNALS, VAULTS, Home
from vanta.common.settings import clock_from, home_from, load, notify_address, watchdog_s
from vanta.markets.collect import PassReport
from vanta.markets.daemon import Daemon, Parts
from vanta.markets.promoter import PromoteOutcome
from vanta.markets.reflector import PreviewRow, ReflectOutcome
from vanta.markets.wire import PROGRAM, build

app = application("The markets node: collect feeds, reflect on what they say, stage intents.")
MOST_SHOWN = 10

Feed = Annotated[str, typer.Argument(metavar="FEED", help="sec, news, reddit, crypto or prices.")]
Source = Annotated[Path | None, typer.Option(
    "--from", metavar="PATH", show_default=False,
    help="Read recorded payloads (a file or a folder, exactly as the feed serves them) instead of the network.")]
Preview = Annotated[str | None, typer.Option(
    "--preview", metavar="NAME", show_default=False,
    help="Show what a persona, or the flip in force (`flip`), would make of the evidence. Writes nothing.")]


@app.command(epilog=exit_table(
    Exit.DONE, Exit.PARTIAL, Exit.CREDENTIALS, Exit.REFUSED, Exit.UNAVAILABLE, Exit.TEMPORARY, Exit.CONFIG))
def collect(feed: Feed, source: Source = None, now: NowOption = None, home: HomeOption = None,
            json: JsonFlag = False) -> int:
    """Make one pass over one feed and write its file."""
    if now is not None and source is None:
        raise UsageError("--now is for recorded payloads: what is fetched now is seen now",
                         "Add --from PATH, or leave --now out.")
    if source is not None and not source.exists():
        raise UsageError(f"{source} cannot be found", "Give an existing file or folder with --from.")
    place = home_from(home).prepare()
    settings = load(place)
    clock = clock_from(settings, now)
    with build(place, settings, clock) as markets:
        report = markets.collect(feed, source)
    return emit(_collected(report, place, clock), as_json=json)


@app.command(epilog=exit_table(Exit.DONE, Exit.TEMPORARY, Exit.CONFIG))
def reflect(preview: Preview = None, now: NowOption = None, home: HomeOption = None, json: JsonFlag = False) -> int:
    """Merge all feeds into ranked convictions."""
    place = home_from(home).existing()
    settings = load(place)
    clock = clock_from(settings, now)
    with build(place, settings, clock) as markets:
        if preview is not None:
            return emit(_previewed(preview, markets.preview(preview), clock), as_json=json)
        return emit(_reflected(markets.reflect(), place, clock), as_json=json)


@app.command(epilog=exit_table(Exit.DONE, Exit.REFUSED, Exit.TEMPORARY, Exit.CONFIG))
def promote(now: NowOption = None, home: HomeOption = None, json: JsonFlag = False) -> int:
    """Turn convictions into targets and stage the intents."""
    place = home_from(home).existing()
    settings = load(place)
    clock = clock_from(settings, now)
    with build(place, settings, clock) as markets:
        return emit(_promoted(markets.promote(), place, clock), as_json=json)


@app.command(name="run", epilog=exit_table(Exit.DONE, Exit.TEMPORARY, Exit.CONFIG))
def run_daemon(home: HomeOption = None, json: JsonFlag = False) -> int:
    """Do all of it on schedule, until stopped."""
    place = home_from(home).prepare()
    settings = load(place)
    clock = clock_from(settings)
    with build(place, settings, clock) as markets, \
            configure(place, PROGRAM, clock, level=settings.log_level, to_stderr=True) as log:
        markets.hold()
        Daemon(Parts(
            home=place, settings=settings.markets, clock=clock, log=log, notifier=Notifier(notify_address()),
            watchdog_s=watchdog_s(), reflect=markets.reflect, promote=markets.promote,
            command=lambda feed: [sys.executable, "-m", "vanta.markets.cli", "collect", feed, "--home",
                                  str(place.root)])).run()
    stopped = Report(schema="vanta.markets.run/1", at=clock.now(), items={}, lines=["markets: stopped"])
    return emit(stopped, as_json=json)


def _collected(report: PassReport, home: Home, clock: Clock) -> Report:
    result, counts = report.result, report.result.counts
    numbers = (f"  {counts.payloads} payloads, {counts.records} records: {counts.signals_new} new "
               f"({counts.late} late), {counts.signals_updated} updated, {counts.duplicates} repeated, "
               f"{counts.not_signals} without a claim, {counts.expired} expired, {counts.rejected} rejected")
    lines = [f"{report.feed}: {result.status} - {result.reason}", numbers, f"  {home.file(report.file)}"]
    problems = [f"  {one.code}: {one.detail} ({one.where})" for one in result.problems]
    if len(problems) > MOST_SHOWN:
        problems = [*problems[:MOST_SHOWN], f"  and {len(problems) - MOST_SHOWN} more: see the file"]
    if report.cure:
        problems.append(f"  → {report.cure}")
    following = [] if result.status == "error" else \
        [Next("see what follows from it", "vanta markets reflect")]
    return Report(
        schema="vanta.markets.collect/1", at=clock.now(), exit=report.exit, lines=lines, warnings=problems,
        next=following, items={
            "feed": report.feed, "status": result.status, "status_reason": result.reason, "run_id": report.run_id,
            "file": home.file(report.file), "counts": counts.model_dump(), "cure": report.cure,
            "errors": [one.model_dump() for one in result.problems]})


def _reflected(outcome: ReflectOutcome, home: Home, clock: Clock) -> Report:
    told = ", ".join(f"{value} {name}" for name, value in outcome.counts.items())
    lines = [f"{'reflected' if outcome.written else 'nothing has changed'}: revision {outcome.revision}, {told}",
             f"  {home.file(TRADE_SIGNALS)}"]
    return Report(
        schema="vanta.markets.reflect/1", at=clock.now(), lines=lines,
        warnings=[f"  {feed} has no weight: {reason}" for feed, reason in outcome.missing.items()],
        next=[Next("stage intents", "vanta markets promote")],
        items={"written": outcome.written, "dag_id": outcome.dag_id, "revision": outcome.revision,
               "counts": dict(outcome.counts), "missing": dict(outcome.missing), "file": home.file(TRADE_SIGNALS)})


def _previewed(name: str, rows: list[PreviewRow], clock: Clock) -> Report:
    lines = [f"{row.view.conviction_bp:>6} bp  {row.conviction.entity:<16} ({row.conviction.conviction_bp} bp without "
             f"{row.persona})" for row in rows]
    return Report(
        schema="vanta.markets.preview/1", at=clock.now(), lines=lines or ["there are no convictions"],
        items={"preview": name, "items": [
            {"entity": row.conviction.entity, "persona": row.persona, "conviction_bp": row.conviction.conviction_bp,
             "previewed_bp": row.view.conviction_bp,
             "reasons": [reason.model_dump(mode="json") for reason in row.view.reasons]} for row in rows]})


def _promoted(outcome: PromoteOutcome, home: Home, clock: Clock) -> Report:
    if outcome.held is not None:
        head = f"held - {outcome.held}"
    elif outcome.written:
        head = f"{len(outcome.staged)} staged, {len(outcome.withdrawn)} withdrawn, {len(outcome.removed)} removed"
    else:
        head = "nothing to change"
    waiting = [f"  waiting: {one}" for one in outcome.waiting]
    # What is not there yet is no failure: the node has to start somewhere. What is there and unreadable is one.
    refused = outcome.held is not None and all(home.file(name).exists() for name in (TRADE_SIGNALS, VAULTS, PORTFOLIO))
    return Report(
        schema="vanta.markets.promote/1", at=clock.now(), lines=[f"promote: {head}", *waiting, f"  {home.file(QUEUE)}"],
        exit=Exit.REFUSED if refused else Exit.DONE,
        warnings=[f"  {note}" for note in outcome.notes if note != outcome.held],
        next=[Next("carry them out", "vanta executor once")] if outcome.staged else [],
        items={"written": outcome.written, "held": outcome.held, "dag_id": outcome.dag_id,
               "staged": list(outcome.staged), "withdrawn": list(outcome.withdrawn), "removed": dict(outcome.removed),
               "waiting": list(outcome.waiting), "notes": list(outcome.notes), "file": home.file(QUEUE),
               "allocation": home.file(ALLOCATION)})


if __name__ == "__main__":
    sys.exit(main(app, program="vanta markets"))
