"""`kill` and `release`: what they change, what they record, and how they end."""

import json
import os
from pathlib import Path

import pytest

from vanta.common.clock import SystemClock
from vanta.common.exitcodes import Exit
from vanta.common.paths import CONTROL_LOG, OPERATOR_COMMANDS, PERMIT, TRADE_LOG, Home
from vanta.common.store.chain import chain
from vanta.common.store.lock import FileLock
from vanta.common.store.ports import Record
from vanta.suite.run import main
from vanta.suite.wire import control_log


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").prepare()


def recorded(home: Home, name: str = CONTROL_LOG) -> list[Record]:
    """The log's records, the opening one left out."""
    return list(chain(home.file(name).read_bytes(), name=name))[1 if name == CONTROL_LOG else 0:]


def run(home: Home, *words: str) -> int:
    return main([*words, "--home", str(home.root)])


def test_release_then_kill(home: Home) -> None:
    """The permit appears and vanishes, and the log says who did it and why, before and after."""
    assert run(home, "release", "--reason", "checks are green", "--by", "ada") == Exit.DONE
    assert json.loads(home.file(PERMIT).read_bytes())["by"] == "ada"
    assert run(home, "kill", "--reason", "odd fills", "--by", "ben") == Exit.DONE
    assert not home.file(PERMIT).exists()
    assert [(one.kind, one.payload["by"], one.payload["reason"], one.payload["before"], one.payload["after"])
            for one in recorded(home)] == [
        ("control.changed", "ada", "checks are green", "absent", "present"),
        ("control.changed", "ben", "odd fills", "present", "absent")]


