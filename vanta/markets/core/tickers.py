"""Which listed shares and crypto assets a text names, how, and how surely. Pure.

Decides from the text, the universe and the shipped word lists alone; refuses to know who wrote it, when, or what
for. The universe maps symbol → name: shares by plain symbol (`"AAPL": "Apple Inc."`, classes as `"BRK.B"`), crypto
assets by `"crypto:BTC": "Bitcoin"`. Nothing outside the universe is found, except a symbol tagged with its exchange.

The ways, surest first: a tag (`NASDAQ: ACMR`), a cashtag (`$GME`), a company's name, a bare symbol in capitals, and
a doubtful symbol or name that its surroundings make plain (`ON 60c 12/18`, `Target earnings`).
Example: `extract("YOU should buy $GME, not ON", universe)` finds `equity:GME` by cashtag and nothing else.
"""

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from vanta.common.strictjson import loads_object
from vanta.markets.core.ticker_index import (
    MAX_NAME_WORDS,
    WORD,
    Index,
    Name,
    Proof,
    canonical_ticker,
    index,
    key_of,
    singular,
    words,
)
from vanta.markets.core.ticker_words import (
    AMBIGUOUS,
    CRYPTO_CONTEXT,
    EQUITY_CONTEXT,
    FINANCE,
    KNOWN_CRYPTO,
    LOWER_CASE,
    SHARE_TALK,
)

__all__ = ["Mention", "canonical_ticker", "extract", "index", "key_of", "read_universe"]

Method = Literal["cashtag", "tag", "symbol", "name", "context"]

TAG, CASHTAG, NAME, SYMBOL, CONTEXT = 0.97, 0.95, 0.8, 0.7, 0.6
LIST_FROM = 6  # more tickers than five in a short text are a list, not a claim about each
LIST_WORDS_PER_TICKER = 25
SHOUTING_SHARE, SHOUTING_WORDS = 0.6, 3
CONTEXT_WINDOW = 8  # words on either side

_URL = re.compile(r"\[([^\]\n]{0,300})\]\([^)\s]{0,1000}\)|https?://\S+|www\.\S+|\b(?:pic\.twitter|t\.co|redd\.it)\S*")
_BOILERPLATE = re.compile(
    r"(?i)\b(?:share|tweet|follow(?: us)?|like us|post|find us|join us)\s+(?:this\s+)?(?:to|on|via)\s+"
    r"(?:facebook|twitter|x|linkedin|reddit|whatsapp|pinterest|instagram|youtube)\b|(?<!\w)/?[ru]/\w+")
_US = r"NASDAQ(?:GS|GM|CM)?|NYSE(?:\s?(?:American|Arca|MKT))?|AMEX|CBOE|BATS|OTC(?:MKTS|QX|QB|PK)?"
_US_TAG = re.compile(rf"(?i)\b(?:{_US})\s?:\s?\$?([A-Z]{{1,5}}(?:[./-][A-Z]{{1,2}})?)(?![\w])")
_FOREIGN_TAG = re.compile(
    r"(?i)\b(?:TSXV?|CVE|LSE|LON|ASX|HKEX|SEHK|HKG|FRA|XETRA|ETR|EPA|TYO|CSE|NSE|BSE|SGX|KRX)\s?:\s?\$?\w+")
_CASHTAG = re.compile(r"(?<![\w$&])\$([A-Za-z]{1,6}(?:[./-][A-Za-z]{1,2})?)(?![\w$])")
_PAIR = re.compile(r"(?<![\w$])([A-Z0-9]{2,10}?)[-/_]?(?:USDT|USDC|USD|BUSD|EUR|PERP)(?!\w)")
_BARE = re.compile(r"(?<![\w$&@'])([A-Z]{1,5}(?:[./-][A-Z](?!\w))?)(?![\w$&@])(?!'(?!s\b|S\b)\w)")
_AMOUNT_BEFORE = re.compile(r"(?i)(?:\d|\bin|\bmillions?|\bbillions?|\bof|\bthe|\()\s*$")
_UNITS = frozenset({"B", "M", "K", "T", "MM", "BN", "MN", "USD", "US", "CAD", "AUD", "EUR", "GBP", "C", "A", "S"})

