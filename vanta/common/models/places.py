r"""On which line of a JSON text does a field stand? For the messages of whoever knows only its path. Pure.

The text has been parsed strictly before, so that this only counts: it never judges.

    line_of(b'{"a": 1,\\n "b": [{"c": 2}]}', ["b", "0", "c"])  ->  2
"""

import json
import re
from collections.abc import Iterator, Sequence

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],]|[^\s{}\[\],:"]+')


def line_of(raw: bytes, path: Sequence[str]) -> int | None:
    """The line (1-based) of a path's last step, or of the nearest step above it that is there; `None` for neither."""
    text, best, found = raw.decode("utf-8", "replace"), 0, None
    for steps, line in _places(text):
        depth = len(steps)
        if best < depth <= len(path) and steps == list(path[:depth]):
            best, found = depth, line
    return found


def _places(text: str) -> Iterator[tuple[list[str], int]]:
    """Every key and every element of a list by its path, with its line."""
    open_: list[str] = []  # the brackets that are open
    path: list[str] = []  # a step for each of them, once it has one
    line, at = 1, 0
    for token in _TOKEN.finditer(text):
        line, at = line + text.count("\n", at, token.start()), token.start()
        said = token[0]
        if said == ",":
            last = path.pop()
            if open_[-1] == "[":
                path.append(str(int(last) + 1))
        elif said in "}]":
            if len(path) == len(open_):
                path.pop()
            open_.pop()
        else:
            if open_ and open_[-1] == "{" and len(path) < len(open_):
                path.append(json.loads(said))
                yield list(path), line
                continue
            if open_ and open_[-1] == "[":
                yield list(path), line
            if said in "{[":
                open_.append(said)
                if said == "[":
                    path.append("0")
