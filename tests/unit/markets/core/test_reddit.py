"""Reddit posts to mention signals: voices, buckets, copies, edits, deletions."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vanta.common.models.signal import Signal
from vanta.common.times import from_millis, iso
from vanta.markets.core.records import NormaliseContext, Normalised
from vanta.markets.core.reddit import BUCKET_S, HALF_LIFE_S, normalise, public_at

NOON_S = 1_763_640_000  # 2025-11-20T12:00:00Z, the start of a bucket
NOW = datetime(2025, 11, 20, 17, 0, tzinfo=UTC)
UNIVERSE = {"GME": "GameStop Corp.", "AMC": "AMC Entertainment Holdings Inc.", "TSLA": "Tesla Inc.", "NOK": "Nokia",
            "BB": "BlackBerry Limited", "AAPL": "Apple Inc.", "SPY": "SPDR S&P 500 ETF Trust", "crypto:BTC": "Bitcoin"}
VARIED = ["calls look cheap to me today", "who else bought the dip this morning", "my uncle sold everything last week",
          "the chart is breaking out of its wedge", "earnings will be a disaster, mark my words",
          "short interest is still above twenty percent", "never selling, see you in valhalla",
          "management finally said something useful", "theta is eating my account alive",
          "volume dried up after lunch again", "somebody explain this candle please", "gamma ramp next friday"]


def post(name: str, title: str, *, at_s: int = NOON_S, payload: str = "p1", **fields: Any) -> dict[str, Any]:
    record = {
        "id": f"t3_{name}", "kind": "post", "title": title, "text": "", "author": f"author_{name}", "created_utc": at_s,
        "published_at": iso(from_millis(at_s * 1000)), "edited_utc": None, "subreddit": "wallstreetbets",
        "permalink": None, "link": None, "flair": None, "distinguished": None, "gone": False,
        "path": f"/data/children/{name}", "_sha256": hashlib.sha256(payload.encode()).hexdigest(),
        "_url": f"https://oauth.reddit.com/{payload}", "_media_type": "application/json",
        "_fetched_at": "2025-11-20T17:00:00.000Z"}
    return record | fields


def crowd(count: int, ticker: str = "GME", *, at_s: int = NOON_S, start: int = 0) -> list[dict[str, Any]]:
    """So many people, each with words of their own."""
    return [post(f"c{number}at{at_s}", f"${ticker} {VARIED[number % len(VARIED)]} {'x' * number}",
                 at_s=at_s + 60 * number) for number in range(start, start + count)]


def run(records: list[dict[str, Any]], known: dict[str, Signal] | None = None, now: datetime = NOW) -> Normalised:
    return normalise(records, NormaliseContext(now=now, collector="reddit", version="1", run_id="run_1",
                                               universe=UNIVERSE, known=known or {}))


def one(normalised: Normalised) -> Signal:
    (signal,) = normalised.signals
    return signal


def after(normalised: Normalised, known: dict[str, Signal] | None = None) -> dict[str, Signal]:
    return (known or {}) | {signal.id: signal for signal in normalised.signals}


def test_one_post_is_one_weak_signal() -> None:
    """All fields of the smallest case."""
    signal = one(run([post("a", "$GME to the moon")]))
    assert (signal.source, signal.source_kind, signal.kind) == ("reddit.posts", "social", "mention_spike")
    assert signal.entity.model_dump() == {
        "key": "equity:GME", "type": "equity", "id": "TICKER:GME", "ticker": "GME", "exchange": None,
        "name": "GameStop Corp.", "match": {"method": "cashtag", "confidence": 0.95}}
    assert signal.direction == 0.5
    assert signal.strength == 0.1061
    assert signal.confidence == 0.3
    assert signal.event_at == signal.published_at == "2025-11-20T12:00:00.000Z"
    assert signal.observed_at == "2025-11-20T17:00:00.000Z"
    assert signal.expires_at == "2025-11-21T12:00:00.000Z"
    assert signal.half_life_s == HALF_LIFE_S
    assert 2 * 3600 <= signal.half_life_s <= 6 * 3600
    assert signal.raw_ref == hashlib.sha256(b"p1").hexdigest() + "#/data/children/a"
    assert [item.url for item in signal.evidence] == ["https://oauth.reddit.com/p1"]
    assert signal.features["bucket"] == "2025-11-20T12:00:00.000Z"
    assert (signal.features["voices"], signal.features["posts"]) == (1, 1)


def test_more_people_are_more_strength_and_confidence() -> None:
    """Twelve independent voices reach the upper end of the confidence for opinions."""
    few, many = one(run(crowd(3))), one(run(crowd(12)))
    assert few.strength < many.strength
    assert (few.confidence, many.confidence) == (0.3444, 0.5)
    assert many.features["voices"] == 12


def test_one_person_is_one_voice() -> None:
    """However often they post."""
    same = [record | {"author": "one"} for record in crowd(8)]
    assert one(run(same)).features["voices"] == 1
    assert one(run(same)).features["posts"] == 8


def test_the_lean_is_the_mean_of_the_voices() -> None:
    """One bull and one bear say nothing; two bulls and a bear lean up."""
    bull, other = post("a", "$GME to the moon, buying calls"), post("b", "$GME is undervalued, long it is")
    bear = post("c", "$GME will crash, loading puts tonight")
    assert one(run([bull, other])).direction > one(run([bull, other, bear])).direction > 0
    assert one(run([bear])).direction < 0


def test_buckets_are_six_hours_of_utc() -> None:
    """11:59:59 and 12:00 are two claims; a claim's id does not depend on its posts."""
    early, late = post("a", "$GME", at_s=NOON_S - 1), post("b", "$GME", at_s=NOON_S + BUCKET_S - 1)
    signals = run([early, late], now=NOW + timedelta(hours=1)).signals
    assert [signal.features["bucket"] for signal in signals] == [
        "2025-11-20T06:00:00.000Z", "2025-11-20T12:00:00.000Z"]
    assert {signal.id for signal in run(crowd(5)).signals} == {signals[1].id}


