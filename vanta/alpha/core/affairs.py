"""What persons did, and what the executor did to itself: control changes, commands, latches, by their names. Pure.

An index over three logs; `take` every record in order. A change has two names, its place (`trade_log:150`) and the hash
of what the file held after it; a latch and a command have their ids.

    affairs.names()  ->  {"latch_5f0c2a91", "cmd_0123456789abcdef", "afcaa3d3feac…"}
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from vanta.alpha.core.inputs import is_digest
from vanta.alpha.core.trail import Trail, place
from vanta.common.events import Kind
from vanta.common.paths import CONTROL_LOG, OPERATOR_COMMANDS, OVERLAY, PERMIT, TRADE_LOG, VAULTS
from vanta.common.reasons import Reason
from vanta.common.store.ports import Record
from vanta.executor.core.controls import CODES

EDITED = "control.edited"
"""A save of a control file with what the operating system knows of it; not every log has such records."""

FILES = {"overlay": OVERLAY, "permit": PERMIT, "vaults": VAULTS}
"""Controls as the executor's log names them, by the file that they are."""

HALTS = {"overlay": frozenset({*CODES.values(), Reason.HALT_UNREADABLE}), "permit": frozenset({Reason.HALT_NO_PERMIT})}
"""Codes by which each control stops orders."""

_OVER = (Kind.INTENT_APPROVED, Kind.INTENT_REFUSED, Kind.INTENT_EXPIRED, Kind.INTENT_WITHDRAWN, Kind.INTENT_QUARANTINED)
_AT_LENGTH = 1 << 62


class Said(NamedTuple):
    """One record and the log that it stands in."""

    file: str
    record: Record

    @property
    def place(self) -> str:
        """`trade_log:345`."""
        return place(self.file, self.record)

    @property
    def what(self) -> str:
        """The control that it is about, as `FILES` names it; what it says itself where that is none of ours."""
        said = str(self.record.payload.get("what", "")).partition(" ")[0]
        return next((name for name, file in FILES.items() if said in (name, file, f"memory/{file}")), said)


class Stopped(NamedTuple):
    """One intent that was held or order that was stopped: by which record, and the record that ended it, if any."""

    by: Record
    end: Record | None


class Affairs:
    """See the module's contract. `contents` are versions of control files by hash, as far as they are kept."""

    def __init__(self, trail: Trail) -> None:
        self.trail = trail
        self.contents: dict[str, bytes] = {}
        self.seen: list[Said] = []
        self.edited: list[Said] = []
        self.changed: list[Said] = []
        self.latches: dict[str, Record] = {}
        self.released: dict[str, Record] = {}
        self.given: dict[str, Said] = {}
        self.receipts: dict[str, list[Record]] = {}
        self.last: Record | None = None

    def take(self, file: str, record: Record) -> None:
        """Remember one record of a log."""
        said, body = Said(file, record), record.payload
        if file == TRADE_LOG:
            self.last = record
        kept = {Kind.CONTROL_SEEN: self.seen, EDITED: self.edited, Kind.CONTROL_CHANGED: self.changed}.get(record.kind)
        if kept is not None:
            kept.append(said)
        elif record.kind == Kind.LATCH_SET:
            self.latches[str(body["latch_id"])] = record
        elif record.kind == Kind.COMMAND_GIVEN:
            self.given[str(body["command_id"])] = said
        elif file == TRADE_LOG and "command_id" in body:
            self.receipts.setdefault(str(body["command_id"]), []).append(record)
            if record.kind == Kind.LATCH_RELEASED:
                self.released[str(body["latch_id"])] = record

    def names(self) -> set[str]:
        """Every id and hash that is known here."""
        return {*self.latches, *self.given, *self.receipts, *self.versions()}

    def versions(self) -> dict[str, list[Said]]:
        """The records of each version of a control file, by its hash. The trade log's come first."""
        found: dict[str, list[Said]] = {}
        for said in (*self.seen, *self.edited, *self.changed):
            digest = after(said.record)
            if is_digest(digest):
                found.setdefault(str(digest), []).append(said)
        return found

    def before(self, said: Said) -> Said | None:
        """What the executor had read of the same control before."""
        earlier = [one for one in self.seen if one.what == said.what and one.record.seq < said.record.seq]
        return earlier[-1] if earlier else None

    def next(self, said: Said) -> Said | None:
        """What it read of the same control next."""
        return next((one for one in self.seen if one.what == said.what and one.record.seq > said.record.seq), None)

    def bytes_of(self, said: Said | None) -> bytes | None:
        """What the file held then; `None` where that is not kept, or there was no file."""
        return None if said is None else self.contents.get(str(after(said.record)))

    def bytes_before(self, said: Said) -> bytes | None:
        """What it held in the version that a change is told from: the one that was valid last, where a record says."""
        body = said.record.payload
        if "before" in body and is_digest(body["before"]):
            return self.contents.get(str(body["before"]))
        return self.bytes_of(self.before(said))

    def stopped(self, codes: frozenset[Reason], start: int, end: int | None) -> Iterator[Stopped]:
        """Intents held and orders stopped for one of these codes between two records, each intent once."""
        for intent_id in self.trail.intents():
            records = self.trail.of_intent(intent_id)
            first = next((record for record in records if start <= record.seq < (end or _AT_LENGTH)
                          and not codes.isdisjoint(codes_of(record))), None)
            if first is not None:
                yield Stopped(first, next((one for one in records if one.seq > first.seq and one.kind in _OVER), None))

    def let_go(self, codes: frozenset[Reason], seq: int) -> Iterator[Stopped]:
        """Intents that were held for one of these codes when record `seq` came, and went on after it."""
        for one in self.stopped(codes, 0, seq):
            if one.end is not None and one.end.seq > seq:
                yield one


def after(record: Record) -> Any:
    """What a control held after a change: a hash, or a word such as `present`."""
    body = record.payload
    return body.get("after", body.get("sha256"))


def codes_of(record: Record) -> set[str]:
    """The codes for which a record holds an intent, or says that an order was not sent or is to be cancelled."""
    body: Mapping[str, Any] = record.payload
    if record.kind == Kind.INTENT_HELD:
        return {str(code) for code in body["codes"]}
    if record.kind == Kind.ORDER_WITHHELD:
        return {str(body["code"])}
    if record.kind == Kind.ORDER_CANCELLING and body.get("detail") == "full halt":
        return {str(Reason.HALT_FULL)}
    return set()


JOURNALS = (TRADE_LOG, CONTROL_LOG, OPERATOR_COMMANDS)
"""The logs that `take` wants, in this order."""
