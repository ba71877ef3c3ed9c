"""`vanta markets`: what it prints, what it writes and how it ends."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.processes import run
from tests.unit.markets.payloads import NOW, rss
from tests.unit.markets.test_promoter import Bench
from vanta.common.cli import main
from vanta.common.clock import SystemClock
from vanta.common.paths import OVERLAY, PORTFOLIO, TRADE_LOG, TRADE_SIGNALS, VAULTS, Home
from vanta.common.store.lock import FileLock
from vanta.common.times import iso, parse_iso
from vanta.markets.cli import app

GOOD = rss(("Acme", "Apple (NASDAQ: AAPL) beats forecast", -60), ("Acme", "Tesla (NASDAQ: TSLA) misses forecast", -30))


class Shell:
    """Runs command lines against one home."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.home, self.root, self._capsys = Home(root / "home"), root, capsys
        self.out = self.err = ""

    def __call__(self, *arguments: str) -> int:
        code = main(app, program="vanta markets", arguments=[*arguments, "--home", str(self.home.root)])
        self.out, self.err = self._capsys.readouterr()
        return code

    def collect(self, body: bytes | None, *arguments: str, name: str = "page.xml", now: str = NOW) -> int:
        """Collect `news` from one recorded page."""
        if body is not None:
            (self.root / name).write_bytes(body)
        return self("collect", "news", "--from", str(self.root / name), "--now", now, *arguments)

    @property
    def document(self) -> Any:
        """What was printed with --json."""
        return json.loads(self.out)

    def feed(self) -> Any:
        """The news feed's file."""
        return json.loads(self.home.file("news_signals.json").read_text())


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, capsys)


def test_a_pass_in_a_folder_that_is_not_there_yet(shell: Shell) -> None:
    """The first pass makes the tree; it says what it did, where, and what may follow."""
    assert shell.collect(GOOD) == 0
    assert shell.out.splitlines()[0] == "news: ok - 2 new"
    assert str(shell.home.file("news_signals.json")) in shell.out
    assert f"vanta markets reflect --home {shell.home.root}" in shell.out
    assert shell.err == ""
    assert sorted(one["entity"]["key"] for one in shell.feed()["signals"]) == ["equity:AAPL", "equity:TSLA"]


def test_a_pass_loads_its_own_collector_and_nothing_that_reflects(tmp_path: Path) -> None:
    """Collectors are started every few minutes, each in a process of its own."""
    (tmp_path / "page.xml").write_bytes(GOOD)
    loaded = run("""
import sys
from vanta.common.cli import main
from vanta.markets.cli import app
words = ["collect", "news", "--from", sys.argv[1], "--home", sys.argv[2]]
assert main(app, program="vanta markets", arguments=words) == 0
print([name for name in ("collectors.news", "collectors.sec", "reflector", "promoter", "daemon", "cli.reflect")
       if f"vanta.markets.{name}" in sys.modules])
""", str(tmp_path / "page.xml"), str(tmp_path / "home"))
    assert loaded.splitlines()[-1] == "['collectors.news']"


def test_the_same_as_json(shell: Shell) -> None:
    """One document with the envelope, the status and the counts of the file; the exit status is the same."""
    assert shell.collect(GOOD, "--json") == 0
    document = shell.document
    assert (document["schema"], document["ok"], document["generated_at"]) == ("vanta.markets.collect/1", True, NOW)
    assert document["counts"] == shell.feed()["counts"]
    assert document["run_id"] == shell.feed()["run_id"]
    assert document["next"][0]["command"].endswith(f"vanta markets reflect --home {shell.home.root}")


def test_a_second_pass_counts_duplicates(shell: Shell) -> None:
    """Nothing is new and nothing is lost."""
    shell.collect(GOOD)
    assert shell.collect(None, "--json") == 0
    assert (shell.document["counts"]["signals_new"], shell.document["counts"]["duplicates"]) == (0, 2)
    assert len(shell.feed()["signals"]) == 2


def test_a_late_record_is_counted(shell: Shell) -> None:
    """Published before what was already seen."""
    shell.collect(GOOD)
    late = rss(("Acme", "Boeing (NYSE: BA) delays a jet", -600))
    assert shell.collect(late, "--json") == 0
    assert (shell.document["counts"]["signals_new"], shell.document["counts"]["late"]) == (1, 1)


