"""A log that ends before a document that was made from it is not traded on."""

import json

import pytest

from vanta.common.errors import StateError
from vanta.common.paths import OPEN_ORDERS, PORTFOLIO
from vanta.common.store.inmemory import MemoryFiles, MemoryJournal
from vanta.common.store.ports import Head
from vanta.executor.anchors import FOLDS, insist


def log(records: int) -> Head:
    journal = MemoryJournal()
    for number in range(records):
        journal.append("program.started", {"number": number}, at="2026-11-20T15:00:00.000Z")
    return journal.head()


def document(head: Head) -> bytes:
    return json.dumps({"as_of_seq": head.seq, "as_of_hash": head.hash}).encode()


@pytest.mark.parametrize("made_from", [0, 1, 3])
def test_documents_may_be_behind_their_log(made_from: int) -> None:
    """A crash between record and document leaves an older one; it is written anew."""
    insist(MemoryFiles({name: document(log(made_from)) for name in FOLDS}), log(3))


@pytest.mark.parametrize("name", FOLDS)
@pytest.mark.parametrize("left", [0, 2])
def test_a_log_that_ends_before_a_document_was_cut(name: str, left: int) -> None:
    """Deleted, or restored from an older copy: every document by itself tells, and says what to do."""
    with pytest.raises(StateError, match=f"{name} was made from record 3") as caught:
        insist(MemoryFiles({name: document(log(3))}), log(left))
    assert "Put the complete log back" in caught.value.cure


def test_another_log_of_the_same_length_is_not_the_one() -> None:
    """The hash of the record counts, not only its number."""
    other = log(3)._replace(hash="f" * 64)
    with pytest.raises(StateError, match="another record 3"):
        insist(MemoryFiles({PORTFOLIO: document(log(3))}), other)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"{}", b'{"as_of_seq": "x", "as_of_hash": ""}'])
def test_a_document_that_cannot_be_read_says_nothing(raw: bytes) -> None:
    """Folds are remade; a broken one must not keep an executor from its log."""
    insist(MemoryFiles({OPEN_ORDERS: raw}), log(1))


def test_a_new_home_has_neither() -> None:
    """Nothing published, nothing logged."""
    insist(MemoryFiles(), log(0))
