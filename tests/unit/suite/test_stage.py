"""A demonstration's tree: made fresh, thrown away only if it is ours, served wave by wave."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vanta.common.clock import SystemClock
from vanta.common.errors import OperatorError
from vanta.common.paths import Home
from vanta.common.settings import clock_from, load
from vanta.common.store.lock import FileLock
from vanta.suite.fixtures import fixtures
from vanta.suite.stage import MARKER, prepare, serve

NOW = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
DEMO = fixtures("demo")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "a folder with \"quotes\"")
    prepare(made, DEMO, NOW)
    return made


def test_a_fresh_tree_loads_with_its_paths_and_its_clock(home: Home) -> None:
    """The settings name this home's folders, whatever its name, and the clock is anchored at now."""
    settings = load(home)
    assert settings.markets.feed("sec").source == f"{home.root}/feeds/sec"
    assert settings.clock.anchored_at == "2027-01-02T03:04:05.000Z"
    shift = clock_from(settings).now() - SystemClock().now()
    assert abs(shift - (datetime(2026, 11, 18, 15, tzinfo=UTC) - NOW)) < timedelta(seconds=5)
    assert {path.name for path in home.memory.iterdir()} == {"vault.json", "vault_overlay.json"}


def test_an_earlier_demonstration_is_thrown_away(home: Home) -> None:
    """Everything that programs wrote is gone; what does not belong to a tree stays."""
    (home.memory / "trade_log.jsonl").write_text("old\n")
    (home.root / "notes.txt").write_text("mine")
    prepare(home, DEMO, NOW)
    assert not (home.memory / "trade_log.jsonl").exists()
    assert (home.root / "notes.txt").read_text() == "mine"


def test_a_tree_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    """Without the marker nothing is touched."""
    (tmp_path / "memory").mkdir()
    with pytest.raises(OperatorError, match="no demonstration made it"):
        prepare(Home(tmp_path), DEMO, NOW)
    assert [path.name for path in tmp_path.iterdir()] == ["memory"]


def test_an_empty_folder_may_be_used(tmp_path: Path) -> None:
    """There is nothing in it to lose."""
    prepare(Home(tmp_path), DEMO, NOW)
    assert (tmp_path / MARKER).is_file()


@pytest.mark.parametrize("program", ["up", "executor", "markets"])
def test_a_tree_in_use_is_left_alone(home: Home, program: str) -> None:
    """While a program holds its lock the tree stays as it is."""
    (home.memory / "trade_log.jsonl").write_text("live\n")
    with FileLock(home.lock(program), owner=program, now=NOW), pytest.raises(OperatorError, match="in use by"):
        prepare(home, DEMO, NOW)
    assert (home.memory / "trade_log.jsonl").read_text() == "live\n"


def test_a_wave_replaces_the_one_before_feed_by_feed(home: Home) -> None:
    """A feed that the second wave does not name goes on reading the first."""
    waves = sorted((DEMO / "feeds").iterdir())
    assert set(serve(home, waves[0])) == {"sec", "news", "reddit", "crypto", "prices"}
    first = names(home, "sec")
    assert set(serve(home, waves[1])) == {"sec", "news", "reddit", "prices"}
    assert names(home, "sec") != first
    assert names(home, "sec") == sorted(path.name for path in (waves[1] / "sec").iterdir())
    assert names(home, "crypto") == sorted(path.name for path in (waves[0] / "crypto").iterdir())


def test_serving_a_wave_again_changes_nothing(home: Home) -> None:
    """The same payloads under the same names."""
    wave = DEMO / "feeds" / "1-opening"
    serve(home, wave)
    before = names(home, "news")
    serve(home, wave)
    assert names(home, "news") == before


def names(home: Home, feed: str) -> list[str]:
    return sorted(path.name for path in (home.root / "feeds" / feed).iterdir())


def test_fixtures_may_lie_elsewhere(tmp_path: Path) -> None:
    """A given folder wins, and one without the tree is an error that names it."""
    (tmp_path / "demo" / "config").mkdir(parents=True)
    assert fixtures("demo", tmp_path) == tmp_path / "demo"
    with pytest.raises(OperatorError, match="live"):
        fixtures("live", tmp_path)


@pytest.mark.parametrize("name", ["demo", "live"])
def test_shipped_trees_hold_what_programs_need(name: str, tmp_path: Path) -> None:
    """Configuration, vaults and overlay of each tree load; paper money in both."""
    home = Home(tmp_path / name)
    prepare(home, fixtures(name), NOW)
    assert load(home).executor.mode == "paper"
