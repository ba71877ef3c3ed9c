"""`vanta-assistant`: ask why, what changed, whether it is safe to release. Answers from the files, with their ids.

Without a command it is a conversation; `ask` is one question, for scripts too: it ends with 0 where there is an answer,
with 1 where it is not understood or nothing is known, with 5 where the answer is that it is not safe. `brief` says what
changed, what is wrong and what to do. Nothing of the home is changed, but for the file of a proposal.
"""

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from vanta.alpha.assistant.answering import Assistant
from vanta.alpha.assistant.guard import Gate, Reworded
from vanta.alpha.assistant.look import Look
from vanta.alpha.assistant.wire import gate_of
from vanta.alpha.core.assistant import standing
from vanta.alpha.core.assistant.answer import Answer, Step
from vanta.alpha.core.assistant.hearing import Heard
from vanta.alpha.core.assistant.spans import NAMED, Since, length, moment
from vanta.alpha.core.sights import one_line
from vanta.alpha.pages import outside
from vanta.common import cli, typed
from vanta.common.cli import HomeOption, JsonFlag, Next, NowOption, Report, emit, exit_table, show
from vanta.common.clock import SystemClock
from vanta.common.errors import OperatorError, UsageError, VantaError
from vanta.common.exitcodes import Exit
from vanta.common.paths import Home
from vanta.common.settings import clock_from, home_from, load
from vanta.common.store import atomic

PROGRAM = "vanta-assistant"
PROMPT = "vanta> "
_END = frozenset({"quit", "exit", "bye", "q", ":q"})

app = cli.application("Ask why, what changed, is it safe to release. Reads only.")
app.info.no_args_is_help = False

NoModel = Annotated[bool, typer.Option("--no-model", help="Ask no language model, whatever the settings say.")]
Question = Annotated[str, typer.Argument(metavar="TEXT", help="The question, in plain words; - reads it from stdin.")]
Span = Annotated[str, typer.Argument(metavar="SPAN", help="hourly, daily, weekly, or as in 12h, 3 days.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", show_default=False, help="Also write it there.")]


@app.callback(invoke_without_command=True, no_args_is_help=False)
def talk(context: typer.Context, home: HomeOption = None, now: NowOption = None, no_model: NoModel = False) -> int:
    """Ask on until Ctrl-D; `help` says what can be asked."""
    if context.invoked_subcommand is not None:
        return 0
    place = home_from(home).existing()
    gate = None if no_model else _gate(place, now)
    show(f"I read {place.root} and change nothing. `help` says what you can ask; Ctrl-D ends this.")
    for line in _typed():
        if line.casefold() in _END:
            break
        _answered(Assistant(place, now), gate, line)
    return int(Exit.DONE)


def _typed() -> Iterator[str]:
    """What a person types, or a pipe holds, line by line, until it ends or Ctrl-C is pressed at the prompt."""
    live = sys.stdin.isatty()
    if live:
        import readline  # lines can be edited and called back; they are kept in memory alone

        readline.set_history_length(500)
    while True:
        try:
            line = input(PROMPT if live else "").strip()
        except (EOFError, KeyboardInterrupt):
            if live:
                show("")
            return
        if line:
            yield line


def _answered(assistant: Assistant, gate: Gate | None, line: str) -> None:
    """One answer in a conversation: what goes wrong is said, and the conversation goes on."""
    try:
        answer, _ = assistant.answer(line)
        said = Reworded() if gate is None else gate.reword(line, answer)
        for text in _lines(answer, said):
            show(cli.harmless(typed.prose(text)))
        for step in answer.next:
            show(cli.step(step.why, one_line(step.command)))
    except KeyboardInterrupt:
        show("(stopped)")
    except VantaError as error:
        cure = f"\n  → {typed.prose(error.cure)}" if error.cure else ""
        show(cli.harmless(f"I cannot look: {error.what}{cure}"))


