"""A home's housekeeping: what is packed, what is put away, and that verification still accounts for all of it."""

import os
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
import zstandard

from vanta.alpha.core.verification import outcome
from vanta.alpha.housekeeping import Done, Housekeeping, Order, usage
from vanta.alpha.reading import records
from vanta.alpha.verifier import Verifier, verify_file
from vanta.alpha.wire import control_log
from vanta.alpha.witness import look
from vanta.common.canonical import canonical, sha256
from vanta.common.events import Kind
from vanta.common.exitcodes import Check
from vanta.common.models.configuration import RetentionSettings
from vanta.common.paths import COLLECTION_LOG, CONTROL_LOG, Home
from vanta.common.signing_key import signer_of
from vanta.common.store import segments
from vanta.common.store.checkpoint import FOLDER
from vanta.common.store.journal import FileJournal
from vanta.common.store.lock import FileLock
from vanta.common.store.snapshot import FileSnapshots
from vanta.common.times import iso, parse_iso
from vanta.suite.dispatch import main

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
LONG_AGO = 1_000_000_000


class Small(FileJournal):
    """Seals from the first byte on."""

    least = 1


def passes(home: Home, *days: int) -> list[str]:
    """Collector passes on these days, each with a payload; returns the payloads' hashes."""
    store, found = FileSnapshots(home.snapshots), []
    with closing(Small(home.file(COLLECTION_LOG), signer=signer_of(home), daily=True)) as journal:
        for day in days:
            at = f"2026-01-{day:02}T06:00:00.000Z"
            if journal.head().seq == 0:
                journal.append(Kind.JOURNAL_OPENED, {"journal": COLLECTION_LOG, "schema": 1}, at=at)
            payload = store.put(f"payload of {day}".encode())
            listed = store.put(canonical([{"sha256": payload}]))
            file = canonical({"day": day, "fill": "x" * 400_000} if day == days[0] else {"day": day})
            journal.append(Kind.COLLECTED, {"inputs": {"payloads": listed}, "output": {
                "file": "news_signals.json", "sha256": store.put(file)}}, at=at)
            journal.sync()
            found.append(payload)
    for path in home.snapshots.rglob("*.zst"):
        os.utime(path, (LONG_AGO, LONG_AGO))
    return found


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Five days of passes: four sealed pieces and today's."""
    place = Home(tmp_path / "home").prepare()
    passes(place, 1, 2, 3, 9, 10)
    return place


def tidied(home: Home, keep_days: int = 0, archive: str | None = None) -> Done:
    """One round."""
    return Housekeeping(home, Order(now=NOW, real=NOW, by="ann", retention=RetentionSettings(
        keep_days=keep_days, archive=archive))).run()


def level(home: Home, *, but: str = "news_signals.json") -> Check:
    """What verification says of the home's logs."""
    return outcome([one for one in Verifier(home).run() if one.file != but and "vanta.toml" not in one.file])


def test_sealed_pieces_are_packed_and_read_as_before(home: Home) -> None:
    """Nothing else happens where everything is kept."""
    log = home.file(COLLECTION_LOG)
    before, store = segments.whole(log), sorted(home.snapshots.rglob("*"))
    done = tidied(home)
    assert (done.packed, done.retired, done.moved.files, done.problems) == (4, {}, 0, [])
    assert all(one.packed and not one.path.with_suffix("").exists() for one in segments.sealed(log))
    assert segments.whole(log) == before
    assert sorted(home.snapshots.rglob("*")) == store
    assert done.saved == sum(one.end - one.start - one.path.stat().st_size for one in segments.sealed(log))
    assert tidied(home).packed == 0
    assert level(home) is Check.OK


def test_a_crash_while_packing_leaves_both_forms(home: Home) -> None:
    """The next round drops the one that is not needed, after a look at the other."""
    first = segments.sealed(home.file(COLLECTION_LOG))[0]
    raw = first.path.read_bytes()
    tidied(home)
    first.path.write_bytes(raw)
    assert tidied(home).problems == []
    assert not first.path.exists()


