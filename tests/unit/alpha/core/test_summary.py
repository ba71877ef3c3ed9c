"""Levels of a home's checks: what is stale, lost or latched is CRITICAL, what is not known is never OK."""

import shlex
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.unit.executor.world import OPEN
from vanta.alpha.core.sights import (
    Disk,
    Doc,
    Facts,
    FeedSight,
    Head,
    LatchSight,
    Limits,
    LockSight,
    Row,
    one_line,
    span,
)
from vanta.alpha.core.summary import headline, rows, worst
from vanta.common.exitcodes import Check
from vanta.common.times import iso

LIMITS = Limits()
GIB = 1 << 30


def ago(seconds: float) -> str:
    """A time so many seconds before the look."""
    return iso(OPEN - timedelta(seconds=seconds))


def feed(name: str = "sec", **fields: Any) -> FeedSight:
    """A fresh feed."""
    body = {"status": "ok", "status_reason": "3 new", "generated_at": ago(30), "last_success_at": ago(30), **fields}
    return FeedSight(name=name, doc=Doc(body), stale_after_s=900)


def executor(**fields: Any) -> Doc:
    """A content executor."""
    return Doc({"heartbeat_at": ago(2), "mode": "paper", "dispatch": "open", "latches": [],
                "broker_sync": {"paper": "in sync"},
                "held": {}, "as_of_seq": 40, "as_of_hash": "a" * 64, **fields})


def portfolio(*states: str) -> Doc:
    """The executor's holdings with intents in these states."""
    return Doc({"as_of_seq": 40, "as_of_hash": "a" * 64, "intents": {f"in1_{n}": one for n, one in enumerate(states)}})


def prices(seconds: float = 10) -> FeedSight:
    """The quotes' file, which has no status of its own."""
    return FeedSight(name="prices", doc=Doc({"now": ago(seconds)}), stale_after_s=900)


HEALTHY = Facts(
    now=OPEN, feeds=(feed("sec"), feed("news"), prices()), reflection=Doc({"now": ago(20), "status": "uncalibrated",
                                                                          "missing": {}}),
    executor=executor(), portfolio=portfolio(),
    queue=Doc({"intents": [{"expires_at": ago(-60)}]}), stops=(), scoped=(), unreadable="", permit=True,
    latches=(),
    heads=(Head(name="trade_log.jsonl", seq=41, hash="b" * 64, kind="fill", at=ago(3)),
           Head(name="control_log.jsonl", missing=True)),
    locks=(LockSight("executor", "executor pid=7 since=x"),), disk=Disk(50 * GIB, 100 * GIB, 900, 1000))

Change = Callable[[Facts], Facts]


def but(**fields: Any) -> Change:
    """The healthy home with some facts changed."""
    return lambda facts: replace(facts, **fields)


