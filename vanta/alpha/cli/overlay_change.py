"""`vanta overlay set | clear | flip`: turn a switch of the overlay on or off, or tilt a vault for a while.

Turning a switch on asks nothing, needs no reason, and works on a file that nobody can read: that one is kept beside,
and one that permits nothing takes its place. What loosens (a switch off, an end that comes sooner, a flip) needs a
reason and is recorded before it takes effect; a switch goes off only after it was named twice. Everything else in the
file stays. If somebody else saves it meanwhile, what tightens is done again on what they saved, everything else is
refused (75): nothing is ever merged.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar

import typer

from vanta.alpha.core.operator_json import dumps
from vanta.alpha.core.switching import (
    ENDING,
    Place,
    Wish,
    flip_left_ms,
    flip_words,
    looser,
    needless,
    place_of,
    safe,
    turned,
    value_of,
    without,
    words,
)
from vanta.alpha.editing import Edit
from vanta.alpha.halting import Done, again, insist_on_readable, look, set_safely, store
from vanta.alpha.operators import known
from vanta.alpha.placed import here, switchable
from vanta.alpha.wire import Change, carried_out, tightening
from vanta.common import strictjson
from vanta.common.canonical import content_hash
from vanta.common.cli import (
    Confirm,
    HomeOption,
    JsonFlag,
    Next,
    Report,
    application,
    confirmed,
    emit,
    exit_table,
    moment,
)
from vanta.common.clock import Clock
from vanta.common.errors import OperatorError, UsageError
from vanta.common.exitcodes import Exit
from vanta.common.host import account
from vanta.common.models.base import validate
from vanta.common.models.overlay import SWITCHES, Flip, Overlay
from vanta.common.models.vault import VaultRegistry, persona_name
from vanta.common.paths import OVERLAY, VAULTS, Home
from vanta.common.settings import clock_of, home_from
from vanta.common.store.atomic import read
from vanta.common.store.document import parse
from vanta.common.times import iso
from vanta.executor.core.controls import read_overlay

NOT_STATED = "not stated"
_TRIES = 50
_UNITS = {"s": 1, "min": 60, "m": 60, "h": 3_600, "d": 86_400}
_EXITS = exit_table(Exit.DONE, Exit.USAGE, Exit.TEMPORARY, Exit.CONFIG)
T = TypeVar("T")

app = application("Turn switches of the overlay on and off.")

SwitchArgument = Annotated[str, typer.Argument(metavar="SWITCH", help=f"One of {', '.join(SWITCHES)}.")]
ScopeOption = Annotated[str | None, typer.Option(
    "--scope", metavar="KIND:NAME", show_default=False,
    help="Only this part, as in vault:V_CORE, broker:paper, instrument:equity:AAPL. Default: everything.")]
Why = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; needed for whatever loosens.")]
By = Annotated[str | None, typer.Option("--by", metavar="NAME", show_default=False,
                                        help="Who decided it. Default: the account that runs this.")]
Until = Annotated[str | None, typer.Option(
    "--until", metavar="TIME", show_default=False,
    help=f"When it ends by itself, as in 90min, 2h or an ISO time: {' and '.join(ENDING)} may.")]


def readable(home: Home) -> tuple[bytes, Overlay]:
    """The overlay's bytes and meaning. Raises `OperatorError` if it cannot be read: nobody loosens blindly."""
    seen = look(home)
    if seen.raw is None or seen.controls.overlay is None:
        raise OperatorError(f"{OVERLAY} cannot be changed: {seen.controls.problem}",
                            "It halts everything as it is. Repair it with an editor; `vanta overlay set full_halt` "
                            "puts one in its place that halts and can be read.")
    return seen.raw, seen.controls.overlay


@app.command(name="set", epilog=_EXITS)
def set_(switch: SwitchArgument, *, scope: ScopeOption = None, until: Until = None,  # noqa: PLR0913 - options
         reason: Why = NOT_STATED, by: By = None, confirm: Confirm = None, home: HomeOption = None,
         json: JsonFlag = False) -> int:
    """Turn a switch on. Asks nothing, and works on a file that cannot be read."""
    place = switchable(home_from(home).existing())
    clock = clock_of(place)
    wish = Wish(switch=_known_switch(switch), place=_place(scope), on=True, reason=reason, by=by or account(),
                until=_until(until, switch, clock.now()))
    done = again(lambda: _set(place, wish, confirm, clock))
    return _said("vanta.overlay.set/1", wish, done, clock, as_json=json)


@app.command(epilog=_EXITS)
def clear(switch: SwitchArgument, *, scope: ScopeOption = None, reason: Why = NOT_STATED,  # noqa: PLR0913 - options
          by: By = None, confirm: Confirm = None, home: HomeOption = None, json: JsonFlag = False) -> int:
    """Turn a switch off. Needs a reason, and the switch's name once more."""
    place = switchable(home_from(home).existing())
    clock = clock_of(place)
    wish = Wish(switch=_known_switch(switch), place=_place(scope), on=False, reason=reason,
                by=account() if by is None else by)
    return _said("vanta.overlay.clear/1", wish, _clear(place, wish, confirm, clock), clock, as_json=json)


