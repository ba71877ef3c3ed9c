"""What all file models share: strictness, the header of program-written documents, and clear errors."""

import difflib
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, ValidationError

from vanta.common.errors import BadInput
from vanta.common.money import decimal, plain
from vanta.common.times import iso, parse_iso

SCHEMA_VERSION = 1


def _time(text: str) -> str:
    if iso(parse_iso(text)) != text:
        raise ValueError(f"{text!r} is not a UTC time with milliseconds such as 2026-01-02T03:04:05.000Z")
    return text


def _finite(value: Decimal) -> Decimal:
    return decimal(value)


def _grid(value: float) -> float:
    if value != round(value, 4):
        raise ValueError(f"{value!r} has more than four decimals")
    return value


UtcTime = Annotated[str, AfterValidator(_time)]
"""A time as text, exactly as `times.iso` writes it. Text, so that a file round-trips byte for byte."""

Amount = Annotated[Decimal, AfterValidator(_finite), PlainSerializer(plain, return_type=str, when_used="json")]
"""Money, price or quantity: Decimal, a plain string in JSON."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Bp = Annotated[int, Field(ge=-10_000, le=10_000)]
Signed = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False), AfterValidator(_grid)]
Unit = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False), AfterValidator(_grid)]
"""0 to 1 (Signed: -1 to 1) with at most four decimals, so that ten-thousandths are exact integers."""


class Model(BaseModel):
    """Frozen, no unknown fields, no NaN, no silent coercion of text into numbers or the reverse."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, ser_json_inf_nan="null",
                              hide_input_in_errors=False, validate_default=False)


class OperatorModel(Model):
    """A model of a file that people write. Unknown fields get a "did you mean" in the error."""


class Header(Model):
    """The four fields at the top of every document that a program writes."""

    schema_version: int = SCHEMA_VERSION
    revision: int = Field(ge=1, description="grows by one with every write")
    written_at: UtcTime
    written_by: str = Field(description="program name and version")


M = TypeVar("M", bound=BaseModel)


def validate(model: type[M], value: Any, *, file: str) -> M:
    """Build `model` from parsed JSON, turning the first violation into a `BadInput` that names the field."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise explain(error, model, file=file) from error


def explain(error: ValidationError, model: type[BaseModel], *, file: str) -> BadInput:
    """Say in one sentence which field is wrong and why, with a hint for a mistyped name."""
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or None
    more = error.error_count() - 1
    what = first["msg"] if first["type"] != "extra_forbidden" else _unknown(str(first["loc"][-1]), model)
    if more:
        what += f" (and {more} more)"
    return BadInput(what, file=file, field=field)


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


