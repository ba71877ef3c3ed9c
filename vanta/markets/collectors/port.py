"""What a feed is to the rest of VANTA: a thin transport, a pure parser, a pure normaliser.

    transport (collectors/<feed>.py)  →  RawPayload  →  parsers/<feed>.py  →  core/<feed>.py  →  Signal
                                          ^ `--from PATH` enters here: same code after the transport

A collector only fetches. It never decides what a payload means, never writes a file and never keeps state
of its own: cursors and validators are handed in and out.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from vanta.markets.collectors.gate import Gate
from vanta.markets.core.records import NormaliseContext, Normalised, Problem, Reading

__all__ = ["Collector", "FetchContext", "Gate", "NormaliseContext", "Normalised", "Problem", "RawPayload", "Reading"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawPayload:
    """Bytes exactly as a feed served them. `url` is where from (`file:NAME` for recorded ones)."""

    url: str
    body: bytes
    media_type: str
    fetched_at: datetime
    headers: dict[str, str] = field(default_factory=dict)


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


class Collector(ABC):
    """One feed. Subclasses fill in three hooks; `markets/collect.py` runs them and owns every file."""

    feed: str
    version: str = "1"
    history_s: int = 0
    """How long expired claims stay in the feed's file because `normalise` compares with the past."""

    @abstractmethod
    def fetch(self, context: FetchContext) -> Iterator[RawPayload | Problem]:
        """Yield payloads from the network, and a `Problem` for each that cannot be had while others can.

        Raises the `OutsideError` family if nothing further can be had, `OperatorError` if it is not configured.
        """

    @abstractmethod
    def read(self, payload: RawPayload) -> Reading:
        """Parse one payload, purely and totally: bad bytes become problems, never exceptions."""

    @abstractmethod
    def normalise(self, records: list[dict[str, Any]], context: NormaliseContext) -> Normalised:
        """Turn records of this pass (and what is `known`) into signals, purely."""

    def published_at(self, record: dict[str, Any]) -> datetime | None:
        """When a record that `read` returned became public, never earlier than the truth; `None` if it does not say.

        A simulation shows a record no earlier than that. Default: not known.
        """
        del record
        return None

    def next_cursor(self, payloads: list[RawPayload], context: FetchContext) -> dict[str, str]:
        """The cursor to store once the signals file is durable. Default: unchanged.

        `payloads` are those of this pass that were read whole. Not called if fetching ended early.
        """
        del payloads
        return context.cursor
