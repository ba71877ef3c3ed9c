"""The quick look at queue entries says yes only where the contract does, and then to the same content."""

from collections.abc import Callable
from typing import Any, get_args

import msgspec
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from tests.unit.executor.world import HEADER, World
from vanta.common.canonical import document
from vanta.common.errors import BadInput
from vanta.common.models import conviction
from vanta.common.models import intent as contract
from vanta.common.models.base import validate
from vanta.common.models.intent import MOST_BYTES, MOST_ENTRIES, Intent, QueueEnvelope
from vanta.common.paths import QUEUE
from vanta.common.store.document import parse
from vanta.executor.core import wire_intent
from vanta.executor.core.wire_intent import is_sound, queue


def entry() -> dict[str, Any]:
    """An entry with something in every field."""
    world = World()
    world.want("equity:AAPL", "1000.5", exit_plan={
        "stop_pct": "0.05", "trail_pct": None, "take_profit_pct": "0.1", "max_holding_s": 3600}, flip_id="F1")
    body: dict[str, Any] = orjson.loads(orjson.dumps(world.intents[0]))
    body["provenance"]["reasons"] = [{"reason": "source:x", "bp": 12, "evidence": -3, "text": "because",
                                      "signals": ["s"], "count": 2}]
    body["provenance"]["inputs"] = {"trade_signals.json": "0" * 64}
    return body


GOOD = entry()
NOW = {**HEADER, "now": HEADER["written_at"]}


@pytest.mark.parametrize("render", [document, lambda body: orjson.dumps(body) + b" "], ids=["own form", "other form"])
def test_a_queue_is_read_up_to_its_bounds_and_not_beyond(render: Callable[[dict[str, Any]], bytes]) -> None:
    """Intents and withdrawals count alike; nobody looks at the entries of a queue that is too long."""
    full = {**NOW, "intents": [{}] * (MOST_ENTRIES - 1),
            "withdrawals": [{"intent_id": GOOD["intent_id"], "at": NOW["now"], "reason": "changed its mind"}]}
    assert len(queue(render(full), file="q").intents) == MOST_ENTRIES - 1
    too_many: list[dict[str, Any]] = [{"intents": [{}] * MOST_ENTRIES}, {"withdrawals": [{}] * 2}]
    for more in too_many:
        with pytest.raises(BadInput, match="20,001 entries; at most 20,000 are read"):
            queue(render({**full, **more}), file="q")
    with pytest.raises(BadInput, match="16,777,217 bytes; at most 16,777,216 are read"):
        queue(render(full).ljust(MOST_BYTES + 1), file="q")
    assert queue(render(full).ljust(MOST_BYTES), file="q").intents


def _changed(path: str, value: Any) -> dict[str, Any]:
    body: dict[str, Any] = orjson.loads(orjson.dumps(GOOD))
    *way, last = path.split(".")
    at: Any = body
    for step in way:
        at = at[int(step)] if isinstance(at, list) else at[step]
    if value is KeyError:
        del at[last]
    else:
        at[last] = value
    return body


def agree(body: dict[str, Any]) -> bool:
    """Where the quick look says yes, the contract accepts and writes the very same. Returns the quick answer."""
    sound = is_sound(body)
    if sound:
        assert validate(Intent, body, file="x").model_dump(mode="json") == body
    return sound


@pytest.mark.parametrize(("wire", "model"), [
    (wire_intent.WireIntent, contract.Intent), (wire_intent.WireExitPlan, contract.ExitPlan),
    (wire_intent.WireProvenance, contract.Provenance), (wire_intent.WireReason, conviction.Reason)],
    ids=lambda one: one.__name__)
def test_twins_have_the_same_fields(wire: type[msgspec.Struct], model: type[BaseModel]) -> None:
    """A field that is added to the contract has to be added here, or every entry takes the slow way."""
    assert list(wire.__struct_fields__) == list(model.model_fields)
    for field in msgspec.structs.fields(wire):
        literal = get_args(model.model_fields[field.name].annotation)
        if literal and all(isinstance(value, str) for value in literal):
            assert get_args(field.type) == literal


def test_what_the_promoter_writes_takes_the_quick_way() -> None:
    """The plain case costs no pydantic."""
    assert agree(GOOD)


