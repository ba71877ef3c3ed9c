"""Price files: what a row says and when it was complete."""

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vanta.markets.core.prices import quotes, read_bars, symbol_kind, symbol_of

HEAD = "date,open,high,low,close,volume\n"


def ats(rows: str, name: str = "BTC-USD.csv") -> list[str | None]:
    reading = read_bars((HEAD + rows).encode(), name)
    assert reading.problems == []
    return [bar["at"] for bar in reading.bars]


@pytest.mark.parametrize(("name", "kind", "base", "quote"), [
    ("BTC-USD", "crypto", "BTC", "USD"), ("BTC/USD", "crypto", "BTC", "USD"), ("BTC_USD", "crypto", "BTC", "USD"),
    ("BTCUSDT", "crypto", "BTC", "USDT"), ("BTCUSD", "crypto", "BTC", "USD"), ("eth-usdc", "crypto", "ETH", "USDC"),
    ("AAPL", "equity", "AAPL", "USD"), ("BRK-B", "equity", "BRK.B", "USD"), ("BTC", "equity", "BTC", "USD"),
    ("GME-USD", "equity", "GME.USD", "USD"), ("USD", "equity", "USD", "USD"),
])
def test_symbols_name_shares_unless_both_halves_are_known(name: str, kind: str, base: str, quote: str) -> None:
    """A pair needs a crypto asset and a currency."""
    assert symbol_kind(name) == (kind, base, quote)


@pytest.mark.parametrize(("name", "symbol"), [
    ("AAPL.csv", "AAPL"), ("data/btc-usd.csv.gz", "BTC-USD"), ("file:prices.zip!x/BRK-B.csv", "BRK-B"),
    ("file:prices.zip!ETHUSDT.CSV", "ETHUSDT"), ("file:AAPL.csv", "AAPL"),
])
def test_a_file_is_named_by_its_symbol(name: str, symbol: str) -> None:
    """Wherever it lies."""
    assert symbol_of(name) == symbol


def test_a_row_is_a_bar_with_decimals_as_text() -> None:
    """Every field; no float ever."""
    reading = read_bars((HEAD + "2024-01-02,42000.10,43000,41500,42800.5,1234.50\n").encode(), "BTC-USD.csv")
    assert reading.symbol == "BTC-USD"
    assert reading.bars == [{
        "record": "bar", "symbol": "BTC-USD", "date": "2024-01-02", "at": "2024-01-03T00:00:00.000Z", "open": "42000.1",
        "high": "43000", "low": "41500", "close": "42800.5", "volume": "1234.5"}]


def test_columns_may_stand_in_any_order_beside_others() -> None:
    """Found by name, in any case, with a byte-order mark and CRLF."""
    data = b"\xef\xbb\xbfVolume,Date,Open,High,Low,Close,Adj Close\r\n5,2024-01-02,1,2,1,2,9\r\n\r\n"
    reading = read_bars(data, "AAPL.csv")
    assert reading.problems == []
    assert (reading.bars[0]["volume"], reading.bars[0]["close"]) == ("5", "2")


