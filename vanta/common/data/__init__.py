"""Data files that ship with VANTA, read as bytes."""

from pathlib import Path


def shipped(name: str) -> bytes:
    """The content of a file in this folder, such as `sessions_xnys.json`."""
    return Path(__file__).with_name(name).read_bytes()
