"""Every sum on the page is the sum that the documents say, to the cent; what is not known is never nothing."""

import re
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.alpha.core.report.looks import history, of
from tests.unit.alpha.core.test_days import three_days
from tests.unit.alpha.homes import busy
from tests.unit.executor.world import World
from vanta.alpha.core.report import columns, money
from vanta.alpha.core.report.history import History
from vanta.alpha.core.report.money import MOST_ROWS, shown_rows
from vanta.common.events import Kind
from vanta.executor.core import views
from vanta.executor.core.lots import Line

D = Decimal
TABLES = {"vault": "vault", "band": "band of conviction", "source": "source", "persona": "persona",
          "reason": "reason"}


def figures(markup: str) -> list[Decimal]:
    """Amounts in US dollars, in order."""
    return [D(one.replace(",", "").replace("−", "-")) for one in re.findall(r"([+−]?[\d,]+\.\d\d) USD", markup)]


def chapters(markup: str) -> dict[str, list[list[str]]]:
    """The rows of every table of profit."""
    found = {}
    for part in markup.split('<section aria-label="Profit by ')[1:]:
        rows = re.findall(r"<tr>(.*?)</tr>", part.partition("</section>")[0], re.DOTALL)[1:]
        found[part.partition(",")[0]] = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]
    return found


@pytest.mark.parametrize("make", [busy, three_days])
def test_every_table_is_that_of_the_document(make: Any) -> None:
    """Row by row and sum by sum: realised, unrealised, fees, total, as pnl_summary.json has them."""
    made = of(make())
    body = views.pnl(made.book, "")
    tables = chapters("".join(money.gains(made)))
    assert list(tables) == list(TABLES)
    for name, title in TABLES.items():
        *rows, last = tables[name]
        assert f"<h3>By {title}</h3>" in "".join(money.gains(made))
        said = {row[0]: [figures(cell)[0] for cell in row[1:]] for row in rows}
        for group, line in [*body[f"by_{name}"].items(), ("sum", body["total"])]:
            wanted = [D(line[field]) for field in ("realised", "unrealised", "fees", "total")]
            assert (said[group] if group != "sum" else [figures(cell)[0] for cell in last[1:]]) == wanted
        assert set(said) == set(body[f"by_{name}"])


def test_what_is_not_shown_one_by_one_is_summed() -> None:
    """Nothing falls out of the sum: the smaller groups stand in one row."""
    lines = {f"g{number:02}": Line(D(number) / 100, D("-0.03"), D("0.01")) for number in range(MOST_ROWS + 5)}
    rows = shown_rows(lines)
    assert len(rows) == MOST_ROWS + 1
    assert rows[-1][0] == "5 smaller ones together"
    for field in ("realised", "unrealised", "fees", "total"):
        assert sum(getattr(line, field) for _, line in rows) == sum(getattr(line, field) for line in lines.values())
    assert [name for name, _ in shown_rows({"a": Line(D(1)), "b": Line(D(-3))})] == ["b", "a"]


def unmarked() -> History:
    """A vault that came to hold something that nobody has priced."""
    world = World()
    world.step()
    made = of(world)
    records = list(world.journal.read())
    book = made.book
    book.vaults["V_CORE"].positions.update(nobodys())
    book.vaults["V_CORE"].marked = None
    quote = next(one for one in busy().journal.read() if one.kind == Kind.QUOTE_SEEN)
    made.take(quote._replace(seq=len(records) + 1, at="2026-11-20T16:00:00.000Z"))
    made.end()
    return made


def nobodys() -> dict[str, Any]:
    """Three shares that nobody has priced."""
    world = busy()
    return {"equity:NOBODY": next(iter(of(world).book.vaults["V_CORE"].positions.values()))}


def test_without_a_mark_nothing_is_claimed() -> None:
    """Worth, profit and drawdown are unknown; the position is named where its part is missing."""
    made = unmarked()
    assert "<strong>Without a mark" in "".join(money.gains(made))
    assert "equity:NOBODY" in "".join(money.gains(made))
    shown = "".join(money.worth(made))
    assert "unknown" in shown
    made.equity.moments = made.equity.moments[-1:]
    assert "No moment in USD is known" in "".join(money.worth(made))


def test_worth_in_words_and_numbers() -> None:
    """The curve says what it is, its table has every point, and every vault has a row."""
    made = of(three_days())
    shown = "".join(money.worth(made))
    assert shown.count("<svg") == 2 + len(made.book.vaults)
    assert f"{len(made.equity.moments)} moments" in shown
    nav = D(views.portfolio(made.book, "")["vaults"][0]["nav"])
    assert nav in figures(shown)
    assert "gap" not in shown
    assert "Nothing was paid in" in "".join(money.worth(history([])))


