"""The judge can fail: what it is there for is found in logs, requests and permissions that were spoilt by hand."""

import json
from argparse import Namespace
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from tests.simulation import run
from tests.simulation.campaign import Campaign
from tests.simulation.clock import SimClock
from tests.simulation.disk import Disk
from tests.simulation.fuse import Fuse
from tests.simulation.ledger import Ledger
from tests.simulation.people import CLEAR, People
from tests.simulation.permits import Order, allows
from tests.simulation.simulation import Simulation
from vanta.executor.core.controls import Known, Scope, read_overlay
from vanta.executor.core.fences import halt

NAMES = {"vault": "V_CORE", "broker": "paper", "instrument": "equity:AAPL", "asset_class": "equity", "follower": ""}
KNOWN = {"vault": ["V_CORE"], "broker": ["paper"], "instrument": ["equity:AAPL", "crypto:BTC-USD"],
         "asset_class": ["equity", "crypto", "option"], "follower": []}
NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
ENTRY, EXIT = Order(NAMES, False, NOW), Order(NAMES, True, NOW)


def overlay(**changes: Any) -> bytes:
    """A clear overlay with some fields changed."""
    return orjson.dumps({**CLEAR, **changes})


def test_clear_bytes_permit() -> None:
    """Both spellings, and scopes that concern something else."""
    assert allows(overlay(), ENTRY, KNOWN)
    assert allows(overlay(full_halt={"enabled": False, "by": "ann"}), ENTRY, KNOWN)
    assert allows(overlay(scopes={"instrument": {"crypto:BTC-USD": {"full_halt": True}}}), ENTRY, KNOWN)
    assert allows(overlay(maintenance={"enabled": True, "until": "2026-11-20T14:59:59.000Z"}), ENTRY, KNOWN)
    assert allows(overlay(reduce_only=True), EXIT, KNOWN)


DENIED: dict[str, bytes | None] = {
    "missing": None, "empty": b"", "half": overlay()[:30], "no object": b"[]", "not UTF-8": b"\xff\xfe{}",
    "a switch is missing": orjson.dumps({"maintenance": False}), "a word": overlay(full_halt="false"),
    "a number": overlay(full_halt=0), "unknown": overlay(full_hold=False),
    "twice": overlay()[:-1] + b',"full_halt":false}', "on": overlay(orders_disabled=True),
    "on in an object": overlay(full_halt={"enabled": True, "until": "2020-01-01T00:00:00.000Z"}),
    "an object without enabled": overlay(full_halt={}), "a scope of ours": overlay(scopes={"vault": {
        "V_CORE": {"maintenance": True}}}), "an unknown scope": overlay(scopes={"vault": {"V_X": {}}}),
    "an unknown kind of scope": overlay(scopes={"planet": {}}), "reduce only": overlay(reduce_only=True)}


@pytest.mark.parametrize("name", DENIED)
def test_anything_else_denies(name: str) -> None:
    """Whatever does not plainly permit."""
    assert not allows(DENIED[name], ENTRY, KNOWN)


def test_what_the_executor_lets_pass_the_checker_lets_pass() -> None:
    """Two readings of the rules, written apart, over whatever operators save."""
    people = People(Random(7), SimClock(), Disk(Random(7), Fuse()), {"V_CORE": "paper"})
    known = Known(vault=frozenset(KNOWN["vault"]), broker=frozenset({"paper"}),
                  instrument=frozenset(KNOWN["instrument"]))
    scope = Scope(vault="V_CORE", broker="paper", instrument="equity:AAPL", asset_class="equity")
    passed = 0
    for _ in range(3_000):
        raw = people.any_overlay()
        for order in (ENTRY, EXIT):
            switches = halt.Switches(controls=read_overlay(raw), permit=True, latches={}, known=known)
            line = halt.look(switches, scope, reduces=order.reduces, now=NOW)
            assert line.code is not None or allows(raw, order, KNOWN), raw
            passed += line.code is None
    assert passed > 1_000


def log() -> list[bytes]:
    """The log of a schedule in which a lot has happened."""
    for seed in range(200):
        outcome = Simulation(seed).run()
        if outcome.facts["filled in parts"] and outcome.facts["a latch was released"]:
            return outcome.log.split(b"\n")
    pytest.fail("no schedule to spoil")


def told(lines: list[bytes]) -> list[str]:
    """What the ledger finds wrong."""
    ledger = Ledger()
    for raw in lines:
        ledger.take(raw, orjson.loads(raw))
    return ledger.wrong


def _last(lines: list[bytes], kind: str) -> bytes:
    return [raw for raw in lines if orjson.loads(raw)["kind"] == kind][-1]


def _dropped(lines: list[bytes]) -> list[bytes]:
    return lines[:5] + lines[6:]


def _swapped(lines: list[bytes]) -> list[bytes]:
    return [*lines[:5], lines[6], lines[5], *lines[7:]]


def _edited(lines: list[bytes]) -> list[bytes]:
    return [*lines[:5], lines[5].replace(b'"', b'"', 1) + b" ", *lines[6:]]


