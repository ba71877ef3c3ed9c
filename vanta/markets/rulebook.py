"""The shipped rules, read once: source cards, decay and strength tables, persona cards.

A record names its rules by hash. Their bytes go into the snapshot store when a program that uses them starts, so that
a record can be made again under the rules that it was made under, after they have changed.
"""

from collections.abc import Mapping

from vanta.common.canonical import canonical
from vanta.common.models.vault import PersonaName
from vanta.common.resources import load
from vanta.common.store.ports import Snapshots
from vanta.markets.core import persona, rules
from vanta.markets.core.persona import PersonaCard
from vanta.markets.core.rules import Rules

FILES = ("sources.json", "decay_q30.json", "logistic.json")


def load_rules() -> Rules:
    """Source cards and both tables."""
    sources, decay_table, logistic_table = map(load, FILES)
    return rules.parse(sources=sources, decay_table=decay_table, logistic_table=logistic_table)


def load_personas(within: Rules) -> Mapping[PersonaName, PersonaCard]:
    """The four personas, checked against the rules' bounds."""
    return persona.parse(load("personas.json"), within)


def keep_rules(snapshots: Snapshots) -> None:
    """Keep the files of the rules under the hashes that records name."""
    for name in FILES:
        snapshots.put(load(name))


def keep_personas(cards: Mapping[PersonaName, PersonaCard], snapshots: Snapshots) -> None:
    """Keep each card under its own hash."""
    for card in cards.values():
        snapshots.put(canonical(card.model_dump(mode="json")))
