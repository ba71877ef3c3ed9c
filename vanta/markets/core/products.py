"""What a feed's one file is: how it is read, and what it holds after a pass. Pure.

Four feeds keep a window of signals (`SignalsFile`), `prices` keeps quotes (`QuotesFile`). The runner treats both
alike; neither writes anything itself.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

from vanta.common.calendars import ALWAYS_OPEN, CONTINUOUS, Calendar
from vanta.common.canonical import document
from vanta.common.models.base import Model
from vanta.common.models.quotes import MarketQuotes
from vanta.common.models.signal import FeedCounts, FeedDocument, FeedProblem, FeedStatus, Signal
from vanta.common.paths import FEEDS, MARKET_QUOTES, signals_file
from vanta.markets.core.feed import Feed
from vanta.markets.core.feedfile import Seen, Stamp, cause, listed, next_document
from vanta.markets.core.quotefile import Market, next_quotes
from vanta.markets.core.records import NormaliseContext, Normalised

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One pass: what was seen, the records that came of it, and who writes. `context` holds what is known."""

    seen: Seen
    records: list[dict[str, Any]]
    context: NormaliseContext
    stamp: Stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The file's next bytes (`None`: leave it alone) and what there is to say about the pass."""

    raw: bytes | None
    status: FeedStatus
    reason: str
    counts: FeedCounts
    problems: list[FeedProblem]


class Product(ABC, Generic[M]):
    """The one file of a feed."""

    name: str
    model: type[M]

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.calendars: Mapping[str, bytes] = {}
        """Files of trading calendars that decide about it, by name; none for claims."""

    @abstractmethod
    def known(self, previous: M | None) -> dict[str, Signal]:
        """The claims that a normaliser may compare with."""

    @abstractmethod
    def after(self, previous: M | None, turn: Turn) -> Result:
        """What follows from a pass with something usable in it."""

    @abstractmethod
    def failed(self, previous: M | None, turn: Turn) -> Result:
        """What follows from a pass with nothing usable in it."""


class SignalsFile(Product[FeedDocument]):
    """`<feed>_signals.json`. An error is written into it beside the last good signals."""

    model = FeedDocument

    def __init__(self, feed: Feed) -> None:
        super().__init__(feed)
        self.name = signals_file(feed.feed)

    def known(self, previous: FeedDocument | None) -> dict[str, Signal]:
        """See `Product.known`."""
        return {signal.id: signal for signal in previous.signals} if previous else {}

    def after(self, previous: FeedDocument | None, turn: Turn) -> Result:
        """See `Product.after`."""
        return self._result(previous, turn, self.feed.normalise(turn.records, turn.context))

    def failed(self, previous: FeedDocument | None, turn: Turn) -> Result:
        """See `Product.failed`."""
        return self._result(previous, turn, None)

    def _result(self, previous: FeedDocument | None, turn: Turn, normalised: Normalised | None) -> Result:
        following = next_document(previous, turn.seen, normalised, turn.stamp)
        return Result(raw=document(following.model_dump(mode="json")), status=following.status,
                      reason=following.status_reason, counts=following.counts, problems=following.errors)


class QuotesFile(Product[MarketQuotes]):
    """`market_quotes.json`. An error leaves it alone: a quote's own time says how old it is."""

    name = MARKET_QUOTES
    model = MarketQuotes

    def __init__(self, feed: Feed, calendars: Mapping[str, bytes]) -> None:
        super().__init__(feed)
        self.calendars = calendars

    def _sessions(self) -> Mapping[str, Calendar]:
        return {**{name: _calendar(raw) for name, raw in self.calendars.items()}, CONTINUOUS: ALWAYS_OPEN}

    def known(self, previous: MarketQuotes | None) -> dict[str, Signal]:
        """See `Product.known`: this feed makes no claims."""
        del previous
        return {}

    def after(self, previous: MarketQuotes | None, turn: Turn) -> Result:
        """See `Product.after`."""
        seen, stamp = turn.seen, turn.stamp
        market = Market(now=stamp.now, window_s=stamp.window_s, calendars=self._sessions(), by=stamp.by)
        priced = next_quotes(previous, turn.records, market)
        problems = [*seen.problems, *priced.problems]
        counts = FeedCounts(
            payloads=seen.payloads, records=seen.records, signals_new=priced.new, signals_updated=priced.renewed,
            duplicates=priced.unchanged, rejected=len(problems), expired=priced.old,
            not_signals=max(0, seen.records - priced.new - priced.renewed - priced.unchanged - priced.old
                            - len(priced.problems)))
        done = f"{len(priced.document.quotes)} quotes: {priced.new} new, {priced.renewed} renewed"
        if not priced.document.quotes:
            done += f"; {priced.old} records are too old, {priced.future} are not known yet"
        return Result(raw=document(priced.document.model_dump(mode="json")), counts=counts, problems=listed(problems),
                      status="ok" if seen.complete else "partial",
                      reason=done if seen.complete else f"{cause(seen)}; {done}")

    def failed(self, previous: MarketQuotes | None, turn: Turn) -> Result:
        """See `Product.failed`."""
        del previous
        seen = turn.seen
        return Result(raw=None, status="error", reason=cause(seen), problems=listed(seen.problems),
                      counts=FeedCounts(payloads=seen.payloads, records=seen.records, rejected=len(seen.problems)))


def product_of(feed: Feed, calendars: Mapping[str, bytes]) -> Product[Any]:
    """The file of a feed."""
    return SignalsFile(feed) if feed.feed in FEEDS else QuotesFile(feed, calendars)


@lru_cache(maxsize=8)
def _calendar(raw: bytes) -> Calendar:
    """Read once: every pass has the same ones."""
    return Calendar.from_bytes(raw)
