"""The frame of every command line: common options, one JSON document, errors to exit statuses.

A command is a typer function of `application(...)` that returns `emit(report, as_json=...)`; a program is
`sys.exit(main(app, ...))`.

- Text for people goes to stdout, what went wrong to stderr. With `--json` stdout is exactly one document, an error
  too, and the status is the same as without.
- A `VantaError` ends with its own status and its cure. A mistyped command line ends with 2. In the check family
  both end with 3, so that a typo never reads as CRITICAL.
- Anything unforeseen prints one line and names the log that holds the traceback.

    {"schema": "vanta.markets.collect/1", "generated_at": "…Z", "ok": true, …, "next": [{"why": "…", "command": "…"}]}
"""

import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from typer.exceptions import TyperException

from vanta.common import typed
from vanta.common.clock import SystemClock
from vanta.common.errors import UsageError, VantaError
from vanta.common.events import LogEvent
from vanta.common.exitcodes import MEANING, Check, Exit
from vanta.common.log import configure
from vanta.common.settings import home_from
from vanta.common.times import iso, parse_iso

EARLIEST, LATEST = 1970, 9000
"""Years that `--now` and its like may lie in: ids count from 1970, and spans are added to times."""


def moment(text: str) -> datetime:
    """The value of `--now`: an ISO time with an offset, or a date (midnight UTC). Case and spaces around do not matter.

    A time without an offset is refused: nobody knows whose it is; so is one that leaves no room to reckon with.
    """
    try:
        found = parse_iso(text.strip().upper())
    except ValueError as error:
        why = "has no offset" if _is_naive(text) else "is not a time"
        raise typer.BadParameter(f"{text[:40]!r} {why}; write it as 2026-01-02T03:04:05Z, with an offset as in "
                                 "2026-01-02T03:04:05+01:00, or as a date, 2026-01-02") from error
    if not EARLIEST <= found.year <= LATEST:
        raise typer.BadParameter(f"{text[:40]!r} is not a time of ours: years from {EARLIEST} to {LATEST} are")
    return found


def _is_naive(text: str) -> bool:
    try:
        return datetime.fromisoformat(text.strip().upper()).tzinfo is None
    except ValueError:
        return False


HomeOption = Annotated[Path | None, typer.Option(
    "--home", metavar="DIR", show_default=False, help="The state tree. Default: $VANTA_HOME, else /opt/vanta.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON document, for errors too.")]
NowOption = Annotated[datetime | None, typer.Option(
    "--now", metavar="ISO", parser=moment, show_default=False,
    help="Fix the clock, as in 2026-01-02T03:04:05Z: for passes over recorded payloads.")]

Confirm = Annotated[str | None, typer.Option(
    "--confirm", metavar="NAME", show_default=False,
    help="What is loosened once more (a switch, `global`, a latch's id), where there is no terminal to ask on.")]


def confirmed(wanted: str, confirm: str | None) -> None:
    """Insist that a person has typed what is to be loosened, here or as `--confirm`. Raises `UsageError`."""
    if confirm is None:
        if not sys.stdin.isatty():
            raise UsageError(f"nobody has confirmed that {wanted} is to be released", f"Add --confirm {wanted}.")
        confirm = typer.prompt(f"Type {wanted} to release it", err=True, default="", show_default=False)
    if confirm.strip() != wanted:
        raise UsageError(f"{confirm.strip()!r} is not {wanted!r}: nothing is released", f"Confirm with {wanted}.")


@dataclass(frozen=True, slots=True)
class Next:
    """What to do next, and why: a command by its plain name (see `typed`), or advice where no command helps."""

    why: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a command has to say.

    `items` are the keys of the JSON document, `lines` the same for people; `warnings` go to stderr. A document
    is `ok` if `exit` is 0.
    """

    schema: str
    at: datetime
    items: Mapping[str, object]
    lines: Sequence[str]
    exit: int = Exit.DONE
    warnings: Sequence[str] = ()
    next: Sequence[Next] = field(default=())


class OutputLost(VantaError):
    """Stdout takes no more."""


def show(text: str, *, newline: bool = True) -> None:
    """Print to stdout. Raises `OutputLost` if it cannot be written; a reader that went away is left to typer."""
    try:
        typer.echo(text, nl=newline)
    except BrokenPipeError:
        raise
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the interpreter tries once more when it ends
        raise OutputLost(f"the output cannot be written: {error.strerror}", "Let it go elsewhere.") from error


def harmless(text: str) -> str:
    """Text without what a terminal obeys or hides: files of other hosts and words of strangers get into sentences."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in "\n\t" else " " for char in text)


