"""The one way out: what every request of every feed passes before it is sent.

In this order: the operator's switch, what the host asked for (a hold-off), and a turn at the host's rate. All three
are shared by the processes and feeds of a home, because hosts count requests by address and know nothing of feeds. A
turn may take a minute to come, so that the first two are looked at once more when it has. `out` is what lies under the
client: the node's list of hosts, and the line that each request leaves.

Example: `gate.enter("www.sec.gov", Rate(per_second=5))`, or `gate.before(session.send, …)` around a library's own.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import ParamSpec, TypeVar

from vanta.common.calls import CURE, CallsDisabled
from vanta.common.clock import Clock
from vanta.common.errors import Throttled
from vanta.common.outside.out import Out, unwatched
from vanta.markets.collectors.holdoff import Holdoff
from vanta.markets.collectors.ratelimit import Rate, SharedBucket

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate of a home. `forbidden` says what forbids calls now, `None` if nothing does."""

    folder: Path
    clock: Clock
    forbidden: Callable[[], str | None]
    out: Out = field(default_factory=unwatched)

    def enter(self, host: str, rate: Rate, bucket: str | None = None) -> None:
        """Wait for the turn of one request. `bucket` names the limit where it is not the host's.

        Raises `CallsDisabled`; `Throttled` if the host wants to be left alone or too many wait.
        """
        self.check(host)
        SharedBucket(self.folder, bucket or host, rate, self.clock).acquire()
        self.check(host)

    def check(self, host: str) -> None:
        """Raise what forbids to ask `host` now: `CallsDisabled` or `Throttled`."""
        self.permitted()
        until, now = Holdoff(self.folder).until(host), self.clock.now()
        if until is not None and now < until:
            raise Throttled(f"{host} asked us to wait", (until - now).total_seconds())

    def permitted(self) -> None:
        """Raise `CallsDisabled` if the operator allows no call at all."""
        why = self.forbidden()
        if why is not None:
            raise CallsDisabled(f"no feed may be called: {why}", CURE)

    def hold_off(self, host: str, seconds: float) -> float:
        """Leave `host` alone for so long, in every feed and process. Returns the seconds that are kept."""
        now = self.clock.now()
        kept = Holdoff(self.folder).remember(host, now + timedelta(seconds=min(seconds, 1e6)), now)
        return (kept - now).total_seconds()

    def before(self, send: Callable[P, R], host: str, rate: Rate, bucket: str | None = None) -> Callable[P, R]:
        """`send` with the gate before each call: for libraries that make requests by themselves."""
        def sent(*args: P.args, **kwargs: P.kwargs) -> R:
            self.enter(host, rate, bucket)
            return send(*args, **kwargs)
        return sent
