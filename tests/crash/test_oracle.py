"""The judge can condemn: each thing that it looks at, spoiled by hand in a home that it finds in order."""

import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.crash import oracle
from tests.crash.driving import ROOT, environment
from tests.crash.stories import STORIES

EXPECT = STORIES["order"].expect
LOG = "memory/trade_log.jsonl"


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the home and the ledger of an order that was carried out undisturbed."""
    folder = tmp_path_factory.mktemp("oracle")
    done = subprocess.run([sys.executable, "-m", "tests.crash.traced", "order", str(folder), str(folder / "points")],
                          cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def copied(lived: Path, tmp_path: Path) -> Path:
    """A copy of it that may be spoiled."""
    shutil.copytree(lived / "home", tmp_path / "home")
    shutil.copyfile(lived / "ledger", tmp_path / "ledger")
    return tmp_path


def verdict(folder: Path) -> list[str]:
    return oracle.judge(oracle.gather(folder / "home", folder / "ledger"), EXPECT)


def test_a_home_in_order_is_found_in_order(copied: Path) -> None:
    """Nothing is condemned that is right."""
    assert verdict(copied) == []


def _told(folder: Path, **line: Any) -> None:
    """Add a line to the venue's ledger."""
    with (folder / "ledger").open("a") as file:
        file.write(json.dumps({"t": 0, **line}) + "\n")


def _untold(folder: Path, word: str) -> None:
    """Take the first line with that word out of the ledger."""
    lines = (folder / "ledger").read_text().splitlines(keepends=True)
    lines.remove(next(line for line in lines if word in line))
    (folder / "ledger").write_text("".join(lines))


def _record(folder: Path, kind: str, payload: dict[str, Any], **ids: str) -> None:
    """Add a record to the log, with a chain that holds."""
    log = folder / "home" / LOG
    lines = log.read_bytes().splitlines()
    record = {"seq": len(lines) + 1, "at": "", "kind": kind, "dag_id": None, "ids": ids, "payload": payload,
              "prev": oracle.hash_of(lines[-1])}
    log.write_bytes(log.read_bytes() + json.dumps(record).encode() + b"\n")


def _document(folder: Path, name: str, change: Callable[[dict[str, Any]], Any]) -> None:
    path = folder / "home" / "memory" / name
    body = json.loads(path.read_bytes())
    change(body)
    path.write_text(json.dumps(body))


def _intent(folder: Path) -> str:
    return oracle.queued(folder / "home")[0]


def _spoil_input(folder: Path, data: bytes | None) -> None:
    path = next((folder / "home" / "memory" / "snapshots").rglob("*.zst"))
    path.chmod(0o600)
    path.unlink() if data is None else path.write_bytes(data)


def _swap_in_log(folder: Path) -> None:
    log = folder / "home" / LOG
    log.write_bytes(log.read_bytes().replace(b'"quantity":"0.01"', b'"quantity":"0.02"', 1))


def _tear(folder: Path) -> None:
    with (folder / "home" / LOG).open("ab") as file:
        file.write(b'{"seq":')


def _aside(folder: Path, data: bytes) -> None:
    (folder / "home" / f"{LOG}.torn-9-aaaaaaaa").write_bytes(data)


ACCEPTED = {"did": "accepted", "venue_id": "x9", "symbol": "BTC/USD", "side": "buy", "quantity": "0.02"}
EXECUTED = {"did": "fill", "venue_id": "x1", "fill": "x1-f9", "quantity": "0.01", "price": "50000", "fee": "0",
            "symbol": "BTC/USD", "side": "buy"}

