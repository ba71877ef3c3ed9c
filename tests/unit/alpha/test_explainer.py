"""Where an explanation finds its facts, and what it says where they are gone."""

import orjson
import pytest

from vanta.alpha.core.lineage import Lineage
from vanta.alpha.core.node import flatten
from vanta.alpha.core.rounds import explain_cycle
from vanta.alpha.core.trail import Evidence, Trail
from vanta.alpha.explainer import Explainer
from vanta.common.events import Kind
from vanta.common.paths import ALLOCATION, PROMOTION_LOG, REFLECTION_LOG, TRADE_LOG, TRADE_SIGNALS, Home
from vanta.common.store.journal import FileJournal


def traded(home: Home) -> str:
    """An intent that was filled."""
    return next(record.ids["intent_id"] for record in FileJournal(home.file(TRADE_LOG)).read() if record.kind == "fill")


def said(explainer: Explainer, name: str) -> str:
    """The whole explanation."""
    return "\n".join(node.text for _, node in flatten(explainer.explain(name)))


def test_what_left_the_current_files_is_found_by_the_hashes_that_the_intent_names(lived: Home, copied: Home) -> None:
    """Conviction, signals and allocation of an earlier cycle, with none of the current documents left."""
    name = traded(lived)
    for document in (TRADE_SIGNALS, "sec_signals.json", "news_signals.json", "reddit_signals.json",
                     "crypto_signals.json", ALLOCATION):
        copied.file(document).unlink()
    assert said(Explainer(copied), name) == said(Explainer(lived), name)
    assert "bp of the NAV" in said(Explainer(copied), name)


def test_gaps_are_told_as_gaps(copied: Home) -> None:
    """Without the snapshots nothing is guessed: the intent's own words remain."""
    name = traded(copied)
    copied.file(TRADE_SIGNALS).unlink()
    copied.file(ALLOCATION).unlink()
    for path in copied.snapshots.rglob("*.zst"):
        path.unlink()
    text = said(Explainer(copied), name)
    assert "as the intent tells it" in text
    assert "The allocation wanted" in text
    assert "no longer in the feed files" in text or "not in the store of this home" in text


def test_signals_of_a_conviction_are_found_by_the_hashes_that_it_was_made_of(copied: Home) -> None:
    """None of the feed files is left, and it was asked for by the conviction itself."""
    row = orjson.loads(copied.file(TRADE_SIGNALS).read_bytes())["convictions"][0]
    for feed in ("sec", "news", "reddit", "crypto"):
        copied.file(f"{feed}_signals.json").unlink()
    text = said(Explainer(copied), row["signal_id"])
    assert "kept in the snapshot store" in text
    assert "no longer in the feed files" not in text


def test_damage_is_a_warning_and_a_gap(copied: Home) -> None:
    """A rotten snapshot, a broken promotion log, documents that are something else."""
    name = traded(copied)
    for path in copied.snapshots.rglob("*.zst"):
        path.chmod(0o640)
        path.write_bytes(b"rot")
    log = copied.file(PROMOTION_LOG)
    log.write_bytes(log.read_bytes().replace(b'"seq":2', b'"seq":3', 1))
    copied.file(ALLOCATION).write_bytes(b'{"vaults": [{"vault_id": "V_CORE"}]}')
    copied.file("sec_signals.json").write_bytes(b"[]")
    explainer = Explainer(copied)
    assert name in said(explainer, name)
    warnings = "\n".join(explainer.warnings)
    for word in (PROMOTION_LOG, ALLOCATION, "damaged"):
        assert word in warnings


def test_a_log_with_a_strange_record_is_told_up_to_it(copied: Home) -> None:
    """The chain holds, a record lacks its fields."""
    name = traded(copied)
    journal = FileJournal(copied.file(TRADE_LOG))
    journal.append("intent.seen", {}, at="2026-11-18T16:00:00.000Z", ids={"intent_id": "in1_x", "signal_id": "cv1_x"})
    journal.close()
    explainer = Explainer(copied)
    assert name in said(explainer, name)
    assert "without its fields" in explainer.warnings[0]


