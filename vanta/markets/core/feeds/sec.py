"""EDGAR's payloads: pages of the latest-filings feed, and the full submissions of Forms 4 and 4/A."""

from datetime import datetime
from typing import Any

from vanta.markets.core import sec as core
from vanta.markets.core.feed import Feed
from vanta.markets.core.records import NormaliseContext, Normalised, RawPayload, Reading
from vanta.markets.core.sec_filing import public_at
from vanta.markets.parsers import sec as parser


class SecFeed(Feed):
    """Insiders' trades, as they are filed."""

    feed = "sec"

    def read(self, payload: RawPayload) -> Reading:
        """See `parsers.sec`."""
        return parser.read(payload.body, where=payload.url)

    def normalise(self, records: list[dict[str, Any]], context: NormaliseContext) -> Normalised:
        """See `core.sec`."""
        return core.normalise(records, context)

    def published_at(self, record: dict[str, Any]) -> datetime | None:
        """When EDGAR accepted it."""
        return public_at(record)
