"""Which mount holds a path, and whether state may lie there: texts as hosts of many kinds give them."""

from pathlib import Path

import pytest

from vanta.common.errors import OperatorError
from vanta.common.store.ground import LOCAL, MOUNTS, REMOTE, SHARED, Mount, doubts, insist_on_local, mounts, under

PLAIN = "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard\n23 27 0:22 / /sys rw shared:7 - sysfs sysfs rw\n"


def on(*lines: str) -> str:
    """A host with an ext4 root and more mounts."""
    return PLAIN + "\n".join(lines) + "\n"


NFS, XFS = "nfs files:/x rw", "xfs /dev/sdb rw"
CONTAINER = ("500 400 0:90 / / rw - overlay overlay rw,lowerdir=/a:/b,upperdir=/c\n"
             "501 500 0:91 / /data rw - 9p share rw,trans=virtio\n")
COVERED = ("20 1 0:2 / / rw - rootfs rootfs rw\n21 20 8:1 / / rw - ext4 /dev/sda rw\n"
           "22 21 0:5 / /m rw - ceph 10.0.0.1:/ rw\n")
CHROOT = ("40 27 0:50 / /m rw - fuse.sshfs ann@files:/ rw\n41 27 0:51 / /m/x rw - tmpfs t rw\n"
          "42 27 0:52 / /m/x rw - xfs /dev/sdb rw\n")
HOLDS = {
    "the root alone": (on(), "/opt/vanta/memory", "/", "ext4"),
    "a mount of its own": (
        on("40 27 0:50 / /opt/vanta rw - nfs4 files:/export rw,vers=4.2"), "/opt/vanta/memory", "/opt/vanta", "nfs4"),
    "the point itself": (on(f"40 27 0:50 / /opt/vanta rw - {XFS}"), "/opt/vanta", "/opt/vanta", "xfs"),
    "a name that only begins alike": (on(f"40 27 0:50 / /opt/van rw - {NFS}"), "/opt/vanta/memory", "/", "ext4"),
    "the deepest of several": (
        on(f"40 27 0:50 / /opt rw - {NFS}", f"41 40 8:1 / /opt/vanta rw - {XFS}"), "/opt/vanta/m", "/opt/vanta", "xfs"),
    "several on one place: the last": (
        on(f"40 27 8:1 / /opt rw - {XFS}", f"41 40 0:50 / /opt rw - {NFS}"), "/opt/vanta", "/opt", "nfs"),
    "a local one hidden below": (
        on(f"40 27 8:1 / /a/b rw - {XFS}", f"41 27 0:50 / /a rw - {NFS}"), "/a/b/memory", "/a", "nfs"),
    "a bind mount of a folder in the network": (
        on("40 27 0:50 /home/ann /opt/vanta rw shared:3 master:1 - nfs4 f:/x rw"), "/opt/vanta", "/opt/vanta", "nfs4"),
    "a bind mount of a local folder over the network": (
        on("40 27 0:50 / /srv rw - cifs //files/x rw", "41 40 254:0 /var/v /srv/v rw - ext4 /dev/vda rw"),
        "/srv/v/memory", "/srv/v", "ext4"),
    "spaces, tabs, backslashes": (
        on(r"40 27 0:50 / /a\040b\011c\134d rw - cifs //files/my\040share rw"),
        "/a b\tc\\d/memory", "/a b\tc\\d", "cifs"),
    "a container": (CONTAINER, "/data/memory", "/data", "9p"),
    "a root that is covered": (COVERED, "/m/memory", "/m", "ceph"),
    "a root that names itself": ("1 1 0:2 / / rw - btrfs /dev/sda rw\n", "/m", "/", "btrfs"),
    "a chroot without a root": (CHROOT, "/m/x/memory", "/m/x", "xfs"),
    "lines of another form": (
        on("nonsense", "1 2 3 - x", "40 27 0:5 / /opt rw -", "40 27 0:50 / /opt rw - smb3 //f/x rw"),
        "/opt/vanta", "/opt", "smb3"),
}


