"""`vanta replay`: make everything that a home's logs record again, from raw payloads on, and compare bytes.

Exit 0 only if everything is equal, byte for byte; 1 if anything differs, naming the first difference in the chain raw →
signals → conviction → allocation → queue → verdict → order → fill → PnL by step, id, field and both values; 3 if an
input was not there, so that part of it could not be made again. Reads only; asks no network, clock or credentials, so
that what it prints depends on the home alone: `generated_at` is the time of the newest record.

EQUAL says that what is recorded follows from its inputs, not that everything was recorded: see the epilog.
"""

from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from vanta import __version__
from vanta.alpha.bundle import unpacked
from vanta.alpha.copies import manifest_of
from vanta.alpha.core.scope import Scope
from vanta.alpha.replayer import Different, Replayed, Replayer
from vanta.common.cli import HomeOption, JsonFlag, Next, Report, application, emit, exit_table, moment
from vanta.common.errors import UsageError
from vanta.common.exitcodes import Exit
from vanta.common.settings import home_from
from vanta.common.times import EPOCH, iso, parse_iso

app = application("Recompute a home's decisions from its logs and raw payloads, byte for byte.")
_SHOWN = 10
Bundle = Annotated[Path | None, typer.Option("--bundle", metavar="FILE", show_default=False,
                                             help="A file that `vanta audit export` wrote, instead of a home.")]

From = Annotated[datetime | None, typer.Option(
    "--from", metavar="TIME", parser=moment, show_default=False,
    help="Compare what was recorded from then on: a date or an ISO time.")]
To = Annotated[datetime | None, typer.Option(
    "--to", metavar="TIME", parser=moment, show_default=False,
    help="The end, which is not part of it any more. With it documents are not compared.")]
Dag = Annotated[str | None, typer.Option(
    "--dag", metavar="ID", show_default=False, help="One cycle (dag1_…): the passes that it read, its reflection and "
    "promotions, and all verdicts, orders and fills of what they staged.")]


_EPILOG = ("Equal means: what is recorded follows from what it names. Records that were left out are missed only where "
           "others must have them beside them (docs/adr/0020); nothing here shows what was never recorded.")


@app.command(epilog=f"{_EPILOG}\n\n{exit_table(Exit.DONE, Exit.FAILED, Exit.USAGE, Exit.PARTIAL)}")
def replay(*, home: HomeOption = None, bundle: Bundle = None, begins: From = None, ends: To = None,  # noqa: PLR0913 - options
           dag: Dag = None, json: JsonFlag = False) -> int:
    """Signals, convictions, allocation, queue, verdicts, orders, fills and documents, from snapshots and logs alone."""
    if begins is not None and ends is not None and ends <= begins:
        raise UsageError(f"nothing lies from {iso(begins)} until before {iso(ends)}", "Give a --to after --from.")
    with unpacked(bundle) if bundle else nullcontext(home_from(home).existing()) as place:
        said = manifest_of(place)
        scope = Scope(begins=iso(begins) if begins else (said.since if said else "") or None,
                      ends=iso(ends) if ends else (said.until if said else "") or None, dag=dag)
        done = Replayer(place, scope).run()
    status = _status(done)
    return emit(Report(
        schema="vanta.replay/1", at=parse_iso(done.newest) if done.newest else EPOCH, exit=status,
        items={"equal": status is Exit.DONE, "version": __version__,
               "scope": {"from": scope.begins, "to": scope.ends, "dag": scope.dag},
               "checked": dict(sorted(done.checked.items())),
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
        return "NOTHING REPLAYED: no decision of this home's logs is in scope"
    if status is Exit.PARTIAL:
        return f"INCOMPLETE: {count:,} facts are equal, {len(done.missing)} could not be recomputed"
    return f"EQUAL: all {count:,} recorded facts were recomputed to the same bytes"


def _item(one: Different) -> dict[str, str | bool]:
    return {"stage": one.stage, "step": one.step, "id": one.about, "field": one.found.field,
            "recorded": one.found.recorded, "recomputed": one.found.recomputed, "recorded_by": one.by,
            "other_code": one.other_code}
