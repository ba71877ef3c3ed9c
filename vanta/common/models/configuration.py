"""The shape of `config/vanta.toml`: one table a program, defaults for everything. Read by `common/settings.py`."""

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

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


class ArchiveSettings(OperatorModel):
    """Where `vanta tidy` keeps a copy of every journal each day, signed and incremental; see `vanta archive`."""

    folder: str | None = Field(default=None, pattern="^/", description="an absolute path, such as that of a mounted "
                               "disk; nothing is kept without it. Not what `retention.archive` puts away")


class ReleaseSettings(OperatorModel):
    """Who may put a release into use."""

    two_person: bool = Field(default=False, description="a release is approved by another account than the one that "
                             "added it to the tracker")


class AssistantSettings(OperatorModel):
    """A language model that may reword the assistant's answers. Without `url` and `model` there is none."""

    url: str | None = Field(default=None, description="where an OpenAI-compatible host answers, up to and with "
                                                      "`/v1`: https, or "
                            "http on the loopback")
    model: str | None = Field(default=None, min_length=1, max_length=100, description="what the host calls the model")
    credentials: str | None = Field(default=None, description="name of a credential whose secret `api_key` is sent "
                                                              "along")
    timeout_s: Real = Field(default=20.0, gt=0, le=120, description="after which an answer is not waited for any more")
    per_hour: int = Field(default=20, ge=0, le=10_000, description="calls in any hour")
    per_day: int = Field(default=100, ge=0, le=10_000, description="calls in any 24 hours")
    most_characters: int = Field(default=1_200, ge=100, le=10_000, description="a longer answer is dropped")
    off_after: int = Field(default=3, ge=1, le=100, description="so many failed calls in a row, and it is left alone")
    off_for_s: Real = Field(default=900.0, gt=0, le=DAY_S, description="for so long")

    @model_validator(mode="after")
    def _reachable(self) -> "AssistantSettings":
        if (self.url is None) != (self.model is None):
            raise ValueError("url and model belong together")
        if self.url is None:
            return self
        parts = urlsplit(self.url)
        local = parts.hostname in ("127.0.0.1", "::1", "localhost")
        if parts.scheme not in ("http", "https") or not parts.hostname or (parts.scheme == "http" and not local):
            raise ValueError("url has to be https, or http on the loopback")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("url holds a name, a password or a question; a key belongs into a credential")
        return self


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

    kind: Literal["shared", "ssh", "nats"]
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
                            "(`vanta audit key` there); without it the first look is believed; kind nats insists on it")

    @model_validator(mode="after")
    def _complete(self) -> "LinkSettings":
        wanted = {"shared": "path", "ssh": "host", "nats": "key"}[self.kind]
        if getattr(self, wanted) is None:
            raise ValueError(f"kind {self.kind!r} needs {wanted}")
        return self


class NatsSettings(OperatorModel):
    """The NATS server (JetStream) that this host publishes to, and reads from where a link's kind is nats."""

    servers: list[str] = Field(min_length=1, max_length=16, description="as tls://host:4222; one after the other is "
                               "tried")
    ca: str | None = Field(default=None, description="file with the certificate of the authority that both sides "
                           "believe; by default the unit's credential transport_nats_ca, else "
                           "config/credentials/transport/nats_ca")
    certificate: str | None = Field(default=None, description="file with this host's certificate, whose name says "
                                    "which node it is; by default likewise nats_certificate")
    key_file: str | None = Field(default=None, description="file with its key; by default likewise nats_key")

    @model_validator(mode="after")
    def _encrypted(self) -> "NatsSettings":
        for server in self.servers:
            if not re.fullmatch(r"tls://[A-Za-z0-9_.\-\[\]:]+", server):
                raise ValueError(f"{server!r} is no server like tls://host:4222: hosts speak over mutual TLS only")
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
    nats: NatsSettings | None = None

    @model_validator(mode="after")
    def _complete(self) -> "TransportSettings":
        links = {"alpha": self.alpha, "markets": self.markets, "executor": self.executor}
        for name, link in links.items():
            if link is not None and link.kind == "nats" and self.nats is None:
                raise ValueError(f"{name} is linked over nats, and there is no [transport.nats]")
        return self


class Settings(OperatorModel):
    """Everything."""

    clock: ClockSettings = ClockSettings()

    markets: MarketsSettings = MarketsSettings()
    executor: ExecutorSettings = ExecutorSettings()
    retention: RetentionSettings = RetentionSettings()
    archive: ArchiveSettings = ArchiveSettings()
    releases: ReleaseSettings = ReleaseSettings()
    assistant: AssistantSettings = AssistantSettings()
    node: NodeSettings | None = Field(default=None, description="only where there are several hosts")
    transport: TransportSettings = TransportSettings()
    outside: OutsideSettings = OutsideSettings()
    log_level: Literal["debug", "info", "warning", "error"] = "info"
