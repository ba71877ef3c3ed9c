"""What a person asks of the executor lies in its command file, complete, and nothing else has changed."""

import json
from pathlib import Path
from typing import Any

import pytest

from vanta.common.exitcodes import Exit
from vanta.common.paths import OPERATOR_COMMANDS, Home
from vanta.common.store.chain import chain
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
