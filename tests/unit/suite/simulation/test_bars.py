"""Price files as bars: when each price became known, and which rows are believed."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from vanta.common.errors import BadInput
from vanta.common.instruments import from_symbol
from vanta.common.resources import calendars
from vanta.markets.core.records import Problem
from vanta.suite.simulation.bars import Series, series

CALENDARS = calendars()
HEADER = "date,open,high,low,close,volume\n"


def read(rows: str, symbol: str = "AAPL", header: str = HEADER) -> tuple[Series, list[Problem]]:
    """Rows of one file as its series."""
    instrument = from_symbol(symbol, stable_as="USD")
    return series((header + rows).encode(), f"{symbol}.csv", instrument, CALENDARS[instrument.calendar])


def times(rows: str, symbol: str = "AAPL") -> list[tuple[str, str]]:
    """Opening and closing time of each bar, as text without the date's constant parts."""
    return [(f"{bar.opens:%m-%d %H:%M}", f"{bar.closes:%m-%d %H:%M}") for bar in read(rows, symbol)[0].bars]


def test_a_day_of_a_share_is_its_session() -> None:
    """Winter, summer and the early close after Thanksgiving."""
    rows = "2020-01-02,1,1,1,1,5\n2020-07-02,1,1,1,1,5\n2020-11-27,1,1,1,1,5\n"
    assert times(rows) == [("01-02 14:30", "01-02 21:00"), ("07-02 13:30", "07-02 20:00"),
                           ("11-27 14:30", "11-27 18:00")]


def test_a_day_of_a_coin_ends_at_midnight() -> None:
    """Coins trade on weekends and from midnight to midnight UTC."""
    assert times("2020-01-04,1,1,1,1,5\n", "BTC-USD") == [("01-04 00:00", "01-05 00:00")]


def test_hours_of_a_coin_follow_the_spacing_and_never_reach_into_the_next_bar() -> None:
    """Four-hour bars; one odd row ends the bar before it early; a naive time is UTC."""
    rows = "".join(f"2020-01-01T{hour:02}:00:00,1,1,1,1,5\n" for hour in (0, 4, 8, 10, 14))
    assert times(rows, "BTCUSDT") == [("01-01 00:00", "01-01 04:00"), ("01-01 04:00", "01-01 08:00"),
                                      ("01-01 08:00", "01-01 10:00"), ("01-01 10:00", "01-01 14:00"),
                                      ("01-01 14:00", "01-01 18:00")]


def test_hours_of_a_share_stay_inside_the_session() -> None:
    """Bars before the opening are left out and said; the last bar ends with the session."""
    rows = "".join(f"2020-01-02T{hour}:30:00-05:00,1,1,1,1,5\n" for hour in ("08", "09", "10", "15", "16"))
    found, problems = read(rows)
    assert [(f"{bar.opens:%H:%M}", f"{bar.closes:%H:%M}") for bar in found.bars] == [
        ("14:30", "15:30"), ("15:30", "16:30"), ("20:30", "21:00")]
    assert [(one.code, one.detail) for one in problems] == [
        ("no_session", "2 bars left out: outside the sessions of XNYS")]


def test_daily_bars_stamped_with_a_time_belong_to_the_day_that_is_written() -> None:
    """New York midnight as 05:00Z is the day's session all the same."""
    rows = "2020-01-02T05:00:00Z,1,1,1,1,5\n2020-01-03T05:00:00Z,1,1,1,1,5\n"
    assert times(rows) == [("01-02 14:30", "01-02 21:00"), ("01-03 14:30", "01-03 21:00")]


