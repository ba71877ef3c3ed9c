"""Where an explanation finds its facts, and what it says where they are gone."""

import orjson
import pytest

from vanta.alpha.core.lineage import flatten
from vanta.alpha.explainer import Explainer
from vanta.common.paths import ALLOCATION, PROMOTION_LOG, TRADE_LOG, TRADE_SIGNALS, Home
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
