"""A span of a home's time or one cycle replayed, rules of another version, and intents that nobody staged."""

from collections import Counter
from contextlib import closing
from datetime import timedelta

import orjson
import pytest

from tests.unit.alpha.chains import first_of, forget, rechained, replayed, snapshots
from tests.unit.executor.world import without_permission
from vanta.alpha.replayer import Replayed
from vanta.common.canonical import content_hash, sha256
from vanta.common.errors import UsageError
from vanta.common.paths import COLLECTION_LOG, PROMOTION_LOG, REFLECTION_LOG, TRADE_LOG, Home
from vanta.common.resources import load
from vanta.common.signatures import Signer
from vanta.common.store import segments
from vanta.common.store.checkpoint import FOLDER
from vanta.common.store.journal import FileJournal
from vanta.common.store.ports import Record
from vanta.common.store.segments import begin
from vanta.common.times import iso, parse_iso


def told(done: Replayed) -> tuple[list[str], list[str]]:
    """What is wrong, in words."""
    return [str(one) for one in done.differences], done.missing


def moments(home: Home) -> list[str]:
    """Every time at which the executor recorded something, in order."""
    return sorted({one.at for one in FileJournal(home.file(TRADE_LOG)).read()})


def test_spans_that_touch_make_up_the_whole(lived: Home) -> None:
    """Wherever the logs are cut: each part is equal by itself, and together they are all there is."""
    everything = replayed(lived).checked
    for cut in moments(lived)[1::4]:
        earlier, later = replayed(lived, ends=cut), replayed(lived, begins=cut)
        assert told(earlier) == told(later) == ([], [])
        assert "document" not in earlier.checked
        assert earlier.checked + later.checked == everything


def test_a_span_says_nothing_about_what_lies_outside(copied: Home) -> None:
    """The same forged verdict, from inside and from outside."""
    target = first_of(copied, TRADE_LOG, "intent.refused")
    rechained(copied, TRADE_LOG, target.seq, lambda said: said.update(
        lines=[["halt", "halt.full_halt", "everything", "off", "forged"]]))
    after = iso(parse_iso(target.at) + timedelta(milliseconds=1))
    assert [one.stage for one in replayed(copied, begins=target.at, ends=after).differences] == ["verdict"]
    assert replayed(copied, ends=target.at).differences == []
    assert [one for one in replayed(copied, begins=after).differences if one.stage == "verdict"] == []


def test_a_verdict_before_the_span_is_decided_again_for_what_follows(copied: Home) -> None:
    """An answer in the span: the last look at its order needs the verdict, about which nothing is said."""
    answer = first_of(copied, TRADE_LOG, "order.accepted")
    later = iso(parse_iso(answer.at) + timedelta(milliseconds=1))
    rechained(copied, TRADE_LOG, answer.seq, lambda said: None, at=later)
    done = replayed(copied, begins=later, ends=iso(parse_iso(later) + timedelta(milliseconds=1)))
    assert told(done) == ([], [])
    assert done.checked == Counter({"order.accepted": 1})


def test_an_order_that_left_against_a_halt_is_named_in_a_span_that_begins_after_its_verdict(copied: Home) -> None:
    """Only whoever decided the verdict again, before the span, can look again before the order left."""
    path = copied.file(TRADE_LOG)
    records = list(FileJournal(path).read())
    answer = first_of(copied, TRADE_LOG, "order.accepted")
    later = iso(parse_iso(answer.at) + timedelta(milliseconds=1))
    halted = snapshots(copied).put(without_permission({"full_halt": True}))
    path.unlink()
    journal = FileJournal(path)
    for one in records[:answer.seq - 1]:
        journal.append(one.kind, one.payload, at=one.at, dag_id=one.dag_id, ids=one.ids)
    journal.append("control.seen", {"what": "overlay", "sha256": halted, "problem": None}, at=answer.at)
    journal.append(answer.kind, answer.payload, at=later, dag_id=answer.dag_id, ids=answer.ids)
    journal.close()
    [found] = replayed(copied, begins=later, ends=iso(parse_iso(later) + timedelta(hours=1))).differences
    assert (found.stage, found.about, found.found.field) == ("order", answer.ids["order_id"], "last look")


def alone(home: Home) -> tuple[Record, dict[str, str]]:
    """A promotion that rested on the log, and a span in which the executor recorded nothing."""
    busy = set(moments(home))
    record = next(one for one in FileJournal(home.file(PROMOTION_LOG)).read()
                  if one.kind == "promoted" and one.payload["trade_log"]["seq"] > 1 and one.at not in busy)
    return record, {"begins": record.at, "ends": iso(parse_iso(record.at) + timedelta(milliseconds=1))}


