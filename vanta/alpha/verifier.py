"""Gathering what verification needs from a home, or from single files, and asking it everything.

Reads only. The order matters while programs run: documents first, then journals, then snapshots, and a document that
seems to have changed is looked at once more.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import vanta.common
import vanta.executor.core
from vanta.alpha.bundle import imported
from vanta.alpha.core.coverage import Coverage
from vanta.alpha.core.cuts import DOCUMENTS
from vanta.alpha.core.inputs import BROKEN
from vanta.alpha.core.retired import Retirements
from vanta.alpha.core.tracked import TrackerFold
from vanta.alpha.core.verification import Finding, Watcher, journal, parsed
from vanta.alpha.core.watchers import TORN, Anchors, Fold, Outputs, Promise, Promises, Receipts, Shortcut, manifest
from vanta.alpha.reading import checkpoint_bytes, log, records
from vanta.alpha.wire import snapshots
from vanta.common.canonical import sha256
from vanta.common.errors import Missing, OperatorError, StateError, UsageError, VantaError
from vanta.common.exitcodes import Check
from vanta.common.models.base import Model
from vanta.common.paths import (
    CONTROL_LOG,
    JOURNALS,
    OPERATOR_COMMANDS,
    PROMOTION_LOG,
    STATE,
    THREAD_TRACKER,
    TRACKER_LOG,
    TRADE_LOG,
    Home,
    command_logs,
    is_bundle,
)
from vanta.common.registry import FILE as INSTRUMENTS
from vanta.common.registry import InstrumentFile
from vanta.common.resources import code_of
from vanta.common.settings import load
from vanta.common.signatures import KEYS, keys
from vanta.common.store.atomic import read
from vanta.common.store.chain import START
from vanta.common.store.checkpoint import FOLDER, read_all
from vanta.common.store.personal import is_withheld
from vanta.common.store.ports import Head
from vanta.common.store.segments import Lost, begin
from vanta.executor.core.state import name_of

MODELS: dict[str, type[Model]] = {row.name: row.model for row in STATE if row.model is not None}
RECORDED = frozenset(row.name for row in STATE if row.model is not None and row.writer.startswith("markets"))
"""Documents whose writers record their hash."""

_IN_ORDER = (*(name for name in JOURNALS if name not in (TRADE_LOG, OPERATOR_COMMANDS)), TRADE_LOG, OPERATOR_COMMANDS)
"""Other journals name records of the trade log, which names commands: whoever names is read first."""


class Verifier:
    """One walk over one home."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._bundle = imported(home)
        self._findings: list[Finding] = [] if self._bundle is None else self._bundle.findings()
        self._outputs = Outputs()
        self._receipts = Receipts()
        self._anchors = Anchors()
        self._retired = Retirements()
        self._signed = 0
        self._promises: list[Promises] = []
        self._coverage = Coverages(home.config / KEYS)

    def run(self) -> list[Finding]:
        """Everything. Raises nothing that a damaged home could cause."""
        documents = self._documents()
        found = [name for name in _IN_ORDER if self._journal(name, documents)]
        lost = [name for name in documents if name in DOCUMENTS] if TRADE_LOG not in found else []
        self._findings += [_critical(TRADE_LOG, f"is missing, but {name} is its fold") for name in lost[:1]]
        if THREAD_TRACKER in documents and TRACKER_LOG not in found:
            self._findings.append(_critical(TRACKER_LOG, f"is missing, but {THREAD_TRACKER} is its fold"))
        self._asked_elsewhere()
        self._findings += self._coverage.findings
        self._findings += [*self._receipts.judge(), *self._retired.judge(self._signed)]
        self._findings += self._anchors.judge() if TRADE_LOG in found else []
        self._written(documents)
        for name, raw in documents.items():
            if name not in DOCUMENTS:
                self._findings.append(parsed(name, raw, MODELS[name]))
        self._configuration()
        self._findings += self._snapshots()
        return self._findings

    def _asked_elsewhere(self) -> None:
        """Commands that were given on another host; whether that log is sound is said where it is written."""
        for path in command_logs(self._home)[1:]:
            try:
                for record in records(path):
                    self._receipts.take(record)
            except StateError as error:
                self._findings.append(_unknown(str(path), error.what))

    def _documents(self) -> dict[str, bytes]:
        found = {}
        for name in MODELS:
            raw = self._read(name)
            if raw is not None:
                found[name] = raw
        return found

    def _read(self, name: str, how: Callable[[Path], bytes] = read) -> bytes | None:
        """The bytes, `None` if there is no such file; one that cannot be read is a finding."""
        try:
            return how(self._home.file(name))
        except Missing:
            return None
        except StateError as error:
            self._findings.append(_unknown(name, error.what))
            return None

    def _journal(self, name: str, documents: dict[str, bytes]) -> bool:
        coverage = self._coverage.of(self._home.file(name))  # before the log, which only grows
        raw, start = self._log(name)
        if raw is None:
            if not self._home.file(name).exists():
                self._findings += filter(None, [coverage.missing()])
            return False
        self._coverage.again(self._home.file(name), coverage)
        self._retired.begins(name, start)
        promises = Promises(name) if self._bundle is None else self._bundle.promises(name)
        self._promises.append(promises)
        watchers: list[Watcher] = [promises, self._outputs, self._receipts, self._retired, coverage]
        if self._bundle is not None:
            watchers.append(self._bundle.ends(name))
        self._findings += withheld(self._home.file(name), raw, start)
        if name in (TRADE_LOG, PROMOTION_LOG):
            watchers.append(self._anchors)
        if name == TRACKER_LOG:
            watchers.append(TrackerFold(documents.get(THREAD_TRACKER)))
        if name == TRADE_LOG:
            fold = Fold({one: raw for one, raw in documents.items() if one in DOCUMENTS})
            watchers += [fold, *self._shortcut(fold, coverage.state)]
        self._findings += journal(name, raw, watchers, begin=start)
        self._signed = coverage.reach if name == CONTROL_LOG else self._signed
        return True

    def _log(self, name: str) -> tuple[bytes | None, Head]:
        """The bytes and where they begin, `None` if there is no such log; one that cannot be read is a finding."""
        try:
            return log(self._home.file(name))
        except Missing:
            return None, START
        except Lost as error:
            self._findings.append(_critical(name, error.what))
            return None, START
        except StateError as error:
            self._findings.append(_unknown(name, error.what))
            return None, START

    def _shortcut(self, fold: Fold, digest: str | None) -> Iterator[Watcher]:
        """A look at the state that the newest checkpoint names, if it names one."""
        if digest is not None:
            yield Shortcut(fold, digest, self._read(name_of(digest)), code_of(vanta.executor.core, vanta.common))

    def _written(self, documents: dict[str, bytes]) -> None:
        for name in sorted(RECORDED & documents.keys()):
            wrong = self._outputs.judge(name, sha256(documents[name]))
            again = self._read(name) if wrong is not None else None
            if again is not None:
                documents[name] = again
                wrong = self._outputs.judge(name, sha256(again))
            if wrong is not None:
                self._findings.append(wrong)

    def _configuration(self) -> None:
        """What operators write besides `memory/`: settings and instruments, where they exist."""
        path = self._home.config / INSTRUMENTS
        try:
            self._findings.append(parsed(f"config/{INSTRUMENTS}", read(path), InstrumentFile))
        except Missing:
            pass
        except StateError as error:
            self._findings.append(_unknown(f"config/{INSTRUMENTS}", error.what))
        try:
            load(self._home, {})
        except OperatorError as error:
            self._findings.append(_critical("config/vanta.toml", error.what))

    def _snapshots(self) -> Iterator[Finding]:
        """Every promised snapshot is there and is what its name says; so are the payloads that manifests list."""
        store, seen, sound = snapshots(self._home), set[tuple[str, str]](), set[str]()
        waiting = [promise for promises in self._promises for promise in promises.all.values()]
        while waiting:
            promise = waiting.pop()
            if (promise.digest, promise.what) in seen:
                continue
            seen.add((promise.digest, promise.what))
            if self._bundle is not None and self._bundle.is_gone(promise.digest):
                continue
            try:
                raw = self._torn(promise) if promise.what == TORN else store.get(promise.digest)
                waiting += [Promise(digest, f"a payload of {promise.what}", promise.file, promise.line)
                            for digest in manifest(promise.what, raw)]
                sound.add(promise.digest)
            except (VantaError, *BROKEN) as error:
                yield Finding(level=Check.CRITICAL, file=promise.file, line=promise.line,
                              text=f"promises {promise.what}: {getattr(error, 'what', repr(error))}")
        if sound:
            yield Finding(level=Check.OK, file="snapshots", text=f"{len(sound):,} that were promised are there")

    def _torn(self, promise: Promise) -> bytes:
        for path in sorted(self._home.memory.glob(f"{promise.file}.torn-*")):
            raw = read(path)
            if sha256(raw) == promise.digest:
                return raw
        raise Missing("the bytes that were set aside are gone")


