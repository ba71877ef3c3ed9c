"""Keeping an account's books and its venue in agreement, while running and before anything is sent.

An account is `in_sync` only after the venue has answered about every open question and agrees about positions and
orders. Until then, and whenever it stops answering or disagrees, its orders are held. A disagreement has to be read
three times in a row before it latches: one wrong reading (everything vanished, everything multiplied) halts nothing for
good, and nothing is sent meanwhile.
"""

from collections.abc import Mapping
from datetime import datetime

from vanta.common.canonical import canonical
from vanta.common.errors import OutsideError
from vanta.common.events import Kind
from vanta.common.instruments import Instrument
from vanta.common.reasons import Reason
from vanta.common.store.ports import Snapshots
from vanta.executor.brokers.port import Broker
from vanta.executor.core.entries import SyncEntry
from vanta.executor.core.fences.sync import IN_SYNC
from vanta.executor.core.reach import Reach
from vanta.executor.core.reconcile import Holdings, body, differences, foreign
from vanta.executor.core.watch import Latch
from vanta.executor.recorder import Recorder
from vanta.executor.verdicts import latch_once

UNKNOWN, DIFFERS = "unknown", "differs"
READINGS = 3
NOT_ASKED = SyncEntry(UNKNOWN, "not asked yet", 0)


class Reconciler:
    """Asks brokers for their holdings at most every `every_s` seconds; at once for an account that is not in sync."""

    def __init__(self, recorder: Recorder, brokers: Mapping[str, Broker], snapshots: Snapshots, every_s: float) -> None:
        self._recorder = recorder
        self._brokers = brokers
        self._snapshots = snapshots
        self._every_s = every_s
        self._asked = dict.fromkeys(brokers, float("-inf"))
        self._silent: set[str] = set()

    def start(self, now: datetime) -> None:
        """A new process knows nothing about its venues, whatever the log says about an earlier one."""
        for account in self._brokers:
            self._say(account, NOT_ASKED, now)

    def run(self, reach: Reach, monotonic: float) -> None:
        """Compare every account that is due and whose venue answers and may be called."""
        now = reach.now
        for account, broker in self._brokers.items():
            if not reach.account(account):
                self._say(account, SyncEntry(UNKNOWN, "no calls are allowed", 0), now)
                continue
            in_sync = self._recorder.book.sync.get(account, NOT_ASKED).state == IN_SYNC
            due = monotonic - self._asked[account] >= (self._every_s if in_sync else min(self._every_s, 1.0))
            if not due or account in self._silent:
                continue
            self._asked[account] = monotonic
            try:
                said = broker.holdings(now)
            except OutsideError as error:
                self.silent(account, error.what, now)
                continue
            self._compare(account, said, reach.instruments, now)

    def _compare(self, account: str, said: Holdings | None, instruments: Mapping[str, Instrument],
                 now: datetime) -> None:
        book = self._recorder.book
        open_questions = sum(1 for order in book.working.values()
                             if order.account == account and order.state in ("submitting", "unknown"))
        if open_questions:
            self._say(account, SyncEntry(UNKNOWN, f"{open_questions} orders without an answer", 0), now)
            return
        if said is None:
            self._say(account, SyncEntry(IN_SYNC, "the venue has no books of its own", 0), now)
            return
        if not instruments:  # without them nobody knows what the venue's symbols name: that is no disagreement
            self._say(account, SyncEntry(UNKNOWN, "the instruments cannot be read", 0), now)
            return
        for order in foreign(said):
            if (account, order.venue_id) not in book.external:
                self._recorder.put(Kind.BROKER_EXTERNAL, {
                    "account": account, "venue_id": order.venue_id, "what": f"{order.side} {order.symbol}"}, now=now)
        found = differences(book, account, said, {name: item.symbol for name, item in instruments.items()})
        if not found:
            self._say(account, SyncEntry(IN_SYNC, "positions and orders agree", 0), now)
            return
        readings = book.sync.get(account, NOT_ASKED).readings + 1
        self._say(account, SyncEntry(DIFFERS, "; ".join(found), readings), now,
                  evidence=self._snapshots.put(canonical(body(said))))
        if readings >= READINGS:
            latch_once(self._recorder, Latch(
                code=Reason.BROKER_DIFFERS, vault=None, exits=False, value=f"{readings} readings",
                limit=f"{READINGS} readings", detail=f"{account}: {'; '.join(found)}"), now=now)

    def silent(self, account: str, what: str, now: datetime) -> None:
        """The venue did not answer a question: the account is in doubt until it answers again."""
        self._silent.add(account)
        self._say(account, SyncEntry(UNKNOWN, what, 0), now)

    def answered(self, account: str) -> None:
        """The venue answers; what it says about holdings decides the rest."""
        self._silent.discard(account)

    def _say(self, account: str, entry: SyncEntry, now: datetime, *, evidence: str | None = None) -> None:
        """Record the state of an account if it is news."""
        if self._recorder.book.sync.get(account) != entry:
            self._recorder.put(Kind.BROKER_SYNC, {
                "account": account, "state": entry.state, "detail": entry.detail, "readings": entry.readings,
                "evidence": evidence}, now=now)
