"""EDGAR's transport against a local server that lists and serves filings as EDGAR does."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.unit.markets.collectors.gates import gate
from tests.unit.markets.collectors.web_server import Reply, Web, running
from tests.unit.markets.filings import Entry, Paper, page
from vanta.common.clock import ManualClock
from vanta.common.errors import CredentialsRefused, OperatorError, OutsideError, Throttled
from vanta.markets.collectors.port import FetchContext, Problem, RawPayload
from vanta.markets.collectors.sec import SecCollector
from vanta.markets.collectors.sec_cursor import Place, Wanted

NOW = datetime(2020, 5, 15, 23, 0, tzinfo=UTC)
LIST = "/cgi-bin/browse-edgar?action=getcurrent&type=4&company=&dateb=&owner=include&count=100&start={}&output=atom"
END = Reply(status=503, body=b"<!DOCTYPE html><html></html>", headers={"Content-Type": "text/html"})


@pytest.fixture
def web() -> Iterator[Web]:
    with running() as server:
        yield server


def accession(number: int) -> str:
    return f"0000000001-20-{number:06d}"


def entry(number: int, minute: int = 0, **fields: Any) -> Entry:
    """Filing `number`, accepted `minute` minutes before 18:30 Eastern."""
    accepted = datetime(2020, 5, 15, 18, 30) - timedelta(minutes=minute)
    return Entry(accession=accession(number), updated=f"{accepted:%Y-%m-%dT%H:%M:%S}-04:00", **fields)


def path(number: int, cik: str = "777") -> str:
    return f"/Archives/edgar/data/{cik}/{accession(number).replace('-', '')}/{accession(number)}.txt"


def serve(web: Web, *pages: list[Entry]) -> None:
    """Script the list, its end, and the submissions of everything on it."""
    for at, entries in enumerate(pages):
        web.say(LIST.format(100 * at), Reply(body=page(*entries), headers={"Content-Type": "application/atom+xml"}))
        for one in entries:
            number = int(one.accession[-6:])
            body = Paper(accession=one.accession, form=one.form).submission()
            web.say(path(number, one.cik.lstrip("0")), Reply(body=body, headers={"Content-Type": "text/plain"}))
    web.say(LIST.format(100 * len(pages)), END)


class Pass:
    """One pass of the collector, and the cursor after it."""

    def __init__(self, web: Web, folder: Path, cursor: dict[str, str] | None = None, *, now: datetime = NOW,
                 **options: Any) -> None:
        self.clock = ManualClock(now)
        collector = SecCollector(self.clock)
        context = FetchContext(now=now, cursor=cursor or {}, state_dir=folder, gate=gate(folder, self.clock),
                               options={"contact": "ops@example.com", "base_url": web.url} | options)
        self.got: list[RawPayload | Problem] = []
        before = len(web.seen)
        for one in collector.fetch(context):
            self.got.append(one)
        self.paths = [asked for asked, _ in web.seen[before:]]
        self.problems = [one for one in self.got if isinstance(one, Problem)]
        whole = [one for one in self.got if isinstance(one, RawPayload) and collector.read(one).complete]
        self.cursor = collector.next_cursor(whole, context)
        self.filings = [asked.rpartition("/")[2] for asked in self.paths if "/Archives/" in asked]


def test_the_list_is_read_to_its_end_and_new_forms_4_are_fetched(web: Web, tmp_path: Path) -> None:
    """One request per filing, oldest first; prefix matches such as 424B2 are left alone."""
    serve(web, [entry(1, role="Reporting", cik="0000000101"), entry(1), entry(2, form="424B2"),
                entry(3, 1, form="4/A")], [entry(4, 2)])
    done = Pass(web, tmp_path)
    assert done.paths == [LIST.format(0), LIST.format(100), LIST.format(200), path(4), path(3), path(1)]
    assert done.problems == []
    payload = done.got[-1]
    assert isinstance(payload, RawPayload)
    assert (payload.url, payload.media_type) == (web.url + path(1), "text/plain")
    assert web.header("user-agent", 0) is not None
    assert "ops@example.com" in (web.header("user-agent", 0) or "")


def test_requests_keep_the_rate(web: Web, tmp_path: Path) -> None:
    """Six requests take at least five intervals of 200 ms, by the shared bucket."""
    serve(web, [entry(1), entry(2), entry(3), entry(4)])
    assert (Pass(web, tmp_path).clock.now() - NOW).total_seconds() == pytest.approx(1.0)


def test_the_next_pass_fetches_only_what_is_new(web: Web, tmp_path: Path) -> None:
    """It stops paging where everything is older, and finds a filing that turned up below others."""
    serve(web, [entry(1), entry(2, 30)], [entry(3, 60)])
    first = Pass(web, tmp_path)
    late = entry(9, 5)
    serve(web, [replace(entry(5), updated="2020-05-15T18:45:00-04:00"), entry(1), late, entry(2, 30)], [entry(3, 60)])
    second = Pass(web, tmp_path, first.cursor)
    assert second.paths == [LIST.format(0), path(9), path(5)]
    third = Pass(web, tmp_path, second.cursor)
    assert third.filings == []
    assert third.cursor == second.cursor


def test_an_empty_list_in_between_forgets_nothing(web: Web, tmp_path: Path) -> None:
    """At night the list may be empty for a while."""
    serve(web, [entry(1)])
    first = Pass(web, tmp_path)
    serve(web, [])
    second = Pass(web, tmp_path, first.cursor)
    serve(web, [entry(1)])
    assert Pass(web, tmp_path, second.cursor).filings == []


def test_a_first_pass_goes_back_only_so_far(web: Web, tmp_path: Path) -> None:
    """There is no last run to reach, so there is no gap; and an empty list leaves no cursor."""
    serve(web, [entry(1)], [entry(2, 1)])
    done = Pass(web, tmp_path, max_pages=1)
    assert (done.paths, done.problems) == ([LIST.format(0), path(1)], [])
    serve(web, [])
    web.say(LIST.format(0), Reply(body=page()))
    assert Pass(web, tmp_path).cursor == {}


def test_a_filing_that_cannot_be_had_stays_pending_and_does_not_stop_the_others(web: Web, tmp_path: Path) -> None:
    """It is a problem now, and the next pass asks for it although the list has moved on."""
    serve(web, [entry(1), entry(2, 1)])
    web.say(path(2), Reply(status=404))
    first = Pass(web, tmp_path)
    assert [(problem.code, problem.where) for problem in first.problems] == [("not_fetched", web.url + path(2))]
    assert [one.url for one in first.got if isinstance(one, RawPayload)][-1] == web.url + path(1)
    serve(web, [entry(3), entry(2, 60)])
    web.say(path(2), Reply(body=Paper(accession=accession(2)).submission()))
    second = Pass(web, tmp_path, first.cursor)
    assert second.filings == [f"{accession(2)}.txt", f"{accession(3)}.txt"]
    assert "pending" in second.cursor
    assert second.cursor["pending"] == ""


def test_a_damaged_filing_is_asked_for_again(web: Web, tmp_path: Path) -> None:
    """What could not be read whole was not fetched."""
    serve(web, [entry(1)])
    web.say(path(1), Reply(body=Paper(accession=accession(1)).submission()[:-700]))
    first = Pass(web, tmp_path)
    assert accession(1) in first.cursor["pending"]


def test_patience_with_a_missing_filing_ends(web: Web, tmp_path: Path) -> None:
    """After three days nobody asks for it any more."""
    serve(web, [entry(1)])
    web.say(path(1), Reply(status=404))
    cursor = Pass(web, tmp_path).cursor
    assert accession(1) in Pass(web, tmp_path, cursor, now=NOW + timedelta(days=2)).cursor["pending"]
    assert Pass(web, tmp_path, cursor, now=NOW + timedelta(days=4)).cursor["pending"] == ""


def test_what_a_pass_does_not_reach_is_left_for_the_next(web: Web, tmp_path: Path) -> None:
    """A long list is worked off over passes, and the status says so."""
    serve(web, [entry(number, number) for number in range(1, 6)])
    first = Pass(web, tmp_path, max_filings=2)
    assert first.filings == [f"{accession(5)}.txt", f"{accession(4)}.txt"]
    assert first.problems[-1].detail == "3 filings are left for the next run"
    second = Pass(web, tmp_path, first.cursor, max_filings=2)
    third = Pass(web, tmp_path, second.cursor, max_filings=2)
    assert (len(second.filings), len(third.filings), third.problems) == (2, 1, [])


def test_a_throttle_between_filings_keeps_what_was_had(web: Web, tmp_path: Path) -> None:
    """The rest stays pending; nothing more is asked."""
    serve(web, [entry(1), entry(2, 1), entry(3, 2)])
    web.say(path(2), Reply(status=429, headers={"Retry-After": "600"}))
    done = Pass(web, tmp_path)
    assert done.filings == [f"{accession(3)}.txt", f"{accession(2)}.txt"]
    assert [problem.code for problem in done.problems] == ["not_fetched"]
    assert accession(1) in done.cursor["pending"]
    assert accession(2) in done.cursor["pending"]
    with pytest.raises(Throttled):
        Pass(web, tmp_path, done.cursor)


@pytest.mark.parametrize(("reply", "kind", "tries"), [
    (END, Throttled, 3), (Reply(status=503), Throttled, 3), (Reply(body=b"<html>busy</html>"), OutsideError, 1),
    (Reply(status=500), OutsideError, 3)], ids=["503 with HTML", "503", "200 with HTML", "500"])
def test_the_first_page_missing_is_an_outage(web: Web, tmp_path: Path, reply: Reply, kind: type[OutsideError],
                                             tries: int) -> None:
    """The very answer that ends the list elsewhere is an outage here, and worth another try."""
    web.say(LIST.format(0), reply)
    with pytest.raises(kind):
        Pass(web, tmp_path)
    assert web.asked(LIST.format(0)) == tries


def test_a_later_page_that_is_a_plain_503_is_an_outage_too(web: Web, tmp_path: Path) -> None:
    """Only HTML marks the end."""
    serve(web, [entry(1)])
    web.say(LIST.format(100), Reply(status=503, body=b"busy"))
    with pytest.raises(OutsideError, match=r"start=100.* is not a whole page"):
        Pass(web, tmp_path)


def test_a_cut_page_ends_the_pass_before_the_cursor_moves(web: Web, tmp_path: Path) -> None:
    """Its missing tail must be read again."""
    serve(web, [entry(1), entry(2)])
    web.say(LIST.format(0), Reply(body=page(entry(1), entry(2))[:-300]))
    with pytest.raises(OutsideError, match="not a whole page"):
        Pass(web, tmp_path)


def test_a_gap_to_the_last_run_is_said(web: Web, tmp_path: Path) -> None:
    """More filings than pages: the status is partial, and the cursor still moves."""
    cursor = {"accepted": "2020-05-14T00:00:00.000Z", "seen": "", "pending": ""}
    serve(web, [entry(1)], [entry(2, 1)])
    done = Pass(web, tmp_path, cursor, max_pages=2)
    assert [problem.code for problem in done.problems] == ["gap"]
    assert done.cursor["accepted"] == "2020-05-15T22:30:00.000Z"


def test_refused_is_refused_at_once(web: Web, tmp_path: Path) -> None:
    """403 means that our name is not accepted; nothing is tried again."""
    web.say(LIST.format(0), Reply(status=403))
    with pytest.raises(CredentialsRefused, match="403"):
        Pass(web, tmp_path)
    assert web.asked(LIST.format(0)) == 1


def test_a_wait_that_does_not_fit_the_budget_is_not_begun(web: Web, tmp_path: Path) -> None:
    """The options' limits are the transport's."""
    web.say(LIST.format(0), Reply(status=429, headers={"Retry-After": "2"}), END)
    with pytest.raises(Throttled):
        Pass(web, tmp_path, budget_s=1)
    assert web.asked(LIST.format(0)) == 1


@pytest.mark.parametrize(("options", "cure"), [
    ({"contact": None}, "markets.contact"), ({"contact": " "}, "contact"), ({"contact": "a\nb"}, "contact"),
    ({"base_url": "sec.gov"}, "https"), ({"max_pages": 0}, "max_pages"), ({"max_filings": True}, "max_filings"),
    ({"max_page": 3}, "max_pages"), ({"base_url": "http://[bad"}, "https")], ids=lambda value: str(value)[:30])
def test_wrong_options_say_what_to_do(web: Web, tmp_path: Path, options: dict[str, Any], cure: str) -> None:
    """Without a contact the SEC refuses us; so do we, before asking."""
    with pytest.raises(OperatorError) as caught:
        Pass(web, tmp_path, **options)
    assert cure in caught.value.cure
    assert web.seen == []


def test_the_cursor_survives_its_stored_form() -> None:
    """What is written is what is read; nonsense is a fresh start."""
    place = Place(newest=NOW, seen=frozenset({accession(1), accession(2)}),
                  pending=(Wanted("777", accession(3), NOW - timedelta(hours=1)),))
    assert Place.parse(place.text()) == place
    assert Place.parse({"accepted": "yesterday", "pending": "x"}) == Place()
    assert Place.parse({}).text() == {}
    assert Place.parse({"accepted": "2020-05-15T23:00:00.000Z", "pending": "a|b"}) == Place(newest=NOW)
