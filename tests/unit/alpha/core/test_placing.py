"""Which shipped files go where, and which places units could not use."""

import pytest

from tests.scenarios.hosts import everything
from vanta.alpha.core.placing import NODES, Entry, Place, accounts, check, entries, pieces, render, unit_name
from vanta.alpha.installer import shipped
from vanta.common.errors import Bug, UsageError

GOOD = Place("executor", "/opt/vanta", "/opt/vanta/venv/bin")


def test_a_place_that_units_can_use() -> None:
    """Letters, digits, dots, dashes and underscores."""
    for node in NODES:
        check(GOOD._replace(node=node))
    check(GOOD._replace(home="/srv/vanta-2_a.b"))


@pytest.mark.parametrize("place", [
    GOOD._replace(node="tracker"), GOOD._replace(home="opt/vanta"), GOOD._replace(home="/opt/my vanta"),
    GOOD._replace(home="/opt/vanta/"), GOOD._replace(home="/opt//vanta"), GOOD._replace(home="/opt/../etc"),
    GOOD._replace(home="/opt/./vanta"), GOOD._replace(home="/"), GOOD._replace(home="/opt/%i"),
    GOOD._replace(home="/opt/vänta"), GOOD._replace(home="/opt/vanta\n"), GOOD._replace(home="/home"),
    GOOD._replace(home="/tmp"), GOOD._replace(programs="/root"), GOOD._replace(programs="bin"),
    GOOD._replace(programs="")], ids=repr)
def test_a_place_that_units_could_not_use(place: Place) -> None:
    """Relative, with signs that a unit, a cron job or a sudoers file reads otherwise, or hidden from services."""
    with pytest.raises(UsageError):
        check(place)


def test_a_folder_that_only_begins_like_a_hidden_one_is_fine() -> None:
    """Folders are compared as a whole."""
    check(GOOD._replace(home="/homes/a"))


def test_every_shipped_file_is_some_nodes_and_renders_whole() -> None:
    """None is forgotten, none names a place that there is not; targets are each node's own."""
    for node, piece in everything():
        text = render(shipped(piece.source), GOOD._replace(node=node))
        known = ("collect@", "module@", "alert@", "assistant@", "you@example", "@hourly", "~@", "=@system",
                 " @resources", "daddr @", "$$@")
        for word in known:
            text = text.replace(word, "")
        assert "@" not in text
    targets = [piece.target for node in NODES for piece in pieces(node, f"/opt/{node}")]
    assert len(targets) == len(set(targets))  # three nodes on one host, each with a home of its own


def test_an_unknown_place_is_a_bug() -> None:
    """A file that was rendered by halves would be installed as it is."""
    with pytest.raises(Bug):
        render("ExecStart=@PYTHON@", GOOD)


def test_rights_are_narrow() -> None:
    """Sudo insists on its own; settings are read by the node alone; whatever is the operator's stays."""
    found = {piece.target: piece for piece in pieces("executor", "/opt/vanta")}
    assert found["/etc/sudoers.d/vanta-executor"].mode == 0o440
    settings = found["/opt/vanta/config/vanta.toml"]
    assert (settings.mode, settings.group, settings.kept) == (0o640, "vanta-executor", True)
    assert [target for target, piece in found.items() if piece.kept] == [
        "/etc/systemd/system/executor-router.service.d/credentials.conf",
        "/etc/systemd/system/executor-sweep.service.d/credentials.conf",
        "/etc/nftables.d/vanta-executor-hosts.nft", "/opt/vanta/ssh/.ssh/authorized_keys",
        "/opt/vanta/config/known_hosts", "/opt/vanta/config/vanta.toml"]


@pytest.mark.parametrize(("path", "name"), [
    ("/opt/vanta/build", "opt-vanta-build"), ("/srv/vanta-2/build", "srv-vanta\\x2d2-build"),
    ("/.x/build", "\\x2ex-build"), ("/a_b.c/d", "a_b.c-d")])
def test_the_name_of_a_paths_unit(path: str, name: str) -> None:
    """As systemd escapes it."""
    assert unit_name(path) == name


def test_reading_what_systemd_reads() -> None:
    """Comments and empty lines say nothing."""
    assert entries("# a\n\nd /a 2750 x y -\nf /a/b 0640 x y -\n") == [
        Entry("d", "/a", 0o2750, "x", "y"), Entry("f", "/a/b", 0o640, "x", "y")]
    assert accounts('# a\ng g1 - -\n\nu u1 - "U" /a /b\nm u1 g1\n') == (["g1", "u1"], ["u1"], [("u1", "g1")])
