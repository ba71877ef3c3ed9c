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
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from vanta.common.errors import VantaError, contained
from vanta.markets.collectors.port import Collector, FetchContext, RawPayload
from vanta.markets.core.feed import Feed
from vanta.markets.core.records import Problem
from vanta.markets.core.sliced import Sliced, line_of, slice_of

LOOK_BACK = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class _Item:
    """One record as a line: when it can be seen, and the payload it comes from."""

    visible_at: datetime
    payload: int
    line: bytes


class Shelf:
    """The recorded payloads of one feed, parsed and sorted by time."""

    def __init__(self, feed: Feed, payloads: Iterable[RawPayload | Problem], latency: timedelta) -> None:
        self.collector = Slices(feed)
        self.problems: list[Problem] = []
        self.urls: list[str] = []
        self._items: list[_Item] = []
        for payload in payloads:
            if isinstance(payload, Problem):
                self.problems.append(payload)
            else:
                self._items += self._read(feed, payload, latency)
                self.urls.append(payload.url)
        self._items.sort(key=lambda item: item.visible_at)  # stable: the order of the payload where times are equal
        self._times = [item.visible_at for item in self._items]
        self._shown = 0
        self._recent: list[RawPayload] = []

    def __len__(self) -> int:
        return len(self._items)

    def _read(self, feed: Feed, payload: RawPayload, latency: timedelta) -> Iterator[_Item]:
        try:
            reading = contained(lambda: feed.read(payload), payload.url)
        except VantaError as error:
            self._leave_out("unreadable", error.what, payload)
            return
        self.problems += reading.problems
        undated = 0
        for record in reading.records:
            try:
                published = feed.published_at(record)
                line = line_of(record)
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
        made = [(recent, slice_of(lines, self.urls[payload], now))
                for (recent, payload), lines in sorted(slices.items())]
        handed = [*self._recent, *(one for _, one in made)]
        self._recent += [one for recent, one in made if recent]
        return handed

    def unseen(self) -> int:
        """How many records no pass was handed."""
        return len(self._items) - self._shown


class Slices(Sliced, Collector):
    """Slices where a collector is asked for: nothing is ever fetched."""

    def fetch(self, context: FetchContext) -> Iterator[RawPayload | Problem]:
        """Nothing: a simulation never fetches."""
        del context
        return iter(())
