"""Reading a home for its report: documents first, then the logs, then the snapshots that they name. Reads only.

Whatever cannot be read becomes a gap that the page names, never a guess.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime

import orjson

from vanta.alpha.core.cuts import Cuts
from vanta.alpha.core.inputs import is_digest
from vanta.alpha.core.report.ground import Takes
from vanta.alpha.core.report.history import History
from vanta.alpha.core.report.sightings import NONE, Sightings
from vanta.alpha.core.report.whole import Look
from vanta.alpha.core.sights import Limits
from vanta.alpha.core.summary import rows
from vanta.alpha.facts import gather, whole
from vanta.alpha.housekeeping import usage
from vanta.alpha.reading import records
from vanta.alpha.wire import snapshots
from vanta.common.errors import Missing, StateError
from vanta.common.models.configuration import Settings
from vanta.common.paths import (
    COLLECTION_LOG,
    CONTROL_LOG,
    OPEN_ORDERS,
    PNL,
    PORTFOLIO,
    REFLECTION_LOG,
    SIMULATION,
    TRADE_LOG,
    Home,
)
from vanta.common.store.atomic import read
from vanta.common.store.ports import Record, Snapshots
from vanta.common.times import iso, millis_of

_FOLDS = (PORTFOLIO, OPEN_ORDERS, PNL)


class Reporter:
    """One look at one home, as of `now`. `gaps` is what could not be read; those that are known are handed in."""

    def __init__(self, home: Home, settings: Settings, now: datetime, gaps: Sequence[str] = ()) -> None:
        self._home = home
        self._settings = settings
        self._now = whole(home.file(SIMULATION)).time("ends") or now  # a simulated home lives in its own time
        self.gaps = list(gaps)

    def look(self, today: date) -> Look:
        """Everything. `today` is the host's, by which files are dated."""
        facts = gather(self._home, self._settings, self._now)
        cuts, known = Cuts(dict(self._documents())), len(self.gaps)
        history, sightings = History(cuts), Sightings()
        self._each(TRADE_LOG, history.take)
        history.end()
        self._each(CONTROL_LOG, lambda record: history.reign.take(record, millis_of(record.at), "control_log"))
        for name in (COLLECTION_LOG, REFLECTION_LOG):
            self._each(name, sightings.take)
        if len(self.gaps) == known and not history.problem:  # behind a break nothing is known
            cuts.end(history.book)
        self.gaps += [f"{one.file} {one.text}" for one in cuts.findings]
        store = snapshots(self._home)
        chosen = sightings.chosen(store.has)
        versions = _kept(store, {digest for _, digest in chosen if digest != NONE})
        return Look(
            now=iso(self._now), history=history, sightings=sightings, chosen=chosen,
            versions={digest: _json(raw) for digest, raw in versions.items()},
            overlays=_kept(store, {digest for _, digest in history.reign.overlays if is_digest(digest)}),
            checks=rows(facts, Limits()), gaps=self.gaps,
            takes=[Takes(one.what, one.size, one.days, one.per_day()) for one in usage(self._home, today)])

    def _documents(self) -> Iterator[tuple[str, bytes]]:
        for name in _FOLDS:
            try:
                yield name, read(self._home.file(name))
            except Missing:
                continue
            except StateError as error:
                self.gaps.append(error.what)

    def _each(self, name: str, take: Callable[[Record], None]) -> None:
        """Every record of a log up to the first break, which becomes a gap."""
        try:
            for record in records(self._home.file(name)):
                take(record)
        except StateError as error:
            self.gaps.append(f"{error.what}; what comes before it is shown")


def _kept(store: Snapshots, digests: set[str]) -> dict[str, bytes]:
    """The snapshots among these that are there and whole; the page tells of the others what is not known of them."""
    found = {}
    for digest in sorted(digests):
        try:
            found[digest] = store.get(digest)
        except StateError:
            continue
    return found


def _json(raw: bytes) -> object:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
