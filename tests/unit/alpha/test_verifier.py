"""A whole home verifies, on the spot and as a copy; whatever is changed in it afterwards is found."""

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vanta.alpha.core.verification import Finding, outcome
from vanta.alpha.verifier import Coverages, Verifier, covered_by, verify_file
from vanta.common.errors import StateError, UsageError
from vanta.common.exitcodes import Check
from vanta.common.paths import CALLS, JOURNALS, STATE, Home
from vanta.common.signatures import KEYS, fingerprint
from vanta.common.signing_key import signer_of
from vanta.common.store.chain import chain, encode
from vanta.common.store.checkpoint import FOLDER
from vanta.common.store.inmemory import MemoryJournal
from vanta.common.store.journal import FileJournal

Rewrite = Callable[[str, bytes, bytes], None]


def bad(home: Home) -> list[Finding]:
    """What is not OK."""
    return [finding for finding in Verifier(home).run() if finding.level is not Check.OK]


def test_a_home_and_its_copy_verify(lived: Home, copied: Home) -> None:
    """Every journal, document and promised snapshot is looked at, and nothing private is needed for it."""
    for home in (lived, copied):
        found = Verifier(home).run()
        assert [str(finding) for finding in found if finding.level is not Check.OK] == []
        there = {row.name for row in STATE if home.file(row.name).exists() and row.name != "dispatch.permit"}
        assert there <= {finding.file for finding in found}
        assert "snapshots" in {finding.file for finding in found}


@pytest.mark.parametrize("name", [name for name in JOURNALS if name not in ("control_log.jsonl",
                                                                           "operator_commands.jsonl",
                                                                           "tracker_log.jsonl", "assistant_log.jsonl",
                                                                           *CALLS)])
def test_a_byte_in_any_journal_is_found(copied: Home, name: str) -> None:
    """The first bad line is named."""
    path = copied.file(name)
    raw = bytearray(path.read_bytes())
    raw[raw.find(b'"at":"2026') + 8] ^= 1
    path.write_bytes(bytes(raw))
    found = [one for one in bad(copied) if one.file == name]
    assert (found[0].level, found[0].line) == (Check.CRITICAL, 2)
    assert "does not follow line 1" in found[0].text


@pytest.mark.parametrize("name", ["sec_signals.json", "market_quotes.json", "trade_signals.json", "system_risk.json",
                                  "vault_allocation.json", "autotrade_queue.json", "portfolio.json"])
def test_a_document_that_was_edited_is_found(copied: Home, rewrite: Rewrite, name: str) -> None:
    """Every document that a program wrote is the one that its log says was written last."""
    rewrite(name, b'"written_at": "2026-', b'"written_at": "2025-')
    assert [(one.file, one.level) for one in bad(copied)] == [(name, Check.CRITICAL)]


def test_the_version_before_the_last_is_a_pass_that_was_cut_off(copied: Home) -> None:
    """A crash between record and file leaves the file of the pass before: nobody can tell more from here."""
    journal = FileJournal(copied.file("collection_log.jsonl"), signer=signer_of(copied))
    last = [record for record in journal.read() if record.payload.get("feed") == "sec"][-1]
    journal.append(last.kind, {**last.payload, "output": {"file": "sec_signals.json", "sha256": "0" * 64}}, at=last.at)
    journal.close()
    found = [one for one in bad(copied) if one.file == "sec_signals.json"]
    assert found[0].level is Check.UNKNOWN
    assert "cut off or is under way" in found[0].text


def test_a_document_that_no_record_speaks_of_does_not_pass(copied: Home) -> None:
    """Without its log a feed's file could be anybody's."""
    copied.file("collection_log.jsonl").unlink()
    (copied.memory / FOLDER / "collection_log.jsonl").unlink()
    found = {one.file: one for one in bad(copied)}
    assert found["sec_signals.json"].level is Check.UNKNOWN
    assert outcome(list(found.values())) is Check.UNKNOWN


def test_a_lost_snapshot_is_found_by_who_promised_it(copied: Home) -> None:
    """Each promised snapshot has to be there, down to the raw payloads."""
    min(copied.snapshots.rglob("*.zst")).unlink()
    found = bad(copied)
    assert found
    assert all(one.level is Check.CRITICAL and "promises" in one.text and one.line for one in found)


