"""`vanta markets run`: the daemon."""

import sys
from typing import Annotated

import typer

from vanta.common.cli import HomeOption, JsonFlag, Report, application, emit, exit_table
from vanta.common.events import LogEvent
from vanta.common.exitcodes import Exit
from vanta.common.log import configure
from vanta.common.notify import Notifier
from vanta.common.paths import routes
from vanta.common.settings import clock_from, home_from, insist_on_node, load, notify_address, watchdog_s
from vanta.common.store.ground import doubts
from vanta.markets.daemon import Daemon, Parts
from vanta.markets.wire import build

app = application("Run the node.")

LOG = "reflector_meta"
"""What the daemon does stands in `logs/reflector_meta.log`; each feed has a log of its own beside it."""

NoCollect = Annotated[bool, typer.Option("--no-collect", help="Reflect and promote only; cron starts the collectors, "
                                         "and this process never asks anybody outside.")]


@app.command(epilog=exit_table(Exit.DONE, Exit.TEMPORARY, Exit.CONFIG))
def run(home: HomeOption = None, *, no_collect: NoCollect = False, json: JsonFlag = False) -> int:
    """Do all of it on schedule, until stopped."""
    place = home_from(home).prepare()
    settings = load(place)
    insist_on_node(settings, "markets")
    clock = clock_from(settings)
    with build(place, settings, clock) as markets, \
            configure(place, LOG, clock, level=settings.log_level, to_stderr=True) as log:
        for problem in doubts(place.memory):
            log.warning(LogEvent.STATE_PLACE, problem=problem)
        markets.hold()
        Daemon(Parts(
            home=place, settings=settings.markets, clock=clock, log=log, notifier=Notifier(notify_address()),
            watchdog_s=watchdog_s(), collects=not no_collect, reflect=markets.reflect, promote=markets.promote,
            command=lambda feed: [sys.executable, "-m", "vanta.markets.cli", "collect", feed, "--home",
                                  str(place.root)], elsewhere=routes(settings.node.name if settings.node else None)
            )).run()
    stopped = Report(schema="vanta.markets.run/1", at=clock.now(), items={}, lines=["markets: stopped"])
    return emit(stopped, as_json=json)
