"""A real executor and an editor on real files: the halt holds, and the record says what changed and whose it may be."""

import json
import os
import pwd
import time
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.test_executor_process import home as home  # noqa: PLC0414 - a fixture
from tests.scenarios.test_executor_process import kinds, start, wait_for
from tests.unit.executor.world import ALL_CLEAR, without_permission
from vanta.common.canonical import document, sha256
from vanta.common.paths import EXECUTOR_STATE, OVERLAY, TRADE_LOG, VAULTS, Home
from vanta.common.store.chain import chain

HALT = without_permission({"full_halt": {"enabled": True, "reason": "enough", "by": "R. Example"}})
SAVED_NS = 1_795_000_000_123_456_789


def edits(home: Home) -> list[dict[str, Any]]:
    """Payloads of what was told of edits, as readers of a log see them."""
    raw = home.file(TRADE_LOG).read_bytes()
    return [dict(record.payload) for record in chain(raw[:raw.rfind(b"\n") + 1], name=TRADE_LOG)
            if record.kind == "control.edited"]


def saved_by_rename(path: Path, raw: bytes) -> None:
    """As most editors do it. The time is one that no test run has by itself."""
    beside = path.with_suffix(".tmp")
    beside.write_bytes(raw)
    os.utime(beside, ns=(SAVED_NS, SAVED_NS))
    os.replace(beside, path)


def until_halted(home: Home) -> None:
    """Until the executor says that it is; the test's own time limit is the bound."""
    while "halt" not in home.file(EXECUTOR_STATE).read_text():
        time.sleep(0.01)


def test_an_edit_by_rename_is_told_with_its_owner_time_and_both_values(home: Home) -> None:
    """Noticed while it runs; then an edit of vault.json while nobody runs, noticed by the next start."""
    daemon = start(home)
    try:
        wait_for(home, "fill")
        saved_by_rename(home.file(OVERLAY), HALT)
        wait_for(home, "control.edited")
        until_halted(home)
    finally:
        daemon.terminate()
        assert daemon.wait(20) == 0
        daemon.communicate()
    me = os.getuid()
    (told,) = edits(home)
    terminals = told.pop("terminals")
    assert terminals is None or isinstance(terminals, str)
    assert told == {
        "what": "overlay", "seen": told["seen"], "before": sha256(ALL_CLEAR), "after": sha256(HALT), "more": 0,
        "changes": [["full_halt", "false", None], ["full_halt.by", None, '"(a name)"'],
                    ["full_halt.enabled", None, "true"], ["full_halt.reason", None, '"enough"']],
        "noticed": "running", "by": "R. Example", "uid": str(me), "user": pwd.getpwuid(me).pw_name,
        "mtime": SAVED_NS // 1_000_000}
    vaults = json.loads(home.file(VAULTS).read_bytes())
    vaults["vaults"][0]["label"] = "Heart"
    saved_by_rename(home.file(VAULTS), document(vaults))
    daemon = start(home)
    try:
        while json.loads(home.file(EXECUTOR_STATE).read_bytes())["pid"] != daemon.pid:  # it has made a step
            time.sleep(0.01)
    finally:
        daemon.terminate()
        assert daemon.wait(20) == 0
        daemon.communicate()
    later = edits(home)[1]
    assert (later["what"], later["noticed"], later["changes"]) == (
        "vaults", "at a start", [["vaults.V_CORE.label", '"Core"', '"Heart"']])


AFTER = {"gone": "cannot be opened", "a folder": "not a regular file", "half a file": sha256(HALT[:40])}


@pytest.mark.parametrize("last", AFTER)
def test_a_halt_holds_whatever_becomes_of_the_file_afterwards(home: Home, last: str) -> None:
    """Removed, replaced by a folder or torn right after the save: nobody can be named for it, and nothing leaves."""
    daemon = start(home)
    try:
        wait_for(home, "fill")
        path = home.file(OVERLAY)
        saved_by_rename(path, HALT)
        path.unlink()
        if last == "a folder":
            path.mkdir()
        elif last == "half a file":
            path.write_bytes(HALT[:40])
        while not any(AFTER[last] in told["after"] for told in edits(home)):
            time.sleep(0.01)
        until_halted(home)
        assert daemon.poll() is None
    finally:
        daemon.terminate()
        assert daemon.wait(20) == 0
        daemon.communicate()
    told = next(told for told in edits(home) if AFTER[last] in told["after"])
    assert told["uid"] == (None if last == "gone" else str(os.getuid()))
    assert kinds(home).count("order.submitting") == 1
