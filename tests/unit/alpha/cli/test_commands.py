"""The reading commands as a person and a script call them: what they print, and the status they end with."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer

from tests.unit.alpha.homes import whole
from tests.unit.executor.world import ALL_CLEAR
from vanta.alpha.cli import diagnostics, explain, overlay, replay, verify
from vanta.common.cli import main
from vanta.common.paths import OVERLAY, TRADE_LOG, VAULTS, Home
from vanta.common.store.journal import FileJournal
from vanta.common.store.lock import FileLock
from vanta.common.times import parse_iso

NOW = "2026-11-18T15:02:10Z"
Capture = pytest.CaptureFixture[str]


def call(app: typer.Typer, *arguments: object, check: bool = False) -> int:
    """Run a command line and return its exit status."""
    return main(app, program="vanta x", arguments=[str(one) for one in arguments], check=check)


def told(capsys: Capture) -> Any:
    """The one JSON document on stdout."""
    return orjson.loads(capsys.readouterr().out)


def first_id(home: Home, kind: str, name: str) -> str:
    """An id from the first record of a kind."""
    return next(record.ids[name] for record in FileJournal(home.file(TRADE_LOG)).read() if record.kind == kind)


# verify

def test_verify_ends_with_0_only_if_everything_verifies(lived: Home, copied: Home, tmp_path: Path,
                                                        capsys: Capture) -> None:
    """0 for a whole home, 2 for a changed one, 3 for an empty one, for no home at all and for a mistyped option."""
    assert call(verify.app, "--home", lived.root, check=True) == 0
    assert "OK: everything verifies" in capsys.readouterr().out
    copied.file(TRADE_LOG).write_bytes(copied.file(TRADE_LOG).read_bytes()[:-5])
    assert call(verify.app, "--home", copied.root, "--json", check=True) == 2
    said = told(capsys)
    assert (said["ok"], said["outcome"], said["schema"]) == (False, "CRITICAL", "vanta.verify/1")
    assert any("torn" in one["text"] and one["line"] for one in said["findings"])
    assert call(verify.app, "--home", Home(tmp_path / "new").prepare().root, check=True) == 3
    assert call(verify.app, "--home", tmp_path / "none", check=True) == 3
    assert call(verify.app, "--bogus", check=True) == 3


def test_verify_takes_single_files(lived: Home, capsys: Capture) -> None:
    """Each by itself; a file that is none of ours is a usage error."""
    assert call(verify.app, lived.file(TRADE_LOG), lived.file("vault.json"), check=True) == 0
    assert call(verify.app, "/etc/hostname", check=True) == 3


# replay

def test_replay_ends_with_0_1_or_3(lived: Home, copied: Home, tmp_path: Path, capsys: Capture) -> None:
    """Equal, different with the first difference by name, nothing to replay."""
    assert call(replay.app, "--home", lived.root) == 0
    assert "EQUAL" in capsys.readouterr().out
    path = copied.file("portfolio.json")
    path.write_bytes(path.read_bytes().replace(b'"account":"paper"', b'"account":"papyr"', 1))
    assert call(replay.app, "--home", copied.root) == 1
    shown = capsys.readouterr()
    assert "portfolio.json" in shown.out
    assert "accounts.0.account" in shown.err
    assert call(replay.app, "--home", copied.root, "--json") == 1
    assert told(capsys)["differences"][0]["field"] == "accounts.0.account"
    assert call(replay.app, "--home", Home(tmp_path / "new").prepare().root) == 3
    assert call(replay.app, "--bogus") == 2


def test_replay_ends_with_3_if_an_input_is_gone(copied: Home, capsys: Capture) -> None:
    """Neither equal nor different."""
    for path in copied.snapshots.rglob("*.zst"):
        path.unlink()
    assert call(replay.app, "--home", copied.root, "--json") == 3
    assert told(capsys)["missing"]


def test_replay_takes_a_span_or_a_cycle(lived: Home, copied: Home, capsys: Capture) -> None:
    """And says which; what does not exist is a usage error with a hint."""
    dag = next(one.dag_id for one in FileJournal(lived.file("reflection_log.jsonl")).read() if one.dag_id)
    assert call(replay.app, "--home", lived.root, "--dag", dag, "--json") == 0
    said = told(capsys)
    assert said["scope"] == {"from": None, "to": None, "dag": dag}
    assert said["checked"]["reflected"] == 1
    assert call(replay.app, "--home", lived.root, "--from", "2026-11-18", "--to", "2026-11-18T15:02:00Z", "--json") == 0
    said = told(capsys)
    assert said["scope"] == {"from": "2026-11-18T00:00:00.000Z", "to": "2026-11-18T15:02:00.000Z", "dag": None}
    assert call(replay.app, "--home", lived.root, "--from", "2030-01-01", "--to", "2031-01-01") == 3
    assert "NOTHING REPLAYED" in capsys.readouterr().out
    assert call(replay.app, "--home", lived.root, "--dag", "dag1_none") == 2
    assert "vanta explain ID" in capsys.readouterr().err
    assert call(replay.app, "--home", lived.root, "--from", "2026-11-19", "--to", "2026-11-19") == 2
    assert "Give a --to after --from" in capsys.readouterr().err


def test_replay_prints_what_depends_on_the_home_alone(lived: Home, tmp_path: Path, capsys: Capture) -> None:
    """No clock is asked: twice the same bytes, dated like the newest record."""
    newest = max(one.at for name in ("collection_log.jsonl", "reflection_log.jsonl", "promotion_log.jsonl",
                                     "trade_log.jsonl") for one in FileJournal(lived.file(name)).read())
    assert call(replay.app, "--home", lived.root, "--json") == 0
    first = capsys.readouterr().out
    assert orjson.loads(first)["generated_at"] == newest
    assert call(replay.app, "--home", lived.root, "--json") == 0
    assert capsys.readouterr().out == first
    assert call(replay.app, "--home", Home(tmp_path / "new").prepare().root, "--json") == 3
    assert told(capsys)["generated_at"] == "1970-01-01T00:00:00.000Z"


# explain

def test_explain_follows_every_kind_of_id(lived: Home, capsys: Capture) -> None:
    """Fill, order, intent, conviction and signal of a lived home, from raw payload to fill."""
    order = first_id(lived, "fill", "order_id")
    intent = first_id(lived, "fill", "intent_id")
    conviction = first_id(lived, "fill", "signal_id")
    assert call(explain.app, order, "--home", lived.root) == 0
    text = capsys.readouterr().out
    for fact in (order, intent, conviction, "sig1_", "kept in the snapshot store", "bp of the NAV", "gateway passed",
                 "the venue took the order", "fill "):
        assert fact in text
    assert "no longer in" not in text
    for name in (f"{order}-f1", intent, conviction):
        assert call(explain.app, name, "--home", lived.root) == 0
        assert order in capsys.readouterr().out or name == conviction
    signal = next(word for word in text.split() if word.startswith("sig1_"))
    assert call(explain.app, signal, "--home", lived.root, "--json") == 0
    tree = told(capsys)["explanation"]
    assert (tree["kind"], tree["id"]) == ("signal", signal)
    assert {part["kind"] for part in tree["because"]} >= {"raw", "intent"}


def test_explain_takes_a_beginning_and_lists_what_it_could_mean(lived: Home, capsys: Capture) -> None:
    """One thing is explained, several are listed, none is a hint."""
    intent = first_id(lived, "fill", "intent_id")
    assert call(explain.app, intent[:14], "--home", lived.root) == 0
    assert intent in capsys.readouterr().out
    order = first_id(lived, "fill", "order_id")
    assert call(explain.app, order[:8], "--home", lived.root) == 2
    listed = capsys.readouterr().err  # a long list is cut, so only that it holds orders of this home is certain
    assert f"{order[:8]}' can mean " in listed
    assert listed.count(f"    {order[:8]}") >= 2
    assert call(explain.app, "in1_", "--home", lived.root) == 1
    assert "at least 8 characters" in capsys.readouterr().err
    assert call(explain.app, "in1_nosuchthing", "--home", lived.root, "--json") == 1
    assert "nothing here is called" in told(capsys)["error"]


def test_explain_finds_a_signal_of_an_earlier_file(copied: Home, capsys: Capture) -> None:
    """What has left the current feed files and was never traded is looked for in their earlier versions."""
    raw = orjson.loads(copied.file("crypto_signals.json").read_bytes())
    name = raw["signals"][0]["id"]
    copied.file("crypto_signals.json").unlink()
    copied.file("trade_signals.json").unlink()
    copied.file(TRADE_LOG).unlink()
    assert call(explain.app, name[:20], "--home", copied.root) == 0
    assert "kept in the snapshot store" in capsys.readouterr().out
    assert call(explain.app, "sig1_" + "z" * 26, "--home", copied.root) == 1


def test_explain_goes_on_with_what_it_can_read(copied: Home, capsys: Capture) -> None:
    """A broken log and an unreadable document are warnings; what comes before is still explained."""
    intent = first_id(copied, "intent.seen", "intent_id")
    path = copied.file(TRADE_LOG)
    path.write_bytes(path.read_bytes().replace(b'"kind":"order.accepted"', b'"kind":"order.accepter"', 1))
    copied.file("trade_signals.json").write_bytes(b"{")
    assert call(explain.app, intent, "--home", copied.root) == 0
    shown = capsys.readouterr()
    assert intent in shown.out
    assert "trade_log.jsonl" in shown.err
    assert "trade_signals.json" in shown.err


# overlay check

@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A place for an overlay."""
    return tmp_path / "overlay.json"


