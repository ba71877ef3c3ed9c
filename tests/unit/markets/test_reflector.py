"""The reflector over files: what it writes, in which order, and when it writes nothing."""

import gc
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.unit.markets.claims import NOW, at, claim, feed_document
from vanta.common.canonical import canonical, document, sha256
from vanta.common.errors import Missing, OperatorError, StateError
from vanta.common.events import Kind
from vanta.common.models.configuration import FeedSettings, MarketsSettings
from vanta.common.models.conviction import SignalLeaderboard, SystemBelief, SystemRisk, TradeSignals
from vanta.common.models.signal import Signal
from vanta.common.paths import LEADERBOARD, OVERLAY, SYSTEM_BELIEF, SYSTEM_RISK, TRADE_SIGNALS, VAULTS
from vanta.common.store.document import load
from vanta.common.store.files import FolderFiles
from vanta.common.store.inmemory import MemoryFiles, MemoryJournal, MemorySnapshots
from vanta.common.times import iso
from vanta.markets.reflector import BY, Reflector, ReflectOutcome

NEWS = "news_signals.json"
OUTPUTS = (SYSTEM_BELIEF, LEADERBOARD, SYSTEM_RISK, TRADE_SIGNALS)
CLEAR = {"maintenance": False, "orders_disabled": False, "external_calls_disabled": False, "full_halt": False}


class Watched(MemoryFiles):
    """Files that note, at every replacement, how many records were durable; they can be told to fail."""

    def __init__(self, journal: MemoryJournal) -> None:
        super().__init__()
        self.journal = journal
        self.replaced: list[tuple[str, int]] = []
        self.broken = False

    def replace(self, name: str, data: bytes) -> None:
        if self.broken:
            raise StateError(f"{name} cannot be written: No space left on device (ENOSPC)")
        self.replaced.append((name, self.journal.synced))
        super().replace(name, data)


class Bench:
    """One reflector and what it works on."""

    def __init__(self, **settings: Any) -> None:
        self.journal = MemoryJournal()
        self.journal.append(Kind.JOURNAL_OPENED, {}, at=iso(NOW))
        self.files = Watched(self.journal)
        self.snapshots = MemorySnapshots()
        self.settings = MarketsSettings(**settings)
        self.start()

    def start(self) -> None:
        self.reflector = Reflector(self.files, self.snapshots, self.journal, self.settings)

    def news(self, *signals: Signal, now: datetime = NOW) -> bytes:
        raw = document(feed_document(*signals, now=now).model_dump(mode="json"))
        self.files.replace(NEWS, raw)
        self.files.replaced.clear()
        return raw

    def run(self, now: datetime = NOW) -> ReflectOutcome:
        return self.reflector.run(now)

    def records(self) -> list[Any]:
        return [record for record in self.journal.read() if record.kind == Kind.REFLECTED]

    def signals(self) -> TradeSignals:
        return load(self.files, TRADE_SIGNALS, TradeSignals).value


@pytest.fixture
def bench() -> Bench:
    """A reflector whose only feed file holds one claim."""
    made = Bench()
    made.news(claim("one"))
    return made


def test_a_pass_writes_four_documents(bench: Bench) -> None:
    """All of them validate, carry the cycle's number, and name what they rest on."""
    outcome = bench.run()
    signals = bench.signals()
    assert (outcome.written, outcome.revision, outcome.counts["convictions"]) == (True, 1, 1)
    assert (signals.revision, signals.written_at, signals.written_by, signals.now) == (1, iso(NOW), BY, iso(NOW))
    assert signals.dag_id == outcome.dag_id
    assert signals.inputs == {"news": sha256(bench.files.read(NEWS))}
    assert sorted(signals.missing) == ["crypto", "reddit", "sec"]
    assert load(bench.files, SYSTEM_BELIEF, SystemBelief).value.revision == 1
    assert load(bench.files, LEADERBOARD, SignalLeaderboard).value.sources[0].source == "news.rss"
    assert load(bench.files, SYSTEM_RISK, SystemRisk).value.missing_feeds == ["crypto", "reddit", "sec"]


def test_recorded_before_published(bench: Bench) -> None:
    """The record is durable before the first document is replaced; the convictions come last."""
    bench.run()
    assert bench.files.replaced == [(name, 2) for name in OUTPUTS]


def test_the_record_names_every_input_and_output(bench: Bench) -> None:
    """By content hash, with the time; inputs are in the snapshot store."""
    outcome = bench.run()
    [record] = bench.records()
    body = record.payload
    assert (record.dag_id, record.at, body["now"], body["revision"]) == (outcome.dag_id, iso(NOW), iso(NOW), 1)
    assert body["cause"]["inputs"] == {"news": sha256(bench.files.read(NEWS))}
    assert body["outputs"] == {name: sha256(bench.files.read(name)) for name in OUTPUTS}
    assert bench.snapshots.get(body["cause"]["inputs"]["news"]) == bench.files.read(NEWS)
    assert bench.snapshots.get(body["ranks"]) == canonical({})


