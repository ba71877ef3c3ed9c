"""What is answered about releases, other nodes, damaged homes and long logs."""

from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from tests.unit.alpha.assistant.homes import NOW, ask, said, unfounded
from tests.unit.alpha.assistant.test_doubts import has
from tests.unit.alpha.test_releases import approve, candidate, order
from tests.unit.executor.world import without_permission
from vanta.alpha.assistant.look import Look, seat
from vanta.alpha.core.assistant import safety
from vanta.alpha.core.assistant.answer import Step
from vanta.alpha.releases import promote
from vanta.alpha.tracker import New, desk
from vanta.alpha.wire import ask as command
from vanta.common.clock import FixedClock, ManualClock
from vanta.common.events import Kind
from vanta.common.exitcodes import Check, Exit
from vanta.common.paths import (
    COLLECTION_LOG,
    CONTROL_LOG,
    OPERATOR_COMMANDS,
    OVERLAY,
    PERMIT,
    PORTFOLIO,
    QUEUE,
    TRACKER_LOG,
    TRADE_LOG,
    Home,
)
from vanta.common.times import parse_iso


@pytest.fixture
def shelf(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home").prepare()
    made.file(OVERLAY).write_bytes(without_permission({}))
    candidate(made, "1")
    return made


def test_a_candidate_is_looked_at_from_all_sides(shelf: Home) -> None:
    """Not added, added, approved, changed since, in use, cut off; the canary is never taken for granted."""
    clock = FixedClock(parse_iso("2026-11-20T15:00:00Z"))
    now = clock.now()
    assert "Say which one, as MODULE@VERSION. There are m@1." in said(ask(shelf, "can we promote it?", now))
    answer = ask(shelf, "is it safe to release m@1", now)
    assert has(answer, "nobody has added m@1", Check.CRITICAL)
    assert has(answer, "The canary", Check.UNKNOWN)
    name = approve(shelf, "1")
    answer = ask(shelf, "is it safe to release m@1", now)
    assert (answer.exit, has(answer, "The canary", Check.UNKNOWN)) == (Exit.REFUSED, True)
    assert name in said(answer)
    assert "Good: Exactly these bytes are approved by bo" in said(answer)
    assert "m runs nothing now" in said(answer)
    promote(shelf, clock, order("1"), by="ann")
    answer = ask(shelf, "is it safe to release m@1", now)
    assert "m@1 is what runs now" in said(answer)
    signature = shelf.root / "build/modules/m/manifests/1.sig"
    signature.write_text("x\n")
    assert has(ask(shelf, "is it safe to release m@1", now), "is not what was signed", Check.CRITICAL)
    signature.unlink()
    signature.mkdir()
    assert has(ask(shelf, "is it safe to release m@1", now), "cannot be checked", Check.CRITICAL)
    with desk(shelf, clock, by="ann") as one:
        one.add(New(title="m is slow", kind="incident", severity="high"))
        one.release(
            Kind.RELEASE_MOVING, {"module": "m", "before": "1", "after": "2", "manifest": "a" * 64, "reason": "x"}
        )
    answer = ask(shelf, "is it safe to release m@1", now)
    assert has(answer, "was cut off", Check.WARNING)
    assert has(answer, "speaks of m", Check.WARNING)
    (shelf.root / "build/modules/m/releases/1/version").write_text("other")
    assert has(ask(shelf, "is it safe to release m@1", now), "files have changed since", Check.CRITICAL)
    current = shelf.root / "build/modules/m/current"
    current.unlink()
    current.write_text("x")
    assert "m runs nothing now" in said(ask(shelf, "is it safe to release m@1", now))
    assert "cannot be looked at" in said(ask(shelf, "is it safe to release m@9", now))
    assert ask(shelf, "is it safe to release m@9", now).exit == Exit.REFUSED


def test_a_candidate_may_be_all_right_but_for_the_canary() -> None:
    """Were the canary known, the answer would be a yes: the rule is the same for every check."""
    checks = safety._Checks()
    checks.say(Check.OK, "fine: yes", ("trade_log:1",))
    answer = checks.answer("candidate", "x", Step("do", "vanta"), "note")
    assert (answer.exit, answer.notes) == (Exit.DONE, ("note",))


def test_logs_that_came_from_another_node_are_read_where_they_lie(copied: Home, tmp_path: Path) -> None:
    """On Alpha of several hosts the executor's log is a replica: it is told, explained and verified from there."""
    replica = copied.replica("executor")
    replica.memory.mkdir(parents=True)
    for name in (TRADE_LOG, PORTFOLIO):
        copied.file(name).rename(replica.file(name))
    assert seat(copied, TRADE_LOG) == replica
    assert seat(copied, QUEUE) == copied
    assert "intents were refused" in said(ask(copied, "what was refused?"))
    assert "V_CORE holds" in said(ask(copied, "what do we hold?"))
    assert "trade_log:30" in said(ask(copied, "why trade_log:30"))


def test_what_a_host_has_from_before_is_not_what_the_other_node_says(copied: Home) -> None:
    """A home of all nodes that became Alpha's: an outcome in doubt on the executor's host is in doubt."""
    (copied.config / "vanta.toml").write_text('[node]\nname = "alpha"\n')
    replica = copied.replica("executor")
    assert seat(copied, PORTFOLIO) == replica  # though nothing has arrived yet
    replica.memory.mkdir(parents=True)
    portfolio = orjson.loads(copied.file(PORTFOLIO).read_bytes())
    replica.file(PORTFOLIO).write_bytes(orjson.dumps({**portfolio, "intents": {"in1_x": "unknown"}}))
    assert has(ask(copied, "is it safe to release?"), "outcome of 1 intent is in doubt", Check.CRITICAL)
    markets = copied.replica("markets")
    markets.memory.mkdir(parents=True)
    assert seat(copied, COLLECTION_LOG) == copied
    markets.file(COLLECTION_LOG).write_bytes(b"")
    assert seat(copied, COLLECTION_LOG) == markets
    replica.file(CONTROL_LOG).write_bytes(b"")
    assert seat(copied, CONTROL_LOG) == copied


def test_what_was_asked_at_another_node_waits_too(copied: Home) -> None:
    """Alpha's commands arrived and the executor has answered none: that is no home in which no command waits."""
    (copied.config / "vanta.toml").write_text('[node]\nname = "executor"\n')
    alpha = copied.replica("alpha")
    alpha.prepare()
    command(alpha, {"kind": "flatten"}, by="ann", reason="x", now=NOW)
    answer = ask(copied, "is it safe to release?")
    assert has(answer, "A command to flatten", Check.WARNING)
    assert "No command waits" not in said(answer)
    copied.file(OPERATOR_COMMANDS).unlink(missing_ok=True)
    assert has(ask(copied, "is it safe to release?"), "A command to flatten", Check.WARNING)


def test_damage_is_told_or_passed_over(copied: Home) -> None:
    """Records without their fields, a tracker that is broken, settings and snapshots that are gone."""
    for path in copied.snapshots.rglob("*.zst"):
        path.unlink()
    log = copied.file(TRADE_LOG)
    log.write_bytes(
        log.read_bytes()
        + b'{"seq":999,"at":"2026-11-18T15:02:09.000Z","kind":"intent.seen","ids":{"intent_id":"in1_x"},"payload":{}}\n'
        b'{"seq":"x","at":"2026-11-18T15:02:09.000Z","kind":"fill","ids":{},"payload":{}}\n'
        b'{"seq":1000,"at":"yesterday","kind":"fill","ids":{},"payload":{}}\n'
    )
    copied.file(TRACKER_LOG).write_bytes(b'{"seq":1}\n')
    found = Look(copied, NOW).view()
    assert any("was passed over" in one for one in found.warnings)
    assert found.tracker_problem
    assert said(ask(copied, "what changed today"))
    assert ask(copied, "is it safe").exit == Exit.REFUSED
    (copied.config / "audit_keys.jsonl").unlink()
    assert Look(copied, NOW).keys() is None
    assert Look(copied, NOW).settings_saved() is None
    (copied.config / "vanta.toml").write_text("")
    assert Look(copied, NOW).settings_saved() is None  # it lies ahead of the clock that was given
    assert Look(copied, parse_iso("2100-01-01T00:00:00Z")).settings_saved() is not None
    assert Look(copied, NOW).place_at("trade_log:4") is not None
    assert Look(copied, NOW).place_at("nolog:4") is None
    assert Look(copied, NOW).place_at("trade_log:9999") is None


def test_of_a_long_log_as_much_is_read_as_the_question_needs(lived: Home) -> None:
    """From the end, in steps; what was not read is said."""
    short = Look(lived, NOW, near=4_096)
    some = short.view().log(TRADE_LOG)
    assert some[0].seq > 1
    assert short.view(NOW - timedelta(days=1)).log(TRADE_LOG)[0].seq == 1
    assert short.view(parse_iso(some[0].at) + timedelta(seconds=60)).log(TRADE_LOG)[0].seq > 1


def test_commands_that_wait_and_items_that_are_grave(copied: Home) -> None:
    """Given to an executor that does not run; an item of high severity."""
    command(copied, {"kind": "cancel"}, by="ann", reason="x", now=NOW)
    with desk(copied, ManualClock(NOW), by="ann") as one:
        one.add(New(title="odd fills", kind="risk", severity="high"))
    answer = ask(copied, "is it safe to release?")
    assert has(answer, "A command to cancel", Check.WARNING)
    assert has(answer, "open risk of high", Check.WARNING)
    assert "ann asked the executor to cancel" in said(ask(copied, "what changed today"))
    copied.file(PERMIT).unlink()
    assert "is it safe to release?" in said(ask(copied, "why are there no orders?"))


def test_what_one_thing_earned(lived: Home) -> None:
    """From its tree; of what was never filled, that it earned nothing; of what is unknown, that."""
    filled = next(one.ids["intent_id"] for one in Look(lived, NOW).view().log(TRADE_LOG) if one.kind == Kind.FILL)
    assert "Result: " in said(ask(lived, f"what did {filled} earn"))
    refused = next(
        one.ids["intent_id"] for one in Look(lived, NOW).view().log(TRADE_LOG) if one.kind == Kind.INTENT_REFUSED
    )
    assert "earned nothing" in said(ask(lived, f"what did {refused} make"))
    assert ask(lived, "what did in1_nothing earn").exit == Exit.FAILED
    answer = ask(lived, "what did Athena, sec.form4 and crypto:BTC-USD make?")
    assert unfounded(lived, answer.all) == []
    assert len(answer.facts) >= 3
    assert "Of NOPE nothing is recorded" in said(ask(lived, "what did NOPE earn"))


def test_an_id_that_can_mean_several_things_is_asked_back(lived: Home) -> None:
    """With the list: every order begins with the home's own letters."""
    prefix = orjson.loads(lived.file(PORTFOLIO).read_bytes())["home"]
    answer = ask(lived, f"why v{prefix}-")
    assert answer.exit == Exit.USAGE
    assert "things; give more of it" in said(answer)
    assert len(answer.lines) <= 13


def test_a_vault_that_does_nothing_is_a_question_about_the_halt(lived: Home) -> None:
    """It is no instrument."""
    assert ask(lived, "why is V_CORE stopped?").kind == "halted"


def test_what_is_followed_and_not_grave_keeps_nothing_back(copied: Home) -> None:
    """A task of high severity is no incident; an incident of low severity is none that presses."""
    before = [fact.text for fact in ask(copied, "is it safe?").facts if fact.level is not Check.OK]
    with desk(copied, ManualClock(NOW), by="ann") as one:
        one.add(New(title="write it down", kind="task", severity="high"))
        one.add(New(title="a small thing", kind="incident", severity="low"))
    answer = ask(copied, "is it safe?")
    assert [fact.text for fact in answer.facts if fact.level is not Check.OK] == before
    assert "write it down" in said(ask(copied, "what is wrong?"))
    assert "a small thing" not in said(ask(copied, "what is wrong?"))


def test_what_changed_since_a_place_that_is_not_there_is_the_last_day(lived: Home) -> None:
    """And says so."""
    assert said(ask(lived, "what changed since trade_log:99999")).startswith("In the last 24 h")
    assert "since trade_log:20," in said(ask(lived, "what changed since trade_log:20")).lower()
