"""Which records are compared when a span of time or one cycle is asked for."""

from typing import Any

import pytest

from vanta.alpha.core.scope import Scope, Selection, lineage
from vanta.common.paths import COLLECTION_LOG, PROMOTION_LOG, REFLECTION_LOG, TRADE_LOG
from vanta.common.store.inmemory import MemoryJournal
from vanta.common.store.ports import Record

DAY = "2026-11-20T{:02}:00:00.000Z"


def record(kind: str, payload: dict[str, Any] | None = None, *, hour: int = 10, dag: str | None = None,
           **ids: str) -> Record:
    """One record by itself."""
    return MemoryJournal().append(kind, payload or {}, at=DAY.format(hour), dag_id=dag, ids=ids)


def reflected(dag: str, wrote: str, **feeds: str) -> Record:
    """A reflection that wrote signals of this hash from files of these."""
    return record("reflected", {"cause": {"inputs": feeds}, "outputs": {"trade_signals.json": wrote}}, dag=dag)


def promoted(dag: str, read: str, *staged: str) -> Record:
    """A promotion that read signals of this hash."""
    return record("promoted", {"inputs": {"trade_signals.json": read}, "staged": list(staged)}, dag=dag)


def collected(wrote: str | None) -> Record:
    """A pass that wrote a file of this hash."""
    return record("collected", {"output": {"file": "news_signals.json", "sha256": wrote}})


@pytest.mark.parametrize(("begins", "ends", "inside"), [
    (None, None, [9, 10, 11]), (10, None, [10, 11]), (None, 10, [9]), (10, 11, [10]), (12, None, [])])
def test_a_span_begins_with_its_first_moment_and_ends_before_its_last(begins: int | None, ends: int | None,
                                                                      inside: list[int]) -> None:
    """Half open, so that spans that touch share nothing."""
    chosen = Selection(Scope(begins=None if begins is None else DAY.format(begins),
                             ends=None if ends is None else DAY.format(ends)))
    assert [hour for hour in (9, 10, 11) if chosen.compares(TRADE_LOG, record("fill", hour=hour))] == inside


@pytest.mark.parametrize(("scope", "documents", "everything"), [
    (Scope(), True, True), (Scope(begins="2026"), True, False), (Scope(ends="2027"), False, False),
    (Scope(dag="dag1_a"), False, False)])
def test_documents_are_the_fold_of_a_whole_log(scope: Scope, documents: bool, everything: bool) -> None:
    """They are compared only where the end is open and all cycles are meant."""
    assert (scope.documents, scope.everything) == (documents, everything)


def test_an_intent_that_matters_is_decided_from_its_beginning() -> None:
    """A record in the span is about an intent whose verdict lies before it; others before it are only folded."""
    chosen = Selection(Scope(begins=DAY.format(10)))
    before = record("intent.approved", hour=9, intent_id="in1_a")
    other = record("intent.held", hour=9, intent_id="in1_b")
    within = record("order.accepted", hour=10, intent_id="in1_a")
    for one in (before, other, within, record("day.opened", hour=10), record("alert", hour=9)):
        chosen.scan(one)
    assert [chosen.compares(TRADE_LOG, one) for one in (before, other, within)] == [False, False, True]
    assert [chosen.decides(one) for one in (before, other, within)] == [True, False, True]
    assert chosen.decides(record("day.opened", hour=11))
    assert not chosen.decides(record("day.opened", hour=9))


PASSES = [collected("f1"), collected("f2"), collected(None)]
REFLECTIONS = [reflected("dag1_r", "s1", news="f1"), reflected("dag1_other", "s2", news="f2")]
PROMOTIONS = [promoted("dag1_p", "s1", "in1_a", "in1_b"), promoted("dag1_q", "s1"), promoted("dag1_z", "s2", "in1_z"),
              record("promoted", {"staged": []}, dag="dag1_odd")]


def numbered(records: list[Record]) -> list[Record]:
    """The same as the records of one log."""
    return [one._replace(seq=number) for number, one in enumerate(records, start=1)]


def belonging(dag: str) -> tuple[set[tuple[str, int]], set[str]] | None:
    """Records and intents of a cycle of the logs above."""
    found = lineage(dag, numbered(PASSES), numbered(REFLECTIONS), numbered(PROMOTIONS))
    return None if found is None else (set(found.records), set(found.intents))


def test_a_reflection_brings_its_passes_and_its_promotions() -> None:
    """Every promotion that read its signals, and all that they staged."""
    assert belonging("dag1_r") == ({(COLLECTION_LOG, 1), (REFLECTION_LOG, 1), (PROMOTION_LOG, 1), (PROMOTION_LOG, 2)},
                                   {"in1_a", "in1_b"})


def test_a_promotion_brings_its_reflection_and_its_passes() -> None:
    """And no other promotion."""
    assert belonging("dag1_p") == ({(COLLECTION_LOG, 1), (REFLECTION_LOG, 1), (PROMOTION_LOG, 1)}, {"in1_a", "in1_b"})


def test_a_promotion_whose_signals_nobody_recorded_stands_alone() -> None:
    """A record that does not say what it read is found out when it is made again."""
    assert belonging("dag1_odd") == ({(PROMOTION_LOG, 4)}, set())


def test_a_cycle_that_nobody_made_is_none() -> None:
    """The caller says so."""
    assert belonging("dag1_none") is None


def test_only_what_belongs_to_the_cycle_is_compared() -> None:
    """In the markets' logs by record, in the trade log by intent."""
    chosen = Selection(Scope(dag="dag1_p"), lineage("dag1_p", numbered(PASSES), numbered(REFLECTIONS),
                                                    numbered(PROMOTIONS)))
    assert [chosen.compares(COLLECTION_LOG, one) for one in numbered(PASSES)] == [True, False, False]
    assert [chosen.compares(PROMOTION_LOG, one) for one in numbered(PROMOTIONS)] == [True, False, False, False]
    assert chosen.compares(TRADE_LOG, record("fill", intent_id="in1_a"))
    assert not chosen.compares(TRADE_LOG, record("fill", intent_id="in1_z"))
    assert not chosen.compares(TRADE_LOG, record("day.opened"))
