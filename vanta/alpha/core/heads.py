"""One row for each journal, from its last line alone. Pure; `vanta verify` looks at all of it."""

from collections.abc import Iterator

from vanta.alpha.core.sights import Facts, Head, Row, since, span
from vanta.common.exitcodes import Check
from vanta.common.paths import TRADE_LOG
from vanta.common.times import parse_iso

VERIFY = "vanta verify"


def heads(facts: Facts) -> Iterator[Row]:
    """The trade log always, the others where they exist."""
    for head in facts.heads:
        if head.name == TRADE_LOG:
            yield _row(head, facts, _behind(head, facts) if facts.node in ("", "executor") else "")
        elif not head.missing:
            yield _row(head, facts, "")


def _row(head: Head, facts: Facts, behind: str) -> Row:
    level, text = _judged(head, facts, behind)
    return Row(name=f"log {head.name.removesuffix('.jsonl')}", level=level, text=text,
               fix="" if level is Check.OK else VERIFY)


def _judged(head: Head, facts: Facts, behind: str) -> tuple[Check, str]:
    if head.problem:
        return Check.UNKNOWN, f"cannot be read: {head.problem}"
    if behind:
        return Check.CRITICAL, behind
    if head.torn:
        busy = any(lock.holder for lock in facts.locks)
        return (Check.WARNING, f"its last line is being written or torn ({head.torn} bytes)") if busy else (
            Check.CRITICAL, f"its last line is torn: {head.torn} bytes without an end")
    if head.missing or not head.seq:
        return Check.UNKNOWN, "no record yet"
    if head.covered > head.seq:
        return Check.CRITICAL, (f"ends at record {head.seq:,}, but a checkpoint covers record {head.covered:,}: "
                                "records are missing")
    since_then = f"{head.seq - head.covered:,} after the last checkpoint" if head.covered else "no checkpoint"
    return Check.OK, f"record {head.seq:,} ({head.kind}), {_age(head.at, facts)}, {since_then}, head {head.hash[:12]}"


def _age(at: str, facts: Facts) -> str:
    try:
        return f"{span(since(parse_iso(at), facts.now))} ago"
    except ValueError:
        return f"at {at!r}"


def _behind(head: Head, facts: Facts) -> str:
    """What the executor's documents say about a log that lost its tail. Documents are never ahead of their log.

    Where both arrive over a link they may be, for a moment.
    """
    for name, doc in (("portfolio.json", facts.portfolio), ("executor_state.json", facts.executor)):
        seq = doc.number("as_of_seq")
        if seq is None:
            continue
        if head.missing:
            return f"is gone, but {name} is its fold up to record {seq:,}"
        if seq > head.seq:
            return f"ends at record {head.seq:,}, but {name} is its fold up to record {seq:,}: records are missing"
        if seq == head.seq and doc.text("as_of_hash") != head.hash:
            return f"its last record is not the one that {name} was made from"
    return ""
