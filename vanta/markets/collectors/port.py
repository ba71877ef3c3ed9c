"""What a feed is to the rest of VANTA: a thin transport, a pure parser, a pure normaliser.

    transport (collectors/<feed>.py)  →  RawPayload  →  parsers/<feed>.py  →  core/<feed>.py  →  Signal
                                          ^ `--from PATH` enters here: same code after the transport

A collector only fetches; what a payload means is its pure half's (`core/feeds/<feed>.py`). It never writes a file and
never keeps state of its own: cursors and validators are handed in and out.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from vanta.markets.collectors.gate import Gate
from vanta.markets.core.feed import Feed
from vanta.markets.core.records import NormaliseContext, Normalised, Problem, RawPayload, Reading

__all__ = ["Collector", "FetchContext", "Gate", "NormaliseContext", "Normalised", "Problem", "RawPayload", "Reading"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchContext:
    """What a transport may know: the time, the cursor and validators of the last durable pass, settings.

    Every request passes the `gate`.
    """

    now: datetime
    cursor: dict[str, str]
    state_dir: Path
    options: dict[str, Any]
    gate: Gate


class Collector(Feed):
    """A feed that can be fetched. `markets/collect.py` runs it and owns every file."""

    @abstractmethod
    def fetch(self, context: FetchContext) -> Iterator[RawPayload | Problem]:
        """Yield payloads from the network, and a `Problem` for each that cannot be had while others can.

        Raises the `OutsideError` family if nothing further can be had, `OperatorError` if it is not configured.
        """

    def hosts(self, options: Mapping[str, Any]) -> frozenset[str]:
        """Whom `fetch` asks with these options. Raises `OperatorError` like `fetch`. Default: nobody."""
        del options
        return frozenset()

    def next_cursor(self, payloads: list[RawPayload], context: FetchContext) -> dict[str, str]:
        """The cursor to store once the signals file is durable. Default: unchanged.

        `payloads` are those of this pass that were read whole. Not called if fetching ended early.
        """
        del payloads
        return context.cursor
