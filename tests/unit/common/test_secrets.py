"""Credentials come from files that only their owner can read, and never show in anything that is said."""

from pathlib import Path

import pytest

from vanta.common.errors import CredentialsRefused
from vanta.common.paths import Home
from vanta.common.secrets import Secrets, read_secrets

PLANTED = "planted-key-7731"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home").prepare()
    folder = made.config / "credentials" / "alpaca"
    folder.mkdir(parents=True)
    put(folder / "key_id", PLANTED)
    put(folder / ".hidden", "not a secret")
    return made


def put(path: Path, text: str, mode: int = 0o600) -> None:
    path.write_text(text, "utf-8")
    path.chmod(mode)


def test_a_folder_of_files_is_a_credential(home: Home) -> None:
    """One file a secret, white space at its ends does not count."""
    put(home.config / "credentials" / "alpaca" / "secret_key", "  other \n")
    assert read_secrets("alpaca", home) == {"key_id": PLANTED, "secret_key": "other"}


def test_the_unit_s_credentials_come_first(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Systemd puts them side by side, named `credential.secret`."""
    folder = tmp_path / "unit"
    folder.mkdir()
    put(folder / "alpaca.key_id", "of-the-unit", 0o400)
    put(folder / "other.key_id", "of-another")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    assert read_secrets("alpaca", home) == {"key_id": "of-the-unit"}
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "gone"))
    assert read_secrets("alpaca", home) == {"key_id": PLANTED}


def test_whoever_prints_them_sees_names_only(home: Home) -> None:
    """Neither repr nor str nor a format shows what they hold."""
    found = read_secrets("alpaca", home)
    assert f"{found} {found!r}" == "Secrets(key_id) Secrets(key_id)"
    assert PLANTED not in f"{Secrets(found)}"


@pytest.mark.parametrize("name", ["", "../alpaca", ".alpaca", "a/b"])
def test_only_plain_names(home: Home, name: str) -> None:
    """A reference is a name, not a path."""
    with pytest.raises(CredentialsRefused, match="no plain name"):
        read_secrets(name, home)


def test_what_is_not_there_says_where_to_put_it(home: Home) -> None:
    """The cure names the folder."""
    with pytest.raises(CredentialsRefused) as refused:
        read_secrets("tradier", home)
    assert "credentials/tradier" in refused.value.cure


def test_files_that_others_can_read_or_that_are_no_text_are_refused(home: Home) -> None:
    """And what they hold is not in the message."""
    path = home.config / "credentials" / "alpaca" / "key_id"
    path.chmod(0o640)
    with pytest.raises(CredentialsRefused, match="can be read by others") as refused:
        read_secrets("alpaca", home)
    assert PLANTED not in str(refused.value)
    path.write_bytes(b"\xff\xfe")
    path.chmod(0o600)
    with pytest.raises(CredentialsRefused, match="is not text"):
        read_secrets("alpaca", home)
    path.unlink()
    path.symlink_to("/etc/passwd")
    with pytest.raises(CredentialsRefused, match="key_id cannot be opened"):
        read_secrets("alpaca", home)


def test_a_place_that_cannot_be_looked_at_is_told(home: Home) -> None:
    """A name that no file system takes, for one."""
    with pytest.raises(CredentialsRefused, match="cannot be looked for: File name too long"):
        read_secrets("x" * 300, home)
