"""The operator's program is started once a notice, a few at a time, and nothing that it does stops anything."""

import json
import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from vanta.common.clock import ManualClock, SystemClock
from vanta.common.errors import StateError
from vanta.common.models.configuration import ExecutorSettings
from vanta.common.outside.allowed import Allowed
from vanta.common.outside.ledger import MemoryLedger, NoLedger
from vanta.common.outside.out import Out
from vanta.common.settings import plain_environment
from vanta.executor import alarm
from vanta.executor.alarm import AT_ONCE, CLOSING_S, LONGEST_S, MOST_WAITING, Alarm, CommandAlarm, NoAlarm
from vanta.executor.core.notices import Notice
from vanta.executor.inmemory import MemoryAlarm

PATIENCE_S = 60


def notice(number: int = 0) -> Notice:
    return Notice("latch", None, None, "clock.stepped", str(number), "1", "t", "everything is latched")


def program(folder: Path, body: str) -> str:
    """A program of the operator's."""
    path = folder / "page"
    path.write_text(f"#!/bin/sh\n{body}\n", "utf-8")
    path.chmod(0o755)
    return str(path)


def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 20, tzinfo=UTC))


def until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < ends, "it did not come about"
        time.sleep(0.005)


def settled(made: CommandAlarm) -> list[str]:
    """Look until nothing is under way; everything that went wrong."""
    wrong = made.look()

    def done() -> bool:
        wrong.extend(made.look())
        return not made.busy

    until(done)
    return wrong


def whole(folder: Path, pattern: str) -> list[Path]:
    return sorted(path for path in folder.glob(pattern) if path.read_bytes().endswith(b"\n"))


def test_each_notice_starts_the_program_once_with_one_object(tmp_path: Path) -> None:
    """One line of JSON on stdin, the words as they are, nothing of our environment but what every program needs."""
    page = program(tmp_path, 'cat > "$1/$$.json"; env > "$1/$$.env"; echo "$2" > "$1/$$.word"; pwd >> "$1/$$.word"')
    secret = {"VANTA_EXECUTOR__MODE": "live", "CREDENTIALS_DIRECTORY": "/run/x", "NOTIFY_SOCKET": "/run/y",
              "ALPACA_SECRET": "sesame", "PATH": os.defpath, "LC_ALL": "C"}
    made = CommandAlarm([page, str(tmp_path), "a b; $(x)"], plain_environment(secret), SystemClock())
    made.say(notice(1))
    made.say(notice(2))
    assert settled(made) == []
    assert made.problem == ""
    said = [json.loads(path.read_bytes()) for path in whole(tmp_path, "*.json")]
    assert sorted(one["value"] for one in said) == ["1", "2"]
    assert {one["schema"] for one in said} == {"vanta.alert/1"}
    for path in tmp_path.glob("*.word"):
        assert path.read_text("utf-8") == "a b; $(x)\n/\n"
    for path in tmp_path.glob("*.env"):
        names = {line.partition("=")[0] for line in path.read_text("utf-8").splitlines()}
        assert names - {"PWD", "SHLVL", "_", "OLDPWD"} == {"PATH", "LC_ALL"}


def test_it_inherits_no_descriptor(tmp_path: Path) -> None:
    """Neither the lock nor the log nor anything else: a program that stays would hold them."""
    page = program(tmp_path, f'ls /proc/$$/fd > "{tmp_path}/out.part" && mv "{tmp_path}/out.part" "{tmp_path}/out"')
    kept = os.open(tmp_path, os.O_RDONLY)
    try:
        os.set_inheritable(kept, True)
        made = CommandAlarm([page], plain_environment(), SystemClock())
        made.say(notice())
        assert settled(made) == []
    finally:
        os.close(kept)
    assert str(kept) not in (tmp_path / "out").read_text("utf-8").split()


def test_a_program_that_ends_without_reading_is_no_trouble(tmp_path: Path) -> None:
    """The pipe breaks; it has ended well all the same."""
    made = CommandAlarm(["/bin/true"], plain_environment(), SystemClock())
    for number in range(20):
        made.say(notice(number))
    assert settled(made) == []


def test_a_failure_is_said_until_the_next_success(tmp_path: Path) -> None:
    """By its status; then it works again."""
    page = program(tmp_path, f'cat > /dev/null; test -e "{tmp_path}/well"')
    made = CommandAlarm([page], plain_environment(), SystemClock())
    made.say(notice())
    assert settled(made) == ["alert_command: it ended with 1"]
    assert made.problem == "alert_command: it ended with 1"
    (tmp_path / "well").touch()
    made.say(notice())
    assert settled(made) == []
    assert made.problem == ""


def test_a_program_that_is_not_there_is_said_at_once_and_again(tmp_path: Path) -> None:
    """When the executor starts, and for each notice; nothing is raised."""
    made = CommandAlarm([str(tmp_path / "nothing")], plain_environment(), SystemClock())
    assert made.look() == [f"alert_command: {tmp_path}/nothing cannot be run"]
    made.say(notice())
    (wrong,) = made.look()
    assert "cannot be started" in wrong
    assert made.problem == wrong


