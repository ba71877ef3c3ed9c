"""What a vault wants: shares, modes, flips, caps, compounding, and what nobody knows."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.markets.claims import NOW
from tests.unit.markets.core.book import CARDS, INSTRUMENTS, RULES, conviction, holdings, row, vault
from vanta.common.errors import BadInput
from vanta.common.instruments import crypto, equity
from vanta.common.models.allocation import Target
from vanta.common.models.base import validate
from vanta.common.models.conviction import Conviction
from vanta.common.models.overlay import Overlay
from vanta.common.models.vault import Vault
from vanta.common.registry import by_entity
from vanta.common.times import iso
from vanta.markets.core.allocate import AllocationInputs, Plan, allocate
from vanta.markets.core.tilt import shares

CLEAR = {"maintenance": False, "orders_disabled": False, "external_calls_disabled": False, "full_halt": False}
STRONG = {"sec.form4": 1_300}
FAIR = {"sec.form4": 400}


def _plan(*rows: Conviction, **changes: Any) -> Plan:
    fields: dict[str, Any] = {
        "now": NOW, "dag_id": "dag1_now", "missing": frozenset(), "vault": vault(), "holdings": holdings(),
        "previous": {}, "overlay": None, "instruments": by_entity(INSTRUMENTS), "cards": CARDS,
        "strength": RULES.strength}
    return allocate(AllocationInputs(convictions=rows, **{**fields, **changes}))


def _weights(plan: Plan) -> dict[str, int]:
    return {one.instrument_id: one.weight_bp for one in plan.target.targets}


def _target(plan: Plan, name: str = "equity:AAPL") -> Target:
    return next(one for one in plan.target.targets if one.instrument_id == name)


def _roomy(**fields: Any) -> Vault:
    """A vault whose caps do not bite."""
    risk = {"max_single_pos_pct": "1", "max_asset_class_pct": {"equity": "1", "crypto": "1"}, **fields.pop("risk", {})}
    return vault(risk=validate_risk(risk), **fields)


def validate_risk(risk: dict[str, Any]) -> Any:
    """The model's own reading of limits."""
    return Vault.model_validate({"vault_id": "VX", "label": "x", "risk": risk}).risk


def _flip(**changes: Any) -> Overlay:
    flip = {"flip_id": "F1", "vault": "V_CORE", "persona": "Apollo", "ttl_min": 45, "slice": "0.10", "amplify": "0.25",
            "started_at": iso(NOW), **changes.pop("flip", {})}
    return Overlay.model_validate({**CLEAR, **changes, "flip": flip})


def test_proportional_splits_what_may_be_invested() -> None:
    """Apollo sees two convictions; the stronger gets more, together 80 % of NAV, and every number fits the others."""
    plan = _plan(conviction("equity:AAPL", STRONG), conviction("equity:MSFT", FAIR), vault=_roomy())
    weights = _weights(plan)
    assert sum(weights.values()) in (7_999, 7_998)
    assert weights["equity:AAPL"] > 2 * weights["equity:MSFT"]
    target = _target(plan)
    assert target.notional == Decimal(target.weight_bp * 10)
    assert target.personas == {"Apollo": target.weight_bp}
    assert sum(line.bp for line in target.reasons) == target.conviction_bp
    assert target.limits == []


def test_banded_gives_what_the_band_says() -> None:
    """Bands at 1,000, 2,500 and 5,000; what lies below the lowest gets nothing."""
    banded = _roomy(allocation=_rule(mode="banded", min_conviction_bp=0))
    plan = _plan(conviction("equity:AAPL", STRONG), conviction("equity:MSFT", FAIR),
                 conviction("equity:NVDA", {"sec.form4": 100}), vault=banded)
    assert _weights(plan) == {"equity:AAPL": 600, "equity:MSFT": 200}
    assert "equity:NVDA: no persona sees 0 basis points" in plan.target.unallocated


def _rule(**fields: Any) -> Any:
    return Vault.model_validate({"vault_id": "VX", "label": "x", "allocation": fields}).allocation


@pytest.mark.parametrize("bands", [
    pytest.param({"x": "0.1"}, id="no number"), pytest.param({"-1": "0.1"}, id="below 0"),
    pytest.param({"10001": "0.1"}, id="above 10,000"), pytest.param({"1000": "1.1"}, id="more than all"),
    pytest.param({"１０": "0.1"}, id="digits of another script")])
