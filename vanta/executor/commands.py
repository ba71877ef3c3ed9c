"""Carrying out what operators ask for: each command once, by id, before it expires, with a receipt in the log.

A command and everything that follows from it are records of one batch: a crash leaves all of it or none.
"""

from datetime import datetime

from vanta.common.canonical import content_hash
from vanta.common.errors import BadInput
from vanta.common.events import Kind
from vanta.common.models.base import validate
from vanta.common.models.command import OperatorCommand
from vanta.common.models.vault import VaultRegistry
from vanta.common.money import plain
from vanta.common.paths import OPERATOR_COMMANDS
from vanta.common.store.chain import chain
from vanta.common.times import iso, millis
from vanta.executor.core import protect
from vanta.executor.core.answers import answer, flattened, receipt
from vanta.executor.core.entries import OrderEntry
from vanta.executor.recorder import Recorder
from vanta.executor.verdicts import latch_once


class Commands:
    """Operators' commands. `run` returns the working orders that the venue is to be asked to cancel.

    `no_command` says of the file that was read last which of its lines is none; the others are carried out.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._book = recorder.book
        self.no_command = ""

    def read(self, raw: bytes) -> list[OperatorCommand]:
        """The commands of the file that were not carried out yet. Raises `VantaError` if it cannot be trusted.

        A line that is no command (to this version) is passed over: it stays in its log for ever, and nobody who has to
        leave a position may have to wait for a log without it.
        """
        whole, given, self.no_command = raw[: raw.rfind(b"\n") + 1], list[OperatorCommand](), ""
        for record in chain(whole, name=OPERATOR_COMMANDS):
            if record.kind == Kind.COMMAND_GIVEN:
                try:
                    given.append(validate(OperatorCommand, dict(record.payload), file=OPERATOR_COMMANDS))
                except BadInput as error:
                    self.no_command = f"record {record.seq:,} is not carried out: {error.what}"
        return [command for command in given if command.command_id not in self._book.commands]

    def run(self, given: list[OperatorCommand], vaults: VaultRegistry | None, now: datetime) -> list[OrderEntry]:
        """Carry out commands in their order."""
        unwanted: list[OrderEntry] = []
        for command in given:
            if command.command_id in self._book.commands:
                continue
            kind, refused = answer(command, self._book, vaults, now)
            self._recorder.put(kind, receipt(command, refused), now=now)
            if not refused and command.kind == "cancel":
                unwanted += self._cancel(command)
            elif not refused and command.kind == "flatten":
                unwanted += self._flatten(command, now)
        return unwanted

    def _cancel(self, command: OperatorCommand) -> list[OrderEntry]:
        working = self._book.working
        return list(working.values()) if command.order_id is None else [working[command.order_id]]

    def _flatten(self, command: OperatorCommand, now: datetime) -> list[OrderEntry]:
        """No new entries from here on, every position left, entries at the venue cancelled."""
        latch_once(self._recorder, flattened(command.command_id, command.vault, command.reason), now=now)
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


