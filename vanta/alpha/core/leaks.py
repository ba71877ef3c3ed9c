"""Does a text that is to leave this host hold a secret, or a name that was withheld elsewhere? Pure.

Logs hold none by design; this is the second look. It knows the values of the home's own credentials, and in what the
home itself wrote also what `common/redact.py` recognises. Public texts (payloads of feeds, and what was made of them)
speak of passwords and tokens all the time, so that in them only the credentials' values are looked for.
"""

import json
import re
from collections.abc import Iterable, Iterator

from vanta.common.redact import redact_text

SHORTEST = 8
"""Shorter values stand by chance in any text: names of accounts, numbers."""
SHORTEST_NAME = 3

_HINTS = re.compile(rb"token|secret|passw|passphrase|authorization|api[_-]?key|private[_-]?key|cookie|signature|bearer|"
                    rb"basic |bot\d|\d{6}:|://[^/\s:@]*:", re.IGNORECASE)


def spellings(secrets: Iterable[str]) -> list[bytes]:
    """How the values may stand in a file: as they are, and as JSON writes them."""
    kept = {value for value in secrets if len(value) >= SHORTEST}
    return sorted({text.encode() for value in kept for text in (value, json.dumps(value)[1:-1],
                                                                json.dumps(value, ensure_ascii=False)[1:-1])})


def leaks(data: bytes, secrets: Iterable[bytes], *, own: bool) -> Iterator[tuple[int, str]]:
    """Lines (1-based) that hold a secret, and what kind of one; never what it is. `own`: the home itself wrote it."""
    for value in secrets:
        at = data.find(value)
        if at >= 0:
            yield data.count(b"\n", 0, at) + 1, "the value of a credential of this home"
    seen = -1
    for found in _HINTS.finditer(data) if own else ():
        if found.start() < seen:
            continue  # this line was looked at
        start, end = data.rfind(b"\n", 0, found.start()) + 1, data.find(b"\n", found.end())
        seen = end if end >= 0 else len(data)
        text = data[start:seen].decode("utf-8", "backslashreplace")
        if redact_text(text) != text:
            yield data.count(b"\n", 0, start) + 1, "what looks like a secret"
            return


def named(data: bytes, values: Iterable[str]) -> list[int]:
    """Lines (1-based) whose text names somebody although the fields that do so are withheld.

    People write names into reasons. Numbers and names of one or two letters stand anywhere by chance.
    """
    kept = [value for value in values if len(value) >= SHORTEST_NAME and not value.isdecimal()]
    spelled = {text.encode() for value in kept for text in (json.dumps(value)[1:-1],
                                                            json.dumps(value, ensure_ascii=False)[1:-1])}
    if not spelled:
        return []
    word = rb"(?<![A-Za-z0-9])(?:" + b"|".join(map(re.escape, sorted(spelled))) + rb")(?![A-Za-z0-9])"
    found = re.compile(word)
    return [number for number, line in enumerate(data.split(b"\n"), start=1) if found.search(line)]
