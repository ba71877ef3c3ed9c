"""Collector passes made again from raw payloads: equal, named where something was changed, missing where it is gone."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard

from tests.unit.alpha.chains import Change, first_of, forget, rechained, replayed, snapshots
from tests.unit.alpha.homes import SHIPPED
from tests.unit.markets.claims import NOW
from vanta import __version__
from vanta.alpha.replayer import Different
from vanta.common.canonical import sha256
from vanta.common.clock import FixedClock, ManualClock
from vanta.common.errors import OutsideError
from vanta.common.models.configuration import Settings
from vanta.common.paths import COLLECTION_LOG, FEEDS, REFLECTION_LOG, Home
from vanta.common.store.journal import FileJournal
from vanta.markets.collectors.port import Collector, FetchContext, NormaliseContext, Normalised, Problem, RawPayload
from vanta.markets.core.feeds.news import NewsFeed
from vanta.markets.core.feeds.prices import PricesFeed
from vanta.markets.wire import Markets

FEED = "news_signals.json"
PAGE = (SHIPPED / "feeds" / "1-opening" / "news" / "harbor.rss").read_bytes()
Built = Callable[..., Home]


class Serving(NewsFeed, Collector):
    """News from a list: payloads, problems, and failures that are raised when their turn comes."""

    def __init__(self, *items: RawPayload | Problem | Exception) -> None:
        self.items = items

    def fetch(self, context: FetchContext) -> Iterator[RawPayload | Problem]:
        del context
        for item in self.items:
            if isinstance(item, Exception):
                raise item
            yield item


class Failing(Serving):
    """The normaliser meets what nobody foresaw."""

    def normalise(self, records: list[dict[str, Any]], context: NormaliseContext) -> Normalised:
        raise ZeroDivisionError("an assumption")


def page(url: str = "https://feed/1", body: bytes = PAGE, **headers: str) -> RawPayload:
    """A page of headlines as it came over the network."""
    return RawPayload(url=url, body=body, media_type="application/rss+xml", fetched_at=NOW, headers=headers)


def missed(where: str) -> Problem:
    """A page that could not be had."""
    return Problem(code="not_fetched", detail="the host is down", where=where)


@pytest.fixture
def served(tmp_path: Path) -> Built:
    """A home over which passes of these collectors were made, each from the network."""
    def build(*collectors: Collector) -> Home:
        home = Home(tmp_path / "served").prepare()
        with Markets(home, Settings(), FixedClock(NOW)) as node:
            for one in collectors:
                node.collect_with(one, None)
        return home

    return build


@pytest.fixture(scope="session")
def gathered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two passes of one feed and a reflection. Only to be read."""
    home = Home(tmp_path_factory.mktemp("gathered") / "var").prepare()
    clock = ManualClock(NOW)
    with Markets(home, Settings(), clock) as node:
        for scene in sorted((SHIPPED / "feeds").iterdir())[:2]:
            node.collect("news", scene / "news")
            node.reflect()
            clock.sleep(300)
    return home.root


@pytest.fixture
def copied(gathered: Path, tmp_path: Path) -> Home:
    """A copy of it, to be damaged."""
    shutil.copytree(gathered, tmp_path / "copy")
    return Home(tmp_path / "copy")


def passes(home: Home) -> int:
    """How many passes the log has."""
    return sum(one.kind == "collected" for one in FileJournal(home.file(COLLECTION_LOG)).read())


def assert_equal(home: Home) -> None:
    """Every pass was made again, and nothing else was found."""
    done = replayed(home)
    assert [str(one) for one in done.differences] == []
    assert done.missing == []
    assert done.checked["collected"] == passes(home)


def of_passes(home: Home) -> list[Different]:
    """What differs in the collectors' log."""
    return [one for one in replayed(home).differences if one.step.startswith(COLLECTION_LOG)]


def test_every_pass_of_a_lived_home_is_made_again(lived: Home) -> None:
    """All five feeds, with the files that the later passes went on from."""
    log = FileJournal(lived.file(COLLECTION_LOG)).read()
    assert {one.payload["feed"] for one in log if one.kind == "collected"} == {*FEEDS, "prices"}
    assert_equal(lived)


def test_failures_of_the_outside_are_taken_as_recorded(served: Built) -> None:
    """Missed pages at their places, a source that broke off, one that gave nothing, and the good file before."""
    assert_equal(served(
        Serving(missed("https://feed/0"), page(), missed("https://feed/2"), missed("https://feed/3"),
                page("https://feed/4", b"<html>"), missed("https://feed/5")),
        Serving(page(), OutsideError("the host is gone")), Serving(OutsideError("the host is gone")), Serving()))


def test_a_normaliser_that_failed_is_not_excused(served: Built) -> None:
    """It fails in this version no more, and that is a difference, not an input."""
    found = of_passes(served(Failing(page())))
    assert [(one.stage, one.found.field, one.found.recorded) for one in found] == [
        ("signals", f"{FEED}.counts.not_signals", "0")] or found[0].found.field.startswith(FEED)


