"""Each connection to another node is two lines; one that is off the list is not even tried."""

import sys
from pathlib import Path

import pytest

from vanta.alpha.core.verification import outcome
from vanta.alpha.verifier import verify_file
from vanta.common.clock import SystemClock
from vanta.common.events import Kind
from vanta.common.exitcodes import Check
from vanta.common.models.configuration import Settings
from vanta.common.outside.allowed import Allowed
from vanta.common.outside.ledger import MemoryLedger
from vanta.common.outside.out import Out
from vanta.common.paths import TRANSPORT_CALLS, Home
from vanta.common.signing_key import signer_of
from vanta.common.store.chain import chain
from vanta.transport.pipe import Calls, PipeRemote
from vanta.transport.port import LinkDown
from vanta.transport.wire import needs, way_out


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


def remote(ledger: MemoryLedger, *command: str, hosts: tuple[str, ...] = ("alpha.example",)) -> PipeRemote:
    """The far end, as if it were reached over ssh."""
    out = Out(Allowed.of(hosts), ledger, SystemClock())
    return PipeRemote(command, timeout_s=20.0, calls=Calls(out, "alpha.example", "link:alpha"))


def lines(ledger: MemoryLedger) -> list[tuple[str, str | None, str, str]]:
    """Without bytes and durations."""
    return [(str(one.kind), one.host, one.purpose, one.status) for one in ledger.calls]


def test_a_connection_is_opened_and_ends(ledger: MemoryLedger) -> None:
    """It is opened when the other host has said something; its bytes are what came."""
    far = remote(ledger, sys.executable, "-c", 'import sys; sys.stdout.write("nonsense\\n"); sys.stdout.flush(); '
                 "sys.stdin.read()")
    with pytest.raises(LinkDown):
        far.stat("trade_log.jsonl")
    far.close()
    assert lines(ledger) == [("call.opened", "alpha.example", "link:alpha", "opened"),
                             ("call.closed", "alpha.example", "link:alpha", "closed")]
    assert [one.size for one in ledger.calls] == [None, 9]


def test_one_that_says_nothing_or_cannot_be_started_is_one_line(ledger: MemoryLedger) -> None:
    """Each attempt."""
    with pytest.raises(LinkDown, match=r"the link ended|Broken pipe"):
        remote(ledger, "/bin/false").stat("trade_log.jsonl")
    with pytest.raises(LinkDown, match="cannot be started"):
        remote(ledger, "/nowhere/ssh").stat("trade_log.jsonl")
    assert lines(ledger) == [("call.made", "alpha.example", "link:alpha", "failed"),
                             ("call.made", "alpha.example", "link:alpha", "not_started")]


def test_a_host_off_the_list_is_not_reached(ledger: MemoryLedger, tmp_path: Path) -> None:
    """No child is started: it would be behind no wall of ours."""
    far = remote(ledger, "/bin/touch", str(tmp_path / "ran"), hosts=("executor.example",))
    with pytest.raises(LinkDown, match=r"alpha\.example is not among the hosts"):
        far.stat("trade_log.jsonl")
    assert lines(ledger) == [("call.refused", "alpha.example", "link:alpha", "off_list")]
    assert not (tmp_path / "ran").exists()


LINKS = {"node": {"name": "executor"}, "transport": {
    "alpha": {"kind": "ssh", "host": "Alpha.example", "identity": "/k", "known_hosts": "/h"},
    "markets": {"kind": "shared", "path": "/mnt/markets"}}}


def test_the_links_say_whom_they_reach(tmp_path: Path) -> None:
    """A mounted folder is nobody's call of ours. The log is there once there was a connection."""
    home, clock = Home(tmp_path).prepare(), SystemClock()
    settings = Settings.model_validate(LINKS)
    assert needs(settings) == {"alpha": {"alpha.example"}}
    out = way_out(home, settings, clock)
    assert out.allowed.permits("alpha.example")
    assert not out.allowed.permits("x.org")
    out.close()
    assert not home.file(TRANSPORT_CALLS).exists()
    listed = Settings.model_validate({**LINKS, "outside": {"hosts": ["x.org"]}})
    out = way_out(home, listed, clock)
    assert out.allowed.permits("x.org")
    out.begin("x.org", None, "link:alpha").failed(TimeoutError())
    out.close()
    assert [one.kind for one in chain(home.file(TRANSPORT_CALLS).read_bytes(), name="x")] == [
        Kind.JOURNAL_OPENED, Kind.CALL_MADE]


def test_without_the_signing_key_the_log_is_chained_all_the_same(tmp_path: Path) -> None:
    """The transport's unit is given none; what is not signed verifies as what it is."""
    home = Home(tmp_path).prepare()
    signer_of(home)
    (home.config / "credentials" / "audit" / "signing_key").unlink()
    for _ in range(2):
        out = way_out(home, Settings.model_validate(LINKS), SystemClock())
        out.begin("alpha.example", None, "link:alpha").failed(TimeoutError())
        out.close()
    assert len(list(chain(home.file(TRANSPORT_CALLS).read_bytes(), name="x"))) == 3
    found = verify_file(home.file(TRANSPORT_CALLS))
    assert outcome(found) is Check.OK
    assert any("its program holds no key" in one.text for one in found)
