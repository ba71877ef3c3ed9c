"""What is said to somebody outside about an alert, a latch, or an executor that has to stop. Pure.

Decides the fields and the sentence, and which latches are news; refuses to know who is told, and how. What may be a
secret is masked, and a long text is cut: words of venues and of people go out too.

    of_alert(Alert("V_CORE exposure", 80, "0.0430", "0.05"), book)
        -> Notice("alert", "V_CORE", 80, None, "0.0430", "0.05", "…Z", "V_CORE exposure: 80 % of its limit are used …")
"""

from collections.abc import Iterable
from typing import NamedTuple

from vanta.common.reasons import TABLE, Reason
from vanta.common.redact import redact_text
from vanta.executor.core.alerts import BOOKS, Alert
from vanta.executor.core.book import Book

SCHEMA = "vanta.alert/1"
LONGEST = 1_000
"""Characters of one text; so that a notice always fits into a pipe at once."""


class Notice(NamedTuple):
    """`what` is `alert`, `latch` or `stopped`; alerts have a `level`, the others a `code`. `vault` None: everything."""

    what: str
    vault: str | None
    level: int | None
    code: str | None
    value: str
    limit: str
    at: str
    sentence: str

    def body(self) -> dict[str, object]:
        """The JSON object that is handed out."""
        return {"schema": SCHEMA, **{name: _plain(value) for name, value in self._asdict().items()}}


def of_alert(alert: Alert, book: Book) -> Notice:
    """Of an alert that was just recorded."""
    who = alert.about.partition(" ")[0]
    return Notice("alert", who if who in book.vaults else None, alert.level, None, alert.value, alert.limit, book.at,
                  words(alert.about, alert.level, alert.value, alert.limit))


def words(about: object, level: object, value: object, limit: object) -> str:
    """An alert as a sentence."""
    if about == BOOKS:
        return f"{about}: what was counted in two ways differs by {value}: a defect, see the record day.closed"
    return f"{about}: {level} % of its limit are used, {value} of {limit}"


def of_latches(book: Book, told: Iterable[str]) -> dict[str, Notice]:
    """Of every latch that is set and that nobody was told of, by its id."""
    return {name: _latch(book, name) for name in sorted(book.latches.keys() - set(told))}


def _latch(book: Book, name: str) -> Notice:
    latch = book.latches[name]
    code, vault = str(latch["code"]), latch["vault"]
    stops = "no entry leaves" if latch["exits"] else "no order leaves"
    meaning = next((TABLE[reason].meaning for reason in Reason if reason == code), code)
    return Notice("latch", vault, None, code, str(latch["value"]), str(latch["limit"]), str(latch["since"]),
                  f"{vault or 'everything'} is latched, {stops}: {meaning}: {latch['detail']} "
                  f"(vanta-run release --latch {name})")


def of_end(what: str, at: str) -> Notice:
    """Of an executor that cannot go on, as its error says."""
    return Notice("stopped", None, None, "executor.stopped", "", "", at, f"the executor stops: {what}")


def _plain(value: object) -> object:
    if not isinstance(value, str):
        return value
    return redact_text(value)[:LONGEST].encode("utf-8", "replace").decode()  # half a character has no JSON form
