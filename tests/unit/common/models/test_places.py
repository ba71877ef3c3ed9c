"""The line of a field, counted in the text that a person wrote."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vanta.common.errors import BadInput
from vanta.common.models.overlay import Overlay
from vanta.common.models.places import line_of
from vanta.common.models.vault import VaultRegistry
from vanta.common.store.document import parse

TEXT = b"""{
  "a": 1, "e": {}, "l": [],
  "b": [
    {"c": 2},
    {"c": "x, {\\"c\\": [3]}\\\\",
     "d\\u00e9": [[1,
              2], true]}
  ]
}
"""


@pytest.mark.parametrize(("path", "line"), [
    ("a", 2), ("e", 2), ("l", 2), ("b", 3), ("b 0", 4), ("b 0 c", 4), ("b 1", 5), ("b 1 c", 5), ("b 1 dé", 6),
    ("b 1 dé 0 1", 7), ("b 1 dé 1", 7), ("b 1 missing", 5), ("b 7", 3), ("nowhere", None), ("", None),
])
def test_a_field_stands_on_its_line(path: str, line: int | None) -> None:
    """What is missing is looked for where it belongs: on the line of what should have it."""
    assert line_of(TEXT, path.split()) == line


VALUES = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)
                      | st.dictionaries(st.text(), inner, max_size=3), max_leaves=12)


def steps(value: Any) -> list[list[str]]:
    """Every path in a value."""
    if isinstance(value, list | dict):
        pairs = value.items() if isinstance(value, dict) else [(str(at), one) for at, one in enumerate(value)]
        return [path for key, one in pairs for path in ([key], *([key, *rest] for rest in steps(one)))]
    return []


@given(VALUES)
@settings(deadline=None, derandomize=True, max_examples=300)
def test_every_step_of_every_text_is_found(value: Any) -> None:
    """Written with one step a line, the lines of all steps differ and grow."""
    text = json.dumps(value, indent=1)
    lines = [line_of(text.encode(), path) for path in steps(value)]
    assert all(line is not None for line in lines)
    assert lines == sorted(set(lines), key=lambda line: line or 0)


@pytest.mark.parametrize(("model", "text", "said"), [
    (Overlay, '{"maintenance": false, "external_calls_disabled": false,\n"orders_disabled": false,\n"full_halt": 1}',
     "f.json:3 (full_halt)"),
    (Overlay, '{"maintenance": false,\n"ordres_disabled": false}', "f.json:2 (ordres_disabled)"),
    (VaultRegistry, '{"vaults": [\n{"vault_id": "V_A",\n "label": "a"},\n{"vault_id": "V_B", "label": 5}]}',
     "f.json:4 (vaults.1.label)"),
    (VaultRegistry, '{"vaults": [\n{"vault_id": "V_A"}]}', "f.json:2 (vaults.0.label)"),
])
def test_an_operators_file_is_refused_with_its_line(model: Any, text: str, said: str) -> None:
    """File, line and field, as an editor wants them."""
    with pytest.raises(BadInput) as caught:
        parse(text.encode(), model, file="f.json")
    assert caught.value.what.startswith(said)
