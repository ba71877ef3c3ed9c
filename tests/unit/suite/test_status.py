"""`vanta-run status`: what it shows, and what it answers as a check."""

from contextlib import closing
from pathlib import Path

import orjson
import pytest

from vanta.common.canonical import document
from vanta.common.clock import SystemClock
from vanta.common.exitcodes import Check, Exit
from vanta.common.paths import EXECUTOR_STATE, OVERLAY, PNL, PORTFOLIO, TRADE_LOG, Home
from vanta.common.permit import arm
from vanta.common.settings import load
from vanta.common.store.journal import FileJournal
from vanta.common.times import iso
from vanta.suite.fixtures import fixtures
from vanta.suite.once import full_pass
from vanta.suite.progress import Progress
from vanta.suite.run import main
from vanta.suite.stage import prepare, serve


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A tree after one full pass; tests only read it."""
    home, source = Home(tmp_path_factory.mktemp("status") / "var"), fixtures("demo")
    prepare(home, source, SystemClock().now())
    serve(home, source / "feeds" / "1-opening")
    arm(home, by="ada", reason="checks are green", now=SystemClock().now())
    full_pass(home, load(home), Progress(SystemClock(), as_json=False))
    return home


def status(home: Home, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = main(["status", "--home", str(home.root), *words])
    return code, capsys.readouterr().out


def as_json(home: Home, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    value = orjson.loads(status(home, capsys, "--json")[1])
    assert isinstance(value, dict)
    return value


def test_a_home_after_a_pass(passed: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """Mode, who permitted and why, programs, risk by vault, the last decision."""
    capsys.readouterr()
    value = as_json(passed, capsys)
    assert value["mode"] == "paper"
    assert "ada" in str(value["permission"])
    assert "checks are green" in str(value["permission"])
    assert value["programs"] == "executor is not running; markets is not running"
    risk = value["risk"]
    assert isinstance(risk, list)
    assert [line.split(":")[0] for line in risk[:2]] == ["V_CORE", "V_SWIFT"]
    assert "orders at the venue" in risk[-1]
    assert "in1_" in str(value["last_decision"])


def test_it_ends_with_0_whatever_it_shows(passed: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """Only `--check` judges: no daemon runs, and that is a warning."""
    assert status(passed, capsys)[0] == Exit.DONE
    code, out = status(passed, capsys, "--check")
    assert code == Check.WARNING
    first = out.splitlines()[0]
    assert first.startswith("VANTA WARNING - ")
    assert len(first) <= 80


def test_a_mistyped_check_is_unknown_and_a_mistyped_status_is_usage(passed: Home,
                                                                    capsys: pytest.CaptureFixture[str]) -> None:
    """A typo must never read as CRITICAL."""
    assert main(["status", "--check", "--hoem", str(passed.root)]) == Check.UNKNOWN
    assert main(["statsu", "--check", "--home", str(passed.root)]) == Check.UNKNOWN
    assert main(["status", "--hoem", str(passed.root)]) == Exit.USAGE
    assert main(["once", "--check", "--home", str(passed.root)]) == Exit.USAGE
    assert main(["status", "--check", "--home", "/nonexistent"]) == Check.UNKNOWN


def test_a_fresh_home_is_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing ran, nothing is known; never OK."""
    home = Home(tmp_path / "home").prepare()
    assert status(home, capsys, "--check")[0] in (Check.UNKNOWN, Check.CRITICAL)
    value = as_json(home, capsys)
    assert value["permission"] == "it was never permitted here"
    assert value["last_decision"] == "none yet"
    assert value["risk"] == ["nothing is held: the executor has not run here yet"]


