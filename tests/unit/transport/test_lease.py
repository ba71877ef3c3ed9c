"""Alpha's word is said every second and after every edit, with a counter that no restart takes back."""

from datetime import timedelta

import pytest

from tests.unit.transport.world import NOW
from vanta.common.canonical import sha256
from vanta.common.clock import ManualClock
from vanta.common.errors import BadInput, StateError
from vanta.common.models.lease import ControlsLease
from vanta.common.paths import CONTROLS_LEASE, OPERATOR_COMMANDS, OVERLAY, VAULTS
from vanta.common.store.document import load
from vanta.common.store.inmemory import MemoryFiles, MemoryJournal
from vanta.transport.lease import LeaseWriter


def said(files: MemoryFiles) -> ControlsLease:
    return load(files, CONTROLS_LEASE, ControlsLease).value


def test_it_names_what_is_there() -> None:
    """Hashes of overlay and vaults, the end of the commands; what is missing is nothing."""
    files, clock, commands = MemoryFiles({OVERLAY: b"{}"}), ManualClock(NOW), MemoryJournal()
    writer = LeaseWriter(files, clock, by="test")
    assert writer.beat(1.0)
    lease = said(files)
    assert (lease.revision, lease.overlay, lease.vaults, lease.commands.size) == (1, sha256(b"{}"), None, 0)
    files.replace(VAULTS, b"[]")
    for number in range(2):
        commands.append("command.given", {"n": number}, at="t")
        files.replace(OPERATOR_COMMANDS, commands.raw() + b'{"torn')
        assert writer.beat(1.0)
        lease = said(files)
        assert (lease.commands.seq, lease.commands.size, lease.commands.hash) == (
            commands.head().seq, commands.head().size, commands.head().hash)
    assert lease.vaults == sha256(b"[]")


def test_it_is_said_again_after_a_while_or_an_edit() -> None:
    """And not in between; each time with a higher counter, over restarts too."""
    files, clock = MemoryFiles({OVERLAY: b"{}"}), ManualClock(NOW)
    writer = LeaseWriter(files, clock, by="test")
    assert writer.beat(1.0)
    assert not writer.beat(1.0)
    files.replace(OVERLAY, b"[]")
    assert writer.beat(1.0)
    clock.move_to(NOW + timedelta(seconds=1))
    assert writer.beat(1.0)
    assert LeaseWriter(files, clock, by="test").beat(1.0)
    assert said(files).revision == 4


def test_it_is_not_said_of_what_does_not_hold_together() -> None:
    """A command log that was broken or taken away, and a lease of ours that is none."""
    commands = MemoryJournal()
    for number in range(3):
        commands.append("command.given", {"n": number}, at="t")
    files, clock = MemoryFiles({OPERATOR_COMMANDS: commands.raw()}), ManualClock(NOW)
    writer = LeaseWriter(files, clock, by="test")
    writer.beat(1.0)
    files.remove(OPERATOR_COMMANDS)
    with pytest.raises(StateError, match="is gone"):
        writer.beat(1.0)
    files.replace(OPERATOR_COMMANDS, b"\n".join(commands.raw().split(b"\n")[1:]))
    with pytest.raises(StateError):
        LeaseWriter(files, clock, by="test").beat(1.0)
    files.replace(CONTROLS_LEASE, b"{}")
    with pytest.raises(BadInput):
        LeaseWriter(files, clock, by="test")
