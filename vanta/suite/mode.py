"""`vanta-run mode`: show the overlay's switches, or turn one of them on or off, as an editor would.

The file is replaced only if it still holds the bytes that were read: a save of somebody else in between is never lost,
the command ends with 75 and can be repeated. Everything else in the file stays. Turning a switch on asks nothing;
turning one off needs a reason and the switch's name typed once more, and is recorded before it takes effect. A file
that cannot be read halts as it is and is left alone.
"""

from dataclasses import dataclass
from typing import Annotated

import typer

from vanta.alpha.core.operator_json import dumps
from vanta.alpha.wire import Change, Edit, carried_out, node_here, not_from_markets, owners, put
from vanta.common import strictjson
from vanta.common.canonical import sha256
from vanta.common.cli import Confirm, HomeOption, JsonFlag, Next, Report, application, confirmed, emit
from vanta.common.clock import SystemClock
from vanta.common.errors import OperatorError, UsageError
from vanta.common.host import account
from vanta.common.models.overlay import SWITCHES, Overlay, Switch
from vanta.common.paths import OVERLAY, Home, NodeHome, own
from vanta.common.settings import clock_of, home_from
from vanta.common.store.guarded import guarded_read
from vanta.executor.core.controls import MAX_BYTES, read_overlay
from vanta.suite.controls import By, Reason

NOT_STATED = "not stated"

app = application("Show or set the overlay's switches.")

SwitchName = Annotated[str | None, typer.Argument(metavar="[SWITCH]", show_default=False,
                                                  help=f"One of {', '.join(SWITCHES)}. Default: show them all.")]
Off = Annotated[bool, typer.Option("--off", help="Turn it off instead of on.")]


@dataclass(frozen=True, slots=True)
class Seen:
    """The overlay as it was read: its bytes and what they mean."""

    home: Home
    raw: bytes
    overlay: Overlay


@app.command()
def mode(switch: SwitchName = None, *, home: HomeOption = None, json: JsonFlag = False,  # noqa: PLR0913 - options
         off: Off = False, reason: Reason = NOT_STATED, by: By = None, confirm: Confirm = None) -> int:
    """Show the switches of vault_overlay.json, or turn one on or off."""
    place = home_from(home).existing()
    clock = clock_of(place)
    if switch is not None and node_here(own(place)) == "markets":
        raise not_from_markets()
    seen = look(NodeHome(place.root, node_here(place)) if switch is None else place)
    if switch is None:
        said = {name: _words(seen.overlay, name) for name in SWITCHES}
        return emit(Report(schema="vanta.run.mode/1", at=clock.now(), items={"switches": said},
                           lines=[f"{name:<26}{words}" for name, words in said.items()]), as_json=json)
    if switch not in SWITCHES:
        raise UsageError(f"there is no switch {switch!r}", f"Known are {', '.join(SWITCHES)}.")
    name = account() if by is None else by
    if off and (reason.strip() in ("", NOT_STATED) or not name.strip()):
        raise UsageError("turning a switch off needs a reason and a name", "Add --reason TEXT (and --by NAME).")
    if off:
        confirmed(switch, confirm)
    change = Change(what=f"overlay {switch}", by=name, reason=reason, before=_words(seen.overlay, switch, named=False),
                    after="off" if off else "on")

    def turn() -> None:
        swap(seen, {switch: {"enabled": not off, "reason": reason, "by": name}}, urgent=not off)

    warnings = carried_out(place, [change], turn, clock, loosens=off)
    return emit(Report(schema="vanta.run.mode/1", at=clock.now(), warnings=warnings, items={
        "switch": switch, "before": change.before, "after": change.after, "warnings": warnings},
        lines=[f"{switch} is {change.after}"], next=[Next("what holds orders now", "vanta-run status")]), as_json=json)


def look(home: Home) -> Seen:
    """Read the overlay. Raises `OperatorError` if it cannot be read: it halts, and nobody should change it blindly."""
    path = home.file(OVERLAY)
    raw, problem = guarded_read(path, owners=owners(home), max_bytes=MAX_BYTES)
    controls = read_overlay(raw, problem=problem)
    if raw is None or controls.overlay is None:
        raise OperatorError(f"{OVERLAY} cannot be changed: {controls.problem}",
                            "It halts everything as it is. Repair it with an editor; "
                            "`vanta overlay check` says whether it is right.")
    return Seen(home, raw, controls.overlay)


def swap(seen: Seen, changes: dict[str, object], *, urgent: bool = False) -> str:
    """Put changed fields into the file if it still holds the bytes that were seen. Returns the new content's hash.

    Raises `Meanwhile` if it does not.
    """
    value = strictjson.loads_object(seen.raw, file=OVERLAY)
    new = dumps({**value, **changes})
    if read_overlay(new).overlay is None:
        raise OperatorError(f"{OVERLAY} would not be readable afterwards", "Change it with an editor.")
    put(Edit(home=seen.home, name=OVERLAY, before=seen.raw, after=new, urgent=urgent), SystemClock())
    return sha256(new)


def _words(overlay: Overlay, name: str, *, named: bool = True) -> str:
    """`on`, `off`, or `on: reason (by somebody)`; in a record the name stands in a field of its own only."""
    value = getattr(overlay, name)
    if not isinstance(value, Switch):
        return "on" if value else "off"
    if not value.enabled:
        return "off"
    until = f" until {value.until}" if value.until else ""
    who = f" (by {value.by or 'an unnamed person'})" if named else ""
    return f"on{until}: {value.reason or 'reason not stated'}{who}"
