"""The transport's composition root: which adapter stands behind each link."""

import sys
from collections.abc import Iterator
from pathlib import Path

from vanta import __version__
from vanta.common.clock import Clock
from vanta.common.errors import OperatorError
from vanta.common.models.configuration import LinkSettings, Settings
from vanta.common.outside.allowed import Allowed, host_of, same
from vanta.common.outside.ledger import JournalLedger, Later
from vanta.common.outside.out import Out
from vanta.common.paths import TRANSPORT_CALLS, Home
from vanta.common.settings import clock_from, credential_folder
from vanta.common.signatures import KEYS, Signer
from vanta.common.signing_key import signer_if_any, signer_of
from vanta.common.store.atomic import read
from vanta.common.store.files import FolderFiles
from vanta.common.store.snapshot import FileSnapshots
from vanta.common.store.storage import DURABLE
from vanta.transport.bus import Bus, Way
from vanta.transport.core import streams
from vanta.transport.core.table import NODES, crossings
from vanta.transport.jetstream import Access, NatsBus
from vanta.transport.landing import Landing
from vanta.transport.lease import LeaseWriter
from vanta.transport.pipe import Calls, PipeRemote
from vanta.transport.port import Remote
from vanta.transport.publisher import Publisher, Source
from vanta.transport.puller import Link, Pace
from vanta.transport.reading import HomeReader
from vanta.transport.streamed import Ends, StreamRemote
from vanta.transport.witness import Witness

__all__ = ["LEASE_S", "bus", "lease_writer", "links", "needs", "node_of", "publisher", "reader", "way_out", "witness"]

LEASE_S = 1.0
"""How often Alpha's word is said anew."""

