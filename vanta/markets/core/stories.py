"""Which articles about one asset tell the same story, and how many outlets tell it independently. Pure.

- A copy is the same text with small changes: a headline that overlaps by `COPY` in four-letter pieces, or the same
  opening of the summary. Copies by any number of outlets are one voice (syndication).
- A story is told again by another outlet when its headline shares at least two, and half, of the words that carry
  content with a headline of the story, within a day of its first telling. Each such outlet is one more voice.

Both are comparisons of words and nothing more: a story told again in other words stays apart, which makes it
two weak claims instead of one stronger. It refuses to know what a story means.

Example: "Acme beats profit forecast" by two wire customers and "Profit at Acme beats every forecast" by a third
outlet → one story, two voices. The result of a pass does not depend on the order of its articles: they are
taken by time, then identity.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from vanta.common.times import parse_iso
from vanta.markets.core.neardup import similarity

COPY = 0.6
SHARED_WORDS, SHARED_PART = 2, 0.5
WITHIN = timedelta(hours=24)
MOST_VOICES = 8

_WORD = re.compile(r"[a-z0-9][a-z0-9'%.-]*[a-z0-9%]|[a-z0-9]")
_EMPTY_WORDS = frozenset("""
a about after all amid an and are as at be been before but by can could for from had has have here he his how if in inc
into is it its may more most new news not of off on one or our out over report reports s say says said share shares she
should stock stocks than that the their them there these they this to today up update us was we were what when where
which who why will with would year years you your corp company market markets week
""".split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One independent telling. `stance` in ten-thousandths, `named` how many assets the article names."""

    key: str
    outlet: str
    title: str
    text: str
    stance: int
    at: str
    quality: str
    named: int


@dataclass(slots=True)
class Story:
    """The voices of one story about one asset. `lead` is the identity of the article that began it."""

    lead: str
    voices: list[Voice] = field(default_factory=list)
    changed: bool = False

    @property
    def begins(self) -> str:
        """When the first voice was public."""
        return min(voice.at for voice in self.voices)


def told(stories: list[Story], voice: Voice, names: Iterable[str]) -> tuple[Story, bool]:
    """Put `voice` into the story where it belongs, or begin one, and return it and whether that changed it.

    `stories` are those of one asset and grow by a new one; `names` are the asset's own words (ticker, company
    name), which every headline about it shares and which therefore say nothing.
    """
    own = _content(" ".join(names))
    for story in stories:
        at = next((at for at, one in enumerate(story.voices) if one.key == voice.key), None)
        if at is not None:
            return story, _put(story, at, _earliest(voice, story.voices[at]))
    near = sorted((story for story in stories if _near(story, voice)), key=lambda story: (story.begins, story.lead))
    for story in near:
        at = next((at for at, one in enumerate(story.voices) if is_copy(one, voice)), None)
        if at is not None:
            return story, _put(story, at, _earliest(story.voices[at], voice))
    for story in near:
        if any(retells(one.title, voice.title, own) for one in story.voices):
            if len(story.voices) >= MOST_VOICES or any(one.outlet == voice.outlet for one in story.voices):
                return story, False
            return story, _put(story, len(story.voices), voice)
    begun = Story(lead=voice.key)
    stories.append(begun)
    return begun, _put(begun, 0, voice)


def _put(story: Story, at: int, voice: Voice) -> bool:
    new = [*story.voices[:at], voice, *story.voices[at + 1:]]
    changed = new != story.voices
    story.voices, story.changed = new, story.changed or changed
    return changed


def _earliest(voice: Voice, other: Voice) -> Voice:
    """`voice`, public as early as either was: a text does not become new by being seen or dated again."""
    return voice if voice.at <= other.at else replace(voice, at=other.at, quality=other.quality)


def _near(story: Story, voice: Voice) -> bool:
    return abs(parse_iso(story.begins) - parse_iso(voice.at)) <= WITHIN


def is_copy(one: Voice, other: Voice) -> bool:
    """Whether two articles are the same text."""
    return (bool(one.text) and one.text == other.text) or similarity(one.title, other.title) >= COPY


def retells(one: str, other: str, own: frozenset[str]) -> bool:
    """Whether two headlines share enough words beyond the asset's own."""
    first, second = _content(one) - own, _content(other) - own
    shared = len(first & second)
    return shared >= SHARED_WORDS and shared >= SHARED_PART * min(len(first), len(second))


def mean_stance(voices: Sequence[Voice]) -> int:
    """The voices' mean in ten-thousandths, each voice once, halves towards zero."""
    total = sum(voice.stance for voice in voices)
    size = (2 * abs(total) + len(voices) - 1) // (2 * len(voices))
    return size if total >= 0 else -size


def _content(text: str) -> frozenset[str]:
    words = (word.removesuffix("'s") for word in _WORD.findall(text.lower().replace("’", "'")))
    return frozenset(word[:-1] if len(word) > 3 and word.endswith("s") else word for word in words) - _EMPTY_WORDS
