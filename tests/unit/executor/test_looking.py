"""What is looked at again although nothing was recorded meanwhile: time alone changes it, or a file came back."""

from datetime import timedelta
from pathlib import Path

from tests.unit.executor.world import HEADER, INSTRUMENTS, OPEN, World
from vanta.common.canonical import document
from vanta.common.paths import MARKET_QUOTES, QUEUE
from vanta.common.store.files import FolderFiles
from vanta.common.store.inmemory import MemoryJournal, MemorySnapshots
from vanta.common.times import iso
from vanta.executor.core.book import Book
from vanta.executor.observe import Observer
from vanta.executor.recorder import Recorder


def test_a_quote_from_the_future_counts_when_its_time_has_come() -> None:
    """It is reported until then, and recorded afterwards without anything else having moved."""
    world = World()
    world.want("equity:AAPL", "1000")
    world.quote("equity:AAPL", "200.00", at=iso(OPEN + timedelta(seconds=30)))
    world.step()
    world.step()
    assert "equity:AAPL" not in world.book.quotes
    assert f"{MARKET_QUOTES}#equity:AAPL" in world.executor.step().problems
    report = world.step(seconds=30)
    assert world.book.quotes["equity:AAPL"].last == 200
    assert not report.problems


def test_a_quote_is_recorded_once_somebody_wants_it() -> None:
    """The file is the same as before; what is wanted is not."""
    world = World()
    world.quote("equity:AAPL", "200.00")
    world.step()
    world.step()
    assert not world.book.quotes
    world.want("equity:AAPL", "1000")
    world.step()
    assert world.book.quotes["equity:AAPL"].last == 200


def test_a_day_opens_although_nothing_has_happened_since_the_one_before() -> None:
    """The loss of the day is measured from its own opening."""
    world = World()
    world.step()
    seq = world.book.seq
    world.step()
    assert world.book.seq == seq
    world.step(seconds=86_400)
    assert world.book.vaults["V_CORE"].day == iso(OPEN + timedelta(days=1))[:10]
    assert world.kinds().count("day.opened") == 2


def test_a_file_that_comes_back_as_it_was_is_no_problem_any_more(tmp_path: Path) -> None:
    """Missing, then a folder in its place, then the same bytes; bad bytes stay a problem while they lie there."""
    observer = Observer(Recorder(MemoryJournal(), Book()), FolderFiles(tmp_path), MemorySnapshots(),
                        lambda: INSTRUMENTS)
    path = tmp_path / QUEUE
    good = document({**HEADER, "now": iso(OPEN), "intents": [], "withdrawals": []})
    path.write_bytes(good)
    observer.queue(OPEN)
    assert not observer.problems
    path.unlink()
    observer.queue(OPEN)
    assert "does not exist" in observer.problems[QUEUE]
    path.write_bytes(good)
    observer.queue(OPEN)
    assert not observer.problems
    path.unlink()
    path.mkdir()
    observer.queue(OPEN)
    assert "not a regular file" in observer.problems[QUEUE]
    path.rmdir()
    path.write_bytes(good)
    observer.queue(OPEN)
    assert not observer.problems
    for _ in range(2):
        path.write_bytes(b"{")
        observer.queue(OPEN)
        assert QUEUE in observer.problems
