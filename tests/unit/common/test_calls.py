"""Whether feeds may call the outside: only bytes that say so, strictly, permit it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from vanta.common.calls import why_no_calls
from vanta.common.paths import OVERLAY, TRADE_LOG, VAULTS, Home

CLEAR: dict[str, Any] = {
    "maintenance": False, "orders_disabled": False, "external_calls_disabled": False, "full_halt": False}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").prepare()


def saved(home: Home, raw: bytes) -> str | None:
    home.file(OVERLAY).write_bytes(raw)
    return why_no_calls(home)


@pytest.mark.parametrize("changes", [
    {}, {"external_calls_disabled": {"enabled": False, "reason": "back", "by": "ops"}}, {"full_halt": True},
    {"maintenance": True}, {"orders_disabled": True}, {"reduce_only": True},
    {"scopes": {"broker": {"paper": {"external_calls_disabled": True}}}}], ids=json.dumps)
def test_an_overlay_that_permits(home: Home, changes: dict[str, Any]) -> None:
    """The switch is literally off at the root; the others, and scopes, concern orders."""
    assert saved(home, json.dumps(CLEAR | changes).encode()) is None


@pytest.mark.parametrize(("switch", "said"), [
    (True, "external_calls_disabled is on: no reason stated"),
    ({"enabled": True}, "external_calls_disabled is on: no reason stated"),
    ({"enabled": True, "reason": "leak", "by": "ops", "until": "2001-01-01T00:00:00.000Z"},
     "external_calls_disabled is on: leak")], ids=["bare", "object", "with an end that has passed"])
def test_the_switch_forbids_in_every_spelling(home: Home, switch: Any, said: str) -> None:
    """And waits for a person: it does not end by itself."""
    assert saved(home, json.dumps(CLEAR | {"external_calls_disabled": switch}).encode()) == said


@pytest.mark.parametrize("raw", [
    b"", b"{", b"[]", b"\xff", json.dumps(CLEAR).encode()[:-2],
    json.dumps({name: CLEAR[name] for name in CLEAR if name != "external_calls_disabled"}).encode(),
    json.dumps(CLEAR | {"external_calls_disabled": 0}).encode(),
    json.dumps(CLEAR | {"external_calls_disabled": "false"}).encode(),
    json.dumps(CLEAR | {"external_call_disabled": True}).encode(),
    json.dumps(CLEAR).encode()[:-1] + b', "external_calls_disabled": false}',
    json.dumps(CLEAR | {"reason": "x" * 300_000}).encode(),
], ids=["empty", "cut", "a list", "no text", "half saved", "switch missing", "a number", "a text", "misspelt", "twice",
        "too large"])
def test_what_cannot_be_read_strictly_forbids(home: Home, raw: bytes) -> None:
    """With the reason, which names the file."""
    said = saved(home, raw)
    assert said is not None
    assert OVERLAY in said


def test_a_link_or_a_pipe_forbids_without_waiting(home: Home, tmp_path: Path) -> None:
    """What stands in the file's place is not followed and not waited for."""
    (tmp_path / "elsewhere").write_text(json.dumps(CLEAR))
    home.file(OVERLAY).symlink_to(tmp_path / "elsewhere")
    assert "cannot be opened" in str(why_no_calls(home))
    home.file(OVERLAY).unlink()
    os.mkfifo(home.file(OVERLAY))
    assert "not a regular file" in str(why_no_calls(home))


def test_without_an_overlay_only_a_home_with_nothing_to_halt_may_call(home: Home) -> None:
    """A new home is collected for as it is; where vaults or a trade log are, somebody took the overlay away."""
    assert why_no_calls(home) is None
    for name in (VAULTS, TRADE_LOG):
        home.file(name).write_bytes(b"")
        assert "cannot be opened" in str(why_no_calls(home))
        home.file(name).unlink()


def test_a_home_that_cannot_be_looked_at_forbids(tmp_path: Path) -> None:
    """Not to be able to see the overlay is not the same as there being none."""
    home = Home(tmp_path)
    home.memory.symlink_to(home.memory)
    assert "cannot be looked at" in str(why_no_calls(home))


def test_a_wrong_value_is_named_with_its_line(home: Home) -> None:
    """A person looks for it in an editor."""
    wrong = json.dumps(CLEAR | {"external_calls_disabled": "false"}, indent=2).encode()
    number = next(at for at, line in enumerate(wrong.splitlines(), 1) if b"external_calls_disabled" in line)
    assert f"{OVERLAY}:{number} (external_calls_disabled" in str(saved(home, wrong))
