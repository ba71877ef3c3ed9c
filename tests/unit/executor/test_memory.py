"""States of the book: a shortcut that a start takes where it may, and does without where it may not."""

import os
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest

from tests.unit.executor.core.test_state import differs
from vanta.common.canonical import sha256
from vanta.common.clock import ManualClock
from vanta.common.errors import StateError
from vanta.common.events import Kind
from vanta.common.paths import TRADE_LOG, Home
from vanta.common.resources import code_of
from vanta.common.settings import Settings
from vanta.common.signatures import Signer
from vanta.common.signing_key import signer_of
from vanta.common.store.chain import START
from vanta.common.store.checkpoint import FOLDER
from vanta.common.store.files import FolderFiles
from vanta.common.store.journal import FileJournal
from vanta.executor.core.book import Book
from vanta.executor.core.state import name_of
from vanta.executor.memory import EVERY, WORTH, Keeper, recall
from vanta.executor.recorder import Recorder
from vanta.executor.recovery import fold, opening
from vanta.executor.wire import build

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
AT = "2026-11-20T15:00:00.000Z"
CODE = "c0de"


def journal(folder: Path) -> FileJournal:
    """The trade log in a folder, signed."""
    return FileJournal(folder / "trade_log.jsonl", signer=Signer(b"k" * 32))


def write(recorder: Recorder, count: int) -> None:
    """Records that the book remembers."""
    for _ in range(count):
        recorder.put(Kind.CONTROL_SEEN, {"what": f"x{recorder.book.seq}", "sha256": "0" * 64}, now=NOW)


@pytest.fixture
def files(tmp_path: Path) -> FolderFiles:
    """The folder's documents; its log has 12 records and a state at record 8."""
    found = FolderFiles(tmp_path)
    with closing(journal(tmp_path)) as log:
        recorder = Recorder(log, Book())
        recorder.put(Kind.JOURNAL_OPENED, opening("abcdef", "test"), now=NOW)
        keeper = Keeper(recorder, found, CODE, every=8, worth=4)
        write(recorder, 7)
        assert keeper.when_idle(NOW)
        write(recorder, 4)
    return found


def started(folder: Path, code: str = CODE) -> Recorder:
    """As a start finds the book: the state that it may use, and what came after it."""
    with closing(journal(folder)) as log:
        recorder = Recorder(log, *recall(log, FolderFiles(folder), code))
        fold(recorder)
    return recorder


def whole(folder: Path) -> Book:
    """The fold of everything."""
    with closing(FileJournal(folder / "trade_log.jsonl")) as log:
        recorder = Recorder(log, Book())
        fold(recorder)
    return recorder.book


def test_a_start_takes_the_state_and_what_came_after_it(files: FolderFiles) -> None:
    """The book is that of the whole log, though the records before were not looked at."""
    found = started(files.folder)
    assert (found.begins.seq, found.book.seq) == (8, 12)
    assert found.found_until == AT
    assert differs(whole(files.folder), found.book) == ""


def test_a_state_is_made_when_it_is_worth_it(files: FolderFiles) -> None:
    """Seldom while running, sooner at rest; a new one takes the place of the one before."""
    with closing(journal(files.folder)) as log:
        recorder = Recorder(log, *recall(log, files, CODE))
        fold(recorder)
        keeper = Keeper(recorder, files, CODE, every=8, worth=4)
        before = log.state
        assert not keeper.when_idle(NOW)
        assert keeper.at_rest(NOW)
        assert not keeper.at_rest(NOW)
        assert log.state != before
        write(recorder, 3)
        assert not keeper.at_rest(NOW)
    assert [path.name for path in (files.folder / FOLDER).glob("book-*")] == [name_of(str(log.state)).split("/")[1]]
    assert started(files.folder).begins.seq == 12


