"""Reading a feed's `options`: each value checked, each refusal naming the option and the cure. Pure."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from vanta.common.errors import OperatorError


def known_only(options: Mapping[str, Any], feed: str, names: frozenset[str]) -> None:
    """Refuse options that the feed does not have, so that a typing error cannot pass for a setting."""
    unknown = sorted(set(options) - names)
    if unknown:
        raise OperatorError(f"{feed} has no option {unknown[0]!r}", f"Its options are {', '.join(sorted(names))}.")


def text(options: Mapping[str, Any], feed: str, name: str, default: str | None) -> str | None:
    """A line of text without control characters, or the default."""
    value = options.get(name, default)
    if value is None or (isinstance(value, str) and value.strip() and value.isprintable()):
        return value
    raise OperatorError(f"{feed}: option {name} must be a line of text", f"Correct {name} in the feed's options.")


def count(options: Mapping[str, Any], feed: str, name: str, default: int) -> int:
    """A whole number from 1 on."""
    value = options.get(name, default)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise OperatorError(f"{feed}: option {name} must be a whole number from 1 on", f"Correct {name} in the options.")


def url(options: Mapping[str, Any], feed: str, name: str, default: str) -> str:
    """A base address without its trailing slash."""
    value = text(options, feed, name, default) or default
    if host_of(value) is None:
        raise OperatorError(f"{feed}: option {name} is {value!r}, which is no address", f"Write {name} as https://….")
    return value.rstrip("/")


def texts(options: Mapping[str, Any], feed: str, name: str) -> list[str]:
    """A list of lines of text, empty if there is none."""
    value = options.get(name, [])
    if isinstance(value, (list, tuple)) and all(isinstance(one, str) and one.isprintable() for one in value):
        return list(value)
    raise OperatorError(f"{feed}: option {name} must be a list of texts", f"Correct {name} in the feed's options.")


def host_of(address: str) -> str | None:
    """The host of an http or https address, `None` if it is none."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    return parts.hostname if parts.scheme in ("http", "https") else None