def test_a_promotion_in_the_span_is_made_again_at_the_record_that_it_rested_on(lived: Home) -> None:
    """The executor recorded nothing in the span; what it recorded before is folded for the promotion alone."""
    done = replayed(lived, **alone(lived)[1])
    assert told(done) == ([], [])
    assert done.checked["promoted"] == 1
    assert set(done.checked) == {"collected", "reflected", "promoted", "portfolio"}


def test_the_log_is_folded_as_far_as_a_promotion_or_its_portfolio_needs(copied: Home) -> None:
    """Whichever of the two lies further on."""
    record, span = alone(copied)
    begun = next(iter(FileJournal(copied.file(TRADE_LOG)).read()))
    rechained(copied, PROMOTION_LOG, record.seq, lambda said: said.update(trade_log={"seq": 1, "hash": begun.hash}))
    done = replayed(copied, **span)
    assert (done.checked["portfolio"], done.missing) == (1, [])
    rechained(copied, PROMOTION_LOG, record.seq, lambda said: said.update(trade_log=record.payload["trade_log"]))
    forget(copied, record.payload["inputs"]["portfolio.json"])
    assert [what for what in replayed(copied, **span).missing if "the snapshot of portfolio.json" in what]


def test_a_cycle_brings_all_that_came_of_it(lived: Home) -> None:
    """From the passes that it read to the fills of what it staged."""
    staging = next(one for one in FileJournal(lived.file(PROMOTION_LOG)).read()
                   if one.kind == "promoted" and one.payload["staged"])
    done = replayed(lived, dag=staging.dag_id)
    assert told(done) == ([], [])
    assert (done.checked["promoted"], done.checked["reflected"]) == (1, 1)
    assert done.checked["collected"] == len(first_of(lived, REFLECTION_LOG, "reflected").payload["cause"]["inputs"])
    assert done.checked["intent.seen"] == len(staging.payload["staged"])
    assert done.checked["fill"] >= 1
    assert not {"document", "day.opened", "adjustment"} & set(done.checked)


def test_a_reflection_brings_its_promotions(lived: Home) -> None:
    """All that read its signals."""
    first = first_of(lived, REFLECTION_LOG, "reflected")
    assert replayed(lived, dag=first.dag_id).checked["promoted"] == sum(
        one.payload["inputs"]["trade_signals.json"] == first.payload["outputs"]["trade_signals.json"]
        for one in FileJournal(lived.file(PROMOTION_LOG)).read() if one.kind == "promoted") > 0


def test_a_cycle_that_nobody_made_is_a_usage_error(lived: Home) -> None:
    """With a hint where ids come from."""
    with pytest.raises(UsageError, match="no reflection and no promotion of this home is called dag1_none") as raised:
        replayed(lived, dag="dag1_none")
    assert "vanta explain" in raised.value.cure


def test_the_first_difference_is_the_first_of_the_chain(copied: Home) -> None:
    """A forged fill stands earlier in the files than a forged pass; what is named first is what may have caused it."""
    last = [one for one in FileJournal(copied.file(COLLECTION_LOG)).read() if one.kind == "collected"][-1]
    fill, day = first_of(copied, TRADE_LOG, "fill"), first_of(copied, TRADE_LOG, "day.opened")
    rechained(copied, COLLECTION_LOG, last.seq, lambda said: said.update(status_reason="fine"))
    rechained(copied, TRADE_LOG, fill.seq, lambda said: said.update(multiplier="1.0"))
    rechained(copied, TRADE_LOG, day.seq, lambda said: said.update(nav="1"))
    assert day.seq < fill.seq
    stages = list(dict.fromkeys(one.stage for one in replayed(copied).differences))
    assert [one for one in stages if one in ("signals", "fill", "pnl")] == ["signals", "fill", "pnl"]


def forged_portfolio(home: Home, old: bytes, new: bytes) -> Record:
    """A promotion that says it read another portfolio, which is in the store."""
    record = first_of(home, PROMOTION_LOG, "promoted")
    raw = snapshots(home).get(record.payload["inputs"]["portfolio.json"])
    assert old in raw
    digest = snapshots(home).put(raw.replace(old, new, 1))
    rechained(home, PROMOTION_LOG, record.seq, lambda said: said["inputs"].update({"portfolio.json": digest}))
    return record


