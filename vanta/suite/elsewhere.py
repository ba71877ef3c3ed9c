"""Halting and asking where the executor is on another host: what is done here, and what has been heard of it.

On Alpha a kill turns a switch of its overlay on: the executor asks that overlay before every order, and is on record
with the version that it saw. On Markets nothing that could stop an order is written, and nobody there may believe so.
"""

from dataclasses import dataclass

from vanta.alpha.core.sights import one_line
from vanta.alpha.wire import NotHere, last_records, switched_on, whole
from vanta.common.canonical import sha256
from vanta.common.cli import Next, Report, emit
from vanta.common.clock import Clock
from vanta.common.errors import OperatorError, StateError
from vanta.common.events import Kind
from vanta.common.exitcodes import Exit
from vanta.common.paths import OPEN_ORDERS, OVERLAY, TRADE_LOG, Home
from vanta.common.store.atomic import read
from vanta.executor.core.inputs import FAR

ORDERS, ALL = "orders_disabled", "full_halt"
_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """Who halts and why; with `cancel` what works at venues is to be cancelled too."""

    by: str
    reason: str
    cancel: bool
    timeout_s: float


def kill_from_alpha(home: Home, halt: Halt, clock: Clock, *, as_json: bool) -> int:
    """Halt by Alpha's overlay, and wait for the executor's word that it has seen it."""
    switch = ALL if halt.cancel else ORDERS
    try:
        done = switched_on(home, switch, clock, by=halt.by, reason=halt.reason)
    except (OperatorError, StateError) as error:
        raise NotHere(f"Alpha's overlay is left as it is: {error.what}", "On the executor: vanta-run kill. Here "
                      "`systemctl stop vanta-alpha-lease` halts too, and needs no space.") from error
    record = _seen(home, clock, halt.timeout_s)
    warnings = list(done.warnings)
    said = f"{switch} is on {'in' if done.changed else 'already in'} Alpha's overlay"
    if record is None:
        heard = whole(home.replica("executor").root / "status.json").text("heard_at") or "no time at all"
        warnings.append(f"Error: Alpha's overlay halts, but the executor has not said within {halt.timeout_s:g} s that "
                        f"it has seen it; it was heard last at {heard}\n  → On the executor's host: vanta-run kill. "
                        "Without Alpha's word it halts by itself after transport.lease_s.")
        lines = [said, "executor: has not answered"]
    else:
        lines = [f"{said}: no order leaves", f"executor: has seen it (record {record:,} of its log)"]
    lines = [*lines, *([f"what could not be read is kept as {done.kept}"] if done.kept else []), *_working(home, halt)]
    return emit(Report(
        schema="vanta.run.kill/1", at=clock.now(), exit=Exit.OUTCOME_UNKNOWN if record is None else Exit.DONE,
        items={"node": "alpha", "switch": switch, "changed": done.changed, "acknowledged": record is not None,
               "record": record, "warnings": warnings}, lines=lines, warnings=warnings,
        next=[Next("when it is safe again", f"vanta overlay clear {switch} --reason TEXT")]), as_json=as_json)


def _seen(home: Home, clock: Clock, timeout_s: float) -> int | None:
    """The executor's record of exactly these bytes of Alpha's overlay as the last that it saw; waits for it."""
    try:
        meant = sha256(read(home.file(OVERLAY)))
    except StateError:
        return None
    ends = clock.monotonic() + timeout_s
    while True:
        for one in last_records(home.replica("executor").file(TRADE_LOG)):
            if one["kind"] == Kind.CONTROL_SEEN and one["payload"].get("what") == FAR:
                if one["payload"].get("sha256") == meant:
                    return int(one["seq"])
                break
        if clock.monotonic() >= ends:
            return None
        clock.sleep(_LOOK_EVERY_S)


def _working(home: Home, halt: Halt) -> list[str]:
    """What was at the venue by what arrived of the executor."""
    orders = whole(home.replica("executor").file(OPEN_ORDERS))
    names = one_line(", ".join(str(one.get("order_id")) for one in orders.rows("orders")))
    if orders.value is None:
        return ["working orders: unknown, nothing of them has arrived"]
    return [f"working orders at the venue{', to be cancelled' if halt.cancel else ''}: {names}"] if names else []