def test_a_manifest_that_is_none_is_found(copied: Home) -> None:
    """A record that calls something else its list of payloads."""
    journal = FileJournal(copied.file("collection_log.jsonl"), signer=signer_of(copied))
    last = [record for record in journal.read() if record.payload.get("feed") == "prices"][-1]
    for wrong in (last.payload["inputs"]["universe"], last.payload["output"]["sha256"]):
        inputs = {**last.payload["inputs"], "payloads": wrong}
        journal.append(last.kind, {**last.payload, "inputs": inputs}, at=last.at)
    journal.close()
    assert {(one.level, "promises" in one.text) for one in bad(copied)} == {(Check.CRITICAL, True)}


def test_a_rotten_snapshot_is_found(copied: Home) -> None:
    """Bytes that no longer match their name are no snapshot."""
    path = min(copied.snapshots.rglob("*.zst"))
    path.chmod(0o640)
    raw = path.read_bytes()
    path.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    assert {one.level for one in bad(copied)} == {Check.CRITICAL}


def test_a_missing_trade_log_is_found(copied: Home) -> None:
    """Documents without the log that they are folds of."""
    copied.file("trade_log.jsonl").unlink()
    found = {one.file: one for one in bad(copied)}
    assert found["trade_log.jsonl"].level is Check.CRITICAL
    assert "is missing" in found["trade_log.jsonl"].text


def test_the_promotions_hold_the_trade_log_s_tail(copied: Home) -> None:
    """Even without the executor's documents the log cannot be cut off behind the last promotion."""
    for name in ("portfolio.json", "open_orders.json", "pnl_summary.json", "executor_state.json"):
        copied.file(name).unlink()
    path = copied.file("trade_log.jsonl")
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:10]))
    found = {one.file: one for one in bad(copied)}
    assert "promotion_log.jsonl rested on" in found["trade_log.jsonl"].text


def test_a_torn_tail_that_was_set_aside_has_to_be_kept(copied: Home) -> None:
    """A repair promises the bytes beside the log; a copy without them has lost evidence."""
    path = copied.file("collection_log.jsonl")
    path.write_bytes(path.read_bytes() + b'{"seq":')
    journal = FileJournal(path, signer=signer_of(copied))
    assert journal.set_aside
    journal.append("tail.repaired", {"bytes": 7, "sha256": "c" * 64}, at="2026-11-18T16:00:00.000Z")
    journal.close()
    assert "set aside are gone" in bad(copied)[0].text


def test_a_torn_tail_never_passes(copied: Home) -> None:
    """Half a line at the end is a failure, not a nearly good log."""
    path = copied.file("reflection_log.jsonl")
    path.write_bytes(path.read_bytes() + b'{"seq":')
    assert [(one.level, "torn" in one.text) for one in bad(copied)] == [(Check.CRITICAL, True)]


def test_a_release_that_nobody_gave_is_found(copied: Home) -> None:
    """The executor's record of a release names a command; it has to be in the commands' own log."""
    for name in ("portfolio.json", "open_orders.json", "pnl_summary.json", "executor_state.json"):
        copied.file(name).unlink()
    journal = FileJournal(copied.file("trade_log.jsonl"), signer=signer_of(copied))
    said = {"command_id": "cmd_" + "0" * 16, "kind": "release", "latch_id": "latch_x", "by": "ann", "reason": "looked"}
    at = "2026-11-18T16:00:00.000Z"
    journal.append("latch.set", {"latch_id": "latch_x", "code": "loss.daily", "vault": None, "exits": True,
                                 "value": "", "limit": "", "detail": ""}, at=at)
    journal.append("latch.released", {**said, "refused": ""}, at=at)
    journal.close()
    assert "not in operator_commands.jsonl" in bad(copied)[0].text
    commands = FileJournal(copied.file("operator_commands.jsonl"), signer=signer_of(copied))
    commands.append("command.given", {**said, "at": at, "expires_at": at}, at=at)
    commands.close()
    assert bad(copied) == []


WITHOUT_FOLDS = ("portfolio.json", "open_orders.json", "pnl_summary.json", "executor_state.json")
LOGS = ("trade_log.jsonl", "collection_log.jsonl", "reflection_log.jsonl", "promotion_log.jsonl")


