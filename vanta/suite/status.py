"""`vanta-run status`: mode, permission and who gave or took it, programs, feeds, risk, the last decision, what to do.

Offline and fast; it looks no closer than `vanta-diagnostics`, whose rows it shows, and adds who decided and what is at
stake. It ends with 0 whatever it shows; `--check` makes it a monitoring check with 0, 1, 2 or 3 instead.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from itertools import islice, takewhile
from typing import Annotated, Any

import typer

from vanta.alpha.core.sights import Doc, Facts, Limits, Row, nothing_known, one_line, since, span
from vanta.alpha.core.summary import headline, rows, worst
from vanta.alpha.wire import gather, last_records, permitted, shown, unread, whole
from vanta.common import typed
from vanta.common.cli import HomeOption, JsonFlag, Next, NowOption, Report, emit
from vanta.common.clock import clock_for
from vanta.common.errors import OperatorError
from vanta.common.exitcodes import Check, Exit
from vanta.common.paths import OPEN_ORDERS, PNL, TRADE_LOG, Home
from vanta.common.settings import clock_from, home_from, load
from vanta.common.times import iso, parse_iso
from vanta.executor.core.notices import words

CheckFlag = Annotated[bool, typer.Option("--check", help="Answer as a monitoring check: 0 OK, 1 WARNING, 2 CRITICAL, "
                                         "3 UNKNOWN or a wrong command line.")]
_WORDS = {Check.OK: "OK", Check.WARNING: "WARN", Check.CRITICAL: "CRIT", Check.UNKNOWN: "UNKNOWN"}
_MOST_ALERTS = 10
_ALERTS_NEAR = 4 << 20
"""Alerts are looked for so near to the end of the trade log."""
_PROGRAMS = {"": ("executor", "markets"), "executor": ("executor", "transport"), "markets": ("markets", "transport"),
             "alpha": ("lease", "transport")}
_FIRST = ("dispatch", "executor")
_ALWAYS = ("reflection", "queue", "lease")
_DECISIONS = ("intent.approved", "intent.refused", "intent.held", "intent.expired", "order.rejected", "order.cancelled",
              "fill")


def status(home: HomeOption = None, json: JsonFlag = False, now: NowOption = None, check: CheckFlag = False) -> int:
    """Show the state of a home on one screen."""
    place = home_from(home).existing()
    problems: tuple[str, ...] = ()
    try:
        settings = load(place)
        clock = clock_from(settings, now)
    except OperatorError as error:
        settings, clock, problems = unread(place), clock_for(now), (error.what,)
    facts, place = gather(place, settings, clock.now(), problems), shown(place, settings)
    found = rows(facts, Limits(
        heartbeat_warn_s=3 * settings.executor.heartbeat_s, heartbeat_s=6 * settings.executor.heartbeat_s))
    mode = "unknown: the settings cannot be read" if problems else settings.executor.mode
    more = {"mode": mode, "permission": permission(place, facts), "programs": programs(facts),
            "risk": list(risk(place, facts)), "alerts": alerts(place, facts), "last_day": last_day(place),
            "last_decision": decision(place, facts)}
    lines = [headline(found)] if check else []
    return emit(Report(
        schema="vanta.run.status/1", at=facts.now, exit=worst(found) if check else Exit.DONE,
        lines=[*lines, *_lines(place, facts, more, found)], next=[Next(row.name, row.fix) for row in found if row.fix],
        items={"level": worst(found).name, "headline": headline(found), "home": str(place.root), **more, "checks": [
            {"name": row.name, "level": row.level.name, "text": row.text, "fix": typed.command(row.fix) or None}
            for row in found]},
    ), as_json=json)


def _lines(home: Home, facts: Facts, more: Mapping[str, Any], found: list[Row]) -> Iterator[str]:
    node = f", node {facts.node}" if facts.node else ""
    yield f"{'mode':<18}{str(more['mode']).upper()} at {home.root}{node}"
    yield from (_line(row) for row in found if row.name in _FIRST)
    yield f"{'  who and why':<18}{more['permission']}"
    yield f"{'programs':<18}{more['programs']}"
    if facts.feeds:
        yield f"{'feeds':<18}{_fresh(found)}"
    yield from (_line(row) for row in found if row.name.startswith("feed ") and row.level is not Check.OK)
    yield from (f"{'risk' if at == 0 else '':<18}{text}" for at, text in enumerate(more["risk"]))
    yield from (f"{'alerts today' if at == 0 else '':<18}{_alert(row)}" for at, row in enumerate(more["alerts"]))
    yield from (f"{'last day' if at == 0 else '':<18}{_day(row)}" for at, row in enumerate(more["last_day"]))
    yield f"{'last decision':<18}{more['last_decision']}"
    yield from (_line(row) for row in found if row.name not in _FIRST and not row.name.startswith("feed ")
                and (row.level is not Check.OK or row.name in _ALWAYS or row.name.startswith("link ")))


def _line(row: Row) -> str:
    return f"{row.name:<18}{_WORDS[row.level]} {one_line(row.text)}"


def _fresh(found: list[Row]) -> str:
    feeds = [row for row in found if row.name.startswith("feed ")]
    return ", ".join(f"{sum(row.level is level for row in feeds)} {_WORDS[level]}" for level in _WORDS)


def permission(home: Home, facts: Facts) -> str:
    """Who permitted or stopped dispatch last, when and why; a latch is named before all of it."""
    latched = [f"the executor latched itself: {latch.detail}" for latch in facts.latches]
    return one_line("; ".join([*latched, permitted(home, facts)]))


def programs(facts: Facts) -> str:
    """Which daemons are alive, by their locks."""
    said = {True: "runs", False: "is not running", None: "cannot be told"}
    return "; ".join(f"{name} {said[facts.running(name)]}" for name in _PROGRAMS[facts.node])


def risk(home: Home, facts: Facts) -> Iterator[str]:
    """What is at stake, by vault, and what works at the venue."""
    vaults = facts.portfolio.rows("vaults")
    if not vaults:
        held = "what is held is not known" if facts.node in ("alpha", "markets") else "nothing is held"
        yield facts.portfolio.problem or f"{held}: {nothing_known(facts)}"
    for vault in vaults:
        values = [_amount(row.get("value")) for row in Doc(vault).rows("positions")]
        known = [value for value in values if value is not None]
        gross = f"{sum(abs(value) for value in known):,.2f}" if len(known) == len(values) else "unknown"
        nav = _amount(vault.get("nav"))
        yield (f"{vault.get('vault_id')}: {len(values)} positions worth {gross} of NAV "
               f"{'unknown' if nav is None else f'{nav:,.2f}'} {vault.get('currency')}")
    orders = whole(home.file(OPEN_ORDERS))
    if orders.value is not None or orders.problem:
        yield orders.problem or f"{len(orders.rows('orders'))} orders at the venue"


def alerts(home: Home, facts: Facts) -> list[dict[str, Any]]:
    """The newest of today's alerts (half, four fifths of a limit), newest first, as far as the log's end says."""
    records = takewhile(lambda record: str(record["at"])[:10] >= iso(facts.now)[:10],
                        last_records(home.file(TRADE_LOG), near=_ALERTS_NEAR))
    vaults = {vault.get("vault_id") for vault in facts.portfolio.rows("vaults")}
    found = ((record["at"], record["payload"]) for record in records
             if record["kind"] == "alert" and record["payload"].get("level"))
    return [{"at": at, "vault": who if (who := str(said.get("about")).partition(" ")[0]) in vaults else None, **said}
            for at, said in islice(found, _MOST_ALERTS)]


def _alert(row: Mapping[str, Any]) -> str:
    return one_line(f"{str(row['at'])[11:19]} "
                    f"{words(row.get('about'), row.get('level'), row.get('value'), row.get('limit'))}")


def last_day(home: Home) -> list[dict[str, Any]]:
    """What the record of the last day that was closed says, a row a currency."""
    return [dict(row) for row in whole(home.file(PNL)).rows("last_day")]


def _day(row: Mapping[str, Any]) -> str:
    """`2026-11-26: NAV 100,012.34 USD, +12.34 since 2026-11-25; equity:SPY gives 100,001.00, +11.34: ahead`."""
    nav, pnl, other, ahead = (_amount(row.get(name)) for name in ("nav", "pnl", "benchmark_nav", "ahead"))
    made = "NAV unknown" if nav is None else f"NAV {nav:,.2f} {row.get('currency')}"
    made += "" if pnl is None else f", {pnl:+,.2f} since {row.get('since') or 'the beginning'}"
    against = "" if other is None or ahead is None else f"; {row.get('benchmark')} gives {other:,.2f}, {ahead:+,.2f}"
    return one_line(f"{row.get('day')}: {made}{against}: {row.get('verdict')}")


def _amount(value: object) -> Decimal | None:
    try:
        return Decimal(str(value)) if isinstance(value, str | int) else None
    except InvalidOperation:
        return None


def decision(home: Home, facts: Facts) -> str:
    """The newest verdict or fill near the end of the trade log."""
    for record in last_records(home.file(TRADE_LOG)):
        if record["kind"] in _DECISIONS:
            said = record["payload"]
            codes = [line[1] for line in said.get("lines", []) if line[1]] if "lines" in said else []
            what = said.get("instrument_id") or record["ids"].get("vault", "")
            about = f"{record['kind']} {what} {', '.join(codes)}".strip()
            return f"{about}, {span(since(parse_iso(record['at']), facts.now))} ago ({record['ids'].get('intent_id')})"
    return "none yet"
