"""A kill on a disk that has no byte left, while an executor sends from it.

    unshare -m --propagation private python -m tests.halt.fulldisk FOLDER

Mounts a small file system in memory below FOLDER, visible to nobody else, and lets an executor run on it until orders
flow; then everything is filled up. Prints one JSON object: how the kill ended, how many orders left afterwards, whether
the permit is still there, how the executor ended, and how many bytes were free.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.halt.rig import PATIENCE_S, Rig, monotonic_ns, real_kill
from vanta.common.paths import PERMIT

SIZE = "24m"


def fill(folder: Path) -> None:
    """Leave no byte, and nothing that a byte could be put into."""
    with (folder / "ballast").open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


def main(folder: Path) -> None:
    """Mount, run, fill, kill, look."""
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(disk)], check=True)
    rig = Rig(folder, latency_us=200, home=disk / "home")
    try:
        rig.stage()
        rig.permit()
        rig.until(lambda: len(rig.stamps()) > 0)
        fill(disk)
        space = os.statvfs(disk)
        status = real_kill(rig.home)
        after = monotonic_ns()
        ended = rig.process.wait(PATIENCE_S)  # it cannot record what it saw: it stops by itself
        late = [stamp for stamp in rig.stamps() if stamp > after]
        print(json.dumps({"kill": status, "late": len(late), "sent": len(rig.stamps()), "executor": ended,
                          "permit": rig.home.file(PERMIT).exists(), "free": space.f_bavail * space.f_frsize}))
    finally:
        rig.end()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
