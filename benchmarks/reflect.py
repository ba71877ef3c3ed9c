"""One reflect pass over 100,000 live signals, read to written, beside merely decoding the same files.

The pass is the product's: reading, hashing, snapshots of every input, the ledger, reasons, four documents and the log,
durable; the first pass of a fresh home, so that nothing is reused. Decoding is `orjson.loads` and `msgspec.json.decode`
(untyped) of the same bytes, with the cyclic collector off as it is in the pass. CPU seconds; the three take turns for
several rounds, each in a fork of its own, so that each pays for its own memory; medians. Prints one JSON object.
"""

import argparse
import gc
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import msgspec
import orjson

from vanta.common import ids
from vanta.common.canonical import document
from vanta.common.clock import SystemClock
from vanta.common.models.configuration import MarketsSettings
from vanta.common.paths import FEEDS, REFLECTION_LOG, Home, signals_file
from vanta.common.store.files import FolderFiles
from vanta.common.store.journal import FileJournal
from vanta.common.store.snapshot import FileSnapshots
from vanta.common.times import iso
from vanta.markets.reflector import Reflector, ReflectOutcome

ENTITIES = 2_000
SOURCES = {"sec": ("sec.form4", "insider_buy"), "news": ("news.rss", "news"),
           "reddit": ("reddit.posts", "mention_spike"), "crypto": ("crypto.funding", "funding")}


def signal(feed: str, index: int, now: datetime) -> dict[str, object]:
    """One plausible live signal; entity, age and scores spread deterministically."""
    source, kind = SOURCES[feed]
    ticker = f"T{index * 7919 % ENTITIES}"
    published = now - timedelta(seconds=index * 7 % 86_400)
    return {
        "id": ids.signal_id(source, kind, f"equity:{ticker}", str(index)), "revision": 1, "source": source,
        "source_kind": "primary", "kind": kind,
        "entity": {"key": f"equity:{ticker}", "type": "equity", "id": f"CIK:{index:010}", "ticker": ticker,
                   "exchange": None, "name": f"Company {index % ENTITIES}",
                   "match": {"method": "issuer", "confidence": 0.97}},
        "summary": f"claim {index} about {ticker}", "direction": (index % 201 - 100) / 100,
        "strength": index % 97 / 100, "confidence": 0.6,
        "confidence_basis": [{"factor": "attribution", "value": "0.97"}, {"factor": "source", "value": "0.62"}],
        "event_at": None, "published_at": iso(published), "observed_at": iso(now), "time_quality": "exact",
        "half_life_s": 86_400, "expires_at": iso(published + timedelta(days=10)),
        "evidence": [{"url": f"file:{index}.json", "sha256": f"{index:064x}", "media_type": "application/json",
                      "fetched_at": iso(now), "licence": "benchmark"}],
        "raw_ref": f"{index:064x}#0", "supersedes": None, "retracted_reason": None,
        "features": {"n": index % 13, "usd": str(index * 11)},
        "collector": {"name": feed, "version": "1", "run_id": "run_0", "params_hash": "0"}, "flags": []}


def prepare(root: Path, signals: int) -> list[bytes]:
    """A home whose feed files hold so many live signals in all. Returns the files' bytes."""
    home, now = Home(root).prepare(), SystemClock().now()
    share, files = signals // len(FEEDS), []
    for feed in FEEDS:
        rows = [signal(feed, index, now) for index in range(share)]
        raw = document({
            "schema_version": 1, "revision": 1, "written_at": iso(now), "written_by": "benchmark", "feed": feed,
            "status": "ok", "status_reason": "", "generated_at": iso(now), "last_success_at": iso(now),
            "run_id": "run_0",
            "window_from": None, "window_to": None,
            "counts": {"payloads": 1, "records": share, "signals_new": share},
            "errors": [], "signals": rows})
        home.file(signals_file(feed)).write_bytes(raw)
        files.append(raw)
    return files


def in_a_fork(work: Callable[[], object]) -> tuple[float, float]:
    """CPU seconds and seconds of one call in a child process; what it returns is not freed within them."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        cpu, wall = time.process_time(), time.perf_counter()
        kept = work()
        os.write(writer, json.dumps([time.process_time() - cpu, time.perf_counter() - wall]).encode())
        os._exit(0 if kept else 1)
    os.close(writer)
    with os.fdopen(reader, "rb") as told:
        cpu, wall = json.load(told)
    os.waitpid(child, 0)
    return cpu, wall


def one_pass(home: Home) -> tuple[Reflector, ReflectOutcome]:
    """What is measured. The reflector keeps what it has decoded for the next pass."""
    reflector = Reflector(FolderFiles(home.memory), FileSnapshots(home.snapshots),
                          FileJournal(home.file(REFLECTION_LOG)), MarketsSettings())
    return reflector, reflector.run(SystemClock().now())


def run(signals: int, rounds: int, folder: str | None) -> dict[str, object]:
    """Measure the pass and both decoders on the same bytes."""
    root = Path(tempfile.mkdtemp(dir=folder, prefix="vanta-bench-"))
    try:
        files = prepare(root / "feeds", signals)
        homes = [copy(root / "feeds", root / str(number)) for number in range(rounds)]
        gc.collect()
        gc.disable()
        gc.freeze()
        times = [(in_a_fork(lambda: [orjson.loads(raw) for raw in files])[0],
                  in_a_fork(lambda: [msgspec.json.decode(raw) for raw in files])[0],
                  *in_a_fork(partial(one_pass, home))) for home in homes]
    finally:
        shutil.rmtree(root)
    orjson_s, msgspec_s, pass_s, wall = (statistics.median(column) for column in zip(*times, strict=True))
    return {"signals": signals, "bytes": sum(map(len, files)), "rounds": rounds, "pass_cpu_s": round(pass_s, 3),
            "pass_wall_s": round(wall, 3),
            "orjson_decode_cpu_s": round(orjson_s, 3), "msgspec_decode_cpu_s": round(msgspec_s, 3),
            "times_orjson": round(pass_s / orjson_s, 2), "times_msgspec": round(pass_s / msgspec_s, 2)}


def copy(feeds: Path, root: Path) -> Home:
    """A fresh home with the same feed files."""
    home = Home(root).prepare()
    for feed in FEEDS:
        os.link(Home(feeds).file(signals_file(feed)), home.file(signals_file(feed)))
    return home


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--signals", type=int, default=100_000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--folder", default=None)
    chosen = options.parse_args()
    json.dump(run(chosen.signals, chosen.rounds, chosen.folder), sys.stdout)
    print()
