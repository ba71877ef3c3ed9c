"""Records of calls to the outside as sentences. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from vanta.common.events import Kind

Body = Mapping[str, Any]

_WHY = {"timeout": "there was no answer in time", "refused": "the connection was refused",
        "cut": "the connection was cut", "no_name": "its name cannot be resolved", "no_tls": "no secure connection",
        "failed": "there was no whole answer", "killed": "it was killed", "not_started": "it could not be started"}


def _made(body: Body) -> str:
    status, took = str(body["status"]), f" after {body['ms']:,} ms"
    what = f"the program for an alert was started: {_WHY.get(status, f'it ended with {status}')}" \
        if body["host"] is None else f"{_asked(body)}: {_WHY.get(status, f'it answered {status}')}"
    return f"{what}{_bytes(body)}{took}."


def _asked(body: Body) -> str:
    method = f" ({body['method']})" if body["method"] else ""
    return f"{body['host']} was asked for {body['purpose']}{method}"


def _bytes(body: Body) -> str:
    return f", {body['bytes']:,} bytes" if body["bytes"] is not None else ""


SENTENCES: Mapping[str, Callable[[Body], str]] = {
    Kind.CALL_MADE: _made,
    Kind.CALL_REFUSED: lambda body: f"{body['host']} was not asked for {body['purpose']}: it is not among the hosts "
                                    "that this node may ask.",
    Kind.CALL_OPENED: lambda body: f"a connection to {body['host']} for {body['purpose']} was opened after "
                                   f"{body['ms']:,} ms.",
    Kind.CALL_CLOSED: lambda body: f"the connection to {body['host']} for {body['purpose']} ended{_bytes(body)} after "
                                   f"{body['ms']:,} ms.",
}
