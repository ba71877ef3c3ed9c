"""The shape of `config/vanta.toml`: one table a program, defaults for everything. Read by `common/settings.py`."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from vanta.common.models.base import Cash, OperatorModel, OperatorTime, Real

DAY_S, YEAR_S = 86_400, 366 * 86_400
_WINDOWS = {"sec": 150 * DAY_S}
"""Insiders' decisions are believed for five months; everything else for the default window."""


def _command(words: list[str]) -> list[str]:
    if not words[0].startswith("/"):
        raise ValueError(f"{words[0]!r} is not an absolute path")
    if any("\0" in word for word in words):
        raise ValueError("a word holds a NUL")
    return words


Command = Annotated[list[str], Field(min_length=1, max_length=32), AfterValidator(_command)]
"""The words of a program that is started as it is, without a shell."""


class FeedSettings(OperatorModel):
    """One feed. `options` goes to the feed's collector as it is (docs/RUNBOOK lists them)."""

    enabled: bool = True
    every_s: int = Field(default=60, ge=1, le=YEAR_S, description="how often the daemon collects")
    stale_after_s: int = Field(default=3_600, ge=1, le=YEAR_S,
                               description="without success for longer, the feed is stale")
    source: str | None = Field(default=None, description="a folder of recorded payloads to read instead of the network")
    window_s: int = Field(default=30 * DAY_S, ge=60, le=100 * YEAR_S,
                          description="signals older than this leave the window")
    options: dict[str, Any] = {}


class MarketsSettings(OperatorModel):
    """The markets node."""

    contact: str | None = Field(default=None, description="e-mail in the user agent; the SEC insists on one")
    feeds: dict[str, FeedSettings] = {}
    reflect_every_s: Real = Field(default=5.0, gt=0, le=DAY_S,
                                  description="longest wait between looks at the feed files")
    rank_margin_bp: int = Field(default=100, ge=0, le=1_000, description="a rank moves only for a larger change")
    intent_ttl_s: int = Field(default=900, ge=1, le=YEAR_S)
    intent_grace_s: int = Field(default=300, ge=0, le=YEAR_S)

    def feed(self, name: str) -> FeedSettings:
        """Settings of one feed, defaults where none are written."""
        return self.feeds.get(name, FeedSettings(window_s=_WINDOWS.get(name, FeedSettings().window_s)))


class PaperSettings(OperatorModel):
    """The embedded paper broker's stated model of the market."""

    half_spread_bp: int = Field(default=2, ge=0, le=10_000,
                                description="added to the quote's own spread where it has none")
    slippage_bp: int = Field(default=3, ge=0, le=10_000, description="against the order, on every fill")
    commission_bp: int = Field(default=2, ge=0, le=10_000)
    commission_min: Cash = Field(default="0", validate_default=True, ge=0)
    fill: Literal["quote", "next_quote"] = Field(default="quote", description="next_quote: never on a price "
                                                 "that was already known when the order was sent")
    participation_bp: int = Field(default=1_000, ge=1, le=10_000, description="largest share of average daily volume "
                                  "that one fill takes; a displayed size is taken whole and no more")


class AccountSettings(OperatorModel):
    """One broker account. Its name is the key; vaults name it as their `account`."""

    adapter: Literal["alpaca", "ccxt", "ibkr", "tradier"]
    url: str | None = Field(default=None, description="where the venue answers; by default the adapter's sandbox, or "
                            "its live host in live mode")
    credentials: str | None = Field(default=None, description="name of a credential: a folder of root-only files under "
                                    "the unit's credentials or config/credentials, one file a secret")
    timeout_s: Real = Field(default=10.0, gt=0, le=120, description="for each call to connect, and to be answered")
    options: dict[str, Any] = Field(default={}, description="what only this adapter knows, such as ccxt's exchange")


class ExecutorSettings(OperatorModel):
    """The executor node."""

    mode: Literal["paper", "live", "simulate"] = "paper"
    dispatch: Literal["daemon", "cron"] = Field(default="daemon", description="who sends orders: the service, or "
                                                "`vanta executor sweep` once a minute; then the service does not start")
    poll_s: Real = Field(default=0.05, gt=0, le=DAY_S, description="longest wait between looks at the queue")
    publish_ms: int = Field(default=250, ge=0, le=DAY_S * 1000,
                            description="documents are written at most this often")
    heartbeat_s: Real = Field(default=5.0, gt=0, le=DAY_S)
    unreadable_latch_s: Real = Field(default=5.0, gt=0, le=DAY_S,
                                     description="an overlay unreadable for longer latches")
    future_skew_s: int = Field(default=5, ge=0, le=DAY_S, description="tolerated clock difference to the promoter")
    clock_step_s: Real = Field(default=1.0, gt=0, le=DAY_S, description="a wall clock that jumps by more latches")
    reconcile_s: Real = Field(default=30.0, gt=0, le=DAY_S,
                              description="how often a venue's books are compared with ours")
    alert_command: Command | None = Field(default=None, description="words of a program, the first an absolute path, "
                                          "that is started without a shell for each alert and latch, with one JSON "
                                          "object on its stdin; no secrets, the program knows its own")
    benchmark: str | None = Field(
        default=None, pattern=r"^(equity:[A-Z0-9.\-]{1,20}|crypto:[A-Z0-9]{1,20}-[A-Z0-9]{1,20})$",
        description="what each day's NAV is compared with, as an instrument id: equity:SPY, crypto:BTC-USD")
    paper: PaperSettings = PaperSettings()
    accounts: dict[str, AccountSettings] = Field(default={}, description="broker accounts by name; `paper` is always "
                                                 "there outside live mode")


