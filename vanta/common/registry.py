"""Which instruments exist: the shipped universe, what has a quote, and what an operator wrote; the last wins.

`instruments_of` is the pure rule. `Registry` is the shell that applies it to a home and gives the same table
object back until one of its files changes, so that callers may compare by identity.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import orjson

from vanta.common import strictjson
from vanta.common.errors import Missing, VantaError
from vanta.common.instruments import Instrument, crypto, equity
from vanta.common.models.base import OperatorModel, validate
from vanta.common.paths import MARKET_QUOTES, Home
from vanta.common.resources import load
from vanta.common.store.atomic import read

FILE = "instruments.json"
UNIVERSE = "universe_default.json"


class InstrumentFile(OperatorModel):
    """`config/instruments.json`: instruments that an operator adds or corrects."""

    instruments: list[Instrument]


def instruments_of(universe: Mapping[str, str], quoted: Iterable[str],
                   written: Iterable[Instrument]) -> dict[str, Instrument]:
    """Instruments by id. `universe` maps `AAPL` or `crypto:BTC` to names, `quoted` are instrument ids."""
    table: dict[str, Instrument] = {}
    for key in universe:
        item = crypto(key.removeprefix("crypto:")) if key.startswith("crypto:") else equity(key)
        table[item.instrument_id] = item
    for name in quoted:
        kind, _, symbol = name.partition(":")
        base, _, quote = symbol.partition("-")
        if name not in table and kind in ("equity", "crypto"):
            table[name] = crypto(base, quote) if kind == "crypto" else equity(symbol)
    for item in written:
        table[item.instrument_id] = item
    return dict(sorted(table.items()))


def by_entity(table: Mapping[str, Instrument]) -> dict[str, list[Instrument]]:
    """Instruments by the entity that signals are about, in id order."""
    found: dict[str, list[Instrument]] = {}
    for _, item in sorted(table.items()):
        found.setdefault(item.entity, []).append(item)
    return found


def default_universe() -> dict[str, str]:
    """The shipped universe: ticker (or `crypto:BTC`) to name."""
    value = strictjson.loads_object(load(UNIVERSE), file=UNIVERSE)
    return {str(key): str(name) for key, name in value.items()}


class Registry:
    """The instruments of a home. Calling it looks at the files again; `problem` says what could not be read.

    While the operator's file cannot be read, what it said before stays in force; if it never could be read, there are
    no instruments at all: a restriction must not vanish because a file broke.
    """

    def __init__(self, home: Home) -> None:
        self._written = home.config / FILE
        self._quotes = home.file(MARKET_QUOTES)
        self._universe = default_universe()
        self._stamps: tuple[object, object] | None = None
        self._names: frozenset[str] = frozenset()
        self._table: Mapping[str, Instrument] = {}
        self._said: list[Instrument] | None = None
        self.problem: str | None = None

    def __call__(self) -> Mapping[str, Instrument]:
        """The current table; the same object while nothing changed."""
        stamps = (_stamp(self._written), _stamp(self._quotes))
        again = self.problem is not None  # what could not be read is tried again, whether it changed or not
        if stamps != self._stamps or again:
            before, self._stamps = self._stamps, stamps
            names = self._quoted()
            renew = names != self._names or before is None or before[0] != stamps[0]
            if renew or again:
                self._names = names
                said = self._operators()
                if renew or self.problem is None:
                    self._table = {} if said is None else instruments_of(self._universe, sorted(names), said)
        return self._table

    def _quoted(self) -> frozenset[str]:
        """Ids that have a quote. An unreadable quotes file keeps what was known; the prices feed says why."""
        try:
            return frozenset(orjson.loads(read(self._quotes))["quotes"])
        except (VantaError, ValueError, KeyError, TypeError):
            return self._names

    def _operators(self) -> list[Instrument] | None:
        """What the operator wrote: now, else before. `None` if it never could be read."""
        self.problem = None
        try:
            raw = read(self._written)
            value = strictjson.loads_object(raw, file=str(self._written))
            self._said = validate(InstrumentFile, value, file=str(self._written), raw=raw).instruments
        except Missing:
            self._said = []
        except VantaError as error:
            self.problem = error.what
        return self._said


def _stamp(path: Path) -> object:
    try:
        info = path.stat()
    except OSError:
        return None
    return info.st_ino, info.st_size, info.st_mtime_ns
