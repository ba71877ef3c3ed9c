"""A day's record: every table sums to the cent, all days sum to the whole life, and what is unknown is not zero."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.executor.core.dailybooks import BEGIN, CURRENCY, WHY, Driven
from vanta.common.events import Kind
from vanta.common.models.account import PnlSummary
from vanta.common.money import ZERO
from vanta.common.times import iso
from vanta.executor.core import daily, profit, views
from vanta.executor.core.alerts import BOOKS, Alert, of_books
from vanta.executor.core.notices import of_alert

AAPL, SPY = "equity:AAPL", "equity:SPY"
TABLES = ("by_vault", "by_band", "by_persona", "by_source", "by_reason")


def usd(said: Mapping[str, Any]) -> dict[str, Any]:
    return dict(said["currencies"]["USD"])


def funded(benchmark: str | None = None) -> Driven:
    """100,000 paid in, 10 shares bought at 200.00 with a fee of 0.40."""
    books = Driven(benchmark)
    books.transfer("V_CORE", "100000")
    books.quote(AAPL, "200")
    books.trade("V_CORE", AAPL, "10", "200", "0.4")
    return books


def test_a_day_by_hand() -> None:
    """Bought at 200.00, 210.00 at the close: 100.00 gained less 0.40. Half sold at 208.00, 207.00 at the next close."""
    books = funded()
    books.quote(AAPL, "210")
    first = usd(books.close())
    assert first["vaults"] == {"V_CORE": {"nav_open": "0", "nav_close": "100099.6", "flows": "100000", "pnl": "99.6"}}
    assert first["total"] == {"realised": "-0.4", "unrealised": "100", "fees": "0.4", "total": "99.6"}
    assert first["since"] is None
    books.quote(AAPL, "207")
    books.trade("V_CORE", AAPL, "-5", "208", "0.2", why="exit")
    books.transfer("V_CORE", "-1000")
    second = books.close()
    assert (second["day"], second["next"], second["days_between"]) == ("2026-11-21", "2026-11-22", 0)
    rows = usd(second)
    assert rows["since"] == "2026-11-20"
    assert rows["vaults"]["V_CORE"] == {"nav_open": "100099.6", "nav_close": "99074.4", "flows": "-1000",
                                        "pnl": "-25.2"}
    assert rows["total"] == {"realised": "39.8", "unrealised": "-65", "fees": "0.2", "total": "-25.2"}
    assert rows["by_reason"]["exit:stop"] == {"realised": "-0.2", "unrealised": "0", "fees": "0.2", "total": "-0.2"}
    assert rows["by_persona"]["none"]["fees"] == "0.2"
    assert sum(Decimal(line["total"]) for line in rows["by_source"].values()) == Decimal("-25.2")


def test_a_reason_has_the_share_of_its_weight() -> None:
    """46.00 over −300, 3,100 and 1,200 basis points: a line against the rest weighs as much as one for it."""
    books = Driven()
    books.transfer("V_CORE", "1000")
    books.quote(AAPL, "10")
    books.trade("V_CORE", AAPL, "46", "10")
    books.quote(AAPL, "11")
    assert {name: line["total"] for name, line in usd(books.close())["by_reason"].items()} == {
        "baseline": "3", "source:sec.form4": "31", "persona:Apollo": "12"}


def test_an_intent_without_reasons_is_nobodys() -> None:
    """As older logs have them."""
    books = Driven()
    books.transfer("V_CORE", "1000")
    books.quote(AAPL, "10")
    books.trade("V_CORE", AAPL, "1", "10", "1", why="old")
    assert list(usd(books.close())["by_reason"]) == ["none"]


def test_no_day_is_over_before_one_is_open_or_while_it_is_the_same() -> None:
    """A new home, the same day, and a clock that was put back."""
    books = Driven()
    assert not daily.due(books.book, "2026-11-30")
    books.transfer("V_CORE", "1000")
    assert books.book.daily.day == "2026-11-20"
    assert not daily.due(books.book, "2026-11-20")
    assert not daily.due(books.book, "2026-11-19")
    assert daily.due(books.book, "2026-11-21")


def test_a_pause_is_one_record_that_names_it() -> None:
    """From Friday to Tuesday: three days had none of their own."""
    books = funded()
    said = books.close(days=4)
    assert (said["day"], said["next"], said["days_between"]) == ("2026-11-20", "2026-11-24", 3)
    assert books.book.daily.day == "2026-11-24"


def test_a_missing_mark_is_unknown_and_the_next_record_covers_both_days() -> None:
    """Null, named, and not lost."""
    books = funded()
    books.close()
    books.trade("V_CORE", "crypto:BTC-USD", "1", "500", "0.1")
    blind = usd(books.close())
    assert blind["unmarked"] == ["crypto:BTC-USD"]
    assert blind["total"] is None
    assert all(blind[table] is None for table in TABLES)
    assert blind["vaults"]["V_CORE"] == {"nav_open": "99999.6", "nav_close": None, "flows": "0", "pnl": None}
    assert blind["sanity"] == {"nav": None, "counted": None, "difference": None, "benchmark": None,
                               "benchmark_nav": None, "ahead": None, "verdict": "a position has no mark"}
    books.quote("crypto:BTC-USD", "510")
    seen = usd(books.close())
    assert (seen["since"], seen["total"]["total"]) == ("2026-11-20", "9.9")


def test_each_currency_stands_for_itself() -> None:
    """Nothing is added without a rate; a mark that is missing in one does not hide the other."""
    books = funded()
    books.transfer("V_EURO", "500")
    books.trade("V_EURO", "equity:SAP", "1", "100")
    said = books.close()["currencies"]
    assert said["USD"]["sanity"]["nav"] == "99999.6"
    assert said["EUR"]["sanity"]["nav"] is None
    assert list(said["USD"]["by_vault"]) == ["V_CORE"]
    assert [row["currency"] for row in books.book.daily.told] == ["EUR", "USD"]


@pytest.mark.parametrize(("price", "close", "nav", "ahead", "verdict"), [
    ("220", "404", "100999.6", "-799.6", "behind"), ("220", "400", "99999.6", "200.4", "ahead"),
    ("200", "400", "99999.6", "0.4", "ahead"), ("199.96", "400", "99999.6", "0", "level")])
def test_the_benchmark_is_what_the_same_money_would_be_in_it(price: str, close: str, nav: str, ahead: str,
                                                             verdict: str) -> None:
    """NAV of the last close times the change of its price, to the cent; money that came in is cash on both sides."""
    books = funded(SPY)
    books.quote(SPY, "400")
    first = usd(books.close())
    assert first["sanity"]["verdict"] == "benchmark has no price"  # none at a close before
    assert first["marks"]["open"] is None
    books.quote(AAPL, price)
    books.quote(SPY, close)
    books.transfer("V_CORE", "0.4", kind="dividend")
    books.transfer("V_CORE", "50")
    said = usd(books.close())["sanity"]
    assert Decimal(said["benchmark_nav"]) == Decimal(nav) + 50
    assert (Decimal(said["ahead"]), said["verdict"]) == (Decimal(ahead), verdict)


def test_a_benchmark_without_a_new_price_has_none_and_goes_on_from_its_last() -> None:
    """A feed that died is not a market that stood still."""
    books = funded(SPY)
    books.quote(SPY, "400")
    books.close()
    still = usd(books.close())
    assert (still["sanity"]["verdict"], still["sanity"]["benchmark_nav"]) == ("benchmark has no price", None)
    assert still["marks"]["close"] is None
    books.quote(SPY, "404")
    assert usd(books.close())["sanity"]["benchmark_nav"] == "100999.6"


def test_a_benchmark_that_was_changed_begins_anew() -> None:
    """A price of one is no base for another; without one nothing is compared."""
    books = funded(SPY)
    books.quote(SPY, "400")
    books.close()
    books.benchmark = "crypto:BTC-USD"
    books.quote("crypto:BTC-USD", "50000")
    assert usd(books.close())["sanity"]["verdict"] == "benchmark has no price"
    books.benchmark = None
    said = usd(books.close())
    assert said["sanity"]["verdict"] == "no benchmark configured"
    assert said["marks"] == {"open": None, "close": None}
    assert books.book.daily.bases["USD"].mark is None


def lose_a_cent(books: Driven) -> None:
    books.book.vaults["V_CORE"].cash -= Decimal("0.01")
    books.book.vaults["V_CORE"].marked = None


def lose_a_share(books: Driven) -> None:
    books.book.vaults["V_CORE"].positions[AAPL].quantity -= 1
    books.book.vaults["V_CORE"].marked = None


def lose_a_group(books: Driven) -> None:
    books.book.vaults["V_CORE"].ledger.groups["reason"]["baseline"][1] += 1


def lose_an_opening(books: Driven) -> None:
    books.book.daily.bases["USD"].navs["V_CORE"] += Decimal("0.01")


@pytest.mark.parametrize(("defect", "difference"), [
    (lose_a_cent, "-0.01"), (lose_a_share, "-200"), (lose_a_group, "0.01"), (lose_an_opening, "-0.01")])
def test_books_that_do_not_add_up_are_a_defect_and_an_alert(defect: Any, difference: str) -> None:
    """One cent of cash, one share, one cent in one table, one in the NAV before: the verdict says so, aloud, once."""
    books = funded(SPY)
    books.quote(SPY, "400")
    books.close()
    assert of_books(books.book) == []
    defect(books)
    books.quote(SPY, "404")
    said = usd(books.close())["sanity"]
    assert (said["verdict"], said["difference"]) == ("books differ", difference)
    (alert,) = of_books(books.book)
    assert alert == Alert(BOOKS, 100, f"{difference} USD", "0")
    notice = of_alert(alert, books.book)
    assert "a defect" in notice.sentence
    assert "limit" not in notice.sentence
    books.put(Kind.ALERT, alert._asdict())
    assert of_books(books.book) == []
    books.book.daily.wrong = ""
    assert of_books(books.book) == [Alert(BOOKS, 0, "0", "0")]


def test_lots_of_a_position_that_says_it_is_empty_are_a_difference_and_no_crash() -> None:
    """Without a price they are worth nothing to the second count."""
    books = funded()
    books.trade("V_CORE", "equity:MSFT", "1", "100")
    books.book.vaults["V_CORE"].positions["equity:MSFT"].quantity = ZERO
    assert usd(books.close())["sanity"]["verdict"] == "books differ"


def test_the_summary_tells_the_last_day() -> None:
    """In a few words, of its model, a row a currency."""
    books = funded()
    assert views.pnl(books.book, iso(BEGIN))["last_day"] == []
    books.transfer("V_EURO", "500")
    books.close()
    body = views.pnl(books.book, iso(BEGIN))
    read = PnlSummary.model_validate({"schema_version": 1, "revision": 1, "written_at": iso(BEGIN), "written_by": "t",
                                      **body})
    assert [(row.currency, row.day, row.nav, row.pnl, row.verdict) for row in read.last_day] == [
        ("EUR", "2026-11-20", Decimal(500), Decimal(0), "no benchmark configured"),
        ("USD", "2026-11-20", Decimal("99999.6"), Decimal("-0.4"), "no benchmark configured")]
    assert sum(line.total for line in read.by_reason.values()) == read.total.total


cents = st.integers(-100_000_00, 100_000_00).map(lambda units: Decimal(units).scaleb(-2))
vaults = st.sampled_from(sorted(CURRENCY))
names = st.sampled_from([AAPL, "crypto:BTC-USD", "equity:MSFT"])
quantities = st.decimals(Decimal(-50), Decimal(50), places=6, allow_nan=False).filter(bool)
prices = st.decimals(Decimal("0.000001"), Decimal(9_999), places=6, allow_nan=False)
fees = st.decimals(Decimal(-5), Decimal(20), places=2, allow_nan=False)
acts = st.lists(st.one_of(
    st.tuples(st.just("trade"), vaults, names, quantities, prices, fees, st.sampled_from(sorted(WHY))),
    st.tuples(st.just("quote"), names, prices),
    st.tuples(st.just("quote"), st.just(SPY), prices),
    st.tuples(st.just("transfer"), vaults, cents),
    st.tuples(st.just("dividend"), vaults, cents),
    st.tuples(st.just("split"), vaults, names, st.integers(2, 4)),
    st.tuples(st.just("bust"), st.integers(0, 9)),
    st.tuples(st.just("close"), st.integers(1, 3))), max_size=30)


def play(books: Driven, act: tuple[Any, ...]) -> None:
    """One thing that may happen. Nobody trades in a vault before it is funded."""
    what, rest = act[0], act[1:]
    if what in ("trade", "split", "dividend") and rest[0] not in books.cash:
        books.transfer(rest[0], "1000")
    if what == "bust":
        if rest[0] < len(books.fills):
            books.bust(rest[0])
    elif what == "dividend":
        books.transfer(rest[0], rest[1], kind="dividend")
    elif what == "close":
        if books.book.daily.day:
            books.close(*rest)
    else:
        getattr(books, what)(*rest)


@given(acts)
@settings(deadline=None, derandomize=True, max_examples=250)
def test_parts_sum_to_the_whole_and_days_to_the_life(played: list[tuple[Any, ...]]) -> None:
    """Over random executions, fees, prices, flows, splits and busts, to the cent, against an account of cash alone."""
    books = Driven(SPY)
    books.transfer("V_CORE", "1000")
    for act in played:
        play(books, act)
    for name in (AAPL, "crypto:BTC-USD", "equity:MSFT"):  # in the end everything has a mark
        books.quote(name, books.price.get(name, Decimal(7)))
    books.close()
    days = books.days()
    for day in days:
        for rows in day["currencies"].values():
            assert rows["sanity"]["verdict"] != "books differ"
            sums_up(rows)
    for code in set(days[-1]["currencies"]):
        lived(books, code, [day["currencies"][code] for day in days if code in day["currencies"]])


def sums_up(rows: Mapping[str, Any]) -> None:
    """Each table of one day to its total, and NAV by it."""
    if rows["total"] is None:
        assert rows["unmarked"]
        return
    for table in TABLES:
        for column in ("realised", "unrealised", "fees", "total"):
            assert sum((Decimal(line[column]) for line in rows[table].values()), ZERO) == Decimal(rows["total"][column])
    for vault, row in rows["vaults"].items():
        moved = Decimal(row["nav_close"]) - Decimal(row["nav_open"]) - Decimal(row["flows"])
        assert Decimal(row["pnl"]) == moved
        assert moved == Decimal(rows["by_vault"].get(vault, {"total": 0})["total"])


def lived(books: Driven, code: str, days: list[Mapping[str, Any]]) -> None:
    """All days that are known sum to what was made in all, group by group, and to NAV less what was paid in."""
    known = [rows for rows in days if rows["total"] is not None]
    nav = books.nav(code)
    assert nav is not None
    assert Decimal(known[-1]["sanity"]["nav"]) == nav
    assert sum(Decimal(rows["total"]["total"]) for rows in known) == nav - books.paid_in(code)
    life = profit.made(books.book, [one for one in books.book.vaults.values() if one.currency == code])
    for table, lines in life.tables.items():
        for name, line in lines.items():
            told = [rows[f"by_{table}"][name] for rows in known if name in rows[f"by_{table}"]]
            assert sum((Decimal(one["realised"]) for one in told), ZERO) == line.realised
            assert sum((Decimal(one["unrealised"]) for one in told), ZERO) == line.unrealised
            assert sum((Decimal(one["fees"]) for one in told), ZERO) == line.fees
