"""On what kind of file system does the state lie? Locks, syncs and renames hold what they promise on a local one only.

`under` decides from the text of `/proc/self/mountinfo` which mount a path lies on; that a folder lies in the network is
an error for the executor (`insist_on_local`) and a warning for programs whose state can be made again (`doubts`). Kinds
that are neither known as local nor as remote pass with a warning, and so does a host that does not tell.

    under(text, "/opt/vanta/memory")  ->  Mount(…, point="/opt/vanta", kind="nfs4", source="files:/export")
"""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from vanta.common.errors import OperatorError

MOUNTS = Path("/proc/self/mountinfo")
REMOTE = frozenset("""afs beegfs ceph cifs coda davfs gfs gfs2 glusterfs gpfs lustre mfs moosefs ncpfs nfs nfs4 ocfs2
    orangefs panfs pvfs2 smb3 smbfs
    fuse.ceph fuse.ceph-fuse fuse.cephfs fuse.curlftpfs fuse.davfs fuse.davfs2 fuse.gcsfuse fuse.glusterfs fuse.goofys
    fuse.google-drive-ocamlfuse fuse.juicefs fuse.mfs fuse.mfsmount fuse.rclone fuse.s3fs fuse.s3ql
    fuse.sshfs""".split())
"""Kinds that another host may write as well, or that a server keeps."""

SHARED = frozenset("9p vboxsf virtiofs vmhgfs fuse.vmhgfs-fuse".split())
"""Folders that a virtual machine or sandbox is lent by what runs it. Good enough to try things out, not for money."""

LOCAL = frozenset("""bcachefs btrfs ecryptfs exfat ext2 ext3 ext4 f2fs fuseblk jfs nilfs2 ntfs ntfs3 overlay ramfs
    reiserfs rootfs tmpfs ubifs vfat xfs zfs""".split())
"""Kinds of this host's own disks and memory. What lies under an overlay cannot be seen from here."""

_OCTAL = re.compile(r"\\([0-7]{3})")
_FIELDS = 6  # id, parent, device, root, point, options; what follows up to the dash is optional


class Mount(NamedTuple):
    """One mount. `parent` is the id of the mount that it covers a folder of."""

    number: str
    parent: str
    point: str
    kind: str
    source: str


def mounts(text: str) -> Iterator[Mount]:
    """The mounts of a `mountinfo`; lines of another form are passed over."""
    for line in text.splitlines():
        before, dash, after = line.partition(" - ")
        fields, more = before.split(" "), after.split(" ")
        if dash and len(fields) >= _FIELDS and len(more) > 1:
            yield Mount(fields[0], fields[1], _plain(fields[4]), more[0], _plain(more[1]))


def under(text: str, path: str) -> Mount | None:
    """The mount that an absolute path without links lies on; `None` if none holds it.

    From the root on, each folder of the path may be covered, also more than once; what was mounted below a folder that
    is covered later is hidden. Where no root is told (in a chroot) it is the longest point that holds the path.
    """
    found = list(mounts(text))
    covers = {(one.parent, one.point): one for one in found if one.parent != one.number}
    numbers = {one.number for one in found if one.parent != one.number}
    places = [str(place) for place in reversed([PurePosixPath(path), *PurePosixPath(path).parents])]
    here = next((one for one in found if one.point == "/" and one.parent not in numbers), None)
    if here is None:
        holding = [one for one in found if one.point in places]
        return max(holding, key=lambda one: (places.index(one.point), found.index(one)), default=None)
    for place in places:
        while (cover := covers.get((here.number, place))) is not None:
            here = cover
    return here


def doubts(folder: Path, table: Path = MOUNTS) -> list[str]:
    """What is wrong with the place of a folder, in a sentence; nothing if it lies on a disk of this host."""
    mount, problem = _look(folder, table)
    if mount is None:
        return [problem]
    if mount.kind in LOCAL:
        return []
    if mount.kind in SHARED:
        return [f"{folder} is lent by what runs this machine ({mount.kind}): nobody knows here what it keeps"]
    if mount.kind in REMOTE:
        return [f"{folder} lies on a network file system ({mount.kind} from {mount.source} at {mount.point})"]
    return [f"{folder} lies on {mount.kind}, of which nobody knows here whether it keeps what was synced"]


def insist_on_local(folder: Path, table: Path = MOUNTS, *, live: bool) -> None:
    """Raise `OperatorError` if the folder lies in the network, or, where money is at stake (`live`), is only lent.

    There is no setting that permits it.
    """
    mount, _ = _look(folder, table)
    if mount is not None and mount.kind in (REMOTE | SHARED if live else REMOTE):
        raise OperatorError(
            f"{doubts(folder, table)[0]}: two hosts could write it at once, and what was synced may be lost",
            "Move the home to a disk of this host: stop everything, copy it, run `vanta verify` on the copy, and start "
            "with --home there.")


def _look(folder: Path, table: Path) -> tuple[Mount | None, str]:
    try:
        text, place = table.read_text("utf-8", "surrogateescape"), str(folder.resolve(strict=True))
    except OSError as error:
        return None, f"the file system of {folder} was not looked at: {table}: {error.strerror}"
    mount = under(text, place)
    return mount, "" if mount else f"the file system of {folder} was not looked at: {table} does not tell"


def _plain(text: str) -> str:
    return _OCTAL.sub(lambda found: chr(int(found[1], 8)), text)
