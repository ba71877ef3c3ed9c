"""Writing what a home has recorded into one file for somebody else: see docs/adr/0019-audit-bundles.md.

Reads only; the programs may be running. Documents are read before the logs, a log's checkpoints before the log, and
logs that name records of another before that one, so that nothing that goes in can be ahead of what it rests on. One
log or one snapshot is held in memory at a time.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import orjson

import vanta
from vanta import __version__
from vanta.alpha.archive import Writer, writing
from vanta.alpha.core.bundle import (
    KEY_FILE,
    README,
    SCHEMA,
    SIGNATURE,
    Copy,
    Count,
    Gone,
    LogEnd,
    Manifest,
    encode,
)
from vanta.alpha.core.leaks import leaks, named, spellings
from vanta.alpha.core.ranges import Begins, InRange, Rests, cut, whole_lines
from vanta.alpha.core.redaction import ALWAYS_GONE, OURS, PAYLOAD, personal, redacted
from vanta.alpha.core.verification import Finding, Watcher, journal
from vanta.alpha.core.watchers import TORN, Outputs, Promise, manifest
from vanta.alpha.reading import checkpoint_bytes
from vanta.alpha.reading import log as read_log
from vanta.alpha.wire import pieces
from vanta.common.canonical import sha256
from vanta.common.errors import BadInput, CredentialsRefused, Missing, OperatorError, StateError
from vanta.common.exitcodes import Check, Exit
from vanta.common.ids import draw_salt
from vanta.common.paths import (
    ASSISTANT_LOG,
    CALLS,
    COLLECTION_LOG,
    CONTROL_LOG,
    MANIFEST,
    OPERATOR_COMMANDS,
    PROMOTION_LOG,
    REDACTED,
    REFLECTION_LOG,
    SEGMENTS,
    SNAPSHOTS,
    STATE,
    TRACKER_LOG,
    TRADE_LOG,
    Home,
    own,
)
from vanta.common.registry import FILE as INSTRUMENTS
from vanta.common.resources import code_of, load
from vanta.common.secrets import credential_exists, values_of_all
from vanta.common.signatures import KEYS, Signer, pem
from vanta.common.signing_key import CREDENTIAL, signer_of
from vanta.common.store.atomic import read
from vanta.common.store.checkpoint import FOLDER, Checkpoint
from vanta.common.store.personal import values, withhold
from vanta.common.store.segments import CHECKPOINTS
from vanta.common.store.segments import name as piece_name

RULES = ("sources.json", "personas.json", "decay_q30.json", "logistic.json")
_IN_ORDER = (PROMOTION_LOG, TRADE_LOG, OPERATOR_COMMANDS, REFLECTION_LOG, COLLECTION_LOG, CONTROL_LOG,
             TRACKER_LOG, ASSISTANT_LOG, *CALLS)
"""A promotion names records of the trade log, which names commands: whoever names is read first. The log of controls
says of all others what was put away of them."""


class SecretFound(OperatorError):
    """Something that must not leave this host stands in what was to be exported."""

    exit_code = Exit.REFUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be exported. Times are ISO texts, empty for everything; `full` withholds nothing."""

    at: str
    since: str = ""
    until: str = ""
    by: str = ""
    full: bool = False
    payloads: bool = True


@dataclass(slots=True)
class Exported:
    """What came of it: the manifest, what is wrong with the home itself, and where texts name people all the same."""

    manifest: Manifest
    findings: list[Finding] = field(default_factory=list)
    named: list[str] = field(default_factory=list)


def export(home: Home, path: Path, asked: Asked) -> Exported:
    """Write the bundle to `path`. Raises `UsageError`, `StateError`, or `SecretFound` naming the place."""
    own(home)
    with writing(path) as archive:
        return _Export(home, archive, asked).run()


