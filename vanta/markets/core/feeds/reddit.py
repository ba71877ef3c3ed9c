"""Reddit's payloads: listings of posts and comments."""

from datetime import datetime
from typing import Any

from vanta.markets.core import reddit as core
from vanta.markets.core.feed import Feed
from vanta.markets.core.records import NormaliseContext, Normalised, RawPayload, Reading
from vanta.markets.parsers import reddit as parser


class RedditFeed(Feed):
    """Posts and comments of subreddits."""

    feed = "reddit"
    history_s = core.HISTORY_S

    def read(self, payload: RawPayload) -> Reading:
        """See `parsers.reddit`."""
        return parser.parse(payload.body, payload.url)

    def normalise(self, records: list[dict[str, Any]], context: NormaliseContext) -> Normalised:
        """See `core.reddit`."""
        return core.normalise(records, context)

    def published_at(self, record: dict[str, Any]) -> datetime | None:
        """When it was written or, where it was edited, edited."""
        return core.public_at(record)
