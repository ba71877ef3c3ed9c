"""The operational log: JSON lines, masked, from our Enum, and never a reason to stop."""

import json
import logging
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.processes import FILES_END_AT, run
from vanta.common.clock import ManualClock
from vanta.common.events import LogEvent
from vanta.common.log import TALKATIVE, FileLog, MemoryLog, configure
from vanta.common.paths import Home

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PLANTED = "PLANTED-Zx9_q7R.secretvalue"
BOT = "123456789:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A prepared home."""
    return Home(tmp_path).prepare()


@pytest.fixture
def log(home: Home) -> Iterator[FileLog]:
    """A log with everything switched on."""
    with configure(home, "executor", ManualClock(NOW), level="debug") as log:
        yield log


def lines(home: Home) -> list[dict[str, Any]]:
    """What stands in the file."""
    return [json.loads(line) for line in (home.logs / "executor.log").read_text("utf-8").splitlines()]


def test_a_line_is_one_json_object(home: Home, log: FileLog) -> None:
    """Time, level, program and event stand first; the time is the program's clock's."""
    log.info(LogEvent.ORDER_SENT, order_id="v1", note="two\nlines ü")
    assert lines(home) == [{"at": "2026-01-02T03:04:05.000Z", "level": "info", "program": "executor",
                            "event": "order.sent", "order_id": "v1", "note": "two\nlines ü"}]
    assert list(lines(home)[0])[:4] == ["at", "level", "program", "event"]
    assert (home.logs / "executor.log").read_bytes().count(b"\n") == 1


def test_levels(home: Home, log: FileLog) -> None:
    """Each method has its level."""
    log.debug(LogEvent.STARTED)
    log.info(LogEvent.STARTED)
    log.warning(LogEvent.STARTED)
    log.error(LogEvent.STARTED)
    assert [line["level"] for line in lines(home)] == ["debug", "info", "warning", "error"]


def test_lines_below_the_level_are_left_out(home: Home) -> None:
    """At `warning` only warnings and errors are written."""
    with configure(home, "executor", ManualClock(NOW), level="warning") as log:
        log.info(LogEvent.STARTED)
        log.warning(LogEvent.FEED_PROBLEM)
    assert [line["event"] for line in lines(home)] == ["feed.problem"]


def test_bound_fields_are_on_every_line(home: Home, log: FileLog) -> None:
    """Ids that are bound once need not be repeated; the unbound log is unchanged."""
    bound = log.bind(feed="sec").bind(run_id="run_1")
    bound.info(LogEvent.PASS_DONE, records=3)
    log.info(LogEvent.STOPPED)
    assert lines(home)[0]["feed"] == "sec"
    assert (lines(home)[0]["run_id"], lines(home)[0]["records"]) == ("run_1", 3)
    assert "feed" not in lines(home)[1]


def _talk(log: FileLog) -> None:
    log.debug(LogEvent.STARTED, api_key=PLANTED, nested={"headers": [("Authorization", f"Bearer {PLANTED}")]})
    url = f"https://x:{PLANTED}@h/bot{BOT}/send?token={PLANTED}"
    log.bind(client_secret=PLANTED).info(LogEvent.FEED_PROBLEM, url=url)
    try:
        raise ValueError(f"login failed: password={PLANTED}")
    except ValueError as error:
        log.error(LogEvent.PASS_FAILED, exc_info=True, error=error)
    for name in TALKATIVE:
        library = logging.getLogger(name)
        library.debug("fetch Request: %s", {"X-MBX-APIKEY": PLANTED})
        library.warning("GET https://h/bot%s/x headers %s", BOT, {"authorization": f"Basic {PLANTED}"})
    logging.getLogger("another").debug("signature=%s", PLANTED)


def test_no_planted_key_reaches_the_file(home: Home, log: FileLog) -> None:
    """With debug on, through fields, bound fields, exceptions and libraries: the file holds no secret."""
    _talk(log)
    text = (home.logs / "executor.log").read_text("utf-8")
    assert text.count("\n") == 3 + len(TALKATIVE) + 1
    assert PLANTED not in text
    assert "AAEhBOweik6ad9r" not in text
    assert "ValueError: login failed: password=***" in text


