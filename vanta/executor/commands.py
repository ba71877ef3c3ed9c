"""Carrying out what operators ask for: each command once, by id, before it expires, with a receipt in the log.

A command and everything that follows from it are records of one batch: a crash leaves all of it or none.
"""

from collections.abc import Callable
from datetime import datetime

from vanta.common.canonical import content_hash
from vanta.common.events import Kind
from vanta.common.models.base import validate
from vanta.common.models.command import OperatorCommand
from vanta.common.models.vault import VaultRegistry
from vanta.common.money import plain
from vanta.common.paths import OPERATOR_COMMANDS
from vanta.common.reasons import Reason
from vanta.common.store.chain import chain
from vanta.common.times import iso, millis, parse_iso
from vanta.executor.core import protect
from vanta.executor.core.entries import OrderEntry
from vanta.executor.core.overrides import Override, refused
from vanta.executor.core.watch import Latch
from vanta.executor.recorder import Recorder
from vanta.executor.verdicts import latch_once


class Commands:
    """Operators' commands. `run` returns the working orders that the venue is to be asked to cancel."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._book = recorder.book
        self._kinds: dict[str, Callable[[OperatorCommand, datetime], list[OrderEntry]]] = {
            "release": self._release, "override": self._override, "cancel": self._cancel, "flatten": self._flatten,
            "acknowledge": self._acknowledge}
        self._vaults: VaultRegistry | None = None

    def read(self, raw: bytes) -> list[OperatorCommand]:
        """The commands of the file that were not carried out yet. Raises `VantaError` if it cannot be trusted."""
        whole = raw[: raw.rfind(b"\n") + 1]
        given = [validate(OperatorCommand, dict(record.payload), file=OPERATOR_COMMANDS)
                 for record in chain(whole, name=OPERATOR_COMMANDS) if record.kind == Kind.COMMAND_GIVEN]
        return [command for command in given if command.command_id not in self._book.commands]

    def run(self, given: list[OperatorCommand], vaults: VaultRegistry | None, now: datetime) -> list[OrderEntry]:
        """Carry out commands in their order."""
        self._vaults = vaults
        unwanted: list[OrderEntry] = []
        for command in given:
            if command.command_id in self._book.commands:
                continue
            if parse_iso(command.expires_at) <= now:
                self._say(Kind.COMMAND_REFUSED, command, now, refused=f"the command expired at {command.expires_at}")
            else:
                unwanted += self._kinds[command.kind](command, now)
        return unwanted

    def _say(self, kind: Kind, command: OperatorCommand, now: datetime, *, refused: str = "") -> None:
        named = command.model_dump(mode="json", exclude_none=True, exclude={"at", "expires_at"})
        self._recorder.put(kind, {**named, "refused": refused}, now=now)

    def _release(self, command: OperatorCommand, now: datetime) -> list[OrderEntry]:
        if command.latch_id in self._book.latches:
            self._say(Kind.LATCH_RELEASED, command, now)
        else:
            self._say(Kind.COMMAND_REFUSED, command, now, refused=f"there is no latch {command.latch_id}")
        return []

    def _acknowledge(self, command: OperatorCommand, now: datetime) -> list[OrderEntry]:
        self._say(Kind.COMMAND_TAKEN, command, now)
        return []

    def _override(self, command: OperatorCommand, now: datetime) -> list[OrderEntry]:
        assert command.vault is not None
        assert command.limit is not None
        assert command.value is not None
        assert command.until is not None
        wanted = Override(command.vault, command.limit, command.value, millis(parse_iso(command.until)))
        why = refused(wanted, self._vaults, millis(now)) if self._vaults else "vault.json cannot be read"
        self._say(Kind.COMMAND_REFUSED if why else Kind.OVERRIDE_SET, command, now, refused=why)
        return []

    def _cancel(self, command: OperatorCommand, now: datetime) -> list[OrderEntry]:
        if command.order_id is None:
            wanted = list(self._book.working.values())
        elif command.order_id in self._book.working:
            wanted = [self._book.working[command.order_id]]
        else:
            self._say(Kind.COMMAND_REFUSED, command, now, refused=f"order {command.order_id} does not work")
            return []
        self._say(Kind.COMMAND_TAKEN, command, now)
        return wanted

    def _flatten(self, command: OperatorCommand, now: datetime) -> list[OrderEntry]:
        """No new entries from here on, every position left, entries at the venue cancelled."""
        if command.vault is not None and command.vault not in self._book.vaults:
            self._say(Kind.COMMAND_REFUSED, command, now, refused=f"there is no vault {command.vault}")
            return []
        self._say(Kind.COMMAND_TAKEN, command, now)
        latch_once(self._recorder, Latch(
            code=Reason.FLATTENED, vault=command.vault, exits=True, value="flatten", limit="no entries",
            detail=f"{command.command_id}: {command.reason}"), now=now)
        for wish in protect.everything(self._book, command.vault):
            leave(self._recorder, wish, now)
        return [order for order in self._book.working.values()
                if command.vault in (None, order.vault)
                and (order.stop_price is not None or not self._book.intents[order.intent_id].exit)]


def leave(recorder: Recorder, wish: protect.Wish, now: datetime) -> None:
    """Record an exit as an intent of the executor's own. It passes every fence like any other."""
    body = protect.intent(recorder.book, wish, now)
    recorder.put(Kind.INTENT_SEEN, {
        "intent_state": "seen", "sha256": content_hash(body), "intent": body, "from": "executor"}, now=now, ids={
        "intent_id": body["intent_id"], "signal_id": body["provenance"]["signal_id"], "vault": wish.vault},
        dag_id=body["provenance"]["dag_id"])


def end_overrides(recorder: Recorder, now: datetime) -> None:
    """Say of every override that is over that it is."""
    for command_id, override in list(recorder.book.overrides.items()):
        if override.until_ms <= millis(now):
            recorder.put(Kind.OVERRIDE_ENDED, {"command_id": command_id, "vault": override.vault,
                                               "limit": override.limit, "value": plain(override.value),
                                               "at": iso(now)}, now=now)


