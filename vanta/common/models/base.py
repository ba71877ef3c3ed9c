"""What all file models share: strictness, the header of program-written documents, and clear errors."""

import difflib
import re
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
)

from vanta.common.errors import BadInput
from vanta.common.models.places import line_of
from vanta.common.money import MOST_CASH, MOST_PRICE, MOST_UNITS, MOST_VOLUME, decimal, exact, plain
from vanta.common.times import iso, parse_iso

SCHEMA_VERSION = 1
_YEARS = (1970, 9000)
_DATE_ALONE, _LONGEST_TIME = len("2026-01-02"), 64
_DECIMAL = re.compile(r"Decimal\('(.*?)'\)")


def _time(text: str) -> str:
    if iso(parse_iso(text)) != text:
        raise ValueError(f"{text!r} is not a UTC time with milliseconds such as 2026-01-02T03:04:05.000Z")
    return text


def _operator_time(text: str) -> str:
    try:
        moment = parse_iso(text.strip().upper()) if len(text) <= _LONGEST_TIME else None
    except ValueError:
        moment = None
    if moment is None or len(text.strip()) == _DATE_ALONE or not _YEARS[0] <= moment.year <= _YEARS[1]:
        raise ValueError(f"{text[:_LONGEST_TIME]!r} is not a time with an offset such as 2026-01-02T03:04:05Z or "
                         "2026-01-02T04:04:05+01:00")
    return iso(moment)


def _decimal(digits: int, places: int) -> Callable[[object], Decimal]:
    """Reads a number of at most so many significant digits and decimals."""
    def read(value: object) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise ValueError(f"{value!r} is not a decimal number; write it as a number or a string of digits")
        return exact(decimal(value), digits=digits, places=places)

    return read


def _real(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else value


def _day(value: object) -> object:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _grid(value: float) -> float:
    if value != round(value, 4):
        raise ValueError(f"{value!r} has more than four decimals")
    return value


UtcTime = Annotated[str, AfterValidator(_time)]
"""A time as text, exactly as `times.iso` writes it. Text, so that a file round-trips byte for byte."""

OperatorTime = Annotated[str, AfterValidator(_operator_time)]
"""A time that a person wrote: any ISO form with an offset, kept in our own form. Without an offset nobody knows whose
time it is, so that such a one is refused; so is a year that leaves no room for what is added to it."""

_PLAIN = PlainSerializer(plain, return_type=str, when_used="json")

Amount = Annotated[Decimal, BeforeValidator(_decimal(34, 40)), _PLAIN, Field(ge=-10**27, le=10**27)]
"""Any result in money, price or units: Decimal, a plain string in JSON. A float or a boolean is refused.

What comes from outside has one of the narrower types below. They are as wide as markets are, and so narrow that no
value, however it is combined with others, leaves the 34 digits of `money.CONTEXT`: sums of `Cash` and shares of it in
basis points are exact, and an order of so many units at such a price is worth at most 10^24, which leaves room for
cents and for hundred-millionths, and for several such orders.
"""

Cash = Annotated[Decimal, BeforeValidator(_decimal(34, 12)), _PLAIN, Field(ge=-MOST_CASH, le=MOST_CASH)]
"""An amount of a currency."""

Price = Annotated[Decimal, BeforeValidator(_decimal(18, 40)), _PLAIN, Field(ge=Decimal("1e-12"), le=MOST_PRICE)]
"""What one unit costs. A number with a fraction that some program printed has up to 17 significant digits."""

Units = Annotated[Decimal, BeforeValidator(_decimal(34, 12)), _PLAIN, Field(ge=0, le=MOST_UNITS)]
"""What one order may be about, or its smallest step."""

Volume = Annotated[Decimal, BeforeValidator(_decimal(30, 18)), _PLAIN, Field(ge=0, le=MOST_VOLUME)]
"""What a whole market offers or trades in a day, in units."""

Multiplier = Annotated[Decimal, BeforeValidator(_decimal(34, 4)), _PLAIN, Field(ge=Decimal("0.0001"), le=1000)]
"""Units of the underlying in one contract."""

Share = Annotated[Decimal, BeforeValidator(_decimal(34, 9)), _PLAIN, Field(ge=-1000, le=1000)]
"""A fraction of something: 0.08 is 8 %. Fields narrow it further."""

Real = Annotated[float, BeforeValidator(_real)]
"""A float where exactness does not matter; the strict parser's Decimal is accepted, text is not."""

Day = Annotated[date, BeforeValidator(_day)]
"""A calendar day, `2026-01-02` in JSON."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Bp = Annotated[int, Field(ge=-10_000, le=10_000)]
Signed = Annotated[Real, Field(ge=-1, le=1, allow_inf_nan=False), AfterValidator(_grid)]
Unit = Annotated[Real, Field(ge=0, le=1, allow_inf_nan=False), AfterValidator(_grid)]
"""0 to 1 (Signed: -1 to 1) with at most four decimals, so that ten-thousandths are exact integers."""


class Model(BaseModel):
    """Frozen, no unknown fields, no NaN, no silent coercion: `"false"` and `0` are no booleans, `"5"` is no number."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, validate_default=False,
                              defer_build=True)  # built when first used: a cheap command builds none


