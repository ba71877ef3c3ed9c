"""Feeds in processes of their own keep one rate and one hold-off: hosts count requests by address, not by feed."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import ROOT
from tests.unit.markets.collectors.exchange_server import ExchangeServer, Reply, exchange_server
from vanta.common.paths import Home

PATIENCE_S = 60.0
TICKERS = "/v5/market/tickers"


@pytest.fixture
def server() -> Iterator[ExchangeServer]:
    with exchange_server() as state:
        yield state


@pytest.fixture
def home(tmp_path: Path, server: ExchangeServer) -> Home:
    """A home whose feeds crypto and prices ask the same exchange."""
    made = Home(tmp_path / "home").prepare()
    (made.config / "vanta.toml").write_text("".join(
        f'[markets.feeds.{feed}.options]\nexchanges = ["bybit"]\nassets = ["BTC"]\nurls = {{bybit = "{server.url}"}}\n'
        for feed in ("crypto", "prices")))
    return made


def together(home: Home, *feeds: str) -> list[int]:
    """Collect all of them at the same time, each in a process of its own; their exit statuses."""
    command = [sys.executable, "-m", "vanta.suite.dispatch", "markets", "collect"]
    started = [subprocess.Popen([*command, feed, "--home", str(home.root)], cwd=ROOT, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL) for feed in feeds]
    return [one.wait(PATIENCE_S) for one in started]


def bucket(home: Home) -> Path:
    return home.collector_state("ratelimit") / "ccxt-bybit.json"


def test_every_request_of_both_feeds_takes_a_slot(home: Home, server: ExchangeServer) -> None:
    """Where the queue is too long for one of them it is for the other, lists of markets included; nobody asks."""
    bucket(home).parent.mkdir(parents=True)
    bucket(home).write_text(json.dumps({"millitokens": -10**9, "at_ms": int(time.monotonic() * 1000)}))
    assert together(home, "crypto", "prices") == [75, 75]
    assert server.requests == []
    bucket(home).unlink()
    together(home, "crypto", "prices")
    assert len(server.requests) > 8
    assert bucket(home).exists()
    assert not [path for feed in ("crypto", "prices") for path in home.collector_state(feed).glob("*bybit.json")
                if not path.name.startswith("ccxt_markets")]


def test_what_one_process_was_told_holds_for_the_other(home: Home, server: ExchangeServer) -> None:
    """After a 429 to the prices feed the crypto feed does not ask either, before the time is over."""
    server.faults[TICKERS] = Reply(b"{}", 429, {"Retry-After": "3600"})
    assert together(home, "prices") == [75]
    asked = len(server.requests)
    assert server.paths()[-1] == TICKERS
    assert together(home, "crypto") == [75]
    assert len(server.requests) == asked
