"""What a look brings back at each of three hosts, and the logs of commands that verification and replay hold to."""

import json
import shutil
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from tests.unit.executor.world import ALL_CLEAR
from vanta.alpha.cli.diagnostics import sighted
from vanta.alpha.facts import gather, shown
from vanta.alpha.outlook import look, permission
from vanta.alpha.replayer import Replayer
from vanta.alpha.verifier import Verifier
from vanta.common.clock import FixedClock
from vanta.common.events import Kind
from vanta.common.exitcodes import Check
from vanta.common.models.configuration import Settings
from vanta.common.paths import (
    CONTROLS_LEASE,
    EXECUTOR_STATE,
    MARKET_QUOTES,
    OPERATOR_COMMANDS,
    OVERLAY,
    PORTFOLIO,
    QUEUE,
    SEEN,
    TRADE_LOG,
    VAULTS,
    Home,
    NodeHome,
    command_logs,
)
from vanta.common.store.files import FolderFiles
from vanta.common.store.journal import FileJournal
from vanta.common.times import iso, parse_iso
from vanta.transport.lease import LeaseWriter

NOW = parse_iso("2026-11-20T15:00:00.000Z")
LINK = {"kind": "shared", "path": "/nowhere"}


def settings(node: str) -> Settings:
    links = {name: LINK for name in ("alpha", "markets", "executor") if name != node}
    return Settings.model_validate({"node": {"name": node}, "transport": links})


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home").prepare()
    for name in ("alpha", "markets", "executor"):
        made.replica(name).memory.mkdir(parents=True)
    return made


def test_files_are_shown_from_where_they_arrived(home: Home) -> None:
    """Of each node its own table; whatever is not in it, and all of a single host, is the home's own."""
    for node, table in SEEN.items():
        place = shown(home, settings(node))
        for name, source in table.items():
            assert place.file(name) == home.replica(source).file(name)
        assert place.file("dispatch.permit") == home.file("dispatch.permit")
    assert shown(home, Settings()) == NodeHome(home.root)
    assert shown(home, Settings()).file(TRADE_LOG) == home.file(TRADE_LOG)


@pytest.mark.parametrize(("node", "feeds"), [
    ("alpha", set()), ("executor", {"prices"}), ("markets", {"sec", "news", "reddit", "crypto", "prices"})])
def test_a_look_at_each_node(home: Home, node: str, feeds: set[str]) -> None:
    """Feeds that can be known there, documents that arrived, links that are configured."""
    for name, body in ((QUEUE, {"intents": []}), (MARKET_QUOTES, {"now": iso(NOW)})):
        home.replica("markets").file(name).write_text(json.dumps(body))
    for name in (EXECUTOR_STATE, PORTFOLIO):
        home.replica("executor").file(name).write_text(json.dumps({"home": "abc", "dispatch": "open"}))
    (home.replica("markets").root / "status.json").write_text('{"link": "up"}')
    facts = gather(home, settings(node), NOW)
    assert (facts.node, {feed.name for feed in facts.feeds}) == (node, feeds)
    assert {link.node for link in facts.links} == {"alpha", "markets", "executor"} - {node}
    assert (facts.queue.value is not None) == (node == "executor")
    assert (facts.executor.value is not None) == (node == "alpha")
    assert (facts.portfolio.value is not None) == (node in ("alpha", "markets"))
    assert (facts.far is not None) == (node == "executor")
    assert [link.doc.text("link") for link in facts.links if link.node == "markets"] == ["up"] * (node != "markets")


def test_alphas_controls_as_the_executor_has_them(home: Home) -> None:
    """Nothing has arrived; all is well; switches; a word that is broken, old, or about other bytes."""
    place, said = home.replica("alpha"), settings("executor")

    def seen(seconds: float = 0) -> tuple[str, ...]:
        far = gather(home, said, NOW + timedelta(seconds=seconds)).far
        assert far is not None
        return *far.stops, far.unreadable, far.lease

    assert "ENOENT" in seen()[0]
    assert seen()[1] == "there is no word from Alpha"
    place.file(OVERLAY).write_bytes(ALL_CLEAR)
    place.file(VAULTS).write_bytes(b"{}")
    place.file(OPERATOR_COMMANDS).write_bytes(b"")
    LeaseWriter(FolderFiles(place.memory), FixedClock(NOW), by="test").beat(0)
    assert seen() == ("", "")
    assert "has not been followed by another one within 10 s" in seen(30)[-1]
    place.file(VAULTS).unlink()
    place.file(OPERATOR_COMMANDS).unlink()
    assert "another vault.json" in seen()[-1]
    place.file(OVERLAY).write_bytes(ALL_CLEAR.replace(b'"full_halt": false', b'"full_halt": true'))
    assert seen()[0].startswith("halt.full_halt on everything")
    assert "another vault_overlay.json" in seen()[-1]
    for raw, words in ((b"{}", "there is no word from Alpha: controls_lease.json"), (b"{", "is not JSON")):
        place.file(CONTROLS_LEASE).write_bytes(raw)
        assert words in seen()[-1]


