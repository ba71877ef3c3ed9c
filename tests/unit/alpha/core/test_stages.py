"""Where in the chain a difference is said to lie."""

import pytest

from vanta.alpha.core.differ import Difference
from vanta.alpha.core.stages import CHAIN, stage_of
from vanta.common.paths import COLLECTION_LOG, PNL, PROMOTION_LOG, REFLECTION_LOG, TRADE_LOG


@pytest.mark.parametrize(("name", "kind", "field", "stage"), [
    (COLLECTION_LOG, "collected", "records.0.title", "signals"), (REFLECTION_LOG, "reflected", "dag_id", "conviction"),
    (PROMOTION_LOG, "promoted", "vault_allocation.json.vaults.0", "allocation"),
    (PROMOTION_LOG, "promoted", "dag_id", "allocation"), (PROMOTION_LOG, "promoted", "staged.0", "queue"),
    (PROMOTION_LOG, "promoted", "autotrade_queue.json.intents.0", "queue"),
    (PROMOTION_LOG, "promoted", "outputs.autotrade_queue.json", "queue"),
    (TRADE_LOG, "intent.held", "codes", "verdict"), (TRADE_LOG, "latch.set", "", "verdict"),
    (TRADE_LOG, "", "", "verdict"),
    (TRADE_LOG, "order.submitting", "quantity", "order"), (TRADE_LOG, "fill", "cash", "fill"),
    (TRADE_LOG, "adjustment", "amount", "fill"), (TRADE_LOG, "day.opened", "nav", "pnl"),
    (TRADE_LOG, "day.closed", "nav", "pnl"), (PNL, "", "realised", "pnl")])
def test_every_difference_has_its_place(name: str, kind: str, field: str, stage: str) -> None:
    """By the log, by the kind of the record, and by which of a promotion's two documents is meant."""
    assert stage_of(name, kind, Difference(field, "1", "2")) == stage
    assert stage in CHAIN
