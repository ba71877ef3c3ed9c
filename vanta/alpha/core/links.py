"""Was what a step read written by the step before it? Pure.

Each recorded pass and cycle follows from its inputs; that its inputs are what the earlier steps wrote is a question of
its own. A feed's file, `trade_signals.json`, the allocation and the queue have one writer, which records the hash of
every version: a version that was read and never written was put there by somebody else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from vanta.common.events import Kind
from vanta.common.paths import ALLOCATION, QUEUE, TRADE_SIGNALS, signals_file
from vanta.common.store.ports import Record

_OWN = (TRADE_SIGNALS, ALLOCATION, QUEUE)


@dataclass(frozen=True, slots=True)
class Unwritten:
    """A file that was read in a version which nobody recorded writing. `last` is the recorded one of then, if any."""

    file: str
    digest: str
    last: str | None


@dataclass(slots=True)
class Written:
    """Every version of every document that the logs say was written, in order and with its time."""

    versions: dict[str, dict[str, str]] = field(default_factory=dict)

    def note(self, outputs: Iterator[tuple[str, str]], at: str) -> None:
        """Take note of what a record wrote, by file."""
        for name, digest in outputs:
            self.versions.setdefault(name, {}).setdefault(digest, at)

    def unwritten(self, record: Record) -> Iterator[Unwritten]:
        """What a record says was read and no record wrote."""
        for name, digest in _reads(record).items():
            known = self.versions.get(name, {})
            if digest not in known:
                before = [one for one, at in known.items() if at <= record.at] or list(known)[:1]
                yield Unwritten(name, digest, before[-1] if before else None)


def _reads(record: Record) -> Mapping[str, str]:
    """File and hash of what a record read of the files that other recorded steps write."""
    body = record.payload
    if record.kind == Kind.COLLECTED:
        before = body["inputs"]["previous"]
        return {} if before is None else {body["output"]["file"]: before}
    if record.kind == Kind.REFLECTED:
        return {signals_file(feed): digest for feed, digest in body["cause"]["inputs"].items()}
    return {name: body["inputs"][name] for name in _OWN if name in body["inputs"]}
