"""Which latches hold, by the executor's document and by what its log says since."""

from typing import Any

import pytest

from vanta.alpha.core.latches import latches, untold
from vanta.alpha.core.sights import Doc, LatchSight
from vanta.common.events import Kind


def record(seq: int, kind: str, latch_id: str = "", vault: str | None = None) -> dict[str, Any]:
    """A record of the trade log."""
    return {"seq": seq, "kind": kind, "payload": {"latch_id": latch_id, "detail": f"why {latch_id}", "vault": vault}}


def state(*names: str, dispatch: str = "latched", seq: int = 10) -> Doc:
    """The executor's document as of record `seq`."""
    return Doc({"dispatch": dispatch, "as_of_seq": seq, "latches": [
        {"latch_id": name, "detail": f"why {name}"} for name in names]})


def sight(name: str, *, everything: bool = True) -> LatchSight:
    """A latch as it is shown."""
    return LatchSight(name, f"why {name}", everything)


SET, RELEASED = Kind.LATCH_SET, Kind.LATCH_RELEASED
CASES = {
    "none": (state(dispatch="open"), [], []),
    "those of the document": (state("a", "b"), [], [sight("a"), sight("b")]),
    "of a vault, by the document": (state("a", dispatch="open"), [], [sight("a", everything=False)]),
    "set since": (state("a"), [record(11, SET, "b")], [sight("a"), sight("b")]),
    "of a vault, set since": (state(dispatch="open"), [record(11, SET, "b", "V_X")], [sight("b", everything=False)]),
    "released since": (state("a", "b"), [record(11, "fill"), record(12, RELEASED, "a")], [sight("b")]),
    "set and released since": (state(), [record(11, SET, "a"), record(12, RELEASED, "a")], []),
    "released and set again": (state("a"), [record(11, RELEASED, "a"), record(12, SET, "a")], [sight("a")]),
    "released without having been set": (state(), [record(11, RELEASED, "a")], []),
    "without a document": (Doc(None), [record(1, SET, "a"), record(2, SET, "b")], [sight("a"), sight("b")]),
}


@pytest.mark.parametrize("case", CASES)
def test_a_latch_holds_from_its_record_to_its_release(case: str) -> None:
    """The document first, then what the log says since, in the order of the log."""
    doc, since, held = CASES[case]
    assert latches(doc, since) == tuple(held)


@pytest.mark.parametrize(("doc", "why"), [
    (Doc(None), ""), (state(), ""), (Doc(None, "not JSON"), "not JSON"),
    (Doc({}), "executor_state.json does not say which latches hold"),
    (Doc({"latches": {}}), "executor_state.json does not say which latches hold")],
    ids=["never ran", "says it", "unreadable", "lacks it", "another shape"])
def test_what_cannot_be_told_is_said(doc: Doc, why: str) -> None:
    """A document that cannot be read is not one without latches."""
    assert untold(doc) == why
