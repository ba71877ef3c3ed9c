"""`vanta vault list | show | check | edit` with real files, real editors and real races."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.halt.terminal import Typist
from vanta.alpha.cli import vault
from vanta.common.cli import main
from vanta.common.clock import SystemClock
from vanta.common.exitcodes import Exit
from vanta.common.paths import CONTROL_LOG, OPEN_ORDERS, OVERLAY, PORTFOLIO, TRADE_LOG, VAULTS, Home
from vanta.common.store.chain import chain
from vanta.common.store.lock import FileLock

ROOT = Path(__file__).resolve().parents[4]
WRITTEN = """{
  "vaults": [
    {"vault_id": "V_CORE", "label": "Core", "capital": 100000, "crypto_enabled": true, "risk": {"max_drawdown": 0.120}},
    {"vault_id": "V_B", "label": "B", "account": "elsewhere"}
  ]
}
"""
Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home").prepare()
    made.file(VAULTS).write_text(WRITTEN)
    return made


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: Patch) -> Any:
    """An editor that is a script: it gets the copy's path as $1."""
    def write(script: str) -> Path:
        path = tmp_path / "editor"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.delenv("VISUAL", raising=False)
        monkeypatch.setenv("EDITOR", str(path))
        return path

    return write


def call(home: Home, *words: str) -> int:
    return main(vault.app, program="vanta vault", arguments=[*words, "--home", str(home.root)])


def edit(home: Home, *words: str) -> int:
    return call(home, "edit", *words)


def text(home: Home) -> str:
    return home.file(VAULTS).read_text()


def copies(home: Home) -> list[Path]:
    return sorted(home.memory.glob(".vault.edit-*"))


def recorded(home: Home) -> list[tuple[str, ...]]:
    if not home.file(CONTROL_LOG).exists():
        return []
    return [tuple(str(one.payload[name]) for name in ("what", "before", "after", "by", "reason"))
            for one in chain(home.file(CONTROL_LOG).read_bytes(), name=CONTROL_LOG) if one.kind == "control.changed"]


def test_list_and_show_mark_defaults(home: Home, capsys: Capture) -> None:
    """Every limit in force; the house like a vault; a name that is none is a usage error."""
    assert call(home, "list") == Exit.DONE
    said = capsys.readouterr().out
    assert "V_CORE  Core: 100,000 USD on paper; risk_averse; crypto, fiat" in said
    assert "max_drawdown 0.120, max_daily_loss 0.03 (default)" in said
    assert "house" in said
    assert call(home, "list", "--json") == Exit.DONE
    shown = json.loads(capsys.readouterr().out)
    assert shown["vaults"][0]["fields"]["risk.max_drawdown"] == {"value": "0.120", "default": False}
    assert shown["house"]["max_drawdown"] == {"value": "0.15", "default": True}
    assert call(home, "show", "V_CORE") == Exit.DONE
    assert "risk.max_daily_loss            0.03  default" in capsys.readouterr().out
    assert call(home, "show", "house", "--json") == Exit.DONE
    assert json.loads(capsys.readouterr().out)["vault"] == "house"
    assert call(home, "show", "V_X") == Exit.USAGE
    assert "There are V_CORE, V_B, and `house`" in capsys.readouterr().err
    home.file(VAULTS).write_text('{"vaults": [{"vault_id": "V_C", "label": "C", "fiat_enabled": false}]}')
    assert call(home, "list") == Exit.DONE
    assert "no rail open" in capsys.readouterr().out
    home.file(VAULTS).unlink()
    assert call(home, "list") == Exit.CONFIG


