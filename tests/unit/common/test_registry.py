"""Which instruments exist."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from vanta.common.instruments import Instrument, crypto, equity
from vanta.common.paths import Home
from vanta.common.registry import Registry, by_entity, default_universe, instruments_of


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path).prepare()


def write(home: Home, *items: Instrument) -> None:
    rows = [item.model_dump(mode="json") for item in items]
    (home.config / "instruments.json").write_text(json.dumps({"instruments": rows}))


def quote(home: Home, *names: str) -> None:
    home.file("market_quotes.json").write_text(json.dumps({"quotes": {name: {} for name in names}}))


def test_the_universe_makes_instruments() -> None:
    """Shares by ticker, crypto against the dollar, in the order of their ids."""
    table = instruments_of({"AAPL": "Apple Inc.", "crypto:BTC": "Bitcoin"}, [], [])
    assert table == {"crypto:BTC-USD": crypto("BTC"), "equity:AAPL": equity("AAPL")}
    assert list(table) == sorted(table)


def test_what_has_a_quote_exists() -> None:
    """Shares and pairs that only the quotes know; options cannot be derived from an id alone."""
    table = instruments_of({}, ["equity:BRK.B", "crypto:ETH-EUR", "option:AAPL261218C00200000"], [])
    assert table == {"equity:BRK.B": equity("BRK.B"), "crypto:ETH-EUR": crypto("ETH", "EUR")}


def test_what_an_operator_wrote_wins() -> None:
    """Lot, tick and tradability as written, over universe and quotes."""
    mine = equity("AAPL", lot=Decimal("0.001"))
    assert instruments_of({"AAPL": "Apple Inc."}, ["equity:AAPL"], [mine]) == {"equity:AAPL": mine}


def test_by_entity() -> None:
    """Every instrument of an entity, in id order."""
    table = instruments_of({"crypto:BTC": "Bitcoin", "AAPL": ""}, ["crypto:BTC-EUR"], [])
    assert [item.instrument_id for item in by_entity(table)["crypto:BTC"]] == ["crypto:BTC-EUR", "crypto:BTC-USD"]
    assert set(by_entity(table)) == {"crypto:BTC", "equity:AAPL"}


def test_the_shipped_universe() -> None:
    """It can be read, and every entry makes an instrument whose entity can be the subject of a signal."""
    universe = default_universe()
    assert universe["AAPL"] == "Apple Inc."
    table = instruments_of(universe, [], [])
    assert len(table) == len(universe)
    assert {item.entity.partition(":")[0] for item in table.values()} == {"equity", "crypto"}


def test_the_same_table_while_nothing_changes(home: Home) -> None:
    """Callers may compare by identity; a changed file makes another table."""
    registry = Registry(home)
    first = registry()
    assert registry() is first
    quote(home, "equity:ZZZT")
    second = registry()
    assert "equity:ZZZT" in second
    assert "equity:ZZZT" not in first
    write(home, equity("ZZZU"))
    assert "equity:ZZZU" in registry()


def test_new_prices_of_the_same_instruments_keep_the_table(home: Home) -> None:
    """The quotes file changes all the time; which instruments there are does not."""
    quote(home, "equity:ZZZT")
    registry = Registry(home)
    first = registry()
    home.file("market_quotes.json").write_text('{"quotes": {"equity:ZZZT": {"bid": "5"}}}')
    assert registry() is first


@pytest.mark.parametrize("content", ["", "{", "[]", '{"quotes": 5}', '{"nothing": 1}'])
def test_unreadable_quotes_keep_what_was_known(home: Home, content: str) -> None:
    """Half a file does not make instruments disappear."""
    quote(home, "equity:ZZZT")
    registry = Registry(home)
    assert "equity:ZZZT" in registry()
    home.file("market_quotes.json").write_text(content)
    assert "equity:ZZZT" in registry()


def test_a_broken_operators_file_keeps_its_restrictions(home: Home) -> None:
    """An instrument that was marked as not tradable stays so while the file cannot be read."""
    write(home, equity("AAPL").model_copy(update={"tradable": False}))
    registry = Registry(home)
    assert registry()["equity:AAPL"].tradable is False
    (home.config / "instruments.json").write_text("{")
    assert registry()["equity:AAPL"].tradable is False
    assert "instruments.json" in (registry.problem or "")


def test_an_operators_file_that_never_could_be_read_leaves_no_instruments(home: Home) -> None:
    """Nobody knows what it would have restricted: everything is unknown until it is mended."""
    (home.config / "instruments.json").write_text("{")
    registry = Registry(home)
    assert registry() == {}
    write(home)
    assert "equity:AAPL" in registry()
    assert registry.problem is None


def test_a_file_that_could_not_be_read_once_is_read_again_though_it_did_not_change(home: Home, tmp_path: Path) -> None:
    """The same inode, size and time, first out of reach, then readable: the instruments are there again."""
    write(home, equity("ZZZU"))
    place, elsewhere = home.config / "instruments.json", tmp_path / "elsewhere.json"
    place.rename(elsewhere)
    place.symlink_to(elsewhere)
    registry = Registry(home)
    broken = registry()
    assert broken == {}
    assert registry() is broken
    place.unlink()
    place.hardlink_to(elsewhere)
    assert "equity:ZZZU" in registry()
    assert registry.problem is None
