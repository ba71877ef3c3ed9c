"""Which latches hold: those of the executor's document, brought up to the end of its log. Pure.

The document may be behind its log, most of all when the executor ended by the very thing that it latched for. A latch
that stops everything is told apart from one that stops a vault: the log says it of each, the document of all together.

Example: `executor_state.json` as of record 40 names no latch, record 41 sets one on everything -> that one holds.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from vanta.alpha.core.sights import Doc, LatchSight
from vanta.common.events import Kind


def latches(state: Doc, since: Sequence[Mapping[str, Any]]) -> tuple[LatchSight, ...]:
    """Every latch that holds, the oldest first. `since` are the log's records after the document's last one."""
    everything = state.text("dispatch") == "latched"
    found = {str(row.get("latch_id")): LatchSight(str(row.get("latch_id")), str(row.get("detail")), everything)
             for row in state.rows("latches")}
    for record in since:
        said = record["payload"]
        if record["kind"] == Kind.LATCH_SET:
            name = str(said.get("latch_id"))
            found[name] = LatchSight(name, str(said.get("detail")), said.get("vault") is None)
        elif record["kind"] == Kind.LATCH_RELEASED:
            found.pop(str(said.get("latch_id")), None)
    return tuple(found.values())


def untold(state: Doc) -> str:
    """Why it cannot be told which latches hold, empty if it can."""
    if state.problem:
        return state.problem
    if state.value is not None and not isinstance(state.value.get("latches"), list):
        return "executor_state.json does not say which latches hold"
    return ""
