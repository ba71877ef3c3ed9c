"""Whether what a step read was written by the step before it."""

from typing import Any

from vanta.alpha.core.links import Unwritten, Written
from vanta.common.paths import ALLOCATION, QUEUE, TRADE_SIGNALS
from vanta.common.store.inmemory import MemoryJournal
from vanta.common.store.ports import Record

NEWS = "news_signals.json"


def record(kind: str, payload: dict[str, Any], at: str = "t5") -> Record:
    """One record by itself."""
    return MemoryJournal().append(kind, payload, at=at)


def written() -> Written:
    """Three versions of one file and one of another."""
    said = Written()
    for at, digest in (("t1", "a"), ("t4", "b"), ("t9", "c")):
        said.note(iter([(NEWS, digest)]), at)
    said.note(iter([(TRADE_SIGNALS, "s"), (QUEUE, "q"), (ALLOCATION, "x")]), "t1")
    return said


def test_any_recorded_version_may_have_been_read() -> None:
    """A pass that was cut off leaves an older one in place, and a clock may have been set back."""
    for digest in "abc":
        assert list(written().unwritten(record("reflected", {"cause": {"inputs": {"news": digest}}}))) == []


def test_another_version_is_held_against_that_of_its_time() -> None:
    """Which of the recorded ones stood there then."""
    for at, last in (("t0", "a"), ("t2", "a"), ("t5", "b"), ("t9", "c")):
        forged = record("reflected", {"cause": {"inputs": {"news": "z"}}}, at)
        assert list(written().unwritten(forged)) == [Unwritten(NEWS, "z", last)]


def test_a_file_that_nobody_wrote_has_no_version() -> None:
    """The log of its writer is not there."""
    read = record("reflected", {"cause": {"inputs": {"sec": "z"}}})
    assert list(written().unwritten(read)) == [Unwritten("sec_signals.json", "z", None)]


def test_a_pass_goes_on_from_what_a_pass_wrote() -> None:
    """The first one goes on from nothing."""
    def of(before: str | None) -> list[Unwritten]:
        said = {"inputs": {"previous": before}, "output": {"file": NEWS}}
        return list(written().unwritten(record("collected", said)))

    assert (of(None), of("a"), of("z")) == ([], [], [Unwritten(NEWS, "z", "b")])


def test_a_promotion_rests_on_reflections_and_on_itself() -> None:
    """What people and the executor write is not asked about here."""
    inputs = {TRADE_SIGNALS: "s", QUEUE: "q", ALLOCATION: "z", "vault.json": "v", "portfolio.json": "p"}
    assert list(written().unwritten(record("promoted", {"inputs": inputs}))) == [Unwritten(ALLOCATION, "z", "x")]
