"""The crypto transport: real ccxt against a local server that speaks Bybit's and Coinbase's public API."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import ccxt
import pytest

from tests.unit.markets.collectors.exchange_server import NOW_MS, ExchangeServer, Reply, exchange_server
from tests.unit.markets.collectors.gates import gate
from vanta.common.clock import ManualClock
from vanta.common.errors import OperatorError, OutsideError, Throttled
from vanta.common.times import iso
from vanta.markets.collectors.ccxt_venue import Ask, Venue
from vanta.markets.collectors.crypto import CryptoCollector
from vanta.markets.collectors.port import Collector, FetchContext, NormaliseContext, Problem, RawPayload
from vanta.markets.collectors.prices import PricesCollector

NOW = datetime.fromtimestamp(NOW_MS / 1000, UTC)
MARKETS = "/v5/market/instruments-info"
TICKERS = "/v5/market/tickers"
BOOK = "/v5/market/orderbook"


@pytest.fixture
def server() -> Iterator[ExchangeServer]:
    with exchange_server() as state:
        yield state


@pytest.fixture
def options(server: ExchangeServer) -> dict[str, Any]:
    return {"exchanges": ["bybit"], "assets": ["BTC"], "rounds": 1,
            "urls": {"bybit": server.url, "coinbase": server.url}}


def items(options: dict[str, Any], folder: Path, now: datetime = NOW,
          collector: type[Collector] = CryptoCollector) -> list[RawPayload | Problem]:
    clock = ManualClock(now)
    (folder / "state").mkdir(exist_ok=True)
    context = FetchContext(now=now, cursor={}, state_dir=folder / "state", options=options, gate=gate(folder, clock))
    return list(collector(clock).fetch(context))  # type: ignore[call-arg]


def bodies(options: dict[str, Any], folder: Path, now: datetime = NOW) -> list[RawPayload]:
    found = items(options, folder, now)
    assert all(isinstance(item, RawPayload) for item in found), found
    return [item for item in found if isinstance(item, RawPayload)]


def kinds(payloads: list[RawPayload]) -> list[list[str]]:
    return [[record["record"] for record in CryptoCollector().read(payload).records] for payload in payloads]


def test_a_pass_asks_for_tickers_funding_and_three_books(
        server: ExchangeServer, options: dict[str, Any], tmp_path: Path) -> None:
    """What comes out are the served bytes, which the reader understands; lists of markets are not among them."""
    payloads = bodies(options | {"rounds": 3}, tmp_path)
    assert kinds(payloads) == [["ticker"], ["ticker", "funding"], ["book"], ["book"], ["book"]]
    assert server.paths() == [MARKETS, MARKETS, MARKETS, TICKERS, TICKERS, BOOK, BOOK, BOOK]
    assert json.loads(payloads[2].body)["result"]["b"][0] == ["87000", "2"]
    assert payloads[0].url == f"{server.url}{TICKERS}?category=spot"


def test_books_are_read_apart_in_time(server: ExchangeServer, options: dict[str, Any], tmp_path: Path) -> None:
    """The rounds are `pause_s` apart, and the payloads say so."""
    books = [payload for payload in bodies(options | {"pause_s": 7, "rounds": 2}, tmp_path) if BOOK in payload.url]
    assert books[1].fetched_at - books[0].fetched_at >= timedelta(seconds=7)
    assert len(books) == 2


def test_every_request_takes_a_slot_of_the_exchange(
        server: ExchangeServer, options: dict[str, Any], tmp_path: Path) -> None:
    """Lists of markets too, and those of the prices feed as well: limits belong to the exchange."""
    clock = ManualClock(NOW)
    for collector in (CryptoCollector(clock), PricesCollector(clock)):
        state = tmp_path / collector.feed
        state.mkdir()
        given = {key: value for key, value in options.items() if collector.feed == "crypto" or key != "rounds"}
        list(collector.fetch(FetchContext(now=NOW, cursor={}, state_dir=state, options=given,
                                          gate=gate(tmp_path, clock))))
    assert server.paths() == [MARKETS] * 3 + [TICKERS, TICKERS, BOOK] + [MARKETS] * 3 + [TICKERS]
    level = json.loads((tmp_path / "ratelimit" / "ccxt-bybit.json").read_bytes())
    assert (level["millitokens"], clock.monotonic()) == (10_000 - 10 * 1000, 0)


def test_markets_are_loaded_once_a_day(server: ExchangeServer, options: dict[str, Any], tmp_path: Path) -> None:
    """The second pass makes no request for markets, nor does a pass of another process; a day later one is due."""
    bodies(options, tmp_path)
    server.requests.clear()
    bodies(options, tmp_path, NOW + timedelta(hours=23))
    assert MARKETS not in server.paths()
    bodies(options, tmp_path, NOW + timedelta(hours=25))
    assert server.paths().count(MARKETS) == 3


@pytest.mark.parametrize("damage", [b"", b"{", b'{"at": "x"}', b'{"at": 3, "for": [], "markets": 4}'],
                         ids=["empty", "cut", "no time", "wrong types"])
def test_a_damaged_market_list_only_costs_a_load(
        server: ExchangeServer, options: dict[str, Any], tmp_path: Path, damage: bytes) -> None:
    """It is asked for again and written anew."""
    bodies(options, tmp_path)
    (tmp_path / "state" / "ccxt_markets_bybit.json").write_bytes(damage)
    server.requests.clear()
    assert len(bodies(options, tmp_path)) == 3
    assert server.paths().count(MARKETS) == 3


def test_other_assets_need_other_markets(server: ExchangeServer, options: dict[str, Any], tmp_path: Path) -> None:
    """What was kept for BTC is not used for XRP, which this exchange does not list."""
    bodies(options, tmp_path)
    server.requests.clear()
    with pytest.raises(OutsideError, match="lists none of XRP"):
        items(options | {"assets": ["XRP"]}, tmp_path)
    assert MARKETS in server.paths()


def test_an_asset_may_have_a_perpetual_only(server: ExchangeServer, options: dict[str, Any], tmp_path: Path) -> None:
    """Then there is funding, but neither a spot price nor a book."""
    assert len(bodies(options | {"assets": ["ETH"]}, tmp_path)) == 1
    assert server.paths()[-1] == TICKERS
    del options["rounds"]
    with pytest.raises(OutsideError, match="lists none of ETH"):
        items(options | {"assets": ["ETH"]}, tmp_path, collector=PricesCollector)


def test_coinbase_works_without_keys(server: ExchangeServer, options: dict[str, Any], tmp_path: Path) -> None:
    """Public products and books; nothing private is asked for and no authorization is sent."""
    payloads = bodies(options | {"exchanges": ["coinbase"]}, tmp_path)
    assert kinds(payloads) == [["ticker"], ["book"]]
    assert not [path for path in server.paths() if "transaction_summary" in path or "accounts" in path]
    assert all("Authorization" not in headers for _, _, headers in server.requests)


def test_the_constructor_of_ccxt_leaves_addresses_live(server: ExchangeServer, tmp_path: Path) -> None:
    """The trap: `urls` given to the constructor are merged key by key. Ours replaces every leaf."""
    merged = ccxt.bybit({"urls": {"api": {"public": server.url}}})
    assert "api." in merged.urls["api"]["private"]
    context = FetchContext(now=NOW, cursor={}, state_dir=tmp_path, options={}, gate=gate(tmp_path, ManualClock(NOW)))
    for name in ("bybit", "coinbase", "binance", "kraken"):
        venue = Venue(name, Ask(assets=("BTC",), agent="x", url=server.url), context, ManualClock(NOW))
        assert set(_leaves(venue._api.urls["api"])) == {server.url}
        venue.close()


def _leaves(tree: Any) -> list[str]:
    return [leaf for branch in tree.values() for leaf in _leaves(branch)] if isinstance(tree, dict) else [tree]


def test_without_an_address_the_exchange_is_asked_itself_and_a_proxy_is_used(tmp_path: Path) -> None:
    """The library's own addresses stay; its limiter is on; a proxy comes from the options alone."""
    context = FetchContext(now=NOW, cursor={}, state_dir=tmp_path, options={}, gate=gate(tmp_path, ManualClock(NOW)))
    ask = Ask(assets=("BTC",), agent="x", proxy="https://proxy.example:3128")
    venue = Venue("bybit", ask, context, ManualClock(NOW))
    assert "bybit" in venue._api.urls["api"]["public"] or "{hostname}" in venue._api.urls["api"]["public"]
    assert venue._api.httpsProxy == "https://proxy.example:3128"
    assert venue._api.enableRateLimit
    assert not venue._api.session.trust_env
    venue.close()


