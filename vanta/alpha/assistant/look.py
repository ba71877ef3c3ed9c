"""Reading a home for one answer: the checks of diagnostics, documents, and the ends of logs. Nothing is written.

Each question is answered from files that are read anew. Of a log as much of the end is read as the question needs, in
steps; what was not read is said. On a host of several, a log that came from another node is read where it lies.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from vanta.alpha.assistant.proposals import Shelf
from vanta.alpha.cli.diagnostics import sighted
from vanta.alpha.core.affairs import Affairs, Said, after
from vanta.alpha.core.assistant.view import View
from vanta.alpha.core.earnings import Earnings
from vanta.alpha.core.inputs import BROKEN, is_digest
from vanta.alpha.core.sights import Doc
from vanta.alpha.core.tracker import Tracker
from vanta.alpha.core.trail import Trail
from vanta.alpha.facts import node_here, whole
from vanta.alpha.reading import records
from vanta.alpha.tracker import look as tracker_of
from vanta.alpha.wire import last_records, snapshots
from vanta.common.errors import StateError, VantaError
from vanta.common.events import Kind
from vanta.common.paths import (
    ALLOCATION,
    COLLECTION_LOG,
    CONTROL_LOG,
    OPEN_ORDERS,
    OPERATOR_COMMANDS,
    OVERLAY,
    PNL,
    PORTFOLIO,
    QUEUE,
    REPLICA,
    SEEN,
    STATE,
    TRACKER_LOG,
    TRADE_LOG,
    TRADE_SIGNALS,
    Home,
)
from vanta.common.registry import Registry
from vanta.common.signatures import KEYS
from vanta.common.store.atomic import read
from vanta.common.store.ports import Record
from vanta.common.times import parse_iso

NEAR, FARTHEST = 4 << 20, 256 << 20
"""Bytes of a log's end: what is read at first, and at the most for a question about a time."""

_DOCS = (OVERLAY, QUEUE, PORTFOLIO, PNL, OPEN_ORDERS, ALLOCATION, TRADE_SIGNALS)
_LOGS = (TRADE_LOG, CONTROL_LOG, OPERATOR_COMMANDS, COLLECTION_LOG, TRACKER_LOG)
_AFFAIRS = frozenset({TRADE_LOG, CONTROL_LOG, OPERATOR_COMMANDS})
_NODE = {row.name: row.node for row in STATE}
_OF_EACH = frozenset({CONTROL_LOG, OPERATOR_COMMANDS})
"""Every node has its own."""


def seat(home: Home, name: str) -> Home:
    """The home in which a file of the state lies: this one, or where it arrived from the node that writes it.

    What a host of several has from the time before there were several is not what the other node says now.
    """
    node, writer = node_here(home), _NODE.get(name, "alpha")
    if name in SEEN.get(node, {}):
        return home.replica(SEEN[node][name])
    elsewhere = home.replica(writer)
    theirs = node not in ("", writer) and name not in _OF_EACH
    return elsewhere if elsewhere.file(name).exists() and (theirs or not home.file(name).exists()) else home


def asked_elsewhere(home: Home) -> list[str]:
    """The logs of commands to the executor that arrived from other nodes, beside the one that `seat` names."""
    there = seat(home, OPERATOR_COMMANDS).file(OPERATOR_COMMANDS)
    names = (f"{REPLICA}/{node}/memory/{OPERATOR_COMMANDS}" for node in ("alpha", "executor"))
    return [name for name in names if home.file(name) != there and home.file(name).exists()]


