"""Homes to ask about, and what an answer has to keep to."""

import re
import stat
from datetime import datetime
from pathlib import Path

from vanta.alpha.assistant.answering import Assistant
from vanta.alpha.core.assistant.answer import Answer, Fact
from vanta.alpha.explainer import Explainer
from vanta.common.paths import Home
from vanta.common.times import parse_iso

NOW: datetime = parse_iso("2026-11-18T15:02:10Z")
_NAMED = re.compile(r"(?:sig1|cv1|dag1|in1|latch|cmd|vt|th)_\w+|v[a-z2-7]{6}-[\w-]+|[a-z_]+:\d+")
COMMANDS = ("vanta-diagnostics", "vanta verify")

ASKED = (
    "why are there no orders?",
    "why was GME refused?",
    "why did we skip TSLA?",
    "why no AMD",
    "what was refused?",
    "what changed today",
    "what changed in the last 10 s",
    "is it safe to release?",
    "how is everything?",
    "what did V_CORE earn",
    "what did NVDA make",
    "pnl",
    "what did NOPE earn",
    "what should I do",
    "what do we hold",
    "what orders are open",
    "which incidents are open",
    "show proposals",
    "why trade_log:30",
    "why collection_log:3",
    "explain reflection_log:2",
    "is it safe to release scorer@1",
    "can we promote it",
    "halt everything",
    "help",
    "hi",
    "what is the weather",
    "profit and refusals",
    "what changed since trade_log:20",
    "",
)


def ask(home: Home, text: str, now: datetime = NOW) -> Answer:
    return Assistant(home, now).answer(text)[0]


def said(answer: Answer) -> str:
    """Everything that a person reads."""
    return "\n".join([*answer.lines, *(f"{step.why}: {step.command}" for step in answer.next)])


def unfounded(home: Home, facts: tuple[Fact, ...]) -> list[str]:
    """Citations that lead nowhere."""
    explainer = Explainer(home)
    return [cite for fact in facts for cite in fact.cites if not _leads(home, explainer, cite)]


def _leads(home: Home, explainer: Explainer, cite: str) -> bool:
    if _NAMED.fullmatch(cite):
        return len(explainer.meant(cite)) == 1
    places = (home.memory / cite, home.config / cite, home.root / cite, home.root / cite.partition(" line ")[0])
    return cite in COMMANDS or any(path.exists() for path in places) or cite in ABSENT


ABSENT = ("tracker_log.jsonl", "operator_commands.jsonl", "memory/proposals/", "dispatch.permit")
"""Files that a sentence may name because they are not there: nothing was ever said in them."""


def tree(root: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file and folder: mode, time of change, content."""
    return {
        str(path.relative_to(root)): (
            path.lstat().st_mode,
            path.lstat().st_mtime_ns,
            path.read_bytes() if stat.S_ISREG(path.lstat().st_mode) else b"",
        )
        for path in sorted(root.rglob("*"))
    }
