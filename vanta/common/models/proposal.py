"""`memory/proposals/<id>.json`: what the assistant proposes and a person may run. Only the assistant reads it."""

from typing import Literal

from pydantic import Field

from vanta.common.models.base import Model, UtcTime


class ProposalDocument(Model):
    """One proposal. `command` is the whole of it; the other fields say where it came from and how to see it done."""

    schema_version: int
    proposal_id: str = Field(pattern=r"^pr_[a-z2-7]{16}$")
    at: UtcTime
    by: str = Field(description="the account that had it written")
    about: Literal["overlay", "item"]
    command: str = Field(min_length=1, max_length=2_000, description="what a person would run, quoted for a shell")
    said: str = Field(description="what it comes to, in words")
    typed: str = Field(max_length=2_000, description="the words that were typed")
    switch: str = Field(description="of an overlay: the switch")
    scope: str = Field(description="of an overlay: the part that it is about, empty for everything")
    on: bool = Field(description="of an overlay: how the switch is to stand")
    title: str = Field(description="of an item: its title")
    loosens: bool = Field(description="whether it would let more happen than may happen now")