def test_bands_that_mean_nothing_are_refused(bands: dict[str, str]) -> None:
    """With the file and the field, before anything is planned on them."""
    body = {"vault_id": "VX", "label": "x", "allocation": {"bands": bands}}
    with pytest.raises(BadInput, match=r"vault\.json \(allocation\.bands\): band"):
        validate(Vault, body, file="vault.json")


class TestShares:
    """How much say each persona has."""

    def test_equal_without_boosts(self) -> None:
        """Ten thousand basis points, the odd one to the first."""
        assert shares(["Athena", "Apollo", "Ares"], {}) == {"Athena": 3_334, "Apollo": 3_333, "Ares": 3_333}

    def test_boost_shifts_and_the_whole_stays_whole(self) -> None:
        """A boost of 0.10 under either name of the persona."""
        for name in ("contrarian", "Ares"):
            assert shares(["Athena", "Apollo", "Ares"], {name: Decimal("0.10")}) == {
                "Athena": 3_031, "Apollo": 3_030, "Ares": 3_939}

    @settings(deadline=None, derandomize=True)
    @given(st.lists(st.decimals("-0.5", "0.5", places=2), min_size=4, max_size=4))
    def test_shares_are_bounded(self, boosts: list[Decimal]) -> None:
        """Never negative, always 10,000 together."""
        names = ["Athena", "Apollo", "Ares", "Nemesis"]
        got = shares(names, dict(zip(names, boosts, strict=True)))  # type: ignore[arg-type]
        assert min(got.values()) >= 0
        assert sum(got.values()) == 10_000

    def test_boosts_that_leave_nobody_anything_are_ignored(self) -> None:
        """A vault without any say would want to sell everything."""
        assert shares(["Athena", "Ares"], {"Athena": Decimal("-0.5"), "Ares": Decimal("-0.5")}) == {
            "Athena": 5_000, "Ares": 5_000}

    def test_each_persona_asks_for_its_part(self) -> None:
        """Athena and Apollo want the same share of NAV together as one alone, and are named with their parts."""
        target = _target(_plan(conviction("equity:AAPL", STRONG), vault=_roomy(personas=["risk_averse", "aggressive"]),
                               overlay=Overlay.model_validate({**CLEAR, "persona_boosts": {"aggressive": "0.5"}})))
        assert target.weight_bp == 8_000
        assert target.personas == {"Athena": 2_666, "Apollo": 5_334}
        assert target.conviction_bp == max(_only(name, STRONG) for name in ("Athena", "Apollo"))

    def test_the_most_convinced_persona_gives_the_reasons(self) -> None:
        """Nemesis trusts crowding more than Apollo does."""
        target = _target(_plan(conviction("crypto:BTC", {"crypto.funding": 500}),
                               vault=_roomy(personas=["Apollo", "Nemesis"])), "crypto:BTC-USD")
        assert target.reasons[-1].reason == "persona:Nemesis"
        assert target.conviction_bp == sum(line.bp for line in target.reasons)

    def test_personas_that_disagree_are_split(self) -> None:
        """Ares would go short where the vault allows it; what he asks for is taken off, and only Apollo is named."""
        crowd = {"reddit.posts": 550, "news.rss": 60}
        both = _roomy(personas=["Apollo", "Ares"], allocation=_rule(allow_short=True))
        assert _plan(conviction("equity:AAPL", crowd), vault=both).target.targets == []
        boosted = Overlay.model_validate({**CLEAR, "persona_boosts": {"Apollo": "0.2"}})
        target = _target(_plan(conviction("equity:AAPL", crowd), vault=both, overlay=boosted))
        assert list(target.personas) == ["Apollo"]
        assert 0 < target.weight_bp < 8_000


def _only(name: str, said: dict[str, int]) -> int:
    return _target(_plan(conviction("equity:AAPL", said), vault=_roomy(personas=[name]))).conviction_bp


