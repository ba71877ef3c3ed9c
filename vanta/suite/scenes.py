"""The script of the demonstration: what happens, and what has to be seen in the files before the next thing happens.

A scene acts as an operator or the outside world would (payloads appear, a switch is saved) and then waits for a
condition, never for a time. `play` runs one scene; a condition that does not come about names what is missing.
"""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from vanta.common.clock import Clock
from vanta.common.errors import VantaError
from vanta.common.events import Kind
from vanta.common.paths import EXECUTOR_STATE, OVERLAY, PERMIT, TRADE_LOG, VAULTS, Home
from vanta.common.store import atomic
from vanta.common.times import iso
from vanta.suite.child import command
from vanta.suite.sight import Calm, Sight
from vanta.suite.stage import serve

OPERATOR = "demo operator"
PATIENCE_S = 90.0
_LOOK_EVERY_S = 0.15


class SceneFailed(VantaError):
    """Something that the script waits for did not happen."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One scene. `missing` says what it still waits for, empty once it has come about.

    An `optional` scene ends with its patience: nobody can promise what the outside does.
    """

    title: str
    act: Callable[[], None]
    missing: Callable[[], str]
    optional: bool = False


@dataclass(slots=True)
class Stage:
    """Where the script plays. `opened_at` is when the newest wave of payloads appeared, `served` for which feeds."""

    home: Home
    waves: Path
    clock: Clock
    sight: Sight
    opened_at: str = ""
    served: tuple[str, ...] = ()

    def serve(self, number: int) -> None:
        """Let the payloads of a wave appear."""
        wave = sorted(path for path in self.waves.iterdir() if path.is_dir())[number - 1]
        self.opened_at = iso(self.clock.now())
        self.served = serve(self.home, wave)

    def save(self, name: str, changes: dict[str, Any]) -> None:
        """Change an operator's file as an editor does: the whole file, replaced."""
        path = self.home.file(name)
        value = orjson.loads(atomic.read(path))
        atomic.replace(path, orjson.dumps({**value, **changes}, option=orjson.OPT_INDENT_2) + b"\n", mode=0o640)

    def harvested(self) -> str:
        """What is still missing until every feed of the wave has been collected and reflected upon."""
        passes = self.sight.collected(self.opened_at)
        waiting = [feed for feed in self.served if feed not in passes]
        if waiting:
            return f"waiting for {', '.join(waiting)}"
        newest = max(passes[feed].at for feed in self.served)
        return "" if self.sight.reflected_after(newest) else "waiting for a reflection on the new payloads"


def play(scene: Scene, clock: Clock, alive: Callable[[], bool]) -> None:
    """Act, then wait. Raises `SceneFailed` if the programs end or patience does."""
    scene.act()
    ends = clock.monotonic() + PATIENCE_S
    while missing := scene.missing():
        if not alive():
            raise SceneFailed(f"{scene.title}: the programs ended", "Look into the logs folder of the home.")
        if clock.monotonic() > ends:
            if scene.optional:
                return
            raise SceneFailed(f"{scene.title}: {missing}", "Look into the logs folder of the home.")
        clock.sleep(_LOOK_EVERY_S)


def recorded_day(stage: Stage) -> list[Scene]:
    """The scenes over recorded payloads, after the programs have been started on wave 1."""
    sight = stage.sight
    calm = {name: Calm(sight) for name in ("opening", "resumed", "reversal")}

    def held_by(code: str, least: int) -> str:
        count = sum(story.state == "held" and code in story.held for story in sight.stories())
        return "" if count >= least else f"{count} of at least {least} intents held by {code}"

    def opening() -> str:
        return stage.harvested() or held_by("halt.no_permit", 8)

    def halted() -> str:
        state = sight.document(EXECUTOR_STATE).get("dispatch")
        return "" if state == "halted" else f"dispatch is {state}"

    def held() -> str:
        return stage.harvested() or held_by("halt.full_halt", 4)

    def noticed() -> str:
        seen = [record for record in sight.records(TRADE_LOG) if record.kind == Kind.CONTROL_SEEN
                and record.payload["what"] == "vaults"]
        return "" if len(seen) >= 2 else "the executor has not seen the new vault.json"

    def closed() -> str:
        sold = any(story.side == "sell" and story.state == "filled" and story.instrument_id == "equity:MSFT"
                   for story in sight.stories())
        return stage.harvested() or ("" if sold else "MSFT is not sold yet") or calm["reversal"].missing()

    halt = {"full_halt": {"enabled": True, "reason": "unexplained insider headlines", "by": OPERATOR}}
    resume = {"full_halt": {"enabled": False, "reason": "headlines explained", "by": OPERATOR}}
    return [
        Scene("feeds are harvested; without a permit every intent waits", lambda: None, opening),
        Scene("the operator releases dispatch", lambda: None, lambda: _unreleased(stage) or calm["opening"].missing()),
        Scene("the operator saves full_halt", lambda: stage.save(OVERLAY, halt), halted),
        Scene("new payloads arrive, some late, some twice; nothing leaves", lambda: stage.serve(2), held),
        Scene("the operator restricts XOM and dismisses the contrarian of V_SWIFT",
              lambda: _tighten(stage), noticed),
        Scene("the operator lifts the halt", lambda: stage.save(OVERLAY, resume), calm["resumed"].missing),
        Scene("the news turns, and Reddit answers with an error page", lambda: stage.serve(3), closed),
    ]


def live_feeds(stage: Stage, feeds: Sequence[str]) -> list[Scene]:
    """The scenes over the real public feeds: whatever they say, and whichever of them cannot be reached."""
    sight = stage.sight

    def tried() -> str:
        passes = sight.collected("")
        waiting = [feed for feed in feeds if feed not in passes]
        return f"waiting for {', '.join(waiting)}" if waiting else ""

    def followed() -> str:
        newest = max((record.at for record in sight.collected("").values()), default="")
        reflected = sight.reflected_after(newest)
        return sight.moving() if reflected else "waiting for a reflection on what was fetched"

    return [
        Scene("the operator releases dispatch", lambda: None, lambda: _unreleased(stage)),
        Scene("the public feeds are asked; one that fails says so", lambda: None, tried, optional=True),
        Scene("orders follow, as far as there are quotes", lambda: None, followed, optional=True),
    ]


def _unreleased(stage: Stage) -> str:
    """Release dispatch as an operator does, unless it is. Says why it was refused; the executor may be starting."""
    if stage.home.file(PERMIT).exists():
        return ""
    done = subprocess.run(  # noqa: S603 - our own command line
        command("run", "release", "--home", str(stage.home.root), "--scope", "global", "--confirm", "global",
                "--by", OPERATOR, "--reason", "opening checks are green"),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stderr.partition("\n")[0]


def _tighten(stage: Stage) -> None:
    vaults = orjson.loads(atomic.read(stage.home.file(VAULTS)))["vaults"]
    for vault in vaults:
        if vault["vault_id"] == "V_CORE":
            vault["risk"]["restricted"] = ["equity:XOM"]
        else:
            vault["personas"] = ["aggressive"]
    stage.save(VAULTS, {"vaults": vaults})
