"""Every file of the state tree: its name, its model, its one writer. docs/STATE.md is generated from this table.

`$VANTA_HOME` holds `build/` (exported by Alpha), `tools/`, `memory/`, `logs/` and `config/`.
"""

import importlib
import os
from dataclasses import dataclass
from pathlib import Path

from vanta.common.errors import OperatorError, UsageError
from vanta.common.models.base import Model

FEEDS = ("sec", "news", "reddit", "crypto")
"""Feeds that make signals. `prices` is a feed too, but it makes quotes."""

FOLDERS = ("build", "tools", "memory", "logs", "config")


@dataclass(frozen=True, slots=True, kw_only=True)
class StateFile:
    """One file below `memory/`. `shape` names its model in `common/models`, `None` for journals and markers."""

    name: str
    writer: str
    what: str
    shape: str | None = None
    node: str

    @property
    def model(self) -> type[Model] | None:
        """The model, imported when it is asked for: a command that reads no document pays for none."""
        if self.shape is None:
            return None
        module, _, name = self.shape.partition(".")
        found: type[Model] = getattr(importlib.import_module(f"vanta.common.models.{module}"), name)
        return found


def signals_file(feed: str) -> str:
    """`sec` → `sec_signals.json`."""
    return f"{feed}_signals.json"


def calls_of(feed: str) -> str:
    """`sec` → `calls_sec.jsonl`. Each feed has one of its own, because each pass is a program of its own."""
    return f"calls_{feed}.jsonl"


TRADE_SIGNALS = "trade_signals.json"
SYSTEM_BELIEF = "system_belief.json"
LEADERBOARD = "signal_leaderboard.json"
SYSTEM_RISK = "system_risk.json"
MARKET_QUOTES = "market_quotes.json"
VAULTS = "vault.json"
OVERLAY = "vault_overlay.json"
ALLOCATION = "vault_allocation.json"
QUEUE = "autotrade_queue.json"
OPEN_ORDERS = "open_orders.json"
PORTFOLIO = "portfolio.json"
PNL = "pnl_summary.json"
EXECUTOR_STATE = "executor_state.json"
SIMULATION = "simulation.json"
PERMIT = "dispatch.permit"
TRADE_LOG = "trade_log.jsonl"
REFLECTION_LOG = "reflection_log.jsonl"
PROMOTION_LOG = "promotion_log.jsonl"
COLLECTION_LOG = "collection_log.jsonl"
CONTROL_LOG = "control_log.jsonl"
OPERATOR_COMMANDS = "operator_commands.jsonl"
TRACKER_LOG = "tracker_log.jsonl"
THREAD_TRACKER = "thread_tracker.json"
ASSISTANT_LOG = "assistant_log.jsonl"
PROPOSALS = "proposals"
CONTROLS_LEASE = "controls_lease.json"
ARCHIVE_STATE = "archive_state.json"
EXECUTOR_CALLS = "calls_executor.jsonl"
TRANSPORT_CALLS = "calls_transport.jsonl"
PUBLISH_CALLS = "calls_publish.jsonl"
SNAPSHOTS = "snapshots"
REPLICA = "replica"
SEGMENTS = "segments"
REDACTED = "redacted"
MANIFEST = "manifest.json"
"""What a bundle holds. A home that has one at its root was laid out from a bundle, and is only read."""

