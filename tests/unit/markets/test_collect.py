"""One pass of one feed: nothing lost, nothing twice, everything said, harmless to break at any point."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson
import pytest

from tests.unit.markets.claims import NOW, at
from tests.unit.markets.feeds import ToyCollector, World, garbage, payload
from vanta.common.canonical import sha256
from vanta.common.errors import (
    BadInput,
    CredentialsRefused,
    OperatorError,
    OutsideError,
    StateError,
    Throttled,
    VantaError,
)
from vanta.common.exitcodes import Exit
from vanta.common.models.signal import FeedDocument
from vanta.common.store.document import load
from vanta.common.times import iso
from vanta.markets.collect import CURSOR
from vanta.markets.collectors.port import FetchContext, NormaliseContext, Normalised, Problem, RawPayload, Reading

FILE = "news_signals.json"


def document(world: World) -> FeedDocument:
    return load(world.files, FILE, FeedDocument).value


def names(world: World) -> list[str]:
    return sorted(signal.summary for signal in document(world).signals)


def last(world: World) -> dict[str, Any]:
    return dict(list(world.journal.read())[-1].payload)


def test_a_first_pass_and_what_it_leaves_behind() -> None:
    """Signals in the file, every input and output in the snapshot store under the hash that the log names."""
    world = World()
    page = payload("a", "b")
    report = world.collect(page)
    assert (report.exit, report.result.status, report.result.reason) == (Exit.DONE, "ok", "2 new")
    assert names(world) == ["a", "b"]
    entry = last(world)
    assert entry["status"] == "ok"
    assert entry["source"] == "network"
    assert entry["output"] == {"file": FILE, "sha256": sha256(world.files.read(FILE))}
    stored = {name: world.snapshots.get(digest) for name, digest in entry["inputs"].items()
              if isinstance(digest, str)}
    assert orjson.loads(stored["payloads"]) == [
        {"sha256": sha256(page.body), "url": page.url, "media_type": page.media_type, "fetched_at": iso(NOW),
         "headers": {}, "bytes": len(page.body)}]
    assert world.snapshots.get(sha256(page.body)) == page.body
    assert [orjson.loads(line)["name"] for line in stored["records"].splitlines()] == ["a", "b"]
    assert orjson.loads(stored["universe"]) == {"AAPL": "Apple Inc."}
    assert world.snapshots.has(entry["output"]["sha256"])


def test_the_order_of_durability() -> None:
    """Snapshots, then the log, then the file, then the cursor."""
    world = World()
    world.collect(payload("a"))
    assert [step for step in world.steps if step != "snapshot"] == ["journal", "file", "cursor"]
    assert world.steps.index("journal") > max(i for i, step in enumerate(world.steps) if step == "snapshot")
    assert world.journal.synced == 1


def test_records_carry_their_evidence() -> None:
    """Each record names the payload it came from, so that a signal can."""
    world = World()
    page = payload("a", url="https://feed/7")
    world.collect(page)
    lines = world.snapshots.get(last(world)["inputs"]["records"]).splitlines()
    assert orjson.loads(lines[0]) == {"name": "a", "_sha256": sha256(page.body), "_url": "https://feed/7",
                                      "_media_type": "application/json", "_fetched_at": iso(NOW)}
    assert document(world).signals[0].raw_ref == sha256(page.body)


def test_a_second_pass_over_the_same_counts_duplicates() -> None:
    """Nothing is new, nothing is lost, the file is fresh."""
    world = World()
    world.collect(payload("a", "b"))
    report = world.collect(payload("a", "b"), now=at(10))
    assert (report.result.counts.signals_new, report.result.counts.duplicates) == (0, 2)
    assert document(world).generated_at == iso(at(10))
    assert document(world).revision == 2
    assert names(world) == ["a", "b"]


def test_the_normaliser_is_shown_what_is_known() -> None:
    """Claims of earlier passes are handed to it."""
    world = World()
    world.collect(payload("a"))
    collector = ToyCollector([payload("b")])
    world.collect_with(collector, now=at(1))
    assert collector.known == [{"a"}]


def test_a_late_record_is_accepted_and_counted() -> None:
    """Published before what was already seen: it counts as new and as late."""
    world = World()
    world.collect(payload("a"))
    report = world.collect(payload(b=iso(at(-90))), now=at(1))
    assert (report.result.counts.signals_new, report.result.counts.late) == (1, 1)


def test_no_news_is_a_success() -> None:
    """An answer without payloads refreshes the file and advances what is known of the feed's health."""
    world = World()
    world.collect(payload("a"))
    report = world.collect(now=at(5))
    assert (report.exit, report.result.status) == (Exit.DONE, "ok")
    assert document(world).last_success_at == iso(at(5))
    assert names(world) == ["a"]