def step(why: str, command: str) -> str:
    """The line of something to do next. It is one line, whatever stands in it."""
    return harmless(f"  → {why}: {typed.command(command)}".replace("\n", " "))


def emit(report: Report, *, as_json: bool) -> int:
    """Print the report and return the exit status."""
    if as_json:
        _print_json(_fields(report))
        return int(report.exit)
    for line in report.lines:
        show(harmless(typed.prose(line)))
    for line in report.warnings:
        typer.echo(harmless(typed.prose(line)), err=True)
    for one in report.next:
        show(step(one.why, one.command))
    return int(report.exit)


def document(report: Report) -> str:
    """The report's JSON document on one line."""
    return orjson.dumps(_fields(report), default=_plain, option=orjson.OPT_NON_STR_KEYS).decode()


def _fields(report: Report) -> dict[str, object]:
    return {"schema": report.schema, "generated_at": iso(report.at), "ok": report.exit == 0, **report.items,
            "next": [_step(one) for one in report.next]}


def _step(one: Next) -> dict[str, str | None]:
    """`command` is something to run, or null beside an `advice`."""
    said = typed.command(one.command)
    return {"why": one.why, "command": said} if typed.is_command(one.command) else \
        {"why": one.why, "command": None, "advice": said}


def application(summary: str) -> typer.Typer:
    """A typer application as all of ours are: plain help, no completion of its own, no decorated tracebacks."""
    return typer.Typer(help=summary, rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False,
                       no_args_is_help=True)


def exit_table(*codes: int) -> str:
    """The exit statuses of a command for its `--help`; every command line may be wrong."""
    told = sorted({*map(int, codes), int(Exit.USAGE)})
    return "Exit status: " + "; ".join(f"{code} {MEANING[code]}" for code in told) + "."


def main(app: typer.Typer, *, program: str, arguments: Sequence[str] | None = None, check: bool = False) -> int:
    """Run a command line and return its exit status. `check` chooses the check family."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    with typed.typed(given):
        return _run(app, program, given, check=check)


def _run(app: typer.Typer, program: str, given: list[str], *, check: bool) -> int:
    as_json = "--json" in given
    try:
        result = typer.main.get_command(app).main(args=given, prog_name=program, standalone_mode=False)
        return int(result or 0)
    except TyperException as error:
        code = Check.UNKNOWN if check else Exit.USAGE
        context = getattr(error, "ctx", None)
        cure = f"{context.command_path if context else program} --help"
        return fail(code, error.format_message(), f"Try: {typed.command(cure)}", as_json=as_json)
    except typer.Abort:
        return int(Exit.INTERRUPTED)
    except VantaError as error:
        code, as_json = Check.UNKNOWN if check else error.exit_code, as_json and not isinstance(error, OutputLost)
        return fail(code, error.what, error.cure, as_json=as_json)
    except Exception as error:  # noqa: BLE001 - the last resort of a program: say it in one line, keep the traceback
        where = _record_crash(given, program, error)
        code = Check.UNKNOWN if check else Exit.FAILED
        return fail(code, f"unexpected {type(error).__name__}: {error}", where, as_json=as_json)


def fail(code: int, what: str, cure: str, *, as_json: bool) -> int:
    """Say what went wrong and what to do, and return `code`."""
    cure = typed.prose(cure)
    if as_json:
        _print_json({"schema": "vanta.error/1", "generated_at": iso(SystemClock().now()), "ok": False,
                     "exit": int(code), "error": what, "cure": cure, "next": []})
    else:
        typer.echo(harmless(f"Error: {what}" + (f"\n  → {cure}" if cure else "")), err=True)
    return int(code)


def _record_crash(arguments: list[str], program: str, error: Exception) -> str:
    """Put the traceback into the program's log, or on stderr where there is no log folder; say where."""
    given = typed.home_in(arguments)
    home, name = home_from(None if given is None else Path(given)), program.rsplit(maxsplit=1)[-1]
    if not home.logs.is_dir():
        traceback.print_exception(error)
        return "The traceback is above. Please report it."
    with configure(home, name, SystemClock()) as log:
        log.error(LogEvent.CRASHED, exc_info=error)
    return f"The traceback is in {home.logs / name}.log. Please report it."


def _print_json(value: Mapping[str, Any]) -> None:
    text = orjson.dumps(value, default=_plain, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)
    show(text.decode())


def _plain(value: object) -> object:
    if isinstance(value, Decimal | Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
