"""Start-up: fold the journal, ask the venue about every open question, then say in one sentence what happened.

Order matters: the journal has already been repaired and made durable by opening it; nothing is sent before
every order without an answer has one. An order that the venue does not know goes back through all fences only
where the venue de-duplicates client order ids; elsewhere it is quarantined for a person.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from vanta.common.canonical import sha256
from vanta.common.errors import OutsideError
from vanta.common.events import Kind
from vanta.common.ids import draw_home_id
from vanta.common.models.base import SCHEMA_VERSION
from vanta.common.reasons import Reason
from vanta.executor.brokers.port import Broker
from vanta.executor.core.book import OrderEntry
from vanta.executor.core.verdict import link
from vanta.executor.recorder import Recorder


def fold(recorder: Recorder) -> int:
    """Fold the whole journal into the book. Returns the number of records."""
    count = 0
    for record in recorder.journal.read():
        recorder.book.apply(record)
        count += 1
    return count


def opening(home: str, program: str) -> dict[str, Any]:
    """What the first record of a trade log says: whose log it is. `home` is the short id in every order's name."""
    return {"home": home, "program": program, "schema": SCHEMA_VERSION}


def open_journal(recorder: Recorder, torn: bytes | None, *, program: str, details: Mapping[str, Any],
                 now: datetime) -> str:
    """Fold, name the home on first use, record a repair and the start. Returns what happened, in words."""
    count = fold(recorder)
    said = f"folded {count:,} records"
    if count == 0:
        recorder.put(Kind.JOURNAL_OPENED, opening(draw_home_id(), program), now=now)
        said = "opened a new trade log"
    if torn is not None:
        recorder.put(Kind.TAIL_REPAIRED, {"bytes": len(torn), "sha256": sha256(torn)}, now=now)
        said += f", set aside a torn last record of {len(torn)} bytes"
    recorder.put(Kind.PROGRAM_STARTED, {"program": program, **details}, now=now)
    recorder.sync()
    return said


def resolve(recorder: Recorder, brokers: Mapping[str, Broker], *, now: datetime) -> str:
    """Hand working orders to their brokers and settle every order whose outcome is not known."""
    working = list(recorder.book.working.values())
    open_questions = [order for order in working if order.state in ("submitting", "unknown")]
    for name, broker in brokers.items():
        broker.restore([order for order in working if order.account == name and order not in open_questions])
    answers = [settle(recorder, brokers, order, now=now) for order in open_questions]
    recorder.sync()
    taken_up = len(working) - len(open_questions)
    said = f", {taken_up} working orders taken up again" if taken_up else ""
    for answer in sorted(set(answers)):
        said += f", {answers.count(answer)} orders without an answer: {answer}"
    return said


def settle(recorder: Recorder, brokers: Mapping[str, Broker], order: OrderEntry, *, now: datetime) -> str:
    """Ask the venue about one order and record what it says. Returns the outcome in words."""
    entry = recorder.book.intents[order.intent_id]
    ids, dag_id = link(entry, order.order_id), entry.raw["provenance"]["dag_id"]
    broker = brokers.get(order.account)
    if broker is None:
        return "no broker is configured for the account; left open"
    try:
        found = broker.lookup(order.order_id)
    except OutsideError as error:
        recorder.put(Kind.ORDER_UNKNOWN, {"intent_state": "unknown", "detail": error.what}, now=now, ids=ids,
                     dag_id=dag_id)
        return "the venue did not answer; asked again later"
    if found is not None:
        recorder.put(Kind.ORDER_ACCEPTED, {
            "intent_state": "working", "venue_id": found.venue_id, "at": order.submitted_at},
            now=now, ids=ids, dag_id=dag_id)
        return "found at the venue"
    if broker.capabilities.deduplicates:
        recorder.put(Kind.ORDER_WITHHELD, {
            "intent_state": "seen", "code": Reason.BROKER_UNKNOWN,
            "detail": "the venue does not know the order and de-duplicates its id"}, now=now, ids=ids, dag_id=dag_id)
        return "not at the venue, back through the fences"
    recorder.put(Kind.ORDER_QUARANTINED, {
        "intent_state": "quarantined", "code": Reason.BROKER_UNKNOWN,
        "detail": "the venue does not know the order and does not de-duplicate"}, now=now, ids=ids, dag_id=dag_id)
    return "not at the venue, quarantined for a person"
