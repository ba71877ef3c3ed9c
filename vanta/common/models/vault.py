"""`vault.json`: which vaults exist, what they may hold and how much they may risk.

Operators write it. Everything but `vault_id` and `label` has a conservative default, listed in
docs/STATE.md; `risk` limits that are written win over defaults, and `None` means "no such limit was given
and there is no safe default": a fence that needs it refuses.
"""

from decimal import Decimal
from typing import Literal

from pydantic import Field, field_validator, model_validator

from vanta.common.models.base import Cash, OperatorModel, Share, Units

PersonaName = Literal["Athena", "Apollo", "Ares", "Nemesis"]
PERSONA_ALIASES: dict[str, PersonaName] = {
    "risk_averse": "Athena", "aggressive": "Apollo", "contrarian": "Ares", "balancer": "Nemesis",
}
Pct = Share  # a fraction of 1, written as 0.08 for 8 %


def persona_name(text: str) -> PersonaName:
    """`risk_averse` and `Athena` name the same persona. Raises `ValueError` for any other name."""
    if text in PERSONA_ALIASES:
        return PERSONA_ALIASES[text]
    for name in PERSONA_ALIASES.values():
        if text.lower() == name.lower():
            return name
    known = ", ".join([*PERSONA_ALIASES.values(), *PERSONA_ALIASES])
    raise ValueError(f"unknown persona {text!r}; known are {known}")


class Risk(OperatorModel):
    """Limits of one vault. Fractions are of the vault's NAV unless said otherwise."""

    max_drawdown: Pct = Field(default=Decimal("0.10"), gt=0, le=1, description="from the peak NAV; then entries stop")
    max_daily_loss: Pct = Field(default=Decimal("0.03"), gt=0, le=1, description="of the day's opening NAV")
    max_single_pos_pct: Pct = Field(default=Decimal("0.05"), gt=0, le=1, description="one instrument")
    max_sector_pct: Pct = Field(default=Decimal("0.40"), gt=0, le=1, description="all instruments of one sector; those "
                                "without a sector are not limited by it")
    max_net_pct: Pct = Field(default=Decimal("1.00"), gt=0, le=1, description="long less short positions")
    max_gross_pct: Pct = Field(default=Decimal("1.00"), gt=0, le=1, description="all positions together")
    max_asset_class_pct: dict[str, Pct] = Field(
        default={"equity": Decimal("1.00"), "crypto": Decimal("0.30"), "option": Decimal(0)},
        description="by asset class; a class that is not named may not be held")
    max_order_value: Cash = Field(default=Decimal(25_000), gt=0, description="one order, in base currency")
    max_order_quantity: Units = Field(default=Decimal(100_000), gt=0, description="one order, units")
    max_orders_per_minute: int = Field(default=30, ge=1, description="new orders; cancels are never limited")
    max_open_orders: int = Field(default=50, ge=1)
    min_average_daily_volume: Units = Field(default=Decimal(0), ge=0, description="units a day; above 0, an instrument "
                                            "whose volume nobody knows is refused")
    max_repeats: int = Field(default=10, ge=1, le=256, description="orders of one instrument and side within "
                             "repeat_window_s; one more latches the vault")
    repeat_window_s: int = Field(default=60, ge=1)
    duplicate_window_s: int = Field(default=30, ge=1, description="an order like the last one of its instrument is "
                                    "refused so long")
    reentry_cooldown_s: int = Field(default=86_400, ge=0, description="no entry for so long after a position was left "
                                    "by its exit plan or by flattening")
    max_consecutive_losses: int = Field(default=6, ge=1, description="orders in a row that closed at a loss; then "
                                        "entries stop")
    max_adv_pct: Pct = Field(default=Decimal("0.02"), gt=0, le=1, description="one order, of average daily volume")
    price_collar_pct: Pct = Field(default=Decimal("0.05"), gt=0, le=1, description="order price against the quote")
    max_period_move_pct: Pct = Field(default=Decimal("0.20"), gt=0, le=1, description="price against every price of "
                                     "the last period_s seconds")
    period_s: int = Field(default=300, ge=1, le=3_600)
    max_jump_pct: Pct = Field(default=Decimal("0.25"), gt=0, le=1, description="quote against the one before")
    max_quote_age_s: int = Field(default=900, ge=1, description="older quotes are no basis for an order")
    min_cash_pct: Pct = Field(default=Decimal("0.02"), ge=0, le=1, description="cash that entries leave untouched")
    restricted: list[str] = Field(default=[], description="instrument ids that may not be traded")
    permitted: list[str] | None = Field(default=None, description="if given, only these instrument ids may be bought")


