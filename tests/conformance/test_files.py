"""One suite for every adapter of the `Files` port."""

from pathlib import Path

import pytest

from vanta.common.errors import Missing, StateError
from vanta.common.store.files import FolderFiles
from vanta.common.store.inmemory import MemoryFiles
from vanta.common.store.ports import Files
from vanta.common.store.storage import RELAXED


class FilesSuite:
    """What every adapter has to do. Subclasses give `files`."""

    def test_missing_is_an_error(self, files: Files) -> None:
        """A file that does not exist is never read as an empty one."""
        assert not files.exists("vault.json")
        with pytest.raises(Missing, match=r"vault\.json does not exist"):
            files.read("vault.json")

    def test_replace_then_read(self, files: Files) -> None:
        """What was put there last is read back, byte for byte."""
        files.replace("vault.json", b"one")
        files.replace("vault.json", b"\x00two\n")
        assert files.exists("vault.json")
        assert files.read("vault.json") == b"\x00two\n"

    def test_a_file_that_is_too_large_is_an_error(self, files: Files) -> None:
        """Whoever reads says how much it takes; a byte more, and nothing of it is read."""
        files.replace("autotrade_queue.json", b"x" * 8)
        assert files.read("autotrade_queue.json", max_bytes=8) == b"x" * 8
        with pytest.raises(StateError, match="8 bytes; at most 7 are read"):
            files.read("autotrade_queue.json", max_bytes=7)

    def test_empty_file_exists(self, files: Files) -> None:
        """An empty file is a file."""
        files.replace("vault.json", b"")
        assert files.exists("vault.json")
        assert files.read("vault.json") == b""

    def test_read_from_gives_the_rest(self, files: Files) -> None:
        """A growing file can be read on from where the last look ended; its end is an empty rest."""
        files.replace("trade_log.jsonl", b"one\ntwo\n")
        assert files.read_from("trade_log.jsonl", 0) == b"one\ntwo\n"
        assert files.read_from("trade_log.jsonl", 4) == b"two\n"
        assert files.read_from("trade_log.jsonl", 8) == b""

    def test_read_from_a_file_that_was_cut(self, files: Files) -> None:
        """A file that is shorter than what was read of it before is an error, not an empty rest."""
        files.replace("trade_log.jsonl", b"one\n")
        with pytest.raises(StateError, match="fewer than the 8"):
            files.read_from("trade_log.jsonl", 8)
        with pytest.raises(Missing):
            files.read_from("absent.jsonl", 0)

    def test_names_are_independent(self, files: Files) -> None:
        """Replacing one file leaves the others alone."""
        files.replace("a.json", b"a")
        files.replace("b.json", b"b")
        assert files.read("a.json") == b"a"

    def test_remove_says_whether_there_was_something(self, files: Files) -> None:
        """Removing twice is no error; the second time there was nothing."""
        files.replace("dispatch.permit", b"x")
        assert files.remove("dispatch.permit") is True
        assert files.remove("dispatch.permit") is False
        assert not files.exists("dispatch.permit")


class TestFolderFiles(FilesSuite):
    """The file adapter."""

    @pytest.fixture
    def files(self, tmp_path: Path) -> Files:
        """An empty folder."""
        return FolderFiles(tmp_path)


class TestRelaxedFiles(FilesSuite):
    """The file adapter of runs that can be made again."""

    @pytest.fixture
    def files(self, tmp_path: Path) -> Files:
        """An empty folder."""
        return RELAXED.files(tmp_path)


class TestMemoryFiles(FilesSuite):
    """The in-memory twin."""

    @pytest.fixture
    def files(self) -> Files:
        """An empty dict."""
        return MemoryFiles()


def test_twin_starts_with_given_contents() -> None:
    """The twin can be handed a ready state."""
    assert MemoryFiles({"vault.json": b"{}"}).read("vault.json") == b"{}"
