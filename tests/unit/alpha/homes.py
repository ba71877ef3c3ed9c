"""Small homes on disk: what an in-memory executor did, written as the real store writes it."""

from pathlib import Path

from tests.unit.executor.world import ALL_CLEAR, World, vault, without_permission
from vanta.common.canonical import document
from vanta.common.paths import OVERLAY, PERMIT, SNAPSHOTS, STATE, TRADE_LOG, VAULTS, Home
from vanta.common.store.chain import encode
from vanta.common.store.ports import Record
from vanta.common.store.snapshot import FileSnapshots


def busy(*, closed: bool = True) -> World:
    """A morning with a bit of everything: fills, a partial fill, refusals, a halt, a restart, a changed vault file."""
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
    if closed:
        world.executor.close()
    return world


def line(record: Record) -> bytes:
    """A record's line as the journal holds it."""
    return encode({"seq": record.seq, "at": record.at, "kind": record.kind, "dag_id": record.dag_id,
                   "ids": record.ids, "payload": record.payload, "prev": record.prev}) + b"\n"


def on_disk(world: World, root: Path) -> Home:
    """The world's files, log and snapshots as a home."""
    home = Home(root).prepare()
    home.file(TRADE_LOG).write_bytes(b"".join(line(record) for record in world.journal.read()))
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
