"""Journals and documents from their bytes alone: what was changed, dropped, moved or torn is found and named."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.alpha.homes import busy, edited, first, line
from vanta.alpha.core.cuts import DOCUMENTS
from vanta.alpha.core.verification import Finding, Watcher, journal, outcome, parsed
from vanta.alpha.core.watchers import Anchors, Fold, Promises
from vanta.common.canonical import document
from vanta.common.exitcodes import Check
from vanta.common.models.allocation import VaultAllocation
from vanta.common.models.conviction import TradeSignals
from vanta.common.models.signal import FeedDocument
from vanta.common.models.vault import VaultRegistry
from vanta.common.paths import COLLECTION_LOG, CONTROL_LOG, TRADE_LOG
from vanta.common.store.inmemory import MemoryJournal

PROPERTY = settings(deadline=None, derandomize=True, max_examples=150)


def lines() -> list[bytes]:
    """The busy morning's log, line by line."""
    return [line(record) for record in busy().journal.read()]


def documents() -> dict[str, bytes]:
    """The executor's documents of the busy morning."""
    return {name: busy().files.read(name) for name in DOCUMENTS}


def checked(raw: bytes) -> list[Finding]:
    """The trade log with its documents."""
    watchers: Sequence[Watcher] = [Fold(documents())]
    return journal(TRADE_LOG, raw, watchers)


def bad(found: Sequence[Finding]) -> list[Finding]:
    """Findings that are not OK."""
    return [one for one in found if one.level is not Check.OK]


def test_an_untouched_log_and_its_documents_verify() -> None:
    """Everything is OK, and each document is said to be the fold of the log."""
    found = checked(b"".join(lines()))
    assert outcome(found) is Check.OK
    assert {one.file for one in found} == {TRADE_LOG, *DOCUMENTS}
    assert f"{len(lines())} records" in found[0].text


@given(st.data())
@PROPERTY
def test_any_changed_byte_is_found(data: st.DataObject) -> None:
    """Whichever byte of the log is replaced by whichever other: it does not verify."""
    raw = b"".join(lines())
    at = data.draw(st.integers(0, len(raw) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda value: value != raw[at]))
    assert outcome(checked(raw[:at] + bytes([other]) + raw[at + 1:])) is Check.CRITICAL


@given(st.data())
@PROPERTY
def test_any_dropped_doubled_or_moved_line_is_found(data: st.DataObject) -> None:
    """Lines are where they were written, once each, or it does not verify."""
    rows = lines()
    at = data.draw(st.integers(0, len(rows) - 2))
    other = data.draw(st.integers(0, len(rows) - 1).filter(lambda value: value != at))
    swapped = list(rows)
    swapped[at], swapped[other] = swapped[other], swapped[at]
    for changed in ([*rows[:at], *rows[at + 1:]], [*rows[:at], rows[at], *rows[at:]], swapped):
        found = bad(checked(b"".join(changed)))
        assert found[0].file == TRADE_LOG
        assert found[0].level is Check.CRITICAL
        assert found[0].line is not None


@given(st.data())
@PROPERTY
def test_a_log_that_was_cut_off_is_found(data: st.DataObject) -> None:
    """Inside a line it is torn; between lines the documents are ahead of it."""
    raw = b"".join(lines())
    size = data.draw(st.integers(0, len(raw) - 1))
    found = bad(checked(raw[:size]))
    assert outcome(found) is Check.CRITICAL
    torn = size > 0 and raw[size - 1:size] != b"\n"
    assert any("torn" in one.text for one in found) == torn


def test_documents_behind_a_break_are_unknown_and_those_ahead_of_a_whole_log_are_not() -> None:
    """A broken log leaves open what its documents should say; a short one does not."""
    rows = lines()
    short = bad(checked(b"".join(rows[:20])))
    assert {one.file for one in short} == set(DOCUMENTS)
    assert all("records are missing" in one.text for one in short)
    broken = bad(checked(b"".join([*rows[:20], rows[20].replace(b'"seq":21', b'"seq":22'), *rows[21:]])))
    assert (broken[0].file, broken[0].line, broken[0].level) == (TRADE_LOG, 21, Check.CRITICAL)
    assert {one.level for one in broken[1:]} == {Check.UNKNOWN}


def test_without_documents_a_chain_alone_does_not_show_a_clean_cut() -> None:
    """That is what checkpoints are for, and a log without any is inconclusive (test_coverage)."""
    assert outcome(journal(TRADE_LOG, b"".join(lines()[:20]))) is Check.OK


def test_a_changed_last_record_is_found_by_the_document_made_from_it() -> None:
    """Nothing follows the last line in the chain; the portfolio carries its hash."""
    rows = lines()
    last = rows[-1].replace(b"executor test", b"executor tesk")
    assert last != rows[-1]
    found = bad(checked(b"".join([*rows[:-1], last])))
    assert "as_of_hash" in next(one.text for one in found if one.file == "portfolio.json")


