"""May an order leave? The answer of the operator's overlay, from its raw bytes. Pure.

Permission is explicit. Bytes permit only if they are one strict JSON object whose four halting switches are
present and each literally `false` (or an object whose `enabled` is), with no unknown field and no scope that
names something unknown. Everything else halts, and says why. This module knows no file: whoever reads the
bytes says so when they could not be read.

    read_overlay(b'{"maintenance": false, ...}')        -> Controls(overlay=..., problem=None)
    stops(controls, scope, known, now=now)              -> ()            nothing stops an order
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from vanta.common import strictjson
from vanta.common.errors import BadInput
from vanta.common.models.base import validate
from vanta.common.models.overlay import Overlay, Switch, SwitchValue
from vanta.common.reasons import Reason
from vanta.common.times import parse_iso

MAX_BYTES = 256 * 1024
CODES: dict[str, Reason] = {
    "full_halt": Reason.HALT_FULL,
    "external_calls_disabled": Reason.HALT_EXTERNAL_CALLS,
    "orders_disabled": Reason.HALT_ORDERS_DISABLED,
    "maintenance": Reason.HALT_MAINTENANCE,
    "reduce_only": Reason.HALT_REDUCE_ONLY,
}
_ENDS_BY_ITSELF = ("maintenance", "reduce_only")


@dataclass(frozen=True, slots=True)
class Controls:
    """What the bytes say. Exactly one of `overlay` and `problem` is set; `code` is what a problem is called.

    `clear` is True when no switch is on anywhere and there are no scopes: then nothing depends on the order or
    the time. `also` is what has to permit as well: on several hosts Alpha's overlay, see `both`.
    """

    overlay: Overlay | None
    problem: str | None
    clear: bool = False
    also: "Controls | None" = None
    code: Reason = Reason.HALT_UNREADABLE

    @property
    def flips(self) -> Overlay | None:
        """The overlay whose flip counts: Alpha's where there are two, because Markets plans by that one."""
        return self.overlay if self.also is None else self.also.overlay

    @property
    def troubles(self) -> dict[Reason, str]:
        """Everything that could not be read or is not vouched for, by its code: what latches if it lasts."""
        rest = self.also.troubles if self.also is not None else {}
        return rest if self.problem is None else {**rest, self.code: self.problem}


