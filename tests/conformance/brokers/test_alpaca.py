"""alpaca-py against a local server that speaks Alpaca's format: the common suite, and what only Alpaca does."""

from collections.abc import Mapping
from typing import Any

from tests.conformance.brokers.alpaca_server import KEY, AlpacaServer
from tests.conformance.brokers.executor_suite import ExecutorSuite
from tests.conformance.brokers.faults import VenueServer
from tests.conformance.brokers.setting import PLANTED, Setting
from tests.conformance.brokers.suite import BrokerSuite
from tests.unit.executor.world import INSTRUMENTS
from vanta.common.models.configuration import AccountSettings
from vanta.executor.brokers.alpaca import AlpacaBroker
from vanta.executor.brokers.port import RealBroker


def alpaca(server: AlpacaServer, timeout_s: float, secrets: Mapping[str, str] | None = None,
           **options: Any) -> AlpacaBroker:
    """The adapter at this server."""
    return AlpacaBroker(
        AccountSettings(adapter="alpaca", url=server.url, timeout_s=timeout_s,
                        options={"stream_url": server.stream_url, "recent_s": 0, **options}),
        secrets or {"key_id": KEY, "secret_key": PLANTED}, lambda: INSTRUMENTS, live=False)


class Alpaca(Setting):
    """Shares at Alpaca."""

    def make_server(self) -> VenueServer:
        """See `Setting`."""
        return AlpacaServer(PLANTED)

    def make_broker(self, server: VenueServer, timeout_s: float) -> RealBroker:
        """See `Setting`."""
        assert isinstance(server, AlpacaServer)
        return alpaca(server, timeout_s)


class TestAlpaca(Alpaca, BrokerSuite):
    """The adapter, asked directly."""


class TestAlpacaUnderTheExecutor(Alpaca, ExecutorSuite):
    """The adapter in use."""
