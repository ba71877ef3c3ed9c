"""Who may have edited a file: told by a real file system and a made-up list of processes; never a reason to fail."""

import os
import pwd
from pathlib import Path

import pytest

from vanta.common.canonical import sha256
from vanta.executor.attribution import MOST_TERMINALS, Editor, editor, nobody
from vanta.executor.core.inputs import UNREADABLE

ME = os.getuid()


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A file that was saved in 2026."""
    path = tmp_path / "vault_overlay.json"
    path.write_bytes(b"{}")
    os.utime(path, ns=(0, 1_795_000_000_123_456_789))
    return path


def process(root: Path, pid: str, number: int, name: str = "vim") -> None:
    (root / pid).mkdir(parents=True)
    (root / pid / "stat").write_text(f"{pid} ({name}) S 1 2 3 {number} -1 4194304\n")


def test_owner_time_and_terminals(saved: Path, tmp_path: Path) -> None:
    """As the system tells them; terminals of the account's processes, each once, by name."""
    root = tmp_path / "proc"
    for pid, number in {"11": os.makedev(136, 3), "12": os.makedev(136, 3), "13": os.makedev(137, 1),
                        "14": os.makedev(4, 2), "15": 0, "16": os.makedev(5, 1)}.items():
        process(root, pid, number)
    process(root, "self", os.makedev(136, 9))
    process(root, "21", os.makedev(136, 7), name=") S 1 2 3 4 (")
    (root / "22").mkdir()
    (root / "23").mkdir()
    (root / "23" / "stat").write_text("23 (cut")
    found = editor(saved, sha256(b"{}"), root)
    assert found == Editor(str(ME), pwd.getpwuid(ME).pw_name, 1_795_000_000_123, "pts/257 pts/3 pts/7 tty2")


def test_only_so_many_terminals_are_named(saved: Path, tmp_path: Path) -> None:
    """An account may have hundreds."""
    for number in range(20):
        process(tmp_path / "proc", str(number), os.makedev(136, number))
    told = editor(saved, sha256(b"{}"), tmp_path / "proc").terminals
    assert told is not None
    assert len(told.split()) == MOST_TERMINALS


def test_processes_of_other_accounts_are_not_asked(saved: Path, tmp_path: Path) -> None:
    """Their terminals are nobody's business here."""
    if ME != 0:
        pytest.skip("only root may give a folder away")
    process(tmp_path / "proc", "11", os.makedev(136, 3))
    os.chown(tmp_path / "proc" / "11", 4242, 4242)
    assert editor(saved, sha256(b"{}"), tmp_path / "proc").terminals is None
    os.chown(saved, 4242, 4242)
    assert editor(saved, sha256(b"{}"), tmp_path / "proc") == Editor("4242", None, 1_795_000_000_123, "pts/3")


def test_a_host_without_a_list_of_processes_tells_the_owner_all_the_same(saved: Path, tmp_path: Path) -> None:
    """Terminals are unknown then."""
    assert editor(saved, sha256(b"{}"), tmp_path / "nothing")[:2] == (str(ME), pwd.getpwuid(ME).pw_name)
    assert editor(saved, sha256(b"{}"), tmp_path / "nothing").terminals is None


def test_a_version_that_is_no_longer_there_has_no_editor(saved: Path, tmp_path: Path) -> None:
    """Saved again, removed, a folder or a link in its place: nobody is named for what another may have done."""
    assert editor(saved, sha256(b"other"), tmp_path) == Editor()
    link = tmp_path / "link"
    link.symlink_to(saved)
    for path in (tmp_path / "gone", tmp_path, link):
        assert editor(path, sha256(b"{}"), tmp_path) == Editor()


def test_of_what_cannot_be_read_the_owner_is_told(saved: Path, tmp_path: Path) -> None:
    """A link that halts was made by somebody; what is missing was removed by somebody unknown."""
    link = tmp_path / "link"
    link.symlink_to(saved)
    assert editor(link, f"{UNREADABLE}a link", tmp_path).uid == str(ME)
    assert editor(tmp_path / "gone", f"{UNREADABLE}missing", tmp_path) == Editor()


def test_the_list_of_processes_of_this_host_is_read() -> None:
    """Whatever it says, it is said in words or not at all."""
    told = editor(Path(__file__), sha256(Path(__file__).read_bytes())).terminals
    assert told is None or all(name.startswith(("pts/", "tty")) for name in told.split())


def test_nobody_is_asked_about_nobody() -> None:
    """The twin for simulations."""
    assert nobody("vault.json", "") == Editor()
