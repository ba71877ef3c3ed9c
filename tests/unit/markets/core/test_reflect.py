"""One whole reflection: weights, ages, ranks and the four documents."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.markets.claims import NOW, at
from tests.unit.markets.core.book import RULES, feed, inputs, signal
from vanta.common.canonical import canonical
from vanta.common.models.conviction import Conviction, SignalLeaderboard, SystemBelief, SystemRisk, TradeSignals
from vanta.common.models.signal import Signal
from vanta.common.store.document import Stamp, parse, render
from vanta.common.times import iso
from vanta.markets.core.reflect import Reflection, bucket_of, missing_feeds, reflect

STAMP = Stamp(revision=1, at=iso(NOW), by="test")


def _reflect(*signals: Signal, **changes: Any) -> Reflection:
    return reflect(inputs({"news": feed(*signals)}, **changes), RULES)


def _rows(made: Reflection) -> list[Conviction]:
    return parse(render(made.trade_signals, STAMP), TradeSignals, file="trade_signals.json").convictions


def _only(made: Reflection) -> Conviction:
    [row] = _rows(made)
    return row


def _lines(row: Conviction) -> dict[str, tuple[int, int]]:
    return {line.reason: (line.bp, line.evidence) for line in row.reason_vector}


def test_example() -> None:
    """An insider purchase worth 900 milli-nats, one half-life old: 450, pooled 340, 1,683 basis points."""
    bought = signal("buy", source="sec.form4", strength=0.5, confidence=0.9, published=NOW - timedelta(days=30))
    made = reflect(inputs({"sec": feed(bought, feed="sec")}, unread={"news": "does not exist"}), RULES)
    row = _only(made)
    assert (row.direction, row.conviction_bp, row.conviction_score) == ("long", 1683, 0.1683)
    assert _lines(row) == {"baseline": (0, 0), "source:sec.form4": (1683, 340)}
    assert row.reason_vector[1].text == "1 live claim of sec.form4 points up."
    assert row.reason_vector[1].signals == [bought.id]
    assert (row.ttl, row.expires_at) == (30 * 86_400, iso(NOW + timedelta(days=30)))
    assert row.probability_bp is None
    assert made.trade_signals["missing"] == {"news": "does not exist"}


claims = st.lists(
    st.tuples(st.sampled_from(["equity:AAPL", "equity:MSFT", "crypto:BTC"]),
              st.sampled_from([*RULES.cards, "telegram.posts"]), st.integers(-10_000, 10_000), st.integers(0, 10_000),
              st.integers(-60, 40_000)), max_size=25)


def _claims(rows: list[tuple[str, str, int, int, int]]) -> list[Signal]:
    return [signal(f"c{n}", about=about, source=source, says=says / 10_000, strength=strength / 10_000,
                   published=NOW - timedelta(minutes=age))
            for n, (about, source, says, strength, age) in enumerate(rows)]


@settings(deadline=None, derandomize=True, max_examples=60)
@given(rows=claims, chance=st.randoms(use_true_random=False))
def test_order_does_not_matter(rows: list[tuple[str, str, int, int, int]], chance: Any) -> None:
    """The same claims in any order, in one feed or spread over two, make bit-identical convictions."""
    signals = _claims(rows)
    shuffled = list(signals)
    chance.shuffle(shuffled)
    whole = reflect(inputs({"news": feed(*signals)}), RULES)
    halves = reflect(inputs({"news": feed(*shuffled[::2]), "reddit": feed(*shuffled[1::2])}), RULES)
    one, other = (canonical([{**row, "dag_id": ""} for row in made.trade_signals["convictions"]])
                  for made in (whole, halves))
    assert one == other


@settings(deadline=None, derandomize=True, max_examples=60)
@given(claims)
def test_documents_validate_and_add_up(rows: list[tuple[str, str, int, int, int]]) -> None:
    """All four documents are what their models say, every row sums exactly, ranks run from 1."""
    made = _reflect(*_claims(rows))
    convictions = _rows(made)
    assert [row.rank for row in convictions] == list(range(1, len(convictions) + 1))
    for row in convictions:
        assert sum(line.bp for line in row.reason_vector) == row.conviction_bp
    assert parse(render(made.belief, STAMP), SystemBelief, file="x").status == "uncalibrated"
    assert parse(render(made.leaderboard, STAMP), SignalLeaderboard, file="x").status == "uncalibrated"
    assert parse(render(made.risk, STAMP), SystemRisk, file="x").status == "uncalibrated"


@settings(deadline=None, derandomize=True, max_examples=40)
@given(rows=claims, name=st.integers(0, 24))
def test_retraction_and_lateness(rows: list[tuple[str, str, int, int, int]], name: int) -> None:
    """A retracted claim counts like one that never was; a late one like one that was on time."""
    signals = _claims(rows)
    kept = [one for n, one in enumerate(signals) if n != name]
    retracted = [one if n != name else one.model_copy(update={"retracted_reason": "wrong"})
                 for n, one in enumerate(signals)]
    late = [one.model_copy(update={"observed_at": iso(NOW)}) for one in signals]

    def facts(some: list[Signal]) -> list[Any]:
        return [{**row, "dag_id": ""} for row in _reflect(*some).trade_signals["convictions"]]

    assert facts(retracted) == facts(kept)
    assert facts(late) == facts(signals)


@pytest.mark.parametrize(("changes", "counts"), [
    pytest.param({}, True, id="fresh"),
    pytest.param({"published": NOW - timedelta(days=5) + timedelta(minutes=5)}, True, id="last bucket of its time"),
    pytest.param({"published": NOW - timedelta(days=5)}, False, id="at its card's time to live"),
    pytest.param({"life": timedelta(0)}, False, id="expires now"),
    pytest.param({"life": timedelta(milliseconds=1)}, True, id="expires in a millisecond"),
    pytest.param({"published": at(5)}, False, id="published in the next bucket: from the future"),
    pytest.param({"published": at(4)}, True, id="published within this bucket"),
    pytest.param({"retracted_reason": "superseded"}, False, id="retracted"),
])
def test_what_counts(changes: dict[str, Any], counts: bool) -> None:
    """A claim that does not count makes no row at all: unknown is not zero."""
    assert bool(_rows(_reflect(signal("one", **changes)))) is counts


def test_a_claim_without_direction_is_a_row_without_conviction() -> None:
    """Something is known, and it points nowhere."""
    row = _only(_reflect(signal("one", says=0.0)))
    assert (row.direction, row.conviction_bp, row.ttl) == ("flat", 0, 64_800)
    assert row.reason_vector[1].text == "1 live claim of news.rss points neither way."


class TestFeeds:
    """What a feed that is not in order does to the outcome."""

    def test_stale_feed_has_no_weight_and_no_line(self) -> None:
        """It is named with the reason, makes no line, and counts again at its natural age when it is back."""
        crowd, insider = signal("crowd", source="reddit.posts"), signal("insider", source="sec.form4")
        later = at(61)
        stale = {"reddit": feed(crowd, feed="reddit"),
                 "sec": feed(insider, feed="sec", last_success_at=iso(later))}
        row = _only(reflect(inputs(stale, now=later), RULES))
        assert list(_lines(row)) == ["baseline", "source:sec.form4"]
        made = reflect(inputs(stale, now=later), RULES)
        assert list(made.trade_signals["missing"]) == ["reddit"]
        assert made.risk["missing_feeds"] == ["reddit"]
        back = {**stale, "reddit": feed(crowd, feed="reddit", last_success_at=iso(later))}
        assert list(_lines(_only(reflect(inputs(back, now=later), RULES)))) == [
            "baseline", "source:reddit.posts", "source:sec.form4"]

    def test_failed_feed_goes_on_for_a_while(self) -> None:
        """An error a moment ago takes nothing away; its entities carry the status."""
        row = _only(reflect(inputs({"news": feed(signal("one"), status="error")}), RULES))
        assert row.conviction_bp > 0
        assert "error:news" in row.routing_tags

    def test_feed_that_never_succeeded_is_missing(self) -> None:
        """A file that holds no success is no evidence."""
        read = inputs({"news": feed(signal("one"), status="error", status_reason="timed out", last_success_at=None)})
        assert missing_feeds(read) == {"news": "timed out"}
        assert _rows(reflect(read, RULES)) == []

    def test_unread_feeds_are_named(self) -> None:
        """Whatever the shell could not read is reported, in order of name."""
        made = reflect(inputs({}, unread={"sec": "unreadable: b", "news": "a"}), RULES)
        assert list(made.trade_signals["missing"].items()) == [("news", "a"), ("sec", "unreadable: b")]
        assert made.trade_signals["convictions"] == []
        assert made.risk["breadth_bp"] == 0


class TestRouting:
    """Tags, models and texts."""

    def test_tags(self) -> None:
        """Asset class and sources first, then what whoever acts should know."""
        row = _only(_reflect(signal("a", about="crypto:BTC", flags=["swarm", "unknown"]),
                             signal("b", about="crypto:BTC", source="reddit.posts", says=-1.0, flags=["10b5-1"])))
        assert row.routing_tags == ["crypto", "news.rss", "reddit.posts", "10b5-1", "mixed", "swarm"]

    def test_single_source(self) -> None:
        """One channel alone is said to be alone."""
        assert _only(_reflect(signal("a"), signal("b"))).routing_tags == ["equity", "news.rss", "single_source"]

    def test_unknown_channel_is_named_as_such(self) -> None:
        """A channel without a card is read with the default one, and both text and models say so."""
        row = _only(_reflect(signal("a", source="telegram.posts", says=-1.0)))
        assert row.reason_vector[1].text == (
            "1 live claim of telegram.posts points down; the channel has no card of its own and is read with the "
            "default one.")
        assert [use.model for use in row.contributing_models] == ["pool", "card:default"]

    def test_belief_and_leaderboard_name_every_channel(self) -> None:
        """All cards, used or not, and every unknown channel that spoke."""
        made = _reflect(signal("a", source="telegram.posts"), signal("b"), signal("c"))
        assert [one["source"] for one in made.belief["sources"]] == sorted([*RULES.cards, "telegram.posts"])
        assert [(one["rank"], one["source"], one["live_signals"]) for one in made.leaderboard["sources"][:3]] == [
            (1, "news.rss", 2), (2, "telegram.posts", 1), (3, "crypto.book", 0)]


class TestIdentity:
    """Ids of rows and cycles."""

    def test_row_id_changes_with_its_reasons_only(self) -> None:
        """The same reasons are the same conviction, whatever else happens in the cycle."""
        alone = _only(_reflect(signal("a")))
        beside = next(row for row in _rows(_reflect(signal("a"), signal("b", about="crypto:BTC")))
                      if row.entity == "equity:AAPL")
        assert alone.signal_id == beside.signal_id
        assert alone.dag_id != beside.dag_id
        assert _only(_reflect(signal("a", says=0.9))).signal_id != alone.signal_id

    @pytest.mark.parametrize("change", [
        pytest.param({"now": at(1)}, id="time"), pytest.param({"ranks": {"x": 1}}, id="ranks before"),
        pytest.param({"margin_bp": 99}, id="margin"), pytest.param({"unread": {"sec": "x"}}, id="a feed"),
        pytest.param({"stale_after_s": {"news": 3_601}}, id="a limit")])
    def test_every_input_changes_the_cycle(self, change: dict[str, Any]) -> None:
        """Two cycles are the same only if all their inputs are."""
        feeds = {"news": feed(signal("a"))}
        assert reflect(inputs(feeds), RULES).dag_id == reflect(inputs(feeds), RULES).dag_id
        assert reflect(inputs(feeds, **change), RULES).dag_id != reflect(inputs(feeds), RULES).dag_id


def test_ranks_keep_their_place_within_the_margin() -> None:
    """The steadied value of before decides the order until the conviction has left its margin."""
    strong, weak = signal("a", strength=0.5), signal("b", about="equity:MSFT", strength=0.51)
    before = {row.entity: row.rank_bp for row in _rows(_reflect(strong, weak.model_copy(update={"strength": 0.4})))}
    made = _rows(_reflect(strong, weak, ranks=before, margin_bp=1_000))
    assert [row.entity for row in made] == ["equity:AAPL", "equity:MSFT"]
    assert made[1].rank_bp == before["equity:MSFT"] < made[1].conviction_bp
    assert [row.entity for row in _rows(_reflect(strong, weak))] == ["equity:MSFT", "equity:AAPL"]


def test_breadth() -> None:
    """Two long, one short, one flat: a quarter."""
    made = _reflect(signal("a"), signal("b", about="equity:MSFT"), signal("c", about="equity:F", says=-1.0),
                    signal("d", about="equity:T", says=0.0))
    assert made.risk["breadth_bp"] == 2_500
    assert (made.risk["regime"], made.risk["drift"]) == ("not measured", "not measured")


def test_bucket() -> None:
    """Five minutes, beginning on the hour."""
    assert bucket_of(at(0)) == bucket_of(at(4.99)) == bucket_of(at(5)) - 1
