"""Metrics of a home from one look at it. Pure.

Names and labels are a contract with whoever draws them: they are only added to. What is not known has no sample.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from vanta.alpha.core.exposition import Metric, Sample
from vanta.alpha.core.outlook import More, Saved, confirmation
from vanta.alpha.core.sights import Facts, Row, since
from vanta.alpha.core.tally import Tally
from vanta.common.events import Kind
from vanta.common.exitcodes import Check
from vanta.common.times import millis, millis_of


def metrics(facts: Facts, more: More, found: list[Row], tally: Tally, saved: Saved | None) -> list[Metric]:
    """Every metric, some without a sample."""
    feeds = [(feed.name, feed.doc.time("now" if feed.name == "prices" else "last_success_at")) for feed in facts.feeds]
    queue = confirmation(facts, more.recent) if facts.queue.value is not None else None
    reflected = facts.reflection.time("now")
    accounts = facts.executor.table("broker_sync")
    rate, latency = tally.success_rate(), halt_latency_s(facts, more, saved)
    return [
        _gauge("vanta_feed_age_seconds", "Seconds since the feed's last success.",
               *(Sample(since(moment, facts.now), {"feed": name}) for name, moment in feeds if moment is not None)),
        _gauge("vanta_feed_signals", "Signals in the feed's file.",
               *(Sample(count, {"feed": name}) for name, count in more.signals.items())),
        _gauge("vanta_reflection_age_seconds", "Seconds since the last reflection.",
               *([Sample(since(reflected, facts.now))] if reflected else [])),
        _gauge("vanta_queue_depth", "Staged intents.", *([Sample(queue.staged)] if queue else [])),
        _gauge("vanta_queue_unconfirmed", "Staged intents that no venue has confirmed and that are not over.",
               *([Sample(queue.unconfirmed)] if queue else [])),
        _gauge("vanta_broker_in_sync", "1 where the account's venue answers and agrees with the books.",
               *(Sample(int(said == "in sync"), {"account": name}) for name, said in sorted(accounts.items()))),
        _gauge("vanta_dispatch_open", "1 while orders may leave.", *_dispatch(found)),
        _gauge("vanta_latches", "Latches that hold.", *([Sample(len(facts.latches))] if _told(facts) else [])),
        _gauge("vanta_disk_free_bytes", "Bytes that are free where the state lies.",
               *([Sample(facts.disk.free)] if facts.disk else [])),
        _gauge("vanta_log_records", "The last record of each log.", *_logs(facts, uncovered=False)),
        _gauge("vanta_log_uncovered", "Records after the log's last checkpoint.", *_logs(facts, uncovered=True)),
        Metric("vanta_submit_total", "counter", "Orders by the first word about them, since this program counts.",
               [Sample(count, {"outcome": name}) for name, count in tally.counts.items()]),
        _gauge("vanta_broker_submit_success_rate", "Accepted orders by orders sent, since this program counts.",
               *([] if rate is None else [Sample(rate)])),
        _gauge("vanta_ingestion_lag_seconds", "How far the newest feed file is ahead of the last reflection.",
               *_lag(facts)),
        _gauge("vanta_halt_latency_seconds", "From the save of the halting overlay to the executor's record of it.",
               *([] if latency is None else [Sample(latency)])),
        *_several_hosts(facts),
        _gauge("vanta_health", "0 in order, 1 warning, 2 critical, 3 unknown, by check.",
               *(Sample(int(row.level), {"check": row.name}) for row in found)),
    ]


def _several_hosts(facts: Facts) -> Iterator[Metric]:
    """How the other nodes are heard; without a sample where all nodes are here."""
    heard = [(link.node, moment) for link in facts.links if (moment := link.doc.time("heard_at")) is not None]
    yield _gauge("vanta_link_up", "1 while the transport reaches the node.", *(
        Sample(int(link.doc.text("link") == "up"), {"node": link.node}) for link in facts.links
        if link.doc.value is not None))
    yield _gauge("vanta_link_heard_age_seconds", "Seconds since the node was heard.", *(
        Sample(since(moment, facts.now), {"node": name}) for name, moment in heard))
    yield _gauge("vanta_link_refused", "Files of the node that are refused.", *(
        Sample(sum(bool(one.get("refused")) for one in link.doc.table("files").values() if isinstance(one, dict)),
               {"node": link.node}) for link in facts.links if link.doc.value is not None))
    said = None if facts.far is None else facts.far.said_at
    yield _gauge("vanta_lease_age_seconds", "On the executor: since Alpha said that these are its controls.", *(
        [] if said is None else [Sample(since(said, facts.now))]))


def _gauge(name: str, text: str, *samples: Sample) -> Metric:
    return Metric(name, "gauge", text, samples)


def _told(facts: Facts) -> bool:
    return facts.executor.value is not None


def _dispatch(found: list[Row]) -> Iterator[Sample]:
    """Open also where only a part is held; unknown where it cannot be told."""
    row = next((one for one in found if one.name == "dispatch"), None)
    if row is not None and row.level is not Check.UNKNOWN:
        yield Sample(int(row.text.startswith("open")))


def _logs(facts: Facts, *, uncovered: bool) -> Iterator[Sample]:
    for head in facts.heads:
        if not (head.missing or head.problem):
            count = max(0, head.seq - head.covered) if uncovered else head.seq
            yield Sample(count, {"log": head.name.removesuffix(".jsonl")})


def _lag(facts: Facts) -> Iterator[Sample]:
    reflected = facts.reflection.time("now")
    made = [moment for feed in facts.feeds if (moment := feed.doc.time("generated_at")) is not None]
    if reflected is not None and made:
        yield Sample(max(0.0, since(reflected, max(made))))


def halt_latency_s(facts: Facts, more: More, saved: Saved | None) -> float | None:
    """Seconds from the save of the overlay that halts now to the record of it; `None` where the log does not tell.

    It does not if another content was recorded last, if the executor began after the save, or if clocks disagree.
    """
    if saved is None or not facts.stops:
        return None
    record = next((one for one in more.recent if _is_overlay(one)), None)
    if record is None or record["payload"].get("sha256") != saved.sha256 or saved.saved_ms > millis(facts.now):
        return None
    took = millis_of(record["at"]) - saved.saved_ms
    starts = [millis_of(one["at"]) for one in more.recent if one["kind"] == Kind.PROGRAM_STARTED]
    began = any(saved.saved_ms <= start <= millis_of(record["at"]) for start in starts)
    return None if began or took <= 0 else took / 1000


def _is_overlay(record: Mapping[str, Any]) -> bool:
    return bool(record["kind"] == Kind.CONTROL_SEEN and record["payload"].get("what") == "overlay")