def test_copies_are_one_voice_and_a_campaign_is_believed_least() -> None:
    """Twenty accounts post one text within minutes: one voice, confidence 0.05, flagged."""
    text = "$GME insiders are loading up before earnings, this one goes to the moon, buy now"
    copies = [post(f"s{number}", text + " lol" * (number % 3), at_s=NOON_S + 30 * number) for number in range(20)]
    signal = one(run(copies))
    assert (signal.features["voices"], signal.features["swarm_posts"]) == (1, 20)
    assert signal.confidence == 0.05
    assert signal.flags == ["swarm"]


def test_a_campaign_inside_a_crowd_does_not_silence_the_crowd() -> None:
    """Five copies among twelve people: flagged, counted once, confidence as for the crowd."""
    text = "$GME insiders are loading up before earnings, this one goes to the moon, buy now"
    copies = [post(f"s{number}", text, at_s=NOON_S + 30 * number) for number in range(5)]
    signal = one(run(copies + crowd(12)))
    assert (signal.features["voices"], signal.features["swarm_posts"]) == (13, 5)
    assert signal.flags == ["swarm"]
    assert signal.confidence == 0.5


def test_a_common_phrase_over_hours_is_no_campaign() -> None:
    """Five short identical posts at irregular times: one voice, but no accusation."""
    times = [0, 400, 5000, 9000, 17000]
    signal = one(run([post(f"p{number}", "GME 🚀", at_s=NOON_S + time) for number, time in enumerate(times)]))
    assert (signal.features["voices"], signal.flags) == (1, [])
    assert signal.confidence == 0.3


def test_a_rerun_says_nothing_new() -> None:
    """The same records again, in another payload: no signal, all of them repeated."""
    first = run(crowd(4))
    again = run([record | {"_sha256": "0" * 64, "path": "/elsewhere"} for record in crowd(4)], after(first))
    assert (again.signals, again.duplicates, again.not_signals) == ([], 4, 0)


def test_more_posts_are_a_new_revision_of_the_same_claim() -> None:
    """A later pass sees two old posts and one new one: the claim rests on all three."""
    first = run(crowd(3))
    second = run([*crowd(1, start=2), *crowd(1, start=5)], after(first))
    assert one(second).id == one(first).id
    assert one(second).revision == 2
    assert one(second).features["voices"] == 4


def test_passes_add_up_to_one_pass() -> None:
    """Seen in two halves or at once: the same content."""
    whole = one(run(crowd(6)))
    halves = run(crowd(3, start=3), after(run(crowd(3))))
    loose = {"revision", "features"}
    assert one(halves).model_dump(exclude=loose) == whole.model_dump(exclude=loose)
    assert one(halves).features == whole.features


def test_copies_are_recognised_across_passes() -> None:
    """A copy that arrives later joins the cluster of the post that is seen again beside it."""
    text = "$GME insiders are loading up before earnings, this one goes to the moon, buy now"
    first = run([post("a", text), post("b", text + " lol")])
    second = run([post("b", text + " lol"), post("c", text + " wow")], after(first))
    assert (one(second).features["voices"], one(second).features["posts"]) == (1, 3)