class TestShorts:
    """What a short view asks for."""

    def test_none_where_shorts_are_not_allowed(self) -> None:
        """The view is named among those that got nothing."""
        plan = _plan(conviction("equity:AAPL", {"sec.form4": -900}))
        assert plan.target.targets == []
        assert plan.target.unallocated == ["equity:AAPL: the vault does not go short"]

    def test_a_negative_weight_where_they_are(self) -> None:
        """All numbers are signed alike, in both modes."""
        for mode in ("proportional", "banded"):
            short = vault(allocation=_rule(allow_short=True, mode=mode))
            target = _target(_plan(conviction("equity:AAPL", {"sec.form4": -900}), vault=short))
            assert target.weight_bp < 0
            assert target.notional == target.weight_bp * 10
            assert sum(target.personas.values()) == target.weight_bp


class TestResolving:
    """Which instrument stands for an entity."""

    @pytest.mark.parametrize(("entity", "fields", "name"), [
        pytest.param("crypto:ETH", {}, "crypto:ETH-USD", id="the one in the vault's currency"),
        pytest.param("crypto:ETH", {"base_currency": "EUR"}, "crypto:ETH-EUR", id="the other in another vault"),
        pytest.param("crypto:BTC", {"crypto_enabled": False}, None, id="crypto rail closed"),
        pytest.param("equity:AAPL", {"fiat_enabled": False}, None, id="fiat rail closed"),
        pytest.param("equity:AAPL", {"base_currency": "EUR"}, None, id="no instrument in the currency"),
        pytest.param("equity:ZZZ", {}, None, id="unknown entity"),
        pytest.param("equity:AAPL", {"risk": validate_risk({"restricted": ["equity:AAPL"]})}, None, id="restricted"),
    ])
    def test_resolve(self, entity: str, fields: dict[str, Any], name: str | None) -> None:
        """The first that the vault may trade, else none, with a word on it."""
        plan = _plan(conviction(entity, STRONG), vault=vault(**fields))
        assert list(_weights(plan)) == ([name] if name else [])
        assert name or plan.target.unallocated[0].startswith(f"{entity}: no instrument in")

    def test_options_need_both_rails(self) -> None:
        """An option is bought with fiat, on the option rail."""
        call = equity("AAPL").model_copy(update={"instrument_id": "option:AAPL1", "asset_class": "option",
                                                 "entity": "equity:CALL"})
        some = {"equity:CALL": [call]}
        risk = validate_risk({"max_asset_class_pct": {"option": "0.1"}})
        for enabled in (True, False):
            plan = _plan(conviction("equity:CALL", STRONG), instruments=some,
                         vault=vault(options_enabled=enabled, risk=risk))
            assert bool(plan.target.targets) is enabled


