"""What verification has to remember from record to record, one watcher for each question. Pure.

| watcher | question |
|---|---|
| `Fold` | can the executor's records have happened in this order, and are its documents their fold? |
| `Shortcut` | is the state, from which the executor would start, the fold too? |
| `Promises` | which snapshots do the records promise? |
| `Outputs` | which version of each document was written last? |
| `Receipts` | does every answer to a command, a release among them, have the command that a person gave? |
| `Anchors` | does the trade log still have the records that promotions rested on? |
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vanta.alpha.core.asked import ANSWERS, commands, unlike
from vanta.alpha.core.cuts import Cuts
from vanta.alpha.core.inputs import BROKEN, is_digest, wanted
from vanta.alpha.core.verification import Finding
from vanta.common import strictjson
from vanta.common.canonical import sha256
from vanta.common.errors import StateError
from vanta.common.events import Kind
from vanta.common.exitcodes import Check
from vanta.common.models.command import OperatorCommand
from vanta.common.paths import OPERATOR_COMMANDS, PROMOTION_LOG, TRADE_LOG
from vanta.common.store.ports import Record
from vanta.executor.core.book import Book
from vanta.executor.core.state import agrees, claim, name_of

TORN = "torn tail"
"""The promise of a repair: the bytes lie beside the journal, not in the store."""


class Fold:
    """The trade log as the executor folds it, and its documents at their records."""

    def __init__(self, documents: Mapping[str, bytes]) -> None:
        self.book = Book()
        self._cuts = Cuts(documents)

    def take(self, record: Record) -> str | None:
        """See `Watcher.take`."""
        try:
            self.book.apply(record)
            self._cuts.look(self.book)
        except StateError as error:
            return error.what.removeprefix(f"record {record.seq}: ")
        except BROKEN as error:
            return f"is not what a {record.kind} record says: {error!r}"
        return None

    def end(self, *, whole: bool) -> Sequence[Finding]:
        """See `Watcher.end`. Behind a break nothing is known, so documents from there on cannot be compared."""
        self._cuts.end(self.book)
        equal = [Finding(level=Check.OK, file=name, text="is the fold of the log") for name in self._cuts.compared]
        return equal + [Finding(level=Check.UNKNOWN if one.ahead and not whole else Check.CRITICAL, file=one.file,
                                text=one.text) for one in self._cuts.findings]


class Shortcut:
    """The state that a checkpoint names is the fold at its record. Has to stand behind `fold` in the row of watchers.

    `raw` is `None` where its file is gone, which costs the next start some time and nothing else.
    """

    def __init__(self, fold: Fold, digest: str, raw: bytes | None, code: str) -> None:
        self._fold = fold
        self._raw = raw or b""
        self._file = name_of(digest)
        self._at = 0
        self._found = self._first_look(digest, raw, code)

    def _first_look(self, digest: str, raw: bytes | None, code: str) -> Finding | None:
        """What there is to say without the log."""
        if raw is None:
            return self._says(Check.OK, "is gone: the next start folds the whole log")
        if sha256(raw) != digest:
            return self._says(Check.CRITICAL, "is not what a checkpoint names")
        try:
            said = claim(raw)
        except StateError:
            said = None
        if said is None or said.code != code:
            return self._says(Check.OK, "was made by other code: the next start folds the whole log")
        self._at = said.seq
        return None

    def _says(self, level: Check, text: str) -> Finding:
        return Finding(level=level, file=self._file, text=text)

    def take(self, record: Record) -> str | None:
        """See `Watcher.take`."""
        if record.seq == self._at and agrees(self._raw, self._fold.book):
            self._found = self._says(Check.OK, f"is the fold up to record {self._at:,}")
        return None

    def end(self, *, whole: bool) -> Sequence[Finding]:
        """See `Watcher.end`. Behind a break nothing is known."""
        return [self._found or self._says(Check.CRITICAL if whole else Check.UNKNOWN,
                                          f"is not the fold of the log at record {self._at:,}")]


@dataclass(frozen=True, slots=True)
class Promise:
    """A snapshot that a record says exists."""

    digest: str
    what: str
    file: str
    line: int


class Promises:
    """Every snapshot that a journal's records promise, once for each use, with the first record that named it so."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.all: dict[tuple[str, str], Promise] = {}

    def take(self, record: Record) -> str | None:
        """See `Watcher.take`."""
        if record.kind not in _PROMISING:
            return None
        try:
            for what, digest in promised(record):
                self.all.setdefault((digest, what), Promise(digest, what, self._name, record.seq))
        except BROKEN as error:
            return f"is not what a {record.kind} record says: {error!r}"
        return None

    def end(self, *, whole: bool) -> Sequence[Finding]:  # noqa: ARG002 - the watcher's shape
        """See `Watcher.end`."""
        return ()


_KEPT: dict[str, tuple[str, ...]] = {
    Kind.COLLECTED: ("inputs", "output"), Kind.REFLECTED: ("cause", "ranks", "unreadable"),
    Kind.PROMOTED: ("inputs", "instruments", "rules"),
}
"""Parts of a record whose hashes are all of snapshots."""

_PROMISING = frozenset({*_KEPT, Kind.PROGRAM_STARTED, Kind.CONTROL_SEEN, Kind.INSTRUMENTS_SEEN, Kind.ADJUSTMENT,
                        Kind.BROKER_SYNC, Kind.TAIL_REPAIRED})