class TestUnchanged:
    """When there is no new cycle."""

    def test_same_inputs_in_the_same_five_minutes(self, bench: Bench) -> None:
        """Nothing is written, nothing is recorded, and the outcome is that of the cycle before."""
        first = bench.run()
        before = {name: bench.files.read(name) for name in OUTPUTS}
        again = bench.run(at(4.9))
        assert (again.written, again.dag_id, again.revision) == (False, first.dag_id, 1)
        assert again.missing == first.missing
        assert len(bench.records()) == 1
        assert {name: bench.files.read(name) for name in OUTPUTS} == before

    def test_also_after_a_restart(self, bench: Bench) -> None:
        """What is unchanged is known from the journal, not from memory."""
        bench.run()
        bench.start()
        assert not bench.run(at(1)).written

    def test_the_next_five_minutes_are_a_new_cycle(self, bench: Bench) -> None:
        """Evidence has decayed."""
        bench.run()
        assert bench.run(at(5)).revision == 2
        assert bench.signals().revision == 2

    def test_a_changed_feed_is_a_new_cycle(self, bench: Bench) -> None:
        """At once."""
        bench.run()
        bench.news(claim("one"), claim("two"))
        outcome = bench.run(at(1))
        assert (outcome.written, outcome.counts["claims"]) == (True, 2)

    def test_a_feed_that_turns_stale_is_a_new_cycle(self) -> None:
        """Without any file changing."""
        bench = Bench(feeds={"news": FeedSettings(stale_after_s=60)})
        bench.news(claim("one"))
        assert bench.run().counts["convictions"] == 1
        assert not bench.run(at(1)).written
        outcome = bench.run(at(1.5))
        assert (outcome.written, outcome.counts["convictions"]) == (True, 0)
        assert "no success for 90 s" in outcome.missing["news"]

    def test_other_settings_are_a_new_cycle(self, bench: Bench) -> None:
        """The margin is an input."""
        bench.run()
        bench.settings = MarketsSettings(rank_margin_bp=50)
        bench.start()
        assert bench.run(at(1)).written


class TestCrash:
    """A pass that was cut off."""

    def test_recorded_but_not_published(self, bench: Bench) -> None:
        """The next pass finds that record and documents differ, and makes the cycle anew."""
        bench.files.broken = True
        with pytest.raises(StateError, match="ENOSPC"):
            bench.run()
        assert len(bench.records()) == 1
        bench.files.broken = False
        bench.start()
        outcome = bench.run(at(1))
        assert (outcome.written, outcome.revision) == (True, 2)
        assert bench.signals().revision == 2

    def test_a_lost_document_is_made_again(self, bench: Bench) -> None:
        """Whoever removes it gets it back."""
        bench.run()
        bench.files.remove(TRADE_SIGNALS)
        assert bench.run(at(1)).written


class TestFeeds:
    """Files that are not as they should be."""

    def test_missing(self, bench: Bench) -> None:
        """Named, with the file."""
        assert bench.run().missing["sec"] == "sec_signals.json does not exist: the feed has not been collected yet"

    @pytest.mark.parametrize(("raw", "why"), [
        pytest.param(b"", "sec_signals.json:1: the file is empty", id="empty"),
        pytest.param(b"{", "sec_signals.json:1: not JSON", id="half written"),
        pytest.param(document(feed_document(claim("x")).model_dump(mode="json")),
                     "sec_signals.json (feed): this is the document of feed 'news'", id="another feed's"),
    ])
    def test_unreadable(self, bench: Bench, raw: bytes, why: str) -> None:
        """Named with the reason, kept as evidence; the pass goes on with the others. It is not taken for empty."""
        bench.files.replace("sec_signals.json", raw)
        outcome = bench.run()
        assert outcome.missing["sec"].startswith(f"unreadable: {why}")
        assert outcome.counts["convictions"] == 1
        [record] = bench.records()
        assert record.payload["unreadable"] == {"sec": sha256(raw)}
        assert bench.snapshots.get(sha256(raw)) == raw
        assert "sec" not in bench.signals().inputs

    def test_no_regular_file(self, tmp_path: Path) -> None:
        """A folder in its place is unreadable, not missing."""
        (tmp_path / NEWS).mkdir()
        outcome = Reflector(FolderFiles(tmp_path), MemorySnapshots(), MemoryJournal(), MarketsSettings()).run(NOW)
        assert outcome.missing["news"].startswith("unreadable: ")
        assert outcome.missing["news"].endswith("is not a regular file")

    def test_a_feed_that_is_switched_off_is_not_missed(self) -> None:
        """Nobody expects it."""
        assert "sec" not in Bench(feeds={"sec": FeedSettings(enabled=False)}).run().missing

    def test_nothing_at_all(self) -> None:
        """A home that has never collected: four empty documents that say so."""
        bench = Bench()
        assert bench.run().counts == {"claims": 0, "silent": 0, "convictions": 0}
        assert bench.signals().convictions == []
        assert len(bench.signals().missing) == 4


