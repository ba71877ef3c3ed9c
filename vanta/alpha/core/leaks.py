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

_HINTS = tuple(word.encode() for word in """token secret passw passphrase authorization api_key api-key apikey
    private_key private-key privatekey cookie signature bearer basic ://""".split())
_BOT = re.compile(rb"\d:[\w-]{20}")
"""What stands, in small letters, in every line that `redact.py` would change: looked for first, as a log is long."""


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
    for start in sorted(_suspects(data)) if own else ():
        end = data.find(b"\n", start)
        text = data[start:end if end >= 0 else len(data)].decode("utf-8", "backslashreplace")
        if redact_text(text) != text:
            yield data.count(b"\n", 0, start) + 1, "what looks like a secret"
            return


def _suspects(data: bytes) -> set[int]:
    """Where the lines begin that `redact.py` is to look at."""
    small = data.lower()
    found = {data.rfind(b"\n", 0, one.start()) + 1 for one in _BOT.finditer(data)}
    for hint in _HINTS:
        at = small.find(hint)
        while at >= 0:
            found.add(data.rfind(b"\n", 0, at) + 1)
            end = small.find(b"\n", at)
            at = small.find(hint, end) if end >= 0 else -1
    return found


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
