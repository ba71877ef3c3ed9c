"""The graph of an explanation: each thing once, links the way the decision went, Graphviz text that holds anything."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.alpha.core.test_earnings import earnings
from tests.unit.alpha.core.test_lineage import CONVICTION, RAW, SIGNAL, conviction, line, signal
from tests.unit.alpha.homes import busy, first
from vanta.alpha.core.dot import dot
from vanta.alpha.core.gather import MOST, passed_together, strongest, weighed_once
from vanta.alpha.core.graph import Graph, Link, graph_of
from vanta.alpha.core.labels import label
from vanta.alpha.core.layout import NARROW, WIDE, layout, ordered
from vanta.alpha.core.lineage import Lineage
from vanta.alpha.core.node import Node
from vanta.alpha.core.text import wrapped
from vanta.alpha.core.trail import Evidence, Trail

HOSTILE = ['a "quote" and a \\', "</title><script>alert(1)</script>", "\u202eevil\u2066 rtl", "w" * 300,
           "line\nbreak\ttab\x00",
           "]; n0 -> n0 [label=", "{{}} %s é 漢字 🚀", "&lt;b&gt; &#34;", ""]


def tree(*lines: dict[str, Any], targets: bool = True, **more: Any) -> Node:
    """The busy morning's first order, on the conviction that is given."""
    world = busy()
    reasons = lines or (line("source:sec.form4", 4200, SIGNAL), line("source:news.rss", -200, SIGNAL))
    evidence = Evidence(convictions={CONVICTION: conviction(*reasons)}, signals={SIGNAL: signal(**more)},
                        stored={RAW: 9},
                        targets={("V_CORE", "equity:AAPL", CONVICTION): {
                            "weight_bp": 100, "notional": "1000", "vault_nav": "100000", "limits": []}} if targets
                            else {})
    return Lineage(Trail(world.journal.read()), evidence, earnings(world)).explain(
        first(world, "order.submitting").ids["order_id"])


def kinds(graph: Graph) -> set[tuple[str, str]]:
    """The links by the kinds of their ends."""
    kind = {thing.key: thing.kind for thing in graph.things}
    return {(kind[link.source], kind[link.target]) for link in graph.links}


def test_the_links_run_the_way_the_decision_went() -> None:
    """From the raw record to the result, whatever the tree begins with."""
    graph = graph_of(tree())
    assert kinds(graph) == {
        ("raw", "signal"), ("signal", "reason"), ("reason", "conviction"), ("conviction", "view"),
        ("view", "allocation"),
        ("allocation", "intent"), ("intent", "fence"), ("fence", "verdict"), ("control", "verdict"),
        ("verdict", "order"),
        ("order", "fill"), ("fill", "pnl")}
    assert [link.bp for link in graph.links if link.bp is not None] == [4200, -200]
    assert graph.about[0] == graph.things[0].key
    assert len(graph.about) > len(graph.things), "some things are told more than once"


def test_a_signal_under_two_reasons_is_one_thing_with_two_links() -> None:
    """So is its raw record."""
    graph = graph_of(tree())
    assert [thing.kind for thing in graph.things].count("signal") == 1
    assert [thing.kind for thing in graph.things].count("raw") == 1
    assert sum(link.source == f"signal {SIGNAL}" for link in graph.links) == 2
    assert {thing.kind: thing.strength for thing in graph.things}["signal"] == 4200, "as strong as its strongest reason"


def test_what_was_refused_ends_at_its_verdict() -> None:
    """Fences lead there; the stopping ones are marked in words."""
    world = busy()
    refused = first(world, "intent.refused").ids["intent_id"]
    graph = graph_of(Lineage(Trail(world.journal.read())).explain(refused))
    assert ("fence", "verdict") in kinds(graph)
    assert not {kind for _, kind in kinds(graph)} & {"order", "fill", "pnl"}
    assert {thing.label.caption for thing in graph.things if thing.kind == "fence"} == {"fence · passed",
                                                                                        "fence · stopped"}
    assert [thing.label.tone for thing in graph.things if thing.kind == "verdict"] == ["bad"]


