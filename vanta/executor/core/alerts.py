"""Half of a limit used, four fifths of it used: said before anything has to be refused. Pure.

Decides from the lines of a verdict and from losses against their limits which alerts are news: one when a level is
reached, one when it is left, nothing in between. Refuses to know who is told.

    of_lines("V_CORE", lines, book.alerts)  ->  [Alert("V_CORE exposure", 80, "0.0430", "0.05")]
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from vanta.common.models.vault import VaultRegistry
from vanta.executor.core.book import Book
from vanta.executor.core.entries import Measured
from vanta.executor.core.proposal import Line
from vanta.executor.core.watch import house_nav

LEVELS = (80, 50)
WATCHED = frozenset({"exposure", "concentration", "credit", "repeat"})
"""Fences whose value and limit are amounts of the same thing."""

BOOKS = "house books"
"""What an alert about the books is about."""


class Alert(NamedTuple):
    """`level` is the percentage reached: 80, 50, or 0 when it is below both again; 100 where nothing is allowed."""

    about: str
    level: int
    value: str
    limit: str


def of_lines(vault: str, lines: Iterable[Line], known: Mapping[str, int]) -> list[Alert]:
    """What a verdict says about limits that are watched."""
    found = []
    for fence, code, value, limit, detail in lines:
        if fence in WATCHED and limit:
            about = f"{vault} {fence} {detail}".rstrip() if code is None else f"{vault} {fence}"
            level = _level(Decimal(value), Decimal(limit))
            if level != known.get(about, 0):
                found.append(Alert(about, level, value, limit))
    return found


def of_losses(book: Book, vaults: VaultRegistry, navs: Mapping[str, Decimal | None]) -> list[Alert]:
    """What NAV says about the loss limits of vaults and house."""
    found = []
    for vault in vaults.vaults:
        ledger = book.vaults.get(vault.vault_id)
        if ledger is not None:
            found += _lost(vault.vault_id, ledger, (vault.risk.max_daily_loss, vault.risk.max_drawdown),
                           navs.get(vault.vault_id))
    limits = (vaults.house.max_daily_loss, vaults.house.max_drawdown)
    found += _lost("house", book.house, limits, house_nav(navs))
    return [alert for alert in found if alert.level != book.alerts.get(alert.about, 0)]


def of_books(book: Book) -> list[Alert]:
    """That the last day's books do not add up, whatever is compared: a defect, and nothing is allowed of it."""
    level = 100 if book.daily.wrong else 0
    return [Alert(BOOKS, level, book.daily.wrong or "0", "0")] if level != book.alerts.get(BOOKS, 0) else []


def _lost(who: str, measured: Measured, limits: tuple[Decimal, Decimal], nav: Decimal | None) -> list[Alert]:
    if nav is None or not measured.day_open or not measured.peak:
        return []
    found = []
    for what, start, limit in (("loss of the day", measured.day_open, limits[0]),
                               ("drawdown", max(measured.peak, measured.day_open), limits[1])):
        fall = max(Decimal(0), (start - nav) / start)
        found.append(Alert(f"{who} {what}", _level(fall, limit), f"{fall:.4f}", str(limit)))
    return found


def _level(value: Decimal, limit: Decimal) -> int:
    if limit > 0:
        for level in LEVELS:
            if value * 100 >= limit * level:
                return level
    return 0
