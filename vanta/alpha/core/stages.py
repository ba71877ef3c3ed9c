"""Where in the chain a difference lies: raw → signals → conviction → allocation → queue → verdict → order → fill → PnL.

What comes earlier in the chain is the cause of what comes later, so differences are told in this order, and in the
order of the log within a stage. Pure.
"""

from vanta.alpha.core.differ import Difference
from vanta.common.events import Kind
from vanta.common.paths import COLLECTION_LOG, PROMOTION_LOG, QUEUE, REFLECTION_LOG, TRADE_LOG

CHAIN = ("signals", "conviction", "allocation", "queue", "verdict", "order", "fill", "pnl")
_LOGS = {COLLECTION_LOG: "signals", REFLECTION_LOG: "conviction", PROMOTION_LOG: "allocation"}
_KINDS: dict[str, str] = {
    Kind.FILL: "fill", Kind.ADJUSTMENT: "fill", Kind.DAY_OPENED: "pnl", Kind.HOUSE_DAY_OPENED: "pnl",
    Kind.DAY_CLOSED: "pnl"}
_FROM_QUEUE = ("staged", "withdrawn", "removed", "waiting", "unheard", QUEUE, f"outputs.{QUEUE}")


def stage_of(name: str, kind: str, found: Difference) -> str:
    """The stage of a difference in a log (or document) `name`, at a record of `kind` (empty: the log as a whole)."""
    if name == PROMOTION_LOG and found.field.startswith(_FROM_QUEUE):
        return "queue"
    if name == TRADE_LOG:
        return _KINDS.get(kind, "order" if kind.startswith("order.") else "verdict")
    return _LOGS.get(name, "pnl")
