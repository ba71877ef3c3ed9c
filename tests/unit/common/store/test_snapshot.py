"""Content-addressed storage: an unchanged part of a large document is stored once, damage is found."""

from pathlib import Path

import msgspec
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.processes import run
from tests.unit.common.store.test_atomic import NOTED
from vanta.common.canonical import document, sha256
from vanta.common.errors import Missing, StateError
from vanta.common.store.snapshot import FileSnapshots, cut

ROWS = [{"id": f"sig1_{n:026d}", "summary": f"signal number {n}", "strength": n % 10_000} for n in range(10_000)]


@pytest.fixture
def store(tmp_path: Path) -> FileSnapshots:
    """An empty store."""
    return FileSnapshots(tmp_path)


def blobs(folder: Path) -> set[str]:
    """Names of all stored files."""
    return {path.name for path in folder.rglob("*.zst")}


def test_small_blob_is_one_file_under_its_hash(store: FileSnapshots, tmp_path: Path) -> None:
    """The path is made of the hash, the content is compressed, and nobody may write it."""
    digest = store.put(b"payload")
    path = tmp_path / digest[:2] / f"{digest}.zst"
    assert zstandard.decompress(path.read_bytes()) == b"payload"
    assert path.stat().st_mode & 0o777 == 0o440


def test_unchanged_chunks_are_stored_once(store: FileSnapshots, tmp_path: Path) -> None:
    """After one changed row in ten thousand, only its chunk and the new manifest are added."""
    changed = [*ROWS]
    changed[5_000] = {**changed[5_000], "strength": 1}
    store.put(document({"signals": ROWS}))
    before = blobs(tmp_path)
    digest = store.put(document({"signals": changed}))
    added = blobs(tmp_path) - before
    assert len(before) > 50
    assert f"{digest}.chunks.zst" in added
    assert len(added) <= 3  # the manifest, the changed chunk, and at most one more cut that moved
    assert store.get(digest) == document({"signals": changed})


def test_inserted_row_moves_no_other_cut(store: FileSnapshots, tmp_path: Path) -> None:
    """Cuts depend on the lines' content, so what follows an insertion is found again."""
    store.put(document({"signals": ROWS}))
    before = blobs(tmp_path)
    store.put(document({"signals": [*ROWS[:100], {"id": "new"}, *ROWS[100:]]}))
    assert len(blobs(tmp_path) - before) <= 3


def test_known_blob_is_not_written_again(store: FileSnapshots, tmp_path: Path) -> None:
    """Storing what is there touches nothing."""
    digest = store.put(b"payload")
    path = tmp_path / digest[:2] / f"{digest}.zst"
    before = path.stat()
    store.put(b"payload")
    assert path.stat() == before


def test_all_of_it_is_durable_before_its_name_is_known(tmp_path: Path) -> None:
    """Chunks, the folders they are in and the folder of these are synced before the manifest is written."""
    out = run(NOTED + """
from vanta.common.store.snapshot import FileSnapshots
print("named", FileSnapshots(Path(sys.argv[1]) / "snapshots").put(b"".join(b"%d\\n" % n for n in range(100_000))))
""", str(tmp_path))
    *calls, named = (line.split() for line in out.splitlines())
    manifest = f"{named[1]}.chunks.zst"
    chunks = {path.name for path in tmp_path.rglob("*.zst")} - {manifest}
    end = next(at for at, call in enumerate(calls) if call == ["write", f".{manifest}"])
    before = [name for what, name in calls[:end] if what == "fsync"]
    assert len(chunks) > 20
    assert sorted(before) == sorted([*(f".{name}" for name in chunks), *{name[:2] for name in chunks}, "snapshots"])
    assert [name for what, name in calls[end:] if what == "fsync"][-2:] == [f".{manifest}", named[1][:2]]


