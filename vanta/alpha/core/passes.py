"""Do a collector's records follow from its raw payloads? Each pass is made again. Pure.

A `collected` record names every payload and all else that the pass depended on. The very parser, normaliser and rules
of the file that the runner used make the records, the file and the record itself again; bytes are compared by hash, and
where both are there the difference is named down to the field. What a transport could not have is taken as recorded.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from vanta.alpha.core.blobs import Absent, Blobs
from vanta.alpha.core.differ import Difference, between, compared
from vanta.common import strictjson
from vanta.common.store.document import parse
from vanta.common.store.ports import Record
from vanta.common.times import parse_iso
from vanta.markets.core.feed import Feed
from vanta.markets.core.feeds.table import feed_of
from vanta.markets.core.passes import Intake, Recorded, Setting, decide, recorded
from vanta.markets.core.products import product_of
from vanta.markets.core.records import Problem, RawPayload

_NEEDED = frozenset({"by", "form", "failure", "window_s", "history_s", "source"})
_PROBLEM = ("code", "detail", "where")


def collection(record: Record, blobs: Blobs) -> Difference | None:
    """Make one pass again. Raises `Absent`, or `BadInput` for an input that this version cannot read."""
    body = record.payload
    lacks = sorted(_NEEDED - body.keys())
    if lacks:
        raise Absent(f"it does not say {', '.join(lacks)}: a version that did not note all inputs recorded it",
                     "Replay with the version that wrote the log.")
    feed = feed_of(body["feed"], body["form"])
    if feed is None:
        raise Absent(f"this version reads no {body['form']} of a feed {body['feed']!r}",
                     "Replay with the version that wrote the log.")
    inputs = body["inputs"]
    product = product_of(feed, {name: blobs.of(digest, f"calendar {name}")
                                for name, digest in inputs["calendars"].items()})
    before = None if inputs["previous"] is None else blobs.of(inputs["previous"], f"{product.name} before the pass")
    intake = _taken(feed, inputs, blobs)
    intake.failure = body["failure"]
    made = decide(product, None if before is None else parse(before, product.model, file=product.name), intake, Setting(
        now=parse_iso(record.at), by=body["by"], source=body["source"], window_s=body["window_s"],
        history_s=body["history_s"], universe=_universe(blobs.of(inputs["universe"], "the universe"))))
    return _differs(record, recorded(product, before, intake, made), blobs)


def wanted(record: Record) -> set[str]:
    """The snapshots that a pass is made again from, besides its payloads."""
    inputs = record.payload["inputs"]
    named = [inputs["previous"], inputs["universe"], inputs["payloads"], inputs.get("missed"),
             *inputs.get("calendars", {}).values()]
    return {digest for digest in named if digest is not None}


def payloads(record: Record, blobs: Blobs) -> set[str]:
    """The raw payloads of a pass. Its manifest has to be among the blobs, else there are none."""
    digest = record.payload["inputs"]["payloads"]
    return {entry["sha256"] for entry in strictjson.loads(blobs[digest], file="manifest")} if digest in blobs else set()


def _taken(feed: Feed, inputs: Mapping[str, Any], blobs: Blobs) -> Intake:
    """What the pass was given, read again in the same order."""
    intake = Intake(feed)
    manifest = _json(inputs["payloads"], "the manifest of payloads", blobs)
    missed = [] if inputs["missed"] is None else _json(inputs["missed"], "what could not be had", blobs)
    for place in range(len(manifest) + 1):
        for one in missed:
            if one["behind"] == place:
                intake.miss(Problem(**{name: one[name] for name in _PROBLEM}))
        for entry in manifest[place:place + 1]:
            intake.take(_payload(entry, blobs), entry["sha256"])
    return intake


def _payload(entry: Mapping[str, Any], blobs: Blobs) -> RawPayload:
    fetched: datetime = parse_iso(entry["fetched_at"])
    return RawPayload(url=entry["url"], body=blobs.of(entry["sha256"], f"the payload {entry['url']}"),
                      media_type=entry["media_type"], fetched_at=fetched, headers=entry["headers"])


@lru_cache(maxsize=4)
def _universe(raw: bytes) -> Mapping[str, str]:
    """What texts may be about; nearly all passes of a home have the same one."""
    return strictjson.loads_object(raw, file="universe")


def _json(digest: str, what: str, blobs: Blobs) -> Any:
    return strictjson.loads(blobs.of(digest, what), file=what)


def _differs(record: Record, made: Recorded, blobs: Blobs) -> Difference | None:
    """In the order in which a pass goes: records, problems, file, and what the record says besides."""
    body, ours = record.payload, made.payload
    for name, rows in (("payloads", False), ("records", True), ("problems", False)):
        found = between(body["inputs"].get(name), ours["inputs"][name], {**made.blobs, **blobs}, name, rows=rows)
        if found is not None:
            return found
    found = between(body["output"].get("sha256"), ours["output"]["sha256"], {**made.blobs, **blobs},
                    ours["output"]["file"])
    said = {"run_id": record.ids.get("run_id")}
    return found or compared({**body, "ids": said}, {**ours, "ids": {"run_id": ours["run_id"]}})
