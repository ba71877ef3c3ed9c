"""Every identifier, its shape and how it is made.

All ids but one are hashes of what they name, so that a crash, a retry or a replay makes the same id
again. The one drawn by chance is the home's short id, made once when a home's first journal is opened; that and the
key that signs a home's checkpoints are the only randomness in VANTA.

| id | shape | names |
|---|---|---|
| signal | `sig1_` + 26 base32 | one claim of one source about one entity |
| conviction | `cv1_` + 26 base32 | one conviction with exactly these reasons |
| dag | `dag1_` + 26 base32 | one cycle with exactly these inputs |
| intent | `in1_` + 26 base32 | one wish of the promoter: key, basis and target |
| run | `run_` + 16 hex | one pass of one collector |
| order | `v` + home(6) + `-` + 20 base32 + `-` + attempt | the client order id the venue sees, ≤ 36 characters |
| latch | `latch_` + 8 hex | one self-imposed halt |
| item | `vt_` + 16 base32 | one item of the tracker: its title, and the record before it |
| thread | `th_` + 16 base32 | one thread: likewise |
| proposal | `pr_` + 16 base32 | one proposal of the assistant: its content |
"""

import base64
import hashlib
import secrets

from vanta.common.canonical import canonical

_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = [first + second for first in _LETTERS for second in _LETTERS]


def _short(value: object, length: int) -> str:
    """The first so many characters of the hash in base32. `length` is even and at most 32."""
    bits = int.from_bytes(hashlib.sha256(canonical(value)).digest()[:20])
    return "".join([_PAIRS[bits >> shift & 1023] for shift in range(150, 150 - 5 * length, -10)])


def signal_id(source: str, kind: str, entity: str, dedup_key: str) -> str:
    """Identity of a signal: what is claimed, by whom, about what. Never scores, never when we saw it."""
    return "sig1_" + _short([source, kind, entity, dedup_key], 26)


def conviction_id(value: object) -> str:
    """Identity of a conviction: entity, reasons and rule hashes."""
    return "cv1_" + _short(value, 26)


def dag_id(inputs: object) -> str:
    """Identity of a cycle: the content hashes of everything it read."""
    return "dag1_" + _short(inputs, 26)


def intent_id(account: str, vault: str, instrument: str, basis_seq: int, target: object) -> str:
    """Identity of an intent. The same wish on the same basis is the same intent."""
    return "in1_" + _short([account, vault, instrument, basis_seq, target], 26)


def run_id(feed: str, started_at: str, inputs: object) -> str:
    """Identity of one collector pass."""
    return "run_" + hashlib.sha256(canonical([feed, started_at, inputs])).hexdigest()[:16]


def client_order_id(home: str, legs: object, attempt: int) -> str:
    """The id that the venue sees: ≤ 36 characters of `[a-z0-9-]`, 100 bits of hash, same after a crash.

    `home` is the home's short id, `legs` the canonical legs of the order (they name the intent), and
    `attempt` counts from 1 and grows only after the attempt before is terminal in the journal.
    """
    return f"v{home}-{_short([home, legs, attempt], 20)}-{attempt}"


def latch_id(code: str, seq: int) -> str:
    """Identity of a latch: its reason and the journal record that set it."""
    return "latch_" + hashlib.sha256(canonical([code, seq])).hexdigest()[:8]


def item_id(prev: str, title: str) -> str:
    """Identity of a tracker's item: what it is called, and the hash of the record before it."""
    return "vt_" + _short([prev, title], 16)


def thread_id(prev: str, title: str) -> str:
    """Identity of a thread: what it is called, and the hash of the record before it."""
    return "th_" + _short([prev, title], 16)


def proposal_id(value: object) -> str:
    """Identity of a proposal: everything that it says."""
    return "pr_" + _short(value, 16)


def derived_home_id(names: object) -> str:
    """The home id of a run that can be made again: the same inputs, the same orders' names."""
    return _short(names, 6)


def draw_home_id() -> str:
    """Six random base32 characters. Called once in a home's life; the result lives in its journal."""
    return base64.b32encode(secrets.token_bytes(5)).decode().lower()[:6]


def draw_key() -> bytes:
    """Thirty-two random bytes for a signing key. Called once in a key's life."""
    return secrets.token_bytes(32)


def draw_salt() -> str:
    """Thirty-two random hex digits, to be kept beside a value whose hash shall not give it away."""
    return secrets.token_hex(16)
