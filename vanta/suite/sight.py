"""What a home's files say right now, for whoever waits for something to happen. Reads only, checks no chain.

A file that is not there yet, or is just being replaced, reads as empty: whoever waits looks again. Nothing here is
ever used to decide about orders.
"""

from typing import Any

import orjson

from vanta.common.errors import VantaError
from vanta.common.events import Kind
from vanta.common.paths import (
    COLLECTION_LOG,
    PORTFOLIO,
    QUEUE,
    REFLECTION_LOG,
    TRADE_LOG,
    TRADE_SIGNALS,
    Home,
)
from vanta.common.store import segments
from vanta.common.store.atomic import read
from vanta.common.store.personal import revealed
from vanta.common.store.ports import Record
from vanta.suite.story import Story, stories

_RESTING = frozenset({"filled", "cancelled", "rejected", "refused", "expired", "withdrawn", "quarantined",
                      "held", "working", "partially_filled"})


class Sight:
    """A home, looked at from outside."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def document(self, name: str) -> dict[str, Any]:
        """A document, `{}` if it cannot be read."""
        try:
            value = orjson.loads(read(self._home.file(name)))
        except (VantaError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}

    def records(self, name: str) -> list[Record]:
        """The whole lines of a log, none if it cannot be read."""
        try:
            lines = segments.whole(self._home.file(name)).split(b"\n")[:-1]
            rows = [orjson.loads(line) for line in lines]
        except (VantaError, ValueError):
            return []
        return [Record(row["seq"], row["at"], row["kind"], row["dag_id"], row["ids"], revealed(row["payload"]),
                       row["prev"], "")
                for row in rows]

    def stories(self) -> list[Story]:
        """Every intent that the executor has seen."""
        return stories(self.records(TRADE_LOG))

    def collected(self, since: str) -> dict[str, Record]:
        """The first pass of each feed that began at `since` or later."""
        found: dict[str, Record] = {}
        for record in self.records(COLLECTION_LOG):
            if record.kind == Kind.COLLECTED and record.at >= since:
                found.setdefault(str(record.payload["feed"]), record)
        return found

    def reflected_after(self, moment: str) -> bool:
        """Whether the convictions were made at `moment` or later."""
        return str(self.document(TRADE_SIGNALS).get("now", "")) >= moment

    def moving(self) -> str:
        """What is under way between promoter and executor, empty if nothing is. Held and working intents rest."""
        told = self.stories()
        moving = sum(story.state not in _RESTING for story in told)
        if moving:
            return f"{moving} intents are under way"
        known = {story.intent_id for story in told}
        unseen = [one for one in self.document(QUEUE).get("intents", []) if one["intent_id"] not in known]
        return f"{len(unseen)} staged intents have not reached the executor" if unseen else ""


class Calm:
    """Notices that nothing moves any more: no new record in the trade log over two whole reflections.

    Every reflection is followed by a promotion, so by then the promoter has seen the last word of the executor and
    wants nothing further.
    """

    def __init__(self, sight: Sight) -> None:
        self._sight = sight
        self._seq = -1
        self._reflections = 0

    def missing(self) -> str:
        """What is still going on, empty when all is calm."""
        moving = self._sight.moving()
        if moving:
            return moving
        seq = max((record.seq for record in self._sight.records(TRADE_LOG)), default=0)
        count = len(self._sight.records(REFLECTION_LOG))
        if seq != self._seq or self._sight.document(PORTFOLIO).get("as_of_seq") != seq:
            self._seq, self._reflections = seq, count
        return "" if count >= self._reflections + 2 else "the last records are not yet reflected upon"
