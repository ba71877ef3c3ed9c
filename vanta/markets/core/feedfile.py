"""From one pass of one feed to the next `<feed>_signals.json`. Pure.

Decides the feed's status, what the pass did in numbers and what the file holds next. Refuses to know transports,
locks and clocks. Called by the runner when it collects and again by replay: same inputs, same bytes.

| status | when | signals |
|---|---|---|
| ok | everything that was fetched could be used; "no news" is ok too | the merged window |
| partial | some of it could not be fetched or used | the merged window |
| error | nothing could be used | left as they were |

`stale` is never written: only a reader knows how late it is (`freshness.status_at`).
Example: two payloads, one of them cut short → `partial`, "cut_short: ends inside an entry (file:b.atom); 3 new".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from vanta.common.models.signal import FeedCounts, FeedDocument, FeedProblem, FeedStatus
from vanta.common.times import iso
from vanta.markets.core.records import Normalised, Problem
from vanta.markets.core.window import Frame, Merged, merge

MOST_ERRORS = 50
"""Problems listed in the file; all of them are in the snapshot that the collection log names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What transport and parser have to say.

    Of `payloads`, `whole` were read to their end; `missed` are those that could not even be had. `failure` is why
    fetching ended early, `None` if it did not.
    """

    payloads: int
    whole: int
    records: int
    missed: int = 0
    problems: Sequence[Problem] = ()
    failure: str | None = None

    @property
    def complete(self) -> bool:
        """Whether all there was could be used."""
        return self.failure is None and self.missed == 0 and self.whole == self.payloads

    @property
    def usable(self) -> bool:
        """Whether there is anything to go on with. Nothing new is something."""
        return self.complete or self.records > 0 or self.whole > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """Who writes the file, in which pass, for which window."""

    feed: str
    run_id: str
    by: str
    now: datetime
    window_s: int
    history_s: int = 0


def next_document(previous: FeedDocument | None, seen: Seen, normalised: Normalised | None,
                  stamp: Stamp) -> FeedDocument:
    """The file after this pass. `normalised` is `None` if there was nothing usable to normalise."""
    if normalised is None:
        return _after_error(previous, seen, stamp)
    frame = Frame(now=stamp.now, window_s=stamp.window_s, history_s=stamp.history_s,
                  high=previous.window_to if previous else None)
    merged = merge(previous.signals if previous else (), normalised.signals, frame)
    problems = [*seen.problems, *normalised.problems, *merged.problems]
    counts = FeedCounts(
        payloads=seen.payloads, records=seen.records, signals_new=merged.new, signals_updated=merged.updated,
        late=merged.late, expired=merged.expired, duplicates=normalised.duplicates + merged.duplicates,
        not_signals=normalised.not_signals, rejected=len(problems))
    status: FeedStatus = "ok" if seen.complete else "partial"
    done = _summary(merged, counts)
    reason = done if status == "ok" else f"{cause(seen)}; {done}"
    now = iso(stamp.now)
    return FeedDocument(
        revision=previous.revision + 1 if previous else 1, written_at=now, written_by=stamp.by, feed=stamp.feed,
        status=status, status_reason=reason, generated_at=now, last_success_at=now, run_id=stamp.run_id,
        window_from=frame.begins, window_to=merged.high, counts=counts, errors=listed(problems),
        signals=list(merged.signals))


def _after_error(previous: FeedDocument | None, seen: Seen, stamp: Stamp) -> FeedDocument:
    now = iso(stamp.now)
    return FeedDocument(
        revision=previous.revision + 1 if previous else 1, written_at=now, written_by=stamp.by, feed=stamp.feed,
        status="error", status_reason=cause(seen), generated_at=now, run_id=stamp.run_id,
        last_success_at=previous.last_success_at if previous else None,
        window_from=previous.window_from if previous else None, window_to=previous.window_to if previous else None,
        counts=FeedCounts(payloads=seen.payloads, records=seen.records, rejected=len(seen.problems)),
        errors=listed(seen.problems), signals=previous.signals if previous else [])


def cause(seen: Seen) -> str:
    """What went wrong, in one sentence."""
    if seen.failure is not None:
        return seen.failure
    if not seen.problems:
        return f"{seen.payloads - seen.whole} of {seen.payloads} payloads could not be used whole"
    first = seen.problems[0]
    more = f" (and {len(seen.problems) - 1} more)" if len(seen.problems) > 1 else ""
    return f"{first.code}: {first.detail} ({first.where}){more}"


def listed(problems: Sequence[Problem]) -> list[FeedProblem]:
    """The problems as the file lists them: all, or the first ones and how many more there are."""
    shown = [FeedProblem(code=one.code, detail=one.detail, where=one.where) for one in problems[:MOST_ERRORS]]
    if len(problems) > MOST_ERRORS:
        shown.append(FeedProblem(code="more", where="collection_log.jsonl",
                                 detail=f"{len(problems) - MOST_ERRORS} more; the collection log names all"))
    return shown


def _summary(merged: Merged, counts: FeedCounts) -> str:
    parts = ((counts.signals_new, "new"), (counts.signals_updated, "updated"), (counts.late, "late"),
             (counts.duplicates, "repeated"), (counts.expired, "expired"), (counts.rejected, "rejected"))
    said = ", ".join(f"{count} {what}" for count, what in parts if count)
    return said or f"nothing new, {len(merged.signals)} live"
