"""The frame of every command line: statuses, one JSON document, errors with their cure."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import typer

from tests.processes import ROOT, run
from vanta.common import typed
from vanta.common.cli import (
    HomeOption,
    JsonFlag,
    Next,
    NowOption,
    Report,
    application,
    emit,
    exit_table,
    fail,
    main,
    moment,
)
from vanta.common.errors import BadInput, Bug, LockHeld, OutsideError, VantaError
from vanta.common.exitcodes import Exit
from vanta.common.times import iso, parse_iso

AT = parse_iso("2026-03-04T10:00:00.000Z")


def program(outcome: "Report | BaseException | None" = None) -> typer.Typer:
    app = application("A program for tests.")

    @app.command()
    def go(*, home: HomeOption = None, now: NowOption = None, as_json: JsonFlag = False) -> int:
        """Do it."""
        if isinstance(outcome, BaseException):
            raise outcome
        said = outcome or Report(schema="test/1", at=now or AT, items={"home": str(home)}, lines=[f"home is {home}"])
        return emit(said, as_json=as_json)

    @app.command()
    def other() -> int:
        """Something else."""
        return 0

    return app


def call(arguments: list[str], capsys: pytest.CaptureFixture[str], *, outcome: Any = None,
         check: bool = False) -> tuple[int, str, str]:
    code = main(program(outcome), program="vanta test", arguments=arguments, check=check)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_text_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """Lines and next steps on stdout, warnings on stderr, the report's own status."""
    outcome = Report(schema="test/1", at=AT, items={}, lines=["3 new"], warnings=["1 rejected"], exit=Exit.PARTIAL,
                     next=[Next("see them", "vanta diagnostics feeds")])
    assert call(["go"], capsys, outcome=outcome) == \
        (3, "3 new\n  → see them: " + typed.command("vanta diagnostics feeds") + "\n", "1 rejected\n")


def test_what_a_terminal_obeys_or_hides_does_not_reach_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Words of strangers and files of other hosts: no sequence, nothing that turns the line around, no second step."""
    hostile = "a\x1b[2J\x9b31m\u202eb\x07\r"
    emit(Report(schema="vanta.x/1", at=AT, items={}, lines=[hostile, "one\ttwo\nthree"], warnings=[hostile],
                next=[Next(hostile, f"vanta-run release --latch '{hostile}\n  → all: rm -rf /'")]), as_json=False)
    fail(1, hostile, hostile, as_json=False)
    out, err = capsys.readouterr()
    assert [char for char in out + err if not char.isprintable() and char not in "\n\t"] == []
    assert "one\ttwo\nthree" in out
    assert len(out.splitlines()) == 4


def test_one_json_document(capsys: pytest.CaptureFixture[str]) -> None:
    """The envelope, the items beside it, decimals as text; the status does not change."""
    outcome = Report(schema="test/1", at=AT, items={"amount": Decimal("1.10")}, lines=["x"], exit=Exit.PARTIAL,
                     warnings=["w"], next=[Next("see", "vanta verify")])
    code, out, err = call(["go", "--json"], capsys, outcome=outcome)
    assert code == Exit.PARTIAL
    assert err == ""
    assert json.loads(out) == {"schema": "test/1", "generated_at": iso(AT), "ok": False, "amount": "1.10",
                               "next": [{"why": "see", "command": typed.command("vanta verify")}]}


@pytest.mark.parametrize(("error", "code"), [
    (BadInput("the file is empty", file="vault.json"), 78),
    (LockHeld("held by pid 7", "Wait."), 75),
    (OutsideError("the host is down"), 69),
    (Bug("cannot be"), 1),
])
def test_errors_end_with_their_own_status_and_cure(error: VantaError, code: int,
                                                   capsys: pytest.CaptureFixture[str]) -> None:
    """Text on stderr and nothing on stdout; with --json the same as one document; the status is the same."""
    status, out, err = call(["go"], capsys, outcome=error)
    assert (status, out) == (code, "")
    assert err.startswith(f"Error: {error.what}")
    assert error.cure in err
    status, out, err = call(["go", "--json"], capsys, outcome=error)
    document = json.loads(out)
    assert (status, err) == (code, "")
    assert (document["ok"], document["exit"], document["error"], document["cure"]) == \
        (False, code, error.what, error.cure)


@pytest.mark.parametrize("arguments", [
    ["nope"], ["go", "--nope"], ["go", "surplus"], ["go", "--now", "yesterday"],
    ["go", "--now", "9999-12-31T23:59:59Z"],
    ["go", "--now", "1969-12-31T23:59:59Z"], ["go", "--now", "2026-01-01T00:00:00"],
    ["go", "--home"], [],
])
def test_a_mistyped_command_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2 with what to try, as JSON where asked for; 3 in the check family, so that it never reads CRITICAL."""
    code, out, err = call(arguments, capsys)
    assert (code, out) == (2, "")
    assert "--help" in err
    assert call(arguments, capsys, check=True)[0] == 3
    code, out, err = call(["--json", *arguments], capsys)
    assert (code, err) == (2, "")
    assert json.loads(out)["ok"] is False


