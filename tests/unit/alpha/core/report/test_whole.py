"""The page: well-formed, alone, safe whatever the world says, bounded, and honest about what it does not know."""

import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from lxml import etree

from tests.unit.alpha.core.report.looks import CHECKS, NOON, history, look, of, passed
from tests.unit.alpha.core.report.test_wishes import about, seen
from tests.unit.alpha.core.test_days import three_days
from tests.unit.alpha.core.test_graph import HOSTILE
from tests.unit.alpha.core.test_page import Reader, read
from tests.unit.alpha.homes import busy, kept
from vanta.alpha.core.report.history import History
from vanta.alpha.core.report.sightings import Sightings
from vanta.alpha.core.report.whole import Look, page
from vanta.alpha.core.sights import Row
from vanta.common.events import Kind
from vanta.common.exitcodes import Check

CHAPTERS = ["worth", "profit", "days", "convictions", "orders", "stops", "controls", "feeds", "disk"]


def worlds() -> Iterator[Look]:
    """A busy morning, three days, and a home in which nothing has happened."""
    yield look(of(busy()), overlays=kept(busy()))
    yield look(of(three_days()))
    yield Look(now=NOON, history=history([]), sightings=Sightings())


@pytest.mark.parametrize("which", range(3))
def test_the_page_is_well_formed_and_needs_nothing(which: int) -> None:
    """No id twice, every link leads somewhere in it, SVG is XML, no script, no address, no inline style."""
    drawn = page(list(worlds())[which], "made at noon")
    reader: Reader = read(drawn)
    assert len(reader.ids) == len(set(reader.ids))
    assert [one for one in reader.ids if one in CHAPTERS] == CHAPTERS
    assert {one.removeprefix("#") for one in reader.links} <= set(reader.ids)
    for svg in re.findall(r"<svg.*?</svg>", drawn, re.DOTALL):
        etree.fromstring(svg)
    assert not {"script", "link", "img", "iframe", "object", "embed", "form", "base", "image", "use"} & set(reader.tags)
    assert not any(name.startswith("on") or name == "style" for name in reader.attributes)
    local = set(re.findall(r"url\(#([^)]*)\)", drawn))
    assert local <= set(reader.ids)
    assert "url(" not in re.sub(r"url\(#[^)]*\)", "", drawn)
    assert "://" not in drawn.replace("http://www.w3.org/2000/svg", "")
    [style] = re.findall(r"<style>(.*?)</style>", drawn, re.DOTALL)
    assert f"style-src 'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'" in drawn
    assert "@import" not in drawn


@pytest.mark.parametrize("which", range(2))
def test_every_drawing_has_a_name_a_description_and_its_numbers(which: int) -> None:
    """For those who do not see it; the small ones stand beside their number and are left out for them."""
    drawn = page(list(worlds())[which], "")
    for svg in re.findall(r"<svg.*?</svg>", drawn, re.DOTALL):
        if 'aria-hidden="true"' in svg[:300]:
            continue
        [named] = re.findall(r'role="img" aria-labelledby="(\S+) (\S+)"', svg)
        assert re.search(rf'<title id="{named[0]}">[^<]+</title><desc id="{named[1]}">[^<]+</desc>', svg)
    assert drawn.count("<figure>") == drawn.count('<details class="numbers">') >= 4
    for figure in drawn.split("<figure>")[1:]:
        assert "<table" in figure.partition("</figure>")[0]
        assert figure.count('<svg class="desk"') == figure.count('<svg class="phone"') == 1