def test_unwritable_folder_is_a_state_error(tmp_path: Path) -> None:
    """Where no folder can be made, the error is ours and names the place."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StateError, match=r"file/snapshots cannot be written: Not a directory \(ENOTDIR\)"):
        FileSnapshots(tmp_path / "file" / "snapshots").put(b"payload")


@settings(deadline=None, derandomize=True, max_examples=100)
@given(data=st.binary(max_size=3_000).map(lambda piece: piece * 7))
def test_cutting_loses_nothing(data: bytes) -> None:
    """The pieces are the whole, none is empty, and all but the last end where a line ends."""
    pieces = list(cut(data))
    assert b"".join(pieces) == data
    assert all(pieces)
    assert all(bytes(piece).endswith(b"\n") for piece in pieces[:-1])


def test_chunks_are_bounded() -> None:
    """A document whose lines never ask for a cut is cut all the same."""
    line = next(text for text in (b"line %d\n" % n for n in range(1_000)) if len(list(cut(text * 200))) < 3)
    pieces = list(cut(line * 500_000))
    assert len(pieces) > 1
    assert max(map(len, pieces)) <= (1 << 20) + (1 << 16) + len(line)


@pytest.mark.parametrize("rows", [5_000, 100_000])
def test_however_large_a_document_it_has_some_hundred_chunks(rows: int) -> None:
    """Each chunk costs a file: the larger the document, the larger the chunks."""
    data = b"".join(b'{"row": %d, "text": "%d"}\n' % (n, n * 7919) for n in range(rows))
    assert 20 < len(list(cut(data))) <= 128


def test_a_document_that_grows_keeps_its_cuts() -> None:
    """Only what was added is new, as long as the document has not doubled."""
    rows = [b'{"row": %d, "text": "%d"}\n' % (n, n * 7919) for n in range(20_000)]
    before, after = ({bytes(piece) for piece in cut(b"".join(rows[:n]))} for n in (18_000, 20_000))
    assert len(before - after) <= 1


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x55
    path.chmod(0o640)
    path.write_bytes(bytes(data))


def _cut_short(path: Path) -> None:
    path.chmod(0o640)
    path.write_bytes(path.read_bytes()[:-5])


def _other(path: Path) -> None:
    path.chmod(0o640)
    path.write_bytes(zstandard.compress(b"something else"))


@pytest.mark.parametrize("damage", [_flip, _cut_short, _other], ids=["bit flipped", "cut short", "other content"])
@pytest.mark.parametrize("part", ["blob", "manifest", "chunk"])
def test_damage_is_detected(store: FileSnapshots, tmp_path: Path, part: str, damage: object) -> None:
    """Whatever part of the store was changed, reading says so instead of returning other bytes."""
    data = b"payload" * 50 if part == "blob" else document({"signals": ROWS})
    digest = store.put(data)
    path = tmp_path / digest[:2] / f"{digest}.zst"
    if part == "manifest":
        path = path.with_name(f"{digest}.chunks.zst")
    elif part == "chunk":
        path = next(path for path in tmp_path.rglob("*.zst") if "chunks" not in path.name)
    assert callable(damage)
    damage(path)
    with pytest.raises(StateError, match=r"damaged|does not match its name|is not in the store"):
        store.get(digest)


def test_manifest_cannot_point_outside_the_store(store: FileSnapshots, tmp_path: Path) -> None:
    """Only hashes are followed: a manifest with a path in it is damaged."""
    digest = sha256(b"x")
    (tmp_path / digest[:2]).mkdir()
    forged = msgspec.json.encode({"size": 1, "chunks": ["../../etc/passwd"]})
    (tmp_path / digest[:2] / f"{digest}.chunks.zst").write_bytes(zstandard.compress(forged))
    with pytest.raises(StateError, match="damaged"):
        store.get(digest)


def test_missing_chunk_is_missing(store: FileSnapshots, tmp_path: Path) -> None:
    """A manifest whose chunk is gone names the chunk."""
    digest = store.put(document({"signals": ROWS}))
    victim = next(path for path in tmp_path.rglob("*.zst") if "chunks" not in path.name)
    victim.unlink()
    with pytest.raises(Missing, match=victim.name):
        store.get(digest)


def test_a_file_that_cannot_be_looked_at_is_not_missing(store: FileSnapshots, tmp_path: Path) -> None:
    """An error of the operating system is said; only "no such file" means that there is none."""
    (tmp_path / "aa").mkdir()
    with pytest.raises(StateError, match="cannot be looked at"):
        store.has("a" * 300)
