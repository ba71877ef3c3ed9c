"""A real browser over its debugging port, as far as a test of a static page needs one: load, measure, press keys."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_QUIET = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
          "--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0")
_PATIENCE_S = 60


def installed() -> str | None:
    """Where a browser is, `None` if there is none."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Browser:
    """One tab. `events` are what the browser told unasked."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._number = 0
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, **parameters: Any) -> Any:
        """Ask for something and wait for the answer."""
        self._number += 1
        self._socket.send(orjson.dumps({"id": self._number, "method": method, "params": parameters}).decode())
        while True:
            said = orjson.loads(self._socket.recv(timeout=_PATIENCE_S))
            if said.get("id") == self._number:
                assert "error" not in said, said
                return said["result"]
            self.events.append(said)

    def load(self, page: Path, *, width: int, scheme: str) -> None:
        """Open a page at a width, in light or dark."""
        self.events.clear()
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1,
                  mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Page.navigate", url=page.as_uri())
        while self.evaluate("document.readyState + location.href") != f"complete{page.as_uri()}":
            time.sleep(0.02)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def press(self, key: str) -> None:
        """Press one key and let it go."""
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                      windowsVirtualKeyCode={"Tab": 9, "Enter": 13}[key])


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A browser with a profile of its own, which ends with the test."""
    program = installed()
    assert program is not None
    process = subprocess.Popen([program, *_QUIET, f"--user-data-dir={folder}", "about:blank"],
                               stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        port = _port(folder / "DevToolsActivePort")
        with connect(f"ws://127.0.0.1:{port[0]}{port[1]}", max_size=None) as main:
            root = Browser(main)
            target = root.call("Target.createTarget", url="about:blank")["targetId"]
            with connect(f"ws://127.0.0.1:{port[0]}/devtools/page/{target}", max_size=None) as socket:
                tab = Browser(socket)
                for domain in ("Page", "Log", "Network", "Runtime"):
                    tab.call(f"{domain}.enable")
                yield tab
    finally:
        process.kill()
        process.wait()


def _port(path: Path) -> list[str]:
    """Port and address, once the browser has written them."""
    ends = time.monotonic() + _PATIENCE_S
    while time.monotonic() < ends:
        lines = path.read_text().split() if path.exists() else []
        if len(lines) == 2:
            return lines
        time.sleep(0.05)
    raise AssertionError("the browser did not open its port")
