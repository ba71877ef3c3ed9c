"""Configuration: `config/vanta.toml` below the home, overridden by `VANTA_*`. The only reader of the environment.

    [executor]
    mode = "paper"

is overridden by `VANTA_EXECUTOR__MODE=live`. Values from the environment are read as TOML where they parse
as TOML, else as text. Secrets are never values here: settings hold paths of credential files. The result is
one frozen object; nothing else in VANTA looks at the environment.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from vanta.common.errors import OperatorError
from vanta.common.models.base import Amount, OperatorModel, validate
from vanta.common.paths import Home

DEFAULT_HOME = "/opt/vanta"
_PREFIX = "VANTA_"
_NOT_SETTINGS = frozenset({"VANTA_HOME", "VANTA_REALDATA"})


class FeedSettings(OperatorModel):
    """One feed. `options` goes to the feed's collector as it is (docs/RUNBOOK lists them)."""

    enabled: bool = True
    every_s: int = Field(default=60, ge=1, description="how often the daemon collects")
    stale_after_s: int = Field(default=3_600, ge=1, description="without success for longer, the feed is stale")
    window_s: int = Field(default=30 * 86_400, ge=60, description="signals older than this leave the window")
    options: dict[str, Any] = {}


class MarketsSettings(OperatorModel):
    """The markets node."""

    contact: str | None = Field(default=None, description="e-mail in the user agent; the SEC insists on one")
    feeds: dict[str, FeedSettings] = {}
    reflect_every_s: float = Field(default=5.0, gt=0, description="longest wait between looks at the feed files")
    rank_margin_bp: int = Field(default=100, ge=0, le=1_000, description="a rank moves only for a larger change")
    intent_ttl_s: int = Field(default=900, ge=1)
    intent_grace_s: int = Field(default=300, ge=0)

    def feed(self, name: str) -> FeedSettings:
        """Settings of one feed, defaults where none are written."""
        return self.feeds.get(name, FeedSettings())


class PaperSettings(OperatorModel):
    """The embedded paper broker's stated model of the market."""

    half_spread_bp: int = Field(default=2, ge=0, description="added to the quote's own spread where it has none")
    slippage_bp: int = Field(default=3, ge=0, description="against the order, on every fill")
    commission_bp: int = Field(default=2, ge=0)
    commission_min: Amount = Field(default="0", validate_default=True, ge=0)
    fill: Literal["quote", "next_quote"] = Field(default="quote", description="next_quote: never on a price "
                                                 "that was already known when the order was sent")
    participation_bp: int = Field(default=1_000, ge=1, le=10_000, description="largest share of average daily volume "
                                  "that one fill takes; a displayed size is taken whole and no more")


class ExecutorSettings(OperatorModel):
    """The executor node."""

    mode: Literal["paper", "live", "simulate"] = "paper"
    dispatch: Literal["daemon", "cron"] = "daemon"
    poll_s: float = Field(default=0.05, gt=0, description="longest wait between looks at the queue")
    publish_ms: int = Field(default=250, ge=0, description="documents are written at most this often")
    heartbeat_s: float = Field(default=5.0, gt=0)
    unreadable_latch_s: float = Field(default=5.0, gt=0, description="an overlay unreadable for longer latches")
    future_skew_s: int = Field(default=5, ge=0, description="tolerated clock difference to the promoter")
    paper: PaperSettings = PaperSettings()


class Settings(OperatorModel):
    """Everything."""

    markets: MarketsSettings = MarketsSettings()
    executor: ExecutorSettings = ExecutorSettings()
    log_level: Literal["debug", "info", "warning", "error"] = "info"


def home_from(option: Path | None, environment: Mapping[str, str] | None = None) -> Home:
    """`--home`, else `$VANTA_HOME`, else /opt/vanta."""
    environment = os.environ if environment is None else environment
    return Home((option or Path(environment.get("VANTA_HOME", DEFAULT_HOME))).absolute())


def load(home: Home, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the file (if there is one) and the environment. Raises `OperatorError` naming file and field."""
    environment = os.environ if environment is None else environment
    path = home.config / "vanta.toml"
    values: dict[str, Any] = {}
    if path.exists():
        try:
            values = tomllib.loads(path.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise OperatorError(f"{path}: {error}", "Correct the file; `vanta-diagnostics` checks it.") from error
    for name in sorted(environment):
        if name.startswith(_PREFIX) and name not in _NOT_SETTINGS:
            _put(values, name.removeprefix(_PREFIX).lower().split("__"), environment[name], name)
    return validate(Settings, values, file=str(path))


def _put(values: dict[str, Any], keys: list[str], text: str, name: str) -> None:
    for key in keys[:-1]:
        values = values.setdefault(key, {})
        if not isinstance(values, dict):
            raise OperatorError(f"{name}: {key} is not a table", "See docs/STATE.md for the settings.")
    try:
        values[keys[-1]] = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        values[keys[-1]] = text


def credential_folder(environment: Mapping[str, str] | None = None) -> Path | None:
    """Where systemd put this unit's credentials (`LoadCredential=`), or `None` outside a unit."""
    environment = os.environ if environment is None else environment
    folder = environment.get("CREDENTIALS_DIRECTORY")
    return Path(folder) if folder else None
