"""Reading a home without touching it: nothing is written, locked, repaired or created.

The programs may be running. A journal's tail may be caught half-written, so a torn one is read again as long as it
grows; documents are read before the journals they are folds of, so that a running executor is never ahead.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from vanta.common.errors import Missing, StateError
from vanta.common.store.atomic import read
from vanta.common.store.chain import chain
from vanta.common.store.ports import Record, Snapshots

_AGAIN = 5
_LARGEST = 1 << 40


def _whole(path: Path) -> bytes:
    return read(path, max_bytes=_LARGEST)


def journal_bytes(path: Path, look: Callable[[Path], bytes] = _whole) -> bytes:
    """The whole journal, however long, as far as memory goes. Raises `Missing` or `StateError`."""
    raw = look(path)
    for _ in range(_AGAIN):
        if raw.endswith(b"\n") or not raw:
            break
        longer = look(path)
        if len(longer) == len(raw):
            break
        raw = longer
    return raw


def records(path: Path) -> Iterator[Record]:
    """Records of a journal, none if there is no such file; a torn tail is left out. Raises `StateError` at a break."""
    try:
        raw = journal_bytes(path)
    except Missing:
        return
    yield from chain(raw, name=path.name)


def blobs(snapshots: Snapshots, digests: Iterable[str]) -> dict[str, bytes]:
    """The snapshots among these that are there and whole; those that are not are left out."""
    found = {}
    for digest in digests:
        try:
            found[digest] = snapshots.get(digest)
        except StateError:
            continue
    return found
