"""`vanta transport`: what crosses between hosts, and the programs that carry it."""

import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from vanta.common.cli import HomeOption, JsonFlag, Report, application, emit, exit_table
from vanta.common.clock import Clock, SystemClock
from vanta.common.errors import OperatorError, UsageError
from vanta.common.events import LogEvent
from vanta.common.exitcodes import Exit
from vanta.common.log import Log, configure
from vanta.common.notify import Notifier
from vanta.common.outside.out import Out
from vanta.common.paths import PUBLISH_CALLS, Home
from vanta.common.settings import Settings, clock_from, home_from, load, notify_address, watchdog_s
from vanta.common.store.ground import doubts
from vanta.common.store.lock import FileLock
from vanta.transport.bus import NotTaken, Way
from vanta.transport.core import streams
from vanta.transport.core.frames import Garbled
from vanta.transport.core.table import ALPHA, NODES, TABLE
from vanta.transport.daemon import Around, Carrier, LeaseDaemon
from vanta.transport.port import LinkDown
from vanta.transport.publisher import Publisher
from vanta.transport.publishing import PublishDaemon
from vanta.transport.puller import Link
from vanta.transport.serve import serve as answer
from vanta.transport.wire import (
    LEASE_S,
    bus,
    lease_writer,
    links,
    node_of,
    publisher,
    reader,
    way_out,
    witness,
)

app = application("What crosses between hosts: pulled, verified, never over a local file.")

_TO = Annotated[str, typer.Option("--to", metavar="NODE", help="Who may see it.")]
_NODE = Annotated[str, typer.Option("--node", metavar="NODE", help="Which node this home is.")]
_CERTIFICATE = Annotated[Path, typer.Option("--certificate", metavar="FILE", help="The administrator's certificate.")]
_KEY_FILE = Annotated[Path, typer.Option("--key-file", metavar="FILE", help="Its key.")]
_DAYS = Annotated[int, typer.Option("--max-age-days", min=0, max=36_500, metavar="N",
                                    help="How long logs stay in their streams; 0 keeps them for ever.")]
_REPLICAS = Annotated[int, typer.Option("--replicas", min=1, max=5, metavar="N", help="In a cluster of servers.")]
_ONCE = Annotated[bool, typer.Option("--once", help="Look at everything once and stop.")]


@app.command(epilog=exit_table(Exit.DONE))
def table(json: JsonFlag = False) -> int:
    """Show everything that may cross. Nothing else can be asked for."""
    rows = [{"file": row.name, "from": row.source, "to": list(row.to), "how": row.how,
             "controls": row.urgent, "covered": row.covered, "most_bytes": row.most} for row in TABLE]
    return emit(Report(
        schema="vanta.transport.table/1", at=SystemClock().now(), items={"rows": rows},
        lines=[f"{row.name:<26} {row.source:>8} → {', '.join(row.to):<16} {row.how}"
               f"{', looked at first' if row.urgent else ''}{', only what is signed for' if row.covered else ''}"
               for row in TABLE]), as_json=json)


@app.command(epilog=exit_table(Exit.DONE, Exit.USAGE))
def serve(node: _NODE, to: _TO, home: HomeOption = None) -> int:
    """Answer another node's questions on stdin: for a forced command of its key. Only reads."""
    place = home_from(home)
    try:
        answer(reader(place.root, node, to), sys.stdin.buffer, sys.stdout.buffer)
    except Garbled as error:
        raise UsageError(str(error), "This is for `vanta transport pull` on another host.") from error
    except BrokenPipeError:
        pass  # whoever asked is gone
    return Exit.DONE


@app.command(epilog=exit_table(Exit.DONE, Exit.PARTIAL, Exit.TEMPORARY, Exit.CONFIG))
def pull(home: HomeOption = None, once: _ONCE = False, json: JsonFlag = False) -> int:
    """Pull what other nodes let this one see, until stopped."""
    place = home_from(home).existing()
    settings = load(place)
    clock = clock_from(settings)
    out = way_out(place, settings, clock)
    found = list(links(place, settings, clock, out))
    if not found:
        raise OperatorError("no other node is configured", "Set [transport.alpha] and so on in config/vanta.toml.")
    with FileLock(place.lock("transport"), owner="transport", now=clock.now()), out:
        return _once(found, clock, as_json=json) if once else _pull(place, settings, found, out, as_json=json)


def _once(found: list[Link], clock: Clock, *, as_json: bool) -> int:
    lines, items, well = list[str](), dict[str, object](), True
    for link in found:
        with closing(link):
            turn = link.turn(clock)
        wrong = {name: seen.problem for name, seen in link.files.items() if seen.problem}
        well = well and not link.down and not wrong
        items[link.source] = {"down": link.down, "news": turn.news, "refused": turn.refused, "problems": wrong}
        lines += [f"{link.source}: {link.down or f'{len(turn.news)} files are new'}",
                  *(f"{link.source}/{name}: {problem}" for name, problem in wrong.items())]
    return emit(Report(schema="vanta.transport.pull/1", at=clock.now(), items={"links": items}, lines=lines,
                       exit=Exit.DONE if well else Exit.PARTIAL), as_json=as_json)


