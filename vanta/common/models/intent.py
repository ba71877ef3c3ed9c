"""`autotrade_queue.json`: what the promoter asks the executor to do.

An intent is a wish about one instrument in one vault, on a stated basis. Its id hashes key, basis and
target, so the same wish on the same basis is the same intent. The executor sizes it against its own quote
and refuses it if the basis has moved.
"""

from typing import Any, Literal

from pydantic import Field

from vanta.common.models.base import Amount, Cash, Header, Model, Sha256, Share, UtcTime
from vanta.common.models.conviction import Reason

MOST_BYTES = 16 * 1024 * 1024
MOST_ENTRIES = 20_000
"""What is read of a queue in one step: as much as is judged within seconds, and many times what vaults can hold. A
larger one is refused whole: which half of it to carry out would be a decision that nobody made."""


class ExitPlan(Model):
    """How the position is to be left again if nobody says otherwise. Fractions of the entry price."""

    stop_pct: Share | None = None
    trail_pct: Share | None = None
    take_profit_pct: Share | None = None
    max_holding_s: int | None = None


class Provenance(Model):
    """Which files the promoter decided on, by content hash, and which conviction asked for it."""

    signal_id: str
    dag_id: str
    entity: str
    conviction_bp: int
    band: str = Field(description="conviction band for attribution: low, medium, high")
    personas: dict[str, int]
    sources: dict[str, int] = Field(description="reason lines by source, basis points")
    reasons: list[Reason]
    inputs: dict[str, Sha256]


class Intent(Model):
    """One staged wish. `notional` is signed: positive buys, negative sells. `close` sells the whole position."""

    intent_id: str = Field(pattern=r"^in1_[a-z2-7]{26}$")
    account: str
    vault: str
    instrument_id: str
    side: Literal["buy", "sell"]
    notional: Cash = Field(gt=0, description="size of the difference in the vault's base currency")
    target_notional: Amount
    close: bool = Field(default=False, description="sell everything that is held, whatever it is worth")
    basis_seq: int = Field(ge=0, description="last journal record that moved this key's holding or working quantity")
    created_at: UtcTime
    expires_at: UtcTime
    flip_id: str | None = None
    exit_plan: ExitPlan
    provenance: Provenance


class Withdrawal(Model):
    """The promoter no longer wants an intent that is still staged."""

    intent_id: str
    at: UtcTime
    reason: str


class QueueEnvelope(Header):
    """The file with its entries unread, so that one bad entry does not hide the others."""

    home: str = Field(default="", description="whose executor may read it: that of the portfolio it rests on")
    now: UtcTime
    intents: list[dict[str, Any]]
    withdrawals: list[Withdrawal]


class AutotradeQueue(Header):
    """The whole file. An entry leaves only when the executor's journal shows it terminal, or past expiry plus grace."""

    home: str = Field(default="", description="whose executor may read it: that of the portfolio it rests on")
    now: UtcTime
    intents: list[Intent]
    withdrawals: list[Withdrawal]
