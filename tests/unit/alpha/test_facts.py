"""Gathering facts reads no more than it needs, and calls nothing healthy that it could not see."""

import os
from contextlib import closing
from pathlib import Path

import pytest

from tests.unit.executor.world import ALL_CLEAR
from vanta.alpha.facts import HEADER_BYTES, WHOLE_BYTES, gather, head, header, locks, serves, whole
from vanta.alpha.reading import journal_bytes, log, records
from vanta.common.canonical import document, sha256
from vanta.common.clock import SystemClock
from vanta.common.models.configuration import Settings
from vanta.common.paths import CALLS, EXECUTOR_STATE, OVERLAY, TRADE_LOG, Home
from vanta.common.store.chain import START
from vanta.common.store.journal import FileJournal
from vanta.common.store.lock import FileLock
from vanta.common.store.ports import Head
from vanta.common.times import parse_iso

FIELDS = {"schema_version": 1, "feed": "sec", "status": "ok", "status_reason": 'said "{"', "counts": {"late": 1},
          "errors": [{"code": "x"}], "signals": [{"id": n, "text": "x" * 100} for n in range(5_000)]}


def test_a_header_ends_where_the_records_begin(tmp_path: Path) -> None:
    """Every field above the records, none of the records, whatever the file's size."""
    path = tmp_path / "sec_signals.json"
    path.write_bytes(document(FIELDS))
    assert path.stat().st_size > 5 * HEADER_BYTES
    doc = header(path)
    assert doc.value == {key: FIELDS[key] for key in ("schema_version", "feed", "status", "status_reason", "counts")}


def test_a_document_in_other_form_is_read_whole(tmp_path: Path) -> None:
    """What an editor has put on one line is still JSON."""
    path = tmp_path / "sec_signals.json"
    path.write_bytes(b' {"feed": "sec", "signals": []}')
    assert header(path).value == {"feed": "sec", "signals": []}


@pytest.mark.parametrize(("raw", "problem"), [
    (b"", "not a JSON object"), (b"[]", "not a JSON object"), (b'{"feed": ', "not JSON"), (b"\x00\x00", "not a JSON"),
])
def test_what_is_no_document_is_a_problem(tmp_path: Path, raw: bytes, problem: str) -> None:
    """Empty, half-written or something else: a problem that names the file, never a missing file."""
    path = tmp_path / "portfolio.json"
    path.write_bytes(raw)
    for doc in (header(path), whole(path)):
        assert doc.value is None
        assert "portfolio.json" in doc.problem
    assert problem in header(path).problem or problem in whole(path).problem


def test_a_missing_document_is_neither_value_nor_problem(tmp_path: Path) -> None:
    """It can be told apart from an unreadable one."""
    assert (whole(tmp_path / "x.json").value, whole(tmp_path / "x.json").problem) == (None, "")


def test_pipes_and_links_are_problems_and_never_a_wait(tmp_path: Path) -> None:
    """A check must come back."""
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "link.json").symlink_to("/etc/passwd")
    assert "not a regular file" in whole(tmp_path / "pipe.json").problem
    assert "cannot be opened" in header(tmp_path / "link.json").problem


def lines(path: Path, count: int, size: int = 10) -> bytes:
    """A journal of so many records."""
    journal = FileJournal(path)
    for number in range(count):
        journal.append("fill", {"n": number, "text": "x" * size}, at="2026-11-20T15:00:00.000Z")
    journal.close()
    return path.read_bytes()


@pytest.mark.parametrize("size", [10, 200_000])
def test_a_head_is_the_last_complete_line(tmp_path: Path, size: int) -> None:
    """Also where a line is longer than a block, and where something torn lies behind it."""
    path = tmp_path / TRADE_LOG
    raw = lines(path, 3, size)
    last = raw.splitlines()[-1]
    found = head(path)
    assert (found.seq, found.hash, found.kind, found.torn) == (3, sha256(last), "fill", 0)
    path.write_bytes(raw + b'{"seq":4')
    found = head(path)
    assert (found.seq, found.hash, found.torn) == (3, sha256(last), 8)


def test_heads_of_journals_that_are_none(tmp_path: Path) -> None:
    """Missing, empty, only torn, no record, a folder."""
    path = tmp_path / TRADE_LOG
    assert head(path).missing
    path.write_bytes(b"")
    assert (head(path).seq, head(path).torn, head(path).problem) == (0, 0, "")
    path.write_bytes(b'{"seq"')
    assert (head(path).seq, head(path).torn) == (0, 6)
    for raw in (b"nonsense\n", b"[]\n", b'{"seq": "x", "kind": "", "at": ""}\n', b"\n"):
        path.write_bytes(raw)
        assert head(path).problem or head(path).seq == 0
    path.unlink()
    path.mkdir()
    assert "EISDIR" in head(path).problem


def test_locks_tell_who_holds_them(tmp_path: Path) -> None:
    """A held lock by its stamp, a free one by nobody."""
    home = Home(tmp_path).prepare()
    FileLock(home.lock("markets"), owner="markets", now=SystemClock().now()).release()
    with FileLock(home.lock("executor"), owner="executor", now=SystemClock().now()):
        found = {lock.name: lock.holder for lock in locks(home)}
    assert found["markets"] is None
    assert str(found["executor"]).startswith("executor pid=")