class _Export:
    """One walk over one home."""

    def __init__(self, home: Home, archive: Writer, asked: Asked) -> None:
        self._home, self._archive, self._asked = home, archive, asked
        self._store = pieces(home)
        self._signer, self._note = _signer(home)
        self._secret = self._signer.sign(b"vanta: what is withheld from snapshots") if self._signer else draw_salt()
        self._secrets = spellings(list(_credentials(home)))
        self._home_id = ""
        self._put_away = False
        self._logs: list[LogEnd] = []
        self._counts: dict[tuple[str, str], int] = {}
        self._promises: dict[str, list[Promise]] = {}
        self._copies: list[Copy] = []
        self._gone: list[Gone] = []
        self._outputs = Outputs()
        self._findings: list[Finding] = []
        self._pieces: set[str] = set()
        self._people: set[str] = set()

    def run(self) -> Exported:
        """Everything."""
        documents = self._documents()
        self._put(README, load("bundle_readme.txt"), own=True)
        rests, end, reach = Rests(), None, self._asked.until
        for name in _IN_ORDER:
            if name in (OPERATOR_COMMANDS, CONTROL_LOG):  # the trade log may name what they hold
                since_then = name == CONTROL_LOG and self._put_away  # that was said when it was put away, not before
                self._log(name, "" if end is None or since_then else end.at, 0, [])
            elif name in (TRACKER_LOG, ASSISTANT_LOG, *CALLS):
                self._log(name, self._asked.until, 0, [])
            elif name == TRADE_LOG:
                end = self._log(name, self._asked.until, rests.seq, [])
            else:
                made = self._log(name, reach, 0, [rests] if name == PROMOTION_LOG else [])
                reach = max(reach, made.at) if made is not None else ""  # the step before has to reach as far
        self._keys()
        for name, raw in documents.items():
            if self._outputs.judge(name, sha256(raw)) is None or name not in _RECORDED:
                self._put(f"memory/{name}", raw, own=name not in _RECORDED)
        for digest in sorted(self._promises):
            self._snapshot(digest, self._promises[digest])
        rules = {name: load(name) for name in RULES}
        for name, raw in rules.items():
            self._put(f"rules/{name}", raw, own=True)
        return Exported(self._manifest({name: sha256(raw) for name, raw in rules.items()}), self._findings,
                        [] if self._asked.full else list(self._named()))

    def _put(self, name: str, data: bytes, *, own: bool) -> None:
        for line, what in leaks(data, self._secrets, own=own):
            raise SecretFound(f"{name}:{line} holds {what}: nothing is exported",
                              "Look at that line in the home. A secret that was recorded is to be replaced at its "
                              "service; then export up to a time before it, or ask who is to receive it.")
        self._archive.add(name, data)

    def _documents(self) -> dict[str, bytes]:
        """Documents are the last folds of whole logs, and show what was withheld."""
        found = {}
        for name in (row.name for row in STATE if row.shape is not None) if self._everything else ():
            with suppress(Missing):
                found[name] = read(self._home.file(name))
        return found

    @property
    def _everything(self) -> bool:
        return self._asked.full and not self._asked.until

    def _log(self, name: str, until: str, least: int, watchers: Sequence[Watcher]) -> Checkpoint | None:
        """One log with its checkpoints. Returns the one that it ends at, `None` if it goes in as far as it is."""
        checkpoints, end = cut(_checkpoints(self._home, name), until, least)
        try:
            raw, start = read_log(self._home.file(name))
        except Missing:
            return None
        lines = whole_lines(raw, end, start)
        begins = Begins(self._asked.since, start)
        promises = InRange(name, lambda: begins.seq)
        self._findings += _bad(journal(name, lines, [begins, promises, *watchers, self._outputs], begin=start))
        for promise in promises.all.values():
            self._promises.setdefault(promise.digest, []).append(promise)
        self._put(f"memory/{name}", lines if self._asked.full else self._withheld(name, lines), own=True)
        if checkpoints:
            self._put(f"memory/{FOLDER}/{name}", checkpoints, own=True)
        if start.seq:  # an empty piece says where the log begins
            self._put_away = True
            piece = f"memory/{SEGMENTS}/{name}/{piece_name(start.seq + 1, start.size, start.size)}"
            self._put(piece, b"", own=True)
            self._put(piece.removesuffix(".jsonl") + CHECKPOINTS, checkpoints[:checkpoints.find(b"\n") + 1], own=True)
        if begins.last is not None:
            self._logs.append(LogEnd(name=name, records=begins.last.seq, head=begins.last.hash, since=begins.seq,
                                     before=begins.before, more=len(raw) > len(lines)))
        if name == TRADE_LOG:
            self._home_id = _home_id(lines)
        return end

    def _withheld(self, name: str, lines: bytes) -> bytes:
        made = []
        for line in lines.splitlines(keepends=True):
            short = withhold(line)
            if short != line:
                if name not in CALLS:  # hosts of feeds stand in many a text, and are public
                    self._people.update(values(line))
                for key in _personal_fields(line):
                    self._counts[name, key] = self._counts.get((name, key), 0) + 1
            made.append(short)
        return b"".join(made)

    def _keys(self) -> None:
        with suppress(Missing):
            raw = read(self._home.config / KEYS)
            self._put(f"config/{KEYS}", raw if self._asked.full else self._withheld(f"config/{KEYS}", raw), own=True)
        if self._signer is not None:
            self._put(KEY_FILE, pem(self._signer.public), own=True)
        if self._everything:
            with suppress(Missing):
                self._put(f"config/{INSTRUMENTS}", read(self._home.config / INSTRUMENTS), own=True)

    def _snapshot(self, digest: str, promises: list[Promise]) -> None:
        whats = sorted({one.what for one in promises})
        what = ", ".join(whats)
        why = self._why_not(whats)
        if why:
            self._gone.append(Gone(sha256=digest, what=what, why=why))
            return
        try:
            raw = self._store.get(digest)
            listed = [(one, entry) for one in promises for entry in manifest(one.what, raw)]
        except (StateError, BadInput) as error:
            self._findings.append(Finding(level=Check.CRITICAL, file=promises[0].file, line=promises[0].line,
                                          text=f"promises {what}: {error.what}"))
            return
        patterns = () if self._asked.full else personal(whats)
        if not (patterns and self._copy(digest, raw, patterns, what)):
            self._place(digest, own=any(what in OURS for what in whats))
        for one, entry in listed:
            self._payload(entry, Promise(entry, PAYLOAD + one.what, one.file, one.line))

    def _why_not(self, whats: Sequence[str]) -> str:
        """Why a snapshot is left out as a whole, empty if it is not. Evidence may be what another record names too."""
        if TORN in whats:
            return ALWAYS_GONE[TORN]
        alone = not self._asked.full and all(what in ALWAYS_GONE for what in whats)
        return ALWAYS_GONE[whats[0]] if alone else ""

    def _copy(self, digest: str, raw: bytes, patterns: Sequence[str], what: str) -> bool:
        """Put a redacted copy in the snapshot's place, if there is anything to redact."""
        try:
            made = redacted(raw, patterns, lambda path: sha256(f"{self._secret}\n{digest}\n{path}".encode())[:32])
        except BadInput:
            self._gone.append(Gone(sha256=digest, what=what, why="it is not JSON: nobody can say whom it names"))
            return True
        if made.fields:
            self._people.update(made.values)
            self._put(f"memory/{REDACTED}/{digest}", made.raw, own=True)
            self._copies.append(Copy(sha256=digest, what=what, copy=sha256(made.raw), fields=made.fields))
        return bool(made.fields)

    def _place(self, digest: str, *, own: bool) -> None:
        for name, data in self._store.pieces(digest):
            if name not in self._pieces:
                self._pieces.add(name)
                self._put(f"memory/{SNAPSHOTS}/{name}", data, own=own)

    def _payload(self, digest: str, promise: Promise) -> None:
        """A raw payload that a pass has read. Other passes and records may name the same bytes."""
        if digest in self._promises or f"{digest[:2]}/{digest}" in self._pieces:
            return
        if not self._asked.payloads:
            self._gone.append(Gone(sha256=digest, what=promise.what, why="raw payloads were left out"))
            self._pieces.add(f"{digest[:2]}/{digest}")
            return
        try:
            self._place(digest, own=False)
        except StateError as error:
            self._findings.append(Finding(level=Check.CRITICAL, file=promise.file, line=promise.line,
                                          text=f"promises {promise.what}: {error.what}"))

    def _named(self) -> Iterator[str]:
        """Where a text of a log names somebody whose name was withheld. Texts go in as they are: they are the why."""
        for log in self._logs:
            raw, start = read_log(self._home.file(log.name))
            lines = named(withhold(raw), self._people)
            lines = [start.seq + line for line in lines if start.seq + line <= log.records]
            if lines:
                yield (f"{log.name}: the text of {len(lines):,} records names somebody whose name is withheld, first "
                       f"that of record {lines[0]:,}")

    def _manifest(self, rules: dict[str, str]) -> Manifest:
        asked = self._asked
        made = Manifest(
            schema=SCHEMA, home=self._home_id, made_at=asked.at, made_by=asked.by, program=f"vanta {__version__}",
            since=asked.since, until=asked.until, personal="kept" if asked.full else "withheld",
            payloads="kept" if asked.payloads else "left out",
            key=self._signer.public if self._signer else "", note=self._note, code=code_of(vanta), rules=rules,
            logs=self._logs, withheld=[Count(log=log, field=name, times=times)
                                       for (log, name), times in sorted(self._counts.items())],
            redacted=self._copies, gone=self._gone, members=self._archive.members[:])
        raw = encode(made)
        self._archive.add(MANIFEST, raw)
        if self._signer is not None:
            self._archive.add(SIGNATURE, self._signer.sign(raw).encode() + b"\n")
        return made


