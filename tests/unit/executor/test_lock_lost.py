"""A process that has lost its lock sends nothing, ends, and leaves the log to whoever holds the lock now."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.executor.venues import Venue, VenueWorld
from tests.unit.executor.world import OPEN
from vanta.common.errors import StateError
from vanta.common.store.lock import FileLock


def locked(tmp_path: Path) -> tuple[VenueWorld, FileLock]:
    """A world whose executor holds a lock on disk."""
    world = VenueWorld(Venue())
    lock = FileLock(tmp_path / "executor.lock", owner="executor", now=OPEN)
    world.executor._parts = replace(world.executor._parts, lock=lock)
    return world, lock


class Losing(FileLock):
    """A lock that is held for so many looks."""

    def __init__(self, path: Path, looks: list[bool]) -> None:
        self.path = path
        self._looks = looks

    def still_held(self) -> bool:
        """See `FileLock.still_held`."""
        return self._looks.pop(0)


def test_a_lost_lock_ends_the_process_and_writes_nothing_more(tmp_path: Path) -> None:
    """The lock's file was replaced: another process may have opened the log, and one chain has one writer."""
    world, lock = locked(tmp_path)
    world.want("equity:AAPL", "1000")
    world.step()
    assert world.venue.requests == 1
    lock.path.unlink()
    written = world.journal.head().seq
    with pytest.raises(StateError, match="removed or replaced"):
        world.step()
    world.executor.close()
    assert world.journal.head().seq == written
    assert world.kinds()[-1] != "program.stopped"


def test_a_lock_that_is_lost_during_a_step_stops_its_orders(tmp_path: Path) -> None:
    """It is looked at again before every order: what was approved is withheld."""
    world = VenueWorld(Venue())
    world.executor._parts = replace(world.executor._parts, lock=Losing(tmp_path / "executor.lock", [True, False]))
    name = world.want("equity:AAPL", "1000")
    world.step()
    assert world.codes(name) == {"lock.lost"}
    assert world.venue.requests == 0


def test_closing_with_the_lock_records_the_stop(tmp_path: Path) -> None:
    """The plain end: the last record says so, and the lock is free."""
    world, lock = locked(tmp_path)
    world.executor.close()
    assert world.kinds()[-1] == "program.stopped"
    FileLock(lock.path, owner="next", now=OPEN).release()
