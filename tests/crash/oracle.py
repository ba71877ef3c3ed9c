"""The judge of the crash tests. It shares nothing with VANTA: its own reading of the files, its own chain check.

It looks at three things only: the venue's ledger, the queue file, and what the executor left on disk. `glance` holds
after every crash, at once; `judge` once the executor has been restarted and has had time to finish.

    glance   at most one order accepted an intent · whatever reached the venue stands in the log before it · the chain
             holds up to the last whole line · no execution booked twice · documents are whole and never ahead of the
             log · every input that the log names by hash is in the store and is what its name says
    judge    the same, and: the last run ended by itself and in peace · the log ends with a whole line · what was set
             aside is recorded by hash, is at most one record, and is kept · each intent has reached exactly one end,
             the one the venue's ledger says · executions booked = executions at the venue = position and cash in
             portfolio.json · nothing is latched, nothing is left open
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import zstandard

Json = dict[str, Any]
FOLDS = ("portfolio.json", "open_orders.json", "pnl_summary.json", "executor_state.json")
ENDS = frozenset({"filled", "cancelled", "rejected", "refused", "expired", "withdrawn", "quarantined"})
VENUE_ENDS = {"filled": "filled", "cancelled": "cancelled"}


@dataclass(frozen=True, kw_only=True)
class Expect:
    """What is right in a story.

    `ends`: states in which intents may be at last. `latched`: a latch may be set. `sent`: how many orders may have
    been accepted in all (a halt allows no more than there were). `flat`: nothing may be held at last.
    """

    capital: str
    ends: frozenset[str]
    latched: bool = False
    sent: int | None = None
    flat: bool = False


@dataclass(frozen=True)
class Evidence:
    """The three things, read once."""

    home: Path
    requests: list[Json]
    said: list[Json]
    lines: list[bytes]
    records: list[Json]
    tail: bytes
    broken: list[str]

    @property
    def tails(self) -> set[str]:
        """The hash of the torn end, if there is one."""
        return {hashlib.sha256(self.tail).hexdigest()} if self.tail else set()

    @property
    def accepted(self) -> list[Json]:
        """New orders that the venue took."""
        return [one for one in self.said if one["did"] == "accepted"]

    @property
    def executions(self) -> dict[str, Json]:
        """The venue's executions by id."""
        return {one["fill"]: one for one in self.said if one["did"] == "fill"}


def hash_of(line: bytes) -> str:
    """What the next line has to name: of a personal value a salted hash, of all else the bytes."""
    def hidden(found: re.Match[bytes]) -> bytes:
        return b'{"$withheld":"' + hashlib.sha256(found[2] + b":" + found[1]).hexdigest().encode() + b'"}'

    return hashlib.sha256(re.sub(rb'{"\$personal":("[^"]*"),"salt":"([0-9a-f]{32})"}', hidden, line)).hexdigest()


def gather(home: Path, ledger: Path) -> Evidence:
    """Read everything. A broken chain is evidence too."""
    said = [json.loads(line) for line in ledger.read_text("utf-8").splitlines()]
    memory = home / "memory"
    pieces = [*sorted((memory / "segments" / "trade_log.jsonl").glob("*.jsonl")), memory / "trade_log.jsonl"]
    raw = b"".join(piece.read_bytes() for piece in pieces if piece.exists())
    whole, _, tail = raw.rpartition(b"\n")
    lines = whole.split(b"\n") if whole else []
    records, broken = [], []
    before = "0" * 64
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
        except ValueError as error:
            broken.append(f"line {number} of the log is no JSON: {error}")
            break
        if record["seq"] != number:
            broken.append(f"line {number} of the log says seq {record['seq']}")
        if record["prev"] != before:
            broken.append(f"line {number} of the log does not follow line {number - 1}")
        before = hash_of(line)
        records.append(record)
    requests = [one["request"] for one in said if one["did"] == "request"]
    return Evidence(home, requests, said, lines, records, tail, broken)


def glance(evidence: Evidence) -> list[str]:
    """What must be true at every instant. Returns violations in words."""
    return [*evidence.broken, *_doubles(evidence), *_unrecorded(evidence), *_fills(evidence), *_folds(evidence),
            *_inputs(evidence)]


def judge(evidence: Evidence, expect: Expect) -> list[str]:
    """What must be true in the end. Returns violations in words."""
    return [*glance(evidence), *_tail(evidence), *_intents(evidence, expect), *_money(evidence, expect),
            *_at_rest(evidence, expect)]


def witnessed(evidence: Evidence) -> list[str]:
    """For logs that are only read and added to: whatever a reader told the outside is still there. Any time."""
    found = list(evidence.broken)
    for one in evidence.requests:
        if one["op"] == "witness":
            line = evidence.lines[one["seq"] - 1] if one["seq"] <= len(evidence.lines) else b""
            if hash_of(line) != one["hash"]:
                found.append(f"FORGOTTEN: record {one['seq']} was read and told, and is gone")
    return found


