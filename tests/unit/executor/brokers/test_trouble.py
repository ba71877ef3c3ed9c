"""What is said of a library's exception: its kind, and never an address."""

import errno
import socket
import ssl

import pytest

from vanta.executor.brokers.trouble import trouble, without_addresses

WHERE = "broker.example.com port 5999: /v2/orders"


class LibraryError(Exception):
    """As a client library throws it."""


class LibraryTimeout(LibraryError):
    """The same, with a name that tells."""


class WrappedError(LibraryError):
    """Keeps what it was made from as its reason."""

    def __init__(self, reason: BaseException) -> None:
        super().__init__(WHERE)
        self.reason = reason


def caused(by: BaseException) -> LibraryError:
    """One that was raised from another."""
    error = LibraryError(WHERE)
    error.__cause__ = by
    return error


def going_round() -> LibraryError:
    """Two that name each other."""
    one, other = LibraryError(WHERE), LibraryError(WHERE)
    one.__cause__, other.__cause__ = other, one
    return one


SAID: dict[str, tuple[BaseException, str]] = {
    "nobody listens": (ConnectionRefusedError(errno.ECONNREFUSED, WHERE), "ConnectionRefusedError: connection refused"),
    "behind a library's own": (caused(ConnectionRefusedError(errno.ECONNREFUSED, WHERE)),
                               "LibraryError: connection refused"),
    "as its argument": (LibraryError(WrappedError(ConnectionResetError(WHERE))),
                        "LibraryError: the connection was cut"),
    "no such name": (WrappedError(socket.gaierror(-2, WHERE)), "WrappedError: its name cannot be resolved"),
    "a certificate": (caused(ssl.SSLCertVerificationError(WHERE)), "LibraryError: its certificate is not trusted"),
    "no TLS there": (ssl.SSLError(1, WHERE), "SSLError: no secure connection"),
    "a time that is over": (TimeoutError(WHERE), "TimeoutError: no answer in time"),
    "the same in a library's words": (LibraryTimeout(WHERE), "LibraryTimeout: no answer in time"),
    "another trouble of the system's": (caused(OSError(errno.ENETUNREACH, WHERE)),
                                        "LibraryError: Network is unreachable"),
    "a system's without its number": (OSError(WHERE), "OSError"),
    "a field that is not there": (KeyError(WHERE), "KeyError: an answer of another shape"),
    "anything else": (LibraryError(WHERE), "LibraryError"),
    "a circle": (going_round(), "LibraryError"),
}


@pytest.mark.parametrize("row", SAID)
def test_an_exception_is_told_by_its_kind(row: str) -> None:
    """The text of it stands nowhere."""
    error, said = SAID[row]
    assert trouble(error) == said


def test_a_long_chain_is_looked_at_so_far() -> None:
    """It costs no more, whatever a library does."""
    error = caused(ConnectionRefusedError(errno.ECONNREFUSED, WHERE))
    for _ in range(20):
        error = caused(error)
    assert trouble(error) == "LibraryError"


def test_addresses_give_way_and_words_stay() -> None:
    """What a venue said is told; where it was asked is not."""
    said = 'bybit GET https://user:pw@10.0.0.9:5999/v5/order?x=1 403 Forbidden {"msg":"no, see wss://h/x"} a:b //c'
    assert without_addresses(said) == 'bybit GET (address) 403 Forbidden {"msg":"no, see (address)"} a:b //c'
