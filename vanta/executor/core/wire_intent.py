"""Queue entries in bulk: the same contract as `models/intent.py`, looked at ten times as fast. Pure.

`queue` reads the file, unless it is too large: in the very form in which the promoter writes it (`canonical.document`)
the bytes are decoded, rendered again and compared, so that nothing a decoder passes over gets through; any other form
goes to the strict parser. `is_sound` says of one entry that pydantic would accept it and change nothing in it; it says
no to much that pydantic accepts, and then pydantic decides. What pydantic refuses it never calls sound.
"""

import re
from datetime import date
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec
import orjson

from vanta.common import strictjson
from vanta.common.canonical import document
from vanta.common.errors import BadInput
from vanta.common.models.base import validate
from vanta.common.models.intent import MOST_BYTES, MOST_ENTRIES, QueueEnvelope

_AMOUNT = r"(?:0|[1-9][0-9]{0,11})(?:\.[0-9]{0,5}[1-9])?"
_POSITIVE = re.compile(rf"(?=.*[1-9]){_AMOUNT}")
_ANY = re.compile(rf"-?(?=.*[1-9]){_AMOUNT}|0")
_SHARE = re.compile(r"0\.[0-9]{0,5}[1-9]")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{64}")

Id = Annotated[str, msgspec.Meta(pattern=r"^in1_[a-z2-7]{26}\Z")]
Whole = Annotated[int, msgspec.Meta(ge=-2**63, le=2**63 - 1)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Bp = Annotated[int, msgspec.Meta(ge=-10_000, le=10_000)]


class WireExitPlan(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """See `intent.ExitPlan`."""

    stop_pct: str | None
    trail_pct: str | None
    take_profit_pct: str | None
    max_holding_s: Annotated[int, msgspec.Meta(ge=1, le=2**31)] | None


class WireReason(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """See `conviction.Reason`."""

    reason: str
    bp: Bp
    evidence: Whole
    text: str
    signals: list[str]
    count: Count


class WireProvenance(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """See `intent.Provenance`."""

    signal_id: str
    dag_id: str
    entity: str
    conviction_bp: Whole
    band: str
    personas: dict[str, Whole]
    sources: dict[str, Whole]
    reasons: list[WireReason]
    inputs: dict[str, str]


class WireIntent(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """See `intent.Intent`. What may be left out there must be written here."""

    intent_id: Id
    account: str
    vault: str
    instrument_id: str
    side: Literal["buy", "sell"]
    notional: str
    target_notional: str
    close: bool
    basis_seq: Count
    created_at: str
    expires_at: str
    flip_id: str | None
    exit_plan: WireExitPlan
    provenance: WireProvenance


def queue(raw: bytes, *, file: str) -> QueueEnvelope:
    """The queue with its entries unread. Raises `BadInput`."""
    if len(raw) > MOST_BYTES:
        raise BadInput(f"{len(raw):,} bytes; at most {MOST_BYTES:,} are read", file=file, cure=_CURE)
    value = _own_form(raw)
    if value is None:
        value = strictjson.loads(raw, file=file)
        _count(value, file)
        return validate(QueueEnvelope, value, file=file, raw=raw)
    _count(value, file)
    entries = value.get("intents")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        return validate(QueueEnvelope, value, file=file, raw=raw)
    head = validate(QueueEnvelope, {**value, "intents": []}, file=file, raw=raw)
    return head.model_copy(update={"intents": entries})


_CURE = "Find out what filled it; nothing of it is carried out before it is smaller."


def _count(value: Any, file: str) -> None:
    """Before anything looks at entries one by one."""
    lists = [value.get(name) for name in ("intents", "withdrawals")] if isinstance(value, dict) else []
    entries = sum(len(each) for each in lists if isinstance(each, list))
    if entries > MOST_ENTRIES:
        raise BadInput(f"{entries:,} entries; at most {MOST_ENTRIES:,} are read", file=file, cure=_CURE)


def _own_form(raw: bytes) -> dict[str, Any] | None:
    """The value, if rendering it gives these very bytes again."""
    try:
        value = orjson.loads(raw)
    except ValueError:
        return None
    return value if isinstance(value, dict) and value and document(value) == raw else None


def is_sound(entry: dict[str, Any]) -> bool:
    """Whether an entry of a queue in our own form is an intent exactly as its model would write it."""
    try:
        intent = msgspec.convert(entry, WireIntent)
    except (msgspec.ValidationError, RecursionError):
        return False
    plan = intent.exit_plan
    return (_POSITIVE.fullmatch(intent.notional) is not None and _ANY.fullmatch(intent.target_notional) is not None
            and _is_time(intent.created_at) and _is_time(intent.expires_at)
            and _is_share(plan.stop_pct) and _is_share(plan.trail_pct) and _is_share(plan.take_profit_pct)
            and _are_digests(tuple(intent.provenance.inputs.values())))


def _is_share(text: str | None) -> bool:
    return text is None or _SHARE.fullmatch(text) is not None


@lru_cache(maxsize=64)
def _are_digests(texts: tuple[str, ...]) -> bool:
    """Remembered: what one cycle promoted rests on the same inputs."""
    return all(_HEX.fullmatch(text) for text in texts)


@lru_cache(maxsize=256)
def _is_time(text: str) -> bool:
    match = _TIME.fullmatch(text)
    try:
        return match is not None and date.fromisoformat(match[1]) is not None
    except ValueError:
        return False


