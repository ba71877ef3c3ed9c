"""Numbers, times and reason codes as people read them. Pure."""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

from vanta.common.money import minor_places, round_amount
from vanta.common.reasons import TABLE, Reason
from vanta.common.times import iso, parse_iso

SHOWN = 12
"""So many characters of a hash are shown; it is found by its first eight."""


def figure(value: object) -> str:
    """`1234.50` as `1,234.5`; `None` as `unknown`; what is no number as it stands."""
    if value is None:
        return "unknown"
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    return f"{number.normalize():,f}" if number.is_finite() else str(value)


def amount(value: Decimal, currency: str, *, sign: bool = True) -> str:
    """`+1,234.50 USD`: with the minor units of its money."""
    places = minor_places(currency)
    rounded = round_amount(value, currency)
    text = f"{rounded:+,.{places}f}" if sign else f"{rounded:,.{places}f}"
    return f"{text.replace('-', '−')} {currency}"


def when(text: object) -> str:
    """`2026-11-20T14:25:00.000Z` as `2026-11-20 14:25:00 UTC`; what is no time as it stands."""
    try:
        said = iso(parse_iso(str(text)))
    except ValueError:
        return str(text)
    return f"{said[:10]} {said[11:-1].removesuffix('.000')} UTC"


def short(digest: object) -> str:
    """The beginning of a hash; what is none as it stands."""
    text = str(digest)
    return text[:SHOWN] if len(text) == 64 and all(char in "0123456789abcdef" for char in text) else text


def person(name: object) -> str:
    """A name as a sentence has it; of a log whose names were withheld, that it is."""
    said = str(name)
    return f"somebody whose name is withheld ({said})" if said.startswith("withheld:") else said


def count(number: int, thing: str, things: str = "") -> str:
    """`1 fill`, `1,200 fills`."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def several(items: Iterable[str], last: str = "and") -> str:
    """`a, b and c`."""
    *rest, end = items
    return f"{', '.join(rest)} {last} {end}" if rest else end


def meaning(code: str) -> str:
    """The sentence of a reason code, and its cure."""
    try:
        row = TABLE[Reason(code)]
    except ValueError:
        return "a reason that this version does not know."
    return f"{row.meaning}. {row.cure}"
