"""The promoter over files: what it needs, what it writes, and when it writes nothing."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.unit.markets.claims import NOW, at
from tests.unit.markets.core.book import INSTRUMENTS, RULES, conviction, holdings, row
from vanta.common.canonical import document, sha256
from vanta.common.errors import StateError, Untrusted
from vanta.common.events import Kind
from vanta.common.instruments import Instrument, equity
from vanta.common.models.account import VaultHoldings
from vanta.common.models.allocation import VaultAllocation
from vanta.common.models.configuration import MarketsSettings
from vanta.common.models.conviction import Conviction
from vanta.common.models.intent import MOST_BYTES, AutotradeQueue
from vanta.common.paths import ALLOCATION, OVERLAY, PORTFOLIO, QUEUE, TRADE_LOG, TRADE_SIGNALS, VAULTS
from vanta.common.store.chain import encode
from vanta.common.store.document import load
from vanta.common.store.inmemory import MemoryFiles, MemoryJournal, MemorySnapshots
from vanta.common.store.ports import Record
from vanta.common.times import iso
from vanta.markets.core.cycle import instrument_rows
from vanta.markets.promoter import BY, PromoteOutcome, Promoter

AAPL = "equity:AAPL"
HEADER = {"schema_version": 1, "revision": 1, "written_at": iso(NOW), "written_by": "test"}
CLEAR = {"maintenance": False, "orders_disabled": False, "external_calls_disabled": False, "full_halt": False}
VAULT = {"vault_id": "V_CORE", "label": "x", "personas": ["aggressive", "risk_averse"]}


class Watched(MemoryFiles):
    """Files that note, at every replacement, how many records were durable."""

    def __init__(self, journal: MemoryJournal) -> None:
        super().__init__()
        self.journal = journal
        self.replaced: list[tuple[str, int]] = []

    def replace(self, name: str, data: bytes) -> None:
        self.replaced.append((name, self.journal.synced))
        super().replace(name, data)


class Bench:
    """One promoter, the executor's files, and an executor's log that tests write."""

    def __init__(self) -> None:
        self.journal = MemoryJournal()
        self.journal.append(Kind.JOURNAL_OPENED, {}, at=iso(NOW))
        self.files = Watched(self.journal)
        self.snapshots = MemorySnapshots()
        self.instruments: Mapping[str, Instrument] = INSTRUMENTS
        self.trades = MemoryJournal()
        self.signals(conviction(AAPL, {"sec.form4": 900}))
        self.put(VAULTS, {"vaults": [VAULT]})
        self.put(OVERLAY, CLEAR)
        self.portfolio(holdings())
        self.trade("journal.opened", {})
        self.start()

    def start(self) -> None:
        self.promoter = Promoter(self.files, self.snapshots, self.journal, MarketsSettings(),
                                 lambda: self.instruments)

    def put(self, name: str, body: Mapping[str, Any]) -> None:
        self.files.replace(name, document(body))

    def signals(self, *rows: Conviction, missing: Mapping[str, str] | None = None) -> None:
        self.put(TRADE_SIGNALS, {**HEADER, "now": iso(NOW), "dag_id": "dag1_x", "status": "uncalibrated", "inputs": {},
                                 "rules": {}, "missing": missing or {},
                                 "convictions": [one.model_dump(mode="json") for one in rows]})

    def portfolio(self, *vaults: VaultHoldings, **changes: Any) -> None:
        self.put(PORTFOLIO, {**HEADER, "home": "abcdef", "as_of_seq": 0, "as_of_hash": "", "now": iso(NOW),
                             "accounts": [],
                             "vaults": [one.model_dump(mode="json") for one in vaults], "basis": {}, "intents": {},
                             **changes})

    def trade(self, kind: str, payload: Mapping[str, Any], intent_id: str | None = None) -> int:
        """Write one record of the executor's log and return its number."""
        seq = self.trades.append(kind, payload, at=iso(NOW), ids={"intent_id": intent_id} if intent_id else {}).seq
        self.files.replace(TRADE_LOG, b"".join(line_of(record) for record in self.trades.read()))
        return seq

    def run(self, now: datetime = NOW) -> PromoteOutcome:
        self.files.replaced.clear()
        return self.promoter.run(now)

    def queue(self) -> AutotradeQueue:
        return load(self.files, QUEUE, AutotradeQueue).value

    def records(self) -> list[Any]:
        return [record for record in self.journal.read() if record.kind == Kind.PROMOTED]


def line_of(record: Record) -> bytes:
    """A record as its journal wrote it."""
    return encode({"seq": record.seq, "at": record.at, "kind": record.kind, "dag_id": record.dag_id,
                   "ids": record.ids, "payload": record.payload, "prev": record.prev}) + b"\n"