@pytest.mark.parametrize(("rows", "name", "expected"), [
    pytest.param("2024-01-02,1,1,1,1,1\n", "BTC-USD.csv", ["2024-01-03T00:00:00.000Z"], id="crypto day"),
    pytest.param("2024-01-02,1,1,1,1,1\n", "AAPL.csv", [None], id="share day: the caller knows the close"),
    pytest.param("2024-01-02T00:00:00Z,1,1,1,1,1\n2024-01-03T00:00:00Z,1,1,1,1,1\n", "BTC-USD.csv",
                 ["2024-01-03T00:00:00.000Z", "2024-01-04T00:00:00.000Z"], id="midnights are days"),
    pytest.param("2024-01-02T21:00:00Z,1,1,1,1,1\n2024-01-03T21:00:00Z,1,1,1,1,1\n", "AAPL.csv",
                 ["2024-01-02T21:00:00.000Z", "2024-01-03T21:00:00.000Z"], id="a close is a close"),
    pytest.param("2024-01-02T10:00:00,1,1,1,1,1\n2024-01-02T11:00:00,1,1,1,1,1\n", "BTC-USD.csv",
                 ["2024-01-02T11:00:00.000Z", "2024-01-02T12:00:00.000Z"], id="hours begin, without a zone in UTC"),
    pytest.param("2024-01-02 09:30:00-05:00,1,1,1,1,1\n2024-01-02 09:31:00-05:00,1,1,1,1,1\n", "AAPL.csv",
                 ["2024-01-02T14:31:00.000Z", "2024-01-02T14:32:00.000Z"], id="minutes with a zone"),
    pytest.param("2024-01-02T10:30:00Z,1,1,1,1,1\n", "BTC-USD.csv", ["2024-01-02T10:30:00.000Z"], id="one row"),
    pytest.param("2024-01-02T00:00:00Z,1,1,1,1,1\n2024-01-02T01:00:00Z,1,1,1,1,1\n", "AAPL.csv",
                 ["2024-01-02T01:00:00.000Z", "2024-01-02T02:00:00.000Z"], id="a midnight among hours is an hour"),
])
def test_a_bar_is_known_when_it_is_complete(rows: str, name: str, expected: list[str | None]) -> None:
    """Never before."""
    assert ats(rows, name) == expected


@pytest.mark.parametrize("row", [
    "2024-01-03,NaN,1,1,1,1", "2024-01-03,1,inf,1,1,1", "2024-01-03,-1,1,-1,1,1", "2024-01-03,0,1,0,1,1",
    "2024-01-03,1,1,2,1,1", "2024-01-03,5,3,1,2,1", "2024-01-03,2,3,1,4,1", "2024-01-03,1,1,1,1,-5",
    "2024-01-03,1,1,1,1,1e30",
    "2024-01-03,1,1,1,1,",
    "2024-01-03,1,1,1,1", "03.01.2024,1,1,1,1,1", "2024-02-30,1,1,1,1,1", "2024-01-03T25:00:00,1,1,1,1,1", ",1,1,1,1,1",
    "2024-01-03,1e,1,1,1,1", '2024-01-03,"1,1,1,1,1',
], ids=["nan", "infinite", "negative", "zero", "high below low", "open outside", "close outside", "negative volume",
        "absurd volume",
        "no volume", "short", "another date form", "no such day", "no such hour", "no date", "no number", "open quote"])
def test_a_bad_row_is_a_problem_with_its_line(row: str) -> None:
    """The rows around it are kept."""
    reading = read_bars((HEAD + f"2024-01-02,1,1,1,1,1\n{row}\n").encode(), "AAPL.csv")
    assert [bar["date"] for bar in reading.bars] == ["2024-01-02"]
    assert [(problem.code, problem.where) for problem in reading.problems] == [("bad_row", "AAPL.csv:3")]


def test_duplicate_dates_and_disorder_are_problems() -> None:
    """The first of two rows counts; rows out of order are sorted, and both are said."""
    rows = "2024-01-03,1,1,1,1,1\n2024-01-02,2,2,2,2,2\n2024-01-03,3,3,3,3,3\n2024-01-04,4,4,4,4,4\n"
    reading = read_bars((HEAD + rows).encode(), "AAPL.csv")
    assert [bar["close"] for bar in reading.bars] == ["2", "1", "4"]
    assert [(problem.code, problem.where) for problem in reading.problems] == [
        ("unsorted", "AAPL.csv:3"), ("duplicate_date", "AAPL.csv:4")]


