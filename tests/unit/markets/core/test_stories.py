"""Which articles tell the same story, and with how many voices."""

import pytest

from vanta.markets.core.stories import MOST_VOICES, Story, Voice, mean_stance, told

NAMES = ("ACME", "Acme Corp")


def voice(title: str, outlet: str = "a.example", at: str = "2026-11-20T10:00:00.000Z", text: str = "",
          key: str = "") -> Voice:
    return Voice(key=key or f"{outlet}/{title}/{at}", outlet=outlet, title=title, text=text, stance=0, at=at,
                 quality="exact", named=1)


def tell(*voices: Voice) -> list[Story]:
    stories: list[Story] = []
    for one in voices:
        told(stories, one, NAMES)
    return stories


def test_a_syndicated_copy_is_no_second_voice() -> None:
    """The same headline with small changes by another outlet is the same telling."""
    [story] = tell(voice("Acme beats profit forecast as sales surge"),
                   voice("Acme beats profit forecast, as sales surge - wire", "b.example"))
    assert [one.outlet for one in story.voices] == ["a.example"]


def test_the_same_text_under_another_headline_is_a_copy() -> None:
    """Editors rewrite headlines, not the wire's first paragraph."""
    [story] = tell(voice("Acme beats profit forecast", text="f00d"),
                   voice("Why investors cheer tonight", "b.example", text="f00d"))
    assert len(story.voices) == 1


def test_another_outlet_in_its_own_words_is_a_voice() -> None:
    """Two content words beyond the company's name, and half of them, in common."""
    [story] = tell(voice("Acme beats profit forecast"), voice("Quarterly profit at Acme above forecast", "b.example"))
    assert [one.outlet for one in story.voices] == ["a.example", "b.example"]


def test_one_outlet_has_one_voice() -> None:
    """A second article by the same outlet adds nothing."""
    [story] = tell(voice("Acme beats profit forecast"), voice("Quarterly profit at Acme above forecast"))
    assert len(story.voices) == 1


@pytest.mark.parametrize("other", [
    voice("Acme Corp names new chief", "b.example"),
    voice("Acme Corp stock: what the market says today", "b.example"),
    voice("Quarterly profit at Acme above forecast", "b.example", at="2026-11-21T10:00:00.001Z"),
    voice("Acme beats profit forecast", "b.example", at="2026-11-22T10:00:00.000Z")],
    ids=["other words", "only the name and empty words", "more than a day later", "the same headline two days later"])
def test_other_stories_stay_apart(other: Voice) -> None:
    """The company's own name and the words of the trade are no common story."""
    assert len(tell(voice("Acme Corp beats profit forecast"), other)) == 2


def test_an_opposite_headline_is_no_copy() -> None:
    """"Rise" and "fall" in the same template are different texts."""
    assert len(tell(voice("Acme shares rise 3%"), voice("Acme shares fall 3%", "b.example"))) == 2


def test_a_corrected_article_replaces_itself_and_does_not_become_new() -> None:
    """Its words change, its first publication does not."""
    stories = tell(voice("Acme misses forecast", key="k"))
    story, changed = told(stories, voice("Acme beats forecast", key="k", at="2026-11-20T12:00:00.000Z"), NAMES)
    assert changed
    assert [(one.title, one.at) for one in story.voices] == [("Acme beats forecast", "2026-11-20T10:00:00.000Z")]
    assert not told(stories, voice("Acme beats forecast", key="k", at="2026-11-20T12:00:00.000Z"), NAMES)[1]


def test_an_earlier_copy_that_arrives_late_dates_the_story() -> None:
    """The text was public when its first copy was."""
    stories = tell(voice("Acme beats profit forecast"))
    early = voice("Acme beats profit forecast", "b.example", at="2026-11-20T09:00:00.000Z")
    story, changed = told(stories, early, NAMES)
    assert changed
    assert (story.begins, len(story.voices)) == ("2026-11-20T09:00:00.000Z", 1)


def test_voices_are_bounded() -> None:
    """A ninth outlet changes nothing."""
    words = ("analysts investors suppliers customers regulators shareholders competitors employees economists "
             "strategists").split()
    many = [voice(f"{word} cheer profit forecast {word}", f"{word}.example") for word in words]
    assert len(many) == MOST_VOICES + 2
    [story] = tell(*many)
    assert len(story.voices) == MOST_VOICES


@pytest.mark.parametrize(("stances", "mean"), [
    ([100], 100), ([100, 101], 100), ([-100, -101], -100), ([5000, -5000], 0), ([1, 1, 2], 1), ([-3, -3, -4], -3),
    ([2, 2, 1], 2)])
def test_the_mean_is_an_integer_and_symmetric(stances: list[int], mean: int) -> None:
    """Rounded to the nearest, halves towards zero, the same on both sides."""
    voices = [Voice(key=str(n), outlet="", title="", text="", stance=stance, at="", quality="", named=1)
              for n, stance in enumerate(stances)]
    assert mean_stance(voices) == mean
