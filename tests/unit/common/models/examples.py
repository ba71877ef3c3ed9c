"""Random valid instances of the file models, built from the models' own fields and limits."""

import functools
import types
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types as limits
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, BeforeValidator
from pydantic.fields import FieldInfo

from vanta.common.models import base
from vanta.common.times import from_millis, iso

TIMES = st.integers(0, 4_102_444_800_000).map(lambda value: iso(from_millis(value)))


@functools.cache
def instances(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Valid instances of `model`, defaults left out now and then."""
    fields = {}
    for name, info in model.model_fields.items():
        made = _values(info.annotation, _metadata(info))
        fields[name] = made if info.is_required() else made | st.just(info.get_default(call_default_factory=True))
    return st.fixed_dictionaries(fields).map(lambda values: model(**values))


def _metadata(info: FieldInfo) -> list[Any]:
    return list(info.metadata)


def _values(annotation: Any, metadata: list[Any]) -> st.SearchStrategy[Any]:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _values(inner[0], [*_flat(inner[1:]), *metadata])
    if origin in (Union, types.UnionType):
        return st.one_of(*(_values(one, metadata) for one in inner))
    if origin is Literal:
        return st.sampled_from(inner)
    if origin is list:
        return st.lists(_values(inner[0], []), max_size=2)
    if origin is dict:
        return st.dictionaries(_values(inner[0], []), _values(inner[1], []), max_size=2)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return instances(annotation)
    return _scalar(annotation, metadata)


def _flat(metadata: tuple[Any, ...]) -> list[Any]:
    flat: list[Any] = []
    for one in metadata:
        flat += one.metadata if isinstance(one, FieldInfo) else [one]
    return flat


def _scalar(kind: Any, metadata: list[Any]) -> st.SearchStrategy[Any]:
    functions = [one.func for one in metadata if isinstance(one, AfterValidator | BeforeValidator)]
    pattern = next((one.pattern for one in metadata if getattr(one, "pattern", None)), None)
    if kind is type(None):
        return st.none()
    if kind is bool:
        return st.booleans()
    if kind is int:
        low, high = _range(metadata, -2**40, 2**40, above=1)
        return st.integers(int(low), int(high))
    if kind is float:
        low, high = _range(metadata, 0, 1, above=0.0001)
        return st.integers(int(low * 10_000), int(high * 10_000)).map(lambda value: value / 10_000)
    if kind is date:
        return st.dates()
    if kind is Decimal:
        low, high = _range(metadata, -10**9, 10**9, above=Decimal("0.000001"))
        return st.decimals(low, high, places=6)
    if kind is str and base._time in functions:
        return TIMES
    if kind is str:
        return st.from_regex(pattern, fullmatch=True) if pattern else st.text(max_size=6)
    raise NotImplementedError(f"no example for {kind}")


def _range(metadata: list[Any], low: Any, high: Any, *, above: Any) -> tuple[Any, Any]:
    """The closed range of a field, the narrowest that is said; `above` is the smallest step over an open lower end."""
    lows: list[Any] = [one.ge if isinstance(one, limits.Ge) else one.gt + above for one in metadata
            if isinstance(one, limits.Ge | limits.Gt)]
    highs: list[Any] = [one.le for one in metadata if isinstance(one, limits.Le)]
    return max(lows, default=low), min(highs, default=high)
