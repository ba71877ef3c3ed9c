"""When recorded items can be seen, and what each pass is handed."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vanta.markets.collectors.news import NewsCollector
from vanta.markets.collectors.port import Collector, RawPayload
from vanta.markets.collectors.reddit import RedditCollector
from vanta.markets.collectors.sec import SecCollector
from vanta.markets.core.records import Problem, Reading
from vanta.markets.shelf import Shelf

DAY = datetime(2022, 1, 18, tzinfo=UTC)
LATENCY = timedelta(minutes=2)


def post(name: str, at: datetime, **more: Any) -> dict[str, Any]:
    """One post as Reddit's API serves it."""
    return {"kind": "t3", "data": {"id": name, "name": f"t3_{name}", "title": "GME", "selftext": "", "author": name,
                                   "created_utc": at.timestamp(), "edited": False, **more}}


def listing(name: str, *posts: dict[str, Any]) -> RawPayload:
    """A listing in a file."""
    body = json.dumps({"kind": "Listing", "data": {"children": list(posts)}}).encode()
    return RawPayload(url=f"file:{name}", body=body, media_type="application/json", fetched_at=DAY)


def shelf(*payloads: RawPayload | Problem) -> Shelf:
    """Reddit's shelf."""
    return Shelf(RedditCollector(), payloads, LATENCY)


def shown(on: Shelf, at: datetime) -> list[list[str]]:
    """Ids of the records of each slice of one pass."""
    return [[record["id"] for record in on.collector.read(one).records] for one in on.pass_at(at)]


def test_an_item_is_visible_at_its_published_time_plus_latency() -> None:
    """Two posts of one payload: each for itself, to the millisecond."""
    on = shelf(listing("a.json", post("one", DAY), post("two", DAY + timedelta(hours=1))))
    assert shown(on, DAY + LATENCY - timedelta(milliseconds=1)) == []
    assert shown(on, DAY + LATENCY) == [["t3_one"]]
    assert shown(on, DAY + timedelta(hours=2)) == [["t3_one"], ["t3_two"]]


def test_the_last_two_days_are_handed_out_again_and_nothing_older() -> None:
    """The look-back is for claims that are made of many items."""
    on = shelf(listing("a.json", *(post(f"p{day}", DAY + timedelta(days=day)) for day in range(5))))
    assert shown(on, DAY + timedelta(days=1, hours=1)) == [["t3_p0", "t3_p1"]]
    assert shown(on, DAY + timedelta(days=2, hours=1)) == [["t3_p0", "t3_p1"], ["t3_p2"]]
    assert shown(on, DAY + timedelta(days=4, hours=0)) == [["t3_p2"], ["t3_p3"]]


def test_what_is_old_at_the_first_pass_is_not_handed_out_again() -> None:
    """The first pass is handed all that was ever published."""
    on = shelf(listing("a.json", post("old", DAY - timedelta(days=30)), post("new", DAY)))
    assert shown(on, DAY + timedelta(hours=1)) == [["t3_old"], ["t3_new"]]
    assert shown(on, DAY + timedelta(hours=2)) == [["t3_new"]]


def test_a_pass_after_a_long_pause_is_handed_everything_since_the_last() -> None:
    """Nothing falls between two passes, however far apart they are."""
    on = shelf(listing("a.json", *(post(f"p{day}", DAY + timedelta(days=day)) for day in range(5))))
    shown(on, DAY + timedelta(hours=1))
    assert shown(on, DAY + timedelta(days=9)) == [["t3_p1", "t3_p2", "t3_p3", "t3_p4"]]


def test_an_edited_post_is_known_as_edited_and_not_before() -> None:
    """What was recorded is the edited text."""
    on = shelf(listing("a.json", post("one", DAY, edited=(DAY + timedelta(hours=5)).timestamp())))
    assert shown(on, DAY + timedelta(hours=5)) == []
    assert shown(on, DAY + timedelta(hours=5) + LATENCY) == [["t3_one"]]