def test_every_log_of_a_home_ends_under_a_checkpoint(copied: Home) -> None:
    """After an orderly stop no record lies open, and the finding says so."""
    said = {one.file: one.text for one in Verifier(copied).run() if one.file.startswith(FOLDER)}
    assert set(said) == {f"{FOLDER}/{name}" for name in (*LOGS, *CALLS)}
    assert all("0 records lie after it" in text for text in said.values())


@pytest.mark.parametrize("name", LOGS)
def test_a_log_that_was_cut_behind_a_line_is_found(copied: Home, name: str) -> None:
    """What neither the chain nor a document shows: the last records deleted cleanly."""
    for document in WITHOUT_FOLDS:
        copied.file(document).unlink()
    path = copied.file(name)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    found = [one for one in bad(copied) if one.file == name]
    assert "records are missing" in found[0].text
    assert found[0].level is Check.CRITICAL


def test_a_log_that_was_made_anew_is_found_between_two_checkpoints(copied: Home) -> None:
    """Changed in the middle and chained again to the end, by somebody without the key."""
    path = copied.file("reflection_log.jsonl")
    with closing(MemoryJournal()) as anew:
        for record in chain(path.read_bytes(), name=path.name):
            at = record.at if record.seq != 2 else record.at.replace("2026", "2025")
            anew.append(record.kind, record.payload, at=at, dag_id=record.dag_id, ids=record.ids)
        path.write_bytes(b"".join(encode({"seq": one.seq, "at": one.at, "kind": one.kind, "dag_id": one.dag_id,
                                          "ids": one.ids, "payload": one.payload, "prev": one.prev}) + b"\n"
                                  for one in anew.read()))
    found = [one for one in bad(copied) if one.file == path.name]
    assert "the log was made anew somewhere after record" in found[0].text
    assert found[0].line == 2


def test_a_log_without_checkpoints_is_inconclusive(copied: Home) -> None:
    """Whoever cuts a log may remove them as well."""
    (copied.memory / FOLDER / "reflection_log.jsonl").unlink()
    assert [(one.level, one.file) for one in bad(copied)] == [(Check.UNKNOWN, "reflection_log.jsonl")]
    (copied.memory / FOLDER / "reflection_log.jsonl").write_bytes(b"")
    assert [one.text for one in bad(copied)] == ["holds no checkpoint; 3 records lie open"]


def test_a_key_that_nobody_vouches_for_is_inconclusive(copied: Home) -> None:
    """Without the public list a signature shows only that one key made all of them, and which."""
    (copied.config / KEYS).unlink()
    found = bad(copied)
    assert {one.level for one in found} == {Check.UNKNOWN}
    assert all(fingerprint(signer_of(copied).public) in one.text for one in found)


def test_a_list_of_keys_that_was_changed_is_found(copied: Home) -> None:
    """Another key on the list, with which nothing was signed."""
    (copied.config / KEYS).write_bytes(b'{"key": "x"}\n')
    assert {one.file for one in bad(copied) if one.level is Check.CRITICAL} == {f"config/{KEYS}"}


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_changed_byte_of_any_checkpoint_is_found(copied: Home, data: st.DataObject) -> None:
    """Each byte is part of a signature, signed, or holds the lines apart."""
    path = copied.memory / FOLDER / data.draw(st.sampled_from(LOGS))
    raw = path.read_bytes()
    at = data.draw(st.integers(0, len(raw) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda value: value != raw[at]))
    path.write_bytes(raw[:at] + bytes([other]) + raw[at + 1:])
    try:
        log = copied.file(path.name)
        assert outcome(verify_file(log)) is Check.CRITICAL
    finally:
        path.write_bytes(raw)


def test_a_checkpoint_file_without_its_end_is_found(copied: Home) -> None:
    """A torn last line is never a pass, and a file that cannot be read neither."""
    path = copied.memory / FOLDER / "reflection_log.jsonl"
    path.write_bytes(path.read_bytes() + b'{"journal":')
    assert [one.text for one in bad(copied)] == ["its last line is torn: 11 bytes without an end"]
    path.unlink()
    path.mkdir()
    assert {one.level for one in bad(copied)} == {Check.UNKNOWN}
    assert any("not a regular file" in one.text for one in bad(copied))


