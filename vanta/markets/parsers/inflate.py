"""Taking a response's content encoding off, with a limit and without believing that it is whole. Pure.

Client libraries inflate without a bound and accept a stream that stops early. `Inflater` stops at
`max_bytes` of output however small the input, and `finish` tells a whole stream from a cut one.
"""

import zlib


class TooLarge(ValueError):
    """The body, decoded, is larger than the limit."""


class CutShort(ValueError):
    """The compressed stream is damaged or ends before its end."""


class Inflater:
    """Decodes `identity`, `gzip` or `deflate` (with or without zlib header) piece by piece."""

    def __init__(self, encoding: str, max_bytes: int) -> None:
        """`encoding` is the Content-Encoding header; `max_bytes` bounds the decoded size."""
        self._left = max_bytes
        self._so_far: bytes | None = None  # input kept while a deflate stream may still turn out to be headerless
        self._stream: zlib._Decompress | None = None
        name = encoding.strip().lower()
        if name in ("gzip", "x-gzip"):
            self._stream = zlib.decompressobj(31)
        elif name == "deflate":
            self._stream = zlib.decompressobj(15)
            self._so_far = b""
        elif name not in ("", "identity"):
            raise CutShort(f"content encoding {name!r} was not asked for")
        self._parts: list[bytes] = []

    def feed(self, piece: bytes) -> None:
        """Add received bytes. Raises `TooLarge` or `CutShort`."""
        if self._stream is None:
            self._take(piece)
            return
        so_far = None if self._so_far is None else self._so_far + piece
        try:
            out = self._stream.decompress(piece, self._left + 1)
        except zlib.error as error:
            if so_far is None:
                raise CutShort(f"damaged compression: {error}") from error
            self._stream, self._so_far = zlib.decompressobj(-15), None
            self.feed(so_far)
            return
        self._so_far = None if out else so_far
        self._take(out)

    def _take(self, out: bytes) -> None:
        self._left -= len(out)
        if self._left < 0:
            raise TooLarge
        self._parts.append(out)

    def finish(self) -> bytes:
        """The whole body. Raises `CutShort` if the compressed stream has not ended."""
        if self._stream is not None and not self._stream.eof:
            raise CutShort("the compressed stream ends early")
        return b"".join(self._parts)
