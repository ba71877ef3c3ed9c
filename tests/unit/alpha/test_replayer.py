"""A whole home is made again from its own logs: equal, different where changed, missing where inputs are gone."""

from pathlib import Path

import orjson
import pytest

from tests.processes import run
from tests.surroundings import alike
from tests.unit.alpha.chains import Change, forget, rechained, replayed
from vanta.alpha.core.differ import Difference
from vanta.common.canonical import sha256
from vanta.common.paths import Home
from vanta.common.store.journal import FileJournal


def test_a_home_replays_equal(lived: Home) -> None:
    """Reflections, promotions, verdicts, fills and documents, all from recorded inputs."""
    done = replayed(lived)
    assert [str(one) for one in done.differences] == []
    assert done.missing == []
    assert {"reflected", "promoted", "intent.approved", "order.submitting", "fill", "document"} <= set(done.checked)


def test_it_replays_equal_in_any_process(lived: Home, tmp_path: Path) -> None:
    """Another hash seed, time zone, locale or Python changes no byte of what is printed."""
    assert orjson.loads(alike(tmp_path, "replay", "--home", str(lived.root), "--json"))["equal"] is True


WATCHED = """
import os, sys
from vanta.suite.dispatch import main
REACHES = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg",
           "subprocess.Popen", "os.system", "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.truncate", "os.link"}
def hook(event, arguments):
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if event in REACHES or writes:
        print("REACHED", event, arguments)
sys.addaudithook(hook)
sys.exit(main(["replay", "--home", sys.argv[1]]))
"""


def test_it_touches_nothing(lived: Home) -> None:
    """No network, no process, no file that is written or made, all the way from raw payloads to the documents."""
    said = run(WATCHED, str(lived.root), measured=False).splitlines()
    assert said[-1].startswith("EQUAL: ")
    assert [line for line in said if line.startswith("REACHED")] == []


def test_a_changed_verdict_is_named(copied: Home) -> None:
    """Step, id, field and both values of the first difference."""
    records = list(FileJournal(copied.file("trade_log.jsonl")).read())
    target = next(record for record in records if record.kind == "intent.refused")
    rechained(copied, "trade_log.jsonl", target.seq, lambda payload: payload.update(
        lines=[["halt", "halt.full_halt", "everything", "off", "forged"]]))
    found = next(one for one in replayed(copied).differences if one.about == target.ids["intent_id"])
    assert found.step == f"trade_log.jsonl:{target.seq} (intent.refused)"
    assert "halt.full_halt" in str(found)
    assert found.found.recorded != found.found.recomputed


@pytest.mark.parametrize(("name", "kind", "change", "field"), [
    ("reflection_log.jsonl", "reflected", lambda body: body.update(dag_id="dag1_x"), "dag_id"),
    ("reflection_log.jsonl", "reflected", lambda body: body["cause"].update(margin_bp=7), "dag_id"),
    ("reflection_log.jsonl", "reflected", lambda body: body["outputs"].update({"system_risk.json": "0" * 64}),
     "outputs.system_risk.json"),
    ("promotion_log.jsonl", "promoted", lambda body: body.update(staged=["in1_x"]), "staged.0"),
    ("promotion_log.jsonl", "promoted", lambda body: body["trade_log"].update(hash="0" * 64), "trade_log.hash"),
    ("promotion_log.jsonl", "promoted", lambda body: body.update(ttl_s=5), "dag_id"),
    ("promotion_log.jsonl", "promoted", lambda body: body.pop("staged"), ""),
    ("promotion_log.jsonl", "promoted", lambda body: body.pop("trade_log"), ""),
])
def test_a_changed_cycle_is_named(copied: Home, name: str, kind: str, change: Change, field: str) -> None:
    """A reflection or promotion whose record says other than its inputs give."""
    target = next(record for record in FileJournal(copied.file(name)).read() if record.kind == kind)
    rechained(copied, name, target.seq, change)
    found = [one for one in replayed(copied).differences if one.step.startswith(f"{name}:{target.seq} ")]
    assert [one.found.field for one in found] == [field]


