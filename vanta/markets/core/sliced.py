"""Records that were parsed before a pass, as its payloads: one JSON line each, of one recorded payload. Pure.

A simulation cuts a recording into such slices (`markets/shelf.py`), so that a pass sees no item before it was
published. A record's own place (`index`, `path`) is its line in the slice.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

import orjson

from vanta.common.canonical import canonical
from vanta.markets.core.feed import Feed
from vanta.markets.core.records import NormaliseContext, Normalised, RawPayload, Reading

SLICES = "slices"
"""See `feed.PAYLOADS`."""
MEDIA_TYPE = "application/x-ndjson"
_NOWHERE: dict[str, int | str] = {"index": 0, "path": ""}


def line_of(record: Mapping[str, Any]) -> bytes:
    """A record as a line whose place is not said yet. Raises `TypeError` on what has no canonical form."""
    return canonical({**record, **{key: _NOWHERE[key] for key in _NOWHERE.keys() & record.keys()}})


def slice_of(lines: Iterable[bytes], url: str, now: datetime) -> RawPayload:
    """Lines as a payload for `Sliced`."""
    return RawPayload(url=url, body=b"\n".join(lines), media_type=MEDIA_TYPE, fetched_at=now)


class Sliced(Feed):
    """A feed whose payloads are slices: its parser has done its work, all else is as it was."""

    form: ClassVar[str] = SLICES

    def __init__(self, feed: Feed) -> None:
        self.feed, self.version, self.history_s = feed.feed, feed.version, feed.history_s
        self._feed = feed

    def read(self, payload: RawPayload) -> Reading:
        """The records of a slice, their places counted in it."""
        return Reading(records=[_placed(orjson.loads(line), number)
                                for number, line in enumerate(payload.body.split(b"\n"))], problems=[])

    def normalise(self, records: list[dict[str, Any]], context: NormaliseContext) -> Normalised:
        """As the feed itself does."""
        return self._feed.normalise(records, context)


def _placed(record: dict[str, Any], number: int) -> dict[str, Any]:
    place = {"index": number, "path": f"/{number}"}
    return record | {key: place[key] for key in _NOWHERE.keys() & record.keys()}