_RECORDED = frozenset(row.name for row in STATE if row.shape is not None and row.writer.startswith("markets"))


def _checkpoints(home: Home, name: str) -> bytes:
    """The signed heads of a log, empty if there are none."""
    try:
        return checkpoint_bytes(home.file(name))
    except Missing:
        return b""


def _signer(home: Home) -> tuple[Signer | None, str]:
    """The home's key, or why it is not here. None is made: only who keeps the logs does that."""
    try:
        if (home.config / KEYS).exists() and credential_exists(CREDENTIAL, home):
            return signer_of(home), ""
    except (CredentialsRefused, StateError) as error:
        return None, f"not signed: {error.what}"
    return None, "not signed: the key that signs the logs is not here"


def _credentials(home: Home) -> Iterator[str]:
    """The values of every credential that lies in the home."""
    try:
        yield from values_of_all(home)
    except CredentialsRefused as error:
        raise CredentialsRefused(f"{error.what}, so that nobody can say whether it stands in what is exported",
                                 error.cure) from error


def _bad(findings: Sequence[Finding]) -> list[Finding]:
    return [one for one in findings if one.level is Check.CRITICAL]


def _home_id(lines: bytes) -> str:
    try:
        return str(orjson.loads(lines[:lines.find(b"\n")])["payload"]["home"])
    except (ValueError, LookupError, TypeError):
        return ""


def _personal_fields(line: bytes) -> Iterator[str]:
    """`command.given.by` and its like."""
    try:
        record = orjson.loads(line)
        for name, value in record.get("payload", record).items():
            if isinstance(value, dict) and "$personal" in value:
                yield f"{record.get('kind', 'key')}.{name}"
    except (ValueError, LookupError, TypeError, AttributeError):
        yield "?"
