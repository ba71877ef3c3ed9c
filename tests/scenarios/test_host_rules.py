"""Rights, ways out, exports and kept logs, as sudo, nftables, NFS and logrotate themselves read them."""

import gzip
import os
import re
from pathlib import Path

import pytest

from tests.scenarios.hosts import PROGRAMS, ask, rendered, tool
from vanta.alpha.core.placing import NODES
from vanta.alpha.installer import shipped
from vanta.common.clock import SystemClock
from vanta.common.events import LogEvent
from vanta.common.log import configure
from vanta.common.paths import Home
from vanta.common.settings import load
from vanta.transport.core.table import crossings

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may ask this tool")


@pytest.mark.parametrize("node", NODES)
def test_sudo_takes_the_rights_of_operators(node: str, tmp_path: Path) -> None:
    """Checked by visudo; a mistake in it would be seen."""
    ((name, text),) = rendered(node, "/etc/sudoers.d/").items()
    assert "." not in name  # sudo skips such files
    (tmp_path / name).write_text(text)
    assert ask(tool("visudo"), "-c", "-q", "-f", str(tmp_path / name)).returncode == 0
    (tmp_path / name).write_text(text.replace("NOPASSWD:", "NOPASSWD"))
    assert ask(tool("visudo"), "-c", "-q", "-f", str(tmp_path / name)).returncode != 0


@pytest.mark.parametrize("node", NODES)
def test_operators_may_halt_and_look_and_nothing_else(node: str) -> None:
    """Fixed commands by absolute paths; nothing that gives risk back, no shell, no pager, no pattern."""
    (text,) = rendered(node, "/etc/sudoers.d/").values()
    rights = [line for line in text.splitlines() if not line.startswith("#")]
    for line in rights:
        found = re.fullmatch(rf"%vanta-ops ALL=\((root|vanta-{node})\) NOPASSWD: (.*)", line)
        assert found is not None
        for command in found.group(2).split(", "):
            assert command.startswith("/")
            assert not set(command) & set("*?[]!\\")
            words = command.split()
            assert len(words) > 2  # without arguments any would do
            assert not {"release", "override", "flatten", "start", "restart", "enable"} & set(words)
            assert words[0].endswith("systemctl") == (found.group(1) == "root")
            assert "status" not in words or "--no-pager" in words or "systemctl" not in words[0]
    assert any(" kill " in line for line in rights) == (node != "markets")


@AS_ROOT
@pytest.mark.parametrize("node", NODES)
def test_nftables_takes_the_ways_out(node: str, tmp_path: Path) -> None:
    """With nothing in the list, with the examples in the list; a mistake would be seen."""
    files = rendered(node, "/etc/nftables.d/")
    for name, text in files.items():
        known = text.replace("/etc/nftables.d", str(tmp_path)).replace(f'skuid != "vanta-{node}"', 'skuid != "nobody"')
        (tmp_path / name).write_text(known)
    main, hosts = tmp_path / f"vanta-{node}.nft", tmp_path / f"vanta-{node}-hosts.nft"
    nft = tool("nft")
    done = ask(nft, "-c", "-f", str(main))
    if "Operation not permitted" in done.stderr:
        pytest.skip("this kernel lets nobody ask about nftables here")
    assert (done.returncode, done.stderr) == (0, "")
    hosts.write_text(re.sub("^#(?=add)", "", hosts.read_text(), flags=re.MULTILINE))
    done = ask(nft, "-c", "-f", str(main))
    assert (done.returncode, done.stderr) == (0, "")
    hosts.write_text("add element inet vanta_nobody hosts4 { 1.2.3.4 }\n")
    assert ask(nft, "-c", "-f", str(main)).returncode != 0


