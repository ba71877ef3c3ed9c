"""Do the reflector's and the promoter's records follow from their own inputs? Each cycle is made again. Pure.

A record names its inputs, its rules and its outputs by hash. From the bytes of the inputs, under the rules that it was
made under, the very functions that decided make the documents again; their bytes must have the recorded hashes. Where
the bytes of a recorded output are at hand, the difference is named down to the field.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from vanta.alpha.core.blobs import Blobs
from vanta.alpha.core.differ import Difference, between, compared, first_difference
from vanta.alpha.core.inputs import instruments
from vanta.alpha.core.rulebooks import Rulebook
from vanta.common import strictjson
from vanta.common.canonical import content_hash, document, sha256
from vanta.common.events import Kind
from vanta.common.instruments import Instrument
from vanta.common.models.account import Portfolio
from vanta.common.models.allocation import VaultAllocation
from vanta.common.models.base import SCHEMA_VERSION, Model, validate
from vanta.common.models.conviction import TradeSignals
from vanta.common.models.intent import AutotradeQueue
from vanta.common.models.overlay import Overlay
from vanta.common.models.vault import VaultRegistry
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
from vanta.markets.core.reflect import FeedRead, ReflectInputs, reflect
from vanta.markets.core.wire_signal import decode

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """What a cycle is made again from. `current` are the documents as they are now, for naming a field."""

    blobs: Blobs
    book: Rulebook
    current: Mapping[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """What a promotion knew besides its documents: the trade log up to record `log`, and the promotion before."""

    outcomes: Outcomes
    log: tuple[int, str]
    before: Record | None


@dataclass(frozen=True, slots=True)
class Promoted:
    """A promotion that was made again: the first difference, and the intents that it staged by the hash of each."""

    found: Difference | None
    staged: Mapping[str, str]


def reflection(record: Record, kit: Kit) -> Difference | None:
    """Make one reflection again. Raises `Absent`, or `BadInput` for an input that this version cannot read."""
    body, cause, blobs = record.payload, record.payload["cause"], kit.blobs
    feeds = {name: FeedRead(sha256=digest, feed=decode(blobs.of(digest, signals_file(name)), file=name))
             for name, digest in cause["inputs"].items()}
    ranks = strictjson.loads_object(blobs.of(body["ranks"], "the ranks before"), file="ranks")
    made = reflect(ReflectInputs(
        now=parse_iso(body["now"]), feeds=feeds, unread=cause["unread"], ranks=ranks, margin_bp=cause["margin_bp"],
        stale_after_s=cause["stale_after_s"]), kit.book.rules)
    rules = _other_rules(cause["rules"], kit.book.rules.hashes)
    return rules or _decided(body, made.dag_id) or _outputs(body, kit, {
        SYSTEM_BELIEF: made.belief, LEADERBOARD: made.leaderboard, SYSTEM_RISK: made.risk,
        TRADE_SIGNALS: made.trade_signals})


def promotion(record: Record, kit: Kit, stand: Stand) -> Promoted:
    """Make one promotion again. Raises `Absent`, or `BadInput` for an input that this version cannot read."""
    body, blobs, raw = record.payload, kit.blobs, record.payload["inputs"]
    table = instruments(blobs.of(body["instruments"], "instruments"))
    entities: dict[str, list[Instrument]] = {}
    for _, item in sorted(table.items()):
        entities.setdefault(item.entity, []).append(item)

    def required(name: str, model: type[M]) -> M:
        return validate(model, strictjson.loads(blobs.of(raw[name], name), file=name), file=name)

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
    made = decide(inputs)
    said = {"trade_log": {"seq": stand.log[0], "hash": stand.log[1]}, "staged": made.promotion.staged,
            "withdrawn": made.promotion.withdrawn, "removed": made.promotion.removed,
            "waiting": made.promotion.waiting, "unheard": unheard_rows(made.promotion.unheard)}
    found = (_other_rules(body["rules"], inputs.rule_hashes())
             or compared({name: body[name] for name in said}, said) or _decided(body, made.dag_id)
             or _outputs(body, kit, {ALLOCATION: made.allocation, QUEUE: made.queue}))
    new = frozenset(made.promotion.staged)
    return Promoted(found, {one["intent_id"]: content_hash(one) for one in made.queue["intents"]
                            if one["intent_id"] in new})


def wanted_by(record: Record) -> set[str]:
    """The snapshots that a cycle needs."""
    body = record.payload
    if record.kind == Kind.REFLECTED:
        return {*body["cause"]["inputs"].values(), body["ranks"]}
    return {*body["inputs"].values(), body["instruments"]}


def rules_of(record: Record) -> Mapping[str, str]:
    """The rules of a cycle by hash."""
    rules: Mapping[str, str] = (record.payload["cause"] if record.kind == Kind.REFLECTED else record.payload)["rules"]
    return rules


def written_by(record: Record) -> set[str]:
    """The snapshots of what a cycle wrote, as far as any were kept: later cycles keep what they read."""
    return set(record.payload["outputs"].values())


def _other_rules(recorded: Mapping[str, str], ours: Mapping[str, str]) -> Difference | None:
    """What is left where the recorded rules could be loaded: the version of the code that applies them."""
    return first_difference(dict(recorded), dict(ours), "rules")


def _decided(body: Mapping[str, Any], dag: str) -> Difference | None:
    return first_difference({"dag_id": body["dag_id"]}, {"dag_id": dag})


def _outputs(body: Mapping[str, Any], kit: Kit, made: Mapping[str, Mapping[str, Any]]) -> Difference | None:
    """The documents' bytes by their hashes; where the recorded bytes are still there, the field that differs."""
    header = {"schema_version": SCHEMA_VERSION, "revision": body["revision"], "written_at": body["now"],
              "written_by": body["by"]}
    for name, fields in made.items():
        raw, recorded = document({**header, **fields}), body["outputs"].get(name)
        if sha256(raw) != recorded:
            now = {sha256(kit.current[name]): kit.current[name]} if name in kit.current else {}
            known = {**kit.blobs, **now, sha256(raw): raw}
            return between(recorded, sha256(raw), known, name if recorded in known else f"outputs.{name}")
    return None
