"""The chapters about money: worth and drawdown, profit by every table, the record of each day. Pure.

Every table of profit is the executor's own (`profit.made`), a currency at a time: rows that are not shown one by one
are summed in a row of their own, so that what stands on the page adds up to the cent.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from vanta.alpha.core.page import text
from vanta.alpha.core.report import columns, curves
from vanta.alpha.core.report.axes import moment, share
from vanta.alpha.core.report.equity import Point, Stands, currencies, curve, deepest, gaps
from vanta.alpha.core.report.history import History
from vanta.alpha.core.report.stretches import Moment, thinned
from vanta.alpha.core.report.svg import Drawing, Table, figure, table
from vanta.alpha.core.words import amount, count
from vanta.common.money import ZERO
from vanta.executor.core import profit
from vanta.executor.core.lots import Line

STYLE = """
.profit{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,28rem),1fr));gap:0 3rem}
.group{display:grid;grid-template:"g b v"/minmax(0,9.5rem) minmax(0,1fr) minmax(7.5rem,auto);gap:.1rem .8rem;
align-items:center;font-size:.9rem;padding:.1rem 0}
.group .bar{grid-area:b;width:100%;height:11px;display:block}
.group .g{grid-area:g;overflow-wrap:anywhere}
.group .v{grid-area:v;text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.sum{font-weight:700;border-top:1px solid var(--line);margin-top:.15rem}
.axis{fill:var(--quiet)}
svg .up{fill:var(--gain)}svg .down{fill:var(--loss)}svg .zero{stroke:var(--quiet)}svg .stripe{stroke:var(--page);
stroke-width:1.6}
h3{font-size:.9rem;margin:1.3rem 0 .2rem}
.spark{width:160px;height:30px;display:block}
.spark .line{fill:none;stroke:var(--gain);stroke-width:1.6}
@media screen and (max-width:40rem){.group{grid-template:"g v" "b b"/minmax(0,1fr) auto;padding:.2rem 0}}
@media print{.profit{display:block}.profit details{display:none}}
"""
MOST_ROWS, MOST_DAYS, MOST_POINTS = 30, 60, 120
_NAMES = {"vault": "vault", "band": "band of conviction", "source": "source", "persona": "persona",
          "reason": "reason"}
_VAULT = ("worth", "made", "paid in", "deepest fall", "cash")


def signed(value: Decimal | str | None, currency: str) -> str:
    """`+1,234.50 USD`, or that it is not known."""
    return "unknown" if value is None else amount(Decimal(value), currency)


def plain_amount(value: Decimal | str | None, currency: str) -> str:
    """`1,234.50 USD`, or that it is not known."""
    return "unknown" if value is None else amount(Decimal(value), currency, sign=False)


def percent(part: Decimal | None) -> str:
    """`−1.25 %`, or that it is not known."""
    return "unknown" if part is None else share(part)


def worth(history: History) -> Iterator[str]:
    """A curve a currency, and a row a vault."""
    moments = history.equity.moments
    for currency in currencies(moments):
        points = curve(moments, currency)
        if any(point.nav is not None for point in points):
            yield figure(_equity(points, currency))
        else:
            yield f"<p>No moment in {text(currency)} is known: a held position never had a mark.</p>"
        yield _vaults(history, moments, currency)
    if not moments:
        yield "<p>Nothing was paid in and nothing was priced yet.</p>"


def _equity(points: Sequence[Point], currency: str) -> Drawing:
    last = next(point for point in reversed(points) if point.nav is not None)
    deep, holes = deepest(points), gaps(points)
    shown = thinned(points, MOST_POINTS)
    told = (f"From {moment(points[0].at_ms)} to {moment(points[-1].at_ms)}. At the end "
            f"{plain_amount(last.nav, currency)}, of which {plain_amount(last.flows, currency)} were paid in. The "
            f"deepest fall below the best so far was {percent(deep.fall if deep is not None else None)}.")
    more = f" {count(len(holes), 'gap')}, hazy in the drawing: nothing is known there." if holes else ""
    return Drawing(
        name=f"worth-{currency.lower()}", title=f"What all vaults are worth, {currency}", told=told,
        draw=partial(curves.equity, points, currency),
        caption=f"Solid: what the vaults are worth at the marks that the log had; dashed: what was paid in; between "
                f"them lies what was made. {count(len(points), 'moment')}, each the last of its stretch of time, so a "
                f"fall that came and went within one is not seen. Payments are no gain in the lower curve.{more}",
        numbers=Table(head=("time", "worth", "paid in", "below the best"), right=frozenset({1, 2, 3}), rows=[
            [moment(point.at_ms), plain_amount(point.nav, currency), plain_amount(point.flows, currency),
             percent(point.fall)] for point in shown],
            caption=f"{len(shown)} of {count(len(points), 'moment')}" if len(shown) < len(points) else ""))


def _vaults(history: History, moments: Sequence[Moment[Stands]], currency: str) -> str:
    found = [vault for _, vault in sorted(history.book.vaults.items()) if vault.currency == currency]
    rows = []
    for number, vault in enumerate(found[:MOST_ROWS]):
        nav = history.book.nav(vault.vault_id)
        points = curve(moments, currency, vault.vault_id)
        deep = deepest(points)
        cells = [plain_amount(nav, currency), signed(None if nav is None else nav - vault.flows, currency),
                 plain_amount(vault.flows, currency), percent(deep.fall if deep is not None else None),
                 plain_amount(vault.cash, currency)]
        spark = curves.spark(thinned(points, MOST_POINTS), f"spark-{currency.lower()}-{number}")
        rows.append(f'<tr><th scope="row">{text(vault.vault_id)}</th>' + "".join(
            f'<td class="n" data-l="{head}">{text(cell)}</td>' for head, cell in zip(_VAULT, cells, strict=True))
            + f"<td>{spark}</td></tr>")
    more = f"<p class=\"quiet\">{count(len(found) - MOST_ROWS, 'more vault')} are in the sums above.</p>" \
        if len(found) > MOST_ROWS else ""
    head = "".join(f'<th scope="col" class="n">{name}</th>' for name in _VAULT)
    return (f'<div class="scroll" tabindex="0" role="region" aria-label="Vaults in {text(currency)}">'
            '<table class="stack"><thead>'
            f'<tr><th scope="col">vault</th>{head}<th scope="col">course</th></tr>'
            f"</thead><tbody>{''.join(rows)}</tbody></table></div>{more}")


def gains(history: History) -> Iterator[str]:
    """Profit by vault, band, source, persona and reason, a currency at a time."""
    book = history.book
    for currency in sorted({vault.currency for vault in book.vaults.values()}):
        made = profit.made(book, [vault for vault in book.vaults.values() if vault.currency == currency])
        if made.unmarked:
            yield (f"<p><strong>Without a mark, so nothing of what they would bring is in here:</strong> "
                   f"{text(', '.join(sorted(made.unmarked)))}.</p>")
        tables = (_gains(made.tables[name], made.total, name, currency) for name in _NAMES)
        yield f'<div class="profit">{"".join(tables)}</div>'


def shown_rows(lines: Mapping[str, Line]) -> list[tuple[str, Line]]:
    """The groups by size of what they made; those beyond the largest as one, so that nothing is missing."""
    ranked = sorted(lines.items(), key=lambda row: (-abs(row[1].total), row[0]))
    rest = Line()
    for _, line in ranked[MOST_ROWS:]:
        rest.add(line)
    more = [(f"{len(ranked) - MOST_ROWS} smaller ones together", rest)] if len(ranked) > MOST_ROWS else []
    return ranked[:MOST_ROWS] + more


def _gains(lines: Mapping[str, Line], total: Line, name: str, currency: str) -> str:
    rows = shown_rows(lines)
    low, high = (pick((line.total for _, line in rows), default=ZERO) for pick in (min, max))
    bars = "".join(
        f'<div class="group"><span class="g">{text(group)}</span><span class="v">'
        f"{text(signed(line.total, currency))}</span>"
        f"{columns.bar(line.total, min(low, ZERO), max(high, ZERO), f'{name}-{currency.lower()}-{place}')}</div>"
        for place, (group, line) in enumerate(rows))
    whole = Table(head=(_NAMES[name], "realised", "unrealised", "fees in it", "total"), right=frozenset({1, 2, 3, 4}),
                  rows=[_line(group, line, currency) for group, line in rows], foot=_line("sum", total, currency))
    return (f'<section aria-label="Profit by {name}, {text(currency)}"><h3>By {_NAMES[name]}</h3>\n{bars}'
            f'<div class="group sum"><span class="g">sum</span><span class="v">'
            f"{text(signed(total.total, currency))}</span></div>\n<details><summary>realised, unrealised and fees"
            f"</summary>{table(whole)}</details></section>")


def _line(group: str, line: Line, currency: str) -> list[str]:
    return [group, signed(line.realised, currency), signed(line.unrealised, currency),
            plain_amount(line.fees, currency), signed(line.total, currency)]


def days(history: History) -> Iterator[str]:
    """A column and a row for each closed day."""
    if not history.days:
        yield "<p>No day has been closed yet: that is done with the first look on a later day (UTC).</p>"
        return
    for currency in sorted({code for day in history.days for code in day["currencies"]}):
        found = [(day, day["currencies"][currency]) for day in history.days if currency in day["currencies"]]
        yield figure(_days(found, currency))


def _days(found: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], currency: str) -> Drawing:
    shown, room = found[-MOST_DAYS:], found[-columns.FIT:]
    drawn = [columns.Column(day["day"][5:], None if row["total"] is None else float(row["total"]["total"]),
                            f"{day['day']}: {_made(row, currency)}, {row['verdict']}") for day, row in room]
    known = [Decimal(row["total"]["total"]) for _, row in found if row["total"] is not None]
    up, down = sum(one > 0 for one in known), sum(one < 0 for one in known)
    older = (f" The newest {len(room)} are drawn (on a phone {columns.FIT_NARROW}), the newest {len(shown)} listed; "
             "the sum is of all." if len(shown) < len(found) else "")
    benchmark = next((row["benchmark"] for _, row in reversed(found) if row["benchmark"]), None)
    versus = f"compared with {benchmark}" if benchmark else "no benchmark is configured"
    said = (f"{count(len(found), 'closed day')}: {up} up, {down} down, {len(known) - up - down} level, "
            f"{len(found) - len(known)} unknown; all together {signed(sum(known, ZERO), currency)}; {versus}.{older}")
    rows = [[day["day"], _made(row, currency), plain_amount(row["nav"], currency),
             plain_amount(row["benchmark_nav"], currency) if row["benchmark_nav"] else "—",
             signed(row["ahead"], currency) if row["ahead"] else "—", _verdict(day, row)]
            for day, row in reversed(shown)]
    return Drawing(name=f"days-{currency.lower()}", title=f"What each day made, {currency}", told=said, caption=said,
                   draw=partial(columns.columns, drawn, f"made, {currency}"),
                   numbers=Table(head=("day", "made", "worth at its close", "in the benchmark", "ahead by", "verdict"),
                                 right=frozenset({1, 2, 3, 4}), rows=rows))


def _made(row: Mapping[str, Any], currency: str) -> str:
    return signed(None if row["total"] is None else row["total"]["total"], currency)


def _verdict(day: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """The record's own words, with what it says beside them."""
    said = [str(row["verdict"])]
    if row["unmarked"]:
        said.append(f"no mark: {', '.join(row['unmarked'])}")
    if row["difference"] is not None and Decimal(row["difference"]):
        said.append(f"by {row['difference']}")
    if day["between"]:
        said.append(f"{count(day['between'], 'day')} before the next had no record")
    return "; ".join(said)