@pytest.mark.parametrize(("path", "value"), [
    ("intent_id", "in1_short"), ("intent_id", GOOD["intent_id"] + "\n"), ("side", "hold"), ("notional", "0"),
    ("notional", "-5"), ("notional", "1e3"), ("notional", "1000.50"), ("notional", "1" * 35), ("notional", 5),
    ("notional", True), ("target_notional", "-0"), ("close", "false"), ("close", 0), ("basis_seq", -1),
    ("basis_seq", True), ("basis_seq", 1.5), ("created_at", "2026-02-30T10:00:00.000Z"),
    ("created_at", "2026-02-03T24:00:00.000Z"), ("created_at", "2026-02-03"), ("expires_at", None),
    ("expires_at", "2026-02-03T10:00:00.000Z\n"), ("exit_plan", None), ("exit_plan.stop_pct", "5.00"),
    ("exit_plan.max_holding_s", 0), ("exit_plan.max_holding_s", "60"), ("provenance.reasons.0.bp", 10_001),
    ("provenance.reasons.0.count", -1), ("provenance.inputs", {"a": "F" * 64}), ("provenance.personas", {"a": "1"}),
    ("surprise", 1), ("provenance.surprise", 1), ("flip_id", KeyError), ("vault", KeyError), ("vault", None),
])
def test_what_is_odd_is_left_to_the_contract(path: str, value: Any) -> None:
    """Refused by the model or merely written otherwise than the model writes it: not sound, pydantic decides."""
    assert not agree(_changed(path, value))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.sampled_from(
    ["0", "-1", "0.5", "1e9", "00", "1.", ".5", "0.050", "12345678901234567890", GOOD["created_at"]]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2), max_leaves=4),
    st.sampled_from(["notional", "target_notional", "close", "basis_seq", "created_at", "exit_plan", "flip_id",
                     "exit_plan.stop_pct", "exit_plan.max_holding_s", "provenance", "provenance.personas",
                     "provenance.sources", "provenance.reasons", "provenance.inputs", "provenance.conviction_bp"]))
@settings(deadline=None, derandomize=True, max_examples=400)
def test_no_value_anywhere_is_sound_unless_the_contract_takes_it_unchanged(value: Any, path: str) -> None:
    """Whatever stands in whatever field."""
    agree(_changed(path, value))


@pytest.mark.parametrize("raw", [
    document({**NOW, "intents": [GOOD], "withdrawals": []}),
    document({**NOW, "intents": [], "withdrawals": []}),
    orjson.dumps({**NOW, "intents": [GOOD], "withdrawals": []}),
    b'{"intents": [], "intents": []}', b"{}", b"[]", b"", b"{\n}\n", b"nonsense",
    document({**NOW, "intents": [1], "withdrawals": []}), document({**NOW, "intents": {}, "withdrawals": []}),
    document({**NOW, "intents": [], "withdrawals": [], "more": 1}),
    document({**NOW, "intents": [GOOD], "withdrawals": []}).replace(b'"close":false', b'"close":false,"close":true'),
    document({**NOW, "intents": [GOOD], "withdrawals": []}).replace(b'"basis_seq":0', b'"basis_seq":' + b"9" * 20),
])
def test_files_are_read_as_the_contract_reads_them(raw: bytes) -> None:
    """In our own form or not, sound or not: the same envelope or the same refusal."""
    def read(how: Callable[[], QueueEnvelope]) -> QueueEnvelope | str:
        try:
            return how()
        except BadInput as error:
            return error.what

    assert read(lambda: queue(raw, file=QUEUE)) == read(lambda: parse(raw, QueueEnvelope, file=QUEUE))


def test_an_entry_that_is_not_in_its_model_s_form_is_recorded_in_it() -> None:
    """`1000.50` and a missing optional field are the same wish: recorded once, in one form."""
    world = World()
    world.quote("equity:AAPL", "200.00")
    name = world.want("equity:AAPL", "1000.50")
    del world.intents[0]["flip_id"]
    world.stage()
    world.step()
    seen = next(record for record in world.journal.read() if record.kind == "intent.seen")
    assert seen.payload["intent"]["notional"] == "1000.5"
    assert seen.payload["intent"]["flip_id"] is None
    assert world.state(name) == "filled"
