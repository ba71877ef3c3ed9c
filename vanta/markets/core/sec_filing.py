"""An ownership record as parsed → one decision and its trades. Pure.

It decides when a filing became public, whom it concerns and what it says about the issuer's shares. Of all
transaction codes only P (bought on the market) and S (sold on the market) express a view; awards, exercises,
tax withholding and gifts do not, whatever their "acquired" or "disposed" column says. Options and other
derivatives are left out: buying a put is not a purchase. A filing is one decision, however many owners sign it.

It refuses to guess: a row with an impossible number or date is a problem, a price that only a footnote tells
is unknown (never zero), a filing without any date or ticker is refused.

Example: three P rows of 14 May at 10.00, 10.10 and (footnote) become one `Trade` of 14 May with the summed
shares, the dollars of the priced rows and `unpriced_rows=1`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from vanta.common.money import CONTEXT, ZERO, decimal
from vanta.common.times import parse_iso
from vanta.markets.core.records import Problem
from vanta.markets.core.tickers import canonical_ticker
from vanta.markets.core.us_time import NEW_YORK, day_of, to_utc

_EDGAR_CLOSES = time(22, 0)
_XS_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:Z|[+-]\d{2}:\d{2})?")
_SEVERAL = re.compile(r"\s*[,;|&]\s*|\s+(?:AND|OR)\s+", re.IGNORECASE)
_CHIEF = re.compile(r"\bC\.?[EF]\.?O\b|\b(?:chief|chf\.?|principal)\s+(?:exec|fin)", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+")
_SIDES = {"P": "A", "S": "D"}
_LARGEST = 15  # decimal digits before the point of a share count or a price
_OLDEST = timedelta(days=3660)

ROLES = ("chief", "insider", "ten_percent", "other")
"""Who decided, strongest first: CEO or CFO; another officer or a director; a 10 % owner; anybody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """All rows of one filing with the same code on the same day. `dollars` counts priced rows only."""

    code: str
    day: date
    shares: Decimal
    dollars: Decimal
    priced_shares: Decimal
    rows: int
    unpriced_rows: int
    flags: frozenset[str]

    @property
    def price(self) -> Decimal | None:
        """Share-weighted price, `None` where no row tells one."""
        return CONTEXT.divide(self.dollars, self.priced_shares) if self.priced_shares else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """One Form 4 or 4/A. `key` is the accession number, or a content hash where a bare document has none."""

    key: str
    form: str
    issuer_cik: str
    issuer_name: str
    ticker: str
    several_tickers: bool
    owners: tuple[str, ...]
    owner_name: str
    role: str
    public_at: datetime
    time_quality: str
    filed: tuple[str, ...]
    period: str
    original_date: str | None
    trades: tuple[Trade, ...]
    source: Mapping[str, Any]

    @property
    def amends(self) -> bool:
        """Whether this replaces an earlier filing."""
        return self.form.endswith("/A")


def key_of(record: Mapping[str, Any]) -> str:
    """The accession number, or the payload's hash where a bare document does not tell one."""
    return str(record["accession"] or f"sha256:{record['_sha256'][:16]}")


def filing(record: Mapping[str, Any], *, listed_at: str | None) -> tuple[Filing | None, list[Problem]]:
    """Build the filing. `listed_at` is the acceptance time that the feed page gave, if one was seen."""
    where = str(record["_url"])
    public = _public_at(record, listed_at)
    cik = record["issuer"]["cik"]
    if public is None or not cik:
        what = "issuer CIK" if public else "acceptance, filing or signature date"
        return None, [Problem(code="bad_filing", detail=f"the filing has no usable {what}", where=where)]
    trades, problems = _trades(record, public[0], where)
    ticker = issuer_ticker(record["issuer"]["symbol"])
    if trades and ticker is None:
        symbol = record["issuer"]["symbol"][:20]
        detail = f"issuer CIK {cik} has the symbol {symbol!r}: the trades cannot be attributed to a ticker"
        return None, [*problems, Problem(code="no_ticker", detail=detail, where=where)]
    name, several = ticker or ("", False)
    owners = record["owners"]
    accepted_day = day_of(public[0], NEW_YORK).isoformat()
    return Filing(
        key=key_of(record), form=record["form"], issuer_cik=cik, issuer_name=record["issuer"]["name"], ticker=name,
        several_tickers=several, owners=tuple(sorted({owner["cik"] for owner in owners if owner["cik"]})),
        owner_name=owners[0]["name"] if owners else "", role=_role(owners),
        public_at=public[0], time_quality=public[1],
        filed=tuple(sorted({record["filed"] or accepted_day, accepted_day})),
        period=(_day(record["period"]) or ""), original_date=_day(record["original_date"] or ""),
        trades=trades, source=record), problems


def issuer_ticker(raw: str) -> tuple[str, bool] | None:
    """The ticker and whether the field named several: `GOOG, GOOGL` is (`GOOG`, True), `NONE` is nothing."""
    parts = _SEVERAL.split(raw.strip("()[]{}\"'*. "))
    first = canonical_ticker(parts[0].strip("()[]{}\"'*. "))
    return None if first is None else (first, len(parts) > 1)


