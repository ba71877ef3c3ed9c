"""Every feed's pure half by name, for whoever makes recorded passes again, and the file that each feed has."""

from collections.abc import Mapping

from vanta.markets.core.feed import PAYLOADS, Feed
from vanta.markets.core.feeds.crypto import CryptoFeed
from vanta.markets.core.feeds.news import NewsFeed
from vanta.markets.core.feeds.prices import PricesFeed
from vanta.markets.core.feeds.reddit import RedditFeed
from vanta.markets.core.feeds.sec import SecFeed
from vanta.markets.core.sliced import SLICES, Sliced

_FEEDS: Mapping[str, type[Feed]] = {one.feed: one for one in (SecFeed, NewsFeed, RedditFeed, CryptoFeed, PricesFeed)}


def feed_of(name: str, form: str) -> Feed | None:
    """The feed that reads payloads of this form; `None` if this version knows no such feed or form."""
    made = _FEEDS.get(name)
    if made is None or form not in (PAYLOADS, SLICES):
        return None
    return made() if form == PAYLOADS else Sliced(made())