class OperatorModel(Model):
    """A model of a file that people write. Unknown fields get a "did you mean" in the error."""


class Header(Model):
    """The four fields at the top of every document that a program writes."""

    schema_version: int = SCHEMA_VERSION
    revision: int = Field(ge=1, description="grows by one with every write")
    written_at: UtcTime
    written_by: str = Field(description="program name and version")


M = TypeVar("M", bound=BaseModel)


def validate(model: type[M], value: Any, *, file: str, raw: bytes | None = None) -> M:
    """Build `model` from parsed JSON, turning the first violation into a `BadInput` that names the field.

    It names the line as well where `raw`, the JSON that `value` was parsed from, is given.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise explain(error, model, value, file=file, raw=raw) from error


def explain(error: ValidationError, model: type[BaseModel], value: Any, *, file: str,
            raw: bytes | None = None) -> BadInput:
    """Say in one sentence which field of `value` is wrong and why, with a hint for a mistyped name."""
    errors = error.errors(include_url=False)
    paths = [_path(one["loc"], value, missing=one["type"] == "missing") for one in errors]
    # A mistyped name explains the rest; else the deepest place, which no alternative of a union hides.
    at = max(range(len(errors)), key=lambda index: (errors[index]["type"] == "extra_forbidden", len(paths[index])))
    chosen = errors[at]
    unknown = chosen["type"] == "extra_forbidden"
    said = _DECIMAL.sub(r"\1", chosen["msg"].removeprefix("Value error, "))
    what = _unknown(str(chosen["loc"][-1]), model) if unknown else said
    if len(errors) > 1:
        what += f" (and {len(errors) - 1} more)"
    line = None if raw is None else line_of(raw, paths[at])
    return BadInput(what, file=file, line=line, field=".".join(paths[at]) or None)


def _path(loc: Sequence[int | str], value: Any, *, missing: bool) -> list[str]:
    """The steps to a violation; those that only name an alternative of a union are left out."""
    parts = []
    for step in loc:
        is_key = isinstance(value, dict) and step in value
        is_index = isinstance(value, list) and isinstance(step, int) and step < len(value)
        if is_key or is_index:
            value = value[step]
            parts.append(str(step))
    if missing:
        parts.append(str(loc[-1]))
    return parts


def _unknown(name: str, model: type[BaseModel]) -> str:
    close = difflib.get_close_matches(name, sorted(_all_fields(model, set())), n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"unknown field {name!r}{hint}"


def _all_fields(model: type[BaseModel], seen: set[type[BaseModel]]) -> set[str]:
    if model in seen:
        return set()
    seen.add(model)
    names = set(model.model_fields)
    for info in model.model_fields.values():
        for inner in _models_in(info.annotation):
            names |= _all_fields(inner, seen)
    return names


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for inner in getattr(annotation, "__args__", ()) for found in _models_in(inner)]
