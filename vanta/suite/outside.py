"""`vanta outside list`: whom this node may ask, and what needs it. Reads settings; with `--nft` it resolves names."""

import socket
from collections.abc import Mapping
from typing import Annotated

import typer

from vanta.common.cli import HomeOption, JsonFlag, Report, application, emit, exit_table
from vanta.common.clock import Clock
from vanta.common.errors import OperatorError
from vanta.common.exitcodes import Exit
from vanta.common.models.configuration import Settings
from vanta.common.outside.allowed import Allowed, host_of, is_here
from vanta.common.paths import FEEDS, Home
from vanta.common.settings import clock_from, home_from, load
from vanta.executor.wire import needs as of_accounts
from vanta.markets.wire import build
from vanta.transport.wire import needs as of_links

_VERSIONS = {socket.AF_INET: 4, socket.AF_INET6: 6}

app = application("Whom the programs of this node may ask.")

_NFT = Annotated[bool, typer.Option("--nft", help="Print the addresses of today as nftables' file of hosts wants them; "
                                    "asks the name servers.")]


@app.callback()
def _command() -> None:
    """Whom the programs of this node may ask."""


@app.command("list", epilog=exit_table(Exit.DONE, Exit.PARTIAL, Exit.CONFIG))
def show(home: HomeOption = None, json: JsonFlag = False, nft: _NFT = False) -> int:
    """Show every host, what needs it, and whether it is permitted. Everything else is refused."""
    place = home_from(home).existing()
    settings = load(place)
    clock = clock_from(settings, None)
    needed, warnings = needs(place, settings, clock)
    listed = settings.outside.hosts
    allowed = Allowed.of(needed if listed is None else listed)
    hosts = sorted({*needed, *(allowed.names or ())})
    missing = [host for host in hosts if not allowed.permits(host)]
    warnings += [f"{host} is needed by {', '.join(needed[host])}, and not among [outside] hosts: it is refused"
                 for host in missing]
    lines = [f"{host:<40} {', '.join(needed.get(host, ['nothing that is enabled']))}"
             f"{'  REFUSED' if host in missing else '  (this host)' if is_here(host) else ''}" for host in hosts]
    if nft:
        nodes = frozenset().union(*of_links(settings).values())
        lines, more = rules({host: "nodes" if host in nodes else "hosts" for host in hosts
                             if host not in missing and not is_here(host)},
                            settings.node.name if settings.node else "NODE")
        warnings += more
    elif not hosts:
        lines = ["nobody: no feed, account or link of this node goes out"]
    return emit(Report(
        schema="vanta.outside.list/1", at=clock.now(), lines=lines, warnings=warnings,
        exit=Exit.PARTIAL if warnings else Exit.DONE, items={"listed": listed, "problems": warnings, "rows": [
            {"host": host, "for": needed.get(host, []), "permitted": host not in missing, "here": is_here(host)}
            for host in hosts]}), as_json=json)


def needs(home: Home, settings: Settings, clock: Clock) -> tuple[dict[str, list[str]], list[str]]:
    """Hosts with what needs them, and what could not be said."""
    found: dict[str, list[str]] = {}
    warnings = []
    node = settings.node.name if settings.node else None
    if node in (None, "markets"):
        with build(home, settings, clock) as markets:
            for feed in (*FEEDS, "prices"):
                said = settings.markets.feed(feed)
                if not said.enabled or said.source is not None:
                    continue
                try:
                    hosts = markets.hosts(feed)
                except OperatorError as error:
                    warnings.append(f"feed {feed}: {error.what}")
                    continue
                _note(found, hosts, f"feed {feed}")
    if node in (None, "executor"):
        for name, hosts in of_accounts(settings).items():
            _note(found, hosts, f"account {name}")
    for name, hosts in of_links(settings).items():
        _note(found, hosts, f"link to {name}")
    if node in (None, "alpha") and settings.assistant.url is not None:
        _note(found, frozenset({host_of(settings.assistant.url)}), "assistant's model")
    return found, warnings


def _note(found: dict[str, list[str]], hosts: frozenset[str], what: str) -> None:
    for host in sorted(hosts):
        found.setdefault(host, []).append(what)


def rules(hosts: Mapping[str, str], node: str) -> tuple[list[str], list[str]]:
    """The lines of `vanta-NODE-hosts.nft` for these hosts, and which of them have no address now.

    `hosts` gives the set of each: `hosts` for port 443, `nodes` for ssh.
    """
    found: dict[str, set[str]] = {}
    warnings = []
    for host, of in hosts.items():
        try:
            for family, *_, address in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM):
                found.setdefault(f"{of}{_VERSIONS[family]}", set()).add(str(address[0]))
        except (OSError, ValueError, KeyError) as error:
            warnings.append(f"{host} has no address now: {error}")
    return [f"add element inet vanta_{node} {name} {{ {', '.join(sorted(addresses))} }}"
            for name, addresses in sorted(found.items())], warnings
