"""Would these overlay bytes let an order leave? The executor's own rule, asked for a person. Pure.

Permission means that no root switch stops an order: not one of the four halting ones, and not `reduce_only`, which
lets only exits through. A switch in a scope stops only what it names; it is listed, not denied. Example: the bytes of
an overlay with `full_halt` on -> `Permission(permits=False, stops=("halt.full_halt on everything: …",), scoped=())`.
"""

from dataclasses import dataclass
from datetime import datetime

from vanta.common.models.overlay import Overlay
from vanta.executor.core.controls import CODES, Controls, Known, Stop, is_on, stops


@dataclass(frozen=True, slots=True)
class Permission:
    """`stops` hold everything back, one sentence each; `scoped` only what they name."""

    permits: bool
    stops: tuple[str, ...]
    scoped: tuple[str, ...]


def permission(controls: Controls, known: Known, *, now: datetime) -> Permission:
    """The answer at `now`. A scope that names nothing `known` stops everything."""
    found = tuple(_said(stop) for stop in stops(controls, None, known, now=now))
    return Permission(not found, found, tuple(scoped(controls.overlay, now)) if controls.overlay else ())


def _said(stop: Stop) -> str:
    return f"{stop.code} on {stop.where}: {stop.note}"


def scoped(overlay: Overlay, now: datetime) -> list[str]:
    """Switches that are on for a part only."""
    return [f"{CODES[name]} on {kind} {what}" for kind, table in overlay.scopes.items()
            for what, switches in table.items() for name, value in sorted(switches.items()) if is_on(name, value, now)]
