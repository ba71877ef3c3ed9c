"""Noticing changes: what `changed` says is true without any hint; a hint only ends a wait early."""

import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vanta.common.store import atomic
from vanta.common.store.tail import FileTail


@pytest.fixture
def tail(tmp_path: Path) -> Iterator[FileTail]:
    """A tail of two files that do not exist yet, without hints."""
    tail = FileTail([tmp_path / "a.json", tmp_path / "b.json"], hints=False)
    yield tail
    tail.close()


def test_nothing_there_is_nothing_new(tail: FileTail) -> None:
    """Files that do not exist have not changed."""
    assert tail.changed() == []


def test_each_change_is_seen_once(tail: FileTail, tmp_path: Path) -> None:
    """Creation, replacement and removal each show up in exactly one look."""
    a, b = tmp_path / "a.json", tmp_path / "b.json"
    atomic.replace(b, b"1")
    assert tail.changed() == [b]
    assert tail.changed() == []
    atomic.replace(b, b"2")
    atomic.replace(a, b"1")
    assert tail.changed() == [a, b]
    a.unlink()
    assert tail.changed() == [a]
    assert tail.changed() == []


def test_rewriting_in_place_is_a_change(tail: FileTail, tmp_path: Path) -> None:
    """An editor that truncates and writes keeps the inode; size or time give it away."""
    a = tmp_path / "a.json"
    a.write_bytes(b"1")
    tail.changed()
    a.write_bytes(b"12")
    assert tail.changed() == [a]
    os.utime(a, ns=(1, 1))
    assert tail.changed() == [a]