def test_libraries_never_talk_at_debug(home: Home, log: FileLog) -> None:
    """Libraries that print headers and payloads at DEBUG are held at INFO, under our event name."""
    for name in TALKATIVE:
        logging.getLogger(name).debug("secret things")
        logging.getLogger(name).info("ready")
    assert [(line["event"], line["logger"], line["text"]) for line in lines(home)] == [
        ("library", name, "ready") for name in TALKATIVE]


def test_stderr_gets_the_same_lines(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """If asked, a supervisor sees on stderr what stands in the file."""
    with configure(home, "executor", ManualClock(NOW), to_stderr=True) as log:
        log.info(LogEvent.STARTED, token=PLANTED)
    assert capsys.readouterr().err == (home.logs / "executor.log").read_text("utf-8")


class Hostile:
    """An object that cannot be shown."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_a_field_that_cannot_be_shown_stops_nothing(home: Home, log: FileLog) -> None:
    """The line is lost and counted; the next one is written."""
    log.info(LogEvent.STARTED, thing=Hostile())
    log.info(LogEvent.STOPPED)
    assert log.dropped == 1
    assert [line["event"] for line in lines(home)] == ["stopped"]


def test_a_folder_that_is_gone_stops_nothing(home: Home, log: FileLog) -> None:
    """Without a place for the file, lines are lost and counted; when it is back, writing goes on."""
    home.logs.rmdir()
    log.info(LogEvent.STARTED)
    home.logs.mkdir()
    log.info(LogEvent.STOPPED)
    assert log.dropped == 1
    assert [line["event"] for line in lines(home)] == ["stopped"]


def test_a_pipe_in_place_of_the_file_stops_nothing(home: Home, log: FileLog) -> None:
    """Nobody waits for a reader; when the pipe is gone, writing goes on."""
    os.mkfifo(home.logs / "executor.log")
    log.info(LogEvent.STARTED)
    (home.logs / "executor.log").unlink()
    log.info(LogEvent.STOPPED)
    assert log.dropped == 1
    assert [line["event"] for line in lines(home)] == ["stopped"]


def test_a_library_never_notices_that_a_line_is_lost(home: Home, log: FileLog) -> None:
    """What a library logs while the folder is gone is lost without an error in the library."""
    home.logs.rmdir()
    logging.getLogger("ccxt").warning("still there?")
    assert log.dropped == 1


FULL = FILES_END_AT + """
import sys
from datetime import datetime, UTC
from pathlib import Path
from vanta.common.clock import ManualClock
from vanta.common.events import LogEvent
from vanta.common.log import configure
from vanta.common.paths import Home
log = configure(Home(Path(sys.argv[1])), "executor", ManualClock(datetime(2026, 1, 2, tzinfo=UTC)), to_stderr=True)
sys.stderr.close()
files_end_at(10)
log.info(LogEvent.STARTED)
files_end_at(-1)
print("alive", log.dropped)
"""


def test_a_full_disk_and_a_closed_terminal_stop_nothing(home: Home) -> None:
    """Where neither the file nor stderr takes a byte, the program goes on."""
    assert run(FULL, str(home.root)) == "alive 2\n"


def test_rotation_by_hand_is_followed(home: Home, log: FileLog) -> None:
    """When logrotate moves the file away, the next line starts a new one."""
    log.info(LogEvent.STARTED)
    (home.logs / "executor.log").rename(home.logs / "executor.log.1")
    log.info(LogEvent.STOPPED)
    assert [line["event"] for line in lines(home)] == ["stopped"]


def test_closing_gives_the_root_logger_back(home: Home) -> None:
    """A closed log hears nothing of what comes after."""
    before = list(logging.getLogger().handlers)
    configure(home, "executor", ManualClock(NOW)).close()
    assert logging.getLogger().handlers == before
    logging.getLogger("another").error("late")
    assert not (home.logs / "executor.log").exists()


def test_memory_log_is_a_twin() -> None:
    """The in-memory log keeps the same masked fields."""
    log = MemoryLog()
    log.bind(feed="sec").warning(LogEvent.FEED_PROBLEM, token=PLANTED, count=1)
    log.info(LogEvent.STARTED, thing=Hostile())
    assert log.lines == [{"level": "warning", "event": "feed.problem", "feed": "sec", "token": "***", "count": 1}]
    assert log.dropped == 1


def test_nothing_is_imported_before_it_is_needed() -> None:
    """A cheap command that never logs does not pay for structlog."""
    assert run("import sys, vanta.common.log; print('structlog' in sys.modules)") == "False\n"
