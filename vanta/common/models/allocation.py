"""`vault_allocation.json`: what each vault wants to hold, and why."""

from pydantic import Field

from vanta.common.models.base import Amount, Header, Model, Sha256, UtcTime
from vanta.common.models.conviction import Reason


class Target(Model):
    """One instrument's target in one vault. `reasons` sum to `conviction_bp` of the persona's view."""

    instrument_id: str
    entity: str
    weight_bp: int = Field(ge=-10_000, le=10_000, description="share of the vault's NAV")
    notional: Amount = Field(description="weight times NAV, in base currency")
    signal_id: str
    dag_id: str
    personas: dict[str, int] = Field(description="how much of weight_bp each persona asked for")
    conviction_bp: int = Field(ge=0, le=10_000, description="the strongest persona's view")
    reasons: list[Reason]
    limits: list[str] = Field(description="caps that made the weight smaller, in words")
    flip_id: str | None = None


class VaultTarget(Model):
    """One vault's plan. `nav` and `base` are None while a held instrument has no mark: then only exits are planned."""

    vault_id: str
    nav: Amount | None
    base: Amount | None = Field(description="NAV less the profit that compounding keeps back")
    reserved: Amount = Field(description="realised profit that rolls forward as cash")
    targets: list[Target]
    unallocated: list[str] = Field(description="convictions that got nothing, with the reason in words")


class VaultAllocation(Header):
    """The whole file."""

    now: UtcTime
    dag_id: str
    inputs: dict[str, Sha256]
    vaults: list[VaultTarget]