STATE: tuple[StateFile, ...] = (
    *(StateFile(name=signals_file(feed), writer=f"markets collect {feed}", node="markets", shape="signal.FeedDocument",
                what=f"live window of normalised signals of the {feed} feed, with the feed's status")
      for feed in FEEDS),
    StateFile(name=MARKET_QUOTES, writer="markets collect prices", node="markets", shape="quotes.MarketQuotes",
              what="latest quote of every priced instrument"),
    StateFile(name=TRADE_SIGNALS, writer="markets reflect", node="markets", shape="conviction.TradeSignals",
              what="ranked convictions with reasons that sum to the score"),
    StateFile(name=SYSTEM_BELIEF, writer="markets reflect", node="markets", shape="conviction.SystemBelief",
              what="weights, caps and half-lives of the evidence channels"),
    StateFile(name=LEADERBOARD, writer="markets reflect", node="markets", shape="conviction.SignalLeaderboard",
              what="evidence channels ranked by what they carry"),
    StateFile(name=SYSTEM_RISK, writer="markets reflect", node="markets", shape="conviction.SystemRisk",
              what="regime, drift and breadth; says so where nothing was measured"),
    StateFile(name=VAULTS, writer="operator (editor or Alpha)", node="alpha", shape="vault.VaultRegistry",
              what="vaults, their envelopes, personas and limits"),
    StateFile(name=OVERLAY, writer="operator (editor or Alpha)", node="alpha", shape="overlay.Overlay",
              what="kill switches, boosts and flips; missing or unreadable means halted"),
    StateFile(name=OPERATOR_COMMANDS, writer="alpha", node="alpha",
              what="append-only, hash-chained: commands to the executor, each carried out once by id"),
    StateFile(name=CONTROLS_LEASE, writer="transport lease", node="alpha", shape="lease.ControlsLease",
              what="where there are several hosts: Alpha's word of every second that these are its controls"),
    StateFile(name=ALLOCATION, writer="markets promote", node="markets", shape="allocation.VaultAllocation",
              what="target weights per vault, with reasons"),
    StateFile(name=QUEUE, writer="markets promote", node="markets", shape="intent.AutotradeQueue",
              what="staged intents; the executor refuses a queue of more than 16 MiB or 20,000 entries whole"),
    StateFile(name=OPEN_ORDERS, writer="executor", node="executor", shape="account.OpenOrders", what="working orders"),
    StateFile(name=PORTFOLIO, writer="executor", node="executor", shape="account.Portfolio",
              what="holdings by account and vault, in one cut of the log"),
    StateFile(name=PNL, writer="executor", node="executor", shape="account.PnlSummary",
              what="realised and unrealised profit by vault, band, persona and source"),
    StateFile(name=EXECUTOR_STATE, writer="executor", node="executor", shape="account.ExecutorState",
              what="heartbeat, latches, dispatch state"),
    StateFile(name=SIMULATION, writer="vanta simulate", node="alpha", shape="simulation.Simulation",
              what="what a simulation was given and what came of it, day by day"),
    StateFile(name=PERMIT, writer="vanta-run release", node="executor",
              what="has to exist for an order to leave; a kill or latch unlinks it"),
    StateFile(name=TRADE_LOG, writer="executor", node="executor",
              what="append-only, hash-chained: inputs, verdicts, orders, fills"),
    StateFile(name=COLLECTION_LOG, writer="markets collect (one at a time, under its lock)", node="markets",
              what="append-only, hash-chained: every collector pass, its payloads and its output by hash"),
    StateFile(name=REFLECTION_LOG, writer="markets reflect", node="markets",
              what="append-only, hash-chained: every reflection, inputs and outputs by hash"),
    StateFile(name=PROMOTION_LOG, writer="markets promote", node="markets",
              what="append-only, hash-chained: every promotion, inputs and outputs by hash"),
    StateFile(name=CONTROL_LOG, writer="alpha", node="alpha",
              what="append-only, hash-chained: who changed which control, before and after"),
    StateFile(name=TRACKER_LOG, writer="alpha (one at a time, under its lock)", node="alpha",
              what="append-only, hash-chained: items and threads that people follow, and what they said of them"),
    StateFile(name=ASSISTANT_LOG, writer="alpha (one at a time, under its lock)", node="alpha",
              what="append-only, hash-chained: every call of a language model, by hashes, sizes and what came of it"),
    StateFile(name=THREAD_TRACKER, writer="alpha", node="alpha", shape="tracker.ThreadTracker",
              what="items and threads as they stand: the fold of the tracker's log"),
    StateFile(name=ARCHIVE_STATE, writer="alpha (vanta tidy)", node="alpha", shape="archive.ArchiveState",
              what="on any node with an archive: when its journals were last copied there, and what kept it since"),
    *(StateFile(name=calls_of(feed), writer=f"markets collect {feed}", node="markets",
                what=f"append-only, hash-chained: every request of the {feed} feed")
      for feed in (*FEEDS, "prices")),
    StateFile(name=EXECUTOR_CALLS, writer="executor", node="executor",
              what="append-only, hash-chained: every request to a venue, every program that was started for an alert"),
    StateFile(name=TRANSPORT_CALLS, writer="transport", node="alpha",
              what="append-only, hash-chained: every connection to another node"),
    StateFile(name=PUBLISH_CALLS, writer="transport publish", node="alpha",
              what="append-only, hash-chained: every connection to the NATS server, to publish"),
)

CALLS = (*map(calls_of, (*FEEDS, "prices")), EXECUTOR_CALLS, TRANSPORT_CALLS, PUBLISH_CALLS)
"""The logs of what went out; each is there once its program has called."""

JOURNALS = (TRADE_LOG, COLLECTION_LOG, REFLECTION_LOG, PROMOTION_LOG, CONTROL_LOG, OPERATOR_COMMANDS,
            TRACKER_LOG, ASSISTANT_LOG, *CALLS)


