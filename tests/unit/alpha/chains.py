"""Logs of a home changed and chained again, as somebody would who knows how the chain is made."""

from collections.abc import Callable
from typing import Any

import orjson

from vanta.alpha.core.scope import Scope
from vanta.alpha.replayer import Replayed, Replayer
from vanta.common.paths import Home
from vanta.common.store.chain import encode
from vanta.common.store.journal import FileJournal
from vanta.common.store.ports import Record
from vanta.common.store.snapshot import FileSnapshots

Change = Callable[[dict[str, Any]], None]


def replayed(home: Home, **scope: str | None) -> Replayed:
    """What became of it."""
    return Replayer(home, Scope(**scope)).run()


def first_of(home: Home, name: str, kind: str, **said: str) -> Record:
    """The first record of a kind in a log whose payload says this."""
    return next(one for one in FileJournal(home.file(name)).read()
                if one.kind == kind and all(one.payload[key] == value for key, value in said.items()))


def rechained(home: Home, name: str, seq: int, change: Change, *, at: str | None = None) -> None:
    """Change the payload of one record, and its time, and chain everything after it again."""
    path = home.file(name)
    records = list(FileJournal(path).read())
    path.unlink()
    journal = FileJournal(path)
    for record in records:
        payload = orjson.loads(encode(dict(record.payload)))
        if record.seq == seq:
            change(payload)
        journal.append(record.kind, payload, at=at if at and record.seq == seq else record.at, dag_id=record.dag_id,
                       ids=record.ids)
    journal.close()


def snapshots(home: Home) -> FileSnapshots:
    """The home's store."""
    return FileSnapshots(home.snapshots)


def forget(home: Home, digest: str) -> None:
    """Delete one snapshot."""
    found = list(home.snapshots.rglob(f"{digest}*"))
    assert found
    for path in found:
        path.unlink()