_DATE = r"(?:(?:\d{1,2}[/-]\d{1,2}(?:[/-]\d{2,4})?|[A-Za-z]{3,9}\.?\s\d{1,2}(?:st|nd|rd|th)?)\W{1,3})?"
_OPTION_AFTER = re.compile(rf"(?i)\W{{1,3}}{_DATE}\$?\d{{1,5}}(?:\.\d+)?\s?(?:c|p|calls?|puts?)(?![a-z])")
_OPTION_BEFORE = re.compile(r"(?i)(?<![\w.])\$?\d{1,5}(?:\.\d+)?\s?(?:c|p|calls?|puts?)\s+(?:on\s+|for\s+)?$")
_LOOSE_AFTER = re.compile(
    r"(?i)\W{1,3}(?:calls?|puts?|shares?|stocks?|leaps?|fds?|options?|earnings|er|contracts?|squeeze|gang|stonks?|ticker|yolo|"
    r"bulls?|bears?|holders?|to the moon)(?![a-z])")
_LOOSE_BEFORE = re.compile(
    r"(?i)(?<!\w)(?:calls?|puts?|shares?|leaps?|fds?|long|short(?:ed|ing)?|bought|buy(?:ing)?|sold|sell(?:ing)?|"
    r"hold(?:ing)?|position in|all in|yolo(?:e?d)?|bullish|bearish|ticker|invest(?:ed|ing)?)\s+"
    r"(?:(?:of|on|in|some|more|my|for|your)\s+){0,2}$")
_LOWER = re.compile(r"(?<![\w$&@'])([A-Za-z][a-z]{2,4})(?![\w$&@])(?!'(?!s\b)\w)")
_OPTIONS_AFTER = re.compile(r"(?i)\s(?:calls|puts)\b")
_OPTIONS_ON = re.compile(r"(?i)\b(?:calls|puts)\son\s$")
_ON_IT = re.compile(
    r"(?i)(?<!\w)(?:calls?|puts?|shares?|leaps?|fds?|yolos?|position|bullish|bearish|squeeze)\s+(?:on|in|of)\s+$")
_COUNTED = re.compile(r"\d\s?$")
BESIDE = frozenset({"stock", "shares", "calls", "puts", "leaps", "earnings", "shareholders"})
_LIST_GAP = re.compile(r"\s*(?:,|/|&|\+|\band\b|\bor\b)?\s*$")


@dataclass(frozen=True, slots=True)
class Mention:
    """One asset named by one text. `key` is `equity:AAPL` or `crypto:BTC`; `confidence` lies on a grid of 1e-4."""

    key: str
    ticker: str
    method: Method
    confidence: float


@dataclass(frozen=True, slots=True)
class _Text:
    """A text made ready once: its clean form, which symbols it tags, names or doubts, and its asset-class words."""

    clean: str
    lexicon: frozenset[str]

    @property
    def crypto(self) -> bool:
        return not self.lexicon.isdisjoint(CRYPTO_CONTEXT)

    @property
    def equity(self) -> bool:
        return not self.lexicon.isdisjoint(EQUITY_CONTEXT)


def read_universe(data: bytes, *, file: str = "universe") -> dict[str, str]:
    """Symbol → name from the bytes of a universe file (a flat JSON object). Raises `BadInput`."""
    return {str(key): str(value) for key, value in loads_object(data, file=file).items()}


def extract(text: str, universe: Mapping[str, str] | Index, tags: Sequence[str] = ()) -> list[Mention]:
    """All assets that `text` names, surest first, one mention per key.

    Who reads many texts passes `index(universe)` in place of the universe. `tags` are symbols that the feed itself
    attaches (`NASDAQ:ACMR`, `$AAPL`, `BTC.X`). In a short text that lists more than five assets each one's confidence
    is divided by their number.
    """
    lookup = index(universe)
    clean = _clean(text)
    ready = _Text(clean, frozenset(words(clean)))
    best: dict[str, Mention] = {}
    for found in (*_tagged(tags, lookup), *_in_text(ready, lookup)):
        known = best.get(found.key)
        if known is None or (found.confidence, found.method) > (known.confidence, known.method):
            best[found.key] = found
    return sorted(_thinned(list(best.values()), len(words(clean))), key=lambda m: (-m.confidence, m.key))


def _clean(text: str) -> str:
    text = html.unescape(text).replace("’", "'").replace("\u200b", " ")
    text = _BOILERPLATE.sub(" ", _URL.sub(r" \1 ", text))
    return _FOREIGN_TAG.sub(" ", text)


def _thinned(mentions: list[Mention], length: int) -> list[Mention]:
    count = len(mentions)
    if count < LIST_FROM or length > count * LIST_WORDS_PER_TICKER:
        return mentions
    return [Mention(m.key, m.ticker, m.method, round(m.confidence / count, 4)) for m in mentions]


def _mention(key: str, method: Method, confidence: float) -> Mention:
    return Mention(key, key.partition(":")[2], method, round(confidence, 4))


def _tagged(tags: Sequence[str], lookup: Index) -> Iterator[Mention]:
    for tag in (tag.strip().upper() for tag in tags):
        prefix, colon, code = tag.partition(":")
        if tag.endswith(".X"):  # the form that StockTwits gives crypto assets
            prefix, code = "CRYPTO", tag.lstrip("$").removesuffix(".X")
        if prefix == "CRYPTO":
            keys = _of_class("crypto", lookup.symbols.get(code, ()))
        else:
            symbol = canonical_ticker(tag) or ""
            keys = lookup.symbols.get(symbol, ())
            if colon:
                keys = _of_class("equity", keys)
            if symbol and not keys and _US_TAG.fullmatch(tag):
                keys = (f"equity:{symbol}",)
        yield from (_mention(key, "tag", TAG / len(keys)) for key in keys)


