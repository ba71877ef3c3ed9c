"""Reading a home without touching it: nothing is written, locked, repaired or created.

The programs may be running. A journal's tail may be caught half-written, so a torn one is read again as long as it
grows; documents are read before the journals they are folds of, so that a running executor is never ahead.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from vanta.common.errors import Missing
from vanta.common.store import segments
from vanta.common.store.chain import chain
from vanta.common.store.checkpoint import FOLDER, joined
from vanta.common.store.ports import Record
from vanta.common.store.segments import begin

_AGAIN = 5


def _whole(path: Path) -> bytes:
    return segments.whole(path, segments.begins(path)[1])


def journal_bytes(path: Path, look: Callable[[Path], bytes] = _whole) -> bytes:
    """The whole journal with its sealed pieces, however long, as far as memory goes. Raises `Missing` or `StateError`.

    It begins where `begin` says: later than at its first record if older pieces were put away.
    """
    raw = look(path)
    for _ in range(_AGAIN):
        if raw.endswith(b"\n") or not raw:
            break
        longer = look(path)
        if len(longer) == len(raw):
            break
        raw = longer
    return raw


def checkpoint_bytes(path: Path) -> bytes:
    """The checkpoints of a journal, those of its sealed pieces too. Raises `Missing` or `StateError`."""
    current = journal_bytes(path.parent / FOLDER / path.name)
    return joined([*segments.checkpoints(path), current])


def records(path: Path) -> Iterator[Record]:
    """Records of a journal, none if there is no such file; a torn tail is left out. Raises `StateError` at a break."""
    try:
        raw = journal_bytes(path)
    except Missing:
        return
    yield from chain(raw, name=path.name, previous=begin(path))
