"""Personas: bounded, named, and exact."""

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.markets.core.book import CARDS, RULES, conviction
from vanta.common.errors import BadInput, OperatorError
from vanta.common.models.vault import PersonaName
from vanta.common.resources import load
from vanta.markets.core.persona import NEUTRAL, PersonaCard, PersonaView, parse, view

SOURCES = sorted(RULES.cards)
evidence = st.dictionaries(st.sampled_from([*SOURCES, "telegram.posts"]), st.integers(-1_399, 1_399), min_size=1)
names = st.sampled_from(sorted(CARDS))


def _view(said: dict[str, int], name: PersonaName, card: PersonaCard | None = None) -> PersonaView:
    return view(conviction("equity:AAPL", said).reason_vector, name, card or CARDS[name], RULES.strength)


def _lines(seen: PersonaView) -> dict[str, tuple[int, int]]:
    return {line.reason: (line.bp, line.evidence) for line in seen.reasons}


@settings(deadline=None, derandomize=True)
@given(evidence)
def test_neutral_is_identity(said: dict[str, int]) -> None:
    """The neutral card gives the conviction back, line by line."""
    row = conviction("equity:AAPL", said)
    seen = view(row.reason_vector, "neutral", NEUTRAL, RULES.strength)
    assert (seen.direction, seen.conviction_bp) == (row.direction, row.conviction_bp)
    assert list(seen.reasons) == row.reason_vector


@settings(deadline=None, derandomize=True, max_examples=400)
@given(said=evidence, name=names)
def test_every_persona_keeps_its_bounds(said: dict[str, int], name: PersonaName) -> None:
    """Exact sum, evidence untouched, shift and cap kept, every line inside its range."""
    card, seen = CARDS[name], _view(said, name)
    lines = _lines(seen)
    assert sum(bp for bp, _ in lines.values()) == seen.conviction_bp <= card.cap_bp
    assert all(-10_000 <= bp <= 10_000 for bp, _ in lines.values())
    assert {source: lines[f"source:{source}"][1] for source in said} == said
    shift = lines.get(f"persona:{name}", (0, 0))[1]
    assert abs(shift) <= card.max_shift
    assert seen.log_odds == sum(said.values()) + shift


@settings(deadline=None, derandomize=True)
@given(evidence)
def test_veto_only_can_only_shrink(said: dict[str, int]) -> None:
    """Athena is never more convinced than the evidence, and never of the opposite."""
    row, seen = conviction("equity:AAPL", said), _view(said, "Athena")
    assert seen.conviction_bp <= row.conviction_bp
    assert seen.direction in (row.direction, "flat")


@settings(deadline=None, derandomize=True)
@given(said=evidence, name=names, source=st.sampled_from(SOURCES), more=st.integers(1, 300))
def test_supporting_evidence_never_weakens(said: dict[str, int], name: PersonaName, source: str, more: int) -> None:
    """More evidence moves no persona the other way, except on channels that its card reads in reverse.

    Without the bounds of the whole shift, whose clipping is tested above.
    """
    card = CARDS[name].model_copy(update={"max_shift": 10**6, "veto_only": False})
    then = _view(said, name, card).log_odds
    now = _view({**said, source: said.get(source, 0) + more}, name, card).log_odds
    assert now <= then if card.gains_bp.get(source, 0) < 0 else now >= then


def test_contrarian_reads_the_crowd_in_reverse_and_says_so() -> None:
    """Insiders +547, the crowd -100: Ares makes 597 of it, and its line names the channel."""
    seen = _view({"sec.form4": 547, "reddit.posts": -100}, "Ares")
    line = next(one for one in seen.reasons if one.reason == "persona:Ares")
    assert (seen.log_odds, line.evidence) == (597, 150)
    assert line.text == "Ares reads reddit.posts at ×−0.50 (in reverse)."


def test_cap_is_a_line_of_its_own() -> None:
    """Where a persona's cap bites, the cut is named and the sum is still exact."""
    seen = _view({"sec.form4": 1_390, "news.rss": 790, "crypto.ticker": 550}, "Athena")
    lines = _lines(seen)
    assert seen.conviction_bp == 6_000
    assert lines["cap:Athena"][0] < 0
    assert sum(bp for bp, _ in lines.values()) == 6_000
    assert seen.reasons[-1].text == "Athena never holds more than 6000 basis points."