def hostile(words: str) -> Look:
    """Words from outside in every place that takes some."""
    intent = seen()._replace(payload={"intent": {
        "intent_id": "in1", "vault": words, "instrument_id": words, "side": words, "notional": "1",
        "provenance": {"conviction_bp": 1, "sources": {}, "reasons": [{"reason": words, "bp": 1}]}}})
    made = History()
    made.wishes.take(intent)
    made.wishes.take(about(Kind.INTENT_HELD, {"codes": [words], "lines": [["f", words, words, words, words]]}))
    made.wishes.take(about(Kind.ORDER_CANCELLED, {"detail": words}))
    made.reign.take(about(Kind.CONTROL_EDITED, {"what": words, "changes": [[words, words, words]], "more": 0,
                                                "user": words, "by": words}), 0)
    made.reign.take(about(Kind.LATCH_SET, {"latch_id": "l", "code": words, "vault": words}), 0)
    made.book.home = words
    sightings = Sightings()
    sightings.take(passed(f"x{words}", "ok", why=words))
    sightings.cycles = [(0, "a")]
    return Look(now=NOON, history=made, sightings=sightings, chosen=[(0, "a")], gaps=[words],
                checks=[Row(name=f"feed x{words}", level=Check.OK, text=words), *CHECKS],
                versions={"a": {"convictions": [{"entity": words, "conviction_bp": 1, "direction": "long"}]}})


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_from_outside_becomes_markup(words: str) -> None:
    """The same elements as with tame words, no control or direction mark, nothing that a browser would carry out."""
    drawn, tame = page(hostile(words), words), page(hostile("x"), "x")
    assert sorted(read(drawn).tags) == sorted(read(tame).tags) or not words
    assert "<script" not in drawn
    assert {char for char in drawn if not char.isprintable()} == {"\n"}
    shown = " ".join("".join(char if char.isprintable() else " " for char in words).split())
    assert any(shown in said for said in read(drawn).words)


def test_what_is_wrong_stands_above_everything() -> None:
    """What could not be read, where the log ends, each once; a sound home has no such box."""
    base = look(of(busy()))
    made = of(busy())
    made.problem = "record 9 is odd"
    drawn = page(replace(base, history=made, gaps=["pnl_summary.json differs", "pnl_summary.json differs"]), "")
    assert drawn.index("Not everything is as it should be") < drawn.index("<svg")
    assert drawn.count("pnl_summary.json differs") == 1
    assert "record 9 is odd" in drawn
    assert "Not everything" not in page(base, "")


def test_tiles_say_the_sums_and_the_state() -> None:
    """Worth, made, fall, orders, refusals and whether an order may leave; unknown where it is."""
    made = of(three_days())
    drawn = page(look(made), "")
    nav = made.book.nav("V_CORE")
    assert nav is not None
    assert f'<span class="v">{nav:,.2f} USD</span>' in drawn
    assert "open: orders may leave" in drawn
    assert "refused" in drawn
    last = made.equity.moments[-1]
    hidden = {name: stand._replace(nav=None) for name, stand in last.value.items()}
    made.equity.moments.append(last._replace(value=hidden))
    assert drawn.count('<span class="v">unknown</span>') == 0
    assert page(look(made), "").count('<span class="v">unknown</span>') == 2
    for moment in made.equity.moments:
        for name, stand in moment.value.items():
            moment.value[name] = stand._replace(nav=None)  # type: ignore[index]
    assert page(look(made), "").count('<span class="v">unknown</span>') == 3


def test_an_empty_home_says_so() -> None:
    """Chapter by chapter, without a drawing and without a failure."""
    drawn = page(list(worlds())[2], "")
    for words in ("The trade log holds nothing yet", "Nothing was paid in", "No day has been closed", "No intent was",
                  "Nothing was refused", "Nobody has changed", "No feed is", "No conviction is kept",
                  "home without a name"):
        assert words in drawn
    assert "<figure>" not in drawn


def test_a_page_of_a_long_life_stays_small() -> None:
    """Ten thousand intents, events and days: what is shown is bounded, the rest is counted."""
    made, sightings = of(three_days()), Sightings()
    days: list[Any] = list(made.days)
    made.days = days * 2_000
    for number in range(10_000):
        made.wishes.take(seen(f"in1_{number:026}"))
        made.reign.take(about(Kind.PROGRAM_STOPPED, {"program": "p"}), number)
    drawn = page(look(made, sightings=sightings, chosen=[]), "")
    assert len(drawn) < 600_000
    assert "older ones only counted here" in drawn


@pytest.mark.parametrize("rule", ["prefers-color-scheme:dark", "@media print", "max-width:40rem", "break-inside:avoid"])
def test_it_is_for_every_surface(rule: str) -> None:
    """Light and dark, paper, a phone."""
    assert rule in page(next(worlds()), "")