def test_check_names_line_field_and_hint(home: Home, tmp_path: Path, capsys: Capture) -> None:
    """As the executor would refuse it; an account that no setting names is a doubt, not an error."""
    assert call(home, "check") == Exit.DONE
    shown = capsys.readouterr()
    assert "is right: V_CORE, V_B" in shown.out
    assert "V_B lies on account 'elsewhere'" in shown.err
    wrong = tmp_path / "new.json"
    wrong.write_text(WRITTEN.replace("max_drawdown", "max_drawdwn"))
    assert call(home, "check", str(wrong)) == Exit.CONFIG
    assert f"{wrong}:3 (vaults.0.risk.max_drawdwn): unknown field 'max_drawdwn'; did you mean 'max_drawdown'?" in (
        capsys.readouterr().err)
    for raw in ("", "[]", '{"vaults": [], "vaults": []}', WRITTEN.replace('"V_B"', '"V_CORE"')):
        wrong.write_text(raw)
        assert call(home, "check", str(wrong)) == Exit.CONFIG
    assert call(home, "check", str(tmp_path / "none")) == Exit.CONFIG
    (home.config / "vanta.toml").write_text("nonsense = 1")
    assert call(home, "check") == Exit.DONE
    wrong.write_text('{"vaults": []}')
    assert main(vault.app, program="vanta vault", arguments=["check", str(wrong)]) == Exit.DONE
    assert main(vault.app, program="vanta vault", arguments=["check", "--home", str(tmp_path / "no")]) == Exit.USAGE


def test_one_field_is_set_and_everything_else_stays(home: Home, capsys: Capture) -> None:
    """Tighter without a reason, every other number to its last digit; before and after are shown and recorded."""
    assert edit(home, "--set", "V_CORE.risk.max_drawdown=0.10", "--set", "house.max_open_orders=7") == Exit.DONE
    shown = capsys.readouterr().out
    assert "V_CORE.risk.max_drawdown: 0.120 → 0.10" in shown
    assert "house.max_open_orders: 200 → 7" in shown
    assert '"max_drawdown": 0.10' in text(home)
    now, was = json.loads(text(home)), json.loads(WRITTEN)
    was["vaults"][0]["risk"]["max_drawdown"], was["house"] = 0.1, {"max_open_orders": 7}
    assert now == was
    assert [row[:3] for row in recorded(home)] == [
        ("vaults V_CORE.risk.max_drawdown", "0.120", "0.10"), ("vaults house.max_open_orders", "200", "7")]
    assert edit(home, "--set", "V_CORE.risk.max_drawdown=0.10") == Exit.DONE
    assert "nothing is changed" in capsys.readouterr().out


def test_what_allows_more_needs_a_reason_and_a_record(home: Home, capsys: Capture) -> None:
    """Named, and nothing is changed without one; a broken log of controls ends it."""
    words = ("--set", "V_CORE.risk.max_drawdown=0.2")
    assert edit(home, *words) == Exit.USAGE
    assert "allows more than before (V_CORE.risk.max_drawdown)" in capsys.readouterr().err
    assert edit(home, *words, "--reason", " ") == edit(home, *words, "--reason", "x", "--by", " ") == Exit.USAGE
    assert (text(home), recorded(home)) == (WRITTEN, [])
    assert edit(home, *words, "--reason", "agreed", "--by", "ann") == Exit.DONE
    assert recorded(home) == [("vaults V_CORE.risk.max_drawdown", "0.120", "0.2", "ann", "agreed")]
    home.file(CONTROL_LOG).write_bytes(b"garbage\n")
    before = text(home)
    assert edit(home, "--set", "V_CORE.risk.max_drawdown=0.3", "--reason", "x") == Exit.CONFIG
    assert text(home) == before
    assert edit(home, "--set", "V_CORE.risk.max_drawdown=0.05") == Exit.DONE
    assert "could not be recorded" in capsys.readouterr().err


@pytest.mark.parametrize("assignment", ["V_CORE.risk.max_drawdwn=0.1", "V_CORE.risk.max_drawdown=2", "V_X.label=x",
                                        "V_CORE.label", "V_CORE.risk.max_drawdown=lots", "V_CORE.label.x=1"])
def test_a_wrong_assignment_changes_nothing(home: Home, assignment: str) -> None:
    """Whatever the model or the path refuses."""
    assert edit(home, "--set", assignment, "--reason", "x") in (Exit.USAGE, Exit.CONFIG)
    assert (text(home), recorded(home)) == (WRITTEN, [])


def test_a_whole_file_takes_its_place_if_it_is_right(home: Home, tmp_path: Path, capsys: Capture) -> None:
    """Spacing alone is written without more ado; one that is wrong is refused by line."""
    new = tmp_path / "new.json"
    new.write_text(json.dumps(json.loads(WRITTEN)))
    assert edit(home, "--file", str(new)) == Exit.DONE
    assert "all values as before" in capsys.readouterr().out
    assert text(home) == new.read_text()
    new.write_text("{")
    assert edit(home, "--file", str(new), "--reason", "x") == Exit.CONFIG
    assert edit(home, "--file", str(tmp_path / "none")) == Exit.CONFIG
    assert edit(home, "--file", str(new), "--set", "V_B.label=x") == Exit.USAGE
    assert json.loads(text(home)) == json.loads(WRITTEN)


