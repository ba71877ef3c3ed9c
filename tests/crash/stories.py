"""What the executor is doing when it is struck: each story is a prepared home, a venue in some state, and an outcome.

A story's home is prepared once by executors that run undisturbed; each case starts from a copy of it.

| story | the struck run |
|---|---|
| `order` | the first order of a new home: log and store are made, intent, outbox, answer, two executions |
| `next` | the same in a home that has run before: nothing but the transaction is struck |
| `again` | the same at a venue that takes an id twice: quarantine, no resending |
| `batch` | two orders in one batch: one sync before both, one after |
| `halt` | `full_halt` while an order is partly filled: it is cancelled, nothing new leaves |
| `withdrawn` | the promoter takes back an intent whose order is partly filled: it is cancelled |
| `busy` | the venue asks for a pause before it takes the order |
| `resting` | the first order of a warm home rests at the venue, which executes nothing |
| `lost` | the venue takes the order, its answer is lost |
| `lost-again` | the same at a venue that takes an id twice |
| `unheard` | the venue never takes the order and never answers; it is sent again under the same id |
| `unheard-again` | the same at a venue that takes an id twice: quarantine |
| `late` | the venue takes the order long after it said that it does not know it, and the order is sent again |
| `late-again` | the same at a venue that takes an id twice: quarantine, and the late order is booked |
| `cut` | half an answer |
| `reader` | no executor: somebody opens the log, tells an outsider how it ends, adds a record |
| `stop` | the price of what is held falls below its stop: the executor makes an exit of its own and sells |
| `midnight` | the first order of another day: the log of the day before is sealed before it is written on |
| `torn` | start on a log that ends with half a record, the order under it at the venue |
"""

import json
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.crash import homes
from tests.crash.oracle import Expect
from vanta.common.paths import TRADE_LOG, Home
from vanta.common.signing_key import signer_of
from vanta.common.store.checkpoint import FOLDER
from vanta.common.store.journal import FileJournal
from vanta.common.times import iso

RunQuietly = Callable[[int, int], None]
"""Run the executor undisturbed: number of the run, steps."""

FILLED = frozenset({"filled"})
OPEN_ENDED = frozenset({"filled", "quarantined"})


@dataclass(frozen=True, kw_only=True)
class Story:
    """See the table. `declares` is what the adapter says about de-duplication, `knobs` how the venue behaves."""

    name: str
    expect: Expect
    declares: bool = True
    knobs: Mapping[str, Any] = field(default_factory=dict)
    wishes: int = 1
    steps: int = 4
    warm: bool = True
    reader: bool = False
    prepare: Callable[[Home, RunQuietly], int] | None = None

    def make(self, root: Path, quietly: RunQuietly) -> int:
        """Prepare the home. Returns the number of the first run that may be struck."""
        home = homes.found(root)
        if self.prepare is not None:
            return self.prepare(home, quietly)
        if self.reader:
            return 0
        if self.warm:
            quietly(0, 2)
        homes.stage(home, 1, self.wishes)
        return 1


def expect(ends: frozenset[str] = FILLED, **more: Any) -> Expect:
    """The outcome of a story in a home of these tests."""
    return Expect(capital=homes.CAPITAL, ends=ends, **more)


def _halted(home: Home, quietly: RunQuietly) -> int:
    homes.stage(home, 0)
    quietly(0, 2)
    homes.overlay(home, full_halt={"enabled": True, "reason": "enough", "by": "ann"})
    return 1


def _stop(home: Home, quietly: RunQuietly) -> int:
    homes.stage(home, 0, stop="0.02")
    quietly(0, 3)
    homes.quotes(home, 1, "48000")
    return 1


def _withdrawn(home: Home, quietly: RunQuietly) -> int:
    homes.stage(home, 0)
    quietly(0, 2)
    homes.withdraw(home, 1)
    return 1


def _midnight(home: Home, quietly: RunQuietly) -> int:
    """Ten hours after a busy day: its log is long enough to be sealed."""
    quietly(0, 2)
    with closing(FileJournal(home.file(TRADE_LOG), signer=signer_of(home))) as journal:
        journal.append("program.stopped", {"padding": "x" * FileJournal.least}, at=iso(homes.BEGIN))
    run = 10 * 3600 // homes.RUN_S
    homes.quotes(home, run)
    homes.stage(home, run)
    return run


def _torn(home: Home, quietly: RunQuietly) -> int:
    """Half of the record that follows the outbox record: the answer was being written when the power went."""
    homes.stage(home, 0)
    quietly(0, 2)
    log = home.file(TRADE_LOG)
    lines = log.read_bytes().splitlines(keepends=True)
    after = next(number for number, line in enumerate(lines) if json.loads(line)["kind"] == "order.accepted")
    log.write_bytes(b"".join(lines[:after]) + lines[after][: len(lines[after]) // 2])
    signed = home.memory / FOLDER / TRADE_LOG
    signed.write_bytes(b"".join(line for line in signed.read_bytes().splitlines(keepends=True)
                                if json.loads(line)["seq"] <= after))
    for name in ("portfolio.json", "open_orders.json", "pnl_summary.json", "executor_state.json"):
        home.file(name).unlink()
    return 1


STORIES: dict[str, Story] = {story.name: story for story in (
    Story(name="order", expect=expect(), warm=False),
    Story(name="next", expect=expect()),
    Story(name="again", expect=expect(OPEN_ENDED), declares=False),
    Story(name="batch", expect=expect(), wishes=2),
    Story(name="halt", expect=expect(frozenset({"cancelled"}), sent=1), knobs={"fills": ["0.25"]}, prepare=_halted),
    Story(name="withdrawn", expect=expect(frozenset({"cancelled"}), sent=1), knobs={"fills": ["0.25"]},
          prepare=_withdrawn),
    Story(name="busy", expect=expect(), knobs={"moods": ["busy"]}, steps=6),
    Story(name="resting", expect=expect(frozenset({"working"})), knobs={"fills": []}),
    Story(name="lost", expect=expect(), knobs={"moods": ["lose"]}),
    Story(name="lost-again", expect=expect(OPEN_ENDED), knobs={"moods": ["lose"]}, declares=False),
    Story(name="unheard", expect=expect(), knobs={"moods": ["silent"]}, steps=8),
    Story(name="unheard-again", expect=expect(OPEN_ENDED), knobs={"moods": ["silent"]},
          steps=8, declares=False),
    Story(name="late", expect=expect(), knobs={"moods": ["late:12"], "deduplicates": True}, steps=10),
    Story(name="late-again", expect=expect(OPEN_ENDED, latched=True), knobs={"moods": ["late:12"]}, steps=10,
          declares=False),
    Story(name="cut", expect=expect(), knobs={"moods": ["cut"]}),
    Story(name="reader", expect=expect(), reader=True),
    Story(name="stop", expect=expect(sent=2, flat=True), prepare=_stop),
    Story(name="midnight", expect=expect(), prepare=_midnight),
    Story(name="torn", expect=expect(), prepare=_torn),
)}
