"""Signed heads of a journal: what a chain alone cannot show, that its tail is all there and that it was not made anew.

    {"journal":"trade_log.jsonl","seq":128,"size":91230,"head":"<sha256 of line 128>","at":"…Z","state":null,
     "key":"<public key>","prev":"<sha256 of the line before>","sig":"<Ed25519 over the line without its sig>"}

Each line names the hash of the line before, so that one signature vouches for all lines up to it. Pure; the file is
`checkpoints.py`'s. `state` names the newest snapshot of what the journal folds to, at this record or an earlier one.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import orjson

from vanta.common.canonical import sha256
from vanta.common.errors import StateError
from vanta.common.events import Kind
from vanta.common.signatures import Signer, is_signed
from vanta.common.store.ports import GENESIS

FOLDER = "checkpoints"
"""Beside the journals: one file for each, of the same name."""

_MARK = b',"sig":"'
STARTS = frozenset({Kind.PROGRAM_STARTED, Kind.TAIL_REPAIRED, Kind.LATCH_SET})
"""What may follow an orderly stop, whose end is signed: the next start. Anything else was put in by somebody."""

CURE = "Keep the whole home as evidence; `vanta verify` says what does not fit."


class Checkpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line. `head`, `seq` and `size` are those of the journal after its record number `seq`."""

    journal: str
    seq: int
    size: int
    head: str
    at: str
    state: str | None
    key: str
    prev: str
    sig: str = ""


_decode = msgspec.json.Decoder(Checkpoint).decode


def encode(checkpoint: Checkpoint, signer: Signer) -> bytes:
    """The line without its newline, signed."""
    unsigned: dict[str, Any] = msgspec.structs.asdict(checkpoint)
    del unsigned["sig"]
    body = orjson.dumps(unsigned)
    return body[:-1] + _MARK + signer.sign(body).encode() + b'"}'


def decode(line: bytes, *, where: str) -> Checkpoint:
    """The shape of a line; its signature is looked at by `is_genuine`. Raises `StateError`."""
    try:
        return _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StateError(f"{where}: not a checkpoint: {error}", CURE) from error


def is_genuine(line: bytes, one: Checkpoint) -> bool:
    """Whether the line was signed with the key that it names, and is to the byte what was written then."""
    body, mark, rest = line.rpartition(_MARK)
    return bool(mark) and rest == one.sig.encode() + b'"}' and is_signed(body + b"}", one.sig, one.key)


class Covered(NamedTuple):
    """What a checkpoint file says: its sound checkpoints in order, and what is wrong at line `line`, if anything."""

    checkpoints: tuple[Checkpoint, ...]
    problem: str
    line: int


def joined(files: Sequence[bytes]) -> bytes:
    """Checkpoint files one after the other: each later one begins with the last line of the one before.

    It may repeat more of that one, where a crash came between the steps of a turn.
    """
    whole = b""
    for raw in files:
        at = (b"\n" + whole).find(b"\n" + raw[:raw.find(b"\n") + 1])
        whole = whole[:at] + raw if at >= 0 and raw.startswith(whole[at:]) else whole + raw
    return whole


def read_all(raw: bytes, name: str, trusted: tuple[str, ...] | None, *, after: int = 0) -> Covered:
    """Walk a checkpoint file: chain, signatures, sizes that only grow, and keys in the order of `trusted`, if given.

    `after` is the last record that was put away with what came before it, 0 if nothing was: the first checkpoint
    covers exactly that one then.
    """
    *lines, rest = raw.split(b"\n")
    found: list[Checkpoint] = []
    problem, prev, place = "", _before(lines, after, name), 0
    for line in lines:
        try:
            one = decode(line, where=name)
        except StateError as error:
            problem = error.what.removeprefix(f"{name}: ")
            break
        problem = _out_of_order(one, found[-1] if found else None, prev, name)
        if not problem and trusted is not None:
            problem, place = _key_out_of_order(one, trusted, place)
        if problem:
            break
        found.append(one)
        prev = sha256(line)
    forged = _first_forged(lines, found)
    if forged is not None:
        return Covered(tuple(found[:forged]), "its signature is not that of the key that it names", forged + 1)
    if not problem and rest:
        problem = f"its last line is torn: {len(rest)} bytes without an end"
    return Covered(tuple(found), problem, len(found) + 1 if problem else 0)


def _before(lines: Sequence[bytes], after: int, name: str) -> str:
    """The hash that the first line has to name."""
    try:
        first = decode(lines[0], where=name) if after and lines else None
    except StateError:
        return GENESIS
    return first.prev if first is not None and first.seq == after else GENESIS


def _out_of_order(one: Checkpoint, before: Checkpoint | None, prev: str, name: str) -> str:
    """Why a checkpoint cannot follow the one before it, empty if it can."""
    if one.journal != name:
        return f"is about {one.journal}"
    if one.prev != prev:
        return "does not follow the line before: that was changed or dropped"
    if before and (one.seq < before.seq or (one.seq == before.seq and one.head != before.head)):
        return f"covers record {one.seq} after one that covers record {before.seq}"
    return ""


def _key_out_of_order(one: Checkpoint, trusted: tuple[str, ...], place: int) -> tuple[str, int]:
    """Why the key cannot have signed after the one at `place` of `trusted`, empty if it can; and its own place."""
    if one.key in trusted[place:]:
        return "", trusted.index(one.key, place)
    return ("is signed with a key that had been replaced" if one.key in trusted
            else "is signed with a key that the list of keys does not name"), place


def _first_forged(lines: list[bytes], found: list[Checkpoint]) -> int | None:
    """The first of the chained lines that was not signed as it says. The last of each key vouches for those before."""
    ends = [number for number, one in enumerate(found) if number + 1 == len(found) or found[number + 1].key != one.key]
    ends += [0] if found and found[0].prev != GENESIS else []  # where a log begins later, nothing else says so
    if all(is_genuine(lines[number], found[number]) for number in ends):
        return None
    return next(number for number, one in enumerate(found) if not is_genuine(lines[number], one))
