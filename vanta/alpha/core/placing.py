"""What a node's host is laid out with: which of the shipped files go where, for which home and environment. Pure.

Shipped files stand in `deploy/` and name places by `@HOME@`, `@BIN@` and `@NODE@`; a file that is named with NODE is
every node's. Some are the operator's from the moment they are there (`kept`): settings, lists of hosts and of keys, the
places of secrets.

    pieces("executor", "/opt/vanta")  ->  Piece("cron/vanta-executor", "/etc/cron.d/vanta-executor", 0o644), …
"""

import re
from typing import NamedTuple

from vanta.common.errors import Bug, UsageError

NODES = ("alpha", "markets", "executor")
SYSUSERS, TMPFILES = "/etc/sysusers.d", "/etc/tmpfiles.d"

_UNITS = {
    "alpha": ("vanta-alpha-lease.service", "vanta-alpha-board.service", "vanta-alpha-module@.service"),
    "markets": ("markets-reflector.service", "markets-collect@.service", "markets-warmup.service"),
    "executor": ("executor-router.service", "executor-sweep.service"),
}
_SHIMS = ("build/vanta_assistant.py", "build/vanta_diagnostics.py", "build/vanta_thread.py", "alpha/tracker_manager.py",
          "alpha/tracker_status_summary.py", "alpha/tracker_viewer.py")
"""Where `python3 FILE` finds the installed programs: one shipped file, which goes by its name."""

_CREDENTIALS = {"alpha": (), "markets": ("markets-collect@reddit.service",),
                "executor": ("executor-router.service", "executor-sweep.service")}
_OF_EACH = ("tidy", "verify", "transport", "publish", "alert@")
_PLAIN = re.compile(r"/[A-Za-z0-9._/-]+")
_UNSEEN = ("/home", "/root", "/run", "/tmp", "/var/tmp", "/proc", "/sys", "/dev")  # noqa: S108 - refused, not used
"""Where a unit looks and finds nothing, or nothing that stays."""


class Place(NamedTuple):
    """One node, its home, and the folder of its programs, as the host itself names them."""

    node: str
    home: str
    programs: str


class Piece(NamedTuple):
    """A shipped file, where it belongs, and whether it is the operator's once it is there. `group` reads it."""

    source: str
    target: str
    mode: int = 0o644
    kept: bool = False
    group: str = "root"


class Entry(NamedTuple):
    """One line of tmpfiles.d: a folder (`d`) or file (`f`), its mode and whose it is."""

    kind: str
    path: str
    mode: int
    user: str
    group: str


def check(place: Place) -> None:
    """Raise `UsageError` for a place that its units could not use, or that the files could not name."""
    if place.node not in NODES:
        raise UsageError(f"there is no node {place.node!r}", f"The nodes are {', '.join(NODES)}.")
    for what, path in (("home", place.home), ("programs' folder", place.programs)):
        parts = path.split("/")
        if not _PLAIN.fullmatch(path) or "" in parts[1:] or {".", ".."} & set(parts):
            raise UsageError(f"the {what} {path!r} cannot be named in units and cron jobs",
                             "Choose an absolute path of letters, digits, dots, dashes and underscores.")
        if any(path == one or path.startswith(f"{one}/") for one in _UNSEEN):
            raise UsageError(f"the {what} {path} is out of the sight of services",
                             "Install VANTA into /opt/vanta-venv, say, and give the node a home like /opt/vanta.")