def test_a_damaged_payload_beside_a_good_one_is_partial(shell: Shell, tmp_path: Path) -> None:
    """Status 3, the damage on stderr, the good one used; as JSON the same, with nothing on stderr."""
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "a.xml").write_bytes(GOOD)
    (folder / "b.xml").write_bytes(b"<html>404</html>")
    arguments = ["collect", "news", "--from", str(folder), "--now", NOW]
    assert shell(*arguments) == 3
    assert shell.out.startswith("news: partial - ")
    assert "file:b.xml" in shell.err
    assert shell(*arguments, "--json") == 3
    assert shell.err == ""
    assert (shell.document["ok"], shell.document["status"], len(shell.document["errors"])) == (False, "partial", 1)


def test_only_damage_is_an_error_that_keeps_the_signals(shell: Shell) -> None:
    """Status 78: what was given has to be corrected; the last good signals stay."""
    shell.collect(GOOD)
    assert shell.collect(b"<html>404</html>") == 78
    assert shell.out.startswith("news: error - ")
    assert shell.feed()["status"] == "error"
    assert len(shell.feed()["signals"]) == 2
    assert "reflect" not in shell.out


@pytest.mark.parametrize(("name", "arguments", "code", "said"), [
    ("a path that is not there", ["collect", "news", "--from", "/nowhere/x", "--now", NOW], 2, "--from"),
    ("a feed that is none", ["collect", "newz"], 2, "Did you mean news?"),
    ("no feed", ["collect"], 2, "FEED"),
    ("a clock fixed on the network", ["collect", "news", "--now", NOW], 2, "--from"),
    ("a time that is none", ["collect", "news", "--from", "/", "--now", "now"], 2, "--now"),
    ("nothing configured", ["collect", "news"], 78, "feeds"),
    ("no such persona", ["reflect", "--preview", "Zeus"], 2, "Zeus"),
])
def test_what_is_wrong_is_said(shell: Shell, name: str, arguments: list[str], code: int, said: str) -> None:
    """The status by the kind of fault, words and cure on stderr, JSON with the same status."""
    shell.home.prepare()
    assert shell(*arguments) == code, name
    assert said in shell.err, name
    assert shell(*arguments, "--json") == code, name
    assert shell.document["ok"] is False, name


def test_an_unreadable_file_of_the_feed_stops_the_pass(shell: Shell) -> None:
    """Status 78, the file is named and left alone: unreadable is not empty."""
    shell.home.prepare()
    shell.home.file("news_signals.json").write_text("{")
    assert shell.collect(GOOD) == 78
    assert "news_signals.json:1" in shell.err
    assert shell.home.file("news_signals.json").read_text() == "{"


def test_a_held_lock_is_temporary(shell: Shell) -> None:
    """Status 75 while another pass of the feed runs, with who runs it; other feeds are not concerned."""
    shell.home.prepare()
    with FileLock(shell.home.lock("collect-news"), owner="somebody", now=SystemClock().now()):
        assert shell.collect(GOOD) == 75
        assert "somebody pid=" in shell.err
        assert not shell.home.file("news_signals.json").exists()
        assert shell("collect", "sec", "--from", str(shell.root / "page.xml"), "--now", NOW) == 0
    assert shell.collect(None) == 0


def test_a_minute_of_cron_that_finds_a_pass_under_way_says_nothing(shell: Shell) -> None:
    """Status 0 and not a word, so that cron mails nothing; with --json it says whom it left alone."""
    shell.home.prepare()
    with FileLock(shell.home.lock("collect-news"), owner="somebody", now=SystemClock().now()):
        assert shell.collect(GOOD, "--scheduled") == 0
        assert (shell.out, shell.err) == ("", "")
        assert shell.collect(GOOD, "--scheduled", "--json") == 0
        assert "somebody pid=" in shell.document["left"]
    assert not shell.home.file("news_signals.json").exists()
    assert shell.collect(GOOD, "--scheduled") == 0
    assert shell.home.file("news_signals.json").exists()


def test_a_feed_that_is_not_enabled_is_left_alone_by_cron(shell: Shell) -> None:
    """The settings say which feeds are collected, whoever starts the passes; a person may collect any."""
    shell.home.prepare()
    (shell.home.config / "vanta.toml").write_text("[markets.feeds.news]\nenabled = false\n")
    assert shell.collect(GOOD, "--scheduled") == 0
    assert (shell.out, shell.err, shell.home.file("news_signals.json").exists()) == ("", "", False)
    assert shell.collect(GOOD) == 0
    assert shell.home.file("news_signals.json").exists()


