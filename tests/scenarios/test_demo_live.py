"""`vanta-run demo --live`: what it says and how it ends when public feeds fail. The outside is a local server."""

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.processes import ROOT
from tests.unit.markets.payloads import rss

CONFIG = """\
[executor]
mode = "paper"

[markets]
reflect_every_s = 0.5

[markets.feeds.sec]
every_s = 60
options = {{ base_url = "{sec}", budget_s = 5 }}

[markets.feeds.news]
enabled = {news}
every_s = 60
source = "@HOME@/articles"

[markets.feeds.reddit]
enabled = false

[markets.feeds.crypto]
enabled = false

[markets.feeds.prices]
enabled = false
"""


@dataclass
class Outside:
    """The fixtures of a demonstration whose only public feed is a server that refuses, and what that server heard."""

    root: Path
    url: str
    agents: list[str] = field(default_factory=list)

    def run(self, *more: str, news: bool = False, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
        """The demonstration in `root`/var."""
        tree, home = self.root / "live", self.root / "var"
        (tree / "config").mkdir(parents=True)
        (tree / "config" / "vanta.toml").write_text(CONFIG.format(sec=self.url, news=str(news).lower()))
        shutil.copytree(ROOT / "memory_fixtures" / "live" / "memory", tree / "memory")
        (home / "articles").mkdir(parents=True)
        (home / ".vanta-demo").touch()
        (home / "articles" / "page.xml").write_bytes(rss(("Acme", "Apple (NASDAQ: AAPL) beats forecast", -60)))
        command = [sys.executable, "-m", "vanta.suite.run", "demo", "--live", "--fixtures", str(self.root), "--home",
                   str(home), *more]
        return subprocess.run(command, cwd=cwd or ROOT, text=True, capture_output=True, check=False)


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    """A server that answers every request with 404."""
    heard: list[str] = []

    class Refuses(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.headers["User-Agent"])
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Refuses) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Outside(tmp_path, f"http://127.0.0.1:{server.server_port}", heard)
        server.shutdown()


def test_without_a_contact_the_sec_is_not_asked_and_the_cure_is_there(outside: Outside) -> None:
    """Every feed failed: 69. The feed's row says why, the next commands say what to do, and name no placeholder."""
    done = outside.run()
    assert done.returncode == 69, done.stderr
    row = next(line for line in done.stdout.splitlines() if line.startswith("  sec "))
    assert "the SEC refuses clients that do not say how to reach them" in row
    assert "make run LIVE=1 CONTACT=you@example.org" in done.stdout
    assert "sec: error" in done.stderr
    assert "INTENT_ID" not in done.stdout
    assert outside.agents == []


def test_a_contact_reaches_the_sec(outside: Outside) -> None:
    """In the user agent of every request. The server refuses all the same; one feed of two failed: 3."""
    done = outside.run("--contact", "ann@example.org", "--json", news=True)
    assert done.returncode == 3, done.stderr
    assert outside.agents
    assert all("ann@example.org" in agent for agent in outside.agents)
    said = json.loads(done.stdout)
    assert list(said["failures"]) == ["sec"]
    assert said["screen"][0]["title"] == "Feeds"
    assert [row[:2] for row in said["screen"][0]["rows"]][:2] == [["sec", "error"], ["news", "ok"]]
    assert not [step for step in said["next"] if "CONTACT" in (step["command"] or "")]


def test_outside_a_checkout_the_cure_is_the_program(outside: Outside, tmp_path: Path) -> None:
    """There is no Makefile to call."""
    environment = tmp_path / "elsewhere"
    environment.mkdir()
    done = outside.run(cwd=environment)
    assert "vanta-run demo --live --contact you@example.org --home" in done.stdout, done.stderr


@pytest.mark.parametrize("arguments", [["--live", "--contact", "nobody"], ["--live", "--contact", 'a"\n@b.org'],
                                       ["--contact", "ann@example.org"]])
def test_a_contact_that_is_none(arguments: list[str], tmp_path: Path) -> None:
    """Status 2, and nothing is made."""
    command = [sys.executable, "-m", "vanta.suite.run", "demo", "--home", str(tmp_path / "var"), *arguments]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)
    assert done.returncode == 2
    assert not (tmp_path / "var").exists()
