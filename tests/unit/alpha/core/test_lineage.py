"""Explanations: the facts that a person needs, each from its record, and nothing that is not known."""

from typing import Any

import pytest

from tests.unit.alpha.homes import busy, first
from tests.unit.executor.world import ALL_CLEAR, HaltsLater, World, without_permission
from vanta.alpha.core.lineage import Lineage
from vanta.alpha.core.node import as_json, flatten
from vanta.alpha.core.trail import Evidence, Trail, meant
from vanta.common.errors import Bug
from vanta.common.store.ports import Record
from vanta.executor.core.fences.policy import POLICY

SIGNAL = "sig1_" + "s" * 26
CONVICTION = "cv1_" + "a" * 26
RAW = "5" * 64


def line(reason: str, bp: int, *signals: str) -> dict[str, Any]:
    """A reason line."""
    return {"reason": reason, "bp": bp, "evidence": bp, "text": f"says {reason}.", "signals": list(signals),
            "count": len(signals) + 2}


def conviction(*lines: dict[str, Any], bp: int = 4000) -> dict[str, Any]:
    """A conviction's row."""
    return {"signal_id": CONVICTION, "entity": "equity:AAPL", "direction": "long", "conviction_bp": bp, "rank": 2,
            "dag_id": "dag1_x", "reason_vector": list(lines), "inputs": {}}


def signal(**more: Any) -> dict[str, Any]:
    """A signal's row."""
    return {"id": SIGNAL, "source": "sec.form4", "summary": "An officer bought 100 shares", "direction": 1.0,
            "strength": 0.5, "confidence": 0.9, "published_at": "2026-11-20T14:00:00.000Z",
            "observed_at": "2026-11-20T14:05:00.000Z", "expires_at": "2026-12-20T14:00:00.000Z",
            "raw_ref": f"{RAW}#/row/3", "retracted_reason": None,
            "evidence": [{"sha256": RAW, "url": "https://sec.example/4.txt",
                          "fetched_at": "2026-11-20T14:04:00.000Z"}], **more}


def texts(name: str, trail: Trail, evidence: Evidence | None = None) -> list[str]:
    """Every sentence of an explanation, in order."""
    return [node.text for _, node in flatten(Lineage(trail, evidence or Evidence()).explain(name))]


def said(name: str, trail: Trail, evidence: Evidence | None = None) -> str:
    """The whole explanation."""
    return "\n".join(texts(name, trail, evidence))


@pytest.fixture(scope="module")
def trail() -> Trail:
    """The busy morning's log."""
    return Trail(busy().journal.read())


def test_an_order_is_explained_from_raw_payload_to_fill(trail: Trail) -> None:
    """Raw record, signal, reason, conviction, allocation, intent, each fence, order and fills, with their figures."""
    order = first(busy(), "order.submitting")
    evidence = Evidence(
        convictions={CONVICTION: conviction(line("source:sec.form4", 4000, SIGNAL))}, signals={SIGNAL: signal()},
        targets={("V_CORE", "equity:AAPL", CONVICTION): {
            "weight_bp": 100, "notional": "1000", "vault_nav": "100000", "limits": ["max_single_pos_pct"]}},
        stored={RAW: 9123})
    tree = Lineage(trail, evidence).explain(order.ids["order_id"])
    kinds = [node.kind for _, node in flatten(tree)]
    assert kinds[:7] == ["order", "intent", "allocation", "conviction", "reason", "signal", "raw"]
    assert kinds.count("fence") == len(POLICY)
    assert [kind for kind in kinds if "." in kind or kind == "fill"] == [
        "intent.seen", "intent.approved", "order.submitting", "order.accepted", "fill", "order.cancelling",
        "order.cancelled"]
    text = "\n".join(node.text for _, node in flatten(tree))
    for fact in ("bought 3 of 5 AAPL for V_CORE in 1 fill, for 600.00 USD and 0.00 USD in fees: cancelled",
                 "buy 1,000 worth of equity:AAPL",
                 "100 bp of the NAV of V_CORE (100,000)", "Athena (+300 bp), Apollo (+100 bp)", "max_single_pos_pct",
                 "equity:AAPL long, 4,000 of 10,000, rank 2", "+4,000 bp source:sec.form4: says source:sec.form4.",
                 "An officer bought 100 shares.", "points up with strength 0.5 and confidence 0.9",
                 "https://sec.example/4.txt", "9,123 bytes, kept in the snapshot store, at #/row/3",
                 "cash passed: 1,010, limit 98,000.", "before it is sent to paper: buy 5",
                 "buy 3 at 200, paid 600.00 USD",
                 "the venue is asked to cancel the rest: full halt."):
        assert fact in text


