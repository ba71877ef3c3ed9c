"""The newest records of a journal, newest first, without reading all of it and without checking its chain."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from vanta.common.errors import StateError
from vanta.common.store import segments
from vanta.common.store.personal import revealed

NEAR_BYTES = 256 * 1024


def last_records(path: Path, *, near: int = NEAR_BYTES) -> Iterator[dict[str, Any]]:
    """Records within the last `near` bytes; none if there is no such file. What is no record is passed over."""
    try:
        raw = segments.tail(path, near)
    except StateError:
        return
    lines = raw.split(b"\n")[:-1]
    for line in reversed(lines[1:] if len(raw) == near else lines):
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(value, dict) and {"kind", "at", "ids", "payload"} <= value.keys():
            yield {**value, "payload": revealed(value["payload"])}
