"""`kill`: what it changes, what it records, and how it ends, whatever state the home is in."""

import json
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from vanta.common.clock import SystemClock
from vanta.common.exitcodes import Exit
from vanta.common.paths import CONTROL_LOG, OPERATOR_COMMANDS, OVERLAY, PERMIT, TRADE_LOG, Home
from vanta.common.store.chain import chain
from vanta.common.store.gatelock import GATE, GateLock
from vanta.common.store.journal import FileJournal
from vanta.common.store.lock import FileLock
from vanta.common.store.ports import Record
from vanta.common.times import iso
from vanta.suite.run import main


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").prepare()


def recorded(home: Home, name: str = CONTROL_LOG) -> list[Record]:
    """The log's records, the opening one left out."""
    return list(chain(home.file(name).read_bytes(), name=name))[1 if name == CONTROL_LOG else 0:]


def run(home: Home, *words: str) -> int:
    return main([*words, "--home", str(home.root)])


def released(home: Home, *words: str) -> int:
    return run(home, "release", "--scope", "global", "--confirm", "global", *words)


@contextmanager
def executor(home: Home) -> Iterator[GateLock]:
    """An executor that runs, as far as locks tell."""
    with FileLock(home.lock("executor"), owner="executor", now=SystemClock().now()):
        yield GateLock(home.lock(GATE))


def test_release_then_kill(home: Home) -> None:
    """The permit appears and vanishes, and the log says who did it and why, before and after."""
    assert released(home, "--reason", "checks are green", "--by", "ada") == Exit.DONE
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
    assert released(home, "--reason", "first", "--by", "ada") == Exit.DONE
    assert released(home, "--reason", "second", "--by", "ben") == Exit.DONE
    assert "was permitted already" in capsys.readouterr().out
    assert json.loads(home.file(PERMIT).read_bytes())["by"] == "ada"


def test_what_it_records_is_dated_as_the_home_is(home: Home) -> None:
    """A home that lives through recorded days is not told that a file is from its future."""
    (home.config / "vanta.toml").write_text('[clock]\nstarts_at = "2026-01-05T15:00:00Z"\n'
                                            f'anchored_at = "{iso(SystemClock().now())}"\n')
    home.file(OVERLAY).write_text('{"maintenance": false, "orders_disabled": false, "external_calls_disabled": false, '
                                  '"full_halt": false}')
    assert released(home, "--reason", "x") == Exit.DONE
    assert run(home, "kill") == Exit.DONE
    assert run(home, "mode", "full_halt") == Exit.DONE
    assert [one.at[:10] for one in recorded(home)] == ["2026-01-05"] * 3


def test_kill_needs_no_configuration(home: Home) -> None:
    """Files that nobody can read stop nobody from halting; releasing waits until the settings are repaired."""
    assert released(home, "--reason", "x") == Exit.DONE
    for path in (home.config / "vanta.toml", home.config / "instruments.json", *map(home.file, (
            "vault.json", "vault_overlay.json", "executor_state.json", "autotrade_queue.json", TRADE_LOG))):
        path.write_bytes(b"this is = = {not anything \xff")
    assert run(home, "kill") == Exit.DONE
    assert not home.file(PERMIT).exists()
    assert released(home, "--reason", "x") == Exit.CONFIG
    assert not home.file(PERMIT).exists()


def test_kill_without_any_configuration_file(home: Home) -> None:
    """A home that has only a memory folder can be halted."""
    assert released(home, "--reason", "x") == Exit.DONE
    shutil.rmtree(home.config)
    assert run(home, "kill") == Exit.DONE
    assert not home.file(PERMIT).exists()


