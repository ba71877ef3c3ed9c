"""What is said outside about alerts, latches and an executor that ends."""

from tests.unit.executor.world import World
from vanta.common.events import Kind
from vanta.common.store.inmemory import MemoryJournal
from vanta.executor.core.alerts import Alert
from vanta.executor.core.book import Book
from vanta.executor.core.notices import LONGEST, Notice, of_alert, of_end, of_latches


def latched(**fields: object) -> Book:
    """A book with one latch."""
    book, journal = Book(), MemoryJournal()
    body = {"latch_id": "latch_1", "code": "clock.stepped", "vault": None, "exits": False, "value": "+9.0 s",
            "limit": "1.0 s", "detail": "the clock went", **fields}
    book.apply(journal.append(Kind.LATCH_SET, body, at="2026-11-20T15:00:00.000Z"))
    return book


def test_an_alert_names_its_vault_and_its_limit() -> None:
    """The vault is the first word of what it is about; the house is no vault."""
    world = World()
    one = of_alert(Alert("V_CORE exposure", 80, "0.0430", "0.05"), world.book)
    assert (one.what, one.vault, one.level, one.code, one.value, one.limit) == (
        "alert", "V_CORE", 80, None, "0.0430", "0.05")
    assert one.sentence == "V_CORE exposure: 80 % of its limit are used, 0.0430 of 0.05"
    assert one.at == world.book.at
    assert of_alert(Alert("house drawdown", 50, "0.1", "0.2"), world.book).vault is None


def test_a_latch_says_what_stops_and_how_it_is_released() -> None:
    """All of it without exits, a vault with them; a code that this version does not know is said as it is."""
    (one,) = of_latches(latched(), ()).values()
    assert (one.what, one.vault, one.code, one.at) == ("latch", None, "clock.stepped", "2026-11-20T15:00:00.000Z")
    assert one.sentence == ("everything is latched, no order leaves: the host's clock jumped: the clock went "
                            "(vanta-run release --latch latch_1)")
    (scoped,) = of_latches(latched(vault="V_CORE", exits=True, code="of.another.version"), ()).values()
    assert scoped.sentence.startswith("V_CORE is latched, no entry leaves: of.another.version: ")


def test_a_latch_is_news_once() -> None:
    """By its id."""
    assert of_latches(latched(), {"latch_1"}) == {}
    assert list(of_latches(latched(), {"latch_2"})) == ["latch_1"]


def test_what_may_be_a_secret_is_masked_and_a_long_text_is_cut() -> None:
    """A venue's words may hold anything, half a character too."""
    body = of_end("401 at https://ann:sesame@venue.example?token=abc \ud800 " + "x" * 2 * LONGEST, "t").body()
    said = str(body["sentence"])
    assert "sesame" not in said
    assert "abc" not in said
    assert len(said) == LONGEST
    assert said.encode()
    assert body["schema"] == "vanta.alert/1"
    assert set(body) == {"schema", *Notice._fields}
