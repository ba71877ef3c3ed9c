"""`release`: what it insists on before anything may leave again."""

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.processes import ROOT
from vanta.common.exitcodes import Exit
from vanta.common.paths import CONTROL_LOG, EXECUTOR_STATE, OPERATOR_COMMANDS, PERMIT, TRADE_LOG, Home
from vanta.common.store.chain import chain
from vanta.suite.run import main

GLOBAL = ("--scope", "global", "--confirm", "global")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").prepare()


def release(home: Home, *words: str) -> int:
    return main(["release", "--home", str(home.root), *words])


def permitted(home: Home) -> bool:
    return home.file(PERMIT).exists()


def says(home: Home, **fields: Any) -> None:
    """What the executor last published."""
    home.file(EXECUTOR_STATE).write_text(json.dumps(
        {"as_of_seq": 1, "dispatch": "open", "latches": [], "broker_sync": {"paper": "in sync"}, **fields}))


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("words", "said"), [
    ((), "--reason"), (("--reason", "  ", *GLOBAL), "needs a reason"),
    (("--reason", "x", "--by", "", *GLOBAL), "a name"),
    (("--reason", "x"), "say what is to be released"),
    (("--reason", "x", "--latch", "latch_1", *GLOBAL), "say what is to be released"),
    (("--reason", "x", "--scope", "everything", "--confirm", "everything"), "there is no scope 'everything'"),
    (("--reason", "x", "--scope", "global"), "nobody has confirmed"),
    (("--reason", "x", "--scope", "global", "--confirm", "globl"), "'globl' is not 'global'"),
    (("--reason", "x", "--scope", "global", "--confirm", ""), "'' is not 'global'"),
], ids=["nothing", "blank reason", "no name", "no scope", "two scopes", "unknown scope", "not confirmed", "mistyped",
        "empty"])
def test_without_a_reason_a_name_and_a_scope_that_was_typed_nothing_is_released(
        home: Home, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str) -> None:
    """A usage error that says what is missing; nothing is permitted and nothing is recorded."""
    assert release(home, *words) == Exit.USAGE
    assert said in capsys.readouterr().err
    assert not permitted(home)
    assert not home.file(CONTROL_LOG).exists()


@pytest.mark.parametrize(("typed", "status"), [("global\n", Exit.DONE), ("yes\n", Exit.USAGE), ("\n", Exit.USAGE)])
def test_on_a_terminal_the_scope_is_asked_for(home: Home, monkeypatch: pytest.MonkeyPatch, typed: str,
                                              status: Exit) -> None:
    """A habitual yes releases nothing."""
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    assert release(home, "--scope", "global", "--reason", "x") == status
    assert permitted(home) is (status == Exit.DONE)


def test_a_real_terminal_asks_on_stderr(home: Home) -> None:
    """The question leaves stdout to the one JSON document."""
    ours, theirs = pty.openpty()
    os.write(ours, b"global\n")
    command = [sys.executable, "-m", "vanta.suite.run", "release", "--home", str(home.root), "--scope", "global"]
    done = subprocess.run([*command, "--reason", "x", "--json"], cwd=ROOT, stdin=theirs, capture_output=True, text=True,
                          check=False)
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["changed"] is True
    assert "Type global to release it" in done.stderr


def test_a_home_in_which_nothing_ran_is_released(home: Home) -> None:
    """There is nothing that could disagree."""
    assert release(home, "--reason", "first start", *GLOBAL) == Exit.DONE
    assert permitted(home)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "not reconciled": ({"broker_sync": {"a": "in sync", "b": "differs: 2 BTC", "c": "unknown: not asked yet"}},
                       "account b is not reconciled: differs: 2 BTC; account c is not reconciled: unknown"),
    "no accounts": ({"broker_sync": {}}, "says of no account"),
    "accounts that are no table": ({"broker_sync": "in sync"}, "says of no account"),
    "latched": ({"latches": [{"latch_id": "latch_1", "detail": "lost 4 %"}]}, "latch latch_1 is set: lost 4 %"),
    "latches that are no list": ({"latches": None}, "does not say which latches hold"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_unclean_reconciliation_refuses(home: Home, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Status 5, everything that is in the way is named, nothing is permitted or recorded."""
    fields, said = REFUSED[name]
    says(home, **fields)
    assert release(home, "--reason", "x", *GLOBAL) == Exit.REFUSED
    assert said in capsys.readouterr().err
    assert not permitted(home)
    assert not home.file(CONTROL_LOG).exists()
    says(home)
    assert release(home, "--reason", "x", *GLOBAL) == Exit.DONE


def test_a_latch_that_only_the_log_knows_refuses(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """The executor ended by what it latched for, before it could publish."""
    says(home)
    latch = {"latch_id": "latch_9", "detail": "disk"}
    home.file(TRADE_LOG).write_text(json.dumps({
        "seq": 2, "at": "", "kind": "latch.set", "ids": {}, "payload": latch}) + "\n")
    assert release(home, "--reason", "x", *GLOBAL) == Exit.REFUSED
    assert "latch latch_9 is set: disk" in capsys.readouterr().err


@pytest.mark.parametrize("state", [None, b"garbage", b"[]"], ids=["missing", "not JSON", "no object"])
def test_an_executor_that_ran_and_says_nothing_refuses(home: Home, state: bytes | None) -> None:
    """Nobody knows whether the books are right."""
    home.file(TRADE_LOG).write_bytes(b"")
    if state is not None:
        home.file(EXECUTOR_STATE).write_bytes(state)
    assert release(home, "--reason", "x", *GLOBAL) == Exit.REFUSED
    assert not permitted(home)


def test_a_latch_is_released_by_its_name(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """The executor is asked by a command that names it; the permit is not touched. Another latch is not in the way."""
    says(home, latches=[{"latch_id": "latch_1", "detail": "x"}, {"latch_id": "latch_2", "detail": "y"}])
    named = ("--latch", "latch_1", "--confirm", "latch_1", "--reason", "disk repaired", "--by", "ada")
    assert release(home, *named) == Exit.DONE
    assert not permitted(home)
    (given,) = chain(home.file(OPERATOR_COMMANDS).read_bytes(), name=OPERATOR_COMMANDS)
    assert (given.payload["kind"], given.payload["latch_id"], given.payload["by"]) == ("release", "latch_1", "ada")
    capsys.readouterr()
    assert release(home, "--latch", "latch_3", "--confirm", "latch_3", "--reason", "x") == Exit.REFUSED
    assert "no such latch; set are latch_1, latch_2" in capsys.readouterr().err
    says(home, latches=[{"latch_id": "latch_1", "detail": "x"}], broker_sync={"paper": "unknown: silence"})
    assert release(home, *named) == Exit.REFUSED


def test_a_release_that_cannot_be_recorded_does_not_take_effect(home: Home) -> None:
    """Loosening is recorded before it happens, or does not happen."""
    home.file(CONTROL_LOG).write_bytes(b"garbage\n")
    assert release(home, "--reason", "x", *GLOBAL) == Exit.CONFIG
    assert not permitted(home)


def test_json_tells_a_refusal_with_its_status(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """What the text says, for programs."""
    says(home, broker_sync={"paper": "unknown: silence"})
    assert release(home, "--json", "--reason", "x", *GLOBAL) == Exit.REFUSED
    said = json.loads(capsys.readouterr().out)
    assert (said["exit"], said["ok"]) == (Exit.REFUSED, False)
    assert "unknown: silence" in said["error"]
