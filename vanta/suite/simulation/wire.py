"""The composition root of a simulation: the programs as they are, alone in their home, with few syncs."""

from dataclasses import dataclass

from vanta.common.clock import Clock
from vanta.common.models.configuration import Settings
from vanta.common.paths import Home
from vanta.common.store.ports import Files
from vanta.common.store.storage import RELAXED
from vanta.executor import wire as executor
from vanta.executor.wire import Built
from vanta.markets import wire as markets
from vanta.markets.wire import Markets

BY = "vanta simulate"


@dataclass(frozen=True, slots=True)
class Programs:
    """What runs in a simulation, and the home's documents."""

    executor: Built
    markets: Markets
    files: Files


def assemble(home: Home, settings: Settings, clock: Clock, home_id: str) -> Programs:
    """Found the home and start the programs. `home_id` is the short id in the name of every order."""
    executor.found(home, home_id, by=BY, now=clock.now())
    return Programs(executor.build(home, settings, clock, storage=RELAXED),
                    markets.build(home, settings, clock, RELAXED), RELAXED.files(home.memory))