class Look:
    """One home at one moment. `now` fixes the clock."""

    def __init__(self, home: Home, now: datetime | None = None, *, near: int = NEAR) -> None:
        self.home = home
        self.facts, self.more, self.rows = sighted(home.root, now)
        self.now = self.facts.now
        self._near = near
        self._store = snapshots(home)

    def view(self, since: datetime | None = None) -> View:
        """Everything that most answers need. Logs are read back to `since`, where it is given."""
        logs = {name: self._end(name, since) for name in (*_LOGS, *asked_elsewhere(self.home))}
        affairs = Affairs(Trail())
        warnings = list(self._learn(affairs, logs))
        tracker, problem = self._tracker()
        docs = {name: whole(seat(self.home, name).file(name)) for name in _DOCS}
        return View(
            facts=self.facts,
            more=self.more,
            rows=self.rows,
            logs=logs,
            affairs=affairs,
            docs=docs,
            tracker=tracker,
            tracker_problem=problem,
            warnings=warnings,
            proposals=tuple(Shelf(self.home).listed(docs[OVERLAY], tracker, self.now)),
        )

    def earnings(self) -> Earnings:
        """The fold of the whole trade log, as far as it can be followed."""
        found = Earnings()
        for record in self._whole(TRADE_LOG):
            found.take(record)
        return found

    def names(self) -> dict[str, str]:
        """What people may call things of this home, by small letters: vaults, instruments, personas, sources."""
        return {name.casefold(): name for name in self._names() if name}

    def kept(self, view: View) -> dict[str, bytes]:
        """The settings that programs were started with, as far as they are kept."""
        wanted = {str(one.payload.get("settings")) for one in view.log(TRADE_LOG) if one.kind == Kind.PROGRAM_STARTED}
        return dict(self._contents(wanted))

    def keys(self) -> bytes | None:
        """The list of public keys."""
        return _bytes(self.home.config / KEYS)

    def settings_saved(self) -> datetime | None:
        """When the settings were saved last, by the host's clock; `None` if there are none, or time is shifted here."""
        path = self.home.config / "vanta.toml"
        try:
            saved = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except OSError:
            return None
        return saved if saved <= self.now else None

    def place_at(self, text: str) -> datetime | None:
        """When the record of a place was written."""
        log, _, number = text.replace(".jsonl", "").partition(":")
        file = f"{log}.jsonl"
        found = next((one for one in self._whole(file) if str(one.seq) == number), None) if file in _LOGS else None
        return None if found is None else parse_iso(found.at)

    def _end(self, name: str, since: datetime | None) -> list[Record]:
        """The newest records, oldest first; widened until they reach back to `since`, or are all there is."""
        path, near = seat(self.home, name).file(name), self._near
        while True:
            found = [one for row in last_records(path, near=near) if (one := _record(row)) is not None][::-1]
            if not found or found[0].seq == 1 or since is None or parse_iso(found[0].at) < since or near >= FARTHEST:
                return found
            near *= 4

    def _whole(self, name: str) -> Iterator[Record]:
        try:
            yield from records(seat(self.home, name).file(name))
        except StateError:
            return

    def _learn(self, affairs: Affairs, logs: Mapping[str, list[Record]]) -> Iterator[str]:
        """Fill the index, and fetch the versions of control files that changes are told from."""
        for name in _LOGS:
            for record in logs[name] if name in _AFFAIRS else ():
                try:
                    if name == TRADE_LOG:
                        affairs.trail.take(record)
                    affairs.take(name, record)
                except BROKEN as error:
                    place = Said(name, record).place
                    yield f"{place} lacks what a {record.kind} record says ({error!r}) and was passed over"
        wanted = {str(after(said.record)) for said in affairs.seen}
        affairs.contents |= dict(self._contents(wanted))

    def _contents(self, digests: set[str]) -> Iterator[tuple[str, bytes]]:
        for digest in sorted(filter(is_digest, digests)):
            try:
                yield digest, self._store.get(digest)
            except VantaError:  # what was put away is named by its hash
                continue

    def _tracker(self) -> tuple[Tracker, str]:
        try:
            return tracker_of(self.home), ""
        except StateError as error:
            return Tracker(), error.what

    def _names(self) -> Iterator[str]:
        yield from Registry(self.home)()
        for name in (TRADE_SIGNALS, PORTFOLIO, ALLOCATION, PNL):
            doc = whole(seat(self.home, name).file(name))
            yield from _of(doc, "convictions", "entity", "ticker")
            yield from _of(doc, "vaults", "vault_id")
            for table in ("by_vault", "by_persona", "by_source", "by_band"):
                yield from (key for key in doc.table(table) if key != "none")
        yield from (
            row["vault_id"]
            for row in whole(self.home.file("vault.json")).rows("vaults")
            if isinstance(row.get("vault_id"), str)
        )


def _of(doc: Doc, field: str, *keys: str) -> Iterator[str]:
    return (row[key] for row in doc.rows(field) for key in keys if isinstance(row.get(key), str))


def _record(row: Mapping[str, object]) -> Record | None:
    """A row as a record; nobody has checked its chain. `None` for one that lacks a field."""
    read_: Callable[[str], object] = row.get
    seq, at, kind, ids, payload = (read_(name) for name in ("seq", "at", "kind", "ids", "payload"))
    if (
        not isinstance(seq, int)
        or not isinstance(at, str)
        or not isinstance(ids, dict)
        or not isinstance(payload, dict)
    ):
        return None
    try:
        parse_iso(at)
    except ValueError:
        return None
    dag = read_("dag_id")
    return Record(seq, at, str(kind), dag if isinstance(dag, str) else None, ids, payload, "", "")


def _bytes(path: Path) -> bytes | None:
    try:
        return read(path, max_bytes=1 << 20)
    except StateError:
        return None
