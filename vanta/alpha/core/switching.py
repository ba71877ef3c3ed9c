"""One switch of the overlay turned, as the fields of the file and as what that means. Pure.

Decides what the file says afterwards, whether that loosens anything, and what a file that nobody can read is replaced
with. Refuses to know files and clocks. A change is looser if a switch that is on now is off afterwards or ends sooner.

    turned({"maintenance": False, …}, Wish("maintenance", None, on=True, reason="drill", by="ann"))
        ->  {"maintenance": {"enabled": True, "reason": "drill", "by": "ann"}, …}
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from vanta.common.models.overlay import HALTING, SCOPES, SWITCHES, Flip, Overlay, Switch, SwitchValue
from vanta.common.times import millis, parse_iso
from vanta.executor.core.controls import is_on

ENDING = ("maintenance", "reduce_only")
"""Switches that may end by themselves; the others wait for a person."""

UNREADABLE = "the file before could not be read"
_CALLS_ALLOWED = re.compile(rb'"external_calls_disabled"\s*:\s*false\b')
_CALLS = re.compile(rb"external_calls_disabled|\\u")


class Place(NamedTuple):
    """What a scoped switch is about: `vault`, `V_CORE`."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A switch, where it is to be (`None`: everything), and what it is to say. `until` is in the file's own form.

    With `said_at` the file says when, so that its bytes are none that anybody has seen before, however it stood.
    """

    switch: str
    place: Place | None
    on: bool
    reason: str
    by: str
    until: str | None = None
    said_at: str | None = None

    @property
    def control(self) -> str:
        """The field as a record names it: `overlay full_halt`, `overlay scopes.vault.V_CORE.full_halt`."""
        return f"overlay scopes.{'.'.join(self.place)}.{self.switch}" if self.place else f"overlay {self.switch}"

    @property
    def becomes(self) -> str:
        """`on`, `on until …` or `off`, as a record says it."""
        return f"on until {self.until}" if self.until else "on" if self.on else "off"

    @property
    def where(self) -> str:
        """`full_halt on vault V_CORE`, as the executor's log names it."""
        return f"{self.switch} on {self.place.kind} {self.place.name}" if self.place else f"{self.switch} on everything"


def place_of(text: str | None) -> Place | None:
    """`vault:V_CORE` as a place; an instrument's name has a colon of its own. Raises `ValueError`."""
    if text is None or text == "everything":
        return None
    kind, _, name = text.partition(":")
    if kind not in SCOPES or not name:
        raise ValueError(f"{text!r} is no scope: write KIND:NAME, with a kind of {', '.join(SCOPES)}")
    return Place(kind, name)


