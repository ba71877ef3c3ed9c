"""The signing key of a home: by reference, made once, never readable by others, never made over another."""

import base64
import os
import shutil
import stat
from pathlib import Path

import pytest

from tests.processes import start
from vanta.common.errors import CredentialsRefused
from vanta.common.paths import Home
from vanta.common.signatures import KEYS, keys
from vanta.common.signing_key import signer_if_any, signer_of
from vanta.common.store.checkpoint import FOLDER
from vanta.common.store.journal import FileJournal


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A prepared home."""
    return Home(tmp_path / "var").prepare()


def secret(home: Home) -> Path:
    """Where the key is kept."""
    return home.config / "credentials" / "audit" / "signing_key"


def test_a_home_gets_a_key_at_first_use_and_keeps_it(home: Home) -> None:
    """The same key from then on; only its owner can read it; the public list names it."""
    made = signer_of(home).public
    assert signer_of(home).public == made
    assert stat.S_IMODE(secret(home).stat().st_mode) == 0o600
    assert keys((home.config / KEYS).read_bytes()) == (made,)
    assert sorted(path.name for path in secret(home).parent.iterdir()) == ["signing_key"]


def test_programs_that_start_together_get_one_key(home: Home) -> None:
    """Whoever is quicker makes it; everybody uses that one."""
    code = ("import sys; from pathlib import Path; from vanta.common.paths import Home\n"
            "from vanta.common.signing_key import signer_of\n"
            "sys.stdin.readline(); print(signer_of(Home(Path(sys.argv[1]))).public)")
    children = [start(code, str(home.root)) for _ in range(4)]
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    found = {child.communicate(timeout=60)[0].strip() for child in children}
    assert found == {signer_of(home).public}
    assert keys((home.config / KEYS).read_bytes()) == tuple(found)


@pytest.mark.parametrize("text", ["", "short", base64.b64encode(b"1" * 31).decode(), "é" * 32])
def test_what_is_no_key_is_refused(home: Home, text: str) -> None:
    """And it is not replaced: somebody put it there."""
    secret(home).parent.mkdir(parents=True)
    secret(home).write_text(text)
    secret(home).chmod(0o600)
    with pytest.raises(CredentialsRefused, match="holds no signing key"):
        signer_of(home)
    assert secret(home).read_text() == text


def test_a_key_that_others_can_read_is_refused(home: Home) -> None:
    """Whoever can read it can sign."""
    signer_of(home)
    secret(home).chmod(0o644)
    with pytest.raises(CredentialsRefused, match="can be read by others"):
        signer_of(home)


def test_a_key_that_is_gone_is_not_made_anew(home: Home) -> None:
    """Logs were signed with it: another one would make them unverifiable, silently."""
    made = signer_of(home)
    secret(home).unlink()
    with pytest.raises(CredentialsRefused, match="the key that has signed the logs of this home is not here"):
        signer_of(home)
    (home.config / KEYS).unlink()
    assert signer_of(home).public != made.public
    secret(home).unlink()
    (home.config / KEYS).unlink()
    (home.memory / FOLDER).mkdir()
    with pytest.raises(CredentialsRefused, match="is not here"):
        signer_of(home)


def test_another_key_in_its_place_is_refused(home: Home, tmp_path: Path) -> None:
    """A file that was mixed up, or another home's."""
    signer_of(home)
    other = Home(tmp_path / "other").prepare()
    signer_of(other)
    shutil.copy(secret(other), secret(home))
    with pytest.raises(CredentialsRefused, match=r"is none of those that config/audit_keys\.jsonl names"):
        signer_of(home)
    assert signer_if_any(home) is None
    (home.config / KEYS).write_bytes(b"garbage\n")
    assert signer_if_any(home) is None


def test_a_draft_that_somebody_left_is_in_nobody_s_way(home: Home) -> None:
    """Another container may have the same process number."""
    folder = secret(home).parent
    folder.mkdir(parents=True)
    left = folder / f".signing_key.{os.getpid()}.0.tmp"
    left.write_text("half a key")
    assert signer_of(home).public
    assert left.read_text() == "half a key"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may act for another account")
def test_what_root_makes_belongs_to_whose_home_it_is(home: Home) -> None:
    """An operator who is root, on a home whose programs run as somebody else."""
    for path in (home.config, home.memory, home.root):
        os.chown(path, 1500, 1500)
    made = signer_of(home).public
    log = FileJournal(home.file("trade_log.jsonl"), signer=signer_of(home))
    log.append("a", {}, at="2026-01-02T03:04:05.000Z")
    log.close()
    assert {path.stat().st_uid for path in home.root.rglob("*") if path.parent in (
        home.memory, home.memory / FOLDER, home.config, home.config / "credentials", secret(home).parent)} == {1500}
    assert signer_of(home).public == made


def test_where_no_key_can_be_made_it_is_said(home: Home) -> None:
    """A file in the place of the folder."""
    (home.config / "credentials").write_text("")
    with pytest.raises(CredentialsRefused, match="there is no signing key, and none can be made"):
        signer_of(home)


def test_a_key_that_was_loaded_needs_no_place_for_the_list(home: Home, monkeypatch: pytest.MonkeyPatch,
                                                          tmp_path: Path) -> None:
    """A unit's credential; `config/` may not be written, and verification will say that nobody vouches."""
    loaded = tmp_path / "credentials"
    loaded.mkdir()
    (loaded / "audit.signing_key").write_text(base64.b64encode(b"7" * 32).decode())
    (loaded / "audit.signing_key").chmod(0o600)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(loaded))
    os.rename(home.config, home.root / "away")
    assert signer_of(home).public
    assert not home.config.exists()
