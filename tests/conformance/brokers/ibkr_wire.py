"""Messages of the TWS socket protocol as a gateway writes them, field by field, for any version that is negotiated."""

import struct
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

UNSET, NO_NUMBER = "1.7976931348623157E308", "2147483647"
"""How a gateway writes that there is no price, and no whole number."""


class Share(NamedTuple):
    """One share as the venue knows it."""

    number: int
    symbol: str
    currency: str = "USD"
    exchange: str = "NASDAQ"


class Shown(NamedTuple):
    """An order as it is shown: state by the venue's word, what it came to, and how it can be addressed."""

    share: Share
    action: str
    quantity: str
    filled: str
    leaves: str
    status: str
    reference: str
    number: int
    client: int
    perm: int
    account: str
    kind: str = "MKT"
    limit: str = ""
    tif: str = "DAY"


def frame(fields: Iterable[Any]) -> bytes:
    """One message: four bytes of length, then each field with a zero after it."""
    body = "".join(f"{field}\0" for field in fields).encode()
    return struct.pack(">I", len(body)) + body


def stamp(moment: datetime) -> str:
    """A time as a gateway writes it that is set to its instrument's zone."""
    return moment.astimezone(ZoneInfo("US/Eastern")).strftime("%Y%m%d %H:%M:%S US/Eastern")


def error(number: int, code: int, message: str, version: int) -> list[Any]:
    """An error, a warning, or good news."""
    return [4, 2, number, code, message, *([""] if version >= 166 else [])]


def _share(share: Share) -> list[Any]:
    """Number, symbol, kind, expiry, strike, right, multiplier."""
    return [share.number, share.symbol, "STK", "", "0", "?", ""]


def order_status(shown: Shown) -> list[Any]:
    """State and totals of an order."""
    return [3, shown.number, shown.status, shown.filled, shown.leaves, "0", shown.perm, 0, "0", shown.client, "", "0"]


def open_order(shown: Shown, version: int) -> list[Any]:
    """An open order with everything that it might have been given."""
    fields = [5, shown.number, *_share(shown.share), "SMART", shown.share.currency, shown.share.symbol, "NMS",
              shown.action, shown.quantity, shown.kind, shown.limit or "0.0", "0.0", shown.tif, "", shown.account, "",
              0, shown.reference, shown.client, shown.perm, 0, 0, "0.0", "", "", "", "", ""]
    fields += [""] if version < 177 else []
    fields += ["", "", "", UNSET, "", 0, "", -1, 0, UNSET, UNSET, UNSET, UNSET, UNSET, "0", 0, 0, 0, NO_NUMBER, 3, 0,
               0, UNSET, 0, 0, UNSET, 0, "None", "", 0, "", "", "", "?", 0, 0, ""]
    fields += [0, 0, "", "", "", "", "", 0, 0, 0, "", "", "", "", 0, "", "IB", 0, 0, "", 0, 0, shown.status]
    fields += [*[UNSET] * 9, "", "", "", "", "", 0, 0, 0]
    fields += ["None", UNSET, UNSET, UNSET, UNSET, UNSET, UNSET, 0, "", "", "", UNSET, 0, 0, 0, 0]
    fields += [NO_NUMBER] if version >= 159 else []
    fields += [NO_NUMBER] if version >= 160 else []
    fields += [0] if version >= 162 else []
    return fields + (["", "", "", "", ""] if version >= 170 else [])


def completed_order(shown: Shown, version: int, how: str, at: datetime) -> list[Any]:
    """An order that is over. `how`: the venue's sentence. `filled` empty: it does not say."""
    fields = [101, *_share(shown.share), "SMART", shown.share.currency, shown.share.symbol, "NMS", shown.action,
              shown.quantity, shown.kind, shown.limit or "0.0", "0.0", shown.tif, "", shown.account, "", 0,
              shown.reference, shown.perm, 0, 0, "0.0", "", "", "", ""]
    fields += [""] if version < 177 else []
    fields += ["", "", "", UNSET, "", 0, "", -1, UNSET, UNSET, UNSET, UNSET, UNSET, "0", 0, 0, NO_NUMBER, 3, 0, UNSET,
               0, "None", "", 0, 0, 0, ""]
    fields += [0, 0, "", "", "", 0, 0, 0, "", "", "", "", "", "IB", 0, 0, "", 0, shown.status, 0, 0, 0]
    fields += [UNSET, UNSET, UNSET, 0, 0, "", shown.filled, 0, 0, "", 0, 0, 0, stamp(at), how]
    return fields + (["", "", "", "", ""] if version >= 170 else [])


def execution(number: int, shown: Shown, told: tuple[str, str, str, str, datetime | str], version: int) -> list[Any]:
    """An execution. `told`: its name, quantity, price, what the order came to with it, and its time."""
    name, quantity, price, total, at = told
    moment = at if isinstance(at, str) else stamp(at)
    fields = [11, number, shown.number, *_share(shown.share), "NASDAQ", shown.share.currency, shown.share.symbol, "NMS",
              name, moment, shown.account, "NASDAQ", "BOT" if shown.action == "BUY" else "SLD", quantity, price,
              shown.perm, shown.client, 0, total, price, shown.reference, "", "", "", 2]
    return fields + ([0] if version >= 178 else [])


def commission(name: str, amount: str, currency: str) -> list[Any]:
    """What an execution cost."""
    return [59, 1, name, amount, currency, UNSET, UNSET, ""]


def contract_details(number: int, share: Share, version: int) -> list[Any]:
    """A share that fits a description."""
    head = [10, number] if version >= 164 else [10, 8, number]
    fields = [*head, share.symbol, "STK", "", "0", "", "SMART", share.currency, share.symbol, "NMS", "NMS",
              share.number, "0.01", *([] if version >= 164 else [""]), "", "LMT,MKT", "SMART,NASDAQ", 1, 0,
              "SOME SHARE", share.exchange, "", "Technology", "Computers", "Computers", "US/Eastern", "", "", "", "0",
              0, 1, "", "", "26", "", "COMMON"]
    fields += ["1"] if version == 163 else []
    return fields + (["1", "1", "100"] if version >= 164 else [])


def position(account: str, kind: str, share: Share, quantity: str) -> list[Any]:
    """What an account holds of something."""
    return [61, 3, account, share.number, share.symbol, kind, "", "0", "", "", share.exchange, share.currency,
            share.symbol, "NMS", quantity, "150.5"]


def account_value(number: int, account: str, tag: str, value: str, currency: str) -> list[Any]:
    """One figure of an account."""
    return [73, 1, number, account, "", tag, value, currency]
