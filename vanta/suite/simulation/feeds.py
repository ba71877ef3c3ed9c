"""A folder of recorded payloads, one folder a feed, as shelves. What is no feed is reported, never guessed."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from vanta.common.clock import Clock
from vanta.common.errors import OperatorError, UsageError
from vanta.common.paths import FEEDS
from vanta.markets.core.records import Problem
from vanta.markets.wire import Shelf, shelve

LATENCY = {"sec": timedelta(seconds=60), "news": timedelta(seconds=60), "reddit": timedelta(seconds=120),
           "crypto": timedelta(seconds=5)}
"""How long after its publication an item is seen, unless `--latency` says otherwise."""


def read_feeds(folder: Path, latency: Mapping[str, timedelta], clock: Clock) -> tuple[dict[str, Shelf], list[Problem]]:
    """Shelves by feed in the order of `FEEDS`, and what was left out. Raises `UsageError` if there is no feed."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", "Give a folder with one folder per feed with --feeds.")
    found, problems = _folders(folder)
    if not found:
        raise UsageError(f"{folder} holds no folder of a feed", f"The feeds are {', '.join(FEEDS)}; "
                         "put each one's payload files into a folder of its name.")
    shelves = {}
    for feed in (name for name in FEEDS if name in found):
        try:
            shelves[feed] = shelve(feed, found[feed], latency[feed], clock)
        except OperatorError as error:
            problems.append(Problem(code="empty", detail=error.what, where=feed))
        else:
            problems += [Problem(code=one.code, detail=one.detail, where=f"{feed}/{one.where.removeprefix('file:')}")
                         for one in shelves[feed].problems]
    return shelves, problems


def _folders(folder: Path) -> tuple[dict[str, Path], list[Problem]]:
    """The feeds' folders by feed, and everything else that lies there."""
    found: dict[str, Path] = {}
    problems = []
    for path in sorted(path for path in folder.iterdir() if not path.name.startswith(".")):
        feed = path.name.lower()
        if path.is_dir() and feed in FEEDS and feed not in found:
            found[feed] = path
        else:
            problems.append(Problem(code="not_a_feed", where=path.name,
                                    detail=f"the folders of feeds are {', '.join(FEEDS)}"))
    return found, problems