def test_things_of_one_rank_stand_in_steps() -> None:
    """A cycle that was made of another one."""
    inner = Node("cycle", "dag1_b", "b", {}, (Node("cycle", "dag1_c", "c", {}, ()),))
    graph = graph_of(Node("cycle", "dag1_a", "a", {}, (inner,)))
    assert [thing.rank for thing in graph.things] == [35, 35.5, 35.5] or len({thing.rank for thing in graph.things}) > 1
    back = Node("cycle", "dag1_b", "b", {}, (Node("cycle", "dag1_a", "a", {}, ()),))
    assert len(graph_of(Node("cycle", "dag1_a", "a", {}, (back,))).links) == 1, "no two ways between two things"


def test_an_intent_without_fences_or_allocation_is_linked_all_the_same() -> None:
    """Old logs, and kinds that stand beside the course."""
    parts = (Node("conviction", "cv1_x", "c", {}, ()), Node("intent.withdrawn", "in1_x", "w", {}, (), "trade_log:3"),
             Node("order.accepted", "v1", "o", {}, (), "trade_log:4"),
             Node("fill.busted", "v1", "b", {"fill_id": "f"}, ()),
             Node("raw", "5", "r", {}, ()), Node("until", "u", "u", {}, ()), Node("intent.seen", "in1_x", "s", {}, ()),
             Node("pnl", "in1_x", "p", {}, ()))
    graph = graph_of(Node("intent", "in1_x", "i", {}, parts))
    assert kinds(graph) == {("conviction", "intent"), ("intent", "verdict"), ("intent", "order"), ("order", "fill"),
                            ("raw", "intent"), ("intent", "until"), ("fill", "pnl")}
    alone = graph_of(Node("intent", "in1_x", "i", {}, (Node("pnl", "in1_x", "p", {}, ()),)))
    assert kinds(alone) == {("intent", "pnl")}


def test_a_verdict_by_its_place_has_its_intent_before_its_fences() -> None:
    """No second way around them."""
    grounds = Node("intent", "in1_x", "i", {}, (Node("allocation", "V", "a", {}, ()),))
    parts = (Node("fence", "halt", "f", {"code": None}, ()), grounds, Node("intent", "in1_x", "came", {}, ()))
    graph = graph_of(Node("intent.refused", "in1_x", "r", {}, parts, "trade_log:3"))
    assert kinds(graph) == {("allocation", "intent"), ("intent", "fence"), ("fence", "verdict")}
    bare = graph_of(Node("intent.withdrawn", "in1_x", "r", {}, (grounds,), "trade_log:3"))
    assert ("intent", "verdict") in kinds(bare)


def test_fences_that_passed_are_one_box_that_names_them() -> None:
    """One for each verdict; a single one stays itself."""
    graph = passed_together(graph_of(tree()))
    [box] = [thing for thing in graph.things if thing.kind == "fence"]
    assert box.label.caption == "26 fences passed"
    assert box.label.text.startswith("halt, vault, ")
    assert ("intent", "fence") in kinds(graph)
    assert ("fence", "verdict") in kinds(graph)
    one = Node("intent.refused", "in1_x", "r", {}, (Node("fence", "halt", "f", {"code": None}, ()),), "trade_log:3")
    assert [thing.label.text for thing in passed_together(graph_of(one)).things][1:] == ["halt"]


def test_of_many_the_strongest_are_drawn_and_the_rest_is_counted() -> None:
    """Two hundred reasons: the eleven with the largest weights, of either sign, and a box for the others."""
    rows = [line(f"source:s{number}", (number + 1) * (-1 if number % 2 else 1)) for number in range(200)]
    graph = graph_of(tree(*rows))
    drawn = strongest(graph)
    shown = [thing for thing in drawn.things if thing.kind == "reason"]
    assert len(shown) == MOST
    assert {thing.label.text.partition(":")[2].partition(":")[0] for thing in shown
            if "more" not in thing.label.caption} == {
        f"s{number}" for number in range(189, 200)}
    [rest] = [thing for thing in shown if thing.label.caption == "189 more"]
    assert rest.label.text == "of 200 reasons; the sentences below tell all of them"
    assert Link(rest.key, f"conviction {CONVICTION}", None) in drawn.links
    assert len(drawn.about) == len(graph.about)
    assert set(drawn.about) == {thing.key for thing in drawn.things}
    few = passed_together(graph_of(tree()))
    assert strongest(few) == few