class Coverages:
    """Checkpoint files, held to the list of keys at `path`. `findings` are what is wrong with the list itself.

    The list is read after the checkpoints: a key that follows another is on it before it signs.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.findings: list[Finding] = []

    def of(self, log: Path) -> Coverage:
        """What the checkpoints beside a journal say."""
        try:
            raw, start = checkpoint_bytes(log), begin(log)
        except Missing:
            return Coverage(log.name, None, trusted=False)
        except StateError as error:
            self.findings.append(_unknown(f"{FOLDER}/{log.name}", error.what))
            return Coverage(log.name, None, trusted=False)
        trusted = self._keys()
        return Coverage(log.name, read_all(raw, log.name, trusted, after=start.seq), trusted=trusted is not None,
                        begin=start)

    def again(self, log: Path, coverage: Coverage) -> None:
        """Once more, after the log was read: what was written in between is signed by now."""
        with contextlib.suppress(StateError):
            coverage.also(read_all(checkpoint_bytes(log), log.name, self._keys(), after=begin(log).seq))

    def _keys(self) -> tuple[str, ...] | None:
        try:
            return keys(read(self._path))
        except Missing:
            return None  # the finding of each journal says that nobody vouches for its key
        except StateError as error:
            found = _critical(f"config/{KEYS}", error.what)
            self.findings += [found] if found not in self.findings else []
            return None


def verify_file(path: Path) -> list[Finding]:
    """One file by itself: a journal's chain and fold, or a document's form. Raises `UsageError` for other files."""
    name = path.name
    if name not in MODELS and name not in JOURNALS:
        raise UsageError(f"{path} is no journal or document of VANTA", "Name a file of a home's memory/ folder.")
    try:
        return _verify_journal(path) if name in JOURNALS else [parsed(name, read(path), MODELS[name])]
    except StateError as error:
        return [_unknown(str(path), error.what)]


def _verify_journal(path: Path) -> list[Finding]:
    coverages = Coverages(path.absolute().parent.parent / "config" / KEYS)
    coverage = coverages.of(path)
    return [*covered_by(path, [coverage], coverages), *coverages.findings]


def covered_by(path: Path, held_to: Sequence[Coverage], coverages: Coverages,
               more: Sequence[Watcher] = ()) -> list[Finding]:
    """A journal's chain and fold, and whether it runs through checkpoints. Raises `StateError` if it is unreadable.

    The first of `held_to` is the log's own coverage.
    """
    try:
        raw, start = log(path)
    except Missing as error:
        return list(filter(None, (one.missing() for one in held_to))) or [_unknown(str(path), error.what)]
    coverages.again(path, held_to[0])
    folds: dict[str, Watcher] = {TRADE_LOG: Fold({}), TRACKER_LOG: TrackerFold(None)}
    watchers = [*filter(None, [folds.get(path.name)]), *more, *held_to]
    return [*withheld(path, raw, start), *journal(path.name, raw, watchers, begin=start)]


def withheld(path: Path, raw: bytes, start: Head) -> list[Finding]:
    """A home's own log holds every value; only one that was laid out from a bundle may lack some."""
    if not is_withheld(raw) or is_bundle(Home(path.absolute().parent.parent)):
        return []
    line = next(number for number, one in enumerate(raw.split(b"\n"), start=start.seq + 1) if is_withheld(one))
    return [Finding(level=Check.CRITICAL, file=path.name, line=line,
                    text="a value was withheld from this record: that is no log of a home's own")]


def _critical(file: str, text: str) -> Finding:
    return Finding(level=Check.CRITICAL, file=file, text=text)


def _unknown(file: str, text: str) -> Finding:
    return Finding(level=Check.UNKNOWN, file=file, text=text)