@pytest.mark.parametrize(("error", "code"), [
    (OutsideError("the host is down"), Exit.UNAVAILABLE),
    (Throttled("slow down", 60), Exit.TEMPORARY),
    (CredentialsRefused("no"), Exit.CREDENTIALS),
    (OperatorError("no contact is set", "Set one."), Exit.CONFIG),
    (StateError("the hold-off file is broken"), Exit.CONFIG),
])
def test_an_error_keeps_the_last_good_signals(error: VantaError, code: Exit) -> None:
    """The file says `error` and why; signals stay; the cursor does not move; the status is the error's own."""
    world = World()
    world.collect(payload("a"))
    cursor = world.private.read(CURSOR)
    report = world.collect(error, now=at(9))
    assert (report.exit, report.result.status, report.cure) == (code, "error", error.cure)
    assert names(world) == ["a"]
    assert document(world).status_reason == error.what
    assert document(world).last_success_at == iso(NOW)
    assert document(world).revision == 2
    assert world.private.read(CURSOR) == cursor
    assert last(world)["status"] == "error"


def test_an_error_after_some_payloads_is_partial() -> None:
    """What was fetched counts; the cursor stays, because nobody knows what is missing."""
    world = World()
    report = world.collect(payload("a"), OutsideError("gone"), payload("b", url="https://feed/2"))
    assert (report.exit, report.result.status) == (Exit.PARTIAL, "partial")
    assert report.result.reason == "gone; 1 new"
    assert names(world) == ["a"]
    assert not world.private.exists(CURSOR)


def test_one_bad_payload_does_not_hide_the_others() -> None:
    """It is named, the feed is partial, and only whole payloads move the cursor."""
    world = World()
    report = world.collect(payload("a"), garbage(), payload("b", url="https://feed/2"))
    assert (report.exit, report.result.status) == (Exit.PARTIAL, "partial")
    assert [one.code for one in report.result.problems] == ["not_json"]
    assert names(world) == ["a", "b"]
    assert orjson.loads(world.private.read(CURSOR))["cursor"] == {"https://feed/1": "seen", "https://feed/2": "seen"}


def test_a_payload_that_could_not_be_had_is_partial() -> None:
    """The transport may report one that is missing and go on."""
    world = World()
    report = world.collect(payload("a"), Problem(code="not_fetched", detail="404", where="https://feed/2"))
    assert (report.exit, report.result.status) == (Exit.PARTIAL, "partial")
    assert "not_fetched: 404 (https://feed/2)" in report.result.reason


@pytest.mark.parametrize(("recorded", "code"), [(False, Exit.UNAVAILABLE), (True, Exit.CONFIG)])
def test_only_garbage_is_an_error(recorded: bool, code: Exit) -> None:
    """Nothing usable: the outside's fault if it was fetched, the operator's to correct if it was given."""
    world = World()
    report = world.collect(garbage(), recorded=recorded)
    assert (report.exit, report.result.status) == (code, "error")
    assert world.snapshots.has(sha256(garbage().body)), "the evidence is kept"


def test_recorded_payloads_do_not_touch_the_cursor() -> None:
    """The network's cursor has nothing to do with what a person feeds in."""
    world = World()
    world.collect(payload("a"), recorded=True)
    assert names(world) == ["a"]
    assert not world.private.exists(CURSOR)
    assert last(world)["source"] == "recorded"