SPOILT: dict[str, tuple[Callable[[Path], Any], str]] = {
    "two orders": (lambda at: _told(at, **ACCEPTED, id="v-2", intent=_intent(at)), "DOUBLE"),
    "an order that the log does not know": (
        lambda at: _told(at, did="request", request={"op": "submit", "id": "v-9"}), "UNRECORDED"),
    "an execution that nobody made": (lambda at: _untold(at, '"did": "fill"'), "INVENTED"),
    "an execution that nobody booked": (
        lambda at: _told(at, **EXECUTED, id="v-1", intent=_intent(at)), "NOT BOOKED"),
    "an order that nobody took": (lambda at: _untold(at, '"did": "accepted"'), "INVENTED"),
    "an execution booked twice": (lambda at: _record(at, "fill", {
        "fill_id": "x1-f1", "intent_state": "filled", "side": "buy", "instrument_id": "crypto:BTC-USD",
        "quantity": "0.01", "price": "50000", "fee": "0.01"}, intent_id=_intent(at)), "BOOKED TWICE"),
    "a document of a later record": (
        lambda at: _document(at, "portfolio.json", lambda body: body.update(as_of_seq=999)), "AHEAD"),
    "a document of another record": (
        lambda at: _document(at, "pnl_summary.json", lambda body: body.update(as_of_hash="f" * 64)), "AHEAD"),
    "half a document": (lambda at: (at / "home" / "memory" / "executor_state.json").write_bytes(b"{"), "HALF"),
    "an input that is gone": (lambda at: _spoil_input(at, None), "LOST INPUT"),
    "an empty input": (lambda at: _spoil_input(at, b""), "LOST INPUT"),
    "a changed record": (_swap_in_log, "does not follow"),
    "a torn end": (_tear, "TORN"),
    "a piece that the log does not name": (lambda at: _aside(at, b'{"seq":'), "UNSAID"),
    "two records in a piece": (lambda at: _aside(at, b'{"seq":9}\n{"seq":'), "CUT TOO MUCH"),
    "a piece that is gone": (lambda at: _record(at, "tail.repaired", {"sha256": "a" * 64}), "UNKEPT"),
    "a run that did not end": (
        lambda at: _record(at, "program.started", {"settings": "a" * 64, "calendars": {}}), "STUCK"),
    "a latch": (lambda at: _record(at, "latch.set", {"code": "clock.stepped"}), "LATCHED"),
    "an intent that ended twice": (
        lambda at: _record(at, "order.cancelled", {"intent_state": "cancelled"}, intent_id=_intent(at)), "ENDED TWICE"),
    "an intent that is on its way": (
        lambda at: _record(at, "order.unknown", {"intent_state": "unknown"}, intent_id=_intent(at)), "LOST"),
    "another position": (lambda at: _document(
        at, "portfolio.json", lambda body: body["vaults"][0]["positions"][0].update(quantity="1")), "POSITIONS"),
    "other cash": (lambda at: _document(
        at, "portfolio.json", lambda body: body["vaults"][0].update(cash="1")), "CASH"),
    "an order left open": (lambda at: _document(
        at, "open_orders.json", lambda body: body.update(orders=[{"order_id": "v-1"}])), "LEFT OPEN"),
    "an old document": (lambda at: _record(at, "program.stopped", {}), "BEHIND"),
}


@pytest.mark.parametrize(("spoil", "word"), SPOILT.values(), ids=SPOILT.keys())
def test_what_is_wrong_is_condemned(spoil: Callable[[Path], Any], word: str, copied: Path) -> None:
    """By the word that says which promise is broken."""
    spoil(copied)
    assert any(word in line for line in verdict(copied))


def test_a_torn_end_that_was_seen_has_to_be_told(copied: Path) -> None:
    """Also if nothing is left of it on the disk."""
    evidence = oracle.gather(copied / "home", copied / "ledger")
    assert oracle.unsaid(evidence, set()) == []
    assert len(oracle.unsaid(evidence, {"a" * 64})) == 1


def test_more_orders_than_a_halt_allows(copied: Path) -> None:
    """A count of the venue's, whatever the log says."""
    evidence = oracle.gather(copied / "home", copied / "ledger")
    halted = oracle.Expect(capital=EXPECT.capital, ends=EXPECT.ends, sent=0, flat=True)
    assert {line.partition(":")[0] for line in oracle.judge(evidence, halted)} == {"SENT", "STILL HELD"}


@pytest.mark.parametrize("name", ["oracle.py", "venue.py"])
def test_judge_and_venue_share_nothing_with_what_they_judge(name: str) -> None:
    """Neither VANTA nor anything else of the tests is imported there."""
    tree = ast.parse((ROOT / "tests" / "crash" / name).read_text("utf-8"))
    named = [one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names]
    named += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert named
    assert not [one for one in named if one.startswith(("vanta", "tests"))]
