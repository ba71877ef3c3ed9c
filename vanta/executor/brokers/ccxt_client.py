"""How an exchange is reached: its ccxt client, redirects and extra questions off, with an eye on its wire."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from vanta.common.errors import OperatorError
from vanta.common.outside.out import Out
from vanta.common.outside.over_requests import mount
from vanta.executor.brokers.ccxt_words import Dialect


class Hidden(tuple[str, ...]):
    """Secrets, for taking them out of what is said; shows none of them, whoever prints it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{len(self)} secrets"


class Wire:
    """The answer to the last request: no status where there was none."""

    def __init__(self) -> None:
        self.asks()

    def asks(self) -> None:
        """A request is about to be made."""
        self.status: int | None = None
        self.headers: Mapping[str, str] = {}
        self.body: Any = None

    def answers(self, status: int, headers: Mapping[str, str], text: str) -> None:
        """An answer has arrived."""
        self.status, self.headers = status, headers
        try:
            self.body = json.loads(text)
        except ValueError:
            self.body = None


def client(dialect: Dialect, config: Mapping[str, Any], wire: Wire, out: Out) -> Any:
    """The exchange's ccxt class with an eye on its wire. Answers of a wrong shape are errors, not empty lists."""
    import ccxt

    logging.getLogger("ccxt").setLevel(logging.INFO)  # its debug lines hold keys and signatures
    if dialect.name not in ccxt.exchanges:
        raise OperatorError(f"{dialect.name!r} is no exchange that ccxt knows", "Write its ccxt id, such as bybit.")

    class Client(getattr(ccxt, dialect.name)):  # type: ignore[misc]
        def fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
            wire.asks()
            found = super().fetch(url, method, headers, body)
            needed = next((key for part, key in dialect.shape.items() if method == "GET" and part in url), None)
            if not isinstance(found, dict | list) or (needed is not None and needed not in found):
                raise ccxt.BadResponse(f"{self.id} {method} {url.partition('?')[0]}: not the answer that was asked for")
            return found

        def on_rest_response(self, code: int, reason: str, url: str, method: str, *rest: Any) -> Any:
            wire.answers(code, rest[0], rest[1])
            return super().on_rest_response(code, reason, url, method, *rest)

    made = Client(config)
    made.number = str  # it parses numbers into what this makes of their text; binary floats by default
    made.has["fetchCurrencies"] = False  # coins and networks are many more requests, and nothing here asks for them
    made.session.max_redirects = 0
    mount(made.session, out)
    return made


def redirected(tree: Any, url: str) -> Any:
    """All addresses of a client replaced by one; its constructor would merge and leave others as they were."""
    return {key: redirected(value, url) for key, value in tree.items()} if isinstance(tree, dict) else url


def addresses(tree: Any) -> list[str]:
    """All addresses of a client."""
    return [leaf for value in tree.values() for leaf in addresses(value)] if isinstance(tree, dict) else [str(tree)]
