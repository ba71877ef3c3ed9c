"""`vanta overlay history`: who changed which control, when, what, and why.

Told from two logs: what commands recorded (`control_log.jsonl`), and what the executor saw (`trade_log.jsonl`), which
is where a save by an editor shows. Reads the end of both, so many megabytes as `--near` says.
"""

import contextlib
import heapq
from collections.abc import Iterator
from typing import Annotated

import typer

from vanta.alpha.core.control_history import Entry, entries, wanted
from vanta.alpha.core.sights import one_line
from vanta.alpha.recent import last_records
from vanta.alpha.wire import snapshots
from vanta.common.cli import HomeOption, JsonFlag, Report, emit
from vanta.common.clock import SystemClock
from vanta.common.errors import VantaError
from vanta.common.paths import CONTROL_LOG, TRADE_LOG, Home
from vanta.common.settings import home_from

Last = Annotated[int, typer.Option("--last", min=1, metavar="N", help="So many of the newest changes.")]
Near = Annotated[int, typer.Option("--near", min=1, max=4_096, metavar="MIB",
                                   help="So many MiB from the end of each log are read.")]


def history(last: Last = 20, near: Near = 16, home: HomeOption = None, json: JsonFlag = False) -> int:
    """Who changed switches, vaults and the permit: when, what, and why. The newest come last."""
    place = home_from(home).existing()
    found = told(place, near << 20)[-last:]
    return emit(Report(
        schema="vanta.overlay.history/1", at=SystemClock().now(),
        items={"changes": [{"at": one.at, "source": one.source, "who": one.who, "what": one.what,
                            "changes": list(one.changes), "why": one.why} for one in found]},
        lines=[line for one in found for line in _lines(one)] or ["nothing was changed yet"]), as_json=json)


def told(home: Home, near: int) -> list[Entry]:
    """The story of the last `near` bytes of both logs."""
    logs = [list(last_records(home.file(name), near=near))[::-1] for name in (CONTROL_LOG, TRADE_LOG)]
    records = list(heapq.merge(*logs, key=lambda record: str(record["at"])))
    return entries(records, dict(_kept(home, wanted(records))))


def _kept(home: Home, digests: list[str]) -> Iterator[tuple[str, bytes]]:
    store = snapshots(home)
    for digest in digests:
        with contextlib.suppress(VantaError):  # what was put away is named by its hash
            yield digest, store.get(digest)


def _lines(one: Entry) -> list[str]:
    who = f" by {one.who}" if one.who else ""
    why = f": {one.why}" if one.why else ""
    return [one_line(f"{one.at}  {one.what}{who}{why}  [{one.source}]"),
            *(f"    {one_line(change)}" for change in one.changes)]
