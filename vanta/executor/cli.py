"""`vanta executor run | once | sweep`: carry staged intents to the broker under the fences."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from vanta.common.cli import HomeOption, JsonFlag, NowOption, Report, application, emit, exit_table
from vanta.common.clock import Clock
from vanta.common.errors import BadInput, LockHeld, OperatorError, StateError
from vanta.common.events import LogEvent
from vanta.common.exitcodes import Check, Exit
from vanta.common.log import Log, configure
from vanta.common.notify import Notifier
from vanta.common.outside.out import Out
from vanta.common.paths import EXECUTOR_STATE, Home
from vanta.common.settings import (
    Settings,
    clock_from,
    home_from,
    insist_on_node,
    load,
    notify_address,
    plain_environment,
    watchdog_s,
)
from vanta.common.store.atomic import read
from vanta.common.store.ground import doubts
from vanta.common.store.lock import holder
from vanta.common.strictjson import loads_object
from vanta.executor.alarm import Alarm, CommandAlarm, NoAlarm
from vanta.executor.core.holding import allowed_s, stuck
from vanta.executor.daemon import Daemon, Outside
from vanta.executor.step import StepReport
from vanta.executor.wire import build

app = application("Carry staged intents to the broker under the fences.")

MOST_STEPS = 20
"""Of one sweep. What is left over then is for the next one."""

StepsOption = Annotated[int, typer.Option("--steps", min=1, max=100, help="How many steps to make.")]


def ready(home: Path | None) -> tuple[Home, Settings]:
    """The home and its settings. Raises `OperatorError` if it is another node's."""
    found = home_from(home).existing()
    settings = load(found)
    insist_on_node(settings, "executor")
    return found, settings


@app.command(epilog=exit_table(Exit.DONE, Exit.TEMPORARY, Exit.CONFIG))
def once(home: HomeOption = None, json: JsonFlag = False, now: NowOption = None, steps: StepsOption = 2) -> int:
    """Make a few steps and stop: everything that can be sent is sent, everything that can be filled is filled."""
    place, settings = ready(home)
    clock = clock_from(settings, now)
    built = build(place, settings, clock)
    try:
        total = _total([built.executor.step() for _ in range(steps)])
    finally:
        built.executor.close()
    return emit(Report(
        schema="vanta.executor.once/1", at=clock.now(), items={**asdict(total), "recovered": built.recovered},
        lines=[f"executor: {built.recovered}",
               f"{total.seen} new intents, {total.accepted} orders accepted, {total.fills} fills",
               *([f"dispatch is stopped: {total.halted}"] if total.halted else []),
               *(f"problem: {what}" for what in total.problems.values())], warnings=doubts(place.memory)), as_json=json)


def _total(reports: list[StepReport]) -> StepReport:
    """Several steps in one report."""
    total = StepReport()
    for report in reports:
        total.seen += report.seen
        total.accepted += report.accepted
        total.fills += report.fills
        total.halted, total.problems = report.halted, report.problems
    return total


def alarm_of(settings: Settings, clock: Clock, out: Out) -> Alarm:
    """Whom to alarm; nobody in a simulation."""
    command = settings.executor.alert_command
    if command is None or settings.executor.mode == "simulate":
        return NoAlarm()
    return CommandAlarm(command, plain_environment(), clock, out)


def _end(alarm: Alarm, log: Log) -> None:
    """Let what is under way be said, and log what was not."""
    for wrong in alarm.close():
        log.warning(LogEvent.ALARM_FAILED, problem=wrong)


