"""A home, what its publisher has left on a server in memory, and the replica that another node pulls from there."""

from contextlib import closing
from pathlib import Path

from tests.unit.transport.world import World
from vanta.common.events import Kind
from vanta.common.paths import TRADE_LOG
from vanta.common.signatures import KEYS, Signer, fingerprint
from vanta.common.signing_key import signer_of
from vanta.common.store.inmemory import MemorySnapshots
from vanta.common.store.journal import FileJournal
from vanta.transport.core import streams
from vanta.transport.core.envelope import opened
from vanta.transport.core.table import NODES, checkpoints_of
from vanta.transport.inmemory_bus import MemoryBus
from vanta.transport.landing import Landing
from vanta.transport.port import LinkDown
from vanta.transport.publisher import Done, Publisher, Source
from vanta.transport.puller import Link, Pace
from vanta.transport.reading import HomeReader
from vanta.transport.streamed import Ends, StreamRemote

LOG = streams.place("executor", TRADE_LOG)
POINTS = streams.place("executor", checkpoints_of(TRADE_LOG))
INDEX = streams.index("executor", "alpha")
STRANGER = Signer(b"s" * 32)


class Published(World):
    """A world whose link reads what `publisher` has left on `bus`, of which a message holds 3,072 bytes of a log."""

    def __init__(self, folder: Path, source: str = "executor", to: str = "alpha", most: int = 4096) -> None:
        self.bus = MemoryBus(most)
        for node in NODES:
            for one in streams.configurations(node):
                self.bus.ensure(one)
        self.snapshots = MemorySnapshots()
        super().__init__(folder, source, to)
        self.republish()

    def start(self) -> None:
        self.landing = Landing(self.here.replica(self.source), MemorySnapshots())
        self.pin = fingerprint(signer_of(self.there).public)
        self.streamed = StreamRemote(self.bus, Ends(source=self.source, to=self.to, pin=self.pin), self.clock)
        self.link = Link(self.source, self.to, self.streamed, self.landing, Pace(controls_s=0.2, logs_s=1.0))

    def republish(self) -> None:
        """Start (or restart) the publisher."""
        readers = {to: HomeReader(self.there, self.source, to, self.snapshots) for to in streams.readers(self.source)}
        self.publisher = Publisher(Source(node=self.source, readers=readers, identity=lambda: (
            signer_of(self.there), (self.there.config / KEYS).read_bytes())), self.bus, self.clock)

    def publish(self) -> Done:
        """All there is, over cuts."""
        while True:
            try:
                done = self.publisher.turn()
            except LinkDown:
                continue
            if not done.more:
                return done

    def both(self) -> str:
        """Publish, pull. Returns what is wrong with the log."""
        self.publish()
        self.turn()
        return self.problem()

    def pieces(self, stream: streams.Stream = LOG) -> list[bytes]:
        """Bodies of what lies in a stream."""
        return [opened(raw, stream.subject, (signer_of(self.there).public,)).body
                for *_, raw in self.bus.messages[stream.name]]

    def down(self) -> str:
        """What is wrong with the link."""
        return self.link.down

    def heard(self) -> str:
        """When the other node was heard of last."""
        return self.link.heard or ""

    def told(self) -> bytes:
        """The newest index for Alpha."""
        found = self.bus.last(INDEX)
        assert found is not None
        return found.body

    def forge(self, stream: streams.Stream, raw: bytes) -> None:
        """What somebody else publishes there."""
        self.bus.publish(stream, raw)


def append(world: Published, payload: dict[str, object]) -> None:
    """One record that states inputs, or is just long."""
    with closing(FileJournal(world.there.file(TRADE_LOG), signer=signer_of(world.there), daily=True)) as journal:
        journal.append(Kind.CONTROL_SEEN, payload, at="2026-11-20T15:00:00.000Z")
        journal.sync()