def test_a_slice_tells_nothing_of_what_is_not_published_yet() -> None:
    """Other later items, in another order: the same bytes, and places that count in the slice."""
    late = [post(name, DAY + timedelta(days=1)) for name in ("x", "y")]
    one = shelf(listing("a.json", late[0], post("one", DAY), late[1]))
    other = shelf(listing("a.json", post("one", DAY), post("z", DAY + timedelta(days=5)), *late))
    now = DAY + timedelta(hours=1)
    first, second = one.pass_at(now), other.pass_at(now)
    assert first == second
    assert [record["path"] for record in one.collector.read(first[0]).records] == ["/0"]


def test_what_is_wrong_with_a_payload_is_reported_and_never_reaches_a_pass() -> None:
    """An unknown thing among posts, a file that is no listing, a file that could not be opened."""
    on = shelf(listing("a.json", post("one", DAY), {"kind": "t9", "data": {}}),
               RawPayload(url="file:b.json", body=b"no json", media_type="text/plain", fetched_at=DAY),
               Problem(code="damaged", detail="gzip", where="file:c.gz"))
    assert [one.where for one in on.problems] == ["file:a.json#/data/children/1", "file:b.json", "file:c.gz"]
    assert shown(on, DAY + timedelta(hours=1)) == [["t3_one"]]


class Explodes(RedditCollector):
    """A collector with a mistake in its parser."""

    def read(self, payload: RawPayload) -> Reading:
        raise ZeroDivisionError


def test_a_parser_that_fails_costs_its_payload() -> None:
    """Reported like any other problem."""
    on = Shelf(Explodes(), [listing("a.json", post("one", DAY))], LATENCY)
    assert [one.code for one in on.problems] == ["unreadable"]
    assert len(on) == 0


def test_a_record_without_a_time_is_never_shown_and_always_reported() -> None:
    """A filing of another form says nothing about when it was made."""
    body = b"<SEC-DOCUMENT>x.txt\n<TYPE>13F-HR\n"
    payload = RawPayload(url="file:x.txt", body=body, media_type="text/plain", fetched_at=DAY)
    on = Shelf(SecCollector(), [payload], LATENCY)
    assert len(on) == 0
    assert [(one.code, one.where) for one in on.problems] == [("undated", "file:x.txt")]


def test_what_comes_too_late_is_counted() -> None:
    """Items after the end are not lost without a word."""
    on = shelf(listing("a.json", post("one", DAY), post("two", DAY + timedelta(days=9))))
    shown(on, DAY + timedelta(days=1))
    assert on.unseen() == 1


ATOM_ENTRY = {"record": "entry", "accession": "0001", "accepted": "2020-07-01T16:30:00-04:00"}
FILING = {"record": "ownership", "acceptance": "20200701163000", "filed": "2020-07-01", "signed": "2020-07-01"}


@pytest.mark.parametrize(("collector", "record", "public"), [
    pytest.param(SecCollector(), FILING, "2020-07-01T20:30:00", id="filing, accepted in New York"),
    pytest.param(SecCollector(), FILING | {"acceptance": None}, "2020-07-02T02:00:00", id="filing, day only"),
    pytest.param(SecCollector(), ATOM_ENTRY, "2020-07-01T20:30:00", id="entry of the list"),
    pytest.param(SecCollector(), {"record": "other", "form": "13F-HR", "accession": None}, None, id="another form"),
    pytest.param(NewsCollector(), {"published": "2020-07-01T12:00:00.000Z", "time_quality": "exact"},
                 "2020-07-01T12:00:00", id="news, exact"),
    pytest.param(NewsCollector(), {"published": "2020-07-01T12:00:00.000Z", "time_quality": "assumed"},
                 "2020-07-02T00:00:00", id="news, zone unknown"),
    pytest.param(NewsCollector(), {"published": None, "time_quality": None}, None, id="news, no date"),
    pytest.param(RedditCollector(), {"created_utc": 1_600_000_000, "edited_utc": None}, "2020-09-13T12:26:40",
                 id="post"),
])
def test_published_never_before_the_truth(collector: Collector, record: dict[str, Any], public: str | None) -> None:
    """Each feed's own clock, and `None` where a record has none."""
    expected = None if public is None else datetime.fromisoformat(public).replace(tzinfo=UTC)
    assert collector.published_at(record) == expected
