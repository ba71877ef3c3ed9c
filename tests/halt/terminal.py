"""Typing into a program that wants a terminal."""

import os
import pty
import select
import subprocess
import time
from pathlib import Path

PATIENCE_S = 60.0


class Typist:
    """A program on a terminal of its own: `type` keys, `wait` until it shows something."""

    def __init__(self, *words: str, folder: Path) -> None:
        self._screen, theirs = pty.openpty()
        self._shown = b""
        self.process = subprocess.Popen(words, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs,
                                        env={**os.environ, "TERM": "xterm", "LC_ALL": "C"}, start_new_session=True)
        os.close(theirs)

    def wait(self, marker: bytes) -> None:
        """Until the screen has shown it since the last wait."""
        ends = time.monotonic() + PATIENCE_S
        while marker not in self._shown:
            if time.monotonic() > ends:
                raise TimeoutError(f"{marker!r} did not appear: {self._shown[-500:]!r}")
            if select.select([self._screen], [], [], 0.05)[0]:
                self._shown += os.read(self._screen, 65_536)
        self._shown = self._shown.partition(marker)[2]

    def type(self, keys: bytes) -> None:
        """Press keys."""
        while keys:
            keys = keys[os.write(self._screen, keys):]

    def end(self) -> int:
        """Wait for the program's end."""
        status = self.process.wait(PATIENCE_S)
        os.close(self._screen)
        return status


def nano(path: Path, text: bytes) -> None:
    """Open the file, delete every line, type the text, save, leave."""
    person = Typist("nano", "--ignorercfiles", path.name, folder=path.parent)
    person.wait(b"Exit")
    person.type(b"\x0b" * (path.read_bytes().count(b"\n") + 1) + text.rstrip(b"\n").replace(b"\n", b"\r") + b"\x0f")
    person.wait(b"File Name to Write")
    person.type(b"\r")
    person.wait(b"Wrote")
    person.type(b"\x18")
    assert person.end() == 0
