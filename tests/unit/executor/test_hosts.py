"""In any mode but live, a live host refuses to start; in live mode a sandbox does."""

import pytest

from vanta.common.errors import OperatorError
from vanta.executor.brokers.hosts import check, misfit


@pytest.mark.parametrize(("mode", "url"), [
    ("paper", "https://paper-api.alpaca.markets/v2"), ("paper", "wss://stream-testnet.bybit.com/v5"),
    ("simulate", "http://127.0.0.1:8080"), ("paper", "http://localhost:1"), ("paper", "http://[::1]:80"),
    ("paper", "tws://127.0.0.1:7497"), ("paper", "tws://127.0.0.1:4002"), ("paper", "tws://127.0.0.1:43210"),
    ("live", "https://api.alpaca.markets"), ("live", "tws://127.0.0.1:7496"),
])
def test_what_fits_the_mode_may_start(mode: str, url: str) -> None:
    """Sandboxes and this machine outside live mode; live hosts in it."""
    check(mode, "main", [url])


@pytest.mark.parametrize(("mode", "urls"), [
    ("paper", ["https://api.alpaca.markets"]), ("paper", ["https://paper-api.alpaca.markets", "https://api.coinbase.com"]),
    ("paper", ["tws://127.0.0.1:7496"]), ("paper", ["tws://10.0.0.9:43210"]), ("paper", ["nonsense"]), ("paper", []),
    ("paper", ["https://paper-api.alpaca.markets.example.com"]), ("live", ["https://sandbox.tradier.com/v1"]),
    ("simulate", ["https://api.tradier.com"]), ("live", []),
])
def test_what_does_not_fit_refuses(mode: str, urls: list[str]) -> None:
    """One wrong address among right ones is enough, and no address at all is a fault."""
    with pytest.raises(OperatorError, match="account main"):
        check(mode, "main", urls)


@pytest.mark.parametrize(("account", "live", "wrong"), [
    ("DU1234567", False, None), ("DF7", False, None), ("U1234567", False, "live account"),
    ("F7", False, "live account"), ("", False, "live account"), ("du1", False, "live account"),
    ("U1234567", True, None), ("DU1", True, "paper account"), ("DF7", True, "paper account")])
def test_an_account_has_to_fit_the_mode(account: str, live: bool, wrong: str | None) -> None:
    """By how its number begins; what is not known for a paper account is taken for a live one."""
    said = misfit(account, live=live)
    assert (said is None) == (wrong is None)
    assert wrong is None or wrong in str(said)
