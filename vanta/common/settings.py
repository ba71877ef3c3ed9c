"""Configuration: `config/vanta.toml` below the home, overridden by `VANTA_*`. The only reader of the environment.

    [executor]
    mode = "paper"

is overridden by `VANTA_EXECUTOR__MODE=live`. Values from the environment are read as TOML where they parse
as TOML, else as text. Secrets are never values here: settings hold paths of credential files. The result is
one frozen object; nothing else in VANTA looks at the environment.
"""

import os
import shlex
import shutil
import tomllib
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from vanta.common.clock import Clock, clock_for
from vanta.common.errors import Missing, OperatorError, StateError, VantaError
from vanta.common.models.base import validate
from vanta.common.models.configuration import (
    ExecutorSettings,
    FeedSettings,
    MarketsSettings,
    PaperSettings,
    Settings,
)
from vanta.common.money import decimal
from vanta.common.paths import Home
from vanta.common.store.atomic import read
from vanta.common.strictjson import INTEGERS
from vanta.common.times import parse_iso

__all__ = ["ExecutorSettings", "FeedSettings", "MarketsSettings", "PaperSettings", "Settings", "credential_folder",
           "editor", "home_from", "load", "notify_address", "on_path", "plain_environment", "terminal_kind",
           "watchdog_s", "watched_environment"]

DEFAULT_HOME = "/opt/vanta"
_PREFIX = "VANTA_"
_MAX_BYTES = 1 << 20
_PLAIN = frozenset({"PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR"})
_NOT_SETTINGS = frozenset({"VANTA_HOME", "VANTA_REALDATA"})


def home_from(option: Path | None, environment: Mapping[str, str] | None = None) -> Home:
    """`--home`, else `$VANTA_HOME`, else /opt/vanta."""
    environment = os.environ if environment is None else environment
    return Home((option or Path(environment.get("VANTA_HOME") or DEFAULT_HOME)).absolute())


