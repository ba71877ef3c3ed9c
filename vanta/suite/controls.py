"""`vanta-run kill`: take the permission to dispatch away, now.

Halting asks nothing, needs no configuration and unlinks the permit before it does anything else; what cannot be
recorded then is only a warning. It returns 0 once no further order can leave: when nobody holds the gate's lock, which
an executor holds from a look that found the permit until its next look, or when no executor runs. Without that within
the time limit it returns 6 and names the orders that were on their way. Killing again asks again.

Where the executor is on another host, see `elsewhere.py`.
"""

from datetime import datetime
from typing import Annotated

import orjson
import typer

from vanta.alpha.core.sights import one_line
from vanta.alpha.wire import Change, ask, last_records, node_here, not_from_markets, record
from vanta.common.cli import HomeOption, JsonFlag, Next, Report, application, emit
from vanta.common.clock import Clock
from vanta.common.errors import OperatorError, VantaError
from vanta.common.events import Kind
from vanta.common.exitcodes import Exit
from vanta.common.host import account
from vanta.common.paths import OPEN_ORDERS, PERMIT, TRADE_LOG, Home
from vanta.common.permit import disarm
from vanta.common.settings import clock_of, home_from
from vanta.common.store import atomic
from vanta.common.store.gatelock import GATE, is_free
from vanta.common.store.lock import holder
from vanta.suite.elsewhere import Halt, kill_from_alpha

_LOOK_EVERY_S = 0.01
_NEAR_BYTES = 8 << 20
"""An order that is on its way is looked for so near to the end of the trade log."""

app = application("Stop all dispatch.")

Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; may be left out in a hurry.")]
By = Annotated[str | None, typer.Option("--by", metavar="NAME", show_default=False,
                                        help="Who decided it. Default: the account that runs this.")]
Timeout = Annotated[float, typer.Option("--timeout", min=0, metavar="SECONDS",
                                        help="How long to wait for an order that is on its way.")]
CancelOpen = Annotated[bool, typer.Option("--cancel-open", help="Also ask for orders at the venue to be cancelled.")]


class NotAllowed(OperatorError):
    """The operating system does not let this account touch the permit."""

    exit_code = Exit.PERMISSION


@app.command()
def kill(home: HomeOption = None, json: JsonFlag = False, reason: Reason = "not stated",  # noqa: PLR0913 - options
         by: By = None, timeout: Timeout = 5.0, cancel_open: CancelOpen = False) -> int:
    """Stop all dispatch, now. Orders that are already at the venue stay there, unless they are to be cancelled."""
    place = home_from(home).existing()
    halted, clock = _disarm(place), clock_of(place)
    if (node := node_here(place)) == "alpha":
        return kill_from_alpha(place, Halt(by=by or account(), reason=reason, cancel=cancel_open, timeout_s=timeout),
                               clock, as_json=json)
    if node == "markets":
        raise not_from_markets()
    quiet = _quiet(place, clock, timeout)
    change = Change(by=by or account(), reason=reason, before="present" if halted else "absent", after="absent")
    warnings = record(place, [change], clock.now())
    cancelled = None
    if cancel_open:
        cancelled, failed = _cancel(place, change, clock.now())
        warnings += failed
    on_the_way = [] if quiet else _on_the_way(place)
    running = holder(place.lock("executor"))
    lines = ["dispatch is stopped: no order leaves" if halted else "dispatch was stopped already",
             f"executor: {_answer(running, quiet=quiet)}", *_working(place),
             *([f"the executor is asked to cancel all of them ({cancelled})"] if cancelled else [])]
    if not quiet:
        said = f"may have left: {', '.join(on_the_way)}" if on_the_way else "its log shows no order on its way"
        warnings.append(f"Error: the permit is gone, but the executor did not answer within {timeout:g} s; {said}\n"
                        "  → Kill again to wait on; look at `vanta-run status` and at the venue.")
    return emit(Report(
        schema="vanta.run.kill/1", at=clock.now(), exit=Exit.DONE if quiet else Exit.OUTCOME_UNKNOWN,
        items={"changed": halted, "acknowledged": quiet, "executor": running, "on_the_way": on_the_way,
               "cancel": cancelled, "warnings": warnings},
        lines=lines, warnings=warnings,
        next=[Next("when it is safe again", "vanta-run release --scope global --reason TEXT")]), as_json=json)


def _disarm(home: Home) -> bool:
    try:
        return disarm(home)
    except OSError as error:
        raise NotAllowed(f"{home.file(PERMIT)} cannot be removed: {atomic.describe(error)}",
                         "Run it as the executor's account, or set full_halt in vault_overlay.json.") from error


def _quiet(home: Home, clock: Clock, timeout: float) -> bool:
    """Whether nobody is between a look that found the permit and the next look; waits for it."""
    ends = clock.monotonic() + timeout
    while not _is_quiet(home):
        if clock.monotonic() >= ends:
            return False
        clock.sleep(_LOOK_EVERY_S)
    return True


def _is_quiet(home: Home) -> bool:
    """A gate that is held may be that of an executor whose lock was deleted; a gate that is missing, that of nobody."""
    free, lock = is_free(home.lock(GATE)), home.lock("executor")
    return bool(free) or (holder(lock) is None and (free is None or lock.exists()))


def _on_the_way(home: Home) -> list[str]:
    """Orders that the running executor has announced in its log without having recorded what became of them."""
    found, answered = [], set()
    for said in last_records(home.file(TRADE_LOG), near=_NEAR_BYTES):
        order_id = said["ids"].get("order_id")
        if said["kind"] == Kind.PROGRAM_STARTED:
            break
        if order_id is not None and said["kind"] == Kind.ORDER_SUBMITTING and order_id not in answered:
            found.append(str(order_id))
        answered.add(order_id)
    return found[::-1]


def _answer(running: str | None, *, quiet: bool) -> str:
    if running is None:
        return "none is running here"
    return "has seen it" if quiet else "has not answered"


def _working(home: Home) -> list[str]:
    """What is at the venue already; a kill does not cancel it."""
    try:
        orders = orjson.loads(atomic.read(home.file(OPEN_ORDERS)))["orders"]
        names = one_line(", ".join(str(order["order_id"]) for order in orders))
    except (VantaError, ValueError, KeyError, TypeError):
        return ["working orders: unknown, open_orders.json cannot be read"]
    return [f"working orders at the venue: {names}"] if names else []


def _cancel(home: Home, change: Change, now: datetime) -> tuple[str | None, list[str]]:
    """Give the command to cancel everything. Returns its id, or why it could not be given."""
    try:
        return ask(home, {"kind": "cancel"}, by=change.by, reason=change.reason, now=now).command_id, []
    except VantaError as error:
        return None, [f"Error: orders at the venue are not asked to be cancelled: {error.what}"]
