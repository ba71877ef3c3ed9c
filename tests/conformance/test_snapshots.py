"""One suite for every adapter of the `Snapshots` port."""

import hashlib
from pathlib import Path

import pytest

from vanta.common.errors import Missing
from vanta.common.store.inmemory import MemorySnapshots
from vanta.common.store.ports import Snapshots
from vanta.common.store.snapshot import CHUNK_ABOVE, FileSnapshots
from vanta.common.store.storage import RELAXED

LARGE = b"".join(b'{"row":%d,"text":"%s"}\n' % (n, b"x" * (n % 50)) for n in range(20_000))
BLOBS = {"empty": b"", "small": b"payload", "binary": bytes(range(256)), "large": LARGE,
         "large without line ends": b"y" * (CHUNK_ABOVE + 1)}


class SnapshotsSuite:
    """What every adapter has to do. Subclasses give `snapshots`."""

    @pytest.mark.parametrize("blob", BLOBS.values(), ids=BLOBS.keys())
    def test_round_trip(self, snapshots: Snapshots, blob: bytes) -> None:
        """Bytes come back as they were, under the SHA-256 of themselves."""
        digest = snapshots.put(blob)
        assert digest == hashlib.sha256(blob).hexdigest()
        assert snapshots.has(digest)
        assert snapshots.get(digest) == blob

    def test_twice_is_once(self, snapshots: Snapshots) -> None:
        """Storing the same bytes again gives the same name and stays readable."""
        assert snapshots.put(b"payload") == snapshots.put(b"payload")
        assert snapshots.get(snapshots.put(b"payload")) == b"payload"

    def test_unknown_is_missing(self, snapshots: Snapshots) -> None:
        """A name that was never stored is missing, not empty."""
        digest = "0" * 64
        assert not snapshots.has(digest)
        with pytest.raises(Missing, match=digest):
            snapshots.get(digest)


class TestFileSnapshots(SnapshotsSuite):
    """The file adapter."""

    @pytest.fixture
    def snapshots(self, tmp_path: Path) -> Snapshots:
        """An empty folder that is made on first use."""
        return FileSnapshots(tmp_path / "snapshots")


@pytest.mark.parametrize("blob", BLOBS.values(), ids=BLOBS.keys())
def test_pieces_make_the_same_blob_elsewhere(tmp_path: Path, blob: bytes) -> None:
    """Each under its own hash, but for the list of a large one's pieces."""
    here, there = (FileSnapshots(tmp_path / name) for name in ("here", "there"))
    digest = here.put(blob)
    names = []
    for name, data in here.pieces(digest):
        assert here.piece(name) == data
        assert name.endswith(".chunks") or name == f"{name[:2]}/{hashlib.sha256(data).hexdigest()}"
        there.place(name, data)
        names.append(name)
    assert there.get(digest) == blob
    assert names[0] == f"{digest[:2]}/{digest}" + (".chunks" if len(blob) > CHUNK_ABOVE else "")
    with pytest.raises(Missing):
        there.piece("00/" + "0" * 64)
    with pytest.raises(Missing):
        list(there.pieces("0" * 64))


class TestRelaxedSnapshots(SnapshotsSuite):
    """The file adapter of runs that can be made again."""

    @pytest.fixture
    def snapshots(self, tmp_path: Path) -> Snapshots:
        """An empty folder that is made on first use."""
        return RELAXED.snapshots(tmp_path / "snapshots")


class TestMemorySnapshots(SnapshotsSuite):
    """The in-memory twin."""

    @pytest.fixture
    def snapshots(self) -> Snapshots:
        """An empty dict."""
        return MemorySnapshots()
