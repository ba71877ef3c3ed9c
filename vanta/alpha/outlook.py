"""The further looks of `vanta-diagnostics` at a home: what `core/outlook.py` judges, gathered offline.

Counts no more of a feed's file than a look may cost, and of other nodes' folders only when their files were written.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from vanta.alpha.core.outlook import Flip, More, NodeSight, ProgramSight, Saved
from vanta.alpha.core.sights import Facts
from vanta.alpha.core.switching import flip_left_ms, flip_words
from vanta.alpha.facts import given_or_taken
from vanta.alpha.operators import owners
from vanta.alpha.recent import last_records
from vanta.common.canonical import sha256
from vanta.common.errors import StateError
from vanta.common.paths import FEEDS, OVERLAY, TRADE_LOG, Home, NodeHome, signals_file
from vanta.common.store.atomic import read
from vanta.common.store.guarded import guarded_read
from vanta.executor.core.controls import MAX_BYTES, read_overlay

MOST_BYTES = 8 << 20
"""Of a larger feed file the signals are not counted."""

MOST_FILES = 4_000
REPLICA = "replica"
_BESIDE = ("assistant", "tracker")
_SIGNALS = b'"signals": ['


def look(home: Home, facts: Facts) -> More:
    """Everything beside `facts`."""
    home = NodeHome(home.root, facts.node)
    raw, problem = guarded_read(home.file(OVERLAY), owners=owners(home), max_bytes=MAX_BYTES)
    overlay = read_overlay(raw, problem=problem).overlay
    flip = overlay.flip if overlay else None
    told = Flip() if flip is None else Flip(text=flip_words(flip, facts.now), left_ms=flip_left_ms(flip, facts.now))
    latched = [f"the executor latched itself: {latch.detail}" for latch in facts.latches]
    return More(
        permission="; ".join([*latched, permission(home, facts)]),
        flip=told, signals=dict(_signals(home, facts)), recent=list(last_records(home.file(TRADE_LOG))),
        nodes=tuple(nodes(home)), programs=tuple(_programs(facts)))


def permission(home: Home, facts: Facts) -> str:
    """Who permitted or stopped dispatch last. The permit is the executor's: elsewhere it is what that says."""
    if facts.node in ("", "executor"):
        return given_or_taken(home, permit=facts.permit) or "it was never permitted here"
    said = facts.executor
    return (f"it is given on the executor's host, which says {said.text('dispatch')}: {said.text('dispatch_reason')}"
            if said.text("dispatch") else "it is given on the executor's host")


def _signals(home: Home, facts: Facts) -> Iterator[tuple[str, int]]:
    for feed in facts.feeds:
        if feed.name in FEEDS and feed.doc.value is not None:
            count = _count(home.file(signals_file(feed.name)))
            if count is not None:
                yield feed.name, count


def _count(path: Path) -> int | None:
    """Programs write one signal a line; a file in another form is not counted."""
    try:
        raw = read(path, max_bytes=MOST_BYTES)
    except StateError:
        return None
    _, mark, records = raw.partition(_SIGNALS)
    if not mark:
        return None
    return records.count(b"\n{")


def nodes(home: Home) -> Iterator[NodeSight]:
    """Every node of which something lies in `memory/replica/`."""
    try:
        folders = sorted(path for path in (home.memory / REPLICA).iterdir() if path.is_dir())
    except OSError:
        return
    for folder in folders:
        newest = max(_written(folder), default=None)
        yield NodeSight(folder.name, None if newest is None else datetime.fromtimestamp(newest, UTC))


def _written(folder: Path) -> Iterator[float]:
    """When the files of a folder and below were written, of so many at the most."""
    pending, left = [os.fspath(folder)], MOST_FILES
    while pending:
        try:
            with os.scandir(pending.pop()) as found:
                for entry in found:
                    left -= 1
                    if left < 0:
                        return
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    else:
                        yield entry.stat(follow_symlinks=False).st_mtime
        except OSError:
            continue


def _programs(facts: Facts) -> Iterator[ProgramSight]:
    for name in _BESIDE:
        held = next((lock for lock in facts.locks if lock.name == name), None)
        yield ProgramSight(name, held.holder if held else None)


def saved(home: Home) -> Saved | None:
    """The overlay's content and when it was saved; `None` where that cannot be told."""
    path = home.file(OVERLAY)
    try:
        raw, info = read(path, max_bytes=MAX_BYTES), path.stat()
    except (StateError, OSError):
        return None
    return Saved(sha256=sha256(raw), saved_ms=info.st_mtime_ns // 1_000_000)
