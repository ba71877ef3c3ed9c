"""Documents: read strictly with the hash of their very bytes, written with a header, never empty by accident."""

from pathlib import Path

import pytest

from vanta.common.canonical import sha256
from vanta.common.errors import BadInput, Missing, StateError
from vanta.common.models.quotes import MarketQuotes
from vanta.common.models.vault import VaultRegistry
from vanta.common.store import document
from vanta.common.store.files import FolderFiles
from vanta.common.store.inmemory import MemoryFiles

STAMP = document.Stamp(revision=3, at="2026-01-02T03:04:05.000Z", by="test 1")
FIELDS = {"now": "2026-01-02T03:04:05.000Z", "quotes": {}}


def test_saved_document_loads_with_its_header() -> None:
    """What `save` wrote is what `load` gives, and the hash is of the bytes in the file."""
    files = MemoryFiles()
    raw = document.save(files, "market_quotes.json", FIELDS, STAMP)
    loaded = document.load(files, "market_quotes.json", MarketQuotes)
    assert files.read("market_quotes.json") == raw == loaded.raw == document.render(FIELDS, STAMP)
    assert loaded.sha256 == sha256(raw)
    assert (loaded.value.revision, loaded.value.written_by, loaded.value.schema_version) == (3, "test 1", 1)


def test_header_comes_first() -> None:
    """A person who opens the file sees revision, time and program at the top."""
    lines = document.render(FIELDS, STAMP).decode().splitlines()
    keys = [line.split(":")[0].strip('"') for line in lines[1:5]]
    assert keys == ["schema_version", "revision", "written_at", "written_by"]


def test_missing_is_not_empty() -> None:
    """A missing document is an error where it must exist and `None` where it need not."""
    with pytest.raises(Missing):
        document.load(MemoryFiles(), "vault.json", VaultRegistry)
    assert document.load_if_any(MemoryFiles(), "vault.json", VaultRegistry) is None


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b'{"vaults": [], "vaults": []}', b'{"vaults": {}}'])
def test_unreadable_is_not_empty(raw: bytes) -> None:
    """A document that exists but does not parse or validate is an error, also where it need not exist."""
    with pytest.raises(BadInput, match=r"vault\.json"):
        document.load_if_any(MemoryFiles({"vault.json": raw}), "vault.json", VaultRegistry)


def test_dangling_link_counts_as_existing(tmp_path: Path) -> None:
    """A link to nowhere is not "no such file": reading it says what it is."""
    (tmp_path / "vault.json").symlink_to(tmp_path / "nowhere")
    with pytest.raises(StateError, match="ELOOP"):
        document.load_if_any(FolderFiles(tmp_path), "vault.json", VaultRegistry)