def _pull(place: Home, settings: Settings, found: list[Link], out: Out, *, as_json: bool) -> int:
    clock = clock_from(settings)
    with configure(place, "transport", clock, level=settings.log_level) as log:
        for problem in doubts(place.memory):
            log.warning(LogEvent.STATE_PLACE, problem=problem)
        seen = {link.source: witness(place, link.source) for link in found} if node_of(settings) == ALPHA else {}
        Carrier(found, _around(clock, log, out), seen).run()
    return emit(Report(schema="vanta.transport.pull/1", at=clock.now(), items={}, lines=["transport stopped"]),
                as_json=as_json)


@app.command(epilog=exit_table(Exit.DONE, Exit.PARTIAL, Exit.TEMPORARY, Exit.CONFIG))
def publish(home: HomeOption = None, once: _ONCE = False, json: JsonFlag = False) -> int:
    """Publish what other nodes may see of this one to the NATS server of [transport.nats], until stopped."""
    place = home_from(home).existing()
    settings = load(place)
    clock = clock_from(settings)
    out = way_out(place, settings, clock, PUBLISH_CALLS)
    with FileLock(place.lock("publish"), owner="transport publish", now=clock.now()), out, \
            closing(publisher(place, settings, out)) as found:
        if once:
            return _published(found, clock, as_json=json)
        with configure(place, "publish", clock, level=settings.log_level) as log:
            PublishDaemon(found, _around(clock, log, out), look_s=settings.transport.controls_s).run()
    return emit(Report(schema="vanta.transport.publish/1", at=clock.now(), items={}, lines=["publishing stopped"]),
                as_json=json)


def _published(found: Publisher, clock: Clock, *, as_json: bool) -> int:
    """Everything there is, and what kept it."""
    news, problems, more, down = Counter[str](), dict[str, str](), True, ""
    while more:
        try:
            done = found.turn()
        except LinkDown as error:
            down, more = error.what, False
        else:
            news.update(done.news)
            problems, more = done.problems, done.more
    lines = [down or f"{sum(news.values())} messages are published",
             *(f"{name}: {problem}" for name, problem in problems.items())]
    return emit(Report(schema="vanta.transport.publish/1", at=clock.now(), lines=lines,
                       items={"down": down, "published": dict(news), "problems": problems},
                       exit=Exit.PARTIAL if down or problems else Exit.DONE), as_json=as_json)


@app.command(name="streams", epilog=exit_table(Exit.DONE, Exit.PARTIAL, Exit.CONFIG))
def make_streams(certificate: _CERTIFICATE, key_file: _KEY_FILE, home: HomeOption = None, max_age_days: _DAYS = 0,
                 replicas: _REPLICAS = 1) -> int:
    """As the NATS server's user `admin`, make all nodes' streams or change them; with no publisher here under way."""
    place = home_from(home).existing()
    settings = load(place)
    lines, status, clock = list[str](), Exit.DONE, clock_from(settings)
    out = way_out(place, settings, clock, PUBLISH_CALLS)
    pair = (str(certificate), str(key_file))
    with FileLock(place.lock("publish"), owner="transport streams", now=clock.now()), out, \
            closing(bus(place, settings, streams.ADMIN, Way(out, "link:streams"), pair)) as server:
        try:
            for node in NODES:
                for one in streams.configurations(node, max_age_s=max_age_days * 86_400, replicas=replicas):
                    lines.append(f"{one['name']}: {'made' if server.ensure(one) else 'is there'}")
        except (LinkDown, NotTaken) as error:
            lines.append(error.what)
            status = Exit.PARTIAL
    return emit(Report(schema="vanta.transport.streams/1", at=SystemClock().now(), items={"streams": lines},
                       lines=lines, exit=status), as_json=False)


@app.command(epilog=exit_table(Exit.DONE, Exit.TEMPORARY, Exit.CONFIG))
def lease(home: HomeOption = None, json: JsonFlag = False) -> int:
    """On Alpha: say every second that these are its controls, until stopped."""
    place = home_from(home).existing()
    settings = load(place)
    clock = clock_from(settings)
    if node_of(settings) != ALPHA:
        raise OperatorError(f"this is the {node_of(settings)} node", "Only Alpha says whose controls count.")
    with FileLock(place.lock("lease"), owner="transport lease", now=clock.now()), \
            configure(place, "lease", clock, level=settings.log_level) as log:
        LeaseDaemon(lease_writer(place, clock), _around(clock, log), every_s=LEASE_S,
                    look_s=settings.transport.controls_s).run()
    return emit(Report(schema="vanta.transport.lease/1", at=clock.now(), items={}, lines=["lease stopped"]),
                as_json=json)


def _around(clock: Clock, log: Log, out: Out | None = None) -> Around:
    return Around(clock=clock, log=log, notifier=Notifier(notify_address()), watchdog_s=watchdog_s(), out=out)
