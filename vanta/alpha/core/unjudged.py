"""Intents that were seen and got no verdict, where one can be insisted on. Pure; used by `recheck.py`.

A step judges every intent that waits, in turn, and a first verdict always says something. So an intent that was seen
has a record of its own before the verdict on one that comes after it in turn, before the next step, and before an
orderly stop. Nothing is insisted on where a crash or a broken step came between, or a venue asked to be left alone.
"""

from heapq import heappop, heappush
from typing import Any

from vanta.alpha.core.differ import ABSENT, Difference
from vanta.common.events import Kind
from vanta.common.reasons import Reason
from vanta.common.store.ports import Record
from vanta.executor.core.book import Book
from vanta.executor.core.entries import in_turn

Turn = tuple[Any, ...]
_VERDICTS = frozenset({Kind.INTENT_APPROVED, Kind.INTENT_HELD, Kind.INTENT_REFUSED, Kind.INTENT_EXPIRED})


class Unjudged:
    """`book` is that before the record that is looked at."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._seen: dict[str, str] = {}
        self._busy: set[str] = set()
        self._missed: list[str] = []
        self._new: list[str] = []
        self._turns: list[tuple[Turn, str]] = []  # a heap of those that were seen, and of some that are gone since
        self._moments: set[str] = set()

    def look(self, record: Record) -> bool:
        """Take note of a record. Returns whether it comes where a verdict on another intent was due before."""
        name = record.ids.get("intent_id", "")
        if record.kind in (Kind.PROGRAM_STARTED, Kind.TAIL_REPAIRED) or "amid" in record.payload:
            self._seen.clear()
            self._busy.clear()
            self._moments.clear()
        elif record.kind == Kind.ORDER_WITHHELD and record.payload["code"] == Reason.BROKER_BUSY:
            self._busy.add(self._book.intents[name].account)
        self._seen.pop(name, None)
        self._missed = ([one for one, at in self._seen.items() if self._is_late(one, at, record)]
                        if self._may_miss(record) else [])
        for one in self._missed:
            del self._seen[one]
        if record.kind == Kind.INTENT_SEEN:
            self._seen[name] = record.at
            self._new.append(name)
            self._moments.add(record.at)
        return bool(self._missed)

    def _may_miss(self, record: Record) -> bool:
        """Whether any can be late: most records come in the very step, and most verdicts on the first in turn."""
        if not self._seen:
            self._moments.clear()
            return False
        if self._moments != {record.at} or self._busy or record.kind == Kind.PROGRAM_STOPPED:
            return True
        return record.kind in _VERDICTS and self._first() < in_turn(self._book.intents[record.ids["intent_id"]])

    def _first(self) -> Turn:
        """The first turn of those that were seen."""
        for name in self._new:
            if name in self._seen:
                heappush(self._turns, (in_turn(self._book.intents[name]), name))
        self._new.clear()
        while self._turns[0][1] not in self._seen:
            heappop(self._turns)
        return self._turns[0][0]

    def found(self, record: Record) -> Difference | None:
        """What is missed before the record that was looked at."""
        if not self._missed:
            return None
        more = f" and {len(self._missed) - 1:,} others" if self._missed[1:] else ""
        return Difference("verdict", ABSENT, f"a verdict on {self._missed[0]}{more} before {record.kind}")

    def _is_late(self, name: str, at: str, record: Record) -> bool:
        entry = self._book.intents[name]
        if entry.account in self._busy:
            return False
        if record.at != at or record.kind == Kind.PROGRAM_STOPPED:
            return True
        return record.kind in _VERDICTS and in_turn(entry) < in_turn(self._book.intents[record.ids["intent_id"]])
