"""`operator_commands.jsonl`: what a person asks the executor to do, one command a line.

| kind | names | what follows |
|---|---|---|
| `release` | `latch_id` | that latch is cleared; anything vaguer clears nothing |
| `acknowledge` | nothing | the warning that a switch was loosened without a stated reason is answered for |
| `cancel` | `order_id`, or nothing for all | the venue is asked to cancel |
| `flatten` | `vault`, or nothing for all | entries are latched and every position is left, in one batch of records |
| `override` | `vault`, `limit`, `value`, `until` | one risk limit has another value until then, at most a day |

A command is carried out once, by id, and only before it expires; the executor's log is the receipt.
"""

from typing import Literal

from pydantic import Field, model_validator

from vanta.common.models.base import Amount, Model, UtcTime

_NEEDS = {"release": ("latch_id",), "acknowledge": (), "cancel": (), "flatten": (),
          "override": ("vault", "limit", "value", "until")}
_MAY = {"release": (), "acknowledge": (), "cancel": ("order_id",), "flatten": ("vault",), "override": ()}
_NAMES = ("latch_id", "order_id", "vault", "limit", "value", "until")


class OperatorCommand(Model):
    """See the module's table. Names that a kind does not use stay `None`."""

    command_id: str = Field(pattern=r"^cmd_[0-9a-f]{16}$")
    kind: Literal["release", "acknowledge", "cancel", "flatten", "override"]
    latch_id: str | None = None
    order_id: str | None = None
    vault: str | None = None
    limit: str | None = Field(default=None, description="a field of `risk` in vault.json")
    value: Amount | None = None
    until: UtcTime | None = None
    by: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    at: UtcTime
    expires_at: UtcTime

    @model_validator(mode="after")
    def _names_what_it_needs(self) -> "OperatorCommand":
        given = {name for name in _NAMES if getattr(self, name) is not None}
        needed = set(_NEEDS[self.kind])
        if needed - given:
            raise ValueError(f"{self.kind} needs {', '.join(sorted(needed - given))}")
        if given - needed - set(_MAY[self.kind]):
            raise ValueError(f"{self.kind} does not take {', '.join(sorted(given - needed))}")
        return self
