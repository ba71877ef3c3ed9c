"""ONCE under power cuts, which take away what was not synced: a sample here, everything in `make torture`."""

from pathlib import Path

from tests.crash.driving import carry_out, passes, power


@power
def test_a_power_cut_at_any_call_loses_no_order_and_doubles_none(tmp_path: Path) -> None:
    """The file system is shut down before or after a call, mounted again, and the executor started on what is left."""
    passes(carry_out(tmp_path, "power", "order", "--sample", "12", disk=True), at_least=12)


@power
def test_a_power_cut_in_any_story(tmp_path: Path) -> None:
    """Cancels, quarantines, batches, late orders."""
    passes(carry_out(tmp_path, "power", "halt,again,batch,late,torn", "--sample", "15", disk=True), at_least=15)


@power
def test_killed_and_then_cut_off_while_recovering(tmp_path: Path) -> None:
    """Two faults: what the first left only in memory is acted on by nobody before it is durable."""
    passes(carry_out(tmp_path, "pairs", "next", "--sample", "10", disk=True), at_least=10)


@power
def test_what_a_reader_of_the_log_was_shown_stays(tmp_path: Path) -> None:
    """Complete for the least program that rests on the log: it opens it, tells somebody its end, adds a record."""
    passes(carry_out(tmp_path, "pairs", "reader", disk=True), at_least=30)
