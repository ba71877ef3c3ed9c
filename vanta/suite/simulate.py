"""`vanta simulate`: the very same programs over recorded feeds and recorded prices, driven by a manual clock."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from vanta.common.cli import JsonFlag, Next, Report, application, emit, exit_table, moment
from vanta.common.clock import SystemClock
from vanta.common.exitcodes import Exit
from vanta.common.paths import SIMULATION, Home
from vanta.suite.simulation.engine import Plan, simulate
from vanta.suite.simulation.feeds import LATENCY
from vanta.suite.simulation.report import lines, warnings

app = application("Run the very same programs over recorded feeds and prices.")

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_MOST_WARNINGS = 20


def duration(text: str) -> timedelta:
    """The value of `--every`: `1d`, `12h`, `90m`, `45s`."""
    match = re.fullmatch(r"(\d{1,6})([smhdw])", text.strip().lower())
    if match is None or int(match[1]) == 0:
        raise typer.BadParameter(f"{text!r} is not a length of time; write it as 1d, 12h, 90m or 45s")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


def home_id(text: str) -> str:
    """The value of `--home-id`."""
    if not re.fullmatch(r"[a-z2-7]{6}", text):
        raise typer.BadParameter(f"{text!r} is not six characters of a to z and 2 to 7")
    return text


Feeds = Annotated[Path, typer.Option(
    "--feeds", metavar="DIR", help="One folder per feed, named as the feed (sec, news, reddit, crypto), with raw "
    "payload files exactly as the feed serves them.")]
Prices = Annotated[Path, typer.Option(
    "--prices", metavar="DIR", help="SYMBOL.csv files, plain or gzip, with the header "
    "date,open,high,low,close,volume. They have to be adjusted for splits.")]
NewHome = Annotated[Path, typer.Option(
    "--home", metavar="DIR", help="The simulation's own state tree, an empty folder. $VANTA_HOME is not asked: it may "
    "name a home that trades.")]
From = Annotated[datetime, typer.Option(
    "--from", metavar="DATE", parser=moment, help="The first moment: a date or an ISO time.")]
To = Annotated[datetime, typer.Option(
    "--to", metavar="DATE", parser=moment, help="The end, which is not part of it any more.")]
Every = Annotated[timedelta | None, typer.Option(
    "--every", metavar="TIME", parser=duration, show_default=False,
    help="Collect, reflect and promote once in this time, at its first close. Default: 1d.")]
Latency = Annotated[list[str] | None, typer.Option(
    "--latency", metavar="FEED=SECONDS", show_default=False, help="How long after its publication an item is seen. "
    f"Default: {', '.join(f'{feed}={value // timedelta(seconds=1)}' for feed, value in LATENCY.items())}.")]
HomeId = Annotated[str | None, typer.Option(
    "--home-id", metavar="ID", parser=home_id, show_default=False,
    help="Six characters that orders' ids begin with. Default: derived from the names of the inputs.")]


@app.command(epilog=exit_table(Exit.DONE, Exit.FAILED, Exit.USAGE, Exit.CONFIG))
def run(*, feeds: Feeds, prices: Prices, from_: From, to: To, home: NewHome,  # noqa: PLR0913 - options
        every: Every = None, latency: Latency = None, home_id: HomeId = None,
        json: JsonFlag = False) -> int:
    """Simulate from one date until before another, in a home of its own.

    An item is seen at its published time plus the feed's latency, an order fills at the next bar, and nothing is known
    before its time. What is missing in the home is created: one vault of 100,000 USD, all switches off.
    """
    place = Home(home.absolute())
    result = simulate(Plan(
        home=place, feeds=feeds, prices=prices, starts=from_, ends=to, every=every or timedelta(days=1),
        latency={**LATENCY, **dict(map(_latency, latency or []))}, home_id=home_id))
    said = warnings(result)
    if len(said) > _MOST_WARNINGS:
        said = [*said[:_MOST_WARNINGS], f"and {len(said) - _MOST_WARNINGS} more: see {place.file(SIMULATION)}"]
    return emit(Report(
        schema="vanta.simulate/1", at=SystemClock().now(), items=result.model_dump(mode="json"), lines=lines(result),
        warnings=said, next=_next()), as_json=json)


def _latency(text: str) -> tuple[str, timedelta]:
    feed, _, seconds = text.partition("=")
    if feed not in LATENCY or not re.fullmatch(r"\d{1,9}", seconds):
        raise typer.BadParameter(f"--latency {text!r} is not FEED=SECONDS; the feeds are {', '.join(LATENCY)}")
    return feed, timedelta(seconds=int(seconds))


def _next() -> list[Next]:
    return [Next("check every log and document", "vanta verify"),
            Next("decide everything again", "vanta replay")]
