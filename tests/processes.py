"""Running a piece of Python in a process of its own, for what one process cannot show about itself."""

import os
import subprocess
import sys
from pathlib import Path

FILES_END_AT = """
import resource
def files_end_at(size):  # every file of this process; -1 lifts the limit again, before measurements are saved
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
"""
"""Put before a child's code: a disk that is full after `size` bytes, as the operating system tells it."""

ROOT = Path(__file__).resolve().parents[1]


def start(code: str, *arguments: str) -> "subprocess.Popen[str]":
    """Start `code` with pipes to its stdin and stdout; `vanta` is importable in it."""
    return subprocess.Popen([sys.executable, "-c", code, *arguments], cwd=ROOT, text=True,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def run(code: str, *arguments: str, measured: bool = True) -> str:
    """Run `code` to its end and return what it printed. A failure fails the test with the child's own words.

    `measured=False` keeps the measurement of coverage out, which opens and renames files of its own.
    """
    command = [sys.executable, "-c", code, *arguments]
    env = {name: value for name, value in os.environ.items() if measured or not name.startswith("COVERAGE")}
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout
