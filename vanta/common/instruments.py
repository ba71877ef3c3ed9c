"""Instruments: what can be traded, where, in which steps. Pure; the registry enters as data.

An instrument id reads `equity:AAPL`, `crypto:BTC-USD` or `option:AAPL261218C00200000`. An entity
(`equity:AAPL`, `crypto:BTC`) is what a signal is about; `entity` links the two.
"""

from decimal import Decimal
from typing import Literal

from pydantic import Field

from vanta.common.models.base import Cash, Day, Multiplier, OperatorModel, Price, Units

AssetClass = Literal["equity", "crypto", "option"]
_FIAT = ("USDT", "USDC", "USD", "EUR", "GBP", "JPY")
_STABLE = frozenset({"USDT", "USDC"})
_CRYPTO = frozenset(
    "BTC ETH SOL XRP ADA DOGE LTC BCH DOT LINK AVAX MATIC UNI XLM TRX ATOM ETC XMR EOS BNB SHIB NEAR APT ARB OP FIL"
    " AAVE ALGO HBAR ICP SUI TON PEPE".split())


class Instrument(OperatorModel):
    """One tradable thing. `None` in an option field means "not an option"."""

    instrument_id: str
    entity: str
    asset_class: AssetClass
    symbol: str = Field(description="as the venue spells it")
    currency: str
    calendar: str = Field(description="trading calendar: XNYS or 24/7")
    lot: Units = Field(gt=0, description="smallest quantity step")
    tick: Price = Field(description="smallest price step")
    min_notional: Cash = Field(default=Decimal(1), ge=0)
    multiplier: Multiplier = Decimal(1)
    sector: str | None = None
    tradable: bool = True
    underlying: str | None = None
    expiry: Day | None = None
    strike: Price | None = None
    right: Literal["call", "put"] | None = None


def equity(ticker: str, *, sector: str | None = None, lot: Decimal = Decimal(1)) -> Instrument:
    """A US equity by ticker: whole shares, cents, New York calendar."""
    return Instrument(instrument_id=f"equity:{ticker}", entity=f"equity:{ticker}", asset_class="equity",
                      symbol=ticker, currency="USD", calendar="XNYS", lot=lot, tick=Decimal("0.01"), sector=sector)


def crypto(base: str, quote: str = "USD") -> Instrument:
    """A spot pair: quantity and price in steps of 0.00000001, because many coins cost less than a cent; always open."""
    return Instrument(instrument_id=f"crypto:{base}-{quote}", entity=f"crypto:{base}", asset_class="crypto",
                      symbol=f"{base}/{quote}", currency=quote, calendar="24/7", lot=Decimal("0.00000001"),
                      tick=Decimal("0.00000001"), min_notional=Decimal(10))


def pair_of(symbol: str) -> tuple[str, str] | None:
    """Base and quote if `symbol` spells a crypto pair (`BTC-USD`, `BTC/USDT`, `BTCUSD`), else `None`."""
    text = symbol.upper()
    for separator in "-/_":
        base, found, quote = text.partition(separator)
        if found:
            return (base, quote) if base in _CRYPTO and quote in _FIAT else None
    for quote in _FIAT:
        if text.endswith(quote) and text.removesuffix(quote) in _CRYPTO:
            return text.removesuffix(quote), quote
    return None


def from_symbol(symbol: str, *, stable_as: str | None = None) -> Instrument:
    """The default instrument for a symbol as price files are named. `BRK-B` becomes `equity:BRK.B`.

    `stable_as="USD"` books dollar stablecoin pairs (`BTCUSDT`) in dollars, as the paper account does; without
    it they keep their own currency.
    """
    pair = pair_of(symbol)
    if pair is not None:
        base, quote = pair
        return crypto(base, stable_as if stable_as and quote in _STABLE else quote)
    return equity(symbol.upper().replace("-", ".").replace("/", ".").replace("_", "."))
