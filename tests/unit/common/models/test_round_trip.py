"""Every document that a program writes: whatever a model can hold comes back from its file unchanged."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.common.models.examples import instances
from vanta.common.canonical import document
from vanta.common.errors import BadInput
from vanta.common.models.base import Model, OperatorModel
from vanta.common.paths import STATE, StateFile
from vanta.common.store.document import parse

WRITTEN = [file for file in STATE if file.model is not None and not issubclass(file.model, OperatorModel)]


def model_of(file: StateFile) -> type[Model]:
    """The model of a file that has one."""
    assert file.model is not None
    return file.model


@pytest.mark.parametrize("file", WRITTEN, ids=lambda file: file.name)
@settings(deadline=None, derandomize=True, max_examples=20, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_document_round_trips(file: StateFile, data: st.DataObject) -> None:
    """Model → file → strict parser → model is the same value, and writing it again gives the same bytes."""
    model = model_of(file)
    value = data.draw(instances(model))
    raw = document(value.model_dump(mode="json"))
    again = parse(raw, model, file=file.name)
    assert again == value
    assert document(again.model_dump(mode="json")) == raw


@pytest.mark.parametrize("file", WRITTEN, ids=lambda file: file.name)
def test_every_written_document_has_a_header(file: StateFile) -> None:
    """Schema, revision, time and program stand in each file that a program writes."""
    fields = model_of(file).model_fields
    assert {name for name in ("revision", "written_at", "written_by") if fields[name].is_required()} == {
        "revision", "written_at", "written_by"}
    assert fields["schema_version"].default == 1


@pytest.mark.parametrize("file", [file for file in STATE if file.model is not None], ids=lambda file: file.name)
def test_unknown_field_names_itself(file: StateFile) -> None:
    """No file silently carries a field that nobody reads, and a mistyped name gets a hint."""
    fields: dict[str, Any] = {"revisio": 1}
    with pytest.raises(BadInput, match="unknown field 'revisio'; did you mean 'revision'") as caught:
        parse(document(fields), model_of(file), file=file.name)
    assert caught.value.field == "revisio"


@pytest.mark.parametrize("file", [file for file in STATE if file.model is not None], ids=lambda file: file.name)
def test_models_are_frozen_and_closed(file: StateFile) -> None:
    """All file models share the strict configuration."""
    config = model_of(file).model_config
    assert {name: config.get(name) for name in ("frozen", "extra", "strict", "allow_inf_nan")} == {
        "frozen": True, "extra": "forbid", "strict": True, "allow_inf_nan": False}


@pytest.mark.parametrize("file", [file for file in STATE if file.model is not None], ids=lambda file: file.name)
def test_schema_describes_every_field(file: StateFile) -> None:
    """The JSON schema of each file can be made, names all its fields, and forbids others."""
    schema = model_of(file).model_json_schema()
    assert set(schema["properties"]) == set(model_of(file).model_fields)
    assert schema["additionalProperties"] is False
