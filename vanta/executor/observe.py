"""Everything from outside enters here, and is journalled before it is used.

Controls, vaults, instruments, quotes and the queue are read from their files; what differs from what the
book has is recorded, with the bytes themselves in the snapshot store. A file that cannot be read is reported
and changes nothing: what the executor knew it still knows, and fences refuse on what has become stale.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from vanta.common.canonical import canonical, content_hash, sha256
from vanta.common.errors import BadInput, Missing, StateError, VantaError
from vanta.common.events import Kind
from vanta.common.instruments import Instrument
from vanta.common.models.base import validate
from vanta.common.models.intent import MOST_BYTES, Intent
from vanta.common.models.overlay import Overlay
from vanta.common.models.quotes import MarketQuotes, Quote
from vanta.common.models.vault import Vault, VaultRegistry
from vanta.common.money import plain
from vanta.common.paths import FAR_COMMANDS, MARKET_QUOTES, OPERATOR_COMMANDS, QUEUE, VAULTS
from vanta.common.store.document import parse
from vanta.common.store.ports import MAX_BYTES, Files, Snapshots
from vanta.common.times import millis, millis_of
from vanta.executor.commands import Commands
from vanta.executor.core import wire_intent
from vanta.executor.core.controls import ended, loosened, read_overlay, stated
from vanta.executor.core.entries import OrderEntry
from vanta.executor.core.inputs import FAR, HELD, LAST_VAULTS, LEASE, NOWHERE, READ_LAST, UNREADABLE
from vanta.executor.core.machine import IN_FLIGHT, TERMINAL
from vanta.executor.far import Far
from vanta.executor.gate import Reading
from vanta.executor.recorder import Recorder

INSTRUMENTS = "config/instruments.json"
_OPTIONAL = frozenset({OPERATOR_COMMANDS, FAR_COMMANDS})
BENCHMARK_MS = 15 * 60_000
"""A benchmark's quotes are recorded so far apart, or the log would be full of them."""
InstrumentSource = Callable[[], Mapping[str, Instrument]]