def _set(home: Home, wish: Wish, confirm: str | None, clock: Clock) -> Done:
    seen, now = look(home), clock.now()
    overlay = seen.controls.overlay
    if overlay is None or seen.raw is None:
        _checked(home, dumps(safe(seen.raw, wish)), wish.place)
        return set_safely(seen, wish, clock, tightening(clock))
    value = value_of(overlay, wish.switch, wish.place)
    before = words(value, wish.switch, now)
    if needless(value, wish, now, stated=_stated(wish.reason)):
        return Done(before=before, after=before, changed=False)
    new = dumps(turned(strictjson.loads_object(seen.raw, file=OVERLAY), wish))
    after = _checked(home, new, wish.place)
    loosens = bool(looser(overlay, after, now))
    if loosens:
        _insist(wish, "an end that comes sooner")
        confirmed(wish.switch, confirm)
    before = words(value, wish.switch, now, named=False)
    edit = Edit(home=home, name=OVERLAY, before=seen.raw, after=new, urgent=not loosens)
    return Done(before=before, after=wish.becomes, warnings=_carried(edit, wish, before, clock, loosens=loosens))


def _clear(home: Home, wish: Wish, confirm: str | None, clock: Clock) -> Done:
    raw, overlay = readable(home)
    now = clock.now()
    value = value_of(overlay, wish.switch, wish.place)
    before, fields = words(value, wish.switch, now), strictjson.loads_object(raw, file=OVERLAY)
    named_nothing = wish.place is not None and wish.place in _unknown(home, raw)
    if needless(value, wish, now, stated=False) and not named_nothing:
        return Done(before=before, after=before, changed=False)
    _insist(wish, "turning a switch off")
    confirmed(wish.switch, confirm)
    before = words(value, wish.switch, now, named=False)
    if wish.place is not None and named_nothing:
        new, after = dumps(without(fields, wish.place)), "off: its scope named nothing and is gone"
    else:
        new, after = dumps(turned(fields, wish)), "off"
    _checked(home, new, None)
    edit = Edit(home=home, name=OVERLAY, before=raw, after=new)
    return Done(before=before, after=after, warnings=_carried(edit, wish, before, clock, loosens=True))


def _carried(edit: Edit, wish: Wish, before: str, clock: Clock, *, loosens: bool) -> tuple[str, ...]:
    change = Change(what=wish.control, by=wish.by, reason=wish.reason, before=before, after=wish.becomes)
    return tuple(carried_out(edit.home, [change], lambda: store(edit, clock), clock, loosens=loosens))


def _checked(home: Home, new: bytes, place: Place | None) -> Overlay:
    """What the executor would make of the new bytes. Raises if it could not read them, or a scope names nothing."""
    overlay = insist_on_readable(new)
    if place is not None and place in _unknown(home, new):
        raise UsageError(f"there is no {place.kind} {place.name!r} here; nothing is changed",
                         "Without --scope the switch is for everything. `vanta vault list` names the vaults.")
    return overlay


def _unknown(home: Home, raw: bytes) -> list[Place]:
    """Scopes of an overlay that name nothing that this home knows."""
    controls = read_overlay(raw)
    names = known(here(home), controls)
    scopes = controls.overlay.scopes if controls.overlay else {}
    return [Place(kind, name) for kind, table in scopes.items() for name in table if name not in getattr(names, kind)]


def _said(schema: str, wish: Wish, done: Done, clock: Clock, *, as_json: bool) -> int:
    kept = None if done.kept is None else str(done.kept)
    lines = [f"{wish.where} is {done.after}" if done.changed else f"{wish.where} was so already: {done.after}",
             *([f"what could not be read is kept as {kept}"] if kept else [])]
    return emit(Report(schema=schema, at=clock.now(), warnings=done.warnings, lines=lines, items={
        "switch": wish.switch, "scope": None if wish.place is None else ":".join(wish.place), "changed": done.changed,
        "before": done.before, "after": done.after, "by": wish.by, "kept": kept, "warnings": list(done.warnings)},
        next=[Next("what holds orders now", "vanta-run status")]), as_json=as_json)


def _stated(reason: str) -> bool:
    return reason.strip() not in ("", NOT_STATED)


def _insist(wish: Wish, what: str) -> None:
    if not _stated(wish.reason) or not wish.by.strip():
        raise UsageError(f"{what} needs a reason and a name", "Add --reason TEXT (and --by NAME).")


def _known_switch(name: str) -> str:
    if name not in SWITCHES:
        raise UsageError(f"there is no switch {name!r}", f"Known are {', '.join(SWITCHES)}.")
    return name


def _place(scope: str | None) -> Place | None:
    try:
        return place_of(scope)
    except ValueError as error:
        raise UsageError(str(error), "As in --scope vault:V_CORE.") from error


