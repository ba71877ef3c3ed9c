"""`vanta-run flatten` and `cancel` with a real executor: both do without configuration, network and vault.json."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.halt.fulldisk import fill
from tests.processes import FILES_END_AT, ROOT
from tests.processes import run as run_code
from tests.scenarios import test_executor_process as process
from tests.scenarios.test_executor_process import kinds, start
from vanta.common.canonical import document
from vanta.common.clock import SystemClock
from vanta.common.exitcodes import Exit
from vanta.common.paths import MARKET_QUOTES, OPERATOR_COMMANDS, TRADE_LOG, VAULTS, Home
from vanta.common.times import iso

PATIENCE_S = 60
PRIVATE_NET = ("unshare", "-rn")
PRIVATE_MOUNTS = ("unshare", "-m", "--propagation", "private")
home = process.home


def able(*words: str) -> bool:
    """Whether this account may do that here."""
    return bool(shutil.which(words[0])) and subprocess.run(words, capture_output=True, check=False).returncode == 0


def asked(home: Home, *words: str, prefix: tuple[str, ...] = ()) -> tuple[int, dict[str, Any]]:
    """The real command, and what it said."""
    command = [*prefix, sys.executable, "-m", "vanta.suite.run", *words, "--home", str(home.root), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    said: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, said


@contextmanager
def running(home: Home) -> Iterator["subprocess.Popen[str]"]:
    """An executor, stopped at the end."""
    daemon = start(home)
    try:
        yield daemon
    finally:
        daemon.terminate()
        daemon.communicate(timeout=PATIENCE_S)


def quote(home: Home) -> None:
    """A quote as of now."""
    now = iso(SystemClock().now())
    header = {"schema_version": 1, "revision": 2, "written_at": now, "written_by": "test", "now": now}
    body = {"bid": "50000", "ask": "50001", "last": "50000", "size": None, "at": now, "source": "test",
            "average_daily_volume": None}
    home.file(MARKET_QUOTES).write_bytes(document({**header, "quotes": {"crypto:BTC-USD": body}}))


def spoil(home: Home) -> None:
    """Garbage in the settings and in vault.json."""
    for path in (home.config / "vanta.toml", home.file(VAULTS)):
        path.write_bytes(b"\xff = {[")


def until(home: Home, condition: Callable[[list[str]], bool]) -> None:
    """Until the log's kinds are as they should be."""
    ends = time.monotonic() + PATIENCE_S
    while not condition(kinds(home)):
        assert time.monotonic() < ends, kinds(home)
        time.sleep(0.01)


def vault_is_unreadable(home: Home) -> None:
    """Until the executor has noticed."""
    until(home, lambda _: b'"what":"vaults","sha256":"unreadable' in home.file(TRADE_LOG).read_bytes())


@pytest.mark.parametrize("net", [
    pytest.param((), id="as it is"),
    pytest.param(PRIVATE_NET, id="without a network", marks=pytest.mark.skipif(
        not able(*PRIVATE_NET, "true"), reason="this account cannot take the network away from a process"))])
def test_everything_is_left_though_settings_and_vaults_broke_meanwhile(home: Home, net: tuple[str, ...]) -> None:
    """A position is held, then both files break: the command is given, the exit leaves, the latch is set."""
    with running(home):
        until(home, lambda found: "fill" in found)
        spoil(home)
        vault_is_unreadable(home)
        quote(home)
        status, said = asked(home, "flatten", prefix=net)
        assert status == Exit.DONE, said
        assert "vanta.toml" in said["warnings"][0]
        until(home, lambda found: found.count("fill") == 2 and "latch.set" in found)


def test_an_executor_that_starts_on_a_broken_vault_file_leaves_everything(home: Home) -> None:
    """It was killed meanwhile; what vault.json said last is in its log. Its own settings have to be right."""
    with running(home):
        until(home, lambda found: "fill" in found)
    home.file(VAULTS).unlink()
    with running(home):
        vault_is_unreadable(home)
        quote(home)
        assert asked(home, "flatten")[0] == Exit.DONE
        until(home, lambda found: found.count("fill") == 2 and "latch.set" in found)


def test_a_working_order_is_cancelled_though_settings_and_vaults_broke_meanwhile(home: Home) -> None:
    """It waits for a price that does not come."""
    (home.config / "vanta.toml").write_text('[executor.paper]\nfill = "next_quote"\n', "utf-8")
    with running(home):
        until(home, lambda found: "order.accepted" in found)
        spoil(home)
        vault_is_unreadable(home)
        assert asked(home, "cancel")[0] == Exit.DONE
        until(home, lambda found: "order.cancelled" in found)
        assert "fill" not in kinds(home)


NO_BYTE = FILES_END_AT + """
import sys
from vanta.suite.run import main
files_end_at(0)
status = main([sys.argv[2], "--home", sys.argv[1], "--json"])
files_end_at(-1)
print(status)
"""


@pytest.mark.parametrize("word", ["flatten", "cancel"])
def test_where_no_byte_can_be_written_it_says_so(home: Home, word: str) -> None:
    """Nothing is asked of anybody; the message names the file and what helps without a byte."""
    *said, status = run_code(NO_BYTE, str(home.root), word).splitlines()
    answer = json.loads("".join(said))
    assert (status, OPERATOR_COMMANDS in answer["error"]) == (str(int(Exit.CONFIG)), True)
    assert "vanta-run kill" in answer["cure"]


def test_of_a_full_disk_it_says_that_it_is_full(home: Home, tmp_path: Path) -> None:
    """A real one, in memory, without a byte; the words are the operating system's."""
    if not able(*PRIVATE_MOUNTS, "mount", "-t", "tmpfs", "tmpfs", "/mnt"):
        pytest.skip("this account cannot mount a small disk")
    done = subprocess.run([*PRIVATE_MOUNTS, sys.executable, "-m", "tests.scenarios.test_reducing_risk", str(tmp_path)],
                          cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == Exit.CONFIG, done.stderr
    assert "No space left on device" in json.loads(done.stdout)["error"]


def on_a_full_disk(folder: Path) -> int:
    """Mount a disk that nobody else sees, fill it, ask."""
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], check=True)
    made = Home(disk / "home").prepare()
    fill(disk)
    status, said = asked(made, "flatten")
    print(json.dumps(said))
    return status


if __name__ == "__main__":
    os._exit(on_a_full_disk(Path(sys.argv[1])))