class Restless(ToyCollector):
    """A feed whose cursor moves with every pass."""

    def next_cursor(self, payloads: list[RawPayload], context: FetchContext) -> dict[str, str]:
        return {"passes": context.cursor.get("passes", "") + "+"}


def test_a_recorded_pass_does_not_even_ask_for_a_cursor() -> None:
    """Nor does one that ended early; one that went well does."""
    world = World()
    world.collect_with(Restless(), payloads=[payload("a")])
    world.collect_with(Restless([OutsideError("gone")]))
    assert not world.private.exists(CURSOR)
    world.collect_with(Restless([]))
    assert orjson.loads(world.private.read(CURSOR))["cursor"] == {"passes": "+"}


def test_the_cursor_goes_to_the_transport_and_back() -> None:
    """What one pass stored the next one is given; it is rewritten only when it changed."""
    world = World()
    world.collect(payload("a"))
    collector = ToyCollector([payload("a")])
    world.steps.clear()
    world.collect_with(collector)
    assert collector.contexts[0].cursor == {"https://feed/1": "seen"}
    assert "cursor" not in world.steps


@pytest.mark.parametrize("stored", [
    b"", b"{", b"[]", b"{}", b'{"cursor": []}', b'{"cursor": {"a": 1}}', b'{"cursor": {"a": "1", "a": "2"}}', b"\xff"])
def test_an_unreadable_cursor_only_costs_a_refetch(stored: bytes) -> None:
    """It is taken for none and replaced."""
    world = World()
    world.private.replace(CURSOR, stored)
    collector = ToyCollector([payload("a")])
    world.collect_with(collector)
    assert collector.contexts[0].cursor == {}
    assert orjson.loads(world.private.read(CURSOR))["cursor"] == {"https://feed/1": "seen"}


@pytest.mark.parametrize("stored", [b"", b"{", b"{}", b'{"signals": []}', b"\xff", b"[]"])
def test_an_unreadable_file_stops_the_pass(stored: bytes) -> None:
    """Unreadable is not empty: the file is named and left as it is, and nothing is fetched."""
    world = World()
    world.files.replace(FILE, stored)
    collector = ToyCollector([payload("a")])
    with pytest.raises(BadInput, match=FILE):
        world.collect_with(collector)
    assert world.files.read(FILE) == stored
    assert collector.contexts == []


@pytest.mark.parametrize("step", ["snapshot", "journal", "file", "cursor"])
def test_breaking_at_any_step_costs_a_refetch_and_no_item(step: str) -> None:
    """After a failure between two steps the next pass ends where an undisturbed one would have."""
    world = World()
    world.collect(payload("a"))
    world.fail_at = step
    with pytest.raises(StateError, match=step):
        world.collect(payload("b", url="https://feed/2"), now=at(1))
    assert world.broke()
    world.collect(payload("b", url="https://feed/2"), now=at(2))
    assert names(world) == ["a", "b"]
    assert orjson.loads(world.private.read(CURSOR))["cursor"] == {"https://feed/1": "seen", "https://feed/2": "seen"}
    assert [record.seq for record in world.journal.read()] == list(range(1, world.journal.head().seq + 1))


@pytest.mark.parametrize(("step", "file_moved"), [("snapshot", False), ("journal", False), ("file", False),
                                                  ("cursor", True)])
def test_the_file_never_runs_ahead_of_the_log(step: str, file_moved: bool) -> None:
    """What is in the file is in the log; the cursor never runs ahead of the file."""
    world = World(fail_at=step)
    with pytest.raises(StateError):
        world.collect(payload("a"))
    assert world.files.exists(FILE) is file_moved
    assert not world.private.exists(CURSOR)
    if file_moved:
        assert last(world)["output"]["sha256"] == sha256(world.files.read(FILE))


