"""Documents of other hosts are read where they arrived, and never written."""

import pytest

from vanta.common.errors import Bug, Missing
from vanta.common.paths import ROUTES, STATE, routes
from vanta.common.store.inmemory import MemoryFiles
from vanta.common.store.routed import RoutedFiles


def test_routes() -> None:
    """Plain names lead to the replica, others to the folder itself."""
    there = "replica/alpha/memory/vault.json"
    plain = MemoryFiles({there: b"1\n2\n", "portfolio.json": b"2", "vault.json": b"local"})
    files = RoutedFiles(plain, {"vault.json": there})
    assert files.read("vault.json") == b"1\n2\n"
    assert files.read_from("vault.json", 2) == b"2\n"
    assert files.exists("vault.json")
    files.replace("portfolio.json", b"3")
    assert files.read("portfolio.json") == b"3"
    assert files.remove("portfolio.json")
    for write in (lambda: files.replace("vault.json", b""), lambda: files.remove("vault.json")):
        with pytest.raises(Bug, match="another node's"):
            write()
    assert plain.read("vault.json") == b"local"
    plain.remove(there)
    assert not files.exists("vault.json")
    with pytest.raises(Missing, match="replica/alpha"):
        files.read("vault.json")


def test_only_files_of_others_are_routed() -> None:
    """Each to the node that writes it; where all nodes are here, nothing is."""
    written = {file.name: file.node for file in STATE}
    for node, table in ROUTES.items():
        assert all(written[name] == source != node for name, source in table.items())
    assert routes("executor")["vault.json"] == "replica/alpha/memory/vault.json"
    assert routes("alpha") == routes(None) == {}
