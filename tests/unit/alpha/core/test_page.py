"""The page of an explanation: well-formed, alone, safe whatever the world says, legible when there is much of it."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from lxml import etree

from tests.unit.alpha.core.test_graph import HOSTILE, tree
from tests.unit.alpha.core.test_lineage import SIGNAL, line
from vanta.alpha.core.gather import MOST
from vanta.alpha.core.node import Node, flatten
from vanta.alpha.core.page import Page, document, text
from vanta.alpha.core.sheet import sheet

_VOID = frozenset({"meta"})


class Reader(HTMLParser):
    """Reads a page strictly: every element is closed in its order, every attribute has a value but the plain ones."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        for name, value in attrs:
            assert value is not None or name == "open", (tag, name)
            self.ids += [value or ""] if name == "id" else []
            self.links += [value or ""] if name in ("href", "src", "action", "data", "xlink:href") else []
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element of SVG without content."""
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """An element ends: the last that was opened."""
        assert self.open, f"</{tag}> ends nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Text."""
        self.words.append(data)


def read(page: str) -> Reader:
    """A page that was read to its end."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def whole(**more: object) -> str:
    """The page of the busy morning's first order."""
    return sheet(tree(**more), name="v1", foot="made at noon")  # type: ignore[arg-type]


def test_the_page_is_well_formed_and_every_link_leads_somewhere() -> None:
    """No id twice; each sentence leads to both drawings, each box to its sentence; SVG is XML."""
    page = whole()
    reader = read(page)
    assert len(reader.ids) == len(set(reader.ids))
    assert reader.links
    assert {one.removeprefix("#") for one in reader.links} <= set(reader.ids)
    for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        etree.fromstring(svg)
    sentences = len(list(flatten(tree())))
    assert [one for one in reader.ids if re.fullmatch(r"s\d+", one)] == [f"s{number}" for number in range(sentences)]
    assert sum(1 for one in reader.links if one.startswith("#wide-")) == sentences
    assert sum(1 for one in reader.links if one.startswith("#narrow-")) == sentences


def test_the_page_needs_nothing_and_may_load_nothing() -> None:
    """No script, no address but its own anchors, one style sheet that its policy names by hash, no inline style."""
    page = whole()
    reader = read(page)
    assert not {"script", "link", "img", "iframe", "object", "embed", "form", "base", "image", "use"} & set(reader.tags)
    assert not any(name.startswith("on") or name == "style" for name in reader.attributes)
    assert all(one.startswith("#") for one in reader.links)
    assert "url(" not in page.replace("url(#wide-head)", "").replace("url(#narrow-head)", "")
    assert "@import" not in page
    [style] = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert f"content=\"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'\"" in page


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_from_outside_becomes_markup(words: str) -> None:
    """As a headline, source, title, gap and foot: the same elements, no control or direction mark, all words there."""
    page = sheet(tree(summary=words, source=words), name=words, foot=words, gaps=[words])
    quiet = sheet(tree(summary="x", source="x"), name="x", foot="x", gaps=["x"])
    reader = read(page)
    kept = [tag for tag in reader.tags if tag != "text"]
    assert kept == [tag for tag in read(quiet).tags if tag != "text"]
    assert "<script" not in page
    assert {char for char in page if not char.isprintable()} == {"\n"}
    shown = " ".join("".join(char if char.isprintable() else " " for char in words).split())
    assert any(shown in said for said in reader.words)


def test_the_escapes_are_what_holds() -> None:
    """Without them the strict reading fails: markup would be markup."""
    assert text('<b a="1">&') == "&lt;b a=&quot;1&quot;&gt;&amp;"
    page = whole(summary="</summary>odd")
    with pytest.raises(AssertionError):
        read(page.replace("&lt;/summary&gt;", "</summary>"))


def test_weights_are_told_by_sign_and_line_as_well_as_by_colour() -> None:
    """A negative one is dashed and has a minus; the legend says so; without weights it says nothing of them."""
    page = whole()
    assert re.search(r'<text class="bp bad"[^>]*>−200 bp</text>', page)
    assert re.search(r'<text class="bp good"[^>]*>\+4,200 bp</text>', page)
    assert ".draw .link.bad{stroke:var(--bad);stroke-dasharray" in page
    assert "A solid green line with +" in page
    plain = sheet(Node("until", "x", "It is so.", {}, ()), name="x", foot="")
    assert "A solid green line" not in plain
    assert "<details" not in plain
    assert "It is so." in plain


def test_a_big_decision_stays_legible() -> None:
    """Two hundred signals: few boxes, all sentences, the ones beyond the strongest in a closed list with its count."""
    rows = [line(f"source:s{number}", number + 1, f"sig1_{number:026}") for number in range(200)]
    page = sheet(tree(*rows), name="v1", foot="")
    reader = read(page)
    boxes = page.count('<rect class="box"')
    assert boxes < 2 * 6 * MOST
    assert page.count('class="tag">signal<') == 200
    assert "the 11 strongest are drawn, the others counted in one box" in page
    assert "<summary>188 more</summary>" in page
    assert "189 MORE" in page
    assert all(one.removeprefix("#") in set(reader.ids) for one in reader.links)
    assert "strongest are drawn" not in whole()


def test_fences_that_passed_are_a_closed_list_and_commands_are_set_as_such() -> None:
    """What is seldom read does not stand in the way."""
    page = whole()
    assert "<details><summary>26 fences passed</summary>" in page
    stopped = Node("fence", "halt", "halt stopped it; run `vanta-run <x>`.", {"code": "halt.no_permit"}, ())
    passed = Node("fence", "vault", "vault passed.", {"code": None}, ())
    alone = sheet(Node("intent.held", "i", "held.", {}, (passed, stopped, passed, passed)), name="x", foot="")
    assert "<code>vanta-run &lt;x&gt;</code>" in alone
    assert alone.count("<details>") == 1, "a single one is not hidden"


def test_what_could_not_be_read_stands_above_everything() -> None:
    """A page without its gaps would claim too much."""
    page = sheet(tree(), name="v1", foot="", gaps=["trade_log.jsonl:9 is <odd>"])
    assert page.index("Not everything could be read") < page.index("<svg")
    assert "trade_log.jsonl:9 is &lt;odd&gt;" in page
    assert "Not everything" not in whole()


def test_the_frame_is_for_other_pages_too() -> None:
    """Title, lead, body, foot, and rules of its own; the policy follows them."""
    one, other = (document(Page(title="A", lead="b", body="<p>c</p>", foot="d", style=style))
                  for style in ("", "p{margin:0}"))
    assert read(one).words.count("A") == 2
    assert re.findall("sha256-[^']*", one) != re.findall("sha256-[^']*", other)
    assert SIGNAL not in one
    for rule in ("prefers-color-scheme:dark", "@media print", "max-width:40rem", "focus-visible"):
        assert rule in one
