"""Three hosts laid out as docs/INSTALL.md says, command by command, and what a test asks them.

The feeds find a recorded day of the demonstration; the rest is what an operator gets: the shipped units under systemd,
the shipped jobs under cron, ssh between the hosts.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.nodes.image import CACHE, layers
from tests.nodes.machine import Machine
from tests.nodes.network import Network
from tests.processes import ROOT
from vanta.common.times import iso
from vanta.transport.core.table import NODES, crossings

HOME = "/opt/vanta"
DEMO = ROOT / "memory_fixtures" / "demo"
LEASE_S, LATCH_S = 6, 3
SERVICES = {"alpha": ("vanta-alpha-lease", "vanta-alpha-transport", "vanta-alpha-board"),
            "markets": ("vanta-markets-transport", "markets-reflector"),
            "executor": ("vanta-executor-transport", "executor-router")}
OFF = {"maintenance": False, "orders_disabled": False, "external_calls_disabled": False, "full_halt": False}


class Estate:
    """The hosts by node, and the wire between them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.network = Network()
        self.at: dict[str, Machine] = {}
        self.installed: dict[str, list[str]] = {}
        below = layers()
        for node in NODES:
            self.at[node] = Machine(node, folder, self.network.plug(node), below)

    def switch_on(self) -> None:
        """What an administrator does before VANTA comes: names, host keys, a clock in New York."""
        names = "".join(f"{address} vanta-{node}\n" for node, address in self.network.addresses.items())
        for node, machine in self.at.items():
            machine.put("/etc/hosts", f"127.0.0.1 localhost\n{names}")
            machine.put("/etc/hostname", f"vanta-{node}\n")
            machine.on_disk("ssh-keygen", "-A")
            machine.on_disk("ln", "-sf", "/usr/share/zoneinfo/America/New_York", "/etc/localtime")
            machine.boot()

    def install(self) -> None:
        """"Lay out the host", twice, and "First key, first halt"."""
        for node, machine in self.at.items():
            first = machine.shell(f"vanta install --node {node}")
            assert f"install {node}: done" in first, first
            before = machine.shell(_TIMES)
            second = machine.shell(f"vanta install --node {node}")
            self.installed[node] = [second, before, machine.shell(_TIMES)]
            machine.does("systemctl", "daemon-reload")

    def configure(self) -> None:
        """Keys, settings, links, controls and vaults: everything that is a person's to say."""
        now = iso(datetime.now(UTC))
        words = (DEMO / "config" / "vanta.toml").read_text().replace("@HOME@", HOME).replace("@NOW@", now)
        for machine in self.at.values():
            machine.put(f"{HOME}/config/vanta.toml", words)
            machine.key(f"{HOME}/config/credentials/transport/key")
            machine.shell('vanta-run kill --reason "first start"')
        for node, machine in self.at.items():
            links = "\n".join(self._link(source, node) for source in NODES if crossings(source, node))
            own = f'[node]\nname = "{node}"\n[transport]\nlease_s = {LEASE_S}\nlatch_s = {LATCH_S}\n'
            machine.put(f"{HOME}/config/vanta.toml", f"{words}\n{own}{links}\n")
        for node in NODES:
            for source in NODES:
                if crossings(source, node):
                    self._introduce(source, node)
        self.save("alpha", "vault.json", json.loads((DEMO / "memory" / "vault.json").read_text()))
        for node in ("alpha", "executor"):
            self.save(node, "vault_overlay.json", OFF)
        self.wave(1)

    def _link(self, source: str, node: str) -> str:
        return (f'[transport.{source}]\nkind = "ssh"\nhost = "vanta-{source}"\n'
                f'identity = "/run/credentials/vanta-{node}-transport.service/transport_key"\n'
                f'known_hosts = "{HOME}/config/known_hosts"\nkey = "{self.fingerprint(source)}"')

    def fingerprint(self, node: str) -> str:
        """Of the first key that signs a node's logs."""
        found: str = json.loads(self.at[node].shell("vanta audit key --json"))["keys"][0]["fingerprint"]
        return found

    def _introduce(self, source: str, node: str) -> None:
        """`node` may look at `source`, and knows it."""
        key = self.at[node].text(f"{HOME}/config/credentials/transport/key.pub").strip()
        word = f"/opt/vanta-venv/bin/vanta transport serve --node {source} --to {node} --home {HOME}"
        self.at[source].shell(f"echo 'command=\"{word}\",restrict {key}' >> {HOME}/ssh/.ssh/authorized_keys")
        host = self.at[source].text("/etc/ssh/ssh_host_ed25519_key.pub").split()
        self.at[node].shell(f"echo 'vanta-{source} {host[0]} {host[1]}' >> {HOME}/config/known_hosts")

    def start(self) -> None:
        """Services start now and after every boot."""
        for node, services in SERVICES.items():
            self.at[node].does("systemctl", "enable", "--now", f"vanta-{node}.target", *services)

    def collect(self, *feeds: str) -> None:
        """Hourly feeds now; cron brings the others every minute."""
        done = self.at["markets"].tries("systemctl", "start", *(f"markets-collect@{feed}" for feed in feeds))
        assert done.returncode == 0, self.at["markets"].shell(f"tail -n 5 {HOME}/logs/*.log")

    def save(self, node: str, name: str, document: dict[str, Any]) -> None:
        """An operator's editor: written beside, moved over."""
        path = f"{HOME}/memory/{name}"
        self.at[node].shell(f"cat > {path}.swp <<'END'\n{json.dumps(document)}\nEND\n"
                            f"chown vanta-{node}:vanta {path}.swp; chmod 640 {path}.swp; mv {path}.swp {path}")

    def wave(self, number: int) -> None:
        """What the feeds find from now on."""
        wave = sorted((DEMO / "feeds").iterdir())[number - 1]
        machine = self.at["markets"]
        for feed in (one for one in wave.iterdir() if one.is_dir()):
            copy = machine.disk / f"opt/vanta/feeds/{wave.name}/{feed.name}"
            shutil.copytree(feed, copy, dirs_exist_ok=True)
            machine.shell(f"cd {HOME}/feeds && ln -sfn {wave.name}/{feed.name} {feed.name}.next && "
                          f"mv -T {feed.name}.next {feed.name}")

    def release(self, version: str) -> None:
        """Put a release of the module `m` into use, as the runbook says."""
        alpha = self.at["alpha"]
        item = json.loads(alpha.shell(f'vt-add "m {version}" --release m@{version} --json'))["item"]["id"]
        alpha.shell(f'vt-mark {item} approved --reason "read it" && '
                    f'tracker_manager.py promote m {version} --reason "better"')

    def mount_build(self, node: str) -> Machine:
        """Alpha's build folder, by the shipped mount unit, over sshfs where NFS is shipped: no kernel here has that."""
        machine, key = self.at[node], f"{HOME}/config/credentials/build.key"
        public = machine.key(key)
        word = "/usr/lib/openssh/sftp-server -R"
        self.at["alpha"].shell(f"echo 'command=\"{word}\",restrict {public}' >> {HOME}/ssh/.ssh/authorized_keys")
        machine.put("/etc/systemd/system/opt-vanta-build.mount.d/sshfs.conf",
                    f"[Mount]\nWhat=vanta@vanta-alpha:{HOME}/build\nType=fuse.sshfs\nOptions=ro,nosuid,nodev,allow_other,"
                    f"IdentityFile={key},UserKnownHostsFile={HOME}/config/known_hosts,reconnect,ServerAliveInterval=2,"
                    "ServerAliveCountMax=2,ConnectTimeout=5,dir_cache=no,attr_timeout=0,entry_timeout=0,_netdev\n")
        machine.does("systemctl", "daemon-reload")
        machine.does("systemctl", "start", "opt-vanta-build.mount")  # no autofs in a container
        return machine

    def document(self, node: str, name: str) -> dict[str, Any]:
        """A document of a node's, empty while there is none."""
        path = self.at[node].disk / "opt/vanta/memory" / name
        try:
            found: dict[str, Any] = json.loads(path.read_bytes())
        except FileNotFoundError:
            return {}
        return found

    def raw(self, node: str, name: str) -> bytes:
        """Whatever a node has under a name."""
        path = self.at[node].disk / "opt/vanta/memory" / name
        return path.read_bytes() if path.exists() else b""

    def replica(self, node: str, name: str = "trade_log.jsonl", source: str = "executor") -> bytes:
        """What a node holds of another one's file."""
        return self.raw(node, f"replica/{source}/memory/{name}")

    def log(self, name: str = "trade_log.jsonl", node: str = "executor") -> list[dict[str, Any]]:
        """Records, complete lines only."""
        return [json.loads(line) for line in self.raw(node, name).split(b"\n")[:-1]]

    def count(self, kind: str) -> int:
        """How many records of a kind the executor has."""
        return sum(one["kind"] == kind for one in self.log())

    def state(self) -> dict[str, Any]:
        """What the executor says of itself."""
        return self.document("executor", "executor_state.json")

    def until(self, condition: Callable[[], object], what: str, bound_s: float = 180.0) -> None:
        """Wait for a condition, generously."""
        ends = time.monotonic() + bound_s
        while not condition():
            assert time.monotonic() < ends, f"not within {bound_s:.0f} s: {what}\n{self.said()}"
            time.sleep(0.05)

    def said(self) -> str:
        """What everybody said last."""
        words = "\n".join(f"== {node}\n{machine.said()}" for node, machine in self.at.items())
        return f"{json.dumps(self.state())[:1500]}\n{words}"

    def close(self) -> None:
        """Everything off and away."""
        for machine in self.at.values():
            machine.close()
        self.network.close()
        shutil.rmtree(self._folder, ignore_errors=True)


_TIMES = ("find /etc /opt/vanta /usr/lib/sysusers.d /usr/lib/tmpfiles.d -xdev -type f "
          "-not -name '*.pyc' -printf '%p %s %C@\\n' | sort")


@contextmanager
def estate() -> Iterator[Estate]:
    """Three hosts, switched on, nothing installed."""
    CACHE.mkdir(exist_ok=True)
    made = Estate(CACHE / "run")
    try:
        made.switch_on()
        yield made
    finally:
        made.close()
