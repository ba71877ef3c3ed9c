"""`mode`: switches shown and set without losing what else stands in the file, or what somebody else has saved."""

import json
from pathlib import Path
from typing import Any

import pytest

from vanta.alpha.editing import Meanwhile
from vanta.common.exitcodes import Exit
from vanta.common.paths import CONTROL_LOG, OVERLAY, Home
from vanta.common.store.chain import chain
from vanta.suite.mode import look, swap
from vanta.suite.run import main

WRITTEN = """{
  "maintenance": false, "orders_disabled": false, "external_calls_disabled": false,
  "full_halt": {"enabled": true, "reason": "odd fills", "by": "ben"},
  "reduce_only": {"enabled": true, "until": "2026-11-20T15:00:00.000Z"},
  "persona_boosts": {"contrarian": 0.10}, "scopes": {"vault": {"V_CORE": {"maintenance": true}}}
}"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home").prepare()
    made.file(OVERLAY).write_text(WRITTEN)
    made.file(OVERLAY).chmod(0o640)
    return made


def mode(home: Home, *words: str) -> int:
    return main(["mode", "--home", str(home.root), *words])


def saved(home: Home) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(home.file(OVERLAY).read_bytes())
    return value


def recorded(home: Home) -> list[tuple[str, ...]]:
    lines = chain(home.file(CONTROL_LOG).read_bytes(), name=CONTROL_LOG)
    return [tuple(str(one.payload[name]) for name in ("what", "before", "after", "by", "reason"))
            for one in lines if one.kind == "control.changed"]


def test_it_shows_every_switch(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """On or off, since whom and why, and nothing is written."""
    assert mode(home) == Exit.DONE
    said = capsys.readouterr().out
    assert "full_halt                 on: odd fills (by ben)" in said
    assert "reduce_only               on until 2026-11-20T15:00:00.000Z: reason not stated (by an unnamed" in said
    assert "maintenance               off" in said
    assert home.file(OVERLAY).read_text() == WRITTEN


def test_a_switch_goes_on_without_a_question(home: Home) -> None:
    """Only that field changes; the rest, the file's mode and its strictness stay; it is recorded."""
    assert mode(home, "orders_disabled") == Exit.DONE
    assert '"contrarian": 0.10' in home.file(OVERLAY).read_text()
    assert saved(home) == {**json.loads(WRITTEN), "orders_disabled": {
        "enabled": True, "reason": "not stated", "by": recorded(home)[0][3]}}
    assert home.file(OVERLAY).stat().st_mode & 0o777 == 0o640
    assert [row[:3] for row in recorded(home)] == [("overlay orders_disabled", "off", "on")]


def test_a_switch_goes_off_for_a_reason_and_a_name_that_was_typed(home: Home) -> None:
    """The same as for a release; it is recorded with what it was."""
    for words in ([], ["--reason", "ok"], ["--reason", "ok", "--confirm", "halt"], ["--confirm", "full_halt"],
                  ["--reason", " ", "--confirm", "full_halt"],
                  ["--reason", "ok", "--by", "", "--confirm", "full_halt"]):
        assert mode(home, "full_halt", "--off", *words) == Exit.USAGE
    assert home.file(OVERLAY).read_text() == WRITTEN
    typed = ("--off", "--reason", "explained", "--by", "ada", "--confirm", "full_halt")
    assert mode(home, "full_halt", *typed) == Exit.DONE
    assert saved(home)["full_halt"] == {"enabled": False, "reason": "explained", "by": "ada"}
    assert recorded(home) == [("overlay full_halt", "on: odd fills", "off", "ada", "explained")]


def test_what_cannot_be_recorded_is_not_loosened_but_tightened(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """A broken log of controls is a warning on the way to safety and an end on the way out of it."""
    home.file(CONTROL_LOG).write_bytes(b"garbage\n")
    assert mode(home, "full_halt", "--off", "--reason", "x", "--confirm", "full_halt") == Exit.CONFIG
    assert home.file(OVERLAY).read_text() == WRITTEN
    assert mode(home, "maintenance", "--json") == Exit.DONE
    assert "could not be recorded" in json.loads(capsys.readouterr().out)["warnings"][0]
    assert saved(home)["maintenance"]["enabled"] is True


def test_what_somebody_else_saves_meanwhile_is_not_lost(home: Home) -> None:
    """The bytes that were seen are compared before the file is replaced."""
    seen = look(home)
    home.file(OVERLAY).write_text(WRITTEN.replace("odd fills", "very odd fills"))
    with pytest.raises(Meanwhile):
        swap(seen, {"full_halt": False})
    assert "very odd fills" in home.file(OVERLAY).read_text()
    assert saved(home)["full_halt"]["enabled"] is True


def test_what_would_not_be_readable_is_not_written(home: Home) -> None:
    """A change is checked by the rules of the executor before it is saved."""
    for words in (["no_such_switch"], ["Full_Halt"]):
        assert mode(home, *words) == Exit.USAGE
    home.file(OVERLAY).write_text(json.dumps({**json.loads(WRITTEN), "reason": "x" * 261_000}))
    before = home.file(OVERLAY).read_bytes()
    assert mode(home, "maintenance", "--reason", "y" * 2_000) == Exit.CONFIG
    assert mode(home, "full_halt", "--off", "--reason", "y" * 2_000, "--confirm", "full_halt") == Exit.CONFIG
    assert home.file(OVERLAY).read_bytes() == before
    assert [row[:3] for row in recorded(home)] == [
        ("overlay full_halt", "on: odd fills", "off"), ("overlay full_halt", "off", "on: odd fills")]


@pytest.mark.parametrize("raw", [None, b"", b'{"full_halt": fals'], ids=["missing", "empty", "torn"])
def test_a_file_that_halts_by_being_unreadable_is_left_alone(home: Home, raw: bytes | None) -> None:
    """Nobody can turn off what nobody can read, and it need not be turned on."""
    home.file(OVERLAY).unlink()
    if raw is not None:
        home.file(OVERLAY).write_bytes(raw)
    assert mode(home) == Exit.CONFIG
    assert mode(home, "full_halt") == Exit.CONFIG
    assert (home.file(OVERLAY).read_bytes() if raw is not None else None) == raw