def with_(**switches: Any) -> bytes:
    """All clear but for these."""
    return orjson.dumps({**orjson.loads(ALL_CLEAR), **switches})


BYTES: dict[str, tuple[bytes, int, str]] = {
    "all clear": (ALL_CLEAR, 0, "permit an order"),
    "long spelling": (with_(full_halt={"enabled": False, "reason": "over"}), 0, "permit an order"),
    "maintenance": (with_(maintenance=True), 5, "halt.maintenance"),
    "orders disabled": (with_(orders_disabled=True), 5, "halt.orders_disabled"),
    "calls disabled": (with_(external_calls_disabled=True), 5, "halt.external_calls_disabled"),
    "full halt": (with_(full_halt={"enabled": True, "reason": "drill", "by": "ann"}), 5, "drill (by ann)"),
    "reduce only": (with_(reduce_only=True), 5, "halt.reduce_only"),
    "maintenance that is over": (with_(maintenance={"enabled": True, "until": "2026-11-18T15:00:00.000Z"}), 0,
                                 "permit an order"),
    "a halt does not end by itself": (with_(full_halt={"enabled": True, "until": "2026-11-18T15:00:00.000Z"}), 5,
                                      "halt.full_halt"),
    "maintenance that is not over": (with_(maintenance={"enabled": True, "until": "2026-11-18T16:00:00.000Z"}), 5,
                                     "halt.maintenance"),
    "a missing switch": (b'{"maintenance": false}', 5, "orders_disabled"),
    "a key twice": (ALL_CLEAR[:-1] + b', "full_halt": true}', 5, "duplicate key"),
    "a key twice by escape": (ALL_CLEAR[:-1] + b', "full\\u005fhalt": true}', 5, "duplicate key"),
    "text for a boolean": (with_(full_halt="false"), 5, "full_halt"),
    "nought for a boolean": (with_(full_halt=0), 5, "full_halt"),
    "null for a boolean": (with_(full_halt=None), 5, "full_halt"),
    "an unknown switch": (with_(ful_halt=True), 5, "did you mean 'full_halt'"),
    "half written": (ALL_CLEAR[:40], 5, "not JSON"),
    "something behind": (ALL_CLEAR + b"x", 5, "not JSON"),
    "empty": (b"", 5, "empty"),
    "nulls": (b"\x00" * 50, 5, "not JSON"),
    "a mark at the front": (b"\xef\xbb\xbf" + ALL_CLEAR, 5, "byte-order mark"),
    "wide characters": (ALL_CLEAR.decode().encode("utf-16"), 5, "UTF-8"),
    "no object": (b"[]", 5, "object"),
    "too large": (ALL_CLEAR + b" " * 300_000, 5, "bytes"),
    "deeply nested": (b"[" * 5000, 5, "nested"),
    "a scope without a home": (with_(scopes={"vault": {"V_CORE": {"full_halt": False}}}), 5, "unknown: vault V_CORE"),
}


