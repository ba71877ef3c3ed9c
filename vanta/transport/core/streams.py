"""What of the table lies in which stream of a NATS server, under which subject, and who may touch it. Pure.

    VANTA_executor_index          vanta.executor.index.alpha              what there is for Alpha, signed, every second
    VANTA_alpha_controls          vanta.alpha.controls.overrides-json     the last message is the document
    VANTA_executor_log-trade_log-jsonl                                    bytes of the log, in order
    VANTA_executor_snapshots      vanta.executor.snapshots.<hash>         what its records rest on

A stream for each log lets a node read those that the table shows it, and no other.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from vanta.transport.core.inputs import FOLDER, digest_of
from vanta.transport.core.table import NODES, TABLE, Crossing, checkpoints_of, crossings

ADMIN = "admin"
"""Who makes streams. Nobody may empty one or take a message out of it."""

DUPLICATES_S = 120
_DIRECT, _NS = "$JS.API.DIRECT.GET", 1_000_000_000


class Stream(NamedTuple):
    """A stream and the subject that a name has in it. `log`: its messages are pieces of one log, in order."""

    name: str
    subject: str
    log: bool = False


def index(source: str, to: str) -> Stream:
    """Where `source` says what there is for `to`."""
    return Stream(f"VANTA_{source}_index", f"vanta.{source}.index.{to}")


def place(source: str, name: str) -> Stream:
    """Where a name of the table lies, or one of the inputs of its records."""
    if digest := digest_of(name):
        return Stream(f"VANTA_{source}_{FOLDER}", f"vanta.{source}.{FOLDER}.{digest}")
    for row in TABLE:
        if row.source == source and row.name == name and row.how != "log":
            kind = "controls" if row.urgent else "documents"
            return Stream(f"VANTA_{source}_{kind}", f"vanta.{source}.{kind}.{_plain(name)}")
    kind, log = ("points", name.partition("/")[2]) if "/" in name else ("log", name)
    return Stream(f"VANTA_{source}_{kind}-{_plain(log)}", f"vanta.{source}.{kind}.{_plain(log)}", log=True)


def _plain(name: str) -> str:
    """A name as one word of a subject."""
    return name.replace(".", "-")


def rows(source: str) -> tuple[Crossing, ...]:
    """What `source` publishes, controls first."""
    return tuple(sorted((row for row in TABLE if row.source == source), key=lambda row: not row.urgent))


def readers(source: str) -> tuple[str, ...]:
    """Who reads of it."""
    return tuple(node for node in NODES if crossings(source, node))


def _logs(row: Crossing) -> tuple[str, ...]:
    return (row.name, checkpoints_of(row.name)) if row.covered else (row.name,)


def configurations(source: str, *, max_age_s: int = 0, replicas: int = 1) -> Iterator[dict[str, Any]]:
    """How the streams of `source` are made. `max_age_s`: how long logs stay, 0 for ever.

    A stream that is full takes nothing more: what was published is never dropped to make room.
    """
    found: dict[str, list[str]] = {index(source, "").name: [f"vanta.{source}.index.*"]}
    logs = set[str]()
    for row in rows(source):
        for name in _logs(row) if row.how == "log" else (row.name,):
            stream = place(source, name)
            found.setdefault(stream.name, []).append(stream.subject)
            if stream.log:
                logs.add(stream.name)
        if row.inputs:
            found[f"VANTA_{source}_{FOLDER}"] = [f"vanta.{source}.{FOLDER}.*"]
    for name, subjects in found.items():
        stays = name in logs
        lasts = name.endswith(f"_{FOLDER}") or stays
        yield {"name": name, "subjects": sorted(set(subjects)), "storage": "file", "retention": "limits",
               "discard": "new" if lasts else "old", "max_msgs_per_subject": -1 if stays else 1,
               "max_age": max_age_s * _NS if lasts else 0, "max_msgs": -1, "max_bytes": -1, "max_consumers": -1,
               "duplicate_window": DUPLICATES_S * _NS, "num_replicas": replicas, "allow_direct": True,
               "deny_delete": True, "deny_purge": True}


def may_publish(user: str) -> tuple[str, ...]:
    """Subjects on which a node may speak: its own, and the questions for what the table shows it."""
    if user == ADMIN:
        return tuple(f"$JS.API.STREAM.{what}.*" for what in ("CREATE", "INFO", "UPDATE"))
    found = [f"vanta.{user}.>"]
    for stream in configurations(user):
        found.append(f"{_DIRECT}.{stream['name']}.>")
        if stream["max_msgs_per_subject"] == -1:
            found.append(f"{_DIRECT}.{stream['name']}")
    for source in NODES:
        if theirs := crossings(source, user):
            found.append(_asks(index(source, user)))
        for row in theirs:
            found += [_asks(place(source, name)) for name in (_logs(row) if row.how == "log" else (row.name,))]
            if row.inputs:
                found.append(f"{_DIRECT}.VANTA_{source}_{FOLDER}.vanta.{source}.{FOLDER}.*")
    return tuple(sorted(set(found)))


def _asks(stream: Stream) -> str:
    return f"{_DIRECT}.{stream.name}" if stream.log else f"{_DIRECT}.{stream.name}.{stream.subject}"


def may_hear(user: str) -> str:
    """Where a node hears the answers to its own questions."""
    return f"{inbox(user)}.>"


def inbox(user: str) -> str:
    """The beginning of a node's own addresses for answers."""
    return f"_INBOX_{user}"
