"""The moments at which prices became known."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.suite.simulation.test_bars import read
from vanta.suite.simulation.bars import Bar, Series
from vanta.suite.simulation.tape import Mark, Moment, Tape

START, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 2, 1, tzinfo=UTC)


def moments(*files: tuple[str, str], start: datetime = START) -> list[Moment]:
    """The moments of (rows, symbol) files."""
    return list(Tape(read(rows, symbol)[0] for rows, symbol in files).moments(start, END))


def prices(found: list[Moment]) -> list[tuple[str, bool, dict[str, str]]]:
    """Time, phase and prices as text."""
    return [(f"{one.at:%d %H:%M}", one.closing, {name: str(mark.price) for name, mark in one.marks.items()})
            for one in found]


def test_every_bar_is_known_at_its_open_and_at_its_close() -> None:
    """A share and a coin: what one does leaves the other's mark as it was."""
    found = moments(("2020-01-02,10,12,9,11,5\n", "AAPL"), ("2020-01-02,7000,7200,6900,7100,5\n", "BTC-USD"))
    assert prices(found) == [
        ("02 00:00", False, {"crypto:BTC-USD": "7000"}),
        ("02 14:30", False, {"crypto:BTC-USD": "7000", "equity:AAPL": "10"}),
        ("02 21:00", True, {"crypto:BTC-USD": "7000", "equity:AAPL": "11"}),
        ("03 00:00", True, {"crypto:BTC-USD": "7100", "equity:AAPL": "11"})]


def test_where_bars_touch_the_close_comes_before_the_open() -> None:
    """One time, two moments."""
    found = moments(("2020-01-02,7000,7200,6900,7100,5\n2020-01-03,7150,7200,7100,7160,5\n", "BTC-USD"))
    assert [(at, closing) for at, closing, _ in prices(found)] == [
        ("02 00:00", False), ("03 00:00", True), ("03 00:00", False), ("04 00:00", True)]


def test_what_was_known_before_the_start_is_known_at_the_start() -> None:
    """Marks and volumes are folded from the beginning of the files."""
    found = moments(("2020-01-02,10,12,9,11,500\n", "AAPL"), ("2020-01-04,1,1,1,1,5\n", "BTC-USD"),
                    start=datetime(2020, 1, 4, tzinfo=UTC))
    assert found[0].marks["equity:AAPL"] == Mark(Decimal(11), datetime(2020, 1, 2, 21, tzinfo=UTC), Decimal(500))


def test_the_end_is_not_part_of_it() -> None:
    """A bar that closes at the end is not seen to close."""
    assert prices(moments(("2020-01-31,1,1,1,1,5\n", "BTC-USD"))) == [("31 00:00", False, {"crypto:BTC-USD": "1"})]


def test_volume_is_the_mean_of_closed_days_only() -> None:
    """The day under way does not count, nor does a day of unknown volume."""
    found = moments(("2020-01-02,1,1,1,1,100\n2020-01-03,1,1,1,1,\n2020-01-06,1,1,1,1,400\n", "AAPL"))
    assert [one.marks["equity:AAPL"].volume for one in found] == [
        None, Decimal(100), Decimal(100), Decimal(100), Decimal(100), Decimal(250)]


def test_volume_of_hours_counts_by_whole_days() -> None:
    """Two days of two bars: the first day's total is known when the second day has closed a bar."""
    rows = "".join(f"2020-01-{day:02}T{hour:02}:00:00Z,1,1,1,1,{volume}\n"
                   for day, hour, volume in ((2, 0, 10), (2, 12, 20), (3, 0, 40), (3, 12, 80)))
    volumes = [one.marks["crypto:BTC-USD"].volume for one in moments((rows, "BTC-USD")) if one.closing]
    assert volumes == [None, None, Decimal(30), Decimal(30)]


@settings(deadline=None, derandomize=True)
@given(st.integers(1, 30), st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(0, 99)), min_size=30,
                                    max_size=30))
def test_nothing_after_a_moment_is_known_at_it(cut: int, rest: list[tuple[int, int, int]]) -> None:
    """Bars that open later than the cut may hold anything: what came before stays as it is."""
    def tape(rows: list[tuple[int, int, int]]) -> list[Moment]:
        bars = tuple(Bar(opens=START + timedelta(days=day), closes=START + timedelta(days=day + 1),
                         open=Decimal(opened), close=Decimal(closed), volume=Decimal(volume), whole_day=True)
                     for day, (opened, closed, volume) in enumerate(rows))
        return list(Tape([Series(instrument=read("")[0].instrument, bars=bars)]).moments(START, END))

    same = [(5, 6, 7)] * 30
    end = START + timedelta(days=cut)
    before = [one for one in tape(same) if one.at < end]
    assert [one for one in tape(same[:cut] + rest[cut:]) if one.at < end] == before