def test_what_a_parser_looks_at_is_recorded(served: Built) -> None:
    """A page in another encoding, which only the header says: without it other records would come out."""
    body = PAGE.replace(b' encoding="UTF-8"', b"").replace(b"<title>", "<title>Škoda: ".encode("iso-8859-2"))
    home = served(Serving(page(body=body, **{"content-type": "application/rss+xml; charset=iso-8859-2"})))
    inputs = first_of(home, COLLECTION_LOG, "collected").payload["inputs"]
    assert "Škoda".encode() in snapshots(home).get(inputs["records"])
    assert_equal(home)

    manifest = orjson.loads(snapshots(home).get(inputs["payloads"]))
    manifest[0]["headers"] = {}
    digest = snapshots(home).put(orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS))
    rechained(home, COLLECTION_LOG, 2, lambda said: said["inputs"].update(payloads=digest))
    assert of_passes(home)[0].found.field.startswith("records.0.")


def test_slices_are_read_as_slices(tmp_path: Path) -> None:
    """Records that were parsed before the pass, as a simulation hands them out."""
    home = Home(tmp_path / "sliced").prepare()
    bars = PricesFeed().read(RawPayload(url="file:AAPL.csv", media_type="text/csv", fetched_at=NOW, body=(
        b"date,open,high,low,close,volume\n2026-03-03,1,2,1,2,100\n"))).records
    with Markets(home, Settings(), FixedClock(NOW)) as node:
        assert node.collect_records("prices", bars, "prices").result.status == "ok"
    assert first_of(home, COLLECTION_LOG, "collected").payload["form"] == "slices"
    assert_equal(home)


@pytest.mark.parametrize(("change", "field", "values"), [
    (lambda said: said["counts"].update(records=99), "counts.records", ("99", "10")),
    (lambda said: said.update(status="partial"), "status", ('"partial"', '"ok"')),
    (lambda said: said.update(status_reason="fine"), "status_reason", None),
    (lambda said: said.update(version="0"), "version", ('"0"', '"1"')),
    (lambda said: said.update(run_id="run_x"), "run_id", None),
    (lambda said: said["output"].update(sha256="0" * 64), FEED, None),
    (lambda said: said["output"].update(sha256=None), FEED, None),
    (lambda said: said["inputs"].update(problems="0" * 64), "problems", None),
    (lambda said: said["inputs"].pop("records"), "records", None),
    (lambda said: said.update(window_s=1), f"{FEED}.", None),
    (lambda said: said.update(by=f"markets collect news {__version__}x"), f"{FEED}.written_by", None),
    (lambda said: said.pop("inputs"), "", None),
])
def test_a_changed_record_is_named(copied: Home, change: Change, field: str, values: tuple[str, str] | None) -> None:
    """Stage, step, id, field and both values, whatever part of the record says other than its payloads give."""
    target = first_of(copied, COLLECTION_LOG, "collected", feed="news")
    rechained(copied, COLLECTION_LOG, target.seq, change)
    found = of_passes(copied)[0]
    assert (found.stage, found.step, found.about) == (
        "signals", f"{COLLECTION_LOG}:{target.seq} (collected)", target.ids["run_id"])
    assert found.found.field.startswith(field)
    assert values is None or values[0] == found.found.recorded


def test_a_changed_run_id_beside_the_payload_is_named(copied: Home) -> None:
    """The id that links the record is made again too."""
    path = copied.file(COLLECTION_LOG)
    records = list(FileJournal(path).read())
    path.unlink()
    journal = FileJournal(path)
    for one in records:
        ids = {"run_id": "run_x"} if one.seq == 2 else one.ids
        journal.append(one.kind, one.payload, at=one.at, dag_id=one.dag_id, ids=ids)
    journal.close()
    assert of_passes(copied)[0].found.field == "ids.run_id"


def test_a_forged_record_of_a_page_is_named_by_its_field(copied: Home) -> None:
    """Snapshot, hash and log are all consistent; the payload says otherwise."""
    target = first_of(copied, COLLECTION_LOG, "collected", feed="news")
    lines = snapshots(copied).get(target.payload["inputs"]["records"]).split(b"\n")
    first = orjson.loads(lines[0])
    forged = b"\n".join([orjson.dumps({**first, "title": "Profit warning"}, option=orjson.OPT_SORT_KEYS), *lines[1:]])
    digest = snapshots(copied).put(forged)
    rechained(copied, COLLECTION_LOG, target.seq, lambda said: said["inputs"].update(records=digest))
    found = of_passes(copied)[0].found
    assert (found.field, found.recorded) == ("records.0.title", '"Profit warning"')
    assert first["title"] in found.recomputed


def turned(home: Home, digest: str) -> str:
    """A feed's file with one signal pointing the other way, as a snapshot."""
    raw = snapshots(home).get(digest)
    forged = raw.replace(b'"direction":0.', b'"direction":-0.', 1)
    assert forged != raw
    return snapshots(home).put(forged)