@pytest.mark.parametrize("feed", ["sec", "news", "reddit", "crypto"])
def test_every_signal_of_a_lived_home_leads_to_a_payload_that_is_kept(lived: Home, feed: str) -> None:
    """Evidence is named by a hash, and the bytes are there."""
    explainer = Explainer(lived)
    for row in orjson.loads(lived.file(f"{feed}_signals.json").read_bytes())["signals"]:
        text = said(explainer, row["id"])
        assert "kept in the snapshot store" in text
        assert "not in the store" not in text


def test_lines_sum_to_the_figure_beside_them(lived: Home) -> None:
    """For every intent of the home: the conviction's own lines, and those of the view that was acted on."""
    views = 0
    for record in FileJournal(lived.file(TRADE_LOG)).read():
        if record.kind == "intent.seen":
            tree = Explainer(lived).explain(record.ids["intent_id"])
            for node in (one for _, one in flatten(tree) if one.kind in ("conviction", "view")):
                assert sum(part.facts["bp"] for part in node.parts if part.kind == "reason") == \
                    node.facts.get("conviction_bp", 0), node.text
                views += node.kind == "view"
    assert views


def cycles(home: Home, log: str, kind: Kind) -> list[str]:
    """The names of the cycles of a log, in order."""
    return [str(record.dag_id) for record in FileJournal(home.file(log)).read() if record.kind == kind]


def test_a_reflection_is_explained(lived: Home, copied: Home) -> None:
    """What it read and made, its convictions with the intents that they led to, and who used it."""
    first, second = cycles(lived, REFLECTION_LOG, Kind.REFLECTED)[:2]
    explainer = Explainer(lived)
    assert explainer.meant(second) == [second]
    assert explainer.meant(second[:14]) == [second]
    assert explainer.meant("dag1_") == []
    assert explainer.meant("dag1_nosuch") == []
    text = said(explainer, second)
    for fact in ("a reflection by markets reflect", "It read sec_signals.json in the version", "rank 1.",
                 "It made trade_signals.json in the version", "It led to intent in1_", "Promoted in cycle dag1_"):
        assert fact in text
    rank = orjson.loads(lived.file(TRADE_SIGNALS).read_bytes())["convictions"][0]
    assert f"{rank['conviction_bp']:,} of 10,000, rank 1." in text
    for path in copied.snapshots.rglob("*.zst"):
        path.unlink()
    assert "The convictions that it made are no longer kept here." in said(Explainer(copied), first)


def test_a_promotion_is_explained(lived: Home) -> None:
    """What it read, what it staged and what became of that, and which reflection it rests on."""
    staged = next(record for record in FileJournal(lived.file(PROMOTION_LOG)).read()
                  if record.kind == Kind.PROMOTED and record.payload["staged"])
    text = said(Explainer(lived), str(staged.dag_id))
    assert f"{len(staged.payload['staged'])} intents staged, 0 withdrawn, 0 removed from the queue." in text
    assert "It read vault.json in the version" in text
    assert "It rests on the reflection of cycle dag1_" in text
    assert all(f"intent {name}" in text for name in staged.payload["staged"])


def test_a_cycle_that_was_made_twice_is_told_twice(lived: Home) -> None:
    """The same inputs make a cycle of the same name."""
    records = [record for record in FileJournal(lived.file(REFLECTION_LOG)).read() if record.kind == Kind.REFLECTED]
    tree = explain_cycle(str(records[0].dag_id), [records[0], records[0]], Lineage(Trail(), Evidence()))
    assert tree.text.endswith("was made 2 times.")
    assert len(tree.parts) == 2


def test_a_feed_without_weight_and_an_intent_that_nobody_saw_are_said(lived: Home) -> None:
    """Neither is in any other log."""
    [one] = [record for record in FileJournal(lived.file(REFLECTION_LOG)).read() if record.kind == Kind.REFLECTED][:1]
    cause = {**one.payload["cause"], "without_weight": ["reddit", "news"], "unread": {"reddit": "no such file"}}
    less = one._replace(payload={**one.payload, "cause": cause})
    promoted = one._replace(kind=Kind.PROMOTED, payload={
        **one.payload, "inputs": {}, "staged": ["in1_x"], "withdrawn": [], "removed": {}})
    text = "\n".join(node.text for record in (less, promoted) for _, node in flatten(
        explain_cycle(str(one.dag_id), [record], Lineage(Trail(), Evidence()))))
    assert "reddit had no weight: no such file." in text
    assert "news had no weight: it is not fresh." in text
    assert "It led to intent in1_x: an unknown wish, now not seen by the executor." in text
