"""Explaining one thing of a home: which one a person means, and what has to be read to tell its tree.

First the tree is made from what lies open. What it lacks (a signal that left its window, a conviction of an earlier
cycle, the size of a raw payload, what was earned) is then looked up, and the tree is made again. Reads only; whatever
cannot be read becomes a warning and a gap, never a guess.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from vanta.alpha.core.affairs import JOURNALS as OF_PERSONS
from vanta.alpha.core.affairs import Affairs, Said, after
from vanta.alpha.core.earnings import Earnings
from vanta.alpha.core.happenings import Happenings
from vanta.alpha.core.inputs import BROKEN, is_digest
from vanta.alpha.core.lineage import Lineage
from vanta.alpha.core.node import Node, flatten
from vanta.alpha.core.rounds import CYCLE, explain_cycle
from vanta.alpha.core.sights import one_line
from vanta.alpha.core.tracker_words import PREFIXES, explain_tracked, names
from vanta.alpha.core.trail import SHORTEST, Trail, meant
from vanta.alpha.core.watchers import outputs
from vanta.alpha.finder import Finder
from vanta.alpha.reading import records
from vanta.common.errors import StateError
from vanta.common.events import Kind
from vanta.common.paths import JOURNALS, PROMOTION_LOG, REFLECTION_LOG, TRACKER_LOG, TRADE_LOG, TRADE_SIGNALS, Home
from vanta.common.store.ports import Record

_BRIEF = 70
_PLACE = re.compile(r"([a-z_]+?)(?:\.jsonl)?:([0-9]{1,15})")


class Explainer:
    """One home. `warnings` names what could not be read."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._trail = Trail()
        self._affairs = Affairs(self._trail)
        self._finder = Finder(home, self._trail)
        self._earnings = Earnings()
        for name in OF_PERSONS:
            self._read_log(name)

    @property
    def warnings(self) -> list[str]:
        """What could not be read, so far."""
        return self._finder.warnings

    def meant(self, text: str) -> list[str]:
        """The ids that `text` can mean; earlier versions of the feed files are asked if nothing else knows it."""
        if text.startswith(CYCLE):
            return self._cycles_meant(text)
        if text.startswith(PREFIXES):
            known = names(self._tracked())
            return [text] if text in known else sorted(
                one for one in known if len(text) >= SHORTEST and one.startswith(text))
        if placed(text) is not None:
            return [text.replace(".jsonl:", ":")] if self._record(text) is not None else []
        found = self._meant(text)
        if not found and text.startswith("sig1_"):
            self._finder.look_back(text)
            found = self._meant(text)
        return found

    def hint(self, text: str) -> str:
        """What to do about a name that means nothing here."""
        place = placed(text)
        if place is not None:
            seqs = [record.seq for record in self._records(place[0])]
            if not seqs:
                return f"There are no records in {place[0]}; is this the right --home?"
            return f"What can be read of {place[0]} are {_stem(place[0])}:{seqs[0]} to {_stem(place[0])}:{seqs[-1]}."
        if ":" in text:
            return f"A record is named as in trade_log:345; the logs are {', '.join(map(_stem, JOURNALS))}."
        if len(text) < SHORTEST:
            return f"Give at least {SHORTEST} characters of the id."
        return ("Ids are in portfolio.json, autotrade_queue.json and trade_signals.json, and any record may be named "
                "by its "
                "place, as in trade_log:345; is this the right --home?")

    def brief(self, name: str) -> str:
        """An id with a few words about it, for a list of what could be meant."""
        body = self._trail.intent(self._trail.intent_of(name) or name)
        row = self._finder.evidence().signals.get(name)
        about = f"{body['side']} {body['instrument_id']} in {body['vault']}" if body else row["summary"] if row else ""
        return f"{name}  {one_line(about)[:_BRIEF]}".rstrip()

    def explain(self, name: str) -> Node:
        """The tree of one id that `meant` gave."""
        build = self._builder(name)
        tree = build()
        traded = {node.id for _, node in flatten(tree) if node.kind == "intent"}
        if any(record.kind == Kind.FILL for intent_id in traded for record in self._trail.of_intent(intent_id)):
            self._earnings = Earnings()
            for record in self._records(TRADE_LOG):
                self._earnings.take(record)
        self._finder.fetch_signals({node.id for _, node in flatten(tree) if node.kind == "signal" and not node.facts})
        self._finder.weigh({node.id for _, node in flatten(build()) if node.kind == "raw"})
        return build()

    def _builder(self, name: str) -> Callable[[], Node]:
        """What makes the tree, from all that is known when it is called."""
        record = self._record(name)
        if record is not None:
            return self._placed(record)
        if name.startswith(CYCLE):
            cycles = self._cycles()
            self._made(one for one in cycles if one.dag_id == name)
            return lambda: explain_cycle(name, cycles, self._lineage())
        if name.startswith(PREFIXES):
            return lambda: explain_tracked(name, self._tracked())
        if name in self._affairs.names():
            self._keep(self._affairs.versions().get(name, []))
            return lambda: Happenings(self._lineage(), self._affairs).named(name)
        self._finder.fetch_inputs(name)
        return lambda: self._lineage().explain(name)

    def _placed(self, said: Said) -> Callable[[], Node]:
        file, record = said
        cycles = self._cycles() if file != TRADE_LOG else []
        manifest = None
        if "intent_id" in record.ids:
            self._finder.fetch_inputs(record.ids["intent_id"])
        if file in (REFLECTION_LOG, PROMOTION_LOG):
            self._made([record])
        if record.kind == Kind.COLLECTED:
            manifest = self._finder.value(str(record.payload.get("inputs", {}).get("payloads")))
        self._keep([said])
        rows = manifest if isinstance(manifest, list) else []
        return lambda: Happenings(self._lineage(), self._affairs, cycles, rows).explain(file, record)

    def _lineage(self) -> Lineage:
        return Lineage(self._trail, self._finder.evidence(), self._earnings)

    def _keep(self, of: list[Said]) -> None:
        """The versions of the control files that these records are about."""
        wanted = {said.what for said in of}
        self._affairs.contents |= self._finder.contents(
            {str(after(said.record)) for said in self._affairs.seen if said.what in wanted
             and is_digest(after(said.record))})

    def _made(self, cycles: Iterable[Record]) -> None:
        """The convictions that cycles made."""
        for record in cycles:
            for file, digest in outputs(record):
                if file == TRADE_SIGNALS:
                    self._finder.snapshot(file, digest, over=True)

    def _meant(self, text: str) -> list[str]:
        own, affairs = meant(text, self._trail, self._finder.evidence()), self._affairs.names()
        if text in affairs:
            return [text]
        return own + sorted(name for name in affairs if len(text) >= SHORTEST and name.startswith(text))

    def _cycles_meant(self, text: str) -> list[str]:
        known = sorted({str(record.dag_id) for record in self._cycles()})
        if text in known:
            return [text]
        return [name for name in known if name.startswith(text)] if len(text) >= SHORTEST else []

    def _cycles(self) -> list[Record]:
        return [*self._finder.passes(REFLECTION_LOG, Kind.REFLECTED),
                *self._finder.passes(PROMOTION_LOG, Kind.PROMOTED)]

    def _tracked(self) -> list[Record]:
        return list(self._records(TRACKER_LOG))

    def _read_log(self, name: str) -> None:
        try:
            for record in self._records(name):
                if name == TRADE_LOG:
                    self._trail.take(record)
                self._affairs.take(name, record)
        except BROKEN as error:
            self._finder.warn(f"{name} has a record without its fields ({error!r}); what comes before is shown")

    def _records(self, name: str) -> Iterator[Record]:
        """Records of a log up to the first break, which becomes a warning."""
        try:
            yield from records(self._home.file(name))
        except StateError as error:
            self._finder.warn(f"{error.what}; what comes before it is shown")

    def _record(self, text: str) -> Said | None:
        place = placed(text)
        if place is None:
            return None
        return next((Said(place[0], record) for record in self._records(place[0]) if record.seq == place[1]), None)


def placed(text: str) -> tuple[str, int] | None:
    """Log and number of a record that is named by its place; `None` for another name."""
    match = _PLACE.fullmatch(text)
    file = f"{match[1]}.jsonl" if match else ""
    return (file, int(match[2])) if match and file in JOURNALS else None


def _stem(file: str) -> str:
    return file.removesuffix(".jsonl")