class TestCaps:
    """Every cap shrinks, says so, and stays a hundredth below the executor's fence."""

    def test_single_position(self) -> None:
        """Five per cent of NAV at the most."""
        target = _target(_plan(conviction("equity:AAPL", STRONG)))
        assert target.weight_bp == 495
        assert target.limits == ["max_single_pos_pct 0.05: 0.8 was asked"]

    def test_asset_class(self) -> None:
        """Two coins share what crypto may have; the other classes are left alone."""
        wide = _roomy(risk={"max_asset_class_pct": {"equity": "1", "crypto": "0.30"}})
        rows = [conviction(name, STRONG) for name in ("crypto:BTC", "crypto:ETH")]
        plan = _plan(*rows, conviction("equity:AAPL", FAIR), vault=wide)
        weights = _weights(plan)
        assert weights["crypto:BTC-USD"] == weights["crypto:ETH-USD"] == 1_485
        assert _target(plan, "crypto:BTC-USD").limits[0].startswith("max_asset_class_pct crypto 0.3: 0.")
        assert _target(plan).limits == []

    def test_a_class_that_is_not_named_may_not_be_held(self) -> None:
        """A missing limit is no permission."""
        plan = _plan(conviction("crypto:BTC", STRONG), vault=_roomy(risk={"max_asset_class_pct": {"equity": "1"}}))
        assert _weights(plan) == {"crypto:BTC-USD": 0}

    def test_a_cap_is_only_named_where_it_bites(self) -> None:
        """What another cap has already taken whole is not cut by the next one."""
        some = _roomy(risk={"max_asset_class_pct": {"equity": "1"}},
                      allocation=_rule(mode="banded", bands={"0": "0.9"}))
        plan = _plan(conviction("crypto:BTC", STRONG), conviction("equity:AAPL", STRONG), vault=some)
        assert _target(plan).limits == ["invest_pct 0.8: 0.9 was asked"]
        assert _target(plan, "crypto:BTC-USD").limits == ["max_asset_class_pct crypto 0: 0.9 was asked"]

    @pytest.mark.parametrize(("fields", "limit", "weight"), [
        pytest.param({"allocation": _rule(invest_pct="0.5", mode="banded", bands={"0": "1"})}, "invest_pct 0.5", 5_000,
                     id="invest_pct"),
        pytest.param({"risk": {"max_gross_pct": "0.5"}, "allocation": _rule(mode="banded", bands={"0": "1"})},
                     "max_gross_pct 0.5", 4_950, id="max_gross_pct"),
        pytest.param({"risk": {"min_cash_pct": "0.6"}, "allocation": _rule(mode="banded", bands={"0": "1"})},
                     "min_cash_pct 0.6", 4_000, id="min_cash_pct"),
    ])
    def test_the_whole(self, fields: dict[str, Any], limit: str, weight: int) -> None:
        """The smallest of the three bites and is named."""
        plan = _plan(conviction("equity:AAPL", STRONG), vault=_roomy(**fields))
        assert _weights(plan) == {"equity:AAPL": weight}
        assert _target(plan).limits[-1] == f"{limit}: 0.99 was asked"

    def test_max_positions(self) -> None:
        """The largest stay, ties by name; the others are said to be too many."""
        few = vault(allocation=_rule(max_positions=1))
        plan = _plan(conviction("equity:MSFT", STRONG), conviction("equity:AAPL", STRONG), vault=few)
        assert list(_weights(plan)) == ["equity:AAPL"]
        assert plan.target.unallocated == ["equity:MSFT: no persona sees 1000 basis points"]

    def test_max_positions_over_all_personas(self) -> None:
        """Two personas with one position each want two; the vault holds one."""
        two = _roomy(personas=["Apollo", "Ares"], allocation=_rule(max_positions=1, allow_short=True))
        plan = _plan(conviction("equity:AAPL", {"sec.form4": 1_000}), conviction("crypto:BTC", {"reddit.posts": 500,
                     "crypto.ticker": 530, "news.rss": 300}), vault=two)
        assert len(_weights(plan)) == 1
        assert any("more than max_positions 1" in word for word in plan.target.unallocated)

    @settings(deadline=None, derandomize=True, max_examples=60)
    @given(said=st.lists(st.integers(-1_390, 1_390), min_size=1, max_size=5), single=st.integers(1, 100),
           invest=st.integers(0, 100), short=st.booleans(), mode=st.sampled_from(["proportional", "banded"]))
    def test_no_cap_is_ever_broken(self, said: list[int], single: int, invest: int, short: bool, mode: str) -> None:
        """Whatever is asked, every weight and their sum stay within what the vault allows, to the basis point."""
        some = vault(risk=validate_risk({"max_single_pos_pct": Decimal(single) / 100}), personas=["Apollo", "Ares"],
                     allocation=_rule(invest_pct=Decimal(invest) / 100, allow_short=short, mode=mode))
        entities = ["equity:AAPL", "equity:MSFT", "equity:NVDA", "crypto:BTC", "crypto:ETH"]
        plan = _plan(*(conviction(name, {"sec.form4": part}) for name, part in zip(entities, said, strict=False)),
                     vault=some)
        weights = _weights(plan)
        assert all(abs(weight) <= single * 99 for weight in weights.values())
        assert sum(abs(weight) for weight in weights.values()) <= invest * 100
        assert sum(abs(weight) for name, weight in weights.items() if name.startswith("crypto")) <= 2_970
        assert short or all(weight >= 0 for weight in weights.values())


