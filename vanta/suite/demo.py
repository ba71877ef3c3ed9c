"""`vanta-run demo`: the whole suite over a fresh tree, from raw payloads to filled, explained orders.

It makes the tree, starts `vanta-run up` as anybody would, plays its script against the files, stops the programs, makes
a second pass that must stage nothing, and shows the result. `--live` asks the real public feeds instead; money is
paper either way.
"""

import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from vanta.common import typed
from vanta.common.cli import HomeOption, JsonFlag, Next, Report, emit
from vanta.common.clock import SystemClock
from vanta.common.exitcodes import Exit
from vanta.common.paths import Home
from vanta.common.settings import DEFAULT_HOME, clock_from, home_from, load
from vanta.common.store.guarded import append_fd
from vanta.suite.child import command
from vanta.suite.fixtures import fixtures
from vanta.suite.once import full_pass
from vanta.suite.progress import Progress
from vanta.suite.render import Section, show
from vanta.suite.scenes import Scene, Stage, live_feeds, play, recorded_day
from vanta.suite.screen import View, screen
from vanta.suite.sight import Sight
from vanta.suite.stage import prepare

DEFAULT = Path("var")
STOP_S = 40.0

Live = Annotated[bool, typer.Option("--live", help="Ask the real public feeds that need no key. Still paper money.")]
Fixtures = Annotated[Path | None, typer.Option(
    "--fixtures", metavar="DIR", show_default=False, help="The folder that holds the trees `demo` and `live`.")]


def demo(home: HomeOption = None, json: JsonFlag = False, live: Live = False, given: Fixtures = None) -> int:
    """Run the suite over shipped payloads in a fresh tree (default ./var) and show what came of it."""
    place = home_from(home)
    if home is None and place.root == Path(DEFAULT_HOME):
        place = Home(DEFAULT.absolute())
        typed.stay_in(f"./{DEFAULT}")
    source, host = fixtures("live" if live else "demo", given), SystemClock()
    prepare(place, source, host.now())
    settings = load(place)
    clock = clock_from(settings)
    progress = Progress(host, as_json=json)
    stage = Stage(place, source / "feeds", clock, Sight(place))
    if not live:
        stage.serve(1)
    scenes = live_feeds(stage) if live else recorded_day(stage)
    status = _run(place, scenes, progress)
    staged: list[str] | None = None
    if not live:
        staged = list(full_pass(place, settings, progress).staged)
    if not json:
        show([*screen(View(place, settings, clock.now())), _second(staged)])
    return emit(_report(place, scenes, staged, status), as_json=json)


def _run(home: Home, scenes: list[Scene], progress: Progress) -> int:
    """Play the scenes while `vanta-run up` runs. Returns the status that it ended with."""
    with _up(home) as process:
        for scene in scenes:
            with progress.step(scene.title):
                play(scene, SystemClock(), lambda: process.poll() is None)
        with progress.step("the programs are stopped"):
            process.terminate()
            return process.wait(STOP_S)


@contextmanager
def _up(home: Home) -> Iterator["subprocess.Popen[bytes]"]:
    """`vanta-run up` in a process of its own, which does not outlive this command however that ends."""
    signal.signal(signal.SIGTERM, _interrupted)
    with open(append_fd(home.logs / "up.log"), "ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command line
            command("run", "up", "--home", str(home.root)), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            process_group=0)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(STOP_S)


def _interrupted(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt


def _second(staged: list[str] | None) -> Section:
    if staged is None:
        return Section(title="Second pass", notes=["none was made: live feeds move on"])
    if staged:
        said = f"staged {len(staged)} intents where none was due: {', '.join(staged)}"
        return Section(title="Second pass", notes=[said])
    return Section(title="Second pass", notes=["the same tree again: 0 intents staged, nothing sent twice"])


def _report(home: Home, scenes: list[Scene], staged: list[str] | None, status: int) -> Report:
    told = Sight(home).stories()
    story = next((one for one in told if one.fills), next(iter(told), None))
    why = [Next("why an order happened", f"vanta explain {shlex.quote(story.intent_id)}")] if story else []
    return Report(
        schema="vanta.run.demo/1", at=SystemClock().now(), exit=Exit.FAILED if staged or status else Exit.DONE,
        items={"home": str(home.root), "scenes": [scene.title for scene in scenes], "up_exit": status,
               "second_pass": None if staged is None else {"staged": staged}},
        lines=[""], warnings=[f"Error: vanta-run up ended with {status}"] if status else [],
        next=[Next("one screen of state", "vanta-run status"),
              *why,
              Next("prove the logs and documents", "vanta verify"),
              Next("recompute every decision, byte for byte", "vanta replay"),
              Next("keep it running", "vanta-run up"),
              Next("stop all orders, at once", "vanta-run kill --reason TEXT")])
