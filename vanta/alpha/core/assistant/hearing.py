"""A question as words: what was typed, typos mended, and what it is about. Pure.

Words are mended towards the vocabulary of the intents only, by one letter (two in long words), and only where one word
alone is near; what was mended is kept, so that it can be said. Names (ids, places, instruments, vaults) are never
mended: a name that is nearly right names something else.

    heard("whats chnaged in the last 2 hours", …)  ->  words {"what", "is", "changed", …}, mended {"chnaged": "changed"}
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

MOST = 2_000
"""Characters of a question that are looked at."""

_CONTRACTED = {
    "whats": "what is",
    "what's": "what is",
    "whys": "why is",
    "why's": "why is",
    "isnt": "is not",
    "isn't": "is not",
    "arent": "are not",
    "aren't": "are not",
    "wont": "will not",
    "won't": "will not",
    "dont": "do not",
    "don't": "do not",
    "didnt": "did not",
    "didn't": "did not",
    "doesnt": "does not",
    "doesn't": "does not",
    "cant": "can not",
    "can't": "can not",
    "hows": "how is",
    "how's": "how is",
    "whos": "who is",
    "who's": "who is",
    "i'm": "i am",
    "we're": "we are",
    "p&l": "pnl",
    "p/l": "pnl",
    "alright": "ok",
    "u": "you",
    "r": "are",
    "y": "why",
    "wtf": "what",
}
_TOKEN = re.compile(r"[^\s,;!?\"()\[\]{}<>]+")
_ID = re.compile(
    r"(?:sig1|cv1|dag1|in1|latch|cmd|vt|th|run)_[a-z0-9]{4,40}|v[a-z2-7]{6}-[a-z2-7]{0,20}(?:-\d+)*"
    r"|[0-9a-f]{64}|[a-z_]+(?:\.jsonl)?:\d{1,15}"
)
_RELEASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}@[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TICKER = re.compile(r"\$?[A-Z][A-Z0-9.]{0,5}(?:-[A-Z]{3})?")

PLAIN = frozenset(
    """a about after again ago all also am an and any are as at back be been before but by can could day days did
    do does doing for from get give go going good had has have he her here hi hello hey him his hour hours how i if in
    into is it its just last let like long look m made make many may me min mins minute minutes more morning most much
    my near need new night no none not now of off ok okay on once one only or our out over past please put really right
    same say see she should show since so some still take tell than thank thanks that the their them then there these
    they thing things think this those time to today tonight too took under until up us use very want was we week weeks
    well went were what when where which while who whole whose why will with would yes yesterday yet you your far far
    side must might happen happens happening lately recently overnight really exactly anything something everything
    nothing ever never first main current currently come""".split()
)
"""Frequent words: known, and so never mended into others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """`order` are the words in order, mended; `typed` the question as it came. Names are as the home writes them."""

    typed: str
    order: tuple[str, ...]
    mended: Mapping[str, str] = field(default_factory=dict)
    ids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    strange: tuple[str, ...] = ()
    release: str = ""

    @property
    def words(self) -> frozenset[str]:
        """Every word."""
        return frozenset(self.order)


def heard(text: str, vocabulary: Collection[str], names: Mapping[str, str]) -> Heard:
    """Take a question apart. `names` are those of the home by their small letters; `vocabulary` may be mended to."""
    typed = unicodedata.normalize("NFKC", text)[:MOST].replace("’", "'")
    order: list[str] = []
    mended: dict[str, str] = {}
    ids: list[str] = []
    found: list[str] = []
    strange: list[str] = []
    release = ""
    shouted = typed.isupper() and len(typed.split()) > 2
    for raw in _TOKEN.findall(typed):
        token = raw.rstrip(".:'").lstrip("'")
        small = token.casefold()
        if _ID.fullmatch(small):
            ids.append(small)
        elif _RELEASE.fullmatch(token):
            release = token
        elif small in _CONTRACTED:
            order += _CONTRACTED[small].split()
        elif (name := _name(token, names, vocabulary)) is not None:
            found.append(name)
        elif small in vocabulary or small in PLAIN:
            order.append(small)
        elif _TICKER.fullmatch(token) and not shouted:
            strange.append(token.lstrip("$"))
            order.append(small)
        else:
            near = nearest(small, vocabulary)
            if near is not None:
                mended[token] = near
            order.append(near or small)
    return Heard(
        typed=typed,
        order=tuple(order),
        mended=mended,
        ids=tuple(ids),
        names=tuple(dict.fromkeys(found)),
        strange=tuple(strange),
        release=release,
    )


def _name(token: str, names: Mapping[str, str], vocabulary: Collection[str]) -> str | None:
    """What of the home a token names. A word of the language is one only if it was written in capitals."""
    bare = token.removeprefix("$")
    small = bare.casefold()
    if small not in names:
        return None
    if (small in vocabulary or small in PLAIN or len(small) < 3) and not (bare.isupper() and bare != "I"):
        return None
    return names[small]


def nearest(word: str, vocabulary: Collection[str]) -> str | None:
    """The one word of the vocabulary that this was meant to be; `None` if there is none, or more than one."""
    if len(word) < 4 or not word.isalpha():
        return None
    room = 1 if len(word) < 8 else 2
    close = sorted(
        (distance(word, one, room), one) for one in vocabulary if abs(len(one) - len(word)) <= room and len(one) > 3
    )
    best = [one for far, one in close if far == close[0][0] <= room]
    return best[0] if len(best) == 1 else None


def distance(one: str, other: str, room: int) -> int:
    """How many letters were left out, put in, changed or swapped; more than `room` is only told as more."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, start=1):
        last, before, row = before, row, [at]
        for place, wanted in enumerate(other, start=1):
            cost = min(before[place] + 1, row[place - 1] + 1, before[place - 1] + (letter != wanted))
            if at > 1 and place > 1 and letter == other[place - 2] and one[at - 2] == wanted:
                cost = min(cost, last[place - 2] + 1)
            row.append(cost)
        if min(row) > room:
            return room + 1
    return row[-1]
