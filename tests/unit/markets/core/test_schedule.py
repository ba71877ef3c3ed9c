"""When a feed is due again."""

from vanta.markets.core.schedule import LONGEST_S, Slot, due, ended, started

SLOT = Slot(feed="sec", every_s=60, due_at=100)


def test_it_is_due_at_its_time_and_not_before() -> None:
    """The very moment counts."""
    assert not due(SLOT, 99.9)
    assert due(SLOT, 100)


def test_it_never_overlaps_itself() -> None:
    """While its pass runs a feed is not due, however late it is."""
    assert not due(started(SLOT, 100), 1e9)


def test_success_keeps_the_rhythm() -> None:
    """The next pass is one interval after the start, not after the end."""
    assert ended(started(SLOT, 100), 104, well=True).due_at == 160


def test_a_slow_pass_is_followed_at_once() -> None:
    """One that took longer than the interval is due when it ends, once."""
    slot = ended(started(SLOT, 100), 250, well=True)
    assert slot.due_at == 250
    assert due(slot, 250)


def test_failures_wait_twice_as_long_each_time() -> None:
    """60 s: 2, 4, 8 minutes …, an hour at the longest, from the end of the pass; a success forgets them."""
    slot, waits = SLOT, []
    for _ in range(40):
        slot = ended(started(slot, 100), 104, well=False)
        waits.append(slot.due_at - 104)
    assert waits[:4] == [120, 240, 480, 960]
    assert waits[-1] == LONGEST_S
    assert ended(started(slot, 100), 104, well=True).failures == 0


def test_a_slow_feed_is_not_sped_up_by_failing() -> None:
    """A feed that is collected twice a day does not wait less after a failure than after a success."""
    slot = ended(started(Slot(feed="x", every_s=43_200, due_at=0), 0), 10, well=False)
    assert slot.due_at == 10 + 43_200
