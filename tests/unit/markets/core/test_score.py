"""One conviction from evidence, with reasons that add up."""

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.markets.core.book import RULES
from vanta.common.errors import BadInput, Bug
from vanta.common.resources import load
from vanta.markets.core.rules import MOST_LINE, Card, parse
from vanta.markets.core.score import judge, pooled, spread

SEC = RULES.card("sec.form4")
PERFECT = Card(half_life_s=300, ttl_s=300, weight_bp=10_000, cap=1_000, gain=1_000, sentiment=False, why="")

parts = st.dictionaries(st.sampled_from(["baseline", *(f"source:s{n}" for n in range(11))]),
                        st.integers(-MOST_LINE + 1, MOST_LINE - 1), min_size=1)


@settings(deadline=None, derandomize=True, max_examples=500)
@given(parts)
def test_reasons_sum_exactly(lines: dict[str, int]) -> None:
    """To the basis point, whatever the evidence; each line within the range that a line may have."""
    view = judge(lines, RULES.strength)
    assert sum(view.shares.values()) == view.conviction_bp
    assert set(view.shares) == set(lines)
    assert all(-10_000 <= share <= 10_000 for share in view.shares.values())


@settings(deadline=None, derandomize=True)
@given(parts)
def test_lines_against_the_direction_are_negative(lines: dict[str, int]) -> None:
    """A line has the sign of its evidence against the direction, and no evidence is no share."""
    view = judge(lines, RULES.strength)
    sign = {"long": 1, "short": -1, "flat": 0}[view.direction]
    for name, evidence in lines.items():
        assert view.shares[name] * evidence * sign >= 0
        assert evidence or view.shares[name] == 0


@settings(deadline=None, derandomize=True)
@given(parts)
def test_the_other_side_is_its_mirror(lines: dict[str, int]) -> None:
    """Turning all evidence around turns the direction around and nothing else."""
    view, mirror = judge(lines, RULES.strength), judge({name: -part for name, part in lines.items()}, RULES.strength)
    assert (view.conviction_bp, dict(view.shares)) == (mirror.conviction_bp, dict(mirror.shares))
    assert {view.direction, mirror.direction} in ({"long", "short"}, {"flat"})


def test_example() -> None:
    """547 for and 100 against are 2,198 basis points, made of 2,690 and -492."""
    view = judge({"baseline": 0, "source:sec.form4": 547, "source:reddit.posts": -100}, RULES.strength)
    assert (view.direction, view.log_odds, view.conviction_bp) == ("long", 447, 2198)
    assert dict(view.shares) == {"baseline": 0, "source:sec.form4": 2690, "source:reddit.posts": -492}


def test_evidence_that_cancels_out_is_flat() -> None:
    """Nothing is left over: no direction, no conviction, and no line has a share."""
    view = judge({"a": 300, "b": -300}, RULES.strength)
    assert (view.direction, view.conviction_bp, dict(view.shares)) == ("flat", 0, {"a": 0, "b": 0})


def test_left_over_points_go_to_the_largest_remainder_then_by_name() -> None:
    """Three equal lines of a hundred cannot share 149 points equally: the first by name gets more."""
    assert spread({"c": 100, "b": 100, "a": 100}, 300, 149) == {"c": 49, "b": 50, "a": 50}


def test_a_split_that_does_not_add_up_is_a_bug() -> None:
    """If the parts are not the whole, no reasons are given at all."""
    with pytest.raises(Bug, match="reasons sum to"):
        spread({"a": 10}, 5, 100)


@settings(deadline=None, derandomize=True)
@given(evidence=st.integers(-(10**12), 10**12), more=st.integers(0, 10**9))
def test_a_flood_never_exceeds_its_cap(evidence: int, more: int) -> None:
    """However much comes in, a channel stays below its cap; more of it is never less; the sides are alike."""
    now = pooled(evidence, PERFECT)
    assert abs(now) < PERFECT.cap
    assert pooled(evidence + more, PERFECT) >= now
    assert pooled(-evidence, PERFECT) == -now


def test_flood_of_ten_thousand_bots() -> None:
    """Ten thousand perfect posts against one insider: the crowd's whole channel is worth 559 milli-nats."""
    crowd = RULES.card("reddit.posts")
    assert pooled(10_000 * crowd.gain, crowd) == crowd.cap * crowd.weight_bp // 10_000 - 1 == 559


@settings(deadline=None, derandomize=True)
@given(evidence=st.integers(0, 5_000), more=st.integers(0, 5_000), other=st.integers(-2_000, 2_000))
def test_supporting_evidence_never_weakens(evidence: int, more: int, other: int) -> None:
    """More evidence for a side moves the log-odds to that side, and never the other way."""
    then = judge({"a": pooled(evidence, SEC), "b": other}, RULES.strength)
    now = judge({"a": pooled(evidence + more, SEC), "b": other}, RULES.strength)
    assert now.log_odds >= then.log_odds
    assert then.direction != "long" or now.conviction_bp >= then.conviction_bp


def test_weight_zero_says_nothing() -> None:
    """A channel that is not trusted has no say, whatever it says."""
    assert pooled(5_000, PERFECT.model_copy(update={"weight_bp": 0})) == 0


class TestRules:
    """The cards."""

    def test_an_unknown_channel_is_read_with_the_default_card(self) -> None:
        """And is named as such."""
        assert RULES.card("telegram.posts") is RULES.default
        assert RULES.card_name("telegram.posts") == "card:default"
        assert RULES.card_name("sec.form4") == "card:sec.form4"

    def test_every_part_changes_the_hash(self) -> None:
        """One other digit anywhere is another set of rules."""
        sources = load("sources.json").replace(b'"gain": 2000', b'"gain": 2001')
        other = parse(sources=sources, decay_table=load("decay_q30.json"), logistic_table=load("logistic.json"))
        assert other.rules_hash != RULES.rules_hash
        assert other.hashes["decay"] == RULES.hashes["decay"]

    @pytest.mark.parametrize(("field", "value"), [
        pytest.param("cap", MOST_LINE + 1, id="a line could leave its range"),
        pytest.param("half_life_s", 100, id="less than a bucket"),
        pytest.param("ttl_s", 450, id="no whole buckets"),
        pytest.param("weight_bp", 10_001, id="more than whole"),
        pytest.param("gain", -1, id="evidence turned around"),
        pytest.param("sentiment", "yes", id="no boolean"),
    ])
    def test_a_card_outside_its_bounds_is_refused(self, field: str, value: object) -> None:
        """With the file and the field."""
        fields = orjson.loads(load("sources.json"))
        fields["sources"]["news.rss"][field] = value
        with pytest.raises(BadInput, match=rf"sources\.json.*{field}"):
            parse(sources=orjson.dumps(fields), decay_table=load("decay_q30.json"),
                  logistic_table=load("logistic.json"))

    def test_all_lines_together_stay_below_the_bound(self) -> None:
        """Each shipped channel keeps below the bound that keeps its line inside 10,000 basis points."""
        assert all(card.cap * card.weight_bp // 10_000 < MOST_LINE for card in RULES.cards.values())
