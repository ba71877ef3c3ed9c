"""A wish to change something, as the command that a person would run. Pure.

Only two kinds are made: a switch of the overlay, and an item of the tracker. Every word that a person typed is quoted
for a shell; nothing that is typed becomes an option or a second command.

    proposed("propose overlay maintenance on for 2h because the feed is odd", …)
        ->  vanta overlay set maintenance --until 7200s --reason 'the feed is odd'
"""

import difflib
import re
import shlex
from dataclasses import dataclass

from vanta.alpha.core.assistant.spans import length
from vanta.alpha.core.sights import one_line
from vanta.alpha.core.switching import ENDING
from vanta.common.errors import UsageError
from vanta.common.models.overlay import SWITCHES
from vanta.common.models.tracker import KINDS, SEVERITIES

LONGEST = 400
HOW = (
    "propose overlay SWITCH on|off [for 2h] [on vault V_CORE] because …, or propose item|incident|task|risk|idea TITLE "
    "[severity high] because …"
)
_OVERLAY = re.compile(
    r"(?:the\s+)?(?:overlay\s+)?(?:switch\s+)?(?P<switch>[a-z_]+)\s+(?P<way>on|off)\b(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_SCOPE = re.compile(
    r"\b(?:on|for|of|in)\s+(?P<kind>vault|broker|instrument|asset[_ ]class)\s+(?P<name>[A-Za-z0-9_:.\-]{1,64})",
    re.IGNORECASE,
)
_FOR = re.compile(r"\bfor\s+(?P<span>(?:\d[\d.]*\s*|an?\s+|half\s+an?\s+|one\s+|two\s+|three\s+)[a-z]+)", re.IGNORECASE)
_TURN = re.compile(r"^turn(?:ing)?\s+(on|off)\s+(\S+)", re.IGNORECASE)
_ITEM = re.compile(r"(?:an?\s+)?(?P<kind>item|" + "|".join(KINDS) + r")\s+(?P<title>.+)", re.IGNORECASE | re.DOTALL)
_SEVERITY = re.compile(
    r"\b(?:of\s+)?(?:(?:severity|sev)\s+(?P<a>"
    + "|".join(SEVERITIES)
    + r")|(?P<b>"
    + "|".join(SEVERITIES)
    + r")\s+severity)\b",
    re.IGNORECASE,
)
_SIZES = ((3_600, "h"), (60, "min"), (1, "s"))
_BECAUSE = re.compile(r"\s+(?:because|since|as|:)\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is proposed. `about` is `overlay` or `item`; `asks` are the facts by which it is known to be done later."""

    about: str
    command: str
    said: str
    loosens: bool = False
    switch: str = ""
    scope: str = ""
    on: bool = False
    title: str = ""


def is_ours(command: str) -> bool:
    """Whether this is a command that `proposed` could have made: one program of these, its words quoted for a shell."""
    try:
        words = shlex.split(command)
    except ValueError:
        return False
    return shlex.join(words) == command and (words[:1] == ["vt-add"] or words[:3] in (
        ["vanta", "overlay", "set"], ["vanta", "overlay", "clear"]))


def proposed(text: str) -> Wish:
    """The wish behind a sentence that begins with propose. Raises `UsageError` where it is none of the two kinds."""
    wish, _, reason = _parted(
        re.sub(r"^\s*(?:please\s+)?(?:propose|suggest|draft)\s+(?:to\s+)?", "", text, flags=re.IGNORECASE)
    )
    item = _ITEM.fullmatch(wish)
    if item is not None:
        return _item(item, reason)
    overlay = _OVERLAY.fullmatch(_TURN.sub(r"\2 \1", wish))
    if overlay is not None:
        return _overlay(overlay, reason)
    raise UsageError(
        "I can propose a switch of the overlay or an item of the tracker, and this is neither", f"Say {HOW}."
    )


def _parted(text: str) -> tuple[str, str, str]:
    """What is wished, and what follows the first "because"."""
    found = _BECAUSE.search(text)
    return (
        (text.strip(), "", "")
        if found is None
        else (text[: found.start()].strip(), found[0], text[found.end() :].strip())
    )


def _overlay(found: "re.Match[str]", reason: str) -> Wish:
    switch, on, rest = found["switch"].lower(), found["way"].lower() == "on", found["rest"]
    if switch not in SWITCHES:
        close = difflib.get_close_matches(switch, SWITCHES, n=1)
        raise UsageError(
            f"there is no switch {switch[:40]!r}",
            f"Did you mean {close[0]}?" if close else f"Known are {', '.join(SWITCHES)}.",
        )
    if not on and not reason:
        raise UsageError("turning a switch off needs a reason", "Add: because …")
    scope, span = _SCOPE.search(rest), _FOR.search(_SCOPE.sub("", rest))
    left = _FOR.sub("", _SCOPE.sub("", rest)).strip(" ,.;")
    if left:
        raise UsageError(f"I do not understand {one_line(left)[:60]!r}", f"Say {HOW}.")
    where = f"{scope['kind'].lower().replace(' ', '_')}:{scope['name']}" if scope else ""
    words = [
        "vanta",
        "overlay",
        "set" if on else "clear",
        switch,
        *(["--scope", where] if where else []),
        *_until(switch, span, on=on),
        *(["--reason", _clean(reason)] if reason else []),
    ]
    return Wish(
        about="overlay",
        command=shlex.join(words),
        said=f"{switch} {'on' if on else 'off'}{f' for {where}' if where else ''}",
        loosens=not on,
        switch=switch,
        scope=where,
        on=on,
    )


def _until(switch: str, span: "re.Match[str] | None", *, on: bool) -> list[str]:
    if span is None:
        return []
    long = length(span["span"])
    if long is None or long.total_seconds() < 1:
        raise UsageError(
            f"{one_line(span['span'])[:40]!r} is no time that I understand", "Say it as 90 min, 2h or 3 days."
        )
    if not on or switch not in ENDING:
        raise UsageError(
            f"{switch} {'does not end by itself' if on else 'is turned off at once, not for a while'}",
            f"Only {' and '.join(ENDING)} may be on for a while.",
        )
    seconds = round(long.total_seconds())
    return ["--until", next(f"{seconds // size}{unit}" for size, unit in _SIZES if seconds % size == 0)]


def _item(found: "re.Match[str]", reason: str) -> Wish:
    severity = _SEVERITY.search(found["title"])
    title = _clean(": ".join(filter(None, (_clean(_SEVERITY.sub("", found["title"])), reason))))
    if not title:
        raise UsageError("an item needs a title", f"Say {HOW}.")
    kind = {"item": "task", "release": "task"}.get(found["kind"].lower(), found["kind"].lower())
    words = [
        "vt-add",
        title,
        "--kind",
        kind,
        *(["--sev", (severity["a"] or severity["b"]).lower()] if severity else []),
    ]
    return Wish(about="item", command=shlex.join(words), said=f"{kind}: {title}", title=title)


def _clean(text: str) -> str:
    """Words for a command: printable, on one line, not too long, and no option."""
    return " ".join(one_line(text).lstrip("-").split())[:LONGEST].strip(" ,;:")
