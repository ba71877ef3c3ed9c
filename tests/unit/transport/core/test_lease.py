"""A lease's counter only grows."""

import pytest

from vanta.common.canonical import document
from vanta.transport.core.lease import succeeds
from vanta.transport.core.replica import Refusal

NAME = "controls_lease.json"


def lease(counter: int, **more: object) -> bytes:
    return document({"schema_version": 1, "revision": counter, "written_at": "2026-11-20T15:00:00.000Z",
                     "written_by": "test", "overlay": "a" * 64, "vaults": None,
                     "commands": {"seq": 0, "size": 0, "hash": "0" * 64}, **more})


def test_a_newer_one_succeeds() -> None:
    """The first one, and each with a higher counter; the same bytes are no news."""
    assert succeeds(lease(1), b"", 0, NAME)
    assert succeeds(lease(3), lease(2), 0, NAME)
    assert not succeeds(lease(3), lease(3), 0, NAME)


@pytest.mark.parametrize(("raw", "before", "floor", "words"), [
    (lease(2), lease(3), 0, "counter 2, but 3 was seen"), (lease(3, overlay="b" * 64), lease(3), 0, "counter 3, but 3"),
    (lease(4), b"", 4, "counter 4, but 4"), (lease(5), lease(3), 6, "counter 5, but 6"), (b"{", b"", 0, NAME),
    (lease(0), b"", 0, "revision"), (lease(1, commands=None), b"", 0, "commands")])
def test_others_are_refused(raw: bytes, before: bytes, floor: int, words: str) -> None:
    """One that went back, that says something else under the same counter, or that is none."""
    with pytest.raises(Refusal, match=words) as refused:
        succeeds(raw, before, floor, NAME)
    assert refused.value.evidence == raw
