"""Which way a text leans."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vanta.markets.core.stance import stance
from vanta.markets.core.stance_words import BEARISH, BULLISH, NEUTRAL


@pytest.mark.parametrize("text", [
    "GME to the moon 🚀🚀", "buying more calls", "Apple beats estimates and raises guidance", "this is undervalued",
    "short squeeze incoming", "upgraded to buy", "not a crash, buy more calls", "+12% today",
    "shares surge to a record high",
    "It’s not overvalued", "bears everywhere",
])
def test_bullish_texts_lean_up(text: str) -> None:
    """Posts and headlines."""
    assert stance(text) > 0


@pytest.mark.parametrize("text", [
    "puts on everything 📉", "this is a bubble, crash incoming", "Tesla recalls cars after probe",
    "cuts guidance, shares plunge", "I am not bullish", "never buying calls again", "-12% today", "downgraded",
    "rug pull, get out now", "bulls are trapped",
])
def test_bearish_texts_lean_down(text: str) -> None:
    """Posts and headlines."""
    assert stance(text) < 0


@pytest.mark.parametrize("text", [
    "", "calls or puts?", "earnings tomorrow", "the short interest is 20%", "what do you think",
    "https://moon.com/crash",
    "hold on", "conference call at five", "bullish or bearish",
])
def test_texts_that_say_nothing_are_zero(text: str) -> None:
    """Questions, neutral phrases that hold loaded words, links."""
    assert stance(text) == 0


def test_more_words_lean_further() -> None:
    """One hint is a quarter; agreement comes near to one; balance is zero."""
    assert stance("good") == 0.25
    assert stance("good") < stance("bullish") < stance("bullish, undervalued, to the moon") < 1
    assert stance("bullish. bearish") == 0


def test_negation_ends_with_its_clause() -> None:
    """A negator reaches three words and not over a full stop."""
    assert stance("not bullish") < 0
    assert stance("not today. bullish") > 0
    assert stance("not in a million years bullish") > 0


def test_emoji_and_percentages_are_capped() -> None:
    """A row of rockets is one person's joy."""
    assert stance("🚀" * 50) == stance("🚀" * 4)
    assert stance("+1% " * 50) == stance("+1% " * 4)


def test_the_lexicon_does_not_contradict_itself() -> None:
    """No phrase is both bullish and bearish, or has two weights on one side."""
    sides = [[" ".join(phrase.split()) for text in table.values() for phrase in text.split(",") if phrase.strip()]
             for table in (BULLISH, BEARISH)]
    neutral = [" ".join(phrase.split()) for phrase in NEUTRAL.split(",")]
    phrases = [*sides[0], *sides[1], *neutral]
    assert sorted({phrase for phrase in phrases if phrases.count(phrase) > 1}) == []
    assert max(len(phrase.split()) for phrase in phrases) <= 4


@settings(deadline=None, derandomize=True)
@given(st.text(max_size=200))
def test_any_text_has_a_lean_on_the_grid(text: str) -> None:
    """Between -1 and 1, four decimals, the same every time."""
    lean = stance(text)
    assert -1 < lean < 1
    assert lean == round(lean, 4) == stance(text)