def test_order_of_rows_and_columns_does_not_matter() -> None:
    """Newest first, upper case, further columns: the same bars."""
    plain, _ = read("2020-01-02,1,3,1,2,5\n2020-01-03,2,3,1,3,6\n")
    other, _ = read("6,2020-01-03,3,1,3,2,9\n5,2020-01-02,2,1,3,1,9\n", header="Volume,Date,Close,Low,High,Open,Adj\n")
    assert plain == other
    assert plain.bars[0].close == Decimal(2)
    assert plain.bars[0].opens == datetime(2020, 1, 2, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(("rows", "said"), [
    pytest.param("2020-01-02,1,1,1,x,5\n", "AAPL.csv:2 (close): 'x' is not a decimal number", id="no number"),
    pytest.param("02/01/2020,1,1,1,1,5\n", "AAPL.csv:2 (date): '02/01/2020' is neither a day", id="no date"),
    pytest.param("2020-01-02,1,1\n", "AAPL.csv:2: 3 fields where 6 are expected", id="short row"),
    pytest.param("2020-01-02,1,1,1,1,5\n2020-01-02,1,2,1,2,5\n", "a second, different bar", id="two bars of a day"),
    pytest.param("2020-01-02,1,1,1,1,5\n2020-01-03T00:00:00Z,1,1,1,1,5\n", "some rows have a day, others a time",
                 id="days and times"),
    pytest.param('2020-01-02,"1,1,1,1,5\n', "not a CSV file", id="open quote"),
    pytest.param("2020-01-02,1,1e10,1,1,5\n", "AAPL.csv:2 (high): 1e10 is more than 1,000,000,000", id="absurd price"),
    pytest.param("2020-01-02,1,1,1,1,1e30\n", "AAPL.csv:2 (volume): 1e30 is more than 1,000,000,000,000,000,000",
                 id="absurd volume"),
])
def test_what_cannot_be_read_is_an_error_with_its_place(rows: str, said: str) -> None:
    """File, line and field are named."""
    with pytest.raises(BadInput) as error:
        read(rows)
    assert said in error.value.what


@pytest.mark.parametrize("header", ["", "date,open,high,low,close\n", "a,b\n"])
def test_a_file_without_the_header_is_an_error(header: str) -> None:
    """Nothing is guessed from the number of columns."""
    with pytest.raises(BadInput, match="the header must be date,open,high,low,close,volume"):
        read("2020-01-02,1,1,1,1,5\n", header=header)


@pytest.mark.parametrize(("row", "code"), [
    pytest.param("2020-01-03,0,1,0,1,5", "no_price", id="zero"),
    pytest.param("2020-01-03,-1,1,-1,1,5", "no_price", id="negative"),
    pytest.param("2020-01-03,null,null,null,null,null", "no_price", id="null"),
    pytest.param("2020-01-03,9,1,1,1,5", "no_price", id="open above high"),
    pytest.param("2020-01-03,9,9,9,1,5", "no_price", id="close below low"),
    pytest.param("2020-12-25,1,1,1,1,5", "no_session", id="holiday"),
    pytest.param("1990-01-03,1,1,1,1,5", "no_session", id="before the calendar"),
])
def test_what_is_not_believed_is_reported_and_makes_no_bar(row: str, code: str) -> None:
    """The other bar of the file stays."""
    found, problems = read(f"2020-01-02,1,1,1,1,5\n{row}\n")
    assert len(found.bars) == 1
    assert [one.code for one in problems] == [code]


def test_rounded_prices_are_no_contradiction() -> None:
    """Adjusted prices miss their own high in the sixth digit."""
    assert len(read("2020-01-02,100.000001,100.0,99,99.5,5\n")[0].bars) == 1


@pytest.mark.parametrize(("volume", "known"), [("5", Decimal(5)), ("0", Decimal(0)), ("", None), ("-1", None),
                                               ("NaN", None)])
def test_a_volume_that_is_not_stated_is_unknown(volume: str, known: Decimal | None) -> None:
    """Unknown is not zero."""
    assert read(f"2020-01-02,1,1,1,1,{volume}\n")[0].bars[0].volume == known


def test_a_share_that_trades_on_weekends_is_none() -> None:
    """A pair of coins whose name spells no known pair would be taken for a share."""
    rows = "".join(f"2020-01-{day:02},1,1,1,1,5\n" for day in range(1, 15))
    found, problems = read(rows, "ETH-BTC")
    assert not found.bars
    assert [one.code for one in problems] == ["wrong_calendar"]


@pytest.mark.parametrize("rows", ["", "2020-01-02,null,null,null,null,null\n", "2020-01-02T14:30:00Z,1,1,1,1,5\n"])
def test_a_file_without_bars_is_reported(rows: str) -> None:
    """Header only, nothing believable, one time that tells no length."""
    found, problems = read(rows)
    assert not found.bars
    assert problems