@dataclass(frozen=True, slots=True)
class Home:
    """The root of one state tree."""

    root: Path

    @property
    def memory(self) -> Path:
        """State: documents and journals."""
        return self.root / "memory"

    @property
    def logs(self) -> Path:
        """Operational logs, one file a program."""
        return self.root / "logs"

    @property
    def config(self) -> Path:
        """Configuration (`vanta.toml`, `instruments.json`); never state."""
        return self.root / "config"

    @property
    def snapshots(self) -> Path:
        """The content-addressed store."""
        return self.memory / SNAPSHOTS

    def file(self, name: str) -> Path:
        """A file below `memory/`."""
        return self.memory / name

    def lock(self, program: str) -> Path:
        """The lock file of one program. Raises like `own`: whoever asks for it is about to write, or asks who does."""
        return own(self).memory / f"{program}.lock"

    def replica(self, node: str) -> "Home":
        """What arrived from another node: a home of its own, so that whatever reads a home can read it."""
        return Home(self.memory / REPLICA / node)

    def collector_state(self, feed: str) -> Path:
        """Private state of one collector: cursor, validators, caches. Losing it only costs a refetch."""
        return self.memory / "collectors" / feed

    def prepare(self) -> "Home":
        """Create the folders that are missing. Raises `OperatorError` if that cannot be done, or like `own`."""
        own(self)
        try:
            for folder in FOLDERS:
                (self.root / folder).mkdir(mode=0o750, parents=True, exist_ok=True)
        except OSError as error:
            raise OperatorError(f"{self.root} cannot be prepared: {error.strerror}",
                                "Choose a folder that you may write with --home or VANTA_HOME.") from error
        return self

    def existing(self) -> "Home":
        """Insist that the home has been prepared. Raises `UsageError` if it has not."""
        if not self.memory.is_dir():
            raise UsageError(f"{self.root} is not a VANTA home (no memory/ folder)",
                             "Give the right folder with --home or VANTA_HOME, or start one with `vanta-run demo`.")
        return self


ROUTES: dict[str, dict[str, str]] = {
    "executor": {VAULTS: "alpha", QUEUE: "markets", MARKET_QUOTES: "markets"},
    "markets": {VAULTS: "alpha", OVERLAY: "alpha", PORTFOLIO: "executor", TRADE_LOG: "executor"},
}
"""On several hosts: what a node reads from the replica of another one in the place of a file of its own."""


def routes(node: str | None) -> dict[str, str]:
    """Names below `memory/` by the plain ones, for a node of several hosts; none where all nodes are here."""
    return {name: f"{REPLICA}/{source}/memory/{name}" for name, source in ROUTES.get(node or "", {}).items()}


SEEN: dict[str, dict[str, str]] = {
    "executor": {VAULTS: "alpha", QUEUE: "markets", MARKET_QUOTES: "markets"},
    "alpha": dict.fromkeys((EXECUTOR_STATE, PORTFOLIO, OPEN_ORDERS, PNL, TRADE_LOG), "executor"),
    "markets": {VAULTS: "alpha", OVERLAY: "alpha", PORTFOLIO: "executor", TRADE_LOG: "executor"},
}
"""On several hosts: what a person who looks at a node is shown from the replica of another one."""


@dataclass(frozen=True, slots=True)
class NodeHome(Home):
    """A home as it is shown to people at `node` of several hosts (empty: the only one). Never written through."""

    node: str = ""

    def file(self, name: str) -> Path:
        """The file, or what arrived of it."""
        source = SEEN.get(self.node, {}).get(name)
        return (self if source is None else self.replica(source)).memory / name


FAR_COMMANDS = f"{REPLICA}/alpha/memory/{OPERATOR_COMMANDS}"
"""Where the executor of several hosts finds what was asked at Alpha; what was asked here is in its own log."""


def command_logs(home: "Home") -> list[Path]:
    """Every log whose commands the executor of this home answers, the home's own first. It may be a replica itself."""
    root = home.root.absolute()
    host = Home(root.parents[2]) if root.parent.name == REPLICA else None
    others = [home.file(FAR_COMMANDS)] if host is None else [host.file(OPERATOR_COMMANDS), host.file(FAR_COMMANDS)]
    return [home.file(OPERATOR_COMMANDS), *(path for path in others if path.exists())]


def is_bundle(home: Home) -> bool:
    """Whether this is what somebody else's home said of itself, laid out to be read."""
    return os.path.lexists(home.root / MANIFEST)


def own(home: Home) -> Home:
    """Insist that the home may be written. Raises `OperatorError` for one that was laid out from a bundle."""
    if is_bundle(home):
        raise OperatorError(f"{home.root} was laid out from an audit bundle: it is evidence and only read",
                            "Name the home itself with --home or VANTA_HOME.")
    return home
