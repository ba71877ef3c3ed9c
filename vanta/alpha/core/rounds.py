"""What was a cycle made of, and what did it make? A tree of plain sentences from the records of both cycle logs. Pure.

A cycle is one reflection or one promotion, named by its inputs (`dag1_…`), so that the same inputs again make a cycle
of the same name: every record of that name is told. Example of a reflection's first lines:

    Cycle dag1_… : a reflection by markets reflect 0.1.0 at 2026-…, revision 3: 11 claims, 0 silent, 9 convictions.
      It read sec_signals.json in the version 73ca7947076e364e.
      crypto had no weight: crypto_signals.json does not exist
      It made trade_signals.json in the version cf725320f330ca21.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from vanta.alpha.core.lineage import Lineage
from vanta.alpha.core.node import Node
from vanta.alpha.core.watchers import outputs
from vanta.alpha.core.words import count, several, short, when
from vanta.common.events import Kind
from vanta.common.paths import TRADE_SIGNALS, signals_file
from vanta.common.store.ports import Record

CYCLE = "dag1_"
"""How the ids of cycles begin."""


def explain_cycle(name: str, records: Sequence[Record], lineage: Lineage) -> Node:
    """The tree of one cycle. `records` are those of all cycles; at least one has to be of this name."""
    own = [record for record in records if record.dag_id == name]
    parts = [_told(record, records, lineage) for record in own]
    return parts[0] if len(parts) == 1 else Node("cycle", name, f"Cycle {name} was made {len(parts)} times.", {},
                                                 tuple(parts))


def _told(record: Record, records: Sequence[Record], lineage: Lineage) -> Node:
    said, reflection = record.payload, record.kind == Kind.REFLECTED
    counts = several(f"{value:,} {name}" for name, value in said["counts"].items()) if reflection else (
        f"{count(len(said['staged']), 'intent')} staged, {len(said['withdrawn']):,} withdrawn, "
        f"{len(said['removed']):,} removed from the queue")
    what = "a reflection" if reflection else "a promotion"
    text = (f"Cycle {record.dag_id}: {what} by {said['by']} at {when(said['now'])}, revision {said['revision']}: "
            f"{counts}.")
    results = _convictions(record, lineage) if reflection else map(lineage.outcome, said["staged"])
    return Node("cycle", str(record.dag_id), text, dict(said),
                (*_read(record), *_made(record), *results, *_others(record, records)))


def _read(record: Record) -> Iterator[Node]:
    """Files by version, and what was not there."""
    said = record.payload
    if record.kind == Kind.REFLECTED:
        for feed in said["cause"]["without_weight"]:
            why = {**said["cause"]["unread"], **said["unreadable"]}.get(feed, "it is not fresh")
            yield Node("missing", feed, f"{feed} had no weight: {why}.", {}, ())
    for file, digest in _inputs(record).items():
        yield Node("input", digest, f"It read {file} in the version {short(digest)}.", {"sha256": digest}, ())


def _inputs(record: Record) -> Mapping[str, str]:
    """The hash of each file that a cycle read."""
    said = record.payload
    return {signals_file(feed): digest for feed, digest in said["cause"]["inputs"].items()} \
        if record.kind == Kind.REFLECTED else said["inputs"]


def readers(file: str, digest: str, records: Iterable[Record]) -> Iterator[Record]:
    """The cycles that read this version of a file."""
    return (record for record in records if _inputs(record).get(file) == digest)


def _made(record: Record) -> Iterator[Node]:
    for file, digest in outputs(record):
        yield Node("output", digest, f"It made {file} in the version {short(digest)}.", {"sha256": digest}, ())


def _convictions(record: Record, lineage: Lineage) -> Iterator[Node]:
    """The convictions of a reflection, as far as their file is kept, with the intents that they led to."""
    rows = [row for row in lineage.evidence.convictions.values() if row["dag_id"] == record.dag_id]
    for row in sorted(rows, key=lambda one: int(one["rank"])):
        asked = [name for name in lineage.trail.asked_by(row["signal_id"])
                 if (lineage.trail.intent(name) or {}).get("provenance", {}).get("dag_id") == record.dag_id]
        text = (f"Conviction {row['signal_id']}: {row['entity']} {row['direction']}, "
                f"{row['conviction_bp']:,} of 10,000, rank {row['rank']}.")
        yield Node("conviction", row["signal_id"], text, {}, tuple(map(lineage.outcome, asked)))
    if not rows and record.payload["counts"].get("convictions"):
        yield Node("missing", TRADE_SIGNALS, "The convictions that it made are no longer kept here.", {}, ())


def _others(record: Record, records: Iterable[Record]) -> Iterator[Node]:
    """The cycles that read what this one made, or made what this one read."""
    mine, given = dict(outputs(record)).get(TRADE_SIGNALS), record.payload.get("inputs", {}).get(TRADE_SIGNALS)
    for other in records:
        if mine is not None and other.payload.get("inputs", {}).get(TRADE_SIGNALS) == mine:
            yield Node("cycle", str(other.dag_id), f"Promoted in cycle {other.dag_id} at {when(other.at)}.", {}, ())
        if given is not None and dict(outputs(other)).get(TRADE_SIGNALS) == given:
            yield Node("reflection", str(other.dag_id),
                       f"It rests on the reflection of cycle {other.dag_id} at {when(other.at)}.",
                       {}, ())
