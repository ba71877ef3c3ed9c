"""`vanta vault list | show | check | edit`: the vaults, with the limits that are in force.

`check` reads a file as the executor would and names line, field and what was probably meant: 0 if it is right, 78 if
not. `edit` opens a copy in $VISUAL or $EDITOR (or takes `--file` or `--set`), puts it in place only if it is right and
nobody else has saved the file meanwhile (75), shows what changed, and records it. What allows more needs a reason.
"""

import shlex
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from vanta.alpha.core.envelopes import Changed, Limit, limits
from vanta.alpha.placed import editable, here
from vanta.alpha.vaults import Read, Terms, applied, assign, copy_of, current, edited, read
from vanta.common.cli import HomeOption, JsonFlag, Next, Report, application, emit, exit_table
from vanta.common.clock import Clock, SystemClock
from vanta.common.errors import OperatorError, UsageError, VantaError
from vanta.common.exitcodes import Exit
from vanta.common.host import account
from vanta.common.models.vault import Vault, VaultRegistry
from vanta.common.paths import VAULTS, Home
from vanta.common.settings import clock_of, editor, home_from, load
from vanta.common.store.lock import FileLock

NOT_STATED = "not stated"
_GOES = 10
"""An editor without a person behind it is not opened for ever."""

app = application("The vaults and their limits: list, show, check and edit them.")

VaultArgument = Annotated[str, typer.Argument(metavar="VAULT", help="Its id, or `house`.")]
FileArgument = Annotated[Path | None, typer.Argument(metavar="[FILE]", show_default=False,
                                                     help="The file to check. Default: the home's own.")]
NewFile = Annotated[Path | None, typer.Option("--file", metavar="NEW", show_default=False,
                                              help="Put this file in place instead of opening an editor.")]
Sets = Annotated[list[str] | None, typer.Option("--set", metavar="VAULT.FIELD=VALUE", show_default=False,
                                                help="Change one field, as in V_CORE.risk.max_drawdown=0.10.")]
Drop = Annotated[list[str] | None, typer.Option("--drop", metavar="VAULT", show_default=False,
                                                help="Let this vault go though it holds something.")]
Why = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; needed for whatever allows more.")]
By = Annotated[str | None, typer.Option("--by", metavar="NAME", show_default=False,
                                        help="Who decided it. Default: the account that runs this.")]


@app.callback()
def vault() -> None:
    """The vaults and their limits: list, show, check and edit them."""


@app.command(name="list", epilog=exit_table(Exit.DONE, Exit.USAGE, Exit.CONFIG))
def list_(home: HomeOption = None, json: JsonFlag = False) -> int:
    """Every vault with the limits in force; defaults are marked."""
    found = read(here(home_from(home).existing()))
    registry = found.registry
    return emit(Report(
        schema="vanta.vault.list/1", at=SystemClock().now(),
        items={"vaults": [_item(one) for one in registry.vaults], "house": _limits_of(limits(registry.house))},
        lines=[*(line for one in registry.vaults for line in _block(one)), "house",
               *_wrapped(limits(registry.house))],
        next=[Next("everything about one", "vanta vault show VAULT")]), as_json=json)


@app.command(epilog=exit_table(Exit.DONE, Exit.USAGE, Exit.CONFIG))
def show(name: VaultArgument, home: HomeOption = None, json: JsonFlag = False) -> int:
    """One vault, a line for each field that is in force; defaults are marked."""
    registry = read(here(home_from(home).existing())).registry
    one = registry.house if name == "house" else registry.get(name)
    if one is None:
        raise UsageError(f"there is no vault {name!r}", f"There are {_names(registry.vaults)}, and `house`.")
    found = list(limits(one))
    width = max(len(limit.path) for limit in found)
    return emit(Report(
        schema="vanta.vault.show/1", at=SystemClock().now(), items={"vault": name, "fields": _limits_of(found)},
        lines=[f"{limit.path:<{width}}  {limit.value}{'  default' if limit.default else ''}" for limit in found],
        next=[Next("change one", f"vanta vault edit --set {name}.FIELD=VALUE")]), as_json=json)


@app.command(epilog=exit_table(Exit.DONE, Exit.USAGE, Exit.CONFIG))
def check(file: FileArgument = None, home: HomeOption = None, json: JsonFlag = False) -> int:
    """Read a vault file as the executor would."""
    place = home_from(home)
    if file is None:
        place.existing()
    found = read(place, file)
    warnings = list(_doubts(place, found))
    said = f"{file or place.file(VAULTS)} is right: {_names(found.registry.vaults)}"
    return emit(Report(schema="vanta.vault.check/1", at=SystemClock().now(), warnings=warnings, lines=[said], items={
        "vaults": [one.vault_id for one in found.registry.vaults], "warnings": warnings}), as_json=json)


