"""What a client library's exception means, in words that may stand in a record: the kind of trouble. Pure.

The text of such an exception names hosts, ports and paths: they are in the settings of whoever runs this, and no
business of whoever is to read the log. So its text is never used, only its kind and what it came from. What a venue
itself answered is another thing: an adapter tells it, without the addresses that a library may have put before it.

    trouble(error)  ->  "ConnectionError: connection refused"
"""

import os
import re
import socket
import ssl

from vanta.common.causes import behind

_ADDRESS = re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]{0,20}://[^\s\"'<>]*")
_KINDS: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLCertVerificationError, "its certificate is not trusted"),
    (ssl.SSLError, "no secure connection"),
    (socket.gaierror, "its name cannot be resolved"),
    (ConnectionRefusedError, "connection refused"),
    (ConnectionError, "the connection was cut"),
    (TimeoutError, "no answer in time"),
)
_SHAPES = (ValueError, LookupError, TypeError, ArithmeticError, AttributeError)


def trouble(error: BaseException) -> str:
    """The exception's kind, and what is behind it as far as that is known."""
    found = list(behind(error))
    said = next((text for kind, text in _KINDS for one in found if isinstance(one, kind)), None)
    if said is None and any("timeout" in type(one).__name__.lower() for one in found):
        said = "no answer in time"
    if said is None:
        said = next((os.strerror(one.errno) for one in found if isinstance(one, OSError) and one.errno), None)
    if said is None and isinstance(error, _SHAPES):
        said = "an answer of another shape"
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def without_addresses(text: str) -> str:
    """A text in which every address gives way to the word for it."""
    return _ADDRESS.sub("(address)", text)
