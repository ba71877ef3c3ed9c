"""Recorded payloads as a feed would have served them: when a record can be seen, and what each pass is handed.

A record is visible from its published time plus the latency of its feed. Every payload is parsed once; a record
without a published time is never shown. What became visible since the pass before is a slice: the parsed records of
one payload, one JSON line each. A pass is handed its new slices and those of the last two days again, so that a
claim made of many records (mentions in six hours) sees all of them.

Evidence names slices, not payloads, and a record's own place (`index`, `path`) is its line in the slice: the hash and
the order of a recording would tell of items that were not published yet. For the same reason nothing that is wrong
with a payload reaches a pass: `Shelf.problems` has it, for the report.

Example: a feed file with items of Monday 10:00 and Tuesday 10:00, latency 60 s, passes at 21:00. Monday's pass gets a
slice with the first item; Tuesday's gets a slice with the second, and the first slice again.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from vanta.common.canonical import canonical
from vanta.common.errors import VantaError
from vanta.markets.collect import contained
from vanta.markets.collectors.port import Collector, FetchContext, RawPayload
from vanta.markets.core.records import NormaliseContext, Normalised, Problem, Reading

LOOK_BACK = timedelta(days=2)
SLICE = "application/x-ndjson"
_NOWHERE: dict[str, int | str] = {"index": 0, "path": ""}


@dataclass(frozen=True, slots=True)
class _Item:
    """One record as a line: when it can be seen, and the payload it comes from."""

    visible_at: datetime
    payload: int
    line: bytes


class Shelf:
    """The recorded payloads of one feed, parsed and sorted by time."""

    def __init__(self, collector: Collector, payloads: Iterable[RawPayload | Problem], latency: timedelta) -> None:
        self.collector = Sliced(collector)
        self.problems: list[Problem] = []
        self.urls: list[str] = []
        self._items: list[_Item] = []
        for payload in payloads:
            if isinstance(payload, Problem):
                self.problems.append(payload)
            else:
                self._items += self._read(collector, payload, latency)
                self.urls.append(payload.url)
        self._items.sort(key=lambda item: item.visible_at)  # stable: the order of the payload where times are equal
        self._times = [item.visible_at for item in self._items]
        self._shown = 0
        self._recent: list[RawPayload] = []

    def __len__(self) -> int:
        return len(self._items)

    def _read(self, collector: Collector, payload: RawPayload, latency: timedelta) -> Iterator[_Item]:
        try:
            reading = contained(lambda: collector.read(payload), payload.url)
        except VantaError as error:
            self._leave_out("unreadable", error.what, payload)
            return
        self.problems += reading.problems
        undated = 0
        for record in reading.records:
            try:
                published = collector.published_at(record)
                line = canonical({**record, **{key: _NOWHERE[key] for key in _NOWHERE.keys() & record.keys()}})
            except (TypeError, ValueError, LookupError) as error:  # half a surrogate pair, a time that is none
                self._leave_out("bad_record", f"{type(error).__name__}: {error}", payload)
                continue
            if published is None:
                undated += 1
            else:
                yield _Item(published + latency, len(self.urls), line)
        if undated:
            self._leave_out("undated", f"{undated} of {len(reading.records)} records do not say when they were "
                            "published", payload)

    def _leave_out(self, code: str, detail: str, payload: RawPayload) -> None:
        self.problems.append(Problem(code=code, detail=detail, where=payload.url))

    def pass_at(self, now: datetime) -> list[RawPayload]:
        """What a pass at `now` is handed. Passes go forward in time."""
        self._recent = [one for one in self._recent if one.fetched_at > now - LOOK_BACK]
        first, self._shown = self._shown, bisect_right(self._times, now)
        slices: dict[tuple[bool, int], list[bytes]] = {}
        for item in self._items[first:self._shown]:
            slices.setdefault((item.visible_at > now - LOOK_BACK, item.payload), []).append(item.line)
        made = [(recent, RawPayload(url=self.urls[payload], body=b"\n".join(lines), media_type=SLICE, fetched_at=now))
                for (recent, payload), lines in sorted(slices.items())]
        handed = [*self._recent, *(one for _, one in made)]
        self._recent += [one for recent, one in made if recent]
        return handed

    def unseen(self) -> int:
        """How many records no pass was handed."""
        return len(self._items) - self._shown


def slice_of(records: Iterable[Mapping[str, Any]], url: str, now: datetime) -> RawPayload:
    """Parsed records as a payload for `Sliced`."""
    return RawPayload(url=url, body=b"\n".join(map(canonical, records)), media_type=SLICE, fetched_at=now)


class Sliced(Collector):
    """A feed's collector whose payloads are slices: its parser has done its work, all else is as it was."""

    def __init__(self, collector: Collector) -> None:
        self.feed, self.version, self.history_s = collector.feed, collector.version, collector.history_s
        self._collector = collector

    def fetch(self, context: FetchContext) -> Iterator[RawPayload | Problem]:
        """Nothing: a simulation never fetches."""
        del context
        return iter(())

    def read(self, payload: RawPayload) -> Reading:
        """The records of a slice, their places counted in it."""
        return Reading(records=[_placed(orjson.loads(line), number)
                                for number, line in enumerate(payload.body.split(b"\n"))], problems=[])

    def normalise(self, records: list[dict[str, Any]], context: NormaliseContext) -> Normalised:
        """As the feed's own collector does."""
        return self._collector.normalise(records, context)


def _placed(record: dict[str, Any], number: int) -> dict[str, Any]:
    place = {"index": number, "path": f"/{number}"}
    return record | {key: place[key] for key in _NOWHERE.keys() & record.keys()}