def test_links_among_what_is_counted_only_are_not_drawn() -> None:
    """A box is not linked to itself."""
    things = tuple(replace(graph_of(Node("cycle", f"dag1_{number}", "c", {}, ())).things[0], strength=-number)
                   for number in range(MOST + 2))
    graph = Graph(things, (Link(things[-1].key, things[-2].key), Link(things[0].key, things[-1].key)), ())
    assert strongest(graph).links == (Link(things[0].key, "more ('cycle', 35)"),)


def test_a_view_s_shares_are_not_drawn_beside_the_conviction_s() -> None:
    """They are parts of another sum; what the persona adds is drawn."""
    view = Node("view", "Apollo", "v", {"conviction_bp": 5}, (
        Node("reason", "source:x", "x", {"bp": 3}, ()), Node("reason", "persona:Apollo", "p", {"bp": 2}, ())))
    graph = graph_of(Node("conviction", "cv1_x", "c", {}, (Node("reason", "source:x", "x", {"bp": 4}, ()), view)))
    assert {link.bp for link in graph.links if link.bp is not None} == {4, 3, 2}
    assert {link.bp for link in weighed_once(graph).links if link.bp is not None} == {4, 2}


# labels and text

@pytest.mark.parametrize(("node", "expected"), [
    (Node("signal", "sig1_x", "gone", {}, ()), ("signal", "gone", "")),
    (Node("order", "v1", "Order v1 bought 3.", {}, ()), ("order", "bought 3.", "")),
    (Node("alert", "trade_log:3", "At (trade_log:3): high", {}, (), "trade_log:3"), ("alert", "high", "")),
    (Node("intent", "i", "x", {"close": True, "instrument_id": "e", "vault": "V"}, ()),
     ("intent", "leave e for V", "")),
    (Node("reason", "r", "x", {"bp": -1200}, ()), ("reason", "r: −1,200 bp", "bad")),
    (Node("reason", "r", "x", {"bp": 0}, ()), ("reason", "r: +0 bp", "")),
    (Node("latch", "l", "x", {"code": "loss.daily", "vault": None}, ()),
     ("latch", "loss.daily on everything (l)", "bad")),
    (Node("effect", "i", "x", {"effect": "held", "wish": "", "intent_id": "in1_x"}, ()),
     ("what it did · held", "in1_x", "")),
    (Node("control", "o", "x", {"what": "permit", "sha256": "absent"}, ()), ("control", "dispatch.permit: absent", "")),
    (Node("pnl", "i", "x", {"by_currency": {"USD": {"total": None}}}, ()), ("result", "unknown without a mark", "")),
    (Node("pnl", "i", "x", {"by_currency": {"USD": {"total": "-3"}}}, ()), ("result · so far", "−3.00 USD", "bad")),
    (Node("view", "A", "x", {"conviction_bp": 5}, ()), ("as seen by", "A: 5 of 10,000", "")),
    (Node("intent.held", "i", "x", {"codes": ["a", "b"]}, ()), ("verdict · held", "a, b", "bad")),
    (Node("signal", "s", "x", {"direction": "-1", "source": "n", "summary": "t"}, ()),
     ("signal · n · ▼ down", "t", "")),
    (Node("signal", "s", "x", {"direction": "0", "source": "n", "summary": "t"}, ()),
     ("signal · n · neither way", "t", "")),
    (Node("signal", "s", "x", {"direction": "odd", "source": "n", "summary": "t"}, ()), ("signal", "x", "")),
])
def test_boxes_say_what_counts(node: Node, expected: tuple[str, str, str]) -> None:
    """Kind by kind, from facts; without them from the sentence."""
    assert tuple(label(node)) == expected


def test_text_is_wrapped_split_and_cut() -> None:
    """No line is longer than it may be, and nothing is empty."""
    assert wrapped("", 10, 3) == [""]
    assert wrapped("one two three", 8, 3) == ["one two", "three"]
    assert wrapped("w" * 25, 10, 2) == ["w" * 10, "w" * 9 + "…"]
    for text in HOSTILE:
        assert all(len(one) <= 12 and one.isprintable() for one in wrapped(text, 12, 4))


# layout