def test_operators_files_are_read_strictly(copied: Home) -> None:
    """A duplicate key in vault.json, an unknown setting, an instrument without its fields."""
    copied.file("vault.json").write_bytes(b'{"vaults": [], "vaults": []}')
    (copied.config / "vanta.toml").write_text("[markets]\nreflect_evry_s = 3\n")
    (copied.config / "instruments.json").write_bytes(b'{"instruments": [{"instrument_id": "equity:X"}]}')
    found = {one.file: one.text for one in bad(copied)}
    assert "duplicate key 'vaults'" in found["vault.json"]
    assert "did you mean 'reflect_every_s'" in found["config/vanta.toml"]
    assert "entity" in found["config/instruments.json"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_cannot_be_read_is_unknown(copied: Home) -> None:
    """A file of another user is neither verified nor failed."""
    copied.file("vault.json").chmod(0)
    assert [(one.file, one.level) for one in bad(copied)] == [("vault.json", Check.UNKNOWN)]


def test_a_link_in_place_of_a_file_is_unknown(copied: Home) -> None:
    """Links are not followed."""
    path = copied.file("vault.json")
    path.rename(path.with_name("elsewhere.json"))
    path.symlink_to("elsewhere.json")
    assert [(one.file, one.level) for one in bad(copied)] == [("vault.json", Check.UNKNOWN)]


def test_an_empty_home_is_unknown(tmp_path: Path) -> None:
    """Nothing was verified."""
    assert outcome(Verifier(Home(tmp_path / "new").prepare()).run()) is Check.UNKNOWN


def test_single_files_verify_by_themselves(copied: Home) -> None:
    """A journal's chain and fold, a document's form; a file of another name is a usage error."""
    assert outcome(verify_file(copied.file("trade_log.jsonl"))) is Check.OK
    assert outcome(verify_file(copied.file("trade_signals.json"))) is Check.OK
    copied.file("vault.json").write_bytes(b"[]")
    assert outcome(verify_file(copied.file("vault.json"))) is Check.CRITICAL
    copied.file("vault.json").unlink()
    assert outcome(verify_file(copied.file("vault.json"))) is Check.UNKNOWN
    with pytest.raises(UsageError):
        verify_file(copied.config / "vanta.toml")


def test_records_that_nobody_signed_for_are_inconclusive(copied: Home) -> None:
    """As a crash leaves them, or somebody who has no key; the next who signs settles it."""
    with closing(FileJournal(copied.file("collection_log.jsonl"))) as journal:
        journal.append("program.stopped", {}, at="2026-11-18T16:00:00.000Z")
    assert [(one.level, "nobody has signed for them" in one.text) for one in bad(copied)] == [(Check.UNKNOWN, True)]
    with closing(FileJournal(copied.file("collection_log.jsonl"), signer=signer_of(copied))) as journal:
        journal.checkpoint(at="2026-11-18T16:00:00.000Z")
    assert bad(copied) == []


def test_what_is_put_in_behind_an_orderly_stop_is_found_and_not_acted_on(copied: Home) -> None:
    """Money out of nowhere, chained as it should be: verification says so, and the log does not open."""
    path = copied.file("trade_log.jsonl")
    with closing(FileJournal(path)) as journal:
        last = [record for record in journal.read() if record.kind == "adjustment"][-1]
        journal.append("adjustment", {**last.payload, "amount": "1000000"}, at=last.at, ids=last.ids)
    assert any(one.level is Check.CRITICAL and "was put in" in one.text for one in bad(copied))
    with pytest.raises(StateError, match="was put in"):
        FileJournal(path, signer=signer_of(copied))


def test_what_was_written_between_two_looks_counts_as_signed(copied: Home) -> None:
    """A program that runs is ahead of the checkpoints that were read before its log."""
    path = copied.file("collection_log.jsonl")
    coverages = Coverages(copied.config / KEYS)
    coverage = coverages.of(path)
    with closing(FileJournal(path, signer=signer_of(copied))) as journal:
        journal.append("program.stopped", {}, at="2026-11-18T16:00:00.000Z")
    found = covered_by(path, [coverage], coverages)
    assert outcome(found) is Check.OK
    assert "0 records lie after it" in found[-1].text
