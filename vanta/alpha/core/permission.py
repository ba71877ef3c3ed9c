"""Would these overlay bytes let an order leave? The executor's own rule, asked for a person. Pure.

Permission means that no root switch stops an order: not one of the four halting ones, and not `reduce_only`, which
lets only exits through. A switch in a scope stops only what it names; it is listed, not denied, unless scopes together
name everything: every vault, every account, every class or instrument that the vaults may hold. Example: the bytes of
an overlay with `full_halt` on -> `Permission(permits=False, stops=("halt.full_halt on everything: …",), scoped=())`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from vanta.common.instruments import Instrument
from vanta.common.models.overlay import Overlay
from vanta.common.models.vault import VaultRegistry
from vanta.executor.core.controls import CODES, Controls, Known, Scope, is_on, stops


@dataclass(frozen=True, slots=True)
class Permission:
    """`stops` hold everything back, one sentence each; `scoped` only what they name."""

    permits: bool
    stops: tuple[str, ...]
    scoped: tuple[str, ...]


def permission(controls: Controls, known: Known, *, now: datetime, ways: Iterable[Scope] = ()) -> Permission:
    """The answer at `now`. A scope that names nothing `known` stops everything.

    `ways` are all that an order may touch, see `ways`; where none is left open, scopes stop everything as well.
    """
    found = tuple(str(stop) for stop in stops(controls, None, known, now=now))
    part = tuple(scoped(controls.overlay, now)) if controls.overlay else ()
    if not found and part and _all_stopped(controls, known, ways, now):
        found = (f"scopes together stop whatever the vaults may trade: {'; '.join(part)}",)
    return Permission(not found, found, part)


def _all_stopped(controls: Controls, known: Known, ways: Iterable[Scope], now: datetime) -> bool:
    """Whether there are ways and none of them is open. Without any it is not known what scopes leave."""
    verdicts = [bool(stops(controls, way, known, now=now)) for way in ways]
    return bool(verdicts) and all(verdicts)


def ways(registry: VaultRegistry, instruments: Iterable[Instrument]) -> Iterator[Scope]:
    """What orders may touch: each vault with each instrument that it may trade."""
    known = list(instruments)
    for vault in registry.vaults:
        for one in known:
            if one.tradable and one.currency == vault.base_currency and vault.may_hold(one.asset_class):
                yield Scope(vault.vault_id, vault.account, one.instrument_id, one.asset_class)


def scoped(overlay: Overlay, now: datetime) -> list[str]:
    """Switches that are on for a part only."""
    return [f"{CODES[name]} on {kind} {what}" for kind, table in overlay.scopes.items()
            for what, switches in table.items() for name, value in sorted(switches.items()) if is_on(name, value, now)]