def test_old_passes_are_put_away_and_accounted_for(home: Home) -> None:
    """The record first, then the pieces with their checkpoints; the rest verifies and goes on."""
    log = home.file(COLLECTION_LOG)
    count = len(list(records(log)))
    done = tidied(home, keep_days=5)
    assert (done.retired, done.problems) == ({COLLECTION_LOG: 3}, [])
    left = list(records(log))
    assert [one.seq for one in left] == list(range(4, count + 1))
    said = next(one for one in records(home.file(CONTROL_LOG)) if one.kind == Kind.LOG_RETIRED)
    assert (said.payload["seq"], said.payload["head"], said.payload["by"]) == (3, left[0].prev, "ann")
    away = home.root / "archive" / "segments" / COLLECTION_LOG
    assert sorted(path.name for path in away.iterdir()) == sorted(
        name for piece in said.payload["pieces"] for name in (piece, piece.removesuffix(".jsonl.zst") + ".checkpoints"))
    assert level(home) is Check.OK
    texts = [one.text for one in Verifier(home).run() if one.file == COLLECTION_LOG]
    assert any(text.startswith("records 1 to 3 were put away") for text in texts)
    assert outcome(verify_file(log)) is Check.OK
    passes(home, 11)
    assert level(home) is Check.OK
    assert tidied(home, keep_days=5).retired == {}


def test_what_goes_back_is_whole_again(home: Home) -> None:
    """An archive can be put back at any time."""
    before = segments.whole(home.file(COLLECTION_LOG))
    tidied(home, keep_days=5)
    for path in (home.root / "archive" / "segments" / COLLECTION_LOG).iterdir():
        path.rename(segments.folder(home.file(COLLECTION_LOG)) / path.name)
    assert segments.whole(home.file(COLLECTION_LOG)) == before
    assert level(home) is Check.CRITICAL  # the payloads are still in the archive
    for path in (home.root / "archive" / "snapshots").rglob("*.zst"):
        path.rename(home.snapshots / path.parent.name / path.name)
    assert level(home) is Check.OK


def test_only_forgotten_snapshots_go(home: Home) -> None:
    """Those of passes that stay are there, chunks among them; what was stored a moment ago stays too."""
    store = FileSnapshots(home.snapshots)
    stays, young = sha256(b"payload of 10"), store.put(b"not named yet")
    os.utime(home.snapshots / young[:2] / f"{young}.zst", (NOW.timestamp(), NOW.timestamp()))
    done = tidied(home, keep_days=5)
    assert store.get(stays)
    assert store.has(young)
    assert not store.has(sha256(b"payload of 1"))
    chunked = sha256(canonical({"day": 1, "fill": "x" * 400_000}))
    assert not store.has(chunked)
    assert FileSnapshots(home.root / "archive" / "snapshots").get(chunked)
    assert done.moved.files > 6
    again = tidied(home, keep_days=5)
    assert again.moved.files == 0


def test_known_content_that_is_stored_again_stays(home: Home) -> None:
    """A writer who finds it there, in one piece or in chunks, says that it is used, before any record names it."""
    store = FileSnapshots(home.snapshots)
    large = canonical({"day": 1, "fill": "x" * 400_000})
    small = b"payload of 1"
    store.put(small)
    store.put(large)
    Housekeeping(home, Order(now=NOW, real=datetime.now(UTC), by="ann", retention=RetentionSettings(keep_days=5))).run()
    assert store.get(sha256(small)) == small
    assert store.get(sha256(large)) == large
    assert not store.has(sha256(b"payload of 2"))


def test_a_chunk_that_is_gone_is_stored_again(home: Home) -> None:
    """Known by its list of chunks is not known."""
    store = FileSnapshots(home.snapshots)
    large = canonical({"day": 1, "fill": "x" * 400_000})
    chunk = store.chunks(sha256(large))[0]
    (home.snapshots / chunk[:2] / f"{chunk}.zst").unlink()
    assert store.chunks(sha256(b"payload of 1")) == []
    store.put(large)
    assert store.get(sha256(large)) == large


