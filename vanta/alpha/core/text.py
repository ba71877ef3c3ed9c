"""Text in boxes: wrapped by characters, long words split, what is too long cut with an ellipsis. Pure."""

import textwrap
import unicodedata

from vanta.alpha.core.sights import one_line

_BROAD = frozenset("mwMW@%")


def breadth(line: str) -> float:
    """About how broad a line is, in ordinary letters: for a font that is not known."""
    return sum(1.7 if char in _BROAD or unicodedata.east_asian_width(char) in "WF" else 1.15 if char.isupper() else 1
               for char in line)


def wrapped(text: str, width: int, most: int) -> list[str]:
    """At most `most` lines of at most `width` characters, printable; at least one."""
    lines = textwrap.wrap(one_line(text), width, break_long_words=True, break_on_hyphens=False)
    if len(lines) > most:
        lines = lines[:most]
        lines[-1] = f"{lines[-1][:width - 1].rstrip()}…"
    return lines or [""]
