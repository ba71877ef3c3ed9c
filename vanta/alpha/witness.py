"""The witness: copies of another home's checkpoints, kept where that home cannot write.

    look(Home("/mnt/executor"), Home("/opt/vanta"), "executor")  ->  findings; what is sound is remembered

Each look holds the other home's list of keys to what was seen before, and its logs to every checkpoint that was: what
counts is that a log still has the records that somebody has seen, not that each signature is still there.
Nothing is remembered of a home that does not hold together: the evidence of before is worth more.
"""

from collections.abc import Callable
from pathlib import Path

from vanta.alpha.core.coverage import Coverage
from vanta.alpha.core.retired import Retirements
from vanta.alpha.core.verification import Finding, outcome
from vanta.alpha.core.witnessing import grown
from vanta.alpha.reading import checkpoint_bytes, journal_bytes
from vanta.alpha.verifier import Coverages, covered_by
from vanta.common.errors import Missing, StateError, UsageError
from vanta.common.exitcodes import Check
from vanta.common.paths import CONTROL_LOG, JOURNALS, Home
from vanta.common.signatures import KEYS
from vanta.common.store.atomic import make_folders, replace
from vanta.common.store.checkpoint import FOLDER, decode, read_all
from vanta.common.store.segments import begin


def look(there: Home, here: Home, node: str) -> list[Finding]:
    """Everything that can be seen of the home `there`. Raises `StateError` if it cannot be remembered."""
    if not node or "/" in node or node.startswith("."):
        raise UsageError(f"{node!r} is no name for a node", "Give a plain name such as `executor`.")
    place = here.memory / "replica" / node
    seen: dict[Path, bytes] = {}
    retired, signed = Retirements(), 0
    findings: list[Finding] = []
    for name in JOURNALS:
        found, reach = _journal(there, name, place, (seen, retired))
        findings += found
        signed = reach if name == CONTROL_LOG else signed
    findings += [*retired.judge(signed), *_keys(there, place, seen)]
    if outcome(findings) is Check.OK:
        for path, raw in seen.items():
            make_folders(path.parent)
            replace(path, raw)
    return findings


def _journal(there: Home, name: str, place: Path,
             notes: tuple[dict[Path, bytes], Retirements]) -> tuple[list[Finding], int]:
    """A log still runs through what was witnessed, and through its own checkpoints. A power cut may have cost some.

    Also returns the last record that is signed.
    """
    seen, retired = notes
    kept, path = place / FOLDER / name, there.file(name)
    try:
        before, now, start = _bytes(kept), _bytes(path, checkpoint_bytes), begin(path)
        if not (before or now or path.exists()):
            return [], 0
        coverages = Coverages(there.config / KEYS)
        seen_before = read_all(before, name, None, after=_seal(before, name))
        own, witnessed = coverages.of(path), Coverage(name, seen_before, trusted=True, witnessed=True, begin=start)
        own.open_end = own.open_end or bool(before)  # a power cut may have cost checkpoints that were witnessed
        found = [*covered_by(path, [own, *([witnessed] if before else [])], coverages, [retired]), *coverages.findings]
    except StateError as error:
        return [Finding(level=Check.UNKNOWN, file=name, text=error.what)], 0
    retired.begins(name, start)
    if now != before and own.reach >= witnessed.reach:
        seen[kept] = now
    return found, own.reach


def _keys(there: Home, place: Path, seen: dict[Path, bytes]) -> list[Finding]:
    """The list of keys begins as it did."""
    try:
        before, now = _bytes(place / KEYS), _bytes(there.config / KEYS)
    except StateError as error:
        return [Finding(level=Check.UNKNOWN, file=KEYS, text=error.what)]
    if now != before:
        seen[place / KEYS] = now
    return list(filter(None, [grown(KEYS, before, now)]))


def _seal(kept: bytes, name: str) -> int:
    """The record that the first of the kept checkpoints covers: a log of which pieces were put away begins there."""
    first = kept.partition(b"\n")[0]
    return decode(first, where=name).seq if first else 0


def _bytes(path: Path, look: Callable[[Path], bytes] = journal_bytes) -> bytes:
    try:
        return look(path)
    except Missing:
        return b""
