"""One decided record of the trade log, decided again. Pure; used by `replay.py` record by record.

Each kind of record that the executor decides has one function in `_CHECKS`. It is asked before the record is folded,
and answers with the first field that differs, or `None`. A verdict announces the records that must follow it; a crash
may cut them off, nothing else may.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from vanta.alpha.core import days
from vanta.alpha.core.asked import ANSWERS, Asked, Given, exit_of
from vanta.alpha.core.blobs import Absent
from vanta.alpha.core.differ import ABSENT, Difference, compared
from vanta.alpha.core.inputs import World, is_digest
from vanta.alpha.core.unjudged import Unjudged
from vanta.common.canonical import content_hash, sha256
from vanta.common.events import Kind
from vanta.common.money import plain, round_amount
from vanta.common.reasons import Reason
from vanta.common.store.personal import WITHHELD
from vanta.common.store.ports import Record
from vanta.common.times import millis, parse_iso
from vanta.executor.core import protect, terms, views, watch
from vanta.executor.core.approval import Approved, judge
from vanta.executor.core.book import Book
from vanta.executor.core.controls import Scope
from vanta.executor.core.edited import changes
from vanta.executor.core.entries import IntentEntry
from vanta.executor.core.fences import halt
from vanta.executor.core.machine import IN_FLIGHT, TERMINAL
from vanta.executor.core.overrides import in_force
from vanta.executor.core.proposal import Line
from vanta.executor.core.size import propose
from vanta.executor.core.verdict import Note, latch, link, verdict_notes

_CRASHED = (Kind.PROGRAM_STARTED, Kind.TAIL_REPAIRED)
_LINE = ("fence", "code", "value", "limit", "detail")
_NAMES = frozenset({"by", "written_by"})
FUNDING = "capital of a new vault"
_TOLD_FROM_OUTSIDE = frozenset({
    Reason.CLOCK_STEPPED, Reason.BROKER_DIFFERS, Reason.BROKER_OVERFILL, Reason.BROKER_LATE_FILL,
    Reason.BROKER_BUSTED, Reason.BROKER_EXTERNAL, Reason.HOST_CHANGED})
"""Latches that a clock, a host or a venue gave rise to: what they said is taken as recorded."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Of a check: the difference, or the input that is not there, or neither."""

    found: Difference | None = None
    absent: str | None = None


@dataclass(frozen=True, slots=True)
class _Due:
    """Records that a verdict announced and that must follow it."""

    entry: IntentEntry
    notes: tuple[Note, ...]


def subject(record: Record) -> str:
    """What a record is about, by its most telling id."""
    ids, body = record.ids, record.payload
    return ids.get("order_id") or ids.get("intent_id") or str(body.get("vault") or body.get("latch_id") or "the log")


