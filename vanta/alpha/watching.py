"""Looking again and again, on a live terminal or line by line, until somebody ends it.

On a live terminal each look is drawn over the one before, on a screen of its own that is given back at the end with the
last look left behind. Elsewhere (a pipe, a dumb terminal) looks follow one another. Ctrl-C and SIGTERM end it, also in
the middle of a look or a line.
"""

import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

from vanta.common.clock import Clock

ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
_HOME, _LINE_END, _REST = "\x1b[H", "\x1b[K", "\x1b[J"


class Ended(BaseException):
    """Somebody wants it to end. No error: nothing that handles errors may take it for one."""


@contextmanager
def until_ended() -> Iterator[None]:
    """Within this, Ctrl-C and SIGTERM end the block without an error; what was set before comes back."""
    def end(_number: int, _frame: FrameType | None) -> NoReturn:
        raise Ended

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except Ended:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """`show` writes text as it is; `live` is whether the terminal can be drawn over."""

    show: Callable[[str], None]
    clock: Clock
    live: bool

    def run(self, view: Callable[[], str], every_s: float) -> None:
        """Show `view()` every so many seconds. Raises what `view` raises; the terminal is given back before."""
        last = ""
        with until_ended():
            try:
                if self.live:
                    self.show(ENTER)
                while True:
                    last = view()
                    self.show(drawn(last) if self.live else f"{last}\n")
                    self.clock.sleep(every_s)
            finally:
                if self.live:
                    self.show(f"{LEAVE}{last}\n" if last else LEAVE)


def drawn(text: str) -> str:
    """The text over what was drawn before, cut to the size of the terminal."""
    width, height = shutil.get_terminal_size()
    lines = text.split("\n")
    if len(lines) > height:
        lines = [*lines[:height - 1], f"… and {len(lines) - height + 1} more lines"]
    return _HOME + "\n".join(line[:width] + _LINE_END for line in lines) + _REST
