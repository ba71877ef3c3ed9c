"""What the executor publishes about holdings, orders, profit and itself. Folds of `trade_log.jsonl`.

Every document names the journal record it is the fold of (`as_of_seq`, `as_of_hash`), so that a reader can
tell how old it is and an auditor can rebuild it.
"""

from typing import Literal

from pydantic import Field

from vanta.common.models.base import Amount, Header, Model, UtcTime

OrderState = Literal[
    "submitting", "withheld", "accepted", "rejected", "unknown", "working", "partially_filled",
    "filled", "cancelling", "cancelled", "expired", "quarantined",
]
IntentState = Literal[
    "seen", "held", "refused", "approved", "submitting", "unknown", "working", "partially_filled",
    "filled", "cancelled", "rejected", "expired", "withdrawn", "quarantined",
]


class PositionRow(Model):
    """One instrument in one vault. `basis_seq` is what the next intent for it must carry."""

    instrument_id: str
    quantity: Amount
    average_price: Amount
    mark: Amount | None
    marked_at: UtcTime | None
    value: Amount | None = Field(description="quantity times mark times multiplier; None without a mark")
    unrealised: Amount | None
    working_buy: Amount
    working_sell: Amount
    basis_seq: int


class VaultHoldings(Model):
    """A vault's sub-ledger. `nav` is None while a held instrument has no mark."""

    vault_id: str
    account: str
    currency: str
    cash: Amount
    reserved_cash: Amount = Field(description="cash promised to working buys")
    realised: Amount = Field(description="realised profit so far, after fees")
    nav: Amount | None
    positions: list[PositionRow]


class AccountHoldings(Model):
    """What the broker account holds in all: the sum of its vaults."""

    account: str
    cash: dict[str, Amount]
    positions: dict[str, Amount]


class CutHeader(Header):
    """Header of a fold: the last journal record it contains."""

    as_of_seq: int = Field(ge=0)
    as_of_hash: str
    now: UtcTime


class Portfolio(CutHeader):
    """`portfolio.json`. `basis` gives the basis of keys `vault|instrument` that moved at least once."""

    home: str = Field(description="short id of the home whose executor wrote it; part of every order's name")
    accounts: list[AccountHoldings]
    vaults: list[VaultHoldings]
    basis: dict[str, int]
    intents: dict[str, IntentState] = Field(description="live intents by id, as the executor sees them")


class OpenOrder(Model):
    """One working order."""

    order_id: str
    intent_id: str
    vault: str
    account: str
    instrument_id: str
    side: Literal["buy", "sell"]
    quantity: Amount
    filled: Amount
    limit_price: Amount | None
    stop_price: Amount | None = Field(default=None, description="of a stop that rests at the venue")
    state: OrderState
    submitted_at: UtcTime
    time_in_force: Literal["day", "gtc"]


class OpenOrders(CutHeader):
    """`open_orders.json`."""

    orders: list[OpenOrder]


class PnlLine(Model):
    """Profit and loss of one group. `total` is realised plus unrealised; fees are inside realised."""

    realised: Amount
    unrealised: Amount
    fees: Amount
    total: Amount


class ClosedDay(Model):
    """The last day that was closed, of all vaults of one currency: a few words of its `day.closed` record.

    Amounts are None where a mark was missing, `benchmark_nav` and `ahead` also without a price of the benchmark.
    """

    day: str
    since: str | None = Field(description="the day at whose close what is compared with began; None for the beginning")
    currency: str
    nav: Amount | None
    pnl: Amount | None
    benchmark: str | None
    benchmark_nav: Amount | None = Field(description="what the NAV of the last close would be in the benchmark")
    ahead: Amount | None = Field(description="nav less benchmark_nav")
    verdict: str = Field(description="ahead, behind, level, or why nothing can be said; books differ is a defect")


class PnlSummary(CutHeader):
    """`pnl_summary.json`. Each table sums to `total`.

    Keys of `by_source` and `by_reason` share a fill by the weights of its reasons.
    """

    currency: str
    total: PnlLine
    by_vault: dict[str, PnlLine]
    by_band: dict[str, PnlLine]
    by_persona: dict[str, PnlLine]
    by_source: dict[str, PnlLine]
    by_reason: dict[str, PnlLine] = {}
    last_day: list[ClosedDay] = Field(default=[], description="of the last day that was closed, a row a currency")


class LatchRow(Model):
    """A halt that the executor put on itself. Only a release that names it clears it."""

    latch_id: str
    code: str
    since: UtcTime
    detail: str


class ExecutorState(CutHeader):
    """`executor_state.json`: heartbeat and condition."""

    program: str
    pid: int
    heartbeat_at: UtcTime
    mode: Literal["paper", "live", "simulate"]
    dispatch: Literal["open", "held", "latched", "halted"]
    dispatch_reason: str
    latches: list[LatchRow]
    overlay_sha256: str | None
    broker_sync: dict[str, str]
    queue_depth: int
    warnings: list[str] = Field(default=[], description="what a person should answer for, until it is acknowledged")
    held: dict[str, int] = Field(description="held intents by reason code")
    alarm: str = Field(default="", description="what went wrong with the last alert that was to be said outside")