def test_every_portfolio_that_was_read_is_the_fold_of_the_log(copied: Home) -> None:
    """What a promotion was told about cash has to be what the log gives at that record."""
    assert replayed(copied).checked["portfolio"] == replayed(copied).checked["promoted"]
    record = forged_portfolio(copied, b'"cash":"100000"', b'"cash":"200000"')
    found = next(one for one in replayed(copied).differences if ".cash" in one.found.field)
    assert (found.stage, found.step) == ("allocation", f"{PROMOTION_LOG}:{record.seq} (promoted)")
    assert found.found.field.startswith("inputs.portfolio.json.")
    assert (found.found.recorded, found.found.recomputed) == ('"200000"', '"100000"')


def test_a_portfolio_of_a_record_that_never_came_is_missing(copied: Home) -> None:
    """The log that it is the fold of is longer than the one that is there."""
    record = first_of(copied, PROMOTION_LOG, "promoted")
    raw = orjson.loads(snapshots(copied).get(record.payload["inputs"]["portfolio.json"]))
    forged_portfolio(copied, f'"as_of_seq": {raw["as_of_seq"]}'.encode(), b'"as_of_seq": 99999')
    assert any("before record 99999, of which its portfolio.json is the fold" in what
               for what in replayed(copied).missing)


def test_a_portfolio_that_cannot_be_read_is_left_to_its_promotion(copied: Home) -> None:
    """It is said once, where the promotion is made again."""
    record = first_of(copied, PROMOTION_LOG, "promoted")
    forget(copied, record.payload["inputs"]["portfolio.json"])
    done = replayed(copied)
    assert [what for what in done.missing if f"{PROMOTION_LOG}:{record.seq}:" in what and "portfolio.json" in what]
    rechained(copied, PROMOTION_LOG, record.seq, lambda said: said.pop("inputs"))
    assert replayed(copied).differences


# rules

def staged_by(home: Home, record: Record, rules: str, raw: bytes, *, keep: bool) -> None:
    """Let a reflection say that it was made under other source cards."""
    digest = snapshots(home).put(raw) if keep else sha256(raw)
    rechained(home, REFLECTION_LOG, record.seq, lambda said: said["cause"]["rules"].update({rules: digest}))


def test_rules_are_kept_with_the_home(lived: Home) -> None:
    """Every file and every card that a record names, under that very hash."""
    rules = [*first_of(lived, REFLECTION_LOG, "reflected").payload["cause"]["rules"].values(),
             *first_of(lived, PROMOTION_LOG, "promoted").payload["rules"].values()]
    hashes = {one for one in rules if len(one) == 64}
    assert len(hashes) == 7
    assert all(snapshots(lived).has(one) for one in hashes)


def test_a_record_is_made_again_under_its_own_rules(copied: Home) -> None:
    """Cards that this version does not ship: they decide, and what they give is not what is recorded."""
    other = load("sources.json").replace(b'"gain": 2000', b'"gain": 1000')
    assert other != load("sources.json")
    staged_by(copied, first_of(copied, REFLECTION_LOG, "reflected"), "sources", other, keep=True)
    found = [one.found for one in replayed(copied).differences if one.step.startswith(REFLECTION_LOG)]
    assert [one.field for one in found] == ["dag_id"]


def test_rules_that_are_gone_are_missing(copied: Home) -> None:
    """Nothing is judged by the rules of this version instead."""
    staged_by(copied, first_of(copied, REFLECTION_LOG, "reflected"), "sources", b"gone", keep=False)
    done = replayed(copied)
    assert any(f"the snapshot of the rules sources ({sha256(b'gone')}) is missing" in what for what in done.missing)
    assert [one for one in done.differences if one.step.startswith(REFLECTION_LOG)] == []


def test_shipped_rules_serve_where_the_home_has_none(copied: Home) -> None:
    """A home of a version that did not keep them."""
    forget(copied, sha256(load("sources.json")))
    assert told(replayed(copied)) == ([], [])


# intents

def seen(home: Home) -> Record:
    """The first intent that came through the queue."""
    return next(one for one in FileJournal(home.file(TRADE_LOG)).read()
                if one.kind == "intent.seen" and one.payload.get("from") != "executor")


