"""The whole report: what is handed in as a frozen look, one page out. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vanta.alpha.core.page import Page, document, text
from vanta.alpha.core.report import deeds, ground, money, strips, svg
from vanta.alpha.core.report.axes import moment
from vanta.alpha.core.report.equity import currencies, curve, deepest
from vanta.alpha.core.report.history import History
from vanta.alpha.core.report.sightings import Sightings, conviction_map
from vanta.alpha.core.sights import Row
from vanta.alpha.core.words import count, when
from vanta.common.times import millis_of

COLOURS = """
:root{--gain:#1f5f9f;--loss:#b4500f}
@media (prefers-color-scheme:dark){:root{--gain:#7fb4ea;--loss:#e8955c}}
@media print{:root{--gain:#1f5f9f;--loss:#b4500f}}
"""
STYLE = COLOURS + "body{overflow-wrap:break-word}" + svg.STYLE + strips.STYLE + money.STYLE + deeds.STYLE + """
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(10.5rem,1fr));gap:.7rem;margin:.6rem 0 1rem}
.tile{background:var(--box);border:1px solid var(--line);border-radius:6px;padding:.6rem .8rem}
.tile .k{color:var(--quiet);font-size:.8rem;display:block}
.tile .v{font-size:1rem;font-weight:600;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.tile .s{color:var(--quiet);font-size:.8rem;display:block;overflow-wrap:anywhere}
nav{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;font-size:.9rem;margin:.4rem 0 0}
.gaps{border-left:4px solid var(--loss);background:var(--soft);padding:.6rem .9rem;margin:1rem 0;
overflow-wrap:anywhere}
.gaps ul{margin:.3rem 0 0;padding-left:1.2rem}
@media print{nav{display:none}.tile{padding:.3rem .5rem}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Everything that was read.

    `chosen` are the cycles that are shown, `versions` their versions of trade_signals.json by hash, `overlays` the
    bytes of kept overlays; `checks` what diagnostics says at `now`; `gaps` what could not be read.
    """

    now: str
    history: History
    sightings: Sightings
    chosen: Sequence[tuple[int, str]] = ()
    versions: Mapping[str, Any] = field(default_factory=dict)
    overlays: Mapping[str, bytes] = field(default_factory=dict)
    checks: Sequence[Row] = ()
    takes: Sequence[ground.Takes] = ()
    gaps: Sequence[str] = ()


def page(look: Look, foot: str) -> str:
    """The page. Chapters in the order in which a person asks: how does it stand, why, what was done, is it sound."""
    chapters = _chapters(look)
    links = "".join(f'<a href="#{key}">{title}</a>' for key, title, _ in chapters)
    body = "\n".join(
        f'<section aria-labelledby="{key}"><h2 id="{key}">{title}</h2>\n{chr(10).join(parts)}\n</section>'
        for key, title, parts in chapters)
    return document(Page(title=f"VANTA report of home {look.history.book.home or 'without a name'}", lead=_lead(look),
                         body=f'{_gaps(look)}<div class="tiles">{"".join(_tiles(look))}</div>\n'
                              f'<nav aria-label="Chapters">{links}</nav>\n{body}',
                         foot=foot, style=STYLE, skip=("worth", "To the curve")))


def _chapters(look: Look) -> list[tuple[str, str, list[str]]]:
    history, reign, sightings = look.history, look.history.reign, look.sightings
    span = _span(look)
    found = conviction_map(look.chosen, look.versions, len(sightings.cycles))
    feeds = [row for row in look.checks if row.name.startswith("feed ")]
    return [
        ("worth", "Worth and drawdown", list(money.worth(history))),
        ("profit", "Profit and loss", list(money.gains(history))),
        ("days", "Days", list(money.days(history))),
        ("convictions", "Convictions", list(ground.convictions(found))),
        ("orders", "Intents and orders", list(deeds.orders(history))),
        ("stops", "Refusals and holds", list(deeds.stopped(history.wishes.stops))),
        ("controls", "Controls", list(deeds.controls(reign.spells(span[1], look.overlays), reign.events, reign.counts,
                                                     span))),
        ("feeds", "Feeds", list(ground.feeds(feeds, sightings.feeds, _collected(look, span)))),
        ("disk", "Disk", list(ground.disk(look.takes)))]


def _span(look: Look) -> tuple[int, int]:
    """First and last record of the trade log; the moment of the look where there is none."""
    book = look.history.book
    return millis_of(look.history.first or look.now), millis_of(book.at or look.now)


def _collected(look: Look, span: tuple[int, int]) -> tuple[int, int]:
    """The time that passes over feeds lie in."""
    times = [moment.at_ms for passes in look.sightings.feeds.values() for moment in passes.over_time.moments]
    return (min(times), max(times)) if times else span


def _lead(look: Look) -> str:
    book = look.history.book
    if not book.at:
        return f"The trade log holds nothing yet. Looked at {when(look.now)}."
    first, last = (moment(millis_of(at)) for at in (look.history.first, book.at))
    return (f"From {first} to {last}, record {book.seq:,} of the trade log. Everything is read from the files of the "
            "home; what they do not say is left open, never guessed.")


def _gaps(look: Look) -> str:
    """What the page cannot tell, above everything else."""
    found = [*look.gaps, *([look.history.problem] if look.history.problem else []), *look.sightings.problems]
    if not found:
        return ""
    rows = "".join(f"<li>{text(gap)}</li>" for gap in dict.fromkeys(found))
    return f'<section class="gaps"><strong>Not everything is as it should be:</strong><ul>{rows}</ul></section>\n'


def _tiles(look: Look) -> Iterator[str]:
    history, wishes = look.history, look.history.wishes
    for currency in currencies(history.equity.moments):
        points = curve(history.equity.moments, currency)
        last, deep = points[-1], deepest(points)
        nav = last.nav
        yield _tile("worth", money.plain_amount(nav, currency), f"{money.plain_amount(last.flows, currency)} paid in")
        yield _tile("made", money.signed(None if nav is None else nav - last.flows, currency),
                    f"{money.percent((nav - last.flows) / last.flows)} of what was paid in"
                    if nav is not None and last.flows > 0 else "")
        yield _tile("deepest fall", money.percent(deep.fall if deep is not None else None), "below the best so far")
    refused = sum(entry.state in ("refused", "rejected", "quarantined") for entry in history.book.intents.values())
    yield _tile("orders", f"{wishes.orders:,}", f"{count(wishes.fills, 'fill')} for {count(wishes.total, 'intent')}")
    yield _tile("refused", f"{refused:,}", "intents that fences or a venue turned down")
    for row in look.checks:
        if row.name == "dispatch":
            yield _tile("may an order leave?", row.level.name, row.text)


def _tile(key: str, value: str, said: str) -> str:
    return (f'<div class="tile"><span class="k">{text(key)}</span><span class="v">{text(value)}</span>'
            f'<span class="s">{text(said)}</span></div>')

