"""Signals and feed documents for tests, all fields filled in, any of them replaceable."""

from datetime import datetime, timedelta
from typing import Any

from vanta.common.ids import signal_id
from vanta.common.models.signal import CollectorStamp, Entity, Evidence, FeedDocument, Match, Signal
from vanta.common.times import iso, parse_iso
from vanta.markets.core.feedfile import Seen, Stamp, next_document
from vanta.markets.core.records import Normalised

NOW = parse_iso("2026-03-04T10:00:00.000Z")
NO_SHA = "0" * 64


def at(minutes: float) -> datetime:
    """Minutes after `NOW`."""
    return NOW + timedelta(minutes=minutes)


def claim(name: str, *, published: datetime = NOW, life: timedelta = timedelta(days=1), **changes: Any) -> Signal:
    """One claim about AAPL. `name` makes its identity."""
    fields: dict[str, Any] = {
        "id": signal_id("news.rss", "news", "equity:AAPL", name), "revision": 1, "source": "news.rss",
        "source_kind": "aggregate", "kind": "news", "summary": name, "direction": 0.5, "strength": 0.5,
        "confidence": 0.5, "confidence_basis": [], "event_at": None, "published_at": iso(published),
        "observed_at": iso(published), "time_quality": "exact", "half_life_s": 3600,
        "expires_at": iso(published + life), "raw_ref": None, "features": {}, "flags": [],
        "entity": Entity(key="equity:AAPL", type="equity", id="T:AAPL", ticker="AAPL",
                         match=Match(method="cashtag", confidence=0.9)),
        "evidence": [Evidence(url="file:a", sha256=NO_SHA, media_type="text/plain", fetched_at=iso(NOW), licence="-")],
        "collector": CollectorStamp(name="news", version="1", run_id="run_1", params_hash="-"),
    }
    return Signal(**{**fields, **changes})


def stamp(now: datetime = NOW, *, window_s: int = 86_400, history_s: int = 0) -> Stamp:
    """Who writes, when."""
    return Stamp(feed="news", run_id="run_1", by="test", now=now, window_s=window_s, history_s=history_s)


def whole(payloads: int = 1, records: int = 1) -> Seen:
    """A pass without any trouble."""
    return Seen(payloads=payloads, whole=payloads, records=records)


def feed_document(*signals: Signal, now: datetime = NOW) -> FeedDocument:
    """The file after a first pass that found these."""
    return next_document(None, whole(), Normalised(signals=list(signals)), stamp(now))