def _until(text: str | None, switch: str, now: datetime) -> str | None:
    if text is None:
        return None
    if switch not in ENDING:
        raise UsageError(f"{switch} does not end by itself", f"Only {' and '.join(ENDING)} take --until.")
    number = text.rstrip("smindh")
    unit = text[len(number):]
    try:
        ends = now + timedelta(seconds=float(number) * _UNITS[unit]) if unit else moment(text)
    except (KeyError, ValueError, OverflowError, typer.BadParameter) as error:
        raise UsageError(f"{text[:40]!r} is no time to end at", "Write it as 90min, 2h or 2026-01-02T03:04:05Z.") \
            from error
    if ends <= now:
        raise UsageError(f"{text} is over already", "Write a time that is still to come.")
    return iso(ends)


VaultOption = Annotated[str | None, typer.Option("--vault", metavar="ID", show_default=False, help="Which vault.")]
PersonaOption = Annotated[str | None, typer.Option("--persona", metavar="NAME", show_default=False,
                                                   help="Towards whom; the vault has to employ it.")]
Ttl = Annotated[int, typer.Option("--ttl", metavar="MINUTES", min=1, max=240, help="For how long.")]
Slice = Annotated[str | None, typer.Option("--slice", metavar="SHARE", show_default=False,
                                           help="Share of the vault's NAV, up to 0.25.")]
Amplify = Annotated[str | None, typer.Option("--amplify", metavar="SHARE", show_default=False,
                                             help="How much the persona's weights are raised, 0 to 1.")]
End = Annotated[bool, typer.Option("--end", help="End the flip that is there; asks nothing.")]


@app.command(epilog=_EXITS)
def flip(*, vault: VaultOption = None, persona: PersonaOption = None, ttl: Ttl = 45,  # noqa: PLR0913 - options
         slice_: Slice = None, amplify: Amplify = None, end: End = False, reason: Why = NOT_STATED, by: By = None,
         home: HomeOption = None, json: JsonFlag = False) -> int:
    """Tilt one vault towards one persona for at most four hours, or end that."""
    place = switchable(home_from(home).existing())
    clock, name = clock_of(place), account() if by is None else by
    if end:
        before, after, warnings = again(lambda: _flip(place, None, (name, reason), clock))
    else:
        if not _stated(reason) or not name.strip():
            raise UsageError("a flip needs a reason and a name", "Add --reason TEXT (and --by NAME).")
        made = _made(place, {"vault": vault, "persona": persona, "ttl_min": ttl, "slice": slice_, "amplify": amplify},
                     clock.now())
        before, after, warnings = _flip(place, made, (name, reason), clock)
    return emit(Report(
        schema="vanta.overlay.flip/1", at=clock.now(), warnings=warnings, lines=[f"flip: {after}"],
        items={"before": before, "after": after, "by": name, "warnings": warnings},
        next=[Next("what it does", "vanta overlay show")]), as_json=json)


def _made(home: Home, given: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The flip's fields for the file. Raises `UsageError` for what the model or the vault does not take."""
    missing = [f"--{name}" for name, value in given.items() if value is None]
    if missing:
        raise UsageError(f"a flip needs {', '.join(missing)}", "See `vanta overlay flip --help`.")
    fields = {name: strictjson.loads(value.encode(), file=f"--{name}") if name in ("slice", "amplify") else value
              for name, value in given.items()} | {"started_at": iso(now)}
    fields = {"flip_id": f"flip_{content_hash(fields)[:12]}", **fields}
    checked = validate(Flip, fields, file="flip")
    registry = parse(read(here(home).file(VAULTS)), VaultRegistry, file=VAULTS)
    found = registry.get(checked.vault)
    if found is None:
        raise UsageError(f"there is no vault {checked.vault!r}", "`vanta vault list` names them.")
    if persona_name(checked.persona) not in found.persona_names():
        raise UsageError(f"{checked.vault} does not employ {checked.persona}: the flip would do nothing",
                         f"It employs {', '.join(found.personas)}.")
    return fields


def _flip(home: Home, made: dict[str, Any] | None, who: tuple[str, str], clock: Clock) -> tuple[str, str, list[str]]:
    raw, overlay = readable(home)
    now = clock.now()
    before = flip_words(overlay.flip, now)
    if made is None and overlay.flip is None:
        return before, before, []
    if made is not None and overlay.flip is not None and flip_left_ms(overlay.flip, now) > 0:
        raise UsageError(f"there is a flip already: {before}", "End it first, with `vanta overlay flip --end`.")
    new = dumps({**strictjson.loads_object(raw, file=OVERLAY), "flip": made})
    after = flip_words(_checked(home, new, None).flip, now)
    change = Change(what="overlay flip", by=who[0], reason=who[1], before=before, after=after)
    edit = Edit(home=home, name=OVERLAY, before=raw, after=new, urgent=made is None)
    return before, after, carried_out(home, [change], lambda: store(edit, clock), clock, loosens=made is not None)
