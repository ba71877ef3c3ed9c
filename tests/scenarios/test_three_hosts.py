"""Alpha, Markets and Executor with a home each: orders go through, kill switches too, and a cut link latches.

Real programs over the shared directory and over ssh to a real server on loopback.
"""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.transport.sshd import why_not
from tests.processes import ROOT
from tests.scenarios.three_hosts import PULLERS, VANTA, Hosts, hosts
from vanta.common.exitcodes import Exit
from vanta.common.paths import OPERATOR_COMMANDS, OVERLAY, PORTFOLIO, QUEUE, TRADE_LOG

KINDS = ["shared", pytest.param("ssh", marks=pytest.mark.skipif(bool(why_not()), reason=why_not() or "there is one"))]


@pytest.fixture(params=KINDS)
def three(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Hosts]:
    """Three hosts on which everything runs."""
    with hosts(tmp_path, request.param) as made:
        yield made


def call(three: Hosts, node: str, *words: str) -> tuple[int, str]:
    """A command, as a person gives it on one of the hosts."""
    done = subprocess.run([sys.executable, "-m", "vanta.suite.run", *words, "--home", str(three.homes[node].root)],
                          cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def release(three: Hosts, node: str) -> None:
    """The latch by its name on either host, then dispatch on the executor's own."""
    latch = three.state()["latches"][0]["latch_id"]
    assert call(three, node, "release", "--latch", latch, "--confirm", latch, "--reason", "the link is back")[0] == 0
    three.until(lambda: not three.state()["latches"], "the release arrives")
    code, said = call(three, "executor", "release", "--scope", "global", "--confirm", "global", "--reason", "goes on")
    assert (code, "still halted" in said, "still held" in said) == (0, False, False), said


def test_a_day_on_three_hosts(three: Hosts) -> None:
    """Harvest to fill over the transport; an edit at Alpha halts; a cut link latches; a release heals."""
    three.until(lambda: three.count("fill"), "an order is filled")
    executor, markets = three.homes["executor"], three.homes["markets"]
    assert not executor.file(QUEUE).exists()
    assert not markets.file(PORTFOLIO).exists()
    assert three.replica("executor", QUEUE, "markets")
    three.overlay(full_halt={"enabled": True, "reason": "enough", "by": "ann"})
    three.until(lambda: "halt.full_halt" in str(three.state().get("dispatch_reason")), "the halt arrives")
    assert executor.file(OVERLAY).read_bytes() != three.replica("executor", OVERLAY, "alpha")
    three.overlay(full_halt=False, reason="go on", by="ann")
    three.until(lambda: three.state()["dispatch"] == "open", "the halt is over")
    three.cut()
    three.until(lambda: [one["code"] for one in three.state()["latches"]] == ["halt.no_lease"], "the silence latches")
    three.heal()
    three.until(lambda: [record["payload"] for record in three.log() if record["kind"] == "control.seen" and
                         record["payload"]["what"] == "lease of alpha"][-1]["sha256"] == "held", "Alpha is heard again")
    assert three.state()["dispatch"] == "latched"
    release(three, "alpha" if three.kind == "ssh" else "executor")
    three.until(lambda: three.state()["dispatch"] == "open", "dispatch is open")
    kept = three.homes["alpha" if three.kind == "ssh" else "executor"].file(OPERATOR_COMMANDS)
    assert kept.exists()
    if three.kind == "ssh":
        return
    killed(three)
    for place in (executor, three.homes["alpha"].replica("executor")):
        done = subprocess.run([*VANTA, "verify", "--home", str(place.root)], capture_output=True, text=True, cwd=ROOT,
                              check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def killed(three: Hosts) -> None:
    """A kill on Alpha is seen by the executor before it says so; one on Markets says that it stops nothing."""
    assert call(three, "markets", "kill")[0] == Exit.OUTCOME_UNKNOWN
    assert three.state()["dispatch"] == "open"
    code, said = call(three, "alpha", "kill", "--timeout", "60")
    assert (code, "has seen it" in said) == (0, True), said
    three.until(lambda: "halt.orders_disabled" in str(three.state().get("dispatch_reason")), "it says why")
    for node, words in (("executor", "halted on Alpha: halt.orders_disabled"), ("alpha", "halt.orders_disabled")):
        assert words in call(three, node, "status")[1]


def test_pullers_are_killed_at_any_moment(tmp_path: Path) -> None:
    """Nothing is lost, nothing is there twice; at Alpha the replica is witnessed, verifies and replays equal."""
    chance = random.Random(7)
    with hosts(tmp_path, "shared") as three:
        three.until(lambda: three.count("fill"), "an order is filled")
        for number in range(5):
            for name in PULLERS:
                three.kill(name)
                three.start(name)
            before = len(three.log())
            three.overlay(maintenance={"enabled": number % 2 == 0, "reason": str(number), "by": "ann"})
            three.until(lambda before=before: len(three.log()) > before, "something is recorded")  # type: ignore[misc]
            time.sleep(chance.random())
        three.stop("executor/executor run")
        whole = three.homes["executor"].file(TRADE_LOG).read_bytes()
        for node in ("alpha", "markets"):
            three.until(lambda node=node: three.replica(node) == whole, f"{node} has everything")  # type: ignore[misc]
        three.until(lambda: three.status("alpha", "executor")["witness"] == "sound", "the witness has looked")
        for words in ("verify", "replay"):
            place = three.homes["alpha"].replica("executor")
            done = subprocess.run([*VANTA, words, "--home", str(place.root)], capture_output=True, text=True, cwd=ROOT,
                                  check=False)
            assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("spoil", ["cut", "forked"])
def test_a_log_that_is_no_longer_what_it_was(tmp_path: Path, spoil: str) -> None:
    """Both other nodes refuse it, name it, keep what they have."""
    with hosts(tmp_path, "shared") as three:
        three.until(lambda: three.count("fill"), "an order is filled")
        three.stop("executor/executor run")
        path = three.homes["executor"].file(TRADE_LOG)
        whole = path.read_bytes()
        for node in ("alpha", "markets"):
            three.until(lambda node=node: three.replica(node) == whole, f"{node} has everything")  # type: ignore[misc]
        lines = whole.splitlines(keepends=True)
        path.write_bytes(b"".join(lines[:-1]) + (lines[-1].replace(b"Z", b"Y", 1) if spoil == "forked" else b""))
        words = "made anew" if spoil == "forked" else "it was cut"
        for node in ("alpha", "markets"):
            three.until(lambda node=node: words in three.status(node, "executor")["files"]  # type: ignore[misc]
                        .get(TRADE_LOG, {}).get("problem", ""), f"{node} names it")
            assert three.replica(node) == whole
            assert list((three.homes[node].replica("executor").root / "refused").iterdir())
