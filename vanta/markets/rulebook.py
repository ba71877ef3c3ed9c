"""The shipped rules, read once: source cards, decay and strength tables, persona cards.

A record names its rules by hash. Their bytes go into the snapshot store before it, so that it can be made again under
the rules that it was made under, after they have changed.
"""

from collections.abc import Mapping

from vanta.common.canonical import canonical
from vanta.common.models.vault import PersonaName
from vanta.common.resources import load
from vanta.markets.core import persona, rules
from vanta.markets.core.persona import PersonaCard
from vanta.markets.core.rules import Rules

FILES = ("sources.json", "decay_q30.json", "logistic.json")


def load_rules() -> Rules:
    """Source cards and both tables."""
    sources, decay_table, logistic_table = rule_files()
    return rules.parse(sources=sources, decay_table=decay_table, logistic_table=logistic_table)


def load_personas(within: Rules) -> Mapping[PersonaName, PersonaCard]:
    """The four personas, checked against the rules' bounds."""
    return persona.parse(load("personas.json"), within)


def rule_files() -> tuple[bytes, ...]:
    """The files of the rules; their hashes are those that records name."""
    return tuple(map(load, FILES))


def card_files(cards: Mapping[PersonaName, PersonaCard]) -> tuple[bytes, ...]:
    """Each card in the bytes that its hash is of."""
    return tuple(canonical(card.model_dump(mode="json")) for card in cards.values())