def test_a_state_that_cannot_be_written_stops_nothing(files: FolderFiles) -> None:
    """The next start takes longer; it is said, and tried again after as many records more."""
    with closing(journal(files.folder)) as log:
        recorder = Recorder(log, *recall(log, files, CODE))
        fold(recorder)
        full = FolderFiles(files.folder / "nowhere")
        keeper = Keeper(recorder, full, CODE, every=8, worth=4)
        before = log.state
        assert not keeper.at_rest(NOW)
        assert "cannot be written" in keeper.problem
        assert not keeper.at_rest(NOW)
        assert log.state == before
        write(recorder, 4)
        (files.folder / "nowhere" / FOLDER).mkdir(parents=True)
        assert keeper.at_rest(NOW)
        assert keeper.problem == ""


def state_of(files: FolderFiles) -> Path:
    """The file of the newest state."""
    return next((files.folder / FOLDER).glob("book-*"))


def rot(path: Path) -> None:
    """One byte is another."""
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


def forge(path: Path) -> None:
    """A whole state of another log under a name of its own; nobody signed for it."""
    other = path.read_bytes().replace(b"abcdef", b"foobar")
    path.with_name(Path(name_of(sha256(other))).name).write_bytes(other)
    path.unlink()


@pytest.mark.parametrize("spoil", [Path.unlink, rot, forge, lambda path: os.truncate(path, 20)],
                         ids=["gone", "rotten", "another", "cut"])
def test_without_a_state_that_was_signed_for_the_whole_log_is_folded(files: FolderFiles, spoil: object) -> None:
    """It is a shortcut and never the truth."""
    spoil(state_of(files))  # type: ignore[operator]
    found = started(files.folder)
    assert found.begins == START
    assert differs(whole(files.folder), found.book) == ""


def test_a_state_of_other_code_is_not_used(files: FolderFiles) -> None:
    """What a record does to the book may have changed."""
    assert started(files.folder, code="other").begins == START


def test_a_state_of_a_log_that_was_changed_there_stops_the_start(files: FolderFiles) -> None:
    """The line where the state ends is looked at, in a log of any size."""
    log = files.folder / "trade_log.jsonl"
    raw = log.read_bytes()
    with closing(journal(files.folder)) as opened:
        lines = raw.splitlines(keepends=True)
        log.write_bytes(b"".join([*lines[:7], lines[7].replace(b"x7", b"y7"), *lines[8:]]))
        with pytest.raises(StateError, match="is not the end of record 8 as a checkpoint has it"):
            fold(Recorder(opened, *recall(opened, files, CODE)))


def test_an_executor_keeps_states_and_starts_from_them(tmp_path: Path) -> None:
    """The real composition root: at a start on a long log, at an orderly stop, and what it says."""
    home, clock = Home(tmp_path).prepare(), ManualClock(NOW)
    with closing(FileJournal(home.file(TRADE_LOG), signer=signer_of(home))) as log:
        recorder = Recorder(log, Book())
        recorder.put(Kind.JOURNAL_OPENED, opening("abcdef", "test"), now=NOW)
        write(recorder, EVERY)
    said = []
    for more in (0, WORTH, 0):
        built = build(home, Settings(), clock)
        said.append(built.recovered.split(", ")[0])
        write(built.executor.recorder, more)
        built.executor.step()
        built.executor.close()
    assert said[0] == f"folded {EVERY + 1:,} records"
    assert said[1].startswith("took up the state at record 100,0")
    assert said[2].startswith("took up the state at record 110,0")
    assert len(list((home.memory / FOLDER).glob("book-*"))) == 1


def test_code_is_named_by_all_of_its_source(tmp_path: Path) -> None:
    """Any change of any file, or another name for it, is other code."""
    package = ModuleType("package")
    package.__file__ = str(tmp_path / "__init__.py")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.py").write_text("1")
    names = {code_of(package)}
    (tmp_path / "sub" / "a.py").write_text("2")
    names.add(code_of(package))
    (tmp_path / "sub" / "a.py").rename(tmp_path / "sub" / "b.py")
    names.add(code_of(package))
    assert len(names) == 3