@pytest.mark.parametrize("name", BYTES)
def test_overlay_check_permits_exactly_what_the_executor_would(file: Path, tmp_path: Path, name: str,
                                                               capsys: Capture) -> None:
    """0 only for bytes that permit an order, 5 with the reason for all others; JSON ends alike."""
    raw, status, words = BYTES[name]
    file.write_bytes(raw)
    assert call(overlay.app, "check", file, "--now", NOW) == status
    assert words in capsys.readouterr().out
    assert call(overlay.app, "check", file, "--now", NOW, "--json") == status
    said = told(capsys)
    assert (said["permits"], said["ok"]) == (status == 0, status == 0)
    assert bool(said["stops"]) == (status == 5)


def test_odd_files_are_refusals_and_never_a_wait(tmp_path: Path, file: Path, capsys: Capture) -> None:
    """A link, a pipe, a folder, a device, a missing file, one that everybody may write."""
    file.write_bytes(ALL_CLEAR)
    (tmp_path / "link").symlink_to(file)
    os.mkfifo(tmp_path / "pipe")
    odd = {tmp_path / "link": "ELOOP", tmp_path / "pipe": "not a regular file", tmp_path: "not a regular file",
           Path("/dev/zero"): "not a regular file", tmp_path / "none": "ENOENT"}
    for path, why in odd.items():
        assert call(overlay.app, "check", path) == 5
        text = capsys.readouterr().out
        assert "halt.unreadable" in text
        assert why in text
    file.chmod(0o666)
    assert call(overlay.app, "check", file) == 5
    assert "written by everybody" in capsys.readouterr().out


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_foreign_owner_is_a_refusal(file: Path, capsys: Capture) -> None:
    """Whose file it is matters."""
    file.write_bytes(ALL_CLEAR)
    os.chown(file, 12345, -1)
    assert call(overlay.app, "check", file) == 5
    assert "belongs to uid 12345" in capsys.readouterr().out


