"""What the records of a trade log tell about intents, and the sentences made of it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from vanta.common.reasons import Reason
from vanta.common.store.ports import Record
from vanta.suite.story import Story, stories
from vanta.suite.verdict import holding, verdict

IDS = {"intent_id": "in1_a", "vault": "V_CORE"}
INTENT = {"intent_id": "in1_a", "vault": "V_CORE", "instrument_id": "equity:AAPL", "side": "buy", "notional": "1000",
          "provenance": {"conviction_bp": 4200}}
COLLAR = ["collar", "price.collar", "0.0788", "0.05", ""]
STALE = ["quote", "quote.stale", "2419842 ms", "900000 ms", ""]
HALT = ["halt", "halt.full_halt", "everything", "off", "headlines (by ops)"]
PASSED = ["size", None, "990.00", "25000", ""]


def record(kind: str, payload: Mapping[str, Any], ids: Mapping[str, str] = IDS) -> Record:
    return Record(1, "2026-11-18T15:00:00.000Z", kind, None, ids, payload, "", "")


def fill(quantity: str, price: str, cash: str, state: str) -> Record:
    return record("fill", {"intent_state": state, "quantity": quantity, "price": price, "cash": cash, "fee": "0.10"})


def story(*records: Record) -> Story:
    told = stories([record("intent.seen", {"intent_state": "seen", "intent": INTENT}), *records])
    assert len(told) == 1
    return told[0]


def test_an_intent_that_nobody_judged_yet() -> None:
    """The plain beginning: what was wished, by whom, nothing more."""
    one = story()
    assert (one.vault, one.instrument_id, one.side, one.notional) == ("V_CORE", "equity:AAPL", "buy", Decimal(1000))
    assert one.conviction_bp == 4200
    assert verdict(one, halted=False) == "not judged yet"


def test_fills_add_up() -> None:
    """Two fills: units, mean price and fees, and how much of the order that is."""
    one = story(record("order.submitting", {"intent_state": "submitting", "quantity": "10"}),
                fill("4", "100.00", "400.00", "partially_filled"), fill("2", "103.00", "206.00", "partially_filled"))
    assert (one.quantity, one.price, one.fees) == (Decimal(6), Decimal(101), Decimal("0.20"))
    assert one.state == "partially_filled"
    assert verdict(one, halted=False) == "6 of 10 at 101.00 in 2 fills, 606.00, fee 0.20"


def test_a_part_that_was_cancelled_says_why() -> None:
    """The reason of the cancellation is told behind what was filled."""
    one = story(record("order.submitting", {"intent_state": "submitting", "quantity": "10"}),
                fill("4", "100.00", "400.00", "partially_filled"),
                record("order.cancelling", {"intent_state": "cancelling", "detail": "full halt"}),
                record("order.cancelled", {"intent_state": "cancelled", "detail": "cancelled on request"}))
    assert verdict(one, halted=False).endswith("then cancelled: full halt")


def test_a_refusal_names_code_value_limit_and_meaning() -> None:
    """Lines that passed or only hold are left out where another line refuses."""
    one = story(record("intent.refused", {"intent_state": "refused", "lines": [PASSED, STALE, COLLAR]}))
    told = "price.collar: 0.0788 against 0.05; the order's price is too far from the quote"
    assert verdict(one, halted=False) == told


def test_a_hold_tells_times_in_seconds() -> None:
    """Milliseconds are for machines."""
    one = story(record("intent.held", {"intent_state": "held", "codes": ["quote.stale"], "lines": [STALE]}))
    assert verdict(one, halted=True) == "waits: quote.stale: 2,419 s against 900 s; the newest quote is too old"
    assert one.held == ["quote.stale"]


@pytest.mark.parametrize(("halted", "expected"), [(True, True), (False, False)])
def test_a_halt_is_named_only_while_there_is_one(halted: bool, expected: bool) -> None:
    """A hold is recorded once, so an old halt must not be told as a present one."""
    one = story(record("intent.held", {"intent_state": "held", "codes": ["halt.full_halt", "quote.stale"],
                                       "lines": [HALT, STALE]}))
    assert ("full_halt" in verdict(one, halted=halted)) is expected


def test_an_old_halt_alone_leaves_the_intent_to_be_judged_again() -> None:
    """Nothing else is known to hold it."""
    one = story(record("intent.held", {"intent_state": "held", "codes": ["halt.full_halt"], "lines": [HALT]}))
    assert verdict(one, halted=False) == "waits: to be judged again"


def test_what_expired_says_what_held_it() -> None:
    """The codes of all holds are kept to the end."""
    expired = ["freshness", "intent.expired", "900001 ms", "900000 ms", ""]
    one = story(record("intent.held", {"intent_state": "held", "codes": ["quote.stale"], "lines": [STALE]}),
                record("intent.expired", {"intent_state": "expired", "held": ["quote.stale"], "lines": [expired]}))
    assert verdict(one, halted=False).endswith("held by quote.stale")


def test_an_approval_is_no_stop() -> None:
    """The lines of an approval all passed; what stopped the intent before stays told no longer than its state."""
    one = story(record("intent.held", {"intent_state": "held", "codes": ["quote.stale"], "lines": [STALE]}),
                record("intent.approved", {"intent_state": "approved", "lines": [PASSED]}),
                record("order.withheld", {"intent_state": "seen", "code": "halt.full_halt", "detail": "x"}))
    assert one.state == "seen"
    assert one.withheld == 1


def test_records_of_others_change_nothing() -> None:
    """Records without an intent, or about one that was never seen, are passed over."""
    told = stories([record("quote.seen", {"bid": "1"}, ids={}), fill("1", "1", "1", "filled")])
    assert told == []


def test_every_reason_has_words_and_a_stranger_is_called_one() -> None:
    """A code of a newer version does not break the screen."""
    assert all(holding(str(reason)) for reason in Reason)
    assert "does not know" in holding("fence.of.the.future")
