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
from vanta.common.store.ports import Head, Record

_AGAIN = 5


def log(path: Path, look: Callable[[Path], tuple[bytes, Head]] = segments.everything) -> tuple[bytes, Head]:
    """The whole journal with its sealed pieces, however long, as far as memory goes, and where it begins.

    Later than at its first record if older pieces were put away. Raises `Missing` or `StateError`.
    """
    raw, head = look(path)
    for _ in range(_AGAIN):
        if raw.endswith(b"\n") or not raw:
            break
        longer, head = look(path)
        if len(longer) == len(raw):
            break
        raw = longer
    return raw, head


def journal_bytes(path: Path) -> bytes:
    """The bytes of `log`."""
    return log(path)[0]


def checkpoint_bytes(path: Path) -> bytes:
    """The checkpoints of a journal, those of its sealed pieces too. Raises `Missing` or `StateError`."""
    current = journal_bytes(path.parent / FOLDER / path.name)
    return joined([*segments.checkpoints(path), current])


def records(path: Path) -> Iterator[Record]:
    """Records of a journal, none if there is no such file; a torn tail is left out. Raises `StateError` at a break."""
    try:
        raw, begins = log(path)
    except Missing:
        return
    yield from chain(raw, name=path.name, previous=begins)
