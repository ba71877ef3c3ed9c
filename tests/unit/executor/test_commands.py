"""What operators ask for is carried out once, by id, in time, and the log is the receipt."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.executor.venues import Venue, VenueWorld
from tests.unit.executor.world import World, vault, without_permission
from vanta.common.canonical import document
from vanta.common.errors import BadInput
from vanta.common.events import Kind
from vanta.common.models.base import validate
from vanta.common.models.command import OperatorCommand
from vanta.common.models.vault import VaultRegistry
from vanta.common.paths import FAR_COMMANDS, OPERATOR_COMMANDS, VAULTS
from vanta.common.store.inmemory import MemoryJournal, MemorySnapshots
from vanta.common.times import iso
from vanta.executor.core.overrides import Override, in_force, refused


class Desk:
    """Where an operator writes commands."""

    def __init__(self, world: World, log: str = OPERATOR_COMMANDS) -> None:
        self.world, self.log = world, log
        self.journal = MemoryJournal()
        self.journal.append(Kind.JOURNAL_OPENED, {"journal": OPERATOR_COMMANDS}, at=iso(world.clock.now()))

    def give(self, kind: str, *, minutes: int = 15, **names: Any) -> str:
        """Write one command and return its id."""
        now = self.world.clock.now()
        command_id = f"cmd_{self.journal.head().seq + 256 * (self.log != OPERATOR_COMMANDS):016x}"
        self.journal.append(Kind.COMMAND_GIVEN, {
            "command_id": command_id, "kind": kind, **names, "by": "R. Example", "reason": "because", "at": iso(now),
            "expires_at": iso(now + timedelta(minutes=minutes))}, at=iso(now))
        self.world.files.replace(self.log, self.journal.raw())
        return command_id


def receipts(world: World, kind: str) -> list[dict[str, Any]]:
    """Payloads of the records of a kind."""
    return [dict(record.payload) for record in world.journal.read() if record.kind == kind]


@pytest.mark.parametrize(("kind", "names", "why"), [
    ("release", {}, "release needs latch_id"), ("override", {"vault": "V"}, "override needs limit, until, value"),
    ("cancel", {"vault": "V"}, "cancel does not take vault"), ("flatten", {"order_id": "x"}, "does not take order_id"),
])
def test_a_command_that_names_too_little_or_too_much_is_refused(kind: str, names: dict[str, Any], why: str) -> None:
    """The model says which names a kind needs; that is reported, and what else is asked there is carried out."""
    body = {"command_id": "cmd_" + "0" * 16, "kind": kind, "by": "a", "reason": "b", "at": "2026-11-20T15:00:00.000Z",
            "expires_at": "2026-11-20T15:00:00.000Z", **names}
    with pytest.raises(BadInput, match=why):
        validate(OperatorCommand, body, file=OPERATOR_COMMANDS)
    world = World()
    desk = Desk(world)
    desk.give(kind, **names)
    assert why in world.step().problems[OPERATOR_COMMANDS]
    wanted = desk.give("cancel")
    assert why in world.step().problems[OPERATOR_COMMANDS]
    assert [one["command_id"] for one in receipts(world, "command.taken")] == [wanted]


def test_cancelling_one_order_and_then_all() -> None:
    """By id, then whatever works; an order that does not work is refused, and each is done once."""
    world = VenueWorld(Venue())
    desk = Desk(world)
    world.quote("equity:MSFT", "100.00")
    first, second = world.want("equity:AAPL", "1000"), world.want("equity:MSFT", "1000")
    world.step()
    order_id = str(world.book.intents[first].order_id)
    desk.give("cancel", order_id=order_id)
    world.step()
    world.step()
    assert world.venue.cancelled == [order_id]
    assert (world.state(first), world.state(second)) == ("cancelled", "working")
    desk.give("cancel", order_id=order_id)
    desk.give("cancel")
    world.step()
    world.step()
    assert world.state(second) == "cancelled"
    assert [one["refused"] for one in receipts(world, "command.refused")] == [f"order {order_id} does not work"]
    assert len(receipts(world, "command.taken")) == 2
    world.start()
    world.step()
    assert len(world.venue.cancelled) == 2


def test_a_cancel_while_no_calls_are_allowed_is_kept_and_asked_for_later() -> None:
    """The wish is on record; the venue hears of it when calls are allowed again."""
    world = VenueWorld(Venue())
    name = world.want("equity:AAPL", "1000")
    world.step()
    world.gate.raw = without_permission({"external_calls_disabled": True})
    Desk(world).give("cancel")
    world.step()
    assert (world.state(name), world.venue.cancelled) == ("cancelling", [])
    world.gate.raw = without_permission({})
    world.step(seconds=5)
    world.step()
    assert world.state(name) == "cancelled"


def test_flattening_stops_entries_and_leaves_everything_in_one_batch() -> None:
    """The latch, the exits and the cancels are there together; a new entry is held, the exits leave."""
    world = VenueWorld(Venue())
    desk = Desk(world)
    name = world.want("equity:AAPL", "1000")
    world.step()
    world.fill(str(world.book.intents[name].order_id), "5")
    world.step()
    world.quote("equity:MSFT", "100.00")
    entry = world.want("equity:MSFT", "1000")
    world.step()
    desk.give("flatten")
    world.step()
    assert world.latched() == {"halt.flattened"}
    assert world.venue.cancelled == [world.book.intents[entry].order_id]
    (leaving,) = [one for one in world.book.intents.values() if one.exit]
    assert (leaving.state, leaving.raw["provenance"]["reasons"][0]["reason"]) == ("working", "exit:flatten")
    late = world.want("equity:MSFT", "500")
    world.step()
    assert world.codes(late) == {"halt.latched"}
    records = [record.kind for record in world.journal.read()]
    at = records.index("command.taken")
    assert records[at:at + 3] == ["command.taken", "latch.set", "intent.seen"]


def test_flattening_one_vault_leaves_the_others_alone() -> None:
    """Scoped by vault; a vault that does not exist is refused."""
    world = World(vaults=[vault(), vault("V_OTHER")])
    world.quote("equity:AAPL", "200.00")
    world.want("equity:AAPL", "1000")
    world.want("equity:AAPL", "1000", vault="V_OTHER")
    world.step()
    desk = Desk(world)
    desk.give("flatten", vault="V_NOWHERE")
    desk.give("flatten", vault="V_OTHER")
    world.step()
    assert world.held("equity:AAPL") == 5
    assert world.held("equity:AAPL", "V_OTHER") == 0
    assert receipts(world, "command.refused")[0]["refused"] == "there is no vault V_NOWHERE"


def test_flattening_works_for_a_position_without_an_exit_plan_or_a_quote() -> None:
    """An adjustment brought it here: it is left as well, and waits for a quote."""
    world = World()
    world.quote("equity:AAPL", "200.00")
    world.want("equity:AAPL", "1000")
    world.step()
    world.book.vaults["V_CORE"].guards.clear()
    Desk(world).give("flatten")
    world.step()
    assert world.held("equity:AAPL") == 0


def test_flattening_waits_for_no_vault_file() -> None:
    """vault.json breaks, the executor starts again: positions are left by what it said last, and no entry leaves."""
    world = World()
    world.quote("equity:AAPL", "200.00")
    world.want("equity:AAPL", "1000")
    world.step()
    assert world.held("equity:AAPL") == 5
    world.files.replace(VAULTS, b"{")
    world.step()
    world.start()
    Desk(world).give("flatten")
    entry = world.want("equity:AAPL", "2000")
    world.step()
    assert world.held("equity:AAPL") == 0
    assert "vault.unreadable" in world.codes(entry)


def test_a_vault_that_no_log_remembers_is_waited_for() -> None:
    """Without the bytes that were read last nobody knows what the vault may do: it waits for a readable file."""
    world = World()
    world.quote("equity:AAPL", "200.00")
    world.want("equity:AAPL", "1000")
    world.step()
    world.files.replace(VAULTS, b"{")
    world.snapshots = MemorySnapshots()
    world.start()
    Desk(world).give("flatten")
    world.step()
    assert world.held("equity:AAPL") == 5
    world.files.replace(VAULTS, document({"vaults": [vault()]}))
    world.step()
    assert world.held("equity:AAPL") == 0


def test_an_override_holds_for_a_while_and_reverts_by_itself() -> None:
    """The larger order passes while it lasts, not after; both are on record with who and why."""
    world = World()
    desk = Desk(world)
    world.quote("crypto:BTC-USD", "100.00")
    now = world.clock.now()
    desk.give("override", vault="V_CORE", limit="max_order_quantity", value="1000", until=iso(now + timedelta(hours=1)))
    desk.give("override", vault="V_CORE", limit="max_single_pos_pct", value="0.5", until=iso(now + timedelta(hours=1)))
    desk.give("override", vault="V_CORE", limit="max_orders_per_minute", value="40",
              until=iso(now + timedelta(hours=1)))
    large = world.want("crypto:BTC-USD", "24000")
    world.step()
    assert world.state(large) == "filled"
    assert receipts(world, "override.set")[0]["by"] == "R. Example"
    world.start()
    assert len(world.book.overrides) == 3
    world.step(seconds=3600)
    assert len(receipts(world, "override.ended")) == 3
    world.quote("crypto:ETH-USD", "100.00")
    late = world.want("crypto:ETH-USD", "24000")
    world.step()
    assert "exposure.single_position" in world.codes(late)


@pytest.mark.parametrize(("names", "why"), [
    ({"vault": "V_NOWHERE"}, "there is no vault"), ({"limit": "surprise"}, "no limit that can be overridden"),
    ({"limit": "restricted"}, "no limit that can be overridden"), ({"limit": "permitted"}, "no limit"),
    ({"limit": "max_asset_class_pct"}, "no limit that can be overridden"), ({"value": "7"}, "less than or equal to 1"),
    ({"limit": "max_open_orders", "value": "1.5"}, "max_open_orders"), ({"hours": 25}, "at most a day"),
    ({"hours": 0}, "at most a day"),
])
def test_an_override_that_makes_no_sense_is_refused_with_the_reason(names: dict[str, Any], why: str) -> None:
    """Out of bounds, unknown, too long, or nothing that has a value."""
    world = World()
    until = iso(world.clock.now() + timedelta(hours=names.pop("hours", 1)))
    Desk(world).give("override", **{"vault": "V_CORE", "limit": "max_single_pos_pct", "value": "0.5", "until": until,
                                    **names})
    world.step(seconds=0)
    assert why in receipts(world, "command.refused")[0]["refused"]
    assert not world.book.overrides


def test_an_override_without_vaults_changes_nothing() -> None:
    """While vault.json cannot be read there is nothing to override; another vault's limits stay."""
    one = Override("V_CORE", "max_open_orders", Decimal(7), 10**15)
    assert in_force(None, {"a": one}, 0) is None
    assert refused(one, None, 0) == "there is no vault V_CORE"
    vaults = VaultRegistry.model_validate({"vaults": [vault("V_OTHER")]})
    found = in_force(vaults, {"a": one}, 0)
    assert found is not None
    assert found.vaults == vaults.vaults


