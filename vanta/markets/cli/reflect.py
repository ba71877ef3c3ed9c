"""`vanta markets reflect`: one reflection, or a look at it through a persona's eyes."""

from typing import Annotated

import typer

from vanta.common.cli import HomeOption, JsonFlag, Next, NowOption, Report, application, emit, exit_table
from vanta.common.clock import Clock
from vanta.common.exitcodes import Exit
from vanta.common.paths import TRADE_SIGNALS, Home
from vanta.common.settings import clock_from, home_from, insist_on_node, load
from vanta.common.store.ground import doubts
from vanta.common.times import iso
from vanta.markets.core.flipped import FlipPreview
from vanta.markets.reflector import FLIP, PreviewRow, ReflectOutcome
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
    insist_on_node(settings, "markets")
    clock = clock_from(settings, now)
    with build(place, settings, clock) as markets:
        if preview is not None:
            flip = markets.preview_flip() if preview == FLIP else None
            return emit(_previewed(preview, markets.preview(preview), flip, clock), as_json=json)
        return emit(_reflected(markets.reflect(), place, clock), as_json=json)


def _reflected(outcome: ReflectOutcome, home: Home, clock: Clock) -> Report:
    told = ", ".join(f"{value} {name}" for name, value in outcome.counts.items())
    lines = [f"{'reflected' if outcome.written else 'nothing has changed'}: revision {outcome.revision}, {told}",
             f"  {home.file(TRADE_SIGNALS)}"]
    return Report(
        schema="vanta.markets.reflect/1", at=clock.now(), lines=lines,
        warnings=[*doubts(home.memory),
                  *(f"  {feed} has no weight: {reason}" for feed, reason in outcome.missing.items())],
        next=[Next("stage intents", "vanta markets promote")],
        items={"written": outcome.written, "dag_id": outcome.dag_id, "revision": outcome.revision,
               "counts": dict(outcome.counts), "missing": dict(outcome.missing), "file": home.file(TRADE_SIGNALS)})


def _previewed(name: str, rows: list[PreviewRow], flip: FlipPreview | None, clock: Clock) -> Report:
    lines = [f"{row.view.conviction_bp:>6} bp  {row.view.direction:<7}  {row.conviction.entity:<16} "
             f"({row.conviction.conviction_bp} bp {row.conviction.direction} without {row.persona})" for row in rows]
    return Report(
        schema="vanta.markets.preview/1", at=clock.now(),
        lines=[*(_flip_lines(flip) if flip else []), *(lines or ["there are no convictions"])],
        items={"preview": name, "flip": _flip_item(flip) if flip else None, "items": [
            {"entity": row.conviction.entity, "persona": row.persona, "direction": row.conviction.direction,
             "conviction_bp": row.conviction.conviction_bp, "previewed_direction": row.view.direction,
             "previewed_bp": row.view.conviction_bp,
             "reasons": [reason.model_dump(mode="json") for reason in row.view.reasons]} for row in rows]})


def _flip_lines(preview: FlipPreview) -> list[str]:
    flip = preview.flip
    head = (f"flip {flip.flip_id}: {flip.slice_bp / 100:g} % of {preview.vault_id} goes by {flip.persona}, whose "
            f"weights are raised by {flip.amplify_bp / 100:g} %, until {iso(flip.ends)}")
    told = [f"  {one.instrument_id:<16} {one.without_bp:>6} bp of NAV asked for without it, {one.with_bp:>6} bp with it"
            for one in preview.changes]
    return [head, *(told or ["  it changes no weight"]), ""]


def _flip_item(preview: FlipPreview) -> dict[str, object]:
    flip = preview.flip
    return {"flip_id": flip.flip_id, "vault": preview.vault_id, "persona": flip.persona, "slice_bp": flip.slice_bp,
            "amplify_bp": flip.amplify_bp, "ends": iso(flip.ends), "changes": [
                {"instrument_id": one.instrument_id, "without_bp": one.without_bp, "with_bp": one.with_bp}
                for one in preview.changes]}
