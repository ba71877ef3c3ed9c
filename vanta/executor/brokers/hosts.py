"""Mode guard: which hosts a client may talk to. In any mode but `live`, a live host refuses to start. Pure.

Looks at the addresses that the real client object would use, not at the settings that were meant to change them:
libraries have been seen to keep their live address when asked for a sandbox. Known sandboxes and this machine are
allowed outside live mode, everything else is taken for live.

    check("paper", "alpaca", ["https://api.alpaca.markets"])  ->  OperatorError
"""

from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from vanta.common.errors import OperatorError

SANDBOXES = frozenset({
    "paper-api.alpaca.markets", "sandbox.tradier.com", "api-testnet.bybit.com", "stream-testnet.bybit.com",
    "api-demo.bybit.com",
})
IBKR_PAPER_PORTS = frozenset({7497, 4002})
IBKR_PAPER_ACCOUNTS = ("DU", "DF")
"""How the numbers of Interactive Brokers' paper accounts begin. A gateway's port is a setting, its account is not."""


def check(mode: str, account: str, urls: Sequence[str]) -> None:
    """Raises `OperatorError` unless every address fits the mode."""
    if not urls:
        raise OperatorError(f"account {account}: its client names no address", "This is a fault of the adapter.")
    for url in urls:
        host = urlsplit(url).hostname or ""
        if mode == "live":
            if host in SANDBOXES:
                raise OperatorError(f"account {account}: {host} is a sandbox, but executor.mode is live",
                                    "Remove its url, or set another mode.")
        elif not _harmless(url, host):
            raise OperatorError(f"account {account}: {host or url} is a live host, but executor.mode is {mode}",
                                'Set the url of a sandbox, or mode = "live" if orders are meant to cost money.')


def misfit(account: str, *, live: bool) -> str | None:
    """Why an account of Interactive Brokers does not fit the mode; `None` if it does. Known only once connected.

    Its number is not repeated: what is said here gets into records.
    """
    if account.startswith(IBKR_PAPER_ACCOUNTS):
        return "the account is a paper account, but executor.mode is live" if live else None
    return None if live else "the account is a live account, but executor.mode is not live"


def _harmless(url: str, host: str) -> bool:
    """A known sandbox, or this machine; a gateway on this machine has to listen on its paper port."""
    if urlsplit(url).scheme == "tws":
        return urlsplit(url).port in IBKR_PAPER_PORTS or _test_port(url)
    return host in SANDBOXES or _this_machine(host)


def _test_port(url: str) -> bool:
    """High ports of this machine are nobody's live gateway (those are 7496 and 4001)."""
    parts = urlsplit(url)
    return _this_machine(parts.hostname or "") and parts.port is not None and parts.port >= 10_000


def _this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
