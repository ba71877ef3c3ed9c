"""The suite of all links over a real NATS server on loopback, with the shipped configuration and certificates."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.conformance.transport.nats_server import WAY, Nats, nats_server, why_not
from tests.conformance.transport.test_remotes import POINTS, RemoteSuite
from vanta.common.clock import SystemClock
from vanta.common.outside.out import unwatched
from vanta.common.paths import TRADE_LOG, Home
from vanta.common.signatures import fingerprint
from vanta.common.signing_key import signer_of
from vanta.transport.port import Remote
from vanta.transport.streamed import Ends, StreamRemote
from vanta.transport.wire import bus, publisher

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "there is one")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nats]:
    """One for all: each home comes with keys of its own, and begins behind what others have left."""
    with nats_server(tmp_path_factory.mktemp("nats")) as made:
        assert all(made.make_streams())
        assert not any(made.make_streams())
        yield made


class TestNats(RemoteSuite):
    """What the executor publishes, as Alpha reads it."""

    @pytest.fixture
    def remote(self, home: Home, server: Nats) -> Iterator[Remote]:
        """All of it."""
        with ExitStack() as held:
            yield shown(home, server, held)

    @pytest.fixture
    def absent(self, tmp_path: Path, server: Nats) -> Iterator[Remote]:
        """A home without files."""
        with ExitStack() as held:
            yield shown(Home(tmp_path / "empty").prepare(), server, held)


def shown(home: Home, server: Nats, held: ExitStack) -> Remote:
    """Publish it once; read it as Alpha."""
    with closing(publisher(home, server.settings("executor"), unwatched())) as one:
        assert set(one.turn().problems) <= {TRADE_LOG, POINTS}
    ends = Ends(source="executor", to="alpha", pin=fingerprint(signer_of(home).public))
    there = bus(home, server.settings("alpha"), "alpha", WAY)
    return held.enter_context(closing(StreamRemote(there, ends, SystemClock())))