class AllocationRule(OperatorModel):
    """How convictions become target weights."""

    mode: Literal["proportional", "banded"] = "proportional"
    min_conviction_bp: int = Field(default=1_000, ge=0, le=10_000, description="weaker convictions get nothing")
    max_positions: int = Field(default=12, ge=1, le=500)
    invest_pct: Pct = Field(default=Decimal("0.80"), ge=0, le=1, description="share of NAV that may be invested")
    rebalance_band_pct: Pct = Field(default=Decimal("0.01"), ge=0, le=1,
                                    description="differences below this share of NAV are left alone")
    bands: dict[str, Pct] = Field(
        default={"1000": Decimal("0.02"), "2500": Decimal("0.04"), "5000": Decimal("0.06")},
        description="banded mode: weight from this conviction (basis points) on")
    allow_short: bool = False

    @field_validator("bands")
    @classmethod
    def _convictions(cls, bands: dict[str, Decimal]) -> dict[str, Decimal]:
        for key, weight in bands.items():
            if not (key.isascii() and key.isdigit() and int(key) <= 10_000 and 0 <= weight <= 1):
                raise ValueError(f"band {key!r}: {weight}: write a conviction of 0 to 10000 and a weight of 0 to 1")
        return bands


class Compounding(OperatorModel):
    """What happens to realised profit."""

    reinvest_pct: Pct = Field(default=Decimal("1.00"), ge=0, le=1, description="share of realised profit that may be "
                              "invested again; the rest rolls forward as reserved cash")


class Fee(OperatorModel):
    """Terms of mirroring; carried, not yet charged."""

    type: Literal["performance_or_flat", "performance", "flat", "none"] = "none"
    flat_usd: Cash = Decimal(0)
    perf_share: Pct = Decimal(0)


class OrderTerms(OperatorModel):
    """How a vault's orders are given to the market. Whatever closes a position is a market order all the same."""

    type: Literal["market", "limit"] = "market"
    limit_offset_pct: Pct = Field(default=Decimal("0.001"), ge=Decimal("-0.2"), le=Decimal("0.2"),
                                  description="a limit against the touched side of the quote: above 0 it may pay so "
                                  "much more, below 0 it waits for a price that is so much better")
    time_in_force: Literal["day", "gtc"] = Field(default="day", description="a day order is cancelled at the end of "
                                                 "the session; `gtc` works until it is filled or cancelled, and "
                                                 "needs a limit")
    replace_after_s: int | None = Field(default=None, ge=5, le=86_400, description="an order that was not filled "
                                        "whole after so long is cancelled, and what is still wanted is asked for anew; "
                                        "None: never")

    stops: Literal["executor", "venue"] = Field(default="executor", description="who watches the stop of an exit plan: "
                                                "the executor, or an order that rests at the venue, where that can be")

    @model_validator(mode="after")
    def _waiting_needs_a_limit(self) -> "OrderTerms":
        if self.time_in_force == "gtc" and self.type == "market":
            raise ValueError('time_in_force "gtc" needs type "limit": a market order waits for nothing')
        return self


class Mirroring(OperatorModel):
    """Terms of mirroring; carried, not yet used."""

    mode: Literal["proportional", "fixed", "off"] = "off"
    min_account_equity: Cash = Decimal(0)
    fee: Fee = Fee()