def test_where_nothing_can_be_read_a_whole_file_can_be_put(home: Home, tmp_path: Path) -> None:
    """With a reason: what was in force before is not known."""
    new = tmp_path / "new.json"
    new.write_text(WRITTEN)
    for broken in (None, "{"):
        home.file(VAULTS).unlink(missing_ok=True)
        if broken:
            home.file(VAULTS).write_text(broken)
        assert edit(home, "--file", str(new)) == Exit.USAGE
        assert edit(home, "--set", "V_B.label=x", "--reason", "x") == Exit.CONFIG
        assert edit(home, "--file", str(new), "--reason", "repaired") == Exit.DONE
        assert text(home) == WRITTEN
    home.file(VAULTS).unlink()
    assert edit(home) == Exit.CONFIG


def _holding(home: Home, positions: int, orders: int) -> None:
    home.file(PORTFOLIO).write_bytes(orjson.dumps({"vaults": [
        {"vault_id": "V_B", "positions": [{}] * positions}, {"vault_id": "V_CORE", "positions": [{}]}]}))
    home.file(OPEN_ORDERS).write_bytes(orjson.dumps({"orders": [{"vault": "V_B"}] * orders + [{"vault": "V_CORE"}]}))


def test_a_vault_that_holds_something_goes_only_by_name(home: Home, tmp_path: Path, capsys: Capture) -> None:
    """Positions, working orders, a switch about it, or not knowing; an empty one may go."""
    new = tmp_path / "new.json"
    new.write_text(json.dumps({"vaults": json.loads(WRITTEN)["vaults"][:1]}))
    words = ("--file", str(new))
    for positions, orders in ((1, 0), (0, 2)):
        _holding(home, positions, orders)
        assert edit(home, *words) == Exit.REFUSED
        assert f"it holds {positions} positions and {orders} working orders" in capsys.readouterr().err
    _holding(home, 0, 0)
    home.file(OVERLAY).write_text('{"scopes": {"vault": {"V_B": {"full_halt": true}}}}')
    assert edit(home, *words) == Exit.REFUSED
    assert "is about it, which would halt everything" in capsys.readouterr().err
    home.file(OVERLAY).unlink()
    home.file(PORTFOLIO).write_text("{")
    assert edit(home, *words) == Exit.REFUSED
    home.file(PORTFOLIO).unlink()
    home.file(TRADE_LOG).write_bytes(b"")
    assert edit(home, *words) == Exit.REFUSED
    assert "what it holds cannot be told: portfolio.json is missing" in capsys.readouterr().err
    assert (text(home), recorded(home)) == (WRITTEN, [])
    assert edit(home, *words, "--drop", "V_B") == Exit.DONE
    assert recorded(home)[0][:3] == ("vaults V_B", "B, 100000 USD on elsewhere", "absent")
    home.file(VAULTS).write_text(WRITTEN)
    home.file(TRADE_LOG).unlink()
    home.file(OPEN_ORDERS).unlink()
    assert edit(home, *words) == Exit.DONE


def test_a_held_vault_that_a_broken_file_hides_does_not_go_either(home: Home, tmp_path: Path) -> None:
    """The executor's books say who is there."""
    _holding(home, 1, 0)
    home.file(VAULTS).write_text("{")
    new = tmp_path / "new.json"
    new.write_text(json.dumps({"vaults": json.loads(WRITTEN)["vaults"][:1]}))
    assert edit(home, "--file", str(new), "--reason", "x") == Exit.REFUSED
    assert edit(home, "--file", str(new), "--reason", "x", "--drop", "V_B") == Exit.DONE


# by hand

def test_an_editor_changes_a_copy(home: Home, typed: Any) -> None:
    """The words of $EDITOR may carry options; what is right takes its place, and the copy is gone."""
    typed('sed -i "s/0.120/0.100/" "$1"')
    assert edit(home) == Exit.DONE
    assert text(home) == WRITTEN.replace("0.120", "0.100")
    assert copies(home) == []
    assert recorded(home)[0][:3] == ("vaults V_CORE.risk.max_drawdown", "0.120", "0.100")