@pytest.fixture
def bench() -> Bench:
    """A vault with two personas, nothing held, one conviction about AAPL."""
    return Bench()


def test_a_pass_writes_allocation_and_queue(bench: Bench) -> None:
    """Both validate, name their inputs by content, and hold what the vault wants."""
    outcome = bench.run()
    allocation, queue = load(bench.files, ALLOCATION, VaultAllocation).value, bench.queue()
    assert (outcome.written, outcome.held, outcome.staged) == (True, None, (queue.intents[0].intent_id,))
    assert (allocation.revision, allocation.written_by, allocation.dag_id) == (1, BY, outcome.dag_id)
    assert allocation.inputs == {name: sha256(bench.files.read(name))
                                 for name in (TRADE_SIGNALS, VAULTS, PORTFOLIO, OVERLAY)}
    [target] = allocation.vaults[0].targets
    [intent] = queue.intents
    assert (target.instrument_id, target.weight_bp) == (AAPL, 495)
    assert (intent.target_notional, intent.provenance.inputs) == (target.notional, allocation.inputs)


def test_recorded_before_published(bench: Bench) -> None:
    """The record is durable before a document is replaced; the queue comes last."""
    bench.run()
    assert bench.files.replaced == [(ALLOCATION, 2), (QUEUE, 2)]


def test_the_record_names_every_input_and_output(bench: Bench) -> None:
    """Everything that a replay needs is there by hash, and in the snapshot store."""
    outcome = bench.run()
    bench.signals()
    bench.run(at(1))
    first, second = bench.records()
    body = second.payload
    assert (first.dag_id, first.payload["staged"]) == (outcome.dag_id, list(outcome.staged))
    assert sorted(body["inputs"]) == sorted((TRADE_SIGNALS, VAULTS, PORTFOLIO, OVERLAY, QUEUE, ALLOCATION))
    assert all(bench.snapshots.has(digest) for digest in body["inputs"].values())
    assert bench.snapshots.get(body["instruments"]) == instrument_rows(INSTRUMENTS)
    assert body["outputs"] == {name: sha256(bench.files.read(name)) for name in (ALLOCATION, QUEUE)}
    assert (body["now"], body["revision"], body["withdrawn"]) == (iso(at(1)), 2, list(outcome.staged))
    assert body["trade_log"] == {"seq": 1, "hash": bench.trades.head().hash}
    assert {"persona:Apollo", "sources", "promote"} <= set(body["rules"])
    assert body["rules"]["sources"] == RULES.hashes["sources"]


class TestUnchanged:
    """When there is no new cycle."""

    def test_twice(self, bench: Bench) -> None:
        """The second pass writes nothing and records nothing; nor does a restarted one later."""
        bench.run()
        for minutes in (0, 1):
            bench.start()
            outcome = bench.run(at(minutes))
            assert (outcome.written, outcome.dag_id, outcome.staged) == (False, None, ())
        assert bench.files.replaced == []
        assert len(bench.records()) == 1

    def test_inputs_that_change_no_decision(self, bench: Bench) -> None:
        """A new heartbeat of the portfolio alone makes no cycle."""
        bench.run()
        bench.portfolio(holdings(), revision=2)
        assert not bench.run(at(1)).written

    def test_time_alone_can_make_one(self, bench: Bench) -> None:
        """An entry that expired unheard of leaves, and what is still wanted is asked for again."""
        first = bench.run().staged[0]
        outcome = bench.run(NOW + timedelta(seconds=1_200))
        assert outcome.written
        assert list(outcome.removed) == [first]
        assert outcome.staged != (first,)
        assert bench.queue().revision == 2

    def test_cut_off_between_both_files(self, bench: Bench) -> None:
        """The allocation was replaced, the queue was not: the next pass finds it out."""
        first = bench.run().staged
        before = bench.files.read(QUEUE)
        bench.signals()
        assert bench.run(at(1)).withdrawn == first
        bench.files.replace(QUEUE, before)
        outcome = bench.run(at(1))
        assert (outcome.written, outcome.withdrawn) == (True, first)
        assert len(bench.queue().withdrawals) == 1

    def test_an_unheard_intent_is_remembered_over_a_restart(self, bench: Bench) -> None:
        """Its id does not come back with other bytes."""
        first = bench.run().staged[0]
        wanted = bench.files.read(TRADE_SIGNALS)
        bench.signals()
        assert list(bench.run(NOW + timedelta(seconds=1_200)).removed) == [first]
        bench.files.replace(TRADE_SIGNALS, wanted)
        bench.start()
        [second] = bench.run(NOW + timedelta(seconds=1_201)).staged
        assert second != first


