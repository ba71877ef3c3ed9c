"""Any record by its place, latches and commands by their ids: each has an answer, none crashes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.alpha.core.test_changes import index, texts
from tests.unit.alpha.homes import busy, first
from tests.unit.executor.test_commands import Desk
from tests.unit.executor.world import World
from vanta.alpha.core.affairs import JOURNALS, Affairs
from vanta.alpha.core.graph import graph_of
from vanta.alpha.core.happenings import Happenings
from vanta.alpha.core.lineage import Lineage
from vanta.alpha.core.trail import Evidence, Trail
from vanta.alpha.explainer import Explainer
from vanta.common.events import Kind
from vanta.common.paths import COLLECTION_LOG, CONTROL_LOG, OPERATOR_COMMANDS, TRADE_LOG, Home
from vanta.common.store.journal import FileJournal
from vanta.common.store.ports import Record


def told(world: World, record: Record, **more: Any) -> str:
    """The whole explanation of one record of the trade log."""
    return "\n".join(texts(happenings(world, **more).explain(TRADE_LOG, record)))


def happenings(world: World, desk: Desk | None = None) -> Happenings:
    """Everything that can be explained of a world."""
    affairs = index(world)
    for record in desk.journal.read() if desk is not None else ():
        affairs.take(OPERATOR_COMMANDS, record)
    return Happenings(Lineage(Trail(world.journal.read()), Evidence()), affairs)


def record(kind: str, payload: dict[str, Any], **ids: str) -> Record:
    """A record by itself."""
    return Record(7, "2026-11-20T15:00:00.000Z", kind, None, ids, payload, "", "")


def alone(file: str, one: Record) -> str:
    """What is said of a record when nothing else is known."""
    return "\n".join(texts(Happenings(Lineage(Trail()), Affairs(Trail())).explain(file, one)))


def test_every_record_of_every_log_has_an_answer_and_a_drawing(lived: Home) -> None:
    """A whole home, record by record: one sentence with its place first, and a graph."""
    explainer, count = Explainer(lived), 0
    for file in sorted(path.name for path in lived.memory.glob("*.jsonl")):
        for one in FileJournal(lived.file(file)).read():
            name = f"{file.removesuffix('.jsonl')}:{one.seq}"
            assert explainer.meant(f"{file}:{one.seq}") == [name]
            if one.seq % 7 == 1 or one.kind not in ("quote.seen", "intent.seen", "collected"):
                tree = explainer.explain(name)
                assert tree.text
                assert tree.text.startswith("Cycle dag1_") or f"({name})" in tree.text
                assert graph_of(tree).things
                count += 1
    assert count > 20
    assert explainer.warnings == []


CALL: dict[str, Any] = {"host": "www.sec.gov", "purpose": "feed:sec", "method": None, "status": "", "bytes": None,
                        "ms": 1056}


@pytest.mark.parametrize(("kind", "payload", "words"), [
    (Kind.DAY_OPENED, {"vault": "V_CORE", "day": "2026-11-20", "nav": "100000"},
     "the day 2026-11-20 opened for V_CORE with a NAV of 100,000."),
    (Kind.HOUSE_DAY_OPENED, {"day": "2026-11-20", "nav": "100000"}, "the day 2026-11-20 opened for the house"),
    (Kind.ALERT, {"about": "house drawdown", "level": 80, "value": "0.04", "limit": "0.05"},
     "house drawdown: 80 % of the limit are used (0.04, limit 0.05)."),
    (Kind.ALERT, {"about": "house drawdown", "level": 0, "value": "0.01", "limit": "0.05"},
     "back below half of the limit"),
    (Kind.ADJUSTMENT, {"type": "transfer", "vault": "V", "amount": "5000", "currency": "USD",
                       "why": "capital of a new vault"},
     "a transfer of 5,000 USD was booked to V: capital of a new vault."),
    (Kind.ADJUSTMENT, {"type": "split", "vault": "V", "ratio": "4", "instrument_id": "equity:AAPL"},
     "a split by 4 of equity:AAPL was booked to V."),
    (Kind.BROKER_SYNC, {"account": "paper", "state": "in_sync", "detail": ""},
     "the venue of account paper answers and agrees with the books."),
    (Kind.BROKER_SYNC, {"account": "paper", "state": "odd", "detail": "x"}, "the venue of account paper odd: x."),
    (Kind.BROKER_EXTERNAL, {"account": "paper", "venue_id": "x", "what": "an order"}, "did not send: an order."),
    (Kind.CONTROL_ENDED, {"what": "maintenance on everything until 2026"},
     "a switch was over by its own time: maintenance"),
    (Kind.TAIL_REPAIRED, {"bytes": 1200, "sha256": "a" * 64},
     "a torn end of 1,200 bytes was set aside as aaaaaaaaaaaa."),
    (Kind.PROGRAM_STARTED, {"program": "executor 1", "mode": "paper"}, "executor 1 started in mode paper."),
    ("day.closed", {"day": "2026-11-20", "currencies": {
        "USD": {"total": {"total": "-12.5", "realised": "3"}, "sanity": {"verdict": "behind"}},
        "EUR": {"total": None, "sanity": {"verdict": "a position has no mark"}}}},
     "closed: −12.50 USD, of which +3.00 USD realised (against the benchmark: behind); what it made in EUR is unknown"),
    ("day.closed", {"day": "2026-11-20", "currencies": {}}, "was closed: there was nothing to count."),
    (Kind.LOG_RETIRED, {"by": "cron", "journal": "collection_log.jsonl", "seq": 1200, "to": "archive"},
     "cron put the oldest pieces of collection_log.jsonl away, up to record 1,200, into archive."),
    (Kind.PROGRAM_STOPPED, {"program": "executor 1"}, "executor 1 stopped."),
    (Kind.JOURNAL_OPENED, {"program": "vanta-run 1"}, "the log begins; vanta-run 1 opened it."),
    (Kind.COLLECTED, {"feed": "sec", "status": "partial", "status_reason": "2 of 3",
                      "counts": {"signals": 1200, "kept": 3}},
     "a pass of the feed sec ended partial (2 of 3). 1,200 signals and 3 kept."),
    (Kind.COLLECTED, {"status": "ok", "status_reason": "", "counts": {}}, "a pass of the feed prices ended ok."),
    (Kind.CALL_MADE, {**CALL, "method": "GET", "status": "200", "bytes": 1234},
     "www.sec.gov was asked for feed:sec (GET): it answered 200, 1,234 bytes after 1,056 ms."),
    (Kind.CALL_MADE, {**CALL, "status": "no_name"}, "feed:sec: its name cannot be resolved after 1,056 ms."),
    (Kind.CALL_MADE, {**CALL, "host": None, "purpose": "alert", "status": "exit 3"},
     "the program for an alert was started: it ended with exit 3 after 1,056 ms."),
    (Kind.CALL_REFUSED, {**CALL, "status": "off_list"},
     "www.sec.gov was not asked for feed:sec: it is not among the hosts that this node may ask."),
    (Kind.CALL_OPENED, CALL, "a connection to www.sec.gov for feed:sec was opened after 1,056 ms."),
    (Kind.CALL_CLOSED, {**CALL, "bytes": 9},
     "the connection to www.sec.gov for feed:sec ended, 9 bytes after 1,056 ms."),
])
def test_each_kind_has_a_plain_sentence(kind: str, payload: dict[str, Any], words: str) -> None:
    """Kind by kind, with its figures."""
    said = alone(TRADE_LOG, record(kind, payload))
    assert said.startswith("2026-11-20 15:00:00 UTC (trade_log:7): ")
    assert words in said


@pytest.mark.parametrize(("kind", "payload", "words"), [
    ("day.closed", {"day": "2026-11-20", "nav": "101000", "by_vault": {"V": 1}, "final": True},
     "day.closed: day 2026-11-20, nav 101000, final true and 1 more field (see --json)."),
    ("day.closed", {"rows": [1], "more": {}}, "day.closed: 2 more fields (see --json)."),
    ("star.seen", {}, "star.seen."), ("quote.seen", {"source": None}, "quote.seen: source null."),
    ("latch.set", {"latch_id": "latch_5"}, "latch.set: latch_id latch_5."),
    ("latch.released", {"latch_id": "latch_5"}, "latch.released: latch_id latch_5."),
    ("control.changed", {"what": "permit"}, "control.changed: what permit."), ("control.seen", {}, "control.seen."),
    ("command.taken", {"command_id": "cmd_1"}, "command.taken: command_id cmd_1."), ("reflected", {}, "reflected."),
    ("many", {str(number): number for number in range(11)},
     "many: 0 0, 1 1, 2 2, 3 3, 4 4, 5 5, 6 6, 7 7 and 3 more fields"),
])
def test_what_is_not_known_or_lacks_its_fields_gets_its_kind_and_key_facts(kind: str, payload: dict[str, Any],
                                                                           words: str) -> None:
    """Of a newer version, or damaged: never a crash."""
    said = alone(TRADE_LOG, record(kind, payload))
    assert said.startswith(f"2026-11-20 15:00:00 UTC (trade_log:7): {words}")


def test_a_refusal_by_its_place_has_its_fences_its_grounds_and_its_end() -> None:
    """As a person copies it from the log."""
    said = told(busy(), first(busy(), "intent.refused"))
    assert said.splitlines()[0].startswith("2026-11-20 15:00:01 UTC (trade_log:")
    for words in ("refused for good, because", "size stopped it (size.max_order_value)", "asked to buy 60,000 worth of",
                  "What became of it: intent in1_", "now refused."):
        assert words in said
    assert said.count("refused for good") == 1, "its own course is not repeated"


def test_an_event_of_an_intent_that_is_not_known_is_told_plainly() -> None:
    """With the intent beside it."""
    one = first(busy(), "intent.refused")
    said = told(busy(), one._replace(kind="intent.blessed", payload={"by": "nobody"}))
    assert "intent.blessed: intent_id in1_" in said
    assert "What became of it" in said


def flattened() -> tuple[World, Desk, str]:
    """A position that an operator has left, an entry that the latch held, and the release."""
    world = World()
    world.quote("equity:AAPL", "200")
    world.want("equity:AAPL", "1000")
    world.step()
    world.step()
    world.quote("equity:MSFT", "300", size="1")
    world.want("equity:MSFT", "1500")
    world.step()
    desk = Desk(world)
    name = desk.give("flatten")
    world.step()
    world.quote("crypto:BTC-USD", "50000")
    world.want("crypto:BTC-USD", "500")
    world.step()
    return world, desk, name


def test_a_flattening_is_told_from_the_command_to_what_it_left() -> None:
    """Who asked, the receipt, the latch, the exits, the cancels."""
    world, desk, name = flattened()
    told_of = happenings(world, desk)
    told_of.affairs.latches["latch_z"] = first(world, "latch.set")._replace(at="2026-11-21T15:00:00.000Z")
    found = texts(told_of.named(name))
    assert "latch_z" not in "".join(found), "one of another occasion"
    assert found[0].startswith(f"Command {name}: R. Example asked at 2026-11-20 15:00:03 UTC (operator_commands:2) to "
                               f"leave every "
                               "position of every vault and let no entry through. The reason given: because.")
    assert found[1].startswith("The executor carried it out at 2026-11-20 15:00:04 UTC (trade_log:")
    assert found[2].startswith("It set latch latch_")
    assert any("It made intent in1_" in text and "to leave equity:AAPL in V_CORE." in text for text in found)
    assert any(text.startswith("It had order v") for text in found)
    taken = first(world, "command.taken")
    assert texts(happenings(world, desk).explain(TRADE_LOG, taken)) == found
    assert "(trade_log:" in happenings(world).named(name).text, "without the command's own log the receipt tells"


def test_a_latch_tells_why_what_it_held_and_that_it_is_set() -> None:
    """By its id, and by the place of its record."""
    world, desk, name = flattened()
    latch = first(world, "latch.set")
    found = texts(happenings(world, desk).named(latch.payload["latch_id"]))
    assert found[0].startswith(f"Latch {latch.payload['latch_id']} stops entries of everything since 2026-11-20 "
                               f"15:00:04 UTC")
    assert found[0].endswith(f"(halt.flattened). {name}: because.")
    assert found[1] == f"Command {name} of R. Example set it, to leave every position: because."
    assert any(text.startswith("It held intent in1_") and "(buy crypto:BTC-USD in V_CORE)" in text
               and text.endswith(" to the end of the log.") for text in found)
    assert f"`vanta-run release --latch {latch.payload['latch_id']} --reason TEXT`" in found[-1]
    assert texts(happenings(world, desk).explain(TRADE_LOG, latch)) == found


def test_a_release_names_who_and_with_which_words() -> None:
    """And the hold ended with it."""
    world, desk, _ = flattened()
    latch = first(world, "latch.set")
    release = desk.give("release", latch_id=latch.payload["latch_id"])
    world.step()
    found = texts(happenings(world, desk).named(latch.payload["latch_id"]))
    assert found[-1].startswith("R. Example released it at 2026-11-20 15:00:06 UTC (trade_log:")
    assert found[-1].endswith(f"with the command {release}: because.")
    assert any("It held" in text and " until this ended at 2026-11-20 15:00:06 UTC" in text for text in found)
    asked = texts(happenings(world, desk).named(release))
    assert f"to release latch {latch.payload['latch_id']}" in asked[0]
    assert asked[1].startswith(f"The executor released latch {latch.payload['latch_id']} at ")
    assert texts(happenings(world, desk).explain(TRADE_LOG, first(world, "latch.released"))) == found


def test_a_verdict_that_latched_is_named_as_the_cause() -> None:
    """A runaway: the latch is of one vault, and holds nothing of another."""
    world, *_ = flattened()
    trail = Trail(world.journal.read())
    held = next(one for one in world.journal.read() if one.kind == "intent.held")
    affairs = Affairs(trail)
    affairs.take(TRADE_LOG, held._replace(seq=held.seq - 1, kind="latch.set", ids={}, payload={
        "latch_id": "latch_00000001", "code": held.payload["codes"][0], "vault": "V_OTHER", "exits": False,
        "value": "4",
        "limit": "3", "detail": "too often"}))
    found = texts(Happenings(Lineage(trail), affairs).named("latch_00000001"))
    assert "stops vault V_OTHER since" in found[0]
    assert found[0].endswith("too often. It saw 4, the limit is 3.")
    assert found[1] == (f"Intent {held.ids['intent_id']} set it off, with the verdict after it (trade_log:{held.seq}).")
    assert not any(text.startswith("It held") for text in found)


@pytest.mark.parametrize(("kind", "names", "words"), [
    ("cancel", {"order_id": "v1"}, "to cancel v1."), ("cancel", {}, "to cancel every working order."),
    ("acknowledge", {}, "it answers for a switch that was loosened without a stated reason"),
    ("flatten", {"vault": "V_CORE"}, "to leave every position of V_CORE and let no entry through"),
    ("dance", {}, "for dance.")])
def test_what_a_command_asks_for_is_in_words(kind: str, names: dict[str, str], words: str) -> None:
    """One that nobody has carried out yet says so."""
    affairs = Affairs(Trail())
    affairs.take(OPERATOR_COMMANDS, record("command.given", {
        "command_id": "cmd_1", "kind": kind, "by": "ann", "reason": "r", "expires_at": "2026-11-20T15:15:00.000Z",
        **names}))
    found = texts(Happenings(Lineage(Trail()), affairs).named("cmd_1"))
    assert words in found[0]
    assert found[1] == ("The executor has not carried it out, nor refused it; it does so only before 2026-11-20 "
                        "15:15:00 UTC.")


def test_an_override_tells_its_beginning_and_its_end_and_a_refusal_its_reason() -> None:
    """Two receipts of one command; another that made no sense."""
    world = World()
    desk = Desk(world)
    name = desk.give("override", vault="V_CORE", limit="max_order_quantity", value="1000",
                     until="2026-11-20T15:10:00.000Z")
    bad = desk.give("cancel", order_id="v1")
    world.step()
    world.step(seconds=700)
    found = texts(happenings(world, desk).named(name))
    assert "to have max_order_quantity of V_CORE at 1,000 until 2026-11-20 15:10:00 UTC" in found[0]
    assert found[1].startswith("It has been in force since 2026-11-20 15:00:01 UTC")
    assert found[2].endswith("max_order_quantity is again what vault.json says.")
    assert texts(happenings(world, desk).explain(TRADE_LOG, first(world, "override.ended"))) == found
    assert "The executor refused it at 2026-11-20 15:00:01 UTC" in texts(happenings(world, desk).named(bad))[1]
    assert texts(happenings(world, desk).named(bad))[1].endswith("order v1 does not work.")


def test_an_index_without_a_trade_log_ends_nowhere() -> None:
    """Sentences about the end of the log are left without a time."""
    affairs = Affairs(Trail())
    affairs.take(TRADE_LOG, record("latch.set",
                                   {"latch_id": "latch_1", "code": "loss.daily", "vault": None, "exits": True,
                                                 "value": "flatten", "limit": "", "detail": "NAV fell!"}))
    affairs.last = None
    assert "It is still set at the end of the log. When" in "\n".join(texts(Happenings(Lineage(Trail()),
                                                                                       affairs).named("latch_1")))
    assert JOURNALS == (TRADE_LOG, CONTROL_LOG, OPERATOR_COMMANDS)


def test_a_pass_of_a_feed_leads_to_its_payloads_and_its_readers(lived: Home, copied: Home) -> None:
    """What it took in, what it made, who read that; without the snapshots the payloads are left out."""
    explainer = Explainer(lived)
    passes = [one for one in FileJournal(lived.file(COLLECTION_LOG)).read() if one.kind == Kind.COLLECTED]
    sec = next(one for one in passes if one.payload["feed"] == "sec")
    found = texts(explainer.explain(f"collection_log:{sec.seq}"))
    assert "a pass of the feed sec ended ok" in found[0]
    assert any(text.startswith("It took in ") for text in found)
    assert any(text.startswith("It made sec_signals.json in the version ") for text in found)
    assert any(text.startswith("Cycle dag1_") and " read that at " in text for text in found)
    for path in Path(copied.snapshots).rglob("*.zst"):
        path.unlink()
    assert not any(text.startswith("It took in ")
                   for text in texts(Explainer(copied).explain(f"collection_log:{sec.seq}")))


def test_a_cycle_by_its_place_is_that_one_making_of_it(lived: Home) -> None:
    """The same inputs again have the same name and another place."""
    world = busy()
    one = next(record for record in FileJournal(lived.file("reflection_log.jsonl")).read()
               if record.kind == Kind.REFLECTED)
    made = replace(happenings(world), cycles=(one, one._replace(seq=99)))
    assert "was made 2 times" not in made.explain("reflection_log.jsonl", one).text