def load(home: Home, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the file (if there is one) and the environment. Raises `OperatorError` naming file and field."""
    environment = os.environ if environment is None else environment
    path = home.config / "vanta.toml"
    values = _file(path)
    from_file = validate(Settings, values, file=str(path))
    names = sorted(name for name in environment if name.startswith(_PREFIX) and name not in _NOT_SETTINGS)
    for name in names:
        _put(values, name.removeprefix(_PREFIX).lower().split("__"), environment[name], name)
    return validate(Settings, values, file="environment: " + ", ".join(names)) if names else from_file


def _file(path: Path) -> dict[str, Any]:
    """The tables of the file, none if there is no file. Whatever stands there, reading it never waits."""
    try:
        return _parsed(read(path, max_bytes=_MAX_BYTES).decode("utf-8"))
    except Missing:
        return {}
    except StateError as error:
        raise OperatorError(error.what, f"Put a plain file there, or remove it; it has at most {_MAX_BYTES:,} bytes.") \
            from error
    except (ValueError, RecursionError) as error:
        raise OperatorError(f"{path}: {error}", "Correct the file; `vanta-diagnostics` checks it.") from error


def _parsed(text: str) -> dict[str, Any]:
    """TOML whose numbers are exact. Raises `ValueError` (or `RecursionError`) for what cannot be read."""
    values = tomllib.loads(text, parse_float=_fraction)
    _insist_on_64_bits(values, "")
    return values


def _fraction(literal: str) -> Decimal:
    """TOML's own spellings of infinity and NaN are left for the field to refuse, which is then named."""
    text = literal.replace("_", "").removeprefix("+")
    return Decimal(text) if text[-1].isalpha() else decimal(text)


def _insist_on_64_bits(value: Any, name: str) -> None:
    """Settings are recorded in a form that holds no larger integers; see `strictjson`."""
    if isinstance(value, dict):
        for key, item in value.items():
            _insist_on_64_bits(item, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for item in value:
            _insist_on_64_bits(item, name)
    elif isinstance(value, int) and value not in INTEGERS:
        raise ValueError(f"{name} does not fit into 64 bits")


def _put(values: dict[str, Any], keys: list[str], text: str, name: str) -> None:
    for key in keys[:-1]:
        values = values.setdefault(key, {})
        if not isinstance(values, dict):
            raise OperatorError(f"{name}: {key} is not a table", "See docs/STATE.md for the settings.")
    try:
        values[keys[-1]] = _parsed(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        values[keys[-1]] = text


def clock_from(settings: Settings, now: datetime | None = None) -> Clock:
    """The clock of a command: fixed by `--now`, shifted by `[clock]`, else the host's. Live mode is never shifted."""
    shift = settings.clock
    if shift.starts_at is None or shift.anchored_at is None:
        return clock_for(now)
    if settings.executor.mode == "live":
        raise OperatorError("a shifted clock is set, but executor.mode is live",
                            "Remove [clock] from config/vanta.toml.")
    return clock_for(now, starts_at=parse_iso(shift.starts_at), anchored_at=parse_iso(shift.anchored_at))


def insist_on_node(settings: Settings, node: str) -> None:
    """Raises `OperatorError` if this home is that of another one of several nodes: two would write what one may."""
    if settings.node is not None and settings.node.name != node:
        raise OperatorError(f"this home is that of the node {settings.node.name}, and this runs on the node {node}",
                            f"Run it on the host of the node {node}; `vanta transport table` shows who writes what.")


def clock_of(home: Home, now: datetime | None = None) -> Clock:
    """The home's clock; the host's where the settings are wrong, which must not keep anybody from halting."""
    try:
        return clock_from(load(home), now)
    except VantaError:
        return clock_for(now)


def on_path(program: str, environment: Mapping[str, str] | None = None) -> str | None:
    """The file that a shell would run for the plain name of a program, or `None`."""
    environment = os.environ if environment is None else environment
    return shutil.which(program, path=environment.get("PATH", ""))


def editor(environment: Mapping[str, str] | None = None) -> list[str]:
    """The words of the person's editor: $VISUAL, else $EDITOR, else vi or nano. Raises `OperatorError` for none."""
    environment = os.environ if environment is None else environment
    given = environment.get("VISUAL", "").strip() or environment.get("EDITOR", "").strip()
    try:
        words = shlex.split(given)
    except ValueError as error:
        raise OperatorError(f"the editor {given!r} cannot be taken apart: {error}", "Set VISUAL or EDITOR.") from error
    found = words or [name for name in ("vi", "nano") if on_path(name, environment)][:1]
    if not found:
        raise OperatorError("there is no editor", "Set VISUAL or EDITOR, or use --file or --set.")
    return found


def terminal_kind(environment: Mapping[str, str] | None = None) -> str:
    """What kind of terminal this is (`TERM`); `dumb` where nobody says."""
    environment = os.environ if environment is None else environment
    return environment.get("TERM") or "dumb"


def plain_environment(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """What any program needs to run, and nothing that was meant for this one: no settings, credentials or sockets."""
    environment = os.environ if environment is None else environment
    return {name: value for name, value in environment.items() if name in _PLAIN or name.startswith("LC_")}


def watched_environment(address: str, interval_s: float, environment: Mapping[str, str] | None = None
                        ) -> dict[str, str]:
    """This program's environment for a child that is to say at `address` every so many seconds that it gets on."""
    environment = os.environ if environment is None else environment
    return {**{name: value for name, value in environment.items() if name != "WATCHDOG_PID"},
            "NOTIFY_SOCKET": address, "WATCHDOG_USEC": str(int(interval_s * 1e6))}


def credential_folder(environment: Mapping[str, str] | None = None) -> Path | None:
    """Where systemd put this unit's credentials (`LoadCredential=`), or `None` outside a unit."""
    environment = os.environ if environment is None else environment
    folder = environment.get("CREDENTIALS_DIRECTORY")
    return Path(folder) if folder else None


def notify_address(environment: Mapping[str, str] | None = None) -> str | None:
    """Where systemd wants to hear from this service (`NOTIFY_SOCKET`), or `None` outside a unit."""
    environment = os.environ if environment is None else environment
    return environment.get("NOTIFY_SOCKET") or None


def watchdog_s(environment: Mapping[str, str] | None = None, *, pid: int | None = None) -> float | None:
    """Seconds within which systemd wants a sign of life from process `pid`, or `None` if it does not watch it."""
    environment = os.environ if environment is None else environment
    micros, watched = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    meant = not watched or watched == str(os.getpid() if pid is None else pid)
    number = int(micros) if micros.isascii() and micros.isdigit() and len(micros) < 20 else 0
    return number / 1e6 if meant and number else None