def test_coinbase_has_no_sandbox_in_ccxt() -> None:
    """The trap: asking for it raises a TypeError and leaves the live address, so nothing here may rely on it."""
    exchange = ccxt.coinbase()
    with pytest.raises(TypeError):
        exchange.set_sandbox_mode(True)
    assert "api.coinbase.com" in exchange.urls["api"]["rest"]


def test_a_429_keeps_the_next_run_away(server: ExchangeServer, options: dict[str, Any], tmp_path: Path) -> None:
    """One request, then none until the time that Retry-After gave."""
    bodies(options, tmp_path)
    server.requests.clear()
    server.faults[TICKERS] = Reply(b"{}", 429, {"Retry-After": "90"})
    with pytest.raises(Throttled) as caught:
        items(options, tmp_path)
    assert caught.value.retry_after_s == 90
    assert server.paths() == [TICKERS]
    server.faults.clear()
    with pytest.raises(Throttled):
        items(options, tmp_path, NOW + timedelta(seconds=80))
    assert server.paths() == [TICKERS]
    assert len(bodies(options, tmp_path, NOW + timedelta(seconds=100))) == 3


@pytest.mark.parametrize("status", [403, 404, 500, 503], ids=str)
def test_an_exchange_that_is_down_does_not_stop_the_others(
        server: ExchangeServer, options: dict[str, Any], tmp_path: Path, status: int) -> None:
    """Its failure is a problem that names it, asked once; the other exchange's bodies are there."""
    server.faults[MARKETS] = Reply(b"blocked", status)
    found = items(options | {"exchanges": ["bybit", "coinbase"]}, tmp_path)
    problems = [item for item in found if isinstance(item, Problem)]
    assert [problem.code for problem in problems] == ["not_fetched"]
    assert "bybit" in problems[0].detail
    assert kinds([item for item in found if isinstance(item, RawPayload)]) == [["ticker"], ["book"]]
    assert server.paths().count(MARKETS) == 1


