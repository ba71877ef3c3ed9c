"""The trade log as a report needs it, folded once: books, equity, intents, days, controls. Pure.

The books are the executor's own fold, so that every sum here is the sum that its documents say at the same record.
"""

from collections.abc import Mapping
from typing import Any

from vanta.alpha.core.cuts import Cuts
from vanta.alpha.core.inputs import BROKEN
from vanta.alpha.core.report.equity import Stands, stands
from vanta.alpha.core.report.reign import Reign
from vanta.alpha.core.report.stretches import Stretches
from vanta.alpha.core.report.wishes import Wishes
from vanta.common.errors import StateError
from vanta.common.events import Kind
from vanta.common.store.ports import Record
from vanta.executor.core.book import Book

POINTS = 500
"""A curve has at most twice so many points."""

_TELLS_NAV = frozenset({Kind.QUOTE_SEEN, Kind.FILL, Kind.FILL_BUSTED, Kind.ADJUSTMENT, Kind.DAY_CLOSED})


class History:
    """The fold. `problem` says where it had to end, if it did; `cuts` compares documents on the way."""

    def __init__(self, cuts: Cuts | None = None) -> None:
        self.book = Book()
        self._cuts = cuts if cuts is not None else Cuts({})
        self.wishes = Wishes()
        self.reign = Reign()
        self.equity: Stretches[Stands] = Stretches(POINTS, lambda _, newer: newer)
        self.days: list[Mapping[str, Any]] = []
        self.first = ""
        self.problem = ""
        self._moved_ms: int | None = None

    def take(self, record: Record) -> None:
        """Fold one record; none any more after one that cannot be."""
        if self.problem:
            return
        try:
            self._fold(record)
        except StateError as error:
            self.problem = f"{error.what}; what comes before it is shown"
        except BROKEN as error:
            said = f"record {record.seq} is not what a {record.kind} record says ({error!r})"
            self.problem = f"{said}; what comes before it is shown"

    def end(self) -> None:
        """Note what the last stretch ended with."""
        if self._moved_ms is not None:
            self.equity.put(self._moved_ms, stands(self.book))
            self._moved_ms = None

    def _fold(self, record: Record) -> None:
        at_ms = self.book.at_ms(record)
        if self._moved_ms is not None and self.equity.apart(self._moved_ms, at_ms):
            self.end()
        self.book.apply(record)
        self._cuts.look(self.book)
        self.first = self.first or record.at
        self.wishes.take(record)
        self.reign.take(record, at_ms)
        if record.kind in _TELLS_NAV:
            self._moved_ms = at_ms
        if record.kind == Kind.DAY_CLOSED:
            self.days.append(_day(record.payload))


def _day(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is told of a day; its tables are left to `vanta explain`."""
    return {"day": body["day"], "between": body["days_between"], "currencies": {
        code: {"since": group["since"], "total": group["total"], "unmarked": group["unmarked"],
               "flows": [vault["flows"] for vault in group["vaults"].values()], **group["sanity"]}
        for code, group in body["currencies"].items()}}