class TestRanks:
    """The pass before is an input."""

    def _ranks(self, bench: Bench, now: datetime) -> dict[str, int]:
        bench.run(now)
        return {row.entity: row.rank_bp for row in bench.signals().convictions}

    def test_steadied_over_passes_and_restarts(self, bench: Bench) -> None:
        """A small decay leaves the rank's value; it is read from the file, and recorded."""
        before = self._ranks(bench, NOW)
        bench.start()
        assert self._ranks(bench, at(60)) == before
        row = bench.signals().convictions[0]
        assert row.conviction_bp < row.rank_bp
        assert bench.snapshots.get(bench.records()[-1].payload["ranks"]) == canonical(before)

    def test_a_file_that_somebody_edited_is_read_strictly(self, bench: Bench) -> None:
        """A sound edit is taken as it is."""
        before = self._ranks(bench, NOW)
        was, edited = before["equity:AAPL"], before["equity:AAPL"] - 40
        bench.files.replace(TRADE_SIGNALS, bench.files.read(TRADE_SIGNALS).replace(
            b'"rank_bp":%d' % was, b'"rank_bp":%d' % edited))
        assert self._ranks(bench, at(5)) == {"equity:AAPL": edited}

    def test_a_broken_file_begins_anew(self, bench: Bench) -> None:
        """Ranks only steady the order; convictions do not depend on them."""
        self._ranks(bench, NOW)
        bench.files.replace(TRADE_SIGNALS, b"{")
        ranks = self._ranks(bench, at(60))
        assert ranks == {"equity:AAPL": bench.signals().convictions[0].conviction_bp}


class TestPreview:
    """What a persona would make of it, without writing anything."""

    def _flip(self, bench: Bench, **changes: Any) -> None:
        flip = {"flip_id": "F1", "vault": "V_CORE", "persona": "aggressive", "slice": "0.1", "amplify": "0",
                "started_at": iso(NOW), **changes}
        bench.files.replace(OVERLAY, document({**CLEAR, "flip": flip}))
        bench.files.replace(VAULTS, document({"vaults": [
            {"vault_id": "V_CORE", "label": "x", "personas": ["aggressive"]}]}))

    def test_persona(self, bench: Bench) -> None:
        """Apollo under either name makes more of news, and the rows come by his view."""
        bench.run()
        bench.files.replaced.clear()
        for name in ("aggressive", "Apollo"):
            [row] = bench.reflector.preview(name, at(10))
            assert row.persona == "Apollo"
            assert row.view.conviction_bp > row.conviction.conviction_bp
            assert sum(line.bp for line in row.view.reasons) == row.view.conviction_bp
        assert (bench.files.replaced, len(bench.records())) == ([], 1)

    def test_flip(self, bench: Bench) -> None:
        """The persona of the flip in force."""
        self._flip(bench)
        assert bench.reflector.preview("flip", NOW)[0].persona == "Apollo"

    def test_flip_that_is_over(self, bench: Bench) -> None:
        """An error that says why."""
        self._flip(bench, started_at=iso(NOW - timedelta(hours=1)))
        with pytest.raises(OperatorError, match="its time is over"):
            bench.reflector.preview("flip", NOW)

    def test_flip_of_an_unknown_vault(self, bench: Bench) -> None:
        """No vault, no flip."""
        self._flip(bench, vault="V_OTHER")
        with pytest.raises(OperatorError, match="no flip of a known vault"):
            bench.reflector.preview("flip", NOW)

    def test_no_overlay_at_all(self, bench: Bench) -> None:
        """Missing is said, not taken for empty."""
        with pytest.raises(Missing, match=OVERLAY):
            bench.reflector.preview("flip", NOW)

    def test_unknown_persona(self, bench: Bench) -> None:
        """An error that names the known ones."""
        with pytest.raises(OperatorError, match="unknown persona 'Zeus'"):
            bench.reflector.preview("Zeus", NOW)


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_is_as_it_was(bench: Bench, enabled: bool) -> None:
    """A pass runs without cycle collection and puts the switch back, also when it fails."""
    (gc.enable if enabled else gc.disable)()
    try:
        bench.run()
        assert gc.isenabled() is enabled
        bench.files.broken = True
        with pytest.raises(StateError):
            bench.run(at(5))
        assert gc.isenabled() is enabled
    finally:
        gc.enable()