def public_at(record: Mapping[str, Any]) -> datetime | None:
    """When a record of `parsers.sec` became public, as far as it says so by itself."""
    entry = {"acceptance": None, "filed": None, "signed": None}
    found = _public_at({**entry, **record}, record.get("accepted"))
    return found[0] if found else None


def _public_at(record: Mapping[str, Any], listed_at: str | None) -> tuple[datetime, str] | None:
    """When the filing could be read, and how well that is known. Never earlier than the truth."""
    try:
        if record["acceptance"]:
            local = datetime.strptime(record["acceptance"], "%Y%m%d%H%M%S")  # noqa: DTZ007 - Eastern, by its own rule
            return to_utc(local, NEW_YORK), "exact"
        if listed_at:
            return parse_iso(listed_at), "exact"
        for field, quality in (("filed", "date"), ("signed", "assumed")):
            day = _day(record[field] or "")
            if day:
                return to_utc(datetime.combine(date.fromisoformat(day), _EDGAR_CLOSES), NEW_YORK), quality
    except (ValueError, OverflowError):
        return None
    return None


def _trades(record: Mapping[str, Any], public: datetime, where: str) -> tuple[tuple[Trade, ...], list[Problem]]:
    groups: dict[tuple[str, str], list[_Row]] = {}
    problems = []
    whole_plan = record["plan_box"] is True or record["remarks_plan"]
    for index, row in enumerate(record["rows"]):
        if row["table"] != "non_derivative" or row["code"] not in _SIDES:
            continue
        try:
            day, flags = _trade_day(row["date"], record["period"], public)
            shares = _amount(row["shares"], "shares")
            price = None if row["price"] is None else _amount(row["price"], "price")
            if not shares or row["side"] != _SIDES[row["code"]]:
                raise ValueError(f"{row['shares']} shares, code {row['code']} and side {row['side'][:9]!r} do not fit")
        except ValueError as error:
            problems.append(Problem(code="bad_row", detail=str(error), where=f"{where}#rows[{index}]"))
            continue
        flags |= {flag for flag, on in (("10b5-1", row["plan"] or whole_plan), ("equity_swap", row["swap"])) if on}
        groups.setdefault((day, row["code"]), []).append(_Row(shares, price or None, flags))
    return tuple(_sum(day, code, rows) for (day, code), rows in sorted(groups.items())), problems


@dataclass(frozen=True, slots=True)
class _Row:
    shares: Decimal
    price: Decimal | None
    flags: frozenset[str]


def _sum(day: str, code: str, rows: list[_Row]) -> Trade:
    shares = dollars = priced = ZERO
    for row in rows:
        shares = CONTEXT.add(shares, row.shares)
        if row.price is not None:
            priced = CONTEXT.add(priced, row.shares)
            dollars = CONTEXT.add(dollars, CONTEXT.multiply(row.shares, row.price))
    return Trade(code=code, day=date.fromisoformat(day), shares=shares, dollars=dollars, priced_shares=priced,
                 rows=len(rows), unpriced_rows=sum(row.price is None for row in rows),
                 flags=frozenset[str]().union(*(row.flags for row in rows)))


def _trade_day(text: str, period: str, public: datetime) -> tuple[str, frozenset[str]]:
    """The day of a trade; a typing error such as the year 0020 falls back on the report's period, flagged."""
    latest = day_of(public, NEW_YORK)
    for candidate, flags in ((_day(text), frozenset[str]()), (_day(period), frozenset({"date_from_period"}))):
        if candidate and latest - _OLDEST <= date.fromisoformat(candidate) <= latest:
            return candidate, flags
    raise ValueError(f"trade date {text[:20]!r} and period {period[:20]!r} cannot be right")


def _amount(text: str | None, what: str) -> Decimal:
    """A number that can be reckoned with exactly; more digits than the context holds would be rounded unseen."""
    if text is None or not _NUMBER.fullmatch(text) or len(text) > 40:
        raise ValueError(f"{what} {(text or '')[:20]!r} is not a number")
    value = decimal(text)
    if value.adjusted() > _LARGEST or len(value.as_tuple().digits) > CONTEXT.prec:
        raise ValueError(f"{what} {text} cannot be right")
    return value


def _day(text: str) -> str | None:
    """An XML date, which may carry a zone that means nothing here; `None` if it is not a day of the calendar."""
    match = _XS_DATE.fullmatch(text)
    try:
        return date.fromisoformat(match[1]).isoformat() if match else None
    except ValueError:
        return None


def _role(owners: list[dict[str, Any]]) -> str:
    if any(owner["officer"] and _CHIEF.search(owner["title"]) for owner in owners):
        return "chief"
    if any(owner["officer"] or owner["director"] for owner in owners):
        return "insider"
    return "ten_percent" if any(owner["ten_percent"] for owner in owners) else "other"
