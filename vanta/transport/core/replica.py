"""May what arrived of a log be appended to the replica? Only if it goes on exactly where that ends. Pure.

    held = Held(head, line)                       the replica's end, and its last line
    after(held, arrived)                          the new bytes; `Refusal` if `arrived` does not begin with that line
    adopt(held, new, points, covered=True)        how much of them may be appended, and the end after that

What arrives is asked for from the replica's last line on. A log whose last line is another one there was made anew or
changed (`forked`), one that has fewer bytes was cut (`cut`), one whose lines do not follow one another, or not its own
signed checkpoints, is `broken`. Since each line names the hash of the one before, one equal line stands for all.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from vanta.common.canonical import sha256
from vanta.common.errors import StateError
from vanta.common.store.chain import START, chain
from vanta.common.store.checkpoint import Checkpoint, decode, is_genuine
from vanta.common.store.ports import GENESIS, Head

Fault = Literal["forked", "cut", "broken"]


class Refusal(Exception):
    """Why something is not adopted; never an error of this host. `fault` names the kind, `evidence` the bytes."""

    def __init__(self, fault: Fault, what: str, evidence: bytes = b"") -> None:
        super().__init__(what)
        self.fault, self.what, self.evidence = fault, what, evidence


class Held(NamedTuple):
    """A replica's end: its head in the whole log's count, and the last line with its end, empty at the beginning."""

    head: Head
    line: bytes


EMPTY = Held(START, b"")


class Adopted(NamedTuple):
    """How many of the new bytes may be appended, the replica's end then, and how many checkpoints that used up."""

    size: int
    held: Held
    points: int


class Points(NamedTuple):
    """Checkpoints in order: the parsed ones, and the raw lines with their ends that they come from."""

    parsed: tuple[Checkpoint, ...]
    raw: tuple[bytes, ...]


def asked_from(held: Held) -> int:
    """The byte from which the log is asked for: the beginning of the replica's last line."""
    return held.head.size - len(held.line)


def after(held: Held, arrived: bytes, name: str) -> bytes:
    """What follows the replica's last line in `arrived`. Raises `Refusal`."""
    if not held.line:
        return arrived
    if len(arrived) < len(held.line):
        raise Refusal("cut", f"{name} ends before byte {held.head.size:,}, which the replica holds: it was cut",
                      arrived)
    if not arrived.startswith(held.line):
        raise Refusal("forked", f"{name}: record {held.head.seq:,} is not the one that the replica holds: it was "
                      "changed or made anew", arrived)
    return arrived[len(held.line):]


def adopt(held: Held, new: bytes, points: Sequence[Checkpoint], *, name: str, covered: bool) -> Adopted:
    """See the module's contract. Raises `Refusal`.

    With `covered`, what no checkpoint covers waits; without, whole lines are adopted, but none that contradicts one.
    """
    whole = new[:new.rfind(b"\n") + 1]
    at, seq, used, good = held.head.size, held.head.seq, _behind(held, points, name), Adopted(0, held, 0)
    good = good._replace(points=used)
    lines = iter(whole.split(b"\n")[:-1])
    try:
        for record in chain(whole, name=name, previous=held.head):
            line = next(lines)
            at, seq = at + len(line) + 1, record.seq
            here = Head(record.seq, record.hash, at)
            sealed = False
            while used < len(points) and points[used].seq == seq:
                _insist(points[used], here, name, whole)
                used, sealed = used + 1, True
            if sealed or not covered:
                good = Adopted(at - held.head.size, Held(here, line + b"\n"), used)
    except StateError as error:
        raise Refusal("broken", error.what, new) from error
    return good


def _behind(held: Held, points: Sequence[Checkpoint], name: str) -> int:
    """How many of the checkpoints are about what the replica holds already. One about its very end has to fit it."""
    count = 0
    for point in points:
        if point.seq > held.head.seq:
            break
        if point.seq == held.head.seq:
            _insist(point, held.head, name, held.line)
        count += 1
    return count


def _insist(point: Checkpoint, here: Head, name: str, evidence: bytes) -> None:
    if (point.size, point.head) != (here.size, here.hash):
        raise Refusal("broken", f"{name}: record {here.seq:,} is not the one that its checkpoint covers", evidence)


def follow(raw: bytes, before: bytes, trusted: tuple[str, ...], *, name: str, later: bool = False) -> Points:
    """Whole lines of checkpoints that follow the line `before` (with its end; empty: the first). Raises `Refusal`.

    One signature vouches for the lines before it, so that the last one of each key is looked at. `later` says that the
    log begins later than at its first record, so that its first checkpoint follows one that cannot be known.
    """
    lines = raw.split(b"\n")[:-1]
    try:
        last = decode(before[:-1], where=name) if before else None
        found = [decode(line, where=name) for line in lines]
    except StateError as error:
        raise Refusal("broken", error.what, raw) from error
    prev = sha256(before[:-1]) if before else found[0].prev if later and found else GENESIS
    for number, (line, one) in enumerate(zip(lines, found, strict=True)):
        why = _wrong(one, last, prev, trusted, name)
        ends = number + 1 == len(found) or found[number + 1].key != one.key
        if not why and (ends or (later and not number)) and not is_genuine(line, one):
            why = "is not signed with the key that it names"
        if why:
            raise Refusal("broken", f"checkpoints of {name}, about record {one.seq:,}: this one {why}", raw)
        last, prev = one, sha256(line)
    return Points(tuple(found), tuple(line + b"\n" for line in lines))


def _wrong(one: Checkpoint, before: Checkpoint | None, prev: str, trusted: tuple[str, ...], name: str) -> str:
    """Why a checkpoint cannot stand where it does, empty if it can."""
    if one.journal != name:
        return f"is about {one.journal}"
    if one.prev != prev:
        return "does not follow the one before it"
    if one.key not in trusted:
        return "is signed with a key that the list of keys does not name"
    if before is not None and trusted.index(one.key) < _place(before.key, trusted):
        return "is signed with a key that had been replaced"
    if before is not None and (one.seq < before.seq or (one.seq == before.seq and one.head != before.head)):
        return f"comes after one about record {before.seq:,}"
    return ""


def _place(key: str, trusted: tuple[str, ...]) -> int:
    return trusted.index(key) if key in trusted else 0


def grown(before: bytes, now: bytes, name: str) -> bool:
    """Whether a list that only grows has grown. Raises `Refusal` if it does not begin as it did."""
    if not now.startswith(before):
        raise Refusal("forked", f"{name} does not begin with the lines that were seen before: it was changed or cut",
                      now)
    return now != before
