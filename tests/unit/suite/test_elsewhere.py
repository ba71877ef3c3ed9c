"""Several hosts: `kill`, `release` and what is asked, on a host that is not the executor's, or on the executor's."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from vanta.alpha.editing import Edit, Elsewhere, put
from vanta.alpha.wire import node_here
from vanta.common.canonical import sha256
from vanta.common.clock import SystemClock
from vanta.common.events import Kind
from vanta.common.exitcodes import Exit
from vanta.common.paths import (
    CONTROLS_LEASE,
    EXECUTOR_STATE,
    OPEN_ORDERS,
    OPERATOR_COMMANDS,
    OVERLAY,
    PERMIT,
    TRADE_LOG,
    VAULTS,
    Home,
)
from vanta.common.store.files import FolderFiles
from vanta.common.store.journal import FileJournal
from vanta.common.times import iso
from vanta.executor.core.inputs import FAR
from vanta.suite.dispatch import main as dispatch
from vanta.suite.run import main
from vanta.transport.lease import LeaseWriter

CLEAR = b'{"maintenance": false, "orders_disabled": false, "external_calls_disabled": false, "full_halt": false}'
Capture = pytest.CaptureFixture[str]


def at(folder: Path, node: str) -> Home:
    """A home of one of three hosts."""
    home = Home(folder / node).prepare()
    links = {"alpha": "executor", "markets": "alpha", "executor": "alpha"}
    (home.config / "vanta.toml").write_text(
        f'[node]\nname = "{node}"\n[transport.{links[node]}]\nkind = "shared"\npath = "/nowhere"\n')
    for other in ("alpha", "executor", "markets"):
        home.replica(other).memory.mkdir(parents=True)
    if node != "markets":
        home.file(OVERLAY).write_bytes(CLEAR)
    return home


@pytest.fixture
def alpha(tmp_path: Path) -> Home:
    return at(tmp_path, "alpha")


@pytest.fixture
def executor(tmp_path: Path) -> Home:
    """With Alpha's controls and her word for them."""
    home = at(tmp_path, "executor")
    home.replica("alpha").file(OVERLAY).write_bytes(CLEAR)
    says(home)
    vouch(home)
    return home


def vouch(home: Home) -> None:
    """Alpha's word for what lies in the replica."""
    LeaseWriter(FolderFiles(home.replica("alpha").memory), SystemClock(), by="test").beat(0)


def says(home: Home, seconds: float = 1, **fields: Any) -> None:
    """What the executor last published."""
    home.file(EXECUTOR_STATE).write_text(json.dumps({
        "as_of_seq": 1, "dispatch": "open", "latches": [], "broker_sync": {"paper": "in sync"},
        "heartbeat_at": iso(SystemClock().now() - timedelta(seconds=seconds)), **fields}))


def run(home: Home, *words: str) -> int:
    return main([*words, "--home", str(home.root)])


def overlay(home: Home) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(home.file(OVERLAY).read_bytes())
    return found


def seen(home: Home, *digests: str) -> None:
    """The executor's log as it arrived: which versions of Alpha's overlay it saw."""
    with closing(FileJournal(home.replica("executor").file(TRADE_LOG))) as journal:
        for digest in digests:
            journal.append(Kind.CONTROL_SEEN, {"what": FAR, "sha256": digest}, at=iso(SystemClock().now()))
        journal.append(Kind.CONTROL_SEEN, {"what": "overlay", "sha256": "f" * 64}, at=iso(SystemClock().now()))


@contextmanager
def answering(home: Home) -> Iterator[None]:
    """An executor that puts on record, once, whatever Alpha's overlay says next."""
    before, over = home.file(OVERLAY).read_bytes(), Event()

    def answer() -> None:
        while not over.wait(0.01):
            if (now := home.file(OVERLAY).read_bytes()) != before:
                seen(home, sha256(now))
                return

    thread = Thread(target=answer)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize(("words", "switch"), [((), "orders_disabled"), (("--cancel-open",), "full_halt")])
