"""One risk limit of one vault with another value for a while: temporary, named, reasoned, and gone by itself. Pure.

Decides whether an override may be set, and which limits are in force at a moment. Limits themselves stay in
vault.json; kill switches, permits and latches have no override.

    in_force(vaults, book.overrides, now_ms).get("V_CORE").risk.max_order_value  ->  Decimal("50000")
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from vanta.common.errors import BadInput
from vanta.common.models.base import validate
from vanta.common.models.vault import Risk, VaultRegistry
from vanta.common.money import plain

LONGEST_MS = 86_400_000


class Override(NamedTuple):
    """As it was recorded. `until_ms` is when it ends by itself."""

    vault: str
    limit: str
    value: Decimal
    until_ms: int


def refused(override: Override, vaults: VaultRegistry | None, now_ms: int) -> str:
    """Why it may not be set; empty if it may."""
    vault = vaults.get(override.vault) if vaults else None
    if vault is None:
        return f"there is no vault {override.vault}"
    if not now_ms < override.until_ms <= now_ms + LONGEST_MS:
        return "an override lasts at most a day"
    try:
        _changed(vault.risk, override)
    except BadInput as error:
        return error.what
    return ""


def in_force(vaults: VaultRegistry | None, overrides: Mapping[str, Override], now_ms: int) -> VaultRegistry | None:
    """The registry with every override that has not ended. What no longer fits vault.json is inert."""
    live = [one for _, one in sorted(overrides.items()) if now_ms < one.until_ms]
    if vaults is None or not live:
        return vaults
    rows = []
    for vault in vaults.vaults:
        risk = vault.risk
        for one in live:
            if one.vault == vault.vault_id:
                risk = _changed(risk, one)
        rows.append(vault if risk is vault.risk else vault.model_copy(update={"risk": risk}))
    return vaults.model_copy(update={"vaults": rows})


def _changed(risk: Risk, override: Override) -> Risk:
    body: dict[str, Any] = risk.model_dump(mode="json")
    known = body.get(override.limit)
    if isinstance(known, int) and not isinstance(known, bool) and override.value == int(override.value):
        body[override.limit] = int(override.value)
    elif override.limit not in body or isinstance(known, dict | list | None.__class__):
        raise BadInput(f"{override.limit} is no limit that can be overridden", file="operator command")
    else:
        body[override.limit] = plain(override.value)
    return validate(Risk, body, file=f"override of {override.limit}")
