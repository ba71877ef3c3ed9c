"""What was earned: by the book's own lots, so that every fill's part sums to what the book has, to the cent."""

from collections.abc import Callable, Iterable
from decimal import Decimal

import pytest

from tests.unit.alpha.homes import busy
from tests.unit.executor.test_commands import Desk
from tests.unit.executor.test_venue import sent
from tests.unit.executor.world import World, vault
from vanta.alpha.core.earnings import Earned, Earnings
from vanta.alpha.core.lineage import Lineage
from vanta.alpha.core.node import Node, flatten
from vanta.alpha.core.outcome import brief, facts, result
from vanta.alpha.core.trail import Evidence, Trail
from vanta.common.money import ZERO, round_amount
from vanta.common.store.inmemory import MemoryJournal
from vanta.common.store.ports import Record
from vanta.executor.brokers.port import Busted
from vanta.executor.core import views


def trade(world: World, side: str, notional: str, price: str) -> str:
    """One order of AAPL that is filled at a price."""
    world.clock.sleep(700)
    world.quote("equity:AAPL", price)
    name = world.want("equity:AAPL", notional, side=side)
    world.step()
    world.step()
    assert world.state(name) == "filled", world.codes(name)
    return name


def mark(world: World, price: str) -> None:
    """The market moves."""
    world.clock.sleep(1)
    world.quote("equity:AAPL", price)
    world.step()


def earnings(world: World) -> Earnings:
    """The fold of the world's log."""
    return Earnings(world.journal.read())


def everything(world: World) -> list[Earned]:
    """Every fill of every intent."""
    folded = earnings(world)
    return [one for intent_id in world.book.intents for one in folded.of_intent(intent_id)]


def of(world: World, *names: str) -> tuple[Earned, ...]:
    """The fills of some intents."""
    folded = earnings(world)
    return tuple(one for name in names for one in folded.of_intent(name))


def pnl(tree: Node) -> list[str]:
    """The sentences about results."""
    return [node.text for _, node in flatten(tree) if node.kind == "pnl"]


def test_a_gain_counts_for_what_opened_the_lot_and_a_fee_for_what_paid_it() -> None:
    """Two buys, a sale over both: first in, first out; the open rest at the last price."""
    world = World()
    first, second = trade(world, "buy", "1000", "200"), trade(world, "buy", "1050", "210")
    sale = trade(world, "sell", "1540", "220")
    mark(world, "230")
    [one], [two], [sold] = (of(world, name) for name in (first, second, sale))
    assert (one.gained, one.held, one.total) == (Decimal(100), ZERO, Decimal(100))
    assert [two.gained, two.held, two.cost, two.value, two.total] == [20, 3, 630, 690, 80]
    assert [sold.gained, sold.closed, sold.for_others, sold.total] == [0, 7, 120, 0]
    assert (sold.opened_by, one.closed_by, two.closed_by) == ((first, second), (sale,), (sale,))
    assert result((one,)) == "+100.00 USD realised on what is closed again"
    assert result((two,)) == (
        "+20.00 USD realised on what is closed again, +60.00 USD open on 3 still held, which cost 630.00 USD and are "
        "worth "
        "690.00 USD at the last price of 230 (2026-11-20 15:35:07 UTC): +80.00 USD in all")
    assert result((sold,)) == (f"it closed 7 units and so realised +120.00 USD before fees, which counts for what had "
                               f"opened "
                               f"them ({first}, {second})")
    assert result((one, two, sold)).endswith(": +180.00 USD in all"), "what was closed among them is told once"
    assert "it closed" not in result((one, two, sold))


@pytest.mark.parametrize("make", ["busy", "fees", "short", "crumbs"])
def test_the_parts_sum_to_the_book(make: str) -> None:
    """Realised, open and fees of all fills together are those of pnl_summary.json."""
    worlds: dict[str, Callable[[], World]] = {"busy": busy, "fees": _with_fees, "short": _short, "crumbs": _crumbs}
    world = worlds[make]()
    total = views.pnl(world.book, "2026-11-20T15:00:00.000Z")["total"]
    rows = everything(world)
    assert sum(one.gained for one in rows) == Decimal(total["realised"])
    assert sum(one.fees for one in rows) == Decimal(total["fees"])
    assert sum(one.open_gain or ZERO for one in rows) == Decimal(total["unrealised"])


def _with_fees() -> World:
    """Both ways with commission and slippage, prices that leave fractions of a cent."""
    world = World(settings=World().settings.model_copy(update={"paper": World().settings.paper.model_copy(
        update={"commission_bp": 7, "slippage_bp": 3})}))
    trade(world, "buy", "1000", "199.37")
    trade(world, "buy", "700", "203.11")
    trade(world, "sell", "900", "201.53")
    mark(world, "207.77")
    return world


def _crumbs() -> World:
    """Lots whose values, each rounded, are not together what the position is worth."""
    world = World()
    for price in ("50001.11", "50003.33", "50007.77"):
        world.clock.sleep(700)
        world.quote("crypto:BTC-USD", price)
        world.want("crypto:BTC-USD", "333.33")
        world.step()
        world.step()
    position = world.book.vaults["V_CORE"].positions["crypto:BTC-USD"]
    odd = next(one for one in map(Decimal, range(50000, 50200)) if position.value(one) != sum(
        round_amount(lot.quantity * one, "USD") for lot in position.lots))
    world.clock.sleep(1)
    world.quote("crypto:BTC-USD", str(odd))
    world.step()
    return world


def _short() -> World:
    """Sold first, bought back in part."""
    world = World(vaults=[vault(allocation={"allow_short": True})])
    trade(world, "sell", "1000", "200")
    trade(world, "buy", "380", "190")
    mark(world, "185")
    return world


