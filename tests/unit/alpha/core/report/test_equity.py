"""What the vaults were worth: as the log has marks, payments are no gain, the unknown is a gap."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from tests.unit.alpha.core.report.looks import history, of
from tests.unit.alpha.core.test_days import three_days
from tests.unit.alpha.homes import busy
from tests.unit.executor.world import World
from vanta.alpha.core.report import history as module
from vanta.alpha.core.report.curves import equity, spark
from vanta.alpha.core.report.equity import SILENT_MS, Point, Stand, currencies, curve, deepest, gaps, runs
from vanta.alpha.core.report.stretches import Moment, Stretches
from vanta.common.events import Kind
from vanta.common.times import millis_of
from vanta.executor.core import views

D = Decimal


def point(at_ms: int, nav: str | None, flows: str = "100", fall: str | None = "0") -> Point:
    """One moment."""
    return Point(at_ms, None if nav is None else D(nav), D(flows), None if nav is None or fall is None else D(fall))


def moments(*rows: tuple[int, dict[str, tuple[str, str | None, str]]]) -> list[Moment[Mapping[str, Stand]]]:
    """Vaults over time: currency, NAV, what was paid in."""
    return [Moment(at_ms, {name: Stand(code, None if nav is None else D(nav), D(flows))
                           for name, (code, nav, flows) in vaults.items()}) for at_ms, vaults in rows]


def test_the_last_point_is_what_the_portfolio_says() -> None:
    """To the cent, in every world; and so is what each vault is worth."""
    for world in (busy(), three_days()):
        made = of(world)
        last = curve(made.equity.moments, "USD")[-1]
        body = views.portfolio(made.book, "")
        assert last.nav == sum(D(row["nav"]) for row in body["vaults"])
        for row in body["vaults"]:
            assert curve(made.equity.moments, "USD", row["vault_id"])[-1].nav == D(row["nav"])


def test_a_closed_day_is_a_point() -> None:
    """The record says what everything was worth then, so it is drawn, even where nothing else happened."""
    made = of(three_days())
    for day in made.days:
        nav = D(day["currencies"]["USD"]["nav"])
        assert nav in [one.nav for one in curve(made.equity.moments, "USD")]


def test_days_without_a_price_are_points_all_the_same() -> None:
    """Nothing but cash: each record of a day says what it is worth, so the curve has no gap."""
    world = World()
    for _ in range(3):
        world.step()
        world.clock.move_to(world.clock.now() + timedelta(days=5))
    made = of(world)
    assert len(made.days) == 2
    points = curve(made.equity.moments, "USD")
    assert gaps([one._replace(at_ms=place) for place, one in enumerate(points)]) == []
    times = {one.at for one in world.journal.read() if one.kind == Kind.DAY_CLOSED}
    assert {millis_of(one) for one in times} <= {one.at_ms for one in points}


def test_a_payment_is_no_gain_and_its_end_no_loss() -> None:
    """Worth doubles because as much was paid in; then a tenth is lost; then half is taken out."""
    found = curve(moments((0, {"A": ("USD", "100", "100")}), (1, {"A": ("USD", "200", "200")}),
                          (2, {"A": ("USD", "180", "200")}), (3, {"A": ("USD", "80", "100")})), "USD")
    assert [one.fall for one in found] == [D(0), D(0), D("-0.1"), D("-0.1")]
    assert deepest(found) == found[2]


def test_nothing_left_is_no_division() -> None:
    """Everything was taken out, and something paid in again."""
    found = curve(moments((0, {"A": ("USD", "100", "100")}), (1, {"A": ("USD", "0", "0")}),
                          (2, {"A": ("USD", "50", "50")})), "USD")
    assert [one.fall for one in found] == [0, 0, 0]


def test_one_unknown_vault_makes_the_sum_unknown() -> None:
    """It is a gap, not a smaller sum; other money is not added; a vault that is not there yet is nothing."""
    found = moments((0, {"B": ("EUR", "5", "5")}), (1, {"A": ("USD", "100", "100"), "B": ("EUR", "5", "5")}),
                    (2, {"A": ("USD", None, "100"), "C": ("USD", "7", "7")}), (3, {"A": ("USD", "90", "100")}))
    assert currencies(found) == ["EUR", "USD"]
    points = curve(found, "USD")
    assert [(one.at_ms, one.nav) for one in points] == [(1, D(100)), (2, None), (3, D(90))]
    assert points[1].fall is None
    assert [[one.at_ms for one in run] for run in runs(points)] == [[1], [3]]
    assert gaps(points) == [(1, 3)]
    assert deepest(points[1:2]) is None


def test_a_long_silence_is_a_gap() -> None:
    """Four days are a long weekend; more is not joined by a line."""
    quiet = [point(0, "100"), point(SILENT_MS, "101"), point(2 * SILENT_MS + 1, "102")]
    assert [len(run) for run in runs(quiet)] == [2, 1]


def test_gaps_are_drawn_as_such() -> None:
    """Two lines and a hazy box that says from when to when; nothing is drawn through it."""
    points = [point(0, "100"), point(1_000, "101"), point(2_000, None), point(3_000, "99", fall="-0.02"),
              point(4_000, "98", fall="-0.03")]
    for width in (1040, 352):
        drawn = "".join(equity(points, "USD", width, "k")[1])
        assert drawn.count('class="line"') == 2
        assert drawn.count('fill="url(#k-h)"') == 2, "above and below"
        assert "nothing is known from 1970-01-01 00:00:01 UTC to 1970-01-01 00:00:03 UTC" in drawn
        assert "−3.00 %" in drawn
        assert ("worth 98" in drawn) == (width == 1040)
    drawn = "".join(equity([point(0, "100"), point(1, "103", fall=None)], "USD", 1040, "k")[1])
    assert "url(#k-h)" not in drawn


def test_ends_do_not_lie_on_each_other() -> None:
    """Worth and payments that are nearly the same are written one above the other, whichever is higher."""
    for last in ("100.01", "99.99"):
        drawn = "".join(equity([point(0, "100"), point(1_000, "150"), point(2_000, last)], "USD", 1040, "k")[1])
        places = [float(one.split('y="')[1].split('"')[0]) for one in drawn.split("<text")
                  if "worth 100" in one or "paid in" in one]
        assert abs(places[0] - places[1]) >= 15


def test_long_sums_are_told_short() -> None:
    """Beside the line there is room for so many letters."""
    points = [point(0, "5000000000", "4900000000"), point(1_000, "5001000000", "4900000000")]
    drawn = "".join(equity(points, "USD", 1040, "k")[1])
    assert "worth 5.0010G" in drawn
    assert "paid in 4.9000G" in drawn


def test_one_point_and_many() -> None:
    """One is a dot without a line; of many there is a line without dots."""
    drawn = "".join(equity([point(0, "100")], "USD", 1040, "k")[1])
    assert 'class="line"' not in drawn
    assert drawn.count("<circle") == 1
    many = [point(number * 1_000, str(100 + number)) for number in range(70)]
    assert "<circle" not in "".join(equity(many, "USD", 1040, "k")[1])


def test_a_small_curve() -> None:
    """A lone point is a short line; nothing known is nothing drawn."""
    assert spark([point(0, None)], "s") == ""
    assert spark([point(0, "1")], "s").count("<path") == 1
    assert spark([point(0, "1"), point(1, None), point(2, "3"), point(3, "4")], "s").count("<path") == 2


def test_a_long_log_has_few_points() -> None:
    """Whatever its length."""
    kept: Stretches[int] = Stretches(module.POINTS, lambda _, newer: newer)
    for number in range(20_000):
        kept.put(number * 60_000, number)
    assert len(kept.moments) <= 2 * module.POINTS
    assert history([]).equity.moments == []
