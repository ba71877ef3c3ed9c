"""Bars of many instruments → the moments at which something became known. Pure.

Every bar tells two prices: its open at its opening time and its close at its closing time, with the average daily
volume of the days that were closed by then. A moment carries the newest price of every instrument and nothing from
later. Where bars of one instrument touch, one time is two moments: first the closes, then the opens.

Example: daily bars of AAPL and BTC-USD give moments at 00:00Z (closing), 00:00Z (opening), 14:30Z (opening) and
21:00Z (closing) of a winter's trading day.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from vanta.common.money import ZERO, plain
from vanta.common.times import iso
from vanta.suite.simulation.bars import Bar, Series

VOLUME_DAYS = 20
_CLOSING, _OPENING = 0, 1


@dataclass(frozen=True, slots=True)
class Mark:
    """What an instrument last traded at. `volume` is the average of its last 20 closed days, `None` if unknown."""

    price: Decimal
    at: datetime
    volume: Decimal | None


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant at which bars closed (or opened), with the newest mark of every instrument by id."""

    at: datetime
    closing: bool
    marks: Mapping[str, Mark]


class _Event(NamedTuple):
    at: datetime
    phase: int
    instrument_id: str
    bar: Bar


@dataclass(slots=True)
class _Volumes:
    """Traded units by closed day. A day with a bar of unknown volume is not counted."""

    days: deque[Decimal] = field(default_factory=lambda: deque(maxlen=VOLUME_DAYS))
    day: date | None = None
    running: Decimal | None = ZERO

    def close(self, bar: Bar) -> None:
        if bar.whole_day:
            self._keep(bar.volume)
            return
        if bar.opens.date() != self.day:
            if self.day is not None:
                self._keep(self.running)
            self.day, self.running = bar.opens.date(), ZERO
        self.running = None if self.running is None or bar.volume is None else self.running + bar.volume

    def _keep(self, total: Decimal | None) -> None:
        if total is not None:
            self.days.append(total)

    def average(self) -> Decimal | None:
        return round(sum(self.days, ZERO) / len(self.days), 8) if self.days else None


def ticker(symbol: str, mark: Mark) -> dict[str, str | None]:
    """A mark as the record that the prices feed's parser would make of it: a last price without sides."""
    return {"record": "ticker", "source": "bars", "symbol": symbol, "settle": None, "at": iso(mark.at),
            "last": plain(mark.price), "bid": None, "ask": None, "bid_size": None,
            "average_daily_volume": None if mark.volume is None else plain(mark.volume)}


class Tape:
    """All bars of a simulation."""

    def __init__(self, all_series: Iterable[Series]) -> None:
        events = [event for one in all_series for bar in one.bars for name in [one.instrument.instrument_id]
                  for event in (_Event(bar.opens, _OPENING, name, bar), _Event(bar.closes, _CLOSING, name, bar))]
        self._events = sorted(events, key=lambda event: event[:3])

    def moments(self, start: datetime, end: datetime) -> Iterator[Moment]:
        """Every moment from `start` until before `end`. What lies before `start` is known at the first of them."""
        marks: dict[str, Mark] = {}
        volumes: dict[str, _Volumes] = {}
        for (at, phase), events in groupby(self._events, key=lambda event: (event.at, event.phase)):
            if at >= end:
                return
            for event in events:
                known = volumes.setdefault(event.instrument_id, _Volumes())
                if phase == _CLOSING:
                    known.close(event.bar)
                price = event.bar.close if phase == _CLOSING else event.bar.open
                marks[event.instrument_id] = Mark(price, at, known.average())
            if at >= start:
                yield Moment(at, phase == _CLOSING, dict(marks))
