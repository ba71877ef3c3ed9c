"""The tracker's commands as people and scripts call them."""

import io
import socket
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from vanta.alpha.cli import board, fix, thread, tracker, tracker_summary
from vanta.alpha.cli.tracker import follow
from vanta.alpha.tracker import New, desk, look
from vanta.alpha.wire import control_log
from vanta.common.clock import FixedClock, ManualClock
from vanta.common.events import Kind
from vanta.common.host import account
from vanta.common.notify import Notifier
from vanta.common.paths import Home
from vanta.common.times import parse_iso

AT = "2026-11-20T15:00:00Z"
Capture = pytest.CaptureFixture[str]
Main = Callable[[Sequence[str]], int]


class Over(Exception):
    """The person in front of the screen has seen enough."""


class Looks(ManualClock):
    """A clock whose sleeps are counted: after each, something happens; after the last, `Over`."""

    def __init__(self, *steps: Callable[[], object]) -> None:
        super().__init__(parse_iso(AT))
        self._steps = list(steps)

    def sleep(self, seconds: float) -> None:
        """Go on, or stop."""
        self.move_to(self.now() + timedelta(seconds=seconds))
        if not self._steps:
            raise Over
        self._steps.pop(0)()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home without anything."""
    return Home(tmp_path / "home").prepare()


def call(main: Main, home: Home, *arguments: object) -> int:
    """Run a command line on the home."""
    return main([*map(str, arguments), "--home", str(home.root)])


def told(capsys: Capture) -> Any:
    """The one JSON document on stdout."""
    return orjson.loads(capsys.readouterr().out)


def added(home: Home, *arguments: object) -> str:
    """The id of an item that `vt-add` has added."""
    before = set(look(home).items)
    assert call(tracker.add_main, home, *arguments) == 0
    (name,) = set(look(home).items) - before
    return name


def test_an_item_from_beginning_to_end(home: Home, capsys: Capture, tmp_path: Path) -> None:
    """Added, listed, noted, marked, shown."""
    proof = tmp_path / "proof"
    proof.write_text("x")
    name = added(home, "the feed is stale", "--kind", "incident", "--sev", "high", "--owner", account(), "--evidence",
                 proof, "--now", AT)
    assert name in capsys.readouterr().out
    assert call(tracker.list_main, home, "--mine", "--json") == 0
    assert [one["id"] for one in told(capsys)["items"]] == [name]
    assert call(tracker.note_main, home, name[3:8], "it answers", "--by", "bo") == 0
    assert call(tracker.mark_main, home, name, "done", "--reason", "it answers") == 0
    capsys.readouterr()
    assert call(tracker.list_main, home) == 0
    assert "nothing is to be followed" in capsys.readouterr().out
    assert call(tracker.list_main, home, "--all") == 0
    assert call(tracker.list_main, home, "--state", "done") == 0
    assert capsys.readouterr().out.count(name) == 2
    assert call(tracker.open_main, home, name) == 0
    shown = capsys.readouterr().out
    assert "unchanged" in shown
    assert "UTC bo (tracker_log:3)\n      it answers\n" in shown
    assert call(tracker.open_main, home, name, "--json") == 0
    assert told(capsys)["item"]["severity"] == "high"


def test_what_is_wrong_is_said_and_changes_nothing(home: Home, capsys: Capture) -> None:
    """A mistyped state, an unknown id, a check that is no command, two ways of output: 2, and nothing is written."""
    for main, arguments in ((tracker.mark_main, ("vt_aaaa", "gone", "--reason", "x")), (tracker.open_main, ("vt_a",)),
                            (tracker.add_main, ("x", "--verify", "'")), (tracker.list_main, ("--watch", "--json")),
                            (tracker.mark_main, ("vt_aaaa", "done")), (thread.main, ("show", "th_aaaa"))):
        assert call(main, home, *arguments) == 2
        shown = capsys.readouterr()
        assert shown.err.startswith("Error:") or orjson.loads(shown.out)["exit"] == 2
    assert look(home).items == {}
    assert tracker.list_main(["--home", str(home.root / "none")]) == 2


def test_hostile_titles_are_words(home: Home, capsys: Capture) -> None:
    """Escapes, marks of direction, half characters, lines: one line of text comes out of each command."""
    name = added(home, "a\x1b[2J\u202eb\nc\ud800 <b>", "--owner", "\x1b]0;x\x07ann")
    capsys.readouterr()
    for main, arguments in ((tracker.list_main, ()), (tracker.open_main, (name,)), (fix.main, (name,)),
                            (thread.main, ("list",)), (tracker_summary.main, ())):
        assert call(main, home, *arguments) == 0
        shown = capsys.readouterr().out
        assert "a [2J b c <b>" in shown
        assert not set("\x1b\x07\u202e\ud800") & set(shown)


def test_a_note_from_stdin(home: Home, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """`-` reads it, lines and all, whatever bytes they are; too much of it is refused."""
    name = added(home, "x")
    for raw, status in ((b"one\n\xfftwo\n", 0), (b"x" * 70_000, 2)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
        assert call(tracker.note_main, home, name, "-") == status
    assert [note.text for note in look(home).items[name].notes] == ["one\n\ufffdtwo"]
    assert "at most 16,384 characters" in capsys.readouterr().err


def test_a_list_is_shown_again_when_it_changes(home: Home, capsys: Capture) -> None:
    """Once at first, once for the change, not for looks in between."""
    shown: list[int] = []

    def draw() -> int:
        shown.append(len(look(home).items))
        return 0

    clock = Looks(lambda: None, lambda: added(home, "x"), lambda: None)
    with pytest.raises(Over):
        follow(home, clock, draw)
    assert shown == [0, 1]


def test_settings_that_are_wrong_do_not_keep_anybody(home: Home, capsys: Capture) -> None:
    """An incident can be noted while the configuration is the incident."""
    (home.config / "vanta.toml").write_text("[")
    added(home, "the settings are wrong")


# vt-fix

def test_a_fix_ends_when_its_check_does(home: Home, capsys: Capture, tmp_path: Path) -> None:
    """Begun, checked in vain, checked: 0, 1, 0."""
    flag = tmp_path / "flag"
    name = added(home, "x", "--verify", f"cat {flag}")
    assert call(fix.main, home, name) == 0
    assert "when it is put right" in capsys.readouterr().out
    assert call(fix.main, home, name) == 1
    shown = capsys.readouterr()
    assert "No such file" in shown.out
    assert "it ended with 1" in shown.err
    flag.write_text("x")
    assert call(fix.main, home, name, "--json") == 0
    assert told(capsys)["exit"] == 0
    item = look(home).items[name]
    assert (item.state, look(home).threads[str(item.thread)].outcome) == ("done", f"{name} is done")


def test_a_check_without_end_is_no_success(home: Home, capsys: Capture) -> None:
    """Its time is over, the item stays open."""
    name = added(home, "x", "--verify", "sleep 600")
    assert [call(fix.main, home, name), call(fix.main, home, name, "--timeout", "0.2")] == [0, 1]
    assert "did not end within 0.2 s" in capsys.readouterr().err
    assert look(home).items[name].state == "fixing"


def test_what_has_no_check_is_ended_by_a_word(home: Home, capsys: Capture) -> None:
    """A second `vt-fix` says how."""
    name = added(home, "x")
    assert [call(fix.main, home, name), call(fix.main, home, name)] == [0, 2]
    assert f"vt-mark {name} done" in capsys.readouterr().err


def test_another_account_s_check_is_not_run(home: Home, capsys: Capture, tmp_path: Path) -> None:
    """Who may add an item does not thereby run commands as somebody else."""
    flag = tmp_path / "flag"
    with desk(home, FixedClock(parse_iso(AT)), by="ann", uid=4242) as one:
        item = one.begin(one.add(New(title="x", verify=f"touch {flag}")).id)
    assert call(fix.main, home, item.id) == 5
    assert "account 4242" in capsys.readouterr().err
    assert not flag.exists()


# vanta-thread

def test_a_thread_from_beginning_to_end(home: Home, capsys: Capture) -> None:
    """Opened, said, linked to what there is, closed, shown with what happened meanwhile, exported."""
    assert call(thread.main, home, "new", "what to do", "--now", "2026-11-20T15:00:00Z") == 0
    (name,) = look(home).threads
    now = parse_iso("2026-11-20T15:30:00Z")
    with control_log(home, now) as journal:
        for at in ("2026-11-20T14:00:00.000Z", "2026-11-20T15:30:00.000Z", "2026-11-20T17:00:00.000Z"):
            journal.append(Kind.CONTROL_CHANGED, {"what": "permit", "before": "present", "after": "absent", "by": "ann",
                                                  "reason": f"drill {at[11:13]}", "account": "ann", "uid": "0"}, at=at)
    assert call(thread.main, home, "append", name, "asked", "--now", AT) == 0
    assert call(thread.main, home, "append", name, "did it", "--tick", "1") == 2
    assert call(thread.main, home, "link", name, "tracker_log:1", "--now", AT) == 0
    assert call(thread.main, home, "link", name, name[:11], "--now", AT) == 0
    capsys.readouterr()
    assert call(thread.main, home, "link", name, "trade_log:7") == 2
    assert "no records in trade_log.jsonl" in capsys.readouterr().err
    assert call(thread.main, home, "list", "--json") == 0
    assert len(told(capsys)["threads"]) == 1
    assert call(thread.main, home, "show", name, "--events", "--json") == 0
    assert len(told(capsys)["events"]) == 2
    assert call(thread.main, home, "close", name, "--outcome", "so it is", "--now", "2026-11-20T16:00:00Z") == 0
    capsys.readouterr()
    assert call(thread.main, home, "show", name[3:9], "--events") == 0
    shown = capsys.readouterr().out
    assert "drill 15" in shown
    assert "(control_log:3)" in shown
    assert "drill 14" not in shown
    assert "drill 17" not in shown
    assert shown.index("opened it") < shown.index("drill 15") < shown.index("closed: so it is")
    assert call(thread.main, home, "list") == 0
    assert "no thread goes on" in capsys.readouterr().out
    assert call(thread.main, home, "list", "--all") == 0
    assert name in capsys.readouterr().out
    assert call(thread.main, home, "export", "md", name) == 0
    assert capsys.readouterr().out.startswith("# what to do\n")
    assert [link.target for link in look(home).threads[name].links] == ["tracker_log:1", name]


def test_a_link_names_one_thing(home: Home, capsys: Capture) -> None:
    """Too little of an id is taken for nothing."""
    added(home, "x")
    assert call(thread.main, home, "new", "x") == 0
    (name,) = look(home).threads
    assert call(thread.main, home, "link", name, "vt_") == 2
    assert "nothing here is called" in capsys.readouterr().err
    assert look(home).threads[name].links == []


# tracker_status_summary.py

@pytest.mark.parametrize(("severity", "status", "word"), [("critical", 2, "CRITICAL"), ("high", 1, "WARNING"),
                                                         ("low", 0, "OK")])
def test_the_check_is_as_bad_as_the_worst(home: Home, capsys: Capture, severity: str, status: int, word: str) -> None:
    """One line of at most 80 characters, and the status of monitoring; without --check it is always 0."""
    added(home, "x" * 200, "--sev", severity)
    capsys.readouterr()
    assert call(tracker_summary.main, home, "--check") == status
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"VANTA TRACKER {word} - 1 open")
    assert len(line) <= 80
    assert call(tracker_summary.main, home, "--oneline") == 0
    assert capsys.readouterr().out.splitlines() == [line]
    assert call(tracker_summary.main, home, "--json", "--since", "24h") == 0
    said = told(capsys)
    assert (said["level"], said["open"], len(said["since"])) == (word, 1, 1)
    assert call(tracker_summary.main, home, "--since", "7d") == 0
    assert "all of them" in capsys.readouterr().out


def test_what_cannot_be_looked_at_is_unknown(home: Home, capsys: Capture) -> None:
    """A broken log, a mistyped span or option, no home: 3, never 0 or 2."""
    assert call(tracker_summary.main, home, "--since", "yesterday") == 3
    assert call(tracker_summary.main, home, "--bogus") == 3
    assert tracker_summary.main(["--check", "--home", str(home.root / "none")]) == 3
    added(home, "x")
    path = home.file("tracker_log.jsonl")
    path.write_bytes(path.read_bytes().replace(b'"x"', b'"y"'))
    assert call(tracker_summary.main, home, "--check") == 3
    capsys.readouterr()


# tracker_viewer.py

def test_the_board_is_written_and_written_again(home: Home, tmp_path: Path, capsys: Capture) -> None:
    """At once; with every change; and at half of its time, though nothing changed."""
    out = tmp_path / "board.html"
    assert call(board.main, home, "--out", out, "--now", AT) == 0
    assert "Nothing is open." in out.read_text()
    capsys.readouterr()
    pages: list[str] = []

    def changed() -> None:
        pages.append(out.read_text())
        added(home, "another thing")

    clock = Looks(changed, *[lambda: pages.append(out.read_text())] * 31)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(tmp_path / "told"))
        told.setblocking(False)
        with pytest.raises(Over):
            board.keep(home, clock, out, timedelta(minutes=2), Notifier(str(tmp_path / "told")))
        assert told.recv(100) == b"WATCHDOG=1"  # each look is a sign of life
    assert "another thing" not in pages[0]
    assert "another thing" in pages[1]
    assert len(set(pages)) == 3
    assert pages[30] != pages[-1]


def test_the_board_stays_out_of_the_state(home: Home, tmp_path: Path, capsys: Capture) -> None:
    """A folder, or a place among files that have their writers, is refused."""
    for place in (tmp_path, home.file("thread_tracker.json"), home.config / "board.html"):
        assert call(board.main, home, "--out", place) == 2
    assert capsys.readouterr().err.count("--out board.html") == 3
    assert list(home.memory.iterdir()) == []
