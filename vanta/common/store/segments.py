"""A log in pieces: what was sealed day by day, and the file that is still written. Readers see one stream of bytes.

    memory/segments/trade_log.jsonl/<first record>-<from byte>-<to byte>.jsonl     sealed, never written again
    memory/segments/trade_log.jsonl/….jsonl.zst                                    the same, compressed since
    memory/segments/trade_log.jsonl/….checkpoints                                  its signed heads
    memory/trade_log.jsonl                                                         goes on where the last piece ends

Bytes are counted from the log's first record on, through all pieces: a position means the same before and after a
piece was sealed. A log may begin later than its first record if old pieces were put away; `retired` in `retention.py`
says so. Reading opens the written file before it lists the pieces, so that one which is sealed in between is neither
missed nor read twice.
"""

import contextlib
import os
import re
import stat
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import zstandard

from vanta.common.errors import Missing, StateError
from vanta.common.paths import SEGMENTS
from vanta.common.store.atomic import describe, read, remove, replace
from vanta.common.store.chain import START
from vanta.common.store.checkpoint import CURE, decode
from vanta.common.store.ports import Head

FOLDER = SEGMENTS
CHECKPOINTS = ".checkpoints"
PACKED = ".zst"
BLOCK = 32 << 20

_NAME = re.compile(r"(\d{12})-(\d{15})-(\d{15})\.jsonl(\.zst)?", re.ASCII)
_AGAIN = 20
_LARGEST = 1 << 40
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Segment(NamedTuple):
    """One sealed piece: its first record, and the bytes of the log from `start` to `end`."""

    first: int
    start: int
    end: int
    path: Path

    @property
    def checkpoints(self) -> Path:
        """Its signed heads; a start without a log's lines may do without them."""
        return self.path.with_name(self.path.name.removesuffix(PACKED).removesuffix(".jsonl") + CHECKPOINTS)

    @property
    def packed(self) -> bool:
        """Whether it was compressed."""
        return self.path.name.endswith(PACKED)


def folder(log: Path) -> Path:
    """Where a log's sealed pieces lie."""
    return log.parent / FOLDER / log.name


def name(first: int, start: int, end: int) -> str:
    """A piece's file name."""
    return f"{first:012}-{start:015}-{end:015}.jsonl"


def sealed(log: Path) -> list[Segment]:
    """The pieces in order. Raises `StateError` if one between two others is gone.

    A listing is not of one moment: one that lacks a piece which is being packed is made again.
    """
    for _ in range(_AGAIN):
        pieces = _listed(log)
        if all(before.end == after.start for before, after in pairwise(pieces)):
            return pieces
    before, after = next((one, other) for one, other in pairwise(pieces) if one.end != other.start)
    raise Lost(f"{log.name}: records {before.first:,} and following end at byte {before.end:,}, the next sealed "
                     f"piece begins at byte {after.start:,}: a piece between them is missing or was renamed",
                     "Put it back into " + str(folder(log)))


def _listed(log: Path) -> list[Segment]:
    try:
        names = os.listdir(folder(log))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise StateError(f"{folder(log)} cannot be listed: {describe(error)}") from error
    found: dict[int, Segment] = {}
    for one in sorted(names):  # the packed twin of a piece sorts last: it was complete before the other goes
        if match := _NAME.fullmatch(one):
            found[int(match[1])] = Segment(int(match[1]), int(match[2]), int(match[3]), folder(log) / one)
    return [found[first] for first in sorted(found)]


def base(log: Path) -> int:
    """The byte at which the written file begins."""
    pieces = sealed(log)
    return pieces[-1].end if pieces else 0


def begins(log: Path) -> tuple[int, int]:
    """The first record that is there, and its byte: (1, 0) unless pieces were put away."""
    pieces = sealed(log)
    return (pieces[0].first, pieces[0].start) if pieces else (1, 0)


class Lost(StateError):
    """A piece of a log is not there, and nothing accounts for it."""


class Gone(StateError):
    """A piece that was listed a moment ago is not there any more: it was put away while somebody read. Read again."""


def content(piece: Segment) -> bytes:
    """A piece's bytes, whichever form it has by now. Raises `Gone`, or `StateError` if there are more or fewer."""
    plain = plain_of(piece)
    try:
        return _as_long(piece, read(plain, max_bytes=_LARGEST), plain)
    except Missing:
        pass
    try:
        return unpacked(piece)
    except Missing as error:
        raise Gone(f"{plain} is not there any more", "It was put away meanwhile; read the log again.") from error


