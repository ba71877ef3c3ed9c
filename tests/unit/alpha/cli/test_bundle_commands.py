"""`vanta audit export | import | verify` as a person and a script call them."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.unit.alpha.bundles import members
from tests.unit.alpha.people import peopled
from vanta.alpha.exporter import Asked, export
from vanta.alpha.keys import listed
from vanta.common.exitcodes import Check, Exit
from vanta.common.paths import MANIFEST, TRADE_LOG, Home
from vanta.common.signatures import KEYS, fingerprint
from vanta.suite.dispatch import main

Capture = pytest.CaptureFixture[str]


def call(*words: object) -> int:
    """Run `vanta` and return its exit status."""
    return main([str(word) for word in words])


def told(capsys: Capture) -> Any:
    """The one JSON document on stdout."""
    return orjson.loads(capsys.readouterr().out)


def test_from_one_host_to_another(copied: Home, tmp_path: Path, capsys: Capture) -> None:
    """Exported, checked with the key that was told, laid out, checked again there."""
    file, there = tmp_path / "records.zip", tmp_path / "there"
    key = listed(copied)[0]
    assert call("audit", "export", "--home", copied.root, "--out", file) == 0
    out = capsys.readouterr().out
    assert f"signed with {fingerprint(key)}" in out
    assert "16 values of logs withheld, 0 snapshots redacted, 0 left out" in out
    assert call("audit", "verify", file, "--key", fingerprint(key).upper()) == 0
    assert "OK: everything verifies, and the key that you know vouches for it" in capsys.readouterr().out
    assert call("audit", "verify", file) == Check.UNKNOWN
    assert "nobody has said that" in capsys.readouterr().out
    assert call("audit", "import", file, "--home", there, "--key", key) == 0
    assert call("verify", "--home", there) == 0
    capsys.readouterr()
    assert call("audit", "import", file, "--home", there) == Check.UNKNOWN
    assert call("replay", "--home", there) == call("replay", "--bundle", file) == 0
    assert capsys.readouterr().out.count("EQUAL: all") == 2
    assert call("markets", "collect", "sec", "--home", there) != 0
    assert "was laid out from an audit bundle" in capsys.readouterr().err


def test_what_was_changed_ends_with_2_and_what_is_no_key_with_3(copied: Home, tmp_path: Path, capsys: Capture) -> None:
    """A damaged file, a file that is not there, a key of nobody, a mistyped one."""
    file = tmp_path / "records.zip"
    assert call("audit", "export", "--home", copied.root, "--out", file) == 0
    raw = file.read_bytes()
    file.write_bytes(raw[:500] + b"?" + raw[501:])
    capsys.readouterr()
    assert call("audit", "verify", file, "--json") == Check.CRITICAL
    said = told(capsys)
    assert (said["outcome"], said["ok"], said["findings"][0]["file"]) == ("CRITICAL", False, "records.zip")
    assert "it was damaged" in said["findings"][0]["text"]
    file.write_bytes(raw)
    assert call("audit", "verify", tmp_path / "none.zip") == Check.UNKNOWN
    assert call("audit", "verify", file, "--key", "aaaa-bbbb") == Check.UNKNOWN
    assert "is no fingerprint" in capsys.readouterr().err
    other = fingerprint("A" * 43 + "=")
    assert call("audit", "verify", file, "--key", other) == Check.CRITICAL
    assert f"does not name {other}" in capsys.readouterr().out
    assert call("audit", "verify", file, "--key", "x=") == Check.UNKNOWN


def test_export_says_what_it_did(copied: Home, tmp_path: Path, capsys: Capture) -> None:
    """As one document; times as people write them; the home's own faults; nothing is written over."""
    file = tmp_path / "records.zip"
    words = ("audit", "export", "--home", copied.root, "--out", file)
    assert call(*words, "--from", "2026-11-18T16:00:00+01:00", "--to", "2026-11-19", "--by", "ann", "--json",
                "--now", "2026-11-20T00:00:00Z", "--without-payloads") == 0
    said = told(capsys)
    assert (said["schema"], said["file"], said["withheld"]) == ("vanta.audit.export/1", str(file), 16)
    assert said["bytes"] == file.stat().st_size
    made = orjson.loads(members(file)[MANIFEST])
    assert [made[name] for name in ("since", "until", "made_at", "made_by", "payloads")] == [
        "2026-11-18T15:00:00.000Z", "2026-11-19T00:00:00.000Z", "2026-11-20T00:00:00.000Z", "ann", "left out"]
    assert call(*words) == Check.UNKNOWN
    assert "exists" in capsys.readouterr().err
    assert call(*words, "--from", "2026-11-20", "--to", "2026-11-19") == Check.UNKNOWN
    assert "--from is later than --to" in capsys.readouterr().err
    file.unlink()
    copied.file(TRADE_LOG).write_bytes(copied.file(TRADE_LOG).read_bytes().replace(b'"fill"', b'"fell"', 1))
    assert call(*words) == Check.CRITICAL
    assert "the home itself does not verify" in capsys.readouterr().err
    assert file.exists()


def test_without_a_key_it_says_so(copied: Home, tmp_path: Path, capsys: Capture) -> None:
    """The bundle is written, and the reader cannot be sure."""
    shutil.rmtree(copied.config / "credentials")
    (copied.config / KEYS).unlink()
    assert call("audit", "export", "--home", copied.root, "--out", tmp_path / "x.zip", "--full") == 0
    assert "not signed: the key that signs the logs is not here" in capsys.readouterr().out


def test_the_page_for_strangers_is_right(copied: Home, tmp_path: Path) -> None:
    """Its commands, by programs that everybody has: signature, hash of a file, hash of a line."""
    assert call("audit", "export", "--home", copied.root, "--out", tmp_path / "x.zip") == 0
    subprocess.run(["python3", "-m", "zipfile", "-e", tmp_path / "x.zip", tmp_path / "out"], check=True)
    page = (tmp_path / "out" / "README.txt").read_text()
    commands = [line.strip() for line in page.splitlines() if line.startswith("       ")]
    assert [line.split()[0] for line in commands] == ["base64", "openssl", "head"]
    for line in commands[:2]:
        done = subprocess.run(line, shell=True, cwd=tmp_path / "out", check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert "Signature Verified Successfully" in done.stdout
    shown = subprocess.run(commands[2], shell=True, cwd=tmp_path / "out", check=True, capture_output=True, text=True)
    line_8 = (tmp_path / "out" / "memory" / TRADE_LOG).read_bytes().splitlines()[7]
    assert orjson.loads(line_8)["prev"] == shown.stdout.split()[0]
    for row in orjson.loads(members(tmp_path / "x.zip")[MANIFEST])["members"]:
        assert (tmp_path / "out" / row["name"]).stat().st_size == row["size"]


def test_a_bundle_is_replayed_as_it_came(tmp_path: Path, capsys: Capture) -> None:
    """On the redacted copies, which is said; a damaged one is not replayed."""
    file = tmp_path / "records.zip"
    export(peopled(tmp_path / "home"), file, Asked(at="2026-11-18T16:00:00.000Z"))
    assert call("replay", "--bundle", file) == 0
    captured = capsys.readouterr()
    assert "EQUAL: all" in captured.out
    assert captured.err == "3 inputs are redacted copies\n"
    file.write_bytes(file.read_bytes()[:-1])
    assert call("replay", "--bundle", file, "--json") == Exit.CONFIG
    assert "it was damaged" in told(capsys)["error"]