class Observer:
    """Keeps the parsed form of the last readable version of each input. `problems` names unreadable files.

    A quote dated more than `future_skew_ms` ahead of our clock is nobody's price yet: it is reported, not recorded.
    """

    def __init__(self, recorder: Recorder, files: Files, snapshots: Snapshots, instruments: InstrumentSource,
                 future_skew_ms: int = 5_000) -> None:
        self._recorder = recorder
        self._files = files
        self._snapshots = snapshots
        self._instrument_source = instruments
        self._raw: dict[str, bytes] = {}
        self.problems: dict[str, str] = {}
        self.vaults: VaultRegistry | None = None
        self.instruments: Mapping[str, Instrument] = {}
        self.queue_depth = 0
        self._quotes: dict[str, Quote] = {}
        self._quotes_at: int | None = None
        self._ahead = False
        self._withdrawn: dict[str, str] = {}
        self._overlay: Overlay | None = None
        self._far_overlay: Overlay | None = None
        self._commands = Commands(recorder)
        self._asked_in = [OPERATOR_COMMANDS]
        self._skew_ms = future_skew_ms

    def controls(self, reading: Reading, now: datetime) -> None:
        """Record the overlay's bytes and the permit whenever either differs from what was recorded last."""
        seen = reading.sha256 or f"unreadable: {reading.controls.problem}"
        overlay = reading.controls.overlay
        if self._recorder.book.inputs.get("overlay") != seen:
            off = loosened(self._overlay or self._last_overlay(), overlay)
            why = stated(overlay, off)
            self._saw("overlay", seen, reading.raw, now, {
                "problem": reading.controls.problem, "loosened": off, "by": why[1] if why else None,
                "reason": why[0] if why else "reason not stated" if off else None})
        self._overlay = overlay or self._overlay
        self._far(reading.far, now)
        self._saw("permit", "present" if reading.permit else "absent", None, now, {})
        for what in () if reading.controls.clear else ended(overlay, now):
            if what not in self._recorder.book.ended:
                self._recorder.put(Kind.CONTROL_ENDED, {"what": what}, now=now)

    def _last_overlay(self) -> Overlay | None:
        """What was valid last to an executor before this one, by its log: an edit while none ran loosens as well."""
        try:
            digest = self._recorder.book.inputs.get(READ_LAST["overlay"])
            return None if digest is None else read_overlay(self._snapshots.get(digest)).overlay
        except StateError:
            return None

    def _far(self, far: Far | None, now: datetime) -> None:
        """Record what came from Alpha on another host, or that there is none any more."""
        known = self._recorder.book.inputs
        if far is None:
            if known.get(FAR, NOWHERE) != NOWHERE:
                self._saw(FAR, NOWHERE, None, now, {})
            return
        overlay = far.controls.overlay
        seen = far.sha256 or f"{UNREADABLE}{far.controls.problem}"
        if known.get(FAR) != seen:
            off = loosened(self._far_overlay, overlay)
            why = stated(overlay, off)
            self._saw(FAR, seen, far.raw, now, {
                "problem": far.controls.problem, "loosened": off, "by": why[1] if why else None,
                "reason": why[0] if why else "reason not stated" if off else None})
        self._far_overlay = overlay or self._far_overlay
        self._saw(LEASE, f"{UNREADABLE}{far.lease}" if far.lease else HELD, None, now,
                  {"problem": far.lease or None, "counter": far.counter})
        for what in () if far.controls.clear else ended(overlay, now):
            if (said := f"{what} (Alpha)") not in self._recorder.book.ended:
                self._recorder.put(Kind.CONTROL_ENDED, {"what": said}, now=now)

    def _saw(self, what: str, digest: str, raw: bytes | None, now: datetime, more: Mapping[str, Any]) -> None:
        inputs = self._recorder.book.inputs
        if inputs.get(what) != digest:
            if raw is not None:
                self._snapshots.put(raw)
            edit = {"before": inputs.get(READ_LAST[what])} if what in inputs and what in READ_LAST else {}
            self._recorder.put(Kind.CONTROL_SEEN, {"what": what, "sha256": digest, **more, **edit}, now=now)

    def registry(self, now: datetime) -> bool:
        """Vaults and instruments; returns whether either changed.

        A vault seen for the first time on a paper account is funded with its capital.
        """
        raw = self._changed(VAULTS)
        said = None if raw is None else self._parsed(VAULTS, raw, VaultRegistry)
        if raw is not None and said is not None:
            self.vaults = said
            self._saw("vaults", sha256(raw), raw, now, {})
            for vault in said.vaults:
                self._fund(vault, sha256(raw), now)
        if not self.vaults_readable:
            self._saw("vaults", f"{UNREADABLE}{self.problems.get(VAULTS)}", None, now, {})
            self.vaults = self.vaults or self._last_vaults()
        table = self._instrument_source()
        problem = getattr(self._instrument_source, "problem", None)  # a registry of files has one, a plain table not
        if problem:
            self.problems[INSTRUMENTS] = problem
        else:
            self.problems.pop(INSTRUMENTS, None)
        renewed = table is not self.instruments
        if renewed:
            self.instruments = table
            body = canonical({name: item.model_dump(mode="json") for name, item in sorted(table.items())})
            if self._recorder.book.inputs.get("instruments") != sha256(body):
                self._snapshots.put(body)
                self._recorder.put(Kind.INSTRUMENTS_SEEN, {"what": "instruments", "sha256": sha256(body)}, now=now)
        return renewed or raw is not None

    @property
    def vaults_readable(self) -> bool:
        """Whether vault.json could be read; `vaults` is what it said when it could be last."""
        return VAULTS not in self.problems

    def _last_vaults(self) -> VaultRegistry | None:
        """What vault.json said to an executor before this one, by its log."""
        digest = self._recorder.book.inputs.get(LAST_VAULTS)
        try:
            return None if digest is None else parse(self._snapshots.get(digest), VaultRegistry, file=VAULTS)
        except VantaError:
            return None

    def _fund(self, vault: Vault, evidence: str, now: datetime) -> None:
        if vault.vault_id not in self._recorder.book.vaults:
            self._recorder.put(Kind.ADJUSTMENT, {
                "type": "transfer", "vault": vault.vault_id, "account": vault.account, "currency": vault.base_currency,
                "amount": plain(vault.capital), "evidence": evidence, "why": "capital of a new vault"}, now=now)

    def commands(self, now: datetime) -> list[OrderEntry]:
        """Carry out operators' commands that have not been carried out yet. Returns orders to be cancelled."""
        return [order for name in self._asked_in for order in self._carried_out(name, now)]

    def also_asked_in(self, name: str) -> None:
        """Commands are given in this log as well."""
        self._asked_in.append(name)

    def _carried_out(self, name: str, now: datetime) -> list[OrderEntry]:
        raw = self._changed(name)
        if raw is None:
            return []
        try:
            given = self._commands.read(raw)
        except VantaError as error:
            self.problems[name] = error.what
            return []
        self.problems.pop(name, None)
        if self._commands.no_command:
            self.problems[name] = self._commands.no_command
        return self._commands.run(given, self.vaults if self.vaults_readable else None, now)

    def queue(self, now: datetime) -> int:
        """New intents and withdrawals. Returns how many intents were seen for the first time."""
        raw = self._changed(QUEUE, max_bytes=MOST_BYTES)
        if raw is None:
            return 0
        try:
            queue = wire_intent.queue(raw, file=QUEUE)
        except BadInput as error:
            self.problems[QUEUE] = error.what
            return 0
        if queue.home not in ("", self._recorder.book.home):
            self.problems[QUEUE] = (f"{QUEUE} is for the executor of home {queue.home}, this is home "
                                    f"{self._recorder.book.home}: it is not read")
            return 0
        self.problems.pop(QUEUE, None)
        self.queue_depth = len(queue.intents)
        self._forget_entries()
        self._withdrawn = {one.intent_id: one.reason for one in queue.withdrawals}
        return sum(self._staged(index, body, now) for index, body in enumerate(queue.intents))

    def withdrawals(self, now: datetime) -> list[OrderEntry]:
        """End what the promoter no longer wants: looked at in every step, because an order in flight may come back.

        Returns orders that work at a venue for an intent that was withdrawn.
        """
        book, at_the_venue = self._recorder.book, []
        for intent_id, reason in self._withdrawn.items():
            entry = book.intents.get(intent_id)
            if entry is None or entry.state in TERMINAL:
                continue
            if entry.state not in IN_FLIGHT:
                self._recorder.about(Kind.INTENT_WITHDRAWN, entry,
                                     {"intent_state": "withdrawn", "reason": reason}, now=now)
            elif entry.order_id in book.working:
                at_the_venue.append(book.working[entry.order_id])
        return at_the_venue

    def _forget_entries(self) -> None:
        for name in [name for name in self.problems if name.startswith(QUEUE + "#")]:
            del self.problems[name]

    def _staged(self, index: int, raw: dict[str, Any], now: datetime) -> int:
        """One entry of the queue. What is known with these bytes is skipped; a bad entry is reported, others go on."""
        known = self._recorder.book.intents.get(str(raw.get("intent_id")))
        if known is not None and (known.raw == raw or known.sha256 == content_hash(raw)):
            return 0
        try:
            body = raw if wire_intent.is_sound(raw) else validate(Intent, raw, file=QUEUE).model_dump(mode="json")
        except VantaError as error:
            self.problems[f"{QUEUE}#{index}"] = error.what
            return 0
        return self._intent(body, now)

    def _intent(self, body: dict[str, Any], now: datetime) -> int:
        """An entry in the form of its model."""
        known, why = self._recorder.book.intents.get(body["intent_id"]), body["provenance"]
        digest = content_hash(body)
        ids = {"intent_id": body["intent_id"], "signal_id": why["signal_id"], "vault": body["vault"]}
        if known is None:
            self._recorder.put(Kind.INTENT_SEEN, {"intent_state": "seen", "sha256": digest, "intent": body},
                               now=now, ids=ids, dag_id=why["dag_id"])
            return 1
        if known.sha256 != digest and digest not in known.other_bytes:
            state = "quarantined" if known.state not in TERMINAL and known.state not in IN_FLIGHT else None
            self._recorder.put(Kind.INTENT_QUARANTINED, {
                "intent_state": state, "code": "duplicate.changed_bytes", "sha256": digest, "intent": body,
            }, now=now, ids=ids, dag_id=why["dag_id"])
        return 0

    def quotes(self, now: datetime, benchmark: str | None = None) -> bool:
        """Record new quotes of every instrument that is held, working or waited for. Returns whether any moved.

        The benchmark is nobody's: one quote in `BENCHMARK_MS` is enough, and the last before a day is closed (`mark`).
        """
        raw = self._changed(MARKET_QUOTES)
        if raw is not None:
            document = self._parsed(MARKET_QUOTES, raw, MarketQuotes)
            self._quotes = document.quotes if document is not None else {}
        elif self._quotes_at == self._recorder.book.seq:  # the same quotes, and nobody wants another one
            return False
        moved, self._ahead = False, False
        wanted = self._wanted()
        for instrument_id in wanted:
            moved |= self.mark(instrument_id, now)
        if benchmark is not None and benchmark not in wanted and self._is_due(benchmark):
            moved |= self.mark(benchmark, now)
        self._quotes_at = None if self._ahead else self._recorder.book.seq
        return moved

    def mark(self, instrument_id: str, now: datetime) -> bool:
        """Record the quote of one instrument that the file said at the last look. Returns whether it was news."""
        quote = self._quotes.get(instrument_id)
        if quote is None or not self._is_news(instrument_id, quote, millis(now) + self._skew_ms):
            return False
        self._recorder.put(Kind.QUOTE_SEEN, {
            "instrument_id": instrument_id, "bid": plain(quote.bid), "ask": plain(quote.ask),
            "last": plain(quote.last), "size": _text(quote.size), "at": quote.at,
            "volume": _text(quote.average_daily_volume), "source": quote.source}, now=now)
        return True

    def _is_due(self, benchmark: str) -> bool:
        known, quote = self._recorder.book.quotes.get(benchmark), self._quotes.get(benchmark)
        return known is None or quote is None or millis_of(quote.at) >= known.at_ms + BENCHMARK_MS

    def _wanted(self) -> list[str]:
        book = self._recorder.book
        names = {entry.instrument_id for entry in book.waiting.values()}
        names.update(order.instrument_id for order in book.working.values())
        for vault in book.vaults.values():
            names.update(name for name, position in vault.positions.items() if position.quantity)
        return sorted(names)

    def _is_news(self, instrument_id: str, quote: Quote, latest_ms: int) -> bool:
        """Newer than what is known, and not from the future. A known quote from the future gives way to any other."""
        old, at_ms = self._recorder.book.quotes.get(instrument_id), millis_of(quote.at)
        problem = f"{MARKET_QUOTES}#{instrument_id}"
        if at_ms > latest_ms:
            self._ahead = True  # until its time comes
            self.problems[problem] = f"{MARKET_QUOTES}: the quote of {instrument_id} is dated {quote.at}, in the future"
            return False
        self.problems.pop(problem, None)
        if old is None or old.at_ms > latest_ms:
            return True
        return at_ms > old.at_ms or (at_ms == old.at_ms and (quote.bid, quote.ask, quote.last, quote.size)
                                     != (old.bid, old.ask, old.last, old.size))

    def _changed(self, name: str, *, max_bytes: int = MAX_BYTES) -> bytes | None:
        """The file's bytes if they differ from the last look and could be read."""
        try:
            raw = self._files.read(name, max_bytes=max_bytes)
        except Missing as error:
            self._raw.pop(name, None)
            if name not in _OPTIONAL:
                self.problems[name] = error.what
            return None
        except VantaError as error:
            self._raw.pop(name, None)
            self.problems[name] = error.what
            return None
        if self._raw.get(name) == raw:
            return None
        self._raw[name] = raw
        return raw

    def _parsed(self, name: str, raw: bytes, model: type[Any]) -> Any:
        try:
            value = parse(raw, model, file=name)
        except VantaError as error:
            self.problems[name] = error.what
            return None
        self.problems.pop(name, None)
        return value


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
