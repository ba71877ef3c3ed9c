"""The script of the demonstration: it waits for conditions, and says what is missing when they do not come about."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from vanta.common.clock import ManualClock
from vanta.common.paths import COLLECTION_LOG, PORTFOLIO, QUEUE, REFLECTION_LOG, TRADE_LOG, TRADE_SIGNALS, Home
from vanta.suite.scenes import PATIENCE_S, Scene, SceneFailed, Stage, play
from vanta.suite.sight import Calm, Sight

START = datetime(2026, 11, 18, 15, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").prepare()


def write(home: Home, name: str, value: object) -> None:
    home.file(name).write_bytes(orjson.dumps(value))


def log(home: Home, name: str, *records: tuple[str, Mapping[str, Any]]) -> None:
    """Write a log of so many records; nobody checks its chain here."""
    lines = [orjson.dumps({"seq": seq, "at": f"2026-11-18T15:00:{seq:02d}.000Z", "kind": kind, "dag_id": None,
                           "ids": {"intent_id": "in1_a"}, "payload": payload, "prev": ""})
             for seq, (kind, payload) in enumerate(records, start=1)]
    home.file(name).write_bytes(b"".join(line + b"\n" for line in lines))


SEEN = ("intent.seen", {"intent_state": "seen", "intent": {
    "intent_id": "in1_a", "vault": "V", "instrument_id": "equity:A", "side": "buy", "notional": "1",
    "provenance": {"conviction_bp": 1}}})
HELD = ("intent.held", {"intent_state": "held", "codes": ["quote.stale"], "lines": []})


def test_a_scene_acts_then_waits_for_its_condition() -> None:
    """It is played as soon as nothing is missing."""
    done: list[str] = []
    answers = iter(["not yet", "not yet", ""])
    play(Scene("a scene", lambda: done.append("acted"), lambda: next(answers)), ManualClock(START), lambda: True)
    assert done == ["acted"]
    assert next(answers, "asked no further") == "asked no further"


def test_a_condition_that_does_not_come_about_is_named() -> None:
    """After its patience the scene fails with what it still waited for."""
    clock = ManualClock(START)
    with pytest.raises(SceneFailed, match="a scene: the moon"):
        play(Scene("a scene", lambda: None, lambda: "the moon"), clock, lambda: True)
    assert clock.monotonic() > PATIENCE_S


def test_an_optional_scene_ends_with_its_patience() -> None:
    """What the outside does is nobody's promise."""
    clock = ManualClock(START)
    play(Scene("a scene", lambda: None, lambda: "the moon", optional=True), clock, lambda: True)
    assert clock.monotonic() > PATIENCE_S


def test_programs_that_ended_end_the_wait() -> None:
    """Nobody is left to bring the condition about."""
    clock = ManualClock(START)
    with pytest.raises(SceneFailed, match="the programs ended"):
        play(Scene("a scene", lambda: None, lambda: "the moon"), clock, lambda: False)
    assert clock.monotonic() < PATIENCE_S


def test_a_wave_is_harvested_when_all_its_feeds_are_reflected_upon(home: Home, tmp_path: Path) -> None:
    """Passes from before the wave do not count, nor does a reflection from before the last pass."""
    for feed in ("sec", "news"):
        (tmp_path / "waves" / "1-x" / feed).mkdir(parents=True)
    stage = Stage(home, tmp_path / "waves", ManualClock(START.replace(second=1)), Sight(home))
    stage.serve(1)
    passes = [("collected", {"feed": "sec"}), ("collected", {"feed": "sec"}), ("collected", {"feed": "news"})]
    log(home, COLLECTION_LOG, *passes[:2])
    assert stage.harvested() == "waiting for news"
    log(home, COLLECTION_LOG, *passes)
    write(home, TRADE_SIGNALS, {"now": "2026-11-18T15:00:02.000Z"})
    assert "reflection" in stage.harvested()
    write(home, TRADE_SIGNALS, {"now": "2026-11-18T15:00:03.000Z"})
    assert stage.harvested() == ""
    stage.opened_at = "2026-11-18T15:00:03.000Z"
    assert stage.harvested() == "waiting for sec"


def test_an_operators_file_is_changed_whole(home: Home, tmp_path: Path) -> None:
    """Other fields stay, the file is replaced, not rewritten in place."""
    write(home, "vault_overlay.json", {"maintenance": False, "full_halt": False})
    before = home.file("vault_overlay.json").stat().st_ino
    Stage(home, tmp_path, ManualClock(START), Sight(home)).save("vault_overlay.json", {"full_halt": True})
    assert orjson.loads(home.file("vault_overlay.json").read_bytes()) == {"maintenance": False, "full_halt": True}
    assert home.file("vault_overlay.json").stat().st_ino != before


def test_files_that_are_not_there_read_as_empty(home: Home) -> None:
    """Whoever waits looks again; garbage is no reason to fail either."""
    sight = Sight(home)
    assert sight.document(PORTFOLIO) == {}
    assert sight.records(TRADE_LOG) == []
    home.file(PORTFOLIO).write_bytes(b"[1]")
    home.file(TRADE_LOG).write_bytes(b"half a li")
    assert sight.document(PORTFOLIO) == {}
    assert sight.records(TRADE_LOG) == []
    assert sight.moving() == ""


def test_what_is_under_way_is_counted(home: Home) -> None:
    """A judged intent that waits is at rest; one that nobody judged, or nobody has seen, is not."""
    sight = Sight(home)
    log(home, TRADE_LOG, SEEN)
    assert sight.moving() == "1 intents are under way"
    log(home, TRADE_LOG, SEEN, HELD)
    assert sight.moving() == ""
    write(home, QUEUE, {"intents": [{"intent_id": "in1_a"}, {"intent_id": "in1_b"}]})
    assert sight.moving() == "1 staged intents have not reached the executor"


def test_calm_needs_two_reflections_on_the_last_word(home: Home) -> None:
    """A new record in the trade log, or a portfolio that is behind it, starts the count again."""
    calm = Calm(Sight(home))
    log(home, TRADE_LOG, SEEN, HELD)
    write(home, PORTFOLIO, {"as_of_seq": 2})
    log(home, REFLECTION_LOG, ("reflected", {}))
    assert calm.missing() != ""
    log(home, REFLECTION_LOG, *[("reflected", {})] * 2)
    assert calm.missing() != ""
    log(home, REFLECTION_LOG, *[("reflected", {})] * 3)
    assert calm.missing() == ""
    log(home, TRADE_LOG, SEEN, HELD, HELD)
    log(home, REFLECTION_LOG, *[("reflected", {})] * 9)
    assert calm.missing() != ""
    write(home, PORTFOLIO, {"as_of_seq": 3})
    assert calm.missing() != ""
    log(home, REFLECTION_LOG, *[("reflected", {})] * 11)
    assert calm.missing() == ""
