"""`vanta-run kill` and `vanta-run release`: take the permission to dispatch away, and give it back.

Halting asks nothing, reads no configuration and unlinks the permit before it does anything else; what cannot be
recorded then is only a warning. It returns 0 once no further order can leave: at once where no executor runs, else when
the executor's own log shows that it saw the permit gone. Without that answer within the time limit it returns 6.
Releasing needs a reason and a readable configuration, and is recorded before it takes effect. A latch is another
halt, which the executor put on itself: it is released by its name, and the executor's log is the receipt.
"""

import os
import pwd
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import orjson
import typer

from vanta import __version__
from vanta.alpha.wire import ask_release
from vanta.common.cli import HomeOption, JsonFlag, Next, Report, emit
from vanta.common.clock import Clock, SystemClock
from vanta.common.errors import OperatorError, UsageError, VantaError
from vanta.common.events import Kind
from vanta.common.exitcodes import Exit
from vanta.common.models.base import SCHEMA_VERSION
from vanta.common.paths import CONTROL_LOG, OPEN_ORDERS, PERMIT, TRADE_LOG, Home
from vanta.common.permit import arm, disarm
from vanta.common.settings import clock_from, home_from, load
from vanta.common.store import atomic
from vanta.common.store.chain import repaired
from vanta.common.store.lock import FileLock, holder
from vanta.common.times import iso
from vanta.suite.wire import control_log

_LOOK_EVERY_S = 0.02

KillReason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; may be left out in a hurry.")]
ReleaseReason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why orders may leave again.")]
By = Annotated[str | None, typer.Option("--by", metavar="NAME", show_default=False,
                                        help="Who decided it. Default: the account that runs this.")]
Latch = Annotated[str | None, typer.Option("--latch", metavar="ID", show_default=False,
                                           help="Clear this latch instead of permitting dispatch.")]
Timeout = Annotated[float, typer.Option("--timeout", min=0, metavar="SECONDS",
                                        help="How long to wait for the executor's answer.")]


class NotAllowed(OperatorError):
    """The operating system does not let this account touch the permit."""

    exit_code = Exit.PERMISSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of the permit: who, why, and what it was before and is after."""

    by: str
    reason: str
    before: str
    after: str


def kill(home: HomeOption = None, json: JsonFlag = False, reason: KillReason = "not stated",
         by: By = None, timeout: Timeout = 5.0) -> int:
    """Stop all dispatch, now. Orders that are already at the venue stay there."""
    place, clock = home_from(home).existing(), SystemClock()
    running, start = holder(place.lock("executor")), _size(place)
    halted = _disarm(place)
    acknowledged = not (running and halted) or _acknowledged(place, start, clock, timeout)
    warnings = _record(place, Change(by=by or account(), reason=reason, before="present" if halted else "absent",
                                     after="absent"), clock.now())
    lines = ["dispatch is stopped: no order leaves" if halted else "dispatch was stopped already",
             f"executor: {_answer(running, seen=acknowledged)}", *_working(place)]
    if not acknowledged:
        warnings.append(f"Error: the permit is gone, but the executor did not answer within {timeout:g} s; an order "
                        "that was past its last check may be live\n  → Look at `vanta-run status` and at the venue.")
    return emit(Report(
        schema="vanta.run.kill/1", at=clock.now(), exit=Exit.DONE if acknowledged else Exit.OUTCOME_UNKNOWN,
        items={"changed": halted, "acknowledged": acknowledged, "executor": running, "warnings": warnings},
        lines=lines, warnings=warnings, next=[Next("when it is safe again", "vanta-run release --reason TEXT")],
    ), as_json=json)


def release(reason: ReleaseReason, home: HomeOption = None, json: JsonFlag = False, by: By = None,
            latch: Latch = None) -> int:
    """Let orders leave again, or ask the executor to clear one latch. Other halts still hold what they hold."""
    place = home_from(home).existing()
    clock, name = clock_from(load(place)), account() if by is None else by
    if latch is not None:
        command = ask_release(place, latch, by=name, reason=reason, now=clock.now())
        return emit(Report(schema="vanta.run.release/1", at=clock.now(),
                           items={"command": command.command_id, "latch": latch, "by": name},
                           lines=[f"the executor is asked to clear {latch} ({command.command_id})"],
                           next=[Next("whether it did", "vanta-run status")]), as_json=json)
    if not reason.strip() or not name.strip():
        raise UsageError("releasing dispatch needs a reason and a name", "Add --reason TEXT (and --by NAME).")
    changed = not place.file(PERMIT).exists()
    if changed:
        change = Change(by=name, reason=reason, before="absent", after="present")
        warnings = _record(place, change, clock.now())
        if warnings:
            raise OperatorError(f"not released: {warnings[0]}", "A release has to be recorded. Repair that first.")
        arm(place, by=name, reason=reason, now=clock.now())
    said = f"dispatch is permitted by {name}: {reason}" if changed else "dispatch was permitted already"
    return emit(Report(schema="vanta.run.release/1", at=clock.now(), items={"changed": changed, "by": name},
                       lines=[said], next=[Next("what still holds orders, if anything", "vanta-run status")]),
                as_json=json)


def account() -> str:
    """The name of the account that runs this, or its number where it has no name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def _disarm(home: Home) -> bool:
    try:
        return disarm(home)
    except OSError as error:
        raise NotAllowed(f"{home.file(PERMIT)} cannot be removed: {atomic.describe(error)}",
                         "Run it as the executor's account, or set full_halt in vault_overlay.json.") from error