class TestCompounding:
    """What share of realised profit is invested again."""

    @pytest.mark.parametrize(("realised", "reinvest", "base", "weight"), [
        pytest.param("20000", "1.00", "120000", 8_000, id="all of it"),
        pytest.param("20000", "0.50", "110000", 7_333, id="half of it"),
        pytest.param("20000", "0", "100000", 6_666, id="nothing of it"),
        pytest.param("-20000", "0", "120000", 8_000, id="a loss keeps nothing back"),
        pytest.param("200000", "0", "0", 0, id="more profit than there is NAV"),
    ])
    def test_base(self, realised: str, reinvest: str, base: str, weight: int) -> None:
        """NAV 120,000; what is kept back rolls forward as cash."""
        some = _roomy(compounding=Vault.model_validate(
            {"vault_id": "VX", "label": "x", "compounding": {"reinvest_pct": reinvest}}).compounding)
        plan = _plan(conviction("equity:AAPL", STRONG), vault=some,
                     holdings=holdings(nav="120000", realised=Decimal(realised)))
        assert plan.target.base == Decimal(base)
        assert plan.target.reserved == max(Decimal(0), Decimal(realised)) * (1 - Decimal(reinvest))
        assert _weights(plan) == {"equity:AAPL": weight}

    def test_a_vault_without_value_plans_nothing(self) -> None:
        """NAV 0 has no shares."""
        assert _weights(_plan(conviction("equity:AAPL", STRONG), holdings=holdings(nav="0"))) == {"equity:AAPL": 0}


class TestFlip:
    """A short-lived tilt towards one persona."""

    def test_slice_moves_to_the_persona_and_is_raised(self) -> None:
        """Athena has the vault, Apollo a tenth of NAV, raised by a quarter: 0.72 and 0.10 of it."""
        two = _roomy(personas=["Athena", "Apollo"], allocation=_rule(invest_pct="0.80"))
        quiet = Overlay.model_validate({**CLEAR, "persona_boosts": {"Apollo": "-0.5"}})
        assert _target(_plan(conviction("equity:AAPL", STRONG), vault=two, overlay=quiet)).flip_id is None
        flipped = _flip(persona_boosts={"Apollo": "-0.5"})
        plan = _plan(conviction("equity:AAPL", STRONG), vault=two, overlay=flipped)
        target = _target(plan)
        assert (target.flip_id, target.weight_bp) == ("F1", 8_000)
        assert target.limits == ["invest_pct 0.8: 0.82 was asked"]
        assert target.personas == {"Athena": 7_024, "Apollo": 976}
        assert plan.flips == {}

    def test_a_position_for_the_flip_alone_ends_with_it(self) -> None:
        """What only the flip's persona wants, and only because of the flip, is held until the flip's end."""
        two = _roomy(personas=["Athena", "Apollo"], allocation=_rule(min_conviction_bp=2_000))
        crowd = conviction("equity:AAPL", {"reddit.posts": 550})
        for amplify in ("0.25", "1"):
            tilt = _flip(flip={"amplify": amplify}, persona_boosts={"Apollo": "-0.5"})
            plan = _plan(crowd, vault=two, overlay=tilt)
            assert _weights(plan) == {"equity:AAPL": 1_000}, "a flip never leaves its slice"
            assert plan.flips == {"equity:AAPL": NOW + timedelta(minutes=45)}

    @pytest.mark.parametrize(("changes", "why"), [
        pytest.param({"flip": {"started_at": iso(NOW + timedelta(seconds=1))}}, "it starts later", id="not yet"),
        pytest.param({"flip": {"started_at": iso(NOW - timedelta(minutes=45))}}, "its time is over", id="over"),
        pytest.param({"flip": {"persona": "contrarian"}}, "V_CORE does not employ contrarian", id="not employed"),
        pytest.param({"full_halt": True}, "full_halt is on", id="halted"),
        pytest.param({"reduce_only": True}, "reduce_only is on", id="reduce only"),
        pytest.param({"reduce_only": {"enabled": True, "until": iso(NOW + timedelta(minutes=1))}}, "reduce_only is on",
                     id="reduce only for a while"),
        pytest.param({"full_halt": {"enabled": True, "until": iso(NOW)}}, "full_halt is on",
                     id="a full halt does not end by itself"),
        pytest.param({"scopes": {"vault": {"V_CORE": {"orders_disabled": True}}}}, "orders_disabled is on",
                     id="halted in the vault's scope"),
    ])
    def test_inert(self, changes: dict[str, Any], why: str) -> None:
        """It tilts nothing, and the reason is noted."""
        plan = _plan(conviction("equity:AAPL", STRONG), overlay=_flip(**changes))
        assert plan.notes == (f"flip F1 does nothing: {why}",)
        assert _target(plan).flip_id is None
        assert _weights(plan) == _weights(_plan(conviction("equity:AAPL", STRONG)))

    @pytest.mark.parametrize("changes", [
        pytest.param({"flip": {"started_at": iso(NOW - timedelta(minutes=44))}}, id="its last minute"),
        pytest.param({"maintenance": {"enabled": True, "until": iso(NOW)}}, id="maintenance is over"),
        pytest.param({"maintenance": {"enabled": False}}, id="a long switch that is off"),
        pytest.param({"scopes": {"vault": {"V_OTHER": {"full_halt": True}}}}, id="another vault is halted"),
    ])
    def test_in_force(self, changes: dict[str, Any]) -> None:
        """It tilts, and there is nothing to note."""
        plan = _plan(conviction("equity:AAPL", STRONG), overlay=_flip(**changes))
        assert plan.notes == ()
        assert _target(plan).flip_id == "F1"

    def test_another_vaults_flip_is_no_news(self) -> None:
        """Neither tilt nor note."""
        plan = _plan(conviction("equity:AAPL", STRONG), overlay=_flip(flip={"vault": "V_OTHER"}))
        assert (plan.notes, _target(plan).flip_id) == ((), None)


