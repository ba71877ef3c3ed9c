"""Hosts that told us to stay away, and until when: remembered across processes.

A `Retry-After` outlives the process that received it, and holds for every feed of the home. One small file per host
holds the time. It stays when the time has passed: whoever removed it might remove what another process has just been
told.
"""

import re
from datetime import datetime, timedelta
from pathlib import Path

from vanta.common.canonical import canonical
from vanta.common.errors import BadInput, Missing, StateError
from vanta.common.store import atomic
from vanta.common.strictjson import loads_object
from vanta.common.times import iso, parse_iso

_LONGEST = timedelta(days=1)
_UNSAFE = re.compile(r"[^a-z0-9.\-]+")


class Holdoff:
    """The remembered times of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def until(self, host: str) -> datetime | None:
        """The time before which `host` must not be asked, or `None`. Raises `StateError` if unreadable."""
        path = self._path(host)
        try:
            data = atomic.read(path, max_bytes=4096)
        except Missing:
            return None
        try:
            return parse_iso(str(loads_object(data, file=str(path)).get("not_before")))
        except (BadInput, ValueError) as error:
            raise StateError(f"{path} does not say until when {host} must not be asked",
                             "Remove the file; then the host is asked again.") from error

    def remember(self, host: str, moment: datetime, now: datetime) -> datetime:
        """Do not ask `host` before `moment`, nor before what was kept already, one day at the longest.

        Returns the time that is kept.
        """
        kept = min(max(moment, self._known(host) or moment), now + _LONGEST)
        self._folder.mkdir(parents=True, exist_ok=True)
        atomic.replace(self._path(host), canonical({"host": host, "not_before": iso(kept)}) + b"\n")
        return kept

    def _known(self, host: str) -> datetime | None:
        try:
            return self.until(host)
        except StateError:
            return None  # what the host says now is put in its place

    def _path(self, host: str) -> Path:
        return self._folder / f"not_before-{_UNSAFE.sub('_', host.lower())}.json"