def test_a_fill_leads_to_its_order(trail: Trail) -> None:
    """One fill, then the order that it belongs to."""
    fill = first(busy(), "fill")
    found = texts(fill.payload["fill_id"], trail)
    assert fill.payload["fill_id"] in found[0]
    assert "3 at 200" in found[0]
    assert found[1].startswith(f"Order {fill.ids['order_id']} bought")


def test_a_refusal_names_the_fence_the_figures_and_the_cure(trail: Trail) -> None:
    """Which fence, what it saw, its limit, what it means and what to do."""
    refused = first(busy(), "intent.refused")
    text = said(refused.ids["intent_id"], trail)
    assert ("refused for good, because the order is worth more than the limit (size.max_order_value), the position "
            "would "
            "exceed its share of NAV (exposure.single_position) and ") in text
    assert "size stopped it (size.max_order_value): 60,000, limit 25,000; the order is worth more than" in text
    assert "Raise risk.max_order_value, or leave it." in text


def test_a_hold_repeats_the_operator_s_own_words() -> None:
    """Who halted, and why, as it stood in the overlay, and which bytes those were."""
    world = World()
    world.quote("equity:AAPL", "200.00")
    world.gate.raw = without_permission({"full_halt": {"enabled": True, "reason": "drill", "by": "ann"}})
    name = world.want("equity:AAPL", "1000")
    world.step()
    text = said(name, Trail(world.journal.read()))
    assert "The operator's words: drill." in text
    assert world.book.inputs["overlay"][:12] in text


@pytest.mark.parametrize(("end", "expected"), [
    ("withdraw", "the promoter withdrew it: changed its mind."),
    ("expire", "It had been held because there is no quote for the instrument (quote.missing)."),
    ("other bytes", "its id came back with other content"),
])
def test_every_end_of_an_intent_is_told(end: str, expected: str) -> None:
    """Withdrawn, expired, quarantined."""
    world = World()
    name = world.want("equity:AAPL", "1000")
    world.step()
    if end == "withdraw":
        world.withdrawals.append({"intent_id": name, "at": "2026-11-20T15:00:00.000Z", "reason": "changed its mind"})
        world.stage()
    if end == "other bytes":
        world.intents[0]["notional"] = "5"
        world.stage()
    world.step(seconds=1000 if end == "expire" else 1)
    assert expected in said(name, Trail(world.journal.read()))


def test_an_order_that_was_stopped_at_the_last_look_was_not_sent() -> None:
    """Withheld is told as what it is: nothing left."""
    gate = HaltsLater(ALL_CLEAR)
    world = World(gate=gate)
    gate.looks = 1
    world.quote("equity:AAPL", "200.00")
    world.want("equity:AAPL", "1000")
    world.step()
    order = first(world, "order.submitting").ids["order_id"]
    found = texts(order, Trail(world.journal.read()))
    assert found[0].endswith("bought nothing of 5 AAPL for V_CORE: not sent.")
    assert any("not sent; the last look stopped it, because full_halt is on (halt.full_halt). It saw: " in text
               for text in found)


def test_a_conviction_tells_its_lines_and_what_came_of_it(trail: Trail) -> None:
    """Reasons first, then the intents that it led to with their state now."""
    evidence = Evidence(convictions={CONVICTION: conviction(line("baseline", 0), line("source:news.rss", 4000))})
    found = texts(CONVICTION, trail, evidence)
    assert found[0].startswith(f"Conviction {CONVICTION}: equity:AAPL long, 4,000 of 10,000")
    assert found[1].startswith("+0 bp baseline")
    assert any("now filled" in text for text in found)
    assert any("now refused" in text for text in found)


def test_lines_that_do_not_sum_are_said_to_be_wrong(trail: Trail) -> None:
    """An explanation never smooths over a document that does not add up."""
    evidence = Evidence(convictions={CONVICTION: conviction(line("baseline", 3999))})
    assert "They sum to 3,999, which is wrong." in said(CONVICTION, trail, evidence)


@pytest.mark.parametrize(("total", "wrong"), [(4000, False), (4100, True)])
def test_a_persona_s_view_is_a_sum_of_its_own(total: int, wrong: bool) -> None:
    """Its lines are shares of another sum than the evidence's; a sum that is wrong is said to be."""
    world = World()
    name = world.want("equity:AAPL", "1000")
    reasons = [line("source:news.rss", 2800, SIGNAL), line("persona:Apollo", 1300), line("cap:Apollo", -100)]
    world.intents[0]["provenance"].update(reasons=reasons, conviction_bp=total)
    world.stage()
    world.step()
    evidence = Evidence(convictions={CONVICTION: conviction(line("source:news.rss", 3000, SIGNAL), bp=3000)})
    tree = Lineage(Trail(world.journal.read()), evidence).explain(name)
    belief = next(node for _, node in flatten(tree) if node.kind == "conviction")
    assert [node.text.split()[0] for node in belief.parts[:1]] == ["+3,000"]
    view = belief.parts[1]
    assert view.kind == "view"
    assert view.text.startswith(f"As seen by Apollo: {total:,} of 10,000, which the intent acts on; 3 lines")
    assert ("They sum to 4,000, which is wrong." in view.text) is wrong
    assert [node.facts["bp"] for node in view.parts] == [2800, 1300, -100]