class TestHeld:
    """What is held and what becomes of it."""

    def test_unwanted_goes(self) -> None:
        """No conviction any more: target 0, entity by the registry."""
        target = _target(_plan(holdings=holdings(row("crypto:BTC-USD", "1"))), "crypto:BTC-USD")
        assert (target.weight_bp, target.notional, target.entity) == (0, Decimal(0), "crypto:BTC")
        assert (target.signal_id, target.dag_id, target.limits) == ("none", "dag1_now", ["no persona wants it"])

    def test_unknown_instrument_goes_too(self) -> None:
        """What the registry does not know is named as it is."""
        assert _target(_plan(holdings=holdings(row("equity:OLD", "1"))), "equity:OLD").entity == "equity:OLD"

    def test_working_orders_count_as_held(self) -> None:
        """An order for what nobody wants is something to end."""
        working = row("equity:AAPL", "0", working_buy=Decimal(5))
        assert _weights(_plan(holdings=holdings(working))) == {"equity:AAPL": 0}
        assert _weights(_plan(holdings=holdings(row("equity:AAPL", "0")))) == {}

    @pytest.mark.parametrize("vaults_own", [True, False])
    def test_what_may_not_be_traded_is_left_alone(self, vaults_own: bool) -> None:
        """Restricted by the vault or not tradable at all: no target, no intent, a word."""
        table = dict(INSTRUMENTS)
        if not vaults_own:
            table["equity:AAPL"] = table["equity:AAPL"].model_copy(update={"tradable": False})
        some = vault(risk=validate_risk({"restricted": ["equity:AAPL"]})) if vaults_own else vault()
        held = holdings(row("equity:AAPL", "10"))
        for rows in ((), (conviction("equity:AAPL", STRONG),)):
            plan = _plan(*rows, vault=some, instruments=by_entity(table), holdings=held)
            assert plan.target.targets == []
            assert "equity:AAPL" in plan.frozen
            assert plan.target.unallocated[-1] == "equity:AAPL: held, and may not be traded"

    def test_nav_unknown_plans_exits_only(self) -> None:
        """A holding without a mark: what is unwanted goes, nothing else moves."""
        rows = (row("equity:AAPL", "10", mark=None), row("equity:MSFT", "10"))
        plan = _plan(conviction("equity:AAPL", STRONG), holdings=holdings(*rows, nav=None))
        assert (plan.target.nav, plan.target.base) == (None, None)
        assert _weights(plan) == {"equity:MSFT": 0}
        assert "equity:AAPL" in plan.frozen
        assert plan.target.unallocated[0].startswith("NAV is unknown")