def test_a_kill_on_alpha_halts_by_its_overlay_and_waits_for_the_executors_word(
        alpha: Home, capsys: Capture, words: tuple[str, ...], switch: str) -> None:
    """0 only once the executor is on record with exactly these bytes; what works at venues is named."""
    alpha.replica("executor").file(OPEN_ORDERS).write_text('{"orders": [{"order_id": "V_CORE-1"}]}')
    command = ("kill", "--reason", "odd fills", "--by", "ben", *words)
    assert run(alpha, *command, "--timeout", "0") == Exit.OUTCOME_UNKNOWN
    assert overlay(alpha)[switch] == {"enabled": True, "reason": "odd fills", "by": "ben"}
    seen(alpha, "a" * 64)
    capsys.readouterr()
    with answering(alpha):
        assert run(alpha, *command, "--timeout", "30", "--reason", "again") == Exit.DONE
    said = capsys.readouterr().out
    assert f"{switch} is on already in Alpha's overlay: no order leaves" in said
    assert "has seen it (record 3 of its log)" in said
    assert "V_CORE-1" in said
    assert f"vanta overlay clear {switch} --reason TEXT" in said
    assert overlay(alpha)[switch] == {"enabled": True, "reason": "odd fills", "by": "ben"}  # who said it first


@pytest.mark.parametrize("cleared", [True, False])
def test_an_older_word_of_the_executor_does_not_count(alpha: Home, capsys: Capture, cleared: bool) -> None:
    """It may have seen the switch turned off since, and what says so has not arrived: each kill is asked anew."""
    with answering(alpha):
        assert run(alpha, "kill", "--timeout", "30") == Exit.DONE
    capsys.readouterr()
    if cleared:
        alpha.file(OVERLAY).write_bytes(CLEAR)
    assert run(alpha, "kill", "--timeout", "0") == Exit.OUTCOME_UNKNOWN
    assert "no order leaves" not in capsys.readouterr().out


def test_a_kill_on_alpha_that_nobody_has_seen_is_not_done(alpha: Home, capsys: Capture) -> None:
    """6, when it was heard last, and where to kill as well; again is no error, and nothing is said to be stopped."""
    seen(alpha, "a" * 64)
    (alpha.replica("executor").root / "status.json").write_text('{"heard_at": "2026-11-27T15:00:00.000Z"}')
    for found in ("is on in", "is on already in"):
        assert run(alpha, "kill", "--timeout", "0.15") == Exit.OUTCOME_UNKNOWN
        out, err = capsys.readouterr()
        assert f"orders_disabled {found} Alpha's overlay" in out
        assert "no order leaves" not in out
        assert "unknown, nothing of them has arrived" in out
        assert "heard last at 2026-11-27T15:00:00.000Z" in err
        assert "On the executor's host: vanta-run kill." in err


def test_a_kill_on_alpha_works_on_a_file_that_nobody_can_read(alpha: Home, capsys: Capture) -> None:
    """It is kept beside, and one that permits nothing takes its place."""
    alpha.file(OVERLAY).write_bytes(b"{")
    assert run(alpha, "kill", "--timeout", "0") == Exit.OUTCOME_UNKNOWN
    assert overlay(alpha)["orders_disabled"]["enabled"]
    assert "is kept as" in capsys.readouterr().out


def test_a_kill_on_alpha_that_cannot_write_names_what_else_halts(alpha: Home, capsys: Capture) -> None:
    """Nothing is claimed that has not happened."""
    alpha.file(OVERLAY).unlink()
    alpha.file(OVERLAY).mkdir()
    (alpha.memory / f"{OVERLAY}.broken-{alpha.file(OVERLAY).stat().st_ino}").write_text("in the way")
    assert run(alpha, "kill", "--timeout", "0") == Exit.OUTCOME_UNKNOWN
    err = capsys.readouterr().err
    assert "On the executor: vanta-run kill." in err
    assert "systemctl stop vanta-alpha-lease" in err


@pytest.mark.parametrize("node", ["alpha", "markets", "executor"])
def test_which_node_it_is_does_not_rest_on_settings_alone(tmp_path: Path, node: str) -> None:
    """Nobody who halts may have to repair a file first."""
    home = at(tmp_path, node)
    assert node_here(home) == node
    (home.config / "vanta.toml").write_text("= broken")
    for place in {"alpha": [home], "executor": [home.replica("alpha")], "markets": []}[node]:
        place.file(CONTROLS_LEASE).write_bytes(b"{}")
    assert node_here(home) == node
    (home.config / "vanta.toml").unlink()
    assert node_here(home) == node