def without(fields: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """The file's fields without a scope: for one that names nothing, which halts everything as long as it is there."""
    scopes = {kind: {name: value for name, value in table.items() if Place(kind, name) != place}
              for kind, table in fields.get("scopes", {}).items()}
    return {**fields, "scopes": {kind: table for kind, table in scopes.items() if table}}


def value_of(overlay: Overlay, switch: str, place: Place | None) -> SwitchValue:
    """What the file says of a switch; a scope that does not mention it leaves it off."""
    if place is None:
        found: SwitchValue = getattr(overlay, switch)
        return found
    table: Mapping[str, Mapping[str, SwitchValue]] = overlay.scopes.get(place.kind, {})  # type: ignore[call-overload]
    return table.get(place.name, {}).get(switch, False)


def turned(fields: Mapping[str, Any], wish: Wish) -> dict[str, Any]:
    """The file's fields with the switch turned; all others as they were, in their order."""
    said = {"enabled": wish.on, "reason": wish.reason, "by": wish.by, **({"until": wish.until} if wish.until else {})}
    fields = stamped(fields, wish)
    if wish.place is None:
        return {**fields, wish.switch: said}
    kind, name = wish.place
    scopes = dict(fields.get("scopes", {}))
    scopes[kind] = dict(scopes.get(kind, {}))
    scopes[kind][name] = {**scopes[kind].get(name, {}), wish.switch: said}
    return {**fields, "scopes": scopes}


def stamped(fields: Mapping[str, Any], wish: Wish) -> dict[str, Any]:
    """The file's fields with the time of the wish, if it is to be said."""
    return {**fields, **({"written_at": wish.said_at} if wish.said_at else {})}


def needless(value: SwitchValue, wish: Wish, now: datetime, *, stated: bool) -> bool:
    """Whether the file says that already: then it keeps the words of whoever said it first, unless `stated` anew."""
    on = is_on(wish.switch, value, now)
    until = value.until if isinstance(value, Switch) and wish.switch in ENDING else None
    return on == wish.on and not (stated and wish.on) and (not wish.on or until == wish.until)


def looser(before: Overlay, after: Overlay, now: datetime) -> list[str]:
    """Switches that hold something back now and will not, or not for as long."""
    then = {(place, name): value for place, name, value in _switches(after)}
    return [f"{name} on {place}" for place, name, value in _switches(before)
            if is_on(name, value, now) and _lasts(name, then.get((place, name), False), now) < _lasts(name, value, now)]


_FOR_GOOD = 1 << 62


def _lasts(name: str, value: SwitchValue, now: datetime) -> int:
    """Until when a switch is on, in milliseconds since 1970; 0 if it is off."""
    if not is_on(name, value, now):
        return 0
    ends = isinstance(value, Switch) and name in ENDING and value.until
    return millis(parse_iso(ends)) if ends else _FOR_GOOD


def _switches(overlay: Overlay) -> Iterator[tuple[str, str, SwitchValue]]:
    for name in SWITCHES:
        yield "everything", name, getattr(overlay, name)
    for kind, table in overlay.scopes.items():
        for scope, switches in table.items():
            for name, value in switches.items():
                yield f"{kind} {scope}", name, value


def safe(broken: bytes | None, wish: Wish) -> dict[str, Any]:
    """What to put in the place of a file that nobody can read: what is wished, and nothing looser than unreadable is.

    No order leaves. Calls to the outside stay allowed only where the text that was there plainly allowed them.
    """
    said = {"enabled": True, "reason": UNREADABLE, "by": wish.by}
    fields: dict[str, Any] = dict.fromkeys([*HALTING, "reduce_only"], False)
    allowed = broken is not None and len(_CALLS.findall(broken)) == len(_CALLS_ALLOWED.findall(broken)) == 1
    fields["orders_disabled"] = said
    if not allowed:
        fields["external_calls_disabled"] = said
    return turned(fields, wish)


def words(value: SwitchValue, name: str, now: datetime, *, named: bool = True) -> str:
    """`off`, or `on: reason (by somebody)`, with the end if it has one, and whether that is past.

    In a record the name stands in a field of its own only.
    """
    if not isinstance(value, Switch):
        return "on: reason not stated" if value else "off"
    if not value.enabled:
        return "off"
    ends = f" until {value.until}" if value.until and name in ENDING else ""
    told = (value.reason or "reason not stated") + (f" (by {value.by or 'an unnamed person'})" if named else "")
    return f"on{ends}: {told}" if is_on(name, value, now) else f"off since {value.until}: {told}"


def rows(overlay: Overlay, now: datetime) -> list[tuple[str, str, str]]:
    """Every switch: where it is, its name, its words; those of everything first."""
    return [(place, name, words(value, name, now)) for place, name, value in _switches(overlay)]


def flip_left_ms(flip: Flip, now: datetime) -> int:
    """Milliseconds until a flip is over; negative if it is."""
    return millis(parse_iso(flip.started_at)) + flip.ttl_min * 60_000 - millis(now)


def flip_words(flip: Flip | None, now: datetime) -> str:
    """`none`, or the tilt with the minutes that are left."""
    if flip is None:
        return "none"
    left = flip_left_ms(flip, now)
    ends = f"{-(-left // 60_000)} min left" if left > 0 else "over"
    return (f"{flip.vault} towards {flip.persona}, slice {flip.slice}, amplify {flip.amplify}, {ends} "
            f"({flip.flip_id}, since {flip.started_at})")
