"""`archive_state.json`: when a node's journals were last copied to its archive, and what kept it since."""

from pydantic import Field

from vanta.common.models.base import Model, UtcTime


class ArchiveState(Model):
    """What `vanta tidy` leaves for whoever looks, so that nobody has to look at a disk that may hang."""

    schema_version: int = 1
    revision: int = Field(ge=1, description="grows by one with every round that was tried")
    written_at: UtcTime = Field(description="when the last round was tried")
    written_by: str
    kept_at: UtcTime | None = Field(default=None, description="when one was last whole")
    manifest: str | None = Field(default=None, description="the name of its manifest in the archive")
    problem: str = Field(default="", description="what kept the last round from being whole, empty if nothing did")
