"""The executor's composition root: the only place that reads its settings and builds its adapters."""

import gc
import os
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import vanta.common
import vanta.executor.core
from vanta import __version__
from vanta.common.calendars import ALWAYS_OPEN, CONTINUOUS, Calendar
from vanta.common.canonical import canonical
from vanta.common.clock import Clock
from vanta.common.errors import LockHeld, OperatorError, StateError
from vanta.common.events import Kind
from vanta.common.host import host_id
from vanta.common.models.configuration import Settings
from vanta.common.outside.allowed import Allowed, host_of
from vanta.common.outside.ledger import JournalLedger, Later, NoLedger
from vanta.common.outside.out import Out
from vanta.common.paths import EXECUTOR_CALLS, FAR_COMMANDS, TRADE_LOG, Home, routes
from vanta.common.permit import arm, disarm
from vanta.common.registry import Registry
from vanta.common.resources import code_of, load
from vanta.common.secrets import Secrets, read_secrets
from vanta.common.signing_key import signer_of
from vanta.common.store.ground import insist_on_local
from vanta.common.store.journal import FileJournal
from vanta.common.store.lock import FileLock
from vanta.common.store.ports import Files, Snapshots
from vanta.common.store.routed import RoutedFiles
from vanta.common.store.storage import DURABLE, Storage
from vanta.common.times import iso
from vanta.executor.anchors import insist
from vanta.executor.attribution import editor, nobody
from vanta.executor.brokers.alpaca import AlpacaBroker
from vanta.executor.brokers.ccxt import CcxtBroker
from vanta.executor.brokers.hosts import check
from vanta.executor.brokers.ibkr import IbkrBroker
from vanta.executor.brokers.paper import PaperBroker
from vanta.executor.brokers.port import Broker, Capabilities, RealBroker
from vanta.executor.brokers.tradier import TradierBroker
from vanta.executor.closing import close_day
from vanta.executor.core.book import Book
from vanta.executor.far import FarControls
from vanta.executor.gate import FileGate
from vanta.executor.memory import Keeper, recall
from vanta.executor.observe import InstrumentSource, Observer
from vanta.executor.publish import Publisher
from vanta.executor.recorder import Recorder
from vanta.executor.recovery import open_journal, opening
from vanta.executor.step import Executor, Parts

PAPER = "paper"
PROGRAM = f"executor {__version__}"
ADAPTERS: dict[str, type[RealBroker]] = {
    "alpaca": AlpacaBroker, "ccxt": CcxtBroker, "ibkr": IbkrBroker, "tradier": TradierBroker}
"""Each imports its library where it first needs it, so that an executor without such an account does not pay for it."""
SESSIONS = {"XNYS": "sessions_xnys.json"}
"""Shipped calendars by name; `24/7` needs no file."""


_COLLECTED_AFTER = (50_000, 10, 10)
"""Python's own 700 suits programs that forget: here nearly all that is made is the book's and stays, and looking it
over for cycles after every dozen orders took a tenth of all time."""


@dataclass(frozen=True, slots=True)
class Built:
    """A running executor, the sentence that says what its start found, and by which way it goes out."""

    executor: Executor
    recovered: str
    out: Out


def calendars() -> dict[str, Calendar]:
    """Every calendar that ships with VANTA, by name."""
    return {**{name: Calendar.from_bytes(load(file), file=file) for name, file in SESSIONS.items()},
            CONTINUOUS: ALWAYS_OPEN}


def described(settings: Settings, accounts: Mapping[str, Capabilities], snapshots: Snapshots) -> dict[str, Any]:
    """What the verdicts of this run depend on besides the log, by content: for the record of the start, and replay."""
    sessions = {name: snapshots.put(load(file)) for name, file in SESSIONS.items()}
    return {"mode": settings.executor.mode, "settings": snapshots.put(canonical(settings.model_dump(mode="json"))),
            "brokers": sorted(accounts), "calendars": sessions,
            "able": {name: sorted(able.terms) for name, able in sorted(accounts.items())}}


def brokers(settings: Settings, book: Book, instruments: InstrumentSource, home: Home, out: Out) -> dict[str, Broker]:
    """Brokers by account. Raises `OperatorError` where mode and hosts do not fit, before anything is contacted.

    `out` is opened to the hosts that the settings list, or to those of the brokers that were made.
    """
    mode, accounts = settings.executor.mode, settings.executor.accounts
    if mode == "live" and not accounts:
        raise OperatorError("executor.mode is live, but no broker account is configured",
                            'Add [executor.accounts.NAME] to config/vanta.toml, or set mode = "paper".')
    if PAPER in accounts:
        raise OperatorError(f"an account may not be called {PAPER}", "Give it another name.")
    found: dict[str, Broker] = {}
    needed: dict[str, frozenset[str]] = {}
    if mode != "live":
        found[PAPER] = PaperBroker(settings.executor.paper, book.quotes.get, instruments)
    for name, account in accounts.items():
        secrets = read_secrets(account.credentials, home) if account.credentials else Secrets()
        real = ADAPTERS[account.adapter](account, secrets, instruments, live=mode == "live", out=out)
        check(mode, name, real.urls())
        needed[name] = frozenset(map(host_of, real.urls()))
        found[name] = real
    out.allowed = Allowed.of(frozenset().union(*needed.values()) if settings.outside.hosts is None else
                             settings.outside.hosts)
    for name, hosts in needed.items():
        for host in sorted(hosts):
            if not out.allowed.permits(host):
                raise OperatorError(f"account {name}: {host} is not among the hosts that this node may ask",
                                    "Add it to hosts under [outside] in config/vanta.toml; `vanta outside list` shows "
                                    "what is needed.")
    return found


