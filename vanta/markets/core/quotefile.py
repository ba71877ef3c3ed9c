"""From one pass of the prices feed to the next `market_quotes.json`. Pure.

Decides which quote of an instrument counts: the newest that was known at `now`. Refuses to know transports and what
anything is traded for. Called by the runner and again by replay: same inputs, same bytes.

- Nothing may be known before: a bar counts from its close on, a day's bar of a share from the close of that day's
  session. The newest one is the quote, the days before it make the average volume, older rows say nothing.
- A bar has no spread: bid, ask and last are its close, no size is offered. A ticker without both sides likewise.
- Dollar stablecoin pairs are booked in dollars, as the paper account does, and stand back where a dollar pair speaks.
- An older quote never replaces a newer one; a quote leaves when it is older than the feed's window.

Example: AAPL.csv with rows up to today, read at noon in New York: yesterday's close is the quote, at 21:00 UTC.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from vanta.common.calendars import Calendar, UnknownDay
from vanta.common.instruments import Instrument, from_symbol
from vanta.common.models.quotes import MarketQuotes, Quote
from vanta.common.money import CONTEXT, ZERO, decimal
from vanta.common.times import iso, parse_iso
from vanta.markets.core.prices import quotes
from vanta.markets.core.records import Problem

VOLUME_DAYS = 20
LOOK_BACK = timedelta(days=45)
"""Rows before this say nothing about today; it holds more than `VOLUME_DAYS` sessions."""
AHEAD = timedelta(minutes=2)
"""How far ahead of our clock an exchange may stamp its quotes."""
_GRAIN = Decimal("0.00000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """The file after a pass, and what became of the records.

    `new`, `renewed` and `unchanged` count instruments, `old` and `future` the records that lie too far back or are
    not known yet.
    """

    document: MarketQuotes
    new: int
    renewed: int
    unchanged: int
    old: int
    future: int
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What the rule needs besides records: the time, the window, the calendars by name, who writes."""

    now: datetime
    window_s: int
    calendars: Mapping[str, Calendar]
    by: str


def next_quotes(previous: MarketQuotes | None, records: Sequence[Mapping[str, Any]], market: Market) -> Priced:
    """The file after this pass. Records are those of the prices parser."""
    sieve = _Sieve(market)
    usable = [ready for record in records if (ready := sieve.ready(record)) is not None]
    known = dict(previous.quotes) if previous else {}
    fresh = dict(_fresh(usable, sieve.problems))
    new = renewed = 0
    for name, quote in fresh.items():
        old = known.get(name)
        if old is None:
            new += 1
            known[name] = quote
            continue
        volume = quote.average_daily_volume or old.average_daily_volume
        filled = quote.model_copy(update={"average_daily_volume": volume})
        if filled.at > old.at or (filled.at == old.at and filled != old):
            renewed += 1
            known[name] = filled
    oldest, at = iso(market.now - timedelta(seconds=market.window_s)), iso(market.now)
    document = MarketQuotes(revision=previous.revision + 1 if previous else 1, written_at=at, written_by=market.by,
                            now=at, quotes={name: quote for name, quote in sorted(known.items()) if quote.at >= oldest})
    return Priced(document=document, new=new, renewed=renewed, unchanged=len(fresh) - new - renewed, old=sieve.old,
                  future=sieve.future, problems=tuple(sieve.problems))


