"""A home's daily copies: incremental, signed, whole after a kill or a full disk, and enough without the home."""

import os
import signal
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.processes import FILES_END_AT, run, start
from vanta.alpha.archives.folder import FolderArchive
from vanta.alpha.archives.restoring import manifests, problems, restore
from vanta.alpha.archives.rounds import Kept, Round, begin, owner
from vanta.alpha.core.archived import BEGUN, MANIFESTS, File, Manifest, decode, encode, file_name, name_of
from vanta.alpha.core.verification import outcome
from vanta.alpha.verifier import Verifier
from vanta.alpha.wire import control_log
from vanta.common.errors import Bug, Missing, OperatorError, StateError, UsageError
from vanta.common.exitcodes import Check, Exit
from vanta.common.paths import JOURNALS, TRADE_LOG, Home
from vanta.common.signatures import Signer, fingerprint
from vanta.common.signing_key import signer_of
from vanta.common.store import segments
from vanta.common.store.journal import FileJournal
from vanta.common.store.snapshot import FileSnapshots
from vanta.common.times import parse_iso
from vanta.suite.dispatch import main

AT = "2026-11-22T04:23:00.000Z"


class Small(FileJournal):
    """Seals from the first byte on."""

    least = 1


def write(home: Home, day: int, count: int = 3) -> None:
    """A day of the trade log, and something in the control log."""
    with closing(Small(home.file(TRADE_LOG), signer=signer_of(home), daily=True)) as journal:
        for number in range(count):
            opened = journal.head().seq > 0
            journal.append("program.stopped" if opened else "journal.opened",
                           {"n": number} if opened else {"home": "abc", "program": "test", "schema": 1},
                           at=f"2026-11-{day}T15:00:00.000Z")
        journal.sync()
    with control_log(home, parse_iso(f"2026-11-{day}T15:00:00.000Z")) as log:
        log.sync()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """One with two days, and an archive that was begun."""
    made = Home(tmp_path / "home").prepare()
    for day in (20, 21):
        write(made, day)
    (tmp_path / "archive").mkdir()
    begin(made, FolderArchive(tmp_path / "archive"), AT)
    return made


@pytest.fixture
def archive(home: Home) -> FolderArchive:
    """Its archive."""
    return FolderArchive(home.root.parent / "archive")


def kept(home: Home, archive: FolderArchive) -> Kept:
    """A round."""
    return Round(home, archive, signer_of(home)).run(AT)


def contents(home: Home) -> dict[str, bytes]:
    """Every byte of a home's journals and their keys."""
    paths = [home.config / "audit_keys.jsonl"]
    for name in JOURNALS:
        paths += [home.file(name), home.memory / "checkpoints" / name, *segments.folder(home.file(name)).glob("*")]
    return {str(path.relative_to(home.root)): path.read_bytes() for path in paths if path.exists()}


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_archive_alone_becomes_the_home_again(home: Home, archive: FolderArchive, tmp_path: Path) -> None:
    """Byte for byte, and it verifies; the home is gone by then."""
    kept(home, archive)
    before = contents(home)
    assert len(before) > 5
    os.rename(home.root, tmp_path / "gone")
    pin = fingerprint(signer_of(Home(tmp_path / "gone")).public)
    assert list(problems(archive, pin)) == []
    restore(archive, tmp_path / "back", pin)
    assert contents(Home(tmp_path / "back")) == tree(tmp_path / "back") == before
    assert outcome(Verifier(Home(tmp_path / "back")).run()) is Check.OK
    with pytest.raises(UsageError, match="exists"):
        restore(archive, tmp_path / "back", None)


