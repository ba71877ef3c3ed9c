"""Where a page may go that a command was asked to write."""

from pathlib import Path

from vanta.common.errors import UsageError
from vanta.common.paths import Home


def outside(target: Path, home: Home, *, example: str) -> Path:
    """Where the page goes. Raises `UsageError` for a folder, and among the state, whose files have their writers."""
    if target.is_dir():
        raise UsageError(f"{target} is a folder", f"Name a file for the page, as in {example}.")
    kept = (home.memory, home.config, home.logs)
    if any(target.resolve().is_relative_to(folder.resolve()) for folder in kept):
        raise UsageError(f"{target} lies among the files of the home, which have their own writers",
                         f"Choose a place outside of it, as in {example}.")
    return target
