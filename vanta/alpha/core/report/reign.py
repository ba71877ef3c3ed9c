"""What was allowed when: switches, the permit, latches and overrides; and what people and programs did to them. Pure.

    reign.spells(end_ms, kept)  ->  [Spell("full_halt on everything", 1795788200000, 1795788203000, "")]

What the overlay said is read again from its bytes, by the executor's own rule; where they are not kept, that is a
spell of its own and nothing is guessed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from vanta.alpha.core.inputs import is_digest
from vanta.alpha.core.report.told import Told, told
from vanta.common.events import Kind
from vanta.common.models.overlay import Overlay, Switch, SwitchValue
from vanta.common.store.ports import Record
from vanta.common.times import from_millis, millis_of
from vanta.executor.core.controls import CODES, is_on, read_overlay

NOT_KEPT = "switches unknown: the overlay is not kept"
UNREADABLE = "overlay unreadable: halted"
NO_PERMIT = "no dispatch.permit"
RUNS = "executor runs"
LONGEST = 400
"""So many of the newest events are kept."""


class Spell(NamedTuple):
    """Something that was so for a while. `open` means that it still was when the log ended."""

    name: str
    from_ms: int
    to_ms: int
    open: bool = False


@dataclass
class Reign:
    """The fold of the trade log, and of what the logs of people add."""

    events: list[Told] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    overlays: list[tuple[int, str]] = field(default_factory=list)
    _permits: list[tuple[int, str]] = field(default_factory=list)
    _open: dict[str, tuple[str, int]] = field(default_factory=dict)
    _spells: list[Spell] = field(default_factory=list)
    _last_ms: int = 0

    def take(self, record: Record, at_ms: int, file: str = "trade_log") -> None:
        """Remember one record."""
        said = told(record, file)
        if said is not None:
            self.counts[said.kind] = self.counts.get(said.kind, 0) + 1
            self.events.append(said)
            if len(self.events) > 2 * LONGEST:
                self.events = sorted(self.events, key=lambda one: one.at)[-LONGEST:]
        body = record.payload
        if record.kind == Kind.CONTROL_SEEN:
            self._control(str(body["what"]), at_ms, str(body["sha256"]))
        elif record.kind == Kind.PROGRAM_STARTED and file == "trade_log":
            self._close(RUNS, self._last_ms)  # of one that crashed nobody wrote when
            self._open[RUNS] = (RUNS, at_ms)
        elif record.kind == Kind.PROGRAM_STOPPED and file == "trade_log":
            self._close(RUNS, at_ms)
        else:
            self._interval(record.kind, body, at_ms)
        if file == "trade_log":
            self._last_ms = at_ms

    def _control(self, what: str, at_ms: int, digest: str) -> None:
        if what == "overlay":
            self.overlays.append((at_ms, digest))
        elif what == "permit":
            self._permits.append((at_ms, digest))

    def _interval(self, kind: str, body: Mapping[str, Any], at_ms: int) -> None:
        if kind == Kind.LATCH_SET:
            self._open[str(body["latch_id"])] = (f"latch {body['code']}", at_ms)
        elif kind == Kind.LATCH_RELEASED:
            self._close(str(body["latch_id"]), at_ms)
        elif kind == Kind.OVERRIDE_SET:
            self._open[str(body["command_id"])] = (f"override of {body['limit']} in {body['vault']}", at_ms)
        elif kind == Kind.OVERRIDE_ENDED:
            self._close(str(body["command_id"]), at_ms)

    def _close(self, key: str, at_ms: int) -> None:
        found = self._open.pop(key, None)
        if found is not None:
            self._spells.append(Spell(found[0], found[1], at_ms))

    def spells(self, end_ms: int, kept: Mapping[str, bytes]) -> list[Spell]:
        """Everything that was so for a while, by its beginning. `kept` are overlays by their hash."""
        found = [*self._spells, *(Spell(name, since, end_ms, open=True) for name, since in self._open.values())]
        found += _lasting([(at_ms, {NO_PERMIT: None} if said == "absent" else {}) for at_ms, said in self._permits],
                          end_ms)
        found += _lasting([(at_ms, dict(switches(kept, digest, at_ms))) for at_ms, digest in self.overlays], end_ms)
        return sorted(found, key=lambda one: (one.from_ms, one.name))


def switches(kept: Mapping[str, bytes], digest: str, at_ms: int) -> Iterator[tuple[str, int | None]]:
    """The switches that were on in a version of the overlay, each with when it ends by itself."""
    if not is_digest(digest):
        yield UNREADABLE, None
        return
    overlay = read_overlay(kept[digest]).overlay if digest in kept else None
    if overlay is None:
        yield (UNREADABLE if digest in kept else NOT_KEPT), None
        return
    for where, name, value in _all(overlay):
        if is_on(name, value, from_millis(at_ms)):
            until = value.until if isinstance(value, Switch) else None
            ends = until is not None and not is_on(name, value, from_millis(millis_of(until)))
            yield f"{name} on {where}", millis_of(str(until)) if ends else None


def _all(overlay: Overlay) -> Iterator[tuple[str, str, SwitchValue]]:
    for name in CODES:
        yield "everything", name, getattr(overlay, name)
    for kind, table in overlay.scopes.items():
        for scope, values in table.items():
            for name, value in values.items():
                yield f"{kind} {scope}", name, value


def _lasting(versions: list[tuple[int, dict[str, int | None]]], end_ms: int) -> Iterator[Spell]:
    """What holds in version after version is one spell."""
    running: dict[str, int] = {}
    ends: dict[str, int | None] = {}
    for at_ms, on in versions:
        for name in [name for name in running if name not in on]:
            yield Spell(name, running.pop(name), min(at_ms, ends[name] or at_ms))
        for name, until in on.items():
            running.setdefault(name, at_ms)
            ends[name] = until
    for name, since in running.items():
        until = ends[name]
        over = until is not None and until <= end_ms
        yield Spell(name, since, until if until is not None and over else end_ms, open=not over)