@app.command(epilog=exit_table(Exit.DONE, Exit.FAILED, Exit.PARTIAL, Exit.REFUSED))
def ask(
    text: Question, home: HomeOption = None, now: NowOption = None, *, no_model: NoModel = False, json: JsonFlag = False
) -> int:
    """Answer one question."""
    place = home_from(home).existing()
    question = sys.stdin.read(1 << 16) if text == "-" else text
    if not question.strip():
        raise UsageError("there is no question", 'As in `vanta-assistant ask "what changed?"`.')
    answer, heard = Assistant(place, now).answer(question)
    gate = None if no_model else _gate(place, now)
    said = Reworded() if gate is None else gate.reword(question, answer)
    return emit(
        Report(
            schema="vanta.assistant.answer/1",
            at=SystemClock().now() if now is None else now,
            exit=answer.exit,
            items=_items(answer, heard, said),
            lines=list(_lines(answer, said)),
            next=[Next(step.why, step.command) for step in answer.next],
        ),
        as_json=json,
    )


@app.command(epilog=exit_table(Exit.DONE, Exit.USAGE))
def brief(
    span: Span = "daily", home: HomeOption = None, now: NowOption = None, *, out: Out = None, json: JsonFlag = False
) -> int:
    """What changed, what is wrong, what to do: for a morning, or a mail. Asks no model."""
    place = home_from(home).existing()
    long = NAMED.get(span) or length(span)
    if long is None:
        raise UsageError(f"{span[:40]!r} is no span of time", "As in hourly, daily, weekly, 12h, 3 days.")
    target = None if out is None else outside(out, place, f"{place.root}/build/logs/brief-{span}.txt")
    assistant, look = Assistant(place, now), Look(place, now)
    parts = (
        ("How it stands", standing.status(look.view())),
        ("What to look at", standing.wrong(look.view())),
        ("What changed", assistant.since(look, Since(look.now - long, f"since {moment(look.now - long)}"))),
    )
    lines = [
        f"VANTA, {moment(look.now)}: the brief ({span})",
        *(
            line
            for title, answer in parts
            for line in ("", title, *answer.lines, *(f"  → {step.why}: {_command(step)}" for step in answer.next))
        ),
    ]
    if target is not None:
        atomic.replace(target, ("\n".join(map(typed.prose, lines)) + "\n").encode())
    return emit(
        Report(
            schema="vanta.assistant.brief/1",
            at=look.now,
            lines=lines,
            items={
                "span": span,
                "out": None if target is None else str(target),
                "parts": [{"title": title, **_said(answer)} for title, answer in parts],
            },
        ),
        as_json=json,
    )


def _gate(place: Home, now: datetime | None) -> Gate | None:
    """The gate to the model. Settings or a key that cannot be read leave it shut; the answers do without."""
    try:
        settings = load(place)
        return gate_of(place, settings, clock_from(settings, now))
    except OperatorError:  # the checks say what is wrong with the settings
        return None
    except VantaError as error:
        typer.echo(f"(without a model: {error.what})", err=True)
        return None


def _lines(answer: Answer, said: Reworded) -> Iterator[str]:
    if said.text:
        yield from (f"In a model's words, made from what stands below: {said.text}", "")
    yield from answer.lines
    if said.why:
        yield f"({said.why})"


def _command(step: Step) -> str:
    return typed.command(one_line(step.command))


def _items(answer: Answer, heard: Heard, said: Reworded) -> dict[str, object]:
    return {
        "intent": answer.kind,
        "question": one_line(heard.typed),
        "mended": dict(heard.mended),
        **_said(answer),
        "model": {"text": said.text or None, "why": said.why or None},
    }


def _said(answer: Answer) -> dict[str, object]:
    return {
        "answer": one_line(answer.head.text) if answer.head else None,
        "notes": list(map(one_line, answer.notes)),
        "facts": [
            {
                "text": one_line(fact.text),
                "cites": list(fact.cites),
                "level": None if fact.level is None else fact.level.name,
            }
            for fact in answer.all
        ],
    }


def main() -> int:
    """The console script."""
    return cli.main(app, program=PROGRAM)


if __name__ == "__main__":
    sys.exit(main())
