"""The hard states, and whether a schedule reached them: a test that never gets there proves nothing.

Each name is a state that some schedule has to reach. `reached` counts them in one schedule, from the raw log and from
what the simulated world did.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from tests.simulation.ledger import Ledger, Wish

UNKNOWN = "order.withheld: broker.outcome_unknown"
OPEN_AT_A_RESTART = "order.submitting, then a restart"
BUSY = "order.withheld: broker.busy"

RESTED = "order.cancelling: rested for 30 s; the price is asked for anew"

Kinds = tuple[str, ...]
PAIRS: dict[str, tuple[Kinds, Kinds]] = {
    "unknown, then found": (("order.unknown",), ("order.accepted", "fill")),
    "unknown, then withheld": (("order.unknown",), (UNKNOWN,)),
    "unknown, then quarantined": (("order.unknown",), ("order.quarantined",)),
    "without an answer at a restart, then found": ((OPEN_AT_A_RESTART,), ("order.accepted", "fill")),
    "without an answer at a restart, then withheld": ((OPEN_AT_A_RESTART,), (UNKNOWN,)),
    "withheld because the outcome was unknown, then sent again": ((UNKNOWN,), ("intent.approved",)),
    "withheld, then found alive": ((UNKNOWN, BUSY), ("order.accepted", "fill")),
    "the venue was busy, then sent again": ((BUSY,), ("intent.approved",)),
    "approved, then a crash, then judged again": (("intent.approved",), ("intent.approved", "intent.held")),
    "filled while being cancelled": (("order.cancelling: full halt", "order.cancelling: withdrawn"), ("fill",)),
    "filled while being cancelled because it had rested": ((RESTED,), ("fill",)),
    "cancelled after a part was filled": (("fill",), ("order.cancelled",)),
    "expired at the venue after a part was filled": (("fill",), ("order.expired",)),
    "rejected by the venue after it had been accepted": (("order.accepted",), ("order.rejected",)),
    "a cancelled order was filled late": (("order.cancelled",), ("fill.late",)),
    "a quarantined order was filled late": (("order.quarantined",), ("fill.late",)),
}
"""By name: one of these records and, as the next about the same intent, one of those."""

SINGLE = {
    "cancelled by a full halt": "order.cancelling: full halt",
    "cancelled by a withdrawal": "order.cancelling: withdrawn",
    "cancelled by an operator": "order.cancelling: an operator asked for it",
    "cancelled because it was in the way of an exit": "order.cancelling: in the way of an exit",
    "cancelled because it had rested": RESTED,
    "a stop at the venue made room": "order.cancelling: makes room for another order",
    "cancelled at the end of the session": "order.cancelling: the session is over",
    "withheld: full halt": "order.withheld: halt.full_halt", "withheld: no permit": "order.withheld: halt.no_permit",
    "withheld: unreadable overlay": "order.withheld: halt.unreadable", "expired": "intent.expired",
    "refused": "intent.refused", "withdrawn": "intent.withdrawn", "rejected": "order.rejected",
}

LATCHES = ("broker.differs", "broker.overfill", "broker.late_fill", "broker.fill_busted", "broker.external_fill",
           "clock.stepped", "halt.unreadable", "loss.daily")

KINDS = {**{f"left by its exit plan: {cause}": f"exit:{cause}" for cause in ("stop", "trail", "take_profit", "time")},
         "a stop was asked for at the venue": "exit:resting_stop",
         "left because an operator flattened": "exit:flatten", "a limit was overridden": "override.set",
         "an override ended": "override.ended", "a command was carried out": "command.taken",
         "a latch was released": "latch.released", "a command was refused": "command.refused",
         "a torn tail was recorded": "tail.repaired", "a foreign order was noted": "broker.external"}

FACTS = (
    "a second request was de-duplicated", "a request arrived late", "an order was too old to be asked about",
    "a look-up came too early", "holdings were misstated", "an event was told twice", "events came out of order",
    "an answer was lost", "a cancel was asked for again", "a torn tail was set aside", "crash at start",
    "crash in a step", "a failed disk ended the process", "a lost lock ended the process", "closing failed as well",
    "a save landed between the last look and the wire", "an execution was busted", "an order was over-filled",
    "a stranger traded", "the embedded broker executed", "replayed", "documents were compared", "crash after crash",
    "a fee was kept in coins", "a limit order rested", "asked for anew after it had rested",
    "an order outlived its session", "a stop rested at the venue")

OTHERS = ("filled in parts", "changed bytes of a waiting intent", "changed bytes of an order in flight",
          "quiet with holdings", "a short position", "traded again after everything", "several orders in one batch",
          "a limit order was filled", "a stop at the venue was executed")

NAMES = (*PAIRS, *SINGLE, *(f"latched: {code}" for code in LATCHES), *KINDS, *FACTS, *OTHERS)


def reached(ledger: Ledger, last_wish: str) -> Counter[str]:
    """Which hard states a log went through."""
    found: Counter[str] = Counter()
    for wish in ledger.wishes.values():
        found.update(_of(wish))
    found.update(f"latched: {code}" for code in LATCHES if code in ledger.alarmed)
    found.update(name for name, kind in KINDS.items() if kind in ledger.kinds)
    if any(ledger.held.values()):
        found["quiet with holdings"] += 1
    if any(quantity < 0 for quantity in ledger.held.values()):
        found["a short position"] += 1
    if any(row.limit is not None and row.filled for row in ledger.orders.values()):
        found["a limit order was filled"] += 1
    if any(row.stop is not None and row.filled for row in ledger.orders.values()):
        found["a stop at the venue was executed"] += 1
    if last_wish in ledger.wishes and ledger.wishes[last_wish].ended == "filled":
        found["traded again after everything"] += 1
    return found


def _of(wish: Wish) -> Iterator[str]:
    path = _with_restarts(wish)
    for name, (firsts, seconds) in PAIRS.items():
        if any(one in firsts and two in seconds for one, two in pairwise(path)):
            yield name
    for name, kind in SINGLE.items():
        if kind in path:
            yield name
    if path.count("fill") > 1:
        yield "filled in parts"
    if "intent.quarantined" in path:
        yield ("changed bytes of a waiting intent" if wish.ended == "quarantined"
               else "changed bytes of an order in flight")


def _with_restarts(wish: Wish) -> list[str]:
    """The records about an intent; a restart counts where it found the intent without an answer."""
    path: list[str] = []
    for kind in wish.path:
        if kind != "restart":
            path.append(kind)
        elif path[-1] == "order.submitting":
            path[-1] = OPEN_AT_A_RESTART
    return path
