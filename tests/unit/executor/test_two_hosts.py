"""Two executors that could each believe to be the only one: another home's queue, and a home that was copied."""

from tests.unit.executor.test_memory import NOW
from tests.unit.executor.world import HEADER, World
from vanta.common.canonical import document
from vanta.common.paths import QUEUE
from vanta.common.reasons import Reason
from vanta.common.store.inmemory import MemoryJournal
from vanta.common.times import iso
from vanta.executor.core.book import Book
from vanta.executor.recorder import Recorder
from vanta.executor.recovery import open_journal


def staged_for(world: World, home: str) -> None:
    """The world's queue, made from the portfolio of a home."""
    world.files.replace(QUEUE, document({**HEADER, "home": home, "now": iso(world.clock.now()),
                                         "intents": world.intents, "withdrawals": []}))


def test_a_queue_that_rests_on_another_home_s_books_is_not_read() -> None:
    """Two executors that see one queue would each send every order; the one that it was made for does."""
    world = World()
    world.quote("equity:AAPL", "200")
    intent_id = world.want("equity:AAPL", "1000")
    staged_for(world, "foobar")
    report = world.step()
    assert (report.seen, world.book.intents) == (0, {})
    assert f"is for the executor of home foobar, this is home {world.book.home}" in report.problems[QUEUE]
    staged_for(world, world.book.home)
    report = world.step()
    assert QUEUE not in report.problems
    assert world.state(intent_id) == "filled"


def started(journal: MemoryJournal, host: str) -> tuple[Book, str]:
    """An executor's start on this log on a host."""
    recorder = Recorder(journal, Book())
    said = open_journal(recorder, [], program="test", details={"host": host}, now=NOW)
    return recorder.book, said


def test_a_home_that_wakes_up_on_another_host_latches() -> None:
    """Its copy may be running: both bear the same name, and each would send the other's orders again."""
    journal = MemoryJournal()
    assert not started(journal, "a" * 16)[0].latches
    assert not started(journal, "a" * 16)[0].latches
    book, said = started(journal, "b" * 16)
    latch = next(iter(book.latches.values()))
    assert (latch["code"], latch["vault"], latch["exits"]) == (Reason.HOST_CHANGED, None, False)
    assert (latch["value"], latch["limit"]) == ("b" * 16, "a" * 16)
    assert "another host wrote the log before" in said
    assert [record.kind for record in journal.read()][-2:] == ["latch.set", "program.started"]
    assert len(started(journal, "a" * 16)[0].latches) == 1


def test_a_host_without_a_name_is_no_other_host() -> None:
    """A container may have none; what was known is remembered."""
    journal = MemoryJournal()
    for host in ("", "a" * 16, "", "a" * 16):
        assert not started(journal, host)[0].latches
    assert started(journal, "b" * 16)[0].latches
