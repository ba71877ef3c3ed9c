"""Rules by the hashes that a record names: from its own snapshots, or as shipped where they are the same."""

import pytest

from tests.unit.markets.core.book import CARDS, RULES
from vanta.alpha.core.blobs import Absent, Blobs
from vanta.alpha.core.rulebooks import Rulebooks
from vanta.common.canonical import canonical, sha256
from vanta.common.errors import BadInput
from vanta.common.resources import load

FILES = {"sources": load("sources.json"), "decay": load("decay_q30.json"), "logistic": load("logistic.json")}
SHIPPED = {"code": "1", **{name: sha256(raw) for name, raw in FILES.items()}}
OLDER = FILES["sources"].replace(b'"weight_bp": 10000', b'"weight_bp": 9000', 1)


def test_shipped_rules_need_no_snapshot() -> None:
    """Homes whose rules were never stored replay as long as the rules are the same."""
    books = Rulebooks(FILES.values())
    assert books.of(SHIPPED, Blobs()).rules.hashes == SHIPPED


def test_other_rules_come_from_their_snapshot() -> None:
    """Parsed once, then not asked for again."""
    assert FILES["sources"] != OLDER
    hashes, books = {**SHIPPED, "sources": sha256(OLDER)}, Rulebooks(FILES.values())
    assert sha256(OLDER) in books.wanted(hashes)
    made = books.of(hashes, Blobs({sha256(OLDER): OLDER}))
    assert made.rules.hashes == hashes
    assert made.rules.cards != RULES.cards
    assert books.wanted(hashes) == set()
    assert books.of(hashes, Blobs()) is made


def test_persona_cards_have_a_snapshot_each() -> None:
    """Under the hash that a promotion names."""
    cards = {f"persona:{name}": canonical(card.model_dump(mode="json")) for name, card in CARDS.items()}
    hashes = {**SHIPPED, **{name: sha256(raw) for name, raw in cards.items()}, "promote": "1"}
    books = Rulebooks(FILES.values())
    assert {sha256(raw) for raw in cards.values()} < books.wanted(hashes)
    made = books.of(hashes, Blobs({sha256(raw): raw for raw in cards.values()}))
    assert made.cards == CARDS
    assert all(hashes[f"persona:{name}"] == card.card_hash for name, card in made.cards.items())


def test_rules_that_are_not_there_are_absent() -> None:
    """The sentence names them."""
    with pytest.raises(Absent, match=f"the rules sources \\({'0' * 64}\\) is missing"):
        Rulebooks(FILES.values()).of({**SHIPPED, "sources": "0" * 64}, Blobs())


def test_a_record_that_names_no_rules_is_absent() -> None:
    """Nothing is guessed."""
    with pytest.raises(Absent, match="by which sources and logistic it was made"):
        Rulebooks(FILES.values()).of({"decay": SHIPPED["decay"]}, Blobs())


def test_rules_that_this_version_cannot_read_say_so() -> None:
    """The error names the file."""
    bad = b'{"version": 1}'
    with pytest.raises(BadInput, match=r"sources\.json"):
        Rulebooks(FILES.values()).of({**SHIPPED, "sources": sha256(bad)}, Blobs({sha256(bad): bad}))
