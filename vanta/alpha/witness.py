"""The witness: copies of another home's checkpoints that only grow, kept where that home cannot write.

    look(Home("/mnt/executor"), Home("/opt/vanta"), "executor")  ->  findings; what is sound is remembered

Each look holds the other home's list of keys and its checkpoints to what was seen before, and its logs to all of them.
Nothing is remembered of a home that does not hold together: the evidence of before is worth more.
"""

from pathlib import Path

from vanta.alpha.core.verification import Finding, outcome
from vanta.alpha.core.witnessing import grown
from vanta.alpha.reading import journal_bytes
from vanta.alpha.verifier import verify_file
from vanta.common.errors import Missing, StateError, UsageError
from vanta.common.exitcodes import Check
from vanta.common.paths import JOURNALS, Home
from vanta.common.signatures import KEYS
from vanta.common.store.atomic import replace
from vanta.common.store.checkpoint import FOLDER


def look(there: Home, here: Home, node: str) -> list[Finding]:
    """Everything that can be seen of the home `there`. Raises `StateError` if it cannot be remembered."""
    if not node or "/" in node or node.startswith("."):
        raise UsageError(f"{node!r} is no name for a node", "Give a plain name such as `executor`.")
    place = here.memory / "replica" / node
    found = [_one(name, path, place / name) for name, path in _files(there).items()]
    findings = [finding for finding, _ in found if finding is not None]
    for name in JOURNALS:
        if there.file(name).exists() or (place / FOLDER / name).exists():
            findings += verify_file(there.file(name))
    if outcome(findings) is Check.OK:
        for (_, raw), name in zip(found, _files(there), strict=True):
            if raw:
                (place / name).parent.mkdir(mode=0o750, parents=True, exist_ok=True)
                replace(place / name, raw)
    return findings


def _files(there: Home) -> dict[str, Path]:
    """What only ever grows: the list of keys and the checkpoints, by the name under which they are kept here."""
    return {KEYS: there.config / KEYS, **{f"{FOLDER}/{name}": there.memory / FOLDER / name for name in JOURNALS}}


def _one(name: str, path: Path, kept: Path) -> tuple[Finding | None, bytes]:
    """What is wrong with one file, and its bytes if they are more than is known."""
    try:
        before, now = _bytes(kept), _bytes(path)
    except StateError as error:
        return Finding(level=Check.UNKNOWN, file=name, text=error.what), b""
    return grown(name, before, now), now if now != before else b""


def _bytes(path: Path) -> bytes:
    try:
        return journal_bytes(path)
    except Missing:
        return b""
