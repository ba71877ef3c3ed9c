"""Recorded payloads for tests of the markets node, written by us in the form in which feeds serve them."""

from datetime import timedelta
from email.utils import format_datetime

from vanta.common.times import parse_iso

NOW = "2026-03-04T10:00:00.000Z"


def rss(*items: tuple[str, str, int]) -> bytes:
    """An RSS page of (outlet, headline, minutes from `NOW`)."""
    entries = "".join(
        f"<item><guid>{outlet}/{headline}</guid><link>https://{outlet}.example/{number}</link><title>{headline}</title>"
        f"<pubDate>{format_datetime(parse_iso(NOW) + timedelta(minutes=minutes))}</pubDate></item>"
        for number, (outlet, headline, minutes) in enumerate(items))
    return (f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>News</title>'
            f"<link>https://feed.example</link><description>-</description>{entries}</channel></rss>").encode()
