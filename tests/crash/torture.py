"""Every case of every campaign, on all cores, within a number of minutes; what was done is not done again.

    python -m tests.crash.torture --minutes 60        (`make torture MINUTES=60`)

Cases that were carried out stand in `.torture/<fingerprint>/`, one ledger a campaign and core; the fingerprint covers
VANTA and these tests, so a change of either begins anew. The last lines say how far it came: what was not reached is
counted, never left out.
"""

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.crash.mutants import MUTANTS
from tests.crash.powercut import OPTIONS, PRIVATE, why_not
from tests.crash.stories import STORIES

ROOT = Path(__file__).resolve().parents[2]
CORES = min(os.cpu_count() or 1, 8)
PLAYED = [name for name, story in STORIES.items() if not story.reader]
ROWS = 20
PAIRS = 40
"""Drawn for each story; pairs of the one-order transaction are complete."""


@dataclass(frozen=True)
class Campaign:
    """One line of the final table: the words for `worker`, and whether a violation is what is hoped for."""

    words: tuple[str, ...]
    disk: bool = True
    hunted: bool = False

    @property
    def title(self) -> str:
        """For people."""
        return " ".join(self.words[:2])


def campaigns(*, disk: bool) -> Iterator[Campaign]:
    """All of them, what counts most first. Without a disk nothing that needs a power cut is among them."""
    second = "cut" if disk else "kill"
    mutants = {name: mutant for name, mutant in MUTANTS.items() if disk or "cut" not in mutant.needs}
    yield from (Campaign(("mutant", name), disk, hunted=True) for name in mutants if not mutants[name].redundant)
    yield Campaign(("two", "order"), disk)
    yield Campaign(("unlocked", "order"), disk)
    yield Campaign(("rows", ",".join(PLAYED), "--sample", str(ROWS), "--second", second), disk)
    yield Campaign(("pairs", "reader", "--second", second), disk)
    yield Campaign(("single", "order", "--modes", "kill,killafter,torn"), disk=False)  # on this folder's file system
    yield from (Campaign(("power", name)) for name in PLAYED if disk)
    yield Campaign(("single", "order"), disk)
    yield from (Campaign(("pairs", name, "--second", second), disk) for name in ("next", "order"))
    others = ",".join(name for name in PLAYED if name not in ("next", "order"))
    yield Campaign(("pairs", others, "--second", second, "--sample", str(PAIRS)), disk)
    yield from (Campaign(("single", name), disk) for name in PLAYED if name != "order")
    yield from (Campaign(("mutant", name), disk) for name in mutants if mutants[name].redundant)


def fingerprint(root: Path = ROOT) -> str:
    """Of everything that a result depends on; what Python has compiled is no part of it."""
    digest = hashlib.sha256()
    for path in sorted([*(root / "vanta").rglob("*.py"), *(root / "vanta" / "common" / "data").glob("*.json"),
                        *(root / "tests" / "crash").glob("*.py")]):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def carry_out(campaign: Campaign, folder: Path, minutes: float) -> list[dict[str, Any]]:
    """One campaign, a share a core. A hunt is one share: it ends with its first catch."""
    of = 1 if campaign.words[0] == "mutant" else CORES
    shares = [(share, _start(campaign, folder, f"{share}/{of}", minutes)) for share in range(of)]
    reports = []
    for share, worker in shares:
        said = worker.communicate()[0]
        if not said:  # somebody ended it; what it had done stands in its ledger
            said = _start(campaign, folder, f"{share}/{of}", minutes).communicate()[0]
        reports.append(json.loads(said.splitlines()[-1]))
    return reports


def _start(campaign: Campaign, folder: Path, share: str, minutes: float) -> "subprocess.Popen[str]":
    name = "-".join([*campaign.words, "disk" if campaign.disk else "folder", share.replace("/", "of")])
    ledger = folder / f"{hashlib.sha256(name.encode()).hexdigest()[:8]}-{name.replace(' ', '_')[:80]}.jsonl"
    command = [*(PRIVATE if campaign.disk else ()), sys.executable, "-m", "tests.crash.worker", *campaign.words,
               "--share", share, "--minutes", f"{max(minutes, 0.01):.2f}", "--folder", str(folder),
               *(["--disk"] if campaign.disk else []),
               *([] if campaign.words[0] == "mutant" else ["--ledger", str(ledger)])]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True,
                            env={**os.environ, "PYTHONHASHSEED": "0"})