class ClockSettings(OperatorModel):
    """A clock that runs at the host's speed but started elsewhere: for demonstrations on recorded payloads.

    At host time `anchored_at` it shows `starts_at`. Refused in live mode.
    """

    starts_at: OperatorTime | None = None
    anchored_at: OperatorTime | None = None


class RetentionSettings(OperatorModel):
    """How long a home keeps its history where it can be read at once. Nothing is deleted: it goes to the archive."""

    keep_days: int = Field(default=0, ge=0, le=36_500, description="days of collection, reflection and promotion logs "
                           "that stay, with their snapshots; 0 keeps everything")
    calls_days: int = Field(default=14, ge=0, le=36_500, description="days of the logs of calls (`calls_*.jsonl`) that "
                            "stay; 0 keeps everything")
    archive: str | None = Field(default=None, description="folder for what is put away, on the same file system; "
                                "`archive` in the home by default")


class ReleaseSettings(OperatorModel):
    """Who may put a release into use."""

    two_person: bool = Field(default=False, description="a release is approved by another account than the one that "
                             "added it to the tracker")


_HOST = r"^[A-Za-z0-9:]([A-Za-z0-9._:-]{0,252}[A-Za-z0-9:])?$"
Host = Annotated[str, Field(pattern=_HOST)]


class OutsideSettings(OperatorModel):
    """Whom the programs of this node may ask."""

    hosts: list[Host] | None = Field(default=None, max_length=1_000, description="names and addresses, each as a "
                                     "whole; by default those that the enabled feeds, the accounts and the links need "
                                     "(`vanta outside list`). This host itself is always among them")


class NodeSettings(OperatorModel):
    """Which node this host is, where there are several. Without this table all nodes are here and share one home."""

    name: Literal["alpha", "markets", "executor"]


_PLAIN_WORD = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}$"


class LinkSettings(OperatorModel):
    """How another node is reached. What it lets us see is its own affair."""

    kind: Literal["shared", "ssh"]
    path: str | None = Field(default=None, description="shared: the other node's home, as it is mounted here")
    host: str | None = Field(default=None, pattern=_PLAIN_WORD, description="ssh: its name or address")
    port: int = Field(default=22, ge=1, le=65_535, description="ssh")
    user: str = Field(default="vanta", pattern=_PLAIN_WORD,
                      description="ssh: the account whose key has the forced command")
    identity: str | None = Field(default=None, description="ssh: the file of our private key; by default the unit's "
                                 "credential transport_key, else config/credentials/transport/key")
    known_hosts: str | None = Field(default=None, description="ssh: the file with the other host's key, by default "
                                    "config/known_hosts; no other is believed")
    key: str | None = Field(default=None, description="fingerprint of the first key that its logs were signed with "
                            "(`vanta audit key` there); without it the first look is believed")

    @model_validator(mode="after")
    def _complete(self) -> "LinkSettings":
        wanted = "path" if self.kind == "shared" else "host"
        if getattr(self, wanted) is None:
            raise ValueError(f"kind {self.kind!r} needs {wanted}")
        return self


class TransportSettings(OperatorModel):
    """What is pulled from other hosts, by their node, and how old Alpha's word may be."""

    controls_s: Real = Field(default=0.2, gt=0, le=60,
                             description="how often kill switches and commands are looked at")
    logs_s: Real = Field(default=1.0, gt=0, le=DAY_S, description="how often everything else is")
    timeout_s: Real = Field(default=5.0, gt=0, le=120,
                            description="within which another node has to answer")
    lease_s: Real = Field(default=10.0, gt=0, le=DAY_S, description="Alpha's word is good for so long: by our clock "
                          "since it arrived, and by Alpha's since it was said")
    latch_s: Real = Field(default=30.0, gt=0, le=DAY_S,
                          description="without Alpha's word for longer the executor latches")
    alpha: LinkSettings | None = None
    markets: LinkSettings | None = None
    executor: LinkSettings | None = None


class Settings(OperatorModel):
    """Everything."""

    clock: ClockSettings = ClockSettings()

    markets: MarketsSettings = MarketsSettings()
    executor: ExecutorSettings = ExecutorSettings()
    retention: RetentionSettings = RetentionSettings()
    releases: ReleaseSettings = ReleaseSettings()
    node: NodeSettings | None = Field(default=None, description="only where there are several hosts")
    transport: TransportSettings = TransportSettings()
    outside: OutsideSettings = OutsideSettings()
    log_level: Literal["debug", "info", "warning", "error"] = "info"
