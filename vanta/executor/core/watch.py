"""When must the executor stop by itself? Loss limits, measured on recorded NAV. Pure.

Returns what is to be latched; the shell records it. A latch that is already set is not set again. Loss
latches stop entries of one vault and let exits through.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from vanta.common.models.vault import VaultRegistry
from vanta.common.reasons import Reason
from vanta.executor.core.book import Book


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
    """Vaults that lost more than their daily limit or fell too far from their peak."""
    found = []
    for vault in vaults.vaults:
        nav, ledger = navs.get(vault.vault_id), book.vaults.get(vault.vault_id)
        if nav is None or ledger is None or not ledger.day_open or not ledger.peak:
            continue
        for code, start, limit in ((Reason.LOSS_DAILY, ledger.day_open, vault.risk.max_daily_loss),
                                   (Reason.LOSS_DRAWDOWN, max(ledger.peak, ledger.day_open), vault.risk.max_drawdown)):
            fall = (start - nav) / start
            if fall > limit and not latched(book, code, vault.vault_id):
                found.append(Latch(code=code, vault=vault.vault_id, exits=True, value=f"{fall:.4f}", limit=str(limit),
                                   detail=f"NAV {nav} after {start}"))
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


def unreadable(book: Book, seconds: float, limit: float, problem: str) -> list[Latch]:
    """The overlay has been unreadable for longer than a save can take."""
    if seconds <= limit or latched(book, Reason.HALT_UNREADABLE, None):
        return []
    return [Latch(code=Reason.HALT_UNREADABLE, vault=None, exits=False, value=f"{seconds:.1f} s",
                  limit=f"{limit:.1f} s", detail=problem)]