def test_gaps_and_many_vaults_are_counted() -> None:
    """How many gaps, how many of the points, how many vaults beyond those that are listed."""
    made = of(three_days())
    first = made.equity.moments[0]
    made.equity.moments = [first._replace(at_ms=first.at_ms + number * 1_000) for number in range(200)]
    made.equity.moments.append(first._replace(at_ms=first.at_ms + 10**10))
    vault = made.book.vaults["V_CORE"]
    for number in range(MOST_ROWS):
        made.book.vaults[f"V_{number:02}"] = vault
    shown = "".join(money.worth(made))
    assert "1 gap, hazy in the drawing" in shown
    assert "120 of 201 moments" in shown
    assert "1 more vault are in the sums above" in shown


def day(name: str, total: str | None, **more: Any) -> dict[str, Any]:
    """A closed day as the history has it."""
    row: dict[str, Any] = {
        "since": None, "total": None if total is None else {"total": total}, "unmarked": [], "flows": [], "nav": total,
        "benchmark": None, "benchmark_nav": None, "ahead": None, "verdict": "no benchmark configured",
        "difference": None}
    return {"day": name, "between": 0, "currencies": {"USD": {**row, **more}}}


def test_days_are_those_of_the_log() -> None:
    """Each with what it made, its worth, the benchmark and the verdict, to the cent; the sum is the sum of all."""
    made = of(three_days())
    shown = "".join(money.days(made))
    for one in made.days:
        row = one["currencies"]["USD"]
        said = [row["total"]["total"], row["nav"], row["benchmark_nav"], row["ahead"]]
        assert {D(amount) for amount in said if amount is not None} <= set(figures(shown))
        assert row["verdict"] in shown
    total = sum((D(one["currencies"]["USD"]["total"]["total"]) for one in made.days), D(0))
    assert f"all together {money.signed(total, 'USD')}" in shown
    assert "compared with crypto:BTC-USD" in shown
    assert "No day has been closed yet" in "".join(money.days(history([])))


def test_odd_days_say_what_is_odd_about_them() -> None:
    """A pause, a missing mark, books that differ; unknown is a hazy column and no part of the sum."""
    made = history([])
    made.days = [day("2026-11-17", "1.10"), day("2026-11-18", None, unmarked=["equity:A"], verdict="no mark"),
                 {**day("2026-11-19", "-2.00", verdict="books differ", difference="0.01"), "between": 2},
                 day("2026-11-20", "0", difference="0"), {"day": "2026-11-21", "between": 0, "currencies": {}}]
    shown = "".join(money.days(made))
    assert "4 closed days: 1 up, 1 down, 1 level, 1 unknown; all together −0.90 USD; no benchmark" in shown
    assert "no mark; no mark: equity:A" in shown
    assert "books differ; by 0.01; 2 days before the next had no record" in shown
    assert shown.count("url(#days-usd-desk-h)") == 1
    assert shown.count("url(#days-usd-desk-s)") == 1


def test_of_many_days_the_newest_are_shown() -> None:
    """The drawing has room for a year, a phone for three months, the table for two; all of them are in the sum."""
    made = history([])
    made.days = [day(f"{2020 + number // 360}-{number // 30 % 12 + 1:02}-{number % 30 + 1:02}", "1")
                 for number in range(500)]
    shown = "".join(money.days(made))
    assert "all together +500.00 USD" in shown
    assert "The newest 366 are drawn (on a phone 90), the newest 60 listed" in shown
    assert shown.count("<tr>") == 61
    wide, narrow = shown.split('<svg class="phone"')
    assert wide.count('class="up"') == columns.FIT
    assert narrow.count('class="up"') == columns.FIT_NARROW


def test_bars_go_both_ways_from_nothing() -> None:
    """A loss is striped, nothing is no bar, and where nothing was made there is only the line."""
    assert "url(#n-s)" in columns.bar(D(-1), D(-1), D(2), "n")
    assert "url(#n-s)" not in columns.bar(D(1), D(-1), D(2), "n")
    assert columns.bar(D(0), D(0), D(0), "n").count("<rect") == 1


def test_days_in_which_nothing_moved_have_no_columns() -> None:
    """And the scale does not fall over it."""
    rows = [columns.Column("a", 0.0, "x"), columns.Column("b", None, "y")]
    marks = "".join(columns.columns(rows, "USD", 352, "k")[1])
    assert 'class="up"' not in marks
    assert 'class="void"' in marks
    assert "level on every day" not in marks, "of one of them nothing is known"
    assert "level on every day" in "".join(columns.columns(rows[:1], "USD", 352, "k")[1])