def test_a_kill_is_told_with_author_and_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After a kill the screen says who did it, when and why; a broken configuration does not hide it."""
    home = Home(tmp_path / "home").prepare()
    main(["release", "--home", str(home.root), "--scope", "global", "--confirm", "global", "--reason", "start",
          "--by", "ada"])
    main(["kill", "--home", str(home.root), "--reason", "odd fills", "--by", "ben"])
    (home.config / "vanta.toml").write_text("= broken")
    capsys.readouterr()
    value = as_json(home, capsys)
    assert str(value["permission"]).startswith("stopped by ben at ")
    assert str(value["permission"]).endswith(": odd fills")
    assert str(value["mode"]).startswith("unknown")
    assert main(["status", "--check", "--home", str(home.root)]) == Check.CRITICAL


def test_a_halt_of_the_overlay_is_told_with_its_reason(passed: Home, tmp_path: Path,
                                                       capsys: pytest.CaptureFixture[str]) -> None:
    """full_halt with reason and by stands in the dispatch line."""
    home = Home(tmp_path / "home").prepare()
    switches = dict.fromkeys(("maintenance", "orders_disabled", "external_calls_disabled"), False)
    home.file(OVERLAY).write_bytes(orjson.dumps(
        switches | {"full_halt": {"enabled": True, "reason": "fire drill", "by": "ben"}}))
    out = status(home, capsys)[1]
    assert "fire drill (by ben)" in next(line for line in out.splitlines() if line.startswith("dispatch"))


def latched(folder: Path, *, in_the_log: bool) -> Home:
    """A home whose switches are open and whose permit is there, and whose executor latched itself."""
    home, latch = Home(folder / "home").prepare(), {"latch_id": "latch_1", "detail": "the log failed", "vault": None}
    home.file(OVERLAY).write_bytes(orjson.dumps(dict.fromkeys(
        ("maintenance", "orders_disabled", "external_calls_disabled", "full_halt"), False)))
    now = SystemClock().now()
    arm(home, by="ada", reason="start", now=now)
    with closing(FileJournal(home.file(TRADE_LOG))) as log:
        log.append("journal.opened", {"home": "x"}, at=iso(now))
        if in_the_log:
            log.append("latch.set", latch, at=iso(now))
    home.file(EXECUTOR_STATE).write_bytes(orjson.dumps(
        {"heartbeat_at": iso(now), "as_of_seq": 1, "as_of_hash": "", "dispatch": "open" if in_the_log else "latched",
         "latches": [] if in_the_log else [latch]}))
    return home


@pytest.mark.parametrize("in_the_log", [False, True], ids=["published", "only in the log"])
def test_nothing_may_leave_under_a_latch(tmp_path: Path, capsys: pytest.CaptureFixture[str], in_the_log: bool) -> None:
    """However open the switches are, the headline and the screen say that the executor latched itself."""
    home = latched(tmp_path, in_the_log=in_the_log)
    code, out = status(home, capsys, "--check")
    assert code == Check.CRITICAL
    assert out.startswith("VANTA CRITICAL - dispatch: latched: the log")
    lines = out.splitlines()
    assert "latched: the log failed" in next(line for line in lines if line.startswith("dispatch"))
    assert "the executor latched itself: the log failed; permitted by ada" in out
    assert "orders may leave" not in out
    assert "--latch latch_1" in out


def test_amounts_that_nobody_knows_are_not_zero(passed: Home, tmp_path: Path,
                                                capsys: pytest.CaptureFixture[str]) -> None:
    """A position without a mark makes gross and NAV unknown."""
    home = Home(tmp_path / "home").prepare()
    home.file("portfolio.json").write_bytes(orjson.dumps({"vaults": [
        {"vault_id": "V_X", "currency": "USD", "nav": None, "positions": [{"value": "10"}, {"value": None}]}]}))
    risk = as_json(home, capsys)["risk"]
    assert risk == ["V_X: 2 positions worth unknown of NAV unknown USD"]


def alert(journal: FileJournal, at: str, level: int, about: str = "V_CORE exposure") -> None:
    journal.append("alert", {"about": about, "level": level, "value": "0.04", "limit": "0.05"}, at=at)


def test_the_newest_alerts_of_today_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ten at most, the newest first; not those of yesterday, nor that a level was left again."""
    home = Home(tmp_path / "home").prepare()
    today, now = "2026-03-04", ("--now", "2026-03-04T12:00:00Z")
    with closing(FileJournal(home.file(TRADE_LOG))) as journal:
        alert(journal, "2020-01-01T23:59:59.000Z", 50)
        for number in range(12):
            alert(journal, f"{today}T00:00:{number:02}.000Z", 80)
        alert(journal, f"{today}T00:01:00.000Z", 0)
        alert(journal, f"{today}T00:01:01.000Z", 50, "house drawdown")
    home.file(PORTFOLIO).write_bytes(document({"vaults": [{"vault_id": "V_CORE", "positions": []}]}))
    rows = orjson.loads(status(home, capsys, "--json", *now)[1])["alerts"]
    assert (len(rows), rows[0]["vault"], rows[0]["about"], rows[1]["vault"]) == (10, None, "house drawdown", "V_CORE")
    assert rows[-1]["at"] == f"{today}T00:00:03.000Z"
    lines = status(home, capsys, *now)[1].splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("alerts today"))
    assert lines[at].split(maxsplit=2)[2] == "00:01:01 house drawdown: 50 % of its limit are used, 0.04 of 0.05"
    assert lines[at + 1].strip() == "00:00:11 V_CORE exposure: 80 % of its limit are used, 0.04 of 0.05"


def test_the_last_day_is_shown_in_a_line_a_currency(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """NAV, what was made, what the benchmark gives, the verdict; what is unknown is called so."""
    home = Home(tmp_path / "home").prepare()
    assert as_json(home, capsys)["last_day"] == []
    row = {"day": "2026-11-26", "since": "2026-11-25", "currency": "USD", "nav": "100012.34", "pnl": "12.34",
           "benchmark": "equity:SPY", "benchmark_nav": "100001", "ahead": "11.34", "verdict": "ahead"}
    blind = {**row, "since": None, "currency": "EUR", "nav": None, "pnl": None, "benchmark_nav": None, "ahead": None,
             "verdict": "a position has no mark"}
    first = {**blind, "currency": "GBP", "nav": "5", "pnl": "-1", "verdict": "benchmark has no price"}
    home.file(PNL).write_bytes(document({"last_day": [row, blind, first]}))
    lines = status(home, capsys)[1].splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("last day"))
    assert [line.removeprefix("last day").strip() for line in lines[at:at + 3]] == [
        "2026-11-26: NAV 100,012.34 USD, +12.34 since 2026-11-25; equity:SPY gives 100,001.00, +11.34: ahead",
        "2026-11-26: NAV unknown: a position has no mark",
        "2026-11-26: NAV 5.00 GBP, -1.00 since the beginning: benchmark has no price"]


def test_books_that_differ_are_said_as_what_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not as a share of a limit."""
    home = Home(tmp_path / "home").prepare()
    with closing(FileJournal(home.file(TRADE_LOG))) as journal:
        alert(journal, "2026-03-04T00:00:00.000Z", 100, "house books")
    out = status(home, capsys, "--now", "2026-03-04T12:00:00Z")[1]
    assert "house books: what was counted in two ways differs by 0.04: a defect" in out