class TestMissing:
    """Files that are not there or cannot be read."""

    @pytest.mark.parametrize("name", [TRADE_SIGNALS, VAULTS, PORTFOLIO])
    @pytest.mark.parametrize("raw", [None, b"{", b'{"vaults": [], "surprise": 1}'])
    def test_without_intent_or_truth_nothing_moves(self, bench: Bench, name: str, raw: bytes | None) -> None:
        """Nothing is staged, withdrawn or removed, nothing is written, and the outcome says why."""
        bench.run()
        before = bench.files.read(QUEUE)
        bench.files.remove(name)
        if raw is not None:
            bench.files.replace(name, raw)
        outcome = bench.run(at(60))
        assert not outcome.written
        assert outcome.held is not None
        assert outcome.held.startswith(f"nothing is staged: {name}")
        assert bench.files.read(QUEUE) == before
        assert len(bench.records()) == 1

    def test_everything_at_once_comes_back(self, bench: Bench) -> None:
        """A file that is readable again is used again."""
        raw = bench.files.read(PORTFOLIO)
        bench.files.remove(PORTFOLIO)
        assert bench.run().held is not None
        bench.files.replace(PORTFOLIO, raw)
        assert len(bench.run().staged) == 1

    @pytest.mark.parametrize("raw", [None, b"{}", b"{"])
    def test_without_an_overlay_no_boosts_and_no_flip(self, bench: Bench, raw: bytes | None) -> None:
        """It is noted; intents are staged all the same, because halting is not decided here."""
        bench.put(OVERLAY, {**CLEAR, "flip": {"flip_id": "F1", "vault": "V_CORE", "persona": "Apollo", "slice": "0.1",
                                              "amplify": "0", "started_at": iso(NOW)}})
        assert bench.run().notes == []
        assert bench.queue().intents[0].flip_id == "F1"
        other = Bench()
        other.files.remove(OVERLAY)
        if raw is not None:
            other.files.replace(OVERLAY, raw)
        outcome = other.run()
        assert outcome.notes[0].startswith(f"no boosts and no flip: {OVERLAY}")
        assert other.queue().intents[0].flip_id is None
        assert OVERLAY not in other.records()[0].payload["inputs"]

    def test_halts_stage_all_the_same(self, bench: Bench) -> None:
        """An exit must not be lost; the executor holds what may not leave. A flip that halts end is noted."""
        bench.portfolio(holdings(row("equity:MSFT", "10")))
        bench.put(OVERLAY, {**CLEAR, "full_halt": True, "reduce_only": True, "flip": {
            "flip_id": "F1", "vault": "V_CORE", "persona": "Apollo", "slice": "0.1", "amplify": "0",
            "started_at": iso(NOW)}})
        outcome = bench.run()
        assert [one.side for one in bench.queue().intents] == ["sell", "buy"]
        assert outcome.notes == ["V_CORE: flip F1 does nothing: full_halt is on"]

    def test_without_a_trade_log_nothing_has_ended(self, bench: Bench) -> None:
        """It is noted, and nothing else."""
        bench.files.remove(TRADE_LOG)
        bench.start()
        outcome = bench.run()
        assert outcome.notes == [f"{TRADE_LOG} does not exist yet: no intent is known to have ended"]
        assert outcome.written

    @pytest.mark.parametrize("name", [QUEUE, ALLOCATION])
    def test_our_own_file_unreadable_stops_the_program(self, bench: Bench, name: str) -> None:
        """It is not overwritten: what it said is not known."""
        bench.run()
        bench.files.replace(name, b"{")
        with pytest.raises(StateError, match=f"our own {name} cannot be read"):
            bench.run(at(1))
        assert bench.files.read(name) == b"{"

    def test_a_vault_that_is_not_funded_yet(self, bench: Bench) -> None:
        """It waits, noted; the others go on."""
        bench.put(VAULTS, {"vaults": [{"vault_id": "V_NEW", "label": "new"}, VAULT]})
        outcome = bench.run()
        assert outcome.notes == ["V_NEW is not in portfolio.json yet: the executor has not funded it"]
        assert len(outcome.staged) == 1