@app.command(epilog=exit_table(Exit.DONE, Exit.USAGE, Exit.REFUSED, Exit.TEMPORARY, Exit.CONFIG))
def edit(*, file: NewFile = None, sets: Sets = None, drop: Drop = None, reason: Why = NOT_STATED,  # noqa: PLR0913
         by: By = None, home: HomeOption = None, json: JsonFlag = False) -> int:
    """Change vault.json: in an editor, by --set, or with a whole file. Only what is right takes its place."""
    place = editable(home_from(home).existing())
    clock = clock_of(place)
    if file is not None and sets:
        raise UsageError("--file and --set exclude each other", "Use one of them.")
    before = current(place)
    terms = Terms(reason=reason, by=account() if by is None else by, drop=drop or (),
                  stated=reason.strip() not in ("", NOT_STATED))
    if file is None and not sets:
        return _said(_by_hand(place, before, terms, clock), terms, clock, as_json=json)
    new = read(place, file).raw if file is not None else assign(before[0], sets or ())
    done = None if new == before[0] else applied(place, before, new, terms, clock)
    return _said(done, terms, clock, as_json=json)


Done = tuple[list[Changed], list[str]] | None


def _said(done: Done, terms: Terms, clock: Clock, *, as_json: bool) -> int:
    changes, warnings = done or ([], [])
    nothing = "nothing is changed" if done is None else "written anew, all values as before"
    return emit(Report(
        schema="vanta.vault.edit/1", at=clock.now(), warnings=warnings,
        items={"changed": [one._asdict() for one in changes], "by": terms.by, "reason": terms.reason,
               "warnings": warnings},
        lines=[f"{one.path}: {one.before} → {one.after}" for one in changes] or [nothing],
        next=[Next("whether the executor has seen it", "vanta overlay history")] if done else []), as_json=as_json)


def _by_hand(home: Home, before: tuple[bytes | None, VaultRegistry | None], terms: Terms, clock: Clock) -> Done:
    """One person at a time, on a copy that is kept until its content is in place."""
    raw, said = before[0], list[str]()
    if raw is None:
        raise OperatorError(f"there is no {VAULTS} to edit", "Give a whole one with --file.")

    def again(what: str) -> bool:
        """On a terminal a person says whether; elsewhere it goes on as long as each go changes what is wrong."""
        typer.echo(f"Error: {what}", err=True)
        if sys.stdin.isatty():
            return typer.confirm("Edit it again?", default=True, err=True)
        said.append(what)
        return said[-2:-1] != said[-1:] and len(said) < _GOES

    with FileLock(home.lock("vault_edit"), owner="vanta vault edit", now=clock.now()):
        new = edited(home, raw, editor(), again)
        if new is None:
            return None
        copy = copy_of(home, raw)
        try:
            done = applied(home, before, new, terms, clock)
        except VantaError as error:
            kept = f"What you wrote is kept: `vanta vault edit --file {shlex.quote(str(copy))}`."
            error.cure = f"{error.cure} {kept}".strip()
            raise
        copy.unlink()
        return done


def _doubts(home: Home, found: Read) -> Iterator[str]:
    """What a file may say and hardly mean: accounts that no setting names."""
    try:
        accounts = {"paper", *load(home).executor.accounts}
    except VantaError:
        return
    for one in found.registry.vaults:
        if one.account not in accounts:
            yield f"{one.vault_id} lies on account {one.account!r}, which config/vanta.toml does not name"


def _item(one: Vault) -> dict[str, object]:
    return {"vault_id": one.vault_id, "label": one.label, "fields": _limits_of(limits(one))}


def _limits_of(found: Iterator[Limit] | list[Limit]) -> dict[str, object]:
    return {limit.path: {"value": limit.value, "default": limit.default} for limit in found}


def _block(one: Vault) -> Iterator[str]:
    rails = [name for name, is_on in (("crypto", one.crypto_enabled), ("fiat", one.fiat_enabled),
                                      ("options", one.options_enabled)) if is_on]
    yield (f"{one.vault_id}  {one.label}: {one.capital:,} {one.base_currency} on {one.account}; "
           f"{', '.join(one.personas)}; {', '.join(rails) or 'no rail open'}")
    yield from _wrapped(limits(one.risk))


def _wrapped(found: Iterator[Limit]) -> list[str]:
    said = ", ".join(f"{limit.path} {limit.value}{' (default)' if limit.default else ''}" for limit in found)
    return textwrap.wrap(said, 112, initial_indent="    ", subsequent_indent="    ", break_long_words=False,
                         break_on_hyphens=False)


def _names(vaults: list[Vault]) -> str:
    return ", ".join(one.vault_id for one in vaults) or "no vault"