@app.command(epilog=exit_table(Exit.DONE, Exit.TEMPORARY, Exit.CONFIG))
def run(home: HomeOption = None, json: JsonFlag = False) -> int:
    """Run the daemon until it is stopped."""
    place, settings = ready(home)
    if settings.executor.dispatch != "daemon":
        raise OperatorError("executor.dispatch is cron: the sweep sends orders, and the service does not run",
                            'Set dispatch = "daemon" under [executor] in config/vanta.toml to run the service.')
    clock = clock_from(settings, None)
    with configure(place, "executor", clock, level=settings.log_level) as log:
        built = build(place, settings, clock)
        log.info(LogEvent.STARTED, recovered=built.recovered, mode=settings.executor.mode)
        for problem in doubts(place.memory):
            log.warning(LogEvent.STATE_PLACE, problem=problem)
        outside = Outside(alarm=alarm_of(settings, clock, built.out), notifier=Notifier(notify_address()),
                          watchdog_s=watchdog_s(), calls=built.out.ledger)
        try:
            daemon = Daemon(built.executor, place, poll_s=settings.executor.poll_s, log=log, outside=outside)
            daemon.stop_on_signals()
            daemon.run()
        finally:
            try:
                built.executor.close(last=lambda: _end(outside.alarm, log))
            finally:
                log.info(LogEvent.STOPPED)
    return emit(Report(schema="vanta.executor.run/1", at=clock.now(), items={"recovered": built.recovered},
                       lines=["executor stopped"]), as_json=json)


@app.command(epilog=f"{exit_table(Exit.DONE, Exit.TEMPORARY, Exit.CONFIG)} 2 too: the executor that runs is stuck.")
def sweep(home: HomeOption = None, json: JsonFlag = False) -> int:
    """Do what an executor has to do every minute, unless one runs: look, reconcile, expire, report.

    Orders leave only where `executor.dispatch` is "cron".
    """
    place, settings = ready(home)
    clock = clock_from(settings, None)
    try:
        return _swept(place, settings, clock, as_json=json)
    except LockHeld:
        held_by = holder(place.lock("executor"))
        if held_by is None:  # it is not the executor's lock, or it has just ended
            raise
    why = stuck(held_by, _state(place), clock.now(), allowed_s(settings.executor))
    return emit(Report(
        schema="vanta.executor.sweep/1", at=clock.now(), exit=Check.CRITICAL if why else Exit.DONE, lines=[],
        items={"held_by": held_by, "stuck": why},
        warnings=[f"Error: {held_by} holds the lock, but {why}; orders are stopped with `vanta-run kill`"] if why else
        ()), as_json=json)


def _state(home: Home) -> dict[str, object] | None:
    """What the executor says of itself; `None` if it cannot be read."""
    try:
        return loads_object(read(home.file(EXECUTOR_STATE)), file=EXECUTOR_STATE)
    except (StateError, BadInput):
        return None


def _swept(place: Home, settings: Settings, clock: Clock, *, as_json: bool) -> int:
    """One sweep. Raises `LockHeld` if an executor runs."""
    with configure(place, "executor", clock, level=settings.log_level) as log:
        built = build(place, settings, clock)
        book, sends = built.executor.recorder.book, settings.executor.dispatch == "cron"
        built.executor.sends = sends
        outside = Outside(alarm=alarm_of(settings, clock, built.out))
        try:
            daemon = Daemon(built.executor, place, poll_s=settings.executor.poll_s, log=log, outside=outside)
            daemon.stop_on_signals()
            total = _total(daemon.sweep(MOST_STEPS))
            left = {"waiting": len(book.waiting), "working": len(book.working)}
        finally:
            built.executor.close(last=lambda: _end(outside.alarm, log))
    said = f"{total.accepted} orders accepted" if sends else "nothing is sent, no executor runs"
    said += f"; {total.seen} new intents, {total.fills} fills, {left['waiting']} intents wait, {left['working']} work"
    return emit(Report(
        schema="vanta.executor.sweep/1", at=clock.now(), warnings=doubts(place.memory),
        items={**asdict(total), **left, "sends": sends, "recovered": built.recovered},
        lines=[f"executor sweep: {said}", *([f"dispatch is stopped: {total.halted}"] if total.halted else []),
               *(f"problem: {what}" for what in total.problems.values())]), as_json=as_json)
