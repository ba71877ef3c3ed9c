"""The injector misses nothing: the kernel's own list of calls equals what it counted."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.driving import ROOT, environment
from tests.crash.injector import VENUE
from tests.crash.traced import BEGIN, END

STRACE = shutil.which("strace")
CALLS = ("open,openat,creat,mkdir,mkdirat,write,pwrite64,writev,pwritev,ftruncate,truncate,fallocate,fsync,fdatasync,"
         "sync_file_range,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir,chmod,fchmod,"
         "fchmodat,utimensat,sendto,sendmsg,copy_file_range,sendfile,mknod,mknodat,setxattr,fsetxattr")
SAME = {"openat": "open", "mkdirat": "mkdir", "pwrite64": "pwrite", "renameat": "rename", "renameat2": "rename",
        "unlinkat": "unlink", "sendto": "send", "sendmsg": "send", "sendall": "send", "replace": "rename",
        "remove": "unlink", "creat": "open"}
LINE = re.compile(r"^(\d+) +(\w+)\((.*)$")


def of_kernel(trace: str, home: str, venue: int) -> Iterator[str]:
    """State-changing calls on the home and to the venue, but for the venue's own, in the form of the list."""
    begun = False
    for line in trace.splitlines():
        begun = (begun or BEGIN in line) and END not in line
        found = LINE.match(line)
        if not begun or found is None or BEGIN in line or int(found[1]) == venue:
            continue
        _, call, rest = found.groups()
        if call in ("open", "openat") and not re.search(r"O_CREAT|O_TRUNC", rest):
            continue
        name = SAME.get(call, call)
        if name == "send":
            yield f"send {VENUE}"
            continue
        named = re.findall(r'[<"](/[^>"]*)[>"]', rest)
        paths = [path.removesuffix("(deleted)") for path in named if path == home or path.startswith(home + "/")]
        if paths:
            path = paths[-1] if name in ("rename", "link", "symlink") else paths[0]
            yield f"{name} {path[len(home):] or '/'}"


def of_injector(points: list[str]) -> list[str]:
    """The injector's list in the same form."""
    found = []
    for point in points:
        name, _, where = point.partition(" ")
        found.append(f"{SAME.get(name, name)} {VENUE if where.startswith(VENUE) else where}")
    return found


@pytest.mark.skipif(STRACE is None, reason="strace is not installed: nothing to compare the injector's count with")
@pytest.mark.parametrize("story", ["order", "halt", "torn"])
def test_the_kernel_saw_exactly_what_the_injector_counted(story: str, tmp_path: Path) -> None:
    """Under strace the calls on the home and to the venue are the injector's, one by one, in order."""
    trace, output = tmp_path / "trace", tmp_path / "points.json"
    lab = tmp_path / "lab"
    lab.mkdir()
    done = subprocess.run([str(STRACE), "-f", "-qq", "-y", "-s", "0", "--seccomp-bpf", "-e", f"trace={CALLS}", "-e",
                           "signal=none", "-o", str(trace), sys.executable, "-m", "tests.crash.traced", story, str(lab),
                           str(output)], cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    if "ptrace" in done.stderr and not output.exists():
        pytest.skip(f"strace may not trace here: {done.stderr.strip()[-200:]}")
    assert output.exists(), done.stderr
    told = json.loads(output.read_text("utf-8"))
    seen = list(of_kernel(trace.read_text("utf-8"), told["home"], told["venue"]))
    assert len(seen) > 50
    assert seen == of_injector(told["points"])
