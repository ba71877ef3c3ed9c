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

from vanta.common.models.signal import Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class RawPayload:
    """Bytes exactly as a feed served them. `url` is where from (`file:NAME` for recorded ones)."""

    url: str
    body: bytes
    media_type: str
    fetched_at: datetime
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that could not be used. `where` is a URL or file and, if known, a place inside it."""

    code: str
    detail: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one payload says, before it is compared with earlier ones.

    `records` are plain JSON-able dicts (parser output), `problems` what was refused. `complete` is False
    when the payload was cut or partly unreadable, so that the feed's status becomes `partial`.
    """

    records: list[dict[str, Any]]
    problems: list[Problem]
    complete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchContext:
    """What a transport may know: the time, the cursor and validators of the last durable pass, settings."""

    now: datetime
    cursor: dict[str, str]
    state_dir: Path
    options: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class NormaliseContext:
    """What a normaliser may know: the time it is, who it is, and what raw payload each record came from."""

    now: datetime
    collector: str
    version: str
    run_id: str
    universe: dict[str, str]
    known: dict[str, Signal] = field(default_factory=dict)


class Collector(ABC):
    """One feed. Subclasses fill in three hooks; `markets/collect.py` runs them and owns every file."""

    feed: str
    version: str = "1"

    @abstractmethod
    def fetch(self, context: FetchContext) -> Iterator[RawPayload]:
        """Yield payloads from the network. Raises `OutsideError` family only."""

    @abstractmethod
    def read(self, payload: RawPayload) -> Reading:
        """Parse one payload, purely and totally: bad bytes become problems, never exceptions."""

    @abstractmethod
    def normalise(self, records: list[dict[str, Any]], context: NormaliseContext) -> "Normalised":
        """Turn records of this pass (and what is `known`) into signals, purely."""

    def next_cursor(self, payloads: list[RawPayload], context: FetchContext) -> dict[str, str]:
        """The cursor to store once the signals file is durable. Default: unchanged."""
        return context.cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalised:
    """Signals of this pass, and what became of the records that are not signals."""

    signals: list[Signal]
    duplicates: int = 0
    not_signals: int = 0
    problems: list[Problem] = field(default_factory=list)