def test_scopes_may_name_what_the_home_knows(lived: Home, file: Path, tmp_path: Path, capsys: Capture) -> None:
    """Vaults, brokers and instruments of the home; anything else halts. A home that is none is a usage error."""
    scopes = {"vault": {"V_CORE": {"full_halt": True}}, "broker": {"paper": {"maintenance": False}},
              "instrument": {"equity:AAPL": {"orders_disabled": True}}}
    file.write_bytes(with_(scopes=scopes))
    assert call(overlay.app, "check", file, "--home", lived.root) == 0
    assert "only in part: halt.full_halt on vault V_CORE" in capsys.readouterr().out
    for kind, name in (("vault", "V_X"), ("broker", "papre"), ("instrument", "equity:NOPE1"), ("follower", "f")):
        file.write_bytes(with_(scopes={kind: {name: {"full_halt": True}}}))
        assert call(overlay.app, "check", file, "--home", lived.root) == 5
        assert f"{kind} {name}" in capsys.readouterr().out
    assert call(overlay.app, "check", file, "--home", tmp_path / "none") == 2


def test_overlay_check_names_the_file_that_it_was_given_with_the_line(file: Path, capsys: Capture) -> None:
    """Not the name that the executor's own file has, and what an editor can jump to."""
    file.write_bytes(b'{"maintenance": false, "orders_disabled": false,\n"external_calls_disabled": false,\n'
                     b'"full_halt": "no"}')
    assert call(overlay.app, "check", file) == 5
    assert f"{file}:3 (full_halt): Input should be a valid boolean" in capsys.readouterr().out


def test_scopes_over_everything_permit_nothing(copied: Home, file: Path, capsys: Capture) -> None:
    """Both vaults of the home; one of them leaves the other open, and so it is said where vault.json cannot be read."""
    halt = {"full_halt": True}
    file.write_bytes(with_(scopes={"vault": {"V_CORE": halt}}))
    assert call(overlay.app, "check", file, "--home", copied.root) == 0
    file.write_bytes(with_(scopes={"vault": {"V_CORE": halt, "V_SWIFT": halt}}))
    assert call(overlay.app, "check", file, "--home", copied.root) == 5
    assert "scopes together stop whatever the vaults may trade" in capsys.readouterr().out
    copied.file(VAULTS).write_text("{")
    file.write_bytes(with_(scopes={"vault": {"V_CORE": halt}}))
    assert call(overlay.app, "check", file, "--home", copied.root) == 0


