"""What becomes of claims that meet the live window."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.markets.claims import NOW, at, claim
from vanta.common.models.signal import Signal
from vanta.common.times import iso
from vanta.markets.core.window import FUTURE_S, Frame, Merged, merge

DAY = 86_400


def frame(now: object = NOW, *, high: str | None = None, history_s: int = 0) -> Frame:
    return Frame(now=now, window_s=30 * DAY, history_s=history_s, high=high)  # type: ignore[arg-type]


def counts(merged: Merged) -> dict[str, int]:
    return {name: value for name in ("new", "updated", "duplicates", "late", "expired")
            if (value := getattr(merged, name))}


def test_the_example_of_the_contract() -> None:
    """One duplicate, one update to revision 2, one new claim that is late; oldest first."""
    a, b, c = claim("a", published=at(-60)), claim("b"), claim("c", published=at(-30))
    louder = b.model_copy(update={"strength": 0.9})
    merged = merge([a, b], [a, louder, c], frame(high=iso(NOW)))
    assert counts(merged) == {"duplicates": 1, "updated": 1, "new": 1, "late": 1}
    assert [(one.summary, one.revision) for one in merged.signals] == [("a", 1), ("c", 1), ("b", 2)]
    assert merged.high == iso(NOW)


def test_seen_again_elsewhere_is_a_duplicate() -> None:
    """Another payload, run or time of sight does not make another claim; the first sight stands."""
    first = claim("a")
    again = first.model_copy(update={"observed_at": iso(at(5)), "raw_ref": "x#y",
                                     "collector": first.collector.model_copy(update={"run_id": "run_2"})})
    merged = merge([first], [again], frame(at(5)))
    assert counts(merged) == {"duplicates": 1}
    assert merged.signals == (first,)


def test_the_same_claim_twice_in_one_pass() -> None:
    """The second of two in one pass is compared with the first."""
    merged = merge([], [claim("a"), claim("a"), claim("a", strength=0.9)], frame())
    assert counts(merged) == {"new": 1, "duplicates": 1, "updated": 1}
    assert [one.revision for one in merged.signals] == [2]


def test_what_has_expired_leaves_and_does_not_enter() -> None:
    """An expired claim leaves the window; one that is expired on arrival is counted and not kept."""
    short = timedelta(minutes=10)
    old, late = claim("old", life=short), claim("late", life=short)
    merged = merge([old], [late], frame(at(10)))
    assert merged.signals == ()
    assert counts(merged) == {"expired": 1}
    assert merge([old], [], frame(at(9.9))).signals == (old,)


def test_history_keeps_what_has_expired_for_a_while() -> None:
    """A feed that compares with the past keeps expired claims that long, and no longer."""
    old = claim("old", life=timedelta(minutes=10))
    assert merge([old], [], frame(at(60), history_s=3600)).signals == (old,)
    assert merge([old], [], frame(at(70), history_s=3600)).signals == ()


def test_what_was_published_before_the_window_leaves() -> None:
    """The window's length holds whatever a claim says about its own life."""
    long = claim("long", published=NOW - timedelta(days=30), life=timedelta(days=90))
    assert merge([long], [], frame()).signals == (long,)
    merged = merge([long], [claim("x", published=NOW - timedelta(days=31), life=timedelta(days=90))], frame(at(0.01)))
    assert merged.signals == ()
    assert counts(merged) == {"expired": 1}


def test_a_claim_from_the_future_is_refused() -> None:
    """Nothing may be known before it is published; a clock may be off by two minutes."""
    near, far = claim("near", published=at(FUTURE_S / 60)), claim("far", published=at(FUTURE_S / 60 + 0.001))
    merged = merge([], [near, far], frame())
    assert merged.signals == (near,)
    assert [problem.code for problem in merged.problems] == ["from_the_future"]
    assert far.id in merged.problems[0].detail
    assert counts(merged) == {"new": 1}
    assert merged.high == near.published_at


def test_the_future_is_refused_for_known_claims_too() -> None:
    """A revision that claims a later publication is no way around the rule."""
    known = claim("a")
    merged = merge([known], [claim("a", published=at(60))], frame())
    assert merged.signals == (known,)
    assert len(merged.problems) == 1


def test_late_means_published_before_something_already_seen() -> None:
    """The mark is what earlier passes saw: order inside one pass does not make a claim late."""
    merged = merge([], [claim("b"), claim("a", published=at(-30))], frame())
    assert counts(merged) == {"new": 2}
    assert counts(merge(merged.signals, [claim("c", published=at(-1))], frame(high=merged.high))) == \
        {"new": 1, "late": 1}


def test_the_high_mark_never_falls() -> None:
    """An old claim does not pull the mark back, and claims that leave keep it."""
    assert merge([], [claim("a", published=at(-30))], frame(high=iso(NOW))).high == iso(NOW)
    assert merge([claim("a")], [], frame(at(60 * 48), high=iso(NOW))).high == iso(NOW)


def test_superseded_claims_are_retracted_in_either_order() -> None:
    """The replaced claim stays readable and retracted, whichever of the two arrives first, and as often as it may."""
    old = claim("old")
    better = claim("better", supersedes=old.id)
    for arrivals in ([old, better], [better, old]):
        signals: tuple[Signal, ...] = ()
        for one in [*arrivals, old, old, better]:
            signals = merge(signals, [one], frame()).signals
        state = {one.summary: (one.revision, one.retracted_reason) for one in signals}
        assert state == {"old": (2, f"superseded by {better.id}"), "better": (1, None)}


def test_a_claim_cannot_supersede_itself() -> None:
    """A hostile source does not retract its claim by naming it."""
    name = claim("a").id
    assert merge([], [claim("a", supersedes=name)], frame()).signals[0].retracted_reason is None


def test_a_retraction_of_the_source_may_be_taken_back() -> None:
    """Only what was replaced stays replaced: a normaliser that restates a claim is believed."""
    gone = claim("a", retracted_reason="deleted")
    merged = merge([gone], [claim("a")], frame())
    assert merged.signals[0].retracted_reason is None
    assert merged.signals[0].revision == 2


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(-120, 0)), max_size=6, unique_by=lambda pair: pair[0]),
       st.integers(0, 6))
def test_splitting_a_pass_changes_nothing(named: list[tuple[str, int]], cut: int) -> None:
    """Claims in one pass or in two passes end in the same window; doing it again adds nothing."""
    claims = [claim(name, published=at(minutes)) for name, minutes in named]
    once = merge([], claims, frame())
    first = merge([], claims[:cut], frame())
    twice = merge(first.signals, claims[cut:], frame(high=first.high))
    assert twice.signals == once.signals
    again = merge(once.signals, claims, frame(high=once.high))
    assert again.signals == once.signals
    assert again.duplicates == len(claims)
    assert again.high == once.high