class TestUnknown:
    """Unknown is not zero: what rested on evidence that is not there now is left as it is."""

    def _before(self, **changes: Any) -> dict[str, Target]:
        target = _target(_plan(conviction("equity:AAPL", {"sec.form4": 900, "news.rss": 100})))
        return {"equity:AAPL": target.model_copy(update=changes)}

    @pytest.mark.parametrize("left", [
        pytest.param((), id="the conviction is gone"),
        pytest.param((conviction("equity:AAPL", {"news.rss": 300}),), id="the conviction is half there")])
    def test_frozen_while_its_feed_has_no_weight(self, left: tuple[Conviction, ...]) -> None:
        """The weight of before stays, in today's money, and no intent may come of it."""
        held = holdings(row("equity:AAPL", "49"), nav="200000")
        plan = _plan(*left, previous=self._before(), missing=frozenset({"sec"}), holdings=held)
        target = _target(plan)
        assert (target.weight_bp, target.notional) == (495, Decimal(9_900))
        assert target.limits == ["kept as it was: feed sec has no weight at the moment"]
        assert plan.frozen == {"equity:AAPL"}
        assert len(plan.target.targets) == 1

    def test_frozen_when_nobody_reflects(self) -> None:
        """A conviction past its time is no conviction, and no reason to sell either."""
        old = conviction("equity:AAPL", {"sec.form4": 900}, expires_at=iso(NOW))
        plan = _plan(old, previous=self._before())
        assert _target(plan).limits == [f"kept as it was: its conviction has not been renewed since {iso(NOW)}"]
        assert _plan(old).target.targets == []

    def test_frozen_weights_use_up_room(self) -> None:
        """What cannot be judged still counts against the caps."""
        some = _roomy(allocation=_rule(invest_pct="0.10"))
        for kept, left in ((600, 400), (1_500, 0)):
            plan = _plan(conviction("equity:MSFT", STRONG), vault=some, previous=self._before(weight_bp=kept),
                         missing=frozenset({"sec"}))
            assert _weights(plan) == {"equity:AAPL": kept, "equity:MSFT": left}

    def test_frozen_while_nav_is_unknown_keeps_its_money(self) -> None:
        """No NAV, no new notional; nothing is listed that is no exit."""
        plan = _plan(previous=self._before(), missing=frozenset({"sec"}), holdings=holdings(nav=None))
        assert plan.target.targets == []
        assert plan.frozen == {"equity:AAPL"}

    @pytest.mark.parametrize(("changes", "missing", "some"), [
        pytest.param({}, "reddit", vault(), id="the feed that is missing said nothing about it"),
        pytest.param({"weight_bp": 0}, "sec", vault(), id="there was no weight"),
        pytest.param({"flip_id": "F1"}, "sec", vault(), id="a flip had raised it, and is over"),
        pytest.param({}, "sec", vault(fiat_enabled=False), id="the vault may not hold it any more"),
    ])
    def test_not_frozen(self, changes: dict[str, Any], missing: str, some: Vault) -> None:
        """Then it goes like anything that nobody wants."""
        plan = _plan(previous=self._before(**changes), missing=frozenset({missing}), vault=some,
                     holdings=holdings(row("equity:AAPL", "49")))
        assert _weights(plan) == {"equity:AAPL": 0}
        assert plan.frozen == frozenset()

    def test_a_flip_in_force_may_be_frozen(self) -> None:
        """Its time is not over, and its feed is not there."""
        plan = _plan(previous=self._before(flip_id="F1"), missing=frozenset({"sec"}), overlay=_flip())
        assert plan.frozen == {"equity:AAPL"}


def test_words_are_shortened() -> None:
    """Fifty are listed, the others counted."""
    rows = [conviction(f"equity:Q{n}", STRONG) for n in range(60)]
    words = _plan(*rows).target.unallocated
    assert len(words) == 51
    assert words[-1] == "and 10 more"


def test_ties_go_by_id_whatever_the_order() -> None:
    """The plan does not depend on the order of convictions or instruments."""
    rows = [conviction(name, STRONG) for name in ("equity:NVDA", "crypto:ETH", "equity:AAPL")]
    table = {name: list(reversed(group)) for name, group in by_entity(INSTRUMENTS).items()}
    assert _plan(*rows).target == _plan(*reversed(rows), instruments=table).target
    assert crypto("ETH").instrument_id in _weights(_plan(*rows))