def test_an_error_inside_a_200_is_an_error(server: ExchangeServer, options: dict[str, Any], tmp_path: Path) -> None:
    """Bybit says so in retCode; the body is still handed on, and the reader calls it what it is."""
    bodies(options, tmp_path)
    server.faults[TICKERS] = Reply(b'{"retCode": 10001, "retMsg": "params error", "result": {}, "time": 1}')
    collected: list[RawPayload | Problem] = []
    clock = ManualClock(NOW)
    context = FetchContext(now=NOW, cursor={}, state_dir=tmp_path / "state", options=options,
                           gate=gate(tmp_path, clock))
    with pytest.raises(OutsideError):
        collected.extend(CryptoCollector(clock).fetch(context))
    body = collected[0]
    assert isinstance(body, RawPayload)
    assert [problem.code for problem in CryptoCollector().read(body).problems] == ["exchange_error"]


def test_the_user_agent_is_honest(server: ExchangeServer, options: dict[str, Any], tmp_path: Path) -> None:
    """Not python-requests, which is what ccxt sends by itself."""
    bodies(options | {"contact": "ops@example.org"}, tmp_path)
    agents = {headers["User-Agent"] for _, _, headers in server.requests}
    assert all(agent.startswith("VANTA/") and "ops@example.org" in agent for agent in agents)