def plain_of(piece: Segment) -> Path:
    """Where a piece lies, or lay, before it was packed."""
    return piece.path.with_name(piece.path.name.removesuffix(PACKED))


def unpacked(piece: Segment) -> bytes:
    """What the packed form of a piece holds. Raises `Missing`, or `StateError` if it is damaged."""
    packed = plain_of(piece).with_name(plain_of(piece).name + PACKED)
    try:
        raw = zstandard.ZstdDecompressor().decompressobj().decompress(read(packed, max_bytes=_LARGEST))
    except zstandard.ZstdError as error:
        raise StateError(f"{packed} is damaged: {error}", "Put a whole copy in its place.") from error
    return _as_long(piece, raw, packed)


def _as_long(piece: Segment, raw: bytes, path: Path) -> bytes:
    if len(raw) != piece.end - piece.start:
        raise StateError(f"{path} holds {len(raw):,} bytes, its name says {piece.end - piece.start:,}",
                         "Put a whole copy in its place.")
    return raw


def stream(log: Path, start: int = 0) -> Iterator[bytes]:
    """What a log holds from byte `start` on, in blocks that break anywhere.

    Raises `Missing` if there is no such log, `StateError` if it cannot be read or has fewer bytes.
    """
    pieces, fd = _opened(log)
    try:
        if fd is None and not pieces:
            raise Missing(f"{log} does not exist")
        if pieces and start < pieces[0].start:
            raise StateError(f"{log.name} begins at byte {pieces[0].start:,}: what came before was put away",
                             "Bring the older pieces back, or read from there.")
        for piece in pieces:
            if start < piece.end:
                yield content(piece)[max(0, start - piece.start):]
        yield from _written(log, fd, max(0, start - (pieces[-1].end if pieces else 0)))
    finally:
        if fd is not None:
            os.close(fd)


def _opened(log: Path) -> tuple[list[Segment], int | None]:
    """The written file, and the pieces before it. It was sealed itself in between if it is one of those listed."""
    for _ in range(_AGAIN):
        fd = _open(log)
        pieces = sealed(log)
        if fd is None:
            return pieces, None
        info = _looked_at(log, fd)
        for number, piece in enumerate(pieces):
            if piece.end - piece.start == info.st_size and _same(info, piece.path):
                return pieces[:number], fd
        if info.st_nlink:
            return pieces, fd
        os.close(fd)  # sealed and packed since
    raise StateError(f"{log}: its pieces change all the time", "Read it again when its writer rests.")


def _same(info: os.stat_result, path: Path) -> bool:
    try:
        return os.path.samestat(info, os.stat(path))
    except OSError:
        return False


def _open(log: Path) -> int | None:
    try:
        fd = os.open(log, _FLAGS)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateError(f"{log} cannot be opened: {describe(error)}", "It must be a regular file.") from error
    if not stat.S_ISREG(_looked_at(log, fd).st_mode):
        os.close(fd)
        raise StateError(f"{log} is not a regular file", "Replace it by a regular file.")
    return fd


def _looked_at(log: Path, fd: int) -> os.stat_result:
    """What an open file is like. It is closed if that cannot be said. Raises `StateError`."""
    try:
        return os.fstat(fd)
    except OSError as error:
        os.close(fd)
        raise StateError(f"{log} cannot be looked at: {describe(error)}") from error


def _written(log: Path, fd: int | None, at: int) -> Iterator[bytes]:
    size = 0
    try:
        if fd is not None:
            size = os.fstat(fd).st_size
            os.lseek(fd, at, os.SEEK_SET)
        if size < at:
            raise StateError(f"{log} has {size:,} bytes, fewer than the {at:,} that were read before")
        while fd is not None and (block := os.read(fd, BLOCK)):
            yield block
    except OSError as error:
        raise StateError(f"{log} cannot be read: {describe(error)}") from error


def whole(log: Path, start: int = 0) -> bytes:
    """What `stream` gives, in one piece."""
    return b"".join(stream(log, start))


def everything(log: Path) -> tuple[bytes, Head]:
    """All that there is of a log, and where it begins. Pieces that are put away meanwhile are not part of it.

    Raises `Missing` or `StateError`.
    """
    for _ in range(_AGAIN):
        with contextlib.suppress(Gone):
            head = begin(log)
            raw = whole(log, head.size)
            if begin(log) == head:
                return raw, head
    raise Gone(f"{log}: its pieces change all the time", "Read it again when its writer rests.")


