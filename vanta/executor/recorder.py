"""The one way to change the executor's memory: append a record, then fold it.

`put` never returns without the book agreeing; `sync` makes everything put so far durable. Nothing may be
sent before the `sync` that covers its outbox record.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from vanta.common.events import Kind
from vanta.common.store.chain import START
from vanta.common.store.ports import Head, Journal, Record
from vanta.common.times import iso
from vanta.executor.core.book import Book
from vanta.executor.core.entries import IntentEntry
from vanta.executor.core.verdict import link


class Recorder:
    """Journal and book, in step. `found_until` is the time of the last record that start-up found, if any.

    `begins` is the end of what the book already holds.
    """

    def __init__(self, journal: Journal, book: Book, begins: Head = START) -> None:
        self.journal = journal
        self.book = book
        self.begins = begins
        self.found_until = ""
        self._moment: datetime | None = None
        self._text = ""

    def put(self, kind: Kind, payload: Mapping[str, Any], *, now: datetime, ids: Mapping[str, str] | None = None,
            dag_id: str | None = None) -> Record:
        """Append and fold one record."""
        record = self.journal.append(kind, payload, at=self.text(now), dag_id=dag_id, ids=ids)
        self.book.apply(record)
        return record

    def text(self, now: datetime) -> str:
        """`now` as it is journalled. A step shares one time, so the last one is remembered."""
        if now is not self._moment:
            self._moment, self._text = now, iso(now)
        return self._text

    def sync(self) -> None:
        """Make it durable."""
        self.journal.sync()

    def about(self, kind: Kind, entry: IntentEntry, payload: Mapping[str, Any], *, now: datetime,
              order_id: str | None = None) -> Record:
        """A record about an intent (and its order), with all the ids that link it to its conviction and cycle."""
        return self.put(kind, payload, now=now, ids=link(entry, order_id), dag_id=entry.raw["provenance"]["dag_id"])
