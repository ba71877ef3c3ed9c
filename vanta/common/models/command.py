"""`operator_commands.jsonl`: what a person asks the executor to do, one command a line.

A command is carried out once, by id, and only before it expires; the executor's log is the receipt.
"""

from typing import Literal

from pydantic import Field

from vanta.common.models.base import Model, UtcTime


class OperatorCommand(Model):
    """Release names the latch it clears; anything vaguer clears nothing."""

    command_id: str = Field(pattern=r"^cmd_[0-9a-f]{16}$")
    kind: Literal["release"]
    latch_id: str
    by: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    at: UtcTime
    expires_at: UtcTime
