"""`vanta-thread new | list | show | append | link | close | export`: the timeline of an incident or a decision.

A thread grows and is never changed. `link` takes whatever `vanta explain` knows, and nothing else. `show --events` and
`export --events` put beside it what the home itself recorded meanwhile: changes of controls, latches and alerts.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

import typer

from vanta.alpha.cli.tracker import By, TextArgument, given, where
from vanta.alpha.core.happenings import plain
from vanta.alpha.core.items import Event, indented, markdown, thread_row, thread_told
from vanta.alpha.core.trail import place as place_of
from vanta.alpha.explainer import Explainer
from vanta.alpha.reading import records
from vanta.alpha.tracker import desk, find, look
from vanta.common import cli
from vanta.common.cli import HomeOption, JsonFlag, Next, NowOption, Report, application, emit, exit_table, show
from vanta.common.clock import Clock
from vanta.common.errors import UsageError
from vanta.common.events import Kind
from vanta.common.exitcodes import Exit
from vanta.common.host import account
from vanta.common.models.tracker import Thread
from vanta.common.paths import CONTROL_LOG, TRADE_LOG, Home

MEANWHILE = frozenset({Kind.CONTROL_CHANGED, Kind.CONTROL_EDITED, Kind.LATCH_SET, Kind.LATCH_RELEASED, Kind.ALERT})
_CODES = exit_table(Exit.DONE, Exit.USAGE, Exit.TEMPORARY, Exit.CONFIG)

app = application("Timelines of incidents and decisions.")
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="th_…, or its beginning.")]
TargetArgument = Annotated[str, typer.Argument(metavar="TARGET", help="Any id that `vanta explain` takes.")]
Outcome = Annotated[str, typer.Option("--outcome", metavar="TEXT", help="How it ended.")]
EventsFlag = Annotated[bool, typer.Option("--events", help="Also what the home recorded meanwhile.")]


@app.command(epilog=_CODES)
def new(title: Annotated[str, typer.Argument(metavar="TITLE", help="What it is about.")], home: HomeOption = None, *,
        by: By = None, now: NowOption = None, json: JsonFlag = False) -> int:
    """Open a thread, and print its id."""
    place, clock = where(home, now)
    with desk(place, clock, by=by or account()) as one:
        thread = one.open(title)
    return _said("new", thread, clock, json, Next("to go on", f"vanta-thread append {thread.id} TEXT"))


@app.command("list", epilog=_CODES)
def listed(home: HomeOption = None, *, every: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
           now: NowOption = None, json: JsonFlag = False) -> int:
    """Threads that go on, the newest last."""
    place, clock = where(home, now)
    found = [one for one in look(place).threads.values() if every or one.closed_at is None]
    return emit(Report(
        schema="vanta.thread.list/1", at=clock.now(),
        items={"threads": [one.model_dump(mode="json") for one in found]},
        lines=[thread_row(one, clock.now()) for one in found] or ["no thread goes on here"]), as_json=json)


@app.command("show", epilog=_CODES)
def shown(name: IdArgument, home: HomeOption = None, *, events: EventsFlag = False, now: NowOption = None,
          json: JsonFlag = False) -> int:
    """One thread from its beginning."""
    place, clock = where(home, now)
    thread = _thread(place, name)
    also = meanwhile(place, thread) if events else []
    return emit(Report(
        schema="vanta.thread/1", at=clock.now(),
        items={"thread": thread.model_dump(mode="json"), "events": [{"at": at, "text": text} for at, text in also]},
        lines=list(map(indented, thread_told(thread, also)))), as_json=json)


@app.command(epilog=_CODES)
def append(name: IdArgument, text: TextArgument, home: HomeOption = None, *,  # noqa: PLR0913 - options
           tick: Annotated[int | None, typer.Option("--tick", min=1, metavar="NUMBER", show_default=False,
                                                    help="This line of the checklist is done.")] = None,
           by: By = None, now: NowOption = None, json: JsonFlag = False) -> int:
    """Say something in a thread."""
    place, clock = where(home, now)
    words = given(text)
    with desk(place, clock, by=by or account()) as one:
        thread = one.append(find(name, one.tracker.threads, prefix="th_"), words, tick)
    return _said("append", thread, clock, json)


@app.command(epilog=_CODES)
def link(name: IdArgument, target: TargetArgument, home: HomeOption = None, *,  # noqa: PLR0913 - options
         by: By = None, now: NowOption = None, json: JsonFlag = False) -> int:
    """Say what a thread is about: a signal, intent, order, latch, command, record, item or other thread."""
    place, clock = where(home, now)
    explainer = Explainer(place)
    meant = explainer.meant(target)
    if not meant:
        raise UsageError(f"nothing here is called {target!r}", explainer.hint(target))
    if len(meant) > 1:
        raise UsageError(f"{target!r} can mean {len(meant):,} things", "Give more of the id.")
    with desk(place, clock, by=by or account()) as one:
        thread = one.link(find(name, one.tracker.threads, prefix="th_"), meant[0])
    return _said("link", thread, clock, json, Next("why it is what it is", f"vanta explain {meant[0]}"))


@app.command(epilog=_CODES)
def close(name: IdArgument, outcome: Outcome, home: HomeOption = None, *,  # noqa: PLR0913 - options
          by: By = None, now: NowOption = None, json: JsonFlag = False) -> int:
    """End a thread with what was decided."""
    place, clock = where(home, now)
    with desk(place, clock, by=by or account()) as one:
        thread = one.close(find(name, one.tracker.threads, prefix="th_"), outcome)
    return _said("close", thread, clock, json)


@app.command(epilog=_CODES)
def export(form: Annotated[Literal["md"], typer.Argument(metavar="FORM", help="md: Markdown.")], name: IdArgument,
           home: HomeOption = None, *, events: EventsFlag = False) -> int:
    """Print a thread as a document, for a report after the fact."""
    place, _ = where(home, None)
    thread = _thread(place, name)
    show({"md": markdown}[form](thread, meanwhile(place, thread) if events else []), newline=False)
    return 0


def meanwhile(home: Home, thread: Thread) -> list[Event]:
    """What the home recorded of its controls, latches and limits while a thread went on."""
    return sorted(_meanwhile(home, thread))


def _meanwhile(home: Home, thread: Thread) -> Iterator[Event]:
    for name in (CONTROL_LOG, TRADE_LOG):
        for record in records(home.file(name)):
            after = thread.at <= record.at
            if after and (thread.closed_at is None or record.at <= thread.closed_at) and record.kind in MEANWHILE:
                yield record.at, f"{plain(record)} ({place_of(name, record)})"


def _thread(place: Home, name: str) -> Thread:
    tracker = look(place)
    return tracker.thread(find(name, tracker.threads, prefix="th_"))


def _said(what: str, thread: Thread, clock: Clock, as_json: bool, *then: Next) -> int:  # noqa: FBT001 - as it is called
    return emit(Report(
        schema=f"vanta.thread.{what}/1", at=clock.now(), items={"thread": thread.model_dump(mode="json")},
        lines=[thread_row(thread, clock.now())], next=list(then)), as_json=as_json)


def main(arguments: Sequence[str] | None = None) -> int:
    """The console script."""
    return cli.main(app, program="vanta-thread", arguments=arguments)