_SSH = ("ssh", "-T", "-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes",
        "-o", "PasswordAuthentication=no", "-o", "KbdInteractiveAuthentication=no", "-o", "ClearAllForwardings=yes",
        "-o", "ForwardAgent=no", "-o", "PermitLocalCommand=no", "-o", "UpdateHostKeys=no", "-o", "ControlPath=none",
        "-o", "GlobalKnownHostsFile=/dev/null", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=2")
"""Nothing of the account's own configuration counts, nobody is asked, and only the given host key is believed."""


def node_of(settings: Settings) -> str:
    """Which node this host is. Raises `OperatorError` where there is only one host."""
    if settings.node is None:
        raise OperatorError("this home is that of a single host: there is nothing to carry",
                            'On several hosts set [node] name = "executor" (or alpha, markets) in config/vanta.toml.')
    return settings.node.name


def key_of(home: Home) -> Path:
    """The private key of ssh where the settings name none."""
    return credential(home, "key")


def credential(home: Home, name: str) -> Path:
    """A file of the transport where the settings name none: unit's, which systemd named after its folder, else ours."""
    unit = credential_folder()
    found = None if unit is None else unit / f"transport_{name}"
    return found if found is not None and found.exists() else home.config / "credentials" / "transport" / name


def command(home: Home, link: LinkSettings, source: str, to: str, timeout_s: float) -> list[str]:
    """The words that reach `source`. Over ssh the words at the end are for people: its forced command decides."""
    words = ["serve", "--node", source, "--to", to]
    if link.kind == "shared":
        return [sys.executable, "-m", "vanta.suite.dispatch", "transport", *words, "--home", str(link.path)]
    return [*_SSH, "-o", f"ConnectTimeout={max(1, round(timeout_s))}",
            "-o", f"UserKnownHostsFile={link.known_hosts or home.config / 'known_hosts'}",
            "-i", link.identity or str(key_of(home)), "-p", str(link.port), "-l", link.user, "--", str(link.host),
            "vanta", "transport", *words]


def needs(settings: Settings) -> dict[str, frozenset[str]]:
    """Hosts by node, of the links that leave this host by themselves, and those of the NATS servers."""
    said = settings.transport
    found = {source: getattr(said, source) for source in NODES}
    servers = said.nats.servers if said.nats is not None else []
    return {**{source: frozenset({same(link.host)}) for source, link in found.items()
               if link is not None and link.kind == "ssh"},
            **({"nats": frozenset(same(host_of(server)) for server in servers)} if servers else {})}


def way_out(home: Home, settings: Settings, clock: Clock, log: str = TRANSPORT_CALLS) -> Out:
    """What a program goes out by: a list, and a line for each connection. The caller holds its lock."""
    def ledger() -> JournalLedger:
        journal = DURABLE.trail(home.file(log), signer=signer_if_any(home))
        return JournalLedger(journal, clock, program=f"transport {__version__}")

    listed = settings.outside.hosts
    return Out(Allowed.of(frozenset().union(*needs(settings).values()) if listed is None else listed), Later(ledger),
               clock)


def links(home: Home, settings: Settings, clock: Clock, out: Out) -> Iterator[Link]:
    """The links of this node. Raises `OperatorError` if there is none, or one that carries nothing."""
    to, said = node_of(settings), settings.transport
    for source in NODES:
        link: LinkSettings | None = getattr(said, source)
        if link is None:
            continue
        if not crossings(source, to):
            raise OperatorError(f"nothing is carried from {source} to {to}", f"Remove [transport.{source}].")
        there = home.replica(source)
        yield Link(source, to, _remote(home, settings, source, clock, out),
                   Landing(there, FileSnapshots(there.snapshots)),
                   Pace(controls_s=said.controls_s, logs_s=said.logs_s, key=link.key))


def _remote(home: Home, settings: Settings, source: str, clock: Clock, out: Out) -> Remote:
    to, timeout_s = node_of(settings), settings.transport.timeout_s
    link: LinkSettings = getattr(settings.transport, source)
    if link.kind == "nats":
        assert link.key is not None  # the settings insist on it
        server = bus(home, settings, to, Way(out, f"link:{source}"))
        return StreamRemote(server, Ends(source=source, to=to, pin=link.key), clock)
    return PipeRemote(command(home, link, source, to, timeout_s), timeout_s=timeout_s, clock=clock,
                      calls=None if link.kind == "shared" else Calls(out, str(link.host), f"link:{source}"))


def bus(home: Home, settings: Settings, user: str, way: Way, pair: tuple[str, str] | None = None) -> Bus:
    """The NATS server, as `user`, with the settings' certificate and key or that `pair`. Raises `OperatorError`."""
    said = settings.transport.nats
    if said is None:
        raise OperatorError("no NATS server is configured", "Set [transport.nats] in config/vanta.toml.")
    certificate, key = pair or (said.certificate or str(credential(home, "nats_certificate")),
                                said.key_file or str(credential(home, "nats_key")))
    access = Access(servers=tuple(said.servers), user=user, ca=said.ca or str(credential(home, "nats_ca")),
                    certificate=certificate, key_file=key, timeout_s=settings.transport.timeout_s)
    return NatsBus(access, way)


def publisher(home: Home, settings: Settings, out: Out) -> Publisher:
    """Who publishes what others may see of this home. Raises `OperatorError`, `CredentialsRefused` without a key."""
    node = node_of(settings)

    def identity() -> tuple[Signer, bytes]:
        signer = signer_of(home)
        return signer, read(home.config / KEYS)

    readers = {to: reader(home.root, node, to) for to in streams.readers(node)}
    return Publisher(Source(node=node, readers=readers, identity=identity),
                     bus(home, settings, node, Way(out, "link:publish")), clock_from(settings))


def reader(home: Path, node: str, to: str) -> HomeReader:
    """What `to` may see of the home of `node`. Raises `OperatorError` for what is no node."""
    if node not in NODES or to not in NODES or not crossings(node, to):
        raise OperatorError(f"nothing is carried from {node!r} to {to!r}", f"Nodes are {', '.join(NODES)}.")
    return HomeReader(Home(home), node, to, FileSnapshots(Home(home).snapshots))


def lease_writer(home: Home, clock: Clock) -> LeaseWriter:
    """Who says Alpha's word. The caller holds the lock."""
    return LeaseWriter(FolderFiles(home.memory), clock, by=f"transport lease {__version__}")


def witness(home: Home, source: str) -> Witness:
    """Who looks at the replica of `source`, on Alpha."""
    return Witness([sys.executable, "-m", "vanta.suite.dispatch", "audit", "witness", str(home.replica(source).root),
                    "--node", source, "--home", str(home.root), "--json"])
