"""Noticing that a file changed: polling is the truth, a watcher only shortens the wait.

`changed()` compares inode, size and modification time with the last look and is what correctness rests on.
`wait()` returns early when the operating system hints at a change in the folder; where hints do not exist
(network mounts) or get lost, it returns after the poll interval. Never used for the kill switch.
"""

import os
import threading
from pathlib import Path
from typing import Any


class FileTail:
    """Watches a few files of one folder."""

    def __init__(self, paths: list[Path], *, hints: bool = True) -> None:
        self._paths = paths
        self._seen: dict[Path, tuple[int, int, int] | None] = dict.fromkeys(paths)
        self._hint = threading.Event()
        self._observer = _observe({path.parent for path in paths}, self._hint) if hints else None

    def changed(self) -> list[Path]:
        """The files that differ from the last call, in the order given at construction."""
        result = []
        for path in self._paths:
            stamp = _stamp(path)
            if stamp != self._seen[path]:
                self._seen[path] = stamp
                result.append(path)
        return result

    def wait(self, seconds: float) -> bool:
        """Sleep until a hint or for `seconds`. Returns whether there was a hint."""
        hinted = self._hint.wait(seconds)
        self._hint.clear()
        return hinted

    def wake(self) -> None:
        """End a wait from another thread or a signal handler."""
        self._hint.set()

    def close(self) -> None:
        """Stop the watcher, if there is one."""
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()
            self._observer = None


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        info = os.stat(path)
    except OSError:
        return None
    return info.st_ino, info.st_size, info.st_mtime_ns


def _observe(folders: set[Path], hint: threading.Event) -> Any:
    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers import Observer

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            if event.event_type in ("modified", "created", "moved", "closed"):
                hint.set()

    observer = Observer()
    try:
        for folder in sorted(folders):
            observer.schedule(Handler(), str(folder))
        observer.start()
    except OSError:  # no watches left: polling goes on
        return None
    return observer
