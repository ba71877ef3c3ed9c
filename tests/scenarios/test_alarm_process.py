"""A real executor tells a real program of alerts and latches, and trades on whatever that program does."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.scenarios import test_executor_process as process
from tests.scenarios.test_executor_process import kinds, stage, start
from tests.scenarios.test_reducing_risk import asked, quote, running, until
from vanta.common.canonical import document
from vanta.common.exitcodes import Exit
from vanta.common.paths import EXECUTOR_STATE, VAULTS, Home

PATIENCE_S = 60
home = process.home


def page(home: Home, body: str, **settings: str) -> None:
    """The operator's program, named in the settings."""
    path = home.root / "page"
    path.write_text(f"#!/bin/sh\n{body}\n", "utf-8")
    path.chmod(0o755)
    more = "".join(f"{name} = {value}\n" for name, value in settings.items())
    (home.config / "vanta.toml").write_text(f'[executor]\nalert_command = ["{path}", "--urgent"]\n{more}', "utf-8")


def narrow(home: Home) -> None:
    """An order of these tests takes more than four fifths of what a position may be."""
    home.file(VAULTS).write_bytes(document({"vaults": [
        {"vault_id": "V_CORE", "label": "Core", "crypto_enabled": True, "personas": ["Athena"],
         "risk": {"max_single_pos_pct": "0.0115"}}]}))


def heard(home: Home) -> list[dict[str, Any]]:
    """The objects that arrived whole."""
    return [json.loads(path.read_bytes()) for path in sorted(home.root.glob("said.*"))
            if path.read_bytes().endswith(b"\n")]


def eventually(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < ends, "it did not come about"
        time.sleep(0.01)


def test_an_alert_and_a_latch_reach_the_program(home: Home) -> None:
    """Each once; the latch again when another process takes over."""
    page(home, f'cat > "{home.root}/said.$$"')
    narrow(home)
    with running(home):
        eventually(lambda: "alert" in [one["what"] for one in heard(home)])
        assert asked(home, "flatten")[0] == Exit.DONE
        eventually(lambda: len(heard(home)) == 2)
    alert, latch = sorted(heard(home), key=lambda one: str(one["what"]))
    assert (alert["schema"], alert["vault"], alert["level"], alert["limit"]) == (
        "vanta.alert/1", "V_CORE", 80, "0.0115")
    assert (latch["what"], latch["code"]) == ("latch", "halt.flattened")
    with running(home):
        eventually(lambda: len(heard(home)) == 3)


def test_programs_that_hang_halt_nothing(home: Home) -> None:
    """The alert's program never ends; orders, exits and the stop go on."""
    page(home, f'echo $$ >> "{home.root}/pids"; exec sleep 3600')
    narrow(home)
    daemon = start(home)
    eventually((home.root / "pids").exists)
    until(home, lambda found: "fill" in found)
    quote(home)
    assert asked(home, "flatten")[0] == Exit.DONE
    until(home, lambda found: found.count("fill") == 2)
    daemon.terminate()
    assert daemon.wait(PATIENCE_S) == 0
    daemon.communicate()
    assert kinds(home)[-1] == "program.stopped"
    for pid in (home.root / "pids").read_text("utf-8").split():
        eventually(lambda pid=pid: not Path(f"/proc/{pid}").exists())  # type: ignore[misc]


def test_a_program_that_fails_is_named_by_status(home: Home) -> None:
    """In the executor's document and on the screen."""
    page(home, "exit 7", heartbeat_s="0.05")
    narrow(home)
    with running(home):
        eventually(lambda: home.file(EXECUTOR_STATE).exists()
                   and b"alert_command: it ended with 7" in home.file(EXECUTOR_STATE).read_bytes())
        status, said = asked(home, "status")
    row = next(one for one in said["checks"] if one["name"] == "alarm")
    assert (status, row["level"], row["text"]) == (0, "WARNING", "alert_command: it ended with 7")


def test_a_simulation_alarms_nobody(home: Home) -> None:
    """What happens there has not happened."""
    page(home, f'cat > "{home.root}/said.$$"', mode='"simulate"')
    narrow(home)
    stage(home, 1)
    with running(home):
        until(home, lambda found: "alert" in found and "fill" in found)
    assert heard(home) == []


def test_the_last_word_of_an_executor_that_cannot_go_on(home: Home) -> None:
    """Its lock is gone: the program hears why it stops."""
    page(home, f'cat > "{home.root}/said.$$"')
    daemon = start(home)
    until(home, lambda found: "fill" in found)
    home.lock("executor").unlink()
    assert daemon.wait(PATIENCE_S) == Exit.CONFIG
    daemon.communicate()
    assert [(one["what"], one["code"]) for one in heard(home)] == [("stopped", "executor.stopped")]
    assert "executor.lock was removed or replaced" in heard(home)[0]["sentence"]
