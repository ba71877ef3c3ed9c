"""The gate of a home of its own, as tests need it."""

from pathlib import Path

from vanta.common.clock import Clock
from vanta.markets.collectors.port import Gate


def gate(folder: Path, clock: Clock, why: str | None = None) -> Gate:
    """A gate that lets through whatever the hosts allow, unless `why` says what forbids all calls."""
    return Gate(folder / "ratelimit", clock, lambda: why)
