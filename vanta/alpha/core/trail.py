"""Records of the trade log by what they are about: intents, their orders, their fills. Pure.

Also answers which id a person meant: ids are long, so a beginning of at least eight characters will do where it is
the beginning of one thing only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vanta.common.events import Kind
from vanta.common.store.ports import Record

SHORTEST = 8
"""Characters that a shortened id has to have."""

Row = Mapping[str, Any]


def place(file: str, record: Record) -> str:
    """Where a record stands, as `vanta explain` takes it: `trade_log:345`."""
    return f"{file.removesuffix('.jsonl')}:{record.seq}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known besides the trade log, by id.

    `targets` are allocation rows by (vault, instrument, conviction), each with its vault's NAV as `vault_nav`;
    `stored` gives the sizes of raw payloads in the snapshot store, by hash.
    """

    convictions: Mapping[str, Row] = field(default_factory=dict)
    signals: Mapping[str, Row] = field(default_factory=dict)
    targets: Mapping[tuple[str, str, str], Row] = field(default_factory=dict)
    stored: Mapping[str, int] = field(default_factory=dict)


class Trail:
    """An index over the trade log. `take` every record in order."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._of_intent: dict[str, list[Record]] = {}
        self._wishes: dict[str, Row] = {}
        self._intent_of_order: dict[str, str] = {}
        self._order_of_fill: dict[str, str] = {}
        self._asked_by: dict[str, list[str]] = {}
        self._rested_on: dict[str, list[str]] = {}
        self._controls: list[Record] = []
        for record in records:
            self.take(record)

    def take(self, record: Record) -> None:
        """Remember one record."""
        if record.kind == Kind.CONTROL_SEEN:
            self._controls.append(record)
        intent_id, order_id = record.ids.get("intent_id"), record.ids.get("order_id")
        if intent_id is None:
            return
        self._of_intent.setdefault(intent_id, []).append(record)
        if record.kind == Kind.INTENT_SEEN:
            self._asked_by.setdefault(record.ids["signal_id"], []).append(intent_id)
            self._wishes[intent_id] = record.payload["intent"]
            for line in record.payload["intent"]["provenance"]["reasons"]:
                for name in line["signals"]:
                    self._rested_on.setdefault(name, []).append(intent_id)
        if order_id is not None:
            self._intent_of_order[order_id] = intent_id
        if record.kind == Kind.FILL and order_id is not None:
            self._order_of_fill[record.payload["fill_id"]] = order_id

    def of_intent(self, intent_id: str) -> list[Record]:
        """Every record about an intent and its orders, in order."""
        return self._of_intent.get(intent_id, [])

    def intents(self) -> list[str]:
        """Every intent that the log knows, oldest first."""
        return list(self._of_intent)

    def intent(self, intent_id: str) -> Row | None:
        """The intent as it was first seen."""
        return self._wishes.get(intent_id)

    def intent_of(self, name: str) -> str | None:
        """The intent that an order or fill belongs to."""
        return self._intent_of_order.get(self.order_of(name) or "")

    def order_of(self, name: str) -> str | None:
        """The order that this is, or that this fill belongs to."""
        if name in self._intent_of_order:
            return name
        return self._order_of_fill.get(name)

    def asked_by(self, conviction_id: str) -> list[str]:
        """The intents that a conviction led to, oldest first."""
        return self._asked_by.get(conviction_id, [])

    def rested_on(self, signal_id: str) -> list[str]:
        """The intents that list a signal among their strongest reasons, oldest first."""
        return self._rested_on.get(signal_id, [])

    def controls_at(self, seq: int) -> dict[str, Record]:
        """The newest record of each control before record `seq`."""
        return {record.payload["what"]: record for record in self._controls if record.seq < seq}

    def names(self) -> set[str]:
        """Every id that the log knows: intents, orders, fills, convictions, and signals that intents rested on."""
        return {*self._of_intent, *self._intent_of_order, *self._order_of_fill, *self._asked_by, *self._rested_on}


def meant(text: str, trail: Trail, evidence: Evidence) -> list[str]:
    """The ids that `text` names: itself, or what begins with it; several if it is ambiguous, none if unknown.

    Fills begin with their order's id: a beginning that fits an order means the order.
    """
    known = trail.names() | evidence.convictions.keys() | evidence.signals.keys()
    if text in known:
        return [text]
    if len(text) < SHORTEST:
        return []
    fits = sorted(name for name in known if name.startswith(text))
    return [name for name in fits if trail.order_of(name) in (None, name)] or fits