class Decisions:
    """Recomputes decisions. `book` and `world` are those of the moment before the record that is checked."""

    def __init__(self, book: Book, world: World, given: Given | None = None) -> None:
        self.book = book
        self.world = world
        self.asked = Asked(book, world, given)
        self._due: _Due | None = None
        self._approved: dict[str, Approved] = {}
        self._sent_at: dict[str, int] = {}
        self._blind: set[str] = set()
        self._unjudged = Unjudged(book)

    @property
    def pending(self) -> bool:
        """Whether a verdict or a command announced a record that has not come yet."""
        return self._due is not None or self.asked.due

    def concerns(self, record: Record) -> bool:
        """Whether this record was decided by the executor, or has to follow a verdict or a command."""
        if record.kind in _CRASHED:
            self._due = None
            self.asked.over()
        return self._unjudged.look(record) or self.pending or record.kind in _CHECKS

    def check(self, record: Record) -> Answer:
        """Decide again."""
        try:
            return Answer(self._found(record) or self._unjudged.found(record))
        except Absent as error:
            self._blind.add(record.ids.get("intent_id", ""))
            return Answer(absent=error.what)

    def _found(self, record: Record) -> Difference | None:
        if self._due is not None:
            return self._announced(record, self._due)
        if self.asked.due:
            return self.asked.follows(record)
        check = _CHECKS.get(record.kind)
        return None if check is None else check(self, record)

    def _announced(self, record: Record, due: _Due) -> Difference | None:
        note, rest = due.notes[0], due.notes[1:]
        self._due = _Due(due.entry, rest) if rest else None
        if record.kind == Kind.ORDER_SUBMITTING:
            self._sent_at[record.ids["order_id"]] = record.seq
        return _compare(record, due.entry, note)

    def verdict(self, record: Record) -> Difference | None:
        """Show the intent to every fence again."""
        if "lines" not in record.payload and record.kind == Kind.INTENT_QUARANTINED:
            return _other_bytes(self.book, record)
        entry = self.book.intents[record.ids["intent_id"]]
        context = self.world.context(self.book, record.at)
        decision = judge(propose(entry, context), context)
        notes = verdict_notes(entry, decision, context)
        if isinstance(decision, Approved):
            self._approved[decision.order_id] = decision
        if not notes:
            return Difference("verdict", _spoken(record), "nothing new")
        if notes[1:]:
            self._due = _Due(entry, notes[1:])
        return _compare(record, entry, notes[0])

    def submitting(self, record: Record) -> Difference | None:
        """An outbox record that no verdict announced."""
        if record.ids["intent_id"] in self._blind:
            raise Absent("the verdict before an outbox record could not be recomputed")
        return Difference("verdict", _spoken(record), ABSENT)

    def answered(self, record: Record) -> Difference | None:
        """The order was sent: then the last look was open. Orders settled after a restart were sent before it."""
        order_id = record.ids["order_id"]
        approved, sent_at = self._approved.pop(order_id, None), self._sent_at.pop(order_id, 0)
        if self.book.orders[order_id].state != "submitting" or sent_at < self.world.started_at:
            return None
        line = self._look(approved, record.at)
        return None if line.code is None else Difference("last look", '"sent"', f'"{line.code}: {line.detail}"')

    def withheld(self, record: Record) -> Difference | None:
        """The order was stopped at the last look. Other reasons (lock, venue) came from outside."""
        approved = self._approved.pop(record.ids["order_id"], None)
        self._sent_at.pop(record.ids["order_id"], None)
        if not str(record.payload["code"]).startswith("halt."):
            return None
        line = self._look(approved, record.at)
        return _differs(record.payload, {
            "intent_state": "seen", "code": line.code, "detail": line.detail or line.value})

    def _look(self, order: Approved | None, at: str) -> Line:
        if order is None:
            raise Absent("the verdict on an order could not be recomputed")
        context = self.world.context(self.book, at)
        scope = Scope(vault=order.vault, broker=order.account, instrument=order.instrument_id,
                      asset_class=order.asset_class)
        switches = halt.Switches(controls=context.controls, permit=context.permit, latches=self.book.latches,
                                 known=context.known)
        return halt.look(switches, scope, reduces=order.reduces, now=context.now)


def _latched(decisions: Decisions, record: Record) -> Difference | None:
    """A verdict's latch, a loss beyond its limit, or an overlay that stayed unreadable."""
    body, book, world = record.payload, decisions.book, decisions.world
    if "intent_id" in record.ids:
        return decisions.verdict(record)
    if body["code"] in _TOLD_FROM_OUTSIDE:
        return None
    if body["code"] in (Reason.HALT_UNREADABLE, Reason.HALT_NO_LEASE):
        return _differs({"detail": body["detail"]}, {"detail": world.controls().troubles.get(Reason(body["code"]))})
    vaults = in_force(world.vaults(), book.overrides, millis(parse_iso(record.at)))
    for found in watch.losses(book, vaults, views.navs(book, vaults)) if vaults else []:
        if (found.code, found.vault) == (body["code"], body["vault"]):
            return _differs(body, latch(found, book.seq))
    return Difference("latch", _spoken(record), ABSENT)


