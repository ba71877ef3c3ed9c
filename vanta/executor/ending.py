"""The end of an executor: what it holds is let go of, one after the other, whatever goes wrong on the way."""

from collections.abc import Callable, Mapping

from vanta.common.outside.out import Out
from vanta.common.store.lock import FileLock
from vanta.executor.brokers.port import Broker


def let_go(brokers: Mapping[str, Broker], last: Callable[[], object], out: Out, lock: FileLock | None) -> None:
    """Close connections, do what is last, close the way out, release the lock. Nobody else starts before that."""
    try:
        for broker in brokers.values():
            broker.close()
        last()
        out.close()
    finally:
        if lock is not None:
            lock.release()
