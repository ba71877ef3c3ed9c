"""`V_CORE.risk.max_drawdown=0.10`, put into the fields of a vault file. Pure.

Only says where a value goes; whether it may be there is the model's to say.

    assigned({"vaults": [{"vault_id": "V_CORE", …}]}, "V_CORE.label=Core")  ->  the fields with that label
"""

from collections.abc import Mapping
from typing import Any

from vanta.alpha.core.envelopes import HOUSE
from vanta.common import strictjson
from vanta.common.errors import BadInput


def assigned(fields: Mapping[str, Any], text: str) -> dict[str, Any]:
    """A copy with one value put in; tables on the way are made. Raises `ValueError` with what is wrong."""
    path, equals, value = text.partition("=")
    head, _, rest = path.strip().partition(".")
    if not equals or not head or not all(rest.split(".")):
        raise ValueError(f"{text!r} is no assignment: write VAULT.FIELD=VALUE, as in V_CORE.risk.max_drawdown=0.10")
    changed: dict[str, Any] = _copied(fields)
    target = changed.setdefault(HOUSE, {}) if head == HOUSE else _vault(changed, head)
    *tables, name = rest.split(".")
    for table in tables:
        target = target.setdefault(table, {}) if isinstance(target, dict) else None
    if not isinstance(target, dict):
        raise ValueError(f"{path.strip()}: {'.'.join([head, *tables])} is not a table")
    target[name] = _value(value.strip())
    return changed


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _copied(item) for name, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _vault(fields: dict[str, Any], name: str) -> Any:
    vaults = fields.get("vaults")
    known = [one for one in vaults if isinstance(one, dict)] if isinstance(vaults, list) else []
    for vault in known:
        if vault.get("vault_id") == name:
            return vault
    names = ", ".join(str(vault.get("vault_id")) for vault in known)
    raise ValueError(f"there is no vault {name!r}; there are {names or 'none'}, and `{HOUSE}`")


def _value(text: str) -> Any:
    """JSON where it is JSON, text where it is not."""
    try:
        return strictjson.loads(text.encode(), file="value")
    except BadInput:
        return text
