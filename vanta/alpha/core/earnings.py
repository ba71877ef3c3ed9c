"""What did a fill earn, and an intent, and a conviction? By the executor's own book, to the cent. Pure.

The book already splits every result over the bands that its lots were bought under. Here the log is folded once more
with the record number of each fill as that band, so that the very code that books profit says which fill it belongs to:
a gain counts for the fill that opened the lot, a fee for the fill that paid it, and all of them sum to what the book
has.

    Earnings(trade_log).of_intent("in1_…")  ->  (Earned(fill_id="…-f1", realised=Decimal("8.00"), held=Decimal(3), …),)
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from vanta.alpha.core.inputs import BROKEN
from vanta.common.errors import StateError
from vanta.common.events import Kind
from vanta.common.money import ZERO, round_amount
from vanta.common.store.ports import Record
from vanta.common.times import from_millis, iso
from vanta.executor.core.book import Book
from vanta.executor.core.lots import Position

_MOVES_MONEY = ("intent.", "order.", Kind.FILL, Kind.ADJUSTMENT, Kind.QUOTE_SEEN)
"""Kinds that the result rests on. All others are passed over, those of a newer version too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Earned:
    """What one fill has come to so far. Amounts in `currency`.

    `gained` is realised on the lots that it opened, less `fees`, which it paid itself. `held` of them are still open,
    bought for `cost` and worth `value` at `mark`; the last two are None without a quote. `closed` is how many units of
    other fills it closed, which realised `for_others` before fees: that counts there, not here.
    """

    fill_id: str
    intent_id: str
    instrument_id: str
    currency: str
    quantity: Decimal
    gained: Decimal
    fees: Decimal
    held: Decimal
    cost: Decimal
    value: Decimal | None
    mark: Decimal | None
    marked_at: str | None
    closed: Decimal
    for_others: Decimal
    opened_by: tuple[str, ...]
    closed_by: tuple[str, ...]

    @property
    def open_gain(self) -> Decimal | None:
        """What the open part would bring beyond its cost; None where it has no mark."""
        return None if self.value is None else self.value - self.cost

    @property
    def total(self) -> Decimal | None:
        """Realised and open together, after fees; None while the open part has no mark."""
        return None if self.open_gain is None else self.gained + self.open_gain


class _Closing(NamedTuple):
    opener: str
    closer: str
    quantity: Decimal
    realised: Decimal


class _Fill(NamedTuple):
    fill_id: str
    intent_id: str
    order_id: str
    quantity: Decimal


class Earnings:
    """A fold over the trade log. `problem` says where it had to end, if it did; what comes before is counted."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._book = Book()
        self._fills: dict[str, _Fill] = {}
        self._label_of: dict[tuple[str, str], str] = {}
        self._of_intent: dict[str, list[str]] = {}
        self._closings: list[_Closing] = []
        self.problem = ""
        for record in records:
            self.take(record)

    def take(self, record: Record) -> None:
        """Fold one record; none any more after one that cannot be."""
        if self.problem or not record.kind.startswith(_MOVES_MONEY):
            return
        try:
            self._fold(record)
        except StateError as error:
            self.problem = error.what
        except BROKEN as error:
            self.problem = f"record {record.seq} is not what a {record.kind} record says: {error!r}"

    def of_intent(self, intent_id: str) -> tuple[Earned, ...]:
        """Each fill of an intent, in order; none where nothing was filled."""
        return tuple(self._earned(label) for label in self._of_intent.get(intent_id, ()))

    def of_fill(self, order_id: str, fill_id: str) -> tuple[Earned, ...]:
        """One fill, as a tuple of one; none if it is not known."""
        label = self._label_of.get((order_id, fill_id))
        return () if label is None else (self._earned(label),)

    def _fold(self, record: Record) -> None:
        if record.kind not in (Kind.FILL, Kind.FILL_BUSTED):
            self._book.apply(record)
            return
        intent_id, order_id = record.ids["intent_id"], record.ids["order_id"]
        name = (order_id, str(record.payload["fill_id"]))
        label = self._label_of.setdefault(name, str(record.seq))
        entry = self._book.intents[intent_id]
        entry.tags = replace(entry.tags, band=label)
        position = self._position(entry.vault, entry.instrument_id)
        before, gains = _by_label(position), self._gains(entry.vault)
        self._book.apply(record)
        if label not in self._fills:
            self._fills[label] = _Fill(name[1], intent_id, order_id, Decimal(record.payload["quantity"]))
            self._of_intent.setdefault(intent_id, []).append(label)
        after, now = _by_label(self._position(entry.vault, entry.instrument_id)), self._gains(entry.vault)
        for opener, quantity in before.items():
            moved = abs(quantity - after.get(opener, ZERO))
            if moved and opener != label:
                self._closings.append(_Closing(opener, label, moved, now.get(opener, ZERO) - gains.get(opener, ZERO)))

    def _position(self, vault_id: str, instrument_id: str) -> Position | None:
        return self._book.vaults[vault_id].positions.get(instrument_id)

    def _gains(self, vault_id: str) -> dict[str, Decimal]:
        return {label: gain for label, (gain, _) in self._book.vaults[vault_id].ledger.table("band").items()}

    def _earned(self, label: str) -> Earned:
        fill = self._fills[label]
        order = self._book.orders[fill.order_id]
        vault = self._book.vaults[order.vault]
        gained, fees = vault.ledger.table("band").get(label, (ZERO, ZERO))
        position, quote = self._position(order.vault, order.instrument_id), self._book.quotes.get(order.instrument_id)
        lots = [lot for lot in position.lots if lot.tags.band == label] if position is not None else []
        value = ZERO if not lots else None
        if lots and position is not None and quote is not None:
            value = sum((worth for lot_label, worth in _worth(position, quote.last) if lot_label == label), ZERO)
        ours = [one for one in self._closings if one.closer == label]
        return Earned(
            fill_id=fill.fill_id, intent_id=fill.intent_id, instrument_id=order.instrument_id,
            currency=order.currency, quantity=fill.quantity, gained=gained, fees=fees,
            held=sum((lot.quantity for lot in lots), ZERO), cost=sum((lot.cost for lot in lots), ZERO),
            value=value, mark=quote.last if quote else None,
            marked_at=iso(from_millis(quote.at_ms)) if quote else None,
            closed=sum((one.quantity for one in ours), ZERO), for_others=sum((one.realised for one in ours), ZERO),
            opened_by=self._intents(one.opener for one in ours),
            closed_by=self._intents(one.closer for one in self._closings if one.opener == label))

    def _intents(self, labels: Iterable[str]) -> tuple[str, ...]:
        """The intents behind some fills, each once. What a transfer or dividend brought has none."""
        return tuple(dict.fromkeys(self._fills[label].intent_id for label in labels if label in self._fills))


def _by_label(position: Position | None) -> dict[str, Decimal]:
    """Open units by the fill that they came with."""
    found: dict[str, Decimal] = {}
    for lot in position.lots if position is not None else ():
        found[lot.tags.band] = found.get(lot.tags.band, ZERO) + lot.quantity
    return found


def _worth(position: Position, mark: Decimal) -> Iterator[tuple[str, Decimal]]:
    """Every lot's value; they sum to the position's, as in pnl_summary.json: what rounding leaves goes to the last."""
    rest = position.value(mark)
    for index, lot in enumerate(position.lots):
        last = index == len(position.lots) - 1
        value = rest if last else round_amount(lot.quantity * mark * position.multiplier, position.currency)
        rest -= value
        yield lot.tags.band, value
