"""Overlay documents that went wrong, from one seed: first as trees of tokens, where keys may come twice, then as bytes.

    Mutator(seed).document() -> (the bytes, the names of what was done to them)

A document starts as one of the forms that permit. Nothing here knows what a mutation should lead to.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

SWITCHES = ("maintenance", "orders_disabled", "external_calls_disabled", "full_halt", "reduce_only")
NOW, BEFORE, AFTER = "2026-11-20T15:00:00.000Z", "2026-11-20T14:59:59.999Z", "2026-11-20T15:00:00.001Z"
NAMES: dict[str, tuple[str, ...]] = {
    "vault": ("V_CORE", "V_SWIFT"), "broker": ("paper",), "instrument": ("equity:AAPL", "crypto:BTC-USD"),
    "asset_class": ("equity", "crypto", "option"), "follower": ()}
ORDER = {"vault": "V_CORE", "broker": "paper", "instrument": "equity:AAPL", "asset_class": "equity"}


@dataclass
class Members:
    """An object: keys and values as they are written, in this order."""

    rows: list[tuple[str, "Node"]]


@dataclass
class Items:
    """A list."""

    rows: list["Node"]


Node = str | Members | Items
"""A `str` is a token, written as it stands."""


def switch(**fields: str) -> Members:
    """The long spelling of a switch; values are tokens."""
    return Members([(f'"{name}"', token) for name, token in fields.items()])


def plain(**others: Node) -> Members:
    """All switches off, and more."""
    rows: list[tuple[str, Node]] = [(f'"{name}"', "false") for name in SWITCHES]
    return Members([(name, others.pop(name.strip('"'), value)) for name, value in rows]
                   + [(f'"{name}"', value) for name, value in others.items()])


def scoped(kind: str, name: str, table: Node) -> Members:
    """A table of scopes with one entry."""
    return Members([(f'"{kind}"', Members([(f'"{name}"', table)]))])


def _flip() -> Members:
    return switch(flip_id='"F1"', vault='"V_CORE"', persona='"Apollo"', ttl_min="45", slice='"0.10"', amplify='"0.35"',
                  started_at=f'"{BEFORE}"')


SEEDS: tuple[Callable[[], Members], ...] = (
    plain,
    lambda: plain(maintenance=switch(enabled="false"), full_halt=switch(enabled="false", reason='"over"', by='"ann"')),
    lambda: plain(maintenance=switch(enabled="true", until=f'"{BEFORE}"'), reason='"morning"', by="null"),
    lambda: plain(reduce_only=switch(enabled="true", reason='"late"', until=f'"{NOW}"')),
    lambda: plain(scopes=scoped("vault", "V_SWIFT", Members([('"full_halt"', "true")]))),
    lambda: plain(scopes=scoped("instrument", "equity:AAPL", Members([('"maintenance"', switch(enabled="false"))]))),
    lambda: plain(persona_boosts=Members([('"contrarian"', '"0.10"'), ('"Athena"', "-0.25")]), flip=_flip()),
    lambda: plain(schema_version="1", revision="7", written_at=f'"{BEFORE}"', written_by='"an editor \\u2713"'),
)

LITERALS = (
    "true", "false", "True", "FALSE", "fal\\u0073e", "null", "0", "1", "-0", "0.0", '"false"', '"true"', '""', "[]",
    "{}", "[false]", '{"enabled":false}', '{"enabled":true}', '{"enabled":"false"}', '{"enabled":0}',
    '{"enabled":null}',
    '{"Enabled":false}', '{"enabled":false,"enabled":true}', '{"enabled":true,"en\\u0061bled":false}', "'false'",
    '{"enabled":false,"off":true}', '{"enabled":{"enabled":false}}', f'{{"enabled":true,"until":"{BEFORE}"}}',
    f'{{"enabled":true,"until":"{AFTER}"}}', '{"enabled":true,"until":"2026-11-20"}', '{"enabled":true,"until":null}',
    '{"enabled":true,"until":"2026-11-20T14:59:59Z"}', '{"enabled":true,"until":"2020-13-45T99:00:00.000Z"}',
    '{"reason":"x"}', '{"enabled":false,"reason":5}', "NaN", "Infinity", "undefined", "false//", "\u200bfalse",
    "\xa0false")
NUMBERS = ("0", "-0", "-0.0", "01", "+1", "0x10", "1.", ".5", "1e5", "1E+400", "1e999", "-1e-400", "NaN", "-Infinity",
           "18446744073709551615", "18446744073709551616", "-9223372036854775809", "9" * 400, "9" * 5000, "1_000", "٣",
           "1" + "0" * 5000 + ".5")
STRANGE_KEYS = ("full_Halt", "FULL_HALT", "full-halt", "full halt", "fullhalt", "full_halt ", " full_halt",
                "full_halt\u200b", "full\xa0halt", "fuⅼl_halt", "maintenence", "halt", "scope", "Scopes",
                "reason\\u0000", "", "__proto__", "\ud7ff")
FRAGMENTS = ("/* */", "// x\n", "# x\n", ",", ",,", "}", "{", "]", "[", ":", '"', "'", "\\", "\0", "\x1a", "\ufeff",
             "\xa0", "\u2028", "\x0b", "\x0c", "false", "true", '"full_halt":true,', '"full_halt":false,', "\r\n",
             "\\ud800", "\x85")
SPACES = ("", "", "", " ", "\n", "\t", "\r\n", "  ")


class Mutator:
    """Makes documents, each from what the seed gives next."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._trees = (self._switch, self._switch, self._switch, self._drop, self._twice, self._twice_escaped,
                       self._rename, self._escape_key, self._unknown, self._wrap, self._deep, self._number, self._scope,
                       self._scope, self._shuffle, self._borrow)
        self._bytes = (self._flip, self._flip, self._remove, self._insert, self._insert, self._cut, self._copy,
                       self._end, self._behind, self._before, self._encode, self._invalid, self._swap_case,
                       self._nul, self._pad)

    @property
    def names(self) -> set[str]:
        """Every mutation that there is."""
        return {how.__name__ for how in self._trees} | {how.__name__ for how in self._bytes}

    def document(self) -> tuple[bytes, list[str]]:
        """The next document, and which mutations made it."""
        done: list[str] = []
        tree = self._pick(SEEDS)()
        for _ in range(self._random.choice((0, 1, 1, 1, 2, 3))):
            done.append(self._apply(self._pick(self._trees), tree))
        raw = self._write(tree).encode("utf-8", "surrogatepass")
        for _ in range(self._random.choice((0, 0, 0, 1, 1, 2, 4))):
            how = self._pick(self._bytes)
            done.append(how.__name__)
            raw = how(raw)
        return raw, done

    @staticmethod
    def _apply(how: Callable[[Members], None], tree: Members) -> str:
        how(tree)
        return how.__name__

    def _pick(self, choices: Sequence[T]) -> T:
        return self._random.choice(choices)

    def _write(self, node: Node) -> str:
        before, behind = self._pick(SPACES), self._pick(SPACES)
        if isinstance(node, Members):
            rows = (f"{self._pick(SPACES)}{key}{behind}:{self._write(value)}" for key, value in node.rows)
            return before + "{" + ",".join(rows) + behind + "}"
        if isinstance(node, Items):
            return before + "[" + ",".join(map(self._write, node.rows)) + behind + "]"
        return before + node + behind

    # what may happen to a tree

    def _objects(self, node: Node) -> list[Members]:
        found = [node] if isinstance(node, Members) else []
        for child in node.rows if not isinstance(node, str) else ():
            found += self._objects(child[1] if isinstance(child, tuple) else child)
        return found

    def _place(self, tree: Members) -> tuple[Members, int]:
        """An object that has members, the whole document most of the time, and one of them."""
        inner = [one for one in self._objects(tree) if one.rows] or [plain()]
        target = tree if tree.rows and self._random.random() < 0.6 else self._pick(inner)
        return target, self._random.randrange(len(target.rows))

    def _switch(self, tree: Members) -> None:
        target, at = self._place(tree)
        target.rows[at] = (target.rows[at][0], self._pick(LITERALS))

    def _drop(self, tree: Members) -> None:
        target, at = self._place(tree)
        del target.rows[at]

    def _twice(self, tree: Members) -> None:
        target, at = self._place(tree)
        row = (target.rows[at][0], self._pick((target.rows[at][1], *LITERALS)))
        target.rows.insert(self._random.randrange(len(target.rows) + 1), row)

    def _twice_escaped(self, tree: Members) -> None:
        self._twice(tree)
        self._escape_key(tree)

    def _escape_key(self, tree: Members) -> None:
        target, at = self._place(tree)
        key = target.rows[at][0]
        if len(key) > 2:
            where = self._random.randrange(1, len(key) - 1)
            spelled = f"{ord(key[where]):04x}"
            escape = "\\u" + self._pick((spelled, spelled.upper(), spelled[:3], spelled + "0"))
            target.rows[at] = (key[:where] + escape + key[where + 1:], target.rows[at][1])

    def _rename(self, tree: Members) -> None:
        target, at = self._place(tree)
        key = target.rows[at][0]
        other = self._pick((f'"{self._pick(STRANGE_KEYS)}"', key.upper(), key.title(), key.strip('"'),
                            key.replace('"', "'"), f'"{self._pick(SWITCHES)}"', key[:-1] + '\xa0"',
                            key.replace("_", "\u2011")))
        target.rows[at] = (other, target.rows[at][1])

    def _unknown(self, tree: Members) -> None:
        target, at = self._place(tree)
        target.rows.insert(at, (f'"{self._pick(STRANGE_KEYS)}"', self._pick(LITERALS)))

    def _wrap(self, tree: Members) -> None:
        target, at = self._place(tree)
        key, inner = target.rows[at]
        others: list[Node] = [Items([inner]), Members([(key, inner)]), Members([('"enabled"', inner)])]
        target.rows[at] = (key, self._pick(others))

    def _deep(self, tree: Members) -> None:
        target, at = self._place(tree)
        depth = self._pick((2, 20, 61, 62, 63, 64, 65, 66, 500, 3000))
        opening, closing = self._pick((("[", "]"), ('{"x":', "}"), ('{"enabled":', "}")))
        target.rows[at] = (target.rows[at][0], opening * depth + "false" + closing * depth)

    def _number(self, tree: Members) -> None:
        target, at = self._place(tree)
        known = self._pick(('"revision"', '"schema_version"', target.rows[at][0], target.rows[at][0]))
        target.rows.append((known, self._pick(NUMBERS)))
        if known == target.rows[at][0]:
            del target.rows[at]

    def _scope(self, tree: Members) -> None:
        kind = self._pick((*NAMES, *NAMES, "planet", "Vault"))
        name = self._pick([*NAMES.get(kind, ()), ORDER.get(kind, "F1"), "V_COER", "equity:aapl", "*", ""])
        table = Members([(f'"{self._pick((*SWITCHES, "half_halt"))}"', self._pick(LITERALS))
                         for _ in range(self._random.randrange(3))])
        found = [value for key, value in tree.rows if key == '"scopes"' and isinstance(value, Members)]
        if found:
            found[0].rows.extend(scoped(kind, name, table).rows)
        else:
            others: list[Node] = [scoped(kind, name, table), scoped(kind, name, table), "null", "{}", Items([table])]
            tree.rows.append(('"scopes"', self._pick(others)))

    def _shuffle(self, tree: Members) -> None:
        self._random.shuffle(tree.rows)

    def _borrow(self, tree: Members) -> None:
        """A member of another document that permits."""
        tree.rows.append(self._pick(self._pick(SEEDS)().rows))

    # what may happen to bytes

    def _at(self, raw: bytes) -> int:
        return self._random.randrange(len(raw) + 1)

    def _flip(self, raw: bytes) -> bytes:
        if not raw:
            return raw
        at = self._random.randrange(len(raw))
        return raw[:at] + bytes([raw[at] ^ 1 << self._random.randrange(8)]) + raw[at + 1:]

    def _remove(self, raw: bytes) -> bytes:
        at = self._at(raw)
        return raw[:at] + raw[at + 1:]

    def _insert(self, raw: bytes) -> bytes:
        at = self._at(raw)
        return raw[:at] + self._pick(FRAGMENTS).encode() + raw[at:]

    def _cut(self, raw: bytes) -> bytes:
        at = self._at(raw)
        return raw[:at] + raw[at + self._random.randrange(1, 40):]

    def _copy(self, raw: bytes) -> bytes:
        """A piece once more, as where two saves run into each other."""
        start, at = self._at(raw), self._at(raw)
        return raw[:at] + raw[start:start + self._random.randrange(1, 60)] + raw[at:]

    def _end(self, raw: bytes) -> bytes:
        return raw[:self._at(raw)]

    def _behind(self, raw: bytes) -> bytes:
        more = (b"x", b"{}", b"\0", b"\0" * 64, b"}", b",", b"\n\n", b" \t", raw, b"\xc2\xa0", b"null", b"#")
        return raw + self._pick(more)

    def _before(self, raw: bytes) -> bytes:
        more = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b" ", b"\n", b"\0", b"\xc2\xa0", b"=", b")]}'\n")
        return self._pick(more) + raw

    def _encode(self, raw: bytes) -> bytes:
        codes = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "utf-7", "cp037", "latin-1")
        return raw.decode("utf-8", "replace").encode(self._pick(codes), "replace")

    def _invalid(self, raw: bytes) -> bytes:
        at = self._at(raw)
        return raw[:at] + self._pick((b"\xff", b"\xc0\xaf", b"\xe2\x82", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xa0",
                                      b"\x80")) + raw[at:]

    def _swap_case(self, raw: bytes) -> bytes:
        at = self._at(raw)
        return raw[:at] + raw[at:at + 1].swapcase() + raw[at + 1:]

    def _nul(self, raw: bytes) -> bytes:
        """What a power cut leaves of a file whose size was written and whose bytes were not."""
        at = self._at(raw)
        return raw[:at] + b"\0" * (len(raw) - at)

    def _pad(self, raw: bytes) -> bytes:
        full = self._random.random() < 0.05
        return raw + b" " * (262_144 - len(raw) + self._pick((-1, 0, 1)) if full else self._random.randrange(600))