@pytest.mark.parametrize(("text", "path", "point", "kind"), HOLDS.values(), ids=HOLDS.keys())
def test_the_mount_that_holds_a_path(text: str, path: str, point: str, kind: str) -> None:
    """By the order in which folders are covered."""
    found = under(text, path)
    assert found is not None
    assert (found.point, found.kind) == (point, kind)


def test_a_path_that_nothing_holds() -> None:
    """A table without a root and without the place."""
    assert under("40 27 0:50 / /m rw - xfs /dev/sdb rw\n", "/opt") is None
    assert under("", "/") is None


def test_the_fields_of_a_mount() -> None:
    """With optional fields, however many."""
    (one,) = mounts("36 35 98:0 /r /mnt2 rw,noatime master:1 shared:2 - ext3 /dev/my\\040root rw\n")
    assert one == Mount("36", "35", "/mnt2", "ext3", "/dev/my root")


def table(folder: Path, kind: str) -> Path:
    """A host on which everything lies on that kind."""
    path = folder / "mountinfo"
    path.write_text(f"27 1 254:0 / / rw - {kind} files:/export rw\n", "utf-8")
    return path


@pytest.mark.parametrize("kind", sorted(REMOTE))
def test_a_place_in_the_network_is_refused(tmp_path: Path, kind: str) -> None:
    """With the kind, the server and what to do."""
    with pytest.raises(OperatorError, match="network file system") as caught:
        insist_on_local(tmp_path, table(tmp_path, kind), live=False)
    assert kind in caught.value.what
    assert "files:/export" in caught.value.what
    assert "Move the home to a disk of this host" in caught.value.cure
    assert "network" in doubts(tmp_path, table(tmp_path, kind))[0]


@pytest.mark.parametrize("kind", sorted(LOCAL))
def test_a_local_disk_raises_no_doubt(tmp_path: Path, kind: str) -> None:
    """Nothing to say."""
    insist_on_local(tmp_path, table(tmp_path, kind), live=True)
    assert doubts(tmp_path, table(tmp_path, kind)) == []


@pytest.mark.parametrize("kind", sorted(SHARED))
def test_a_folder_that_is_lent_is_not_for_money(tmp_path: Path, kind: str) -> None:
    """Trying things out in a virtual machine is welcome; live trading there is refused."""
    insist_on_local(tmp_path, table(tmp_path, kind), live=False)
    assert "is lent by what runs this machine" in doubts(tmp_path, table(tmp_path, kind))[0]
    with pytest.raises(OperatorError, match="is lent"):
        insist_on_local(tmp_path, table(tmp_path, kind), live=True)


def test_an_unknown_kind_is_a_doubt_and_no_refusal(tmp_path: Path) -> None:
    """Somebody may know better."""
    insist_on_local(tmp_path, table(tmp_path, "fuse.odd"), live=True)
    assert "lies on fuse.odd" in doubts(tmp_path, table(tmp_path, "fuse.odd"))[0]


def test_a_host_that_does_not_tell_was_not_looked_at(tmp_path: Path) -> None:
    """No /proc, a table without the place, a folder that is not there: said, and not refused."""
    for path, folder in ((tmp_path / "nothing", tmp_path), (MOUNTS, tmp_path / "nowhere")):
        insist_on_local(folder, path, live=True)
        assert "was not looked at" in doubts(folder, path)[0]
    (tmp_path / "empty").write_text("", "utf-8")
    assert "does not tell" in doubts(tmp_path, tmp_path / "empty")[0]


def test_a_link_is_followed(tmp_path: Path) -> None:
    """What counts is where the folder really lies."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    path = tmp_path / "mountinfo"
    path.write_text(f"27 1 254:0 / / rw - ext4 /dev/vda rw\n40 27 0:50 / {tmp_path}/real rw - nfs files:/x rw\n")
    with pytest.raises(OperatorError):
        insist_on_local(tmp_path / "link", path, live=False)


def test_no_kind_is_both() -> None:
    """A kind is trusted or not."""
    assert not REMOTE & LOCAL
    assert not SHARED & (REMOTE | LOCAL)
