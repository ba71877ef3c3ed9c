"""Running the check of an item: without a shell, without this program's environment, and not for longer than agreed.

What it prints is shown to whoever asked and kept nowhere. When its time is over it is ended with whatever it started.
"""

import os
import shlex
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from vanta.common.errors import UsageError
from vanta.common.settings import plain_environment
from vanta.common.store.atomic import describe

SHOWN_BYTES = 4096


class Ended(NamedTuple):
    """`code` is `None` where it did not end in time; `output` is the last of what it said, `raw` all of it."""

    code: int | None
    output: str
    raw: bytes


def words(command: str) -> list[str]:
    """A command as it is given to the operating system. Raises `UsageError` for one that is none."""
    try:
        found = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"the check cannot be read: {error}", "Quote it as a shell would.") from error
    if not found or any("\0" in word for word in found) or not command.isprintable():
        raise UsageError("the check is no command", "As in --verify 'vanta verify --home /opt/vanta'.")
    return found


def run(command: str, *, folder: Path, timeout_s: float) -> Ended:
    """Run it in `folder` and wait. Raises `UsageError` if it cannot be started."""
    try:
        process = subprocess.Popen(  # noqa: S603 - the operator's own command, word by word
            words(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder,
            env={**plain_environment(), "PYTHONDONTWRITEBYTECODE": "1"}, start_new_session=True)
    except OSError as error:
        raise UsageError(f"the check cannot be started: {describe(error)}", "Name a program that is there.") from error
    code: int | None = None
    try:
        output, _ = process.communicate(timeout=timeout_s)
        code = process.returncode
    except subprocess.TimeoutExpired:
        _end(process)
        output, _ = process.communicate()
    finally:
        _end(process)
    return Ended(code, output[-SHOWN_BYTES:].decode("utf-8", "replace"), output)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End it and what it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
