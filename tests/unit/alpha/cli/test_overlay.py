"""`vanta overlay show | set | clear | flip | history` as a person and a script call them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from vanta.alpha.cli import overlay
from vanta.alpha.cli.overlay_history import told
from vanta.alpha.editing import Edit, Meanwhile, put
from vanta.common.cli import main
from vanta.common.clock import ManualClock, SystemClock
from vanta.common.errors import LockHeld, StateError
from vanta.common.exitcodes import Exit
from vanta.common.paths import CONTROL_LOG, MANIFEST, OVERLAY, VAULTS, Home
from vanta.common.store.chain import chain
from vanta.common.store.lock import FileLock
from vanta.common.times import parse_iso
from vanta.executor.core.controls import read_overlay

ROOT = Path(__file__).resolve().parents[4]
WRITTEN = """{
  "maintenance": false, "orders_disabled": false, "external_calls_disabled": false,
  "full_halt": {"enabled": true, "reason": "odd fills", "by": "ben"},
  "persona_boosts": {"contrarian": 0.10}, "scopes": {"vault": {"V_CORE": {"maintenance": true}}}
}"""
CLEAR = WRITTEN.replace('{"enabled": true, "reason": "odd fills", "by": "ben"}', "false")
VAULTS_WRITTEN = '{"vaults": [{"vault_id": "V_CORE", "label": "Core", "personas": ["contrarian"]}]}'
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home").prepare()
    made.file(OVERLAY).write_text(WRITTEN)
    made.file(OVERLAY).chmod(0o640)
    made.file(VAULTS).write_text(VAULTS_WRITTEN)
    return made


def call(home: Home, *words: str) -> int:
    return main(overlay.app, program="vanta overlay", arguments=[*words, "--home", str(home.root)])


def saved(home: Home) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(home.file(OVERLAY).read_bytes())
    return value


def recorded(home: Home) -> list[tuple[str, ...]]:
    if not home.file(CONTROL_LOG).exists():
        return []
    return [tuple(str(one.payload[name]) for name in ("what", "before", "after", "by", "reason"))
            for one in chain(home.file(CONTROL_LOG).read_bytes(), name=CONTROL_LOG) if one.kind == "control.changed"]


def test_show_says_everything_and_writes_nothing(home: Home, capsys: Capture) -> None:
    """Switches at the root and in scopes, boosts, the flip, what holds orders; an unreadable one too."""
    assert call(home, "show") == Exit.DONE
    said = capsys.readouterr().out
    for words in ("full_halt                 on: odd fills (by ben)", "vault V_CORE: maintenance on: reason not stated",
                  "persona boosts            contrarian 0.10", "flip                      none",
                  "no order would leave:",
                  "halt.full_halt on everything"):
        assert words in said
    home.file(OVERLAY).write_bytes(b"{")
    assert call(home, "show", "--json") == Exit.DONE
    shown = json.loads(capsys.readouterr().out)
    assert (shown["permits"], shown["switches"], shown["flip"]) == (False, [], "unknown")
    home.file(OVERLAY).unlink()
    assert call(home, "show", "--json") == Exit.DONE
    assert json.loads(capsys.readouterr().out)["sha256"] is None
    home.file(OVERLAY).write_text(CLEAR.replace("true", "false"))
    assert call(home, "show") == Exit.DONE
    assert "these bytes permit an order" in capsys.readouterr().out
    assert sorted(path.name for path in home.memory.iterdir()) == [VAULTS, OVERLAY]


def test_a_switch_goes_on_without_a_question(home: Home) -> None:
    """No reason, no terminal, no confirmation; only that field changes, the mode stays, and it is recorded after."""
    assert call(home, "set", "orders_disabled") == Exit.DONE
    assert '"contrarian": 0.10' in home.file(OVERLAY).read_text()
    entry = saved(home)["orders_disabled"]
    assert entry == {"enabled": True, "reason": "not stated", "by": recorded(home)[0][3]}
    assert saved(home) == {**json.loads(WRITTEN), "orders_disabled": entry}
    assert home.file(OVERLAY).stat().st_mode & 0o777 == 0o640
    assert [row[:3] for row in recorded(home)] == [
        ("overlay orders_disabled", "off", "on")]


def test_what_is_so_already_changes_nothing(home: Home, capsys: Capture) -> None:
    """On again without a reason keeps the words of whoever halted; off again needs none."""
    before = home.file(OVERLAY).read_bytes()
    assert call(home, "set", "full_halt") == Exit.DONE
    assert "was so already: on: odd fills (by ben)" in capsys.readouterr().out
    assert call(home, "clear", "orders_disabled") == Exit.DONE
    assert (home.file(OVERLAY).read_bytes(), recorded(home)) == (before, [])
    assert call(home, "set", "full_halt", "--reason", "worse than thought", "--by", "ann") == Exit.DONE
    assert saved(home)["full_halt"] == {"enabled": True, "reason": "worse than thought", "by": "ann"}


def test_a_switch_goes_off_for_a_reason_and_named_twice(home: Home) -> None:
    """Anything less leaves the file as it is; it is recorded with what it was, before it takes effect."""
    for words in ([], ["--reason", "ok"], ["--reason", "ok", "--confirm", "halt"], ["--confirm", "full_halt"],
                  ["--reason", " ", "--confirm", "full_halt"],
                  ["--reason", "ok", "--by", " ", "--confirm", "full_halt"]):
        assert call(home, "clear", "full_halt", *words) == Exit.USAGE
    assert (home.file(OVERLAY).read_text(), recorded(home)) == (WRITTEN, [])
    assert call(home, "clear", "full_halt", "--reason", "explained", "--by", "ada", "--confirm", "full_halt") == 0
    assert saved(home)["full_halt"] == {"enabled": False, "reason": "explained", "by": "ada"}
    assert recorded(home) == [("overlay full_halt", "on: odd fills", "off", "ada", "explained")]


def test_scopes_are_set_and_cleared_by_name(home: Home, capsys: Capture) -> None:
    """A vault that exists; a name that nobody knows is refused, because it would halt everything."""
    assert call(home, "set", "full_halt", "--scope", "vault:V_CORE") == Exit.DONE
    assert saved(home)["scopes"]["vault"]["V_CORE"]["full_halt"]["enabled"] is True
    assert saved(home)["scopes"]["vault"]["V_CORE"]["maintenance"] is True
    assert recorded(home)[0][:3] == ("overlay scopes.vault.V_CORE.full_halt", "off", "on")
    for scope in ("vault:V_CROE", "vaults:V_CORE", "V_CORE"):
        assert call(home, "set", "full_halt", "--scope", scope) == Exit.USAGE
    assert "nothing is changed" in capsys.readouterr().err
    assert call(home, "clear", "maintenance", "--scope", "vault:V_CORE", "--reason", "x", "--confirm",
                "maintenance") == Exit.DONE
    assert saved(home)["scopes"]["vault"]["V_CORE"]["maintenance"]["enabled"] is False


def test_a_scope_that_names_nothing_can_be_taken_out(home: Home) -> None:
    """It halts everything for as long as it is there, whatever its switches say."""
    home.file(OVERLAY).write_text(CLEAR.replace('"V_CORE"', '"V_GONE"').replace("true", "false"))
    assert call(home, "check", str(home.file(OVERLAY))) == Exit.REFUSED
    assert call(home, "clear", "maintenance", "--scope", "vault:V_GONE", "--reason", "a vault of last year",
                "--confirm", "maintenance") == Exit.DONE
    assert saved(home)["scopes"] == {}
    assert call(home, "check", str(home.file(OVERLAY))) == Exit.DONE


def test_only_what_may_end_by_itself_is_given_an_end(home: Home, capsys: Capture) -> None:
    """As a span or a time to come; an end where there was none loosens, and so does a sooner one."""
    home.file(OVERLAY).write_text(CLEAR)
    for words in (["full_halt", "--until", "2h"], ["maintenance", "--until", "soon"], ["maintenance", "--until", "2x"],
                  ["maintenance", "--until", "2020-01-01T00:00:00Z"], ["maintenance", "--until", "infh"],
                  ["maintenance", "--until", "1e300d"], ["maintenance", "--until", "2026-01-01T00:00:00"],
                  ["maintenance", "--until", "0s"], ["maintenance", "--until", ""]):
        assert call(home, "set", *words) == Exit.USAGE, words
    assert home.file(OVERLAY).read_text() == CLEAR
    assert call(home, "set", "maintenance", "--until", "2h") == Exit.DONE
    ends = parse_iso(saved(home)["maintenance"]["until"])
    assert 7_000 < (ends - SystemClock().now()).total_seconds() <= 7_200
    assert call(home, "set", "maintenance", "--until", "30min") == Exit.USAGE
    assert "an end that comes sooner needs a reason" in capsys.readouterr().err
    assert call(home, "set", "maintenance", "--until", "30min", "--reason", "done early") == Exit.USAGE
    assert call(home, "set", "maintenance", "--until", "30min", "--reason", "done early", "--confirm",
                "maintenance") == Exit.DONE
    assert parse_iso(saved(home)["maintenance"]["until"]) < ends
    assert call(home, "set", "maintenance", "--until", "8888-01-01T00:00:00Z") == Exit.DONE
    assert call(home, "set", "maintenance") == Exit.DONE
    assert "until" not in saved(home)["maintenance"]


def _missing(path: Path) -> None:
    path.unlink()


def _link(path: Path) -> None:
    path.rename(path.with_name("elsewhere.json"))
    path.symlink_to(path.with_name("elsewhere.json"))


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _torn(path: Path) -> None:
    path.write_bytes(WRITTEN[:60].encode())


def _typo(path: Path) -> None:
    path.write_text(WRITTEN.replace("full_halt", "ful_halt"))


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _anybodys(path: Path) -> None:
    path.chmod(0o666)


BROKEN: dict[str, Callable[[Path], None]] = {
    "torn": _torn, "empty": _empty, "a typo": _typo, "missing": _missing, "a link": _link, "a pipe": _pipe,
    "a folder": _folder, "anybody's": _anybodys}


@pytest.mark.parametrize("name", BROKEN)
def test_halting_works_on_a_broken_file_and_keeps_it(home: Home, name: str, capsys: Capture) -> None:
    """What takes its place can be read and permits nothing; what was there lies beside it. Loosening is refused."""
    BROKEN[name](home.file(OVERLAY))
    bytes_before = home.file(OVERLAY).read_bytes() if home.file(OVERLAY).is_file() else None
    assert call(home, "clear", "maintenance", "--reason", "x", "--confirm", "maintenance") == Exit.CONFIG
    assert call(home, "flip", "--end") == Exit.CONFIG
    capsys.readouterr()
    assert call(home, "set", "full_halt", "--json") == Exit.DONE
    kept = json.loads(capsys.readouterr().out)["kept"]
    controls = read_overlay(home.file(OVERLAY).read_bytes())
    assert controls.overlay is not None
    assert saved(home)["full_halt"]["enabled"] is saved(home)["orders_disabled"]["enabled"] is True
    assert (kept is None) == (name == "missing")
    if kept is not None:
        found = Path(kept)
        assert found.parent == home.memory
        assert found.is_symlink() or not found.is_file() or found.read_bytes() == bytes_before
        assert os.path.lexists(found)
    assert "unreadable: " in recorded(home)[-1][1]
    assert call(home, "check", str(home.file(OVERLAY))) == Exit.REFUSED


def test_a_broken_file_is_not_replaced_for_a_scope_that_names_nothing(home: Home) -> None:
    """A slip of the keyboard changes nothing, and is said."""
    home.file(OVERLAY).write_bytes(b"{")
    assert call(home, "set", "full_halt", "--scope", "vault:V_CROE") == Exit.USAGE
    assert home.file(OVERLAY).read_bytes() == b"{"


def test_wrong_settings_do_not_keep_anybody_from_halting(home: Home) -> None:
    """Nothing but the shifted clock of a demonstration comes from them."""
    (home.config / "vanta.toml").write_text("nonsense = 1\n")
    assert call(home, "set", "maintenance") == Exit.DONE
    assert call(home, "show") == Exit.DONE


def test_what_cannot_be_recorded_is_tightened_and_not_loosened(home: Home, capsys: Capture) -> None:
    """A broken log of controls is a warning on the way to safety and an end on the way out of it."""
    home.file(CONTROL_LOG).write_bytes(b"garbage\n")
    assert call(home, "clear", "full_halt", "--reason", "x", "--confirm", "full_halt") == Exit.CONFIG
    assert home.file(OVERLAY).read_text() == WRITTEN
    capsys.readouterr()
    assert call(home, "set", "maintenance", "--json") == Exit.DONE
    assert "could not be recorded" in json.loads(capsys.readouterr().out)["warnings"][0]
    assert saved(home)["maintenance"]["enabled"] is True


@pytest.mark.parametrize("words", [("set", "no_such_switch"), ("clear", "Full_Halt"), ("set",), ("sett", "full_halt")])
def test_a_mistyped_command_changes_nothing(home: Home, words: tuple[str, ...]) -> None:
    """Usage errors end with 2."""
    assert call(home, *words) == Exit.USAGE
    assert home.file(OVERLAY).read_text() == WRITTEN


def test_what_would_not_be_readable_is_not_written(home: Home) -> None:
    """A change is checked by the rules of the executor before it is saved; announced loosening is taken back."""
    home.file(OVERLAY).write_text(json.dumps({**json.loads(WRITTEN), "reason": "x" * 261_000}))
    before = home.file(OVERLAY).read_bytes()
    assert call(home, "set", "maintenance", "--reason", "y" * 2_000) == Exit.CONFIG
    assert call(home, "clear", "full_halt", "--reason", "y" * 2_000, "--confirm", "full_halt") == Exit.CONFIG
    assert (home.file(OVERLAY).read_bytes(), recorded(home)) == (before, [])


# compare and swap

def test_what_somebody_else_saved_meanwhile_is_not_lost(home: Home) -> None:
    """The bytes that were seen are compared before the file is replaced."""
    edit = Edit(home=home, name=OVERLAY, before=WRITTEN.encode(), after=CLEAR.encode())
    home.file(OVERLAY).write_text(WRITTEN.replace("odd fills", "very odd fills"))
    with pytest.raises(Meanwhile):
        put(edit, SystemClock())
    home.file(OVERLAY).unlink()
    with pytest.raises(Meanwhile):
        put(edit, SystemClock())
    assert not home.file(OVERLAY).exists()


def test_commands_wait_for_each_other_but_tightening_not_for_ever(home: Home) -> None:
    """While the lock is held, what loosens gives up with who holds it, and what tightens goes on without it."""
    clock = ManualClock(parse_iso("2026-11-20T15:00:00Z"))
    with FileLock(home.lock("edits"), owner="somebody", now=clock.now()):
        with pytest.raises(LockHeld, match="somebody"):
            put(Edit(home=home, name=OVERLAY, before=WRITTEN.encode(), after=b"1"), clock)
        put(Edit(home=home, name=OVERLAY, before=WRITTEN.encode(), after=b"2", urgent=True), clock)
    assert home.file(OVERLAY).read_bytes() == b"2"
    home.lock("edits").unlink()
    home.lock("edits").mkdir()
    with pytest.raises(StateError, match="cannot be opened"):
        put(Edit(home=home, name=OVERLAY, before=b"2", after=b"3"), clock)
    put(Edit(home=home, name=OVERLAY, before=b"2", after=b"4", urgent=True), clock)
    assert home.file(OVERLAY).read_bytes() == b"4"


def _commands(home: Home, *lines: tuple[str, ...]) -> list[int]:
    """Real processes, all at once; their exit statuses."""
    started = [subprocess.Popen([sys.executable, "-m", "vanta.suite.dispatch", "overlay", *words, "--home",
                                 str(home.root)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                stdin=subprocess.DEVNULL) for words in lines]
    return [process.wait(120) for process in started]


def test_racing_halts_all_take_effect(home: Home) -> None:
    """Each process turns another switch on, at once; whoever is overtaken does it again on what is there."""
    home.file(OVERLAY).write_text(CLEAR)
    switches = ("maintenance", "orders_disabled", "external_calls_disabled", "full_halt", "reduce_only")
    assert _commands(home, *[("set", name) for name in switches]) == [0] * 5
    assert [name for name in switches if saved(home)[name]["enabled"]] == list(switches)


def test_racing_loosenings_are_done_or_refused_and_never_merged(home: Home) -> None:
    """Whoever ends with 0 is in the file; whoever is overtaken ends with 75, is not, and took his word back."""
    switches = ("maintenance", "orders_disabled", "external_calls_disabled", "full_halt")
    home.file(OVERLAY).write_text(json.dumps(dict.fromkeys(switches, True)))
    ended = _commands(home, *[("clear", name, "--reason", "over", "--confirm", name) for name in switches])
    now = saved(home)
    assert set(ended) <= {Exit.DONE, Exit.TEMPORARY, Exit.CONFIG}
    assert Exit.DONE in ended
    for name, status in zip(switches, ended, strict=True):
        is_off = now[name] is not True and not now[name]["enabled"]
        assert is_off == (status == Exit.DONE), (name, status)
        said = [row[1:3] for row in recorded(home) if row[0] == f"overlay {name}"]
        assert (said[-1:] or [("", "on: reason not stated")])[0][1] == ("off" if is_off else "on: reason not stated")


@pytest.mark.parametrize("words", [("set", "full_halt"), ("clear", "full_halt", "--reason", "x", "--confirm",
                                                            "full_halt"), ("flip", "--end")])
def test_somebody_elses_records_are_only_read(home: Home, words: tuple[str, ...]) -> None:
    """A home that was laid out from a bundle is evidence."""
    (home.root / MANIFEST).write_text("{}")
    assert call(home, *words) == Exit.CONFIG
    assert (home.file(OVERLAY).read_text(), recorded(home)) == (WRITTEN, [])


# flips

FLIP = ("flip", "--vault", "V_CORE", "--persona", "contrarian", "--slice", "0.10", "--amplify", "0.5", "--reason", "x")


def test_a_flip_is_written_as_the_model_wants_it(home: Home, capsys: Capture) -> None:
    """With an id, a beginning and exact shares; shown with what is left; one at a time; ending it asks nothing."""
    assert call(home, *FLIP, "--ttl", "30") == Exit.DONE
    assert '"slice": 0.10' in home.file(OVERLAY).read_text()
    made = saved(home)["flip"]
    assert {name: made[name] for name in ("vault", "persona", "ttl_min", "amplify")} == {
        "vault": "V_CORE", "persona": "contrarian", "ttl_min": 30, "amplify": 0.5}
    assert call(home, "show") == Exit.DONE
    assert "V_CORE towards contrarian, slice 0.10, amplify 0.5, 30 min left" in capsys.readouterr().out
    assert call(home, *FLIP) == Exit.USAGE
    assert "there is a flip already" in capsys.readouterr().err
    assert call(home, "flip", "--end") == Exit.DONE
    assert saved(home)["flip"] is None
    assert [row[0] for row in recorded(home)] == ["overlay flip", "overlay flip"]
    assert call(home, "flip", "--end") == Exit.DONE
    assert len(recorded(home)) == 2


@pytest.mark.parametrize("words", [
    FLIP[:-2], (*FLIP[:-1], " "), FLIP[:1] + FLIP[3:], (*FLIP, "--ttl", "241"), (*FLIP, "--ttl", "0"),
    (*FLIP, "--slice", "0.3"), (*FLIP, "--slice", "abc"), (*FLIP, "--slice", "true"), (*FLIP, "--amplify", "1.5"),
    (*FLIP, "--persona", "nobody"), (*FLIP, "--persona", "Athena"), (*FLIP, "--vault", "V_NONE"), (*FLIP, "--by", " "),
], ids=["no reason", "an empty reason", "no vault", "too long", "no time", "too much", "no number", "a boolean",
        "too loud", "nobody", "not employed", "no such vault", "no name"])
def test_a_flip_that_is_wrong_or_would_do_nothing_is_refused(home: Home, words: tuple[str, ...]) -> None:
    """The bounds of the model, and what the vault says; nothing is written."""
    assert call(home, *words) in (Exit.USAGE, Exit.CONFIG)
    assert (home.file(OVERLAY).read_text(), recorded(home)) == (WRITTEN, [])


def test_no_flip_without_vaults_that_can_be_read(home: Home) -> None:
    """Nobody knows whether it would do anything."""
    home.file(VAULTS).write_text("{")
    assert call(home, *FLIP) == Exit.CONFIG
    home.file(VAULTS).unlink()
    assert call(home, *FLIP) == Exit.CONFIG
    assert home.file(OVERLAY).read_text() == WRITTEN


# history

def test_history_tells_both_logs_as_one_story(copied: Home, capsys: Capture) -> None:
    """Commands with who and why; saves by an editor as the executor saw them, with what they changed."""
    assert call(copied, "history") == Exit.DONE
    assert "[seen by the executor]" in capsys.readouterr().out
    assert call(copied, "set", "maintenance", "--reason", "drill", "--by", "ann") == Exit.DONE
    capsys.readouterr()
    assert call(copied, "history", "--json", "--last", "1") == Exit.DONE
    (last,) = json.loads(capsys.readouterr().out)["changes"]
    assert (last["source"], last["who"], last["why"], last["changes"]) == (
        "control log", "ann", "drill", ["off → on"])
    for path in copied.snapshots.rglob("*.zst"):
        path.unlink()
    assert all("content " in one.changes[0] for one in told(copied, 16 << 20) if one.what == OVERLAY)


def test_history_of_a_home_without_one(home: Home, capsys: Capture) -> None:
    """Nothing is no error."""
    assert call(home, "history") == Exit.DONE
    assert "nothing was changed yet" in capsys.readouterr().out


def test_every_command_answers_in_one_document(home: Home, capsys: Capture) -> None:
    """With --json stdout is one JSON document, for errors too."""
    for words in (("show",), ("set", "full_halt"), ("clear", "full_halt"), ("history",), ("flip",), FLIP):
        call(home, *words, "--json")
        assert orjson.loads(capsys.readouterr().out)["schema"].startswith("vanta.")
