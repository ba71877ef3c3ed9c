"""The page of `vanta explain --html` in a real browser: it fits, it asks for nothing, it works without a mouse."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.browser import NAMES, Browser, browser, installed
from tests.unit.alpha.core.test_graph import HOSTILE, tree
from tests.unit.alpha.core.test_lineage import SIGNAL, line
from vanta.alpha.core.sheet import sheet

pytestmark = pytest.mark.skipif(installed() is None,
                                reason=f"no browser is installed here ({', '.join(NAMES)}): the page "
                                "was only read, not shown")

SIZES = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
OVERFLOWING = """
[...document.querySelectorAll('svg g')].filter(g => g.getClientRects().length).flatMap(g => {
  const box = g.querySelector('.box').getBBox();
  return [...g.querySelectorAll('text')].filter(t => t.getBBox().x + t.getBBox().width > box.x + box.width + 1)
    .map(t => t.textContent);
})"""


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests here."""
    with browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A decision of forty reasons, one of them against it, on a hostile headline."""
    rows = [line(f"source:s{number}", (number + 1) * 10, f"sig1_{number:026}") for number in range(40)]
    path = tmp_path_factory.mktemp("page") / "why.html"
    broad = f"source:{'W' * 40}" + "漢字" * 7
    decision = tree(*rows, line("source:against", -900), line(broad, 9000, SIGNAL), summary=HOSTILE[3])
    path.write_text(sheet(decision, name="v1", foot="noon", gaps=["w" * 400]))
    return path


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_it_fits_and_asks_for_nothing(tab: Browser, page: Path, width: int, scheme: str) -> None:
    """No sideways scrolling, one drawing that fits its width, text inside its boxes, no violation, no request."""
    tab.load(page, width=width, scheme=scheme)
    assert tab.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    shown = tab.evaluate("['wide', 'narrow'].filter(n => document.querySelector('.draw.' + n).offsetWidth > 0)")
    assert shown == ["narrow" if width < 600 else "wide"]
    assert tab.evaluate(f"document.querySelector('.draw.{shown[0]} svg').getBoundingClientRect().width") <= width
    assert tab.evaluate(OVERFLOWING) == []
    dark = tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 26)"
    assert dark is (scheme == "dark")
    asked = [event["params"]["request"]["url"] for event in tab.events
             if event["method"] == "Network.requestWillBeSent"]
    assert [url for url in asked if not url.startswith("file:")] == []
    assert [event for event in tab.events if event["method"] in ("Log.entryAdded", "Runtime.consoleAPICalled")] == []
    assert tab.evaluate("document.querySelectorAll('script').length") == 0


def test_it_works_with_the_keyboard_alone(tab: Browser, page: Path) -> None:
    """First the way past the drawing, then every box; Enter on one leads to its sentence, and a sentence back."""
    tab.load(page, width=1280, scheme="light")
    tab.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "To the sentences"
    tab.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "draw wide"
    tab.press("Tab")
    first = tab.evaluate("document.activeElement.getAttribute('href')")
    assert first.startswith("#s")
    tab.evaluate("document.activeElement.focus()")
    tab.evaluate(f"location.hash = {first!r}")
    assert tab.evaluate(f"document.querySelector({first!r}).matches(':target')")
    tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = false)")
    deep = tab.evaluate("[...document.querySelectorAll('.tell [id^=s]')].at(-2).id")
    tab.evaluate(f"location.hash = '#{deep}'")
    assert tab.evaluate(f"document.getElementById('{deep}').getClientRects().length > 0"), "its closed list has opened"
