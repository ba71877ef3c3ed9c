"""May a feed call the outside? The operator's answer in `vault_overlay.json`, read again for every request.

Only the overlay's root switch `external_calls_disabled` counts here. Permission is explicit: the switch has to be there
and literally `false` in a file that is right as a whole; whatever cannot be read strictly forbids. A home that has
neither vaults nor a trade log has nothing that anybody could halt, so that it may be collected for without an
overlay; anywhere else a missing overlay is one that somebody took away.
"""

import os

from vanta.common import strictjson
from vanta.common.errors import BadInput, OperatorError
from vanta.common.exitcodes import Exit
from vanta.common.models.base import validate
from vanta.common.models.overlay import Overlay
from vanta.common.paths import OVERLAY, TRADE_LOG, VAULTS, Home
from vanta.common.store.atomic import describe
from vanta.common.store.guarded import guarded_read

MAX_BYTES = 256 * 1024
CURE = "`vanta overlay check memory/vault_overlay.json` says what is wrong; recorded payloads may still be read."


class CallsDisabled(OperatorError):
    """The operator allows no call to the outside. Nothing was asked."""

    exit_code = Exit.REFUSED


def why_no_calls(home: Home) -> str | None:
    """What forbids calls to feeds now, `None` if nothing does."""
    try:
        owners = {0, os.geteuid(), home.memory.stat().st_uid}
    except OSError as error:
        return f"{home.memory} cannot be looked at: {describe(error)}"
    if not any(os.path.lexists(home.file(name)) for name in (OVERLAY, VAULTS, TRADE_LOG)):
        return None
    raw, problem = guarded_read(home.file(OVERLAY), owners=owners, max_bytes=MAX_BYTES)
    return problem if raw is None else _forbidden(raw)


def _forbidden(raw: bytes) -> str | None:
    try:
        value = strictjson.loads_object(raw, file=OVERLAY, max_bytes=MAX_BYTES)
        overlay = validate(Overlay, value, file=OVERLAY, raw=raw)
    except BadInput as error:
        return error.what
    switch = overlay.external_calls_disabled
    if isinstance(switch, bool):
        return "external_calls_disabled is on: no reason stated" if switch else None
    if not switch.enabled:
        return None
    return f"external_calls_disabled is on: {switch.reason or 'no reason stated'}"
