"""`tracker_viewer.py --out FILE`: the tracker as one static page that needs nothing else.

The page says when it was made and when it is stale. With `--watch` it is made again whenever the tracker changes, and
in any case before it gets stale. It is replaced as a whole: nobody ever sees half of one.
"""

import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from vanta import __version__
from vanta.alpha.cli.tracker import EVERY_S, where
from vanta.alpha.core.board import Shown, board
from vanta.alpha.pages import outside
from vanta.alpha.tracker import look
from vanta.common import cli
from vanta.common.cli import HomeOption, NowOption, Report, application, emit, exit_table
from vanta.common.clock import Clock
from vanta.common.exitcodes import Exit
from vanta.common.notify import Notifier
from vanta.common.paths import Home
from vanta.common.settings import notify_address
from vanta.common.store import atomic

PROGRAM = "tracker_viewer.py"

app = application("The tracker as a page.")
OutOption = Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the page goes; it is replaced.")]
StaleOption = Annotated[int, typer.Option("--stale-after", min=1, max=10_080, metavar="MINUTES",
                                          help="How long the page is news.")]


@app.command(epilog=exit_table(Exit.DONE, Exit.USAGE, Exit.CONFIG))
def view(out: OutOption, home: HomeOption = None, *, stale_after: StaleOption = 60, watch: Annotated[bool, typer.Option(
        "--watch", help="Make it again whenever something changes, until Ctrl-C.")] = False,
        now: NowOption = None) -> int:
    """Write the page."""
    place, clock = where(home, now)
    target = outside(out, place, "--out board.html")
    fresh_for = timedelta(minutes=stale_after)
    make(place, clock, target, fresh_for)
    emit(Report(schema="vanta.tracker.board/1", at=clock.now(), items={}, lines=[f"the board is in {target}"]),
         as_json=False)
    if watch:
        notifier = Notifier(notify_address())
        notifier.ready(f"the board is in {target}")
        keep(place, clock, target, fresh_for, notifier)
    return 0


def make(home: Home, clock: Clock, target: Path, fresh_for: timedelta) -> int:
    """Write the page once. Returns the record that it goes up to."""
    tracker = look(home)
    page = board(tracker, Shown(clock.now(), fresh_for, f"{PROGRAM} {__version__}"))
    atomic.replace(target, page.encode(), durable=False)
    return tracker.seq


def keep(home: Home, clock: Clock, target: Path, fresh_for: timedelta, notifier: Notifier) -> None:
    """Write it whenever there is another record, and at half of its time; for ever. Each look is a sign of life."""
    seen, made = -1, clock.monotonic()
    while True:
        if look(home).seq != seen or clock.monotonic() - made >= fresh_for.total_seconds() / 2:
            seen, made = make(home, clock, target, fresh_for), clock.monotonic()
        notifier.watchdog()
        clock.sleep(EVERY_S)


def main(arguments: Sequence[str] | None = None) -> int:
    """The console script."""
    return cli.main(app, program=PROGRAM, arguments=arguments)


if __name__ == "__main__":
    sys.exit(main())
