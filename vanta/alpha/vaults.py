"""The vault file as commands meet it: read as the executor reads it, edited on a copy, put in place if it is right.

`proposed` is the new content, from a file, from assignments or from a person's editor; `applied` compares, asks what a
change may not do without being told to, and swaps. Nothing is replaced by what the model refuses, and a copy that a
person has worked on is never thrown away: whatever ends the command names it.
"""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vanta.alpha.core.assigning import assigned
from vanta.alpha.core.envelopes import Changed, compared, dropped
from vanta.alpha.core.operator_json import dumps
from vanta.alpha.facts import whole
from vanta.alpha.wire import Change, Edit, carried_out, put
from vanta.common import strictjson
from vanta.common.canonical import sha256
from vanta.common.clock import Clock
from vanta.common.errors import Missing, OperatorError, UsageError, VantaError
from vanta.common.exitcodes import Exit
from vanta.common.models.vault import VaultRegistry
from vanta.common.paths import OPEN_ORDERS, OVERLAY, PORTFOLIO, TRADE_LOG, VAULTS, Home
from vanta.common.store import atomic
from vanta.common.store.document import parse

MAX_BYTES = 4 << 20


class Held(OperatorError):
    """A vault that is to go still holds something."""

    exit_code = Exit.REFUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the person says with a change."""

    reason: str
    by: str
    stated: bool
    drop: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Read:
    """A vault file: its bytes and what they mean."""

    raw: bytes
    registry: VaultRegistry


def read(home: Home, path: Path | None = None) -> Read:
    """The home's vault file, or another one. Raises with line, field and hint where it is wrong."""
    raw = atomic.read(path or home.file(VAULTS), max_bytes=MAX_BYTES)
    return Read(raw, parse(raw, VaultRegistry, file=VAULTS if path is None else str(path)))


def current(home: Home) -> tuple[bytes | None, VaultRegistry | None]:
    """What is in place: no bytes without a file, no meaning where it cannot be read."""
    try:
        raw = atomic.read(home.file(VAULTS), max_bytes=MAX_BYTES)
    except Missing:
        return None, None
    try:
        return raw, parse(raw, VaultRegistry, file=VAULTS)
    except VantaError:
        return raw, None


def assign(raw: bytes | None, assignments: Sequence[str]) -> bytes:
    """The file's bytes after `V_CORE.risk.max_drawdown=0.10` and the like. Raises `UsageError`."""
    if raw is None:
        raise OperatorError(f"there is no {VAULTS} to change", "Give a whole one with --file.")
    fields = strictjson.loads_object(raw, file=VAULTS)
    try:
        for text in assignments:
            fields = assigned(fields, text)
    except ValueError as error:
        raise UsageError(str(error), "`vanta vault show VAULT` lists the fields.") from error
    return dumps(fields)


def copy_of(home: Home, raw: bytes) -> Path:
    """Where a person edits a copy of these bytes. Another version has another copy, so that none hides a change."""
    return home.memory / f".vault.edit-{sha256(raw)[:12]}.json"


def edited(home: Home, raw: bytes, editor: Sequence[str], again: Callable[[str], bool]) -> bytes | None:
    """What a person made of a copy in an editor; `None` if nothing.

    `again` is told what is wrong and says whether to go on. Raises `OperatorError` where the editor failed or the
    person gave up; the copy is kept and named.
    """
    copy = copy_of(home, raw)
    if not copy.exists():
        atomic.replace(copy, raw, mode=0o600)
    while True:
        _run(editor, copy)
        made = atomic.read(copy, max_bytes=MAX_BYTES)
        try:
            parse(made, VaultRegistry, file=str(copy))
        except VantaError as error:
            if not again(error.what):
                raise OperatorError(f"nothing is changed: {error.what}",
                                    f"What you wrote is kept in {copy}; the next edit goes on with it.") from error
            continue
        if made == raw:
            copy.unlink()
            return None
        return made


def _run(editor: Sequence[str], copy: Path) -> None:
    try:
        status = subprocess.run([*editor, str(copy)], check=False).returncode  # noqa: S603 - the person's own choice
    except OSError as error:
        raise OperatorError(f"the editor {editor[0]} cannot be started: {atomic.describe(error)}",
                            "Set VISUAL or EDITOR, or use --file or --set.") from error
    if status:
        raise OperatorError(f"the editor ended with {status}; nothing is changed",
                            f"What was written is kept in {copy}; the next edit goes on with it.")


def applied(home: Home, before: tuple[bytes | None, VaultRegistry | None], new: bytes, terms: Terms,
            clock: Clock) -> tuple[list[Changed], list[str]]:
    """Put the new content in place. Returns what changed, and warnings. Raises where it may not be, or is wrong."""
    raw, registry = before
    wanted = parse(new, VaultRegistry, file=VAULTS)
    known = registry or VaultRegistry(vaults=[])
    changes = compared(known, wanted)
    looser = registry is None or any(one.looser for one in changes)
    _insist(home, registry, wanted, terms)
    if looser and not (terms.stated and terms.by.strip()):
        named = ", ".join(one.path for one in changes if one.looser) or "what cannot be read is replaced"
        raise UsageError(f"this allows more than before ({named}): it needs a reason and a name; nothing is changed",
                         "Add --reason TEXT (and --by NAME).")
    said = [Change(what=f"vaults {one.path}", by=terms.by, reason=terms.reason, before=one.before, after=one.after)
            for one in changes] or [Change(what="vaults", by=terms.by, reason=terms.reason, before="as it is",
                                           after="written anew")]
    edit = Edit(home=home, name=VAULTS, before=raw, after=new, urgent=not looser)
    return changes, carried_out(home, said, lambda: put(edit, clock), clock, loosens=looser)


def _insist(home: Home, before: VaultRegistry | None, after: VaultRegistry, terms: Terms) -> None:
    """A vault that holds something, or that a switch is about, goes only if it is named."""
    gone = dropped(before, after) if before else sorted(held(home) - {vault.vault_id for vault in after.vaults})
    for name in gone:
        if name in terms.drop:
            continue
        why = holds(home, name)
        if why:
            raise Held(f"{name} would be gone, but {why}; nothing is changed",
                       f"Flatten it first (`vanta-run flatten --vault {name}`), or add --drop {name}.")


def held(home: Home) -> set[str]:
    """Vaults that the executor keeps a book of."""
    return {str(row.get("vault_id")) for row in whole(home.file(PORTFOLIO)).rows("vaults")}


def holds(home: Home, name: str) -> str:
    """Why a vault should not go: what it holds or works, a switch about it. Empty where nothing speaks for it."""
    portfolio, orders = whole(home.file(PORTFOLIO)), whole(home.file(OPEN_ORDERS))
    for doc, file in ((portfolio, PORTFOLIO), (orders, OPEN_ORDERS)):
        if doc.problem or (doc.value is None and home.file(TRADE_LOG).exists()):
            return f"what it holds cannot be told: {doc.problem or f'{file} is missing'}"
    positions = sum(len(row.get("positions") or []) for row in portfolio.rows("vaults") if row.get("vault_id") == name)
    working = sum(row.get("vault") == name for row in orders.rows("orders"))
    if positions or working:
        return f"it holds {positions} positions and {working} working orders"
    scopes = whole(home.file(OVERLAY)).table("scopes").get("vault")
    if isinstance(scopes, dict) and name in scopes:
        return f"a switch in {OVERLAY} is about it, which would halt everything"
    return ""
