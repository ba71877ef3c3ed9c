"""Where the `sec` feed stands between passes. Pure.

EDGAR lists filings newest first, but one may turn up below others that were accepted after it, and a page
shifts while it is read. So the cursor is not a position: it is the newest acceptance time seen, and the
accessions accepted in the minutes before it. New is what is in neither; paging stops where everything is older.

Filings that are listed but could not be fetched stay pending until they are three days old, so that one bad answer
or a spent budget loses nothing and nothing is asked for forever.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from vanta.common.times import iso, parse_iso

OVERLAP = timedelta(minutes=10)
PATIENCE = timedelta(days=3)
FORMS = ("4", "4/A")
_ACCESSION = re.compile(r"\d{10}-\d{2}-\d{6}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filing to fetch: its folder, its accession number and when it was accepted."""

    folder_cik: str
    accession: str
    accepted: datetime

    @property
    def path(self) -> str:
        """Where the full submission lies below the archive's root."""
        return f"/Archives/edgar/data/{self.folder_cik}/{self.accession.replace('-', '')}/{self.accession}.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The cursor. `newest` is `None` before the first pass."""

    newest: datetime | None = None
    seen: frozenset[str] = frozenset()
    pending: tuple[Wanted, ...] = field(default_factory=tuple)

    @classmethod
    def parse(cls, cursor: Mapping[str, str]) -> "Place":
        """Read the stored form; what cannot be read is left out, which only costs a second look."""
        try:
            newest = parse_iso(cursor["accepted"])
        except (KeyError, ValueError):
            return cls()
        seen = frozenset(_ACCESSION.findall(cursor.get("seen", "")))
        parts = (item.split("|") for item in cursor.get("pending", "").split())
        return cls(newest=newest, seen=seen, pending=tuple(
            Wanted(part[0], part[1], parse_iso(part[2])) for part in parts if len(part) == 3))

    def text(self) -> dict[str, str]:
        """The stored form."""
        if self.newest is None:
            return {}
        pending = (f"{one.folder_cik}|{one.accession}|{iso(one.accepted)}" for one in self.pending)
        return {"accepted": iso(self.newest), "seen": " ".join(sorted(self.seen)), "pending": " ".join(pending)}

    def is_new(self, entry: Mapping[str, Any]) -> bool:
        """Whether an entry of a page was not there at the last pass."""
        if self.newest is None:
            return True
        return accepted(entry) >= self.newest - OVERLAP and entry["accession"] not in self.seen

    def reaches(self, entries: Iterable[Mapping[str, Any]]) -> bool:
        """Whether a page goes back so far that older pages hold nothing new."""
        return self.newest is not None and any(accepted(entry) < self.newest - OVERLAP for entry in entries)

    def wanted(self, entries: Iterable[Mapping[str, Any]]) -> list[Wanted]:
        """What to fetch: the pending ones, then new Forms 4 and 4/A by acceptance, each accession once."""
        found = {one.accession: one for one in self.pending}
        fresh = (entry for entry in entries if entry["form"] in FORMS and self.is_new(entry))
        for entry in sorted(fresh, key=lambda entry: (accepted(entry), entry["accession"], entry["role"] != "Issuer")):
            found.setdefault(entry["accession"], Wanted(entry["folder_cik"], entry["accession"], accepted(entry)))
        return list(found.values())

    def after(self, entries: Sequence[Mapping[str, Any]], fetched: set[str], now: datetime) -> "Place":
        """The place after a pass that saw `entries` and fetched the accessions `fetched`."""
        newest = max([*map(accepted, entries), *([self.newest] if self.newest else [])], default=None)
        if newest is None:
            return self
        near = {entry["accession"] for entry in entries if accepted(entry) >= newest - OVERLAP}
        kept = self.seen if newest == self.newest else frozenset[str]()
        pending = tuple(one for one in self.wanted(entries)
                        if one.accession not in fetched and one.accepted > now - PATIENCE)
        return Place(newest=newest, seen=kept | near, pending=pending)


def accepted(entry: Mapping[str, Any]) -> datetime:
    """When an entry's filing was accepted; the parser has made sure that this can be read."""
    return parse_iso(entry["accepted"])
