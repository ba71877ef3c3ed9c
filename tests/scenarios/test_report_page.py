"""The report as a real browser shows it: nothing is asked for, nothing is complained about, nothing sticks out."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import Tab, browser, program
from tests.unit.alpha.core.report.test_whole import hostile, worlds
from vanta.alpha.core.report.whole import page

LOOKS = {"a busy morning": 0, "three days": 1, "nothing yet": 2}


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    """One browser for all of them."""
    if program() is None:
        pytest.skip("there is no Chromium on this host, so no page was looked at")
    with browser(tmp_path_factory.mktemp("browser")) as found:
        yield found


def shown(tab: Tab, markup: str, folder: Path, *, width: int, dark: bool = False) -> None:
    """Put a page on disk and look at it."""
    path = folder / "report.html"
    path.write_text(markup)
    tab.open(path, width=width, dark=dark)


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", LOOKS)
def test_the_page_asks_for_nothing_and_fits(tab: Tab, tmp_path: Path, name: str, width: int) -> None:
    """Its own file is the only request; the console is silent; the page is no wider than its window, opened or not."""
    shown(tab, page(list(worlds())[LOOKS[name]], "made at noon"), tmp_path, width=width)
    assert len(tab.requests) == 1
    assert tab.requests[0].startswith("file://")
    assert tab.complaints == []
    for script in ("0", "document.querySelectorAll('details').forEach(one => one.open = true)"):
        tab.value(f"void ({script})")
        assert tab.value("document.documentElement.scrollWidth") <= width
    assert tab.value("document.querySelectorAll('h2').length") == 9


def test_one_of_two_drawings_is_seen(tab: Tab, tmp_path: Path) -> None:
    """The one that fits the width, and its letters are as large as those of a page."""
    drawn = page(next(worlds()), "")
    seen = "[...document.querySelectorAll('figure svg')].filter(one => one.getClientRects().length)"
    for width, wanted in ((1280, "desk"), (390, "phone")):
        shown(tab, drawn, tmp_path, width=width)
        assert set(tab.value(f"{seen}.map(one => one.getAttribute('class'))")) == {wanted}
        scales = tab.value(f"{seen}.map(one => one.getBoundingClientRect().width / one.viewBox.baseVal.width)")
        assert min(scales) > 0.9


@pytest.mark.parametrize("dark", [False, True])
def test_text_can_be_read_in_light_and_dark(tab: Tab, tmp_path: Path, dark: bool) -> None:
    """Every colour that text has stands out from the page by 4.5 to 1, the mark of WCAG's level AA."""
    shown(tab, page(next(worlds()), ""), tmp_path, width=1280, dark=dark)
    found = tab.value("""(() => {
        const lum = text => { const [r, g, b] = text.match(/[\\d.]+/g).map(Number).map(v => { v /= 255;
            return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b };
        const page = lum(getComputedStyle(document.body).backgroundColor);
        const ratio = one => { const own = lum(one); const [a, b] = own > page ? [own, page] : [page, own];
            return (a + 0.05) / (b + 0.05) };
        const colours = new Set();
        document.querySelectorAll('main *, header *, footer').forEach(one => {
            const style = getComputedStyle(one);
            colours.add(one.tagName === 'text' ? style.fill : style.color) });
        return [...colours].map(ratio)
    })()""")
    assert len(found) >= 4
    assert min(found) >= 4.5


def test_hostile_words_do_nothing(tab: Tab, tmp_path: Path) -> None:
    """Markup in a name is shown as it is: no element comes of it, no script runs, no line of it widens a phone."""
    for words in ("</title><script>document.title='x'</script>", "w" * 400, "<img src=http://127.0.0.1:9/x>"):
        shown(tab, page(hostile(words), words), tmp_path, width=390)
        tab.value("void document.querySelectorAll('details').forEach(one => one.open = true)")
        assert len(tab.requests) == 1
        assert tab.complaints == []
        assert tab.value("document.images.length + document.scripts.length") == 0
        assert tab.value("document.documentElement.scrollWidth") <= 390


def test_the_policy_is_what_holds(tab: Tab, tmp_path: Path) -> None:
    """A script that got into the file after all would not run: the browser says so."""
    markup = page(next(worlds()), "").replace("</main>", "<script>document.title='x'</script></main>")
    shown(tab, markup, tmp_path, width=1280)
    assert tab.value("document.title") != "x"
    assert any("Content Security Policy" in one for one in tab.complaints)