def needs(settings: Settings) -> dict[str, frozenset[str]]:
    """Hosts by account, as its client would ask them. No secret is read and nobody is asked."""
    live = settings.executor.mode == "live"
    found = {}
    for name, account in settings.executor.accounts.items():
        with closing(ADAPTERS[account.adapter](account, _Blanks(), dict, live=live)) as real:
            found[name] = frozenset(map(host_of, real.urls()))
    return found


class _Blanks(dict[str, str]):
    """In the place of secrets: every one is there, and signs nothing."""

    def get(self, _name: str, _default: Any = None) -> str:
        """A dash."""
        return "-"

    def __missing__(self, _name: str) -> str:
        return "-"


_ASIDE = ("Until it starts nothing is cancelled and no position is left. If the disk is well, keep this log as "
          "evidence and go on with a new one, in the home: " + "; ".join(
              f"mkdir -p memory/aside/{at} && mv --backup=numbered memory/{at}{EXECUTOR_CALLS} memory/aside/{at}"
              for at in ("", "checkpoints/", "segments/")))


def way_out(home: Home, settings: Settings, clock: Clock, storage: Storage) -> Out:
    """The way out, open to nobody yet. Its log is opened now where there are accounts: it has to be whole.

    Raises `StateError`. No book rests on this log, and orders and positions wait: the error says how to go on without.
    """
    def ledger() -> JournalLedger:
        try:
            return JournalLedger(storage.trail(home.file(EXECUTOR_CALLS), signer=signer_of(home)), clock,
                                 program=PROGRAM)
        except LockHeld:
            raise
        except StateError as error:
            raise StateError(error.what, _ASIDE) from error

    return Out(Allowed.of(()), ledger() if settings.executor.accounts else Later(ledger), clock)


def files_of(home: Home, settings: Settings, storage: Storage) -> Files:
    """The home's documents; those of other hosts are read where they arrived."""
    files, elsewhere = storage.files(home.memory), routes(settings.node.name if settings.node else None)
    return RoutedFiles(files, elsewhere) if elsewhere else files


def gate_of(home: Home, settings: Settings, clock: Clock) -> FileGate:
    """The gate; where Alpha is on another host, with what came from there."""
    if settings.node is None:
        return FileGate(home)
    owners = {0, os.geteuid(), home.memory.stat().st_uid}
    return FileGate(home, FarControls(home, clock, limit_s=settings.transport.lease_s, owners=owners))


def found(home: Home, home_id: str, *, by: str, now: datetime) -> None:
    """Make a new home ready for a simulation: dispatch permitted, its log under a given short id, not a drawn one."""
    with closing(FileJournal(home.file(TRADE_LOG), signer=signer_of(home))) as journal:
        if journal.head().seq:
            raise OperatorError(f"{home.root} has a trade log already", "Choose an empty folder with --home.")
        journal.append(Kind.JOURNAL_OPENED, opening(home_id, PROGRAM), at=iso(now))
    arm(home, by=by, reason="simulation", now=now)


def build(home: Home, settings: Settings, clock: Clock,
          make_brokers: Callable[[Settings, Book, InstrumentSource, Home, Out], dict[str, Broker]] = brokers,
          storage: Storage = DURABLE) -> Built:
    """Take the lock, open and fold the log, settle open questions. Raises `LockHeld`, `StateError`, `OperatorError`."""
    gc.set_threshold(*_COLLECTED_AFTER)
    if storage is DURABLE:  # a simulation can be made again
        insist_on_local(home.memory, live=settings.executor.mode == "live")
    now = clock.now()
    lock = FileLock(home.lock("executor"), owner="executor", now=now)
    out = Out(Allowed.of(()), NoLedger(), clock)
    try:
        journal = storage.journal(home.file(TRADE_LOG), signer=signer_of(home))
        files, snapshots = files_of(home, settings, storage), storage.snapshots(home.snapshots)
        insist(files, journal.head())
        book, begins = recall(journal, files, code := code_of(vanta.executor.core, vanta.common))
        open_end = journal.head().seq - journal.covered  # a crash leaves some; so does whoever adds records
        unsigned = {"unsigned": open_end} if open_end else {}
        recorder = Recorder(journal, book, begins)
        registry = Registry(home)
        out = way_out(home, settings, clock, storage)
        venues = make_brokers(settings, book, lambda: observer.instruments, home, out)
        if settings.executor.accounts:  # the paper broker asks nobody
            out.up()
        able = {name: one.capabilities for name, one in venues.items()}
        said = open_journal(recorder, journal.set_aside, program=PROGRAM, now=now,
                            details={**described(settings, able, snapshots), "host": host_id(), **unsigned})
        observer = Observer(recorder, files, snapshots, registry, settings.executor.future_skew_s * 1000)
        if settings.node is not None:
            observer.also_asked_in(FAR_COMMANDS)
        close_day(recorder, settings.executor.benchmark, now)
        observer.registry(now)
        executor = Executor(Parts(
            clock=clock, settings=settings.executor, recorder=recorder, observer=observer, out=out,
            gate=gate_of(home, settings, clock), latch_s=settings.transport.latch_s,
            brokers=venues, snapshots=snapshots, calendars=calendars(), lock=lock, program=PROGRAM, pid=os.getpid(),
            editor=nobody if settings.executor.mode == "simulate" else lambda name, seen: editor(home.file(name), seen),
            disarm=partial(disarm, home), keeper=Keeper(recorder, files, code) if storage is DURABLE else None,
            publisher=Publisher(files, by=PROGRAM, every_s=settings.executor.publish_ms / 1000)))
        said += executor.start()
    except BaseException:
        out.close()
        lock.release()
        raise
    return Built(executor, said, out)
