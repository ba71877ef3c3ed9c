"""`vanta-run kill` against a real executor, whatever else does not work: it asks nothing and tells no lie."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.halt.homes import overlay
from tests.halt.rig import ROOT, Rig, monotonic_ns, real_kill
from tests.processes import FILES_END_AT
from tests.processes import run as run_code
from vanta.common.clock import SystemClock
from vanta.common.exitcodes import Exit
from vanta.common.paths import CONTROL_LOG, PERMIT, TRADE_LOG, VAULTS, Home
from vanta.common.permit import arm

COMMAND = (sys.executable, "-m", "vanta.suite.run", "kill", "--json")
PRIVATE_NET = ("unshare", "-rn")
PRIVATE_MOUNTS = ("unshare", "-m", "--propagation", "private")


@pytest.fixture
def rig(outside: Path) -> Iterator[Rig]:
    with Rig(outside, latency_us=200) as running:
        yield running


@pytest.fixture
def home(outside: Path) -> Home:
    """A home in which dispatch is permitted and nothing runs."""
    made = Home(outside / "home").prepare()
    arm(made, by="ann", reason="start", now=SystemClock().now())
    return made


def kill(home: Home, *words: str, prefix: tuple[str, ...] = (), **environment: str) -> tuple[int, dict[str, Any]]:
    """The real command."""
    done = subprocess.run([*prefix, *COMMAND, "--home", str(home.root), *words], cwd=ROOT, capture_output=True,
                          text=True, check=False, env={**os.environ, **environment})
    said: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, said


def able(*words: str) -> bool:
    """Whether this account may do that here."""
    return bool(shutil.which(words[0])) and subprocess.run(words, capture_output=True, check=False).returncode == 0


def sending(rig: Rig) -> None:
    """Let orders flow."""
    rig.stage()
    rig.permit()
    rig.until(lambda: len(rig.stamps()) > 0)


def test_an_order_on_its_way_is_waited_for_and_named(rig: Rig) -> None:
    """The venue takes an order and does not answer: 6, however often one kills, and once it has answered 0.

    Of the batch that was announced in the log, only the order that was past its last look has left.
    """
    rig.hold.touch()
    rig.stage(most=5)
    rig.log.mark()
    rig.permit()
    rig.until(lambda: rig.log.text().count(b'"kind":"order.submitting"') == 5)
    lines = [line for line in rig.log.text().splitlines() if b"order.submitting" in line]
    announced = [json.loads(line)["ids"]["order_id"] for line in lines]
    for _ in range(2):
        status, said = kill(rig.home, "--timeout", "0.3")
        assert (status, said["acknowledged"]) == (Exit.OUTCOME_UNKNOWN, False)
        assert sorted(said["on_the_way"]) == sorted(announced)
        assert not rig.home.file(PERMIT).exists()
    rig.hold.unlink()
    status, said = kill(rig.home, "--timeout", "60")
    after = monotonic_ns()
    assert (status, said["on_the_way"]) == (Exit.DONE, [])
    rig.until(lambda: rig.log.text().count(b'"kind":"order.withheld"') == 4)
    assert len(rig.stamps()) == 1
    assert rig.stamps()[0] < after


def test_a_broken_configuration_keeps_nobody_from_halting(rig: Rig) -> None:
    """Garbage in every file that people write, while orders flow."""
    sending(rig)
    settings = (rig.home.config / "vanta.toml", rig.home.config / "instruments.json")
    for path in (*settings, rig.home.file(VAULTS), rig.overlay):
        path.write_bytes(b"\xff = {[")
    status, said = kill(rig.home, VANTA_EXECUTOR__MODE="banana", VANTA_NO_SUCH_THING="1")
    after = monotonic_ns()
    assert (status, said["acknowledged"]) == (Exit.DONE, True)
    rig.gone()
    assert [stamp for stamp in rig.stamps() if stamp > after] == []
    rig.overlay.write_bytes(overlay())


def test_two_kills_at_once_both_tell_the_truth(rig: Rig) -> None:
    """Neither waits for the other, and none returns 0 before the last order has left."""
    sending(rig)
    words = [*COMMAND, "--home", str(rig.home.root), "--timeout", "60"]
    both = [subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(2)]
    assert [one.wait() for one in both] == [Exit.DONE, Exit.DONE]
    after = monotonic_ns()
    rig.gone()
    rig.calm()
    assert [stamp for stamp in rig.stamps() if stamp > after] == []


def test_an_executor_that_was_killed_is_nobody_to_wait_for(outside: Path) -> None:
    """The kernel has freed its locks; its log stays as it is."""
    rig = Rig(outside, latency_us=200)
    sending(rig)
    rig.process.kill()
    rig.process.wait()
    status, said = kill(rig.home, "--timeout", "0")
    assert (status, said["executor"]) == (Exit.DONE, None)
    assert rig.end() != 0


NO_SOCKETS = """
import sys
def no_network(event, arguments):
    if event.startswith("socket."):
        raise OSError(f"the network is down: {event}")
