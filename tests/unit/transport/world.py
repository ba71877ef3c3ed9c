"""Two nodes of which one pulls: a real home that is written as its programs write it, and the other's replica of it."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from vanta.common.clock import ManualClock
from vanta.common.errors import Missing
from vanta.common.events import Kind
from vanta.common.paths import TRADE_LOG, Home
from vanta.common.signing_key import signer_of
from vanta.common.store.inmemory import MemorySnapshots
from vanta.common.store.journal import FileJournal
from vanta.transport.core.table import names
from vanta.transport.inmemory import MemoryRemote
from vanta.transport.landing import Landing
from vanta.transport.puller import Link, Pace, Turn
from vanta.transport.reading import HomeReader

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


class World:
    """`there` is the home of `source`, `here` that of `to`; `remote` shows a copy of it, which tests may spoil."""

    def __init__(self, folder: Path, source: str = "executor", to: str = "alpha", key: str | None = None) -> None:
        self.there = Home(folder / "there").prepare()
        self.here = Home(folder / "here").prepare()
        self.source, self.to, self.key = source, to, key
        self.clock = ManualClock(NOW)
        self.remote = MemoryRemote(source, to)
        self.start()

    def start(self) -> None:
        """Start (or restart) the puller."""
        self.landing = Landing(self.here.replica(self.source), MemorySnapshots())
        self.link = Link(self.source, self.to, self.remote, self.landing,
                         Pace(controls_s=0.2, logs_s=1.0, key=self.key))

    def show(self) -> None:
        """Let the other home be seen as it is now."""
        reader = HomeReader(self.there, self.source, self.to, MemorySnapshots())
        self.remote.contents.clear()
        for name in names(self.source, self.to):
            try:
                stat = reader.stat(name)
                self.remote.contents[name] = reader.read(name, stat.start, 1 << 30)
                self.remote.begins[name] = (stat.first, stat.start)
            except Missing:
                continue

    def write(self, count: int, name: str = TRADE_LOG, *, batch: int = 1, day: int = 20) -> None:
        """Records in a log there, each batch of them signed for."""
        with closing(FileJournal(self.there.file(name), signer=signer_of(self.there), daily=True)) as journal:
            for number in range(count):
                opened = journal.head().seq > 0
                journal.append(Kind.PROGRAM_STOPPED if opened else Kind.JOURNAL_OPENED,
                               {"n": number} if opened else {"home": "abc", "program": "test", "schema": 1},
                               at=f"2026-11-{day}T15:00:00.000Z")
                if (number + 1) % batch == 0:
                    journal.sync()

    def turn(self, after_s: float = 1.0) -> Turn:
        """One turn, so much later."""
        self.clock.move_to(self.clock.now() + timedelta(seconds=after_s))
        return self.link.turn(self.clock)

    def problem(self, name: str = TRADE_LOG) -> str:
        """What is wrong with a file."""
        return self.link.files[name].problem

    def replica(self, name: str = TRADE_LOG) -> bytes:
        """What is held of a file."""
        path = self.landing.place.file(name)
        return path.read_bytes() if path.exists() else b""

    def log(self, name: str = TRADE_LOG) -> bytes:
        """A log there."""
        return self.there.file(name).read_bytes()

    def evidence(self) -> list[str]:
        """Names of what was refused."""
        folder = self.landing.place.root / "refused"
        return sorted(one.name for one in folder.iterdir()) if folder.exists() else []
