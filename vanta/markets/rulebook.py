"""The shipped rules, read once: source cards, decay and strength tables, persona cards."""

from collections.abc import Mapping

from vanta.common.models.vault import PersonaName
from vanta.common.resources import load
from vanta.markets.core import persona, rules
from vanta.markets.core.persona import PersonaCard
from vanta.markets.core.rules import Rules


def load_rules() -> Rules:
    """Source cards and both tables."""
    return rules.parse(sources=load("sources.json"), decay_table=load("decay_q30.json"),
                       logistic_table=load("logistic.json"))


def load_personas(within: Rules) -> Mapping[PersonaName, PersonaCard]:
    """The four personas, checked against the rules' bounds."""
    return persona.parse(load("personas.json"), within)