"""The kinds for which `promised` finds anything."""

_WRITING = frozenset({Kind.COLLECTED, Kind.REFLECTED, Kind.PROMOTED})


def promised(record: Record) -> Iterator[tuple[str, str]]:
    """Name and hash of each snapshot that a record of this kind promises."""
    yield from wanted(record)
    if record.kind in (Kind.ADJUSTMENT, Kind.BROKER_SYNC) and is_digest(record.payload.get("evidence")):
        yield "evidence", record.payload["evidence"]
    if record.kind == Kind.TAIL_REPAIRED:
        yield TORN, record.payload["sha256"]
    for part in _KEPT.get(record.kind, ()):
        yield from _digests(part, record.payload.get(part))


def _digests(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _digests(f"{path}.{name}", item)
    elif is_digest(value):
        yield path, value


def manifest(what: str, raw: bytes) -> list[str]:
    """The hashes of the raw payloads that a `collected` record's manifest lists; none for other snapshots."""
    if what != "inputs.payloads":
        return []
    return [entry["sha256"] for entry in strictjson.loads(raw, file="payload manifest")]


class Outputs:
    """What each document's last version was, by the records of the program that writes it."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}
        self._before: dict[str, str | None] = {}

    def take(self, record: Record) -> str | None:
        """See `Watcher.take`."""
        if record.kind not in _WRITING:
            return None
        for name, digest in outputs(record):
            self._before[name] = self._last.get(name)
            self._last[name] = digest
        return None

    def end(self, *, whole: bool) -> Sequence[Finding]:  # noqa: ARG002 - the watcher's shape
        """See `Watcher.end`."""
        return ()

    def judge(self, name: str, digest: str) -> Finding | None:
        """Whether a document is what was recorded as written last; `None` if it is."""
        last = self._last.get(name)
        if last == digest:
            return None
        if last is None:
            return Finding(level=Check.UNKNOWN, file=name, text="no record says that it was written")
        if self._before.get(name) == digest:
            return Finding(level=Check.UNKNOWN, file=name,
                           text="is the version before the last recorded one: a pass was cut off or is under way")
        return Finding(level=Check.CRITICAL, file=name,
                       text=f"is not what was recorded as written last ({last[:12]}): it was changed since")


def outputs(record: Record) -> Iterator[tuple[str, str]]:
    """File and hash of every document that a record says it wrote."""
    one = record.payload.get("output")
    if isinstance(one, dict) and is_digest(one.get("sha256")):
        yield str(one["file"]), one["sha256"]
    several = record.payload.get("outputs")
    if isinstance(several, dict):
        yield from ((name, digest) for name, digest in several.items() if is_digest(digest))


class Anchors:
    """Records of the trade log that promotions name by number and hash. Watches the promotion log, then the trade log.

    They hold the trade log's tail: it cannot be cut off cleanly behind the last promotion's back.
    """

    def __init__(self) -> None:
        self._named: dict[int, tuple[str, int]] = {}

    def take(self, record: Record) -> str | None:
        """See `Watcher.take`."""
        if record.kind == Kind.PROMOTED:
            head = record.payload.get("trade_log", {})
            if head.get("seq"):
                self._named[head["seq"]] = (head["hash"], record.seq)
            return None
        named = self._named.pop(record.seq, None)
        if named is not None and named[0] != record.hash:
            return f"is not the record that line {named[1]} of {PROMOTION_LOG} rested on ({named[0][:12]})"
        return None

    def end(self, *, whole: bool) -> Sequence[Finding]:  # noqa: ARG002 - the watcher's shape
        """See `Watcher.end`."""
        return ()

    def judge(self) -> list[Finding]:
        """Once both journals were watched: anchors that the trade log does not reach."""
        if not self._named:
            return []
        last = max(self._named)
        by = f"line {self._named[last][1]} of {PROMOTION_LOG}"
        return [Finding(level=Check.CRITICAL, file=TRADE_LOG, text=f"ends before record {last}, which {by} rested on")]


class Receipts:
    """Answers in the trade log against the commands that people gave. Watches both journals."""

    def __init__(self) -> None:
        self._given: dict[str, OperatorCommand] = {}
        self._answers: list[Record] = []

    def take(self, record: Record) -> str | None:
        """See `Watcher.take`."""
        for name, command in commands([record]).items():
            self._given.setdefault(name, command)
        if record.kind in ANSWERS:
            self._answers.append(record)
        return None

    def end(self, *, whole: bool) -> Sequence[Finding]:  # noqa: ARG002 - the watcher's shape
        """See `Watcher.end`."""
        return ()

    def judge(self) -> list[Finding]:
        """Once both journals were watched: answers to what nobody asked for in these words."""
        found = []
        for record in self._answers:
            name = str(record.payload.get("command_id"))
            command = self._given.get(name)
            if command is None or unlike(record, command) is not None:
                what = "releases a latch by" if record.kind == Kind.LATCH_RELEASED else f"({record.kind}) answers"
                found.append(Finding(level=Check.CRITICAL, file=TRADE_LOG, line=record.seq, text=(
                    f"{what} {name}, which is not in {OPERATOR_COMMANDS}" if command is None
                    else f"{what} {name} in other words than {OPERATOR_COMMANDS} has")))
        return found
