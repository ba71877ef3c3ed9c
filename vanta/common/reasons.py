"""Why the executor holds, refuses or stops: one code each, with a sentence and a cure. Pure.

A refusal is a value. `Effect` says what a code does: HOLD waits until it clears or the intent expires, REFUSE
ends the intent, QUARANTINE keeps it for a person, LATCH stops all dispatch until a named person releases it.
docs/RUNBOOK.md lists this table.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum


class Effect(Enum):
    """What a reason does to an intent, or to dispatch as a whole."""

    HOLD = "hold"
    REFUSE = "refuse"
    QUARANTINE = "quarantine"
    LATCH = "latch"


class Reason(StrEnum):
    """Stable codes. Never renamed; new ones are added."""

    HALT_UNREADABLE = "halt.unreadable"
    HALT_MAINTENANCE = "halt.maintenance"
    HALT_ORDERS_DISABLED = "halt.orders_disabled"
    HALT_EXTERNAL_CALLS = "halt.external_calls_disabled"
    HALT_FULL = "halt.full_halt"
    HALT_REDUCE_ONLY = "halt.reduce_only"
    HALT_NO_PERMIT = "halt.no_permit"
    HALT_LATCHED = "halt.latched"
    HALT_NO_LEASE = "halt.no_lease"
    FLATTENED = "halt.flattened"
    COOLING_DOWN = "exit.cooling_down"
    INTENT_EXPIRED = "intent.expired"
    INTENT_FUTURE = "intent.from_the_future"
    INTENT_WITHDRAWN = "intent.withdrawn"
    DUPLICATE_INTENT = "duplicate.intent"
    DUPLICATE_LIVE = "duplicate.live_intent"
    CHANGED_BYTES = "duplicate.changed_bytes"
    STALE_BASIS = "basis.not_current"
    VAULT_UNKNOWN = "vault.unknown"
    VAULT_UNREADABLE = "vault.unreadable"
    PERSONA_NOT_ALLOWED = "vault.persona_not_allowed"
    ACCOUNT_UNKNOWN = "account.unknown"
    INSTRUMENT_UNKNOWN = "instrument.unknown"
    INSTRUMENT_NOT_TRADABLE = "instrument.not_tradable"
    INSTRUMENT_RESTRICTED = "instrument.restricted"
    RAIL_CLOSED = "vault.rail_closed"
    CURRENCY_MISMATCH = "money.currency_mismatch"
    SESSION_CLOSED = "session.closed"
    SESSION_UNKNOWN = "session.unknown"
    QUOTE_MISSING = "quote.missing"
    QUOTE_STALE = "quote.stale"
    QUOTE_CROSSED = "quote.crossed"
    QUOTE_JUMP = "quote.jump"
    PRICE_COLLAR = "price.collar"
    SIZE_ZERO = "size.rounds_to_zero"
    SIZE_MIN_NOTIONAL = "size.below_minimum_notional"
    SIZE_MAX_VALUE = "size.max_order_value"
    SIZE_MAX_QUANTITY = "size.max_order_quantity"
    SIZE_MAX_ADV = "size.max_share_of_volume"
    EXPOSURE_POSITION = "exposure.single_position"
    EXPOSURE_GROSS = "exposure.gross"
    EXPOSURE_ASSET_CLASS = "exposure.asset_class"
    EXPOSURE_SHORT = "exposure.short_not_allowed"
    NAV_UNKNOWN = "exposure.nav_unknown"
    CASH = "cash.not_enough"
    RATE = "rate.too_many_orders"
    OPEN_ORDERS = "rate.too_many_open_orders"
    LOSS_DAILY = "loss.daily"
    LOSS_DRAWDOWN = "loss.drawdown"
    LOSS_STREAK = "loss.in_a_row"
    REPEATED = "repeat.too_many_alike"
    ECONOMIC_DUPLICATE = "duplicate.same_effect"
    SELF_MATCH = "self_match"
    PRICE_PERIOD = "price.moved_over_period"
    LIQUIDITY = "size.too_little_volume"
    EXPOSURE_SECTOR = "exposure.sector"
    EXPOSURE_NET = "exposure.net"
    EXPOSURE_ENVELOPE = "exposure.envelope"
    EXPOSURE_PERSONA = "exposure.persona_budget"
    CREDIT = "credit.account"
    MESSAGES = "rate.too_many_messages"
    BROKER_ORDERS = "rate.too_many_orders_at_broker"
    NOT_PERMITTED = "instrument.not_permitted"
    FLIP_OVER = "flip.over"
    FLIP_SLICE = "flip.slice"
    GATEWAY_MORE_THAN_QUEUED = "gateway.more_than_queued"
    INSTRUMENTS_UNREADABLE = "instrument.unreadable"
    ACCOUNT_MOVED = "account.moved"
    CLOCK_STEPPED = "clock.stepped"
    HOST_CHANGED = "host.changed"
    BROKER_REJECTED = "broker.rejected"
    BROKER_BUSY = "broker.busy"
    BROKER_NOT_IN_SYNC = "broker.not_in_sync"
    BROKER_DIFFERS = "broker.differs"
    BROKER_OVERFILL = "broker.overfill"
    BROKER_LATE_FILL = "broker.late_fill"
    BROKER_BUSTED = "broker.fill_busted"
    BROKER_EXTERNAL = "broker.external_fill"
    BROKER_UNKNOWN = "broker.outcome_unknown"
    JOURNAL_FAILED = "journal.failed"
    LOCK_LOST = "lock.lost"
    BROKER_TERMS = "broker.terms_not_possible"
    LIMIT_ZERO = "price.limit_rounds_to_zero"


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the table."""

    effect: Effect
    meaning: str
    cure: str