def test_a_parser_that_breaks_costs_its_payload() -> None:
    """An unforeseen exception is a problem with its kind and place; the rest of the pass goes on."""
    world = World()
    boom = RawPayload(url="https://feed/boom", body=b"boom", media_type="text/plain", fetched_at=NOW)
    report = world.collect(boom, payload("a"))
    assert report.exit == Exit.PARTIAL
    assert "KeyError" in report.result.problems[0].detail
    assert "https://feed/boom" in report.result.problems[0].detail
    assert names(world) == ["a"]


def test_a_normaliser_that_breaks_keeps_what_was_there() -> None:
    """An error with the reason, exit 1, signals and cursor as they were; the payload is kept as evidence."""
    world = World()
    world.collect(payload("a"))
    report = world.collect(payload("poison", url="https://feed/2"), now=at(1))
    assert (report.exit, report.result.status) == (Exit.FAILED, "error")
    assert "ZeroDivisionError" in report.result.reason
    assert names(world) == ["a"]
    assert "https://feed/2" not in orjson.loads(world.private.read(CURSOR))["cursor"]
    assert last(world)["inputs"]["records"] is not None


def test_a_transport_that_breaks_is_an_error_of_the_feed() -> None:
    """Not even a bug in a client library stops the file from saying what happened."""
    world = World()
    report = world.collect(ValueError("no such attribute"))
    assert (report.exit, report.result.status) == (Exit.FAILED, "error")
    assert "ValueError: no such attribute" in document(world).status_reason


class Abrupt(ToyCollector):
    """Fails before it yields anything at all."""

    def fetch(self, context: FetchContext) -> Iterator[RawPayload | Problem]:
        raise AttributeError("no such attribute")


def test_a_transport_that_does_not_even_start_is_an_error_of_the_feed() -> None:
    """The file says what happened."""
    world = World()
    assert world.collect_with(Abrupt()).exit == Exit.FAILED
    assert "AttributeError" in document(world).status_reason


class Odd(ToyCollector):
    """Makes a record that has no JSON form, beside a good one."""

    def read(self, payload: RawPayload) -> Reading:
        return Reading(records=[{"name": "good"}, {"name": "half a pair \ud800"}, {"name": 1 << 70}], problems=[])


def test_a_record_without_a_json_form_is_refused_alone() -> None:
    """Half a surrogate pair or an absurd number cannot be recorded; the others can."""
    world = World()
    report = world.collect_with(Odd([payload("x")]))
    assert [one.code for one in report.result.problems] == ["bad_record", "bad_record"]
    assert report.result.counts.records == 1
    assert names(world) == ["good"]


class Mutating(ToyCollector):
    """A normaliser that scribbles in the records it is given."""

    def normalise(self, records: list[dict[str, Any]], context: NormaliseContext) -> Normalised:
        result = super().normalise(records, context)
        for record in records:
            record.clear()
        return result


def test_the_snapshot_is_what_the_normaliser_was_given() -> None:
    """A normaliser cannot change what is kept as its input."""
    world = World()
    world.collect_with(Mutating([payload("a")]))
    assert b'"name":"a"' in world.snapshots.get(last(world)["inputs"]["records"])


def test_problems_are_all_kept_even_if_the_file_lists_only_some() -> None:
    """The log names a snapshot with every one of them."""
    world = World()
    lost = [Problem(code="not_fetched", detail=str(number), where="x") for number in range(80)]
    world.collect(payload("a"), *lost)
    assert len(document(world).errors) == 51
    assert len(json.loads(world.snapshots.get(last(world)["inputs"]["problems"]))) == 80


def test_the_same_inputs_make_the_same_bytes() -> None:
    """Two homes that saw the same at the same time hold the same file under the same run."""
    one, two = World(), World()
    for world in (one, two):
        world.collect(payload("b", "a"), garbage())
        world.collect(payload("c"), now=at(3))
    assert one.files.read(FILE) == two.files.read(FILE)
    assert one.journal.head() == two.journal.head()


def test_claims_leave_when_they_expire() -> None:
    """A day later the claims of today are gone from the file, and nothing is wrong with that."""
    world = World()
    world.collect(payload("a"))
    report = world.collect(now=NOW + timedelta(days=2))
    assert report.result.status == "ok"
    assert names(world) == []
