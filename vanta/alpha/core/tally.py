"""What became of orders that were sent, counted as the log grows. Pure.

An order counts once, by its venue's first word: `accepted` (a fill says so too), `rejected`, `unknown` or `withheld`
(never sent). Counts begin with the records that are first shown and only grow; whoever compares them over time has to
expect that they begin anew with each program that counts.
"""

from collections.abc import Iterable, Mapping
from itertools import takewhile
from typing import Any

from vanta.common.events import Kind

OUTCOMES = ("accepted", "rejected", "unknown", "withheld")
_WORD = {Kind.ORDER_ACCEPTED: "accepted", Kind.FILL: "accepted", Kind.ORDER_REJECTED: "rejected",
         Kind.ORDER_UNKNOWN: "unknown", Kind.ORDER_WITHHELD: "withheld"}
_SENT = ("accepted", "rejected", "unknown")


class Tally:
    """Counts by outcome. Remembers only orders that nobody has answered yet."""

    def __init__(self) -> None:
        self.seq = 0
        self.counts = dict.fromkeys(OUTCOMES, 0)
        self._open: set[str] = set()

    def is_new(self, record: Mapping[str, Any]) -> bool:
        """Whether a record has not been counted yet: reading need go no further back than to one that has."""
        return _seq(record) > self.seq

    def take(self, newest_first: Iterable[Mapping[str, Any]]) -> None:
        """Count what is new among records."""
        for record in reversed(list(takewhile(self.is_new, newest_first))):
            self.seq, order, kind = _seq(record), record["ids"].get("order_id"), record["kind"]
            if order is None:
                continue
            if kind == Kind.ORDER_SUBMITTING:
                self._open.add(order)
            elif kind in _WORD and order in self._open:
                self._open.discard(order)
                self.counts[_WORD[kind]] += 1

    def success_rate(self) -> float | None:
        """The share of what was sent that was accepted; `None` while nothing was."""
        sent = sum(self.counts[name] for name in _SENT)
        return self.counts["accepted"] / sent if sent else None


def _seq(record: Mapping[str, Any]) -> int:
    seq = record.get("seq")
    return seq if isinstance(seq, int) else 0
