"""What of a home's history is put away, and what its store still has to keep. Pure.

- A sealed piece of a log is due when every record of it is older than the days that are kept. The last sealed piece
  always stays: it, or what follows it, says what the newest record of each kind was.
- Only logs whose past no book is folded from can be put away. The trade log, the controls and the commands stay whole.
- A snapshot is kept while anything that stays mentions its hash: records, documents, and kept snapshots themselves.
  Mentioning is taken literally, as 64 hex digits anywhere, so that a reference which nobody thought of counts too.
"""

import re
from collections.abc import Sequence
from datetime import date, timedelta

from vanta.common.paths import CALLS, COLLECTION_LOG, PROMOTION_LOG, REFLECTION_LOG

RETIRABLE = (COLLECTION_LOG, REFLECTION_LOG, PROMOTION_LOG, *CALLS)

_HASH = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


def due(begins: Sequence[str], *, keep_days: int, today: date) -> int:
    """How many of the oldest sealed pieces are due.

    `begins` are the days (`2026-01-31`) of the first records of all sealed pieces and, last, of the written file; it is
    empty there if nothing is written yet. `keep_days` of 0 keeps everything.
    """
    if keep_days <= 0:
        return 0
    first_kept = (today - timedelta(days=keep_days)).isoformat()
    count = 0
    for following in begins[1:-1]:  # all records of a piece are of the day on which the next one begins, or before
        if not following or following > first_kept:
            break
        count += 1
    return count


def mentioned(raw: bytes) -> set[str]:
    """Every hash in these bytes."""
    return {found.decode() for found in _HASH.findall(raw)}

