"""A host's short name: the same as long as the machine id is, which it does not show."""

from pathlib import Path

from vanta.common.host import host_id


def test_the_name_follows_the_machine_id(tmp_path: Path) -> None:
    """Stable, different for another host, and not the id itself."""
    (tmp_path / "a").write_text("0123456789abcdef0123456789abcdef\n")
    (tmp_path / "b").write_text("1123456789abcdef0123456789abcdef\n")
    name = host_id(tmp_path / "a")
    assert name == host_id(tmp_path / "a")
    assert len(name) == 16
    assert name not in "0123456789abcdef0123456789abcdef"
    assert name != host_id(tmp_path / "b")


def test_a_host_without_one_has_no_name(tmp_path: Path) -> None:
    """Missing, empty, or not text."""
    assert host_id(tmp_path / "none") == ""
    for raw in (b"\n", b"\xff\xfe"):
        (tmp_path / "odd").write_bytes(raw)
        assert host_id(tmp_path / "odd") == ""
