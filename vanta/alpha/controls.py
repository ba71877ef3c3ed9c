"""What operators ask of the executor, written where it looks: one journal of commands, hash-chained.

Commands are additive and expire; nothing here touches the executor's own files. The executor records that it
carried one out, or why not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vanta.common.canonical import content_hash
from vanta.common.errors import BadInput, UsageError
from vanta.common.events import Kind
from vanta.common.models.base import validate
from vanta.common.models.command import OperatorCommand
from vanta.common.store.ports import Journal
from vanta.common.times import iso

VALID_FOR = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of a control: what, who, why, and what it was before and is after."""

    what: str = "permit"
    by: str
    reason: str
    before: str
    after: str


def give(journal: Journal, asked: Mapping[str, Any], *, by: str, reason: str, now: datetime) -> OperatorCommand:
    """Write one command, durably. `asked` holds its kind and what that kind names.

    Raises `UsageError` without a reason and a name, or where the names do not make a command of that kind.
    """
    if not reason.strip() or not by.strip():
        raise UsageError("a command needs a reason and a name", "Add --reason TEXT (and --by NAME).")
    body = {**asked, "by": by, "reason": reason, "at": iso(now), "expires_at": iso(now + VALID_FOR)}
    try:
        command = validate(OperatorCommand, {"command_id": "cmd_" + content_hash(body)[:16], **body}, file="command")
    except BadInput as error:
        raise UsageError(error.reason, "See --help.") from error
    journal.append(Kind.COMMAND_GIVEN, command.model_dump(mode="json"), at=iso(now))
    journal.sync()
    return command
