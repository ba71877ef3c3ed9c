"""What the executor's journal tells about intents."""

from tests.unit.markets.core.desk import record
from vanta.common.events import Kind
from vanta.common.store.ports import Record
from vanta.markets.core.outcomes import Outcomes


def test_a_record_about_nothing_changes_nothing() -> None:
    """Records without an intent, a second end, and an end of what was never seen."""
    outcomes = Outcomes()
    outcomes.apply(Record(1, "", Kind.QUOTE_SEEN, None, {}, {"intent_state": "filled"}, "", ""))
    outcomes.apply(record(2, Kind.INTENT_QUARANTINED, "in1_a", intent_state="quarantined"))
    outcomes.apply(record(3, "fill", "in1_a", intent_state="filled"))
    assert outcomes.end_of("in1_a") == "quarantined"
    assert outcomes.end_of("in1_b") is None
    assert outcomes.live_keys() == frozenset()