def test_a_time_that_was_put_back_does_not_hide_a_change(tail: FileTail, tmp_path: Path) -> None:
    """What copies files sets their time of change as it likes; the inode's own time it cannot set."""
    a = tmp_path / "a.json"
    a.write_bytes(b"1")
    tail.changed()
    before = a.stat()
    while a.stat().st_ctime_ns == before.st_ctime_ns:  # on some systems the clock of files is coarse
        a.write_bytes(b"2")
        os.utime(a, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert tail.changed() == [a]


def test_existing_files_are_new_at_first(tmp_path: Path) -> None:
    """A program that starts looks at what is already there."""
    atomic.replace(tmp_path / "a.json", b"1")
    tail = FileTail([tmp_path / "a.json"], hints=False)
    assert tail.changed() == [tmp_path / "a.json"]


def test_changes_are_found_without_any_hint(tail: FileTail, tmp_path: Path) -> None:
    """A wait that no hint ends says so, and the change is found all the same."""
    atomic.replace(tmp_path / "a.json", b"1")
    assert tail.wait(0.001) is False
    assert tail.changed() == [tmp_path / "a.json"]


@pytest.fixture
def hinted(tmp_path: Path) -> Iterator[FileTail]:
    """A tail of two files that are there and were looked at, with hints."""
    (tmp_path / "a.json").write_bytes(b"1")
    (tmp_path / "b.json").write_bytes(b"1")
    tail = FileTail([tmp_path / "a.json", tmp_path / "b.json"])
    tail.changed()
    yield tail
    tail.close()
    tail.close()


@pytest.mark.parametrize("change", [
    lambda path: atomic.replace(path, b"2"), lambda path: path.write_bytes(b"2"), lambda path: path.unlink(),
    lambda path: path.rename(path.with_name("c.json"))], ids=["replaced", "written", "removed", "moved away"])
def test_hint_ends_a_wait(hinted: FileTail, tmp_path: Path, change: Callable[[Path], object]) -> None:
    """Where the system gives hints, a file that changes in whatever way ends the wait."""
    change(tmp_path / "a.json")
    assert hinted.wait(60) is True
    assert hinted.changed() == [tmp_path / "a.json"]
    assert hinted.changed() == []


def test_other_files_of_the_folder_end_no_wait(hinted: FileTail, tmp_path: Path) -> None:
    """Documents are written beside temporary files and the documents of others."""
    atomic.replace(tmp_path / "aa.json", b"1")
    (tmp_path / "a.json.tmp").write_bytes(b"1")
    (tmp_path / "a").mkdir()
    assert hinted.wait(0.01) is False
    assert hinted.changed() == []


def test_others_that_never_rest_do_not_keep_a_wait_from_ending(hinted: FileTail, tmp_path: Path) -> None:
    """The time is up when it is up."""
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            (tmp_path / "other").write_bytes(b"1")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert hinted.wait(0.1) is False
    finally:
        done.set()
        writer.join()


def test_a_hinted_file_counts_as_changed_even_if_it_looks_the_same(hinted: FileTail, tmp_path: Path) -> None:
    """Two writes of the same length within a tick of the clock leave the same traces; here, a write of nothing."""
    before = (tmp_path / "b.json").stat()
    os.close(os.open(tmp_path / "b.json", os.O_WRONLY))
    after = (tmp_path / "b.json").stat()
    assert (after.st_ino, after.st_size, after.st_mtime_ns, after.st_ctime_ns) == \
        (before.st_ino, before.st_size, before.st_mtime_ns, before.st_ctime_ns)
    assert hinted.changed() == [tmp_path / "b.json"]
    assert hinted.changed() == []


def test_where_hints_were_lost_every_file_may_have_changed(hinted: FileTail, tmp_path: Path) -> None:
    """A full queue forgets what it was told; it says only that it did."""
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    for name in ("x", "y"):
        (tmp_path / name).touch()
    for _ in range(most // 2 + 1):  # equal hints in a row are one: two files take turns
        for name in ("x", "y"):
            os.close(os.open(tmp_path / name, os.O_WRONLY))
    assert hinted.changed() == [tmp_path / "a.json", tmp_path / "b.json"]
    assert hinted.changed() == []


def test_a_folder_that_goes_away_ends_a_wait(tmp_path: Path) -> None:
    """Its watch ends with it; from then on polling has to do."""
    folder = tmp_path / "home"
    folder.mkdir()
    tail = FileTail([folder / "a.json"])
    shutil.rmtree(folder)
    assert tail.wait(60) is True
    folder.mkdir()
    atomic.replace(folder / "a.json", b"1")
    tail.changed()
    atomic.replace(folder / "a.json", b"2")
    assert tail.wait(0.001) is False
    assert tail.changed() == [folder / "a.json"]
    tail.close()


def test_wake_ends_a_wait_from_another_thread(tail: FileTail) -> None:
    """A signal handler or another thread can end a wait."""
    waker = threading.Thread(target=tail.wake)
    waker.start()
    assert tail.wait(60) is True
    waker.join()
    assert tail.wait(0.001) is False


def test_a_signal_ends_a_wait(tail: FileTail) -> None:
    """Through the interpreter's own wake-up, after the handler ran."""
    seen: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: seen.append(number))
    previous = signal.set_wakeup_fd(tail.wake_fd)
    try:
        sender = threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGUSR1))
        sender.start()
        assert tail.wait(60) is True
        assert seen == [signal.SIGUSR1]
        sender.join()
    finally:
        signal.set_wakeup_fd(previous)
        signal.signal(signal.SIGUSR1, before)


def test_any_number_of_wakes_is_one(tail: FileTail) -> None:
    """Whoever wakes never waits himself."""
    for _ in range(100_000):
        tail.wake()
    while tail.wait(0.001):
        pass
    tail.wake()
    assert tail.wait(60) is True


def test_folder_that_cannot_be_watched(tmp_path: Path) -> None:
    """Without a watch polling goes on: the folder may even come later."""
    tail = FileTail([tmp_path / "later" / "a.json"])
    (tmp_path / "later").mkdir()
    atomic.replace(tmp_path / "later" / "a.json", b"1")
    assert tail.changed() == [tmp_path / "later" / "a.json"]
    tail.close()
