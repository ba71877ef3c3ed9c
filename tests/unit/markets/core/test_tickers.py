"""Which assets a text names."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vanta.common
from vanta.common.errors import BadInput
from vanta.markets.core.ticker_index import index
from vanta.markets.core.tickers import canonical_ticker, extract, read_universe

SHIPPED = Path(vanta.common.__file__).parent / "data" / "universe_default.json"
UNIVERSE = {
    "AAPL": "Apple Inc.", "AMC": "AMC Entertainment Holdings Inc.", "BB": "BlackBerry Limited",
    "BAC": "BANK OF AMERICA CORP /DE/", "BRK.B": "Berkshire Hathaway Inc.", "COMP": "Compass Inc.",
    "F": "Ford Motor Company", "GME": "GameStop Corp.",
    "GRMN": "Garmin Ltd.", "LINK": "Interlink Electronics Inc.", "META": "Meta Platforms Inc.",
    "MU": "Micron Technology Inc.", "NFLX": "NETFLIX INC", "NOK": "Nokia Corporation",
    "ON": "ON Semiconductor Corporation", "RDDT": "Reddit Inc.",
    "SPY": "SPDR S&P 500 ETF Trust", "T": "AT&T Inc.", "TGT": "Target Corporation", "TSLA": "Tesla Inc.",
    "HOOD": "Robinhood Markets Inc.", "SPWR": "Solid Power Inc.", "M": "Macy's Inc.",
    "crypto:BTC": "Bitcoin", "crypto:ETH": "Ethereum", "crypto:COMP": "Compound", "crypto:LINK": "Chainlink"}


def found(text: str, *tags: str) -> dict[str, tuple[str, float]]:
    return {mention.key: (mention.method, mention.confidence) for mention in extract(text, UNIVERSE, tags)}


@pytest.mark.parametrize(("text", "expected"), [
    pytest.param("Buy $GME now", {"equity:GME": ("cashtag", 0.95)}, id="cashtag"),
    pytest.param("buy $gme now", {"equity:GME": ("cashtag", 0.95)}, id="cashtag in lower case"),
    pytest.param("$ON is cheap", {"equity:ON": ("cashtag", 0.95)}, id="an ordinary word as cashtag"),
    pytest.param("$BRK-B", {"equity:BRK.B": ("cashtag", 0.95)}, id="class share as cashtag"),
    pytest.param("ACM Research (NASDAQ: ACMR) rose", {"equity:ACMR": ("tag", 0.97)}, id="tag outside the universe"),
    pytest.param("(NYSE:BRK.B)", {"equity:BRK.B": ("tag", 0.97)}, id="tagged class share"),
    pytest.param("GME earnings", {"equity:GME": ("symbol", 0.7)}, id="bare symbol"),
    pytest.param("GME's earnings", {"equity:GME": ("symbol", 0.7)}, id="possessive"),
    pytest.param("#GME", {"equity:GME": ("symbol", 0.7)}, id="hash tag"),
    pytest.param("BRK/B", {"equity:BRK.B": ("symbol", 0.7)}, id="bare class share"),
    pytest.param("AMC/GME", {"equity:AMC": ("symbol", 0.7), "equity:GME": ("symbol", 0.7)}, id="slash list"),
    pytest.param("ON 60c 12/18", {"equity:ON": ("context", 0.6)}, id="option idiom"),
    pytest.param("ON 12/18 60c", {"equity:ON": ("context", 0.6)}, id="option idiom, date first"),
    pytest.param("bought 60c ON", {"equity:ON": ("context", 0.6)}, id="option idiom, symbol last"),
    pytest.param("puts on ON", {"equity:ON": ("context", 0.6)}, id="puts on"),
    pytest.param("BB calls", {"equity:BB": ("context", 0.6)}, id="two letters with context"),
    pytest.param("GME, BB and NOK", {"equity:GME": ("symbol", 0.7), "equity:BB": ("context", 0.6),
                                     "equity:NOK": ("symbol", 0.7)}, id="two letters in a list"),
    pytest.param("spy puts", {"equity:SPY": ("context", 0.6)}, id="lower case beside puts"),
    pytest.param("tsla and gme", {"equity:TSLA": ("context", 0.6), "equity:GME": ("context", 0.6)}, id="famous ones"),
    pytest.param("Gamestop again", {"equity:GME": ("name", 0.8)}, id="name"),
    pytest.param("netflix's numbers", {"equity:NFLX": ("name", 0.8)}, id="distinctive name in any case"),
    pytest.param("AT&T cut it", {"equity:T": ("name", 0.8)}, id="name with an ampersand"),
    pytest.param("Bank of America said", {"equity:BAC": ("name", 0.8)}, id="several words"),
    pytest.param("Berkshire bought more", {"equity:BRK.B": ("name", 0.8)}, id="alias"),
    pytest.param("Apple earnings", {"equity:AAPL": ("context", 0.6)}, id="familiar name with market talk"),
    pytest.param("Garmin stock", {"equity:GRMN": ("context", 0.6)}, id="unknown name beside stock"),
    pytest.param("Target (TGT)", {"equity:TGT": ("symbol", 0.7)}, id="name and symbol"),
    pytest.param("ON Semiconductor: ON", {"equity:ON": ("name", 0.8)}, id="ordinary word with its name"),
    pytest.param("BTC-USD and ETHUSDT", {"crypto:BTC": ("symbol", 0.8), "crypto:ETH": ("symbol", 0.8)}, id="pairs"),
    pytest.param("Ethereum", {"crypto:ETH": ("name", 0.8)}, id="crypto name"),
    pytest.param("FB calls", {"equity:META": ("context", 0.6)}, id="former symbol"),
])
def test_what_names_an_asset(text: str, expected: dict[str, tuple[str, float]]) -> None:
    """Each way of naming, with its method and confidence."""
    assert found(text) == expected


@pytest.mark.parametrize("text", [
    pytest.param("YOU are ON it", id="ordinary words"),
    pytest.param("it is all on me", id="lower case words"),
    pytest.param("WE ARE ALL GOING TO GME NOW", id="shouting"),
    pytest.param("bb and mu", id="two letters alone"),
    pytest.param("MU is a letter", id="two capitals without context"),
    pytest.param("I paid $20 and $1.2B of $F00", id="amounts"),
    pytest.param("revenue of 5 $M", id="a unit of money"),
    pytest.param("a solid power of will", id="a name in lower case"),
    pytest.param("the price target", id="familiar word in lower case"),
    pytest.param("an apple a day", id="no market talk"),
    pytest.param("Apple pie", id="capital, no market talk"),
    pytest.param("Reddit is down, the market too", id="a platform"),
    pytest.param("bought it on Robinhood", id="a broker that is used"),
    pytest.param("Garmin watch", id="unknown name without share talk"),
    pytest.param("see https://x.com/GME/$GME and www.GME.com", id="inside links"),
    pytest.param("Earnings beat. Share to Facebook", id="share button"),
    pytest.param("it is listed in London (LSE:GME) too", id="foreign listing"),
    pytest.param("keep holding ON to it, short ON words", id="ordinary word beside market talk"),
    pytest.param("r/GME u/GME", id="subreddits and users"),
    pytest.param("30 ON 60c", id="counted"),
    pytest.param("AIN'T", id="contraction"),
    pytest.param("a$GME b$$GME", id="inside words"),
    pytest.param("$ZZZZ", id="cashtag outside the universe"),
    pytest.param("", id="nothing"),
])
def test_what_names_nothing(text: str) -> None:
    """Doubt drops."""
    assert found(text) == {}


def test_shouting_counts_with_support() -> None:
    """In capitals a symbol still counts beside an option, or where a cashtag or name supports it."""
    assert "equity:GME" in found("ALL MY MONEY IS IN GME CALLS")
    assert found("EVERY ONE OF YOU BUY GME\n$GME")["equity:GME"] == ("cashtag", 0.95)
    assert "equity:AMC" in found("GO AND BUY AMC NOW\namc entertainment calls, amc")
    assert "equity:GME" in found("GME to the moon")


@pytest.mark.parametrize(("text", "expected"), [
    ("$COMP", {"equity:COMP": 0.475, "crypto:COMP": 0.475}),
    ("$COMP token staking", {"crypto:COMP": 0.95}),
    ("$COMP shares and earnings", {"equity:COMP": 0.95}),
    ("$COMP shares or the token", {"equity:COMP": 0.475, "crypto:COMP": 0.475}),
], ids=["no evidence", "crypto", "equity", "both"])
def test_a_symbol_of_two_worlds_needs_evidence(text: str, expected: dict[str, float]) -> None:
    """COMP is Compass and Compound."""
    assert {key: confidence for key, (_, confidence) in found(text).items()} == expected


def test_a_share_is_doubted_where_the_asset_is_unknown() -> None:
    """LINK as a share only: talk of tokens means the asset, and nothing is better than the wrong thing."""
    universe = {"LINK": "Interlink Electronics Inc."}
    assert extract("$LINK token on the blockchain", universe) == []
    assert [mention.confidence for mention in extract("$LINK", universe)] == [0.475]


@pytest.mark.parametrize(("tag", "expected"), [
    ("NASDAQ:GME", "equity:GME"), ("Nasdaq:ACMR", "equity:ACMR"), ("$AMC", "equity:AMC"), ("BRK/B", "equity:BRK.B"),
    ("BTC.X", "crypto:BTC"), ("crypto:ETH", "crypto:ETH"), ("NYSE:COMP", "equity:COMP"),
])
def test_tags_of_the_feed_are_surest(tag: str, expected: str) -> None:
    """A tag is believed although the text says nothing."""
    assert found("no symbol here", tag) == {expected: ("tag", 0.97)}


@pytest.mark.parametrize("tag", ["ZZZZ", "", "N/A", "NYSE: N/A", "crypto:ZZZ", "LSE:VOD"])
def test_tags_that_name_nothing_are_passed_over(tag: str) -> None:
    """Unknown symbols count only with a US exchange."""
    assert found("no symbol here", tag) == {}


def test_a_list_is_no_claim_about_each() -> None:
    """More than five in a short text share one vote; in a long text each keeps its own."""
    short = "GME AMC NOK TSLA AAPL SPY"
    assert {confidence for _, confidence in found(short).values()} == {round(0.7 / 6, 4)}
    assert {confidence for _, confidence in found(short + " word" * 200).values()} == {0.7}
    assert {confidence for _, confidence in found("GME AMC NOK TSLA AAPL").values()} == {0.7}


def test_the_surest_way_wins_and_comes_first() -> None:
    """One mention per key."""
    mentions = extract("GME, Gamestop, $GME and Tesla", UNIVERSE)
    assert [mention.method for mention in mentions] == ["cashtag", "name"]
    assert [mention.ticker for mention in mentions] == ["GME", "TSLA"]


@pytest.mark.parametrize(("text", "expected"), [
    ("brk-b", "BRK.B"), ("BRK/B", "BRK.B"), ("BRK B", "BRK.B"), (" $gme ", "GME"), ("NYSE: F", "F"),
    ("NASDAQ:GOOGL", "GOOGL"), ("N/A", None), ("none", None), ("", None), ("BTC-USD", None), ("123", None),
    ("TOO LONG A NAME", None), ("NYSE: N/A", None),
])
def test_one_spelling_of_a_symbol(text: str, expected: str | None) -> None:
    """Class shares have many spellings."""
    assert canonical_ticker(text) == expected


def test_one_issuer_with_many_lines_means_its_common_share() -> None:
    """Preferred shares, warrants and foreign lines carry the same name; so do trusts that an issuer runs."""
    universe = {"NOK": "Nokia Corp", "NOKBF": "Nokia Corp", "BAC": "Bank of America Corp",
                "BAC.PB": "Bank of America Corp", "BLK": "BlackRock, Inc.", "BME": "BlackRock Health Sciences Trust",
                "GME": "GameStop Corp.",
                "GMEW": "GameStop Corp."}
    for text, expected in (("Nokia", "NOK"), ("Bank of America", "BAC"), ("Blackrock", "BLK"), ("Gamestop", "GME")):
        assert [mention.ticker for mention in extract(text, universe)] == [expected]


def test_the_shipped_universe_is_sound() -> None:
    """Every symbol has one spelling, every asset a name, and every shipped symbol is found by its cashtag or pair."""
    universe = read_universe(SHIPPED.read_bytes(), file="universe_default.json")
    shares = [symbol for symbol in universe if ":" not in symbol]
    assert len(shares) >= 150
    assert len(universe) - len(shares) >= 20
    assert [symbol for symbol in shares if canonical_ticker(symbol) != symbol] == []
    lookup = index(universe)
    for symbol in universe:
        kind, _, code = symbol.rpartition(":")
        text = f"{code}-USDT" if kind else f"${code} shares"
        assert (symbol if kind else f"equity:{symbol}") in {mention.key for mention in extract(text, lookup)}, symbol


def test_a_universe_file_of_another_form_is_refused() -> None:
    """A list is no universe."""
    with pytest.raises(BadInput):
        read_universe(b"[]")
    assert read_universe(json.dumps({"A": "B"}).encode()) == {"A": "B"}


@settings(deadline=None, derandomize=True)
@given(st.text(max_size=200), st.lists(st.text(max_size=12), max_size=3))
def test_any_text_gives_clean_mentions(text: str, tags: list[str]) -> None:
    """Never an exception; confidences on the grid, keys unique and in order; the same with an index."""
    mentions = extract(text, UNIVERSE, tags)
    assert mentions == extract(text, index(UNIVERSE), tags)
    assert mentions == sorted(mentions, key=lambda mention: (-mention.confidence, mention.key))
    assert len({mention.key for mention in mentions}) == len(mentions)
    confidences = [mention.confidence for mention in mentions]
    assert all(0 < confidence <= 1 and confidence == round(confidence, 4) for confidence in confidences)


@settings(deadline=None, derandomize=True)
@given(st.lists(st.sampled_from([
    "$GME", "GME", "ON", "Apple", "stock", "calls", "the", "BB", "and", "$20", "token", "\n", "Netflix", "BRK.B", "IT",
]), max_size=12))
def test_mentions_are_always_of_the_universe(words: list[str]) -> None:
    """Without a tagged exchange nothing outside the universe is found."""
    known = {f"equity:{symbol}" if ":" not in symbol else symbol for symbol in UNIVERSE}
    assert {mention.key for mention in extract(" ".join(words), UNIVERSE)} <= known