def test_an_editor_that_changes_nothing(home: Home, typed: Any, capsys: Capture) -> None:
    """Is no error and leaves nothing behind."""
    typed("true")
    assert edit(home) == Exit.DONE
    assert "nothing is changed" in capsys.readouterr().out
    assert (text(home), copies(home), recorded(home)) == (WRITTEN, [], [])


def test_an_invalid_file_gets_another_go(home: Home, typed: Any, tmp_path: Path, capsys: Capture) -> None:
    """The second go sees what the first left, with what was wrong said; nothing is replaced in between."""
    typed(f'if [ -e "{tmp_path}/again" ]; then sed -i "s/0.1X/0.11/" "$1"; else touch "{tmp_path}/again"; '
          f'sed -i "s/0.120/0.1X/" "$1"; fi; cat "{home.file(VAULTS)}" >> "{tmp_path}/seen"')
    assert edit(home) == Exit.DONE
    assert "0.11" in text(home)
    assert (tmp_path / "seen").read_text() == WRITTEN * 2
    assert ":3" in capsys.readouterr().err


def test_whoever_leaves_the_same_mistake_twice_gives_up_and_keeps_the_copy(home: Home, typed: Any,
                                                                          capsys: Capture) -> None:
    """The next edit of the same file goes on with it."""
    typed('sed -i "s/0.120/nonsense/" "$1"')
    assert edit(home) == Exit.CONFIG
    assert "What you wrote is kept" in capsys.readouterr().err
    assert text(home) == WRITTEN
    assert len(copies(home)) == 1
    assert copies(home)[0].stat().st_mode & 0o777 == 0o600
    typed('sed -i "s/nonsense/0.110/" "$1"')
    assert edit(home) == Exit.DONE
    assert '"max_drawdown": 0.110' in text(home)
    assert copies(home) == []


def test_an_editor_that_makes_another_mistake_each_time_is_stopped(home: Home, typed: Any, tmp_path: Path) -> None:
    """Without a person at a terminal it ends after ten goes; this one would get it right at the twentieth."""
    typed(f'echo x >> "{tmp_path}/goes"; n=$(wc -l < "{tmp_path}/goes"); [ "$n" = 20 ] && n=drawdown; '
          'sed -i "s/max_[a-z0-9]*/max_$n/" "$1"')
    assert edit(home) == Exit.CONFIG
    assert (tmp_path / "goes").read_text() == "x\n" * 10
    assert text(home) == WRITTEN


def test_a_kept_copy_of_an_older_file_hides_no_later_change(home: Home, typed: Any) -> None:
    """A file that was saved since then is edited from what it says now."""
    typed('sed -i "s/0.120/nonsense/" "$1"')
    assert edit(home) == Exit.CONFIG
    home.file(VAULTS).write_text(WRITTEN.replace('"Core"', '"Heart"'))
    typed('sed -i "s/0.120/0.110/" "$1"')
    assert edit(home) == Exit.DONE
    assert '"Heart"' in text(home)
    assert "0.110" in text(home)


def test_an_editor_that_fails_or_is_not_there(home: Home, typed: Any, monkeypatch: Patch, capsys: Capture) -> None:
    """Nothing is replaced."""
    typed("echo x >> $1; exit 3")
    assert edit(home) == Exit.CONFIG
    assert "the editor ended with 3" in capsys.readouterr().err
    monkeypatch.setenv("EDITOR", "/no/such/editor")
    assert edit(home) == Exit.CONFIG
    assert "cannot be started" in capsys.readouterr().err
    monkeypatch.setenv("EDITOR", "'")
    assert edit(home) == Exit.CONFIG
    monkeypatch.setenv("EDITOR", "")
    monkeypatch.setenv("PATH", "/nowhere")
    assert edit(home) == Exit.CONFIG
    assert "there is no editor" in capsys.readouterr().err
    assert text(home) == WRITTEN