def test_boxes_never_overlap_and_links_go_down() -> None:
    """In both sizes, for an ordinary decision and a big one."""
    rows = [line(f"source:s{number}", number) for number in range(30)]
    for graph in (graph_of(tree()), strongest(graph_of(tree(*rows)))):
        for size in (WIDE, NARROW):
            found = layout(graph, size)
            boxes = list(found.boxes.values())
            assert len(boxes) == len(graph.things)
            assert not [1 for one in boxes for two in boxes if one is not two and one.x < two.x + two.width
                        and two.x < one.x + one.width and one.y < two.y + two.height and two.y < one.y + one.height]
            assert all(box.x >= 0 and box.x + box.width <= found.width and box.y + box.height <= found.height
                       for box in boxes)
            assert max(sum(1 for two in boxes if two.y == one.y) for one in boxes) <= size.columns
            assert all(found.boxes[link.source].y < found.boxes[link.target].y for link in graph.links)


def test_what_is_linked_stands_together() -> None:
    """Barycentre: four pairs whose records come in the opposite order do not cross."""
    parts = tuple(Node("signal", name, name, {}, (Node("raw", name, name, {}, ()),)) for name in "abcd")
    graph = graph_of(Node("reason", "r", "r", {"bp": 1}, parts))
    things = (*(one for one in reversed(graph.things) if one.kind == "raw"),
              *(one for one in graph.things if one.kind != "raw"))
    crossed = Graph(things, graph.links, graph.about)
    raws, signals, _ = ([thing.key.split()[1] for thing in layer] for layer in ordered(crossed))
    assert raws == signals


# Graphviz

_STRING = r'"(?:[^"\\]|\\.)*"'
_ATTRIBUTES = rf"\[[a-z]+={_STRING}(?:, [a-z]+={_STRING})*\]"
_LINE = re.compile(rf'  (?:(?:graph|node|edge) {_ATTRIBUTES};|n\d+ {_ATTRIBUTES};|n\d+ -> n\d+(?: {_ATTRIBUTES})?;'
                   r'|\{ rank="same"; n\d+(?:; n\d+)*; \})')


def read(text: str) -> tuple[list[str], list[tuple[str, str]]]:
    """A strict reading of the subset of Graphviz that we write: names of nodes, ends of edges."""
    head, *lines, last, end = text.split("\n")
    assert re.fullmatch(rf"digraph {_STRING} {{", head)
    assert (last, end) == ("}", "")
    for one in lines:
        assert _LINE.fullmatch(one), one
    nodes = [one.split()[0] for one in lines if re.match(r"  n\d+ \[", one)]
    return nodes, re.findall(r"^  (n\d+) -> (n\d+)", text, re.MULTILINE)


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
def test_graphviz_text_is_sound_whatever_a_headline_says(words: str) -> None:
    """One node for each thing, one edge for each link, both ends known."""
    graph = graph_of(tree(summary=words, source=words))
    text = dot(graph, words)
    nodes, edges = read(text)
    assert len(nodes) == len(set(nodes)) == len(graph.things)
    assert len(edges) == len(graph.links)
    assert {end for edge in edges for end in edge} <= set(nodes)
    assert text.isprintable() or set(filter(lambda char: not char.isprintable(), text)) == {"\n"}


def test_weights_are_on_the_edges_and_a_negative_one_is_dashed() -> None:
    """Not by colour alone."""
    text = dot(graph_of(tree()), "x")
    assert '[label="+4,200 bp", color=' in text
    assert '[label="−200 bp", style="dashed", color=' in text


def test_the_strict_reading_can_fail() -> None:
    """A broken label is found."""
    text = dot(graph_of(tree()), "x")
    with pytest.raises(AssertionError):
        read(text.replace('[label="order', '[label="or"der', 1))


def drawn(text: str, arguments: Sequence[str] = ("-Tsvg",)) -> str:
    """What Graphviz makes of a text; skipped, with the reason, where there is none."""
    if shutil.which("dot") is None:
        pytest.skip("graphviz is not installed here, so only our own strict reading was tried")
    done = subprocess.run(["dot", *arguments], input=text, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_graphviz_itself_takes_it() -> None:
    """Every hostile headline, drawn."""
    for words in HOSTILE:
        graph = graph_of(tree(summary=words))
        assert drawn(dot(graph, words)).count('class="node"') == len(graph.things)
