"""Which quote of an instrument counts, and from when on."""

from decimal import Decimal
from typing import Any

import pytest

from vanta.common.models.quotes import MarketQuotes
from vanta.common.resources import calendars
from vanta.common.times import parse_iso
from vanta.markets.core.prices import read_bars
from vanta.markets.core.quotefile import Market, Priced, next_quotes

CALENDARS = calendars()


def market(now: str, window_s: int = 30 * 86_400) -> Market:
    return Market(now=parse_iso(now), window_s=window_s, calendars=CALENDARS, by="test")


def bars(symbol: str, *rows: str) -> list[dict[str, Any]]:
    reading = read_bars(("date,open,high,low,close,volume\n" + "\n".join(rows)).encode(), f"file:{symbol}.csv")
    assert not reading.problems
    return [{**bar, "_url": f"file:{symbol}.csv"} for bar in reading.bars]


def day(date: str, close: str, volume: int = 100) -> str:
    return f"{date},{close},{close},{close},{close},{volume}"


def ticker(symbol: str, last: str, at: str | None, **more: Any) -> dict[str, Any]:
    return {"record": "ticker", "exchange": "bybit", "symbol": symbol, "settle": None, "at": at, "last": last,
            "bid": None, "ask": None, "bid_size": None, "_fetched_at": "2026-03-04T12:00:00.000Z", **more}


def close_of(priced: Priced, name: str) -> str | None:
    quote = priced.document.quotes.get(name)
    return None if quote is None else str(quote.last)


WEEK = bars("AAPL", day("2026-03-02", "100"), day("2026-03-03", "101"), day("2026-03-04", "102"))


@pytest.mark.parametrize(("now", "close"), [
    ("2026-03-04T20:59:59.999Z", "101"),
    ("2026-03-04T21:00:00.000Z", "102"),
    ("2026-03-03T20:59:59.999Z", "100"),
    ("2026-03-02T20:59:59.999Z", None),
    ("2026-03-08T00:00:00.000Z", "102"),
])
def test_a_days_bar_counts_from_the_close_of_its_session(now: str, close: str | None) -> None:
    """Nothing is known before: not a millisecond."""
    assert close_of(next_quotes(None, WEEK, market(now)), "equity:AAPL") == close


def test_an_early_close_counts_earlier() -> None:
    """The day after Thanksgiving closes at 18:00 UTC."""
    friday = bars("AAPL", day("2026-11-27", "100"))
    assert close_of(next_quotes(None, friday, market("2026-11-27T18:00:00Z")), "equity:AAPL") == "100"
    assert close_of(next_quotes(None, friday, market("2026-11-27T17:59:59Z")), "equity:AAPL") is None


def test_a_crypto_day_counts_from_its_end() -> None:
    """Midnight UTC."""
    rows = bars("BTC-USD", day("2026-03-03", "5"), day("2026-03-04", "6"))
    assert close_of(next_quotes(None, rows, market("2026-03-04T23:59:59.999Z")), "crypto:BTC-USD") == "5"
    assert close_of(next_quotes(None, rows, market("2026-03-05T00:00:00.000Z")), "crypto:BTC-USD") == "6"


def test_a_bar_has_no_spread_and_no_size() -> None:
    """Bid, ask and last are the close; the time is the close's."""
    quote = next_quotes(None, WEEK, market("2026-03-05T00:00:00Z")).document.quotes["equity:AAPL"]
    assert (quote.bid, quote.ask, quote.last, quote.size) == (Decimal(102), Decimal(102), Decimal(102), None)
    assert (quote.at, quote.source) == ("2026-03-04T21:00:00.000Z", "file:AAPL.csv")


def test_the_volume_is_the_mean_of_the_last_twenty_days_that_were_known() -> None:
    """Later days and days before the last twenty do not count; neither does the same file twice."""
    dates = [f"2026-02-{n:02}" for n in range(2, 28)] + [f"2026-03-{n:02}" for n in range(1, 6)]
    rows = bars("BTC-USD", *(day(date, "5", volume=index) for index, date in enumerate(dates)))
    quote = next_quotes(None, rows + rows, market("2026-03-05T00:00:00Z")).document.quotes["crypto:BTC-USD"]
    known = range(len(dates) - 1)[-20:]
    assert quote.average_daily_volume == Decimal(sum(known)) / 20


