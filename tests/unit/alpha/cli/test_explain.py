"""`vanta explain` as a person and a script call it: graph, page, places, and what it says when it cannot tell."""

from contextlib import closing
from pathlib import Path

import pytest

from tests.unit.alpha.cli.test_commands import Capture, call, first_id, told
from tests.unit.alpha.core.test_graph import drawn
from tests.unit.alpha.core.test_graph import read as read_dot
from tests.unit.alpha.core.test_page import read as read_page
from vanta.alpha.cli import explain
from vanta.common.events import Kind
from vanta.common.paths import CONTROL_LOG, TRADE_LOG, Home
from vanta.common.store.journal import FileJournal


def test_graph_and_page_of_a_lived_order(lived: Home, tmp_path: Path, capsys: Capture) -> None:
    """Graphviz text alone on stdout; the page where it was asked for, or on stdout; the same status as without."""
    order = first_id(lived, "fill", "order_id")
    assert call(explain.app, order, "--home", lived.root, "--dot") == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert len(read_dot(shown.out)[0]) > 10
    assert "fences passed" in shown.out
    target = tmp_path / "why.html"
    target.write_text("before")
    assert call(explain.app, order, "--home", lived.root, "--html", target) == 0
    assert f"the page is in {target}" in capsys.readouterr().out
    assert order in "".join(read_page(target.read_text()).words)
    assert call(explain.app, order, "--home", lived.root, "--html", "-") == 0
    printed = capsys.readouterr().out
    assert printed.startswith("<!doctype html>")
    assert read_page(printed).tags == read_page(target.read_text()).tags


def test_graphviz_draws_a_lived_order(lived: Home, capsys: Capture) -> None:
    """What is printed is what Graphviz takes."""
    assert call(explain.app, first_id(lived, "fill", "order_id"), "--home", lived.root, "--dot") == 0
    assert "<svg" in drawn(capsys.readouterr().out)


@pytest.mark.parametrize("given", [("--json", "--dot"), ("--dot", "--html", "x.html"), ("--json", "--html", "-")])
def test_one_form_at_a_time(lived: Home, given: tuple[str, ...], capsys: Capture) -> None:
    """Two of them are a mistake of usage, whatever is asked about."""
    assert call(explain.app, "nothing", "--home", lived.root, *given) == 2
    shown = capsys.readouterr()
    assert "--json, --dot and --html exclude each other" in shown.out + shown.err


def test_the_page_goes_nowhere_among_the_state(copied: Home, tmp_path: Path, capsys: Capture) -> None:
    """Not over a log, not through a link, not onto a folder; nothing is written then."""
    order, log = first_id(copied, "fill", "order_id"), copied.file(TRADE_LOG)
    before = log.read_bytes()
    (tmp_path / "link").symlink_to(copied.memory)
    for target in (log, tmp_path / "link" / "why.html", copied.config / "why.html", tmp_path):
        assert call(explain.app, order, "--home", copied.root, "--html", target) == 2
    assert "lies among the files of the home" in capsys.readouterr().err
    assert log.read_bytes() == before
    assert not (copied.memory / "why.html").exists()
    assert call(explain.app, order, "--home", copied.root, "--html", tmp_path / "no" / "folder" / "x.html") == 78


def test_a_record_is_explained_by_its_place(lived: Home, capsys: Capture) -> None:
    """As other messages name it, with and without the ending; a number that is not there says where the log ends."""
    log = list(FileJournal(lived.file(TRADE_LOG)).read())
    refused = next(record for record in log if record.kind == "intent.refused")
    assert call(explain.app, f"trade_log:{refused.seq}", "--home", lived.root) == 0
    short = capsys.readouterr().out
    assert "refused for good, because" in short
    assert call(explain.app, f"trade_log.jsonl:{refused.seq}", "--home", lived.root) == 0
    assert capsys.readouterr().out == short
    assert call(explain.app, f"trade_log:{refused.seq}", "--home", lived.root, "--json") == 0
    said = told(capsys)
    assert (said["id"], said["explanation"]["place"]) == (f"trade_log:{refused.seq}",) * 2
    assert call(explain.app, "trade_log:99999", "--home", lived.root) == 1
    assert f"What can be read of trade_log.jsonl are trade_log:1 to trade_log:{len(log)}." in capsys.readouterr().err
    assert call(explain.app, "control_log:1", "--home", lived.root) == 1
    assert f"There are no records in {CONTROL_LOG}" in capsys.readouterr().err
    assert call(explain.app, "vault.json:1", "--home", lived.root) == 1
    assert "A record is named as in trade_log:345" in capsys.readouterr().err


def test_a_control_is_found_by_the_beginning_of_its_hash(lived: Home, capsys: Capture) -> None:
    """As the record and the status show it; a change in its own log is found by its place."""
    seen = next(record for record in FileJournal(lived.file(TRADE_LOG)).read()
                if record.kind == Kind.CONTROL_SEEN and record.payload["what"] == "overlay")
    digest = seen.payload["sha256"]
    assert call(explain.app, digest[:8], "--home", lived.root) == 0
    assert f"vault_overlay.json was in the version {digest[:12]}" in capsys.readouterr().out
    assert call(explain.app, digest, "--home", lived.root) == 0
    assert call(explain.app, digest[:7], "--home", lived.root) == 1
    assert "at least 8 characters" in capsys.readouterr().err


def test_a_tool_s_entry_is_explained_by_its_place(copied: Home, capsys: Capture) -> None:
    """Of a log that the executor never reads."""
    with closing(FileJournal(copied.file(CONTROL_LOG))) as journal:
        journal.append(Kind.CONTROL_CHANGED, {"what": "permit", "before": "present", "after": "absent", "by": "ann",
                                              "reason": "drill", "account": "ops"}, at="2026-11-18T15:00:00.000Z")
    assert call(explain.app, "control_log:1", "--home", copied.root) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("ann changed dispatch.permit from present to absent at 2026-11-18 15:00:00 UTC")
    assert "The reason given: drill." in shown


def test_a_list_of_candidates_says_what_each_is(lived: Home, capsys: Capture) -> None:
    """So that nobody has to try them one by one; a long list ends with how many more there are."""
    order = first_id(lived, "fill", "order_id")
    assert call(explain.app, order[:8], "--home", lived.root) == 2
    shown = capsys.readouterr().err
    assert "  buy equity:" in shown
    signals = [line for line in shown.splitlines() if line.startswith("    ")]
    assert len(signals) <= 21
    if len(signals) == 21:
        assert " more" in signals[-1]


def test_warnings_go_to_stderr_and_onto_the_page(copied: Home, tmp_path: Path, capsys: Capture) -> None:
    """A broken document is a gap in every form."""
    order = first_id(copied, "fill", "order_id")
    copied.file("trade_signals.json").write_bytes(b"{")
    assert call(explain.app, order, "--home", copied.root, "--dot") == 0
    shown = capsys.readouterr()
    assert "trade_signals.json" in shown.err
    read_dot(shown.out)
    assert call(explain.app, order, "--home", copied.root, "--html", tmp_path / "x.html") == 0
    assert "Not everything could be read" in (tmp_path / "x.html").read_text()
