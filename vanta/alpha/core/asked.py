"""What follows from operators' commands: the answer, its words, the latch and the exits. Pure; used by `recheck.py`.

A command stands in its own log before the executor's log answers it; so an answer without a command is a difference,
as is a command that was passed over: they are answered in the order of their log.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Any

from vanta.alpha.core.differ import Difference, compared
from vanta.alpha.core.inputs import World
from vanta.common.canonical import content_hash
from vanta.common.errors import BadInput
from vanta.common.events import Kind
from vanta.common.models.base import validate
from vanta.common.models.command import OperatorCommand
from vanta.common.paths import OPERATOR_COMMANDS
from vanta.common.store.personal import WITHHELD
from vanta.common.store.ports import Record
from vanta.common.times import parse_iso
from vanta.executor.core import protect, watch
from vanta.executor.core.answers import answer, flattened, receipt
from vanta.executor.core.book import Book
from vanta.executor.core.verdict import latch

ANSWERS = frozenset({Kind.COMMAND_TAKEN, Kind.COMMAND_REFUSED, Kind.OVERRIDE_SET, Kind.LATCH_RELEASED})
"""The kinds of records that answer a command."""

Given = Sequence[Mapping[str, OperatorCommand]]
"""Of each log of commands, these by id, in its order: on several hosts people ask at Alpha and at the executor."""


def commands(records: Iterable[Record]) -> dict[str, OperatorCommand]:
    """What was given. A line that is no command is none, as for the executor."""
    found: dict[str, OperatorCommand] = {}
    for record in records:
        if record.kind == Kind.COMMAND_GIVEN:
            try:
                command = validate(OperatorCommand, dict(record.payload), file=OPERATOR_COMMANDS)
            except BadInput:
                continue
            found.setdefault(command.command_id, command)
    return found


def unlike(record: Record, command: OperatorCommand) -> Difference | None:
    """Whether an answer has other words than its command. Two names that were withheld cannot be compared."""
    said, ours = dict(record.payload), receipt(command, str(record.payload.get("refused")))
    if all(str(one.get("by")).startswith(WITHHELD) for one in (said, ours)):
        said["by"] = ours["by"]
    return compared(said, ours)


class Asked:
    """Answers decided again. `given`: `None` where the commands are not known, then answers are taken as recorded."""

    def __init__(self, book: Book, world: World, given: Given | None) -> None:
        self._book = book
        self._world = world
        self._given = given
        self._answer: Record | None = None
        self._latch = False
        self._passed: set[tuple[str, str]] = set()

    def over(self) -> None:
        """A crash may cut off what follows, nothing else may."""
        self._answer = None

    @property
    def due(self) -> bool:
        """Whether a record has to follow: the latch of a flatten, or an exit."""
        if self._answer is not None and not self._latch and not self._wishes():
            self._answer = None
        return self._answer is not None

    def answered(self, record: Record) -> Difference | None:
        """An answer: to a command that was given, in its words, and what the book makes of it."""
        body = record.payload
        if record.kind == Kind.COMMAND_TAKEN and body["kind"] == "flatten":
            self._answer, self._passed = record, set()
            self._latch = not watch.latched(self._book, flattened("", None, "").code, body.get("vault"))
        return None if self._given is None else self._decided(record, self._given)

    def _decided(self, record: Record, given: Given) -> Difference | None:
        name = str(record.payload["command_id"])
        log = next((one for one in given if name in one), None)
        if log is None:
            return Difference("command", record.kind, f"{name} is not in {OPERATOR_COMMANDS}")
        open_before = [one for one in takewhile(lambda one: one != name, log) if one not in self._book.commands]
        if open_before:
            return Difference("command", record.kind, f"{open_before[0]} was to be answered before")
        command, world = log[name], self._world
        vaults = world.vaults() if command.kind == "override" and world.vaults_readable else None
        kind, refused = answer(command, self._book, vaults, parse_iso(record.at))
        if (kind, refused) != (record.kind, record.payload.get("refused")):
            return Difference("command", f"{record.kind}: {record.payload.get('refused')}", f"{kind}: {refused}")
        return unlike(record, command)

    def follows(self, record: Record) -> Difference | None:
        """A record that has to follow in the batch of an answer: first the latch, then an exit for each position."""
        answered = self._answer
        assert answered is not None
        body = answered.payload
        if self._latch:
            self._latch = False
            ours = latch(flattened(body["command_id"], body.get("vault"), body["reason"]), self._book.seq)
            return _is(record, answered, Kind.LATCH_SET) or compared(dict(record.payload), ours)
        wishes = self._wishes()
        places = [(wish.vault, wish.instrument_id) for wish in wishes]
        place = _place(record)
        if place != places[0]:
            self._passed.update(places[:places.index(place)] if place in places else places)
            return Difference("command", record.kind, f"{Kind.INTENT_SEEN} ({', '.join(places[0])})")
        return _is(record, answered, Kind.INTENT_SEEN) or exit_of(self._book, wishes[0], record)

    def _wishes(self) -> list[protect.Wish]:
        vault = self._answer.payload.get("vault") if self._answer is not None else None
        return [wish for wish in protect.everything(self._book, vault)
                if (wish.vault, wish.instrument_id) not in self._passed]


def _is(record: Record, answered: Record, kind: Kind) -> Difference | None:
    """Whether this is the record that follows, of the same batch."""
    if record.kind != kind:
        return Difference("command", record.kind, kind)
    return compared({"at": record.at}, {"at": answered.at})


def _place(record: Record) -> tuple[str, str]:
    """Which position an exit leaves."""
    body: Any = record.payload.get("intent") if record.payload.get("from") == "executor" else None
    return (str(body["vault"]), str(body["instrument_id"])) if isinstance(body, dict) else ("", "")


def exit_of(book: Book, wish: protect.Wish, record: Record) -> Difference | None:
    """The record of an exit against the one that the executor makes of a wish."""
    ours = protect.intent(book, wish, parse_iso(record.at))
    why, body = ours["provenance"], record.payload
    return compared(dict(body["intent"]), ours) or compared(
        {"sha256": body["sha256"], "dag_id": record.dag_id, "ids": dict(record.ids)},
        {"sha256": content_hash(ours), "dag_id": why["dag_id"], "ids": {
            "intent_id": ours["intent_id"], "signal_id": why["signal_id"], "vault": wish.vault}})

