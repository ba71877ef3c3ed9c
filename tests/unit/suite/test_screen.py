"""The screen of a home: complete after a pass, honest before one, unmoved by a broken file."""

import shutil
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from vanta.common.clock import SystemClock
from vanta.common.exitcodes import Exit
from vanta.common.paths import ALLOCATION, JOURNALS, PNL, TRADE_LOG, TRADE_SIGNALS, Home, signals_file
from vanta.common.permit import arm
from vanta.common.settings import clock_from, load
from vanta.suite.fixtures import fixtures
from vanta.suite.once import Pass, full_pass
from vanta.suite.progress import Progress
from vanta.suite.render import plain
from vanta.suite.run import main
from vanta.suite.screen import View, convictions, screen, views
from vanta.suite.stage import prepare, serve

TITLES = ["FEEDS", "CONVICTIONS", "PERSONAS", "ALLOCATION", "INTENTS", "PROFIT AND LOSS", "LOGS"]


def fresh(root: Path) -> Home:
    """The demonstration's tree on its first wave, dispatch permitted."""
    home, source = Home(root), fixtures("demo")
    prepare(home, source, SystemClock().now())
    serve(home, source / "feeds" / "1-opening")
    arm(home, by="test", reason="test", now=SystemClock().now())
    return home


def one_pass(home: Home) -> Pass:
    return full_pass(home, load(home), Progress(SystemClock(), as_json=False))


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Pass]:
    """A tree after one full pass in this process."""
    home = fresh(tmp_path_factory.mktemp("screen") / "var")
    return home, one_pass(home)


def lines_of(home: Home, *, later_s: float = 0) -> list[str]:
    settings = load(home)
    return plain(screen(View(home, settings, clock_from(settings).now() + timedelta(seconds=later_s))))


def titles(lines: list[str]) -> list[str]:
    return [known for line in lines for known in TITLES if line.startswith(known)]


def test_one_pass_goes_from_payloads_to_fills(passed: tuple[Home, Pass]) -> None:
    """Every part did its work; the second promotion took what is terminal out of the queue."""
    home, done = passed
    assert done.exit == Exit.DONE
    assert [part.name for part in done.parts] == ["sec", "news", "reddit", "crypto", "prices", "reflect", "promote",
                                                  "execute", "promote again"]
    assert done.staged
    queue = orjson.loads(home.file("autotrade_queue.json").read_bytes())["intents"]
    assert 0 < len(queue) < len(done.staged)
    assert b'"kind":"fill"' in home.file(TRADE_LOG).read_bytes()


def test_a_second_pass_stages_nothing(tmp_path: Path) -> None:
    """The same payloads again: no intent, no order."""
    home = fresh(tmp_path / "var")
    one_pass(home)
    before = home.file(TRADE_LOG).read_bytes().count(b'"order.submitting"')
    assert one_pass(home).staged == []
    assert home.file(TRADE_LOG).read_bytes().count(b'"order.submitting"') == before


def test_the_screen_has_every_section(passed: tuple[Home, Pass]) -> None:
    """In the order in which money moves, and no line too wide."""
    lines = lines_of(passed[0])
    assert titles(lines) == TITLES
    assert max(map(len, lines)) <= 120


def test_profit_that_does_not_add_up_is_shouted(passed: tuple[Home, Pass], tmp_path: Path) -> None:
    """A summary whose parts contradict its total is never shown as sound."""
    home = copy(passed[0], tmp_path)
    assert any(line.strip().startswith("adds up") for line in lines_of(home))
    value = orjson.loads(home.file(PNL).read_bytes())
    value["total"]["total"] = "12345.67"
    home.file(PNL).write_bytes(orjson.dumps(value))
    assert any("DOES NOT ADD UP" in line for line in lines_of(home))


def test_reasons_that_do_not_add_up_are_shown_so(passed: tuple[Home, Pass], tmp_path: Path) -> None:
    """A conviction with a changed reason names the wrong sum."""
    home = copy(passed[0], tmp_path)
    value = orjson.loads(home.file(TRADE_SIGNALS).read_bytes())
    value["convictions"][0]["reason_vector"][-1]["bp"] += 7
    home.file(TRADE_SIGNALS).write_bytes(orjson.dumps(value))
    assert any("(adds up to" in line for line in lines_of(home))


def test_a_changed_log_is_shown_as_broken(passed: tuple[Home, Pass], tmp_path: Path) -> None:
    """One digit in one record, and the chain no longer holds; the other logs are still verified."""
    home = copy(passed[0], tmp_path)
    raw = home.file(TRADE_LOG).read_bytes()
    home.file(TRADE_LOG).write_bytes(raw.replace(b'"kind":"fill"', b'"kind":"fi11"', 1))
    lines = lines_of(home)
    logs = lines[next(at for at, line in enumerate(lines) if line.startswith("LOGS")):]
    states = {name: next(line for line in logs if line.strip().startswith(name)).split()[1]
              for name in JOURNALS if home.file(name).exists()}
    assert states.pop(TRADE_LOG) == "broken"
    assert set(states.values()) == {"verified"}


def test_a_torn_log_is_no_verified_one(passed: tuple[Home, Pass], tmp_path: Path) -> None:
    """Half a line at the end shows."""
    home = copy(passed[0], tmp_path)
    with home.file(TRADE_LOG).open("ab") as log:
        log.write(b'{"seq"')
    assert any("the last line is torn" in line for line in lines_of(home))