def test_hours_of_a_day_add_up() -> None:
    """Volume is per day however fine the bars are."""
    rows = bars("BTC-USD", *(f"2026-03-03T{hour:02}:00:00Z,5,5,5,5,10" for hour in range(24)))
    quote = next_quotes(None, rows, market("2026-03-05T00:00:00Z")).document.quotes["crypto:BTC-USD"]
    assert quote.average_daily_volume == 240


def test_a_ticker_brings_its_sides() -> None:
    """Bid, ask and the size that is shown."""
    record = ticker("BTC/USD", "100", "2026-03-04T11:59:00.000Z", bid="99", ask="101", bid_size="0.5")
    quote = next_quotes(None, [record], market("2026-03-04T12:00:00Z")).document.quotes["crypto:BTC-USD"]
    assert (quote.bid, quote.ask, quote.last, quote.size) == (Decimal(99), Decimal(101), Decimal(100), Decimal("0.5"))


def test_a_volume_that_is_stated_counts_where_no_bars_tell_one() -> None:
    """And one that bars measured is kept where a later ticker states none."""
    record, now = ticker("BTC/USD", "100", None, average_daily_volume="7"), market("2026-03-04T12:00:00Z")
    alone = next_quotes(None, [record], now).document.quotes["crypto:BTC-USD"]
    assert alone.average_daily_volume == Decimal(7)
    measured = next_quotes(None, bars("BTC-USD", day("2026-03-03", "5", 70)), now).document
    assert next_quotes(measured, [{**record, "average_daily_volume": None}], now) \
        .document.quotes["crypto:BTC-USD"].average_daily_volume == Decimal(70)


@pytest.mark.parametrize("sides", [{"bid": "99"}, {"ask": "101"}, {"bid": "0", "ask": "101"}, {}])
def test_a_ticker_without_both_sides_has_no_spread(sides: dict[str, str]) -> None:
    """Unknown is not zero: one side alone is no spread."""
    record = ticker("BTC/USD", "100", None, bid_size="3", **sides)
    quote = next_quotes(None, [record], market("2026-03-04T12:00:00Z")).document.quotes["crypto:BTC-USD"]
    assert (quote.bid, quote.ask, quote.size) == (Decimal(100), Decimal(100), None)
    assert quote.at == "2026-03-04T12:00:00.000Z"


def test_a_dollar_pair_comes_before_a_stablecoin_pair() -> None:
    """Both are the same instrument here; the newer stablecoin quote stands back, alone it counts."""
    dollar, stable = ticker("BTC/USD", "100", "2026-03-04T11:00:00.000Z"), ticker("BTC/USDT", "101", None)
    now = market("2026-03-04T12:00:00Z")
    assert close_of(next_quotes(None, [stable, dollar], now), "crypto:BTC-USD") == "100"
    assert close_of(next_quotes(None, [stable], now), "crypto:BTC-USD") == "101"


def test_an_older_quote_never_replaces_a_newer_one() -> None:
    """Payloads may come in any order."""
    now = market("2026-03-04T12:00:00Z")
    first = next_quotes(None, [ticker("BTC/USD", "100", "2026-03-04T11:00:00.000Z")], now)
    older = next_quotes(first.document, [ticker("BTC/USD", "90", "2026-03-04T10:00:00.000Z")], now)
    assert close_of(older, "crypto:BTC-USD") == "100"
    assert (older.new, older.renewed, older.unchanged) == (0, 0, 1)
    newer = next_quotes(first.document, [ticker("BTC/USD", "110", "2026-03-04T11:30:00.000Z")], now)
    assert close_of(newer, "crypto:BTC-USD") == "110"
    assert (newer.renewed, newer.document.revision) == (1, 2)


