"""What a universe looks like from the side of a text: symbols and names. Pure.

Decides which ways of writing a company or asset point to which key, from nothing but the universe and the shipped
word lists. Refuses to know any text. Example: `{"BRK.B": "Berkshire Hathaway Inc."}` yields the symbol `BRK.B` and
the name `("berkshire", "hathaway")`; "Inc." is dropped, and the shorter "berkshire" comes from the alias list.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

from vanta.markets.core.ticker_words import ALIASES, DISTINCTIVE, FAMILIAR, FORMER_SYMBOLS, PLATFORMS

MAX_NAME_WORDS = 5
_OTHER_LINE = re.compile(r"[.-][A-Z]{2,}$|^[A-Z]{4}[FY]$|^[A-Z]{3,4}WW$")
_CLASS_SHARE = re.compile(r"([A-Z]{1,5})[./\-\s]([A-Z]{1,2})")
_SYMBOL = re.compile(r"[A-Z][A-Z0-9]{0,9}")
_NONE = frozenset({"", "N/A", "NA", "NONE", "NULL", "N.A.", "-"})
WORD = re.compile(r"[^\W_]+(?:['&][^\W_]+)*")
_PARENTHESIS = re.compile(r"\([^)]*\)|/[A-Za-z ]{2,12}/?$")
_LEGAL = frozenset("""
& a a/s ab adr ads ag and asa b bancorp c class co com common companies company corp corporation cos de etf fund group
holding holdings inc incorporated kgaa limited llc lp ltd n new nv plc s sa se shares spa stock the trust v
""".split())
_LINE_OF_TRADE = frozenset("""
airlines auto automotive brands cliffs communications energy entertainment financial galactic global gold health
holdings hut interactive international investments lab laboratories labs markets media motor motors networks pharma
pharmaceuticals platforms power sciences semiconductor software solutions systems technologies technology therapeutics
""".split())


def canonical_ticker(text: str) -> str | None:
    """The one spelling of a listed symbol: `brk-b`, `BRK/B` and `BRK B` are `BRK.B`; `NYSE: F` is `F`.

    None where the text names no symbol (`N/A`, `NONE`, empty, or not shaped like one).
    """
    bare = text.upper().rpartition(":")[2].strip().lstrip("$").strip()
    if bare in _NONE:
        return None
    share = _CLASS_SHARE.fullmatch(bare)
    if share:
        return f"{share[1]}.{share[2]}"
    return bare if _SYMBOL.fullmatch(bare) else None


def words(text: str) -> list[str]:
    """Lower-case words; curly apostrophes are straightened and a possessive `'s` is kept for the caller."""
    return WORD.findall(text.replace("’", "'").lower())


def singular(word: str) -> str:
    """A word without its possessive ending."""
    return word.removesuffix("'s")


class Proof(Enum):
    """What a name needs around it before it counts."""

    NOTHING = auto()  # it is nothing else in any spelling
    CAPITALS = auto()  # several words: every one of them with a capital letter
    MARKETS = auto()  # a capital letter and talk of markets nearby
    SHARE = auto()  # a capital letter and talk of the share nearby
    BESIDE = auto()  # a capital letter and talk of the share right beside it


@dataclass(frozen=True, slots=True)
class Name:
    """Where a name points and what it takes to be believed."""

    key: str
    proof: Proof


@dataclass(frozen=True, slots=True)
class Index:
    """A universe turned round. `symbols`: upper-case symbol → keys, equity first. `names`: words → target.

    `titles`: key → the name as the universe gives it.
    """

    symbols: Mapping[str, tuple[str, ...]]
    names: Mapping[tuple[str, ...], Name]
    titles: Mapping[str, str]


def key_of(universe_key: str) -> str:
    """`AAPL` → `equity:AAPL`; keys that already name their class (`crypto:BTC`) stay."""
    return universe_key if ":" in universe_key else f"equity:{canonical_ticker(universe_key) or universe_key.upper()}"


def index(universe: Mapping[str, str] | Index) -> Index:
    """The index of a universe. The same universe is indexed once; an index is its own."""
    return universe if isinstance(universe, Index) else _index(tuple(sorted(universe.items())))


@lru_cache(maxsize=8)
def _index(items: tuple[tuple[str, str], ...]) -> Index:
    symbols: dict[str, list[str]] = {}
    for ticker, _ in items:
        key = key_of(ticker)
        symbols.setdefault(key.partition(":")[2], []).append(key)
    for old, new in FORMER_SYMBOLS.items():
        if old not in symbols and new in symbols:
            symbols[old] = symbols[new]
    return Index(
        symbols={symbol: tuple(sorted(keys, reverse=True)) for symbol, keys in symbols.items()}, names=_names(items),
        titles={key_of(ticker): name for ticker, name in items})


def _names(items: Iterable[tuple[str, str]]) -> dict[tuple[str, ...], Name]:
    full: dict[tuple[str, ...], list[str]] = {}
    shorter: dict[tuple[str, ...], list[str]] = {}
    for ticker, name in items:
        parts = _registered(name)
        if parts:
            full.setdefault(tuple(parts), []).append(ticker)
            for variant in _shorter(parts):
                shorter.setdefault(variant, []).append(ticker)
    names = {variant: Name(key_of(_primary(tickers)), _proof(variant)) for variant, tickers in (shorter | full).items()}
    known = {ticker for ticker, _ in items}
    for alias, targets in ALIASES.items():
        variant = tuple(words(alias))
        target = next((ticker for ticker in targets if ticker in known), None)
        if target:
            names[variant] = Name(key_of(target), Proof.NOTHING if len(variant) > 1 else _proof(variant))
    return names


def _registered(name: str) -> list[str]:
    """The words of a registered name without its legal form; empty if too long or too short to be looked for."""
    parts = words(_PARENTHESIS.sub("", name))
    if parts[:1] == ["the"]:
        parts = parts[1:]
    while len(parts) > 1 and parts[-1] in _LEGAL:
        parts.pop()
    return [] if len(parts) > MAX_NAME_WORDS or len("".join(parts)) < 3 else parts


def _shorter(parts: list[str]) -> set[tuple[str, ...]]:
    """The name without its line of trade too, where what is left is several words or a well-known one."""
    parts = list(parts)
    while len(parts) > 1 and (parts[-1] in _LINE_OF_TRADE or parts[-1] in _LEGAL):
        parts.pop()
    return {tuple(parts)} if len(parts) > 1 or parts[0] in DISTINCTIVE | FAMILIAR | PLATFORMS else set()


def _proof(variant: tuple[str, ...]) -> Proof:
    if len(variant) > 1:
        return Proof.CAPITALS
    for names, proof in ((DISTINCTIVE, Proof.NOTHING), (PLATFORMS, Proof.SHARE), (FAMILIAR, Proof.MARKETS)):
        if variant[0] in names:
            return proof
    return Proof.BESIDE


def _primary(tickers: list[str]) -> str:
    """The common share among one issuer's lines: no preferred, warrant, unit, right or foreign line; then the later."""
    stems = set(tickers)
    plain = [ticker for ticker in tickers if not _OTHER_LINE.search(ticker)
             and not (ticker[-1] in "WRUPZ" and ticker[:-1] in stems)]
    return max(plain or tickers)
