"""Start-up: fold the journal, ask the venue about every open question, then say in one sentence what happened.

Order matters: the journal has already been repaired and made durable by opening it; nothing is sent before
every order without an answer has one. An order that the venue does not know goes back through all fences only
where the venue de-duplicates client order ids; elsewhere it is quarantined for a person.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from vanta.common.events import Kind
from vanta.common.ids import draw_home_id
from vanta.common.models.base import SCHEMA_VERSION
from vanta.common.reasons import Reason
from vanta.common.store.chain import repaired
from vanta.executor.brokers.port import Broker
from vanta.executor.core.watch import Latch
from vanta.executor.recorder import Recorder
from vanta.executor.venue import Venue
from vanta.executor.verdicts import latch_once

OPEN_STATES = ("submitting", "unknown")


def fold(recorder: Recorder) -> int:
    """Fold what the book does not hold yet. Returns the number of records."""
    count = 0
    for record in recorder.journal.read_after(recorder.begins):
        recorder.book.apply(record)
        count += 1
    recorder.found_until = recorder.book.at
    return count


def opening(home: str, program: str) -> dict[str, Any]:
    """What the first record of a trade log says: whose log it is. `home` is the short id in every order's name."""
    return {"home": home, "program": program, "schema": SCHEMA_VERSION}


def open_journal(recorder: Recorder, pieces: Sequence[bytes], *, program: str, details: Mapping[str, Any],
                 now: datetime) -> str:
    """Fold, name the home on first use, record repairs and the start; not durable yet. Returns it in words.

    `pieces` are torn last lines that were set aside and that no record names yet.
    """
    count, begins = fold(recorder), recorder.begins.seq
    said = f"took up the state at record {begins:,}, " if begins else ""
    said += f"folded {count:,} records"
    if count == 0 and not begins:
        recorder.put(Kind.JOURNAL_OPENED, opening(draw_home_id(), program), now=now)
        said = "opened a new trade log"
    for piece in pieces:
        recorder.put(Kind.TAIL_REPAIRED, repaired(piece), now=now)
        said += f", set aside a torn last record of {len(piece)} bytes"
    before, here = recorder.book.host, str(details.get("host") or "")
    if before and here and here != before:  # recorded first: a crash in between must not leave the new name alone
        latch_once(recorder, Latch(code=Reason.HOST_CHANGED, vault=None, exits=False, value=here, limit=before,
                                   detail="a copy of this home may still be running there"), now=now)
        said += ", found that another host wrote the log before and latched"
    recorder.put(Kind.PROGRAM_STARTED, {"program": program, **details}, now=now)
    return said


def restore(recorder: Recorder, brokers: Mapping[str, Broker]) -> str:
    """Tell brokers which orders work. Makes no call. Returns what was taken up, in words."""
    working = [order for order in recorder.book.working.values() if order.state not in OPEN_STATES]
    for account, broker in brokers.items():
        broker.restore([order for order in working if order.account == account])
    return f", {len(working)} working orders taken up again" if working else ""


def settle_all(recorder: Recorder, venue: Venue, now: datetime) -> str:
    """Ask about every order without an answer, and for every cancel without an outcome. Returns it in words.

    Nobody is asked whom the operator lets us not call.
    """
    open_questions = [order for order in recorder.book.working.values() if order.state in OPEN_STATES]
    answers = [venue.settle(order, now) for order in open_questions]
    venue.cancel_again(now)
    return "".join(f", {answers.count(answer)} orders without an answer: {answer}" for answer in sorted(set(answers)))
