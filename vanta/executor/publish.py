"""Writing the executor's documents: folds of the log, at most so often, only when something changed."""

from collections.abc import Callable
from typing import Any

import orjson

from vanta.common.errors import VantaError
from vanta.common.paths import EXECUTOR_STATE, OPEN_ORDERS, PNL, PORTFOLIO
from vanta.common.store.document import Stamp, save
from vanta.common.store.ports import Files
from vanta.executor.core import views
from vanta.executor.core.book import Book

_VIEWS: dict[str, Callable[[Book, str], dict[str, Any]]] = {
    PORTFOLIO: views.portfolio, OPEN_ORDERS: views.open_orders, PNL: views.pnl,
}


class Publisher:
    """Owns the revisions of the executor's documents."""

    def __init__(self, files: Files, *, by: str, every_s: float) -> None:
        self._files = files
        self._by = by
        self._every_s = every_s
        self._revisions = {name: self._last_revision(name) for name in (*_VIEWS, EXECUTOR_STATE)}
        self._published_seq = -1
        self._at = float("-inf")

    def _last_revision(self, name: str) -> int:
        """Documents are folds: an unreadable one is rewritten, and its count starts again."""
        try:
            return int(orjson.loads(self._files.read(name))["revision"])
        except (VantaError, ValueError, KeyError, TypeError):
            return 0

    def due(self, book: Book, monotonic: float, *, idle: bool) -> bool:
        """Whether the folds are behind the book and it is time to write them."""
        return book.seq != self._published_seq and (idle or monotonic - self._at >= self._every_s)

    def folds(self, book: Book, now: str, monotonic: float) -> None:
        """Write portfolio, open orders and profit from one cut."""
        for name, view in _VIEWS.items():
            self._write(name, view(book, now), now)
        self._published_seq, self._at = book.seq, monotonic

    def state(self, book: Book, now: str, condition: views.Condition) -> None:
        """Write the heartbeat document."""
        self._write(EXECUTOR_STATE, views.executor_state(book, now, condition), now)

    def _write(self, name: str, body: dict[str, Any], now: str) -> None:
        self._revisions[name] += 1
        save(self._files, name, body, Stamp(revision=self._revisions[name], at=now, by=self._by))
