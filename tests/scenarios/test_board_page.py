"""The tracker's board in a real browser: it fits, it asks for nothing, it runs nothing, it works without a mouse."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.scenarios.browser import NAMES, Browser, browser, installed
from tests.unit.alpha.core.test_tracker import HOSTILE
from vanta.alpha.core.board import Shown, board
from vanta.alpha.tracker import Desk, New
from vanta.common.store.inmemory import MemoryJournal

pytestmark = pytest.mark.skipif(installed() is None,
                                reason=f"no browser is installed here ({', '.join(NAMES)}): the board "
                                "was only read, not shown")


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests here."""
    with browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A full board: long and hostile titles, words without a place to break, every column."""
    one = Desk(MemoryJournal(), by="ann", at="2026-11-20T15:00:00.000Z")
    for number, severity in enumerate(("critical", "high", "medium", "low") * 3):
        title = ("the SEC feed is stale", HOSTILE, "W" * 190, "漢字" * 60)[number % 4]
        item = one.add(New(title=title, kind="incident", severity=severity, owner="x" * 60 if number % 2 else None))
        if number % 3 == 0:
            one.append(str(one.begin(item.id).thread), f"{HOSTILE} {'y' * 300}", 1)
        elif number % 3 == 1:
            one.mark(item.id, "blocked" if number < 6 else "wontfix", "z" * 300)
    path = tmp_path_factory.mktemp("page") / "board.html"
    path.write_text(board(one.tracker, Shown(datetime(2026, 11, 20, 18, tzinfo=UTC), timedelta(hours=1), "viewer")))
    return path


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_it_fits_and_asks_for_nothing(tab: Browser, page: Path, width: int, scheme: str) -> None:
    """No sideways scrolling, no word outside its card, no violation, no request, no script; its style is in force."""
    tab.load(page, width=width, scheme=scheme)
    assert tab.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    wide = "[...document.querySelectorAll('.card')].filter(c => c.scrollWidth > c.clientWidth).length"
    assert tab.evaluate(wide) == 0
    dark = tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 26)"
    assert dark is (scheme == "dark")
    columns = tab.evaluate("getComputedStyle(document.querySelector('.board')).gridTemplateColumns.split(' ').length")
    assert columns == (1 if width < 600 else 4)
    asked = [event["params"]["request"]["url"] for event in tab.events
             if event["method"] == "Network.requestWillBeSent"]
    assert [url for url in asked if not url.startswith("file:")] == []
    assert [event for event in tab.events if event["method"] in ("Log.entryAdded", "Runtime.consoleAPICalled")] == []
    assert tab.evaluate("document.querySelectorAll('script,img,iframe,form').length") == 0


def test_threads_are_reached_without_a_mouse(tab: Browser, page: Path) -> None:
    """The first step of the keyboard is the link past the top, the next a thread, which opens."""
    tab.load(page, width=1280, scheme="light")
    tab.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "To what is open"
    tab.press("Tab")
    assert tab.evaluate("document.activeElement.tagName") == "SUMMARY"
    assert tab.evaluate("document.querySelectorAll('details[open]').length") == 0
    tab.evaluate("document.activeElement.click()")
    assert tab.evaluate("document.querySelectorAll('details[open]').length") == 1