ORDER = (b'{"order_id":"x","intent_id":"y","vault":"V_CORE","account":"paper","instrument_id":"equity:AAPL","side":'
         b'"buy","quantity":"1","filled":"0","limit_price":null,"state":"working","submitted_at":'
         b'"2026-11-20T15:00:00.000Z","time_in_force":"day"}')
FORGED = {
    "portfolio.json": (b'"account":"paper"', b'"account":"papyr"', "accounts.0.account"),
    "pnl_summary.json": (b'"currency": "USD"', b'"currency": "EUR"', "currency"),
    "open_orders.json": (b'"orders": []', b'"orders": [' + ORDER + b"]", "orders.0"),
    "executor_state.json": (b'"dispatch": "open"', b'"dispatch": "held"', "dispatch"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_document_that_says_other_than_the_log_is_named_with_the_field(name: str) -> None:
    """One word changed in a document: the field, what it says and what the log gives."""
    raw = documents()[name]
    old, new, field = FORGED[name]
    changed = raw.replace(old, new, 1)
    assert changed != raw
    found = bad(journal(TRADE_LOG, b"".join(lines()), [Fold({**documents(), name: changed})]))
    assert [one.file for one in found] == [name]
    assert found[0].text.startswith(f"{field} is ")
    assert "the log gives" in found[0].text


def test_a_document_that_does_not_parse_is_named() -> None:
    """Half a document is no fold."""
    found = bad(journal(TRADE_LOG, b"".join(lines()), [Fold({"portfolio.json": b'{"revision": '})]))
    assert [(one.file, one.level) for one in found] == [("portfolio.json", Check.CRITICAL)]


def test_promises_and_anchors_of_broken_records_are_named() -> None:
    """A record that lacks what its kind has to say, or that another journal knows by another hash."""
    log = MemoryJournal()
    log.append("control.seen", {"what": "overlay"}, at="2026-01-01T00:00:00.000Z")
    found = journal(CONTROL_LOG, b"".join(map(line, log.read())), [Promises(CONTROL_LOG)])
    assert "is not what a control.seen record says" in found[0].text
    anchors = Anchors()
    promoted = MemoryJournal()
    for head in ({}, {"seq": 0, "hash": "0" * 64}, {"seq": 5, "hash": "f" * 64}):
        promoted.append("promoted", {"trade_log": head}, at="2026-01-01T00:00:00.000Z")
    assert journal(CONTROL_LOG, b"".join(map(line, promoted.read())), [anchors])[0].level is Check.OK
    found = bad(journal(TRADE_LOG, b"".join(lines()), [anchors]))
    assert (found[0].line, "line 3 of promotion_log.jsonl" in found[0].text) == (5, True)


def test_a_document_in_other_bytes_is_no_fold() -> None:
    """The same content with another space is not what the executor wrote."""
    raw = documents()["pnl_summary.json"].replace(b'"currency": "USD"', b'"currency":  "USD"')
    found = bad(journal(TRADE_LOG, b"".join(lines()), [Fold({"pnl_summary.json": raw})]))
    assert "not in the bytes" in found[0].text


def test_a_record_that_cannot_have_happened_is_named_though_the_chain_holds() -> None:
    """Chained again after the change, so that only the fold can tell."""
    world = busy()
    fill = first(world, "fill")
    twice = edited(world, fill.seq, lambda payload: payload.update(intent_state="working"))
    found = bad(journal(TRADE_LOG, b"".join(map(line, twice)), [Fold({})]))
    assert (found[0].line, found[0].level) == (fill.seq, Check.CRITICAL)
    assert "says working" in found[0].text
    lacking = edited(world, fill.seq, lambda payload: payload.pop("cash"))
    assert bad(journal(TRADE_LOG, b"".join(map(line, lacking)), [Fold({})]))[0].line == fill.seq


def test_the_first_record_has_to_open_the_journal_and_no_other_may() -> None:
    """A log whose beginning is gone is no log, even if it was chained again."""
    kinds = {"intent.seen": False, "journal.opened": True}
    for name, expected in ((TRADE_LOG, {False}), (COLLECTION_LOG, {False}), (CONTROL_LOG, {True, False})):
        for kind, sound in kinds.items():
            log = MemoryJournal()
            log.append(kind, {"home": "abcdef"}, at="2026-01-01T00:00:00.000Z")
            ok = outcome(journal(name, b"".join(map(line, log.read())))) is Check.OK
            assert ok is (sound or True in expected)
    log.append("journal.opened", {"home": "abcdef"}, at="2026-01-01T00:00:00.000Z")
    again = journal(TRADE_LOG, b"".join(map(line, log.read())))
    assert (again[0].line, "second time" in again[0].text) == (2, True)


def test_an_empty_log_is_unknown() -> None:
    """Nothing verified is not verified."""
    assert outcome(journal(TRADE_LOG, b"")) is Check.UNKNOWN
    assert outcome([]) is Check.UNKNOWN


CONVICTION = {
    "rank": 1, "signal_id": "cv1_" + "a" * 26, "dag_id": "dag1_x", "entity": "equity:AAPL", "asset_class": "equity",
    "ticker": "AAPL", "direction": "long", "conviction_bp": 4000, "conviction_score": 0.4, "probability_bp": None,
    "rank_bp": 4000, "contributing_models": [], "ttl": 60, "expires_at": "2026-11-20T15:00:00.000Z",
    "routing_tags": [], "reason_vector": [
        {"reason": "baseline", "bp": 0, "evidence": 0, "text": "", "signals": [], "count": 0},
        {"reason": "source:sec.form4", "bp": 4000, "evidence": 900, "text": "", "signals": [], "count": 1}]}
HEADER = {"schema_version": 1, "revision": 1, "written_at": "2026-11-20T15:00:00.000Z", "written_by": "test"}
SIGNALS = {**HEADER, "now": "2026-11-20T15:00:00.000Z", "dag_id": "dag1_x", "status": "uncalibrated", "inputs": {},
           "rules": {}, "missing": {}, "convictions": [CONVICTION]}


def test_reasons_have_to_sum_to_the_conviction() -> None:
    """A basis point more in one line and the document does not add up."""
    assert parsed("trade_signals.json", document(SIGNALS), TradeSignals).level is Check.OK
    wrong = document({**SIGNALS, "convictions": [{**CONVICTION, "conviction_bp": 4001}]})
    found = parsed("trade_signals.json", wrong, TradeSignals)
    assert found.level is Check.CRITICAL
    assert "sum to 4000" in found.text


def test_reasons_of_an_allocation_have_to_sum_too() -> None:
    """The persona's view of a target adds up as the conviction does."""
    target = {"instrument_id": "equity:AAPL", "entity": "equity:AAPL", "weight_bp": 100, "notional": "1000",
              "signal_id": "cv1_x", "dag_id": "dag1_x", "personas": {}, "conviction_bp": 3999,
              "reasons": CONVICTION["reason_vector"], "limits": [], "flip_id": None}
    vault = {"vault_id": "V_CORE", "nav": "1", "base": "1", "reserved": "0", "targets": [target], "unallocated": []}
    raw = document({**HEADER, "now": "2026-11-20T15:00:00.000Z", "dag_id": "dag1_x", "inputs": {}, "vaults": [vault]})
    assert "not to its conviction_bp of 3999" in parsed("vault_allocation.json", raw, VaultAllocation).text


def test_a_signal_may_not_stand_in_a_feed_twice() -> None:
    """Ids name claims; a doubled one would count twice."""
    feed = {**HEADER, "feed": "sec", "status": "ok", "status_reason": "", "generated_at": HEADER["written_at"],
            "last_success_at": HEADER["written_at"], "run_id": "run_x", "window_from": None, "window_to": None,
            "counts": {}, "errors": []}
    signal = {
        "id": "sig1_" + "a" * 26, "revision": 1, "source": "sec.form4", "source_kind": "primary",
        "kind": "insider_buy", "entity": {"key": "equity:AAPL", "type": "equity", "id": "CIK:1", "ticker": "AAPL",
                                          "exchange": None, "name": None,
                                          "match": {"method": "issuer", "confidence": 1.0}},
        "summary": "", "direction": 1.0, "strength": 0.5, "confidence": 1.0, "confidence_basis": [],
        "event_at": None, "published_at": HEADER["written_at"], "observed_at": HEADER["written_at"],
        "time_quality": "exact", "half_life_s": 60, "expires_at": HEADER["written_at"], "evidence": [],
        "raw_ref": None, "supersedes": None, "retracted_reason": None, "features": {},
        "collector": {"name": "sec", "version": "1", "run_id": "run_x", "params_hash": ""}, "flags": []}
    assert parsed("sec_signals.json", document({**feed, "signals": [signal]}), FeedDocument).level is Check.OK
    found = parsed("sec_signals.json", document({**feed, "signals": [signal, signal]}), FeedDocument)
    assert (found.level, found.text) == (Check.CRITICAL, "1 signals stand in it twice")


def test_an_operator_s_typo_is_named_by_line_and_field() -> None:
    """Strict parsing: duplicate keys and unknown fields, where they stand."""
    twice = parsed("vault.json", b'{"vaults": [],\n"vaults": []}', VaultRegistry)
    assert (twice.level, twice.line) == (Check.CRITICAL, 2)
    unknown = parsed("vault.json", b'{"vaults": [{"vault_id": "V_X", "label": "x", "captial": 5}]}', VaultRegistry)
    assert "did you mean 'capital'" in unknown.text
