"""What all models share: exact types, and errors that lead to the very field."""

from datetime import date
from decimal import Decimal

import pytest
from pydantic import Field, ValidationError

from vanta.common.errors import BadInput
from vanta.common.models.base import (
    Amount,
    Bp,
    Day,
    Model,
    OperatorModel,
    Real,
    Sha256,
    Signed,
    Unit,
    UtcTime,
    validate,
)


class Inner(OperatorModel):
    """A nested table that may hold itself."""

    limit: Amount = Field(default=Decimal(1), gt=0)
    inner: "Inner | None" = None


class Outer(OperatorModel):
    """One field of every kind."""

    number: int = 0
    real: Real = 0.0
    flag: bool = False
    text: str = ""
    amount: Amount = Decimal(0)
    at: UtcTime = "2026-01-02T03:04:05.000Z"
    day: Day = date(2026, 1, 2)
    unit: Unit = 0.0
    signed: Signed = 0.0
    bp: Bp = 0
    digest: Sha256 = "0" * 64
    rows: list[Inner] = []
    choice: bool | Inner = False


class Row(Model):
    """A model with exactly one field."""

    value: Amount


GOOD: dict[str, tuple[str, object, object]] = {
    "int": ("number", 5, 5), "decimal real": ("real", Decimal("0.5"), 0.5), "int real": ("real", 2, 2.0),
    "amount as text": ("amount", "1.50", Decimal("1.50")), "amount as int": ("amount", 7, Decimal(7)),
    "amount": ("amount", Decimal("0.1"), Decimal("0.1")), "day": ("day", "2024-02-29", date(2024, 2, 29)),
    "day itself": ("day", date(2024, 2, 29), date(2024, 2, 29)), "unit": ("unit", Decimal("0.1234"), 0.1234),
    "signed": ("signed", -1, -1.0),
}


@pytest.mark.parametrize(("field", "value", "read"), GOOD.values(), ids=GOOD.keys())
def test_accepted(field: str, value: object, read: object) -> None:
    """Values as the strict parser gives them become the field's own type."""
    assert getattr(validate(Outer, {field: value}, file="x"), field) == read


BAD: dict[str, tuple[str, object]] = {
    "text for int": ("number", "5"), "boolean for int": ("number", True),
    "fraction for int": ("number", Decimal("5.0")),
    "text for real": ("real", "1.5"), "boolean for real": ("real", True), "infinity": ("real", float("inf")),
    "text for boolean": ("flag", "false"), "zero for boolean": ("flag", 0), "number for text": ("text", 5),
    "float for amount": ("amount", 0.1), "boolean for amount": ("amount", True),
    "NaN amount": ("amount", Decimal("NaN")),
    "amount with spaces": ("amount", " 1"), "amount with underscore": ("amount", "1_0"),
    "huge amount": ("amount", "1e999"),
    "naive time": ("at", "2026-01-02T03:04:05"), "other time form": ("at", "2026-01-02T03:04:05Z"),
    "impossible time": ("at", "0001-01-01T00:00:00+10:00"), "number for day": ("day", 20260102),
    "five decimals": ("unit", Decimal("0.12345")), "over one": ("unit", Decimal("1.0001")), "under -1": ("signed", -2),
    "too many basis points": ("bp", 10_001), "short hash": ("digest", "abc"), "upper-case hash": ("digest", "A" * 64),
}


@pytest.mark.parametrize(("field", "value"), BAD.values(), ids=BAD.keys())
def test_refused_by_field(field: str, value: object) -> None:
    """Nothing is coerced; the error names the field."""
    with pytest.raises(BadInput) as caught:
        validate(Outer, {field: value}, file="x")
    assert caught.value.field == field


PATHS: dict[str, tuple[object, str | None]] = {
    "in a list": ({"rows": [{}, {"limit": "0"}]}, "rows.1.limit"),
    "nested in itself": ({"rows": [{"inner": {"inner": {"limit": -1}}}]}, "rows.0.inner.inner.limit"),
    "in a union": ({"choice": {"limit": 0}}, "choice.limit"),
    "the union itself": ({"choice": "x"}, "choice"),
    "the document": ([], None),
}


@pytest.mark.parametrize(("value", "field"), PATHS.values(), ids=PATHS.keys())
def test_path_is_the_files_own(value: object, field: str | None) -> None:
    """The path follows the file's keys and positions, without the names of types."""
    with pytest.raises(BadInput) as caught:
        validate(Outer, value, file="x")
    assert caught.value.field == field


def test_missing_field_is_named() -> None:
    """A required field that is absent is named although it is not in the file."""
    with pytest.raises(BadInput) as caught:
        validate(Row, {}, file="x")
    assert caught.value.field == "value"


def test_models_are_frozen() -> None:
    """A record cannot be changed after it was made."""
    row = Row(value=Decimal(1))
    with pytest.raises(ValidationError, match="frozen"):
        row.value = Decimal(2)


def test_amounts_are_plain_text_in_json() -> None:
    """No exponent and no trailing zeros reach a file."""
    assert Row(value=Decimal("1E+3")).model_dump(mode="json") == {"value": "1000"}
    assert Row(value=Decimal("2.50")).model_dump(mode="json") == {"value": "2.5"}