def test_a_forged_signal_is_named_by_its_field_and_where_it_was_read(copied: Home) -> None:
    """The pass did not make it; the reflections that rest on it did read what is recorded, so nothing else differs."""
    target = first_of(copied, COLLECTION_LOG, "collected", feed="news")
    digest = turned(copied, target.payload["output"]["sha256"])
    rechained(copied, COLLECTION_LOG, target.seq, lambda said: said["output"].update(sha256=digest))
    done = replayed(copied)
    first = done.differences[0].found
    assert (first.field.startswith(f"{FEED}.signals."), first.field.endswith(".direction")) == (True, True)
    assert first.recorded == f"-{first.recomputed}"
    read = [one for one in done.differences if one.stage == "conviction"]
    assert read[0].found.field.startswith(f"inputs.{FEED}.")


def test_a_file_that_was_edited_between_pass_and_reflection_is_named(copied: Home) -> None:
    """Every record follows from its inputs, but no pass wrote what the reflection read."""
    target = first_of(copied, REFLECTION_LOG, "reflected")
    digest = turned(copied, target.payload["cause"]["inputs"]["news"])
    rechained(copied, REFLECTION_LOG, target.seq, lambda said: said["cause"]["inputs"].update(news=digest))
    found = next(one for one in replayed(copied).differences if one.step.startswith(REFLECTION_LOG))
    assert (found.about, found.found.field.split(".signals")[0]) == (target.dag_id, f"inputs.{FEED}")


def test_a_reflection_keeps_its_rules_by_itself(gathered: Path) -> None:
    """Where nothing was ever promoted too: the three files under the hashes that it names."""
    home = Home(gathered)
    rules = first_of(home, REFLECTION_LOG, "reflected").payload["cause"]["rules"]
    assert [snapshots(home).has(rules[name]) for name in ("sources", "decay", "logistic")] == [True, True, True]


def test_files_that_no_log_accounts_for_are_missing_once_each(copied: Home) -> None:
    """Without the collectors' log nobody can say where signals came from; what rests on them is still made again."""
    copied.file(COLLECTION_LOG).unlink()
    done = replayed(copied)
    assert done.differences == []
    assert [what for what in done.missing if FEED in what] == [
        f"{REFLECTION_LOG}: {FEED} was read in a version of which no record at hand says who wrote it"]
    assert done.checked["reflected"] > 1


@pytest.mark.parametrize(("change", "says"), [
    (lambda said: said.pop("by"), "it does not say by: a version that did not note all inputs recorded it"),
    (lambda said: said.pop("failure"), "it does not say failure"),
    (lambda said: said.update(form="tea"), "this version reads no tea of a feed 'news'"),
    (lambda said: said.update(feed="tea"), "this version reads no payloads of a feed 'tea'"),
    (lambda said: said["inputs"].update(payloads="0" * 64), "the snapshot of the manifest of payloads"),
    (lambda said: said["inputs"].update(universe="0" * 64), "the snapshot of the universe"),
    (lambda said: said["inputs"].update(missed="0" * 64), "the snapshot of what could not be had"),
    (lambda said: said["inputs"].update(previous="0" * 64), f"the snapshot of {FEED} before the pass"),
    (lambda said: said["inputs"].update(calendars={"XNYS": "0" * 64}), "the snapshot of calendar XNYS"),
])
def test_what_cannot_be_made_again_is_missing_with_a_sentence(copied: Home, change: Change, says: str) -> None:
    """Never skipped in silence, never guessed, never called different."""
    target = first_of(copied, COLLECTION_LOG, "collected", feed="news")
    rechained(copied, COLLECTION_LOG, target.seq, change)
    done = replayed(copied)
    assert any(what.startswith(f"{COLLECTION_LOG}:{target.seq}: ") and says in what for what in done.missing)
    assert [one for one in done.differences if one.step.startswith(f"{COLLECTION_LOG}:{target.seq} ")] == []


def test_a_lost_payload_is_missing_and_a_changed_one_says_so(copied: Home) -> None:
    """By name: a payload that is gone, and one whose bytes are others than its name says."""
    target = first_of(copied, COLLECTION_LOG, "collected", feed="news")
    lost, changed = (one["sha256"] for one in orjson.loads(snapshots(copied).get(target.payload["inputs"]["payloads"])))
    forget(copied, lost)
    assert any(f"({lost}) is missing" in what for what in replayed(copied).missing)
    for path in copied.snapshots.rglob(f"{changed}*"):
        path.chmod(0o640)
        path.write_bytes(zstandard.compress(b"<rss/>"))
    snapshots(copied).put(PAGE)
    assert sha256(PAGE) == lost
    assert any(f"({changed}) cannot be used" in what and "changed on disk" in what for what in replayed(copied).missing)


def test_a_record_of_another_version_says_that_the_code_may_be_it(copied: Home) -> None:
    """The difference is not hidden and not excused."""
    target = first_of(copied, COLLECTION_LOG, "collected", feed="news")
    rechained(copied, COLLECTION_LOG, target.seq, lambda said: said.update(by="markets collect news 0.0.9"))
    found = of_passes(copied)[0]
    assert found.other_code
    assert f"(recorded by markets collect news 0.0.9, this is {__version__}: the difference may be the code's)" in \
        str(found)