def test_a_forged_output_is_named_by_its_field(copied: Home) -> None:
    """Where record and document were forged alike, the field that the inputs do not give is named."""
    path = copied.file("system_risk.json")
    path.write_bytes(path.read_bytes().replace(b'"regime": "not measured"', b'"regime": "calm"'))
    records = list(FileJournal(copied.file("reflection_log.jsonl")).read())
    rechained(copied, "reflection_log.jsonl", records[-1].seq, lambda body: body["outputs"].update(
        {"system_risk.json": sha256(path.read_bytes())}))
    found = [one.found for one in replayed(copied).differences if one.step.startswith("reflection_log")]
    assert [(one.field, one.recorded, one.recomputed) for one in found] == [
        ("system_risk.json.regime", '"calm"', '"not measured"')]


def test_a_changed_document_is_named_by_its_field(copied: Home) -> None:
    """The executor's documents are recomputed too."""
    path = copied.file("portfolio.json")
    body = orjson.loads(path.read_bytes())
    cash = body["vaults"][0]["cash"]
    path.write_bytes(path.read_bytes().replace(f'"cash":"{cash}"'.encode(), b'"cash":"1"', 1))
    found = replayed(copied).differences
    assert [(one.step, one.found.field, one.found.recorded) for one in found] == [
        ("portfolio.json", "vaults.0.cash", '"1"')]


def test_a_lost_input_is_missing_not_different(copied: Home) -> None:
    """A cycle whose inputs are gone cannot be made again, and nothing is guessed."""
    record = next(one for one in FileJournal(copied.file("promotion_log.jsonl")).read() if one.kind == "promoted")
    digest = record.payload["inputs"]["trade_signals.json"]
    forget(copied, digest)
    done = replayed(copied)
    assert done.differences == []
    assert any(digest in what and what.startswith("promotion_log.jsonl") for what in done.missing)


def test_another_version_of_the_rules_code_is_a_difference(copied: Home) -> None:
    """What no snapshot holds, the code that applies the rules, is compared by its version and never hidden."""
    rechained(copied, "reflection_log.jsonl", 2, lambda body: body["cause"]["rules"].update(code="99"))
    found = [one for one in replayed(copied).differences if one.step.startswith("reflection_log")]
    assert [(one.stage, one.found) for one in found] == [
        ("conviction", Difference("rules.code", '"99"', '"1"'))]


def test_a_broken_log_is_a_difference(copied: Home) -> None:
    """Where a chain breaks nothing follows any more."""
    path = copied.file("trade_log.jsonl")
    path.write_bytes(path.read_bytes().replace(b'"kind":"fill"', b'"kind":"full"', 1))
    assert any(one.step == "trade_log.jsonl" for one in replayed(copied).differences)


def test_a_broken_log_is_a_difference_in_a_span_too(copied: Home) -> None:
    """Up to the break everything is looked at as usual."""
    path = copied.file("trade_log.jsonl")
    path.write_bytes(path.read_bytes().replace(b'"kind":"fill"', b'"kind":"full"', 1))
    done = replayed(copied, begins="2026-11-18T00:00:00.000Z")
    assert [one.found.field for one in done.differences if one.step == "trade_log.jsonl"] == [""]
    assert done.checked["intent.approved"] > 0


@pytest.mark.parametrize(("name", "stage"), [
    ("collection_log.jsonl", "signals"), ("reflection_log.jsonl", "conviction"), ("promotion_log.jsonl", "allocation")])
def test_a_broken_log_of_the_markets_is_a_difference_once(copied: Home, name: str, stage: str) -> None:
    """Though it is walked more than once."""
    path = copied.file(name)
    path.write_bytes(path.read_bytes().replace(b'"seq":2', b'"seq":3', 1))
    assert [(one.stage, one.found.recorded) for one in replayed(copied).differences if one.step == name] == [
        (stage, "a broken log")]


def test_a_promotion_beyond_the_end_of_the_log_is_missing(copied: Home) -> None:
    """A replica of the trade log that is behind cannot say what a later promotion rested on."""
    for name in ("portfolio.json", "open_orders.json", "pnl_summary.json", "executor_state.json"):
        copied.file(name).unlink()
    path = copied.file("trade_log.jsonl")
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:10]))
    done = replayed(copied)
    assert done.differences == []
    assert any("the trade log ends before record" in what for what in done.missing)


def test_a_bare_home_has_nothing_to_replay(tmp_path: Path) -> None:
    """No decision was checked, and that is no equality."""
    done = replayed(Home(tmp_path).prepare())
    assert (dict(done.checked), done.differences, done.missing) == ({}, [], [])
