"""A state is the book: whatever follows, loading it and folding the records give the same."""

from collections import deque
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import msgspec
import pytest

from tests.simulation.simulation import Simulation
from tests.unit.alpha.core.test_days import three_days
from tests.unit.alpha.homes import busy
from vanta.common.errors import StateError
from vanta.common.store.chain import START, chain, encode
from vanta.common.store.ports import Head, Record
from vanta.executor.core.book import Book
from vanta.executor.core.state import dump, load

CODE = "c0de"
ONLY_REMEMBERED = frozenset({"remembered", "marked", "changed", "_moment"})
"""What a book keeps to save work and finds again."""


def parts(value: Any) -> Iterator[tuple[str, Any]]:
    """The named parts of one of our records."""
    if isinstance(value, msgspec.Struct):
        yield from ((name, getattr(value, name)) for name in value.__struct_fields__)
    elif is_dataclass(value):
        yield from ((one.name, getattr(value, one.name)) for one in fields(value))
    elif hasattr(value, "__dict__"):
        yield from vars(value).items()
    else:
        names = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
        yield from ((name, getattr(value, name)) for name in names)


def differs(one: Any, other: Any, where: str = "book") -> str:
    """Where two values are not the same, in all that they hold; empty if they are."""
    if type(one) is not type(other):
        return f"{where}: {type(one).__name__} and {type(other).__name__}"
    if isinstance(one, dict):
        left, right = ({key: item for key, item in table.items() if not where.endswith(".sides") or item}
                       for table in (one, other))  # sides without orders are as good as none
        if list(left) != list(right):
            return f"{where}: keys {list(left)} and {list(right)}"
        return next(filter(None, (differs(left[key], right[key], f"{where}[{key!r}]") for key in left)), "")
    if isinstance(one, list | tuple | deque):
        if len(one) != len(other) or (isinstance(one, deque) and one.maxlen != other.maxlen):
            return f"{where}: {one} and {other}"
        return next(filter(None, (differs(left, right, f"{where}[]") for left, right in zip(one, other, strict=True))),
                    "")
    if type(one).__module__.startswith("vanta"):
        return next(filter(None, (differs(left, getattr(other, name), f"{where}.{name}") for name, left in parts(one)
                                  if name not in ONLY_REMEMBERED)), "")
    return "" if one == other else f"{where}: {one!r} and {other!r}"


@cache
def logs() -> list[list[Record]]:
    """What executors have written: a busy morning, three days with edits, and schedules of the simulation."""
    return [list(busy().journal.read()), list(three_days().journal.read()),
            *(list(chain(Simulation(seed).run().log, name="log")) for seed in range(40))]


def heads(log: list[Record]) -> Iterator[tuple[Record, Head]]:
    """Each record with the end of the log after it."""
    size = 0
    for record in log:
        size += len(encode({"seq": record.seq, "at": record.at, "kind": record.kind, "dag_id": record.dag_id,
                            "ids": record.ids, "payload": record.payload, "prev": record.prev})) + 1
        yield record, Head(record.seq, record.hash, size)


def test_a_state_is_the_book_at_every_record() -> None:
    """Everything that is in it, the order of everything, and where it goes on."""
    loads = 0
    for log in logs():
        book = Book()
        for record, head in heads(log):
            book.apply(record)
            if record.seq % 7 and record is not log[-1]:
                continue
            found = load(dump(book, head, code=CODE), code=CODE)
            assert found is not None
            assert differs(book, found[0]) == ""
            assert found[1] == head
            loads += 1
    assert loads > 200


def test_folding_on_from_a_state_gives_the_same_book() -> None:
    """Working orders, exits and lots that were loaded are the very ones that the next records are about."""
    for log in logs():
        whole, middle = Book(), None
        for record, head in heads(log):
            whole.apply(record)
            if middle is not None:
                middle.apply(record)
            elif record.seq == len(log) // 2:
                found = load(dump(whole, head, code=CODE), code=CODE)
                middle = found[0] if found is not None else None
        assert middle is not None
        assert differs(whole, middle) == ""


def test_the_comparison_sees_a_difference_anywhere() -> None:
    """Each part of each record of a book, changed alone, is told."""
    log = next(iter(logs()))
    for spoil in ("home", "unstated", "commands", "basis", "alerts"):
        one, other = Book(), Book()
        for record in log:
            one.apply(record)
            other.apply(record)
        assert differs(one, other) == ""
        old = getattr(other, spoil)
        setattr(other, spoil, old + "x" if isinstance(old, str) else type(old)())
        assert bool(differs(one, other)) == (getattr(one, spoil) != getattr(other, spoil))
    vault = next(iter(other.vaults.values()))
    vault.orders.add(10**15)
    assert "orders._times" in differs(one.vaults, other.vaults, "vaults")


def test_what_other_code_made_is_not_used() -> None:
    """What a record does may have changed."""
    assert load(dump(Book(), START, code="old"), code=CODE) is None


@pytest.mark.parametrize("raw", [b"", b"\x80", b"{}", dump(Book(), START, code=CODE)[:-1]])
def test_what_is_no_state_is_refused(raw: bytes) -> None:
    """Cut or something else."""
    with pytest.raises(StateError, match="cannot be read"):
        load(raw, code=CODE)


def test_a_book_that_is_not_the_fold_of_the_log_has_no_state() -> None:
    """Then something went wrong before."""
    with pytest.raises(StateError, match="the book ends at record 0, the log at 1"):
        dump(Book(), Head(1, "0" * 64, 10), code=CODE)
