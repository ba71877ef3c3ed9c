"""What tests of reflection and promotion have in common: rules, claims on the wire, convictions, vaults, holdings."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec

from tests.unit.markets.claims import NOW, claim, feed_document
from vanta.common.canonical import sha256
from vanta.common.ids import signal_id
from vanta.common.instruments import Instrument, crypto, equity
from vanta.common.models.account import PositionRow, VaultHoldings
from vanta.common.models.conviction import Conviction, Reason
from vanta.common.models.signal import Entity, Match, Signal
from vanta.common.models.vault import Vault
from vanta.common.money import ZERO
from vanta.common.times import iso
from vanta.markets.core.reflect import FeedRead, ReflectInputs
from vanta.markets.core.score import BASELINE, SOURCE, judge
from vanta.markets.core.wire_signal import Feed, WireSignal
from vanta.markets.rulebook import load_personas, load_rules

RULES = load_rules()
CARDS = load_personas(RULES)
INSTRUMENTS: dict[str, Instrument] = {item.instrument_id: item for item in (
    equity("AAPL"), equity("MSFT"), equity("NVDA"), crypto("BTC"), crypto("ETH"), crypto("ETH", "EUR"))}


def signal(name: str, *, about: str = "equity:AAPL", source: str = "news.rss", says: float = 1.0,
           **changes: Any) -> Signal:
    """A claim of full strength and confidence about any entity."""
    kind, _, ticker = about.partition(":")
    entity = Entity(key=about, type=kind, id=f"T:{ticker}", ticker=ticker,  # type: ignore[arg-type]
                    match=Match(method="cashtag", confidence=0.9))
    fields: dict[str, Any] = {"strength": 1.0, "confidence": 1.0, "life": timedelta(days=400), **changes}
    return claim(name, id=signal_id(source, "news", about, name), source=source, entity=entity, direction=says,
                 **fields)


def wire(signals: list[Signal]) -> list[WireSignal]:
    """The same signals as the bulk decoder gives them."""
    return msgspec.convert([one.model_dump() for one in signals], list[WireSignal])


def feed(*signals: Signal, **head: Any) -> FeedRead:
    """A feed that was collected successfully at NOW."""
    document = feed_document(now=NOW).model_copy(update=head)
    return FeedRead(sha256=sha256(repr((signals, sorted(head))).encode()), feed=Feed(document, wire(list(signals))))


def inputs(feeds: dict[str, FeedRead] | None = None, **changes: Any) -> ReflectInputs:
    """A reflection's inputs at NOW, an hour until feeds are stale."""
    feeds = feeds or {}
    fields: dict[str, Any] = {"now": NOW, "unread": {}, "ranks": {}, "margin_bp": 100,
                              "stale_after_s": dict.fromkeys(feeds, 3_600)}
    return ReflectInputs(**{**fields, "feeds": feeds, **changes})


def conviction(entity: str, evidence: dict[str, int], **changes: Any) -> Conviction:
    """A conviction of exactly these milli-nats by source, a day fresh."""
    parts = {BASELINE: 0, **{SOURCE + name: value for name, value in evidence.items()}}
    seen = judge(parts, RULES.strength)
    lines = [Reason(reason=name, bp=seen.shares[name], evidence=value, text="", signals=[], count=1)
             for name, value in parts.items()]
    kind, _, ticker = entity.partition(":")
    fields: dict[str, Any] = {
        "rank": 1, "signal_id": "cv1_" + "a" * 26, "dag_id": "dag1_x", "entity": entity, "asset_class": kind,
        "ticker": ticker, "direction": seen.direction, "conviction_bp": seen.conviction_bp,
        "conviction_score": seen.conviction_bp / 10_000, "rank_bp": seen.conviction_bp, "reason_vector": lines,
        "contributing_models": [], "ttl": 86_400, "expires_at": iso(NOW + timedelta(days=1)), "routing_tags": []}
    return Conviction(**{**fields, **changes})


def vault(vault_id: str = "V_CORE", **fields: Any) -> Vault:
    """A vault of one neutral-minded persona that may hold equities and crypto."""
    body: dict[str, Any] = {"vault_id": vault_id, "label": vault_id, "crypto_enabled": True, "personas": ["Apollo"]}
    return Vault.model_validate({**body, **fields})


def row(instrument_id: str, quantity: str, mark: str | None = "100", **changes: Any) -> PositionRow:
    """A holding, bought at 100."""
    value = None if mark is None else Decimal(quantity) * Decimal(mark)
    fields: dict[str, Any] = {
        "quantity": Decimal(quantity), "average_price": Decimal(100), "mark": mark and Decimal(mark),
        "marked_at": mark and iso(NOW), "value": value, "unrealised": None, "working_buy": ZERO, "working_sell": ZERO,
        "basis_seq": 0}
    return PositionRow(instrument_id=instrument_id, **{**fields, **changes})


def holdings(*rows: PositionRow, vault_id: str = "V_CORE", nav: str | None = "100000", **changes: Any) -> VaultHoldings:
    """A vault's sub-ledger; the cash is what is left of NAV."""
    held = sum((one.value or ZERO for one in rows), ZERO)
    fields: dict[str, Any] = {
        "account": "paper", "currency": "USD", "cash": Decimal(nav or 0) - held, "reserved_cash": ZERO,
        "realised": ZERO, "nav": None if nav is None else Decimal(nav), "positions": list(rows)}
    return VaultHoldings(vault_id=vault_id, **{**fields, **changes})
