"""A home in which people have done things: every place where one of them is named, in logs and in snapshots."""

from datetime import UTC, datetime
from pathlib import Path

from tests.unit.alpha.homes import whole
from tests.unit.executor.world import without_permission
from vanta.alpha.keys import rotate
from vanta.alpha.reading import records
from vanta.alpha.tracker import New, desk
from vanta.alpha.wire import Change, ask, assistant_log, record
from vanta.common.clock import ManualClock
from vanta.common.events import Kind
from vanta.common.models.base import validate
from vanta.common.models.configuration import Settings
from vanta.common.paths import OVERLAY, TRADE_LOG, Home
from vanta.common.times import iso
from vanta.executor.wire import build

WHO = ("Anna Kolářová", "ext-4711", "Bo \"B\" Öst", "anna@example.org", "/srv/anna/alert")
"""Nobody; as they are typed."""

SETTINGS = validate(Settings, {
    "markets": {"contact": WHO[3]}, "executor": {"alert_command": [WHO[4], "--to", WHO[1]]}}, file="settings")
NOW = datetime(2026, 11, 18, 15, 10, tzinfo=UTC)


def peopled(root: Path) -> Home:
    """Switches with names, commands, a latch that was released, an override, a change of a control, another key."""
    home = whole(root)
    clock = ManualClock(NOW)
    rotate(home, {"at": iso(NOW), "by": WHO[0], "reason": "yearly"})
    with desk(home, clock, by=WHO[0]) as one:
        item = one.begin(one.add(New(title="the feed is stale", owner=WHO[2], verify=f"{WHO[4]} --quiet",
                                     evidence=home.file(OVERLAY))).id)
        one.note(item.id, "it answers again")
        one.checked(item.id, 1)
        thread = one.append(str(item.thread), "asked", 1)
        one.link(thread.id, "trade_log:1")
        one.checked(item.id, 0)
    with assistant_log(home, NOW) as journal:
        asked = journal.append(Kind.MODEL_ASKED, {
            "model": "small", "host": "127.0.0.1", "purpose": "reword status", "prompt": "0" * 64, "bytes": 100,
            "facts": 3, "withheld": 0, "by": WHO[0], "uid": WHO[1]}, at=iso(NOW))
        journal.append(Kind.MODEL_ANSWERED, {"asked": asked.seq, "verdict": "used", "why": "", "bytes": 20, "ms": 5,
                                             "answer": "1" * 64}, at=iso(NOW))
        journal.checkpoint(at=iso(NOW))
    record(home, [Change(by=WHO[2], reason="drill", before="present", after="present")], NOW)
    built = build(home, SETTINGS, clock)
    try:
        for changed in ({"full_halt": {"enabled": True, "reason": "drill", "by": WHO[0]}, "by": WHO[2]},
                        {"reason": "the drill is over", "by": WHO[2], "maintenance": {"enabled": True}}, {}):
            raw = without_permission(changed)
            home.file(OVERLAY).write_bytes(raw)
            clock.sleep(1)
            built.executor.step()
        ask(home, {"kind": "override", "vault": "V_CORE", "limit": "max_daily_loss", "value": "0.02",
                   "until": "2026-11-18T16:00:00.000Z"}, by=WHO[1], reason="calm", now=clock.now())
        ask(home, {"kind": "flatten"}, by=WHO[0], reason="drill", now=clock.now())
        built.executor.step()
        latch = next(one.payload["latch_id"] for one in records(home.file(TRADE_LOG)) if one.kind == Kind.LATCH_SET)
        for name in ("latch_00000000", latch):
            clock.sleep(1)
            ask(home, {"kind": "release", "latch_id": name}, by=WHO[2], reason="the drill is over", now=clock.now())
        clock.sleep(1)
        built.executor.step()
    finally:
        built.executor.close()
    return home
