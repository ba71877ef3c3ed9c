"""A real browser for tests: whatever Chromium the host has, driven through a pipe. Needs no library and no network."""

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--remote-debugging-pipe")
PATIENCE_S = 60.0

_ON_3_AND_4 = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def program() -> str | None:
    """The browser of this host, `None` where there is none."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Tab:
    """One page. `requests` and `complaints` grow while it is looked at."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading = reading
        self._writing = writing
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self._loaded = 0
        self.requests: list[str] = []
        self.complaints: list[str] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **more: Any) -> Any:
        """Send one command and wait for its answer, noting what happens meanwhile."""
        self._number += 1
        number = self._number
        body = {"id": number, "method": method, "params": more}
        if self._session is not None:
            body["sessionId"] = self._session
        os.write(self._writing, json.dumps(body).encode() + b"\0")
        while True:
            said = self._next()
            if said.get("id") == number:
                assert "error" not in said, said
                return said["result"]

    def open(self, path: Path, *, width: int, dark: bool = False) -> None:
        """Show a file at a width, in light or dark, until it is loaded."""
        self.requests.clear()
        self.complaints.clear()
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1,
                 mobile=width < 600)
        self.ask("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        before = self._loaded
        self.ask("Page.navigate", url=path.resolve().as_uri())
        while self._loaded == before:
            self._next()

    def value(self, expression: str) -> Any:
        """What an expression comes to in the page."""
        said = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    def _next(self) -> Mapping[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._reading], [], [], PATIENCE_S)
            piece = os.read(self._reading, 1 << 20) if ready else b""
            assert piece, "the browser says nothing any more"
            self._buffer += piece
        raw, _, self._buffer = self._buffer.partition(b"\0")
        said: Mapping[str, Any] = json.loads(raw)
        self._note(str(said.get("method")), said.get("params", {}))
        return said

    def _note(self, method: str, body: Mapping[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(body["request"]["url"])
        elif method == "Page.loadEventFired":
            self._loaded += 1
        elif method in ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
            self.complaints.append(json.dumps(body)[:500])


@contextlib.contextmanager
def browser(folder: Path) -> Iterator[Tab]:
    """A browser with a profile of its own, which does not outlive the test."""
    found = program()
    assert found is not None
    (to_read, to_write), (from_read, from_write) = os.pipe(), os.pipe()
    with open(folder / "browser.log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", _ON_3_AND_4, str(to_read), str(from_write), found, *QUIET,
             f"--user-data-dir={folder / 'profile'}"],
            pass_fds=(to_read, from_write), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    os.close(to_read)
    os.close(from_write)
    try:
        yield Tab(from_read, to_write)
    finally:
        process.kill()
        process.wait()
        os.close(from_read)
        os.close(to_write)
