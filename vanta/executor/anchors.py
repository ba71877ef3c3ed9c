"""Whether the log is the one that the documents were made from: a weak witness, and free.

Each document names the record that it was made from. A log that ends before it was deleted, cut, or restored from an
old copy, and an order sent on such a log may be an order sent twice. Whoever changes both is not found out here. A
document that cannot be read says nothing: documents are folds and are written anew.

    insist(files, journal.head())    raises StateError, or the log may be acted on
"""

import orjson

from vanta.common.errors import StateError, VantaError
from vanta.common.paths import EXECUTOR_STATE, OPEN_ORDERS, PNL, PORTFOLIO, TRADE_LOG
from vanta.common.store.ports import Files, Head

FOLDS = (PORTFOLIO, OPEN_ORDERS, PNL, EXECUTOR_STATE)


def insist(files: Files, head: Head) -> None:
    """Raise `StateError` if a document was made from a record that the log does not hold (any more)."""
    for name in FOLDS:
        try:
            body = orjson.loads(files.read(name))
            seq, digest = int(body["as_of_seq"]), body["as_of_hash"]
        except (VantaError, ValueError, KeyError, TypeError):
            continue
        if seq > head.seq or (seq == head.seq and seq and digest != head.hash):
            raise StateError(
                f"{name} was made from record {seq} of {TRADE_LOG}, which ends with another record {head.seq}: "
                "the log was deleted, cut or replaced",
                "Put the complete log back. If it is lost, compare orders and positions at every venue by hand before "
                "removing the documents and starting anew.")
