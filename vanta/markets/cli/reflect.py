"""`vanta markets reflect`: one reflection, or a look at it through a persona's eyes."""

from typing import Annotated

import typer

from vanta.common.cli import HomeOption, JsonFlag, Next, NowOption, Report, application, emit, exit_table
from vanta.common.clock import Clock
from vanta.common.exitcodes import Exit
from vanta.common.paths import TRADE_SIGNALS, Home
from vanta.common.settings import clock_from, home_from, load
from vanta.markets.reflector import PreviewRow, ReflectOutcome
from vanta.markets.wire import build

app = application("Reflect on the feeds.")

Preview = Annotated[str | None, typer.Option(
    "--preview", metavar="NAME", show_default=False,
    help="Show what a persona, or the flip in force (`flip`), would make of the evidence. Writes nothing.")]


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
