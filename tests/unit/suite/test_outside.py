"""`vanta outside list`: whom this node may ask, what needs it, and the packet filter's lines."""

import json
from pathlib import Path
from typing import Any

import pytest

from vanta.common.exitcodes import Exit
from vanta.common.paths import Home
from vanta.suite.dispatch import main
from vanta.suite.outside import rules

ACCOUNTS = """
[executor.accounts.a]
adapter = "alpaca"
[executor.accounts.t]
adapter = "tradier"
options = { account_id = "VA1" }
[executor.accounts.c]
adapter = "ccxt"
options = { exchange = "coinbase" }
url = "https://api-demo.bybit.com"
[executor.accounts.i]
adapter = "ibkr"
"""
FEEDS = """
[markets]
contact = "a@example.org"
[markets.feeds.sec]
[markets.feeds.news.options]
feeds = ["https://feeds.example.org/x"]
[markets.feeds.reddit]
enabled = false
[markets.feeds.crypto]
source = "/recorded"
[markets.feeds.prices]
enabled = false
"""
LINK = """
[transport.alpha]
kind = "ssh"
host = "alpha.example"
identity = "/k"
known_hosts = "/h"
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path).prepare()


def listed(home: Home, text: str, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, dict[str, Any]]:
    """The exit status and the document."""
    (home.config / "vanta.toml").write_text(text)
    status = main(["outside", "list", "--home", str(home.root), "--json", *more])
    return status, json.loads(capsys.readouterr().out)


def test_by_default_the_list_is_what_is_enabled(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """Feeds, accounts and links, each with its hosts; no secret is needed for it, and nothing is written."""
    status, said = listed(home, FEEDS + ACCOUNTS + LINK, capsys)
    assert status == Exit.DONE
    assert {row["host"]: row["for"] for row in said["rows"]} == {
        "www.sec.gov": ["feed sec"], "feeds.example.org": ["feed news"], "www.feeds.example.org": ["feed news"],
        "paper-api.alpaca.markets": ["account a"], "sandbox.tradier.com": ["account t"],
        "api-demo.bybit.com": ["account c"], "127.0.0.1": ["account i"], "alpha.example": ["link to alpha"]}
    assert all(row["permitted"] for row in said["rows"])
    assert list(home.memory.iterdir()) == []


@pytest.mark.parametrize(("node", "hosts"), [
    ("markets", {"www.sec.gov", "feeds.example.org", "www.feeds.example.org", "alpha.example"}),
    ("executor", {"paper-api.alpaca.markets", "sandbox.tradier.com", "api-demo.bybit.com", "127.0.0.1",
                  "alpha.example"}), ("alpha", {"alpha.example"})])
def test_a_node_asks_for_its_own_work_only(home: Home, capsys: pytest.CaptureFixture[str], node: str,
                                           hosts: set[str]) -> None:
    """What another node does is that node's."""
    _, said = listed(home, FEEDS + ACCOUNTS + LINK + f'[node]\nname = "{node}"\n', capsys)
    assert {row["host"] for row in said["rows"]} == hosts


def test_what_is_needed_and_not_listed_is_said(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """As is what is listed and needed by nothing."""
    status, said = listed(home, ACCOUNTS + FEEDS + '[outside]\nhosts = ["WWW.sec.gov", "10.0.0.1"]\n', capsys)
    assert status == Exit.PARTIAL
    rows = {row["host"]: row for row in said["rows"]}
    assert (rows["www.sec.gov"]["permitted"], rows["10.0.0.1"]["for"]) == (True, [])
    assert rows["127.0.0.1"]["permitted"]
    assert not rows["sandbox.tradier.com"]["permitted"]
    assert any("sandbox.tradier.com is needed by account t" in one for one in said["problems"])


def test_a_feed_whose_options_do_not_say_whom_is_a_warning(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """The others are shown."""
    status, said = listed(home, "[markets.feeds.news]\n", capsys)
    assert status == Exit.PARTIAL
    assert any(one.startswith("feed news: ") for one in said["problems"])


def test_people_read_lines(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """One a host; nobody, where nothing goes out."""
    (home.config / "vanta.toml").write_text(ACCOUNTS + '[node]\nname = "executor"\n[outside]\nhosts = ["10.0.0.1"]\n')
    main(["outside", "list", "--home", str(home.root)])
    said = capsys.readouterr().out
    assert "10.0.0.1                                 nothing that is enabled" in said
    assert "account i  (this host)" in said
    assert "account t  REFUSED" in said
    (home.config / "vanta.toml").write_text('[node]\nname = "executor"\n')
    main(["outside", "list", "--home", str(home.root)])
    assert "nobody: no feed, account or link" in capsys.readouterr().out


def test_the_packet_filter_gets_addresses(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """Of what is permitted and elsewhere, as nftables' file wants them; a name without one is a warning."""
    (home.config / "vanta.toml").write_text(
        LINK.replace("alpha.example", "192.0.2.21") +
        '[node]\nname = "executor"\n[outside]\nhosts = ["192.0.2.7", "2001:db8::7", "127.0.0.1", "192.0.2.21"]\n')
    assert main(["outside", "list", "--nft", "--home", str(home.root)]) == Exit.DONE
    assert capsys.readouterr().out.splitlines()[:3] == [
        "add element inet vanta_executor hosts4 { 192.0.2.7 }",
        "add element inet vanta_executor hosts6 { 2001:db8::7 }",
        "add element inet vanta_executor nodes4 { 192.0.2.21 }"]
    lines, warnings = rules({"no..name": "hosts"}, "markets")
    assert (lines, len(warnings)) == ([], 1)


def test_a_host_in_the_settings_is_a_name_or_an_address(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """No address of a page, no pattern."""
    for wrong in ("https://a.org", "*.a.org", "", "-a.org", "a b"):
        (home.config / "vanta.toml").write_text(f'[outside]\nhosts = ["{wrong}"]\n')
        assert main(["outside", "list", "--home", str(home.root)]) == Exit.CONFIG
    capsys.readouterr()


def test_a_model_for_the_assistant_is_among_them(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """By its host."""
    text = '[node]\nname = "alpha"\n[assistant]\nurl = "https://models.example/v1"\nmodel = "m"\n'
    _, said = listed(home, text, capsys)
    assert [(row["host"], row["for"]) for row in said["rows"]] == [("models.example", ["assistant's model"])]