def lines(log: Path, start: int = 0) -> Iterator[bytes]:
    """What stands from byte `start` on, in blocks of whole lines, so that no log is too large; a torn last one is not.

    Nothing where there is no log.
    """
    rest = b""
    try:
        for block in stream(log, start):
            data = rest + block
            end = data.rfind(b"\n") + 1
            rest = data[end:]
            if end:
                yield data[:end]
    except Missing:
        return


def line_before(log: Path, at: int) -> bytes:
    """The line that ends at byte `at`, with its end; what comes before the end of a file if there is none there.

    Raises `StateError` if the log does not reach so far.
    """
    for piece in sealed(log):
        if piece.start < at <= piece.end:
            raw = content(piece)[:at - piece.start]
            return raw[raw.rfind(b"\n", 0, -1) + 1:]
    fd = _open(log)
    if fd is None:
        raise Missing(f"{log} does not exist")
    try:
        return _line_before(fd, at - base(log))
    except OSError as error:
        raise StateError(f"{log} cannot be read: {describe(error)}") from error
    finally:
        os.close(fd)


def _line_before(fd: int, at: int) -> bytes:
    length, piece = 0, b""
    while b"\n" not in piece[:-1] and length < at:
        length = min(at, max(1 << 20, 2 * length))
        piece = os.pread(fd, length, at - length)
    return piece[piece.rfind(b"\n", 0, -1) + 1:]


def tail(log: Path, near: int) -> bytes:
    """The last `near` bytes of a log, or all of it. Raises `StateError`; nothing where there is no log."""
    pieces, fd = _opened(log)
    try:
        size = os.fstat(fd).st_size if fd is not None else 0
        raw = os.pread(fd, near, max(0, size - near)) if fd is not None else b""
        while pieces and len(raw) < near:
            raw = _end_of(pieces.pop(), near - len(raw)) + raw
    except OSError as error:
        raise StateError(f"{log} cannot be read: {describe(error)}") from error
    finally:
        if fd is not None:
            os.close(fd)
    return raw


def _end_of(piece: Segment, most: int) -> bytes:
    """The last bytes of a piece; of one that was packed all has to be read."""
    fd = None if piece.packed else _open(piece.path)
    if fd is None:
        return content(piece)[-most:]
    try:
        return os.pread(fd, most, max(0, piece.end - piece.start - most))
    finally:
        os.close(fd)


def checkpoints(log: Path) -> list[bytes]:
    """The checkpoint files of a log's sealed pieces, oldest first. Raises `StateError`."""
    found = []
    for piece in sealed(log):
        with contextlib.suppress(Missing):
            found.append(read(piece.checkpoints))
    return found


def seal_of(piece: Segment) -> Head | None:
    """The head that a sealed piece goes on from, if its first checkpoint covers exactly that. Raises `StateError`."""
    try:
        raw = read(piece.checkpoints)
    except Missing:
        return None
    try:
        first = decode(raw.partition(b"\n")[0], where=piece.checkpoints.name)
    except StateError:
        return None
    if (first.seq, first.size) != (piece.first - 1, piece.start):
        return None
    return Head(first.seq, first.head, first.size)


def begin(log: Path) -> Head:
    """Where a log begins: at its first record, unless older pieces were put away; then after a signed head.

    Raises `StateError` if no checkpoint says what came before.
    """
    first, _ = begins(log)
    if first == 1:
        return START
    seal = seal_of(sealed(log)[0])
    if seal is not None:
        return seal
    raise Lost(f"{log.name} begins at record {first:,}, and no checkpoint covers what came before: pieces of it "
                     "are missing", CURE)


def pack(piece: Segment) -> int:
    """Compress a piece beside itself, then drop what it was. Returns the bytes that are saved. Raises `StateError`."""
    raw = content(piece)
    packed = piece.path.with_name(piece.path.name + PACKED)
    replace(packed, zstandard.ZstdCompressor(level=9, write_checksum=True).compress(raw))
    if zstandard.ZstdDecompressor().decompressobj().decompress(read(packed)) != raw:
        raise StateError(f"{packed} does not hold what was packed", "Look at the disk; the piece itself is whole.")
    drop(piece.path)
    return len(raw) - packed.stat().st_size


def drop(path: Path) -> None:
    """Remove what stands elsewhere too, durably. Raises `StateError`."""
    try:
        remove(path)
    except OSError as error:
        raise StateError(f"{path} cannot be removed: {describe(error)}") from error
