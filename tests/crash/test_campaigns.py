"""Campaigns count honestly: what a ledger says was done is not done again, what did not fire has shown nothing."""

import json
from pathlib import Path

from tests.crash.driving import carry_out
from tests.crash.injector import Fault
from tests.crash.lab import Case
from tests.crash.torture import fingerprint
from tests.crash.worker import Report


def test_an_interrupted_campaign_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """Cases and counts of a ledger are taken over; a last line that broke off is done again."""
    ledger = tmp_path / "ledger.jsonl"
    words = ("pairs", "reader", "--second", "kill", "--ledger", str(ledger))
    first = carry_out(tmp_path, *words)
    lines = ledger.read_text("utf-8").splitlines(keepends=True)
    assert (first["before"], first["done"]) == (0, first["planned"])
    ledger.write_text("".join(lines[:-10]) + lines[-10][:20], "utf-8")
    again = carry_out(tmp_path, *words)
    assert (again["before"], again["done"]) == (first["planned"] - 10, 10)


def test_a_violation_of_an_earlier_part_is_not_forgotten(tmp_path: Path) -> None:
    """The campaign as a whole has failed, also if its rest passes."""
    ledger = tmp_path / "ledger.jsonl"
    ledger.write_text(json.dumps({"key": "reader: kill at call 1, then kill at call 1", "violations": ["bad"]}) + "\n")
    report = carry_out(tmp_path, "pairs", "reader", "--second", "kill", "--ledger", str(ledger))
    assert (report["violations"], report["before"]) == (["bad"], 1)


def test_a_fault_that_did_not_fire_is_a_violation() -> None:
    """A case that struck nothing would pass for ever."""
    report = Report("single x", "")
    report.take(Case("order", (Fault(mode="kill", at=9_999),), fired=False))
    assert (report.done, report.fired, len(report.violations)) == (1, 0, 1)


def test_calls_beyond_the_last_do_not_fire(tmp_path: Path) -> None:
    """A ledger cannot make a plan longer than the run: the count is taken from the run itself."""
    ledger = tmp_path / "ledger.jsonl"
    ledger.write_text(json.dumps({"key": "reader: kill at call 1, then kill", "count": 30}) + "\n")
    report = carry_out(tmp_path, "pairs", "reader", "--second", "kill", "--ledger", str(ledger))
    assert [line for line in report["violations"] if "NOT FIRED" in line]


def test_a_fingerprint_is_that_of_the_source(tmp_path: Path) -> None:
    """Whatever changes it begins a campaign anew; what Python leaves beside it does not."""
    data = tmp_path / "vanta" / "common" / "data"
    (data / "__pycache__").mkdir(parents=True)
    (data / "table.json").write_text("[]")
    before = fingerprint(tmp_path)
    (data / "__pycache__" / "x.pyc").write_bytes(b"x")
    assert fingerprint(tmp_path) == before
    (data / "table.json").write_text("[1]")
    assert fingerprint(tmp_path) != before