def test_requests_are_not_logged(
        server: ExchangeServer, options: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The library logs whole requests with their headers at DEBUG."""
    caplog.set_level(logging.DEBUG)
    bodies(options, tmp_path)
    assert not [record for record in caplog.records if record.name.startswith("ccxt")]


def test_records_become_signals_and_know_when_they_were_public(
        server: ExchangeServer, options: dict[str, Any], tmp_path: Path) -> None:
    """Transport, reader and normaliser in a row: the served funding is crowded, the served day was bad."""
    collector = CryptoCollector()
    origin = {"_sha256": "0" * 64, "_url": "x", "_media_type": "application/json", "_fetched_at": iso(NOW)}
    records = [record | origin for payload in bodies(options | {"rounds": 3}, tmp_path)
               for record in collector.read(payload).records]
    assert {collector.published_at(record) for record in records if record["record"] != "book"} == {NOW}
    assert collector.published_at({"published_at": None}) is None
    context = NormaliseContext(now=NOW, collector="crypto", version="1", run_id="r", universe={"crypto:BTC": "Bitcoin"})
    signals = {signal.source: signal for signal in collector.normalise(records, context).signals}
    assert {source: signal.direction for source, signal in signals.items()} == {
        "crypto.funding": -1, "crypto.ticker": -0.33, "crypto.book": 1}
    assert signals["crypto.book"].features["snapshots"] == 3


def test_prices_ask_for_tickers_only(server: ExchangeServer, options: dict[str, Any], tmp_path: Path) -> None:
    """The same transport, one request after the markets."""
    del options["rounds"]  # books are no prices
    (payload,) = items(options, tmp_path, collector=PricesCollector)
    assert isinstance(payload, RawPayload)
    assert server.paths() == [MARKETS, MARKETS, MARKETS, TICKERS]
    assert PricesCollector().read(payload).records[0]["last"] == "87000.1"


def test_prices_read_files_and_make_no_claims() -> None:
    """A price file is bars, a bad one a problem, and nothing of it is a signal."""
    data = b"date,open,high,low,close,volume\n2024-01-02,1,1,1,1,1\nx,1,1,1,1,1\n"
    reading = PricesCollector().read(RawPayload(url="file:AAPL.csv", body=data, media_type="text/csv", fetched_at=NOW))
    assert [bar["symbol"] for bar in reading.records] == ["AAPL"]
    assert [problem.where for problem in reading.problems] == ["file:AAPL.csv:3"]
    assert not reading.complete
    context = NormaliseContext(now=NOW, collector="prices", version="1", run_id="r", universe={})
    normalised = PricesCollector().normalise(reading.records, context)
    assert (normalised.signals, normalised.not_signals) == ([], 1)


@pytest.mark.parametrize("change", [
    pytest.param({"exchanges": ["bybitt"]}, id="unknown exchange"),
    pytest.param({"assets": ["btc"]}, id="lower case"),
    pytest.param({"assets": "BTC"}, id="not a list"),
    pytest.param({"urls": {"bybit": "nowhere"}}, id="no address"),
    pytest.param({"urls": "http://x"}, id="not a table"),
    pytest.param({"round": 2}, id="misspelt"),
    pytest.param({"rounds": 0}, id="none"),
])
def test_bad_options_are_refused_with_their_cure(
        server: ExchangeServer, options: dict[str, Any], tmp_path: Path, change: dict[str, Any]) -> None:
    """Before anything is asked."""
    with pytest.raises(OperatorError) as caught:
        items(options | change, tmp_path)
    assert caught.value.cure
    assert server.requests == []
