"""Small homes on disk: what an in-memory executor did, written as the real store writes it."""

import shutil
from collections.abc import Callable
from contextlib import closing
from copy import deepcopy
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from tests.unit.executor.world import ALL_CLEAR, World, vault, without_permission
from vanta.alpha.core.asked import Given, commands
from vanta.common.canonical import document, sha256
from vanta.common.clock import Clock, ManualClock
from vanta.common.events import Kind
from vanta.common.models.configuration import Settings
from vanta.common.outside.call import Call
from vanta.common.outside.ledger import JournalLedger
from vanta.common.paths import CALLS, OPERATOR_COMMANDS, OVERLAY, PERMIT, SNAPSHOTS, STATE, TRADE_LOG, VAULTS, Home
from vanta.common.permit import arm
from vanta.common.signing_key import signer_of
from vanta.common.store.chain import chain, encode
from vanta.common.store.inmemory import MemoryJournal
from vanta.common.store.journal import FileJournal
from vanta.common.store.personal import sealed
from vanta.common.store.ports import Record
from vanta.common.store.snapshot import FileSnapshots
from vanta.common.store.trail import TrailJournal
from vanta.executor.wire import build
from vanta.markets.wire import Markets

SHIPPED = Path(__file__).resolve().parents[3] / "memory_fixtures" / "demo"


@cache
def busy() -> World:
    """A morning with a bit of everything: fills, a partial fill, refusals, a halt, a restart, a broken vault file.

    Made once; whoever gets it only reads.
    """
    world = World()
    world.quote("equity:AAPL", "200.00", size="3")
    world.quote("crypto:BTC-USD", "50000")
    world.quote("equity:MSFT", "300")
    world.want("equity:AAPL", "1000")
    world.want("crypto:BTC-USD", "60000")
    world.want("equity:MSFT", "1000", vault="V_NONE")
    world.step()
    world.gate.raw = without_permission({"full_halt": {"enabled": True, "reason": "drill", "by": "ann"}})
    world.want("equity:MSFT", "1500")
    world.step()
    world.gate.raw = ALL_CLEAR
    world.step()
    world.files.replace(VAULTS, b"{")
    world.want("equity:MSFT", "2100")
    world.step()
    world.files.replace(VAULTS, document({"vaults": [vault(), vault("V_TWO")]}))
    world.step()
    world.start()
    world.step()
    world.quote("equity:AAPL", "204.00", size="9")
    world.want("equity:AAPL", "408", side="sell")
    world.step()
    world.executor.close()
    return world


def line(record: Record) -> bytes:
    """A record's line as the journal holds it."""
    written = sealed(record.kind, record.payload, lambda: sha256(record.prev.encode())[:32])  # as `MemoryJournal` does
    return encode({"seq": record.seq, "at": record.at, "kind": record.kind, "dag_id": record.dag_id,
                   "ids": record.ids, "payload": written, "prev": record.prev}) + b"\n"


def on_disk(world: World, root: Path) -> Home:
    """The world's files, log and snapshots as a home."""
    home = Home(root).prepare()
    home.file(TRADE_LOG).write_bytes(b"".join(line(record) for record in world.journal.read()))
    signed(home)
    for row in STATE:
        if row.model is not None and world.files.exists(row.name):
            home.file(row.name).write_bytes(world.files.read(row.name))
    if world.gate.raw is not None:
        home.file(OVERLAY).write_bytes(world.gate.raw)
    if world.gate.permit:
        home.file(PERMIT).write_bytes(b"{}\n")
    store = FileSnapshots(home.memory / SNAPSHOTS)
    for blob in world.snapshots._blobs.values():
        store.put(blob)
    return home


def signed(home: Home) -> None:
    """The end of the home's trade log under a checkpoint, as its executor would have left it."""
    with closing(FileJournal(home.file(TRADE_LOG), signer=signer_of(home))) as journal:
        journal.checkpoint(at="2026-11-18T15:00:00.000Z")


def edited(world: World, seq: int, change: Callable[[dict[str, Any]], None]) -> list[Record]:
    """The world's log with the payload of one record changed and everything after it chained again."""
    journal = MemoryJournal()
    for record in world.journal.read():
        payload = deepcopy(dict(record.payload))
        if record.seq == seq:
            change(payload)
        journal.append(record.kind, payload, at=record.at, dag_id=record.dag_id, ids=record.ids)
    return list(journal.read())


def without(world: World, seq: int) -> list[Record]:
    """The world's log without one record, chained again."""
    journal = MemoryJournal()
    for record in world.journal.read():
        if record.seq != seq:
            journal.append(record.kind, record.payload, at=record.at, dag_id=record.dag_id, ids=record.ids)
    return list(journal.read())


def first(world: World, kind: str) -> Record:
    """The first record of a kind."""
    return next(record for record in world.journal.read() if record.kind == kind)


def kept(world: World) -> dict[str, bytes]:
    """Every snapshot by hash."""
    return dict(world.snapshots._blobs)


def asked(world: World) -> Given:
    """The commands that operators gave."""
    return [commands(chain(world.files.read(OPERATOR_COMMANDS), name=OPERATOR_COMMANDS)
                     if world.files.exists(OPERATOR_COMMANDS) else ())]


def called(home: Home, clock: Clock) -> None:
    """A few calls in every log of them, as if the home's programs had asked somebody."""
    for name in CALLS:
        with closing(JournalLedger(TrailJournal(home.file(name), alone=True, signer=signer_of(home), daily=True), clock,
                                   program="test 1")) as ledger:
            for status in ("200", "timeout"):
                ledger.put(Call(Kind.CALL_MADE, "feeds.example.org", "feed:news", status, "GET", 1234, 56))


def whole(root: Path, *, scenes: int = 2) -> Home:
    """A home in which every program has run, over the payloads that ship with VANTA."""
    home = Home(root).prepare()
    clock = ManualClock(datetime(2026, 11, 18, 15, 0, tzinfo=UTC))
    for name in (VAULTS, OVERLAY):
        shutil.copy(SHIPPED / "memory" / name, home.file(name))
    arm(home, by="ann", reason="test", now=clock.now())
    markets, built = Markets(home, Settings(), clock), build(home, Settings(), clock)
    try:
        built.executor.step()
        for scene in sorted((SHIPPED / "feeds").iterdir())[:scenes]:
            clock.sleep(60)
            for feed in sorted(path.name for path in scene.iterdir()):
                markets.collect(feed, scene / feed)
            markets.reflect()
            markets.promote()
            for _ in range(3):
                clock.sleep(1)
                built.executor.step()
            markets.promote()
    finally:
        markets.close()
        built.executor.close()
    called(home, clock)
    return home
