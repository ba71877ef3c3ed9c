"""The disk that a host of `make test-hosts` starts from: Debian, systemd, cron, sshd, and VANTA as a wheel in `/opt`.

Three layers, each made once for what it depends on: the distribution's packages, the locked packages, VANTA itself.
A host writes into an upper folder of its own.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.processes import ROOT

CACHE = ROOT / ".hosts"
PROGRAMS = "/opt/vanta-venv"
RELEASE = "bookworm"
PACKAGES = ("systemd", "systemd-sysv", "dbus", "libpam-systemd", "iproute2", "iputils-ping", "cron", "python3",
            "python3-venv", "openssh-server", "openssh-client", "sudo", "ca-certificates", "nftables", "logrotate",
            "sshfs", "tzdata", "procps")
NEEDED = ("debootstrap", "systemd-nspawn", "nsenter", "ip", "mount", "chroot", "pgrep")
LONGEST_S = 900


def run(*command: str | Path, text: str | None = None) -> str:
    """Run a command here. Returns what it prints; raises `AssertionError` with all of it if it fails."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False,
                          timeout=LONGEST_S, input=text, env={**os.environ, "PATH": _path()})
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def why_not() -> str:
    """What keeps this machine from being three hosts; empty if nothing does."""
    missing = [name for name in NEEDED if shutil.which(name, path=_path()) is None]
    if missing:
        return (f"not here: {', '.join(missing)} (Debian: apt-get install debootstrap systemd-container iproute2 "
                "util-linux procps)")
    if os.geteuid() != 0:
        return "only root may make network namespaces and boot hosts"
    if not Path("/dev/fuse").exists():
        return "no /dev/fuse: the build folder is mounted over sshfs"
    name = f"vtry{os.getpid()}"
    tried = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False,
                           env={**os.environ, "PATH": _path()})
    if tried.returncode:
        return f"no network namespace can be made here: {tried.stderr.strip()}"
    run("ip", "netns", "del", name)
    return ""


def layers() -> list[Path]:
    """The layers of a host's disk, the topmost first; each is made if it is not there yet."""
    CACHE.mkdir(exist_ok=True)
    base = _layer("debian", "\n".join((RELEASE, *PACKAGES)), [], _distribution)
    locked = (ROOT / "requirements" / "run.lock").read_text()
    packages = _layer("packages", base.name + locked, [base], _packages)
    wheel = _wheel()
    own = _layer("vanta", packages.name + hashlib.sha256(wheel.read_bytes()).hexdigest(), [packages, base],
                 lambda root: _vanta(root, wheel))
    return [own, packages, base]


def mount(at: Path, upper: Path, below: list[Path]) -> None:
    """Lay an upper folder over layers. What is written goes into the upper one."""
    work = upper.with_name(upper.name + ".work")
    for folder in (at, upper, work):
        folder.mkdir(parents=True, exist_ok=True)
    lower = ":".join(str(one) for one in below)
    run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={lower},upperdir={upper},workdir={work}", at)


def unmount(at: Path) -> None:
    """Take it away; whoever still looks keeps looking."""
    subprocess.run(["umount", "--lazy", at], capture_output=True, check=False)


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def _layer(name: str, depends: str, below: list[Path], make: "object") -> Path:
    """`.hosts/<name>-<hash of what it depends on>`, made in a folder beside it and moved there when it is whole."""
    kept = CACHE / f"{name}-{hashlib.sha256(depends.encode()).hexdigest()[:12]}"
    if kept.exists():
        return kept
    for old in CACHE.glob(f"{name}-*"):
        shutil.rmtree(old)
    fresh = CACHE / f".{name}"
    shutil.rmtree(fresh, ignore_errors=True)
    assert callable(make)
    if not below:
        make(fresh)
    else:
        merged = CACHE / f".{name}.merged"
        mount(merged, fresh, below)
        try:
            make(merged)
        finally:
            run("umount", merged)
            shutil.rmtree(fresh.with_name(fresh.name + ".work"), ignore_errors=True)
    fresh.rename(kept)
    return kept


def _distribution(root: Path) -> None:
    run("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", RELEASE, root, _mirror())
    for key in (root / "etc" / "ssh").glob("ssh_host_*"):
        key.unlink()  # every host makes its own


def _mirror() -> str:
    """Where this machine gets that release from, in either form of apt's lists."""
    folder = Path("/etc/apt")
    for path in [*sorted(folder.glob("sources.list.d/*")), *folder.glob("sources.list")]:
        for part in path.read_text().split("\n\n"):
            new = re.search(r"^URIs:\s*(\S+)", part, re.MULTILINE)
            if new and re.search(rf"^Suites:.*\b{RELEASE}(\s|$)", part, re.MULTILINE):
                return new.group(1)
            old = re.search(rf"^deb (?:\[.*\] )?(\S+) {RELEASE} ", part, re.MULTILINE)
            if old:
                return old.group(1)
    raise AssertionError(f"no mirror of Debian {RELEASE} is configured here")


def _packages(root: Path) -> None:
    """What the lock names, fetched by its hashes, into an environment of the host's own Python."""
    wheels = root / "wheels"
    run(sys.executable, "-m", "venv", CACHE / "fetch")
    try:
        run(CACHE / "fetch" / "bin" / "python", "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
            "--require-hashes", "--no-deps", "--only-binary=:all:", "--python-version=3.11", "-d", wheels,
            "-r", ROOT / "requirements" / "run.lock")
        run("chroot", root, "python3", "-m", "venv", PROGRAMS)
        run("chroot", root, f"{PROGRAMS}/bin/python", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps",
            *(f"/wheels/{wheel.name}" for wheel in sorted(wheels.iterdir())))
    finally:
        shutil.rmtree(CACHE / "fetch")
        shutil.rmtree(wheels, ignore_errors=True)


def _wheel() -> Path:
    """VANTA as an operator gets it."""
    folder = CACHE / "wheel"
    shutil.rmtree(folder, ignore_errors=True)
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    return next(folder.glob("*.whl"))


def _vanta(root: Path, wheel: Path) -> None:
    shutil.copy(wheel, root)
    run("chroot", root, f"{PROGRAMS}/bin/python", "-m", "pip", "install", "--quiet", "--no-deps", "--no-index",
        f"/{wheel.name}")
    (root / wheel.name).unlink()
