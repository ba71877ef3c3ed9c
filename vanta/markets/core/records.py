"""The plain values that pass between a feed's parser and its normaliser. Pure.

A parser makes a `Reading`, a normaliser turns its records into a `Normalised`; neither knows a transport.
A record is a JSON-able dict. The runner adds four keys that say which raw payload it came from, so that
every signal can name its evidence: `_sha256`, `_url`, `_media_type` and `_fetched_at` (ISO, UTC).
"""

from dataclasses import dataclass, field
from datetime import datetime
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
class NormaliseContext:
    """What a normaliser may know: the time it is, who it is, and what raw payload each record came from."""

    now: datetime
    collector: str
    version: str
    run_id: str
    universe: dict[str, str]
    known: dict[str, Signal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalised:
    """Signals of this pass, and what became of the records that are not signals."""

    signals: list[Signal]
    duplicates: int = 0
    not_signals: int = 0
    problems: list[Problem] = field(default_factory=list)