def _of_class(kind: str, keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(key for key in keys if key.startswith(f"{kind}:"))


def _in_text(text: _Text, lookup: Index) -> Iterator[Mention]:
    yield from _tagged([match[0] for match in _US_TAG.finditer(text.clean)], lookup)
    cashtags = [match for match in _CASHTAG.finditer(text.clean) if not _is_amount(match, text.clean)]
    for match in cashtags:
        yield from _by_symbol(canonical_ticker(match[1]) or "", "cashtag", CASHTAG, text, lookup)
    for match in _PAIR.finditer(text.clean):
        keys = _of_class("crypto", lookup.symbols.get(match[1], ()))
        yield from (_mention(key, "symbol", NAME) for key in keys)
    named, doubtful = _names(text, lookup)
    yield from named
    tagged = (lookup.symbols.get(canonical_ticker(match[1]) or "", ()) for match in cashtags)
    yield from _bare(text, lookup, {m.key for m in (*named, *doubtful)}.union(*tagged))


def _is_amount(match: re.Match[str], text: str) -> bool:
    """Is this cashtag a unit of money, as in "5 $B" or "in $M"?"""
    return match[1] in _UNITS and bool(_AMOUNT_BEFORE.search(text[max(0, match.start() - 12):match.start()]))


def _by_symbol(symbol: str, method: Method, confidence: float, text: _Text, lookup: Index) -> Iterator[Mention]:
    """Resolve a symbol to its asset class; where the text does not tell, both are possible at half the confidence."""
    keys = lookup.symbols.get(symbol, ())
    doubted = len(keys) > 1 or symbol in KNOWN_CRYPTO
    if doubted and text.crypto != text.equity:
        keys = _of_class("crypto" if text.crypto else "equity", keys)
    elif doubted and not (len(keys) == 1 and keys[0].startswith("crypto:")):
        confidence /= 2
    yield from (_mention(key, method, confidence) for key in keys)


def _bare(text: _Text, lookup: Index, supported: set[str]) -> Iterator[Mention]:
    for line in text.clean.splitlines():
        found = [(match, symbol) for match in _BARE.finditer(line) if (symbol := _listed(match[1], lookup))]
        yield from _lower_case(line, text, lookup)
        shouting = _shouting(line, found)
        sure = {match.end(): symbol for match, symbol in found if _sure(symbol, shouting=shouting)}
        for match, symbol in found:
            if match.end() in sure:
                yield from _by_symbol(symbol, "symbol", SYMBOL, text, lookup)
            elif not supported.isdisjoint(lookup.symbols[symbol]) or _in_context(line, match, symbol, set(sure)):
                yield from _by_symbol(symbol, "context", CONTEXT, text, lookup)


def _lower_case(line: str, text: _Text, lookup: Index) -> Iterator[Mention]:
    """Symbols that are not in capitals: the best known ones anywhere, others beside "calls" or "puts"."""
    for match in _LOWER.finditer(line):
        symbol = match[1].upper()
        if symbol not in lookup.symbols or symbol in AMBIGUOUS:
            continue
        before = line[max(0, match.start() - 12):match.start()]
        if symbol in LOWER_CASE or _OPTIONS_AFTER.match(line, match.end()) or _OPTIONS_ON.search(before):
            yield from _by_symbol(symbol, "context", CONTEXT, text, lookup)


def _listed(written: str, lookup: Index) -> str | None:
    """The symbol of the universe that is written here: a class share as a whole, else the part before the sign."""
    whole = canonical_ticker(written)
    part = re.split(r"[./-]", written)[0]
    return next((symbol for symbol in (whole, part) if symbol in lookup.symbols), None)


def _sure(symbol: str, *, shouting: bool) -> bool:
    return symbol not in AMBIGUOUS and len(symbol) >= 3 and not shouting


def _in_context(line: str, match: re.Match[str], symbol: str, sure_ends: set[int]) -> bool:
    """Do the words around make it a symbol? Ordinary words need an option with its strike; the others less."""
    before, after = line[max(0, match.start() - 40):match.start()], line[match.end():match.end() + 40]
    if _COUNTED.search(before):  # "30 DTE", "200 EMA"
        return False
    if _OPTION_AFTER.match(after) or _OPTION_BEFORE.search(before) or _ON_IT.search(before):
        return True
    if symbol in AMBIGUOUS:
        return False
    gap = _LIST_GAP.search(before)
    listed = gap is not None and match.start() - len(gap[0]) in sure_ends
    return listed or bool(_LOOSE_AFTER.match(after) or _LOOSE_BEFORE.search(before))


def _shouting(line: str, found: list[tuple[re.Match[str], str]]) -> bool:
    """More than 60 % capitals, unambiguous symbols not counted, in a line of at least three other words."""
    for match, symbol in found:
        if symbol not in AMBIGUOUS:
            line = line[:match.start()] + " " * len(match[0]) + line[match.end():]
    others = re.findall(r"[A-Za-z']+", line)
    letters = [char for word in others for char in word if char != "'"]
    return len(others) >= SHOUTING_WORDS and sum(map(str.isupper, letters)) > SHOUTING_SHARE * len(letters)


def _names(text: _Text, lookup: Index) -> tuple[list[Mention], list[Mention]]:
    """Names found for sure, and names that may be ordinary words because nothing around them speaks of markets."""
    sure: list[Mention] = []
    doubtful: list[Mention] = []
    for line in text.clean.splitlines():
        spoken = WORD.findall(line)
        lower = [word.lower() for word in spoken]
        at = 0
        while at < len(lower):
            size, name = _longest(lower, at, lookup)
            if name is not None and name.proof in {Proof.NOTHING, Proof.CAPITALS}:
                if name.proof is Proof.NOTHING or _capital(spoken[at:at + size]):
                    sure.append(_mention(name.key, "name", NAME))
            elif name is not None:
                proven = _capital(spoken[at:at + 1]) and _proven(name.proof, lower, at)
                (sure if proven else doubtful).append(_mention(name.key, "context", CONTEXT))
            at += size
    return sure, doubtful


def _capital(spoken: list[str]) -> bool:
    return all(word[0].isupper() or word[0].isdigit() or word in {"and", "of", "the"} for word in spoken)


def _proven(proof: Proof, lower: list[str], at: int) -> bool:
    if proof is Proof.BESIDE:
        return lower[at + 1:at + 2] != [] and lower[at + 1] in BESIDE
    around = {*lower[max(0, at - CONTEXT_WINDOW):at], *lower[at + 1:at + 1 + CONTEXT_WINDOW]}
    return not around.isdisjoint(FINANCE if proof is Proof.MARKETS else SHARE_TALK)


def _longest(lower: list[str], at: int, lookup: Index) -> tuple[int, Name | None]:
    for size in range(min(MAX_NAME_WORDS, len(lower) - at), 0, -1):
        parts = lower[at:at + size]
        for last in dict.fromkeys((parts[-1], singular(parts[-1]))):
            name = lookup.names.get((*parts[:-1], last))
            if name is not None:
                return size, name
    return 1, None