def test_an_intent_that_was_changed_in_the_queue_is_named(copied: Home) -> None:
    """The executor acted on what it saw, but the promotion staged something else under that name."""
    target = seen(copied)
    intent = {**target.payload["intent"], "reference_price": "1.5"}
    rechained(copied, TRADE_LOG, target.seq, lambda said: said.update(intent=intent, sha256=content_hash(intent)))
    found = next(one for one in replayed(copied).differences if one.step.startswith(f"{TRADE_LOG}:{target.seq} "))
    assert (found.stage, found.about, found.found.field) == ("verdict", target.ids["intent_id"], "sha256")
    assert found.found.recomputed == f'"{target.payload["sha256"]}"'


def test_an_intent_that_nobody_staged_is_named(copied: Home) -> None:
    """The queue has one writer; what it did not stage was put there by somebody else."""
    records = list(FileJournal(copied.file(PROMOTION_LOG)).read())
    staging = next(one for one in records if one.kind == "promoted" and one.payload["staged"])
    path = copied.file(PROMOTION_LOG)
    path.unlink()
    journal = FileJournal(path)
    for one in records:
        if one.seq < staging.seq:
            journal.append(one.kind, one.payload, at=one.at, dag_id=one.dag_id, ids=one.ids)
    other = next(one for one in records if one.kind == "promoted" and one.seq != staging.seq)
    journal.append("promoted", other.payload, at=other.at, dag_id=other.dag_id)
    journal.close()
    names = set(staging.payload["staged"])
    found = [one for one in replayed(copied).differences if one.about in names]
    assert found
    assert {(one.found.field, one.found.recomputed) for one in found} == {("sha256", "(absent)")}


def test_intents_are_not_judged_where_promotions_could_not_be_made_again(copied: Home) -> None:
    """What they staged is not known then; without a promotion log nothing is either."""
    record = first_of(copied, PROMOTION_LOG, "promoted")
    forget(copied, record.payload["instruments"])
    assert [one for one in replayed(copied).differences if one.step.endswith("(intent.seen)")] == []
    copied.file(PROMOTION_LOG).unlink()
    assert [one for one in replayed(copied).differences if one.step.endswith("(intent.seen)")] == []


# logs whose older pieces were put away

class Pieces(FileJournal):
    """Seals after every few records."""

    least, most = 1, 2_000


def begun_later(home: Home, name: str) -> int:
    """Put the first piece of a log away. Returns its last record."""
    path = home.file(name)
    records = list(FileJournal(path).read())
    path.unlink()
    (path.parent / FOLDER / name).unlink()
    with closing(Pieces(path, alone=True, signer=Signer(b"k" * 32), daily=True)) as journal:
        for one in records:
            journal.append(one.kind, one.payload, at=one.at, dag_id=one.dag_id, ids=one.ids)
            journal.sync()
    first = segments.sealed(path)[0]
    first.path.unlink()
    first.checkpoints.unlink()
    return begin(path).seq


def test_passes_go_on_from_files_whose_records_were_put_away(copied: Home) -> None:
    """What is left of the log is made again; who wrote the files before cannot be said any more."""
    gone = begun_later(copied, COLLECTION_LOG)
    done = replayed(copied)
    assert done.differences == []
    assert done.checked["collected"] == sum(one.kind == "collected" and one.seq > gone for one in FileJournal(
        copied.file(COLLECTION_LOG)).read()) > 0
    assert any("no record at hand says who wrote it" in what for what in done.missing)


def test_the_first_promotion_after_a_cut_is_missing(copied: Home) -> None:
    """What the promotion before it left behind is not known; the next ones are made again."""
    gone = begun_later(copied, PROMOTION_LOG)
    done = replayed(copied)
    assert done.differences == []
    assert f"{PROMOTION_LOG}:{gone + 1}: the promotion before was put away" in done.missing
    assert done.checked["promoted"] > 0
    assert replayed(copied, begins="2027-01-01T00:00:00.000Z").missing == []


def test_a_trade_log_without_its_beginning_cannot_be_decided_again(copied: Home) -> None:
    """A fold needs all of it: the sentence says so, and signals and convictions are made again all the same."""
    gone = begun_later(copied, TRADE_LOG)
    done = replayed(copied)
    assert [what for what in done.missing if what.startswith(f"{TRADE_LOG}: records 1 to {gone} were put away")]
    assert set(done.checked) == {"collected", "reflected"}
    assert done.differences == []


def test_a_log_that_cannot_be_read_is_missing(copied: Home) -> None:
    """The others are replayed."""
    copied.file(REFLECTION_LOG).unlink()
    copied.file(REFLECTION_LOG).mkdir()
    done = replayed(copied)
    assert any(REFLECTION_LOG in what and "not a regular file" in what for what in done.missing)
    assert done.checked["collected"] > 0