def test_a_ticker_keeps_the_volume_that_bars_brought() -> None:
    """What is known is not forgotten because another source does not say it; the same again changes nothing."""
    now = market("2026-03-04T12:00:00Z")
    first = next_quotes(None, bars("BTC-USD", day("2026-03-03", "5", 70)), now)
    renewed = next_quotes(first.document, [ticker("BTC/USD", "6", None)], now)
    assert renewed.document.quotes["crypto:BTC-USD"].average_daily_volume == 70
    assert next_quotes(renewed.document, [ticker("BTC/USD", "6", None)], now).unchanged == 1


def test_a_quote_from_the_future_is_refused() -> None:
    """An exchange whose clock is two minutes fast is believed, one further off is not."""
    now = market("2026-03-04T12:00:00Z")
    priced = next_quotes(None, [ticker("BTC/USD", "1", "2026-03-04T12:02:00.000Z"),
                                ticker("ETH/USD", "1", "2026-03-04T12:02:00.001Z")], now)
    assert list(priced.document.quotes) == ["crypto:BTC-USD"]
    assert [problem.code for problem in priced.problems] == ["from_the_future"]


def test_a_bar_without_a_session_is_refused() -> None:
    """A share does not trade on a Sunday; the row is named and the one before counts."""
    rows = [*WEEK, *bars("AAPL", day("2026-03-08", "999"))]
    priced = next_quotes(None, rows, market("2026-03-09T00:00:00Z"))
    assert close_of(priced, "equity:AAPL") == "102"
    assert [(problem.code, problem.where) for problem in priced.problems] == [("no_session", "file:AAPL.csv")]


def test_a_day_that_the_calendar_does_not_reach_is_refused() -> None:
    """Doubt refuses: no guess at when that day closed."""
    year = CALENDARS["XNYS"].last.year + 2
    priced = next_quotes(None, bars("AAPL", day(f"{year}-03-04", "1")), market(f"{year}-03-06T00:00:00Z"))
    assert priced.document.quotes == {}
    assert [problem.code for problem in priced.problems] == ["unknown_day"]


def test_long_histories_cost_nothing_and_complain_of_nothing() -> None:
    """Rows of long ago, before any calendar, and rows of the future are counted and left alone."""
    rows = bars("AAPL", day("1950-01-03", "1"), day("2026-03-03", "101"), day("2199-01-01", "9"))
    priced = next_quotes(None, rows, market("2026-03-04T12:00:00Z"))
    assert close_of(priced, "equity:AAPL") == "101"
    assert (priced.old, priced.future, priced.problems) == (1, 1, ())


def test_a_quote_leaves_after_the_window() -> None:
    """What was not renewed for that long is no quote any more."""
    first = next_quotes(None, WEEK, market("2026-03-05T00:00:00Z"))
    assert next_quotes(first.document, [], market("2026-03-06T21:00:00Z", 2 * 86_400)).document.quotes != {}
    assert next_quotes(first.document, [], market("2026-03-06T21:00:00.001Z", 2 * 86_400)).document.quotes == {}


def test_an_absurd_price_is_refused_alone() -> None:
    """A ticker that says zero is no quote; the others are."""
    priced = next_quotes(None, [ticker("BTC/USD", "0", None), ticker("ETH/USD", "5", None)],
                         market("2026-03-04T12:00:00Z"))
    assert list(priced.document.quotes) == ["crypto:ETH-USD"]
    assert [problem.code for problem in priced.problems] == ["bad_quote"]


def test_derivatives_and_strangers_are_passed_over() -> None:
    """A perpetual is not the spot price, and other records are none of this rule's business."""
    perpetual = ticker("BTC/USDT", "5", None, settle="USDT")
    priced = next_quotes(None, [perpetual, {"record": "book", "at": None}], market("2026-03-04T12:00:00Z"))
    assert priced.document.quotes == {}


def test_the_document_is_what_the_model_says() -> None:
    """It survives a round trip."""
    made = next_quotes(None, WEEK, market("2026-03-05T00:00:00Z")).document
    assert MarketQuotes.model_validate(made.model_dump()) == made
