"""Finding what an explanation needs in the files of a home: log, current documents, and the snapshots they name.

First the tree is made from what lies open. What it lacks (a signal that left its window, a conviction of an earlier
cycle, the size of a raw payload) is then looked up by hash, and the tree is made again. Reads only; whatever cannot
be read becomes a warning and a gap, never a guess.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import orjson

from vanta.alpha.core.course import Node
from vanta.alpha.core.inputs import BROKEN
from vanta.alpha.core.lineage import Lineage, flatten
from vanta.alpha.core.rounds import CYCLE, explain_cycle
from vanta.alpha.core.trail import SHORTEST, Evidence, Row, Trail, meant
from vanta.alpha.core.watchers import outputs
from vanta.alpha.reading import records
from vanta.alpha.wire import snapshots
from vanta.common.errors import Missing, StateError
from vanta.common.events import Kind
from vanta.common.paths import (
    ALLOCATION,
    COLLECTION_LOG,
    FEEDS,
    PROMOTION_LOG,
    REFLECTION_LOG,
    TRADE_LOG,
    TRADE_SIGNALS,
    Home,
    signals_file,
)
from vanta.common.store.atomic import read
from vanta.common.store.ports import Record

K = TypeVar("K")


class Explainer:
    """One home. `warnings` names what could not be read."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._store = snapshots(home)
        self.warnings: list[str] = []
        self._trail = Trail()
        self._convictions: dict[str, Row] = {}
        self._signals: dict[str, Row] = {}
        self._targets: dict[tuple[str, str, str], Row] = {}
        self._stored: dict[str, int] = {}
        self._seen: set[tuple[str, bool]] = set()
        self._read_log()
        for name in (TRADE_SIGNALS, ALLOCATION, *map(signals_file, FEEDS)):
            self._learn(name, self._document(name, lambda: read(self._home.file(name))))  # noqa: B023 - called at once

    def meant(self, text: str) -> list[str]:
        """The ids that `text` can mean; earlier versions of the feed files are asked if nothing else knows it."""
        if text.startswith(CYCLE):
            return self._cycles_meant(text)
        found = meant(text, self._trail, self._evidence())
        if not found and text.startswith("sig1_"):
            self._look_back(text)
            found = meant(text, self._trail, self._evidence())
        return found

    def explain(self, name: str) -> Node:
        """The tree of one id that `meant` gave."""
        if name.startswith(CYCLE):
            return self._explain_cycle(name)
        self._fetch_inputs(name)
        tree = self._tree(name)
        self._fetch_signals({node.id for _, node in flatten(tree) if node.kind == "signal" and not node.facts})
        tree = self._tree(name)
        self._weigh({node.id for _, node in flatten(tree) if node.kind == "raw"})
        return self._tree(name)

    def _cycles_meant(self, text: str) -> list[str]:
        known = sorted({str(record.dag_id) for record in self._cycles()})
        if text in known:
            return [text]
        return [name for name in known if name.startswith(text)] if len(text) >= SHORTEST else []

    def _cycles(self) -> list[Record]:
        return [*self._passes(REFLECTION_LOG, Kind.REFLECTED), *self._passes(PROMOTION_LOG, Kind.PROMOTED)]

    def _explain_cycle(self, name: str) -> Node:
        records = self._cycles()
        for record in records:
            if record.dag_id == name:
                for file, digest in outputs(record):
                    if file == TRADE_SIGNALS:
                        self._snapshot(file, digest, over=True)
        return explain_cycle(name, records, Lineage(self._trail, self._evidence()))

    def _tree(self, name: str) -> Node:
        return Lineage(self._trail, self._evidence()).explain(name)

    def _evidence(self) -> Evidence:
        return Evidence(convictions=self._convictions, signals=self._signals, targets=self._targets,
                        stored=self._stored)

    def _read_log(self) -> None:
        try:
            for record in records(self._home.file(TRADE_LOG)):
                self._trail.take(record)
        except StateError as error:
            self.warnings.append(f"{error.what}; what comes before it is shown")
        except BROKEN as error:
            self.warnings.append(f"{TRADE_LOG} has a record without its fields ({error!r}); what comes before is shown")

    def _document(self, name: str, source: Callable[[], bytes]) -> Any:
        """A document's value, `None` if it is not there or cannot be read."""
        try:
            return orjson.loads(source())
        except Missing:
            return None
        except (StateError, orjson.JSONDecodeError) as error:
            self.warnings.append(f"{name}: {error}")
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
            self.warnings.append(f"{name} is not what it should be: {error!r}")

    def _snapshot(self, name: str, digest: str, *, over: bool = False) -> None:
        if (digest, over) not in self._seen:
            self._seen.add((digest, over))
            self._learn(name, self._document(name, lambda: self._store.get(digest)), over=over)

    def _fetch_inputs(self, name: str) -> None:
        """Signals, convictions and allocation as they were when the intent in question was staged."""
        own = self._trail.intent_of(name) or name
        for intent_id in [*self._trail.asked_by(name), own]:
            why = (self._trail.intent(intent_id) or {}).get("provenance", {})
            digest = why.get("inputs", {}).get(TRADE_SIGNALS)
            if digest is not None:
                self._snapshot(TRADE_SIGNALS, digest, over=intent_id == own)
        body = self._trail.intent(own)
        row = self._convictions.get(body["provenance"]["signal_id"]) if body else None
        for feed, digest in row["inputs"].items() if row else ():
            self._snapshot(signals_file(feed), digest, over=True)
        self._staged(own)

    def _staged(self, intent_id: str) -> None:
        """The allocation of the promotion that staged an intent: kept as an input of the promotion after it."""
        for record in self._passes(PROMOTION_LOG, Kind.PROMOTED):
            if intent_id in record.payload.get("staged", ()):
                for file, digest in outputs(record):
                    if file == ALLOCATION:
                        self._snapshot(file, digest, over=True)

    def _fetch_signals(self, wanted: set[str]) -> None:
        """Signals that have left the current files, from the feed files that their conviction was made of."""
        for row in list(self._convictions.values()) if wanted else []:
            if any(wanted & set(line["signals"]) for line in row["reason_vector"]):
                for feed, digest in row["inputs"].items():
                    self._snapshot(signals_file(feed), digest)

    def _look_back(self, text: str) -> None:
        """Earlier versions of the feed files, newest first, until one knows the signal."""
        for name, digest in self._earlier():
            self._snapshot(name, digest)
            if any(known.startswith(text) for known in self._signals):
                return

    def _earlier(self) -> Iterator[tuple[str, str]]:
        for record in reversed(self._passes(COLLECTION_LOG, Kind.COLLECTED)):
            yield from outputs(record)

    def _passes(self, log: str, kind: Kind) -> list[Record]:
        """The records of a pass, none if the log is broken."""
        try:
            return [record for record in records(self._home.file(log)) if record.kind == kind]
        except StateError as error:
            self.warnings.append(error.what)
            return []

    def _weigh(self, digests: set[str]) -> None:
        for digest in sorted(digests):
            try:
                self._stored[digest] = len(self._store.get(digest))
            except Missing:
                continue
            except StateError as error:
                self.warnings.append(error.what)


def _put(table: dict[K, Row], key: K, row: Row, *, over: bool) -> None:
    if over or key not in table:
        table[key] = row
