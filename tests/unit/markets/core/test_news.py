"""From feed items to one claim per story and asset."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vanta.common.canonical import sha256
from vanta.common.models.signal import Signal
from vanta.common.times import iso
from vanta.markets.core.news import normalise
from vanta.markets.core.records import NormaliseContext, Normalised
from vanta.markets.core.window import Frame, merge

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
UNIVERSE = {"AAPL": "Apple Inc.", "MSFT": "Microsoft Corp", "NVDA": "NVIDIA Corp", "TSLA": "Tesla Inc.",
            "AMZN": "Amazon.com Inc.", "META": "Meta Platforms", "NFLX": "Netflix Inc.", "crypto:BTC": "Bitcoin"}


def item(title: str, outlet: str = "a.example", minutes: int = 60, **fields: Any) -> dict[str, Any]:
    """An item published `minutes` before NOW in the payload of its outlet."""
    url = f"https://{outlet}/rss"
    return {"record": "item", "index": 0, "guid": None, "link": f"https://{outlet}/{sha256(title.encode())[:8]}",
            "title": title, "summary": "", "published": iso(NOW - timedelta(minutes=minutes)), "time_quality": "exact",
            "date_raw": "x", "tags": [], "feed": "F", "_url": url, "_sha256": sha256(url.encode()),
            "_media_type": "application/rss+xml", "_fetched_at": iso(NOW)} | fields


def run(records: list[dict[str, Any]], *known: Signal, now: datetime = NOW) -> Normalised:
    result = normalise(records, NormaliseContext(now=now, collector="news", version="1", run_id="run_0",
                                                 universe=UNIVERSE, known={signal.id: signal for signal in known}))
    for signal in result.signals:
        assert Signal.model_validate(signal.model_dump()) == signal
    return result


def window(*passes: list[dict[str, Any]]) -> list[Signal]:
    """What the feed's file holds after some passes."""
    live: list[Signal] = []
    for records in passes:
        live = list(merge(live, run(records, *live).signals, Frame(now=NOW, window_s=30 * 86_400, high=None)).signals)
    return live


def one(*records: dict[str, Any]) -> Signal:
    [signal] = run(list(records)).signals
    return signal


def test_an_item_about_an_asset_becomes_a_claim() -> None:
    """Who, when, which way, how strong and how sure, with the evidence."""
    signal = one(item("$AAPL surges to record high", minutes=30))
    assert (signal.kind, signal.source, signal.source_kind) == ("news", "news.rss", "aggregate")
    assert (signal.entity.key, signal.entity.name) == ("equity:AAPL", "Apple Inc.")
    assert signal.entity.match.method == "cashtag"
    assert signal.direction > 0
    assert (signal.strength, signal.confidence) == (0.25, 0.65)
    assert (signal.event_at, signal.published_at) == (None, "2026-11-20T14:30:00.000Z")
    assert (signal.half_life_s, signal.expires_at) == (12 * 3600, "2026-11-23T02:30:00.000Z")
    assert signal.summary == "$AAPL surges to record high (a.example)"
    assert signal.raw_ref == f"{signal.evidence[0].sha256}#entry[0]"


@pytest.mark.parametrize(("title", "sign"), [
    ("$AAPL plunges after downgrade", -1), ("$AAPL surges after upgrade", 1), ("$AAPL opens a shop", 0),
    ("$AAPL does not plunge", 1)])
def test_direction_leans_with_the_words(title: str, sign: int) -> None:
    """A word list with negation; a neutral headline is a claim without direction."""
    assert (one(item(title)).direction > 0) - (one(item(title)).direction < 0) == sign


def test_an_item_about_nothing_known_is_no_claim_and_no_error() -> None:
    """Most of the news is about something else."""
    result = run([item("Rain expected in the north")])
    assert (result.signals, result.not_signals, result.problems) == ([], 1, [])


def test_a_tag_of_the_feed_names_the_asset_surely() -> None:
    """A structured tag needs no guess from the text."""
    signal = one(item("Shares of the chip maker jump", tags=["NASDAQ:NVDA"]))
    assert (signal.entity.key, signal.entity.match.method) == ("equity:NVDA", "tag")


def test_independent_outlets_make_a_claim_stronger_and_copies_do_not() -> None:
    """Ten customers of a wire are one voice; another outlet's own words are a second."""
    first = item("Apple beats profit forecast on services revenue", minutes=90)
    copies = [item("Apple beats profit forecast on services revenue", f"copy{n}.example", 80 - n) for n in range(10)]
    own = item("Services revenue lifts profit of Apple above forecast", "b.example", 60)
    alone, copied, retold = one(first), one(first, *copies), one(first, *copies, own)
    assert (alone.strength, copied.strength, retold.strength) == (0.25, 0.25, 0.45)
    assert (alone.confidence, copied.confidence, retold.confidence) == (0.55, 0.55, 0.6)
    assert (alone.half_life_s, retold.half_life_s) == (12 * 3600, 18 * 3600)
    assert alone.id == copied.id == retold.id
    assert retold.features["voices"] == 2
    assert len(retold.evidence) == 2
    assert run([first, *copies, own]).duplicates == 10


def test_the_surest_naming_counts() -> None:
    """A second outlet that writes the cashtag makes the attribution surer."""
    first = item("Apple beats profit forecast", minutes=90)
    second = item("$AAPL profit above forecast", "b.example", 60)
    assert one(first).entity.match.method in ("name", "context")
    assert one(first, second).entity.match.method == "cashtag"
    assert (one(first).confidence, one(first, second).confidence) == (0.55, 0.7)


