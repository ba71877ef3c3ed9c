"""The Reddit transport: real praw against a local server that speaks Reddit's wire format."""

import logging
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import praw.config
import prawcore
import pytest

from tests.unit.markets.collectors.gates import gate
from tests.unit.markets.collectors.reddit_server import NOW_S, Answer, RedditServer, listing, post, reddit_server
from vanta.common.clock import ManualClock
from vanta.common.errors import CredentialsRefused, OperatorError, OutsideError, Throttled
from vanta.markets.collectors.port import FetchContext, NormaliseContext, Problem, RawPayload
from vanta.markets.collectors.reddit import RedditCollector

NOW = datetime.fromtimestamp(NOW_S, UTC) + timedelta(minutes=5)
NEW = "/r/wallstreetbets/new"
THROTTLED = Answer(b'{"message": "Too Many Requests", "error": 429}', 429, {
    "retry-after": "7", "x-ratelimit-remaining": "0.0", "x-ratelimit-used": "600", "x-ratelimit-reset": "120"})


@pytest.fixture
def server() -> Iterator[RedditServer]:
    with reddit_server() as state:
        state.answers[NEW] = [Answer(listing([post("b"), post("a")]))]
        yield state


@pytest.fixture
def options(server: RedditServer, tmp_path: Path) -> dict[str, Any]:
    for name, text in (("id", "client-1"), ("secret", "hunter2\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    return {"client_id_file": str(tmp_path / "id"), "client_secret_file": str(tmp_path / "secret"),
            "contact": "/u/somebody", "subreddits": ["wallstreetbets"], "reddit_url": server.url,
            "oauth_url": server.url}


def items(options: dict[str, Any], folder: Path, now: datetime = NOW) -> Iterator[RawPayload | Problem]:
    clock = ManualClock(now)
    context = FetchContext(now=now, cursor={}, state_dir=folder / "state", options=options, gate=gate(folder, clock))
    return RedditCollector(clock).fetch(context)


def fetch(options: dict[str, Any], folder: Path, now: datetime = NOW) -> list[RawPayload]:
    found = list(items(options, folder, now))
    assert all(isinstance(item, RawPayload) for item in found)
    return [item for item in found if isinstance(item, RawPayload)]


def until_failure(options: dict[str, Any], folder: Path, error: type[OutsideError]) -> tuple[list[Any], OutsideError]:
    """What a pass yields before it raises `error`, and the error."""
    collected: list[Any] = []
    with pytest.raises(error) as caught:
        collected.extend(items(options, folder))
    return collected, caught.value


def test_a_listing_comes_out_as_the_bytes_that_were_served(
        server: RedditServer, options: dict[str, Any], tmp_path: Path) -> None:
    """One page is one token request, one listing request, and exactly the served body."""
    (payload,) = fetch(options, tmp_path)
    assert payload.body == listing([post("b"), post("a")])
    assert payload.media_type == "application/json"
    assert payload.url.startswith(f"{server.url}{NEW}?")
    assert [(method, path) for method, path, _, _ in server.requests] == [
        ("POST", "/api/v1/access_token"), ("GET", NEW)]
    assert [record["id"] for record in RedditCollector().read(payload).records] == ["t3_b", "t3_a"]


def test_reddit_sees_an_honest_read_only_app(
        server: RedditServer, options: dict[str, Any], tmp_path: Path) -> None:
    """App-only grant with HTTP Basic, raw_json, full pages, and a user agent in Reddit's form."""
    fetch(options, tmp_path)
    (_, _, token, _), (_, _, query, headers) = server.requests
    assert token["form"] == "grant_type=client_credentials"
    assert token["basic"] == "client-1:hunter2"
    assert (query["raw_json"], query["limit"]) == ("1", "100")
    assert headers["Authorization"] == "bearer tok-SECRET"
    assert headers["User-Agent"].startswith("linux:vanta.collector:")
    assert "(by /u/somebody)" in headers["User-Agent"]


def test_pages_are_followed_until_they_reach_back_far_enough(
        server: RedditServer, options: dict[str, Any], tmp_path: Path) -> None:
    """The second page reaches beyond the horizon, so a third is not asked for."""
    server.answers[NEW] = [
        Answer(listing([post("c")], after="t3_c")),
        Answer(listing([post("b", created_utc=NOW_S - 7200.0)], after="t3_b")),
        Answer(listing([post("a")], after=None))]
    assert len(fetch(options | {"hours": 1}, tmp_path)) == 2
    assert [query.get("after") for method, _, query, _ in server.requests if method == "GET"] == [None, "t3_c"]


def test_pages_are_bounded(server: RedditServer, options: dict[str, Any], tmp_path: Path) -> None:
    """A listing that never ends, or repeats its own cursor, costs a fixed number of requests."""
    server.answers[NEW] = [Answer(listing([post("c")], after=f"t3_{page}")) for page in range(9)]
    assert len(fetch(options | {"pages": 3}, tmp_path)) == 3
    server.answers[NEW] = [Answer(listing([post("c")], after="t3_same"))]
    assert len(fetch(options | {"pages": 9}, tmp_path)) == 2


def test_a_post_without_a_time_costs_no_second_request(
        server: RedditServer, options: dict[str, Any], tmp_path: Path) -> None:
    """The library fetches a thing again when an attribute is missing; the collector must not trigger that."""
    bare = post("a")
    del bare["data"]["created_utc"]
    server.answers[NEW] = [Answer(listing([bare]))]
    fetch(options, tmp_path)
    assert server.paths() == [NEW]


def test_comments_are_fetched_where_asked_for(
        server: RedditServer, options: dict[str, Any], tmp_path: Path) -> None:
    """`comments = true` adds the comment listing of each subreddit."""
    server.answers["/r/wallstreetbets/comments"] = [Answer(listing([
        {"kind": "t1", "data": {"id": "k", "name": "t1_k", "body": "GME", "author": "x", "created_utc": NOW_S}}]))]
    assert len(fetch(options | {"comments": True}, tmp_path)) == 2
    assert server.paths() == [NEW, "/r/wallstreetbets/comments"]


def test_a_429_is_one_request_and_keeps_the_next_run_away(
        server: RedditServer, options: dict[str, Any], tmp_path: Path) -> None:
    """Retry-After is taken as it stands, and a run inside it asks nothing; a later one does."""
    server.answers[NEW] = [THROTTLED, Answer(listing([post("a")]))]
    with pytest.raises(Throttled) as caught:
        fetch(options, tmp_path)
    assert caught.value.retry_after_s == 7
    assert server.paths() == [NEW]
    with pytest.raises(Throttled):
        fetch(options, tmp_path, NOW + timedelta(seconds=6))
    assert server.paths() == [NEW]
    assert len(fetch(options, tmp_path, NOW + timedelta(seconds=8))) == 1


def test_praw_would_sleep_before_the_call_after_a_429(
        server: RedditServer, options: dict[str, Any], tmp_path: Path) -> None:
    """The trap itself: the object's limiter is set to wait until the reset, so objects are never used again."""
    server.answers[NEW] = [THROTTLED]
    reddit = praw.Reddit(client_id="c", client_secret="s", user_agent="linux:test:1 (by /u/x)", reddit_url=server.url,
                         oauth_url=server.url, short_url=server.url, check_for_updates=False)
    with pytest.raises(prawcore.TooManyRequests):
        reddit.get("r/wallstreetbets/new")
    waits_ns = reddit._core.rate_limiter.next_request_timestamp_ns - time.monotonic_ns()
    assert waits_ns > 100 * 1_000_000_000


def test_an_allowance_that_is_used_up_stops_the_pass_instead_of_sleeping(
        server: RedditServer, options: dict[str, Any], tmp_path: Path) -> None:
    """With 0 requests left praw would sleep out the window; the pass yields what it has and says how long to wait."""
    server.remaining, server.reset = 0.0, "3"
    server.answers[NEW] = [Answer(listing([post("b")], after="t3_b")), Answer(listing([post("a")]))]
    collected, error = until_failure(options, tmp_path, Throttled)
    assert len(collected) == 1
    assert isinstance(error, Throttled)
    assert error.retry_after_s == 3
    assert server.paths() == [NEW]


@pytest.mark.parametrize("status", [403, 404], ids=["private", "unknown"])
def test_a_closed_subreddit_does_not_hide_the_others(
        server: RedditServer, options: dict[str, Any], tmp_path: Path, status: int) -> None:
    """The open one is read, and a problem names the closed one."""
    server.answers["/r/closed/new"] = [Answer(b'{"message": "no", "error": 403}', status)]
    problem, payload = items(options | {"subreddits": ["closed", "wallstreetbets"]}, tmp_path)
    assert isinstance(problem, Problem)
    assert (problem.code, problem.where) == ("not_fetched", f"{server.url}/r/closed/new")
    assert isinstance(payload, RawPayload)
    with pytest.raises(OutsideError, match="r/closed/new"):
        list(items(options | {"subreddits": ["closed"]}, tmp_path))


def test_refused_credentials_end_the_pass(server: RedditServer, options: dict[str, Any], tmp_path: Path) -> None:
    """A 401 for the token is `CredentialsRefused` with the cure, and is not tried again."""
    server.token_status = 401
    with pytest.raises(CredentialsRefused, match="approved app"):
        fetch(options | {"subreddits": ["wallstreetbets", "stocks"]}, tmp_path)
    assert len(server.requests) == 1


def test_an_html_page_is_an_outside_error_and_still_handed_on(
        server: RedditServer, options: dict[str, Any], tmp_path: Path) -> None:
    """A block page with status 200 reaches the parser, which makes a problem of it."""
    server.answers[NEW] = [Answer(b"<html>blocked</html>", media_type="text/html")]
    collected, _ = until_failure(options, tmp_path, OutsideError)
    reading = RedditCollector().read(collected[0])
    assert [problem.code for problem in reading.problems] == ["unreadable"]


def test_an_answer_of_another_status_is_an_outside_error(
        server: RedditServer, options: dict[str, Any], tmp_path: Path) -> None:
    """Whatever Reddit thinks of next."""
    server.answers[NEW] = [Answer(b"{}", 418)]
    with pytest.raises(OutsideError, match="Reddit failed"):
        list(items(options, tmp_path))


def test_a_listing_that_praw_cannot_read_is_an_outside_error(
        server: RedditServer, options: dict[str, Any], tmp_path: Path) -> None:
    """The body is JSON and says Listing, but there is nothing in it that praw expects."""
    server.answers[NEW] = [Answer(b'{"kind": "Listing", "data": 3}')]
    with pytest.raises(OutsideError):
        list(items(options, tmp_path))


def test_records_become_signals_and_know_when_they_were_public(
        server: RedditServer, options: dict[str, Any], tmp_path: Path) -> None:
    """Transport, parser and normaliser in a row."""
    server.answers[NEW] = [Answer(listing([post("a", title="$GME to the moon")]))]
    (payload,) = fetch(options, tmp_path)
    collector = RedditCollector()
    origin = {"_sha256": "0" * 64, "_url": payload.url, "_media_type": payload.media_type,
              "_fetched_at": "2025-11-20T14:51:40.000Z"}
    records = [record | origin for record in collector.read(payload).records]
    assert collector.published_at(records[0]) == NOW - timedelta(minutes=5)
    context = NormaliseContext(now=NOW, collector="reddit", version="1", run_id="r", universe={"GME": "GameStop Corp."})
    assert [signal.entity.key for signal in collector.normalise(records, context).signals] == ["equity:GME"]


def test_json_that_is_no_listing_is_an_outside_error(
        server: RedditServer, options: dict[str, Any], tmp_path: Path) -> None:
    """An object of another kind does not crash the pass."""
    server.answers[NEW] = [Answer(b'{"kind": "t5", "data": {"id": "x", "display_name": "y"}}')]
    with pytest.raises(OutsideError):
        fetch(options, tmp_path)


def test_a_planted_praw_ini_redirects_nothing(
        server: RedditServer, options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in the working directory cannot send the credentials elsewhere or turn the app into a user."""
    (tmp_path / "praw.ini").write_text(
        "[DEFAULT]\noauth_url=http://127.0.0.1:9\nreddit_url=http://127.0.0.1:9\nusername=u\npassword=p\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("praw_site", "elsewhere")
    monkeypatch.setattr(praw.config.Config, "CONFIG", None)
    with pytest.warns(UserWarning, match="overrides the oauth_url and reddit_url"):
        payloads = fetch(options, tmp_path)
    assert len(payloads) == 1
    assert server.requests[0][2]["form"] == "grant_type=client_credentials"
    monkeypatch.setattr(praw.config.Config, "CONFIG", None)


def test_neither_secret_nor_token_reaches_a_log(
        server: RedditServer, options: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Even at DEBUG."""
    caplog.set_level(logging.DEBUG)
    fetch(options, tmp_path)
    assert "hunter2" not in caplog.text
    assert "tok-SECRET" not in caplog.text
    assert not [record for record in caplog.records if record.name in ("prawcore", "urllib3.connectionpool")]


@pytest.mark.parametrize(("change", "error"), [
    pytest.param({"client_id_file": None}, CredentialsRefused, id="no id"),
    pytest.param({"client_secret_file": "/nowhere/at/all"}, CredentialsRefused, id="no secret file"),
    pytest.param({"contact": " "}, OperatorError, id="no contact"),
    pytest.param({"subreddits": "wallstreetbets"}, OperatorError, id="not a list"),
    pytest.param({"subreddits": ["../api/v1/me"]}, OperatorError, id="not a name"),
    pytest.param({"subredits": ["stocks"]}, OperatorError, id="misspelt"),
    pytest.param({"pages": 0}, OperatorError, id="no pages"),
    pytest.param({"hours": "12"}, OperatorError, id="hours as text"),
])
def test_bad_options_are_named_with_their_cure(
        server: RedditServer, options: dict[str, Any], tmp_path: Path, change: dict[str, Any],
        error: type[OutsideError]) -> None:
    """Nothing is sent before the options are in order."""
    with pytest.raises(error) as caught:
        fetch(options | change, tmp_path)
    assert caught.value.cure
    assert server.requests == []


def test_a_secret_that_others_can_read_is_not_used(
        server: RedditServer, options: dict[str, Any], tmp_path: Path) -> None:
    """The cure is the command that closes the file."""
    (tmp_path / "secret").chmod(0o644)
    with pytest.raises(CredentialsRefused, match="chmod 600"):
        fetch(options, tmp_path)
    (tmp_path / "secret").chmod(0o600)
    for wrong in (b"two words", b"", b"\xffhunter2"):
        (tmp_path / "secret").write_bytes(wrong)
        with pytest.raises(CredentialsRefused, match="one credential"):
            fetch(options, tmp_path)
    assert server.requests == []


def test_a_pipe_in_place_of_a_secret_is_not_waited_for(
        server: RedditServer, options: dict[str, Any], tmp_path: Path) -> None:
    """Reading one would hang until somebody writes."""
    (tmp_path / "secret").unlink()
    os.mkfifo(tmp_path / "secret", 0o600)
    with pytest.raises(CredentialsRefused, match="not a regular file"):
        fetch(options, tmp_path)
    assert server.requests == []


def test_every_request_takes_a_slot_of_the_app(server: RedditServer, options: dict[str, Any], tmp_path: Path) -> None:
    """Ten at once, then one a second, whichever pass they belong to; the one for the token counts as well."""
    server.answers[NEW] = [Answer(listing([post("c")], after=f"t3_{page}")) for page in range(20)]
    clock = ManualClock(NOW)
    for pages in (8, 4):
        context = FetchContext(now=NOW, cursor={}, state_dir=tmp_path / "state", options=options | {"pages": pages},
                               gate=gate(tmp_path, clock))
        list(RedditCollector(clock).fetch(context))
    assert len(server.requests) == 2 + 8 + 4
    assert clock.monotonic() == pytest.approx(4)
