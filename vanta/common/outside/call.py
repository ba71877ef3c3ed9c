"""One call to the outside as its line says it: whom, what for, how it ended, how much came, how long it took. Pure.

No path, no query, no header, no account, no key: none of them is ever handed in. `purpose` and `status` are words of
two closed lists, so that no text of a library can get into a line.

| status | means |
|---|---|
| `200` … | the HTTP status of the answer |
| `opened`, `closed` | a connection that stays: it was made, it ended |
| `timeout`, `refused`, `cut`, `no_name`, `no_tls`, `failed` | there was no whole answer, and why |
| `off_list` | the host is not on the list: nothing was sent |
| `exit 0` …, `killed`, `not_started` | how a program ended that was started to tell somebody |
"""

import re
import socket
import ssl
from typing import Any, NamedTuple

from vanta.common.causes import behind
from vanta.common.errors import OutsideError
from vanta.common.events import Kind

OFF_LIST, OPENED, CLOSED, KILLED, NOT_STARTED = "off_list", "opened", "closed", "killed", "not_started"
OTHER, ALERT, STREAM, GATEWAY = "other", "alert", "venue:stream", "venue:gateway"

_PURPOSES = re.compile(r"feed:(sec|news|reddit|crypto|prices)|venue:(submit|lookup|cancel|poll|holdings|stream|gateway)"
                       r"|link:(alpha|markets|executor|publish|streams)|alert|other")
_STATUSES = re.compile(r"[1-9][0-9]{2}|opened|closed|timeout|refused|cut|no_name|no_tls|failed|off_list|killed"
                       r"|not_started|exit -?[0-9]{1,3}")
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_HOST = re.compile(r"[a-z0-9._:-]{1,255}")
_ODD = "(odd)"
"""In the place of a host that is no name and no address."""

_KINDS: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLError, "no_tls"), (socket.gaierror, "no_name"), (ConnectionRefusedError, "refused"),
    (ConnectionError, "cut"), (TimeoutError, "timeout"))


class NotAllowed(OutsideError):
    """The host is not on the list of this node. Nothing was sent."""

    def __init__(self, host: str) -> None:
        super().__init__(f"{host} is not among the hosts that this node may ask",
                         "`vanta outside list` shows them; the list is [outside] hosts in config/vanta.toml.")


class Call(NamedTuple):
    """`host` is `None` where a program was started, `size` (bytes of the answer's body) where nobody counted them."""

    kind: Kind
    host: str | None
    purpose: str
    status: str
    method: str | None = None
    size: int | None = None
    ms: int = 0

    def body(self) -> dict[str, Any]:
        """The payload of its record. Whatever is no word of the lists is not written."""
        host = self.host if self.host is None or _HOST.fullmatch(self.host) else _ODD
        return {"host": host, "purpose": self.purpose if _PURPOSES.fullmatch(self.purpose) else OTHER,
                "method": self.method if self.method in _METHODS else None,
                "status": self.status if _STATUSES.fullmatch(self.status) else "failed", "bytes": self.size,
                "ms": self.ms}


def why(error: BaseException) -> str:
    """The word for what kept an answer away."""
    found = list(behind(error))
    said = next((word for kind, word in _KINDS for one in found if isinstance(one, kind)), None)
    if said is None and any("timeout" in type(one).__name__.lower() for one in found):
        said = "timeout"
    return said or "failed"
