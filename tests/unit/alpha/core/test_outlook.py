"""The further rows of the screen, and the metrics that come of the same look."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vanta.alpha.core.exposition import render
from vanta.alpha.core.gauges import halt_latency_s, metrics
from vanta.alpha.core.outlook import (
    Confirmation,
    Flip,
    More,
    NodeSight,
    ProgramSight,
    Saved,
    confirmation,
    counted,
    rows,
)
from vanta.alpha.core.sights import Disk, Doc, Facts, FeedSight, Head, LatchSight, Limits, Row
from vanta.alpha.core.tally import Tally
from vanta.common.exitcodes import Check
from vanta.common.times import iso, millis

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


def ago(seconds: float) -> str:
    return iso(NOW - timedelta(seconds=seconds))


def record(kind: str, seconds: float, intent: str | None = None, seq: int = 0, order: str | None = None,
           **payload: Any) -> dict[str, Any]:
    ids = {key: value for key, value in (("intent_id", intent), ("order_id", order)) if value}
    return {"kind": kind, "at": ago(seconds), "seq": seq, "ids": ids, "payload": payload}


FEED = FeedSight(name="sec", doc=Doc({"last_success_at": ago(30), "generated_at": ago(20)}), stale_after_s=900)
PRICES = FeedSight(name="prices", doc=Doc({"now": ago(10)}), stale_after_s=900)
FACTS = Facts(
    now=NOW, feeds=(FEED, PRICES), reflection=Doc({"now": ago(15)}),
    executor=Doc({"heartbeat_at": ago(1), "broker_sync": {"real": "differs", "paper": "in sync"}}),
    portfolio=Doc({"intents": {"i1": "working", "i2": "held", "i3": "unknown"}}),
    queue=Doc({"intents": [{"intent_id": "i1", "created_at": ago(60)}, {"intent_id": "i2", "created_at": ago(50)},
                           {"intent_id": "i3", "created_at": ago(40)}, {"intent_id": "i4", "created_at": ago(90)},
                           {"intent_id": "i5"}]}),
    stops=(), scoped=(), unreadable="", permit=True, latches=(),
    heads=(Head(name="trade_log.jsonl", seq=41, covered=40, at=ago(3)), Head(name="control_log.jsonl", missing=True),
           Head(name="promotion_log.jsonl", problem="odd"), Head(name="collection_log.jsonl", seq=2, covered=5)),
    locks=(), disk=Disk(50, 100, 9, 10))
MORE = More(permission="permitted by ann", flip=Flip(), signals={"sec": 1234}, nodes=(), programs=(), recent=[
    record("fill", 70, "i4"), record("order.accepted", 71.5, "i9"), record("intent.seen", 72, "i9"),
    record("order.accepted", 80, "i8"), record("broker.sync", 90), record("intent.seen", 95, "i7")])


def row(name: str, facts: Facts = FACTS, more: More = MORE) -> Row:
    return next(one for one in rows(facts, more, Limits()) if one.name == name)


def test_from_the_queue_to_the_venue() -> None:
    """Confirmed is what works at a venue, over is what the log knows and the book no longer holds; doubt is named."""
    assert confirmation(FACTS, MORE.recent) == Confirmation(staged=5, unconfirmed=3, doubtful=1, oldest_s=50.0,
                                                            typical_ms=500)
    said = row("confirmation")
    assert said.level is Check.WARNING
    assert said.text == ("5 staged, 3 not confirmed, the oldest for 50 s; typically 500 ms from seen to confirmed; "
                         "of 1 the outcome is unknown")
    calm = replace(FACTS, queue=Doc({"intents": []}))
    assert row("confirmation", calm, replace(MORE, recent=[])).text == "0 staged, 0 not confirmed"
    assert row("confirmation", replace(FACTS, queue=Doc(None))).text == "nothing is staged"


def test_who_permitted_and_what_holds() -> None:
    """The permission in words; latches by name; nothing about them where no executor has run."""
    assert row("permission").text == "permitted by ann"
    assert (row("latches").level, row("latches").text) == (Check.OK, "none holds")
    latched = replace(FACTS, latches=(LatchSight("latch_1", "fell", everything=True),))
    assert (row("latches", latched).level, row("latches", latched).text) == (Check.CRITICAL, "latch_1")
    names = [one.name for one in rows(replace(FACTS, executor=Doc(None)), MORE, Limits())]
    assert "latches" not in names
    assert "brokers" not in names


def test_every_account_is_named() -> None:
    """In doubt the whole row is unknown."""
    assert (row("brokers").level, row("brokers").text) == (Check.UNKNOWN, "paper in sync, real differs")
    calm = replace(FACTS, executor=Doc({"broker_sync": {"paper": "in sync"}}))
    assert row("brokers", calm).level is Check.OK


def test_a_flip_that_is_over_is_to_be_taken_out() -> None:
    """One that lasts is shown; none is none."""
    assert (row("flip").level, row("flip").text) == (Check.OK, "none")
    assert row("flip", more=replace(MORE, flip=Flip(text="V_A … 3 min left", left_ms=1))).level is Check.OK
    over = row("flip", more=replace(MORE, flip=Flip(text="V_A … over", left_ms=0)))
    assert (over.level, over.fix) == (Check.WARNING, "vanta overlay flip --end")


def test_a_file_from_the_future_means_a_wrong_clock() -> None:
    """Whoever wrote it; a small difference is none, and what is no time says nothing."""
    assert row("clock").level is Check.OK
    assert row("clock").text.startswith("2026-11-20 15:00:00 UTC")
    for facts in (replace(FACTS, executor=Doc({"heartbeat_at": ago(-300)})), replace(FACTS, heads=(
            Head(name="x.jsonl", at=ago(-300)),))):
        assert (row("clock", facts).level, "300 s ahead" in row("clock", facts).text or "5 min ahead" in row(
            "clock", facts).text) == (Check.CRITICAL, True)
    assert row("clock", replace(FACTS, executor=Doc({"heartbeat_at": ago(-60)}))).level is Check.OK
    assert row("clock", replace(FACTS, executor=Doc(None), reflection=Doc(None), feeds=(), heads=(
        Head(name="x.jsonl", at="soon"),))).level is Check.OK


def test_other_nodes_by_what_came_from_them() -> None:
    """Late is a warning, nothing yet is unknown, one host is no fault."""
    assert (row("nodes").level, row("nodes").text) == (Check.OK, "one host: nothing has come from another node")
    fresh, late = (NodeSight(name, NOW - timedelta(seconds=age)) for name, age in (("a", 60), ("b", 1_200)))
    assert row("nodes", more=replace(MORE, nodes=(fresh,))).text == "a 60 s behind"
    assert row("nodes", more=replace(MORE, nodes=(NodeSight("c", None), fresh))).level is Check.UNKNOWN
    said = row("nodes", more=replace(MORE, nodes=(late, NodeSight("c", None))))
    assert (said.level, said.text) == (Check.WARNING, "b 20 min behind, c has sent nothing yet")


def test_programs_beside_are_no_fault_whatever_they_do() -> None:
    """Up since when, or used by nobody."""
    found = (ProgramSight("assistant", f"assistant pid=7 since={ago(7_200)}"), ProgramSight("tracker", None),
             ProgramSight("y", "somebody"))
    said = row("beside", more=replace(MORE, programs=found))
    assert (said.level, said.text) == (
        Check.OK, "assistant up 2 h, tracker is not in use, y up for an unknown time")
    assert row("beside").text == "nothing"


def test_feeds_are_shown_with_their_signals() -> None:
    """Where they were counted; other rows stay as they are."""
    found = [Row(name="feed sec", level=Check.OK, text="ok"), Row(name="feed news", level=Check.OK, text="ok"),
             Row(name="sec", level=Check.OK, text="x")]
    assert [one.text for one in counted(found, MORE)] == ["ok, 1,234 signals", "ok", "x"]


# metrics

DISPATCH = Row(name="dispatch", level=Check.OK, text="open: orders may leave")


def shown(facts: Facts = FACTS, more: More = MORE, found: list[Row] | None = None, saved: Saved | None = None,
          tally: Tally | None = None) -> dict[str, str]:
    text = render(metrics(facts, more, [DISPATCH] if found is None else found, tally or Tally(), saved))
    return dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))


def test_every_metric_has_its_name() -> None:
    """The contract: names, labels, values."""
    tally = Tally()
    tally.take([record("order.accepted", 1, seq=2, order="o"), record("order.submitting", 2, seq=1, order="o")])
    assert shown(tally=tally) == {
        'vanta_feed_age_seconds{feed="sec"}': "30.0", 'vanta_feed_age_seconds{feed="prices"}': "10.0",
        'vanta_feed_signals{feed="sec"}': "1234", "vanta_reflection_age_seconds": "15.0", "vanta_queue_depth": "5",
        "vanta_queue_unconfirmed": "3", 'vanta_broker_in_sync{account="paper"}': "1",
        'vanta_broker_in_sync{account="real"}': "0", "vanta_dispatch_open": "1", "vanta_latches": "0",
        "vanta_disk_free_bytes": "50", 'vanta_log_records{log="trade_log"}': "41",
        'vanta_log_records{log="collection_log"}': "2", 'vanta_log_uncovered{log="trade_log"}': "1",
        'vanta_log_uncovered{log="collection_log"}': "0", 'vanta_submit_total{outcome="accepted"}': "1",
        'vanta_submit_total{outcome="rejected"}': "0", 'vanta_submit_total{outcome="unknown"}': "0",
        'vanta_submit_total{outcome="withheld"}': "0", "vanta_broker_submit_success_rate": "1.0",
        "vanta_ingestion_lag_seconds": "0.0", 'vanta_health{check="dispatch"}': "0"}


def test_what_is_not_known_is_absent_and_never_0() -> None:
    """An empty home has counters, and nothing else."""
    nothing = replace(FACTS, feeds=(replace(FEED, doc=Doc(None)),), reflection=Doc(None), executor=Doc(None),
                      queue=Doc(None), heads=(), disk=None)
    assert set(shown(nothing, replace(MORE, signals={}), [])) == {
        f'vanta_submit_total{{outcome="{name}"}}' for name in ("accepted", "rejected", "unknown", "withheld")}
    unsure = Row(name="dispatch", level=Check.UNKNOWN, text="it cannot be told")
    assert "vanta_dispatch_open" not in shown(found=[unsure])
    assert shown(found=[replace(DISPATCH, level=Check.WARNING, text="halted: x")])["vanta_dispatch_open"] == "0"
    late = replace(FACTS, reflection=Doc({"now": ago(100)}))
    assert shown(late)["vanta_ingestion_lag_seconds"] == "80.0"


HALTED = replace(FACTS, stops=("halt.full_halt on everything: drill",))
SAVED = Saved(sha256="a" * 64, saved_ms=millis(NOW) - 10_000)
SEEN = record("control.seen", 9.75, what="overlay", sha256="a" * 64)
LATENCY: dict[str, tuple[Facts, list[dict[str, Any]], Saved | None, float | None]] = {
    "told": (HALTED, [record("fill", 1), SEEN], SAVED, 0.25),
    "another control seen since": (HALTED, [record("control.seen", 1, what="permit", sha256="absent"), SEEN], SAVED,
                                   0.25),
    "nothing halts": (FACTS, [SEEN], SAVED, None),
    "the file cannot be read": (HALTED, [SEEN], None, None),
    "not seen yet": (HALTED, [record("fill", 1)], SAVED, None),
    "another content": (HALTED, [record("control.seen", 9, what="overlay", sha256="b" * 64), SEEN], SAVED, None),
    "saved in the future": (HALTED, [SEEN], replace(SAVED, saved_ms=millis(NOW) + 1), None),
    "recorded before it was saved": (HALTED, [record("control.seen", 11, what="overlay", sha256="a" * 64)], SAVED,
                                     None),
    "the executor began in between": (HALTED, [SEEN, record("program.started", 9.9)], SAVED, None),
    "the executor began before": (HALTED, [SEEN, record("program.started", 10.1)], SAVED, 0.25),
    "the executor began since": (HALTED, [record("program.started", 1), SEEN], SAVED, 0.25),
}


@pytest.mark.parametrize("name", LATENCY)
def test_how_long_a_halt_took(name: str) -> None:
    """From the save to the record of it, only where the log tells."""
    facts, recent, saved, expected = LATENCY[name]
    assert halt_latency_s(facts, replace(MORE, recent=recent), saved) == expected
    assert shown(facts, replace(MORE, recent=recent), saved=saved).get("vanta_halt_latency_seconds") == (
        None if expected is None else str(expected))


def test_orders_are_counted_once_by_their_first_word() -> None:
    """In the order of the log, whatever comes later; records without an order and repeated ones do not count."""
    tally = Tally()
    assert tally.success_rate() is None
    records = [
        record("order.submitting", 9, seq=1, order="a"), record("order.accepted", 8, seq=2, order="a"),
        record("order.accepted", 8, seq=3, order="a"), record("order.submitting", 7, seq=4, order="b"),
        record("order.unknown", 7, seq=5, order="b"), record("order.accepted", 6, seq=6, order="b"),
        record("order.submitting", 5, seq=7, order="c"), record("order.withheld", 5, seq=8, order="c"),
        record("order.submitting", 4, seq=9, order="d"), record("fill", 4, seq=10, order="d"),
        record("alert", 3, seq=11), record("order.cancelled", 3, seq=12, order="d"),
        record("order.rejected", 2, seq=13, order="of long ago")]
    tally.take(records[::-1])
    assert tally.counts == {"accepted": 2, "rejected": 0, "unknown": 1, "withheld": 1}
    assert tally.success_rate() == pytest.approx(2 / 3)
    tally.take(records[::-1])
    tally.take([{**record("alert", 1), "seq": None}])
    assert sum(tally.counts.values()) == 4
    more = [record("order.submitting", 1, seq=14, order="e"), record("order.rejected", 1, seq=15, order="e")]
    tally.take([*more[::-1], *records[::-1]])
    assert tally.counts["rejected"] == 1
