"""Personas: governed ways to read the same evidence, shown as lines of their own. Pure.

Decides what Athena, Apollo, Ares and Nemesis make of a conviction, from the evidence in its `reason_vector` alone.
Refuses to touch that evidence: the baseline and source lines stay, and the persona's difference is one line
`persona:<Name>`; where its cap bites, `cap:<Name>` is another. Again all lines sum to the conviction exactly.

| bound | holds for every card |
|---|---|
| gain of a channel | −0.5 to 1.5; below 0 only for channels that the rules declare as sentiment |
| temperature | 0.5 to 1.5, over all channels |
| `max_shift` | the persona's line is never larger, in milli-nats |
| `veto_only` | the view never gets stronger than the evidence and never changes sides |
| `cap_bp` | the conviction is never larger |

Neutral changes nothing. Example: sec +547, reddit −100; Ares reads reddit at −0.5, so its line is +150 and its
view 597 milli-nats.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import Field

from vanta.common import strictjson
from vanta.common.canonical import content_hash
from vanta.common.errors import OperatorError
from vanta.common.models.base import Model, validate
from vanta.common.models.conviction import Direction, Reason
from vanta.common.models.intent import ExitPlan
from vanta.common.models.vault import PERSONA_ALIASES, PersonaName, persona_name
from vanta.markets.core.logistic import Strength
from vanta.markets.core.rules import MOST_LINE, Rules
from vanta.markets.core.score import SOURCE, judge

_ONE = 10_000


class PersonaCard(Model):
    """One persona. Gains and temperature are basis points: 10,000 is "as it is"."""

    why: str
    gains_bp: dict[str, int]
    temperature_bp: int = Field(ge=5_000, le=15_000)
    max_shift: int = Field(ge=0, lt=MOST_LINE, description="milli-nats")
    cap_bp: int = Field(ge=1, le=_ONE)
    veto_only: bool
    exit_plan: ExitPlan = Field(description="how positions are left again that this persona asked for most")

    @property
    def card_hash(self) -> str:
        """Hash of the card's content."""
        return content_hash(self.model_dump(mode="json"))


NEUTRAL = PersonaCard(why="the evidence as it is", gains_bp={}, temperature_bp=_ONE, max_shift=0, cap_bp=_ONE,
                      veto_only=False, exit_plan=ExitPlan())


class _File(Model):
    version: int
    personas: dict[str, PersonaCard]


@dataclass(frozen=True, slots=True)
class PersonaView:
    """What a persona makes of one conviction. `reasons` sum to `conviction_bp`."""

    direction: Direction
    log_odds: int
    conviction_bp: int
    reasons: tuple[Reason, ...]


def parse(raw: bytes, rules: Rules) -> dict[PersonaName, PersonaCard]:
    """Read `personas.json`. Raises `BadInput` or `OperatorError` for a card outside the bounds above."""
    file = validate(_File, strictjson.loads_object(raw, file="personas.json"), file="personas.json")
    cards = {persona_name(name): card for name, card in file.personas.items()}
    absent = sorted(set(PERSONA_ALIASES.values()) - set(cards))
    if absent:
        raise OperatorError(f"personas.json: {absent[0]} has no card", "Write one; four personas are employed.")
    for name, card in cards.items():
        for source, gain in card.gains_bp.items():
            lowest = -5_000 if rules.card(source).sentiment else 0
            if not lowest <= gain <= 15_000:
                raise OperatorError(f"personas.json: {name} reads {source} at {gain} bp",
                                    f"Keep the gain between {lowest} and 15000.")
    return cards


def view(reasons: Iterable[Reason], name: str, card: PersonaCard, strength: Strength) -> PersonaView:
    """The persona's view of a conviction, given the conviction's own reasons."""
    kept = list(reasons)
    parts = {line.reason: line.evidence for line in kept}
    shift = _shift(parts, card)
    if shift:
        parts[f"persona:{name}"] = shift
        kept.append(Reason(reason=f"persona:{name}", bp=0, evidence=shift, text=_text(name, card, parts), signals=[],
                           count=0))
    seen = judge(parts, strength)
    lines = [line.model_copy(update={"bp": seen.shares[line.reason]}) for line in kept]
    over = seen.conviction_bp - card.cap_bp
    if over > 0:
        lines.append(Reason(reason=f"cap:{name}", bp=-over, evidence=0, signals=[], count=0,
                            text=f"{name} never holds more than {card.cap_bp} basis points."))
    return PersonaView(seen.direction, seen.log_odds, min(seen.conviction_bp, card.cap_bp), tuple(lines))


def _shift(parts: Mapping[str, int], card: PersonaCard) -> int:
    """What the persona adds to the log-odds, inside its bounds."""
    total = sum(parts.values())
    shift = sum(_read(evidence, card, name.removeprefix(SOURCE)) - evidence
                for name, evidence in parts.items() if name.startswith(SOURCE))
    shift = max(-card.max_shift, min(card.max_shift, shift))
    if card.veto_only:
        low, high = min(0, total), max(0, total)
        shift = max(low, min(high, total + shift)) - total
    return shift


def _read(evidence: int, card: PersonaCard, source: str) -> int:
    """One channel through the persona's gain and temperature, rounded towards zero."""
    product = evidence * card.gains_bp.get(source, _ONE) * card.temperature_bp
    size = abs(product) // (_ONE * _ONE)
    return size if product > 0 else -size


def _text(name: str, card: PersonaCard, parts: Mapping[str, int]) -> str:
    read = [f"{source} at {_times(card.gains_bp[source])}{' (in reverse)' if card.gains_bp[source] < 0 else ''}"
            for source in sorted(card.gains_bp) if SOURCE + source in parts]
    if card.temperature_bp != _ONE:
        read.append(f"all of it at {_times(card.temperature_bp)}")
    bound = ", and never makes it stronger" if card.veto_only else ""
    return f"{name} reads {', '.join(read)}{bound}."


def _times(bp: int) -> str:
    sign, size = ("−" if bp < 0 else ""), abs(bp)
    return f"×{sign}{size // _ONE}.{size % _ONE // 100:02d}"
