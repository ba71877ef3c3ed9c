"""`vanta replay`: make every recorded decision of a home again, and compare.

Exit 0 only if everything is equal, byte for byte; 1 if anything differs, naming the first difference by step, id,
field and both values; 3 if an input was not there, so that part of it could not be made again. Reads only.
"""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from vanta.alpha.bundle import unpacked
from vanta.alpha.copies import manifest_of
from vanta.alpha.replayer import Different, Replayed, Replayer
from vanta.common.cli import HomeOption, JsonFlag, Next, Report, application, emit, exit_table
from vanta.common.clock import SystemClock
from vanta.common.exitcodes import Exit
from vanta.common.settings import home_from

app = application("Recompute a home's decisions from its logs, byte for byte.")
_SHOWN = 10
Bundle = Annotated[Path | None, typer.Option("--bundle", metavar="FILE", show_default=False,
                                             help="A file that `vanta audit export` wrote, instead of a home.")]


@app.command(epilog=exit_table(Exit.DONE, Exit.FAILED, Exit.USAGE, Exit.PARTIAL))
def replay(home: HomeOption = None, bundle: Bundle = None, json: JsonFlag = False) -> int:
    """Reflections, promotions, the executor's verdicts and documents, from logs and snapshots alone."""
    with unpacked(bundle) if bundle else nullcontext(home_from(home).existing()) as place:
        done, said = Replayer(place).run(), manifest_of(place)
    status = _status(done)
    return emit(Report(
        schema="vanta.replay/1", at=SystemClock().now(), exit=status,
        items={"equal": status is Exit.DONE, "checked": dict(sorted(done.checked.items())),
               "differences": [_item(one) for one in done.differences], "missing": done.missing},
        lines=[*(f"  {count:>7,} {kind}" for kind, count in sorted(done.checked.items())), _verdict(done, status)],
        warnings=[*([f"{len(said.redacted):,} inputs are redacted copies"] if said and said.redacted else []),
                  *(f"different: {one}" for one in done.differences[:_SHOWN]),
                  *(f"missing: {what}" for what in done.missing[:_SHOWN])],
        next=[Next("see whether anything was changed", "vanta verify")] if done.differences else []), as_json=json)


def _status(done: Replayed) -> Exit:
    if done.differences:
        return Exit.FAILED
    return Exit.PARTIAL if done.missing or not done.checked else Exit.DONE


def _verdict(done: Replayed, status: Exit) -> str:
    count = sum(done.checked.values())
    if status is Exit.FAILED:
        return f"DIFFERENT: {len(done.differences)} of {count:,} recomputed facts; the first: {done.differences[0]}"
    if not done.checked:
        return "NOTHING REPLAYED: there is no decision in the logs of this home"
    if status is Exit.PARTIAL:
        return f"INCOMPLETE: {count:,} facts are equal, {len(done.missing)} could not be recomputed"
    return f"EQUAL: all {count:,} recorded facts were recomputed to the same bytes"


def _item(one: Different) -> dict[str, str]:
    return {"step": one.step, "id": one.about, "field": one.found.field, "recorded": one.found.recorded,
            "recomputed": one.found.recomputed}
