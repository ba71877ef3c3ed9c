"""What crosses stands in one table: controls first, the permit never, and every name has one source."""

from vanta.common.paths import CONTROL_LOG, OPERATOR_COMMANDS, OVERLAY, PERMIT, ROUTES, SEEN, STATE
from vanta.common.signatures import KEYS
from vanta.transport.core.table import NODES, TABLE, crossings, names


def test_controls_come_first() -> None:
    """Whatever else crosses from Alpha, its kill switches are looked at before, and its word last of them."""
    rows = crossings("alpha", "executor")
    assert rows[0].name == OVERLAY
    urgent = [row.urgent for row in rows]
    assert urgent == sorted(urgent, reverse=True)
    assert [row.how for row in rows if row.urgent][-1] == "lease"


def test_the_permit_never_crosses() -> None:
    """An order leaves only if somebody permitted it on the executor's own host."""
    assert PERMIT not in {name for source in NODES for to in NODES for name in names(source, to)}


def test_sources_are_the_writers() -> None:
    """Every file comes from the node that writes it, and goes elsewhere; only logs are covered."""
    written = {file.name: file.node for file in STATE}
    for row in TABLE:
        assert row.name in (KEYS, CONTROL_LOG, OPERATOR_COMMANDS) or written[row.name] == row.source
        assert row.source not in row.to
        assert row.how == "log" or not row.covered


def test_whoever_gets_a_covered_log_gets_its_keys_before() -> None:
    """Without the list of keys no signature counts."""
    for source in NODES:
        for to in NODES:
            rows = [row.name for row in crossings(source, to)]
            covered = [row.name for row in crossings(source, to) if row.covered]
            assert not covered or rows.index(KEYS) < rows.index(covered[0])


def test_names_hold_the_checkpoints() -> None:
    """A covered log may be asked for with its checkpoints; nothing crosses to oneself."""
    assert "checkpoints/trade_log.jsonl" in names("executor", "alpha")
    assert "checkpoints/operator_commands.jsonl" not in names("alpha", "executor")
    assert list(names("alpha", "alpha")) == []


def test_whatever_is_read_or_shown_from_elsewhere_crosses() -> None:
    """A program that reads a replica, and a person who is shown one, find it filled."""
    for table in (ROUTES, SEEN):
        for node, wanted in table.items():
            for name, source in wanted.items():
                assert name in {row.name for row in crossings(source, node)}