def arrived(evidence: Evidence, expect: Expect) -> bool:
    """Whether every intent, of the queue or of the executor's own making, is where it may be at last."""
    states = _states(evidence)
    there = all(states.get(name, [""])[-1] in expect.ends for name in {*queued(evidence.home), *states})
    return there and not (expect.flat and any(_at_the_venue(evidence).values()))


def unsaid(evidence: Evidence, tails: set[str]) -> list[str]:
    """Torn ends of the log, by hash, that were seen and of which the log says nothing."""
    said = {one["payload"]["sha256"] for one in evidence.records if one["kind"] == "tail.repaired"}
    return [f"UNSAID: the log ended with half a record ({digest[:8]}) and does not tell"
            for digest in sorted(tails - said)]


def queued(home: Path) -> list[str]:
    """Intents of the queue file."""
    queue = home / "memory" / "autotrade_queue.json"
    return [one["intent_id"] for one in json.loads(queue.read_bytes())["intents"]] if queue.exists() else []


def _doubles(evidence: Evidence) -> Iterator[str]:
    for what in ("intent", "id"):
        for name, count in Counter(one[what] for one in evidence.accepted).items():
            if count > 1:
                yield f"DOUBLE: {count} orders accepted for {what} {name}"


def _unrecorded(evidence: Evidence) -> Iterator[str]:
    recorded = {one["ids"]["order_id"] for one in evidence.records if one["kind"] == "order.submitting"}
    for name in sorted({one["id"] for one in evidence.requests if one["op"] == "submit"} - recorded):
        yield f"UNRECORDED: order {name} was sent, the log does not know it"


def _fills(evidence: Evidence) -> Iterator[str]:
    booked = Counter(one["payload"]["fill_id"] for one in evidence.records if one["kind"] == "fill")
    for name, count in booked.items():
        if count > 1:
            yield f"BOOKED TWICE: execution {name}"
        if name not in evidence.executions:
            yield f"INVENTED: execution {name} is unknown to the venue"


def _folds(evidence: Evidence) -> Iterator[str]:
    for name in FOLDS:
        path = evidence.home / "memory" / name
        if not path.exists():
            continue
        try:
            body = json.loads(path.read_bytes())
            seq, digest = body["as_of_seq"], body["as_of_hash"]
        except (ValueError, KeyError) as error:
            yield f"HALF: {name} is no whole document: {error!r}"
            continue
        if seq > len(evidence.lines):
            yield f"AHEAD: {name} is the fold of record {seq}, the log ends at {len(evidence.lines)}"
        elif seq and hash_of(evidence.lines[seq - 1]) != digest:
            yield f"AHEAD: {name} is the fold of another record {seq}"


def _inputs(evidence: Evidence) -> Iterator[str]:
    for digest in sorted(set(_named(evidence.records))):
        path = evidence.home / "memory" / "snapshots" / digest[:2] / f"{digest}.zst"
        try:
            data = zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes())
        except (OSError, zstandard.ZstdError) as error:
            yield f"LOST INPUT: {digest[:8]} is named by the log: {error!r}"
            continue
        if hashlib.sha256(data).hexdigest() != digest:
            yield f"LOST INPUT: {digest[:8]} is not what its name says"


def _named(records: list[Json]) -> Iterator[str]:
    for one in records:
        body = one["payload"]
        if one["kind"] == "program.started":
            yield body["settings"]
            yield from body["calendars"].values()
        elif one["kind"] == "instruments.seen" or (one["kind"] == "control.seen" and len(body["sha256"]) == 64):
            yield body["sha256"]
        elif one["kind"] == "broker.sync" and body["evidence"]:
            yield body["evidence"]


def _tail(evidence: Evidence) -> Iterator[str]:
    if evidence.tail:
        yield f"TORN: the log ends with {len(evidence.tail)} bytes of a record"
    aside = {hashlib.sha256(path.read_bytes()).hexdigest(): path.read_bytes()
             for path in (evidence.home / "memory").glob("trade_log.jsonl.torn-*")}
    recorded = [one["payload"]["sha256"] for one in evidence.records if one["kind"] == "tail.repaired"]
    for digest in sorted(set(aside) - set(recorded)):
        yield f"UNSAID: {len(aside[digest])} bytes were set aside, the log does not say so"
    for digest in sorted(set(recorded) - set(aside)):
        yield f"UNKEPT: the log tells of bytes that were set aside and are gone: {digest[:8]}"
    for digest, data in aside.items():
        if b"\n" in data:
            yield f"CUT TOO MUCH: {digest[:8]} holds more than one record"


