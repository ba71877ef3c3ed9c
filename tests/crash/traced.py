"""One run of a story in a process of its own, for somebody who traces its system calls from outside.

    python -m tests.crash.traced STORY FOLDER OUTPUT

Prints nothing; what the injector counted is written to OUTPUT as JSON. Removing two folders that do not exist marks in
the trace where the run begins and ends.
"""

import contextlib
import json
import sys
from pathlib import Path

from tests.crash import runs
from tests.crash.injector import Injector
from tests.crash.lab import Lab
from tests.crash.stories import STORIES

BEGIN, END = "begin-of-the-run", "end-of-the-run"


def mark(path: Path) -> None:
    """A call that changes nothing and is seen in the trace."""
    with contextlib.suppress(FileNotFoundError):
        path.rmdir()


def main(story_name: str, folder: str, output: str) -> None:
    """Prepare, install the injector, run, tell."""
    story, root = STORIES[story_name], Path(folder)
    with Lab(root) as lab:
        number = lab.begin(story)
        order = lab.order(story, number, runs.NOTHING)
        injector = Injector(order.fault, str(order.home), lambda line: None)
        injector.install()
        mark(root / BEGIN)
        runs.work(order)
        mark(root / END)
        Path(output).write_text(json.dumps({
            "home": str(order.home), "venue": lab.venue_pid, "points": injector.points}), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