def test_what_records_promise_comes_back_too(copied: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a lived home: the restored one verifies, and replays to the same bytes."""
    (tmp_path / "kept").mkdir()
    archive = FolderArchive(tmp_path / "kept")
    begin(copied, archive, AT)
    first = kept(copied, archive)
    assert first.copied == first.files
    assert kept(copied, archive).copied == 0
    large = FileSnapshots(copied.snapshots).put(b"".join(b"%d\n" % number for number in range(100_000)))
    assert kept(copied, archive).copied > 1
    restore(archive, tmp_path / "back", None)
    assert not [*problems(archive, None)]
    back = Home(tmp_path / "back")
    assert outcome(Verifier(back).run()) in (Check.OK, Check.UNKNOWN)
    assert FileSnapshots(back.snapshots).get(large).startswith(b"0\n1\n")
    capsys.readouterr()
    assert main(["replay", "--home", str(back.root)]) == Exit.DONE
    assert "EQUAL" in capsys.readouterr().out


def test_a_snapshot_that_was_changed_is_named_and_left_out(copied: Home, tmp_path: Path) -> None:
    """By its own name: in its content, in the list of a large one, and in its packing."""
    (tmp_path / "kept").mkdir()
    archive = FolderArchive(tmp_path / "kept")
    begin(copied, archive, AT)
    FileSnapshots(copied.snapshots).put(b"".join(b"%d\n" % number for number in range(100_000)))
    kept(copied, archive)
    lists = sorted((tmp_path / "kept/snapshots").rglob("*.chunks.zst"))
    plain = [path for path in sorted((tmp_path / "kept/snapshots").rglob("*.zst")) if path not in lists]
    changed(plain[0], plain[1].read_bytes())
    changed(plain[2], b"no packing")
    changed(lists[0], plain[1].read_bytes())
    wrong = [plain[0], plain[2], lists[0]]
    assert sorted(problems(archive, None)) == sorted(
        f"{path.relative_to(tmp_path / 'kept')} was changed" for path in wrong)
    restore(archive, tmp_path / "back", None)
    for path in wrong:
        assert not (tmp_path / "back/memory" / path.relative_to(tmp_path / "kept")).exists()


def test_what_is_there_is_not_copied_again(home: Home, archive: FolderArchive, tmp_path: Path) -> None:
    """A day later the pieces that were sealed are named by their hash; each manifest can be had."""
    first = kept(home, archive)
    assert kept(home, archive).copied == 0
    piece = segments.sealed(home.file(TRADE_LOG))[0]
    before = contents(home)
    write(home, 22)
    later = kept(home, archive)
    assert 0 < later.copied < first.copied
    assert str(piece.path.relative_to(home.root)) in {one.path for _, m in manifests(archive, None) for one in m.files}
    restore(archive, tmp_path / "then", None, number=2)
    assert tree(tmp_path / "then") == before
    with pytest.raises(UsageError, match="no such"):
        restore(archive, tmp_path / "never", None, number=9)


def test_a_file_that_went_missing_is_kept_again(home: Home, archive: FolderArchive, tmp_path: Path) -> None:
    """Whatever the manifest before says."""
    kept(home, archive)
    found = next(one for _, m in manifests(archive, None) for one in m.files
                 if "segments" in one.path and one.path.endswith(".jsonl"))
    path = tmp_path / "archive" / file_name(found.sha256)
    path.unlink()
    assert "does not hold it any more" in next(problems(archive, None))
    assert kept(home, archive).copied == 1
    assert list(problems(archive, None)) == []


def test_a_line_that_is_being_written_waits(home: Home, archive: FolderArchive, tmp_path: Path) -> None:
    """Only whole lines are kept."""
    with home.file(TRADE_LOG).open("ab") as log:
        log.write(b'{"half')
    kept(home, archive)
    restore(archive, tmp_path / "back", None)
    assert (tmp_path / "back" / "memory" / TRADE_LOG).read_bytes() + b'{"half' == home.file(TRADE_LOG).read_bytes()


KILLED = """
import os, signal, sys
from pathlib import Path
from vanta.alpha.archives import folder, rounds
from vanta.common.paths import Home
from vanta.common.signing_key import signer_of
root, left = Path(sys.argv[1]), int(sys.argv[2])
class Killed(folder.FolderArchive):
    def _write(self, draft, data):
        global left
        left -= 1
        if left < 0:
            draft.write_bytes(data[:7])
            os.kill(os.getpid(), signal.SIGKILL)
        super()._write(draft, data)
rounds.Round(Home(root), Killed(root.parent / "archive"), signer_of(Home(root))).run("2026-11-22T04:23:00.000Z")
"""


@pytest.mark.parametrize("left", [0, 3, 6])
def test_a_kill_in_the_middle(home: Home, archive: FolderArchive, tmp_path: Path, left: int) -> None:
    """`kill -9` while a file is half written: no manifest names it, the archive verifies, the next round goes on."""
    child = start(KILLED, str(home.root), str(left))
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    assert list(archive.names(MANIFESTS)) == []
    assert list(problems(archive, None)) == []
    kept(home, archive)
    assert list(problems(archive, None)) == []
    restore(archive, tmp_path / "back", None)
    assert tree(tmp_path / "back") == contents(home)
    assert not list((tmp_path / "archive").rglob(".*"))


def test_an_archive_that_was_changed(home: Home, archive: FolderArchive, tmp_path: Path) -> None:
    """A byte, a manifest that is gone, one by somebody else, another home's: nothing of it is restored."""
    for _ in range(3):
        kept(home, archive)
    place, ours, stranger = tmp_path / "archive", signer_of(home), Signer(b"s" * 32)
    listed = sorted((place / MANIFESTS).iterdir())
    whole = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    newest = f"{MANIFESTS}/{listed[2].name}"
    files = decode(whole[listed[2]], newest).files
    blob = place / file_name(files[-1].sha256)

    def add(files: tuple[File, ...], signer: Signer) -> None:
        raw = encode(Manifest(4, AT, newest, files, signer.public), signer)
        (place / name_of(4, raw)).write_bytes(raw)

    ways: list[tuple[str, Callable[[], object]]] = [
        ("does not follow", listed[1].unlink),
        ("not signed with the key", lambda: changed(listed[1], whole[listed[1]].replace(b"T04:", b"T05:"))),
        ("not signed with the key", lambda: changed(listed[1], whole[listed[2]])),
        ("is no manifest", lambda: changed(listed[1], b"{")),
        ("not signed with a key of", lambda: add(files, stranger)),
        ("not signed with a key of", lambda: add((), ours)),
        ("none of a home's journals", lambda: add((File("../x", 1, "0" * 64),), ours)),
        ("one twice", lambda: add((*files, files[0]), ours)),
        ("does not say whose", lambda: changed(place / BEGUN, b"{")),
        ("was changed", lambda: changed(blob, whole[blob][:-1]))]
    for said, act in ways:
        act()
        assert said in " ".join(problems(archive, None)), said
        with pytest.raises(StateError):
            restore(archive, tmp_path / "back", None)
        assert not (tmp_path / "back").exists()
        for path in [path for path in place.rglob("*") if path.is_file()]:
            path.unlink()
        for path, raw in whole.items():
            path.write_bytes(raw)
    assert list(problems(archive, None)) == []
    assert "first key is" in next(problems(archive, "abcd"))
    add(files, stranger)
    with pytest.raises(StateError, match="none of this home's"):
        kept(home, archive)


def changed(path: Path, raw: bytes) -> None:
    """Another file in its place."""
    path.unlink()
    path.write_bytes(raw)


def test_two_homes_do_not_mix(home: Home, archive: FolderArchive, tmp_path: Path) -> None:
    """Another home's archive is refused, and one is begun once."""
    other = Home(tmp_path / "other").prepare()
    write(other, 20)
    with pytest.raises(OperatorError, match="another home"):
        kept(other, archive)
    with pytest.raises(UsageError, match="already"):
        begin(other, archive, AT)
    kept(home, archive)
    assert owner(archive).key == signer_of(home).public


def test_a_folder_puts_once(tmp_path: Path) -> None:
    """The same bytes are the same; others are refused; names stay inside; what is no folder is said."""
    archive = FolderArchive(tmp_path)
    assert archive.put("a/b", b"x")
    assert not archive.put("a/b", b"x")
    with pytest.raises(StateError, match="something else"):
        archive.put("a/b", b"y")
    assert (archive.get("a/b"), archive.size("a/b"), archive.size("a/c")) == (b"x", 1, None)
    assert list(archive.names("a")) == ["a/b"]
    assert list(archive.names("c")) == []
    with pytest.raises(Missing):
        archive.get("a/c")
    for name in ("../x", "/x", "a//b", ".a", "a/.b", ""):
        with pytest.raises(Bug):
            archive.get(name)
    with pytest.raises(StateError, match="cannot be listed"):
        list(archive.names("a/b"))
    with pytest.raises(StateError, match="cannot be archived"):
        archive.put("a/b/c", b"x")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(StateError, match="cannot be looked at"):
        archive.size("loop/x")


def test_tidy_keeps_a_copy_or_says_in_a_line_why_not(home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
                                                     ) -> None:
    """A disk that is gone, and that nobody begun, is one line and status 3; the next day catches up."""
    place = tmp_path / "archive"
    (home.config / "vanta.toml").write_text(f'[archive]\nfolder = "{place}"\n')
    words = ["--home", str(home.root)]
    assert main(["tidy", *words]) == Exit.DONE
    assert "new, " in capsys.readouterr().out
    os.rename(place, tmp_path / "unplugged")
    for _ in range(2):
        assert main(["tidy", *words]) == Exit.PARTIAL
        said = [line for line in capsys.readouterr().err.splitlines() if "archive" in line]
        assert len(said) == 1
        assert "no archive was begun there" in said[0]
        place.mkdir(exist_ok=True)  # the mount point
    assert list(place.iterdir()) == []
    place.rmdir()
    os.rename(tmp_path / "unplugged", place)
    assert main(["tidy", *words]) == Exit.DONE
    assert main(["archive", "list", *words]) == Exit.DONE
    assert capsys.readouterr().out.count(" files, ") >= 2
    assert main(["archive", "verify", *words]) == Exit.DONE
    assert main(["archive", "restore", str(place), "--to", str(tmp_path / "back")]) == Exit.DONE
    assert main(["verify", "--home", str(tmp_path / "back")]) == Exit.DONE
    assert tree(tmp_path / "back") == contents(home)
    path = next(path for path in (place / "files").rglob("*") if path.is_file())
    path.unlink()
    assert main(["archive", "verify", *words]) == Exit.FAILED
    assert main(["archive", "restore", str(place), "--to", str(tmp_path / "again")]) == Exit.FAILED
    assert "nothing is restored" in capsys.readouterr().out


def test_an_archive_whose_end_was_taken_away_is_named(home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
                                                      ) -> None:
    """What is left is signed and whole by itself; the home knows what it kept. The round is made all the same."""
    place = tmp_path / "archive"
    (home.config / "vanta.toml").write_text(f'[archive]\nfolder = "{place}"\n')
    words = ["--home", str(home.root)]
    for day in (22, 23):
        write(home, day)
        assert main(["tidy", *words]) == Exit.DONE
    last = max((place / "manifests").iterdir())
    last.unlink()
    capsys.readouterr()
    assert main(["tidy", *words]) == Exit.PARTIAL
    assert f"manifests/{last.name}, which was kept there, is not there any more" in capsys.readouterr().err
    assert len(list((place / "manifests").iterdir())) == 2
    assert main(["tidy", *words]) == Exit.DONE


def test_a_restored_home_takes_nothing_away_and_reads_nothing_that_has_another_size(
        home: Home, archive: FolderArchive, tmp_path: Path) -> None:
    """What lies beside the new folder is somebody's; a file of the archive may have grown to any size."""
    made = kept(home, archive)
    (tmp_path / "back.part").mkdir()
    assert restore(archive, tmp_path / "back", None)[0] == made.name
    assert (tmp_path / "back.part").is_dir()
    path = next(path for path in (tmp_path / "archive" / "files").rglob("*") if path.is_file())
    path.chmod(0o640)
    os.truncate(path, 1 << 42)  # nothing of it is on the disk
    assert [one for one in problems(archive, None) if "was changed" in one]


def test_begin_is_a_command(home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says whose archive it is."""
    (tmp_path / "new").mkdir()
    assert main(["archive", "begin", "--home", str(home.root), "--folder", str(tmp_path / "new")]) == Exit.DONE
    assert fingerprint(signer_of(home).public) in capsys.readouterr().out
    assert (tmp_path / "new" / BEGUN).exists()
    assert main(["archive", "list", "--home", str(home.root)]) == Exit.CONFIG
    assert "no archive is configured" in capsys.readouterr().err


FULL = """
import sys
from pathlib import Path
from vanta.alpha.archives.folder import FolderArchive
from vanta.common.errors import StateError
files_end_at(1000)
try:
    FolderArchive(Path(sys.argv[1])).put("a/b", b"x" * 5000)
except StateError as error:
    print(error.what)
files_end_at(-1)
"""


def test_a_full_disk(tmp_path: Path) -> None:
    """One line, and nothing is left under the name."""
    said = run("import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n" + FILES_END_AT + FULL, str(tmp_path))
    assert "cannot be archived" in said
    assert tree(tmp_path) == {}
