"""The posts behind one mention signal: kept small, merged over passes, counted honestly. Pure.

Decides which posts a (ticker, six-hour bucket) rests on when a later pass sees only some of them again, how many
independent voices that is, and whether a cluster looks like a campaign. Refuses to know texts: of each post only an
id, a hash of its author, its time, lean, certainty, cluster and place in the evidence remain.

Voices: a cluster of near-identical posts by several authors is one voice, whoever is in it adds no other; everybody
else is one voice however often they post. Example: five accounts posting one text and two people posting their own
are three voices.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields, replace
from itertools import pairwise
from statistics import mean, pstdev
from typing import Any

MOST = 400  # earliest posts that one bucket keeps; by then its count has long saturated
SWARM_POSTS = 5
BURST_S = 1800


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One post. `stance_bp` and `confidence_bp` are ten-thousandths; `verbatim` is a hash of a long text, else ''.

    `confidence_bp` and `method` say how surely and how it names the asset. `cluster` is the id of the
    earliest post of its near-duplicates, `sha` the start of its payload's hash, `path` its
    place in it.
    """

    id: str
    author: str
    created_s: int
    stance_bp: int
    confidence_bp: int
    method: str
    cluster: str
    verbatim: str
    sha: str
    path: str

    def says_the_same(self, other: "Member") -> bool:
        """Equal in everything but its cluster and where it was seen."""
        return replace(self, cluster="", sha="", path="") == replace(other, cluster="", sha="", path="")


_FIELDS = tuple(field.name for field in fields(Member))


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One independent voice: its mean lean and its best certainty, in ten-thousandths."""

    stance_bp: int
    confidence_bp: int


def digest(text: str) -> str:
    """Eight hex digits that stand for an author or a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def encode(members: Iterable[Member]) -> str:
    """One line of text for a signal's features."""
    return ";".join(",".join(str(value) for value in astuple(member)) for member in members)


def decode(text: str) -> list[Member]:
    """The inverse of `encode`; entries of another form are left out."""
    found = []
    for entry in text.split(";"):
        parts = entry.split(",")
        if len(parts) == len(_FIELDS) and all(part.removeprefix("-").isdigit() for part in parts[2:5]):
            values: dict[str, Any] = dict(zip(_FIELDS, parts, strict=True))
            found.append(Member(**values | {name: int(values[name]) for name in _FIELDS[2:5]}))
    return found


def merge(known: list[Member], fresh: list[Member], seen: frozenset[str]) -> list[Member]:
    """What the bucket rests on now, earliest first: fresh posts, and known ones that this pass did not see.

    `seen` holds every id of this pass, gone ones included: a known post among them that is not fresh has been deleted
    or no longer names the ticker. A post that says the same as before keeps the evidence of its first sight.
    Clusters that share a post become one.
    """
    old = {member.id: member for member in known}
    current = {member.id: member for member in known if member.id not in seen}
    for member in fresh:
        first = old.get(member.id)
        kept = replace(first, cluster=member.cluster) if first and first.says_the_same(member) else member
        current[member.id] = kept
    joined = _Clusters()
    for member in (*known, *fresh):
        joined.join(member.id, member.cluster)
    ordered = sorted(current.values(), key=lambda member: (member.created_s, member.id))[:MOST]
    root: dict[str, str] = {}
    return [replace(m, cluster=root.setdefault(joined.find(m.id), m.id)) for m in ordered]


class _Clusters:
    """Union-find over ids."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def find(self, name: str) -> str:
        while (parent := self._parent.setdefault(name, name)) != name:
            name = parent
        return name

    def join(self, one: str, other: str) -> None:
        low, high = sorted((self.find(one), self.find(other)))
        self._parent[high] = low


def voices(members: list[Member]) -> list[Voice]:
    """The independent voices, in a fixed order."""
    shared = {name for name, group in _groups(members).items() if len({m.author for m in group}) > 1}
    copied = {m.author for m in members if m.cluster in shared}
    by_voice: dict[str, list[Member]] = {}
    for member in members:
        if member.cluster in shared:
            by_voice.setdefault(f"cluster {member.cluster}", []).append(member)
        elif member.author not in copied:
            by_voice.setdefault(f"author {member.author}", []).append(member)
    return [_voice(by_voice[name]) for name in sorted(by_voice)]


def _voice(members: list[Member]) -> Voice:
    weight = sum(m.confidence_bp for m in members)
    lean = sum(m.stance_bp * m.confidence_bp for m in members)
    return Voice(stance_bp=round(lean / weight) if weight else 0, confidence_bp=max(m.confidence_bp for m in members))


def swarm_posts(members: list[Member]) -> int:
    """How many of the posts belong to clusters that look like campaigns.

    That is at least five near-identical posts by at least five authors that meet two of: most of them within half an
    hour, evenly spaced like a timer, word for word the same long text.
    """
    return sum(len(group) for group in _groups(members).values() if _is_swarm(group))


def _groups(members: list[Member]) -> dict[str, list[Member]]:
    groups: dict[str, list[Member]] = {}
    for member in members:
        groups.setdefault(member.cluster, []).append(member)
    return groups


def _is_swarm(group: list[Member]) -> bool:
    if len(group) < SWARM_POSTS or len({member.author for member in group}) < SWARM_POSTS:
        return False
    times = sorted(member.created_s for member in group)
    busiest = max(sum(start <= time <= start + BURST_S for time in times) for start in times)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    texts = [member.verbatim for member in group if member.verbatim]
    same = max((texts.count(text) for text in set(texts)), default=0)
    burst = busiest * 10 >= len(group) * 6
    timer = mean(gaps) > 0 and pstdev(gaps) < 0.3 * mean(gaps)
    word_for_word = same * 10 >= len(group) * 8
    return burst + timer + word_for_word >= 2