def test_pieces_that_nobody_put_away_are_missing(home: Home) -> None:
    """Deleted by hand, the oldest pieces leave a log whose beginning nobody accounts for."""
    first, second, *_ = segments.sealed(home.file(COLLECTION_LOG))
    for path in (first.path, first.checkpoints):
        path.unlink()
    found = [one for one in Verifier(home).run() if one.level is Check.CRITICAL]
    assert "no signed record of control_log.jsonl says" in found[0].text
    second.checkpoints.unlink()
    found = [one for one in Verifier(home).run() if one.level is Check.CRITICAL]
    assert "no checkpoint covers what came before" in found[0].text


def test_another_head_than_the_recorded_one_is_not_accounted_for(home: Home) -> None:
    """The record has to name the very record after which the log begins."""
    with control_log(home, NOW) as journal:
        journal.append(Kind.LOG_RETIRED, {"journal": COLLECTION_LOG, "seq": 2, "head": "0" * 64}, at=iso(NOW))
    first = segments.sealed(home.file(COLLECTION_LOG))[0]
    for path in (first.path, first.checkpoints):
        path.unlink()
    assert level(home) is Check.CRITICAL


def test_a_witness_follows_a_log_that_was_put_away(home: Home, tmp_path: Path) -> None:
    """What it saw before is held to what is left; it finds out if nothing of that is there any more."""
    alpha = Home(tmp_path / "alpha").prepare()
    assert outcome(look(home, alpha, "markets")) is Check.OK
    tidied(home, keep_days=5)
    assert outcome(look(home, alpha, "markets")) is Check.OK
    passes(home, 11, 12)
    assert outcome(look(home, alpha, "markets")) is Check.OK
    kept = alpha.memory / "replica" / "markets" / FOLDER / COLLECTION_LOG
    assert orjson.loads(kept.read_bytes().splitlines()[-1])["seq"] == 8
    kept.write_bytes(kept.read_bytes().splitlines(keepends=True)[0])  # a witness that has not looked for long
    passes(home, 13, 14)
    Housekeeping(home, Order(now=NOW + timedelta(days=9), real=NOW, by="ann", retention=RetentionSettings(
        keep_days=5))).run()
    found = [one.text for one in look(home, alpha, "markets") if one.level is Check.CRITICAL]
    assert any("nothing of what was witnessed is there any more" in text for text in found)


def test_a_crash_between_record_and_move_is_harmless(home: Home) -> None:
    """The record stands alone, the log is whole; the next round puts it away."""
    with control_log(home, NOW) as journal:
        journal.append(Kind.LOG_RETIRED, {"journal": COLLECTION_LOG, "seq": 4, "head": "1" * 64}, at=iso(NOW))
    assert level(home) is Check.OK
    assert tidied(home, keep_days=5).retired == {COLLECTION_LOG: 3}
    assert level(home) is Check.OK


def test_a_piece_whose_end_no_checkpoint_says_waits(home: Home) -> None:
    """After a crash in a turn the checkpoints lie with the next piece: what comes before them can still go."""
    pieces = segments.sealed(home.file(COLLECTION_LOG))
    pieces[2].checkpoints.write_bytes(pieces[1].checkpoints.read_bytes() + b"")
    pieces[1].checkpoints.unlink()
    assert tidied(home, keep_days=5).retired == {}


def test_the_only_good_form_of_a_piece_is_never_dropped(home: Home) -> None:
    """Both forms lie there and differ: that is said, and readers go on with the one that they had."""
    first = segments.sealed(home.file(COLLECTION_LOG))[0]
    raw = first.path.read_bytes()
    for other in (b"garbage", zstandard.ZstdCompressor().compress(b"x" * len(raw))):
        first.path.with_name(first.path.name + segments.PACKED).write_bytes(other)
        done = tidied(home)
        assert len(done.problems) == 1
        assert first.path.read_bytes() == raw
        assert level(home) is Check.OK


def test_what_nobody_signed_accounts_for_nothing(home: Home) -> None:
    """Pieces are deleted, and a record of the right form is put behind the signed end of the control log."""
    with control_log(home, NOW):
        pass
    first, second = segments.sealed(home.file(COLLECTION_LOG))[:2]
    head = segments.seal_of(second)
    assert head is not None
    with closing(FileJournal(home.file(CONTROL_LOG))) as journal:
        journal.append(Kind.LOG_RETIRED, {"journal": COLLECTION_LOG, "seq": head.seq, "head": head.hash}, at=iso(NOW))
    for path in (first.path, first.checkpoints):
        path.unlink()
    assert level(home) is Check.CRITICAL
    assert outcome(look(home, Home(home.root.parent / "w").prepare(), "markets")) is Check.CRITICAL