def test_so_many_at_a_time_and_one_that_hangs_is_ended(tmp_path: Path) -> None:
    """Four hang; the fifth waits until they are ended with whatever they started."""
    page = program(tmp_path, f'sleep 3600 & echo $! > "{tmp_path}/$$.child"; wait')
    time_ = clock()
    made = CommandAlarm([page], plain_environment(), time_)
    for number in range(AT_ONCE + 1):
        made.say(notice(number))
    assert made.look() == []
    until(lambda: len(whole(tmp_path, "*.child")) == AT_ONCE)
    time_.sleep(LONGEST_S - 1)
    assert made.look() == []
    assert len(whole(tmp_path, "*.child")) == AT_ONCE
    children = [int(path.read_bytes()) for path in whole(tmp_path, "*.child")]
    time_.sleep(1)
    assert made.look() == [f"alert_command: it did not end within {LONGEST_S:g} s and was ended"] * AT_ONCE
    until(lambda: made.look() == [] and len(whole(tmp_path, "*.child")) == AT_ONCE + 1)
    until(lambda: not any(alive(child) for child in children))
    assert made.problem
    assert "1 notices were not said to the end" in made.close()[-1]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_what_there_is_no_room_for_is_counted(tmp_path: Path) -> None:
    """The line is as long as it is; the newest are dropped and their number is said."""
    made = CommandAlarm([program(tmp_path, f'cat >> "{tmp_path}/said"')], plain_environment(), SystemClock())
    for number in range(MOST_WAITING + 3):
        made.say(notice(number))
    assert settled(made) == [f"alert_command: 3 notices were dropped, {MOST_WAITING} waited already"]
    assert len((tmp_path / "said").read_bytes().splitlines()) == MOST_WAITING


class SlowClock(ManualClock):
    """Waits a little and shows a hundredth of what it was asked for: for machines on which everything takes longer."""

    def sleep(self, seconds: float) -> None:
        time.sleep(0.02)
        self.move_to(self.now() + timedelta(seconds=seconds / 100))


def test_at_the_end_what_is_in_line_is_said(tmp_path: Path) -> None:
    """More than run at a time; then nothing is left."""
    slow = SlowClock(datetime(2026, 11, 20, tzinfo=UTC))
    made = CommandAlarm([program(tmp_path, f'cat >> "{tmp_path}/said"')], plain_environment(), slow)
    for number in range(3 * AT_ONCE):
        made.say(notice(number))
    assert made.close() == []
    assert not made.busy
    assert len((tmp_path / "said").read_bytes().splitlines()) == 3 * AT_ONCE


def test_the_end_does_not_wait_for_a_program_that_hangs(tmp_path: Path) -> None:
    """A few seconds of its clock, which stands for them here."""
    page, time_ = program(tmp_path, f'echo $$ > "{tmp_path}/pid"; exec sleep 3600'), clock()
    made = CommandAlarm([page], plain_environment(), time_)
    made.say(notice())
    made.look()
    until(lambda: bool(whole(tmp_path, "pid")))
    assert made.close() == ["alert_command: 1 notices were not said to the end"]
    assert time_.monotonic() == pytest.approx(CLOSING_S, abs=0.1)
    until(lambda: not alive(int((tmp_path / "pid").read_bytes())))


def test_how_each_program_ended_is_a_line_of_the_log_of_calls(tmp_path: Path) -> None:
    """Its status and how long it took; what it asked itself, only it knows."""
    ledger, ticking = MemoryLedger(), clock()
    out = Out(Allowed.of([]), ledger, ticking)
    for body in ("exit 0", "exit 3", "exec sleep 1000"):
        made = CommandAlarm([program(tmp_path, body)], plain_environment(), ticking, out)
        made.say(notice())
        made.look()
        if "sleep" in body:
            ticking.sleep(LONGEST_S)
        settled(made)
    gone = CommandAlarm([program(tmp_path, "exit 0")], plain_environment(), ticking, out)
    (tmp_path / "page").unlink()
    gone.say(notice())
    gone.look()
    last = CommandAlarm([program(tmp_path, "exec sleep 1000")], plain_environment(), ticking, out)
    last.say(notice())
    last.close()
    assert [(one.host, one.purpose, one.status) for one in ledger.calls] == [
        (None, "alert", "exit 0"), (None, "alert", "exit 3"), (None, "alert", "killed"), (None, "alert", "not_started"),
        (None, "alert", "killed")]
    assert ledger.calls[2].ms >= LONGEST_S * 1000


def test_where_no_line_can_be_left_the_program_is_started_all_the_same(tmp_path: Path) -> None:
    """A full disk is the very thing that somebody has to be told."""
    class Full(NoLedger):
        def ready(self) -> None:
            raise StateError("the disk is full")

    made = CommandAlarm([program(tmp_path, "exit 0")], plain_environment(), clock(),
                        Out(Allowed.of([]), Full(), clock()))
    made.say(notice())
    assert settled(made) == []
    assert made.problem == ""


@pytest.mark.parametrize("words", [[], ["page"], ["/bin/page", "a\0b"], ["/x"] * 33, "/bin/page", [1]])
def test_settings_take_words_of_a_program_only(words: object) -> None:
    """An absolute path first; text is no list of words."""
    with pytest.raises(ValidationError):
        ExecutorSettings.model_validate({"alert_command": words})
    assert ExecutorSettings(alert_command=["/bin/page", "--urgent"]).alert_command == ["/bin/page", "--urgent"]


@pytest.mark.parametrize("made", [NoAlarm(), MemoryAlarm()])
def test_nobody_to_be_told_is_no_trouble(made: Alarm) -> None:
    """The twin keeps what was said; nothing is under way."""
    made.say(notice())
    found: Sequence[str] = [*made.look(), *made.close(), made.problem]
    assert not any(found)
    assert not made.busy
    assert alarm.MOST_WAITING > alarm.AT_ONCE