def test_a_view_without_a_persona_s_line_is_told_as_well() -> None:
    """An intent may rest on another reading than the conviction that is kept; whose it was is not known then."""
    world = World()
    name = world.want("equity:AAPL", "1000")
    world.intents[0]["provenance"].update(reasons=[line("source:news.rss", 2000)], conviction_bp=2000)
    world.stage()
    world.step()
    evidence = Evidence(convictions={CONVICTION: conviction(line("source:news.rss", 3000), bp=3000)})
    assert "As seen by the persona that asked for most: 2,000" in said(name, Trail(world.journal.read()), evidence)


def test_a_persona_s_share_is_shown_beside_the_evidence(trail: Trail) -> None:
    """What a persona added on the way from conviction to intent is a line of its own."""
    world = World()
    name = world.want("equity:AAPL", "1000")
    reasons = [line("source:news.rss", 3000, SIGNAL), line("persona:Apollo", 1000)]
    world.intents[0]["provenance"]["reasons"] = reasons
    world.stage()
    world.step()
    evidence = Evidence(convictions={CONVICTION: conviction(line("source:news.rss", 3000, SIGNAL), bp=3000)})
    text = said(name, Trail(world.journal.read()), evidence)
    assert text.count("source:news.rss:") == 2
    assert text.count("no longer in the feed files") == 1
    assert "+1,000 bp persona:Apollo" in text
    alone = said(SIGNAL, Trail(world.journal.read()))
    assert "no longer in the feed files" in alone
    assert f"It led to intent {name}" in alone


def test_a_signal_tells_where_it_came_from_and_where_it_counts(trail: Trail) -> None:
    """Raw payload below it, convictions that list it beside."""
    evidence = Evidence(convictions={CONVICTION: conviction(line("source:sec.form4", 4000, SIGNAL))},
                        signals={SIGNAL: signal(direction=-1.0, retracted_reason="superseded by sig1_y")})
    text = said(SIGNAL, trail, evidence)
    assert "points down" in text
    assert "Retracted: superseded by sig1_y." in text
    assert "not in the store of this home" in text
    assert f"It counts in {CONVICTION} (equity:AAPL long, 4,000 of 10,000), line source:sec.form4 of +4,000 bp." in text


def test_what_asks_for_nothing_any_more_has_no_conviction() -> None:
    """A position that is closed because nothing wants it is told so."""
    world = World()
    name = world.want("equity:AAPL", "1000", side="sell", close=True)
    world.intents[0]["provenance"]["signal_id"] = "none"
    world.stage()
    world.step()
    text = said(name, Trail(world.journal.read()))
    assert "No conviction asks for it any more." in text
    assert "leave the whole position in equity:AAPL" in text


def test_an_explanation_is_plain_data_too(trail: Trail) -> None:
    """The tree with kinds, ids, sentences and the facts behind them."""
    order = first(busy(), "order.submitting").ids["order_id"]
    tree = as_json(Lineage(trail).explain(order))
    assert (tree["kind"], tree["id"]) == ("order", order)
    assert tree["because"][0]["facts"]["instrument_id"] == "equity:AAPL"


def test_nobody_explains_what_is_not_known(trail: Trail) -> None:
    """Asking for it is a mistake of the program."""
    with pytest.raises(Bug):
        Lineage(trail).explain("in1_unknown")


def test_a_log_of_another_version_is_told_as_far_as_it_is_understood() -> None:
    """Unknown kinds and codes are left out or said to be unknown; an intent without its beginning says so."""
    def record(seq: int, kind: str, payload: dict[str, Any]) -> Record:
        return Record(seq, "2026-11-20T15:00:00.000Z", kind, None, {"intent_id": "in1_x"}, payload, "", "")

    trail = Trail([record(1, "intent.blessed", {}), record(2, "intent.quarantined", {
        "lines": [["stars", "stars.wrong", "mars", "venus", ""]], "sha256": "0" * 64})])
    found = texts("in1_x", trail)
    assert found == ["Intent in1_x: the log does not say what it asked for."]
    known = first(busy(), "intent.refused").ids["intent_id"]
    mixed = Trail(busy().journal.read())
    for one in trail.of_intent("in1_x"):
        mixed.take(one._replace(ids={"intent_id": known}))
    assert "stars stopped it (stars.wrong): mars (wanted: venus); a reason that this version does not know." in said(
        known, mixed)


