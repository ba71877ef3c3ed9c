"""`controls_lease.json`: Alpha's word that these are its controls, said anew every second."""

from pydantic import Field

from vanta.common.models.base import Model, Sha256, UtcTime


class Commands(Model):
    """The end of `operator_commands.jsonl`."""

    seq: int = Field(ge=0)
    size: int = Field(ge=0, description="bytes of the whole log")
    hash: Sha256


class ControlsLease(Model):
    """What Alpha says. A file that is not there is `null`."""

    schema_version: int = 1
    revision: int = Field(ge=1, description="grows by one with every lease, over restarts too: the counter")
    written_at: UtcTime = Field(description="when it was said, by Alpha's clock")
    written_by: str
    overlay: Sha256 | None = Field(description="hash of vault_overlay.json")
    vaults: Sha256 | None = Field(description="hash of vault.json")
    commands: Commands