def test_a_save_while_the_editor_is_open_is_not_lost(home: Home, typed: Any, capsys: Capture) -> None:
    """75, with the copy kept; the file of whoever was quicker stands."""
    other = WRITTEN.replace('"Core"', '"Heart"')
    typed(f"""cat > {home.file(VAULTS)} <<'END'
{other}END
sed -i "s/0.120/0.100/" "$1" """)
    assert edit(home) == Exit.TEMPORARY
    assert "What you wrote is kept" in capsys.readouterr().err
    assert text(home) == other
    assert "0.100" in copies(home)[0].read_text()


def test_what_lacks_a_reason_is_kept_and_can_be_put_with_one(home: Home, typed: Any, capsys: Capture) -> None:
    """The command to do so is named."""
    typed('sed -i "s/0.120/0.500/" "$1"')
    assert edit(home) == Exit.USAGE
    assert f"vault edit --file {copies(home)[0]}" in capsys.readouterr().err
    assert edit(home, "--file", str(copies(home)[0]), "--reason", "agreed") == Exit.DONE
    assert '"max_drawdown": 0.500' in text(home)


def test_one_person_at_a_time_edits_by_hand(home: Home, typed: Any) -> None:
    """The second is told by whom it is held."""
    typed('sed -i "s/0.120/0.100/" "$1"')
    with FileLock(home.lock("vault_edit"), owner="somebody", now=SystemClock().now()):
        assert edit(home) == Exit.TEMPORARY
    assert text(home) == WRITTEN


def _program(home: Home, *words: str) -> list[str]:
    return [sys.executable, "-m", "vanta.suite.dispatch", "vault", "edit", *words, "--home", str(home.root)]


def test_racing_edits_are_done_or_refused(home: Home) -> None:
    """Real processes set another field each, at once: whoever ends with 0 is in the file, nobody else is."""
    limits = {"max_daily_loss": "0.01", "max_sector_pct": "0.2", "max_net_pct": "0.5", "max_jump_pct": "0.1"}
    started = [subprocess.Popen(_program(home, "--set", f"V_CORE.risk.{name}={value}"), cwd=ROOT,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for name, value in limits.items()]
    ended = [process.wait(120) for process in started]
    risk = json.loads(text(home))["vaults"][0]["risk"]
    assert Exit.DONE in ended
    assert [name in risk for name in limits] == [status == Exit.DONE for status in ended]
    assert {status for status in ended if status} <= {Exit.TEMPORARY}


@pytest.mark.skipif(shutil.which("nano") is None, reason="nano is not installed")
def test_nano_on_a_real_terminal(home: Home, monkeypatch: Patch) -> None:
    """An invalid file is said and asked about; the second go is saved and takes its place."""
    monkeypatch.setenv("VISUAL", "nano --ignorercfiles")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    person = Typist(*_program(home, "--reason", "typed"), folder=home.root)
    _nano(person, b"{")
    person.wait(b"Edit it again?")
    assert text(home) == WRITTEN
    person.type(b"y\n")
    _nano(person, b'{"vaults": [{"vault_id": "V_N", "label": "by nano"}]}')
    person.wait(b"V_N: absent")
    assert person.end() == Exit.DONE
    assert json.loads(text(home))["vaults"][0]["label"] == "by nano"


def _nano(person: Typist, line: bytes) -> None:
    """Delete every line, type one, save, leave."""
    person.wait(b"Exit")
    person.type(b"\x0b" * 12 + line + b"\x0f")
    person.wait(b"File Name to Write")
    person.type(b"\r")
    person.wait(b"Wrote")
    person.type(b"\x18")


@pytest.mark.skipif(shutil.which("vi") is None, reason="vi is not installed")
def test_vi_on_a_real_terminal(home: Home, monkeypatch: Patch) -> None:
    """A field is changed with a substitution; leaving without saving changes nothing; giving up keeps the copy."""
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", "vi")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    person = Typist(*_program(home), folder=home.root)
    person.wait(b"V_CORE")
    person.type(b":%s/0.120/0.090/\r:wq\r")
    person.wait(b"0.120 \xe2\x86\x92 0.090")
    assert person.end() == Exit.DONE
    person = Typist(*_program(home), folder=home.root)
    person.wait(b"V_CORE")
    person.type(b":%s/0.090/0.5x/\r:wq\r")
    person.wait(b"Edit it again?")
    person.type(b"n\n")
    person.wait(b"nothing is changed")
    assert person.end() == Exit.CONFIG
    assert "0.090" in text(home)
    assert os.path.exists(copies(home)[0])
