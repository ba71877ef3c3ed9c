"""A small world for executor tests: everything in memory, real executor, real paper broker, a manual clock."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from vanta.common import ids
from vanta.common.calendars import ALWAYS_OPEN, Calendar
from vanta.common.canonical import document
from vanta.common.clock import ManualClock
from vanta.common.instruments import Instrument, crypto, equity
from vanta.common.models.configuration import ExecutorSettings, PaperSettings, Settings
from vanta.common.paths import MARKET_QUOTES, QUEUE, VAULTS
from vanta.common.resources import load
from vanta.common.store.inmemory import MemoryFiles, MemoryJournal, MemorySnapshots
from vanta.common.times import iso
from vanta.executor.brokers.paper import PaperBroker
from vanta.executor.brokers.port import Broker
from vanta.executor.core.book import Book
from vanta.executor.gate import Reading
from vanta.executor.inmemory import MemoryGate
from vanta.executor.observe import Observer
from vanta.executor.publish import Publisher
from vanta.executor.recorder import Recorder
from vanta.executor.recovery import open_journal
from vanta.executor.step import Executor, Parts, StepReport
from vanta.executor.wire import described

OPEN = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # a Friday, New York is open
ALL_CLEAR = (b'{"maintenance": false, "orders_disabled": false, "external_calls_disabled": false, '
             b'"full_halt": false, "reduce_only": false}')
INSTRUMENTS: dict[str, Instrument] = {
    item.instrument_id: item for item in (equity("AAPL"), equity("MSFT"), crypto("BTC"), crypto("ETH"))}
HEADER = {"schema_version": 1, "revision": 1, "written_at": iso(OPEN), "written_by": "test"}


def vault(vault_id: str = "V_CORE", **fields: Any) -> dict[str, Any]:
    """A vault that may hold both asset classes, with room for the orders of these tests."""
    body: dict[str, Any] = {
        "vault_id": vault_id, "label": vault_id, "crypto_enabled": True, "personas": ["Athena", "Apollo"],
        "risk": {"max_single_pos_pct": "0.20", "max_asset_class_pct": {"equity": "1.0", "crypto": "0.5"}}}
    return {**body, **fields}


class HaltsLater(MemoryGate):
    """The operator's save lands after so many more looks. `looks` is None until the test counts on."""

    looks: int | None = None

    def read(self) -> Reading:
        """See `MemoryGate.read`."""
        if self.looks is not None:
            self.looks -= 1
            if self.looks < 0:
                self.raw = without_permission({"full_halt": {"enabled": True, "reason": "enough", "by": "ann"}})
        return super().read()


