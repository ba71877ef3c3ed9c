"""The pure half of a feed: what its payloads mean. Its transport (`collectors/`) stands beside it and only fetches.

The runner asks it when it collects, a simulation when it shows records in time, and replay when it makes a pass again:
one reading of a payload, whoever asks.
"""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any, ClassVar

from vanta.markets.core.records import NormaliseContext, Normalised, RawPayload, Reading

PAYLOADS = "payloads"
"""The form of what a feed serves. A record of a pass names the form that was read; see `core/sliced.py`."""


class Feed(ABC):
    """One feed. `version` grows whenever `read` or `normalise` say something else of the same bytes."""

    feed: str
    form: ClassVar[str] = PAYLOADS
    version: str = "1"
    history_s: int = 0
    """How long expired claims stay in the feed's file because `normalise` compares with the past."""

    @abstractmethod
    def read(self, payload: RawPayload) -> Reading:
        """Parse one payload, purely and totally: bad bytes become problems, never exceptions.

        What it may look at is `body`, `url`, `media_type` and `headers`: those are recorded.
        """

    @abstractmethod
    def normalise(self, records: list[dict[str, Any]], context: NormaliseContext) -> Normalised:
        """Turn records of this pass (and what is `known`) into signals, purely."""

    def published_at(self, record: dict[str, Any]) -> datetime | None:
        """When a record that `read` returned became public, never earlier than the truth; `None` if it does not say.

        A simulation shows a record no earlier than that. Default: not known.
        """
        del record
        return None
