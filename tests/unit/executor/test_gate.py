"""The gate reads real files, and anything odd about them is a problem that halts."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.executor.world import ALL_CLEAR
from vanta.common.clock import SystemClock
from vanta.common.errors import StateError, UsageError
from vanta.common.paths import OVERLAY, PERMIT, Home
from vanta.common.permit import arm, disarm
from vanta.common.store.gatelock import GATE, GateLock, is_free
from vanta.executor.gate import FileGate


def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home").prepare()
    made.file(OVERLAY).write_bytes(ALL_CLEAR)
    return made


def test_a_plain_file_is_read_afresh_every_time(tmp_path: Path) -> None:
    """What an editor saved a moment ago is what the next look sees."""
    made = home(tmp_path)
    gate = FileGate(made)
    assert gate.read().controls.problem is None
    made.file(OVERLAY).write_bytes(b'{"maintenance": true')
    assert gate.read().controls.problem is not None
    made.file(OVERLAY).write_bytes(ALL_CLEAR)
    assert gate.read().controls.problem is None


def _missing(path: Path) -> None:
    path.unlink()


def _link(path: Path) -> None:
    path.rename(path.with_name("elsewhere.json"))
    path.symlink_to(path.with_name("elsewhere.json"))


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _huge(path: Path) -> None:
    path.write_bytes(ALL_CLEAR + b" " * 300_000)


def _world_writable(path: Path) -> None:
    path.chmod(0o666)


@pytest.mark.parametrize("spoil", [_missing, _link, _pipe, _folder, _huge, _world_writable],
                         ids=lambda spoil: spoil.__name__.strip("_"))
def test_odd_files_halt_without_hanging(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    """Missing, link, pipe, folder, huge or writable by everybody: a problem in words, no exception, no hang."""
    made = home(tmp_path)
    spoil(made.file(OVERLAY))
    reading = FileGate(made).read()
    assert reading.controls.overlay is None
    assert "vault_overlay.json" in (reading.controls.problem or "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_foreign_owner_halts(tmp_path: Path) -> None:
    """An overlay that belongs to a stranger is not the operator's word."""
    made = home(tmp_path)
    os.chown(made.file(OVERLAY), 65534, 65534)
    assert "belongs to uid 65534" in (FileGate(made).read().controls.problem or "")


def test_the_permit_is_made_and_removed(tmp_path: Path) -> None:
    """Arming needs a reason and a name; disarming needs nothing; both are idempotent."""
    made = home(tmp_path)
    now = SystemClock().now()
    assert FileGate(made).read().permit is False
    with pytest.raises(UsageError, match="reason"):
        arm(made, by="ops", reason=" ", now=now)
    assert arm(made, by="ops", reason="first start", now=now)
    assert not arm(made, by="ops", reason="again", now=now)
    assert FileGate(made).read().permit is True
    assert disarm(made)
    assert not disarm(made)
    made.file(PERMIT).symlink_to(made.file(OVERLAY))
    assert FileGate(made).read().permit is False


def test_a_home_that_cannot_be_looked_at_is_said(tmp_path: Path) -> None:
    """Whose files to trust has to be known before anything is read."""
    with pytest.raises(StateError, match="cannot be looked at"):
        FileGate(Home(tmp_path / "nowhere"))


def test_a_look_that_finds_the_permit_holds_the_gate_until_the_next_look(tmp_path: Path) -> None:
    """Between the two an order may be on its way, and whoever kills waits for it. Without a permit nobody holds it."""
    made = home(tmp_path)
    gate = FileGate(made)
    assert is_free(made.lock(GATE))
    arm(made, by="ops", reason="start", now=SystemClock().now())
    assert gate.read().permit is True
    assert is_free(made.lock(GATE)) is False
    disarm(made)
    assert is_free(made.lock(GATE)) is False
    assert gate.read().permit is False
    assert is_free(made.lock(GATE))


def test_without_the_gate_there_is_no_permit(tmp_path: Path) -> None:
    """While somebody waits for the gate to be free nobody enters; afterwards they do."""
    made = home(tmp_path)
    gate = FileGate(made)
    arm(made, by="ops", reason="start", now=SystemClock().now())
    fd = os.open(made.lock(GATE), os.O_RDWR)
    fcntl.flock(fd, fcntl.LOCK_EX)
    assert gate.read().permit is False
    os.close(fd)
    assert gate.read().permit is True


def test_a_permit_that_goes_while_the_gate_is_entered_is_none(tmp_path: Path) -> None:
    """Who unlinks it and finds the gate free must be right: it is looked for once more from inside."""
    made = home(tmp_path)
    gate = FileGate(made)

    class Slow(GateLock):
        """Somebody kills between the first look and the lock."""

        def enter(self) -> bool:
            disarm(made)
            return super().enter()

    gate._lock = Slow(made.lock(GATE))
    arm(made, by="ops", reason="start", now=SystemClock().now())
    assert gate.read().permit is False
    assert is_free(made.lock(GATE))