def _day_opened(decisions: Decisions, record: Record) -> Difference | None:
    """The NAV that the day's loss limit is measured from."""
    vault = record.payload["vault"]
    nav = decisions.book.nav(vault)
    return _differs(record.payload, {"vault": vault, "day": record.at[:10], "nav": None if nav is None else plain(nav)})


def _house_opened(decisions: Decisions, record: Record) -> Difference | None:
    """The same for all vaults together."""
    vaults = decisions.world.vaults()
    nav = watch.house_nav(views.navs(decisions.book, vaults)) if vaults else None
    return _differs(record.payload, {"day": record.at[:10], "nav": None if nav is None else plain(nav)})


def _filled(decisions: Decisions, record: Record) -> Difference | None:
    """Quantity and price are the venue's; what was booked for them is ours."""
    body = record.payload
    order = decisions.book.orders[record.ids["order_id"]]
    cash = round_amount(Decimal(body["quantity"]) * Decimal(body["price"]) * order.multiplier, order.currency)
    ours = {"cash": plain(cash if order.side == "buy" else -cash), "currency": order.currency, "side": order.side,
            "multiplier": plain(order.multiplier), "vault": order.vault, "instrument_id": order.instrument_id}
    return _differs({name: body[name] for name in ours}, ours)


def _funded(decisions: Decisions, record: Record) -> Difference | None:
    """A vault that is seen for the first time is funded with the capital that vault.json gives it."""
    body = record.payload
    if body.get("why") != FUNDING:
        return None
    vaults = decisions.world.vaults()
    vault = vaults.get(body["vault"]) if vaults else None
    if vault is None or vault.vault_id in decisions.book.vaults:
        return Difference("adjustment", _spoken(record), ABSENT)
    ours = {"account": vault.account, "currency": vault.base_currency, "amount": plain(vault.capital),
            "evidence": decisions.world.digest("vaults"), "type": "transfer"}
    return _differs({name: body[name] for name in ours}, ours)


def _seen(decisions: Decisions, record: Record) -> Difference | None:
    """An intent is known by the hash of its content; one of the executor's own was due at that moment."""
    if record.payload.get("from") == "executor":
        return _exit(decisions, record)
    return _differs({"sha256": record.payload["sha256"]}, {"sha256": content_hash(record.payload["intent"])})


def _other_bytes(book: Book, record: Record) -> Difference | None:
    """Other bytes under a known id: no fence decided, but they have to be others, and new."""
    body, entry = record.payload, book.intents[record.ids["intent_id"]]
    intent = body.get("intent")
    digest = content_hash(intent)
    if not isinstance(intent, dict) or digest == entry.sha256 or digest in entry.other_bytes:
        return Difference("verdict", _spoken(record), "no other bytes")
    why = intent["provenance"]
    ours = {"intent_state": None if entry.state in TERMINAL | IN_FLIGHT else "quarantined",
            "code": "duplicate.changed_bytes", "sha256": digest, "intent": intent}
    return _differs(body, ours) or _differs({"dag_id": record.dag_id, "ids": dict(record.ids)}, {
        "dag_id": why["dag_id"],
        "ids": {"intent_id": intent["intent_id"], "signal_id": why["signal_id"], "vault": intent["vault"]}})


def _exit(decisions: Decisions, record: Record) -> Difference | None:
    """An exit by plan is due by the book; one that an operator asked for only follows that command."""
    body, now = record.payload["intent"], parse_iso(record.at)
    book, context = decisions.book, decisions.world.context(decisions.book, record.at)
    asked = terms.stops(context.vaults, context.able)
    cause = body["provenance"]["reasons"][0]["reason"].removeprefix("exit:")
    due = {(wish.vault, wish.instrument_id, wish.cause): wish for wish in protect.wishes(book, millis(now), asked)}
    wish = due.get((body["vault"], body["instrument_id"], cause))
    return Difference("exit", _spoken(record), ABSENT) if wish is None else exit_of(book, wish, record)