def test_an_unreadable_feed_hides_no_other(passed: tuple[Home, Pass], tmp_path: Path) -> None:
    """Its line says what is wrong; all sections stand."""
    home = copy(passed[0], tmp_path)
    home.file(signals_file("news")).write_bytes(b'{"feed": "news", "feed": "twice"}')
    lines = lines_of(home)
    assert titles(lines) == TITLES
    assert any(line.split()[:2] == ["news", "unknown"] and "duplicate" in line for line in lines)


def test_age_makes_a_feed_stale(passed: tuple[Home, Pass]) -> None:
    """The same file, read hours later, is not fresh any more."""
    lines = lines_of(passed[0], later_s=5 * 3600)
    assert any(line.split()[:2] == ["sec", "stale"] for line in lines)


def test_ranks_stand_next_to_what_they_are_made_of(passed: tuple[Home, Pass], tmp_path: Path) -> None:
    """A conviction may be larger than the one above it; the steadied value never is, and a note says what that is."""
    home = copy(passed[0], tmp_path)
    value = orjson.loads(home.file(TRADE_SIGNALS).read_bytes())
    assert not any("steadied value" in line for line in lines_of(home))
    value["convictions"][1]["rank_bp"] -= 90
    home.file(TRADE_SIGNALS).write_bytes(orjson.dumps(value))
    settings = load(home)
    shown = convictions(View(home, settings, clock_from(settings).now()))
    at = [column.title for column in shown.columns].index("steadied")
    second = value["convictions"][1]
    assert list(shown.rows[1][at:at + 2]) == [f"{second['rank_bp']:,}", f"{second['conviction_bp']:,}"]
    assert any("steadied value" in note for note in shown.notes)


def test_personas_show_what_they_added(passed: tuple[Home, Pass], tmp_path: Path) -> None:
    """Each row's lines, a persona's among them, add up to its figure; without any a note says so."""
    home = passed[0]
    settings = load(home)
    shown = views(View(home, settings, clock_from(settings).now()))
    assert shown.rows
    for row in shown.rows:
        parts = [int(word.replace(",", "")) for word in row[3].split() if word[0] in "+-"]
        assert sum(parts) == int(row[2].replace(",", ""))
        assert "persona:" in row[3] or "cap:" in row[3]
    bare = copy(home, tmp_path)
    value = orjson.loads(bare.file(ALLOCATION).read_bytes())
    for plan in value["vaults"]:
        plan["targets"] = []
    bare.file(ALLOCATION).write_bytes(orjson.dumps(value))
    assert "no persona sees anything but the evidence" in "\n".join(lines_of(bare))


def test_an_empty_home_says_what_is_not_there_yet(tmp_path: Path) -> None:
    """No crash and no zero that was not measured."""
    home = Home(tmp_path / "home").prepare()
    lines = plain(screen(View(home, load(home), SystemClock().now())))
    assert titles(lines) == TITLES
    assert sum("does not exist" in line for line in lines) >= 6
    assert any("there are no logs yet" in line for line in lines)


def test_once_prints_the_screen_and_ends_with_the_worst_part(tmp_path: Path,
                                                             capsys: pytest.CaptureFixture[str]) -> None:
    """A feed without payloads is a part that failed: the others are done, and the status tells."""
    home = fresh(tmp_path / "var")
    (home.root / "feeds" / "sec").unlink()
    assert main(["once", "--home", str(home.root)]) == Exit.CONFIG
    captured = capsys.readouterr()
    assert titles(captured.out.splitlines()) == TITLES
    assert "sec" in captured.err
    assert home.file(signals_file("news")).exists()
    assert not home.file(signals_file("sec")).exists()


def test_once_as_json_is_one_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Progress goes to stderr, and each part has its status."""
    home = fresh(tmp_path / "var")
    assert main(["once", "--home", str(home.root), "--json"]) == Exit.DONE
    value = orjson.loads(capsys.readouterr().out)
    assert value["schema"] == "vanta.run.once/1"
    assert {part["exit"] for part in value["parts"]} == {0}
    assert value["staged"]
    assert titles([part["title"].upper() for part in value["screen"]]) == TITLES
    assert any("adds up" in note for part in value["screen"] for note in part["notes"])


def test_once_at_another_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--now` fixes the clock of the whole pass: documents and records carry that time."""
    home = fresh(tmp_path / "var")
    assert main(["once", "--home", str(home.root), "--now", "2026-11-18T16:30:00Z", "--json"]) == Exit.DONE
    assert orjson.loads(capsys.readouterr().out)["generated_at"] == "2026-11-18T16:30:00.000Z"
    assert orjson.loads(home.file(TRADE_SIGNALS).read_bytes())["now"] == "2026-11-18T16:30:00.000Z"
    records = [orjson.loads(line) for line in home.file(TRADE_LOG).read_bytes().splitlines()]
    assert {record["at"] for record in records} == {"2026-11-18T16:30:00.000Z"}


def copy(home: Home, folder: Path) -> Home:
    """The same tree elsewhere, free to be damaged."""
    shutil.copytree(home.root, folder / "var", symlinks=True)
    return Home(folder / "var")
