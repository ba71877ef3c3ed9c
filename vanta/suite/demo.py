"""`vanta-run demo`: the whole suite over a fresh tree, from raw payloads to filled, explained orders.

It makes the tree, starts `vanta-run up` as anybody would, plays its script against the files, stops the programs, makes
a second pass that must stage nothing, and shows the result. `--live` asks the real public feeds instead; money is
paper either way.
"""

import shlex
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

import vanta
from vanta.common import typed
from vanta.common.cli import HomeOption, JsonFlag, Next, Report, emit
from vanta.common.clock import SystemClock
from vanta.common.errors import UsageError
from vanta.common.events import Kind
from vanta.common.exitcodes import Exit
from vanta.common.paths import COLLECTION_LOG, FEEDS, Home
from vanta.common.settings import DEFAULT_HOME, clock_from, home_from, load
from vanta.common.store.guarded import append_fd
from vanta.suite.child import command
from vanta.suite.fixtures import fixtures
from vanta.suite.once import full_pass
from vanta.suite.progress import Progress
from vanta.suite.render import Section, data, show
from vanta.suite.scenes import Scene, Stage, live_feeds, play, recorded_day
from vanta.suite.screen import View, screen
from vanta.suite.sight import Sight
from vanta.suite.stage import contact_address, prepare

DEFAULT = Path("var")
STOP_S = 40.0

Live = Annotated[bool, typer.Option("--live", help="Ask the real public feeds that need no key. Still paper money.")]
Fixtures = Annotated[Path | None, typer.Option(
    "--fixtures", metavar="DIR", show_default=False, help="The folder that holds the trees `demo` and `live`.")]


Contact = Annotated[str | None, typer.Option(
    "--contact", metavar="ADDRESS", parser=contact_address, show_default=False,
    help="With --live: your e-mail address, for the SEC, which refuses clients that do not say how to reach them.")]
NO_CONTACT = "no contact is set"


def demo(home: HomeOption = None, json: JsonFlag = False, live: Live = False, given: Fixtures = None,
         contact: Contact = None) -> int:
    """Run the suite over shipped payloads in a fresh tree (default ./var) and show what came of it."""
    if contact is not None and not live:
        raise UsageError("--contact is for the public feeds", "Add --live, or leave --contact out.")
    place = home_from(home)
    if home is None and place.root == Path(DEFAULT_HOME):
        place = Home(DEFAULT.absolute())
        typed.stay_in(f"./{DEFAULT}")
    source, host = fixtures("live" if live else "demo", given), SystemClock()
    prepare(place, source, host.now(), contact=contact)
    settings = load(place)
    clock = clock_from(settings)
    progress = Progress(host, as_json=json)
    stage = Stage(place, source / "feeds", clock, Sight(place))
    if not live:
        stage.serve(1)
    asked = [feed for feed in (*FEEDS, "prices") if settings.markets.feed(feed).enabled]
    scenes = live_feeds(stage, asked) if live else recorded_day(stage)
    status = _run(place, scenes, progress)
    staged: list[str] | None = None
    if not live:
        staged = list(full_pass(place, settings, progress).staged)
    sections = [*screen(View(place, settings, clock.now())), _second(staged)]
    if not json:
        show(sections)
    with progress.step("the report is drawn"):
        page = _drawn(place)
    came = _Came(place, scenes, staged, status, _failures(stage.sight, asked) if live else {}, len(asked), page)
    return emit(_report(came, sections), as_json=json)


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


def _drawn(home: Home) -> Path | None:
    """Have the home drawn by the command that anybody would use. What it says goes into a log of its own."""
    page = home.root / "build" / "report.html"
    with open(append_fd(home.logs / "report.log"), "ab") as log:
        done = subprocess.run(  # noqa: S603 - our own command line
            command("report", "--home", str(home.root), "--out", str(page)), stdin=subprocess.DEVNULL, stdout=log,
            stderr=log, check=False)
    return page if done.returncode in (Exit.DONE, Exit.PARTIAL) else None


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


@dataclass(frozen=True, slots=True)
class _Came:
    """What came of it. `failures` says of each public feed that is not fine why, of `asked` that were asked.

    `page` is where `vanta report` has drawn it, `None` if it could not.
    """

    home: Home
    scenes: list[Scene]
    staged: list[str] | None
    status: int
    failures: Mapping[str, str]
    asked: int
    page: Path | None = None

    @property
    def exit(self) -> Exit:
        if self.staged or self.status:
            return Exit.FAILED
        failed = [why for why in self.failures.values() if not why.startswith("partial")]
        if failed and len(failed) == self.asked:
            return Exit.UNAVAILABLE
        return Exit.PARTIAL if self.failures else Exit.DONE


def _with_contact() -> str:
    """The command that gives the SEC a contact: the checkout's own, where that is what was run."""
    checkout = Path.cwd()
    if Path(vanta.__file__).resolve().parent == checkout / "vanta" and (checkout / "Makefile").is_file():
        return "make run LIVE=1 CONTACT=you@example.org"
    return "vanta-run demo --live --contact you@example.org"


def _failures(sight: Sight, asked: Sequence[str]) -> dict[str, str]:
    """Feeds whose last pass was not fine, or that made none, with the reason."""
    last: dict[str, str] = dict.fromkeys(asked, "no pass was made in time")
    for record in sight.records(COLLECTION_LOG):
        if record.kind == Kind.COLLECTED:
            status, why = record.payload["status"], record.payload["status_reason"]
            last[str(record.payload["feed"])] = "" if status == "ok" else f"{status}: {why}"
    return {feed: why for feed, why in last.items() if why}


def _seen(page: Path | None) -> list[str]:
    """Where the page is, or that there is none."""
    said = "could not be drawn; `vanta report` says why" if page is None else page.resolve().as_uri()
    return ["", f"All of it as one page, for a browser: {said}"]


def _report(came: _Came, sections: Sequence[Section]) -> Report:
    told = Sight(came.home).stories()
    story = next((one for one in told if one.fills), next(iter(told), None))
    why = [Next("why an order happened", f"vanta explain {shlex.quote(story.intent_id)}")] if story else []
    silent = NO_CONTACT in came.failures.get("sec", "")
    reach = [Next("let the SEC know how to reach you", _with_contact())] if silent else []
    return Report(
        schema="vanta.run.demo/1", at=SystemClock().now(), exit=came.exit,
        items={"home": str(came.home.root), "scenes": [scene.title for scene in came.scenes], "up_exit": came.status,
               "second_pass": None if came.staged is None else {"staged": came.staged},
               "failures": dict(came.failures), "page": None if came.page is None else str(came.page),
               "screen": data(sections)},
        lines=[*_seen(came.page), ""],
        warnings=[*([f"Error: vanta-run up ended with {came.status}"] if came.status else []),
                  *(f"{feed}: {said}" for feed, said in came.failures.items())],
        next=[Next("one screen of state", "vanta-run status"),
              Next("draw it again as one page", "vanta report"),
              *why,
              *reach,
              Next("prove the logs and documents", "vanta verify"),
              Next("recompute every decision, byte for byte", "vanta replay"),
              Next("keep it running", "vanta-run up"),
              Next("stop all orders, at once", "vanta-run kill --reason TEXT")])
