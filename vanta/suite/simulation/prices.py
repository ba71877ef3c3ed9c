"""A folder of price files, `SYMBOL.csv` plain or compressed, as series of bars.

The instrument is the one that the file's name spells (`AAPL`, `BRK-B`, `BTC-USD`, `BTCUSDT`); dollar stablecoins are
booked in dollars. Other files are reported and skipped. Raises `OperatorError` where nothing can be simulated.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from vanta.common.calendars import Calendar
from vanta.common.errors import OperatorError, UsageError
from vanta.common.instruments import from_symbol
from vanta.markets.core.records import Problem
from vanta.markets.wire import payloads
from vanta.suite.simulation.bars import Series, series

_NAME = re.compile(r"(?:.*[/!])?(?P<symbol>[^/!]+)\.csv(?:\.gz)?", re.IGNORECASE)
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9._-]{0,19}")


def read_prices(folder: Path, calendars: Mapping[str, Calendar],
                now: datetime) -> tuple[list[Series], list[Problem]]:
    """All series of a folder, by instrument id, and what was left out. `now` only stamps the payloads."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", "Give a folder of SYMBOL.csv files with --prices.")
    found: dict[str, tuple[str, Series]] = {}
    problems: list[Problem] = []
    for payload in payloads(folder, now):
        if isinstance(payload, Problem):
            problems.append(payload)
            continue
        file = payload.url.removeprefix("file:")
        name = _NAME.fullmatch(file)
        symbol = name["symbol"].upper() if name else ""
        if not _SYMBOL.fullmatch(symbol):
            problems.append(Problem(code="not_a_price_file", detail="the name is not SYMBOL.csv", where=file))
            continue
        instrument = from_symbol(symbol, stable_as="USD")
        one, said = series(payload.body, file, instrument, calendars[instrument.calendar])
        problems += said
        if instrument.instrument_id in found:
            other = found[instrument.instrument_id][0]
            raise OperatorError(f"{other} and {file} both hold prices of {instrument.instrument_id}",
                                "Remove one of the two files.")
        found[instrument.instrument_id] = file, one
    if not any(one.bars for _, one in found.values()):
        raise OperatorError(f"{folder} holds no usable bar", "Give a folder of SYMBOL.csv files with the header "
                            "date,open,high,low,close,volume with --prices.")
    return [one for _, (_, one) in sorted(found.items())], problems