def test_a_beginning_means_what_it_fits(trail: Trail) -> None:
    """Eight characters are enough where one thing fits; a fill's beginning means its order; several are listed."""
    order = first(busy(), "order.submitting").ids["order_id"]
    signals = Evidence(signals={SIGNAL: signal(), "sig1_" + "s" * 25 + "t": signal()})
    rows: list[tuple[str, list[str]]] = [
        (order, [order]), (order[:-3], [order]), (f"{order}-f1", [f"{order}-f1"]), (SIGNAL[:7], []),
        ("nothing like it", []), (SIGNAL[:12], sorted(signals.signals)), (SIGNAL, [SIGNAL])]
    for text, expected in rows:
        assert meant(text, trail, signals) == expected


def left(**plan: Any) -> tuple[World, str, str]:
    """A world that opened a position and left it by its own plan: with the ids of both intents."""
    world = World()
    world.quote("equity:AAPL", "200")
    name = world.want("equity:AAPL", "1000")
    world.intents[0]["exit_plan"].update(plan or {"stop_pct": "0.05"})
    world.intents[0]["provenance"]["reasons"] = [line("source:news.rss", 4000)]
    world.stage()
    world.step()
    world.quote("equity:AAPL", "150")
    world.step()
    (leaves,) = [one for one in world.book.intents if one != name]
    return world, name, leaves


@pytest.mark.parametrize("kept", [True, False])
def test_an_exit_of_the_executor_s_own_is_told_as_one(kept: bool) -> None:
    """Its reason is no part of a conviction's sum, and no allocation asked for it."""
    world, _, leaves = left()
    evidence = Evidence(convictions={CONVICTION: conviction(line("source:news.rss", 4000))} if kept else {})
    trail = Trail(world.journal.read())
    text = said(leaves, trail, evidence)
    assert "The executor asked for it itself (stop): 25.00 % worse than its cost, 5.00 % are allowed." in text
    assert "The conviction that the position was opened on comes below." in text
    assert "+4,000 bp source:news.rss" in text
    for wrong in ("which is wrong", "As seen by", "exit:stop", "The allocation wanted"):
        assert wrong not in text
    grounds = Lineage(trail, evidence).grounds(leaves)
    assert [part.kind for part in grounds.parts] == ["cause", "conviction"]


def test_a_conviction_is_told_by_the_intent_that_it_led_to_and_not_by_the_exit() -> None:
    """The newest that names it is the exit, which has no lines of its own."""
    world, name, leaves = left()
    evidence = Evidence(convictions={CONVICTION: conviction(line("source:news.rss", 3000), bp=3000)})
    text = said(CONVICTION, Trail(world.journal.read()), evidence)
    assert "As seen by the persona that asked for most: 4,000" in text
    assert "which is wrong" not in text
    assert name in text
    assert leaves in text


def test_an_exit_whose_opener_s_records_are_gone_stands_alone() -> None:
    """As the intent itself tells its conviction: without lines, and without an accusation."""
    world, _, leaves = left()
    alone = Trail(record for record in world.journal.read() if record.ids.get("intent_id") in (None, leaves))
    found = texts(CONVICTION, alone)
    assert found[0].startswith(f"Conviction {CONVICTION}: equity:AAPL, 4,000 of 10,000 in the strongest persona's view")
    assert not any("exit:" in text or "wrong" in text for text in found)


def test_an_exit_that_nothing_is_known_to_have_opened_names_no_conviction() -> None:
    """There is only the cause."""
    world, _, leaves = left()
    records = []
    for record in world.journal.read():
        if record.kind == "intent.seen" and record.ids["intent_id"] == leaves:
            body = record.payload["intent"]
            why = {**body["provenance"], "signal_id": "none"}
            records.append(record._replace(payload={**record.payload, "intent": {**body, "provenance": why}}))
        else:
            records.append(record)
    grounds = Lineage(Trail(records)).grounds(leaves)
    assert [part.kind for part in grounds.parts] == ["cause"]
    assert "comes below" not in grounds.parts[0].text


def test_liquidity_without_a_figure_and_without_a_limit_reads_as_that(trail: Trail) -> None:
    """No `None`, and no limit of nothing."""
    text = said(first(busy(), "order.submitting").ids["order_id"], trail)
    assert "liquidity passed: nothing is known of it, no limit." in text
    assert "None" not in text
