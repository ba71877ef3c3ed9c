"""How programs save a file, as the system calls that they make, one after the other.

Each `Style` is a list of steps; between two of them the folder is in a state that a reader may see. Recorded outside
/tmp (inside /tmp vim writes in place). `Save` is a save under way, `save` plays all of it.

| style | who saves so |
|---|---|
| `truncate` | nano, a shell's `>`, `cp`, `ed`, most programs: the old bytes are gone before the new ones come |
| `rename_over` | `sed -i`, git, VANTA itself: a new file takes the old one's name in one step |
| `rename_away` | vim: the file is renamed to `file~`, a new one is made under its name, the backup is removed |
| `backup_copy` | vim with `backupcopy=yes`: a copy is kept, the file itself is truncated and written |
| `backup_rename` | emacs, first save of a buffer: the old file stays as `file~`, with a lock link beside it |
| `two_renames` | programs with "safe write": the old file is moved aside, then the new one is moved in |
| `unlink_create` | `install`, `cp --remove-destination`, `patch`: the old file is removed, a new one is made |
| `open_then_truncate` | VS Code: the descriptor is opened first and cut to nothing later, then written piece by piece |
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

MODE = 0o640


@dataclass
class Save:
    """One save under way: the file, what is to be in it, in how many pieces it is written, and open descriptors."""

    path: Path
    data: bytes
    cuts: Sequence[int] = ()
    fds: dict[str, int] = field(default_factory=dict)

    def beside(self, name: str) -> Path:
        """Another file of the same folder; `{}` stands for the file's name."""
        return self.path.with_name(name.format(self.path.name))

    def pieces(self) -> Iterator[bytes]:
        """The data, cut where it is to be cut."""
        edges = [0, *sorted(self.cuts), len(self.data)]
        yield from (self.data[start:end] for start, end in pairwise(edges))


Step = Callable[[Save], None]
Style = Callable[[Save], Iterator[Step]]


def _open(name: str = "{}", flags: int = os.O_CREAT | os.O_TRUNC) -> Step:
    def step(save: Save) -> None:
        save.fds[name] = os.open(save.beside(name), os.O_WRONLY | flags, MODE)
    return step


def _write(save: Save, name: str = "{}") -> Iterator[Step]:
    for piece in save.pieces():
        yield lambda save, piece=piece: _all(save.fds[name], piece)  # type: ignore[misc]


def _all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data):]


def _cut(save: Save) -> None:
    os.ftruncate(save.fds["{}"], 0)


def _close(name: str = "{}", *, sync: bool = False) -> Step:
    def step(save: Save) -> None:
        fd = save.fds.pop(name)
        if sync:
            os.fsync(fd)
        os.close(fd)
    return step


def _rename(old: str, new: str) -> Step:
    return lambda save: os.rename(save.beside(old), save.beside(new))


def _unlink(name: str = "{}") -> Step:
    return lambda save: save.beside(name).unlink()


def _copy(new: str) -> Step:
    return lambda save: _put(save.beside(new), save.path.read_bytes())


def _put(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def truncate(save: Save) -> Iterator[Step]:
    """See the table."""
    yield _open()
    yield from _write(save)
    yield _close()


def rename_over(save: Save) -> Iterator[Step]:
    """See the table."""
    yield _open("sedA1b2C3", os.O_CREAT | os.O_EXCL)
    yield from _write(save, "sedA1b2C3")
    yield _close("sedA1b2C3", sync=True)
    yield _rename("sedA1b2C3", "{}")


def rename_away(save: Save) -> Iterator[Step]:
    """See the table. vim first tries with a file called 4913 whether it may create files."""
    yield _open(".{}.swp", os.O_CREAT | os.O_EXCL)
    yield _open("4913", os.O_CREAT | os.O_EXCL)
    yield _close("4913")
    yield _unlink("4913")
    yield _rename("{}", "{}~")
    yield _open("{}", os.O_CREAT)
    yield _cut
    yield from _write(save)
    yield _close(sync=True)
    yield _unlink("{}~")
    yield _close(".{}.swp")
    yield _unlink(".{}.swp")


def backup_copy(save: Save) -> Iterator[Step]:
    """See the table."""
    yield _copy("{}~")
    yield _open("{}", os.O_CREAT)
    yield _cut
    yield from _write(save)
    yield _close(sync=True)
    yield _unlink("{}~")


def backup_rename(save: Save) -> Iterator[Step]:
    """See the table."""
    yield lambda save: save.beside(".#{}").symlink_to("ann@host.4711:1700000000")
    yield _rename("{}", "{}~")
    yield _open()
    yield from _write(save)
    yield _close(sync=True)
    yield _unlink(".#{}")


def two_renames(save: Save) -> Iterator[Step]:
    """See the table."""
    yield _open("{}___tmp___", os.O_CREAT | os.O_EXCL)
    yield from _write(save, "{}___tmp___")
    yield _close("{}___tmp___", sync=True)
    yield _rename("{}", "{}___old___")
    yield _rename("{}___tmp___", "{}")
    yield _unlink("{}___old___")


def unlink_create(save: Save) -> Iterator[Step]:
    """See the table."""
    yield _unlink()
    yield _open("{}", os.O_CREAT | os.O_EXCL)
    yield from _write(save)
    yield _close()


def open_then_truncate(save: Save) -> Iterator[Step]:
    """See the table."""
    yield _open("{}", 0)
    yield _cut
    yield from _write(save)
    yield lambda save: os.fdatasync(save.fds["{}"])
    yield _close()


STYLES: dict[str, Style] = {style.__name__: style for style in (
    truncate, rename_over, rename_away, backup_copy, backup_rename, two_renames, unlink_create, open_then_truncate)}


def save(style: Style, path: Path, data: bytes, cuts: Sequence[int] = ()) -> None:
    """Save as that program does. Afterwards nothing of it lies beside the file but what the program leaves there."""
    saving = Save(path, data, cuts)
    for step in style(saving):
        step(saving)