def test_the_evidence_of_a_story_is_bounded() -> None:
    """An article that is corrected all day names its first eight payloads."""
    live: list[Signal] = []
    for edition in range(12):
        record = item(f"$AAPL up, edition {edition}", guid="https://a.example/1", link=None,
                      _sha256=sha256(str(edition).encode()))
        live = run([record], *live).signals
    assert live[0].revision == 12
    assert [evidence.sha256 for evidence in live[0].evidence] == [sha256(str(n).encode()) for n in range(8)]


def test_polling_the_same_feed_again_says_nothing_new() -> None:
    """Every poll returns the same items; only what changed becomes a revision."""
    records = [item("Apple beats profit forecast", minutes=90), item("$MSFT falls", minutes=70)]
    live = window(records)
    again = run([{**record, "_sha256": "f" * 64} for record in records], *live, now=NOW + timedelta(minutes=5))
    assert (again.signals, again.duplicates) == ([], 2)
    [updated] = run([item("Profit of Apple above forecast", "b.example", 30)], *live).signals
    assert (updated.revision, updated.features["voices"]) == (2, 2)
    assert updated.id in {signal.id for signal in live}


def test_a_correction_is_a_revision_of_the_same_claim() -> None:
    """The article keeps its guid and its age; its lean turns."""
    wrong = item("$AAPL plunges", guid="https://a.example/1")
    live = window([wrong])
    [corrected] = run([{**wrong, "title": "$AAPL surges", "published": iso(NOW)}], *live).signals
    assert (corrected.id, corrected.revision, corrected.published_at) == (live[0].id, 2, live[0].published_at)
    assert live[0].direction < 0 < corrected.direction


def test_an_undated_item_is_a_problem() -> None:
    """It is named with its place in the payload, and its neighbours stand."""
    result = run([item("$AAPL up", index=3, published=None, time_quality=None, date_raw="soon"), item("$MSFT up")])
    [problem] = result.problems
    assert (problem.code, problem.where) == ("undated", "https://a.example/rss#entry[3]")
    assert len(result.signals) == 1


def test_a_date_from_the_future_is_set_to_now_once() -> None:
    """It is flagged, and polling it again later does not make it younger."""
    ahead = item("$AAPL up", minutes=-120)
    [signal] = run([ahead]).signals
    assert (signal.published_at, signal.time_quality, signal.flags) == (iso(NOW), "assumed", ["future_date"])
    for minutes in (30, 180):
        again = run([ahead], signal, now=NOW + timedelta(minutes=minutes))
        assert (again.signals, again.duplicates) == ([], 1)


def test_an_assumed_zone_is_flagged_and_believed_less() -> None:
    """0.05 of confidence is the date's."""
    sure, unsure = one(item("$AAPL up")), one(item("$AAPL up", time_quality="assumed"))
    assert (unsure.time_quality, unsure.flags) == ("assumed", ["assumed_tz"])
    assert (sure.confidence, unsure.confidence) == (0.65, 0.6)


def test_a_list_of_assets_says_little_about_each() -> None:
    """Six names in one headline share one claim's strength."""
    signals = run([item("$AAPL $MSFT $NVDA $TSLA $AMZN $META move")]).signals
    assert [signal.strength for signal in signals] == [0.0416] * 6
    assert all("list" in signal.flags for signal in signals)
    assert [signal.strength for signal in run([item("$AAPL $MSFT $NVDA $TSLA $AMZN move")]).signals] == [0.25] * 5


def test_an_asset_of_the_other_class_keeps_its_class() -> None:
    """Bitcoin is no share."""
    signal = one(item("Bitcoin price surges past record high"))
    assert (signal.entity.key, signal.entity.type, signal.entity.name) == ("crypto:BTC", "crypto", "Bitcoin")


def test_the_same_story_about_two_assets_is_two_claims() -> None:
    """Each asset has its own ledger."""
    signals = run([item("$AAPL sues $MSFT")]).signals
    assert {signal.entity.key for signal in signals} == {"equity:AAPL", "equity:MSFT"}
    assert len({signal.id for signal in signals}) == 2


DAY = [item("Apple beats profit forecast", minutes=600), item("Apple beats profit forecast", "copy.example", 590),
        item("Profit of Apple above forecast", "b.example", 500),
        item("Apple forecast: profit doubts", "c.example", 400),
       item("$MSFT falls after downgrade", minutes=300), item("$MSFT falls after downgrade", minutes=300, index=1),
       item("Tesla recalls cars", minutes=200), item("Rain", minutes=100),
       item("$NVDA up", published=None, time_quality=None),
       item("Tesla recalls its cars", "d.example", 2000), item("$NVDA up", minutes=-30)]


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.integers(0, 2**32), st.integers(0, len(DAY)))
def test_order_and_repetition_do_not_matter(seed: int, repeat: int) -> None:
    """Any order of a pass's items, some of them twice, makes the same claims."""
    shuffled = [*DAY, *DAY[:repeat]]
    random.Random(seed).shuffle(shuffled)
    assert run(shuffled).signals == run(DAY).signals


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.permutations(range(len(DAY))), st.integers(0, len(DAY)))
def test_every_item_is_accounted_for_and_a_second_look_changes_nothing(order: list[int], cut: int) -> None:
    """Split into two passes in any way; then everything once more: nothing new, and no record is lost."""
    live = window([DAY[at] for at in order[:cut]], [DAY[at] for at in order[cut:]])
    again = run(DAY, *live)
    assert again.signals == []
    assert again.duplicates + again.not_signals + len(again.problems) == len(DAY)