def _edited(decisions: Decisions, record: Record) -> Difference | None:
    """What an edit changed follows from both versions; who may have made it is what the host said.

    Of a copy from which names were withheld, names are not compared: each has a salt of its own.
    """
    body = record.payload
    what, before, after = decisions.book.edits[body["seen"]]
    versions = [None if digest is None or not is_digest(digest) else decisions.world.raw(what, digest)
                for digest in (before, after)]
    told = changes(*versions)
    ours: dict[str, Any] = {"what": what, "before": before, "after": after, "changes": told.rows, "more": told.more,
                            "by": told.by}
    said: dict[str, Any] = {name: body.get(name) for name in ours}
    copies = any(raw is not None and sha256(raw) != digest
                 for raw, digest in zip(versions, (before, after), strict=True))
    for one in (said, ours) if copies else ():
        one["changes"] = [row for row in one["changes"] if row[0].rpartition(".")[2] not in _NAMES]
        one["by"] = one["more"] = None
    if str(said["by"]).startswith(WITHHELD):
        said["by"] = ours["by"]
    return _differs(said, ours)


_CHECKS: dict[str, Callable[[Decisions, Record], Difference | None]] = {
    Kind.INTENT_SEEN: _seen, Kind.INTENT_APPROVED: Decisions.verdict, Kind.INTENT_HELD: Decisions.verdict,
    Kind.INTENT_REFUSED: Decisions.verdict, Kind.INTENT_EXPIRED: Decisions.verdict,
    Kind.INTENT_QUARANTINED: Decisions.verdict, Kind.ORDER_SUBMITTING: Decisions.submitting,
    Kind.ORDER_ACCEPTED: Decisions.answered, Kind.ORDER_REJECTED: Decisions.answered,
    Kind.ORDER_UNKNOWN: Decisions.answered, Kind.ORDER_WITHHELD: Decisions.withheld,
    Kind.LATCH_SET: _latched, Kind.DAY_OPENED: _day_opened, Kind.HOUSE_DAY_OPENED: _house_opened,
    Kind.FILL: _filled, Kind.ADJUSTMENT: _funded,
    **dict.fromkeys(ANSWERS, lambda decisions, record: decisions.asked.answered(record)),
    Kind.CONTROL_EDITED: _edited,
    Kind.DAY_CLOSED: lambda decisions, record: days.closed(decisions.book, decisions.world, record),
}


def _compare(record: Record, entry: IntentEntry, note: Note) -> Difference | None:
    """A record against the one that the verdict makes."""
    if record.kind != note.kind:
        return Difference("verdict", _spoken(record), _words(note.kind, note.payload))
    named = {"dag_id": entry.raw["provenance"]["dag_id"], "ids": link(entry, note.order_id)}
    return (_differs(record.payload, note.payload)
            or _differs({"dag_id": record.dag_id, "ids": dict(record.ids)}, named))


def _differs(recorded: Mapping[str, Any], recomputed: Mapping[str, Any]) -> Difference | None:
    found = compared(dict(recorded), dict(recomputed))
    if found is None:
        return None
    steps = found.field.split(".")
    if steps[0] == "lines" and len(steps) == 3 and steps[2].isdigit():
        steps = [steps[1], _LINE[int(steps[2])]]
    return replace(found, field=".".join(steps))


def _spoken(record: Record) -> str:
    return _words(record.kind, record.payload)


def _words(kind: str, payload: Mapping[str, Any]) -> str:
    """`intent.held (session.closed)`: a record in a few words."""
    codes = dict.fromkeys([line[1] for line in payload.get("lines", []) if line[1]] + [payload.get("code")])
    return f"{kind} ({', '.join(filter(None, codes))})" if any(codes) else kind
