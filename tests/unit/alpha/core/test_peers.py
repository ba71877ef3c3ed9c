"""Several hosts on one screen: links, Alpha's word, and what each node may say of dispatch and the executor."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.alpha.core.test_summary import HEALTHY, LIMITS, ago, executor, prices
from vanta.alpha.core import peers
from vanta.alpha.core.exposition import render
from vanta.alpha.core.gauges import metrics
from vanta.alpha.core.outlook import Flip, More
from vanta.alpha.core.outlook import rows as further
from vanta.alpha.core.sights import Doc, Facts, FarSight, Head, LatchSight, LinkSight, LockSight, Row
from vanta.alpha.core.summary import rows
from vanta.alpha.core.tally import Tally
from vanta.common.exitcodes import Check

RUNS = LockSight("transport", "transport pid=8 since=x")
GOOD = FarSight(said_at=HEALTHY.now - timedelta(seconds=1))


def link(node: str = "alpha", seconds: float = 1, *, files: Mapping[str, Any] | None = None, **more: Any) -> LinkSight:
    """What the transport said of a node that was heard so long ago."""
    return LinkSight(node, Doc({"link": "up", "problem": "", "heard_at": ago(seconds), "witness": "",
                                "files": files or {}, **more}))


def several(node: str = "executor", *links: LinkSight, **more: Any) -> Facts:
    """A healthy look at one node of several."""
    said: dict[str, Any] = {"links": links or (link(),), "locks": (*HEALTHY.locks, RUNS), "lease_s": 10.0,
                            "far": GOOD if node == "executor" else None, **more}
    return replace(HEALTHY, node=node, **said)


def row(facts: Facts, name: str = "link alpha") -> Row:
    return next(one for one in rows(facts, LIMITS) if one.name == name)


def test_one_host_has_no_links() -> None:
    """And no row of them."""
    assert list(peers.rows(HEALTHY)) == []
    assert [one.name for one in further(HEALTHY, MORE, LIMITS) if one.name == "nodes"] == ["nodes"]
    assert [one.name for one in further(several(), MORE, LIMITS) if one.name == "nodes"] == []


MORE = More(permission="", flip=Flip(), signals={}, recent=(), nodes=(), programs=())


@pytest.mark.parametrize(("one", "node", "level", "words"), [
    (link(), "executor", Check.OK, "heard 1 s ago"),
    (link(files={"trade_log.jsonl": {"behind": 4_096}}), "markets", Check.OK, "trade_log.jsonl 4,096 bytes behind"),
    (link(files={"vault.json": {"problem": "is gone"}}), "markets", Check.WARNING, "vault.json: is gone"),
    (link(files={"trade_log.jsonl": {"problem": "it was cut", "refused": True}}), "markets", Check.CRITICAL,
     "refused; heard 1 s ago; trade_log.jsonl: it was cut"),
    (link(witness="something was changed, cut or made anew"), "alpha", Check.CRITICAL, "the witness says"),
    (link(witness="sound"), "alpha", Check.OK, "heard"),
    (link(seconds=8, link="down", problem="no route"), "executor", Check.WARNING, "down for 8 s: no route"),
    (link(seconds=12, link="down", problem="no route"), "executor", Check.CRITICAL, "no route; orders wait"),
    (link("markets", 600, link="down", problem="no route"), "executor", Check.WARNING, "down for 10 min: no route"),
    (link("markets", 1_000, link="down", problem="x"), "executor", Check.CRITICAL, "down for 16 min: x"),
    (link("markets", 20), "executor", Check.WARNING, "down for 20 s: the transport gets nowhere"),
    (LinkSight("alpha", Doc(None)), "executor", Check.CRITICAL, "never heard"),
    (LinkSight("alpha", Doc(None)), "markets", Check.UNKNOWN, "never heard"),
    (LinkSight("alpha", Doc({"problem": "refused by host"})), "markets", Check.UNKNOWN, "never heard: refused by host"),
    (LinkSight("alpha", Doc(None, "status.json is not JSON")), "markets", Check.UNKNOWN, "status.json is not JSON"),
], ids=str)
def test_a_link(one: LinkSight, node: str, level: Check, words: str) -> None:
    """Silent, behind, refused: each with its level, and a command where there is something to do."""
    found = row(several(node, one), f"link {one.node}")
    assert (found.level, bool(found.fix)) == (level, level is not Check.OK)
    assert words in found.text


def test_a_transport_that_does_not_run_is_started() -> None:
    """Whatever it said last; as grave as the silence is."""
    facts = several("executor", link(seconds=3))
    found = row(replace(facts, locks=()))
    assert (found.level, found.fix) == (Check.WARNING, "systemctl start vanta-executor-transport")
    assert "the transport does not run here" in found.text
    assert row(replace(several("executor", link(seconds=30)), locks=())).level is Check.CRITICAL
    hidden = replace(facts, locks=(LockSight("transport", None, known=False),))
    assert row(hidden).level is Check.OK


def test_where_to_look() -> None:
    """At what was refused, or at the unit."""
    cut = link(files={"trade_log.jsonl": {"problem": "it was cut", "refused": True}, "odd": "no table"})
    assert row(several("markets", cut)).fix == "ls -l memory/replica/alpha/refused"
    assert row(several("markets", link(seconds=20))).fix == "systemctl status vanta-markets-transport"


def test_alphas_word_on_the_executor() -> None:
    """Its age, or why it does not count: then no order leaves, and it is said what to do where."""
    assert row(several(), "lease").text == "Alpha's word is 1 s old"
    for far in (FarSight(lease="lease 3 of Alpha goes back", said_at=GOOD.said_at), FarSight(lease="no word"),
                FarSight()):
        found = row(several(far=far), "lease")
        assert (found.level, found.fix) == (Check.CRITICAL, peers.LEASE_FIX)
        assert far.lease in found.text


@pytest.mark.parametrize(("locks", "level"), [
    ((LockSight("lease", "lease pid=1 since=x"),), Check.OK), ((), Check.CRITICAL),
    ((LockSight("lease", None),), Check.CRITICAL), ((LockSight("lease", None, known=False),), None)])
def test_alphas_word_on_alpha(locks: tuple[LockSight, ...], level: Check | None) -> None:
    """Whether anybody says it."""
    found = [one for one in rows(replace(several("alpha"), locks=locks), LIMITS) if one.name == "lease"]
    assert [one.level for one in found] == ([] if level is None else [level])


@pytest.mark.parametrize(("far", "level", "words"), [
    (FarSight(stops=("halt.full_halt on everything: odd",), said_at=GOOD.said_at), Check.WARNING,
     "halted on Alpha: halt.full_halt on everything: odd"),
    (FarSight(unreadable="Alpha's vault_overlay.json is cut", said_at=GOOD.said_at), Check.CRITICAL,
     "halted: Alpha's vault_overlay.json is cut"),
    (FarSight(lease="no word from Alpha"), Check.CRITICAL, "held: no word from Alpha"),
    (FarSight(scoped=("halt.maintenance on vault V",), said_at=GOOD.said_at), Check.WARNING,
     "open, except on Alpha for halt.maintenance on vault V")])
def test_dispatch_on_the_executor_is_held_by_alpha_too(far: FarSight, level: Check, words: str) -> None:
    """And what helps is on Alpha."""
    found = row(several(far=far), "dispatch")
    assert (found.level, found.text) == (level, words)
    assert "on Alpha" in found.fix


def test_dispatch_and_executor_on_alpha_are_what_arrived() -> None:
    """No permit is missed there, and no lock; the executor's own word counts, and how old it is."""
    facts = several("alpha", locks=(), permit=False)
    assert row(facts, "dispatch").text == "open: orders may leave"
    halted = replace(facts, executor=executor(dispatch="halted", dispatch_reason="halt.no_permit"))
    assert row(halted, "dispatch").text == ("the switches are open here, but the executor says halted: halt.no_permit")
    for seconds, words in ((7200, "is 2 h old"), (-7200, "lies 2 h ahead")):
        found = row(replace(halted, executor=executor(dispatch="halted", heartbeat_at=ago(seconds))), "dispatch")
        assert (found.level, found.fix) == (Check.UNKNOWN, "on the executor: vanta-run status")  # released since?
        assert f"what is known of the executor {words}; then the switches are open here" in found.text
    latched = replace(facts, executor=executor(heartbeat_at=ago(7200)), latches=(
        LatchSight("latch_1", "odd", everything=True),))
    assert row(latched, "dispatch").level is Check.CRITICAL
    assert "nothing of the executor has arrived" in row(replace(facts, executor=Doc(None)), "dispatch").text
    stopped = replace(facts, executor=Doc(None), stops=("full_halt",))
    assert row(stopped, "dispatch").text == "halted: full_halt"
    for seconds, level in ((2, Check.OK), (20, Check.WARNING), (90, Check.CRITICAL)):
        found = row(replace(facts, executor=executor(heartbeat_at=ago(seconds))), "executor")
        assert found.level is level
        assert ("nothing newer has arrived" in found.text) == (level is Check.CRITICAL)
    assert "queue" not in {one.name for one in rows(facts, LIMITS)}
    assert "reflection" not in {one.name for one in rows(facts, LIMITS)}


