"""`vanta-run up`: every program of the suite on one host, as child processes, until stopped."""

import typer

from vanta.common import typed
from vanta.common.cli import HomeOption, JsonFlag, Report, emit
from vanta.common.clock import SystemClock
from vanta.common.paths import Home
from vanta.common.settings import home_from, load
from vanta.common.store.lock import FileLock
from vanta.suite.child import command
from vanta.suite.supervisor import Program, Supervisor


def programs(home: Home) -> list[Program]:
    """The daemons, in the order in which they start; they stop the other way round, markets first."""
    return [Program(name, command(name, "run", "--home", str(home.root))) for name in ("executor", "markets")]


def up(home: HomeOption = None, json: JsonFlag = False) -> int:
    """Run executor and markets until SIGTERM or Ctrl-C; start again what fails, except on a wrong configuration."""
    place, clock = home_from(home).existing(), SystemClock()
    load(place)  # a wrong configuration is said once here, not by every child

    def say(line: str) -> None:
        typer.echo(f"up: {typed.prose(line)}", err=json)

    with FileLock(place.lock("up"), owner="vanta-run up", now=clock.now()):
        supervisor = Supervisor(programs(place), clock, say)
        supervisor.stop_on_signals()
        say(f"{place.root}: stop with Ctrl-C or SIGTERM; halt orders with `vanta-run kill`")
        status = supervisor.run()
    return emit(Report(schema="vanta.run.up/1", at=clock.now(), items={"exit": status}, exit=status,
                       lines=["up: everything is stopped"]), as_json=json)
