"""Money adds up: cash, cost, realised and every attribution table, to the cent, whatever is traded."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from vanta.common.money import ZERO, round_amount
from vanta.executor.core.lots import TABLES, Ledger, Position, Tags, parts

CALM = Tags("low", (("Athena", 2), ("Apollo", 1)), (("news.rss", 3), ("sec.form4", 4)),
            (("baseline", 1), ("source:sec.form4", 5)))
BOLD = Tags("high", (("Apollo", 1),), (("reddit.posts", 1),), (("exit:stop", 1),))


def cents(value: str) -> Decimal:
    return Decimal(value)


def test_first_in_first_out_with_a_gain_by_hand() -> None:
    """Buy 10 at 10.00 and 10 at 12.00, sell 15 at 13.00: 30.00 on the first lot, 5.00 on half of the second."""
    position = Position("USD", Decimal(1))
    position.fill(Decimal(10), cents("100.00"), CALM)
    position.fill(Decimal(10), cents("120.00"), BOLD)
    closed = position.fill(Decimal(-15), cents("-195.00"), CALM)
    assert [(piece.realised, piece.tags.band) for piece in closed] == [
        (Decimal("30.00"), "low"), (Decimal("5.00"), "high")]
    assert (position.quantity, position.cost()) == (Decimal(5), Decimal("60.00"))


def test_crossing_zero_closes_the_long_and_opens_a_short() -> None:
    """Selling 15 of 10 held leaves a short of 5 with its own cost."""
    position = Position("USD", Decimal(1))
    position.fill(Decimal(10), cents("100.00"), CALM)
    closed = position.fill(Decimal(-15), cents("-165.00"), BOLD)
    assert [piece.realised for piece in closed] == [Decimal("10.00")]
    assert (position.quantity, position.cost()) == (Decimal(-5), Decimal("-55.00"))
    assert position.value(Decimal("11.00")) == Decimal("-55.00")


fills = st.lists(st.tuples(
    st.sampled_from(["buy", "sell"]),
    st.decimals(min_value=Decimal("0.00000001"), max_value=Decimal(5000), places=8),
    st.decimals(min_value=Decimal("0.01"), max_value=Decimal(99999), places=2),
    st.decimals(min_value=ZERO, max_value=Decimal(20), places=2),
    st.sampled_from([CALM, BOLD])), max_size=25)


@given(fills)
@settings(deadline=None, derandomize=True, max_examples=200)
def test_cash_plus_cost_is_capital_plus_realised(trades: list[tuple[str, Decimal, Decimal, Decimal, Tags]]) -> None:
    """The identity of the ledger holds exactly after every fill, and every table sums to the total."""
    position, ledger, cash = Position("USD", Decimal(1)), Ledger("USD"), Decimal("1000000.00")
    for side, quantity, price, fee, tags in trades:
        signed = quantity if side == "buy" else -quantity
        paid = round_amount(signed * price, "USD")
        for piece in position.fill(signed, paid, tags):
            ledger.add(piece.realised, ZERO, piece.tags)
        ledger.add(ZERO, fee, tags)
        cash -= paid + fee
        assert cash + position.cost() == Decimal("1000000.00") + ledger.realised
        assert position.quantity == sum((lot.quantity for lot in position.lots), ZERO)
        assert len({lot.quantity > 0 for lot in position.lots}) <= 1
    for table in TABLES:
        assert sum((line[0] for line in ledger.table(table).values()), ZERO) == ledger.realised
        assert sum((line[1] for line in ledger.table(table).values()), ZERO) == ledger.fees


@given(st.integers(-10**9, 10**9))
@settings(deadline=None, derandomize=True)
def test_parts_sum_exactly(units: int) -> None:
    """Sharing over one, two and three groups loses no cent, for gains and losses."""
    for weights in (CALM.source, CALM.persona, BOLD.source):
        assert sum(parts(units, weights)) == units