def test_kill_is_recorded_without_a_signing_key(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """Unsigned, and without a word about keys: who halts has other things to think of."""
    assert released(home, "--reason", "x") == Exit.DONE
    (home.config / "credentials" / "audit" / "signing_key").write_bytes(b"")
    before = home.file(CONTROL_LOG).read_bytes().count(b"\n")
    capsys.readouterr()
    assert run(home, "kill") == Exit.DONE
    assert home.file(CONTROL_LOG).read_bytes().count(b"\n") == before + 1
    assert capsys.readouterr().err == ""


def test_kill_halts_even_where_it_cannot_be_recorded(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """A broken control log is a warning: the permit is gone all the same."""
    assert released(home, "--reason", "x") == Exit.DONE
    home.file(CONTROL_LOG).write_bytes(b"garbage\n")
    assert run(home, "kill") == Exit.DONE
    assert not home.file(PERMIT).exists()
    assert "could not be recorded" in capsys.readouterr().err


def test_a_permit_that_cannot_be_removed_says_so(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """The operating system's refusal is an error with its own status and another way to halt."""
    home.file(PERMIT).mkdir()  # what no account may unlink
    assert run(home, "kill") == Exit.PERMISSION
    assert "full_halt" in capsys.readouterr().err


def test_a_kill_never_waits_for_a_pipe(home: Home) -> None:
    """Pipes in place of files keep nobody from halting; where the gate's lock is gone, nothing is known."""
    assert released(home, "--reason", "start", "--by", "ada") == Exit.DONE
    with executor(home):
        home.lock(GATE).unlink()
        for path in (home.file(TRADE_LOG), home.file("vault_overlay.json"), home.file("open_orders.json")):
            os.mkfifo(path)
        assert run(home, "kill", "--timeout", "0") == Exit.OUTCOME_UNKNOWN
    assert not home.file(PERMIT).exists()


def test_a_kill_waits_for_an_order_that_is_on_its_way(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """While the gate is held nobody may say that no order leaves, however often it is killed; then 0."""
    home.file(TRADE_LOG).write_bytes(b"".join(line(*row) for row in (
        ("order.submitting", "v-0"), ("program.started", None), ("order.submitting", "v-1"),
        ("order.submitting", "v-2"), ("order.accepted", "v-1"), ("order.submitting", "v-3"))))
    with executor(home) as gate:
        assert gate.enter()
        assert released(home, "--reason", "start") == Exit.REFUSED  # no executor_state.json yet
        home.file(PERMIT).write_text("{}")
        for _ in range(2):
            assert run(home, "kill", "--timeout", "0.05") == Exit.OUTCOME_UNKNOWN
            assert "may have left: v-2, v-3" in capsys.readouterr().err
            assert not home.file(PERMIT).exists()
        assert run(home, "kill", "--timeout", "0", "--json") == Exit.OUTCOME_UNKNOWN
        said = json.loads(capsys.readouterr().out)
        assert (said["acknowledged"], said["on_the_way"]) == (False, ["v-2", "v-3"])
        gate.leave()
        assert run(home, "kill", "--timeout", "0") == Exit.DONE
        assert "has seen it" in capsys.readouterr().out


def test_a_kill_ends_as_soon_as_the_gate_is_free(home: Home) -> None:
    """It waits for the last order, not for its time limit."""
    with executor(home) as gate:
        assert gate.enter()
        leave = threading.Timer(0.1, gate.leave)
        leave.start()
        assert run(home, "kill", "--timeout", "600") == Exit.DONE
        leave.join()


def test_nothing_in_the_log_is_said_too(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """A gate that is held and a log without an open order: unknown all the same, with what is known."""
    with executor(home) as gate:
        assert gate.enter()
        assert run(home, "kill", "--timeout", "0") == Exit.OUTCOME_UNKNOWN
    assert "its log shows no order on its way" in capsys.readouterr().err


@pytest.mark.parametrize(("lock", "gate", "status"), [
    ("held", "free", Exit.DONE), ("held", "held", Exit.OUTCOME_UNKNOWN), ("held", "missing", Exit.OUTCOME_UNKNOWN),
    ("free", "held", Exit.DONE), ("free", "missing", Exit.DONE), ("missing", "missing", Exit.DONE),
    ("missing", "held", Exit.OUTCOME_UNKNOWN), ("missing", "free", Exit.DONE)])
def test_locks_that_somebody_deleted_are_no_answer(home: Home, lock: str, gate: str, status: Exit) -> None:
    """A gate that is held counts even where the executor's own lock is gone, a missing one says nothing."""
    with executor(home) as lane:
        if gate == "held":
            assert lane.enter()
        if gate == "missing":
            home.lock(GATE).unlink()
        if lock == "held":
            assert run(home, "kill", "--timeout", "0") == status
        if lock == "missing":
            home.lock("executor").unlink()
            assert run(home, "kill", "--timeout", "0") == status
    if lock == "free":
        assert run(home, "kill", "--timeout", "0") == status


def line(kind: str, order_id: str | None) -> bytes:
    """A line of a trade log, as far as a look from outside reads it."""
    ids = {} if order_id is None else {"order_id": order_id}
    return json.dumps({"seq": 1, "at": "", "kind": kind, "ids": ids, "payload": {}}).encode() + b"\n"


def test_a_torn_control_log_is_repaired_and_the_repair_recorded(home: Home) -> None:
    """Half a line at the end is set aside; both it and the change are in the log."""
    assert released(home, "--reason", "x") == Exit.DONE
    with home.file(CONTROL_LOG).open("ab") as log:
        log.write(b'{"seq": 3, "half')
    FileJournal(home.file(CONTROL_LOG)).close()  # whoever set it aside was killed before it could be recorded
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
        assert run(home, "kill", "--cancel-open", "--by", "ada") == Exit.DONE
    assert [one.kind for one in recorded(home, OPERATOR_COMMANDS)] == ["tail.repaired", "command.given",
                                                                       "command.given"]


def test_orders_at_the_venue_are_cancelled_on_request(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """The executor is asked by a command; where it cannot be given, the kill stands and says so."""
    assert run(home, "kill", "--cancel-open", "--reason", "leak", "--by", "ada") == Exit.DONE
    (given,) = recorded(home, OPERATOR_COMMANDS)
    assert (given.payload["kind"], given.payload["by"], given.payload["reason"]) == ("cancel", "ada", "leak")
    assert given.payload["command_id"] in capsys.readouterr().out
    home.file(OPERATOR_COMMANDS).write_bytes(b"garbage\n")
    home.file(PERMIT).write_text("{}")
    assert run(home, "kill", "--cancel-open") == Exit.DONE
    assert "are not asked to be cancelled" in capsys.readouterr().err
    assert not home.file(PERMIT).exists()


def test_json_is_one_document_with_the_same_status(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """What the text says, for programs."""
    assert run(home, "kill", "--json") == Exit.DONE
    assert json.loads(capsys.readouterr().out) | {"generated_at": "", "next": []} == {
        "schema": "vanta.run.kill/1", "generated_at": "", "ok": True, "changed": False, "acknowledged": True,
        "executor": None, "on_the_way": [], "cancel": None, "warnings": [], "next": []}


def test_a_folder_that_is_no_home_is_refused(tmp_path: Path) -> None:
    """Nothing is created by a mistyped path."""
    assert main(["kill", "--home", str(tmp_path / "typo")]) == Exit.USAGE
    assert not (tmp_path / "typo").exists()
