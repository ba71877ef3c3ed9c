"""What was earned, in words: realised, still open, fees, and the sum of them. Pure.

result(earnings.of_intent("in1_…"))
+4.00 USD open on 3 still held, which cost 600.00 USD and are worth 604.00 USD at the last price of 201.33 (…),
−0.35 USD in fees: +3.65 USD in all
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from vanta.alpha.core.earnings import Earned
from vanta.alpha.core.words import amount, figure, when
from vanta.common.money import ZERO, plain


def together(parts: Sequence[Earned]) -> Mapping[str, list[Earned]]:
    """Results by currency: amounts of different money are never added."""
    found: dict[str, list[Earned]] = {}
    for part in parts:
        found.setdefault(part.currency, []).append(part)
    return found


def result(parts: Sequence[Earned]) -> str:
    """What some fills have come to, in plain words; one clause for each currency."""
    return "; ".join(_said(currency, rows) for currency, rows in together(parts).items())


def brief(parts: Sequence[Earned]) -> str:
    """`+12.00 USD so far`, or that it is not known; empty where nothing was filled."""
    said = []
    for currency, rows in together(parts).items():
        total = _sum(row.total for row in rows)
        said.append("its result is unknown without a mark" if total is None else f"{amount(total, currency)} so far")
    return " and ".join(said)


def _sum(values: Iterable[Decimal | None]) -> Decimal | None:
    known = list(values)
    return None if None in known else sum((value for value in known if value is not None), ZERO)


def _said(currency: str, rows: Sequence[Earned]) -> str:
    fees, realised = (sum((part for part in parts), ZERO) for parts in
                      ((row.fees for row in rows), (row.gained + row.fees for row in rows)))
    held, closed = sum((abs(row.held) for row in rows), ZERO), sum((row.closed for row in rows), ZERO)
    again = {name for row in rows for name in row.closed_by}
    parts = []
    if realised or again:
        parts.append(f"{amount(realised, currency)} realised on what is closed again")
    if held:
        parts.append(_open(currency, rows, held))
    if fees:
        parts.append(f"{amount(-fees, currency)} in fees")
    total = _sum(row.total for row in rows)
    own = ("nothing of it counts here" if not parts else
           f"{', '.join(parts)}: not known in all without a mark" if total is None else
           ", ".join(parts) if len(parts) == 1 else f"{', '.join(parts)}: {amount(total, currency)} in all")
    openers = dict.fromkeys(name for row in rows for name in row.opened_by)
    if not closed or (openers and openers.keys() <= {row.intent_id for row in rows}):
        return own
    for_others = sum((row.for_others for row in rows), ZERO)
    whose = ", ".join(openers) or "what was there before"
    closing = (f"it closed {figure(closed)} units and so realised {amount(for_others, currency)} before fees, which "
               f"counts for what had opened them ({whose})")
    return f"{closing}; its own part: {own}" if parts else closing


def _open(currency: str, rows: Sequence[Earned], held: Decimal) -> str:
    """What is still held, what it cost, and what it is worth; of several instruments units are not added."""
    kept = [row for row in rows if row.held]
    one = len({row.instrument_id for row in kept}) == 1
    cost, value = sum((row.cost for row in rows), ZERO), _sum(row.value for row in rows)
    verb = ("has", "is") if one and held == 1 else ("have", "are")
    what = f"{figure(held)} still held" if one else "positions still held"
    size = f"{what}, which cost {amount(abs(cost), currency, sign=False)}"
    if value is None:
        return f"{size} and {verb[0]} no mark yet"
    price = f"price of {figure(kept[0].mark)} ({when(kept[0].marked_at)})" if one else "prices"
    return (f"{amount(value - cost, currency)} open on {size} and {verb[1]} worth "
            f"{amount(abs(value), currency, sign=False)} at "
            f"the last {price}")


def facts(parts: Sequence[Earned]) -> dict[str, Any]:
    """The same as plain data: amounts as text, by currency."""
    return {"fills": len(parts), "by_currency": {currency: {
        "realised": _text(row.gained for row in rows), "fees": _text(row.fees for row in rows),
        "unrealised": _text(row.open_gain for row in rows), "total": _text(row.total for row in rows),
        "held": _text(row.held for row in rows), "closed": _text(row.closed for row in rows),
        "realised_for_others": _text(row.for_others for row in rows),
    } for currency, rows in together(parts).items()}}


def _text(values: Iterable[Decimal | None]) -> str | None:
    total = _sum(values)
    return None if total is None else plain(total)