def test_who_permitted_is_the_executors_to_know(home: Home) -> None:
    """Elsewhere it is what that says, if anything of it arrived."""
    assert permission(home, gather(home, settings("executor"), NOW)) == "it was never permitted here"
    assert permission(home, gather(home, settings("alpha"), NOW)) == "it is given on the executor's host"
    home.replica("executor").file(EXECUTOR_STATE).write_text('{"dispatch": "halted", "dispatch_reason": "no permit"}')
    facts = gather(home, settings("alpha"), NOW)
    assert look(home, facts).permission == "it is given on the executor's host, which says halted: no permit"


def test_the_screen_of_a_node(home: Home) -> None:
    """Whole, from its own settings."""
    (home.config / "vanta.toml").write_text(
        '[node]\nname = "executor"\n[transport.alpha]\nkind = "shared"\npath = "/x"\n')
    _, _, found = sighted(home.root, NOW)
    levels = {row.name: row.level for row in found}
    assert levels["link alpha"] is Check.CRITICAL
    assert levels["lease"] is Check.CRITICAL
    assert "feed sec" not in levels


def test_the_screen_of_a_node_whose_settings_cannot_be_read(home: Home) -> None:
    """What lies there tells which node it is: nobody on an executor is told to collect a feed."""
    (home.config / "vanta.toml").write_text("nonsense = 1")
    lease = home.replica("alpha").file(CONTROLS_LEASE)
    lease.parent.mkdir(parents=True, exist_ok=True)
    lease.touch()
    facts, _, found = sighted(home.root, NOW)
    names = [row.name for row in found]
    assert (facts.node, "feed sec" in names, "lease" in names, "settings" in names) == ("executor", False, True, True)


def given(home: Home, log: Path, *kinds: str) -> None:
    """Commands in a log."""
    del home
    log.parent.mkdir(parents=True, exist_ok=True)
    with closing(FileJournal(log)) as journal:
        for kind in kinds:
            journal.append(Kind.COMMAND_GIVEN, {"command_id": f"cmd_{kind:0>16}", "kind": "cancel", "by": "ann",
                                                "reason": "x", "at": iso(NOW), "expires_at": iso(NOW)}, at=iso(NOW))


def test_where_commands_of_an_executor_stand(home: Home) -> None:
    """Its own and Alpha's; of a replica what arrived with it, what this host gave, and what arrived of Alpha."""
    own, far = home.file(OPERATOR_COMMANDS), home.replica("alpha").file(OPERATOR_COMMANDS)
    assert command_logs(home) == [own]
    given(home, far, "1")
    assert command_logs(home) == [own, far]
    replica = home.replica("executor")
    assert command_logs(replica) == [replica.file(OPERATOR_COMMANDS), far]
    given(home, own, "2")
    assert command_logs(replica) == [replica.file(OPERATOR_COMMANDS), own, far]


def answered(home: Home, name: str) -> list[str]:
    """What verification and replay have to say of a log in which a command was answered."""
    with closing(FileJournal(home.file(TRADE_LOG))) as journal:
        journal.append(Kind.JOURNAL_OPENED, {"home": "abc", "program": "test", "schema": 1}, at=iso(NOW))
        journal.append(Kind.COMMAND_REFUSED, {
            "command_id": f"cmd_{name:0>16}", "kind": "cancel", "by": "ann", "reason": "x",
            "refused": "it had expired"}, at=iso(NOW))
    found = [one.text for one in Verifier(home).run() if "answers" in one.text]
    replayed = Replayer(home).run()
    found += [str(one.found) for one in replayed.differences if "is not in" in str(one.found)]
    home.file(TRADE_LOG).unlink()
    shutil.rmtree(home.memory / "checkpoints", ignore_errors=True)
    return found


def test_a_command_of_alpha_that_the_executor_answered_was_given(home: Home) -> None:
    """In the home itself and in its replica; one that nobody gave is found by both."""
    for place in (home, home.replica("executor")):
        assert len(answered(place, "1")) == 2
    given(home, home.replica("alpha").file(OPERATOR_COMMANDS), "1")
    for place in (home, home.replica("executor")):
        assert answered(place, "1") == []


def test_commands_of_another_host_that_cannot_be_read_are_not_known(home: Home) -> None:
    """Said, and no ground for anything else."""
    path = home.replica("alpha").file(OPERATOR_COMMANDS)
    path.mkdir()
    assert [one.level for one in Verifier(home).run() if OPERATOR_COMMANDS in one.file] == [Check.UNKNOWN]
    with closing(FileJournal(home.file(TRADE_LOG))) as journal:
        journal.append(Kind.JOURNAL_OPENED, {"home": "abc", "program": "test", "schema": 1}, at=iso(NOW))
    assert any(OPERATOR_COMMANDS in one for one in Replayer(home).run().missing)