class Vault(OperatorModel):
    """One vault: a capital envelope with personas and limits."""

    vault_id: str = Field(pattern=r"^[A-Z][A-Z0-9_]{1,23}$")
    label: str
    base_currency: str = Field(default="USD", pattern=r"^[A-Z]{3,5}$")
    capital: Cash = Field(default=Decimal(100_000), gt=0, description="the envelope, in base currency; paper "
                            "accounts are funded with it once")
    account: str = Field(default="paper", description="broker account that holds it")
    crypto_enabled: bool = False
    fiat_enabled: bool = True
    options_enabled: bool = False
    personas: list[str] = Field(default=["risk_averse"], min_length=1)
    persona_budgets: dict[str, Pct] = Field(default={}, description="share of NAV that positions which a persona asked "
                                            "for may take; a persona that is not named may take all")
    envelope: dict[str, Cash] = Field(default={}, description="by asset class: the most that may be invested, in base "
                                      "currency; a class that is not named may take the whole capital")
    risk: Risk = Risk()
    orders: OrderTerms = OrderTerms()
    allocation: AllocationRule = AllocationRule()
    compounding: Compounding = Compounding()
    mirroring: Mirroring = Mirroring()

    @field_validator("personas")
    @classmethod
    def _known_personas(cls, names: list[str]) -> list[str]:
        resolved = [persona_name(name) for name in names]
        if len(set(resolved)) != len(resolved):
            raise ValueError("a persona is listed twice")
        return names

    @field_validator("persona_budgets")
    @classmethod
    def _budgets_of_personas(cls, budgets: dict[str, Decimal]) -> dict[str, Decimal]:
        for name, share in budgets.items():
            persona_name(name)
            if not 0 <= share <= 1:
                raise ValueError(f"{name}: {share} must lie between 0 and 1")
        return budgets

    @model_validator(mode="after")
    def _replacing_is_no_runaway(self) -> "Vault":
        every, risk = self.orders.replace_after_s, self.risk
        if every is not None and every * risk.max_repeats < risk.repeat_window_s:
            raise ValueError(f"orders.replace_after_s: an order every {every} s would be too many alike: more than "
                             f"{risk.max_repeats} in {risk.repeat_window_s} s latch (risk.max_repeats)")
        return self

    def budget(self, persona: str) -> Decimal:
        """The share of NAV that a persona's positions may take."""
        by_name = {persona_name(name): share for name, share in self.persona_budgets.items()}
        return by_name.get(persona, Decimal(1))  # type: ignore[call-overload,no-any-return]

    def may_hold(self, asset_class: str) -> bool:
        """Whether the rail of an asset class is open: coins on one, everything else on the other."""
        if asset_class == "crypto":
            return self.crypto_enabled
        return self.fiat_enabled and (asset_class != "option" or self.options_enabled)

    def persona_names(self) -> list[PersonaName]:
        """The personas under their proper names, in the order given."""
        return [persona_name(name) for name in self.personas]


class House(OperatorModel):
    """Limits over all vaults together. Fractions are of the NAV of all vaults of an account."""

    max_gross_pct: Pct = Field(default=Decimal("1.00"), gt=0, le=10, description="all positions and orders entered of "
                               "one account")
    max_open_orders: int = Field(default=200, ge=1, description="working orders at one broker account")
    max_messages_per_minute: int = Field(default=240, ge=1, description="new orders and cancels to one "
                                         "account; only new orders wait")
    max_daily_loss: Pct = Field(default=Decimal("0.05"), gt=0, le=1, description="of the day's opening NAV of all")
    max_drawdown: Pct = Field(default=Decimal("0.15"), gt=0, le=1, description="from the peak NAV of all")
    max_consecutive_losses: int = Field(default=12, ge=1)
    restricted: list[str] = Field(default=[], description="instrument ids that no vault may trade")


class VaultRegistry(OperatorModel):
    """The whole file."""

    vaults: list[Vault]
    house: House = House()
    schema_version: int = 1
    revision: int | None = None
    written_at: str | None = None
    written_by: str | None = None

    @model_validator(mode="after")
    def _unique_ids(self) -> "VaultRegistry":
        ids = [vault.vault_id for vault in self.vaults]
        doubled = sorted({name for name in ids if ids.count(name) > 1})
        if doubled:
            raise ValueError(f"vault_id {doubled[0]} appears twice")
        return self

    def get(self, vault_id: str) -> Vault | None:
        """The vault of that id, or `None`."""
        return next((vault for vault in self.vaults if vault.vault_id == vault_id), None)
