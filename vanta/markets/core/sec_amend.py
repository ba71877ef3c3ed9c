"""Which filings a Form 4/A replaces. Pure.

An amendment names no accession number, only the day of the original. It replaces what the same owners filed
about the same issuer for the same period on that day; a later amendment of the same original replaces the
earlier one. Both papers stay on record: a replaced claim is retracted, never deleted.

Where several originals fit (a report split over many forms), all are retracted and the caller is told: too
little evidence is better than the same trades twice. Which of two papers came first is decided by public
time, then accession, so that the order of arrival does not matter.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vanta.common.models.signal import Signal
from vanta.common.times import iso
from vanta.markets.core.sec_filing import Filing

Family = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Paper:
    """One filing as far as amendments care. `families` are (issuer, owners, period, original day)."""

    public_at: str
    key: str
    amends: bool
    families: tuple[Family, ...]


def of_filing(filing: Filing) -> Paper:
    """The paper of a filing of this pass."""
    days = (filing.original_date,) if filing.amends else filing.filed
    owners = " ".join(filing.owners)
    return Paper(iso(filing.public_at), filing.key, filing.amends, tuple(
        (filing.issuer_cik, owners, filing.period, day) for day in days if day and owners))


def of_signal(signal: Signal) -> Paper:
    """The paper behind a known claim; its features hold what is needed."""
    text = {name: str(value) for name, value in signal.features.items()}
    amends = text["form"].endswith("/A")
    days = text.get("original_date", "").split() if amends else text["filed"].split()
    return Paper(signal.published_at, text["accession"], amends, tuple(
        (text["issuer_cik"], text["owners"], text["period"], day) for day in days if text["owners"]))


@dataclass(frozen=True, slots=True)
class Replacements:
    """`by` maps a replaced filing to the amendment that stands; `ambiguous` are amendments that fit several."""

    by: Mapping[str, str]
    ambiguous: frozenset[str]

    def originals_of(self, key: str) -> list[str]:
        """What `key` replaces, in order."""
        return sorted(old for old, new in self.by.items() if new == key)


def replacements(papers: Iterable[Paper]) -> Replacements:
    """Decide for all papers at once. The same paper may be given more than once."""
    families: dict[Family, dict[str, Paper]] = {}
    for paper in papers:
        for family in paper.families:
            families.setdefault(family, {})[paper.key] = paper
    by: dict[str, str] = {}
    ambiguous = set()
    for _, members in sorted(families.items()):
        order = sorted(members.values(), key=lambda paper: (paper.public_at, paper.key))
        last = max((at for at, paper in enumerate(order) if paper.amends), default=0)
        for paper in order[:last]:
            by[paper.key] = order[last].key
        if sum(not paper.amends for paper in order[:last]) > 1:
            ambiguous.add(order[last].key)
    return Replacements(by, frozenset(ambiguous))
