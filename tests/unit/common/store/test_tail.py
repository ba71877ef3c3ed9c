"""Noticing changes: what `changed` says is true without any hint; a hint only ends a wait early."""

import os
import threading
from collections.abc import Iterator
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


def test_hint_ends_a_wait(tmp_path: Path) -> None:
    """Where the system gives hints, a replaced file ends the wait."""
    tail = FileTail([tmp_path / "a.json"])
    try:
        atomic.replace(tmp_path / "a.json", b"1")
        assert tail.wait(60) is True
        assert tail.changed() == [tmp_path / "a.json"]
    finally:
        tail.close()
        tail.close()


def test_wake_ends_a_wait_from_another_thread(tail: FileTail) -> None:
    """A signal handler or another thread can end a wait."""
    waker = threading.Thread(target=tail.wake)
    waker.start()
    assert tail.wait(60) is True
    waker.join()
    assert tail.wait(0.001) is False


def test_folder_that_cannot_be_watched(tmp_path: Path) -> None:
    """Without a watch polling goes on: the folder may even come later."""
    tail = FileTail([tmp_path / "later" / "a.json"])
    (tmp_path / "later").mkdir()
    atomic.replace(tmp_path / "later" / "a.json", b"1")
    assert tail.changed() == [tmp_path / "later" / "a.json"]
    tail.close()
