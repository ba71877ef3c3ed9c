"""Documents and snapshots of a home as an explanation needs them: by id, in the version that counted. Reads only.

What lies open is taken first. What has left the current files is looked up by the hashes that records name. Whatever
cannot be read becomes a warning and a gap, never a guess.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import orjson

from vanta.alpha.core.inputs import BROKEN
from vanta.alpha.core.trail import Evidence, Row, Trail
from vanta.alpha.core.watchers import outputs
from vanta.alpha.reading import records
from vanta.alpha.wire import snapshots
from vanta.common.errors import Missing, StateError
from vanta.common.events import Kind
from vanta.common.paths import ALLOCATION, COLLECTION_LOG, FEEDS, PROMOTION_LOG, TRADE_SIGNALS, Home, signals_file
from vanta.common.store.atomic import read
from vanta.common.store.ports import Record

K = TypeVar("K")


class Finder:
    """One home. `warnings` names what could not be read."""

    def __init__(self, home: Home, trail: Trail) -> None:
        self._home = home
        self._trail = trail
        self._store = snapshots(home)
        self.warnings: list[str] = []
        self._convictions: dict[str, Row] = {}
        self._signals: dict[str, Row] = {}
        self._targets: dict[tuple[str, str, str], Row] = {}
        self._stored: dict[str, int] = {}
        self._seen: set[tuple[str, bool]] = set()
        for name in (TRADE_SIGNALS, ALLOCATION, *map(signals_file, FEEDS)):
            self._learn(name, self._document(name, lambda: read(self._home.file(name))))  # noqa: B023 - called at once

    def evidence(self) -> Evidence:
        """All that is known by now."""
        return Evidence(convictions=self._convictions, signals=self._signals, targets=self._targets,
                        stored=self._stored)

    def warn(self, text: str) -> None:
        """Note once that something could not be read."""
        if text not in self.warnings:
            self.warnings.append(text)

    def passes(self, log: str, *kinds: Kind) -> list[Record]:
        """The records of these kinds, none if the log is broken."""
        try:
            return [record for record in records(self._home.file(log)) if record.kind in kinds]
        except StateError as error:
            self.warn(error.what)
            return []

    def contents(self, digests: Iterable[str]) -> dict[str, bytes]:
        """The snapshots of these hashes that are kept."""
        found = {}
        for digest in digests:
            try:
                found[digest] = self._store.get(digest)
            except Missing:
                continue
            except StateError as error:
                self.warn(error.what)
        return found

    def value(self, digest: str) -> Any:
        """The JSON of one snapshot, `None` if it is not kept or is something else."""
        return self._document(f"snapshot {digest[:12]}", lambda: self._store.get(digest))

    def snapshot(self, name: str, digest: str, *, over: bool = False) -> None:
        """Take in a version of a document. With `over` it is the one that counted."""
        if (digest, over) not in self._seen:
            self._seen.add((digest, over))
            self._learn(name, self._document(name, lambda: self._store.get(digest)), over=over)

    def fetch_inputs(self, name: str) -> None:
        """Signals, convictions and allocation as they were when the intent in question was staged."""
        own = self._trail.intent_of(name) or name
        for intent_id in [*self._trail.asked_by(name), own]:
            why = (self._trail.intent(intent_id) or {}).get("provenance", {})
            digest = why.get("inputs", {}).get(TRADE_SIGNALS)
            if digest is not None:
                self.snapshot(TRADE_SIGNALS, digest, over=intent_id == own)
        body = self._trail.intent(own)
        row = self._convictions.get(body["provenance"]["signal_id"]) if body else None
        for feed, digest in row["inputs"].items() if row else ():
            self.snapshot(signals_file(feed), digest, over=True)
        self._staged(own)

    def fetch_signals(self, wanted: set[str]) -> None:
        """Signals that have left the current files, from the feed files that their conviction was made of."""
        for row in list(self._convictions.values()) if wanted else []:
            if any(wanted & set(line["signals"]) for line in row["reason_vector"]):
                for feed, digest in row["inputs"].items():
                    self.snapshot(signals_file(feed), digest)

    def look_back(self, text: str) -> None:
        """Earlier versions of the feed files, newest first, until one knows the signal."""
        for name, digest in self._earlier():
            self.snapshot(name, digest)
            if any(known.startswith(text) for known in self._signals):
                return

    def weigh(self, digests: Iterable[str]) -> None:
        """Note how large the raw payloads are that are kept."""
        self._stored |= {digest: len(data) for digest, data in self.contents(sorted(digests)).items()}

    def _document(self, name: str, source: Callable[[], bytes]) -> Any:
        """A document's value, `None` if it is not there or cannot be read."""
        try:
            return orjson.loads(source())
        except Missing:
            return None
        except (StateError, orjson.JSONDecodeError) as error:
            self.warn(f"{name}: {error}")
            return None

    def _learn(self, name: str, value: Any, *, over: bool = False) -> None:
        """Take in the rows of a document. Rows that are known stay, unless this version is the one that counted."""
        if not isinstance(value, dict):
            return
        try:
            for row in value.get("convictions", []):
                _put(self._convictions, row["signal_id"], {**row, "inputs": value["inputs"]}, over=over)
            for row in value.get("signals", []):
                _put(self._signals, row["id"], row, over=over)
            for vault in value.get("vaults", []) if name == ALLOCATION else []:
                for row in vault["targets"]:
                    key = (vault["vault_id"], row["instrument_id"], row["signal_id"])
                    _put(self._targets, key, {**row, "vault_nav": vault["nav"]}, over=over)
        except BROKEN as error:
            self.warn(f"{name} is not what it should be: {error!r}")

    def _staged(self, intent_id: str) -> None:
        """The allocation of the promotion that staged an intent: kept as an input of the promotion after it."""
        for record in self.passes(PROMOTION_LOG, Kind.PROMOTED):
            if intent_id in record.payload.get("staged", ()):
                for file, digest in outputs(record):
                    if file == ALLOCATION:
                        self.snapshot(file, digest, over=True)

    def _earlier(self) -> Iterator[tuple[str, str]]:
        for record in reversed(self.passes(COLLECTION_LOG, Kind.COLLECTED)):
            yield from outputs(record)


def _put(table: dict[K, Row], key: K, row: Row, *, over: bool) -> None:
    if over or key not in table:
        table[key] = row
