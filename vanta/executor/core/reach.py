"""Whom may be called, and whose orders have to go? The switches that concern venues, root and scoped. Pure.

`external_calls_disabled` on everything or on a broker forbids every call to that account's venue; on a vault, an
instrument or an asset class it forbids calls about those orders. `full_halt` in whatever scope drains the orders in it.

    Reach(controls, known, now, {"equity:AAPL": "equity"}).account("alpaca")  ->  True
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from vanta.common.instruments import Instrument
from vanta.common.reasons import Reason
from vanta.executor.core.controls import Controls, Known, Scope, stops
from vanta.executor.core.entries import OrderEntry


class Reach(NamedTuple):
    """See the module's contract."""

    controls: Controls
    known: Known
    now: datetime
    instruments: Mapping[str, Instrument]

    def account(self, name: str) -> bool:
        """Whether its venue may be called at all."""
        return self.controls.clear or not self._is_on(Reason.HALT_EXTERNAL_CALLS, Scope("", name, "", ""))

    def order(self, order: OrderEntry) -> bool:
        """Whether its venue may be called about this order."""
        return self.controls.clear or not self._is_on(Reason.HALT_EXTERNAL_CALLS, self._scope(order))

    def halted(self, order: OrderEntry) -> bool:
        """Whether the order has to be cancelled."""
        return not self.controls.clear and self._is_on(Reason.HALT_FULL, self._scope(order))

    def _scope(self, order: OrderEntry) -> Scope:
        item = self.instruments.get(order.instrument_id)
        kind = item.asset_class if item else order.instrument_id.partition(":")[0]
        return Scope(order.vault, order.account, order.instrument_id, kind)

    def _is_on(self, code: Reason, scope: Scope) -> bool:
        return any(stop.code == code for stop in stops(self.controls, scope, self.known, now=self.now))
