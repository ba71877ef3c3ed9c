"""The one file of a bundle: other tools read it, ours reads nothing but what it would have written."""

import hashlib
import os
import stat
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vanta.alpha.archive import MOST_RATIO, reading, writing
from vanta.common.errors import Missing, StateError, UsageError

LOG, NOTE = "memory/trade_log.jsonl", "README.txt"
DATA = {NOTE: b"read me\n" * 9, LOG: bytes(range(256)) * 40, "rules/sources.json": b""}


def made(path: Path) -> Path:
    """A bundle of three members."""
    with writing(path) as archive:
        for name, data in DATA.items():
            archive.add(name, data)
        assert [(one.name, one.size, one.sha256) for one in archive.members] == [
            (name, len(data), hashlib.sha256(data).hexdigest()) for name, data in DATA.items()]
    return path


def read(path: Path) -> dict[str, bytes]:
    """Everything in it."""
    with reading(path) as archive:
        assert archive.sizes == {name: len(data) for name, data in DATA.items()}
        return {name: archive.read(name) for name in archive.sizes}


def sealed(path: Path) -> Path:
    """The file with the comment that its bytes need: what somebody who means it would write."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"0" * 64
    raw = path.read_bytes()[:-64]
    path.write_bytes(raw + hashlib.sha256(raw).hexdigest().encode())
    return path


def resealed(path: Path, change: Callable[[bytes], bytes]) -> Path:
    """Other bytes, with the digest that they need."""
    raw = change(path.read_bytes()[:-64])
    path.write_bytes(raw + hashlib.sha256(raw).hexdigest().encode())
    return path


def header(name: str = NOTE) -> zipfile.ZipInfo:
    """A member as ours are."""
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.create_system, info.external_attr, info.compress_type = 3, (stat.S_IFREG | 0o444) << 16, zipfile.ZIP_DEFLATED
    return info


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """The same members give the same bytes, and nothing of who wrote them when."""
    one, two = made(tmp_path / "one.zip"), made(tmp_path / "two.zip")
    assert one.read_bytes() == two.read_bytes()
    assert read(one) == DATA
    assert stat.S_IMODE(one.stat().st_mode) == 0o600
    with reading(one) as archive, pytest.raises(Missing, match="holds no key"):
        archive.read("key.pem")


def test_other_tools_read_it(tmp_path: Path) -> None:
    """The library that everybody has, and the command."""
    path = made(tmp_path / "one.zip")
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == DATA
    done = subprocess.run(["python3", "-m", "zipfile", "-e", path, tmp_path / "out"], check=False)
    assert done.returncode == 0
    assert (tmp_path / "out" / LOG).read_bytes() == DATA[LOG]


def test_nothing_is_written_over(tmp_path: Path) -> None:
    """A file, a link that leads nowhere; where nothing can be written, and where the writer fails, nothing is left."""
    (tmp_path / "there").write_bytes(b"mine")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("there", "link"):
        with pytest.raises(UsageError, match="exists"), writing(tmp_path / name):
            pass
    assert (tmp_path / "there").read_bytes() == b"mine"
    with pytest.raises(StateError, match="cannot be made"), writing(tmp_path / "no" / "folder"):
        pass
    with pytest.raises(ZeroDivisionError), writing(tmp_path / "new"):
        raise ZeroDivisionError
    with pytest.raises(StateError, match="cannot be written: No space left"), writing(tmp_path / "new"):
        raise OSError(28, "No space left on device")
    assert not (tmp_path / "new").exists()


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_other_byte_is_found(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Wherever a bit of the file is turned, whatever is cut off or put behind: it is no bundle any more."""
    raw = made(tmp_path_factory.mktemp("x") / "one.zip").read_bytes()
    at = data.draw(st.integers(0, len(raw) - 1))
    other = data.draw(st.one_of(
        st.integers(1, 255).map(lambda bits: raw[:at] + bytes([raw[at] ^ bits]) + raw[at + 1:]),
        st.just(raw[:at]), st.just(raw[:at] + raw[at + 1:]),
        st.binary(min_size=1, max_size=9).map(lambda more: raw + more)))
    path = tmp_path_factory.mktemp("x") / "two.zip"
    path.write_bytes(other)
    with pytest.raises(StateError), reading(path):
        pass


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_whoever_writes_the_digest_anew_changes_no_member(tmp_path_factory: pytest.TempPathFactory,
                                                         data: st.DataObject) -> None:
    """Then it is refused, or a member cannot be unpacked, or what is read differs: for the manifest to find."""
    raw = made(tmp_path_factory.mktemp("x") / "one.zip").read_bytes()[:-64]
    at = data.draw(st.integers(0, len(raw) - 1))
    bits = data.draw(st.integers(1, 255))
    path = tmp_path_factory.mktemp("x") / "two.zip"
    path.write_bytes(raw + b"0" * 64)
    resealed(path, lambda old: old[:at] + bytes([old[at] ^ bits]) + old[at + 1:])
    try:
        with reading(path) as archive:
            found = {name: archive.read(name) for name in archive.sizes}
    except StateError:
        return
    with zipfile.ZipFile(path) as archive:  # others see what ours sees
        assert {name: archive.read(name) for name in archive.namelist()} == found


