"""Recorded payloads from files, folders, gzip and zip: all of it, in order, and nothing that is damaged in silence."""

import gzip
import io
import os
import tracemalloc
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from tests.unit.markets.claims import NOW
from vanta.common.errors import OperatorError
from vanta.markets.collectors.port import RawPayload
from vanta.markets.core.records import Problem
from vanta.markets.recorded import Limits, guess_media_type, recorded


def bodies(source: Path) -> dict[str, bytes]:
    return {item.url: item.body for item in recorded(source, NOW) if isinstance(item, RawPayload)}


NORMAL = Limits()


def problems(source: Path, limits: Limits = NORMAL) -> list[tuple[str, str]]:
    return [(item.code, item.where) for item in recorded(source, NOW, limits) if isinstance(item, Problem)]


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            member = zipfile.ZipInfo(name.replace("__", "/"))  # a fixed date: the same bytes in every process
            archive.writestr(member, body, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def test_one_file(tmp_path: Path) -> None:
    """A file is one payload, byte for byte, as if fetched now."""
    (tmp_path / "page.atom").write_bytes(b"<feed/>\r\n")
    (item,) = recorded(tmp_path / "page.atom", NOW)
    assert isinstance(item, RawPayload)
    assert (item.url, item.body, item.media_type, item.fetched_at) == \
        ("file:page.atom", b"<feed/>\r\n", "application/xml", NOW)


def test_a_folder_is_read_recursively_and_by_name(tmp_path: Path) -> None:
    """Names order the payloads, folders included; hidden files and folders are left out."""
    for name in ("b.txt", "a/2.txt", "a/1.txt", "c/deep/x.txt", ".hidden", ".git/config"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    assert list(bodies(tmp_path)) == ["file:a/1.txt", "file:a/2.txt", "file:b.txt", "file:c/deep/x.txt"]


def test_gzip_is_undone_whatever_the_name(tmp_path: Path) -> None:
    """Content decides: a gzip body without the suffix is decoded, a plain one with it is taken as it is."""
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"one", mtime=0))
    (tmp_path / "b.json").write_bytes(gzip.compress(b"two", mtime=0) + gzip.compress(b" more"))
    (tmp_path / "c.gz").write_bytes(b"plain")
    assert bodies(tmp_path) == {"file:a.csv.gz": b"one", "file:b.json": b"two more", "file:c.gz": b"plain"}


def test_zip_members_are_payloads(tmp_path: Path) -> None:
    """Every member by name, gzip inside undone, folders skipped."""
    data = zipped(p2=b"two", p1=gzip.compress(b"one", mtime=0), sub__p3=b"three")
    (tmp_path / "poll.bin").write_bytes(data)
    assert bodies(tmp_path / "poll.bin") == {
        "file:poll.bin!p1": b"one", "file:poll.bin!p2": b"two", "file:poll.bin!sub/p3": b"three"}


@pytest.mark.parametrize(("name", "data", "where"), [
    ("cut gzip", gzip.compress(b"x" * 999, mtime=0)[:-9], "file:bad"),
    ("gzip of nonsense", b"\x1f\x8b" + b"nonsense" * 9, "file:bad"),
    ("cut zip", zipped(a=b"x" * 999)[:-30], "file:bad"),
    ("zip with a damaged member", zipped(a=b"x" * 999).replace(b"\xab\xa8", b"\xff\xff", 1), "file:bad!a"),
], ids=["cut gzip", "gzip of nonsense", "cut zip", "zip with a damaged member"])
def test_damage_is_a_problem_and_hides_nothing_else(tmp_path: Path, name: str, data: bytes, where: str) -> None:
    """A damaged file is named; the others are read all the same."""
    (tmp_path / "bad").write_bytes(data)
    (tmp_path / "good").write_bytes(b"fine")
    assert problems(tmp_path) == [("damaged", where)], name
    assert bodies(tmp_path)["file:good"] == b"fine", name


def test_an_encrypted_member_is_a_problem(tmp_path: Path) -> None:
    """What needs a password is named, not guessed."""
    data = bytearray(zipped(a=b"secret"))
    for marker, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(marker) + offset] |= 1
    (tmp_path / "locked.zip").write_bytes(bytes(data))
    assert problems(tmp_path) == [("damaged", "file:locked.zip!a")]


def test_bombs_are_cut_off(tmp_path: Path) -> None:
    """A small file that unpacks beyond the limit is a problem, inside archives too; at the limit it is not."""
    (tmp_path / "a.gz").write_bytes(gzip.compress(bytes(10_001)))
    (tmp_path / "b.zip").write_bytes(zipped(inner=gzip.compress(bytes(10_001)), plain=bytes(10_001)))
    (tmp_path / "c.gz").write_bytes(gzip.compress(bytes(10_000)))
    assert problems(tmp_path, Limits(payload=10_000)) == [
        ("too_large", "file:a.gz"), ("too_large", "file:b.zip!inner"), ("too_large", "file:b.zip!plain")]


