"""What a person asks of the executor lies in its command file, complete, and nothing else has changed."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from vanta.common.clock import SystemClock
from vanta.common.exitcodes import Exit
from vanta.common.paths import OPERATOR_COMMANDS, Home
from vanta.common.store.chain import chain
from vanta.common.store.checkpoint import FOLDER, read_all
from vanta.common.store.lock import FileLock
from vanta.suite.run import main


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").prepare()


def given(home: Home) -> list[dict[str, Any]]:
    """Payloads of the commands that lie there."""
    path = home.file(OPERATOR_COMMANDS)
    raw = path.read_bytes() if path.exists() else b""
    return [dict(record.payload) for record in chain(raw, name=path.name) if record.kind == "command.given"]


@pytest.mark.parametrize(("words", "names"), [
    (["flatten"], {"kind": "flatten", "vault": None, "reason": "not stated"}),
    (["flatten", "--vault", "V_CORE", "--reason", "enough"], {"kind": "flatten", "vault": "V_CORE", "reason": "enough"}
     ),
    (["cancel"], {"kind": "cancel", "order_id": None}),
    (["cancel", "--order", "v1"], {"kind": "cancel", "order_id": "v1"}),
    (["acknowledge", "--reason", "it was me"], {"kind": "acknowledge", "reason": "it was me"}),
    ("override --vault V_CORE --limit max_order_value --value 50000 --hours 2 --reason x".split(),
     {"kind": "override", "vault": "V_CORE", "limit": "max_order_value", "value": "50000"}),
])
def test_a_command_is_written_with_everything_it_names(home: Home, capsys: pytest.CaptureFixture[str],
                                                       words: list[str], names: dict[str, Any]) -> None:
    """One record, and the id on the screen."""
    assert main([*words, "--home", str(home.root), "--json"]) == Exit.DONE
    (command,) = given(home)
    assert {name: command[name] for name in names} == names
    assert json.loads(capsys.readouterr().out)["command_id"] == command["command_id"]


def test_a_command_waits_for_no_signing_key(home: Home) -> None:
    """What is written without it lies after the last checkpoint; the next command with the key covers both."""
    path = home.file(OPERATOR_COMMANDS)
    assert main(["flatten", "--home", str(home.root)]) == Exit.DONE
    key = home.config / "credentials" / "audit" / "signing_key"
    kept = key.read_bytes()
    key.write_bytes(b"")
    assert main(["cancel", "--home", str(home.root)]) == Exit.DONE
    signed = (home.memory / FOLDER / path.name).read_bytes()
    assert (len(given(home)), signed.count(b"\n")) == (2, 1)
    key.write_bytes(kept)
    assert main(["flatten", "--home", str(home.root)]) == Exit.DONE
    covered = read_all((home.memory / FOLDER / path.name).read_bytes(), path.name, None)
    assert (covered.problem, [one.seq for one in covered.checkpoints]) == ("", [1, 3])


def test_an_override_ends_after_the_hours_it_names(home: Home) -> None:
    """Two hours after it was asked for, to the millisecond."""
    main(["override", "--vault", "V", "--limit", "max_order_value", "--value", "5", "--hours", "0.5", "--reason", "x",
          "--home", str(home.root)])
    (command,) = given(home)
    assert command["until"][14:16] != command["at"][14:16]
    assert command["until"] > command["at"]


@pytest.mark.parametrize("words", [
    ["acknowledge", "--reason", " "], ["acknowledge"], ["override", "--reason", "x"],
    ["override", "--vault", "V", "--limit", "l", "--value", "many", "--reason", "x"],
    ["override", "--vault", "V", "--limit", "l", "--value", "1", "--hours", "25", "--reason", "x"],
    ["flatten", "--by", " "],
])
def test_what_makes_no_sense_is_a_usage_error_and_writes_nothing(home: Home, words: list[str]) -> None:
    """Status 2, and the file is not even made."""
    assert main([*words, "--home", str(home.root)]) == Exit.USAGE
    assert given(home) == []


BROKEN = {
    "no TOML": b"\xff = {[", "of another version": b"[executor]\nno_such_setting = 1\n",
    "a clock that live mode refuses": b'[executor]\nmode = "live"\n[clock]\nstarts_at = "2026-01-01T00:00:00.000Z"\n'
                                      b'anchored_at = "2026-01-02T00:00:00.000Z"\n'}


@pytest.mark.parametrize("settings", BROKEN.values(), ids=BROKEN.keys())
def test_reducing_risk_does_not_wait_for_the_settings(home: Home, capsys: pytest.CaptureFixture[str],
                                                      settings: bytes) -> None:
    """What is wrong with them is a warning; whoever gives something back is refused until they are right."""
    (home.config / "vanta.toml").write_bytes(settings)
    for word in ("flatten", "cancel"):
        assert main([word, "--home", str(home.root)]) == Exit.DONE
        assert "the settings are wrong, which does not matter for this" in capsys.readouterr().err
    assert [command["kind"] for command in given(home)] == ["flatten", "cancel"]
    assert main(["acknowledge", "--reason", "x", "--home", str(home.root)]) == Exit.CONFIG
    assert len(given(home)) == 2


def test_settings_that_are_a_folder_or_a_pipe_keep_nobody_waiting(home: Home) -> None:
    """Whatever stands where the file should."""
    os.mkfifo(home.config / "vanta.toml")
    assert main(["flatten", "--home", str(home.root)]) == Exit.DONE
    (home.config / "vanta.toml").unlink()
    (home.config / "vanta.toml").mkdir()
    assert main(["cancel", "--home", str(home.root)]) == Exit.DONE
    shutil.rmtree(home.config)
    assert main(["cancel", "--home", str(home.root)]) == Exit.DONE
    assert len(given(home)) == 3


def test_a_command_of_a_demonstration_is_dated_by_its_clock(home: Home) -> None:
    """Its executor lives in another year; by the host's clock the command would be over before it is read."""
    (home.config / "vanta.toml").write_text('[clock]\nstarts_at = "2090-01-01T00:00:00.000Z"\n'
                                            'anchored_at = "2026-01-02T00:00:00.000Z"\n')
    assert main(["flatten", "--home", str(home.root)]) == Exit.DONE
    assert given(home)[0]["at"] > "2089"


def test_who_asks_an_executor_that_does_not_run_is_told(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody carries it out yet; while one runs there is nothing to say."""
    assert main(["flatten", "--home", str(home.root)]) == Exit.DONE
    assert "no executor runs here" in capsys.readouterr().err
    with FileLock(home.lock("executor"), owner="test", now=SystemClock().now()):
        assert main(["flatten", "--home", str(home.root)]) == Exit.DONE
    assert capsys.readouterr().err == ""


def test_a_command_that_cannot_be_written_says_what_helps_meanwhile(home: Home, capsys: pytest.CaptureFixture[str]
                                                                    ) -> None:
    """Its file is a folder: status 78, and the kill that writes nothing is named."""
    home.file(OPERATOR_COMMANDS).mkdir()
    assert main(["flatten", "--home", str(home.root), "--json"]) == Exit.CONFIG
    said = json.loads(capsys.readouterr().out)
    assert said["error"].startswith("nothing is asked of the executor")
    assert "vanta-run kill" in said["cure"]


def test_while_another_command_is_being_given_the_status_is_temporary(home: Home) -> None:
    """75: once more."""
    with FileLock(home.lock("operator_commands"), owner="test", now=SystemClock().now()):
        assert main(["flatten", "--home", str(home.root)]) == Exit.TEMPORARY