def pieces(node: str, home: str) -> list[Piece]:
    """Every file of a node, accounts and folders first: the others may be theirs."""
    units = [(name, name) for name in (*_UNITS[node], f"vanta-{node}.target")]
    units += [(f"vanta-NODE-{what}.service", f"vanta-{node}-{what}.service") for what in _OF_EACH]
    found = [Piece("sysusers.d/vanta-NODE.conf", f"{SYSUSERS}/vanta-{node}.conf"),
             Piece("tmpfiles.d/vanta-NODE.conf", f"{TMPFILES}/vanta-{node}.conf")]
    if node == "alpha":
        found += [Piece(f"{kind}/vanta-assistant.conf", f"{folder}/vanta-assistant.conf")
                  for kind, folder in (("sysusers.d", SYSUSERS), ("tmpfiles.d", TMPFILES))]
    if node == "markets":
        found.append(Piece("tmpfiles.d/vanta-markets-logs.conf", f"{TMPFILES}/vanta-markets-logs.conf"))
    found += [Piece(f"systemd/{source}", f"/etc/systemd/system/{target}") for source, target in units]
    found += [Piece(f"systemd/{unit}.d/credentials.conf", f"/etc/systemd/system/{unit}.d/credentials.conf", kept=True)
              for unit in _CREDENTIALS[node]]
    if node == "alpha":
        found.append(Piece("systemd/vanta-assistant@.service", "/etc/systemd/system/vanta-assistant@.service"))
        found += [Piece("shims/program.py", f"{home}/{name}", 0o755) for name in _SHIMS]
        found.append(Piece("nfs/vanta-build.exports", "/etc/exports.d/vanta-build.exports"))
    else:
        found += [Piece(f"nfs/build.{kind}", f"/etc/systemd/system/{unit_name(f'{home}/build')}.{kind}")
                  for kind in ("mount", "automount")]
    return [*found,
            Piece(f"cron/vanta-{node}", f"/etc/cron.d/vanta-{node}"),
            Piece("logrotate/vanta-NODE", f"/etc/logrotate.d/vanta-{node}"),
            Piece(f"sudoers/vanta-{node}", f"/etc/sudoers.d/vanta-{node}", 0o440),
            Piece("nftables/vanta-NODE.nft", f"/etc/nftables.d/vanta-{node}.nft"),
            Piece("nftables/vanta-NODE-hosts.nft", f"/etc/nftables.d/vanta-{node}-hosts.nft", kept=True),
            Piece(f"ssh/authorized_keys-{node}", f"{home}/ssh/.ssh/authorized_keys", 0o640, kept=True, group="vanta"),
            Piece("ssh/known_hosts", f"{home}/config/known_hosts", 0o640, kept=True, group=f"vanta-{node}"),
            Piece(f"config/{node}.toml", f"{home}/config/vanta.toml", 0o640, kept=True, group=f"vanta-{node}")]


def render(text: str, place: Place) -> str:
    """The file for this place."""
    done = text.replace("@HOME@", place.home).replace("@BIN@", place.programs).replace("@NODE@", place.node)
    if (left := re.search(r"@[A-Z]+@", done)) is not None:
        raise Bug(f"a shipped file names {left.group()}, which is no place")
    return done


def unit_name(path: str) -> str:
    """What systemd calls the unit of a path, without its kind: `/opt/vanta/build` → `opt-vanta-build`."""
    said = "".join(one if one.isalnum() or one in "_./" else f"\\x{ord(one):02x}" for one in path.strip("/"))
    return ("\\x2e" + said[1:] if said.startswith(".") else said).replace("/", "-")


def entries(tmpfiles: str) -> list[Entry]:
    """The folders and files that a rendered tmpfiles.d file names, in order."""
    rows = (line.split() for line in tmpfiles.splitlines() if line and not line.startswith("#"))
    return [Entry(kind, path, int(mode, 8), user, group) for kind, path, mode, user, group, *_ in rows]


def accounts(sysusers: str) -> tuple[list[str], list[str], list[tuple[str, str]]]:
    """Groups, users, and who is in which group besides, by a rendered sysusers.d file. A user has its own group."""
    rows = [line.split() for line in sysusers.splitlines() if line and not line.startswith("#")]
    users = [row[1] for row in rows if row[0] == "u"]
    return ([row[1] for row in rows if row[0] == "g"] + users, users,
            [(row[1], row[2]) for row in rows if row[0] == "m"])