def test_a_folder_named_in_the_settings_stands_for_the_network(shell: Shell) -> None:
    """`source` in the feed's settings is read as `--from` would be; `--from` comes first."""
    (shell.root / "page.xml").write_bytes(GOOD)
    shell.home.prepare()
    (shell.home.config / "vanta.toml").write_text(
        f'[markets.feeds.news]\nsource = "{shell.root / "page.xml"}"\nwindow_s = 3000000000\n')
    assert shell("collect", "news", "--json") == 0
    assert shell.document["counts"]["payloads"] == 1
    assert shell.collect(None, "--json") == 0
    assert shell.document["generated_at"] == NOW


@pytest.mark.parametrize("window_s", [59, 10**10])
def test_an_absurd_window_is_refused(shell: Shell, window_s: int) -> None:
    """Status 78 with the field, before anything is done."""
    shell.home.prepare()
    (shell.home.config / "vanta.toml").write_text(f"[markets.feeds.news]\nwindow_s = {window_s}\n")
    assert shell.collect(GOOD) == 78
    assert "markets.feeds.news.window_s" in shell.err


def test_a_wrong_setting_is_named(shell: Shell) -> None:
    """Status 78 with the field and what was meant."""
    shell.home.prepare()
    (shell.home.config / "vanta.toml").write_text("[markets]\nreflect_evry_s = 5\n")
    assert shell.collect(GOOD) == 78
    assert "reflect_every_s" in shell.err


def test_reflect(shell: Shell) -> None:
    """Says how much there is and which feeds have no weight; the same again changes nothing."""
    shell.collect(GOOD)
    assert shell("reflect", "--now", NOW) == 0
    assert shell.out.startswith("reflected: revision 1, ")
    assert "sec has no weight" in shell.err
    assert shell("reflect", "--now", NOW, "--json") == 0
    assert (shell.document["written"], shell.document["revision"]) == (False, 1)
    assert set(shell.document["missing"]) == {"sec", "reddit", "crypto"}


@pytest.mark.parametrize("persona", ["Ares", "risk_averse"])
def test_a_preview_writes_nothing(shell: Shell, persona: str) -> None:
    """It shows each conviction as the persona sees it, under either name, and takes no lock."""
    shell.collect(GOOD)
    before = sorted(path.name for path in shell.home.memory.iterdir())
    with FileLock(shell.home.lock("markets"), owner="the daemon", now=SystemClock().now()):
        assert shell("reflect", "--preview", persona, "--now", NOW, "--json") == 0
    assert {row["entity"] for row in shell.document["items"]} == {"equity:AAPL", "equity:TSLA"}
    for row in shell.document["items"]:
        assert sum(reason["bp"] for reason in row["reasons"]) == row["previewed_bp"]
        assert row["direction"] == row["previewed_direction"] == ("long" if "AAPL" in row["entity"] else "short")
    assert sorted(path.name for path in shell.home.memory.iterdir() if path.name != "markets.lock") == before


def test_a_preview_of_the_flip_says_what_it_is_and_what_it_changes(shell: Shell) -> None:
    """Whose slice, how large, how much raised, until when; and the weights that it moves, in text and in JSON."""
    shell.collect(GOOD)
    flip = {"flip_id": "F1", "vault": "V_CORE", "persona": "Apollo", "slice": "0.10", "amplify": "0.35", "ttl_min": 45,
            "started_at": NOW}
    vault = {"vault_id": "V_CORE", "label": "x", "personas": ["Athena", "Apollo"],
             "allocation": {"min_conviction_bp": 100, "allow_short": True, "max_positions": 1}}
    off = dict.fromkeys(("maintenance", "orders_disabled", "external_calls_disabled", "full_halt"), False)
    shell.home.file(OVERLAY).write_text(json.dumps({**off, "flip": flip}))
    shell.home.file(VAULTS).write_text(json.dumps({"vaults": [vault]}))
    assert shell("reflect", "--preview", "flip", "--now", NOW) == 0
    ends = iso(parse_iso(NOW) + timedelta(minutes=45))
    assert shell.out.splitlines()[0] == (
        f"flip F1: 10 % of V_CORE goes by Apollo, whose weights are raised by 35 %, until {ends}")
    assert re.search(r"^  equity:\w+ +-?\d+ bp of NAV asked for .* bp with it$", shell.out, re.MULTILINE)
    assert re.search(r"^ +\d+ bp  short +equity:TSLA +\(\d+ bp short without Apollo\)$", shell.out, re.MULTILINE)
    assert shell("reflect", "--preview", "flip", "--now", NOW, "--json") == 0
    said = shell.document["flip"]
    assert {name: said[name] for name in ("flip_id", "vault", "persona", "slice_bp", "amplify_bp", "ends")} == {
        "flip_id": "F1", "vault": "V_CORE", "persona": "Apollo", "slice_bp": 1000, "amplify_bp": 3500, "ends": ends}
    moved = {change["instrument_id"]: (change["without_bp"], change["with_bp"]) for change in said["changes"]}
    assert moved
    assert all(before != after for before, after in moved.values())
    assert min(min(pair) for pair in moved.values()) < 0 or "equity:TSLA" not in moved


