"""Bodies of exchanges: tickers, order books, funding rates."""

from datetime import datetime
from typing import Any

from vanta.common.times import parse_iso
from vanta.markets.core import crypto as core
from vanta.markets.core.feed import Feed
from vanta.markets.core.records import NormaliseContext, Normalised, RawPayload, Reading
from vanta.markets.parsers import ccxt_read


class CryptoFeed(Feed):
    """Tickers, books and funding."""

    feed = "crypto"

    def read(self, payload: RawPayload) -> Reading:
        """See `parsers.ccxt_read`."""
        return ccxt_read.read(payload.body, payload.url)

    def normalise(self, records: list[dict[str, Any]], context: NormaliseContext) -> Normalised:
        """See `core.crypto`."""
        return core.normalise(records, context)

    def published_at(self, record: dict[str, Any]) -> datetime | None:
        """When the exchange says; what has no time of its own (order books of some, lists of markets) has none."""
        return None if record["published_at"] is None else parse_iso(record["published_at"])
