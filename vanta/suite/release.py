"""`vanta-run release`: give the permission to dispatch back, or have one latch cleared that the executor set itself.

Resuming is harder than halting. It needs a reason, a scope that a person has typed (on a terminal it is asked for,
elsewhere `--confirm` repeats it), a readable configuration, and a clean reconciliation: while a broker account does not
agree with the books, or for dispatch as a whole while a latch is set, nothing is released (status 5) and what is in the
way is named. It is recorded before it takes effect; of a latch, the executor's log is the receipt.

Of several hosts dispatch is permitted on the executor's alone; a latch may be released on Alpha's too, by what arrived.
"""

from collections.abc import Iterator
from typing import Annotated

import typer

from vanta.alpha.core.latches import untold
from vanta.alpha.core.peers import LEASE_FIX
from vanta.alpha.core.sights import Facts, since, span
from vanta.alpha.core.summary import ON_ALPHA
from vanta.alpha.wire import Change, ask, gather, record, shown
from vanta.common.cli import Confirm, HomeOption, JsonFlag, Next, Report, application, confirmed, emit
from vanta.common.clock import Clock
from vanta.common.errors import OperatorError, UsageError
from vanta.common.exitcodes import Exit
from vanta.common.host import account
from vanta.common.paths import EXECUTOR_STATE, PERMIT, TRADE_LOG, Home, own
from vanta.common.permit import arm
from vanta.common.settings import clock_from, home_from, load
from vanta.suite.controls import By

GLOBAL = "global"
_IN_SYNC = "in sync"
STALE_S = 30.0
"""What arrived of an executor on another host is too old to decide by after so long."""

app = application("Let orders leave again.")

Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why orders may leave again.")]
ScopeOption = Annotated[str | None, typer.Option("--scope", metavar=GLOBAL, show_default=False,
                                                 help="What is released: `global` permits dispatch as a whole.")]
Latch = Annotated[str | None, typer.Option("--latch", metavar="ID", show_default=False,
                                           help="Instead of dispatch, this latch of the executor is released.")]


class Premature(OperatorError):
    """Something is not in order yet; what was asked for has not happened."""

    exit_code = Exit.REFUSED


@app.command()
def release(*, reason: Reason, home: HomeOption = None, json: JsonFlag = False, by: By = None,  # noqa: PLR0913 - options
            scope: ScopeOption = None, latch: Latch = None, confirm: Confirm = None) -> int:
    """Let orders leave again, or ask the executor to clear one latch. Other halts still hold what they hold."""
    place = own(home_from(home).existing())
    settings = load(place)
    clock, name = clock_from(settings), account() if by is None else by
    if not reason.strip() or not name.strip():
        raise UsageError("a release needs a reason and a name", "Add --reason TEXT (and --by NAME).")
    wanted = _typed(scope, latch, confirm)
    facts = gather(place, settings, clock.now())
    doubts = [*_elsewhere(facts, latch), *_doubts(shown(place, settings), facts, latch)]
    if doubts:
        raise Premature(f"{wanted} is not released: {'; '.join(doubts)}",
                        "See `vanta-run status`; a latch is released by its name, with --latch ID.")
    if latch is None:
        change = Change(by=name, reason=reason, before="absent", after="present")
        return _dispatch(place, clock, change, list(_still(facts)), as_json=json)
    command = ask(place, {"kind": "release", "latch_id": wanted}, by=name, reason=reason, now=clock.now())
    return emit(Report(schema="vanta.run.release/1", at=clock.now(),
                       items={"command": command.command_id, "latch": latch, "by": name},
                       lines=[f"the executor is asked to clear {latch} ({command.command_id})"],
                       warnings=list(_still(facts)), next=[Next("whether it did", "vanta-run status")]), as_json=json)


def _typed(scope: str | None, latch: str | None, confirm: str | None) -> str:
    """What is to be released, named twice. Raises `UsageError`."""
    if (scope is None) == (latch is None):
        raise UsageError("say what is to be released", f"Add --scope {GLOBAL}, or --latch ID for a latch.")
    wanted = latch or scope or ""
    if latch is None and wanted != GLOBAL:
        raise UsageError(f"there is no scope {wanted!r}", f"Write --scope {GLOBAL}, or --latch ID for a latch.")
    confirmed(wanted, confirm)
    return wanted


def _elsewhere(facts: Facts, latch: str | None) -> Iterator[str]:
    """Why nothing can be released from this host of several, or not by what is known here."""
    if facts.node in ("", "executor"):
        return
    if latch is None:
        holds = [facts.unreadable] if facts.unreadable else facts.stops
        yield ("dispatch is permitted on the executor's host alone" if not holds or facts.node != "alpha" else
               "dispatch is permitted on the executor's host alone, and Alpha's overlay holds it besides "
               f"({'; '.join(holds)}): here `vanta overlay clear SWITCH --reason TEXT`, then there")
    elif facts.node == "markets":
        yield "a latch is released on Alpha's host or the executor's"
    else:
        beat = facts.executor.time("heartbeat_at")
        age = None if beat is None else since(beat, facts.now)
        if age is None or abs(age) > STALE_S:
            known = "nothing can be seen" if age is None else f"what can be seen is {span(age)} old" if age > 0 else (
                f"what can be seen lies {span(age)} ahead, so that a clock is wrong,")
            yield f"{known} here of the executor: look at the link, or release it on the executor's host"


def _still(facts: Facts) -> Iterator[str]:
    """What of Alpha holds dispatch all the same, and what to do about it there."""
    seen = facts.far
    if seen is None:
        return
    if seen.unreadable:
        yield f"still halted: {seen.unreadable}\n  → On Alpha: `vanta overlay show`"
    elif seen.stops:
        yield f"still halted on Alpha: {'; '.join(seen.stops)}\n  → {ON_ALPHA}"
    if seen.lease:
        yield f"still held: {seen.lease}\n  → {LEASE_FIX}"


def _doubts(home: Home, facts: Facts, latch: str | None) -> Iterator[str]:
    """Why a release would be premature: what the executor last said, and what its log says since."""
    state, latches = facts.executor, {one.latch_id: one.detail for one in facts.latches}
    if untold(state):
        yield untold(state)
    elif state.value is not None:
        accounts = state.table("broker_sync")
        yield from (f"account {name} is not reconciled: {said}" for name, said in sorted(accounts.items())
                    if said != _IN_SYNC)
        if not accounts:
            yield f"{EXECUTOR_STATE} says of no account that it is reconciled"
    elif home.file(TRADE_LOG).exists():
        yield f"{EXECUTOR_STATE} is missing though the executor has run"
    if latch is None:
        yield from (f"latch {name} is set: {detail}" for name, detail in latches.items())
    elif latch not in latches:
        yield f"there is no such latch; set are {', '.join(latches) or 'none'}"


def _dispatch(home: Home, clock: Clock, change: Change, still: list[str], *, as_json: bool) -> int:
    changed = not home.file(PERMIT).exists()
    if changed:
        warnings = record(home, [change], clock.now())
        if warnings:
            raise OperatorError(f"not released: {warnings[0]}", "A release has to be recorded. Repair that first.")
        arm(home, by=change.by, reason=change.reason, now=clock.now())
    said = f"dispatch is permitted by {change.by}: {change.reason}" if changed else "dispatch was permitted already"
    return emit(Report(schema="vanta.run.release/1", at=clock.now(), warnings=still, lines=[said],
                       items={"changed": changed, "by": change.by, "still": still},
                       next=[Next("what still holds orders, if anything", "vanta-run status")]), as_json=as_json)