@pytest.mark.parametrize("node", NODES)
def test_what_is_not_listed_does_not_go_out(node: str) -> None:
    """Loopback, name servers, a port of listed hosts, ssh to nodes; the last rule refuses, and nothing is listed."""
    files = rendered(node, "/etc/nftables.d/")
    rules = re.findall(r"^        (.*)$", files[f"vanta-{node}.nft"].partition("chain out")[2], re.MULTILINE)
    assert rules[1] == f'meta skuid != "vanta-{node}" accept'
    assert rules[-1].startswith("counter reject")
    assert {port for rule in rules for port in re.findall(r"dport (\d+)", rule)} == {"22", "53", "443", "4222"}
    assert all("@nodes" in rule for rule in rules if "dport 22" in rule or "dport 4222" in rule)
    assert not [line for line in files[f"vanta-{node}-hosts.nft"].splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("node", NODES)
def test_who_may_look_from_other_hosts(node: str) -> None:
    """Nobody, as installed; then each node that something is carried to, by a forced command and without a terminal."""
    (text,) = (one for name, one in rendered(node, "/opt/vanta/ssh/").items())
    assert all(line.startswith("#") for line in text.splitlines())
    words = rf'"{PROGRAMS}/vanta transport serve --node (\w+) --to (\w+) --home /opt/vanta",restrict ssh-'
    found = re.findall(f"^#command={words}", text, re.MULTILINE)
    assert sorted(found) == sorted((node, to) for to in NODES if crossings(node, to))
    assert len(found) == text.count("#command=")


@pytest.mark.parametrize("node", NODES)
def test_shipped_links_are_those_that_carry_something(node: str, tmp_path: Path) -> None:
    """And a key is pinned only where a list of keys is carried: a pin that nobody looks at would hold nothing."""
    home = Home(tmp_path).prepare()
    text = shipped(f"config/{node}.toml")
    (home.config / "vanta.toml").write_text(re.sub(r"^#(?=\[|[a-z_]+ = )", "", text, flags=re.MULTILINE))
    said = load(home, {})
    assert said.node is not None
    assert said.node.name == node
    for source in NODES:
        link = getattr(said.transport, source)
        assert (link is not None) == bool(crossings(source, node))
        assert (link is not None and link.key is not None) == any(row.how == "keys" for row in crossings(source, node))


def test_build_is_exported_to_two_hosts_that_cannot_write() -> None:
    """By name, read-only, and as nobody."""
    (text,) = rendered("alpha", "/etc/exports.d/").values()
    ((folder, *clients),) = [line.split() for line in text.splitlines() if not line.startswith("#")]
    assert folder == "/opt/vanta/build"
    assert [client.partition("(")[0] for client in clients] == ["vanta-markets", "vanta-executor"]
    for client in clients:
        options = set(client.partition("(")[2].rstrip(")").split(","))
        assert options >= {"ro", "root_squash", "all_squash", "no_subtree_check"}
        assert not options & {"rw", "no_root_squash", "insecure", "async"}


@pytest.mark.parametrize("node", ["markets", "executor"])
def test_build_is_mounted_so_that_nobody_hangs_or_is_harmed(node: str) -> None:
    """Systemd itself looks at the unit in test_units.py."""
    units = rendered(node, "/etc/systemd/system/")
    text = units["opt-vanta-build.mount"]
    options = set(re.findall(r"^Options=(.*)$", text, re.MULTILINE)[0].split(","))
    assert options >= {"ro", "soft", "nosuid", "nodev", "noexec"}
    assert "Where=/opt/vanta/build\n" in text
    assert "What=vanta-alpha:/opt/vanta/build\n" in text
    assert "WantedBy" not in text  # only when it is looked at
    assert f"WantedBy=vanta-{node}.target" in units["opt-vanta-build.automount"]


@AS_ROOT
def test_logs_are_kept_for_fourteen_days_and_go_on_in_a_new_file(tmp_path: Path) -> None:
    """By logrotate itself, while a program writes: what it wrote is whole, and nobody had to tell it."""
    logrotate, home = tool("logrotate"), Home(tmp_path / "home").prepare()
    ((name, text),) = rendered("executor", "/etc/logrotate.d/").items()
    assert "." not in name
    (tmp_path / name).write_text(text.replace("/opt/vanta", str(home.root)).replace("vanta-executor", "root")
                                 .replace("root vanta", "root root"))
    (tmp_path / name).chmod(0o644)
    for day in range(1, 21):
        (home.logs / f"executor.log-202601{day:02}.gz").write_bytes(gzip.compress(b"{}\n"))
    with configure(home, "executor", SystemClock()) as log:
        log.info(LogEvent.STARTED, number=1)
        done = ask(logrotate, "--force", "--state", str(tmp_path / "state"), str(tmp_path / name))
        assert (done.returncode, done.stderr) == (0, "")
        log.info(LogEvent.STARTED, number=2)
    (turned,) = [path for path in home.logs.glob("executor.log-*") if not path.name.endswith(".gz")]
    assert b'"number": 1' in turned.read_bytes()
    assert b'"number": 2' in (home.logs / "executor.log").read_bytes()
    kept = sorted(path.name for path in home.logs.glob("executor.log-*"))
    assert len(kept) == 14
    assert "executor.log-20260107.gz" not in kept
    assert (home.logs / "executor.log").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("node", NODES)
def test_logs_are_never_cut_under_a_writer(node: str) -> None:
    """What is cut while it is written is lost."""
    (text,) = rendered(node, "/etc/logrotate.d/").values()
    assert "copytruncate" not in text
    assert "rotate 14" in text
