"""Intents with what became of them, and how often each code stopped one."""

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.alpha.core.report.looks import history, of, record
from tests.unit.alpha.homes import busy
from tests.unit.executor.world import World
from vanta.alpha.core.report import deeds
from vanta.alpha.core.report.wishes import Wishes, refusing
from vanta.common.events import Kind
from vanta.common.store.ports import Record

D = Decimal
SEEN = {"intent": {"intent_id": "in1", "vault": "V", "instrument_id": "equity:A", "side": "buy", "notional": "10",
                   "provenance": {"conviction_bp": 5, "sources": {"news.rss": 5}}}}


def seen(name: str = "in1", **more: Any) -> Record:
    """An intent that was seen."""
    return record(Kind.INTENT_SEEN, {"intent": {**SEEN["intent"], "intent_id": name}, **more}, ids={"intent_id": name})


def about(kind: str, payload: dict[str, Any], **ids: str) -> Record:
    """A record about it."""
    return record(kind, payload, ids={"intent_id": "in1", **ids})


def folded(*records: Record, most: int = 200) -> Wishes:
    """The fold of these."""
    made = Wishes(most)
    for one in records:
        made.take(one)
    return made


def test_a_world_is_told_as_its_book_has_it() -> None:
    """State, quantity and fees of every intent, and all counts."""
    world = busy()
    made = of(world)
    wishes, book = made.wishes, made.book
    assert wishes.total == len(book.intents) == len(wishes.newest)
    for name, entry in book.intents.items():
        assert wishes.newest[name].state == entry.state
        order = book.orders.get(wishes.newest[name].order_id)
        assert wishes.newest[name].filled == (order.filled if order else 0)
    kinds = Counter(one.kind for one in world.journal.read())
    assert (wishes.orders, wishes.fills) == (kinds[Kind.ORDER_SUBMITTING], kinds[Kind.FILL])
    fees = sum((one.fees for one in wishes.newest.values()), D(0))
    assert fees == sum((vault.ledger.fees for vault in book.vaults.values()), D(0))


def test_refusals_count_intents_and_holds_count_each_once() -> None:
    """As the log has them, recounted by hand."""
    world = busy()
    stops = of(world).wishes.stops
    held = {(one.ids["intent_id"], code) for one in world.journal.read() if one.kind == Kind.INTENT_HELD
            for code in one.payload["codes"]}
    assert {code: one.held for code, one in stops.items() if one.held} == dict(Counter(code for _, code in held))
    refused = Counter(code for one in world.journal.read() if one.kind == Kind.INTENT_REFUSED
                      for code in refusing(one.payload))
    assert {code: one.refused for code, one in stops.items() if one.refused} == dict(refused)
    assert refused["vault.unknown"] == 1


def test_an_intent_that_is_held_again_is_one_intent() -> None:
    """For the same code once, for another code once more; another intent counts by itself."""
    again = about(Kind.INTENT_HELD, {"codes": ["quote.stale"]})
    other = about(Kind.INTENT_HELD, {"codes": ["quote.stale", "session.closed"]})
    stops = folded(seen(), again, again, other, again._replace(ids={"intent_id": "in2"})).stops
    assert {code: one.held for code, one in stops.items()} == {"quote.stale": 2, "session.closed": 1}


def test_what_only_holds_refuses_nothing() -> None:
    """Of a verdict with both, the refusing codes count; a hold alone is all there is."""
    both = {"lines": [["halt", "halt.full_halt", "", "", ""], ["cash", "cash.not_enough", "", "", ""],
                      ["size", None, "", "", ""], ["cash", "cash.not_enough", "", "", ""]]}
    assert refusing(both) == ["cash.not_enough"]
    assert refusing({"lines": [["halt", "halt.full_halt", "", "", ""]]}) == ["halt.full_halt"]
    assert refusing({}) == []


def test_only_the_newest_are_kept_whole() -> None:
    """The others are counted, and what happens to them later hurts nothing."""
    made = folded(*(seen(f"in{number}") for number in range(9)), about(Kind.FILL, {}), most=4)
    assert list(made.newest) == ["in5", "in6", "in7", "in8"]
    assert (made.total, made.fills) == (9, 1)


STOPS: dict[str, tuple[Record, str, str]] = {
    "withheld": (about(Kind.ORDER_WITHHELD, {"code": "halt.full_halt", "detail": "x"}), "halt.full_halt", "withheld"),
    "rejected": (about(Kind.ORDER_REJECTED, {"detail": "no"}), "broker.rejected", "refused"),
    "unknown": (about(Kind.ORDER_QUARANTINED, {"detail": "?"}), "broker.outcome_unknown", "refused"),
    "changed bytes": (about(Kind.INTENT_QUARANTINED, {"sha256": "x"}), "intent.changed_bytes", "refused"),
    "latch": (record(Kind.LATCH_SET, {"code": "loss.daily"}), "loss.daily", "latched"),
}


