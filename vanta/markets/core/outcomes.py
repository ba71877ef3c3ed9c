"""What became of intents, as the executor's journal tells it: a fold of `trade_log.jsonl`. Pure.

Decides which intents are live at the executor, which have ended and how, and which one ended last for every account,
vault and instrument. Knows one rule: a record that ends an intent says so in `intent_state`. Refuses to know orders,
fills and prices, and passes over stops that rest at the venue.

Example: `intent.seen` for in1_x of paper|V_CORE|equity:AAPL, later a fill with `intent_state: filled` → in1_x ended
as filled, nothing is live for that key.
"""

from dataclasses import dataclass
from decimal import Decimal

from vanta.common.events import Kind
from vanta.common.models.intent import Intent
from vanta.common.store.ports import Record

ENDS = frozenset({"filled", "cancelled", "rejected", "refused", "expired", "withdrawn", "quarantined"})

Key = tuple[str, str, str]
"""Account, vault, instrument."""


def key_of(intent: Intent) -> Key:
    """Where at most one intent may be live."""
    return intent.account, intent.vault, intent.instrument_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What an intent asked for, as far as later ones must know. `expires_at` is text as in the intent."""

    intent_id: str
    key: Key
    basis_seq: int
    target: Decimal
    close: bool
    expires_at: str


@dataclass(frozen=True, slots=True)
class Unheard:
    """An intent that left the queue because its time was over, without a word from the executor."""

    intent_id: str
    basis_seq: int


@dataclass(frozen=True, slots=True)
class Ended:
    """How a wish ended, and the record that says so."""

    wish: Wish
    state: str
    seq: int


class Outcomes:
    """The fold. `apply` takes every record of the log in order; records that do not matter change nothing."""

    def __init__(self) -> None:
        self.live: dict[str, Wish] = {}
        self._states: dict[str, str] = {}
        self._last: dict[Key, Ended] = {}

    def apply(self, record: Record) -> None:
        """Fold one record."""
        state, intent_id = record.payload.get("intent_state"), record.ids.get("intent_id")
        if intent_id is None or intent_id in self._states:
            return
        if record.kind == Kind.INTENT_SEEN and not _rests(record):
            raw = record.payload["intent"]
            self.live[intent_id] = Wish(
                intent_id=intent_id, key=(raw["account"], raw["vault"], raw["instrument_id"]),
                basis_seq=raw["basis_seq"], target=Decimal(raw["target_notional"]), close=raw["close"],
                expires_at=raw["expires_at"])
        if state in ENDS:
            self._states[intent_id] = state
            wish = self.live.pop(intent_id, None)
            if wish is not None:
                self._last[wish.key] = Ended(wish, state, record.seq)

    def end_of(self, intent_id: str) -> str | None:
        """How an intent ended, or `None` while it has not."""
        return self._states.get(intent_id)

    def last(self, key: Key) -> Ended | None:
        """The intent of a key that ended last."""
        return self._last.get(key)

    def live_keys(self) -> frozenset[Key]:
        """Keys for which the executor has a live intent."""
        return frozenset(wish.key for wish in self.live.values())


def _rests(record: Record) -> bool:
    """Whether the executor puts a stop to the venue: it steps aside for whatever is wanted, so nobody waits for it."""
    body = record.payload
    return body.get("from") == "executor" and body["intent"]["exit_plan"]["stop_pct"] is not None