@pytest.mark.parametrize(("data", "code"), [
    pytest.param(b"", "unreadable", id="empty"),
    pytest.param(b"\xff\xfe", "unreadable", id="not text"),
    pytest.param(b"\x1f\x8bxx", "unreadable", id="damaged gzip"),
    pytest.param(gzip.compress(HEAD.encode())[:-6], "unreadable", id="cut gzip"),
    pytest.param(b"date,open,high,low,close\n", "bad_header", id="a column is missing"),
    pytest.param(b"date,open,open,high,low,close,volume\n", "bad_header", id="a column stands there twice"),
    pytest.param(b"<html></html>", "bad_header", id="html"),
    pytest.param(b'"date\n', "bad_header", id="an open quote"),
])
def test_a_file_of_another_form_is_one_problem(data: bytes, code: str) -> None:
    """No bars, and a reason."""
    reading = read_bars(data, "AAPL.csv")
    assert reading.bars == []
    assert [problem.code for problem in reading.problems] == [code]


def test_a_file_that_unpacks_to_too_much_is_refused() -> None:
    """64 kB of gzip are 64 MB of zeros; it is not read to its end."""
    reading = read_bars(gzip.compress(bytes(64 * 1024 * 1024 + 1)), "AAPL.csv")
    assert [problem.code for problem in reading.problems] == ["unreadable"]


def test_a_file_without_rows_is_no_problem() -> None:
    """Nothing yet."""
    assert read_bars(HEAD.encode(), "AAPL.csv").problems == []


def test_gzip_is_recognised_by_its_content() -> None:
    """Whatever the name says."""
    data = gzip.compress((HEAD + "2024-01-02,1,1,1,1,1\n").encode())
    assert len(read_bars(data, "AAPL.csv").bars) == 1


def test_the_latest_price_of_each_symbol_is_its_quote() -> None:
    """Spot tickers and bars; perpetuals and tickers without a last price say nothing."""
    ticker = {"record": "ticker", "exchange": "bybit", "symbol": "BTC/USDT", "settle": None,
    "at": "2024-01-02T10:00:00.000Z",
              "last": "42000", "bid": "41999", "ask": "42001", "bid_size": "1",
              "_fetched_at": "2024-01-02T10:00:05.000Z"}
    older = ticker | {"at": "2024-01-02T09:00:00.000Z", "last": "1"}
    silent, perpetual = ticker | {"last": None, "symbol": "ETH/USDT"}, ticker | {"settle": "USDT", "symbol": "X"}
    timeless = ticker | {"at": None, "symbol": "SOL/USDT"}
    bars = read_bars((HEAD + "2024-01-02,1,1,1,1,1\n2024-01-03,1,2,1,2,1\n").encode(), "AAPL.csv").bars
    found = {quote["symbol"]: quote for quote in quotes([older, ticker, older, silent, perpetual, timeless, *bars,
                                                         {"record": "funding"}])}
    assert list(found) == ["AAPL", "BTC/USDT", "SOL/USDT"]
    assert found["AAPL"] == {"symbol": "AAPL", "instrument_id": "equity:AAPL", "at": None, "date": "2024-01-03",
                             "source": "file", "last": "2", "bid": None, "ask": None, "size": None,
                             "average_daily_volume": None}
    assert (found["BTC/USDT"]["last"], found["BTC/USDT"]["source"]) == ("42000", "ccxt:bybit")
    assert found["SOL/USDT"]["at"] == "2024-01-02T10:00:05.000Z"


@settings(deadline=None, derandomize=True)
@given(st.lists(st.lists(
    st.sampled_from(["2024-01-02", "2024-01-03T05:00:00", "1", "0", "nan", "", '"', "x"]), max_size=7),
                max_size=6) | st.binary(max_size=40))
def test_nothing_makes_it_crash(rows: list[list[str]] | bytes) -> None:
    """Bars are in order and every row is a bar or a problem."""
    data = rows if isinstance(rows, bytes) else (HEAD + "\n".join(",".join(row) for row in rows)).encode()
    reading = read_bars(data, "BTC-USD.csv")
    assert [bar["at"] for bar in reading.bars] == sorted({bar["at"] for bar in reading.bars})