@pytest.mark.parametrize("name", STOPS)
def test_every_way_to_be_stopped_is_counted(name: str) -> None:
    """Under the code that it is known by."""
    one, code, column = STOPS[name]
    stops = folded(seen(), one).stops
    found = next(stop for known, stop in stops.items() if known == code or name == "changed bytes")
    assert (getattr(found, column), found.times, len(stops)) == (1, 1, 1)


SENT = about(Kind.ORDER_SUBMITTING, {"quantity": "4", "currency": "USD", "multiplier": "100"}, order_id="o1")


def test_an_execution_that_was_taken_back_is_gone() -> None:
    """Quantity, worth, fee and count; the price is per unit, whatever the multiplier."""
    fill = about(Kind.FILL, {"quantity": "2", "cash": "1000", "fee": "3"})
    back = about(Kind.FILL_BUSTED, {"quantity": "2", "cash": "-1000", "fee": "-3", "detail": "error"})
    wish = folded(seen(), SENT, fill, fill).newest["in1"]
    assert (wish.filled, wish.price, wish.fees, wish.fills) == (D(4), D(5), D(6), 2)
    gone = folded(seen(), SENT, fill, back).newest["in1"]
    assert (gone.filled, gone.fees, gone.fills) == (D(0), D(0), 0)
    assert gone.price is None


def page(*records: Record) -> str:
    """How it is shown."""
    return "".join(map(deeds._wish, folded(*records).newest.values()))


def test_an_order_tells_its_reasons_verdict_and_end() -> None:
    """Each in words; sources stand in where an older log has no lines of reasons."""
    no = [["size", "size.rounds_to_zero", "0", "one lot", "tiny"], ["quote", "quote.stale", "90000 ms", "", ""],
          ["cash", None, "1", "2", ""]]
    told = page(seen(), about(Kind.INTENT_HELD, {"codes": ["quote.stale"], "lines": no[1:]}),
                about(Kind.INTENT_REFUSED, {"intent_state": "refused", "lines": no}))
    for words in ("✕ refused", "news.rss +5", "size.rounds_to_zero, saw 0 against one lot (tiny)", "saw 90 s;",
                  "1 fence passed", "<dt>held by</dt><dd>quote.stale</dd>", "vanta explain in1"):
        assert words in told
    assert "not judged yet" in page(seen())
    assert "no reason recorded" in page(record(Kind.INTENT_SEEN, {"from": "executor", "intent": {
        **SEEN["intent"], "provenance": {"conviction_bp": 0, "sources": {}}}}, ids={"intent_id": "in1"}))
    lines = [["cash", None, "1", "2", ""]]
    part = page(seen(**{"from": "executor"}), about(Kind.INTENT_APPROVED, {"lines": lines}), SENT,
                about(Kind.FILL, {"quantity": "2", "cash": "-1000", "fee": "3", "intent_state": "partially_filled"}),
                about(Kind.ORDER_CANCELLED, {"detail": "the day was over"}))
    for words in ("◐ partially filled", "by the executor itself", "2 of 4 at 5.0000 in 1 fill, 1,000.00 USD",
                  "cancelled: the day was over"):
        assert words in part
    whole = page(seen(), SENT, about(Kind.FILL, {"quantity": "4", "cash": "2000", "fee": "3"}))
    assert "4 at 5.0000 in 1 fill" in whole
    assert "withdrawn: better" in page(seen(), about(Kind.INTENT_WITHDRAWN, {"reason": "better"}))
    assert "saw nothing" in page(seen(), about(Kind.INTENT_HELD, {"codes": [], "lines": [["q", "quote.missing", None,
                                                                                         None, None]]}))
    assert "· odd" in page(seen(), about("order.odd", {"intent_state": "odd"}))


def test_the_rest_is_counted() -> None:
    """Of more than are shown, how many; of none, that there is none."""
    world = World()
    world.quote("equity:AAPL", "200.00")
    assert "No intent was staged yet" in "".join(deeds.orders(history([])))
    made = of(busy())
    every = "".join(deeds.orders(made))
    assert f"{made.wishes.total} intents" in every
    assert "older" not in every
    made.wishes.newest = dict(list(made.wishes.newest.items())[-1:])
    assert f"The newest 1 are shown; {made.wishes.total - 1} older ones only counted here" in "".join(
        deeds.orders(made))


def test_nothing_stopped_is_said() -> None:
    """An empty table would look like a fault."""
    assert "Nothing was refused" in "".join(deeds.stopped({}))
    assert "vault.unknown" in "".join(deeds.stopped(of(busy()).wishes.stops))
