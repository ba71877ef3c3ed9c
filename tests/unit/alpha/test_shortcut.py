"""The state that the executor would start from is verified as the fold of its log, like its documents."""

from contextlib import closing
from pathlib import Path

import pytest

import vanta.common
import vanta.executor.core
from tests.unit.alpha.homes import busy, on_disk
from vanta.alpha.core.verification import Finding
from vanta.alpha.verifier import Verifier
from vanta.common.canonical import sha256
from vanta.common.exitcodes import Check
from vanta.common.paths import TRADE_LOG, Home
from vanta.common.resources import code_of
from vanta.common.signing_key import signer_of
from vanta.common.store.journal import FileJournal
from vanta.common.store.ports import Head
from vanta.executor.core.book import Book
from vanta.executor.core.state import dump, name_of

AT = "2026-11-18T16:00:00.000Z"
CODE = code_of(vanta.executor.core, vanta.common)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A busy morning's home, without a state."""
    return on_disk(busy(), tmp_path / "home")


def kept(home: Home, raw: bytes) -> str:
    """Put a state there and let a checkpoint name it. Returns its digest."""
    digest = sha256(raw)
    with closing(FileJournal(home.file(TRADE_LOG), signer=signer_of(home))) as journal:
        journal.checkpoint(at=AT, state=digest)
    home.file(name_of(digest)).write_bytes(raw)
    return digest


def state(home: Home, upto: int, *, code: str = CODE, without: int = 0) -> bytes:
    """The book at a record, as it was or without what one record did to it."""
    book, size = Book(), 0
    lines = home.file(TRADE_LOG).read_bytes().splitlines(keepends=True)
    with closing(FileJournal(home.file(TRADE_LOG))) as journal:
        for line, record in zip(lines[:upto], journal.read(), strict=False):
            if record.seq != without:
                book.apply(record)
            size += len(line)
    return dump(book, Head(book.seq, book.hash, size), code=code)


def found(home: Home) -> Finding:
    """What verification says about the state."""
    return next(one for one in Verifier(home).run() if one.file.endswith(".state"))


def test_a_state_is_the_fold_at_its_record(home: Home) -> None:
    """At the end of the log or before it."""
    for upto in (20, 40):
        kept(home, state(home, upto))
        assert (found(home).level, found(home).text) == (Check.OK, f"is the fold up to record {upto}")


def test_a_state_that_is_not_the_fold_is_found(home: Home) -> None:
    """Signed and whole, but a latch or a quote is missing in it: the executor would start from it."""
    quote = next(record.seq for record in busy().journal.read() if record.kind == "quote.seen")
    kept(home, state(home, 40, without=quote))
    assert (found(home).level, found(home).text) == (Check.CRITICAL, "is not the fold of the log at record 40")


def test_a_state_of_a_log_that_goes_on_otherwise_is_found(home: Home) -> None:
    """It was taken at a record that the log does not have any more, or that lies behind a break."""
    raw = state(home, 40)
    with closing(FileJournal(home.file(TRADE_LOG), signer=signer_of(home))) as journal:
        journal.checkpoint(at=AT, state=sha256(raw))
    home.file(name_of(sha256(raw))).write_bytes(raw)
    lines = home.file(TRADE_LOG).read_bytes().splitlines(keepends=True)
    home.file(TRADE_LOG).write_bytes(b"".join(lines[:30]))
    assert found(home).level is Check.CRITICAL
    home.file(TRADE_LOG).write_bytes(b"".join([*lines[:30], lines[30].replace(b'"seq":31', b'"seq":32'), *lines[31:]]))
    assert found(home).level is Check.UNKNOWN


def test_a_state_is_only_a_shortcut(home: Home) -> None:
    """Gone, of other code, or of a form that is not read here: the whole log is folded, and nothing is wrong."""
    digest = kept(home, state(home, 40, code="old"))
    assert (found(home).level, "other code" in found(home).text) == (Check.OK, True)
    home.file(name_of(digest)).unlink()
    assert (found(home).level, "is gone" in found(home).text) == (Check.OK, True)
    kept(home, b"\x80")
    assert (found(home).level, "other code" in found(home).text) == (Check.OK, True)


def test_a_rotten_state_is_found(home: Home) -> None:
    """The start would pass it over; somebody should know all the same."""
    digest = kept(home, state(home, 40))
    home.file(name_of(digest)).write_bytes(b"rotten")
    assert (found(home).level, found(home).text) == (Check.CRITICAL, "is not what a checkpoint names")