sys.addaudithook(no_network)
from vanta.suite.run import main
print(main(["kill", "--home", sys.argv[1], "--json"]))
"""


def test_it_touches_no_network(home: Home) -> None:
    """Any socket at all would be an error."""
    assert run_code(NO_SOCKETS, str(home.root)).splitlines()[-1] == "0"
    assert not home.file(PERMIT).exists()


@pytest.mark.skipif(not able(*PRIVATE_NET, "true"), reason="this account cannot take the network away from a process")
def test_it_works_without_a_network(home: Home) -> None:
    """In a network namespace with nothing in it, not even a loopback."""
    assert kill(home, prefix=PRIVATE_NET)[0] == Exit.DONE
    assert not home.file(PERMIT).exists()


FULL = FILES_END_AT + """
import sys
from vanta.suite.run import main
files_end_at(0)
status = main(["kill", "--home", sys.argv[1], "--json"])
files_end_at(-1)
print(status)
"""


def test_it_works_where_no_byte_can_be_written(home: Home) -> None:
    """The permit goes all the same; that the change could not be recorded is a warning."""
    *said, status = run_code(FULL, str(home.root)).splitlines()
    assert status == "0"
    assert "could not be recorded" in json.loads("".join(said))["warnings"][0]
    assert not home.file(PERMIT).exists()
    assert b"control.changed" not in home.file(CONTROL_LOG).read_bytes()


@pytest.mark.skipif(not able(*PRIVATE_MOUNTS, "mount", "-t", "tmpfs", "tmpfs", "/mnt"),
                    reason="this account cannot mount a small disk")
def test_it_works_on_a_full_disk_under_a_sending_executor(outside: Path) -> None:
    """Not a byte is left: the permit goes, the executor stops, and no order leaves after the kill has returned."""
    done = subprocess.run([*PRIVATE_MOUNTS, sys.executable, "-m", "tests.halt.fulldisk", str(outside)], cwd=ROOT,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["sent"] > 0
    assert (said["kill"], said["late"], said["permit"], said["free"]) == (0, 0, False, 0)
    assert said["executor"] == Exit.CONFIG


@pytest.mark.parametrize("spoiled", ["log is a folder", "commands are garbage", "a link for a lock", "another kill"])
def test_it_works_in_a_spoiled_home(home: Home, spoiled: str) -> None:
    """Whatever lies where its own files should, the permit goes."""
    if spoiled == "log is a folder":
        home.file(TRADE_LOG).mkdir()
        home.file(CONTROL_LOG).mkdir()
    elif spoiled == "commands are garbage":
        home.file("operator_commands.jsonl").write_bytes(b"\xff\n")
    elif spoiled == "a link for a lock":
        for name in ("controls", "gate", "executor"):
            home.lock(name).symlink_to(home.root / "nowhere")
    else:
        home.lock("controls").mkdir()
    assert kill(home, "--cancel-open", "--timeout", "0")[0] == Exit.DONE
    assert not home.file(PERMIT).exists()


def test_it_works_where_nobody_can_read_what_it_says(home: Home) -> None:
    """A screen that takes no byte changes the status at most."""
    with open("/dev/full", "wb") as full:
        subprocess.run([*COMMAND, "--home", str(home.root)], cwd=ROOT, stdout=full, stderr=full, check=False)
    assert not home.file(PERMIT).exists()


def test_in_process_and_as_a_command_it_is_the_same(home: Home) -> None:
    """What the many trials call is what people run."""
    assert real_kill(home) == Exit.DONE
    assert kill(home)[1]["changed"] is False
