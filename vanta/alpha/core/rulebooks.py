"""The rules that a record was made under, from the bytes that its hashes name. Pure.

A record names its rules by hash; their files are in the snapshot store, so that it is made again under its own rules,
whatever this version ships with. Where the store does not have them, the shipped ones serve if they are the same. What
no file holds, the version of the code, is this version's: a record of another one differs, and the difference says so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vanta.alpha.core.blobs import Absent, Blobs
from vanta.common import strictjson
from vanta.common.canonical import sha256
from vanta.common.models.base import validate
from vanta.common.models.vault import PersonaName, persona_name
from vanta.markets.core import rules
from vanta.markets.core.persona import PersonaCard
from vanta.markets.core.rules import Rules

FILES = ("sources", "decay", "logistic")
PERSONA = "persona:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulebook:
    """The rules of one record."""

    rules: Rules
    cards: Mapping[PersonaName, PersonaCard]


class Rulebooks:
    """Every set of rules that was asked for, parsed once. `shipped` are the bytes that this version would keep."""

    def __init__(self, shipped: Iterable[bytes]) -> None:
        self._shipped = {sha256(raw): raw for raw in shipped}
        self._made: dict[tuple[tuple[str, str], ...], Rulebook] = {}

    def wanted(self, hashes: Mapping[str, str]) -> set[str]:
        """The snapshots that are needed before `of` can be asked; none once it was."""
        return set() if _key(hashes) in self._made else {hashes[name] for name in _files(hashes)}

    def of(self, hashes: Mapping[str, str], blobs: Blobs) -> Rulebook:
        """The rules of these hashes. Raises `Absent`, or `BadInput` where this version cannot read them."""
        key = _key(hashes)
        if key not in self._made:
            self._made[key] = self._parsed(hashes, blobs)
        return self._made[key]

    def _parsed(self, hashes: Mapping[str, str], blobs: Blobs) -> Rulebook:
        files = {name: self._raw(hashes[name], name, blobs) for name in _files(hashes)}
        lacks = [name for name in FILES if name not in files]
        if lacks:
            raise Absent(f"it does not say by which {' and '.join(lacks)} it was made",
                         "Replay with the version that wrote the log.")
        cards = {persona_name(name.removeprefix(PERSONA)):
                 validate(PersonaCard, strictjson.loads_object(raw, file=name), file=name)
                 for name, raw in files.items() if name.startswith(PERSONA)}
        made = rules.parse(sources=files["sources"], decay_table=files["decay"], logistic_table=files["logistic"])
        return Rulebook(rules=made, cards=cards)

    def _raw(self, digest: str, name: str, blobs: Blobs) -> bytes:
        return self._shipped[digest] if digest in self._shipped else blobs.of(digest, f"the rules {name}")


def _key(hashes: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(hashes.items()))


def _files(hashes: Mapping[str, str]) -> list[str]:
    """Names of the rules that a file holds."""
    return [name for name in sorted(hashes) if name in FILES or name.startswith(PERSONA)]