def test_a_kill_on_alpha_without_settings_claims_nothing(alpha: Home, capsys: Capture) -> None:
    """A file that is gone makes no host of all nodes out of Alpha's, where nobody holds the gate."""
    alpha.file(CONTROLS_LEASE).write_bytes(b"{}")
    (alpha.config / "vanta.toml").unlink()
    assert run(alpha, "kill", "--timeout", "0") == Exit.OUTCOME_UNKNOWN
    assert overlay(alpha)["orders_disabled"]["enabled"]
    assert "none is running here" not in capsys.readouterr().out


def test_a_single_host_is_no_node(tmp_path: Path) -> None:
    """With settings and without readable ones."""
    home = Home(tmp_path).prepare()
    assert node_here(home) == ""
    (home.config / "vanta.toml").write_text("= broken")
    assert node_here(home) == ""
    (home.config / "vanta.toml").write_text("")
    home.file(CONTROLS_LEASE).write_bytes(b"{}")  # of another time: the settings say that all nodes are here
    assert node_here(home) == ""


def test_nothing_on_markets_stops_an_order_and_nobody_is_told_so(tmp_path: Path, capsys: Capture) -> None:
    """Neither a kill nor anything that is asked; no file is written that looks as if."""
    home = at(tmp_path, "markets")
    assert run(home, "kill") == Exit.OUTCOME_UNKNOWN
    assert "nothing is stopped" in capsys.readouterr().err
    assert run(home, "flatten") == Exit.CONFIG
    assert "nobody reads what is asked on the node markets" in capsys.readouterr().err
    for words in (("--scope", "global", "--confirm", "global"), ("--latch", "latch_1", "--confirm", "latch_1")):
        assert run(home, "release", "--reason", "x", *words) == Exit.REFUSED
    assert not home.file(OPERATOR_COMMANDS).exists()


@pytest.mark.parametrize("words", [
    ("overlay", "set", "full_halt"), ("overlay", "clear", "full_halt", "--reason", "x", "--confirm", "full_halt"),
    ("run", "mode", "full_halt"), ("run", "mode", "full_halt", "--off", "--reason", "x", "--confirm", "full_halt")])
@pytest.mark.parametrize("lies", [None, CLEAR, CLEAR.replace(b'"full_halt": false', b'"full_halt": true')])
def test_no_switch_is_turned_on_markets_and_nobody_is_told_so(
        tmp_path: Path, capsys: Capture, words: tuple[str, ...], lies: bytes | None) -> None:
    """Nobody reads an overlay of that host, also if one of another time lies there; what is shown is Alpha's."""
    home = at(tmp_path, "markets")
    home.replica("alpha").file(OVERLAY).write_bytes(CLEAR)
    if lies is not None:
        home.file(OVERLAY).write_bytes(lies)
    assert dispatch([*words, "--home", str(home.root)]) == Exit.OUTCOME_UNKNOWN
    said = capsys.readouterr()
    assert "is on" not in said.out
    assert "no order" not in said.out
    assert (home.file(OVERLAY).read_bytes() if home.file(OVERLAY).exists() else None) == lies
    for show in (("overlay", "show"), ("run", "mode")):
        assert dispatch([*show, "--home", str(home.root)]) == Exit.DONE
        assert "full_halt                 off" in capsys.readouterr().out


def test_vaults_are_changed_on_alpha_alone(executor: Home, capsys: Capture) -> None:
    """A limit that is edited on the executor's host is none that it reads."""
    with pytest.raises(Elsewhere, match="is Alpha's"):
        put(Edit(home=executor, name=VAULTS, before=None, after=b"{}"), SystemClock())
    assert not executor.file(VAULTS).exists()
    put(Edit(home=executor, name=OVERLAY, before=CLEAR, after=CLEAR), SystemClock())