def _states(evidence: Evidence) -> dict[str, list[str]]:
    """Every state that the log says an intent went through, repetitions left out."""
    found: dict[str, list[str]] = {}
    for one in evidence.records:
        name, state = one["ids"].get("intent_id"), one["payload"].get("intent_state")
        if name and state and found.setdefault(name, [""])[-1] != state:
            found[name].append(state)
    return found


def _intents(evidence: Evidence, expect: Expect) -> Iterator[str]:
    states = _states(evidence)
    accepted = {one["intent"] for one in evidence.accepted}
    done = {one["intent"]: "filled" for one in evidence.accepted if _is_filled(evidence, one)}
    done |= {one["intent"]: "cancelled" for one in evidence.said if one["did"] == "ended"}
    for name in sorted({*queued(evidence.home), *states}):
        history = states.get(name, [""])
        ends = [state for state in history if state in ENDS]
        if history[-1] not in expect.ends:
            yield f"LOST: intent {name} is {history[-1] or 'not seen'} at last, after {history[1:]}"
        if len(ends) > 1 or (ends and history[-1] != ends[0]):
            yield f"ENDED TWICE: intent {name} went through {history[1:]}"
        if name in done and history[-1] not in (done[name], "quarantined"):
            yield f"DISAGREES: intent {name} is {history[-1]}, at the venue {done[name]}"
        if name not in accepted and history[-1] in ("filled", "cancelled"):
            yield f"INVENTED: intent {name} is {history[-1]}, the venue never took it"
    if expect.sent is not None and len(evidence.accepted) > expect.sent:
        yield f"SENT: {len(evidence.accepted)} orders accepted, at most {expect.sent} may be"


def _is_filled(evidence: Evidence, order: Json) -> bool:
    return sum(Decimal(one["quantity"]) for one in evidence.executions.values()
               if one["venue_id"] == order["venue_id"]) == Decimal(order["quantity"])


def _money(evidence: Evidence, expect: Expect) -> Iterator[str]:
    booked = {one["payload"]["fill_id"]: one["payload"] for one in evidence.records if one["kind"] == "fill"}
    for name in sorted(set(evidence.executions) - set(booked)):
        yield f"NOT BOOKED: execution {name}"
    ours: dict[str, Decimal] = {}
    cash = Decimal(expect.capital)
    for one in booked.values():
        sign = 1 if one["side"] == "buy" else -1
        key = one["instrument_id"].partition(":")[2].replace("-", "/")
        ours[key] = ours.get(key, Decimal(0)) + sign * Decimal(one["quantity"])
        cash -= sign * Decimal(one["quantity"]) * Decimal(one["price"]) + Decimal(one["fee"])
    venues = _at_the_venue(evidence)
    path = evidence.home / "memory" / "portfolio.json"
    vault: Json = {"positions": [], "cash": "none"}
    if path.exists():
        (vault,) = json.loads(path.read_bytes())["vaults"]
    shown = {one["instrument_id"].partition(":")[2].replace("-", "/"): Decimal(one["quantity"])
             for one in vault["positions"]}
    held = [{name: amount for name, amount in table.items() if amount} for table in (ours, venues, shown)]
    if not held[0] == held[1] == held[2]:
        yield f"POSITIONS: booked {ours}, at the venue {venues}, in portfolio.json {shown}"
    if expect.flat and any(venues.values()):
        yield f"STILL HELD: {venues}"
    if not path.exists() or Decimal(vault["cash"]) != cash:
        yield f"CASH: {cash} by the executions, {vault['cash']} in portfolio.json"


def _at_the_venue(evidence: Evidence) -> dict[str, Decimal]:
    held: dict[str, Decimal] = {}
    for one in evidence.executions.values():
        sign = 1 if one["side"] == "buy" else -1
        held[one["symbol"]] = held.get(one["symbol"], Decimal(0)) + sign * Decimal(one["quantity"])
    return held


def _at_rest(evidence: Evidence, expect: Expect) -> Iterator[str]:
    kinds = Counter(one["kind"] for one in evidence.records)
    if not expect.latched and kinds["latch.set"] > kinds["latch.released"]:
        yield f"LATCHED: {[one['payload']['code'] for one in evidence.records if one['kind'] == 'latch.set']}"
    if not evidence.records or evidence.records[-1]["kind"] != "program.stopped":
        yield "STUCK: the last run did not end by itself"
    for name in FOLDS[:3]:
        path = evidence.home / "memory" / name
        if path.exists() and json.loads(path.read_bytes()).get("as_of_seq") != len(evidence.lines):
            yield f"BEHIND: {name} is not the fold of the last record"
    orders = evidence.home / "memory" / "open_orders.json"
    left = json.loads(orders.read_bytes())["orders"] if orders.exists() else []
    if left and expect.ends <= ENDS:
        yield f"LEFT OPEN: {[one['order_id'] for one in left]}"