def test_a_bomb_is_never_unpacked_whole(tmp_path: Path) -> None:
    """The limit holds for memory, not only for the result: 40 MB of zeros, in gzip and in zip."""
    (tmp_path / "a.gz").write_bytes(gzip.compress(bytes(40_000_000), 1))
    (tmp_path / "b.zip").write_bytes(zipped(plain=bytes(40_000_000)))
    tracemalloc.start()
    try:
        assert len(problems(tmp_path, Limits(payload=10_000))) == 2
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_a_file_that_is_too_large_as_it_lies_is_a_problem(tmp_path: Path) -> None:
    """It is not even read."""
    (tmp_path / "a").write_bytes(bytes(101))
    assert problems(tmp_path, Limits(file=100)) == [("unreadable", "file:a")]


@pytest.mark.parametrize("limits", [Limits(members=3), Limits(archive=3_000)])
def test_an_archive_that_holds_too_much_is_cut_off(tmp_path: Path, limits: Limits) -> None:
    """What was read before the limit counts; the rest is said, with its number."""
    (tmp_path / "many.zip").write_bytes(zipped(**{f"m{number}": bytes(1_000) for number in range(5)}))
    items = list(recorded(tmp_path / "many.zip", NOW, limits))
    assert [item.url[-2:] for item in items if isinstance(item, RawPayload)] == ["m0", "m1", "m2"]
    assert isinstance(items[-1], Problem)
    assert items[-1].detail == "2 of 5 members were not read"


def test_what_is_no_file_is_a_problem(tmp_path: Path) -> None:
    """A pipe does not hang the pass and a dangling link is named."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "good").write_bytes(b"fine")
    assert problems(tmp_path) == [("unreadable", "file:gone"), ("unreadable", "file:pipe")]
    assert list(bodies(tmp_path)) == ["file:good"]


def test_links_are_followed_but_not_round_in_circles(tmp_path: Path) -> None:
    """A linked file or folder counts; a folder that contains itself is read once."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "x").write_bytes(b"x")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "linked").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "back").symlink_to(tmp_path / "real")
    assert bodies(tmp_path / "home") == {"file:linked/x": b"x"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_a_problem(tmp_path: Path) -> None:
    """Permissions are named for files and folders."""
    (tmp_path / "secret").write_bytes(b"x")
    (tmp_path / "secret").chmod(0)
    (tmp_path / "closed").mkdir(mode=0)
    assert problems(tmp_path) == [("unreadable", "file:closed"), ("unreadable", "file:secret")]
    (tmp_path / "closed").chmod(0o700)


@pytest.mark.parametrize("make", ["missing", "empty", "hidden only"])
def test_a_path_that_leads_to_nothing_is_the_operators_to_correct(tmp_path: Path, make: str) -> None:
    """Refused before anything is done, with a cure; never taken for "no news"."""
    source = tmp_path / "source"
    if make != "missing":
        source.mkdir()
    if make == "hidden only":
        (source / ".keep").touch()
    with pytest.raises(OperatorError) as caught:
        recorded(source, NOW)
    assert "--from" in caught.value.cure


def test_an_empty_file_is_a_payload(tmp_path: Path) -> None:
    """The parser says what an empty answer means, not the transport."""
    (tmp_path / "empty").touch()
    assert bodies(tmp_path) == {"file:empty": b""}


@pytest.mark.parametrize(("body", "media_type"), [
    (b"\xef\xbb\xbf  <?XML version='1.0'?>", "application/xml"),
    (b"<rss>", "application/xml"),
    (b"\n<!DOCTYPE HTML><html>", "text/html"),
    (b" {\"a\": 1}", "application/json"),
    (b"[1]", "application/json"),
    (b"<SEC-DOCUMENT>", "text/plain"),
    (b"date,open", "text/plain"),
    (b"", "application/octet-stream"),
    (b"\x00\x01", "application/octet-stream"),
])
def test_the_media_type_is_a_label_from_the_content(body: bytes, media_type: str) -> None:
    """Names and headers are not asked."""
    assert guess_media_type(body) == media_type


def test_the_time_is_the_passes_own(tmp_path: Path) -> None:
    """Recorded payloads count as fetched when they are read, so that a fixed clock fixes everything."""
    (tmp_path / "a").write_bytes(b"x")
    later = NOW + timedelta(days=1)
    assert [item.fetched_at for item in recorded(tmp_path, later) if isinstance(item, RawPayload)] == [later]
