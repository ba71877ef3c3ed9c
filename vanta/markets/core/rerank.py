"""Ranks that do not flicker: a place moves only for a change that matters. Pure.

Decides the order of entities from their convictions and the steadied values of the pass before. A steadied value
stays as it was while the conviction lies within `margin` of it, and else becomes the conviction. Refuses to know
what the convictions rest on. The pass before is an explicit input; nothing is remembered here.

Example: margin 100, before A 5,000 and B 4,950; now A 4,960 and B 5,020 → A keeps 5,000, B keeps 4,950, A leads.
"""

from collections.abc import Mapping


def steadied(now: Mapping[str, int], before: Mapping[str, int], margin: int) -> dict[str, int]:
    """The value that ranks are made of, by entity, in basis points."""
    return {entity: _steady(value, before.get(entity), margin) for entity, value in now.items()}


def _steady(value: int, before: int | None, margin: int) -> int:
    return value if before is None or abs(value - before) > margin else before


def ranking(values: Mapping[str, int]) -> list[str]:
    """Entities, strongest first, ties in order of name."""
    return sorted(values, key=lambda entity: (-values[entity], entity))