def _size(home: Home) -> int:
    try:
        return home.file(TRADE_LOG).stat().st_size
    except OSError:
        return 0


def _acknowledged(home: Home, start: int, clock: Clock, timeout: float) -> bool:
    """Whether the executor's log says, after byte `start`, that it saw the permit gone; waits for it."""
    ends = clock.monotonic() + timeout
    while True:
        if any(record.get("kind") == Kind.CONTROL_SEEN and record["payload"].get("what") == "permit"
               and record["payload"].get("sha256") == "absent" for record in _records(home, start)):
            return True
        if clock.monotonic() >= ends or holder(home.lock("executor")) is None:
            return holder(home.lock("executor")) is None
        clock.sleep(_LOOK_EVERY_S)


def _records(home: Home, start: int) -> Iterator[dict[str, Any]]:
    """Complete lines of the trade log from byte `start` on; the chain is not checked here."""
    try:
        lines = atomic.read(home.file(TRADE_LOG), start=start).split(b"\n")[:-1]
    except VantaError:
        return
    for line in lines:
        try:
            yield orjson.loads(line)
        except ValueError:
            continue


def _answer(running: str | None, *, seen: bool) -> str:
    if running is None:
        return "none is running here"
    return "has seen it" if seen else "has not answered"


def _working(home: Home) -> list[str]:
    """What is at the venue already; a kill does not cancel it."""
    try:
        orders = orjson.loads(atomic.read(home.file(OPEN_ORDERS)))["orders"]
        names = ", ".join(str(order["order_id"]) for order in orders)
    except (VantaError, ValueError, KeyError, TypeError):
        return ["working orders: unknown, open_orders.json cannot be read"]
    return [f"working orders at the venue: {names}"] if names else []


def _record(home: Home, change: Change, now: datetime) -> list[str]:
    """Put the change into control_log.jsonl, durably. Returns why that failed, if it did."""
    payload = {"what": "permit", "before": change.before, "after": change.after, "by": change.by,
               "reason": change.reason, "account": account(), "uid": os.getuid()}
    try:
        with FileLock(home.lock("controls"), owner="vanta-run", now=now):
            journal = control_log(home)
            if journal.head().seq == 0:
                journal.append(Kind.JOURNAL_OPENED, {"journal": CONTROL_LOG, "program": f"vanta-run {__version__}",
                                                     "schema": SCHEMA_VERSION}, at=iso(now))
            for piece in journal.set_aside:
                journal.append(Kind.TAIL_REPAIRED, repaired(piece), at=iso(now))
            journal.append(Kind.CONTROL_CHANGED, payload, at=iso(now))
            journal.close()
    except VantaError as error:
        return [f"the change could not be recorded: {error.what}"]
    return []
