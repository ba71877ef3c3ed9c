"""httpx against a local server that speaks Tradier's format: the common suite, and what only Tradier does."""

from collections.abc import Mapping
from typing import Any

from tests.conformance.brokers.executor_suite import ExecutorSuite
from tests.conformance.brokers.faults import VenueServer
from tests.conformance.brokers.setting import PLANTED, Setting
from tests.conformance.brokers.suite import BrokerSuite
from tests.conformance.brokers.tradier_server import ACCOUNT, TradierServer
from tests.unit.executor.world import INSTRUMENTS
from vanta.common.models.configuration import AccountSettings
from vanta.executor.brokers.port import RealBroker
from vanta.executor.brokers.tradier import TradierBroker


def tradier(server: VenueServer, timeout_s: float, secrets: Mapping[str, str] | None = None,
            **options: Any) -> TradierBroker:
    """The adapter at this server."""
    return TradierBroker(
        AccountSettings(adapter="tradier", url=server.url, timeout_s=timeout_s,
                        options={"account_id": ACCOUNT, "poll_s": 1, **options}),
        secrets if secrets is not None else {"access_token": PLANTED}, lambda: INSTRUMENTS, live=False)


class Tradier(Setting):
    """Shares at Tradier."""

    itemises = False

    def make_server(self) -> VenueServer:
        """See `Setting`."""
        return TradierServer(PLANTED)

    def make_broker(self, server: VenueServer, timeout_s: float) -> RealBroker:
        """See `Setting`."""
        return tradier(server, timeout_s)


class TestTradier(Tradier, BrokerSuite):
    """The adapter, asked directly."""


class TestTradierUnderTheExecutor(Tradier, ExecutorSuite):
    """The adapter in use."""