def test_shift_is_bounded() -> None:
    """A persona that would move more than its bound moves by the bound."""
    wild = CARDS["Ares"].model_copy(update={"gains_bp": {"reddit.posts": -5_000}, "max_shift": 100})
    assert _view({"reddit.posts": 550}, "Ares", wild).log_odds == 450
    assert _view({"reddit.posts": -550}, "Ares", wild).log_odds == -450


def test_veto_stops_at_nothing() -> None:
    """A veto that would turn the view around leaves no view at all."""
    veto = CARDS["Ares"].model_copy(update={"veto_only": True})
    seen = _view({"reddit.posts": 400}, "Ares", veto)
    assert (seen.direction, seen.conviction_bp) == ("flat", 0)
    assert "never makes it stronger" in next(one.text for one in seen.reasons if one.reason == "persona:Ares")


def test_temperature_is_said() -> None:
    """A persona that only damps says by how much; the baseline is not damped."""
    seen = _view({"sec.form4": 1_000}, "Athena")
    line = next(one for one in seen.reasons if one.reason == "persona:Athena")
    assert (line.evidence, line.text) == (-100, "Athena reads all of it at ×0.90, and never makes it stronger.")


class TestCards:
    """The shipped cards and their governance."""

    def test_all_four_are_there(self) -> None:
        """Under their proper names."""
        assert sorted(CARDS) == ["Apollo", "Ares", "Athena", "Nemesis"]

    def test_only_ares_reads_in_reverse_and_only_crowds(self) -> None:
        """Negative gains lie on declared sentiment channels alone."""
        gains = {(name, source): gain for name, card in CARDS.items() for source, gain in card.gains_bp.items()}
        assert {key for key, gain in gains.items() if gain < 0} == {("Ares", "reddit.posts")}
        assert RULES.card("reddit.posts").sentiment

    def test_a_card_has_a_hash_of_its_content(self) -> None:
        """Another gain is another card."""
        card = CARDS["Apollo"]
        assert card.card_hash == card.model_copy().card_hash
        assert card.card_hash != card.model_copy(update={"cap_bp": 8_999}).card_hash

    @pytest.mark.parametrize(("gain", "source"), [
        pytest.param(-1, "sec.form4", id="reverse on a channel that is no crowd"),
        pytest.param(-1, "telegram.posts", id="reverse on a channel that nobody declared"),
        pytest.param(-5_001, "reddit.posts", id="too far in reverse"),
        pytest.param(15_001, "sec.form4", id="too much"),
    ])
    def test_a_gain_outside_its_bounds_is_refused(self, gain: int, source: str) -> None:
        """With the persona's name and the bounds."""
        fields = orjson.loads(load("personas.json"))
        fields["personas"]["Nemesis"]["gains_bp"] = {source: gain}
        with pytest.raises(OperatorError, match=f"Nemesis reads {source} at {gain}"):
            parse(orjson.dumps(fields), RULES)

    @pytest.mark.parametrize(("field", "value"), [
        pytest.param("temperature_bp", 4_999, id="too cold"),
        pytest.param("temperature_bp", 15_001, id="too hot"),
        pytest.param("max_shift", 2_000, id="a line could leave its range"),
        pytest.param("cap_bp", 10_001, id="more than whole"),
    ])
    def test_a_card_outside_its_bounds_is_refused(self, field: str, value: int) -> None:
        """With the file and the field."""
        fields = orjson.loads(load("personas.json"))
        fields["personas"]["Nemesis"][field] = value
        with pytest.raises(BadInput, match=rf"personas\.json.*{field}"):
            parse(orjson.dumps(fields), RULES)

    def test_a_missing_persona_is_refused(self) -> None:
        """A vault could employ it."""
        fields = orjson.loads(load("personas.json"))
        del fields["personas"]["Athena"]
        with pytest.raises(OperatorError, match="Athena has no card"):
            parse(orjson.dumps(fields), RULES)