class _Sieve:
    """Lets through what was known at `now`, with the moment from which on it was."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._first_day = (market.now - max(LOOK_BACK, timedelta(seconds=market.window_s))).date().isoformat()
        self._today = market.now.date().isoformat()
        self.old = self.future = 0
        self.problems: list[Problem] = []

    def ready(self, record: Mapping[str, Any]) -> dict[str, Any] | None:
        """The record as it may be used, or `None`."""
        if record["record"] == "ticker":
            return self._ticker(record)
        return self._bar(record) if record["record"] == "bar" else None

    def _ticker(self, record: Mapping[str, Any]) -> dict[str, Any] | None:
        if record["at"] is not None and parse_iso(record["at"]) > self._market.now + AHEAD:
            self.problems.append(_problem(record, "from_the_future", f"{record['symbol']} is stamped {record['at']}"))
            return None
        return dict(record)

    def _bar(self, record: Mapping[str, Any]) -> dict[str, Any] | None:
        if record["date"] < self._first_day:
            self.old += 1
            return None
        try:
            moment = record["at"] or (_close(record, self._market.calendars) if record["date"] <= self._today else None)
        except UnknownDay as error:
            self.problems.append(_problem(record, "unknown_day", error.what))
            return None
        if moment is None and record["date"] <= self._today:
            what = f"{record['symbol']} has no session on {record['date']}"
            self.problems.append(_problem(record, "no_session", what))
        elif moment is None or parse_iso(moment) > self._market.now:
            self.future += 1
        else:
            return {**record, "at": moment}
        return None


def _close(record: Mapping[str, Any], calendars: Mapping[str, Calendar]) -> str | None:
    calendar = calendars[_instrument(record["symbol"]).calendar]
    closes = calendar.close_of(date.fromisoformat(record["date"]))
    return None if closes is None else iso(closes)


def _fresh(records: list[dict[str, Any]], problems: list[Problem]) -> Iterator[tuple[str, Quote]]:
    """The newest quote of each instrument in these records."""
    volumes = _volumes(records)
    best: dict[str, tuple[tuple[bool, str], dict[str, Any]]] = {}
    for found in quotes(records):
        instrument = _instrument(found["symbol"])
        rank = (instrument == from_symbol(found["symbol"]), found["at"])
        if instrument.instrument_id not in best or best[instrument.instrument_id][0] < rank:
            best[instrument.instrument_id] = (rank, found)
    for name, (_, found) in sorted(best.items()):
        try:
            yield name, _quote(found, _stated(found) or volumes.get(found["symbol"]))
        except ValueError as error:
            problems.append(Problem(code="bad_quote", detail=f"{found['symbol']}: {error}", where=found["source"]))


def _stated(found: Mapping[str, Any]) -> Decimal | None:
    """The average volume that came with the quote itself, where it did."""
    text = found["average_daily_volume"]
    return None if text is None else decimal(text)


def _quote(found: Mapping[str, Any], volume: Decimal | None) -> Quote:
    last = decimal(found["last"])
    bid, ask = (decimal(found[side]) if found[side] else None for side in ("bid", "ask"))
    if not bid or not ask:
        bid = ask = last
    size = decimal(found["size"]) if found["size"] else None
    return Quote(bid=bid, ask=ask, last=last, size=size if size and bid != ask else None, at=found["at"],
                 source=found["source"], average_daily_volume=volume)


def _volumes(records: Iterable[Mapping[str, Any]]) -> dict[str, Decimal]:
    """Units a day by symbol: the mean over the last days that have bars. The same bar twice counts once."""
    bars = {(record["symbol"], record["date"], record["at"]): decimal(record["volume"])
            for record in records if record["record"] == "bar"}
    days: dict[str, dict[str, Decimal]] = {}
    for (symbol, day, _), volume in sorted(bars.items()):
        by_day = days.setdefault(symbol, {})
        by_day[day] = CONTEXT.add(by_day.get(day, ZERO), volume)
    result = {}
    for symbol, by_day in days.items():
        last = [by_day[day] for day in sorted(by_day)[-VOLUME_DAYS:]]
        result[symbol] = CONTEXT.divide(sum(last, ZERO), Decimal(len(last))).quantize(_GRAIN, context=CONTEXT)
    return result


def _instrument(symbol: str) -> Instrument:
    return from_symbol(symbol, stable_as="USD")


def _problem(record: Mapping[str, Any], code: str, detail: str) -> Problem:
    return Problem(code=code, detail=detail, where=str(record.get("_url", record["symbol"])))