# diagnostics

def run(capsys: Capture, arguments: Sequence[object]) -> tuple[int, str]:
    """The console script with these arguments."""
    before = sys.argv
    sys.argv = ["vanta-diagnostics", *(str(one) for one in arguments)]
    try:
        status = diagnostics.main()
    finally:
        sys.argv = before
    return status, capsys.readouterr().out


def test_the_screen_shows_every_check_and_ends_with_0(lived: Home, capsys: Capture) -> None:
    """Feeds, reflection, dispatch, executor, queue, logs, locks, disk, each with what helps."""
    status, text = run(capsys, ["--home", lived.root, "--now", NOW])
    assert status == 0
    for words in ("dispatch", "feed sec", "feed prices", "reflection", "queue", "log trade_log", "locks", "disk",
                  "vanta executor run"):
        assert words in text
    status, text = run(capsys, ["--home", lived.root, "--now", NOW, "--json"])
    assert (status, orjson.loads(text)["schema"]) == (0, "vanta.diagnostics/1")


def test_check_ends_with_the_gravest_level(copied: Home, capsys: Capture) -> None:
    """1 while the executor is not running, 0 once it is, 2 for a stale feed, a broken overlay or a cut log."""
    news = copied.file("news_signals.json")
    news.write_bytes(news.read_bytes().replace(b'"status": "partial"', b'"status": "ok"'))
    status, text = run(capsys, ["check", "--home", copied.root, "--now", NOW])
    assert status == 1
    assert text.splitlines()[0].startswith("VANTA WARNING - executor: is not running")
    with FileLock(copied.lock("executor"), owner="executor", now=parse_iso(NOW)):
        status, text = run(capsys, ["check", "--home", copied.root, "--now", NOW])
        assert (status, text.splitlines()[0][:10]) == (0, "VANTA OK -")
        status, text = run(capsys, ["check", "--home", copied.root, "--now", "2026-11-18T18:00:00Z", "--json"])
        assert (status, orjson.loads(text)["level"]) == (2, "CRITICAL")
        copied.file(OVERLAY).write_bytes(b"{")
        status, text = run(capsys, ["check", "--home", copied.root, "--now", NOW])
        assert status == 2
        assert "dispatch" in text.splitlines()[0]
        copied.file(OVERLAY).write_bytes(ALL_CLEAR)
        rows = copied.file(TRADE_LOG).read_bytes().splitlines(keepends=True)
        copied.file(TRADE_LOG).write_bytes(b"".join(rows[:-1]))
        status, text = run(capsys, ["check", "--home", copied.root, "--now", NOW])
        assert status == 2
        assert "trade_log" in text.splitlines()[0]


def test_settings_that_do_not_parse_are_a_finding(copied: Home, capsys: Capture) -> None:
    """Diagnostics still works where every program refuses to start."""
    (copied.config / "vanta.toml").write_text("[markets]\nnonsense = 1\n")
    status, text = run(capsys, ["check", "--home", copied.root, "--now", NOW])
    assert status == 2
    assert "nonsense" in text


@pytest.mark.parametrize("arguments", [
    ["check", "--bogus"], ["chekc"], ["check", "--home", "/none"], ["--bogus"], ["--home", "/none"],
    ["--home", "/none", "--bogus"], ["--now", "soon", "check"], ["check", "--now"],
], ids=" ".join)
def test_a_mistyped_line_never_reads_as_critical(arguments: list[str], capsys: Capture) -> None:
    """Monitoring calls this program: whatever it cannot do is UNKNOWN, with `check` and without."""
    assert run(capsys, arguments)[0] == 3


def test_help_is_no_finding(capsys: Capture) -> None:
    """Asking what it does ends with 0."""
    assert run(capsys, ["--help"])[0] == 0


def test_a_whole_home_with_a_torn_commands_log_is_seen(tmp_path: Path, capsys: Capture) -> None:
    """Every journal of the home has its row."""
    home = whole(tmp_path / "var", scenes=1)
    home.file("operator_commands.jsonl").write_bytes(b'{"seq":1')
    status, text = run(capsys, ["check", "--home", home.root, "--now", NOW])
    assert status == 2
    assert "log operator_commands" in text
