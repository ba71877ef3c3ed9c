"""American wall-clock time by its rule, against the zone files of this host."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vanta.markets.core.us_time import CHICAGO, LOS_ANGELES, NEW_YORK, day_of, to_utc

ZONES = {NEW_YORK: ZoneInfo("America/New_York"), CHICAGO: ZoneInfo("America/Chicago"),
         LOS_ANGELES: ZoneInfo("America/Los_Angeles")}


def truth(local: datetime, zone: int) -> datetime:
    """The later reading of the zone files, which is ours too."""
    return max(local.replace(tzinfo=ZONES[zone], fold=fold).astimezone(UTC) for fold in (0, 1))


@settings(deadline=None, derandomize=True, max_examples=500)
@given(st.datetimes(datetime(1987, 1, 1), datetime(2037, 12, 31)), st.sampled_from(sorted(ZONES)))
def test_any_moment_agrees_with_the_zone_files(local: datetime, zone: int) -> None:
    """In both directions."""
    moment = to_utc(local, zone)
    assert moment == truth(local, zone)
    assert day_of(moment, zone) == moment.astimezone(ZONES[zone]).date()


@pytest.mark.parametrize("zone", sorted(ZONES))
def test_the_hours_around_every_change_agree(zone: int) -> None:
    """Every quarter of an hour of every day on which a clock may change, 1987 to 2037."""
    for year in range(1987, 2038):
        for month, first in ((3, 8), (4, 1), (10, 25), (11, 1)):
            for quarter in range(7 * 96):
                local = datetime(year, month, first) + timedelta(minutes=15 * quarter)
                if local.weekday() == 6:
                    assert to_utc(local, zone) == truth(local, zone), local


@pytest.mark.parametrize(("local", "utc"), [
    (datetime(2020, 5, 15, 18, 3), "2020-05-15T22:03"), (datetime(2020, 1, 28, 16, 26), "2020-01-28T21:26"),
    (datetime(2019, 11, 3, 1, 30), "2019-11-03T06:30"), (datetime(2020, 3, 8, 2, 30), "2020-03-08T07:30")],
    ids=["summer", "winter", "the hour that comes twice", "the hour that is skipped"])
def test_nothing_is_read_as_earlier_than_it_was(local: datetime, utc: str) -> None:
    """The doubtful hours are read late."""
    assert to_utc(local, NEW_YORK) == datetime.fromisoformat(utc).replace(tzinfo=UTC)
