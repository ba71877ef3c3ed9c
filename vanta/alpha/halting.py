"""Turning a switch of the overlay on for everything, whatever the file holds: the halt that works from Alpha's host.

A file that nobody can read is kept beside, and one that permits nothing takes its place. If somebody else saves it
meanwhile, it is done again on what they saved.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from vanta.alpha.core.operator_json import dumps
from vanta.alpha.core.switching import Wish, needless, safe, stamped, turned, value_of, words
from vanta.alpha.editing import Edit, Meanwhile, bytes_of, keep_broken, put
from vanta.alpha.operators import owners
from vanta.common import strictjson
from vanta.common.clock import Clock
from vanta.common.errors import OperatorError, StateError
from vanta.common.models.overlay import Overlay
from vanta.common.paths import OVERLAY, Home
from vanta.common.store.guarded import guarded_read
from vanta.executor.core.controls import MAX_BYTES, Controls, read_overlay

_TRIES = 50
T = TypeVar("T")

Carry = Callable[[Edit, Wish, str, Callable[[], None]], tuple[str, ...]]
"""Does an edit and records it: the edit, what is wished, what was before, and the act. Returns warnings."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The overlay as it was read: the bytes that are there, and what the executor makes of them."""

    home: Home
    raw: bytes | None
    controls: Controls


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of it. `kept` is where a file that could not be read lies now."""

    before: str
    after: str
    changed: bool = True
    kept: Path | None = None
    warnings: tuple[str, ...] = ()


def look(home: Home) -> Seen:
    """Read the overlay as the executor does."""
    raw, problem = guarded_read(home.file(OVERLAY), owners=owners(home), max_bytes=MAX_BYTES)
    return Seen(home, bytes_of(home, OVERLAY) if raw is None else raw, read_overlay(raw, problem=problem))


def again(act: Callable[[], T]) -> T:
    """Tightening is done on whatever is there now; somebody who saves all the time would have to be quick."""
    for _ in range(_TRIES - 1):
        try:
            return act()
        except Meanwhile:
            continue
    return act()


def turned_on(home: Home, wish: Wish, clock: Clock, carry: Carry) -> Done:
    """Turn a switch on for everything. Raises `OperatorError` or `StateError` if the file is left as it is."""
    def once() -> Done:
        seen, now = look(home), clock.now()
        overlay = seen.controls.overlay
        if overlay is None or seen.raw is None:
            return set_safely(seen, wish, clock, carry)
        value = value_of(overlay, wish.switch, None)
        before = words(value, wish.switch, now, named=False)
        fields, stands = strictjson.loads_object(seen.raw, file=OVERLAY), needless(value, wish, now, stated=False)
        new = dumps(stamped(fields, wish) if stands else turned(fields, wish))
        insist_on_readable(new)
        edit = Edit(home=home, name=OVERLAY, before=seen.raw, after=new, urgent=True)
        return Done(before=before, after=before if stands else wish.becomes, changed=not stands,
                    warnings=carry(edit, wish, before, lambda: store(edit, clock)))

    return again(once)


def set_safely(seen: Seen, wish: Wish, clock: Clock, carry: Carry) -> Done:
    """Keep what nobody can read, and put something in its place that permits nothing either."""
    new = dumps(safe(seen.raw, wish))
    insist_on_readable(new)
    try:
        kept = keep_broken(seen.home, OVERLAY)
    except StateError as error:
        raise OperatorError(f"{OVERLAY} is left as it is, which halts everything: {error.what}",
                            "`vanta-run kill` stops all dispatch as well, and needs no space.") from error
    before = f"unreadable: {seen.controls.problem}"
    edit = Edit(home=seen.home, name=OVERLAY, before=seen.raw, after=new, urgent=True)
    return Done(before=before, after=f"{wish.becomes}, in a file that permits nothing", kept=kept,
                warnings=carry(edit, wish, before, lambda: store(edit, clock)))


def store(edit: Edit, clock: Clock) -> None:
    """Replace the file. Raises what `put` raises, with what else halts."""
    try:
        put(edit, clock)
    except StateError as error:
        cure = f"{error.cure} `vanta-run kill` stops all dispatch, and needs no space.".strip()
        raise StateError(error.what, cure if edit.urgent else error.cure) from error


def insist_on_readable(new: bytes) -> Overlay:
    """What the executor would make of the new bytes. Raises `OperatorError` if it could not read them."""
    controls = read_overlay(new)
    if controls.overlay is None:
        raise OperatorError(f"{OVERLAY} would not be readable afterwards: {controls.problem}; nothing is changed",
                            "Change it with an editor.")
    return controls.overlay