def row(campaign: Campaign, reports: list[dict[str, Any]]) -> dict[str, Any]:
    """The reports of all shares as one line of the table."""
    total = {name: sum(report[name] for report in reports) for name in ("planned", "before", "done", "fired")}
    bad = [line for report in reports for line in report["violations"]]
    return {"title": campaign.title, **total, "place": reports[0]["place"], "violations": bad,
            "unavailable": reports[0]["unavailable"], "wrong": (not bad) if campaign.hunted else bool(bad)}


def show(line: dict[str, Any], campaign: Campaign) -> None:
    """One line, and what went wrong."""
    if line["unavailable"]:
        print(f"  {line['title']:<44} not possible here: {line['unavailable']}", flush=True)
        return
    found = len({text.partition(": ")[2].partition(":")[0] for text in line["violations"]})
    said = (("caught" if line["violations"] else "SURVIVED") if campaign.hunted else
            f"{found} cases violated" if line["violations"] else "0 violations")
    done, fired = line["before"] + line["done"], line["before"] + line["fired"]
    print(f"  {line['title'][:44]:<44} {done:>6,} of {line['planned']:>6,}  fired {fired:>6,}  {said}", flush=True)
    if line["wrong"]:
        for text in line["violations"][:10]:
            print(f"      {text[:400]}", flush=True)


def main(arguments: list[str]) -> int:
    """Everything, in order, until it is done or time is over. Returns 1 if anything was violated or survived."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.torture")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--only", default="", help="campaigns whose title begins like this, as in `pairs order`")
    asked = parser.parse_args(arguments)
    ends = time.monotonic() + asked.minutes * 60
    folder = ROOT / ".torture" / fingerprint()
    folder.mkdir(parents=True, exist_ok=True)
    no_cuts = why_not()
    print(f"Python {platform.python_version()}, Linux {platform.release()}, {CORES} cores, seed 1, "
          f"ledgers in {folder.relative_to(ROOT)}")
    print(f"power cuts: {no_cuts or f'ext4 shut down on a loop device, mounted with {OPTIONS}'}")
    lines, places, skipped = [], set[str](), []
    for campaign in (one for one in campaigns(disk=not no_cuts) if one.title.startswith(asked.only)):
        minutes = (ends - time.monotonic()) / 60
        if minutes <= 0:
            skipped.append(campaign.title)
            continue
        line = row(campaign, carry_out(campaign, folder, minutes))
        show(line, campaign)
        lines.append((campaign, line))
        places.add(line["place"])
    return _sum_up(lines, sorted(places), skipped)


def _sum_up(lines: list[tuple[Campaign, dict[str, Any]]], places: list[str], skipped: list[str]) -> int:
    kept = [line for campaign, line in lines if campaign.words[0] != "mutant"]
    pairs = [line for line in kept if line["title"].startswith("pairs")]
    counted = (("cases", kept), ("pairs", pairs))
    done = {name: sum(line["before"] + line["done"] for line in some) for name, some in counted}
    planned = {name: sum(line["planned"] for line in some) for name, some in counted}
    fired = sum(line["before"] + line["fired"] for line in kept)
    bad = sum(len(line["violations"]) for line in kept)
    hunted = [line for campaign, line in lines if campaign.hunted]
    print(f"homes on: {'; '.join(places)}")
    print(f"cases {done['cases']:,} of {planned['cases']:,}, fired {fired:,}, violations {bad}; "
          f"pairs {done['pairs']:,} of {planned['pairs']:,}; "
          f"mutants caught {sum(bool(line['violations']) for line in hunted)} of {len(hunted)}")
    if skipped or done["cases"] < planned["cases"]:
        print(f"time was over; not begun: {', '.join(skipped) or 'nothing'}. Run it again to go on.")
    return 1 if any(line["wrong"] for _, line in lines) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
