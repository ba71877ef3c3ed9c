"""The payloads of the news feeds: RSS, Atom and JSON Feed."""

from datetime import datetime
from typing import Any

from vanta.markets.core import news as core
from vanta.markets.core.feed import Feed
from vanta.markets.core.news_item import public_at
from vanta.markets.core.records import NormaliseContext, Normalised, RawPayload, Reading
from vanta.markets.parsers import news as parser


class NewsFeed(Feed):
    """Headlines."""

    feed = "news"

    def read(self, payload: RawPayload) -> Reading:
        """See `parsers.news`."""
        return parser.read(payload.body, where=payload.url, content_type=payload.headers.get("content-type", ""))

    def normalise(self, records: list[dict[str, Any]], context: NormaliseContext) -> Normalised:
        """See `core.news`."""
        return core.normalise(records, context)

    def published_at(self, record: dict[str, Any]) -> datetime | None:
        """What the item says, read carefully."""
        return public_at(record)