def test_both_may_be_repeated(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """Already halted and already released are successes; a second release keeps the first one's author."""
    assert run(home, "kill") == Exit.DONE
    assert "was stopped already" in capsys.readouterr().out
    assert run(home, "release", "--reason", "first", "--by", "ada") == Exit.DONE
    assert run(home, "release", "--reason", "second", "--by", "ben") == Exit.DONE
    assert "was permitted already" in capsys.readouterr().out
    assert json.loads(home.file(PERMIT).read_bytes())["by"] == "ada"


@pytest.mark.parametrize("words", [
    ["release"], ["release", "--reason", "  "], ["release", "--reason", "x", "--by", ""],
], ids=["not given", "blank", "no name"])
def test_release_without_a_reason_or_a_name_is_refused(home: Home, words: list[str]) -> None:
    """A usage error; nothing is permitted and nothing is recorded."""
    assert run(home, *words) == Exit.USAGE
    assert not home.file(PERMIT).exists()
    assert not home.file(CONTROL_LOG).exists()


def test_kill_needs_no_configuration(home: Home) -> None:
    """A vanta.toml that nobody can read stops nobody from halting; releasing waits until it is repaired."""
    assert run(home, "release", "--reason", "x") == Exit.DONE
    (home.config / "vanta.toml").write_text("this is = = not TOML")
    assert run(home, "kill") == Exit.DONE
    assert not home.file(PERMIT).exists()
    assert run(home, "release", "--reason", "x") == Exit.CONFIG
    assert not home.file(PERMIT).exists()


def test_kill_without_any_configuration_file(home: Home) -> None:
    """A home that has only a memory folder can be halted."""
    assert run(home, "release", "--reason", "x") == Exit.DONE
    home.config.rmdir()
    assert run(home, "kill") == Exit.DONE
    assert not home.file(PERMIT).exists()


def test_kill_halts_even_where_it_cannot_be_recorded(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """A broken control log is a warning: the permit is gone all the same."""
    assert run(home, "release", "--reason", "x") == Exit.DONE
    home.file(CONTROL_LOG).write_bytes(b"garbage\n")
    assert run(home, "kill") == Exit.DONE
    assert not home.file(PERMIT).exists()
    assert "could not be recorded" in capsys.readouterr().err


def test_a_release_that_cannot_be_recorded_does_not_take_effect(home: Home) -> None:
    """Loosening is recorded before it happens, or does not happen."""
    home.file(CONTROL_LOG).write_bytes(b"garbage\n")
    assert run(home, "release", "--reason", "x") == Exit.CONFIG
    assert not home.file(PERMIT).exists()


def test_a_permit_that_cannot_be_removed_says_so(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """The operating system's refusal is an error with its own status and another way to halt."""
    home.file(PERMIT).mkdir()  # what no account may unlink
    assert run(home, "kill") == Exit.PERMISSION
    assert "full_halt" in capsys.readouterr().err


def test_a_kill_never_waits_for_a_pipe(home: Home) -> None:
    """Where the trade log is a pipe, nobody can have answered: the outcome is unknown, and it is said in time."""
    assert run(home, "release", "--reason", "start", "--by", "ada") == Exit.DONE
    os.mkfifo(home.file(TRADE_LOG))
    with FileLock(home.lock("executor"), owner="executor", now=SystemClock().now()):
        assert run(home, "kill", "--timeout", "0") == Exit.OUTCOME_UNKNOWN
    assert not home.file(PERMIT).exists()


def test_a_torn_control_log_is_repaired_and_the_repair_recorded(home: Home) -> None:
    """Half a line at the end is set aside; both it and the change are in the log."""
    assert run(home, "release", "--reason", "x") == Exit.DONE
    with home.file(CONTROL_LOG).open("ab") as log:
        log.write(b'{"seq": 3, "half')
    control_log(home).close()  # whoever set it aside was killed before it could be recorded
    for _ in range(2):
        assert run(home, "kill") == Exit.DONE
    assert [one.kind for one in recorded(home)] == ["control.changed", "tail.repaired", "control.changed",
                                                    "control.changed"]


def test_working_orders_are_named(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """A kill does not cancel what is at the venue; it says what is there, or that it cannot tell."""
    assert run(home, "kill") == Exit.DONE
    assert "unknown" in capsys.readouterr().out
    home.file("open_orders.json").write_text('{"orders": [{"order_id": "vabc-1"}]}')
    assert run(home, "kill") == Exit.DONE
    assert "vabc-1" in capsys.readouterr().out
    home.file("open_orders.json").write_text('{"orders": []}')
    assert run(home, "kill") == Exit.DONE
    assert "working orders" not in capsys.readouterr().out


def test_a_torn_log_of_commands_is_repaired_and_the_repair_recorded(home: Home) -> None:
    """Once, before the next command."""
    home.file(OPERATOR_COMMANDS).write_bytes(b'{"seq":1,')
    for _ in range(2):
        assert run(home, "release", "--latch", "latch_1", "--reason", "reviewed", "--by", "ada") == Exit.DONE
    assert [one.kind for one in recorded(home, OPERATOR_COMMANDS)] == ["tail.repaired", "command.given",
                                                                       "command.given"]


def test_a_latch_is_released_by_its_name(home: Home) -> None:
    """The executor is asked by a command that names the latch; the permit is not touched."""
    assert run(home, "release", "--latch", "latch_0a1b2c3d", "--reason", "disk repaired", "--by", "ada") == Exit.DONE
    assert not home.file(PERMIT).exists()
    given = recorded(home, OPERATOR_COMMANDS)
    assert [one.payload["latch_id"] for one in given] == ["latch_0a1b2c3d"]


def test_json_is_one_document_with_the_same_status(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """What the text says, for programs."""
    assert run(home, "kill", "--json") == Exit.DONE
    assert json.loads(capsys.readouterr().out) | {"generated_at": "", "next": []} == {
        "schema": "vanta.run.kill/1", "generated_at": "", "ok": True, "changed": False, "acknowledged": True,
        "executor": None, "warnings": [], "next": []}
    assert run(home, "release", "--json", "--reason", "") == Exit.USAGE
    assert json.loads(capsys.readouterr().out)["exit"] == Exit.USAGE


def test_a_folder_that_is_no_home_is_refused(tmp_path: Path) -> None:
    """Nothing is created by a mistyped path."""
    assert main(["kill", "--home", str(tmp_path / "typo")]) == Exit.USAGE
    assert not (tmp_path / "typo").exists()