def test_a_lived_home_is_gathered_as_it_is(lived: Home) -> None:
    """Feeds with their headers, the reflection, the executor's documents, heads of the logs, the disk."""
    facts = gather(lived, Settings(), parse_iso("2026-11-18T15:03:00Z"))
    assert [feed.name for feed in facts.feeds] == ["sec", "news", "reddit", "crypto", "prices"]
    assert all(feed.doc.value is not None for feed in facts.feeds)
    assert {head.name for head in facts.heads if head.seq} == {
        "trade_log.jsonl", "collection_log.jsonl", "reflection_log.jsonl", "promotion_log.jsonl", *CALLS}
    assert all(head.covered == head.seq for head in facts.heads)
    assert facts.executor.number("as_of_seq")
    assert (facts.permit, facts.stops, facts.unreadable) == (True, (), "")
    assert facts.disk is not None
    assert facts.running("executor") is False


def test_a_bare_home_is_gathered_too(tmp_path: Path) -> None:
    """Nothing has run: nothing is there, and nothing is invented."""
    home = Home(tmp_path).prepare()
    facts = gather(home, Settings(), parse_iso("2026-11-18T15:03:00Z"))
    assert all(feed.doc.value is None for feed in facts.feeds)
    assert "cannot be opened" in facts.unreadable
    assert not facts.permit
    home.file(OVERLAY).write_bytes(ALL_CLEAR)
    assert gather(home, Settings(), parse_iso("2026-11-18T15:03:00Z")).unreadable == ""


def test_units_are_those_of_this_home(tmp_path: Path) -> None:
    """By the home that the unit of a node's main program names; a unit that is none is no unit."""
    root = Path("/opt/vanta")
    assert not serves(root, tmp_path)
    (tmp_path / "markets-reflector.service").mkdir()
    unit = tmp_path / "executor-router.service"
    unit.write_text("[Service]\nExecStart=/opt/venv/bin/vanta executor run --home /opt/vanta-two\n")
    assert not serves(root, tmp_path)
    unit.write_text("[Service]\nExecStart=/opt/venv/bin/vanta executor run --home /opt/vanta\nUser=x\n")
    assert serves(root, tmp_path)


def test_what_is_too_large_or_not_there_is_said_so(tmp_path: Path) -> None:
    """A queue of absurd size is not read into memory; a home without memory/ has no disk to tell of."""
    path = tmp_path / "autotrade_queue.json"
    with path.open("wb") as file:
        file.truncate(WHOLE_BYTES + 1)
    assert "larger than" in whole(path).problem
    (tmp_path / TRADE_LOG).symlink_to(path)
    assert "ELOOP" in head(tmp_path / TRADE_LOG).problem
    facts = gather(Home(tmp_path / "none"), Settings(), parse_iso("2026-11-18T15:03:00Z"))
    assert facts.disk is None


def test_scopes_know_what_the_home_knows(tmp_path: Path) -> None:
    """Without vault.json and without an executor's documents a scope can name nothing, and everything is halted."""
    home = Home(tmp_path).prepare()
    home.file(OVERLAY).write_bytes(ALL_CLEAR[:-1] + b', "scopes": {"vault": {"V_CORE": {"full_halt": false}}}}')
    moment = parse_iso("2026-11-18T15:03:00Z")
    assert "unknown: vault V_CORE" in gather(home, Settings(), moment).stops[0]
    home.file("portfolio.json").write_bytes(b'{"basis": {"V_CORE|equity:AAPL": 3}}')
    assert gather(home, Settings(), moment).stops == ()
    home.file("portfolio.json").write_bytes(b'{"basis": ')
    home.file("vault.json").write_bytes(b'{"vaults": [{"vault_id": "V_CORE", "label": "Core"}]}')
    assert gather(home, Settings(), moment).stops == ()


def test_a_journal_that_grows_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    """A tail caught half-written is no torn tail as long as somebody goes on writing it."""
    path = tmp_path / TRADE_LOG
    raw = lines(path, 3)
    path.write_bytes(raw[:-10])
    reads: list[int] = []

    def grow(path: Path) -> tuple[bytes, Head]:
        reads.append(len(reads))
        data = path.read_bytes()
        path.write_bytes(raw[:len(data) + 4])
        return data, START

    assert log(path, grow) == (raw, START)
    assert len(reads) == 4
    path.write_bytes(raw[:-10])
    assert journal_bytes(path) == raw[:-10]
    assert list(records(tmp_path / "none.jsonl")) == []


def test_only_what_the_executors_document_does_not_know_is_read_of_its_log(tmp_path: Path) -> None:
    """Its latches are those of the document and of the records since; a record without a number ends the reading."""
    home = Home(tmp_path / "home").prepare()
    with closing(FileJournal(home.file(TRADE_LOG))) as log:
        for name in ("known", "new"):
            log.append("latch.set", {"latch_id": name, "detail": name, "vault": None}, at="2026-01-02T03:04:05.000Z")
    home.file(EXECUTOR_STATE).write_bytes(b'{"as_of_seq": 1, "latches": [], "dispatch": "open"}')
    seen = gather(home, Settings(), SystemClock().now())
    assert [latch.latch_id for latch in seen.latches] == ["new"]
    with home.file(TRADE_LOG).open("ab") as file:
        file.write(b'{"seq": "x", "kind": "latch.set", "at": "", "ids": {}, "payload": {}}\n')
    assert gather(home, Settings(), SystemClock().now()).latches == ()
