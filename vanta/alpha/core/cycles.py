"""Do the reflector's and the promoter's records follow from their own inputs? Each cycle is made again. Pure.

A record names its inputs by hash and its outputs by hash. From the bytes of the inputs, and the rules that ship with
this version, the very functions that decided make the documents again; their bytes must have the recorded hashes.
A record of other rules cannot be made again here: that is an `Absent`, not a difference.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from vanta.alpha.core.differ import Difference, first_difference, plain_json
from vanta.alpha.core.inputs import Absent, instruments
from vanta.common import strictjson
from vanta.common.canonical import document, sha256
from vanta.common.events import Kind
from vanta.common.instruments import Instrument
from vanta.common.models.account import Portfolio
from vanta.common.models.allocation import VaultAllocation
from vanta.common.models.base import SCHEMA_VERSION, Model, validate
from vanta.common.models.conviction import TradeSignals
from vanta.common.models.intent import AutotradeQueue
from vanta.common.models.overlay import Overlay
from vanta.common.models.vault import PersonaName, VaultRegistry
from vanta.common.paths import (
    ALLOCATION,
    LEADERBOARD,
    OVERLAY,
    PORTFOLIO,
    QUEUE,
    SYSTEM_BELIEF,
    SYSTEM_RISK,
    TRADE_SIGNALS,
    VAULTS,
    signals_file,
)
from vanta.common.store.ports import Record
from vanta.common.times import parse_iso
from vanta.markets.core.cycle import CycleInputs, decide, unheard_of, unheard_rows
from vanta.markets.core.outcomes import Outcomes
from vanta.markets.core.persona import PersonaCard
from vanta.markets.core.reflect import FeedRead, ReflectInputs, reflect
from vanta.markets.core.rules import Rules
from vanta.markets.core.wire_signal import decode

M = TypeVar("M", bound=Model)
Blobs = Mapping[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulebook:
    """The rules of this version."""

    rules: Rules
    cards: Mapping[PersonaName, PersonaCard]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """What a cycle is made again from. `current` are the documents as they are now, for naming a field."""

    blobs: Blobs
    book: Rulebook
    current: Blobs


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """What a promotion knew besides its documents: the trade log up to record `log`, and the promotion before."""

    outcomes: Outcomes
    log: tuple[int, str]
    before: Record | None


def reflection(record: Record, kit: Kit) -> Difference | None:
    """Make one reflection again. Raises `Absent`, or `BadInput` for an input that this version cannot read."""
    body, cause, blobs = record.payload, record.payload["cause"], kit.blobs
    _same_rules(cause["rules"], kit.book.rules.hashes)
    feeds = {name: FeedRead(sha256=digest, feed=decode(_blob(blobs, digest, signals_file(name)), file=name))
             for name, digest in cause["inputs"].items()}
    ranks = strictjson.loads_object(_blob(blobs, body["ranks"], "the ranks before"), file="ranks")
    made = reflect(ReflectInputs(
        now=parse_iso(body["now"]), feeds=feeds, unread=cause["unread"], ranks=ranks, margin_bp=cause["margin_bp"],
        stale_after_s=cause["stale_after_s"]), kit.book.rules)
    return _decided(body, made.dag_id) or _outputs(body, kit.current, {
        SYSTEM_BELIEF: made.belief, LEADERBOARD: made.leaderboard, SYSTEM_RISK: made.risk,
        TRADE_SIGNALS: made.trade_signals})


def promotion(record: Record, kit: Kit, stand: Stand) -> Difference | None:
    """Make one promotion again. Raises `Absent`, or `BadInput` for an input that this version cannot read."""
    body, blobs, raw = record.payload, kit.blobs, record.payload["inputs"]
    table = instruments(_blob(blobs, body["instruments"], "instruments"))
    entities: dict[str, list[Instrument]] = {}
    for _, item in sorted(table.items()):
        entities.setdefault(item.entity, []).append(item)

    def required(name: str, model: type[M]) -> M:
        return validate(model, strictjson.loads(_blob(blobs, raw[name], name), file=name), file=name)

    def optional(name: str, model: type[M]) -> M | None:
        return required(name, model) if name in raw else None

    inputs = CycleInputs(
        now=parse_iso(body["now"]), signals=required(TRADE_SIGNALS, TradeSignals),
        vaults=required(VAULTS, VaultRegistry), portfolio=required(PORTFOLIO, Portfolio),
        overlay=optional(OVERLAY, Overlay), queue=optional(QUEUE, AutotradeQueue),
        allocation=optional(ALLOCATION, VaultAllocation), hashes=raw, outcomes=stand.outcomes, instruments=table,
        instruments_sha256=body["instruments"],
        unheard=unheard_of(stand.before.payload["unheard"] if stand.before else ()), log=stand.log,
        entities=entities, rules=kit.book.rules, cards=kit.book.cards, ttl_s=body["ttl_s"], grace_s=body["grace_s"])
    _same_rules(body["rules"], inputs.rule_hashes())
    made = decide(inputs)
    said = {"trade_log": {"seq": stand.log[0], "hash": stand.log[1]}, "staged": made.promotion.staged,
            "withdrawn": made.promotion.withdrawn, "removed": made.promotion.removed,
            "waiting": made.promotion.waiting, "unheard": unheard_rows(made.promotion.unheard)}
    recorded = {name: body[name] for name in said}
    return (first_difference(recorded, plain_json(said)) or _decided(body, made.dag_id)
            or _outputs(body, kit.current, {ALLOCATION: made.allocation, QUEUE: made.queue}))


def wanted_by(record: Record) -> set[str]:
    """The snapshots that a cycle needs."""
    body = record.payload
    if record.kind == Kind.REFLECTED:
        return {*body["cause"]["inputs"].values(), body["ranks"]}
    return {*body["inputs"].values(), body["instruments"]}


def _same_rules(recorded: Mapping[str, str], ours: Mapping[str, str]) -> None:
    other = sorted(name for name in {*recorded, *ours} if recorded.get(name) != ours.get(name))
    if other:
        raise Absent(f"it was made under other rules than this version's: {', '.join(other)}",
                     "Replay with the version that wrote the log.")


def _blob(blobs: Blobs, digest: str, what: str) -> bytes:
    if digest not in blobs:
        raise Absent(f"the snapshot of {what} ({digest}) is missing",
                     "Copy memory/snapshots from the host that made the cycle.")
    return blobs[digest]


def _decided(body: Mapping[str, Any], dag: str) -> Difference | None:
    return first_difference({"dag_id": body["dag_id"]}, {"dag_id": dag})


def _outputs(body: Mapping[str, Any], now: Blobs, made: Mapping[str, Mapping[str, Any]]) -> Difference | None:
    """The documents' bytes by their hashes; where the recorded bytes are still there, the field that differs."""
    header = {"schema_version": SCHEMA_VERSION, "revision": body["revision"], "written_at": body["now"],
              "written_by": body["by"]}
    for name, fields in made.items():
        raw, recorded = document({**header, **fields}), body["outputs"].get(name)
        if sha256(raw) == recorded:
            continue
        if name in now and sha256(now[name]) == recorded:
            was, again = (plain_json(strictjson.loads(one, file=name)) for one in (now[name], raw))
            return first_difference(was, again, name) or Difference(name, "other bytes", "the same content")
        return Difference(f"outputs.{name}", str(recorded), sha256(raw))
    return None
