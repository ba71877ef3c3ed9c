"""`vanta report` as a person and a script call it."""

from collections.abc import Callable
from pathlib import Path

from tests.unit.alpha.cli.test_commands import Capture, call, told
from tests.unit.alpha.core.test_page import read as read_page
from vanta.alpha.cli import report
from vanta.common.exitcodes import Exit
from vanta.common.paths import TRADE_LOG, Home


def test_the_page_goes_where_it_was_asked_for(copied: Home, tmp_path: Path, capsys: Capture) -> None:
    """Into build/ of the home by default, into a file, onto stdout; over the one before."""
    assert call(report.app, "--home", copied.root) == 0
    first = copied.root / "build" / "report.html"
    shown = capsys.readouterr().out
    assert f"the page is in {first}" in shown
    assert first.resolve().as_uri() in shown
    target = tmp_path / "deep" / "report.html"
    for _ in range(2):
        assert call(report.app, "--home", copied.root, "--out", target) == 0
    assert read_page(target.read_text()).tags == read_page(first.read_text()).tags
    capsys.readouterr()
    assert call(report.app, "--home", copied.root, "--out", "-") == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("<!doctype html>")
    assert printed.out.endswith("</html>\n")
    assert printed.err == ""


def test_json_says_where_and_what_is_missing(copied: Home, tmp_path: Path, capsys: Capture) -> None:
    """One document on stdout; its address, and how large it is."""
    target = tmp_path / "report.html"
    assert call(report.app, "--home", copied.root, "--out", target, "--json") == 0
    body = told(capsys)
    assert (body["schema"], body["page"], body["problems"]) == ("vanta.report/1", str(target), [])
    assert body["bytes"] == target.stat().st_size
    assert body["url"] == target.as_uri()


def test_a_home_that_could_not_be_read_whole_ends_with_3(
        copied: Home, rewrite: Callable[[str, bytes, bytes], None], tmp_path: Path, capsys: Capture) -> None:
    """The page is made all the same, and both say what is missing."""
    rewrite(TRADE_LOG, b'"kind":"day.opened"', b'"kind":"day.opener"')
    target = tmp_path / "report.html"
    assert call(report.app, "--home", copied.root, "--out", target) == Exit.PARTIAL
    assert "what comes before it is shown" in capsys.readouterr().err
    assert "what comes before it is shown" in target.read_text()
    assert call(report.app, "--home", copied.root, "--out", "-") == Exit.PARTIAL
    assert "what comes before it is shown" in capsys.readouterr().err


def test_settings_that_cannot_be_read_are_a_gap(copied: Home, tmp_path: Path, capsys: Capture) -> None:
    """Defaults stand in for them, and the page says so."""
    (copied.config / "vanta.toml").write_text("[markets\n")
    target = tmp_path / "report.html"
    assert call(report.app, "--home", copied.root, "--out", target) == Exit.PARTIAL
    assert "defaults stand in for the settings" in target.read_text()
    assert "defaults stand in for the settings" in capsys.readouterr().err


def test_it_writes_nowhere_among_the_state(copied: Home, tmp_path: Path, capsys: Capture) -> None:
    """Not over a log, not into a folder, not without a home."""
    before = copied.file(TRADE_LOG).read_bytes()
    for target in (copied.file(TRADE_LOG), copied.config / "report.html", tmp_path):
        assert call(report.app, "--home", copied.root, "--out", target) == Exit.USAGE
    assert "--out report.html" in capsys.readouterr().err
    assert copied.file(TRADE_LOG).read_bytes() == before
    assert call(report.app, "--home", tmp_path / "none") == Exit.USAGE
