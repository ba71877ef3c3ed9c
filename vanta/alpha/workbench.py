"""Making single records again: what each needs is loaded from the snapshot store, and what came of it is kept."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from vanta import __version__
from vanta.alpha.core import passes
from vanta.alpha.core.blobs import Blobs
from vanta.alpha.core.cycles import Kit, Stand, promotion, reflection, rules_of, wanted_by, written_by
from vanta.alpha.core.differ import Difference, between
from vanta.alpha.core.inputs import BROKEN, is_digest
from vanta.alpha.core.links import Written
from vanta.alpha.core.rulebooks import Rulebooks
from vanta.alpha.core.stages import CHAIN, stage_of
from vanta.alpha.core.watchers import outputs
from vanta.common.canonical import canonical
from vanta.common.errors import Missing, StateError, VantaError
from vanta.common.events import Kind
from vanta.common.paths import COLLECTION_LOG, PROMOTION_LOG, REFLECTION_LOG
from vanta.common.resources import load
from vanta.common.store.ports import Record, Snapshots
from vanta.markets.core import persona, rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Different:
    """One difference: where in the chain, which step of which log or which document, about what, and who wrote it."""

    stage: str
    step: str
    about: str
    by: str
    found: Difference

    def __str__(self) -> str:
        said = (f"{self.step} about {self.about}: {self.found.field or 'the whole'} was recorded as "
                f"{self.found.recorded} and is recomputed as {self.found.recomputed}")
        return said + (f" (recorded by {self.by}, this is {__version__}: the difference may be the code's)"
                       if self.other_code else "")

    @property
    def other_code(self) -> bool:
        """Whether another version of VANTA wrote the record."""
        return bool(self.by) and self.by.rpartition(" ")[2] != __version__


@dataclass(slots=True)
class Replayed:
    """What became of it. `checked` counts by kind; `missing` says where and why something could not be made again.

    `newest` is the time of the newest record that was read.
    """

    checked: Counter[str] = field(default_factory=Counter)
    differences: list[Different] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    newest: str = ""

    def sort(self) -> None:
        """Bring the differences into the order of the chain; where they are of one stage they stay as they came."""
        self.differences.sort(key=lambda one: CHAIN.index(one.stage))


class Workbench:
    """Over one snapshot store. `documents` are the home's as they are now."""

    def __init__(self, store: Snapshots, documents: Mapping[str, bytes]) -> None:
        self.result = Replayed()
        self.written = Written()
        self.staged: dict[str, str] = {}
        self.promotions = 0
        """How many there are in the log."""
        self.untold = False
        """Whether some promotion was not made again, so that `staged` may lack intents."""
        self.cut = False
        """Whether older pieces of some log were put away, so that not all that was written is known."""
        self._store = store
        self._documents = documents
        self._books = Rulebooks(_shipped())

    def load(self, digests: Iterable[str], blobs: Blobs | None = None) -> Blobs:
        """Snapshots by hash, added to `blobs`; what is wrong with those that cannot be had is noted there."""
        blobs = Blobs() if blobs is None else blobs
        for digest in digests:
            try:
                blobs[digest] = self._store.get(digest)
            except Missing:
                continue
            except StateError as error:
                blobs.lost[digest] = f"cannot be used: {error.what}"
        return blobs

    def differs(self, name: str, at: tuple[int, str] | None, about: str, found: Difference, *, by: str = "") -> None:
        """Note a difference at a record of a log (number and kind), or in a log or document as a whole (`None`)."""
        kind = "" if at is None else at[1]
        step = name if at is None else f"{name}:{at[0]} ({kind})"
        self.result.differences.append(Different(stage=stage_of(name, kind, found), step=step, about=about, by=by,
                                                 found=found))

    def wrote(self, record: Record) -> None:
        """Take note of what a record wrote, whether it is made again or not."""
        self.promotions += record.kind == Kind.PROMOTED
        self.written.note(outputs(record), record.at)

    def collected(self, record: Record) -> None:
        """Make one pass again."""
        def again(blobs: Blobs) -> Difference | None:
            return passes.collection(record, blobs)

        self._make(COLLECTION_LOG, record, again, partial(self._of_pass, record))

    def reflected(self, record: Record) -> None:
        """Make one reflection again."""
        def again(blobs: Blobs) -> Difference | None:
            return reflection(record, self._kit(record, blobs))

        self._make(REFLECTION_LOG, record, again, partial(self._of_cycle, record))

    def promoted(self, record: Record, stand: Stand) -> None:
        """Make one promotion again."""
        def again(blobs: Blobs) -> Difference | None:
            made = promotion(record, self._kit(record, blobs), stand)
            self.staged |= made.staged
            return made.found

        self.untold |= not self._make(PROMOTION_LOG, record, again, partial(self._of_cycle, record))

    def _of_pass(self, record: Record) -> Blobs:
        blobs = self.load(passes.wanted(record))
        return self.load(passes.payloads(record, blobs), blobs)

    def _of_cycle(self, record: Record) -> Blobs:
        return self.load(wanted_by(record) | self._books.wanted(rules_of(record)))

    def _kit(self, record: Record, blobs: Blobs) -> Kit:
        return Kit(blobs=blobs, book=self._books.of(rules_of(record), blobs), current=self._documents)

    def _make(self, name: str, record: Record, again: Callable[[Blobs], Difference | None],
              inputs: Callable[[], Blobs]) -> bool:
        """Make a record again; its inputs are loaded for it alone, because they may be large. Whether it could be."""
        about = record.ids.get("run_id") or record.dag_id or "no cycle"
        by = ""
        try:
            by = str(record.payload.get("by", ""))
            blobs = inputs()
            found = again(blobs)
            if found is not None:  # once more with what it wrote, for the field
                found = again(self.load(_kept(record), blobs))
            found = self._unlinked(name, record) or found
        except VantaError as error:
            self.result.missing.append(f"{name}:{record.seq}: {error.what}")
            return False
        except BROKEN as error:
            found = Difference("", f"a {record.kind} record", f"not readable as one: {error!r}")
        self.result.checked[record.kind] += 1
        if found is not None:
            self.differs(name, (record.seq, record.kind), about, found, by=by)
        return True

    def _unlinked(self, name: str, record: Record) -> Difference | None:
        """The first input that no recorded step wrote."""
        for one in self.written.unwritten(record):
            if one.last is None or self.cut:
                what = f"{name}: {one.file} was read in a version of which no record at hand says who wrote it"
                self.result.missing += [] if what in self.result.missing else [what]
                continue
            return between(one.digest, one.last, self.load([one.digest, one.last]), f"inputs.{one.file}")
        return None


def _kept(record: Record) -> set[str]:
    """The snapshots of what a record says was made."""
    body = record.payload
    named = [*body["inputs"].values(), body["output"].get("sha256")] if "output" in body else written_by(record)
    return {digest for digest in named if is_digest(digest)}


def _shipped() -> list[bytes]:
    """What this version would keep of its rules."""
    files = [load(name) for name in ("sources.json", "decay_q30.json", "logistic.json")]
    parsed = rules.parse(sources=files[0], decay_table=files[1], logistic_table=files[2])
    cards = persona.parse(load("personas.json"), parsed)
    return [*files, *(canonical(card.model_dump(mode="json")) for card in cards.values())]


