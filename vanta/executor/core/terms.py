"""On which terms an order is given to the market: type, limit price, how long it works. Pure.

What the vault asks for, against the touched side of the quote, on the instrument's tick and never worse than the
offset allows: a buy's limit is rounded down, a sell's up. Exits and whatever closes a position wait for no price: they
are market orders for the day, and so is everything where no terms are asked for. An order that may have reached its
venue keeps its terms, because the venue keeps the first that it saw. An order for a flip works for a day at the most.
A stop that is to rest at the venue is good until cancelled, at the price that the exit plan says, rounded on the tick
towards the market: it is executed no later than planned.

    buy at ask 190.10, offset 0.001, tick 0.01, "gtc"  ->  Terms(Decimal("190.29"), "gtc")
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from vanta.common.instruments import Instrument
from vanta.common.models.vault import Vault, VaultRegistry
from vanta.common.money import ONE, ZERO, ceil_to, floor_to
from vanta.common.times import millis, parse_iso
from vanta.executor.core.book import Book
from vanta.executor.core.entries import IntentEntry, OrderEntry

LIMIT, STOP, GTC = "limit", "stop", "gtc"
AT_VENUE = "venue"


class Terms(NamedTuple):
    """`limit_price` is the worst price per unit that the order may trade at; `None`: a market order.

    `time_in_force` is `day` or `gtc`. With a `stop_price` it becomes a market order once the market is there.
    """

    limit_price: Decimal | None
    time_in_force: str
    stop_price: Decimal | None = None

    @property
    def type(self) -> str:
        """`limit`, `stop` or `market`."""
        if self.stop_price is not None:
            return STOP
        return "market" if self.limit_price is None else LIMIT

    @property
    def needs(self) -> frozenset[str]:
        """What a venue has to be able to do for them, as `Capabilities.terms` names it."""
        return frozenset({self.type, self.time_in_force} - {"market", "day"})


AT_MARKET = Terms(None, "day")


def decide(entry: IntentEntry, vault: Vault | None, instrument: Instrument | None, touch: Decimal,
           cost: Decimal = ZERO) -> Terms:
    """The terms of an order. `touch` is the price it would trade at now; without one other fences refuse.

    `cost` is what a unit of the position cost, which a stop is measured from.
    """
    if entry.resting:
        pct = Decimal(entry.raw["exit_plan"]["stop_pct"])
        return Terms(None, GTC, stop_price(cost, pct, entry.side, instrument))
    if vault is None or instrument is None or touch <= 0 or not _asked(entry, vault):
        return AT_MARKET
    wanted, tick = vault.orders, instrument.tick
    if entry.side == "buy":
        price = floor_to(touch * (ONE + wanted.limit_offset_pct), tick)
    else:
        price = ceil_to(touch * (ONE - wanted.limit_offset_pct), tick)
    return Terms(price, "day" if entry.raw["flip_id"] is not None else wanted.time_in_force)


def stop_price(cost: Decimal, pct: Decimal, side: str, instrument: Instrument | None) -> Decimal:
    """Where a stop on that side belongs, if a unit of the position cost that; 0 where it is not known."""
    if instrument is None or cost <= 0:
        return ZERO
    if side == "sell":
        return ceil_to(cost * (ONE - pct), instrument.tick)
    return floor_to(cost * (ONE + pct), instrument.tick)


def stops(vaults: VaultRegistry | None, able: Mapping[str, frozenset[str]]) -> dict[str, bool]:
    """By vault: whether it asks for stops at the venue, and its venue can. Nothing is said while nobody knows."""
    return {vault.vault_id: vault.orders.stops == AT_VENUE and able.get(vault.account, frozenset()) >= {STOP, GTC}
            for vault in (vaults.vaults if vaults else ())}


def kept(order: OrderEntry) -> Terms:
    """The terms that an order was sent with."""
    return Terms(order.limit_price, order.time_in_force, order.stop_price)


def rested(book: Book, vaults: VaultRegistry | None, now_ms: int) -> Iterator[tuple[OrderEntry, str]]:
    """Entries that have worked for as long as their vault lets them rest, and why they are cancelled.

    Whether the rest is still wanted is asked for anew: the promoter stages it on the basis that the end of this order
    makes, and the new order passes every fence at a fresh price.
    """
    for order in list(book.working.values()):
        vault, entry = vaults.get(order.vault) if vaults else None, book.intents[order.intent_id]
        every = vault.orders.replace_after_s if vault and not (entry.exit or entry.close) else None
        if every is not None and now_ms - millis(parse_iso(order.submitted_at)) >= every * 1000:
            yield order, f"rested for {every} s; the price is asked for anew"


def _asked(entry: IntentEntry, vault: Vault) -> bool:
    return vault.orders.type == LIMIT and not (entry.exit or entry.close)