def test_a_flip_that_changes_nothing_says_so(shell: Shell) -> None:
    """No conviction that the vault could act on."""
    shell.collect(GOOD)
    flip = {"flip_id": "F1", "vault": "V_CORE", "persona": "Apollo", "slice": "0.10", "amplify": "0", "started_at": NOW}
    vault = {"vault_id": "V_CORE", "label": "x", "personas": ["Apollo"], "fiat_enabled": False}
    off = dict.fromkeys(("maintenance", "orders_disabled", "external_calls_disabled", "full_halt"), False)
    shell.home.file(OVERLAY).write_text(json.dumps({**off, "flip": flip}))
    shell.home.file(VAULTS).write_text(json.dumps({"vaults": [vault]}))
    assert shell("reflect", "--preview", "flip", "--now", NOW) == 0
    assert "it changes no weight" in shell.out


def test_promote_before_there_is_anything_to_promote(shell: Shell) -> None:
    """A tree that has only begun is no failure; it says what is not there yet."""
    shell.collect(GOOD)
    shell("reflect", "--now", NOW)
    assert shell("promote", "--now", NOW) == 0
    assert shell.out.startswith("promote: held - ")
    assert "vault.json does not exist" in shell.out
    assert not shell.home.file("autotrade_queue.json").exists()


def test_promote(shell: Shell) -> None:
    """Says what it staged and where, and what carries it out; once more there is nothing to change."""
    shell.home.prepare()
    bench = Bench()
    for name in (TRADE_SIGNALS, VAULTS, OVERLAY, PORTFOLIO, TRADE_LOG):
        shell.home.file(name).write_bytes(bench.files.read(name))
    assert shell("promote", "--now", NOW) == 0
    assert shell.out.splitlines()[0] == "promote: 1 staged, 0 withdrawn, 0 removed"
    assert f"vanta executor once --home {shell.home.root}" in shell.out
    (intent,) = json.loads(shell.home.file("autotrade_queue.json").read_text())["intents"]
    assert intent["instrument_id"] == "equity:AAPL"
    assert shell("promote", "--now", NOW, "--json") == 0
    assert (shell.document["written"], shell.document["staged"]) == (False, [])
    assert shell("promote", "--now", NOW) == 0
    assert shell.out.startswith("promote: nothing to change")


def test_promote_on_unreadable_input_is_refused(shell: Shell) -> None:
    """What is there and cannot be read is a refusal, status 5, and stages nothing."""
    shell.collect(GOOD)
    shell("reflect", "--now", NOW)
    shell.home.file("vault.json").write_text("{")
    shell.home.file("portfolio.json").write_text("{}")
    assert shell("promote", "--now", NOW, "--json") == 5
    assert (shell.document["ok"], shell.document["staged"]) == (False, [])
    assert "vault.json" in shell.document["held"]


@pytest.mark.parametrize("command", ["reflect", "promote"])
def test_one_at_a_time(shell: Shell, command: str) -> None:
    """While the daemon holds the node's lock, status 75 with who holds it."""
    shell.home.prepare()
    with FileLock(shell.home.lock("markets"), owner="the daemon", now=SystemClock().now()):
        assert shell(command) == 75
        assert "the daemon pid=" in shell.err


@pytest.mark.parametrize("command", ["reflect", "promote"])
def test_a_folder_that_is_no_home_is_a_usage_error(shell: Shell, command: str) -> None:
    """A mistyped --home does not make a new tree."""
    assert shell(command) == 2
    assert not shell.home.root.exists()


def test_what_is_fetched_is_seen_now(shell: Shell) -> None:
    """Without --now a recorded pass happens at the host's time."""
    before = SystemClock().now()
    (shell.root / "page.xml").write_bytes(GOOD)
    assert shell("collect", "news", "--from", str(shell.root / "page.xml"), "--json") == 0
    assert before <= parse_iso(shell.document["generated_at"]) <= SystemClock().now()
    assert iso(before) <= shell.feed()["generated_at"]