class TestTradeLog:
    """What the executor's journal tells."""

    def _seen(self, bench: Bench) -> str:
        [intent] = bench.queue().intents
        bench.trade(Kind.INTENT_SEEN, {"intent_state": "seen", "intent": intent.model_dump(mode="json")},
                    intent.intent_id)
        return intent.intent_id

    def test_an_end_takes_the_entry_out(self, bench: Bench) -> None:
        """Read on from where the last look ended."""
        bench.run()
        intent_id = self._seen(bench)
        assert not bench.run(at(1)).written
        seq = bench.trade(Kind.FILL, {"intent_state": "filled"}, intent_id)
        bench.portfolio(holdings(row(AAPL, "49")), as_of_seq=seq, basis={f"V_CORE|{AAPL}": seq})
        outcome = bench.run(at(2))
        assert (outcome.written, outcome.removed, outcome.staged) == (True, {intent_id: "filled"}, ())
        assert bench.queue().intents == []

    def test_a_restarted_promoter_knows_it_too(self, bench: Bench) -> None:
        """From the log alone."""
        bench.run()
        intent_id = self._seen(bench)
        bench.trade(Kind.INTENT_REFUSED, {"intent_state": "refused"}, intent_id)
        bench.start()
        assert bench.run(at(1)).removed == {intent_id: "refused"}

    def test_half_a_line_waits_for_its_end(self, bench: Bench) -> None:
        """A record that is just being written is read at the next look."""
        bench.run()
        intent_id = self._seen(bench)
        before = bench.files.read(TRADE_LOG)
        bench.trade(Kind.INTENT_REFUSED, {"intent_state": "refused"}, intent_id)
        whole = bench.files.read(TRADE_LOG)
        bench.files.replace(TRADE_LOG, whole[:len(before) + 20])
        assert not bench.run(at(1)).written
        bench.files.replace(TRADE_LOG, whole)
        assert bench.run(at(1)).removed == {intent_id: "refused"}

    @pytest.mark.parametrize("damage", [
        pytest.param(lambda log: log.replace(b'state":"refused"', b'state":"held"'), id="a line changed"),
        pytest.param(lambda log: b"".join(log.splitlines(keepends=True)[1:]), id="the first line dropped"),
        pytest.param(lambda log: log + b"{}\n", id="a line that is no record"),
    ])
    def test_a_broken_chain_is_not_believed(self, bench: Bench, damage: Any) -> None:
        """What it says cannot be trusted."""
        bench.run()
        intent_id = self._seen(bench)
        bench.trade(Kind.INTENT_REFUSED, {"intent_state": "refused"}, intent_id)
        bench.trade(Kind.QUOTE_SEEN, {})
        bench.files.replace(TRADE_LOG, damage(bench.files.read(TRADE_LOG)))
        bench.start()
        with pytest.raises(Untrusted, match=TRADE_LOG):
            bench.run(at(1))

    def test_a_log_that_shrank_stops_the_program(self, bench: Bench) -> None:
        """Somebody cut what had been read."""
        bench.run()
        self._seen(bench)
        bench.run()
        bench.files.replace(TRADE_LOG, bench.files.read(TRADE_LOG)[:10])
        with pytest.raises(StateError, match="fewer than"):
            bench.run(at(1))


def test_instruments_are_asked_for_every_time(bench: Bench) -> None:
    """A new instrument can be traded without a restart, and is part of what a cycle rests on."""
    bench.signals(conviction("equity:NEWCO", {"sec.form4": 900}))
    assert bench.run().staged == ()
    bench.instruments = {**INSTRUMENTS, "equity:NEWCO": equity("NEWCO")}
    assert len(bench.run(at(1)).staged) == 1


def test_unknown_is_not_zero(bench: Bench) -> None:
    """A feed that loses its weight sells nothing: the target is kept, and the position with it."""
    bench.run()
    intent_id = bench.queue().intents[0].intent_id
    bench.trade(Kind.INTENT_SEEN, {"intent_state": "seen", "intent": bench.queue().intents[0].model_dump(mode="json")},
                intent_id)
    seq = bench.trade(Kind.FILL, {"intent_state": "filled"}, intent_id)
    bench.portfolio(holdings(row(AAPL, "49")), as_of_seq=seq, basis={f"V_CORE|{AAPL}": seq})
    bench.signals(missing={"sec": "unreadable"})
    assert bench.run(at(1)).staged == ()
    target = load(bench.files, ALLOCATION, VaultAllocation).value.vaults[0].targets[0]
    assert target.limits == ["kept as it was: feed sec has no weight at the moment"]
    bench.signals()
    outcome = bench.run(at(2))
    assert bench.queue().intents[0].close
    assert len(outcome.staged) == 1


def test_a_queue_that_no_executor_would_read_is_not_written(bench: Bench) -> None:
    """Nothing of it would be carried out, withdrawals neither: it is said, and what stands there stays."""
    bench.run()
    before = {name: bench.files.read(name) for name in (QUEUE, ALLOCATION)}
    row = conviction("equity:MSFT", {"sec.form4": 900})
    long = row.model_copy(update={"reason_vector": [one.model_copy(update={"text": "x" * MOST_BYTES})
                                                    for one in row.reason_vector]})
    bench.signals(conviction(AAPL, {"sec.form4": 900}), long)
    outcome = bench.run()
    assert not outcome.written
    assert "an executor reads at most" in str(outcome.held)
    assert {name: bench.files.read(name) for name in before} == before
    assert len(bench.records()) == 1
