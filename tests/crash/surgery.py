"""One run of the executor in a process of its own, after somebody has operated on its home.

    python -m tests.crash.surgery FOLDER OPERATION[, checkpoints too]

Prepares the story `order`, lets it be filled, operates, runs once more, and prints what came of it as one JSON object.
"""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from tests.crash import oracle, runs
from tests.crash.lab import Lab
from tests.crash.stories import STORIES
from vanta.common.paths import OVERLAY, QUEUE
from vanta.common.store.checkpoint import FOLDER

LOG = "trade_log.jsonl"
TOO = ", checkpoints too"
KEEP_LINES = 9
"""Up to here the log of the story knows the intent and no order."""


def _log_gone(memory: Path) -> None:
    (memory / LOG).unlink()


def _log_cut_at_a_line(memory: Path) -> None:
    lines = (memory / LOG).read_bytes().splitlines(keepends=True)
    (memory / LOG).write_bytes(b"".join(lines[:KEEP_LINES]))


def _last_line_gone(memory: Path) -> None:
    lines = (memory / LOG).read_bytes().splitlines(keepends=True)
    (memory / LOG).write_bytes(b"".join(lines[:-1]))


def _another_log_of_that_length(memory: Path) -> None:
    lines = (memory / LOG).read_bytes().splitlines(keepends=True)
    last = json.loads(lines[-1])
    last["at"] = "2026-11-20T15:59:59.000Z"
    (memory / LOG).write_bytes(b"".join(lines[:-1]) + json.dumps(last).encode() + b"\n")


def _documents_empty(memory: Path) -> None:
    for name in oracle.FOLDS:
        (memory / name).write_bytes(b"")


def _documents_gone(memory: Path) -> None:
    for name in oracle.FOLDS:
        (memory / name).unlink()


def _documents_old(memory: Path) -> None:
    for name in oracle.FOLDS:
        body = json.loads((memory / name).read_bytes())
        lines = (memory / LOG).read_bytes().splitlines()
        body.update(as_of_seq=3, as_of_hash=oracle.hash_of(lines[2]))
        (memory / name).write_text(json.dumps(body))


def _tail(data: bytes) -> Callable[[Path], None]:
    def operate(memory: Path) -> None:
        with (memory / LOG).open("ab") as file:
            file.write(data)
    return operate


def _editors_leave_things(memory: Path) -> None:
    """A halt stands in the file; what editors leave beside it permits everything."""
    overlay = memory / OVERLAY
    for name in (f".{OVERLAY}.swp", f"{OVERLAY}~", "4913", "sedXXXXXX", f"{OVERLAY}.bak"):
        overlay.with_name(name).write_bytes(overlay.read_bytes())
    overlay.write_bytes(overlay.read_bytes().replace(b'"full_halt": false', b'"full_halt": true'))
    queue = json.loads((memory / QUEUE).read_bytes())
    second = {**queue["intents"][0], "intent_id": "in1_" + "b" * 26, "instrument_id": "crypto:ETH-USD"}
    (memory / QUEUE).write_text(json.dumps({**queue, "intents": [*queue["intents"], second]}))


OPERATIONS: dict[str, Callable[[Path], None]] = {
    "log gone": _log_gone, "log cut at a line": _log_cut_at_a_line, "last line gone": _last_line_gone,
    "another log of that length": _another_log_of_that_length, "documents empty": _documents_empty,
    "documents gone": _documents_gone, "documents old": _documents_old, "tail of NULs": _tail(bytes(4096)),
    "tail in a character": _tail('{"seq":99,"at":"ü'.encode()[:-1]), "editors": _editors_leave_things,
}


def main(folder: str, operation: str) -> None:
    """See the module's contract."""
    story, root = STORIES["order"], Path(folder)
    with Lab(root) as lab:
        number = lab.begin(story)
        first = lab.run(story, number)
        before = lab.look()
        OPERATIONS[operation.removesuffix(TOO)](before.home / "memory")
        if operation.endswith(TOO):
            shutil.rmtree(before.home / "memory" / FOLDER)
        second = lab.run(story, number + 1)
        after = lab.look()
    print(json.dumps({
        "first": first.code, "second": second.code, "said": second.said, "accepted": len(after.accepted),
        "records": len(after.records), "asked": len(after.requests) - len(before.requests),
        "violations": oracle.judge(after, story.expect) if second.code == 0 and operation != "editors" else [],
        "repaired": sum(one["kind"] == "tail.repaired" for one in after.records)}))


if __name__ == "__main__":
    runs.be_a_good_parent()
    main(*sys.argv[1:])
