"""A file that is saved while it is read: what comes back is one file or the other, never the half of each.

A control reads the same file with plain system calls and shows that the danger is real on this machine.
"""

import os
import time
from pathlib import Path

import pytest

from tests import processes
from vanta.common.store.guarded import guarded_read

BYTES, TORN, READS, PATIENCE_S = 60_000, 3, 500, 20.0
WRITER = """
import os, sys, time
path, size, number = sys.argv[1], int(sys.argv[2]), 0
print("ready", flush=True)
while True:
    number += 1
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)  # as nano, a shell's > and most programs save
    os.write(fd, (b"A", b"B")[number % 2] * size)
    os.close(fd)
    time.sleep(0.0002)
"""


def plain(path: Path) -> bytes:
    """A reader that takes what one `read` returns."""
    fd = os.open(path, os.O_RDONLY)
    try:
        return os.read(fd, BYTES + 1)
    finally:
        os.close(fd)


def mixed(raw: bytes | None) -> bool:
    return raw is not None and len(set(raw)) > 1


def test_a_guarded_read_never_returns_half_of_two_files(capsys: pytest.CaptureFixture[str]) -> None:
    """An editor saves without pause: plain reads mix old and new, guarded reads never do."""
    folder = Path("/dev/shm")
    if not folder.is_dir():
        pytest.skip("there is no file system in memory here, and on disks tears are too rare to wait for")
    path = folder / f"vanta-torn-{os.getpid()}"
    path.write_bytes(b"A" * BYTES)
    writer = processes.start(WRITER, str(path), str(BYTES))
    torn = reads = whole = 0
    ends = time.monotonic() + PATIENCE_S
    try:
        assert writer.stdout is not None
        writer.stdout.readline()
        while (torn < TORN or reads < READS) and time.monotonic() < ends:
            torn += mixed(plain(path))
            raw, _ = guarded_read(path, owners=(os.getuid(),), max_bytes=BYTES)
            reads += 1
            whole += raw is not None and len(raw) == BYTES
            assert not mixed(raw)
    finally:
        writer.kill()
        writer.communicate()
        path.unlink(missing_ok=True)
    with capsys.disabled():
        print(f"\n  torn reads: {torn} of {reads:,} plain reads mixed two files, 0 of {reads:,} guarded ones "
              f"({whole:,} whole)")
    assert whole
    if not torn:
        pytest.skip(f"no plain read was torn in {PATIENCE_S:.0f} s: nothing was shown")
