"""What is published, signed, so that whoever carries it need not be trusted. Pure.

    {"subject":"vanta.executor.log.trade_log-jsonl","began":1,"at":4096,"key":"…","sha256":"…","sig":"…"}
    and the bytes after the end of the line

A log that was made anew is published anew, behind what is there: `began` is the number in its stream of the first
message of that generation. An index is such a message for one reader: which names there are, how long, with which hash.
`at` is then its time in milliseconds, which only grows. It holds the whole list of keys, of which the first has to be
the one that the reader's own settings name; the last one has to have signed it.
"""

from typing import NamedTuple

import msgspec

from vanta.common.canonical import sha256
from vanta.common.errors import OperatorError, StateError
from vanta.common.signatures import Signer, fingerprint, is_signed
from vanta.common.signatures import keys as listed
from vanta.transport.core.frames import Fault

_MARK = b',"sig":"'
_LONGEST = 1024


class Foreign(Exception):
    """A message that nobody who counts has signed, or not for this place."""


class Piece(NamedTuple):
    """Bytes from `at` on of the generation of a log that `began` with the message of that number."""

    subject: str
    began: int
    at: int
    body: bytes

    @property
    def ends(self) -> int:
        """The byte after it."""
        return self.at + len(self.body)


class _Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    subject: str
    began: int
    at: int
    key: str
    sha256: str
    sig: str = ""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What there is of a name at its source; a `fault` stands in its place if it cannot be shown.

    Of a log the stream holds it up to byte `there` so far, in messages `began` to `last`.
    """

    size: int = 0
    sha256: str | None = None
    first: int = 1
    start: int = 0
    there: int = 0
    began: int = 0
    last: int = 0
    fault: Fault = ""
    what: str = ""


class Index(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that one reader may see. `keys` is the public list of its source as it is."""

    at_ms: int
    keys: str
    names: dict[str, Entry]


def sealed(piece: Piece, signer: Signer) -> bytes:
    """The message."""
    head = _Head(piece.subject, piece.began, piece.at, signer.public, sha256(piece.body))
    unsigned = msgspec.json.encode({name: value for name, value in msgspec.structs.asdict(head).items()
                                    if name != "sig"})
    return unsigned[:-1] + _MARK + signer.sign(unsigned).encode() + b'"}\n' + piece.body


def opened(raw: bytes, subject: str, trusted: tuple[str, ...]) -> Piece:
    """What one of the keys `trusted` signed for this subject. Raises `Foreign`."""
    head, body = _parted(raw)
    if head.key not in trusted:
        raise Foreign("it is signed by a stranger's key")
    return _genuine(head, raw, body, subject)


def _parted(raw: bytes) -> tuple[_Head, bytes]:
    line, end, _ = raw[:_LONGEST].partition(b"\n")
    if not end:
        raise Foreign("it does not begin with a line of ours")
    try:
        return msgspec.json.decode(line, type=_Head), raw[len(line) + 1:]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Foreign("it does not begin with a line of ours") from error


def _genuine(head: _Head, raw: bytes, body: bytes, subject: str) -> Piece:
    line = raw.partition(b"\n")[0]
    said, mark, _ = line.rpartition(_MARK)
    if head.subject != subject:
        raise Foreign(f"it was made for {head.subject[:80]}")
    if head.sha256 != sha256(body) or not mark or not is_signed(said + b"}", head.sig, head.key):
        raise Foreign("it is not signed with the key that it names")
    return Piece(head.subject, head.began, head.at, body)


def index_message(index: Index, subject: str, signer: Signer) -> bytes:
    """An index as it is published."""
    return sealed(Piece(subject, 0, index.at_ms, msgspec.json.encode(index)), signer)


def index_of(raw: bytes, subject: str, pin: str) -> tuple[Index, tuple[str, ...]]:
    """An index and the keys of its source, of which the first has the fingerprint `pin`. Raises `Foreign`."""
    head, body = _parted(raw)
    try:
        found = msgspec.json.decode(body, type=Index)
        keys = listed(found.keys.encode())
        first = fingerprint(keys[0])
    except (msgspec.DecodeError, UnicodeError, RecursionError, StateError, OperatorError) as error:
        raise Foreign("it is no index of ours") from error
    if first != pin:
        raise Foreign(f"its keys begin with {first}, not with the one that the settings name")
    if head.key != keys[-1]:
        raise Foreign("it is not signed with the newest key that it names")
    _genuine(head, raw, body, subject)
    return found, keys