def test_members_of_more_than_two_gigabytes_have_the_long_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here from a thousand bytes on; what has it without need, or not where it is needed, is refused."""
    short = made(tmp_path / "short.zip")
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1000)
    long = made(tmp_path / "long.zip")
    assert long.read_bytes() != short.read_bytes()
    assert read(long) == DATA
    with pytest.raises(StateError, match="another header"), reading(short):
        pass
    monkeypatch.undo()
    with pytest.raises(StateError, match="another header"), reading(long):
        pass


def put(path: Path, *members: tuple[zipfile.ZipInfo, bytes]) -> Path:
    """An archive that somebody else has written."""
    with zipfile.ZipFile(path, "w") as archive:
        for info, data in members:
            archive.writestr(info, data)
    return sealed(path)


def changed(**fields: object) -> zipfile.ZipInfo:
    """A member with something else about it."""
    info = header()
    for name, value in fields.items():
        setattr(info, name, value)
    return info


@pytest.mark.parametrize(("info", "says"), [
    (header("../README.txt"), "has no place"), (header("/etc/passwd"), "has no place"),
    (header("memory/dispatch.permit"), "has no place"), (header("memory/"), "has no place"),
    (changed(external_attr=(stat.S_IFLNK | 0o777) << 16), "not as it is written"),
    (changed(compress_type=zipfile.ZIP_STORED), "not as it is written"),
    (changed(compress_type=zipfile.ZIP_BZIP2), "not as it is written"),
    (changed(date_time=(1999, 1, 1, 0, 0, 0)), "not as it is written"),
    (changed(comment=b"hidden"), "not as it is written"), (changed(extra=b"\x99\x99\x02\x00hi"), "another header")],
    ids=lambda one: one if isinstance(one, str) else "")
def test_members_of_other_kinds_are_refused(tmp_path: Path, info: zipfile.ZipInfo, says: str) -> None:
    """Names outside, links, other compression, and whatever could hide something."""
    with pytest.raises(StateError, match=says), reading(put(tmp_path / "x.zip", (info, b"x" * 99))):
        pass


def test_a_plain_archive_of_the_right_members_is_read(tmp_path: Path) -> None:
    """So that the refusals above are for what they say."""
    with reading(put(tmp_path / "x.zip", (header(), b"x" * 99))) as archive:
        assert archive.read(NOTE) == b"x" * 99


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    """Which of them would be meant?"""
    with pytest.raises(StateError, match="two members of one name"), \
            reading(put(tmp_path / "x.zip", (header(), b"x" * 99), (header(), b"y" * 99))):
        pass


def test_nothing_stands_between_members(tmp_path: Path) -> None:
    """Bytes before the first, behind the last, or under another header than the list's."""
    raw = made(tmp_path / "one.zip").read_bytes()[:-64]
    for change in (lambda old: b"#!/bin/sh\n" + old,
                   lambda old: old.replace(b"README.txt", b"readme.txt", 1)):
        path = tmp_path / "two.zip"
        path.write_bytes(raw + b"0" * 64)
        with pytest.raises(StateError), reading(resealed(path, change)):
            pass
    gap = tmp_path / "gap.zip"
    with gap.open("w+b") as file, zipfile.ZipFile(file, "w") as archive:
        archive.writestr(header(), b"x" * 99)
        file.seek(archive.start_dir)
        file.write(b"hidden")
        archive.start_dir = file.tell()
    with pytest.raises(StateError, match="between its members and their list"), reading(sealed_as_it_is(gap)):
        pass


def test_members_are_where_they_stand_in_their_row(tmp_path: Path) -> None:
    """A list that leads elsewhere in the file is refused, whatever stands there."""
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(header(), b"x" * 99)
        archive.writestr(header("key.pem"), b"y" * 99)
        archive.infolist()[1].header_offset = 0
    with pytest.raises(StateError, match=r"key\.pem is not as it is written"), reading(sealed(path)):
        pass


def sealed_as_it_is(path: Path) -> Path:
    """Without writing the list anew, as `sealed` does."""
    raw = path.read_bytes()
    assert raw.endswith(b"\0\0")
    raw = raw[:-2] + (64).to_bytes(2, "little")
    path.write_bytes(raw + hashlib.sha256(raw).hexdigest().encode())
    return path


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """By what it says that it would unpack to, before anything is."""
    bomb = put(tmp_path / "x.zip", (header(), b"\0" * (MOST_RATIO * 10_000)))
    with pytest.raises(StateError, match="more than is unpacked"), reading(bomb):
        pass
    with pytest.raises(StateError, match="more than is unpacked"), reading(made(tmp_path / "y.zip"), most=10_000):
        pass


def test_a_member_that_lies_about_its_size_is_broken(tmp_path: Path) -> None:
    """It gives fewer bytes than its header says."""
    path = put(tmp_path / "x.zip", (header(), b"x" * 99))
    raw = path.read_bytes()
    resealed(path, lambda old: old.replace((99).to_bytes(4, "little"), (98).to_bytes(4, "little")))
    assert path.read_bytes()[:-64] != raw[:-64]
    with reading(path) as archive, pytest.raises(StateError, match="cannot be unpacked"):
        archive.read(NOTE)


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "link", "empty", "short", "no zip"])
def test_what_is_no_bundle_says_so(tmp_path: Path, kind: str) -> None:
    """Never a wait and never a traceback."""
    path = tmp_path / "x"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to(made(tmp_path / "one.zip"))
    elif kind in ("empty", "short"):
        path.write_bytes(b"" if kind == "empty" else b"x" * 64)
    elif kind == "no zip":
        path.write_bytes(b"x" * 99 + hashlib.sha256(b"x" * 99).hexdigest().encode())
    with pytest.raises(StateError), reading(path):
        pass