def test_a_piece_that_goes_while_somebody_reads_is_read_again(home: Home) -> None:
    """Never an empty log: either all of what is left, or an error that says so."""
    log = home.file(COLLECTION_LOG)
    listed = segments.sealed(log)
    tidied(home, keep_days=5)
    with pytest.raises(segments.Gone, match="put away meanwhile"):
        segments.content(listed[0])
    assert len(list(records(log))) == len(segments.whole(log, segments.begins(log)[1]).splitlines())


def test_a_damaged_piece_is_said_and_hinders_nothing(home: Home) -> None:
    """The others are packed."""
    pieces = segments.sealed(home.file(COLLECTION_LOG))
    pieces[-1].path.write_bytes(b"short")
    done = tidied(home)
    assert (done.packed, len(done.problems)) == (3, 1)
    assert "its name says" in done.problems[0]


def test_an_archive_in_a_files_place_leaves_everything(home: Home, tmp_path: Path) -> None:
    """Pieces and snapshots stay where they are, and that is said."""
    (tmp_path / "file").write_text("")
    before = segments.whole(home.file(COLLECTION_LOG))
    done = tidied(home, keep_days=5, archive=str(tmp_path / "file"))
    assert "nothing can be put away" in done.problems[0]
    assert list(records(home.file(CONTROL_LOG))) == []
    assert segments.whole(home.file(COLLECTION_LOG)) == before
    store = FileSnapshots(home.snapshots)
    forgotten = store.put(b"forgotten")
    os.utime(home.snapshots / forgotten[:2] / f"{forgotten}.zst", (LONG_AGO, LONG_AGO))
    assert "cannot be put away" in tidied(home, keep_days=5, archive=str(tmp_path / "file")).problems[-1]
    assert store.get(forgotten)


def test_nothing_goes_while_something_cannot_be_read(home: Home) -> None:
    """What an unreadable document mentions is not known."""
    home.file("news_signals.json").mkdir()
    done = tidied(home, keep_days=5)
    assert done.moved.files == 0
    assert "news_signals.json is not a regular file" in done.problems[0]


def test_disk_use_is_told_by_day(home: Home) -> None:
    """Sealed pieces by their day, snapshots by when they were stored; today is not a whole day."""
    found = {one.what: one for one in usage(home, NOW.date())}
    log = found[COLLECTION_LOG]
    assert sorted(log.days) == ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-09"]
    assert log.size > sum(log.days.values())
    assert log.per_day(2) == (log.days["2026-01-03"] + log.days["2026-01-09"]) // 2
    assert found["snapshots"].days.keys() == {"2001-09-09"}
    assert usage(home, datetime.fromtimestamp(LONG_AGO, UTC).date())[-1].per_day() == 0
    assert found[CONTROL_LOG].size == 0


def test_the_command_says_what_it_did_and_what_there_is(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """In words and as data; `--look` touches nothing; a problem shows in the exit status; one round at a time."""
    before = sorted(home.memory.rglob("*"))
    assert main(["tidy", "--home", str(home.root), "--look"]) == 0
    assert "collection_log.jsonl" in capsys.readouterr().out
    assert sorted(home.memory.rglob("*")) == before
    (home.config / "vanta.toml").write_text("[retention]\nkeep_days = 3\n")
    assert main(["tidy", "--home", str(home.root)]) == 0
    assert "packed 4 pieces of logs" in (said := capsys.readouterr().out)
    assert "put away: collection_log.jsonl up to record" in said
    home.file("news_signals.json").mkdir()
    assert main(["tidy", "--home", str(home.root), "--json"]) == 3
    body = orjson.loads(capsys.readouterr().out)
    assert body["packed"] == 0
    assert {one["what"] for one in body["disk"]} >= {"snapshots", COLLECTION_LOG}
    with FileLock(home.lock("housekeeping"), owner="another", now=parse_iso("2026-01-10T12:00:00.000Z")):
        assert main(["tidy", "--home", str(home.root)]) not in (0, 3)
