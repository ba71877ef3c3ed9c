"""Reading a bundle: laying it out as a home that is only read, and what verification has to know of such a home.

    with unpacked(Path("records.zip")) as home: …      a home in a temporary folder
    unpack(Path("records.zip"), Path("there"))         a home that stays

Nothing of a bundle is believed because it is in it: sizes are bounded before anything is unpacked, names are those that
a bundle can have, and every byte is held to the manifest while it is written.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from vanta.alpha.archive import Hindered, Reader, reading
from vanta.alpha.core.bundle import (
    CURE,
    OWN,
    SIGNATURE,
    LogEnd,
    Manifest,
    Member,
    decode,
    disagreements,
    is_piece,
    signed,
    trust,
)
from vanta.alpha.core.ranges import Ends, InRange
from vanta.alpha.core.verification import Finding
from vanta.alpha.core.watchers import Promises
from vanta.alpha.wire import pieces
from vanta.common.canonical import sha256
from vanta.common.errors import Missing, StateError, UsageError
from vanta.common.exitcodes import Check
from vanta.common.paths import MANIFEST, SNAPSHOTS, Home, is_bundle
from vanta.common.signatures import KEYS, keys
from vanta.common.store.atomic import describe, read
from vanta.common.store.ports import Pieces

TRUSTED = "trusted_key.txt"
"""Beside the manifest: the fingerprint that whoever laid the bundle out knew from elsewhere."""

_MOST_MANIFEST = 1 << 30
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_KEPT_AS = f"memory/{SNAPSHOTS}/"


def unpack(path: Path, root: Path, *, key: str = "") -> Home:
    """Lay a bundle out at `root`, which has to be empty or not there. `key`: the fingerprint to believe.

    Raises `UsageError`, `Hindered`, or another `StateError` if anything is not what the manifest lists; then nothing is
    left there.
    """
    with reading(path) as archive:
        raw, signature, manifest = _manifest(archive)
        made = _empty(root)
        home = Home(root)
        try:
            _insist_on_room(root, archive)
            _write(root / MANIFEST, iter([raw]))
            if signature:
                _write(root / SIGNATURE, iter([signature]))
            if key:
                _write(root / TRUSTED, iter([key.encode() + b"\n"]))
            home.memory.mkdir(mode=0o750)
            store = pieces(home, durable=False)
            for one in manifest.members:
                _lay(archive, one, home, store)
        except BaseException as error:
            _clear(root, made=made)
            if isinstance(error, OSError):
                raise Hindered(f"{root} cannot be written: {describe(error)}") from error
            raise
    return home


@contextmanager
def unpacked(path: Path, *, key: str = "") -> Iterator[Home]:
    """The home of a bundle, in a temporary folder that nobody else can read and that is gone afterwards."""
    with TemporaryDirectory(prefix="vanta-bundle-") as folder:
        yield unpack(path, Path(folder) / "home", key=key)


def _manifest(archive: Reader) -> tuple[bytes, bytes, Manifest]:
    """The manifest, its signature (empty without one), and what it says. Raises `StateError` if they do not fit."""
    if archive.sizes.get(MANIFEST, 0) > _MOST_MANIFEST:
        raise StateError(f"{MANIFEST} has {archive.sizes[MANIFEST]:,} bytes", CURE)
    raw = archive.read(MANIFEST)
    signature = archive.read(SIGNATURE) if SIGNATURE in archive.sizes else b""
    manifest = decode(raw)
    sizes = {name: size for name, size in archive.sizes.items() if name not in OWN}
    listed = [Member(name=one.name, size=one.size, sha256="") for one in manifest.members]
    wrong = [*_signature(raw, signature, manifest), *disagreements(listed, {name: (size, "") for name, size
                                                                            in sizes.items()})]
    for one in wrong:
        if one.level is Check.CRITICAL:
            raise StateError(f"{one.file}: {one.text}", CURE)
    return raw, signature, manifest


def _signature(raw: bytes, signature: bytes, manifest: Manifest) -> list[Finding]:
    text = signature.decode("ascii", "replace")
    if manifest.key and not text.endswith("\n"):
        return [Finding(level=Check.CRITICAL, file=SIGNATURE, text="is missing or is no signature")]
    return signed(raw, text.removesuffix("\n"), manifest)


def _empty(root: Path) -> bool:
    """Make the folder; whether it was made. Raises `UsageError` if there is anything in it."""
    try:
        root.mkdir(mode=0o750)
    except FileExistsError:
        if not root.is_dir() or any(root.iterdir()):
            raise UsageError(f"{root} is not an empty folder", "Name a new one: nothing is laid out over another "
                             "home.") from None
        return False
    except OSError as error:
        raise UsageError(f"{root} cannot be made: {describe(error)}", "Name a folder that you may write.") from error
    return True


def _insist_on_room(root: Path, archive: Reader) -> None:
    room, needed = shutil.disk_usage(root).free, sum(archive.sizes.values())
    if needed > room:
        raise Hindered(f"it unpacks to up to {needed:,} bytes, and there is room for {room:,}",
                       "Free some space, or name a larger folder with --home or TMPDIR.")


def _clear(root: Path, *, made: bool) -> None:
    for path in root.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    if made:
        root.rmdir()


def _lay(archive: Reader, one: Member, home: Home, store: Pieces) -> None:
    """Put one member in its place, held to the manifest on the way."""
    if is_piece(one.name):
        raw = b"".join(_held(archive, one))
        try:
            store.place(one.name.removeprefix(_KEPT_AS), raw)
        except StateError as error:
            raise Hindered(error.what, error.cure) from error
    else:
        path = home.root / one.name
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        _write(path, _held(archive, one))


def _held(archive: Reader, one: Member) -> Iterator[bytes]:
    found = hashlib.sha256()
    for block in archive.blocks(one.name):
        found.update(block)
        yield block
    if found.hexdigest() != one.sha256:
        raise StateError(f"{one.name}: is not what the manifest lists: it was changed", CURE)


def _write(path: Path, blocks: Iterator[bytes]) -> None:
    with os.fdopen(os.open(path, _NEW, 0o440), "wb") as file:
        for block in blocks:
            file.write(block)


class Imported:
    """What the manifest of a home that was laid out means for its verification."""

    def __init__(self, home: Home) -> None:
        """Raises nothing that a damaged home could cause: see `findings`."""
        self._home = home
        self._problem: Finding | None = None
        self._manifest: Manifest | None = None
        self._raw = b""
        try:
            self._raw = read(home.root / MANIFEST)
            self._manifest = decode(self._raw)
        except StateError as error:
            self._problem = Finding(level=Check.CRITICAL, file=MANIFEST, text=error.what)
        self._ends = {one.name: one for one in self._manifest.logs} if self._manifest else {}
        self._gone = {one.sha256: one.why for one in self._manifest.gone} if self._manifest else {}

    def promises(self, name: str) -> Promises:
        """Those of the range, and of what was in force before."""
        since = self._ends[name].since if name in self._ends else 1
        return InRange(name, lambda: since)

    def ends(self, name: str) -> Ends:
        """Holds a log to what the manifest says of its ends."""
        return Ends(self._ends.get(name, LogEnd(name=name, records=0, head="", since=1, before="", more=False)))

    def is_gone(self, digest: str) -> bool:
        """Whether the manifest says that this snapshot was withheld."""
        return digest in self._gone

    def findings(self) -> list[Finding]:
        """Whether this is what was signed, by whom, and what is not here."""
        if self._manifest is None:
            return list(filter(None, [self._problem]))
        try:
            signature = read(self._home.root / SIGNATURE)
        except StateError:
            signature = b""
        found = _signature(self._raw, signature, self._manifest)
        found += disagreements(self._manifest.members, dict(self._files()))
        found.append(trust(self._manifest, self._keys(), self._given()))
        return [*found, *self._kept_back(self._manifest)]

    def _kept_back(self, manifest: Manifest) -> Iterator[Finding]:
        def says(text: str) -> Finding:
            return Finding(level=Check.OK, file=MANIFEST, text=text)

        if manifest.since or manifest.until:
            yield says(f"inputs of {manifest.since or 'the beginning'} to {manifest.until or 'the end'} only, and what "
                       "was in force then")
        if manifest.withheld:
            fields = ", ".join(sorted({one.field for one in manifest.withheld}))
            yield says(f"{sum(one.times for one in manifest.withheld):,} values of logs are withheld ({fields})")
        if manifest.redacted:
            yield says(f"{len(manifest.redacted):,} snapshots are redacted copies, as the manifest says and nobody "
                       "else can tell")
        for why in sorted(set(self._gone.values())):
            count = sum(one == why for one in self._gone.values())
            yield says(f"{count:,} snapshots are withheld: {why}")

    def _keys(self) -> tuple[str, ...]:
        try:
            return keys(read(self._home.config / KEYS))
        except StateError:
            return ()  # a broken list is found with the checkpoints that it should vouch for

    def _given(self) -> str:
        try:
            return read(self._home.root / TRUSTED).decode("ascii", "replace").strip()
        except Missing:
            return ""

    def _files(self) -> Iterator[tuple[str, tuple[int, str]]]:
        """Size and hash of every file that lies here, by the name that it has in a bundle."""
        store, root = pieces(self._home), self._home.root
        for folder, inner, files in os.walk(root):
            for path in (Path(folder, name) for name in sorted([*inner, *files])):
                member = path.relative_to(root).as_posix()
                if member in (*OWN, TRUSTED) or (path.is_dir() and not path.is_symlink()):
                    continue
                kept = is_piece(member) and member.endswith(".zst")
                try:
                    raw = store.piece(member[len(_KEPT_AS):-len(".zst")]) if kept else read(path)
                    found = len(raw), sha256(raw)
                except StateError:
                    found = -1, ""
                said = f"{member} as it lies here" if is_piece(member) else member
                yield member.removesuffix(".zst") if kept else said, found


def imported(home: Home) -> Imported | None:
    """What to know of a home that was laid out from a bundle, `None` for any other."""
    return Imported(home) if is_bundle(home) else None