class Scope(NamedTuple):
    """What an order touches, for scoped switches."""

    vault: str
    broker: str
    instrument: str
    asset_class: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Everything that a scope may name. A scope that names anything else halts all."""

    vault: frozenset[str]
    broker: frozenset[str]
    instrument: frozenset[str]
    asset_class: frozenset[str] = frozenset({"equity", "crypto", "option"})
    follower: frozenset[str] = frozenset()


class Stop(NamedTuple):
    """One switch that is on. `where` is `everything` or `vault V_CORE`; `note` is the operator's own words.

    `by` is for the screen alone: a name in a record's text could not be withheld from whoever is to read the log.
    """

    code: Reason
    where: str
    note: str
    by: str = ""

    def __str__(self) -> str:
        return f"{self.code} on {self.where}: {self.note}" + (f" (by {self.by})" if self.by else "")


def read_overlay(raw: bytes | None, *, problem: str | None = None, file: str = "vault_overlay.json") -> Controls:
    """Parse the overlay's bytes. `raw=None` means they could not be read, and `problem` says why.

    `file` is what a message calls them.
    """
    if raw is None:
        return Controls(None, problem or f"{file} cannot be read")
    try:
        value = strictjson.loads_object(raw, file=file, max_bytes=MAX_BYTES)
        overlay = validate(Overlay, value, file=file, raw=raw)
    except BadInput as error:
        return Controls(None, error.what)
    on = any(value if isinstance(value, bool) else value.enabled
             for value in (getattr(overlay, name) for name in CODES))
    return Controls(overlay, None, clear=not on and not overlay.scopes)


def both(local: Controls, far: Controls, lease: str) -> Controls:
    """What two overlays say together: each has to permit. `lease` is why Alpha's word for `far` does not count, if so.

    What `far` says goes on to count without a lease: its switches stop, nothing of it permits.
    """
    word = Controls(None, lease, code=Reason.HALT_NO_LEASE) if lease else None
    theirs = replace(far, clear=far.clear and not lease, also=word, code=Reason.HALT_NO_LEASE)
    return replace(local, clear=local.clear and theirs.clear, also=theirs)


def stops(controls: Controls, scope: Scope | None, known: Known, *, now: datetime) -> tuple[Stop, ...]:
    """Every switch that stops an order in `scope` now, root first. `scope=None` asks about root switches only.

    Scopes only tighten: a scoped `false` releases nothing.
    """
    if controls.clear:
        return ()
    found = _stops(controls, scope, known, now)
    return found if controls.also is None else found + stops(controls.also, scope, known, now=now)


def _stops(controls: Controls, scope: Scope | None, known: Known, now: datetime) -> tuple[Stop, ...]:
    overlay = controls.overlay
    if overlay is None:
        return (Stop(controls.code, "everything", controls.problem or ""),)
    unknown = _unknown_scopes(overlay, known)
    if unknown:
        return (Stop(Reason.HALT_UNREADABLE, "everything", f"scopes name something unknown: {unknown}"),)
    found = _switched_on({name: getattr(overlay, name) for name in CODES}, "everything", now)
    if scope is not None:
        for kind, wanted in (("vault", scope.vault), ("broker", scope.broker), ("instrument", scope.instrument),
                             ("asset_class", scope.asset_class)):
            table: Mapping[str, Mapping[str, SwitchValue]] = overlay.scopes.get(kind, {})  # type: ignore[call-overload]
            found += _switched_on(dict(table.get(wanted, {})), f"{kind} {wanted}", now)
    return tuple(found)


def _switched_on(switches: Mapping[str, SwitchValue], where: str, now: datetime) -> list[Stop]:
    return [Stop(CODES[name], where, *_words(switches[name])) for name in CODES
            if name in switches and is_on(name, switches[name], now)]


def is_on(name: str, value: SwitchValue, now: datetime) -> bool:
    """Whether a switch is on at `now`. `until` ends only the switches that may end by themselves."""
    if isinstance(value, bool):
        return value
    if not value.enabled:
        return False
    return not (name in _ENDS_BY_ITSELF and value.until is not None and parse_iso(value.until) <= now)


def loosened(before: Overlay | None, after: Overlay | None) -> list[str]:
    """Switches that were on, anywhere, and no longer are. Nothing is known of bytes that could not be read."""
    if before is None or after is None:
        return []
    now_on = {place for place, value in _switches(after) if _enabled(value)}
    return [place for place, value in _switches(before) if _enabled(value) and place not in now_on]


def stated(after: Overlay | None, off: list[str]) -> tuple[str, str] | None:
    """Reason and name for loosening `off`, from the file's own fields or from every one of those switches."""
    if after is None or not off:
        return None
    if after.reason and after.by:
        return after.reason, after.by
    table = dict(_switches(after))
    said = [value for place in off if isinstance(value := table.get(place), Switch) and value.reason and value.by]
    return (str(said[0].reason), str(said[0].by)) if len(said) == len(off) else None


def ended(overlay: Overlay | None, now: datetime) -> list[str]:
    """Switches that are over by their own `until`, each with that time."""
    if overlay is None:
        return []
    return [f"{place} until {value.until}" for place, value in _switches(overlay)
            if isinstance(value, Switch) and value.enabled and not is_on(place.split(" ")[0], value, now)]


def _switches(overlay: Overlay) -> Iterator[tuple[str, SwitchValue]]:
    """Every switch with where it is: `maintenance on everything`, `full_halt on vault V_CORE`."""
    for name in CODES:
        yield f"{name} on everything", getattr(overlay, name)
    for kind, table in overlay.scopes.items():
        for scope, switches in table.items():
            for name, value in switches.items():
                yield f"{name} on {kind} {scope}", value


def _enabled(value: SwitchValue) -> bool:
    return value if isinstance(value, bool) else value.enabled


def _words(value: SwitchValue) -> tuple[str, str]:
    """The operator's reason and name."""
    if not isinstance(value, Switch):
        return "reason not stated", ""
    return value.reason or "reason not stated", value.by or "an unnamed person"


def _unknown_scopes(overlay: Overlay, known: Known) -> str:
    for kind, table in overlay.scopes.items():
        names: frozenset[str] = getattr(known, kind)
        for name in table:
            if name not in names:
                return f"{kind} {name}"
    return ""


def summary(controls: Controls, known: Known, *, now: datetime) -> str:
    """One line for people: `dispatch permitted` or what stops it."""
    found = stops(controls, None, known, now=now)
    return "; ".join(map(str, found)) or "dispatch permitted"
