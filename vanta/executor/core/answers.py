"""What an operator's command is answered with: the kind of the record, and why it is refused if it is. Pure.

Replay asks the same functions again with the book and vault.json of that moment.

    answer(command, book, vaults, now)  ->  (Kind.COMMAND_REFUSED, "there is no latch latch_1234")
"""

from datetime import datetime
from typing import Any

from vanta.common.events import Kind
from vanta.common.models.command import OperatorCommand
from vanta.common.models.vault import VaultRegistry
from vanta.common.reasons import Reason
from vanta.common.times import millis, parse_iso
from vanta.executor.core.book import Book
from vanta.executor.core.overrides import Override, refused
from vanta.executor.core.watch import Latch

_CARRIED_OUT = {"release": Kind.LATCH_RELEASED, "override": Kind.OVERRIDE_SET}


def answer(command: OperatorCommand, book: Book, vaults: VaultRegistry | None, now: datetime) -> tuple[Kind, str]:
    """Kind of the record and the reason of a refusal, empty without one. `vaults`: `None` while it is unreadable."""
    why = f"the command expired at {command.expires_at}" if parse_iso(command.expires_at) <= now else (
        _refused(command, book, vaults, now))
    return (Kind.COMMAND_REFUSED, why) if why else (_CARRIED_OUT.get(command.kind, Kind.COMMAND_TAKEN), "")


def receipt(command: OperatorCommand, refused: str) -> dict[str, Any]:
    """The payload of the record: the command's own words."""
    named = command.model_dump(mode="json", exclude_none=True, exclude={"at", "expires_at"})
    return {**named, "refused": refused}


def flattened(command_id: str, vault: str | None, reason: str) -> Latch:
    """The latch against entries that leaving every position sets."""
    return Latch(code=Reason.FLATTENED, vault=vault, exits=True, value="flatten", limit="no entries",
                 detail=f"{command_id}: {reason}")


def _refused(command: OperatorCommand, book: Book, vaults: VaultRegistry | None, now: datetime) -> str:
    if command.kind == "release" and command.latch_id not in book.latches:
        return f"there is no latch {command.latch_id}"
    if command.kind == "cancel" and command.order_id is not None and command.order_id not in book.working:
        return f"order {command.order_id} does not work"
    if command.kind == "flatten" and command.vault is not None and command.vault not in book.vaults:
        return f"there is no vault {command.vault}"
    return _override(command, vaults, now) if command.kind == "override" else ""


def _override(command: OperatorCommand, vaults: VaultRegistry | None, now: datetime) -> str:
    assert command.vault is not None
    assert command.limit is not None
    assert command.value is not None
    assert command.until is not None
    wanted = Override(command.vault, command.limit, command.value, millis(parse_iso(command.until)))
    return refused(wanted, vaults, millis(now)) if vaults else "vault.json cannot be read"
