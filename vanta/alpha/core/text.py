"""Text in boxes: wrapped by characters, long words split, what is too long cut with an ellipsis. Pure."""

import textwrap

from vanta.alpha.core.sights import one_line


def wrapped(text: str, width: int, most: int) -> list[str]:
    """At most `most` lines of at most `width` characters, printable; at least one."""
    lines = textwrap.wrap(one_line(text), width, break_long_words=True, break_on_hyphens=False)
    if len(lines) > most:
        lines = lines[:most]
        lines[-1] = f"{lines[-1][:width - 1].rstrip()}…"
    return lines or [""]
