"""An intent that was seen has a verdict before the next in turn, the next step, or an orderly stop."""

import pytest

from tests.unit.alpha.core.test_replay import assert_equal, replayed
from tests.unit.alpha.core.test_replay_asked import rest
from tests.unit.alpha.homes import kept
from tests.unit.executor.world import ALL_CLEAR, World
from vanta.alpha.core.unjudged import Unjudged
from vanta.common.store.ports import Record
from vanta.executor.gate import Reading
from vanta.executor.inmemory import MemoryGate


def waiting() -> World:
    """Two intents that are held, then another step in which something is recorded, and an orderly stop."""
    world = World()
    world.want("equity:AAPL", "1000")
    world.want("equity:MSFT", "1000")
    world.step()
    world.clock.sleep(5)
    world.quote("equity:AAPL", "200")
    world.step()
    world.clock.sleep(5)
    world.executor.close()
    return world


@pytest.mark.parametrize("which", [0, 1])
def test_a_first_verdict_that_was_left_out_is_missed(which: int) -> None:
    """Before the verdict on the next in turn, or before the next step."""
    world = waiting()
    assert_equal(world, "intent.held")
    turn = [one for one in world.journal.read() if one.kind == "intent.held"][which]
    log = rest(world, lambda one: one.ids.get("intent_id") != turn.ids["intent_id"] or one.kind == "intent.seen")
    replay = replayed(log, kept(world))
    before = "intent.held" if which == 0 else ""
    assert replay.differences[0].found.recomputed.startswith(f"a verdict on {turn.ids['intent_id']} before {before}")


def test_all_first_verdicts_that_were_left_out_are_missed_at_an_orderly_stop() -> None:
    """A stop in the middle of a step says so, and then nothing is insisted on."""
    world = World()
    world.want("equity:AAPL", "1000")
    world.want("equity:MSFT", "1000")
    world.step()
    world.executor.close()
    log = rest(world, lambda one: one.kind != "intent.held")
    assert "and 1 others before program.stopped" in replayed(log, kept(world)).differences[0].found.recomputed
    stop = log[-1]
    log[-1] = stop._replace(payload={**stop.payload, "amid": "a step"})
    assert replayed(log, kept(world)).differences == []


def test_a_venue_that_asked_to_be_left_alone_excuses_its_account() -> None:
    """Until the next start: nothing of that account is judged for a while."""
    world = waiting()
    busy, verdicts = Unjudged(world.book), 0
    entry = next(iter(world.book.intents.values()))
    withheld = Record(1, "1", "order.withheld", None, {"intent_id": entry.intent_id}, {"code": "broker.busy"},
                      "", "")
    for record in (withheld, *world.journal.read()):
        if record.kind not in ("program.started", "intent.held"):
            verdicts += busy.look(record)
    assert verdicts == 0


class Broken(MemoryGate):
    """Raises at every look, once it is told to."""

    out_of_order = False

    def read(self) -> Reading:
        """See `MemoryGate.read`."""
        if self.out_of_order:
            raise OSError("out of order")
        return super().read()


def test_a_stop_in_the_middle_of_a_step_says_so() -> None:
    """The executor's own record, which a finished step does not leave."""
    assert "amid" not in list(waiting().journal.read())[-1].payload
    gate = Broken(ALL_CLEAR)
    world = World(gate=gate)
    gate.out_of_order = True
    with pytest.raises(OSError, match="out of order"):
        world.step()
    world.executor.close()
    assert list(world.journal.read())[-1].payload["amid"] == "a step"
