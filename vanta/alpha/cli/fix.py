"""`vt-fix ID`: begin to fix an item, and end it only when its own check ends with 0.

The first call opens a thread with a checklist. Each further one runs the check that was given with `vt-add --verify`:
without a shell, without this program's environment, as the account that gave it and no other, and not for longer than
`--timeout`. What it ended with is recorded, what it printed is not.
"""

import os
from collections.abc import Sequence
from typing import Annotated

import typer

from vanta.alpha import checks
from vanta.alpha.cli.tracker import By, IdArgument, where
from vanta.alpha.core.items import indented, row, thread_told
from vanta.alpha.core.sights import one_line
from vanta.alpha.tracker import desk, find
from vanta.common import cli
from vanta.common.cli import HomeOption, JsonFlag, Next, NowOption, Report, application, emit, exit_table
from vanta.common.errors import OperatorError, UsageError
from vanta.common.exitcodes import Exit
from vanta.common.host import account
from vanta.common.models.tracker import Item
from vanta.common.paths import Home

app = application("Fix an item, and have its check say so.")
Timeout = Annotated[float, typer.Option("--timeout", min=0.1, max=3600, metavar="SECONDS",
                                        help="How long its check may take.")]


class Foreign(OperatorError):
    """Another account's command is not run."""

    exit_code = Exit.REFUSED


@app.command(epilog=exit_table(Exit.DONE, Exit.FAILED, Exit.USAGE, Exit.REFUSED, Exit.TEMPORARY, Exit.CONFIG))
def fix(name: IdArgument, home: HomeOption = None, *, by: By = None, timeout: Timeout = 300,  # noqa: PLR0913 - options
        now: NowOption = None, json: JsonFlag = False) -> int:
    """Begin, or where it has begun run the item's check. Ends with 0 once begun or done, with 1 if the check failed."""
    place, clock = where(home, now)
    who = by or account()
    with desk(place, clock, by=who) as one:  # held to its signed head, before a command out of it is run
        item = one.tracker.item(find(name, one.tracker.items, prefix="vt_"))
        if item.state != "fixing":
            item = one.begin(item.id)
            lines = list(thread_told(one.tracker.thread(str(item.thread))))
            return emit(Report(
                schema="vanta.tracker.fix/1", at=clock.now(), items={"item": item.model_dump(mode="json")},
                lines=[indented(text) for text in lines],
                next=[Next("when it is put right", f"vt-fix {item.id}" if item.verify else
                           f"vt-mark {item.id} done --reason TEXT")]), as_json=json)
    ended = _run(place, item, timeout)
    with desk(place, clock, by=who) as one:  # open meanwhile: others go on while the check runs
        item = one.checked(item.id, ended.code)
    done = item.state == "done"
    why = f"it did not end within {timeout:g} s" if ended.code is None else f"it ended with {ended.code}"
    return emit(Report(
        schema="vanta.tracker.fix/1", at=clock.now(), exit=Exit.DONE if done else Exit.FAILED,
        items={"item": item.model_dump(mode="json"), "exit": ended.code, "output": ended.output},
        lines=[*([] if done else map(one_line, ended.output.splitlines())), row(item, clock.now())],
        warnings=[] if done else [f"Error: the check does not hold: {why}"],
        next=[] if done else [Next("when it is put right", f"vt-fix {item.id}")]), as_json=json)


def _run(place: Home, item: Item, timeout_s: float) -> checks.Ended:
    """The item's check. Raises `UsageError` where there is none, and `Foreign` where it is another account's."""
    if item.verify is None:
        raise UsageError(f"{item.id} has no check", f"Say that it is done: `vt-mark {item.id} done --reason TEXT`.")
    if item.uid != str(os.getuid()):
        raise Foreign(f"the check of {item.id} was given by account {item.uid}, and is not run as {os.getuid()}",
                      "Run it as that account.")
    return checks.run(item.verify, folder=place.root, timeout_s=timeout_s)


def main(arguments: Sequence[str] | None = None) -> int:
    """The console script."""
    return cli.main(app, program="vt-fix", arguments=arguments)
