"""Runs one `vanta` command as a child that does not outlive its parent: what supervised daemons are started through.

    python -m vanta.suite.child PARENT_PID executor run --home DIR

A supervisor that is killed cannot stop anything any more, and a daemon that nobody supervises would go on trading. So
the kernel is asked to end the child with SIGTERM as soon as its parent is gone (Linux; elsewhere the child only notices
a parent that was gone from the start).
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

from vanta.common.exitcodes import Exit
from vanta.suite.dispatch import main

_PR_SET_PDEATHSIG = 1


def command(*arguments: str) -> tuple[str, ...]:
    """The command line that runs `vanta arguments…` as a child of this process."""
    return (sys.executable, "-m", "vanta.suite.child", str(os.getpid()), *arguments)


def run(given: Sequence[str]) -> int:
    """Tie this process to its parent, then run the command."""
    parent, *arguments = given
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != int(parent):  # it went away before it could be watched
        return Exit.FAILED
    return main(arguments)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