class World:
    """One executor and the files around it."""

    def __init__(self, *, vaults: list[dict[str, Any]] | None = None, settings: ExecutorSettings | None = None,
                 start: datetime = OPEN, gate: MemoryGate | None = None) -> None:
        self.clock = ManualClock(start)
        self.files = MemoryFiles()
        self.snapshots = MemorySnapshots()
        self.journal = MemoryJournal()
        self.gate = gate or MemoryGate(ALL_CLEAR)
        self.settings = settings or ExecutorSettings(paper=PaperSettings(commission_bp=0, slippage_bp=0,
                                                                         half_spread_bp=0))
        self.intents: list[dict[str, Any]] = []
        self.withdrawals: list[dict[str, Any]] = []
        self.quoted: dict[str, dict[str, Any]] = {}
        self.files.replace(VAULTS, document({"vaults": vaults or [vault()]}))
        self.brokers: dict[str, Broker] = {}
        self.said = ""
        self.start()

    def start(self) -> None:
        """Start (or restart) the executor on what the journal holds."""
        self.book = Book()
        recorder = Recorder(self.journal, self.book)
        now = self.clock.now()
        self.brokers = self.make_brokers()
        self.said = open_journal(recorder, (), program="executor test", now=now, details=described(
            Settings(executor=self.settings), {name: one.capabilities for name, one in self.brokers.items()},
            self.snapshots))
        observer = Observer(recorder, self.files, self.snapshots, lambda: INSTRUMENTS)
        observer.registry(now)
        calendars = {"XNYS": Calendar.from_bytes(load("sessions_xnys.json")),
                     "24/7": ALWAYS_OPEN}
        self.executor = Executor(Parts(
            clock=self.clock, settings=self.settings, recorder=recorder, observer=observer, gate=self.gate,
            brokers=self.brokers, snapshots=self.snapshots, calendars=calendars,
            publisher=Publisher(self.files, by="executor test", every_s=0), lock=None, disarm=self.disarm,
            program="executor test", pid=1))
        self.said += self.executor.start()

    def disarm(self) -> None:
        """The permit goes."""
        self.gate.permit = False

    def make_brokers(self) -> dict[str, Broker]:
        """The brokers by account. Tests with another venue override this."""
        return {"paper": PaperBroker(self.settings.paper, self.book.quotes.get,
                                     lambda: INSTRUMENTS)}

    def quote(self, instrument_id: str, last: str, *, bid: str | None = None, ask: str | None = None,
              **more: Any) -> None:
        """Publish a quote as of now."""
        self.quoted[instrument_id] = {"bid": bid or last, "ask": ask or last, "last": last, "size": None,
                                      "at": iso(self.clock.now()), "source": "test", "average_daily_volume": None,
                                      **more}
        self.files.replace(MARKET_QUOTES, document({**HEADER, "now": iso(self.clock.now()), "quotes": self.quoted}))

    def want(self, instrument_id: str, notional: str, *, side: str = "buy", **more: Any) -> str:
        """Stage an intent and return its id."""
        now = self.clock.now()
        vault_id = more.pop("vault", "V_CORE")
        basis = more.pop("basis_seq", self.book.basis.get(f"{vault_id}|{instrument_id}", 0))
        target = [notional, side, more.pop("nonce", len(self.intents))]
        body = {
            "intent_id": ids.intent_id("paper", vault_id, instrument_id, basis, target), "account": "paper",
            "vault": vault_id, "instrument_id": instrument_id, "side": side, "notional": notional,
            "target_notional": notional, "close": False, "basis_seq": basis, "created_at": iso(now),
            "expires_at": iso(now + timedelta(minutes=15)), "flip_id": None,
            "exit_plan": {"stop_pct": None, "trail_pct": None, "take_profit_pct": None, "max_holding_s": None},
            "provenance": {"signal_id": "cv1_" + "a" * 26, "dag_id": "dag1_test", "entity": "equity:AAPL",
                           "conviction_bp": 4000, "band": "medium", "personas": {"Athena": 300, "Apollo": 100},
                           "sources": {"sec.form4": 3000, "news.rss": 1000}, "reasons": [], "inputs": {}}}
        self.intents.append({**body, **more})
        self.stage()
        return str(body["intent_id"])

    def withdraw(self, intent_id: str) -> None:
        """Say that the promoter no longer wants an intent."""
        self.withdrawals.append({"intent_id": intent_id, "at": iso(self.clock.now()), "reason": "changed its mind"})
        self.stage()

    def stage(self) -> None:
        """Write the queue file."""
        self.files.replace(QUEUE, document({**HEADER, "now": iso(self.clock.now()), "intents": self.intents,
                                            "withdrawals": self.withdrawals}))

    def step(self, *, seconds: float = 1) -> StepReport:
        """Let time pass, then make one step."""
        self.clock.sleep(seconds)
        return self.executor.step()

    def kinds(self, intent_id: str | None = None) -> list[str]:
        """Kinds of journal records, of one intent if given."""
        return [record.kind for record in self.journal.read()
                if intent_id is None or record.ids.get("intent_id") == intent_id]

    def state(self, intent_id: str) -> str:
        """The intent's state."""
        return self.book.intents[intent_id].state

    def codes(self, intent_id: str) -> set[str]:
        """Every reason code that was recorded about an intent."""
        found: set[str] = set()
        for record in self.journal.read():
            if record.ids.get("intent_id") == intent_id:
                found.update(str(line[1]) for line in record.payload.get("lines", []) if line[1])
                found.update(code for code in [record.payload.get("code")] if code)
        return found

    def cash(self, vault_id: str = "V_CORE") -> Decimal:
        """Cash of a vault."""
        return self.book.vaults[vault_id].cash

    def held(self, instrument_id: str, vault_id: str = "V_CORE") -> Decimal:
        """Quantity held."""
        return self.book.held(vault_id, instrument_id)


def without_permission(switches: Mapping[str, Any]) -> bytes:
    """An overlay with some switches changed."""
    return json.dumps({**json.loads(ALL_CLEAR), **switches}).encode()
