"""Which names and addresses are the same, and which are permitted."""

import pytest

from vanta.common.outside.allowed import Allowed, host_of, is_here, same


@pytest.mark.parametrize(("host", "plain"), [
    ("WWW.Sec.Gov.", "www.sec.gov"), (b"www.sec.gov", "www.sec.gov"), (bytearray(b"a.b"), "a.b"), ("[::1]", "::1"),
    ("::ffff:127.0.0.1", "127.0.0.1"), ("2001:DB8:0::1", "2001:db8::1"), ("fe80::1%eth0", "fe80::1"), (None, ""),
    ("", ""), ("10.0.0.1", "10.0.0.1"), (b"\xff", "�"),
])
def test_spellings_of_one_host(host: object, plain: str) -> None:
    """However a library writes it."""
    assert same(host) == plain


@pytest.mark.parametrize(("host", "permitted"), [
    ("www.sec.gov", True), ("sec.gov", False), ("a.www.sec.gov", False), ("www.sec.gov.evil.org", False),
    ("10.1.2.3", True), ("10.1.2.4", False), ("localhost", True), ("127.0.0.9", True), ("::1", True), ("0.0.0.0", True),
    ("", True), ("localhost.evil.org", False), ("169.254.169.254", False), ("127.0.0.1%x.evil.org", False),
    ("127.1", False), ("2130706433", False), ("::1%lo", True), ("::ffff:10.1.2.3", True), ("::ffff:10.1.2.4", False),
])
def test_a_name_is_compared_as_a_whole(host: str, permitted: bool) -> None:
    """Its parents and children are others; this host itself is always permitted."""
    assert Allowed.of(["www.SEC.gov", "10.1.2.3"]).permits(host) is permitted


def test_this_host_can_be_left_out_and_everybody_let_in() -> None:
    """The first for tests of the list, the second for tests of everything else."""
    assert not Allowed.of([], here=False).permits("127.0.0.1")
    assert Allowed(None).permits("evil.org")
    assert not is_here("evil.org")


@pytest.mark.parametrize(("address", "host"), [
    ("https://User:pw@WWW.sec.gov:443/a?b", "www.sec.gov"), ("tws://127.0.0.1:7497", "127.0.0.1"),
    ("wss://x.org", "x.org"), ("nothing", ""), ("http://[bad", ""),
])
def test_the_host_of_an_address(address: str, host: str) -> None:
    """Without whatever else stands there."""
    assert host_of(address) == host
