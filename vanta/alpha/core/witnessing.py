"""Was anything rewritten that this witness has seen before? Pure.

The list of keys only ever grows. Whoever has the host can make it anew, with another first key; what a witness on
another host remembers is then no beginning of what is shown to it.
"""

from vanta.alpha.core.verification import Finding
from vanta.common.exitcodes import Check


def grown(file: str, before: bytes, now: bytes) -> Finding | None:
    """What is wrong with a file that was seen as `before` and is `now`, if anything."""
    if now.startswith(before):
        return None
    lines = zip(before.splitlines(), now.splitlines(), strict=False)
    same = next((number for number, (one, other) in enumerate(lines) if one != other), None)
    if same is None:
        kept, seen = before.count(b"\n"), now.count(b"\n")
        return Finding(level=Check.CRITICAL, file=file, line=seen + 1,
                       text=f"{kept:,} lines were witnessed, {seen:,} are left: it was cut since")
    return Finding(level=Check.CRITICAL, file=file, line=same + 1,
                   text="is not the line that was witnessed: it was made anew since")