@pytest.mark.parametrize("error", [BadInput("x", file="y"), OutsideError("x"), Bug("x"), ValueError("x")])
def test_the_check_family_knows_only_unknown(error: Exception, tmp_path: Path,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    """An error of a check is UNKNOWN, whatever its own status would be."""
    assert call(["go", "--home", str(tmp_path)], capsys, outcome=error, check=True)[0] == 3


@pytest.mark.parametrize("form", ["two words", "one word"])
def test_the_unforeseen_is_one_line_and_a_log(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The traceback goes to the program's log, not to the terminal; the line says where."""
    (tmp_path / "logs").mkdir()
    home = ["--home", str(tmp_path)] if form == "two words" else [f"--home={tmp_path}"]
    code, out, err = call(["go", *home], capsys, outcome=ZeroDivisionError("by nought"))
    assert (code, out) == (1, "")
    assert err.splitlines()[0] == "Error: unexpected ZeroDivisionError: by nought"
    assert str(tmp_path / "logs" / "test.log") in err
    assert "Traceback" not in err
    line = json.loads((tmp_path / "logs" / "test.log").read_text())
    assert line["event"] == "crashed"
    assert "ZeroDivisionError: by nought" in line["exception"]


def test_the_unforeseen_without_a_home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is no log folder the traceback is shown: it must not be lost."""
    code, _, err = call(["go", "--home", str(tmp_path)], capsys, outcome=ZeroDivisionError("by nought"))
    assert code == 1
    assert "Traceback" in err


def test_interrupted_from_the_keyboard(capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C is 130, without a traceback."""
    assert call(["go"], capsys, outcome=KeyboardInterrupt()) == (130, "", "")
    assert call(["go"], capsys, outcome=typer.Abort()) == (130, "", "")


def test_help_is_plain_and_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    """No boxes and no colours, so that it can be piped; status 0."""
    code, out, _ = call(["go", "--help"], capsys)
    assert code == 0
    assert {"--home", "--json", "--now"} <= set(out.split())
    assert out.isascii()


@pytest.mark.parametrize("text", [
    "2026-01-02T03:04:05Z", "2026-01-02t03:04:05z", " 2026-01-02 03:04:05Z ", "20260102T030405Z",
    "2026-01-02T03:04:05.000Z", "2026-01-02T04:04:05+01:00",
    "2026-01-02 04:04:05 +01:00", "2026-01-01T22:04:05-0500", "2026-01-02T04:04:05+01"])
def test_a_time_may_be_written_in_any_iso_form_with_an_offset(text: str) -> None:
    """They all say when."""
    assert iso(moment(text)) == "2026-01-02T03:04:05.000Z"


def test_a_date_is_its_first_moment() -> None:
    """In UTC."""
    assert iso(moment("2026-01-02")) == "2026-01-02T00:00:00.000Z"


@pytest.mark.parametrize(("text", "why"), [
    ("2026-01-02T03:04:05", "has no offset"), ("2026-01-02 03:04", "has no offset"), ("20260102", "has no offset"),
    ("yesterday", "is not a time"), ("1767323045", "is not a time"), ("2026-02-30T00:00:00Z", "is not a time"),
    ("0001-01-01T00:00:00+10:00", "is not a time"), ("x" * 500, "is not a time"), ("", "is not a time")])
def test_a_refused_time_comes_with_how_to_write_it(text: str, why: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Why, and the form that is understood."""
    code, out, err = call(["go", "--now", text], capsys)
    assert (code, out) == (2, "")
    assert why in err
    assert "write it as 2026-01-02T03:04:05Z" in err
    assert len(err) < 400


def test_common_options(capsys: pytest.CaptureFixture[str]) -> None:
    """`--home` is a path, `--now` a time with an offset."""
    code, out, _ = call(["go", "--home", "/x", "--now", "2026-01-02T03:04:05+01:00", "--json"], capsys)
    assert code == 0
    assert json.loads(out)["home"] == "/x"
    assert json.loads(out)["generated_at"] == "2026-01-02T02:04:05.000Z"


def test_the_exit_table_names_each_status() -> None:
    """What `--help` says about statuses comes from the one table."""
    assert exit_table(Exit.DONE, Exit.TEMPORARY) == (
        "Exit status: 0 done; 2 the command line is wrong (check family: 3); 75 temporary: try again later.")


def test_the_frame_stays_light() -> None:
    """No command pays for the libraries of the feeds, for rich or for structlog before it needs them."""
    heavy = run("import sys; import vanta.common.cli;"
                "print([n for n in 'rich structlog httpx ccxt praw lxml'.split() if n in sys.modules])")
    assert heavy.strip() == "[]"


def test_advice_is_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    """What a person has to do by hand is told apart, so that no script runs it."""
    outcome = Report(schema="test/1", at=AT, items={}, lines=[],
                     next=[Next("executor", "look at the venue"), Next("disk", "df -h")])
    _, out, _ = call(["go", "--json"], capsys, outcome=outcome)
    assert json.loads(out)["next"] == [{"why": "executor", "command": None, "advice": "look at the venue"},
                                       {"why": "disk", "command": "df -h"}]
    assert "→ executor: look at the venue" in call(["go"], capsys, outcome=outcome)[1]


def test_proposed_commands_carry_the_home_that_was_typed(capsys: pytest.CaptureFixture[str]) -> None:
    """Next steps, warnings and cures alike; see `typed` for the rest of what they need."""
    outcome = Report(schema="test/1", at=AT, items={}, lines=[], warnings=["see `vanta verify`"],
                     next=[Next("see", "vanta verify")])
    _, out, err = call(["go", "--home", "a b"], capsys, outcome=outcome)
    assert out.endswith("verify --home 'a b'\n")
    assert "verify --home 'a b'`" in err
    _, _, err = call(["go", "--home", "a b"], capsys, outcome=VantaError("x", "Run `vanta verify`."))
    assert "verify --home 'a b'`" in err
    assert "--home 'a b'" not in call(["go"], capsys, outcome=outcome)[1]


@pytest.mark.parametrize(("check", "status"), [(False, 1), (True, 3)])
def test_a_full_disk_behind_the_output_is_no_fault_of_ours(check: bool, status: int, tmp_path: Path) -> None:
    """One line says so on stderr, and nobody is asked to report it."""
    code = f"""
import sys
from tests.unit.common.test_cli import program
from vanta.common.cli import main
sys.exit(main(program(), program="vanta test", arguments=["go", "--home", {str(tmp_path)!r}], check={check}))
"""
    with open("/dev/full", "wb") as full:
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True,
                              check=False)
    assert (done.returncode, done.stderr) == \
        (status, "Error: the output cannot be written: No space left on device\n  → Let it go elsewhere.\n")


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_a_reader_that_went_away_ends_it_quietly(words: list[str], tmp_path: Path) -> None:
    """As `| head` does: no message, no traceback, and no status that reads as done."""
    code = f"""
import sys
from tests.unit.common.test_cli import program
from vanta.common.cli import main
sys.exit(main(program(), program="vanta test", arguments=["go", "--home", {str(tmp_path)!r}, *{words!r}]))
"""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as gone:
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=gone, stderr=subprocess.PIPE, text=True,
                              check=False)
    assert (done.returncode, done.stderr) == (1, "")
