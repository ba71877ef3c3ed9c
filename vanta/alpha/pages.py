"""Where a page may be written: nowhere among the files of a home that have writers of their own."""

from pathlib import Path

from vanta.common.errors import UsageError
from vanta.common.paths import Home


def outside(target: Path, home: Home, example: str) -> Path:
    """The target. Raises `UsageError` for a folder, and for a place among the state, with `example` as the cure."""
    if target.is_dir():
        raise UsageError(f"{target} is a folder", f"Name a file for the page, as in {example}.")
    kept = (home.memory, home.config, home.logs)
    if any(target.resolve().is_relative_to(folder.resolve()) for folder in kept):
        raise UsageError(f"{target} lies among the files of the home, which have their own writers",
                         f"Choose a place outside of it, as in {example}.")
    return target
