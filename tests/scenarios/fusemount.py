"""A folder that lies on `fuse.sshfs`, for real, and a program that is started on it.

    unshare -m --propagation private python -m tests.scenarios.fusemount FOLDER KIND COMMAND…

Mounts FUSE under that name on FOLDER, visible to nobody else, and answers what the kernel asks about the root folder,
which is all there is. Then runs COMMAND and ends as it ended.
"""

import ctypes
import os
import struct
import subprocess
import sys
import threading

INIT, GETATTR, FORGET, INTERRUPT, BATCH_FORGET = 26, 3, 2, 36, 42
IN, OUT = struct.Struct("<IIQQIIII"), struct.Struct("<IiQ")
ENOSYS = 38


def main(folder: str, kind: str, *command: str) -> int:
    """Mount, answer, run."""
    fd = os.open("/dev/fuse", os.O_RDWR)
    data = f"fd={fd},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"user@files:/export", os.fsencode(folder), kind.encode(), 0, data) != 0:
        print(os.strerror(ctypes.get_errno()), file=sys.stderr)
        return 99
    threading.Thread(target=answer, args=(fd,), daemon=True).start()
    return subprocess.run(command, check=False).returncode


def answer(fd: int) -> None:
    """Say what the root is, and of everything else that there is no such thing."""
    while True:
        request = os.read(fd, 1 << 20)
        _, what, unique, *_ = IN.unpack_from(request)
        if what in (FORGET, INTERRUPT, BATCH_FORGET):
            continue
        error, body = 0, b""
        if what == INIT:
            body = struct.pack("<IIIIHHII", 7, 31, 65536, 0, 12, 9, 65536, 1).ljust(64, b"\0")
        elif what == GETATTR:
            times = (0, 0, 0)
            body = struct.pack("<QII", 1, 0, 0) + struct.pack(
                "<QQQQQQIIIIIIIIII", 1, 4096, 8, *times, *times, 0o40755, 2, 0, 0, 0, 4096, 0)
        else:
            error = -ENOSYS
        os.write(fd, OUT.pack(OUT.size + len(body), error, unique) + body)


if __name__ == "__main__":
    os._exit(main(*sys.argv[1:]))
