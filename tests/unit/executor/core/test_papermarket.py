"""The paper venue's stated model, by hand."""

from decimal import Decimal
from typing import Any

import pytest

from vanta.common.instruments import equity
from vanta.common.models.configuration import PaperSettings
from vanta.executor.core.entries import QuoteEntry
from vanta.executor.core.papermarket import Execution, PaperOrder, execute

D = Decimal
SHARE = equity("AAPL")
COARSE = SHARE.model_copy(update={"tick": D(1)})
MODEL = PaperSettings(half_spread_bp=2, slippage_bp=3, commission_bp=2, commission_min=D("0.35"), participation_bp=1000)


def order(**more: Any) -> PaperOrder:
    fields: dict[str, Any] = {
        "order_id": "o", "instrument_id": "i", "side": "buy", "leaves": D(100),
        "multiplier": D(1), "currency": "USD", "submitted_ms": 1000, "fills": 0, "last_ms": 0}
    return PaperOrder(**{**fields, **more})


def quote(**more: Any) -> QuoteEntry:
    fields: dict[str, Any] = {"bid": D(100), "ask": D(100), "last": D(100), "size": None, "at_ms": 2000, "volume": None,
                              "previous": None, "seq": 1}
    return QuoteEntry(**{**fields, **more})


ROWS = {
    "no spread: half spread and slippage against a buy": (order(), quote(), Execution(D(100), D("100.05"), D("2.00"))),
    "no spread, sell": (order(side="sell"), quote(), Execution(D(100), D("99.95"), D("2.00"))),
    "own spread: only slippage": (order(), quote(bid=D(99), ask=D(101)), Execution(D(100), D("101.04"), D("2.02"))),
    "minimum commission": (order(leaves=D(1)), quote(), Execution(D(1), D("100.05"), D("0.35"))),
    "displayed size": (order(), quote(size=D("40.5")), Execution(D(40), D("100.05"), D("0.80"))),
    "share of volume": (order(), quote(volume=D(300)), Execution(D(30), D("100.05"), D("0.60"))),
    "at least a lot of a thin market": (order(), quote(volume=D(3)), Execution(D(1), D("100.05"), D("0.35"))),
    "nothing displayed": (order(), quote(size=D(0)), None),
    "one fill from one quote": (order(last_ms=2000), quote(), None),
    "a limit above the model's price: the model's": (order(limit_price=D("100.06")), quote(),
                                                     Execution(D(100), D("100.05"), D("2.00"))),
    "a limit below the model's price: the limit": (order(limit_price=D("100.02")), quote(),
                                                   Execution(D(100), D("100.02"), D("2.00"))),
    "a limit at the ask": (order(limit_price=D(101)), quote(bid=D(99), ask=D(101)),
                           Execution(D(100), D(101), D("2.02"))),
    "a limit below the ask rests": (order(limit_price=D("100.99")), quote(bid=D(99), ask=D(101)), None),
    "a selling limit below the model's price: the model's": (order(side="sell", limit_price=D("99.94")), quote(),
                                                             Execution(D(100), D("99.95"), D("2.00"))),
    "a selling limit at the bid": (order(side="sell", limit_price=D(99)), quote(bid=D(99), ask=D(101)),
                                   Execution(D(100), D(99), D("1.98"))),
    "a selling limit above the bid rests": (order(side="sell", limit_price=D("99.01")), quote(bid=D(99), ask=D(101)),
                                            None),
    "a stop above the market rests": (order(stop_price=D("100.01")), quote(), None),
    "a stop at the last trade": (order(stop_price=D("100.01")), quote(last=D("100.01")),
                                 Execution(D(100), D("100.05"), D("2.00"))),
    "a stop at the ask": (order(stop_price=D(101)), quote(bid=D(99), ask=D(101)),
                          Execution(D(100), D("101.04"), D("2.02"))),
    "a selling stop below the market rests": (order(side="sell", stop_price=D("99.99")), quote(), None),
    "a selling stop at the last trade": (order(side="sell", stop_price=D("99.99")), quote(last=D("99.99")),
                                         Execution(D(100), D("99.95"), D("2.00"))),
    "a selling stop at the bid": (order(side="sell", stop_price=D(99)), quote(bid=D(99), ask=D(101)),
                                  Execution(D(100), D("98.97"), D("1.98"))),
    "a stop that has traded is a market order": (order(side="sell", stop_price=D(90), fills=1), quote(),
                                                 Execution(D(100), D("99.95"), D("2.00"))),
    "never below a tick": (order(side="sell", instrument_id="coarse"), quote(bid=D("0.5"), ask=D("0.5"), last=D("0.5")),
                           Execution(D(100), D(1), D("0.35"))),
}


@pytest.mark.parametrize("name", ROWS)
def test_the_model(name: str) -> None:
    """Price, quantity and commission of one fill."""
    asked, seen, expected = ROWS[name]
    assert execute(asked, seen, COARSE if asked.instrument_id == "coarse" else SHARE, MODEL) == expected


def test_next_quote_waits_for_a_younger_quote() -> None:
    """A quote as old as the order does not fill it in next_quote mode; in quote mode it does."""
    later = MODEL.model_copy(update={"fill": "next_quote"})
    assert execute(order(submitted_ms=2000), quote(), SHARE, later) is None
    assert execute(order(submitted_ms=1999), quote(), SHARE, later) is not None
    assert execute(order(submitted_ms=2000), quote(), SHARE, MODEL) is not None
