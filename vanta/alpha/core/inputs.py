"""What an executor's log says it decided on, by content hash, and those contents parsed again. Pure.

`wanted(record)` names the snapshots that a record promises; whoever has the store puts them among the blobs before the
record is learnt. `World` is told every record in turn and knows, at any point of the log, the settings, calendars,
controls, vaults and instruments in force, from those snapshots alone. What is not there is `Absent`, never a default.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from vanta.alpha.core.blobs import Absent, Blobs
from vanta.common import strictjson
from vanta.common.calendars import ALWAYS_OPEN, CONTINUOUS, Calendar
from vanta.common.errors import BadInput
from vanta.common.events import Kind
from vanta.common.instruments import Instrument
from vanta.common.models.base import validate
from vanta.common.models.configuration import Settings
from vanta.common.models.vault import VaultRegistry
from vanta.common.store.ports import Record
from vanta.common.times import millis, parse_iso
from vanta.executor.core.book import Book
from vanta.executor.core.controls import Controls, Known, both, read_overlay
from vanta.executor.core.inputs import FAR, HELD, LEASE, NOWHERE, UNREADABLE
from vanta.executor.core.overrides import in_force
from vanta.executor.core.proposal import Context

PERMITTED = "present"

BROKEN = (LookupError, ValueError, TypeError, ArithmeticError, AttributeError)
"""What reading a record raises that lacks the fields of its kind."""


def wanted(record: Record) -> Iterator[tuple[str, str]]:
    """Name and hash of every input that a record of the trade log promises to be in the snapshot store."""
    body = record.payload
    if record.kind == Kind.PROGRAM_STARTED and "settings" in body:
        yield "settings", body["settings"]
        for name, digest in sorted(body.get("calendars", {}).items()):
            yield f"calendar {name}", digest
    if record.kind in (Kind.CONTROL_SEEN, Kind.INSTRUMENTS_SEEN) and is_digest(body["sha256"]):
        yield body["what"], body["sha256"]


def is_digest(text: object) -> bool:
    """Whether this is a SHA-256 in hex: control records also say `present` or why something was unreadable."""
    return isinstance(text, str) and len(text) == 64 and set(text) <= set("0123456789abcdef")


PROMISING = frozenset({Kind.PROGRAM_STARTED, Kind.CONTROL_SEEN, Kind.INSTRUMENTS_SEEN})
"""Kinds of records that state an input, and promise its snapshot."""


class World:
    """See the module's contract. `blobs` holds the bytes of the promised snapshots by hash."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._parsed: dict[tuple[str, str], Any] = {}
        self._said: dict[str, str] = {}
        self._start: Mapping[str, Any] | None = None
        self._problems: dict[str, str] = {}
        self._vaults: str | None = None
        self.started_at = 0
        self._learnt = 0
        self._seen_as: tuple[Any, Context] | None = None

    def learn(self, record: Record) -> None:
        """Take note of a record that states an input."""
        if record.kind in PROMISING:
            self._learnt = record.seq
        if record.kind == Kind.PROGRAM_STARTED:
            self._start, self.started_at = record.payload, record.seq
        elif record.kind in (Kind.CONTROL_SEEN, Kind.INSTRUMENTS_SEEN):
            what = record.payload["what"]
            self._said[what] = record.payload["sha256"]
            self._problems[what] = record.payload.get("problem") or ""
            if what == "vaults" and self.vaults_readable:
                self._vaults = self._said[what]

    def context(self, book: Book, at: str) -> Context:
        """The world as the fences saw it at time `at`. Raises `Absent` if any of it is not there."""
        what = (at, self._learnt, len(book.vaults), tuple(book.overrides))
        if self._seen_as is None or self._seen_as[0] != what or self._seen_as[1].book is not book:
            self._seen_as = (what, self._context(book, at))
        return self._seen_as[1]

    def _context(self, book: Book, at: str) -> Context:
        start = self._start
        if start is None or not {"settings", "brokers", "calendars", "able"} <= start.keys():
            raise Absent(f"record {self.started_at} (program.started) does not name settings, brokers, what they can "
                         "do, and calendars",
                         "It was written by a version that cannot be replayed.")
        settings = self._of("settings", start["settings"])
        now, table = parse_iso(at), self.instruments()
        brokers = frozenset(start["brokers"])
        calendars = {name: self._of("calendar", digest) for name, digest in start["calendars"].items()}
        return Context(
            now=now, now_ms=millis(now), book=book, controls=self.controls(), permit=self._seen("permit") == PERMITTED,
            known=Known(vault=frozenset(book.vaults), broker=brokers, instrument=frozenset(table)),
            vaults=in_force(self.vaults(), book.overrides, millis(now)), vaults_readable=self.vaults_readable,
            instruments=table,
            calendars={**calendars, CONTINUOUS: ALWAYS_OPEN}, brokers=brokers,
            able={account: frozenset(terms) for account, terms in start["able"].items()},
            future_skew_ms=settings.executor.future_skew_s * 1000)

    def settings(self) -> Settings:
        """Those of the run that wrote what comes now."""
        if self._start is None or "settings" not in self._start:
            raise Absent(f"record {self.started_at} (program.started) does not name its settings",
                         "It was written by a version that cannot be replayed.")
        settings: Settings = self._of("settings", self._start["settings"])
        return settings

    def controls(self) -> Controls:
        """The overlay in force; where Alpha is on another host, together with what came from there."""
        local, far = self._overlay("overlay"), self._said.get(FAR, NOWHERE)
        if far == NOWHERE:
            return local
        lease = self._seen(LEASE)
        return both(local, self._overlay(FAR), "" if lease == HELD else self._problems[LEASE])

    def _overlay(self, what: str) -> Controls:
        said = self._seen(what)
        if said.startswith(UNREADABLE):
            return read_overlay(None, problem=self._problems[what])
        controls: Controls = self._of(what, said)
        return controls

    def vaults(self) -> VaultRegistry | None:
        """What vault.json said when it could be read last, `None` if it never could."""
        if self._vaults is None:
            return None
        registry: VaultRegistry = self._of("vaults", self._vaults)
        return registry

    @property
    def vaults_readable(self) -> bool:
        """Whether vault.json could be read."""
        return not self._said.get("vaults", UNREADABLE).startswith(UNREADABLE)

    def instruments(self) -> Mapping[str, Instrument]:
        """The registry in force."""
        table: Mapping[str, Instrument] = self._of("instruments", self._seen("instruments"))
        return table

    def digest(self, what: str) -> str:
        """What the newest record says about one input."""
        return self._said.get(what, "")

    def raw(self, what: str, digest: str) -> bytes:
        """A snapshot as it is in the store. Raises `Absent` if it is not there."""
        return self._blobs.of(digest, what)

    def _seen(self, what: str) -> str:
        if what not in self._said:
            raise Absent(f"no record says what {what} was")
        return self._said[what]

    def _of(self, what: str, digest: str) -> Any:
        key = (what, digest)
        if key not in self._parsed:
            raw = self._blobs.of(digest, what)
            try:
                self._parsed[key] = _PARSERS[what](raw)
            except BadInput as error:
                raise Absent(f"the snapshot of {what} ({digest}) cannot be read by this version: {error.what}",
                             "Replay with the version that wrote the log.") from error
        return self._parsed[key]


def _settings(raw: bytes) -> Settings:
    return validate(Settings, strictjson.loads_object(raw, file="settings"), file="settings")


def _vaults(raw: bytes) -> VaultRegistry:
    return validate(VaultRegistry, strictjson.loads(raw, file="vault.json"), file="vault.json")


@lru_cache(maxsize=4)
def instruments(raw: bytes) -> Mapping[str, Instrument]:
    """A recorded instrument table; nearly all records of a home have the same one."""
    table = strictjson.loads_object(raw, file="instruments")
    return {name: validate(Instrument, item, file="instruments") for name, item in table.items()}


def _far(raw: bytes) -> Controls:
    return read_overlay(raw, file="Alpha's vault_overlay.json")


_PARSERS: dict[str, Callable[[bytes], Any]] = {
    "settings": _settings, "calendar": Calendar.from_bytes, "overlay": read_overlay, FAR: _far, "vaults": _vaults,
    "instruments": instruments,
}