def test_dispatch_is_not_permitted_from_alpha(alpha: Home, capsys: Capture) -> None:
    """A permit there would be read by nobody; what Alpha's overlay holds is said, with the command that ends it."""
    words = ("release", "--reason", "x", "--scope", "global", "--confirm", "global")
    assert run(alpha, *words) == Exit.REFUSED
    assert "on the executor's host alone; see" in capsys.readouterr().err.lower().replace("\n  → see", "; see")
    alpha.file(OVERLAY).write_bytes(CLEAR.replace(b'"full_halt": false', b'"full_halt": true'))
    assert run(alpha, *words) == Exit.REFUSED
    assert "halt.full_halt on everything" in capsys.readouterr().err
    alpha.file(OVERLAY).write_bytes(b"{")
    assert run(alpha, *words) == Exit.REFUSED
    assert "vanta overlay clear SWITCH" in capsys.readouterr().err
    assert not alpha.file(PERMIT).exists()


def test_a_latch_is_released_from_alpha_by_what_arrived(alpha: Home, capsys: Capture) -> None:
    """If that is new enough; what cannot be seen is said."""
    words = ("release", "--reason", "back", "--latch", "latch_1", "--confirm", "latch_1")
    there = alpha.replica("executor")
    assert run(alpha, *words) == Exit.REFUSED
    assert "nothing can be seen here of the executor" in capsys.readouterr().err
    says(there, seconds=90, latches=[{"latch_id": "latch_1", "detail": "odd"}])
    assert run(alpha, *words) == Exit.REFUSED
    assert "what can be seen is 90 s old" in capsys.readouterr().err
    says(there, seconds=-7200, latches=[{"latch_id": "latch_1", "detail": "odd"}])
    assert run(alpha, *words) == Exit.REFUSED  # by a clock that is wrong nobody can tell how old it is
    assert "what can be seen lies 119 min ahead" in capsys.readouterr().err
    says(there, latches=[{"latch_id": "latch_1", "detail": "odd"}])
    assert run(alpha, *words) == Exit.DONE
    assert b'"latch_1"' in alpha.file(OPERATOR_COMMANDS).read_bytes()


def test_what_has_not_arrived_is_not_nothing(alpha: Home, capsys: Capture) -> None:
    """Of an executor on another host it is not known what it holds."""
    assert run(alpha, "status") == Exit.DONE
    out = capsys.readouterr().out
    assert "what is held is not known: nothing of the executor has arrived here" in out
    assert "Alpha's overlay permits, and nothing of the executor has arrived" in out


def test_on_alpha_it_is_said_that_the_executor_is_elsewhere(alpha: Home, capsys: Capture) -> None:
    """Not that none runs."""
    assert run(alpha, "cancel") == Exit.DONE
    assert "the executor is on another host" in capsys.readouterr().err
    assert alpha.file(OPERATOR_COMMANDS).exists()


def test_a_release_on_the_executor_says_what_alpha_still_holds(executor: Home, capsys: Capture) -> None:
    """Her overlay, her word, or both; and what to do there. The permit is given all the same."""
    words = ("release", "--reason", "x", "--scope", "global", "--confirm", "global")
    assert run(executor, *words) == Exit.DONE
    assert "still" not in capsys.readouterr().err
    place = executor.replica("alpha")
    place.file(OVERLAY).write_bytes(CLEAR.replace(b'"full_halt": false', b'"full_halt": true'))
    assert run(executor, *words) == Exit.DONE
    err = capsys.readouterr().err
    assert "still halted on Alpha: halt.full_halt on everything" in err
    assert "on Alpha: vanta overlay clear SWITCH" in err
    assert "still held: lease 1 of Alpha names another vault_overlay.json" in err
    assert "systemctl start vanta-alpha-lease" in err
    place.file(OVERLAY).write_bytes(b"{")
    assert run(executor, *words) == Exit.DONE
    assert "still halted: Alpha's vault_overlay.json" in capsys.readouterr().err


def test_a_kill_on_the_executor_needs_nobody_else(executor: Home, capsys: Capture) -> None:
    """As on a single host."""
    assert run(executor, "release", "--reason", "x", "--scope", "global", "--confirm", "global") == Exit.DONE
    assert run(executor, "kill") == Exit.DONE
    assert not executor.file(PERMIT).exists()
    assert "dispatch is stopped: no order leaves" in capsys.readouterr().out
