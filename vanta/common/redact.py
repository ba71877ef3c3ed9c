"""Masks what must not reach a log or a diagnostics bundle. Pure and total: any value in, plain JSON-able data out.

A value is masked when its key names a secret (`api_key`, `X-Auth-Token`, `client_secret`, …) or when the text
itself shows one: a bearer or basic credential, a `token=` in a URL, a password in front of a host, a bot token as
Telegram writes it. Text that merely mentions a secret loses one word too many rather than one too few.

    >>> redact({"url": "https://host/v1?token=abc&page=2", "password": "x"})
    {'url': 'https://host/v1?token=***&page=2', 'password': '***'}
"""

import re

MASK = "***"
MAX_DEPTH = 8

_WORDS = r"(?:token|secret|passw(?:or)?d|passphrase|authorization|api[_-]?key|private[_-]?key|cookie|signature)"
_KEY = re.compile(_WORDS, re.IGNORECASE)
# The runs around the word are bounded, so that a long text without secrets costs one pass, not one per position.
_NAMED = rf"[\w.-]{{0,40}}{_WORDS}[\w.-]{{0,40}}[\"']?\s{{0,3}}[:=]\s{{0,3}}[\"']?(?:(?:bearer|basic|digest)\s+)?"
_PATTERNS = (
    # authorization: Bearer abc · 'api_key': 'abc' · ?access_token=abc
    (re.compile(rf"({_NAMED})[^\s\"'&,;)}}\]]+", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{6,}", re.IGNORECASE), rf"\1 {MASK}"),
    (re.compile(r"\b(bot)?\d{6,}:[\w-]{20,}"), MASK),  # the whole of id and token
    (re.compile(r"(://[^/\s:@]{0,100}:)[^/\s@]{1,500}@"), rf"\1{MASK}@"),
)


def redact(value: object, depth: int = 0) -> object:
    """A copy of `value` with every secret masked; unknown objects become their text, masked as well."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth > MAX_DEPTH:
        return "…"
    if isinstance(value, dict):
        return {redact_text(str(key)): MASK if is_secret(str(key)) and item is not None else redact(item, depth + 1)
                for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = list(value)
        if len(items) == 2 and isinstance(items[0], str) and is_secret(items[0]):  # a header as a pair
            return [items[0], MASK]
        return [redact(item, depth + 1) for item in items]
    if isinstance(value, bytes | bytearray):
        return redact_text(value.decode("utf-8", "backslashreplace"))
    return redact_text(str(value))


def redact_text(text: str) -> str:
    """Text with every recognisable secret masked."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def is_secret(key: str) -> bool:
    """Whether a field of that name is masked whatever it holds."""
    return _KEY.search(key) is not None
