"""What an edit of an operator's file changed, field by field, from its bytes before and after. Pure.

    changes(b'{"full_halt": false}', b'{"full_halt": true}')  ->  Changes([["full_halt", "false", "true"]], 0, None)

A field is a dotted path, vaults in it by name; values are JSON, `None` where there is none, and cut where they are
long. Bytes that are no strict JSON are told as a whole, by their size, and so are both versions where either is longer
than `MOST_BYTES`: looking into them would keep the next halt waiting. What they hold is in the snapshot store. Who is
named in the file stands in `by` and nowhere else, so that whoever passes a record on can leave the name out.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from vanta.common import strictjson
from vanta.common.canonical import canonical
from vanta.common.errors import BadInput

MOST = 50
"""So many changes are told one by one."""
LONGEST = 200
"""Characters of one path or value."""
MOST_BYTES = 256 * 1024
"""Of one version; an overlay is never longer."""
_NAMES = frozenset({"by", "written_by"})
_ROW = "vault_id"


class Changes(NamedTuple):
    """`rows` of [field, before, after]; how many `more` there are; the name that the file gives for them, if any."""

    rows: list[list[str | None]]
    more: int
    by: str | None


def changes(before: bytes | None, after: bytes | None) -> Changes:
    """See the module's contract. `None` are bytes that could not be read, or that nobody has any more."""
    if max(len(before or b""), len(after or b"")) > MOST_BYTES:
        return Changes([] if before == after else [["", _whole(before), _whole(after)]], 0, None)
    old, new = _leaves(before), _leaves(after)
    if old is None or new is None:
        rows = [] if before == after else [["", _whole(before), _whole(after)]]
        return Changes(rows, 0, _named(new or {}, []))
    places = [place for place in sorted({*old, *new}) if old.get(place) != new.get(place)]
    rows = [[_cut(place), _shown(place, old.get(place)), _shown(place, new.get(place))] for place in places[:MOST]]
    return Changes(rows, len(places) - len(rows), _named(new, places))


def _leaves(raw: bytes | None) -> dict[str, str] | None:
    """Every value by its path, as JSON; `None` for what is no strict JSON object."""
    if raw is None:
        return None
    try:
        return dict(_walk(strictjson.loads_object(raw, file="it"), ""))
    except BadInput:
        return None


def _walk(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        names = [row.get(_ROW) if isinstance(row, dict) else None for row in value]
        told = all(isinstance(name, str) for name in names) and len(set(names)) == len(names)
        value = {str(name) if told else str(place): row
                 for place, (name, row) in enumerate(zip(names, value, strict=True))} or value
    if isinstance(value, dict) and value and len(path) <= LONGEST:  # else a long name would be repeated for each leaf
        for name, inner in value.items():
            yield from _walk(inner, f"{path}.{name}" if path else name)
    elif path:
        yield path, canonical(value).decode()


def _shown(place: str, value: str | None) -> str | None:
    if value is not None and place.rpartition(".")[2] in _NAMES and value != "null":
        return '"(a name)"'
    if value is not None and len(place) > LONGEST and value[:1] in "{[":  # not looked into: there may be names in it
        return f"{len(value):,} bytes"
    return None if value is None else _cut(value)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def _whole(raw: bytes | None) -> str | None:
    more = ", too long to be compared field by field" if raw is not None and len(raw) > MOST_BYTES else ""
    return None if raw is None else f"{len(raw):,} bytes{more}"


def _named(leaves: Mapping[str, str], places: list[str]) -> str | None:
    """The name beside the first change that has one, or at the top of the file."""
    heads = [place.rpartition(".")[0] for place in places]
    for name in [*(f"{head}.by" for head in heads if head), "by"]:
        said = leaves.get(name, "null")
        if said.startswith('"'):
            return _cut(strictjson.loads(said.encode(), file="it"))
    return None
