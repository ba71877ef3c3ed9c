"""`vanta executor run | once`: carry staged intents to the broker under the fences."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from vanta.common.cli import HomeOption, JsonFlag, NowOption, Report, application, emit, exit_table
from vanta.common.clock import Clock
from vanta.common.events import LogEvent
from vanta.common.exitcodes import Exit
from vanta.common.log import configure
from vanta.common.notify import Notifier
from vanta.common.paths import Home
from vanta.common.settings import (
    Settings,
    clock_from,
    home_from,
    load,
    notify_address,
    plain_environment,
    watchdog_s,
)
from vanta.common.store.ground import doubts
from vanta.executor.alarm import Alarm, CommandAlarm, NoAlarm
from vanta.executor.daemon import Daemon, Outside
from vanta.executor.step import StepReport
from vanta.executor.wire import build

app = application("Carry staged intents to the broker under the fences.")

StepsOption = Annotated[int, typer.Option("--steps", min=1, max=100, help="How many steps to make.")]


def ready(home: Path | None) -> tuple[Home, Settings]:
    """The home and its settings."""
    found = home_from(home).existing()
    return found, load(found)


@app.command(epilog=exit_table(Exit.DONE, Exit.TEMPORARY, Exit.CONFIG))
def once(home: HomeOption = None, json: JsonFlag = False, now: NowOption = None, steps: StepsOption = 2) -> int:
    """Make a few steps and stop: everything that can be sent is sent, everything that can be filled is filled."""
    place, settings = ready(home)
    clock = clock_from(settings, now)
    built = build(place, settings, clock)
    total = StepReport()
    try:
        for _ in range(steps):
            report = built.executor.step()
            total.seen += report.seen
            total.accepted += report.accepted
            total.fills += report.fills
            total.halted, total.problems = report.halted, report.problems
    finally:
        built.executor.close()
    return emit(Report(
        schema="vanta.executor.once/1", at=clock.now(), items={**asdict(total), "recovered": built.recovered},
        lines=[f"executor: {built.recovered}",
               f"{total.seen} new intents, {total.accepted} orders accepted, {total.fills} fills",
               *([f"dispatch is stopped: {total.halted}"] if total.halted else []),
               *(f"problem: {what}" for what in total.problems.values())], warnings=doubts(place.memory)), as_json=json)


def alarm_of(settings: Settings, clock: Clock) -> Alarm:
    """Whom to alarm; nobody in a simulation."""
    command = settings.executor.alert_command
    if command is None or settings.executor.mode == "simulate":
        return NoAlarm()
    return CommandAlarm(command, plain_environment(), clock)


@app.command(epilog=exit_table(Exit.DONE, Exit.TEMPORARY, Exit.CONFIG))
def run(home: HomeOption = None, json: JsonFlag = False) -> int:
    """Run the daemon until it is stopped."""
    place, settings = ready(home)
    clock = clock_from(settings, None)
    with configure(place, "executor", clock, level=settings.log_level) as log:
        built = build(place, settings, clock)
        log.info(LogEvent.STARTED, recovered=built.recovered, mode=settings.executor.mode)
        for problem in doubts(place.memory):
            log.warning(LogEvent.STATE_PLACE, problem=problem)
        outside = Outside(alarm=alarm_of(settings, clock), notifier=Notifier(notify_address()), watchdog_s=watchdog_s())
        try:
            daemon = Daemon(built.executor, place, poll_s=settings.executor.poll_s, log=log, outside=outside)
            daemon.stop_on_signals()
            daemon.run()
        finally:
            try:
                built.executor.close()
            finally:
                for wrong in outside.alarm.close():
                    log.warning(LogEvent.ALARM_FAILED, problem=wrong)
                log.info(LogEvent.STOPPED)
    return emit(Report(schema="vanta.executor.run/1", at=clock.now(), items={"recovered": built.recovered},
                       lines=["executor stopped"]), as_json=json)