def test_markets_says_nothing_of_the_executor_that_it_cannot_know() -> None:
    """Only Alpha's overlay."""
    facts = several("markets", executor=Doc(None), permit=False)
    assert "what the executor says is not known here" in row(facts, "dispatch").text
    assert "executor" not in {one.name for one in rows(facts, LIMITS)}
    assert row(replace(facts, stops=("halt.full_halt",)), "dispatch").text == "halted: halt.full_halt"


def test_what_helps_on_markets_is_not_proposed_here() -> None:
    """The executor's host has no feeds."""
    facts = several(queue=Doc(None), feeds=(prices(9_000),))
    assert row(facts, "feed prices").fix == "on Markets: vanta markets collect prices"
    assert row(facts, "queue").fix == "on Markets: vanta markets promote"
    over = replace(facts, queue=Doc({"intents": [{"expires_at": ago(9_000)}]}))
    assert row(over, "queue").fix == "on Markets: vanta markets promote"


def test_a_document_may_arrive_before_its_log() -> None:
    """On the executor's own host that is a log that was cut; elsewhere it is a moment."""
    behind = (Head(name="trade_log.jsonl", seq=39, hash="b" * 64, kind="fill", at=ago(3)),)
    for node, level in (("executor", Check.CRITICAL), ("alpha", Check.OK)):
        assert row(replace(several(node), heads=behind), "log trade_log").level is level


def test_metrics_of_several_hosts() -> None:
    """Up, age, refused, lease; none of them where there is one host."""
    cut = link(files={"trade_log.jsonl": {"refused": True}, "odd": 1}, seconds=4)
    facts = several("executor", cut, LinkSight("markets", Doc(None)))
    text = render(metrics(facts, MORE, rows(facts, LIMITS), Tally(), None))
    for line in ('vanta_link_up{node="alpha"} 1', 'vanta_link_heard_age_seconds{node="alpha"} 4',
                 'vanta_link_refused{node="alpha"} 1', "vanta_lease_age_seconds 1"):
        assert line in text
    assert 'node="markets"' not in text
    alone = render(metrics(HEALTHY, MORE, rows(HEALTHY, LIMITS), Tally(), None))
    assert "vanta_link_up{" not in alone
