"""One exchange without the others, and the whole library for whoever wants it."""

import pytest

from tests.processes import run
from vanta.markets.parsers import ccxt_library

ONE = """
import json, sys
from vanta.markets.parsers.ccxt_read import read
body = {"retCode": 0, "result": {"s": "BTCUSDT", "b": [["99", "1"]], "a": [["100", "1"]], "ts": 1763650000001}}
assert len(read(json.dumps(body).encode(), "file:x.json").records) == 1
"""


def test_reading_loads_one_exchange() -> None:
    """Not the hundred others, and the place of the package is left as it was."""
    assert run(ONE + """
print([name for name in ("ccxt", "ccxt.base.exchange", "ccxt.bybit", "ccxt.binance") if name in sys.modules])
""") == "['ccxt.base.exchange', 'ccxt.bybit']\n"


def test_the_whole_library_comes_later_and_is_made_of_the_same_parts() -> None:
    """What was loaded alone is what the package shows, and from then on nothing is loaded apart."""
    assert run(ONE + """
from vanta.markets.parsers import ccxt_library
bybit = ccxt_library.exchange("bybit")
import ccxt
assert ccxt.bybit is bybit and issubclass(bybit, ccxt.Exchange)
assert ccxt_library.exchange("kraken") is ccxt.kraken and sys.modules["ccxt"] is ccxt
assert ccxt_library.errors().BaseError is ccxt.BaseError
print(ccxt_library.version() == ccxt.__version__)
""") == "True\n"


@pytest.mark.parametrize("name", ["nonsense", "base", "pro", "Bybit", "bybit.bybit", "../bybit", ""])
def test_what_is_no_exchange_is_said(name: str) -> None:
    """Only a module with a class of the same name is one; packages are not."""
    with pytest.raises(LookupError, match="is no exchange that ccxt knows"):
        ccxt_library.exchange(name)
