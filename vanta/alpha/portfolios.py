"""Were the portfolios that promotions read the fold of the log? Each is compared when its record is reached.

A portfolio is the executor's own document: what a promotion decided rests on what it says of cash and holdings, and its
bytes have to be those that the log gives at the record that it names.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from vanta.alpha.core.cuts import Cuts
from vanta.alpha.core.differ import Difference
from vanta.alpha.core.inputs import BROKEN
from vanta.alpha.workbench import Workbench
from vanta.common import strictjson
from vanta.common.errors import BadInput
from vanta.common.paths import PORTFOLIO, PROMOTION_LOG
from vanta.common.store.ports import Record
from vanta.executor.core.book import Book

_COUNTED = "portfolio"


@dataclass(frozen=True, slots=True)
class _Read:
    """A portfolio that a promotion read."""

    record: Record
    digest: str


class Portfolios:
    """Those of these promotions. One that is not there is no matter of ours: its promotion cannot be made again."""

    def __init__(self, bench: Workbench, promotions: Iterable[Record]) -> None:
        self._bench = bench
        self._waiting: dict[int, list[_Read]] = {}
        places: dict[str, int] = {}
        for record in promotions:
            for digest in _named(record):
                if digest not in places:
                    places[digest] = self._place(digest)
                self._waiting.setdefault(places[digest], []).append(_Read(record, digest))
        self._waiting.pop(0, None)

    def _place(self, digest: str) -> int:
        """The record that a portfolio names; 0 if it cannot be read."""
        try:
            return int(strictjson.loads_object(self._bench.load([digest])[digest], file=PORTFOLIO)["as_of_seq"])
        except (BadInput, *BROKEN):
            return 0

    @property
    def last(self) -> int:
        """The last record that any of them names."""
        return max(self._waiting, default=0)

    def look(self, book: Book) -> None:
        """Compare those of the record that has just been folded."""
        for one in self._waiting.pop(book.seq, ()):
            cuts = Cuts({PORTFOLIO: self._bench.load([one.digest])[one.digest]})
            cuts.look(book)
            self._bench.result.checked[_COUNTED] += 1
            for finding in cuts.findings:
                found = finding.found or Difference("", "the document as it is", finding.text)
                at = (one.record.seq, one.record.kind)
                self._bench.differs(PROMOTION_LOG, at, one.record.dag_id or "no cycle", replace(
                    found, field=f"inputs.{PORTFOLIO}.{found.field}"), by=str(one.record.payload.get("by", "")))

    def end(self) -> None:
        """The log is over: what was not reached is ahead of it."""
        for seq, ones in sorted(self._waiting.items()):
            self._bench.result.missing += [f"{PROMOTION_LOG}:{one.record.seq}: the trade log ends before record {seq}, "
                                           f"of which its {PORTFOLIO} is the fold" for one in ones]


def _named(record: Record) -> Iterator[str]:
    try:
        yield str(record.payload["inputs"][PORTFOLIO])
    except BROKEN:
        return
