"""`vanta markets collect`: one pass over one feed."""

from pathlib import Path
from typing import Annotated

import typer

from vanta.common.cli import HomeOption, JsonFlag, Next, NowOption, Report, application, emit, exit_table
from vanta.common.clock import Clock
from vanta.common.errors import LockHeld, UsageError
from vanta.common.exitcodes import Exit
from vanta.common.paths import Home
from vanta.common.settings import clock_from, home_from, insist_on_node, load
from vanta.common.store.ground import doubts
from vanta.markets.collect import PassReport
from vanta.markets.collectors.wire import build

app = application("Collect a feed.")
MOST_SHOWN = 10

Feed = Annotated[str, typer.Argument(metavar="FEED", help="sec, news, reddit, crypto or prices.")]
Source = Annotated[Path | None, typer.Option(
    "--from", metavar="PATH", show_default=False,
    help="Read recorded payloads (a file or a folder, exactly as the feed serves them) instead of the network.")]

Scheduled = Annotated[bool, typer.Option("--scheduled", help="As cron does: say and do nothing if the feed is not "
                                         "enabled, or if a pass of it is under way.")]


@app.command(epilog=exit_table(
    Exit.DONE, Exit.PARTIAL, Exit.CREDENTIALS, Exit.REFUSED, Exit.UNAVAILABLE, Exit.TEMPORARY, Exit.CONFIG))
def collect(feed: Feed, source: Source = None, now: NowOption = None, home: HomeOption = None, *,  # noqa: PLR0913
            scheduled: Scheduled = False, json: JsonFlag = False) -> int:
    """Make one pass over one feed and write its file."""
    if now is not None and source is None:
        raise UsageError("--now is for recorded payloads: what is fetched now is seen now",
                         "Add --from PATH, or leave --now out.")
    if source is not None and not source.exists():
        raise UsageError(f"{source} cannot be found", "Give an existing file or folder with --from.")
    place = home_from(home).prepare()
    settings = load(place)
    insist_on_node(settings, "markets")
    clock = clock_from(settings, now)
    if scheduled and not settings.markets.feed(feed).enabled:
        return emit(_left(clock, "the feed is not enabled"), as_json=json)
    try:
        with build(place, settings, clock) as harvest:
            report = harvest.collect(feed, source)
    except LockHeld as held:
        if not scheduled:
            raise
        return emit(_left(clock, held.what), as_json=json)
    return emit(_collected(report, place, clock), as_json=json)


def _left(clock: Clock, why: str) -> Report:
    """Nothing to say to people: a minute in which nothing is to be done is none to mail about."""
    return Report(schema="vanta.markets.collect/1", at=clock.now(), lines=[], items={"left": why})


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
        schema="vanta.markets.collect/1", at=clock.now(), exit=report.exit, lines=lines,
        warnings=[*doubts(home.memory), *problems],
        next=following, items={
            "feed": report.feed, "status": result.status, "status_reason": result.reason, "run_id": report.run_id,
            "file": home.file(report.file), "counts": counts.model_dump(), "cure": report.cure,
            "errors": [one.model_dump() for one in result.problems]})
