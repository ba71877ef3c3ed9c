"""What operators ask of the executor, written where it looks: one journal of commands, hash-chained.

Commands are additive and expire; nothing here touches the executor's own files. The executor records that it
carried one out, or why not.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from vanta.common.canonical import content_hash
from vanta.common.errors import UsageError
from vanta.common.events import Kind
from vanta.common.models.command import OperatorCommand
from vanta.common.store.ports import Journal
from vanta.common.times import iso

VALID_FOR = timedelta(minutes=15)


def release_latch(journal: Journal, latch_id: str, *, by: str, reason: str, now: datetime) -> OperatorCommand:
    """Ask the executor to clear one latch, durably. Raises `UsageError` without a reason and a name."""
    if not reason.strip() or not by.strip():
        raise UsageError("releasing a latch needs a reason and a name", "Add --reason TEXT (and --by NAME).")
    return _give(journal, {"kind": "release", "latch_id": latch_id, "by": by, "reason": reason}, now)


def cancel_all(journal: Journal, *, by: str, reason: str, now: datetime) -> OperatorCommand:
    """Ask the executor to cancel every order that works at a venue, durably."""
    return _give(journal, {"kind": "cancel", "by": by, "reason": reason}, now)


def _give(journal: Journal, asked: Mapping[str, str], now: datetime) -> OperatorCommand:
    body = {**asked, "at": iso(now), "expires_at": iso(now + VALID_FOR)}
    command = OperatorCommand(command_id="cmd_" + content_hash(body)[:16], **body)  # type: ignore[arg-type]
    journal.append(Kind.COMMAND_GIVEN, command.model_dump(mode="json"), at=iso(now))
    journal.sync()
    return command
