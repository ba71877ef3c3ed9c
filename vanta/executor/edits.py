"""Edits of overlay and vaults, told once what was seen has taken effect: `control.edited`.

Which edits are to be told is in the book, so that a crash in between loses none. Their bytes are in the snapshot store;
whose they may be is asked of the host. What cannot be found out is null, and stops nothing.
"""

from collections.abc import Callable
from datetime import datetime

from vanta.common.errors import StateError
from vanta.common.events import Kind
from vanta.common.paths import OVERLAY, VAULTS
from vanta.common.store.ports import Snapshots
from vanta.executor.attribution import Editor
from vanta.executor.core.edited import changes
from vanta.executor.core.inputs import UNREADABLE
from vanta.executor.recorder import Recorder

_FILES = {"overlay": OVERLAY, "vaults": VAULTS}
RUNNING, START = "running", "at a start"


class Edits:
    """`editor(file, hash)` says who may have made the version of that hash."""

    def __init__(self, recorder: Recorder, snapshots: Snapshots, editor: Callable[[str, str], Editor]) -> None:
        self._recorder = recorder
        self._snapshots = snapshots
        self._editor = editor

    def tell(self, now: datetime, *, noticed: str = RUNNING) -> None:
        """Record every edit that has not been told, and make it durable."""
        book = self._recorder.book
        for seen, (what, before, after) in list(book.edits.items()):
            told = changes(self._bytes(before), None if after.startswith(UNREADABLE) else self._bytes(after))
            self._recorder.put(Kind.CONTROL_EDITED, {
                "what": what, "seen": seen, "before": before, "after": after, "changes": told.rows, "more": told.more,
                "noticed": noticed, "by": told.by, **self._editor(_FILES[what], after)._asdict()}, now=now)
            self._recorder.sync()

    def _bytes(self, digest: str | None) -> bytes | None:
        try:
            return None if digest is None else self._snapshots.get(digest)
        except StateError:
            return None
