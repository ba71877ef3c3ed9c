"""Which way a text leans about what it names: -1 bearish, 0 says nothing, 1 bullish. Pure.

Decides from the shipped lexicon alone: phrases (longest first), emoji, signed percentages, and a negator among the
three words before a phrase, which turns it round at less weight. Refuses to know which asset is meant, who speaks
and whether it is true; irony is lost on it, which is why feeds of opinions carry low confidence.
Example: `stance("not a crash, buy more calls")` is positive, `stance("calls or puts?")` is 0.
"""

import re
from functools import lru_cache

from vanta.markets.core.stance_words import BEARISH, BULLISH, EMOJI, NEGATORS, NEUTRAL

LONGEST = 4
NEGATION_REACH = 3
PRIOR = 3  # weight of saying nothing: one weak word alone leans a quarter

_URL = re.compile(r"https?://\S+|www\.\S+")
_PERCENT = re.compile(r"(?<![\w.])([+\-−])\s?\d+(?:\.\d+)?\s?%")
_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
_CLAUSE = re.compile(r"[.!?;:\n]+")


def stance(text: str) -> float:
    """The lean of a text in -1..1 on a grid of 1e-4."""
    plain = _URL.sub(" ", text).replace("’", "'").lower()
    votes = [weight for clause in _CLAUSE.split(plain) for weight in _votes(_WORD.findall(clause))]
    votes += [EMOJI[char] for char in plain if char in EMOJI][:4]
    votes += [1 if match[1] == "+" else -1 for match in _PERCENT.finditer(plain)][:4]
    bullish = sum(vote for vote in votes if vote > 0)
    bearish = -sum(vote for vote in votes if vote < 0)
    return round((bullish - bearish) / (bullish + bearish + PRIOR), 4)


def _votes(spoken: list[str]) -> list[int]:
    lexicon = _lexicon()
    votes: list[int] = []
    at = 0
    while at < len(spoken):
        size, weight = next(
            ((size, lexicon[phrase]) for size in range(min(LONGEST, len(spoken) - at), 0, -1)
             if (phrase := tuple(spoken[at:at + size])) in lexicon), (1, 0))
        if weight and not NEGATORS.isdisjoint(spoken[max(0, at - NEGATION_REACH):at]):
            weight = -max(1, abs(weight) - 1) if weight > 0 else max(1, abs(weight) - 1)
        if weight:
            votes.append(weight)
        at += size
    return votes


@lru_cache(maxsize=1)
def _lexicon() -> dict[tuple[str, ...], int]:
    weights: dict[tuple[str, ...], int] = {}
    for sign, table in ((1, BULLISH), (-1, BEARISH)):
        for weight, phrases in table.items():
            weights.update({_phrase(phrase): sign * weight for phrase in phrases.split(",")})
    weights.update({_phrase(phrase): 0 for phrase in NEUTRAL.split(",")})
    return weights


def _phrase(text: str) -> tuple[str, ...]:
    return tuple(text.split())