def test_an_override_waits_for_a_readable_vault_file() -> None:
    """Loosening rests on the limits as they stand; while nobody can read them it is refused."""
    world = World()
    world.step()
    world.files.replace(VAULTS, b"{")
    until = iso(world.clock.now() + timedelta(hours=1))
    Desk(world).give("override", vault="V_CORE", limit="max_single_pos_pct", value="0.5", until=until)
    world.step(seconds=0)
    assert receipts(world, "command.refused")[0]["refused"] == "vault.json cannot be read"


def test_an_expired_command_is_refused() -> None:
    """A command that nobody carried out in time is not carried out later."""
    world = World()
    Desk(world).give("flatten", minutes=0)
    world.step()
    assert "expired" in receipts(world, "command.refused")[0]["refused"]
    assert not world.book.latches


def two_hosts() -> tuple[World, Desk, Desk]:
    """An executor that is asked on its own host and on Alpha's."""
    world = World()
    world.executor._parts.observer.also_asked_in(FAR_COMMANDS)
    return world, Desk(world), Desk(world, FAR_COMMANDS)


def test_what_is_asked_on_either_host_is_carried_out_once() -> None:
    """Each log in its own order, whichever is written when."""
    world, here, there = two_hosts()
    there.give("cancel")
    world.step()
    here.give("cancel")
    there.give("flatten")
    here.give("acknowledge")
    world.step()
    world.step()
    assert [one["command_id"] for one in receipts(world, "command.taken")] == [
        f"cmd_{number:016x}" for number in (257, 1, 2, 258)]


@pytest.mark.parametrize("broken", [OPERATOR_COMMANDS, FAR_COMMANDS])
def test_a_log_of_commands_that_is_broken_keeps_the_other_from_nothing(broken: str) -> None:
    """Whoever has to halt or leave must not wait for somebody else's file."""
    world, here, there = two_hosts()
    sound = there if broken == OPERATOR_COMMANDS else here
    world.files.replace(broken, b'{"seq": 1}\n')
    sound.give("cancel")
    world.step()
    assert len(receipts(world, "command.taken")) == 1
    assert {name for name in world.executor._parts.observer.problems if "commands" in name} == {broken}


def test_a_single_host_reads_its_own_log_alone() -> None:
    """What lies where another host's would arrive is nobody's word."""
    world = World()
    Desk(world, FAR_COMMANDS).give("cancel")
    world.step()
    assert receipts(world, "command.taken") == []
