"""Snapshots that are there, that are gone, and that are there but cannot be used."""

import pytest

from vanta.alpha.core.blobs import Absent, Blobs


def test_what_is_there_is_given_and_what_is_not_says_why() -> None:
    """With a cure."""
    blobs = Blobs({"a": b"1"})
    blobs.lost["b"] = "cannot be used: it is damaged"
    assert blobs.of("a", "the settings") == b"1"
    with pytest.raises(Absent, match="snapshot of the settings \\(b\\) cannot be used: it is damaged"):
        blobs.of("b", "the settings")
    with pytest.raises(Absent, match="snapshot of the settings \\(c\\) is missing") as raised:
        blobs.of("c", "the settings")
    assert "memory/snapshots" in raised.value.cure