def _filled_twice(lines: list[bytes]) -> list[bytes]:
    return [*lines, _last(lines, "fill")]


def _sent_twice(lines: list[bytes]) -> list[bytes]:
    return [*lines, _last(lines, "order.submitting")]


def _seen_twice(lines: list[bytes]) -> list[bytes]:
    return [*lines, _last(lines, "intent.seen")]


def _released_twice(lines: list[bytes]) -> list[bytes]:
    return [*lines, _last(lines, "latch.released")]


SPOILT: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "a dropped line": (_dropped, "I5: "), "swapped lines": (_swapped, "I5: "), "an edited line": (_edited, "I5: "),
    "an execution booked twice": (_filled_twice, "I7: "), "an order sent twice": (_sent_twice, "I1: "),
    "an intent seen twice": (_seen_twice, "I2: "), "a latch released twice": (_released_twice, "I3: ")}


def resting() -> list[bytes]:
    """The log of a schedule in which an order that is good until cancelled was filled."""
    for seed in range(600):
        lines = Simulation(seed).run().log.split(b"\n")
        if any(b'"time_in_force":"gtc"' in raw for raw in lines) and _of_limits(lines, "fill"):
            return lines
    pytest.fail("no schedule to spoil")


def _of_limits(lines: list[bytes], kind: str) -> list[int]:
    """Where records of a kind about orders that are good until cancelled are."""
    rows = [orjson.loads(raw) for raw in lines]
    names = {row["ids"]["order_id"] for row in rows if row["kind"] == "order.submitting"
             and row["payload"]["time_in_force"] == "gtc"}
    return [index for index, row in enumerate(rows) if row["kind"] == kind and row["ids"].get("order_id") in names]


def _changed(lines: list[bytes], index: int, **changes: Any) -> list[bytes]:
    row = orjson.loads(lines[index])
    row["payload"].update(changes)
    return [*lines[:index], orjson.dumps(row), *lines[index + 1:]]


def _beyond_its_limit(lines: list[bytes]) -> list[bytes]:
    at = _of_limits(lines, "fill")[0]
    return _changed(lines, at, price="0.01" if orjson.loads(lines[at])["payload"]["side"] == "sell" else "9999999")


def _ended_with_the_session(lines: list[bytes]) -> list[bytes]:
    row = orjson.loads(lines[_of_limits(lines, "order.submitting")[0]])
    row.update(kind="order.cancelling", payload={"intent_state": "cancelling", "detail": "the session is over"})
    return [*lines, orjson.dumps(row)]


def _asked_by_an_exit(lines: list[bytes]) -> list[bytes]:
    name = orjson.loads(lines[_of_limits(lines, "order.submitting")[0]])["ids"]["intent_id"]
    at = next(index for index, raw in enumerate(lines) if orjson.loads(raw)["kind"] == "intent.seen"
              and orjson.loads(raw)["ids"]["intent_id"] == name)
    seen = orjson.loads(lines[at])["payload"]["intent"]
    seen["provenance"]["reasons"] = [{"reason": "exit:stop"}]
    return _changed(lines, at, **{"from": "executor", "intent": seen})


@pytest.mark.parametrize("spoil", [_beyond_its_limit, _ended_with_the_session, _asked_by_an_exit])
def test_terms_that_were_not_kept_are_found_out(spoil: Callable[[list[bytes]], list[bytes]]) -> None:
    """Beyond a limit, with the session, or for an exit; the log as it was has none of it."""
    lines = resting()
    assert not told(lines)
    assert any(what.startswith("I12: ") for what in told(spoil(lines)))


def test_an_honest_log_is_found_right() -> None:
    """Nothing is wrong with what the executor wrote."""
    assert told(log()) == []


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_log_is_found_out(name: str) -> None:
    """Each kind of spoiling by the promise that it breaks."""
    spoil, promise = SPOILT[name]
    assert any(what.startswith(promise) for what in told(spoil(log())))


def test_a_campaign_goes_on_where_it_was_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Counts are kept; other code is counted from the start; a bad seed makes the command fail."""
    ledger = tmp_path / "state" / "ledger.json"
    given = Namespace(ledger=ledger, from_seed=5, minutes=None, schedules=3)
    assert run.many(given) == 0
    given.schedules = 5
    assert run.many(given) == 0
    kept = Campaign.loaded(json.loads(ledger.read_text("utf-8")))
    assert (kept.schedules, kept.next_seed) == (5, 10)
    assert kept.facts == Campaign().run(range(5, 10)).facts
    ledger.write_text(json.dumps({**kept.saved(), "code": "another", "violations": {"7": "I1: …"}}), "utf-8")
    assert run.many(given) == 0
    assert "counted from the start" in capsys.readouterr().out
    ledger.write_text(json.dumps({**kept.saved(), "code": run.code(), "violations": {"7": "I1: …"}}), "utf-8")
    assert run.many(given) == 1
    assert "seed 7: I1: …" in capsys.readouterr().out
