"""Which pieces of a log are due, and what a store has to keep."""

from datetime import date

import pytest

from vanta.alpha.core.retention import due, mentioned

TODAY = date(2026, 1, 31)
A, B, C, D = (letter * 64 for letter in "abcd")


@pytest.mark.parametrize(("begins", "keep_days", "count"), [
    (["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-31"], 0, 0),
    (["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-31"], 30, 0),
    (["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-31"], 29, 1),
    (["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-31"], 28, 2),
    (["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-31"], 1, 2),    # the last sealed piece stays
    (["2026-01-01", "2026-01-02", "2026-01-03", ""], 1, 2),
    (["2026-01-01", "2026-01-31"], 1, 0), ([], 1, 0),
], ids=["keeps everything", "none old enough", "one", "two", "all but one", "nothing written yet", "one piece", "none"])
def test_pieces_are_due_when_all_of_them_is_old(begins: list[str], keep_days: int, count: int) -> None:
    """Counted from the day on which the next piece begins."""
    assert due(begins, keep_days=keep_days, today=TODAY) == count


def test_only_whole_hashes_are_mentioned() -> None:
    """Not a part of a longer run of digits, nor capitals."""
    raw = f'{{"x":"{A}","y":"{B}0","z":"{C.upper()}"}} {D}/items'.encode()
    assert mentioned(raw) == {A, D}

