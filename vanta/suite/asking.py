"""`vanta-run flatten | cancel | override | acknowledge`: what a person asks the executor to do.

Each writes one command that the executor carries out once and receipts in its log; nothing here touches its files.
Reducing risk (`flatten`, `cancel`) asks nothing: a reason may be left out, one word is enough, and a configuration that
cannot be read is only a warning; settings are needed for nothing but the shifted clock of a demonstration. Raising a
limit for a while (`override`) needs a reason, an end, at most a day away, and a configuration that is right.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from vanta.alpha.wire import ask, node_here
from vanta.common.cli import HomeOption, JsonFlag, Next, Report, application, emit
from vanta.common.clock import Clock, SystemClock
from vanta.common.errors import LockHeld, OperatorError, StateError, UsageError
from vanta.common.host import account
from vanta.common.models.command import OperatorCommand
from vanta.common.paths import Home
from vanta.common.settings import clock_from, home_from, load
from vanta.common.store.lock import holder
from vanta.common.times import iso
from vanta.suite.controls import By

Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; may be left out in a hurry.")]
Why = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")]
VaultOption = Annotated[str | None, typer.Option("--vault", metavar="ID", show_default=False,
                                                 help="Only this vault. Default: all of them.")]
OrderOption = Annotated[str | None, typer.Option("--order", metavar="ID", show_default=False,
                                                 help="Only this order. Default: every working one.")]
Whose = Annotated[str, typer.Option("--vault", metavar="ID", help="Whose limit.")]
Limit = Annotated[str, typer.Option("--limit", metavar="NAME", help="A field of `risk` in vault.json.")]
Value = Annotated[str, typer.Option("--value", metavar="NUMBER", help="What it is meanwhile.")]
Hours = Annotated[float, typer.Option("--hours", min=0.01, max=24, help="For how long; then it reverts by itself.")]


_URGENT = frozenset({"flatten", "cancel"})

app = application("Ask the executor for something.")


class NotAsked(StateError):
    """The command could not be put where the executor reads it."""


@app.command()
def flatten(home: HomeOption = None, json: JsonFlag = False, reason: Reason = "not stated", by: By = None,
            vault: VaultOption = None) -> int:
    """Leave every position and let no entry through, of one vault or of all. The latch stays until it is released."""
    scope = vault or "every vault"
    return _asked(home, json, by, reason, f"the executor is asked to leave every position of {scope}",
                  kind="flatten", vault=vault)


@app.command()
def cancel(home: HomeOption = None, json: JsonFlag = False, reason: Reason = "not stated", by: By = None,
           order: OrderOption = None) -> int:
    """Have working orders cancelled at their venues."""
    return _asked(home, json, by, reason, f"the executor is asked to cancel {order or 'every working order'}",
                  kind="cancel", order_id=order)


@app.command()
def acknowledge(reason: Why, home: HomeOption = None, json: JsonFlag = False, by: By = None) -> int:
    """Answer for a switch that an editor loosened without stating a reason."""
    _insist(reason)
    return _asked(home, json, by, reason, "the warning is answered for", kind="acknowledge")


@app.command()
def override(*, reason: Why, vault: Whose, limit: Limit, value: Value, hours: Hours = 1.0,  # noqa: PLR0913 - options
             home: HomeOption = None, json: JsonFlag = False, by: By = None) -> int:
    """Give one risk limit of a vault another value for a while."""
    _insist(reason)
    return _asked(home, json, by, reason, f"{limit} of {vault} is asked to be {value} for {hours:g} h",
                  kind="override", vault=vault, limit=limit, value=value, hours=hours)


def _insist(reason: str) -> None:
    if not reason.strip():
        raise UsageError("this needs a reason", "Add --reason TEXT.")


def _asked(home: Path | None, as_json: bool, by: str | None, reason: str, said: str,  # noqa: FBT001 - options
           **names: str | float | None) -> int:
    place = home_from(home).existing()
    if (node := node_here(place)) == "markets":
        raise NotAsked("nothing is asked of the executor: nobody reads what is asked on the node markets",
                       "Run it on the executor's host, or on Alpha's.")
    clock, warnings = _clock(place, urgent=names["kind"] in _URGENT)
    hours = names.pop("hours", None)
    if isinstance(hours, float):
        names["until"] = iso(clock.now() + timedelta(hours=hours))
    given = {name: value for name, value in names.items() if value is not None}
    command = _given(place, given, by=by or account(), reason=reason, now=clock.now())
    if node == "alpha":
        warnings.append(f"the executor is on another host: if the command arrives there before {command.expires_at}, "
                        "it carries it out")
    elif holder(place.lock("executor")) is None:
        warnings.append(f"no executor runs here: one that starts before {command.expires_at} carries it out")
    return emit(Report(
        schema=f"vanta.run.{command.kind}/1", at=clock.now(), warnings=warnings,
        items={**command.model_dump(mode="json", exclude_none=True), "warnings": warnings},
        lines=[f"{said} ({command.command_id})"], next=[Next("whether it did", "vanta-run status")]), as_json=as_json)


def _clock(place: Home, *, urgent: bool) -> tuple[Clock, list[str]]:
    """The clock that the command is dated by. What reduces risk is dated by the host's where settings are wrong."""
    try:
        return clock_from(load(place)), []
    except OperatorError as error:
        if not urgent:
            raise
        return SystemClock(), [f"the settings are wrong, which does not matter for this: {error.what}"]


def _given(place: Home, asked: Mapping[str, Any], *, by: str, reason: str, now: datetime) -> OperatorCommand:
    try:
        return ask(place, asked, by=by, reason=reason, now=now)
    except LockHeld:
        raise
    except StateError as error:
        raise NotAsked(f"nothing is asked of the executor, the command cannot be written: {error.what}",
                       "Make it writable (a full disk: make space). `vanta-run kill` stops orders all the same; orders "
                       "and positions that are left then have to be ended at the venue.") from error