_H, _R, _Q, _L = Effect.HOLD, Effect.REFUSE, Effect.QUARANTINE, Effect.LATCH

TABLE: dict[Reason, Entry] = {
    Reason.HALT_UNREADABLE: Entry(_H, "vault_overlay.json is missing or does not parse strictly",
                                  "Run `vanta overlay check memory/vault_overlay.json`; it names the line."),
    Reason.HALT_MAINTENANCE: Entry(_H, "maintenance is on: no new dispatches", "Set maintenance to false to resume."),
    Reason.HALT_ORDERS_DISABLED: Entry(_H, "orders_disabled is on: no order leaves", "Set it to false to resume."),
    Reason.HALT_EXTERNAL_CALLS: Entry(_H, "external_calls_disabled is on", "Set it to false to resume."),
    Reason.HALT_FULL: Entry(_H, "full_halt is on", "Find out who halted and why; set it to false to resume."),
    Reason.HALT_REDUCE_ONLY: Entry(_H, "reduce_only is on and this order does not shrink a position",
                                   "Set reduce_only to false to allow entries."),
    Reason.HALT_NO_PERMIT: Entry(_H, "dispatch.permit does not exist",
                                 "Run `vanta-run release --scope global --reason TEXT`."),
    Reason.HALT_LATCHED: Entry(_H, "the executor latched itself",
                               "See `vanta-run status`, then release the latch by name."),
    Reason.HALT_NO_LEASE: Entry(_H, "Alpha, on another host, does not vouch for the kill switches that are known here: "
                                "its lease is missing, old, went back or names other bytes",
                                "See memory/replica/alpha/status.json: the link, or `vanta transport lease` there."),
    Reason.FLATTENED: Entry(_L, "an operator asked to leave every position: no entries",
                            "Release the latch by name when entries may go on."),
    Reason.COOLING_DOWN: Entry(_H, "the position was left by its exit plan not long ago",
                               "Wait, or lower risk.reentry_cooldown_s."),
    Reason.INTENT_EXPIRED: Entry(_R, "the intent expired before it could be sent",
                                 "Nothing: the promoter stages a new one."),
    Reason.INTENT_FUTURE: Entry(_H, "the intent was made later than our clock says it is",
                                "Check the clocks of both hosts."),
    Reason.INTENT_WITHDRAWN: Entry(_R, "the promoter withdrew the intent", "Nothing."),
    Reason.DUPLICATE_INTENT: Entry(_R, "the same intent was already carried out", "Nothing."),
    Reason.DUPLICATE_LIVE: Entry(_H, "another intent for the same vault and instrument is live", "Wait for it to end."),
    Reason.CHANGED_BYTES: Entry(_Q, "an intent id came back with other content",
                                "Find out who edits autotrade_queue.json; ids are content hashes."),
    Reason.STALE_BASIS: Entry(_H, "the holding moved since the intent was made",
                              "Nothing: the promoter will restate it."),
    Reason.VAULT_UNKNOWN: Entry(_R, "vault.json has no such vault", "Add the vault or withdraw the intent."),
    Reason.VAULT_UNREADABLE: Entry(_H, "vault.json is missing or does not validate",
                                   "Run `vanta-diagnostics`; it names the field."),
    Reason.PERSONA_NOT_ALLOWED: Entry(_R, "the vault does not employ the persona that asked",
                                      "Check vault.json personas."),
    Reason.ACCOUNT_UNKNOWN: Entry(_R, "no broker is configured for the account",
                                  "Configure the account or fix vault.json."),
    Reason.INSTRUMENT_UNKNOWN: Entry(_R, "the instrument is not in the registry", "Add it to config/instruments.json."),
    Reason.INSTRUMENT_NOT_TRADABLE: Entry(_R, "the instrument is marked as not tradable",
                                          "Nothing, or update the registry."),
    Reason.INSTRUMENT_RESTRICTED: Entry(_R, "the instrument is on the vault's restricted list",
                                        "Nothing, or edit vault.json."),
    Reason.RAIL_CLOSED: Entry(_R, "the vault may not hold this asset class or use this rail",
                              "Enable the rail in vault.json."),
    Reason.CURRENCY_MISMATCH: Entry(_R, "instrument and vault have different currencies",
                                    "Use an instrument in the vault's currency."),
    Reason.SESSION_CLOSED: Entry(_H, "the venue's session is closed", "Wait for the next session."),
    Reason.SESSION_UNKNOWN: Entry(_R, "there is no calendar for that day", "Update VANTA; calendars ship with it."),
    Reason.QUOTE_MISSING: Entry(_H, "there is no quote for the instrument", "Check the prices feed."),
    Reason.QUOTE_STALE: Entry(_H, "the newest quote is too old", "Check the prices feed."),
    Reason.QUOTE_CROSSED: Entry(_H, "bid is above ask", "Check the prices feed."),
    Reason.QUOTE_JUMP: Entry(_H, "the quote jumped more than the limit since the one before",
                             "Look at the market; the next quote within the limit clears it."),
    Reason.PRICE_COLLAR: Entry(_R, "the order's price is too far from the quote", "Nothing: the promoter restates it."),
    Reason.SIZE_ZERO: Entry(_R, "the size rounds to zero lots", "Nothing: too small to trade."),
    Reason.SIZE_MIN_NOTIONAL: Entry(_R, "the order is below the venue's minimum", "Nothing: too small to trade."),
    Reason.SIZE_MAX_VALUE: Entry(_R, "the order is worth more than the limit",
                                 "Raise risk.max_order_value, or leave it."),
    Reason.SIZE_MAX_QUANTITY: Entry(_R, "the order has more units than the limit",
                                    "Raise risk.max_order_quantity, or leave it."),
    Reason.SIZE_MAX_ADV: Entry(_R, "the order is too large a share of daily volume",
                               "Raise risk.max_adv_pct, or leave it."),
    Reason.EXPOSURE_POSITION: Entry(_R, "the position would exceed its share of NAV",
                                    "Raise risk.max_single_pos_pct, or leave it."),
    Reason.EXPOSURE_GROSS: Entry(_R, "all positions together would exceed their share of NAV",
                                 "Raise risk.max_gross_pct, or leave it."),
    Reason.EXPOSURE_ASSET_CLASS: Entry(_R, "the asset class would exceed its share of NAV",
                                       "Raise risk.max_asset_class_pct, or leave it."),
    Reason.EXPOSURE_SHORT: Entry(_R, "the order would sell more than is held",
                                 "Set allocation.allow_short, or leave it."),
    Reason.NAV_UNKNOWN: Entry(_H, "NAV is unknown because a holding has no mark", "Check the prices feed."),
    Reason.CASH: Entry(_R, "not enough cash after reservations and the cash floor",
                       "Nothing: the promoter restates it."),
    Reason.RATE: Entry(_H, "too many orders in the last minute", "Wait; cancels are never limited."),
    Reason.OPEN_ORDERS: Entry(_H, "too many working orders", "Wait, or cancel some."),
    Reason.LOSS_DAILY: Entry(_L, "the vault lost more than its daily limit", "Review, then release the latch by name."),
    Reason.LOSS_DRAWDOWN: Entry(_L, "the vault fell further from its peak than allowed",
                                "Review, then release the latch by name."),
    Reason.LOSS_STREAK: Entry(_L, "too many orders in a row closed at a loss",
                              "Review, then release the latch by name."),
    Reason.REPEATED: Entry(_L, "the same instrument and side was ordered too often in a short time",
                           "Find out what repeats itself, then release the latch by name."),
    Reason.ECONOMIC_DUPLICATE: Entry(_R, "the last order of this vault and instrument had the same effect, just before",
                                     "Find out why it was asked for twice; the promoter restates it if it is meant."),
    Reason.SELF_MATCH: Entry(_H, "an order of the same account works on the other side", "Wait for it to end."),
    Reason.PRICE_PERIOD: Entry(_H, "the price moved further over the period than the limit allows",
                               "Look at the market; it clears when the period has passed."),
    Reason.LIQUIDITY: Entry(_R, "the instrument trades less a day than the limit asks for, or nobody knows how much",
                            "Lower risk.min_average_daily_volume, or leave it."),
    Reason.EXPOSURE_SECTOR: Entry(_R, "the sector would exceed its share of NAV",
                                  "Raise risk.max_sector_pct, or leave it."),
    Reason.EXPOSURE_NET: Entry(_R, "long less short would exceed its share of NAV",
                               "Raise risk.max_net_pct, or leave it."),
    Reason.EXPOSURE_ENVELOPE: Entry(_R, "the asset class would exceed its envelope of capital",
                                    "Raise the vault's envelope, or leave it."),
    Reason.EXPOSURE_PERSONA: Entry(_R, "the persona's positions would exceed its budget",
                                   "Raise persona_budgets, or leave it."),
    Reason.CREDIT: Entry(_R, "all vaults of the account together would exceed the house's limit",
                         "Raise house.max_gross_pct, or leave it."),
    Reason.MESSAGES: Entry(_H, "too many messages to the account's venue in the last minute",
                           "Wait; cancels are never limited."),
    Reason.BROKER_ORDERS: Entry(_H, "too many orders work at the account's venue", "Wait, or cancel some."),
    Reason.NOT_PERMITTED: Entry(_R, "the vault may only trade the instruments that it lists",
                                "Add it to risk.permitted, or leave it."),
    Reason.FLIP_OVER: Entry(_R, "the flip that asked for it is over, or was never set",
                            "Nothing: flips end by themselves."),
    Reason.FLIP_SLICE: Entry(_R, "the flip has used its slice of NAV", "Nothing, or set a larger slice."),
    Reason.GATEWAY_MORE_THAN_QUEUED: Entry(_L, "more would be sent than was ever asked for",
                                           "Stop and compare trade_log.jsonl with the queue."),
    Reason.BROKER_REJECTED: Entry(_R, "the venue rejected the order", "Read the venue's message in the record."),
    Reason.INSTRUMENTS_UNREADABLE: Entry(_H, "config/instruments.json does not validate and nothing earlier is known",
                                         "Run `vanta-diagnostics`; it names the field."),
    Reason.ACCOUNT_MOVED: Entry(_R, "vault.json names another account or currency than the one that holds the vault",
                                "Put it back, or close the vault and open one under another id."),
    Reason.HOST_CHANGED: Entry(_L, "the home was run on another host before",
                               "Make sure that no executor runs there any more, compare orders and positions at every "
                               "venue, then release the latch."),
    Reason.CLOCK_STEPPED: Entry(_L, "the host's clock jumped", "Check time synchronisation, then release the latch."),
    Reason.BROKER_BUSY: Entry(_H, "the venue was busy and did not take the order", "Nothing: it is tried again."),
    Reason.BROKER_NOT_IN_SYNC: Entry(_H, "the account's venue does not answer or does not agree with the books",
                                     "See `vanta-run status`: it names the difference."),
    Reason.BROKER_DIFFERS: Entry(_L, "positions or orders at the venue are not those of the books",
                                 "Compare them at the venue; correct by an adjustment, then release the latch."),
    Reason.BROKER_OVERFILL: Entry(_L, "the venue filled more than was ordered",
                                  "Settle it with the venue, then release the latch."),
    Reason.BROKER_LATE_FILL: Entry(_L, "the venue filled an order that had ended without it",
                                   "It is booked. Look at the order at the venue, then release the latch."),
    Reason.BROKER_BUSTED: Entry(_L, "the venue took an execution back",
                                "It is booked. Review the position, then release the latch."),
    Reason.BROKER_EXTERNAL: Entry(_L, "the venue reports a fill of an order that this log does not know",
                                  "Find out who trades the account; then release the latch."),
    Reason.BROKER_UNKNOWN: Entry(_Q, "the venue did not say whether it took the order", "Ask the venue; see RUNBOOK."),
    Reason.JOURNAL_FAILED: Entry(_L, "the journal could not be made durable", "Repair the disk, then start again."),
    Reason.LOCK_LOST: Entry(_L, "the executor's lock file was removed or replaced",
                            "Find the other process, then start again."),
    Reason.BROKER_TERMS: Entry(_R, "the account's venue cannot do what vault.json asks of orders (limits, stops, or "
                               "orders that work beyond the day), or a stop is not asked for any more",
                               "Change the vault's orders, or use another account."),
    Reason.LIMIT_ZERO: Entry(_R, "the limit that the vault's offset allows, or the stop, is below the smallest price "
                             "step", "Nothing, or raise orders.limit_offset_pct."),
}


def entry(reason: Reason) -> Entry:
    """The row of a reason."""
    return TABLE[reason]
