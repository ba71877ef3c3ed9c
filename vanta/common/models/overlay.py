"""`vault_overlay.json`: the operator's runtime switches, boosts and flips.

Both spellings of a switch are accepted: a bare boolean, or an object with `enabled`, `reason`, `by` and
`until`. This module only says what the bytes mean; whether they permit an order is decided, from the raw
bytes, in `executor/core/controls.py`.
"""

from decimal import Decimal
from typing import Literal

from pydantic import Field, StrictBool, model_validator

from vanta.common.models.base import OperatorModel, OperatorTime, Share
from vanta.common.models.vault import persona_name

HALTING = ("maintenance", "orders_disabled", "external_calls_disabled", "full_halt")
SWITCHES = (*HALTING, "reduce_only")
SCOPES = ("vault", "broker", "instrument", "asset_class", "follower")


class Switch(OperatorModel):
    """The long spelling. `until` ends only `maintenance` and `reduce_only`; the others wait for a person."""

    enabled: StrictBool
    reason: str | None = None
    by: str | None = None
    until: OperatorTime | None = None


SwitchValue = StrictBool | Switch
SwitchName = Literal["maintenance", "orders_disabled", "external_calls_disabled", "full_halt", "reduce_only"]
ScopeName = Literal["vault", "broker", "instrument", "asset_class", "follower"]


class Flip(OperatorModel):
    """A short-lived tilt of one vault towards one persona."""

    flip_id: str = Field(min_length=1)
    vault: str
    persona: str
    ttl_min: int = Field(default=45, ge=1, le=240)
    slice: Share = Field(gt=0, le=Decimal("0.25"), description="share of the vault's NAV")
    amplify: Share = Field(ge=0, le=1, description="how much the persona's weights are raised")
    started_at: OperatorTime

    @model_validator(mode="after")
    def _known_persona(self) -> "Flip":
        persona_name(self.persona)
        return self


class Overlay(OperatorModel):
    """The whole file. The four halting switches have to be present and literally boolean."""

    maintenance: SwitchValue
    orders_disabled: SwitchValue
    external_calls_disabled: SwitchValue
    full_halt: SwitchValue
    reduce_only: SwitchValue = False
    scopes: dict[ScopeName, dict[str, dict[SwitchName, SwitchValue]]] = {}
    persona_boosts: dict[str, Share] = Field(default={}, description="added to a persona's share, −0.5 to 0.5")
    flip: Flip | None = None
    reason: str | None = None
    by: str | None = None
    schema_version: int = 1
    revision: int | None = None
    written_at: str | None = None
    written_by: str | None = None

    @model_validator(mode="after")
    def _bounded_boosts(self) -> "Overlay":
        for name, boost in self.persona_boosts.items():
            persona_name(name)
            if not Decimal("-0.5") <= boost <= Decimal("0.5"):
                raise ValueError(f"persona_boosts.{name} must lie between -0.5 and 0.5")
        return self