BROKEN = LatchSight("latch_0", "the log failed", everything=True)
FELL = LatchSight("latch_1", "NAV fell", everything=False)
OFFLINE = (LockSight("executor", None),)
TRADE = HEALTHY.heads[0]
CASES: dict[str, tuple[Change, str, Check, str]] = {
    "a healthy feed": (but(), "feed sec", Check.OK, "ok, 30 s old"),
    "a partial feed": (but(feeds=(feed(status="partial", status_reason="1 of 2 payloads"),)), "feed sec",
                       Check.WARNING, "1 of 2 payloads"),
    "a failed pass": (but(feeds=(feed(status="error", status_reason="HTTP 503"),)), "feed sec", Check.WARNING,
                      "HTTP 503"),
    "a stale feed": (but(feeds=(feed(last_success_at=ago(2460)),)), "feed sec", Check.CRITICAL,
                     "no success for 41 min, the limit is 15 min"),
    "a feed at its limit": (but(feeds=(feed(last_success_at=ago(900)),)), "feed sec", Check.OK, "ok"),
    "a feed that never succeeded": (but(feeds=(feed(status="error", last_success_at=None,
                                                    status_reason="HTTP 403"),)), "feed sec", Check.CRITICAL,
                                    "no pass has succeeded yet: HTTP 403"),
    "a feed from the future": (but(feeds=(feed(last_success_at=ago(-500)),)), "feed sec", Check.CRITICAL,
                               "a clock is wrong"),
    "a feed of an unknown status": (but(feeds=(feed(status="great"),)), "feed sec", Check.UNKNOWN, "great"),
    "a feed without a file": (but(feeds=(FeedSight(name="sec", doc=Doc(None), stale_after_s=900),)), "feed sec",
                              Check.UNKNOWN, "has not been collected yet"),
    "an unreadable feed": (but(feeds=(FeedSight(name="sec", doc=Doc(None, "denied"), stale_after_s=900),)),
                           "feed sec", Check.UNKNOWN, "denied"),
    "a feed without its fields": (but(feeds=(FeedSight(name="sec", doc=Doc({"feed": "sec"}), stale_after_s=900),)),
                                  "feed sec", Check.UNKNOWN, "lacks"),
    "stale prices": (but(feeds=(prices(1000),)), "feed prices", Check.CRITICAL, "no success for 16 min"),
    "a reflection that knows the feeds": (but(), "reflection", Check.OK, "20 s ago"),
    "a reflection behind its feeds": (but(reflection=Doc({"now": ago(400), "status": "", "missing": {}})),
                                      "reflection", Check.WARNING, "feeds are newer by 6 min"),
    "a reflection long behind": (but(reflection=Doc({"now": ago(4000), "status": "", "missing": {}})),
                                 "reflection", Check.CRITICAL, "feeds are newer"),
    "an old reflection of old feeds": (
        but(feeds=(feed(generated_at=ago(4100)),), reflection=Doc({"now": ago(4000), "status": "x", "missing": {}})),
        "reflection", Check.OK, "66 min ago"),
    "a reflection without a feed": (but(reflection=Doc({"now": ago(5), "status": "", "missing": {"reddit": "why"}})),
                                    "reflection", Check.OK, "without reddit"),
    "no reflection": (but(reflection=Doc(None)), "reflection", Check.UNKNOWN, "none yet"),
    "a reflection from the future": (but(reflection=Doc({"now": ago(-500)})), "reflection", Check.UNKNOWN, "ahead"),
    "open": (but(), "dispatch", Check.OK, "open"),
    "halted on purpose": (but(stops=("halt.full_halt on everything: drill (by ann)",)), "dispatch", Check.WARNING,
                          "drill (by ann)"),
    "an unreadable overlay": (but(unreadable="vault_overlay.json cannot be opened"), "dispatch", Check.CRITICAL,
                              "cannot be opened"),
    "no permit": (but(permit=False), "dispatch", Check.WARNING, "no permit"),
    "a latch on everything under open switches": (but(latches=(BROKEN,)), "dispatch", Check.CRITICAL,
                                                  "latched: the log failed"),
    "a latch over a kill": (but(latches=(BROKEN,), permit=False), "dispatch", Check.CRITICAL,
                            "latched: the log failed; halted: there is no permit"),
    "a latch over a switch": (but(latches=(BROKEN,), stops=("halt.full_halt on everything",)), "dispatch",
                              Check.CRITICAL, "latched: the log failed; halted: halt.full_halt"),
    "a latched vault": (but(latches=(FELL,), scoped=("halt.full_halt on vault V_X",)), "dispatch", Check.CRITICAL,
                        "except for a vault that is latched: NAV fell; open, except for halt.full_halt on vault V_X"),
    "a latched vault under a kill": (but(latches=(FELL,), permit=False), "dispatch", Check.WARNING,
                                     "halted: there is no permit"),
    "an executor that sees more": (but(executor=executor(dispatch="halted", dispatch_reason="a replica says so")),
                                   "dispatch", Check.WARNING, "the executor says halted: a replica says so"),
    "an executor that says nothing": (but(executor=executor(dispatch=None)), "dispatch", Check.WARNING,
                                      "the executor says nothing"),
    "what a stopped executor saw": (but(locks=OFFLINE, executor=executor(dispatch="halted")), "dispatch", Check.OK,
                                    "open"),
    "a state that cannot be read": (but(executor=Doc(None, "executor_state.json is not JSON")), "dispatch",
                                    Check.UNKNOWN, "cannot be told whether the executor latched itself"),
    "a state without its latches": (but(executor=executor(latches=None)), "dispatch", Check.UNKNOWN,
                                    "does not say which latches"),
    "a state that cannot be read, under a kill": (but(executor=Doc(None, "not JSON"), permit=False), "dispatch",
                                                  Check.WARNING, "halted: there is no permit"),
    "a halted scope": (but(scoped=("halt.full_halt on vault V_CORE",)), "dispatch", Check.WARNING, "V_CORE"),
    "a switch that was loosened without a reason": (
        but(executor=executor(warnings=["loosened without a stated reason: full_halt"])), "controls", Check.WARNING,
        "loosened without a stated reason"),
    "the same after the executor's stop": (
        but(locks=OFFLINE, executor=executor(warnings=["loosened without a stated reason: full_halt"])), "controls",
        Check.WARNING, "loosened without a stated reason"),
    "the same under a latch": (
        but(latches=(FELL,), executor=executor(warnings=["loosened without a stated reason: full_halt"])), "controls",
        Check.WARNING, "loosened without a stated reason"),
    "a content executor": (but(), "executor", Check.OK, "brokers in sync"),
    "a silent executor": (but(executor=executor(heartbeat_at=ago(20))), "executor", Check.WARNING, "is silent"),
    "an executor that hangs": (but(executor=executor(heartbeat_at=ago(300))), "executor", Check.CRITICAL,
                               "runs, but gets nowhere"),
    "an alert that nobody heard": (but(executor=executor(alarm="alert_command: it ended with 1")), "alarm",
                                   Check.WARNING, "it ended with 1"),
    "a stopped executor": (but(locks=OFFLINE), "executor", Check.WARNING, "is not running"),
    "an executor that never ran": (but(executor=Doc(None), locks=()), "executor", Check.UNKNOWN, "has not run here"),
    "an unreadable state": (but(executor=Doc(None, "not JSON")), "executor", Check.UNKNOWN, "not JSON"),
    "a latch": (but(latches=(FELL,)), "executor", Check.CRITICAL, "NAV fell (latch_1)"),
    "a latch of a stopped executor": (but(locks=OFFLINE, latches=(FELL,)), "executor", Check.CRITICAL, "latch_1"),
    "a broker out of reach": (but(executor=executor(broker_sync={"paper": "unknown: timed out"})), "executor",
                              Check.UNKNOWN, "timed out"),
    "a heartbeat from the future": (but(executor=executor(heartbeat_at=ago(-500))), "executor", Check.UNKNOWN,
                                    "a clock is wrong"),
    "a lock that cannot be looked at": (but(locks=(LockSight("executor", None, known=False),)), "executor",
                                        Check.UNKNOWN, "cannot tell"),
    "a queue": (but(), "queue", Check.OK, "1 staged"),
    "a queue with holds": (but(executor=executor(held={"session.closed": 2}), portfolio=portfolio("held", "held")),
                           "queue", Check.OK, "1 staged, 2 held by session.closed"),
    "holds without a portfolio": (but(executor=executor(held={"session.closed": 2}), portfolio=Doc(None)), "queue",
                                  Check.OK, "1 staged, 2 held by session.closed"),
    "holds of a halt": (but(executor=executor(held={"halt.no_permit": 1}), portfolio=portfolio("held"), permit=False),
                        "queue", Check.OK, "1 staged, 1 held by halt.no_permit"),
    "holds of a latched vault": (but(executor=executor(held={"halt.latched": 1}), portfolio=portfolio("held"),
                                     latches=(FELL,)), "queue", Check.OK, "1 staged, 1 held by halt.latched"),
    "holds of a scope": (but(executor=executor(held={"halt.full_halt": 1}), portfolio=portfolio("held"),
                             scoped=("halt.full_halt on vault V_X",)), "queue", Check.OK, "held by halt.full_halt"),
    "a queue that nobody clears": (but(queue=Doc({"intents": [{"expires_at": ago(2000)}]})), "queue", Check.WARNING,
                                   "1 are long over"),
    "an entry without an end": (but(queue=Doc({"intents": [{}]})), "queue", Check.WARNING, "not cleared"),
    "another home's queue": (but(queue=Doc({"home": "foobar", "intents": []}), portfolio=Doc({
        "home": "abcdef", "as_of_seq": 40, "as_of_hash": "a" * 64, "intents": {}})), "queue", Check.CRITICAL,
        "for the executor of home foobar, this is home abcdef"),
    "no queue": (but(queue=Doc(None)), "queue", Check.UNKNOWN, "nothing has been promoted"),
    "a queue without its list": (but(queue=Doc({"intents": 5})), "queue", Check.UNKNOWN, "lacks"),
    "a log": (but(), "log trade_log", Check.OK, "record 41 (fill), 3 s ago"),
    "a log without checkpoints": (but(), "log trade_log", Check.OK, "no checkpoint"),
    "a log under a checkpoint": (but(heads=(replace(TRADE, covered=39),)), "log trade_log", Check.OK,
                                 "2 after the last checkpoint"),
    "a log behind its checkpoint": (but(heads=(replace(TRADE, covered=42),)), "log trade_log", Check.CRITICAL,
                                    "a checkpoint covers record 42: records are missing"),
    "a log behind its portfolio": (but(heads=(replace(TRADE, seq=30),)), "log trade_log", Check.CRITICAL,
                                   "records are missing"),
    "another log than the portfolio's": (but(heads=(replace(TRADE, seq=40),)), "log trade_log", Check.CRITICAL,
                                         "not the one that portfolio.json was made from"),
    "a log that is gone": (but(heads=(Head(name="trade_log.jsonl", missing=True),)), "log trade_log",
                           Check.CRITICAL, "is gone"),
    "no log yet": (but(heads=(Head(name="trade_log.jsonl", missing=True),), portfolio=Doc(None),
                       executor=Doc(None)), "log trade_log", Check.UNKNOWN, "no record yet"),
    "a torn log": (but(locks=OFFLINE, heads=(replace(TRADE, torn=9),)), "log trade_log", Check.CRITICAL, "torn"),
    "a log under the pen": (but(heads=(replace(TRADE, torn=9),)), "log trade_log", Check.WARNING, "being written"),
    "an unreadable log": (but(heads=(Head(name="trade_log.jsonl", problem="denied"),)), "log trade_log",
                          Check.UNKNOWN, "denied"),
    "a record without a time": (but(heads=(replace(TRADE, at="soon"),)), "log trade_log", Check.OK, "at 'soon'"),
    "nobody runs": (but(locks=OFFLINE), "locks", Check.OK, "nobody"),
    "somebody runs": (but(), "locks", Check.OK, "executor held by executor pid=7"),
    "hidden locks": (but(locks=(LockSight("markets", None, known=False),)), "locks", Check.UNKNOWN, "markets"),
    "room": (but(), "disk", Check.OK, "50.0 GiB free"),
    "little room": (but(disk=Disk(GIB // 2, GIB, 9, 10)), "disk", Check.WARNING, "0.5 GiB"),
    "no room": (but(disk=Disk(1000, GIB, 9, 10)), "disk", Check.CRITICAL, "0.0 GiB"),
    "few file slots": (but(disk=Disk(9 * GIB, 9 * GIB, 1, 1000)), "disk", Check.WARNING, "1 file slots left"),
    "no file slots": (but(disk=Disk(9 * GIB, 9 * GIB, 0, 1000)), "disk", Check.CRITICAL, "0 file slots"),
    "a file system that counts no slots": (but(disk=Disk(9 * GIB, 9 * GIB, 0, 0)), "disk", Check.OK, "9.0 GiB"),
    "a disk nobody can ask": (but(disk=None), "disk", Check.UNKNOWN, "cannot be told"),
    "settings that do not parse": (but(problems=("vanta.toml: unknown field",)), "settings", Check.CRITICAL,
                                   "unknown field"),
}


def row_of(facts: Facts, name: str) -> Row:
    """One row."""
    return next(row for row in rows(facts, LIMITS) if row.name == name)


@pytest.mark.parametrize("case", CASES)
def test_every_condition_has_its_level_and_says_what_was_seen(case: str) -> None:
    """Level and decisive words of one row; everything but OK names a command that helps."""
    change, name, level, words = CASES[case]
    row = row_of(change(HEALTHY), name)
    assert row.level is level
    assert words in row.text
    assert (row.fix == "") == (level is Check.OK)


def test_a_healthy_home_is_ok_in_every_row() -> None:
    """The table's starting point has nothing to say."""
    found = rows(HEALTHY, LIMITS)
    assert {row.level for row in found} == {Check.OK}
    assert worst(found) is Check.OK
    assert "log control_log" not in {row.name for row in found}


@pytest.mark.parametrize(("held", "states", "text"), [
    ({"session.closed": 3}, ["working", "approved"], "1 staged"), ({"session.closed": 3}, [], "1 staged"),
    ({"session.closed": 3}, ["held", "working"], "1 staged, 1 held by session.closed"),
    ({"halt.no_permit": 1, "quote.stale": 1}, ["held"], "1 staged, 1 held by quote.stale"),
    ({"quote.stale": 0}, ["held"], "1 staged")],
    ids=["none is held any more", "no intent at all", "fewer than were counted", "a halt that is over", "none"])
def test_holds_that_are_over_are_not_shown(held: dict[str, int], states: list[str], text: str) -> None:
    """However many codes intents were ever held for, only what can hold one now is told."""
    facts = replace(HEALTHY, executor=executor(held=held), portfolio=portfolio(*states))
    assert row_of(facts, "queue").text == text


def test_unknown_outweighs_a_warning_and_nothing_known_is_unknown() -> None:
    """A check that could not be made never hides behind one that could."""
    def row(level: Check) -> Row:
        return Row(name="x", level=level, text="")

    assert worst([row(Check.OK), row(Check.WARNING), row(Check.UNKNOWN)]) is Check.UNKNOWN
    assert worst([row(Check.UNKNOWN), row(Check.CRITICAL)]) is Check.CRITICAL
    assert worst([]) is Check.UNKNOWN


@pytest.mark.parametrize("case", CASES)
def test_the_first_line_has_at_most_eighty_plain_characters_and_its_figures(case: str) -> None:
    """Monitoring tools read one line: status word, cause, figures behind a bar."""
    line = headline(rows(CASES[case][0](HEALTHY), LIMITS))
    assert len(line) <= 80
    assert line.isascii()
    text, bar, figures = line.rpartition(" | ")
    assert bar
    assert text.startswith("VANTA ")
    assert "|" not in text
    assert figures.startswith("feeds_fresh=")


def test_the_first_line_names_the_gravest_finding_and_counts_the_others() -> None:
    """One cause in words, the rest as a number."""
    facts = replace(HEALTHY, disk=None, feeds=(feed(last_success_at=ago(2460)), feed("news", last_success_at=None,
                                                                                  status="error")))
    assert headline(rows(facts, LIMITS)) == (
        "VANTA CRITICAL - feed sec: no success for 41 ... (+1 more) | feeds_fresh=0;;;0;2")
    assert headline(rows(HEALTHY, LIMITS)).startswith("VANTA OK - 11 checks passed | feeds_fresh=3;;;0;3")


def test_words_from_outside_cannot_forge_a_line() -> None:
    """Line ends, bars and control characters in a feed's reason stay inside its row."""
    facts = replace(HEALTHY, feeds=(feed(status="partial", status_reason="a\nVANTA OK | x=1\x1b[2J"),))
    line = headline(rows(facts, LIMITS))
    assert "\n" not in line
    assert line.count("|") == 1
    assert one_line("a\n b\x1b[0m\u2028c") == "a b [0m c"


@pytest.mark.parametrize(("seconds", "text"), [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"),
                                               (7200, "2 h"), (-300, "5 min"), (200_000, "2 d")])
def test_spans_are_told_in_the_largest_unit_that_fits(seconds: float, text: str) -> None:
    """A person reads minutes, not seconds."""
    assert span(seconds) == text


def test_times_that_are_none_are_none() -> None:
    """A document without a field, or with something else in it, has no time, text, table or number there."""
    doc = Doc({"now": "soon", "count": True, "rows": [1, {"a": 1}], "table": []})
    assert isinstance(Doc({"now": ago(0)}).time("now"), datetime)
    assert (doc.time("now"), doc.time("none"), doc.number("count"), doc.text("count")) == (None, None, None, "")
    assert (doc.rows("rows"), doc.rows("table"), dict(doc.table("table"))) == ([{"a": 1}], [], {})


def test_the_release_of_a_latch_can_be_pasted() -> None:
    """Whatever its id is made of: it comes from a file."""
    latch = LatchSight("loss.daily:V CORE; ls", "lost too much", everything=True)
    row = row_of(replace(HEALTHY, latches=(latch,)), "dispatch")
    assert shlex.split(row.fix)[:4] == ["vanta-run", "release", "--latch", latch.latch_id]


@pytest.mark.parametrize(("said", "level", "words"), [
    (None, Check.OK, "on this disk alone"),
    (Doc(None, "archive_state.json does not exist"), Check.WARNING, "does not exist"),
    (Doc({"kept_at": None, "problem": ""}), Check.WARNING, "nothing was copied yet"),
    (Doc({"kept_at": ago(7200), "problem": ""}), Check.OK, "copied 2 h ago"),
    (Doc({"kept_at": ago(7200), "problem": "no room"}), Check.WARNING, "since then: no room"),
    (Doc({"kept_at": ago(50 * 3600), "problem": ""}), Check.WARNING, "copied 2 d ago")])
def test_an_archive(said: Doc | None, level: Check, words: str) -> None:
    """None is a hint, an old copy or one that could not be made a warning; the disk itself is not looked at."""
    (row,) = [row for row in rows(replace(HEALTHY, archive=said), LIMITS) if row.name == "archive"]
    assert row.level is level
    assert words in row.text
