"""Any record by its place: what it says in one sentence, what it was caused by and what it caused. Pure.

Records about intents are told by `course.py`, controls by `changes.py`, latches and commands by `interventions.py`,
cycles by `rounds.py`; this module says which is which, and tells all others. A kind that is not known here, one of a
newer version too, gets its kind, its time and its key facts: nothing that is written down is without an answer.

    Happenings(…).explain(TRADE_LOG, record)
        2026-11-20 15:00:00 UTC (trade_log:11): the day 2026-11-20 opened for V_CORE with a NAV of 100,000.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from vanta.alpha.core.affairs import EDITED, Affairs, Said
from vanta.alpha.core.call_words import SENTENCES as OF_CALLS
from vanta.alpha.core.changes import Changes
from vanta.alpha.core.course import told
from vanta.alpha.core.fields import text_of
from vanta.alpha.core.inputs import BROKEN
from vanta.alpha.core.interventions import Interventions
from vanta.alpha.core.lineage import Lineage
from vanta.alpha.core.node import Node
from vanta.alpha.core.rounds import explain_cycle, readers
from vanta.alpha.core.tracker_words import SENTENCES as OF_TRACKER
from vanta.alpha.core.trail import place
from vanta.alpha.core.watchers import outputs
from vanta.alpha.core.words import amount, count, figure, person, several, short, when
from vanta.common.events import Kind
from vanta.common.paths import TRADE_LOG
from vanta.common.store.ports import Record

_CONTROLS = (Kind.CONTROL_SEEN, Kind.CONTROL_CHANGED, EDITED)
_COMMANDS = (Kind.COMMAND_GIVEN, Kind.COMMAND_TAKEN, Kind.COMMAND_REFUSED, Kind.OVERRIDE_SET, Kind.OVERRIDE_ENDED)
_MOST = 8
"""So many facts of an unknown record are named in its sentence; all of them are in the facts."""

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Happenings:
    """Explanations of records. `cycles` are the records of both cycle logs, `manifest` the payloads of a pass."""

    lineage: Lineage
    affairs: Affairs
    cycles: Sequence[Record] = ()
    manifest: Sequence[Body] = ()

    def explain(self, file: str, record: Record) -> Node:
        """The tree of one record of `file`. Whatever its fields are, there is one."""
        try:
            return self._explain(file, record)
        except BROKEN:
            return self._plain(file, record, plain(record))

    def named(self, name: str) -> Node:
        """The tree of a latch, a command, or a version of a control file. `name` is one of `affairs.names()`."""
        if name in self.affairs.latches:
            return Interventions(self.affairs).latch(name)
        if name in self.affairs.given or name in self.affairs.receipts:
            return Interventions(self.affairs).command(name)
        return Changes(self.affairs).version(name)

    def _explain(self, file: str, record: Record) -> Node:
        body = record.payload
        if file == TRADE_LOG and "intent_id" in record.ids:
            return self._about_intent(record)
        if record.kind in _CONTROLS and "what" in body:
            return Changes(self.affairs).change(Said(file, record))
        if record.kind in (Kind.LATCH_SET, Kind.LATCH_RELEASED) and body["latch_id"] in self.affairs.latches:
            return Interventions(self.affairs).latch(str(body["latch_id"]))
        if record.kind in _COMMANDS:
            return Interventions(self.affairs).command(str(body["command_id"]))
        if record.kind in (Kind.REFLECTED, Kind.PROMOTED) and record.dag_id is not None:
            others = [one for one in self.cycles if (one.kind, one.seq) != (record.kind, record.seq)]
            return explain_cycle(str(record.dag_id), [record, *(one for one in others if one.dag_id != record.dag_id)],
                                 self.lineage)
        sentence = _SENTENCES.get(record.kind)
        return self._plain(file, record, plain(record) if sentence is None else sentence(body),
                           *self._collected(record))

    def _about_intent(self, record: Record) -> Node:
        """A verdict, an answer of the venue, a fill: with its fences, its grounds, and what came of it."""
        node = told(record, self.lineage.trail)
        intent_id = record.ids["intent_id"]
        grounds = self.lineage.grounds(intent_id)
        came = self.lineage.outcome(intent_id, said="What became of it: intent")
        if node is None:
            return self._plain(TRADE_LOG, record, plain(record), grounds, came)
        return Node(node.kind, node.id, node.text, node.facts, (*node.parts, grounds, came), node.place)

    def _collected(self, record: Record) -> Iterator[Node]:
        """The payloads that a pass took in, the file that it made, and the reflections that read it."""
        if record.kind != Kind.COLLECTED:
            return
        for one in self.manifest:
            yield Node("raw", str(one["sha256"]),
                       f"It took in {one.get('url') or 'a payload'} as {short(one['sha256'])}.",
                       dict(one), ())
        for name, digest in outputs(record):
            yield Node("output", digest, f"It made {name} in the version {short(digest)}.", {"sha256": digest}, tuple(
                Node("effect", str(other.dag_id), f"Cycle {other.dag_id} read that at {when(other.at)}.", {}, ())
                for other in readers(name, digest, self.cycles)))

    def _plain(self, file: str, record: Record, text: str, *parts: Node) -> Node:
        here = place(file, record)
        return Node(record.kind, here, f"{when(record.at)} ({here}): {text}", dict(record.payload), parts, here)


def plain(record: Record) -> str:
    """A record of any kind: its kind and its key facts."""
    facts = [(name, value) for name, value in {**record.ids, **record.payload}.items()
             if value is None or isinstance(value, str | int | float | bool)]
    named = ", ".join(f"{name} {short(text_of(value))}" for name, value in facts[:_MOST])
    more = len(record.payload) + len(record.ids) - min(len(facts), _MOST)
    rest = f"{' and ' if named else ''}{count(more, 'more field')} (see --json)" if more else ""
    return f"{record.kind}{': ' if named or rest else ''}{named}{rest}."


def _also(body: Body, words: str, name: str) -> str:
    """A fact that not every record of a kind has."""
    return f" {words} {body[name]}" if name in body else ""


def _who(body: Body) -> str:
    return str(body["vault"]) if "vault" in body else "the house"


def _adjustment(body: Body) -> str:
    about = f" of {body['instrument_id']}" if body.get("instrument_id") else ""
    size = f" by {figure(body['ratio'])}" if "ratio" in body else f" of {figure(body['amount'])} {body['currency']}"
    why = f": {body['why']}" if body.get("why") else ""
    return f"a {body['type']}{size}{about} was booked to {body['vault']}{why}."


def _sync(body: Body) -> str:
    state = {"in_sync": "answers and agrees with the books", "differs": "does not agree with the books",
             "unknown": "does not answer, or was not asked"}.get(str(body["state"]), str(body["state"]))
    detail = f": {body['detail']}" if body.get("detail") else ""
    return f"the venue of account {body['account']} {state}{detail}."


def _alert(body: Body) -> str:
    level = f"{body['level']} % of the limit are used" if body["level"] else "back below half of the limit"
    return f"{body['about']}: {level} ({figure(body['value'])}, limit {figure(body['limit'])})."


def _quote(body: Body) -> str:
    return (f"the executor took in a quote of {body['instrument_id']} from {body['source']}: last "
            f"{figure(body['last'])}, bid "
            f"{figure(body['bid'])}, ask {figure(body['ask'])}, dated {when(body['at'])}.")


def _day(body: Body) -> str:
    return f"the day {body['day']} opened for {_who(body)} with a NAV of {figure(body['nav'])}."


def _closed(body: Body) -> str:
    """What a day made, by currency."""
    rows = [f"{_made(code, row)} (against the benchmark: {row['sanity']['verdict']})"
            for code, row in body["currencies"].items()]
    return f"the day {body['day']} was closed: {'; '.join(rows) or 'there was nothing to count'}."


def _made(code: str, row: Body) -> str:
    if row["total"] is None:
        return f"what it made in {code} is unknown while a position has no mark"
    total, realised = (amount(Decimal(row["total"][name]), code) for name in ("total", "realised"))
    return f"{total}, of which {realised} realised"


def _collected(body: Body) -> str:
    counts = [f"{value:,} {name.replace('_', ' ')}" for name, value in (body.get("counts") or {}).items() if value]
    told_counts = f" {several(counts)}." if counts else ""
    why = f" ({body['status_reason']})" if body.get("status_reason") else ""
    return f"a pass of the feed {body.get('feed', 'prices')} ended {body['status']}{why}.{told_counts}"


_SENTENCES: dict[str, Callable[[Body], str]] = {
    Kind.JOURNAL_OPENED: lambda body: f"the log begins; {body['program']} opened it{_also(body, 'for home', 'home')}.",
    Kind.PROGRAM_STARTED: lambda body: f"{body['program']} started{_also(body, 'in mode', 'mode')}.",
    Kind.PROGRAM_STOPPED: lambda body: f"{body['program']} stopped.",
    Kind.TAIL_REPAIRED: lambda body: f"a torn end of {body['bytes']:,} bytes was set aside as {short(body['sha256'])}.",
    Kind.CONTROL_ENDED: lambda body: f"a switch was over by its own time: {body['what']}.",
    Kind.INSTRUMENTS_SEEN: lambda body: f"the executor read the instruments in the version {short(body['sha256'])}.",
    Kind.QUOTE_SEEN: _quote, Kind.BROKER_SYNC: _sync, Kind.ADJUSTMENT: _adjustment, Kind.ALERT: _alert,
    Kind.BROKER_EXTERNAL: lambda body: f"the venue of account {body['account']} tells of something that this home did "
                                       f"not send: "
                                       f"{body['what']}.",
    Kind.LOG_RETIRED: lambda body: f"{body['by']} put the oldest pieces of {body['journal']} away, up to record "
                                   f"{body['seq']:,}, into {body['to']}.",
    Kind.MODEL_ASKED: lambda body: f"{person(body['by'])} had the model {body['model']} at {body['host']} asked to "
                                   f"{body['purpose']}, with {body['bytes']:,} bytes.",
    Kind.MODEL_ANSWERED: lambda body: f"the answer to record {body['asked']} was {body['verdict']}"
                                      f"{': ' + body['why'] if body['why'] else ''}, {body['bytes']:,} bytes in "
                                      f"{body['ms']:,} ms.",
    "day.closed": _closed, Kind.DAY_OPENED: _day, Kind.HOUSE_DAY_OPENED: _day, Kind.COLLECTED: _collected, **OF_TRACKER,
    **OF_CALLS,
}
