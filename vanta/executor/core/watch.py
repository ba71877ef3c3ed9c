"""When must the executor stop by itself? Loss limits, measured on recorded NAV. Pure.

Returns what is to be latched; the shell records it. A latch that is already set is not set again. Loss
latches stop entries of one vault, or of all, and let exits through.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from vanta.common.models.vault import VaultRegistry
from vanta.common.money import ZERO
from vanta.common.reasons import Reason
from vanta.executor.core.book import Book
from vanta.executor.core.entries import Measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Latch:
    """A halt to be set. `vault` None means everything; `exits` whether exits may still leave."""

    code: Reason
    vault: str | None
    exits: bool
    value: str
    limit: str
    detail: str


def losses(book: Book, vaults: VaultRegistry, navs: Mapping[str, Decimal | None]) -> list[Latch]:
    """Vaults, and the house as a whole, that lost more than a limit allows or too often in a row."""
    found = []
    for vault in vaults.vaults:
        ledger, risk = book.vaults.get(vault.vault_id), vault.risk
        if ledger is not None:
            limits = _Limits(risk.max_daily_loss, risk.max_drawdown, risk.max_consecutive_losses)
            found += _lost(book, ledger, limits, vault.vault_id, navs.get(vault.vault_id))
    house = vaults.house
    limits = _Limits(house.max_daily_loss, house.max_drawdown, house.max_consecutive_losses)
    return found + _lost(book, book.house, limits, None, house_nav(navs))


class _Limits(NamedTuple):
    daily: Decimal
    drawdown: Decimal
    in_a_row: int


def house_nav(navs: Mapping[str, Decimal | None]) -> Decimal | None:
    """NAV of all funded vaults together; `None` while one of them is unknown, or none is funded."""
    known = [nav for nav in navs.values() if nav is not None]
    return sum(known, ZERO) if known and len(known) == len(navs) else None


def _lost(book: Book, measured: Measured, limits: _Limits, vault: str | None, nav: Decimal | None) -> list[Latch]:
    found = []
    if nav is not None and measured.day_open and measured.peak:
        for code, start, limit in ((Reason.LOSS_DAILY, measured.day_open, limits.daily),
                                   (Reason.LOSS_DRAWDOWN, max(measured.peak, measured.day_open), limits.drawdown)):
            fall = (start - nav) / start
            if fall > limit and not latched(book, code, vault):
                found.append(Latch(code=code, vault=vault, exits=True, value=f"{fall:.4f}", limit=str(limit),
                                   detail=f"NAV {nav} after {start}"))
    if measured.losses >= limits.in_a_row and not latched(book, Reason.LOSS_STREAK, vault):
        found.append(Latch(code=Reason.LOSS_STREAK, vault=vault, exits=True, value=str(measured.losses),
                           limit=str(limits.in_a_row), detail=f"{measured.losses} orders in a row closed at a loss"))
    return found


def latched(book: Book, code: Reason, vault_id: str | None) -> bool:
    """Whether a latch of that code and vault is set."""
    return any(latch["code"] == code and latch["vault"] == vault_id for latch in book.latches.values())


def stepped(book: Book, seconds: float, limit: float, what: str) -> list[Latch]:
    """The wall clock moved by `seconds` more (or, negative, less) than time passed."""
    if abs(seconds) <= limit or latched(book, Reason.CLOCK_STEPPED, None):
        return []
    return [Latch(code=Reason.CLOCK_STEPPED, vault=None, exits=False, value=f"{seconds:+.1f} s",
                  limit=f"{limit:.1f} s", detail=what)]


def unreadable(book: Book, seconds: float, limit: float, problem: str, code: Reason = Reason.HALT_UNREADABLE
               ) -> list[Latch]:
    """The overlay has been unreadable for longer than a save can take, or Alpha silent for longer than it may be."""
    if seconds <= limit or latched(book, code, None):
        return []
    return [Latch(code=code, vault=None, exits=False, value=f"{seconds:.1f} s",
                  limit=f"{limit:.1f} s", detail=problem)]
