"""The record of a day, made again from the book before it. Pure; one of the checks of `recheck.py`."""

from vanta.alpha.core.differ import Difference, compared
from vanta.alpha.core.inputs import World
from vanta.common.store.ports import Record
from vanta.executor.core import daily
from vanta.executor.core.book import Book


def closed(book: Book, world: World, record: Record) -> Difference | None:
    """The first field that differs, or that no day was over. Raises `Absent` without the settings of the run."""
    if not daily.due(book, record.at[:10]):
        return Difference("day", record.kind, "no day was over")
    return compared(dict(record.payload), daily.closed(book, record.at[:10], world.settings().executor.benchmark))
