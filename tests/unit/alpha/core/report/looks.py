"""Looks at small worlds, as a report's shell hands them in."""

from collections.abc import Iterable, Mapping
from typing import Any

from tests.unit.executor.world import World
from vanta.alpha.core.cuts import Cuts
from vanta.alpha.core.report.ground import Takes
from vanta.alpha.core.report.history import History
from vanta.alpha.core.report.sightings import NONE, Sightings
from vanta.alpha.core.report.whole import Look
from vanta.alpha.core.sights import Row
from vanta.common.exitcodes import Check
from vanta.common.paths import OPEN_ORDERS, PNL, PORTFOLIO, TRADE_SIGNALS
from vanta.common.store.ports import Record

NOON = "2026-11-20T12:00:00.000Z"
CHECKS = (Row(name="dispatch", level=Check.OK, text="open: orders may leave"),
          Row(name="feed sec", level=Check.CRITICAL, text="no success for 41 min"))
TAKES = (Takes("trade_log.jsonl", 5_000_000, {"2026-11-18": 2_000, "2026-11-20": 3_000_000}, 1_500_000),
         Takes("snapshots", 12, {}, 0))


def record(kind: str, payload: Mapping[str, Any], *, seq: int = 1, at: str = NOON,
           ids: Mapping[str, str] | None = None) -> Record:
    """One record by itself."""
    return Record(seq, at, kind, None, ids or {}, payload, "", "")


def history(records: Iterable[Record], cuts: Cuts | None = None) -> History:
    """The fold of these."""
    made = History(cuts)
    for one in records:
        made.take(one)
    made.end()
    return made


def of(world: World) -> History:
    """The fold of a world's log, its documents compared on the way."""
    cuts = Cuts({name: world.files.read(name) for name in (PORTFOLIO, PNL, OPEN_ORDERS)})
    made = history(world.journal.read(), cuts)
    assert not made.problem
    assert (cuts.findings, sorted(cuts.compared)) == ([], sorted((PORTFOLIO, PNL, OPEN_ORDERS)))
    return made


def passed(feed: str, status: str, at: str = NOON, why: str = "as it is") -> Record:
    """One pass over a feed."""
    return record("collected", {"feed": feed, "status": status, "status_reason": why}, at=at)


def reflected(digest: str, convictions: int = 1, at: str = NOON) -> Record:
    """One reflection."""
    return record("reflected", {"counts": {"convictions": convictions}, "outputs": {TRADE_SIGNALS: digest}}, at=at)


def version(**rows: int) -> dict[str, Any]:
    """A version of trade_signals.json: entities with their convictions, negative for short."""
    return {"convictions": [{"entity": entity, "conviction_bp": abs(bp),
                             "direction": "long" if bp > 0 else "short" if bp < 0 else "flat"}
                            for entity, bp in rows.items()]}


def look(made: History, **more: Any) -> Look:
    """A look with a bit of everything."""
    sightings = Sightings()
    digests = [letter * 64 for letter in "abc"]
    for place, digest in enumerate(digests):
        sightings.take(reflected(digest, at=f"2026-11-20T12:00:0{place}.000Z"))
    sightings.take(reflected("d" * 64, 0, at="2026-11-20T12:30:00.000Z"))
    for place, status in enumerate(("ok", "partial", "error", "ok")):
        sightings.take(passed("sec", status, at=f"2026-11-20T12:00:0{place}.000Z"))
    chosen = sightings.chosen(lambda _: True)
    assert chosen[-1][1] == NONE
    return Look(**{
        "now": NOON, "history": made, "sightings": sightings, "chosen": chosen, "checks": CHECKS, "takes": TAKES,
        "versions": {digests[0]: version(AAPL=4200, MSFT=-1200, XOM=0), digests[1]: version(AAPL=100)}, **more})
