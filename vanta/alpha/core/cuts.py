"""Are the executor's documents what its log says? Pure.

Every document names the record it is the fold of. `Cuts` is shown the book after each record and compares each
document when its record is reached: the bytes must be exactly those that the executor would write again. Refuses
to know where the book and the bytes come from; a document that is ahead of the log is a log that lost records.

    cuts = Cuts({"portfolio.json": raw, …}); cuts.look(book) after every record; cuts.end(book)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vanta.alpha.core.differ import Difference, first_difference, plain_json
from vanta.common import strictjson
from vanta.common.canonical import document
from vanta.common.errors import BadInput
from vanta.common.models.account import CutHeader, ExecutorState, OpenOrders, PnlSummary, Portfolio
from vanta.common.models.base import SCHEMA_VERSION, Model, validate
from vanta.common.paths import EXECUTOR_STATE, OPEN_ORDERS, PNL, PORTFOLIO
from vanta.executor.core import views
from vanta.executor.core.book import Book

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CutFinding:
    """What is wrong with a document: the first field that differs, or how many records the log lacks (`ahead`)."""

    file: str
    text: str
    ahead: int = 0
    found: Difference | None = None


@dataclass(frozen=True, slots=True)
class _Claim:
    """A document and what it says about itself."""

    raw: bytes
    body: Body
    header: CutHeader


def _fold(view: Callable[[Book, str], Body]) -> Callable[[Book, Body], Body]:
    return lambda book, claimed: view(book, claimed["now"])


def _state(book: Book, claimed: Body) -> Body:
    """The heartbeat document: process facts are taken from it, everything else from the book."""
    overlay = book.inputs.get("overlay", "")
    return views.executor_state(book, claimed["now"], views.Condition(
        program=claimed["program"], pid=claimed["pid"], mode=claimed["mode"],
        halted=claimed["dispatch_reason"] if claimed["dispatch"] == "halted" else "",
        permit=book.inputs.get("permit") == "present", queue_depth=claimed["queue_depth"],
        overlay_sha256=None if overlay.startswith("unreadable") else overlay, broker_sync=claimed["broker_sync"],
        held=claimed["held"]))


_FOLDS: dict[str, tuple[type[Model], Callable[[Book, Body], Body]]] = {
    PORTFOLIO: (Portfolio, _fold(views.portfolio)), OPEN_ORDERS: (OpenOrders, _fold(views.open_orders)),
    PNL: (PnlSummary, _fold(views.pnl)), EXECUTOR_STATE: (ExecutorState, _state),
}
DOCUMENTS = tuple(_FOLDS)
"""The executor's documents."""


class Cuts:
    """See the module's contract. `findings` grows; `compared` counts documents that were equal."""

    def __init__(self, documents: Mapping[str, bytes]) -> None:
        self.findings: list[CutFinding] = []
        self.compared: list[str] = []
        self._claims: dict[str, _Claim] = {}
        for name, raw in documents.items():
            try:
                body = strictjson.loads_object(raw, file=name)
                header = validate(_FOLDS[name][0], body, file=name)
            except BadInput as error:
                self.findings.append(CutFinding(name, error.what))
                continue
            assert isinstance(header, CutHeader), "every fold names its cut"
            self._claims[name] = _Claim(raw, body, header)
        self._waiting = sorted(self._claims, key=lambda name: (self._claims[name].header.as_of_seq, name))

    def look(self, book: Book) -> None:
        """Compare every document whose record has just been folded."""
        while self._waiting and self._claims[self._waiting[0]].header.as_of_seq <= book.seq:
            self._compare(self._waiting.pop(0), book)

    def end(self, book: Book) -> None:
        """The log is over: what was not reached is ahead of it."""
        for name in self._waiting:
            seq = self._claims[name].header.as_of_seq
            self.findings.append(CutFinding(
                name, f"is the fold of record {seq}, but the log ends at record {book.seq}: "
                f"{seq - book.seq} records are missing", ahead=seq - book.seq))
        self._waiting = []

    def _compare(self, name: str, book: Book) -> None:
        claim = self._claims[name]
        body = _FOLDS[name][1](book, claim.body)
        header = {"schema_version": SCHEMA_VERSION, "revision": claim.body["revision"],
                  "written_at": claim.body["now"], "written_by": claim.body["written_by"]}
        if document({**header, **body}) == claim.raw:
            self.compared.append(name)
        else:
            found = first_difference(plain_json(claim.body), plain_json({**header, **body}))
            text = (f"{found.field} is {found.recorded}, but the log gives {found.recomputed}" if found else
                    "says the same as the log, but not in the bytes that the executor writes")
            self.findings.append(CutFinding(name, text, found=found))
