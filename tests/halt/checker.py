"""A second opinion: do these bytes let a new order leave? By hand, with the standard library, and nothing of VANTA."""

import re
from datetime import datetime, timedelta
from typing import Any

SWITCHES = {"maintenance", "orders_disabled", "external_calls_disabled", "full_halt", "reduce_only"}
FIELDS = SWITCHES | set("scopes persona_boosts flip reason by schema_version revision written_at written_by".split())
TOKEN = re.compile(r'[ \t\n\r]*([{}\[\]:,]|"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"|true|false|null|'
                   r'-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|\Z|.)', re.DOTALL)
ESCAPE, NAMED = re.compile(r"\\(u....|.)"), str.maketrans("bfnrt", "\b\f\n\r\t")


def value(left: list[str], depth: int) -> Any:  # what the tokens `left` (last first) go on with
    token = left.pop()
    if token in ("{", "[") and depth < 64:
        return members(left, "}" if token == "{" else "]", depth + 1)
    if len(token) > 1 and token[0] == '"':
        said = ESCAPE.sub(lambda it: chr(int(it[1][1:], 16)) if it[1][0] == "u" else it[1].translate(NAMED), token)
        return said[1:-1].encode("utf-16", "surrogatepass").decode("utf-16")  # half of a surrogate pair is an error
    return {"true": True, "false": False}.get(token) if token in ("true", "false", "null") else (float(token.encode()),)


def members(left: list[str], closing: str, depth: int) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    while found or left[-1] != closing:
        key = value(left, depth) if closing == "}" else len(found)
        if key in found or (closing == "}" and not (isinstance(key, str) and left.pop() == ":")):
            raise ValueError(key)
        found[key] = value(left, depth)
        if left[-1] == closing:
            break
        if left.pop() != ",":
            raise ValueError(closing)
    left.pop()
    return found


def off(name: str, switch: Any, now: str) -> bool:
    if not isinstance(switch, dict) or not set(switch) <= {"enabled", "reason", "by", "until"}:
        return switch is False
    until = switch.get("until") if name in ("maintenance", "reduce_only") and switch.get("enabled") is True else None
    if until is None:
        return switch.get("enabled") is False
    text = until.strip().upper() + "T00:00Z" * (len(until.strip()) == 10)  # a day begins at midnight
    return datetime.fromisoformat(text) < datetime.fromisoformat(now) + timedelta(milliseconds=1)


def permits(raw: bytes, names: dict[str, set[str]], order: dict[str, str], now: str) -> bool:
    """`names` that a scope may use and what an `order` touches, by kind of scope; `now` in ISO form."""
    try:
        left = TOKEN.findall(raw.decode("utf-8"))[::-1]
        doc = value(left, 0)
        return (len(raw) <= 262_144 and not any(left) and SWITCHES - {"reduce_only"} <= set(doc) <= FIELDS
                and all(off(name, doc[name], now) for name in SWITCHES & set(doc))
                and all(one in names[kind] and set(table) <= SWITCHES and all(
                    order.get(kind) != one or off(name, switch, now) for name, switch in table.items())
                    for kind, tables in doc.get("scopes", {}).items() for one, table in tables.items()))
    except (ValueError, LookupError, AttributeError, TypeError, ArithmeticError):
        return False