def test_a_deleted_post_leaves_every_signal() -> None:
    """The purge is by id, from whatever claims rested on it, and the author's hash goes too."""
    first = run([post("a", "$GME and $AMC to the moon"), post("b", "$GME puts, it will crash")])
    gone = post("a", "[deleted]", author=None, gone=True, text="[removed]")
    second = run([gone], after(first))
    by_key = {signal.entity.key: signal for signal in second.signals}
    assert by_key["equity:GME"].features["posts"] == 1
    assert "t3_a" not in str(by_key["equity:GME"].features["members"])
    emptied = by_key["equity:AMC"]
    assert (emptied.strength, emptied.direction, emptied.confidence) == (0, 0, 0)
    assert emptied.flags == ["emptied"]
    assert emptied.features["members"] == ""
    assert emptied.retracted_reason is None
    assert run([gone], after(second, after(first))).signals == []


def test_an_emptied_claim_comes_back_with_a_new_post() -> None:
    """Somebody else posts in the same six hours."""
    first = run([post("a", "$GME to the moon")])
    emptied = run([post("a", "", gone=True, author=None)], after(first))
    third = one(run([post("b", "$GME is undervalued")], after(emptied)))
    assert (third.revision, third.features["voices"]) == (3, 1)
    assert third.strength > 0


def test_an_edit_moves_a_post_to_what_it_says_now() -> None:
    """From GME to AMC, and from up to down."""
    first = run([post("a", "$GME to the moon"), post("b", "$GME is undervalued")])
    edited = post("a", "$AMC will crash", edited_utc=NOON_S + 60)
    signals = {signal.entity.key: signal for signal in run([edited], after(first)).signals}
    assert signals["equity:GME"].features["posts"] == 1
    assert signals["equity:AMC"].direction < 0


def test_the_latest_of_two_versions_counts() -> None:
    """A post in two payloads of one pass: the one fetched later, whatever their order."""
    old = post("a", "$GME to the moon", payload="p1")
    new = post("a", "$GME will crash", payload="p2", edited_utc=NOON_S + 5)
    new["_fetched_at"] = "2025-11-20T17:00:01.000Z"
    for records in ([old, new], [new, old]):
        normalised = run(records)
        assert one(normalised).direction < 0
        assert normalised.duplicates == 1


def test_an_edited_post_became_public_as_it_was_edited() -> None:
    """Its present text was not there before; a simulation must not show it earlier."""
    assert iso(public_at(post("a", "$GME"))) == "2025-11-20T12:00:00.000Z"
    assert iso(public_at(post("a", "$GME", edited_utc=NOON_S + 60))) == "2025-11-20T12:01:00.000Z"


def test_votes_change_nothing() -> None:
    """Scores move for ever; they are no part of a record's meaning."""
    first = run([post("a", "$GME", score=1)])
    assert run([post("a", "$GME", score=900)], after(first)).signals == []


@pytest.mark.parametrize("change", [
    pytest.param({"author": "AutoModerator"}, id="the moderation robot"),
    pytest.param({"author": "VisualMod"}, id="the subreddit's robot"),
    pytest.param({"author": "remind-me-bot"}, id="a robot by name"),
    pytest.param({"author": "RemindMeBot"}, id="a robot by capital"),
    pytest.param({"distinguished": "moderator"}, id="an announcement"),
    pytest.param({"gone": True}, id="deleted"),
    pytest.param({"title": "nothing to see"}, id="no asset"),
])
def test_what_is_no_voice(change: dict[str, Any]) -> None:
    """Counted as seen, not as said."""
    normalised = run([post("a", "$GME") | change])
    assert (normalised.signals, normalised.not_signals, normalised.duplicates) == ([], 1, 0)


def test_a_person_called_talbot_is_no_robot() -> None:
    """Names that merely end so."""
    assert one(run([post("a", "$GME", author="talbot")])).features["voices"] == 1


def test_a_post_from_the_future_is_refused() -> None:
    """More than two minutes ahead of our clock."""
    normalised = run([post("a", "$GME", at_s=int(NOW.timestamp()) + 121)])
    assert [problem.code for problem in normalised.problems] == ["from_the_future"]
    assert normalised.signals == []
    assert len(run([post("a", "$GME", at_s=int(NOW.timestamp()) + 119)]).signals) == 1