def test_a_short_position_earns_when_the_price_falls() -> None:
    """It was sold for 200 and two of five bought back for 190; three are open at 185."""
    world = _short()
    short = of(world, next(iter(world.book.intents)))
    assert result(short) == (
        "+20.00 USD realised on what is closed again, +45.00 USD open on 3 still held, which cost 600.00 USD and are "
        "worth 555.00 "
        "USD at the last price of 185 (2026-11-20 15:23:25 UTC): +65.00 USD in all")


def test_a_loss_has_its_sign_and_fees_are_named() -> None:
    """A fee makes a closing order's own part."""
    world = _with_fees()
    bought, _, sold = world.book.intents
    assert "−0.70 USD in fees" in result(of(world, bought))
    said = result(of(world, sold))
    assert said.startswith("it closed ")
    assert said.endswith("; its own part: −0.56 USD in fees")
    mark(world, "150")
    assert "−" in brief(of(world, bought))
    assert facts(of(world, bought))["by_currency"]["USD"]["total"].startswith("-")


def test_an_execution_that_was_taken_back_earns_nothing() -> None:
    """It is booked the other way round: nothing is held, nothing was earned, and the order says so."""
    world, name, order_id = sent()
    world.fill(order_id, "5")
    world.step()
    world.venue.events.append(Busted("f1", "the venue erred"))
    world.step()
    [one] = of(world, name)
    assert (one.held, one.total) == (ZERO, ZERO)
    assert result((one,)) == "nothing of it counts here"
    text = Lineage(Trail(world.journal.read()), Evidence(), earnings(world)).explain(order_id).text
    assert text.endswith("1 fill more the venue took back.")


def test_without_a_mark_the_result_is_unknown() -> None:
    """Held without any quote: nothing is made up."""
    world = World()
    name = trade(world, "buy", "1000", "200")
    records = [record for record in world.journal.read() if record.kind != "quote.seen"]
    rows = Earnings(_chained(records)).of_intent(name)
    assert result(rows) == "5 still held, which cost 1,000.00 USD and have no mark yet: not known in all without a mark"
    assert brief(rows) == "its result is unknown without a mark"
    assert facts(rows)["by_currency"]["USD"]["total"] is None


def _chained(records: Iterable[Record]) -> list[Record]:
    """The records as a log of their own."""
    journal = MemoryJournal()
    for record in records:
        journal.append(record.kind, record.payload, at=record.at, dag_id=record.dag_id, ids=record.ids)
    return list(journal.read())


def test_what_cannot_be_followed_is_said_and_ends_the_count() -> None:
    """A record that contradicts what came before, one without its fields; newer kinds are passed over."""
    world = World()
    name = trade(world, "buy", "1000", "200")
    records = list(world.journal.read())
    odd = records[-1]._replace(kind="day.closed", payload={"day": "2026-11-20"}, ids={})
    again = next(record for record in records if record.kind == "fill")
    folded = Earnings([*records, odd, again, records[0]])
    assert folded.problem
    [before] = folded.of_intent(name)
    folded.take(next(record for record in records if record.kind == "quote.seen")._replace(seq=99, payload={
        "instrument_id": "equity:AAPL", "bid": "1", "ask": "1", "last": "1", "size": None, "volume": None,
        "at": "2026-11-20T16:00:00.000Z"}))
    assert folded.of_intent(name) == (before,), "what comes after is not counted"
    assert [one.quantity for one in folded.of_intent(name)] == [5]
    [said] = pnl(Lineage(Trail(records), Evidence(), folded).explain(name))
    assert said.endswith(f"Counted up to where the log can be followed: {folded.problem}.")
    assert "is not what a fill record says" in Earnings([*records, again._replace(payload={})]).problem


def test_the_chain_ends_with_the_result() -> None:
    """At an intent, at an order through it, at one of several fills, and summed at the conviction; nowhere else."""
    world = busy()
    lineage = Lineage(Trail(world.journal.read()), Evidence(), earnings(world))
    order = next(record for record in world.journal.read() if record.kind == "fill")
    [said] = pnl(lineage.explain(order.ids["order_id"]))
    assert said.startswith("Result: ")
    assert pnl(lineage.explain(order.ids["intent_id"])) == [said]
    [whole] = [text for text in pnl(lineage.explain(order.ids["signal_id"])) if text.startswith("Result of ")]
    assert whole.startswith("Result of the 4 intents that traded, of 6: +8.00 USD realised")
    assert "open on positions still held, which cost 3,800.00 USD and are worth 3,804.00 USD at the last" in whole
    refused = next(record for record in world.journal.read() if record.kind == "intent.refused")
    assert pnl(lineage.explain(refused.ids["intent_id"])) == []
    assert pnl(lineage.explain(order.payload["fill_id"])) == [said], "a single fill is its intent"


def test_one_of_several_fills_has_its_own_result() -> None:
    """An order in two pieces at two prices."""
    world, name, order_id = sent()
    world.fill(order_id, "2")
    world.fill(order_id, "3", fill_id="f2", price="210")
    world.step()
    fills = of(world, name)
    lineage = Lineage(Trail(world.journal.read()), Evidence(), earnings(world))
    texts = pnl(lineage.explain(fills[0].fill_id))
    assert [text.partition(":")[0] for text in texts] == ["This fill", "Result"]
    assert [one.cost for one in fills] == [400, 630]
    assert earnings(world).of_fill(order_id, "nobody's") == ()


def test_what_the_executor_leaves_itself_is_counted() -> None:
    """What the executor closes itself is told with the intent that it made."""
    world = World()
    name = trade(world, "buy", "1000", "200")
    Desk(world).give("flatten")
    mark(world, "190")
    world.step()
    [one] = of(world, name)
    assert [one.held, one.total] == [0, -50]
    assert one.closed_by not in ((), (name,))
