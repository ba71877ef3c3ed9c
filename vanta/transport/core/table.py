"""What crosses from one node to another: one table, in the order in which it is looked for. Pure.

    crossings("alpha", "executor")  ->  overlay, lease, commands, vaults, keys: controls first

Nothing else can be asked for, whatever a client says. `dispatch.permit` is never carried: an order leaves only if
somebody permitted it on the executor's own host.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from vanta.common.models.intent import MOST_BYTES
from vanta.common.paths import (
    COLLECTION_LOG,
    CONTROL_LOG,
    CONTROLS_LEASE,
    EXECUTOR_STATE,
    MARKET_QUOTES,
    OPEN_ORDERS,
    OPERATOR_COMMANDS,
    OVERLAY,
    PNL,
    PORTFOLIO,
    PROMOTION_LOG,
    QUEUE,
    REFLECTION_LOG,
    TRADE_LOG,
    VAULTS,
)
from vanta.common.signatures import KEYS
from vanta.common.store.checkpoint import FOLDER

ALPHA, MARKETS, EXECUTOR = "alpha", "markets", "executor"
NODES = (ALPHA, MARKETS, EXECUTOR)
How = Literal["document", "lease", "keys", "log"]
"""Replaced whole; replaced whole with a counter that only grows; a list that only grows; appended to, verified."""

PIECE = 1 << 20
"""So much of a log is asked for at a time."""

LONGEST_LINE = 64 << 20
"""A log that holds more than this without a sound end of a line, or of a covered batch, is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """One file. `covered`: only what a signed checkpoint covers is adopted. `most` bytes are taken at a time.

    `inputs`: the snapshots that its records state as their inputs go with it.
    """

    name: str
    source: str
    to: tuple[str, ...]
    how: How = "document"
    urgent: bool = False
    covered: bool = False
    inputs: bool = False
    most: int = MOST_BYTES


TABLE: tuple[Crossing, ...] = (
    Crossing(name=OVERLAY, source=ALPHA, to=(EXECUTOR, MARKETS), urgent=True, most=256 << 10),
    Crossing(name=OPERATOR_COMMANDS, source=ALPHA, to=(EXECUTOR, MARKETS), how="log", urgent=True, most=PIECE),
    Crossing(name=VAULTS, source=ALPHA, to=(EXECUTOR, MARKETS), urgent=True, most=4 << 20),
    Crossing(name=CONTROLS_LEASE, source=ALPHA, to=(EXECUTOR,), how="lease", urgent=True, most=4 << 10),
    Crossing(name=QUEUE, source=MARKETS, to=(EXECUTOR,)),
    Crossing(name=MARKET_QUOTES, source=MARKETS, to=(EXECUTOR,)),
    Crossing(name=KEYS, source=EXECUTOR, to=(MARKETS, ALPHA), how="keys", most=1 << 20),
    Crossing(name=KEYS, source=MARKETS, to=(ALPHA,), how="keys", most=1 << 20),
    Crossing(name=OPERATOR_COMMANDS, source=EXECUTOR, to=(MARKETS, ALPHA), how="log", covered=True, most=PIECE),
    Crossing(name=CONTROL_LOG, source=EXECUTOR, to=(ALPHA,), how="log", covered=True, most=PIECE),
    Crossing(name=OPEN_ORDERS, source=EXECUTOR, to=(ALPHA,)),
    Crossing(name=PNL, source=EXECUTOR, to=(ALPHA,)),
    Crossing(name=EXECUTOR_STATE, source=EXECUTOR, to=(ALPHA,)),
    Crossing(name=TRADE_LOG, source=EXECUTOR, to=(MARKETS, ALPHA), how="log", covered=True, inputs=True, most=PIECE),
    Crossing(name=PORTFOLIO, source=EXECUTOR, to=(MARKETS, ALPHA)),
    Crossing(name=CONTROL_LOG, source=MARKETS, to=(ALPHA,), how="log", covered=True, most=PIECE),
    Crossing(name=COLLECTION_LOG, source=MARKETS, to=(ALPHA,), how="log", covered=True, most=PIECE),
    Crossing(name=REFLECTION_LOG, source=MARKETS, to=(ALPHA,), how="log", covered=True, most=PIECE),
    Crossing(name=PROMOTION_LOG, source=MARKETS, to=(ALPHA,), how="log", covered=True, most=PIECE),
)


def crossings(source: str, to: str) -> tuple[Crossing, ...]:
    """What `to` may see of `source`, controls first, then in the order of the table."""
    found = [row for row in TABLE if row.source == source and to in row.to]
    return tuple(sorted(found, key=lambda row: not row.urgent))


def checkpoints_of(log: str) -> str:
    """The name under which a log's checkpoints are asked for."""
    return f"{FOLDER}/{log}"


def names(source: str, to: str) -> Iterator[str]:
    """Every name that `to` may ask `source` for."""
    for row in crossings(source, to):
        yield row.name
        if row.covered:
            yield checkpoints_of(row.name)