def test_strength_is_measured_against_the_buckets_before() -> None:
    """Five voices after four buckets of five are nothing; after four of one they are much."""
    def at_bucket(number: int, count: int) -> list[dict[str, Any]]:
        return crowd(count, at_s=NOON_S - number * BUCKET_S)

    usual = run([record for number in range(5) for record in at_bucket(number, 5)])
    sudden = run([*at_bucket(0, 5), *(record for number in range(1, 5) for record in at_bucket(number, 1))])
    newest = {name: max(found.signals, key=lambda signal: signal.published_at) for name, found in
              {"usual": usual, "sudden": sudden}.items()}
    assert newest["usual"].strength == 0
    assert newest["sudden"].strength > 0.5
    assert "4 earlier buckets" in newest["sudden"].confidence_basis[0].value
    assert one(run(at_bucket(0, 5))).confidence_basis[0].value == "absolute"


def test_the_baseline_is_the_same_in_one_pass_or_two() -> None:
    """Earlier buckets of this pass count like known ones, and a re-run over a longer history says nothing new."""
    earlier = [record for number in range(1, 5) for record in crowd(2, at_s=NOON_S - number * BUCKET_S)]
    together = run([*earlier, *crowd(6)])
    apart = run(crowd(6), after(run(earlier)))
    assert max(together.signals, key=lambda signal: signal.published_at).strength == one(apart).strength
    assert run([*earlier, *crowd(6)], after(together)).signals == []


def test_what_left_the_window_changes_no_claim_that_stands() -> None:
    """The same posts again, without the earlier buckets that they were measured against: nothing new."""
    earlier = [record for number in range(1, 5) for record in crowd(2, at_s=NOON_S - number * BUCKET_S)]
    newest = max(run([*earlier, *crowd(6)]).signals, key=lambda signal: signal.published_at)
    assert run(crowd(6), {newest.id: newest}).signals == []


def test_later_buckets_are_no_baseline() -> None:
    """A late post is measured against what came before it, never after."""
    later = run([record for number in range(4) for record in crowd(3, at_s=NOON_S - number * BUCKET_S)])
    late = one(run(crowd(3, at_s=NOON_S - 9 * BUCKET_S), after(later)))
    assert late.confidence_basis[0].value == "absolute"


def test_a_flood_keeps_a_bounded_number_of_posts() -> None:
    """The earliest 400 of a bucket; those after them change nothing any more."""
    flood = [post(f"f{number}", f"$GME {number * 7919} {VARIED[number % 12]} {number * 104729}", at_s=NOON_S + number)
             for number in range(500)]
    first = run(flood)
    assert one(first).features["posts"] == 400
    assert run(flood[450:], after(first)).signals == []


def test_a_list_of_symbols_weighs_little() -> None:
    """Six assets in one line: each claim carries a sixth."""
    signals = run([post("a", "GME AMC NOK TSLA AAPL SPY")]).signals
    assert len(signals) == 6
    assert {signal.features["certainty_bp"] for signal in signals} == {1167}
    assert {signal.confidence for signal in signals} == {0.1167}


def test_crypto_assets_are_entities_of_their_own() -> None:
    """`crypto:BTC`, not a share."""
    assert one(run([post("a", "Bitcoin to the moon")])).entity.key == "crypto:BTC"


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.permutations([
    *crowd(4), post("s1", "GME 🚀 to the moon everyone"),
    post("s2", "GME 🚀 to the moon everyone!", author="author_c0"), post("d", "$AMC", gone=True), post("e",
    "$AMC $TSLA puts", at_s=NOON_S - 90), post("e", "$AMC", payload="p2")]))
def test_the_order_of_records_does_not_matter(records: list[dict[str, Any]]) -> None:
    """Byte for byte."""
    expected = run(sorted(records, key=lambda record: (record["id"], record["path"], record["_sha256"])))
    assert [signal.model_dump_json() for signal in run(records).signals] == [
        signal.model_dump_json() for signal in expected.signals]


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(VARIED), st.booleans()), max_size=12), st.integers(0, 12))
def test_any_split_into_passes_gives_the_same_members(posts: list[tuple[int, str, bool]], cut: int) -> None:
    """Late is the same as on time: what a claim rests on does not depend on how passes fell."""
    records = [post(f"r{number}", f"$GME {text}", author=f"u{author}", at_s=NOON_S + number) | {
        "gone": gone} for number, (author, text, gone) in enumerate(posts)]
    known = after(run(records[:cut]))
    halves = after(run(records[cut:], known), known)
    whole = after(run(records))
    assert {name: signal.features["posts"] for name, signal in halves.items()} == {
        name: signal.features["posts"] for name, signal in whole.items()}


def test_now_does_not_enter_the_claim() -> None:
    """An hour later the same records make the same claim, seen later."""
    first, later = one(run(crowd(3))), one(run(crowd(3), now=NOW + timedelta(hours=1)))
    assert first.model_dump(exclude={"observed_at"}) == later.model_dump(exclude={"observed_at"})
