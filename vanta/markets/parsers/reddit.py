"""Reddit's API listings as they are served, read strictly. Pure and total: bad bytes become problems.

Decides which posts (`t3`) and comments (`t1`) a body holds and what is plainly written in them; refuses to know what
they are about. A body is a Listing, a comments page (a list of Listings, replies nested) or a single thing.
Example: `{"kind": "Listing", "data": {"children": [{"kind": "t3", "data": {...}}]}}` yields one record:

| key | value |
|---|---|
| id | fullname, `t3_s74lpw` |
| kind | `post` or `comment` |
| title, text | text; a comment has no title |
| author | name, or None where the account or the post was deleted |
| created_utc, edited_utc | whole seconds since 1970; edited is None where it never was |
| published_at | `created_utc` as an ISO time |
| subreddit, permalink, link, flair, distinguished | text or None; `link` is where a link post points |
| gone | deleted by its author or removed by a moderator: nothing of it may be kept |
| path | JSON pointer inside the body |
"""

from collections.abc import Iterator
from typing import Any

from vanta.common.errors import BadInput
from vanta.common.money import decimal
from vanta.common.strictjson import loads
from vanta.common.times import from_millis, iso
from vanta.markets.core.records import Problem, Reading

_KINDS = {"t3": "post", "t1": "comment"}
_GONE = frozenset({"[deleted]", "[removed]"})
_EARLIEST, _LATEST = 1_100_000_000, 4_102_444_800  # Reddit's first year and 2100


class _Bad(ValueError):
    """One thing inside a listing that cannot be used."""


def parse(data: bytes, where: str) -> Reading:
    """All posts and comments of one body. `where` names it in problems."""
    try:
        body = loads(data, file=where)
    except BadInput as error:
        return Reading(records=[], problems=[Problem(code="unreadable", detail=str(error.what), where=where)],
                       complete=False)
    records: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for path, thing in _things(body):
        try:
            record = _record(thing, path)
        except _Bad as error:
            problems.append(Problem(code="bad_item", detail=str(error), where=f"{where}#{path}"))
        else:
            if record is not None:
                records.append(record)
    return Reading(records=records, problems=problems, complete=not problems)


def _things(body: Any) -> Iterator[tuple[str, Any]]:
    """Every thing of a body with its JSON pointer, a parent before its replies."""
    pending = [(f"/{at}", item) for at, item in enumerate(body)] if isinstance(body, list) else [("", body)]
    while pending:
        path, thing = pending.pop(0)
        data = thing.get("data") if isinstance(thing, dict) else None
        if isinstance(data, dict) and thing.get("kind") == "Listing" and isinstance(data.get("children"), list):
            inner = [(f"{path}/data/children/{at}", child) for at, child in enumerate(data["children"])]
            pending = inner + pending
            continue
        yield path, thing
        if isinstance(data, dict) and isinstance(data.get("replies"), dict):
            pending.insert(0, (f"{path}/data/replies", data["replies"]))


def _record(thing: Any, path: str) -> dict[str, Any] | None:
    if not isinstance(thing, dict) or not isinstance(thing.get("data"), dict):
        raise _Bad(_refusal(thing))
    if thing.get("kind") == "more":  # a stub that says where further comments are
        return None
    kind, data = _KINDS.get(str(thing.get("kind"))), thing["data"]
    if kind is None:
        raise _Bad(f"a thing of kind {thing.get('kind')!r}, not a post or comment")
    author, text = _text(data, "author"), _text(data, "selftext" if kind == "post" else "body") or ""
    created = _seconds(data, "created_utc")
    removed = data.get("removed_by_category") is not None or data.get("banned_by") not in (None, False)
    return {
        "id": _fullname(thing["kind"], data), "kind": kind, "title": _text(data, "title") or "", "text": text,
        "author": None if author in _GONE else author, "created_utc": created,
        "published_at": iso(from_millis(created * 1000)),
        "edited_utc": _seconds(data, "edited") if data.get("edited") not in (None, False, True) else None,
        "subreddit": _text(data, "subreddit"), "permalink": _text(data, "permalink"), "link": _text(data, "url"),
        "flair": _text(data, "link_flair_text"), "distinguished": _text(data, "distinguished"),
        "gone": author is None or author in _GONE or text.strip() in _GONE or removed, "path": path,
    }


def _refusal(thing: Any) -> str:
    if isinstance(thing, dict) and "message" in thing:
        return f"Reddit answered an error: {thing.get('error')} {thing['message']}"
    return "not a listing, post or comment"


def _fullname(kind: str, data: dict[str, Any]) -> str:
    name = _text(data, "name") or f"{kind}_{_text(data, 'id') or ''}"
    stem = name.removeprefix(f"{kind}_")
    if stem == name or not (stem.isascii() and stem.isalnum()):
        raise _Bad(f"{name!r} is not a {kind} fullname")
    return name


def _text(data: dict[str, Any], field: str) -> str | None:
    value = data.get(field)
    if value is not None and not isinstance(value, str):
        raise _Bad(f"{field} is not text")
    return value


def _seconds(data: dict[str, Any], field: str) -> int:
    """Whole seconds of an epoch that Reddit serves as a float."""
    value = data.get(field)
    try:
        seconds = int(decimal(value)) if not isinstance(value, bool) and value is not None else 0
    except (ValueError, TypeError) as error:
        raise _Bad(f"{field} is not a time: {value!r}") from error
    if not _EARLIEST <= seconds < _LATEST:
        raise _Bad(f"{field} is not a time: {value!r}")
    return seconds
