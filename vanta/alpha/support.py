"""One zip for whoever helps: what the checks say, settings, controls, the ends of logs; secrets and names masked.

Credentials, keys, holdings, orders' amounts and snapshots are never put in. The list of what is in it is in it.
"""

import io
import os
import platform
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from vanta import __version__
from vanta.alpha.core.masking import Masks
from vanta.alpha.facts import whole
from vanta.alpha.recent import last_records
from vanta.common.errors import OperatorError, StateError
from vanta.common.host import account
from vanta.common.paths import (
    CALLS,
    CONTROL_LOG,
    EXECUTOR_STATE,
    JOURNALS,
    OPERATOR_COMMANDS,
    OVERLAY,
    PERMIT,
    TRACKER_LOG,
    TRADE_LOG,
    VAULTS,
    Home,
)
from vanta.common.store.atomic import read, replace
from vanta.common.times import iso

DOCUMENTS = (OVERLAY, VAULTS, EXECUTOR_STATE)
RECORDS = 300
_LOG_BYTES = 128 * 1024
_TOML_NAMES = re.compile(r"(?m)^(\s*(?:account|account_id|contact|client_id)\s*=\s*).*$")
_EPOCH = (1980, 1, 1, 0, 0, 0)


def write(home: Home, path: Path, checks: Mapping[str, Any], now: datetime) -> list[str]:
    """Put the bundle there. Returns what it contains. Raises `OperatorError` if something is there already."""
    if os.path.lexists(path):
        raise OperatorError(f"{path} exists", "Choose another file; none is written over.")
    masks = Masks(list(names_in(home)))
    files = dict(_files(home, checks, masks))
    listed = [f"{len(data):>9,}  {name}" for name, data in files.items()]
    said = "\n".join([f"VANTA {__version__}, made {iso(now)}; secrets and names are masked.", *listed, ""])
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, data in {"CONTENTS.txt": said.encode(), **files}.items():
            bundle.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
    try:
        replace(path, out.getvalue(), mode=0o600)
    except StateError as error:
        raise OperatorError(error.what, "Choose a place where you may write.") from error
    return ["CONTENTS.txt", *files]


def names_in(home: Home) -> Iterator[str]:
    """Everybody and every place that this home knows by name."""
    yield from (account(), os.uname().nodename)
    overlay, permit = whole(home.file(OVERLAY)), whole(home.file(PERMIT))
    yield from _by(dict(overlay.value or {}))
    yield permit.text("by")
    for name in (CONTROL_LOG, TRADE_LOG, OPERATOR_COMMANDS, TRACKER_LOG):
        for record in last_records(home.file(name)):
            yield from _by(record["payload"])


def _by(value: Any) -> Iterator[str]:
    """Every `by`, `user` and `owner` in a value."""
    for key, item in value.items() if isinstance(value, dict) else []:
        if isinstance(item, dict):
            yield from _by(item)
        elif key in ("by", "user", "owner") and isinstance(item, str):
            yield item


def _files(home: Home, checks: Mapping[str, Any], masks: Masks) -> Iterator[tuple[str, bytes]]:
    for name, said in checks.items():
        yield f"{name}.json", _json(masks.value(said))
    yield "versions.json", _json({"vanta": __version__, "python": sys.version, "system": platform.system(),
                                  "release": platform.release(), "machine": platform.machine()})
    yield "files.txt", masks.text("\n".join(_listing(home))).encode()
    settings = _text(home.config / "vanta.toml")
    if settings:
        yield "config/vanta.toml", masks.text(_TOML_NAMES.sub(r'\1"***"', settings)).encode()
    for name in DOCUMENTS:
        doc = whole(home.file(name))
        if doc.value is not None:
            yield f"memory/{name}", _json(masks.value(dict(doc.value)))
        elif doc.problem:
            yield f"memory/{name}.problem.txt", masks.text(doc.problem).encode()
    for name in JOURNALS:
        lines = _tail(home, name, masks)
        if lines:
            yield f"memory/{name}", b"".join(lines)
    for path in sorted(home.logs.glob("*.log")):
        yield f"logs/{path.name}", masks.text(_text(path, last=_LOG_BYTES)).encode()


def _tail(home: Home, name: str, masks: Masks) -> list[bytes]:
    """The newest records of a log by kind, ids and words, the oldest first."""
    found: list[bytes] = []
    for record in last_records(home.file(name)):
        if len(found) == RECORDS:
            break
        kept = {key: value for key, value in record.items() if key != "prev"}
        if name in CALLS and "host" in kept["payload"]:
            kept["payload"] = {**kept["payload"], "host": "***"}
        found.append(orjson.dumps(masks.value(kept)) + b"\n")
    return found[::-1]


def _json(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS) + b"\n"


def _text(path: Path, *, last: int | None = None) -> str:
    """A text file, or its end; empty where it cannot be read."""
    try:
        size = path.lstat().st_size
        raw = read(path, start=max(0, size - last) if last else 0, max_bytes=(last or 1 << 20) + (1 << 16))
    except (StateError, OSError):
        return ""
    return raw.decode("utf-8", "replace")


def _listing(home: Home) -> Iterator[str]:
    """Names, sizes and modes of the home's files, but for credentials and copies of inputs."""
    for folder in (home.memory, home.config, home.logs):
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            info = path.lstat()
            yield f"{info.st_mode & 0o7777:04o} {info.st_size:>12} {path.relative_to(home.root)}"
