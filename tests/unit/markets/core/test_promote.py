"""From plans and truth to the queue: one live intent per key, nothing twice, nothing lost."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.unit.markets.claims import NOW
from tests.unit.markets.core.book import CARDS, holdings, row, vault
from tests.unit.markets.core.desk import AAPL, HASHES, NAMED, Desk, joined, record, wants
from vanta.common.ids import intent_id
from vanta.common.models.allocation import Target
from vanta.common.models.intent import Intent, Withdrawal
from vanta.common.models.vault import Vault
from vanta.common.times import iso, parse_iso
from vanta.markets.core.outcomes import Unheard
from vanta.markets.core.promote import promote


def _only(intents: Iterable[Intent]) -> Intent:
    [intent] = intents
    return intent


class TestStaging:
    """What becomes an intent."""

    def test_entry(self) -> None:
        """Everything an executor and an auditor need is on it."""
        intent = _only(Desk([wants(AAPL, 4_950)]).run().intents)
        assert (intent.account, intent.vault, intent.instrument_id) == ("paper", "V_CORE", AAPL)
        assert (intent.side, intent.close) == ("buy", False)
        assert intent.notional == intent.target_notional == 4_950
        assert (intent.basis_seq, intent.created_at) == (0, iso(NOW))
        assert intent.expires_at == iso(NOW + timedelta(seconds=900))
        why = intent.provenance
        assert (why.signal_id, why.dag_id, why.entity, why.inputs) == (NAMED.signal_id, "dag1_x", AAPL, HASHES)
        assert why.sources == {line.reason.removeprefix("source:"): line.bp for line in NAMED.reason_vector[1:]}
        assert intent.exit_plan == CARDS["Apollo"].exit_plan

    @pytest.mark.parametrize(("bp", "band"), [(0, "low"), (2_499, "low"), (2_500, "medium"), (4_999, "medium"),
                                              (5_000, "high"), (9_999, "high")])
    def test_bands(self, bp: int, band: str) -> None:
        """Edges at 2,500 and 5,000."""
        made = Desk([wants(AAPL, 4_950, conviction_bp=bp)]).run()
        assert _only(made.intents).provenance.band == band

    @pytest.mark.parametrize(("target", "held", "side", "notional", "close"), [
        pytest.param(4_950, "20", "buy", 2_950, False, id="more of it"),
        pytest.param(4_950, "70", "sell", 2_050, False, id="less of it"),
        pytest.param(0, "20", "sell", 2_000, True, id="none of it"),
        pytest.param(0, "0.001", "sell", 1, True, id="none of it, although it is dust"),
        pytest.param(-4_950, "-20", "sell", 2_950, False, id="a larger short"),
        pytest.param(-4_950, "-70", "buy", 2_050, False, id="a smaller short"),
        pytest.param(0, "-20", "buy", 2_000, True, id="no short any more"),
        pytest.param(-4_950, "20", "sell", 2_000, True, id="to the other side: first to nothing"),
        pytest.param(4_950, "-20", "buy", 2_000, True, id="and back"),
    ])
    def test_sides(self, target: int, held: str, side: str, notional: int, close: bool) -> None:
        """Mark 100."""
        intent = _only(Desk([wants(AAPL, target)], holdings(row(AAPL, held))).run().intents)
        assert (intent.side, intent.notional, intent.close) == (side, Decimal(notional), close)

    @pytest.mark.parametrize(("target", "staged"), [
        pytest.param(3_000, 1, id="exactly the band"), pytest.param(2_999, 0, id="less than the band"),
        pytest.param(1_000, 1, id="downwards as well"), pytest.param(1_001, 0, id="and less")])
    def test_dead_band(self, target: int, staged: int) -> None:
        """2,000 held, band one hundredth of 100,000."""
        assert len(Desk([wants(AAPL, target)], holdings(row(AAPL, "20"))).run().staged) == staged

    def test_a_band_of_nothing_still_leaves_less_than_one_unit(self) -> None:
        """Nobody trades cents."""
        eager = vault(allocation=Vault.model_validate(
            {"vault_id": "VX", "label": "x", "allocation": {"rebalance_band_pct": "0"}}).allocation)
        held = holdings(row(AAPL, "20", mark="100.02"))
        cents = Desk([wants(AAPL, 2_001)], held, eager).run()
        assert (cents.staged, cents.waiting) == ((), ())
        assert len(Desk([wants(AAPL, 2_002)], held, eager).run().staged) == 1

    def test_working_orders_count(self) -> None:
        """What is being bought or sold already is not asked for again."""
        for changes in ({"working_buy": Decimal(30)}, {"quantity": Decimal(60), "working_sell": Decimal(10)}):
            held = holdings(row(AAPL, "20").model_copy(update=changes))
            assert Desk([wants(AAPL, 5_000)], held).run().staged == ()

    def test_unknown_mark_stages_no_difference(self) -> None:
        """What a holding is worth is not guessed; it can still be left, at about its price."""
        for target, staged in ((4_950, 0), (0, 1)):
            made = Desk([wants(AAPL, target)], holdings(row(AAPL, "20", mark=None))).run()
            assert len(made.staged) == staged
        assert _only(made.intents).notional == 2_000

    def test_nothing_held_needs_no_mark(self) -> None:
        """An empty row is as good as none."""
        made = Desk([wants(AAPL, 4_950)], holdings(row(AAPL, "0", mark=None))).run()
        assert _only(made.intents).notional == 4_950

    def test_less_than_a_unit_is_no_intent(self) -> None:
        """Where the band is nothing and the cash nearly so."""
        eager = vault(allocation=Vault.model_validate(
            {"vault_id": "VX", "label": "x", "allocation": {"rebalance_band_pct": "0"}}).allocation)
        made = Desk([wants(AAPL, 4_950)], holdings(cash=Decimal("2000.90")), eager).run()
        assert (made.intents, len(made.waiting)) == ((), 1)

    def test_unknown_nav_stages_exits_only(self) -> None:
        """There is no band without NAV."""
        made = Desk([wants(AAPL, 4_950), wants("equity:MSFT", 0)],
                    holdings(row("equity:MSFT", "5"), nav=None)).run()
        assert _only(made.intents).instrument_id == "equity:MSFT"

    def test_frozen_is_left_alone(self) -> None:
        """Whatever its target says."""
        assert Desk([wants(AAPL, 4_950)], frozen=frozenset({AAPL})).run().intents == ()

    def test_multiplier_counts(self) -> None:
        """A position in something that the registry does not know has multiplier 1."""
        name = "equity:UNKNOWN"
        assert _only(Desk([wants(name, 4_950)], holdings(row(name, "20"))).run().intents).notional == 2_950

    def test_exits_come_first_then_sales_then_buys(self) -> None:
        """So that what is sold can pay for what is bought."""
        made = Desk([wants(AAPL, 4_950), wants("equity:MSFT", 1_000), wants("equity:NVDA", 0)],
                    holdings(row("equity:MSFT", "50"), row("equity:NVDA", "5"))).run()
        assert [(one.instrument_id, one.side, one.close) for one in made.intents] == [
            ("equity:NVDA", "sell", True), ("equity:MSFT", "sell", False), (AAPL, "buy", False)]

    def test_an_absurd_mark_still_makes_an_exit(self) -> None:
        """A position that a bad quote makes worth more than any money is left like any other."""
        held = row(AAPL, "1000000000000", mark="1000000000")
        made = _only(Desk([wants(AAPL, 0)], holdings(held, nav="1e21")).run().intents)
        assert (made.close, made.notional) == (True, Decimal(10**15))

    def test_largest_order(self) -> None:
        """An entry is cut to max_order_value, an exit is not."""
        rich = holdings(nav="1000000")
        assert _only(Desk([wants(AAPL, 90_000)], rich).run().intents).notional == 25_000
        held = holdings(row(AAPL, "900"), nav="1000000")
        assert _only(Desk([wants(AAPL, 10_000)], held).run().intents).notional == 80_000

    @pytest.mark.parametrize(("cash", "notional"), [
        pytest.param("7049.00", 4_950, id="enough for all of it"),
        pytest.param("7048.00", 4_949, id="a unit less"),
        pytest.param("3020.00", 1_000, id="just the band"),
        pytest.param("3019.00", None, id="less than the band waits"),
        pytest.param("-5.00", None, id="none")])
    def test_cash(self, cash: str, notional: int | None) -> None:
        """Two per cent of NAV stays, and a buy is planned with a margin of two per cent."""
        made = Desk([wants(AAPL, 4_950)], holdings(cash=Decimal(cash))).run()
        assert [one.notional for one in made.intents] == ([notional] if notional else [])
        assert made.waiting == (() if notional else ("V_CORE equity:AAPL: waits for cash",))

    def test_cash_is_spent_once(self) -> None:
        """By the new buys, and by those of before that have not reached the venue yet."""
        desk = Desk([wants(AAPL, 4_000)], holdings(cash=Decimal(9_000)))
        staged = _only(desk.run().intents)
        desk.targets = [wants(AAPL, 4_000), wants("equity:MSFT", 4_000)]
        assert desk.run().intents[1].notional == 2_862
        desk.queue, desk.live = (staged,), {staged.intent_id: "working"}
        assert desk.run().intents[1].notional == 4_000
        both = Desk([wants(AAPL, 4_000), wants("equity:MSFT", 4_000)], holdings(cash=Decimal(9_000)))
        assert [one.notional for one in both.run().intents] == [4_000, 2_862]

    def test_several_vaults_share_nothing(self) -> None:
        """The same instrument in another vault is another key."""
        one, other = (Desk([wants(AAPL, 4_950)], holdings(vault_id=name), vault(name)) for name in ("V_CORE", "V_TWO"))
        assert len(set(promote(joined(one, other)).staged)) == 2

    def test_exits_come_first_over_all_vaults(self) -> None:
        """Whatever the vault is called."""
        buys = Desk([wants(AAPL, 4_950)], holdings(vault_id="V_A"), vault("V_A"))
        leaves = Desk([wants("equity:MSFT", 0)], holdings(row("equity:MSFT", "9"), vault_id="V_B"), vault("V_B"))
        assert [one.vault for one in promote(joined(buys, leaves)).intents] == ["V_B", "V_A"]


class TestExitPlans:
    """How a position is to be left if nobody says otherwise."""

    def test_the_leading_persona_decides(self) -> None:
        """The one that asked for most; ties go by name; an exit has none."""
        for personas, name in (({"Apollo": 200, "Ares": 300}, "Ares"), ({"Apollo": 300, "Ares": 300}, "Apollo")):
            intent = _only(Desk([wants(AAPL, 5_000, personas=personas)]).run().intents)
            assert intent.exit_plan == CARDS[name].exit_plan  # type: ignore[index]
        leaving = _only(Desk([wants(AAPL, 0)], holdings(row(AAPL, "5"))).run().intents)
        assert leaving.exit_plan.max_holding_s is None
        assert leaving.provenance.personas == {}

    def test_a_flips_own_position_ends_with_the_flip(self) -> None:
        """The plan's longest holding is what is left of the flip, and the intent does not outlive it."""
        ends = NOW + timedelta(minutes=5)
        target = wants(AAPL, 5_000, flip_id="F1")
        intent = _only(Desk([target], flips={AAPL: ends}).run().intents)
        assert (intent.flip_id, intent.expires_at, intent.exit_plan.max_holding_s) == ("F1", iso(ends), 300)
        later = _only(Desk([target], flips={AAPL: NOW + timedelta(days=400)}).run().intents)
        assert later.exit_plan.max_holding_s == CARDS["Apollo"].exit_plan.max_holding_s
        assert later.expires_at == iso(NOW + timedelta(seconds=900))


class TestTwice:
    """Nothing is staged twice, and what ended is restated on its new basis."""

    def test_the_same_inputs_again_stage_nothing(self) -> None:
        """The queue of the second pass is the queue of the first, byte for byte, later too."""
        desk = Desk([wants(AAPL, 4_950)])
        first = desk.run()
        desk.now += timedelta(seconds=60)
        second = desk.run()
        assert second.intents == first.intents
        assert (second.staged, second.withdrawn, second.removed) == ((), (), {})

    def test_a_lost_queue_makes_the_same_id(self) -> None:
        """Key, basis and target make the id; time does not."""
        one, other = Desk([wants(AAPL, 4_950)]), Desk([wants(AAPL, 4_950)], now=NOW + timedelta(hours=1))
        assert one.run().staged == other.run().staged

    def test_an_intent_that_only_the_executor_knows_blocks_its_key(self) -> None:
        """A lost queue does not make a second order while the first is live."""
        lost = _only(Desk([wants(AAPL, 3_000)]).run().intents)
        desk = Desk([wants(AAPL, 4_950)])
        desk.seen(lost)
        made = desk.run()
        assert made.intents == ()
        assert made.waiting == ("V_CORE equity:AAPL: the executor still has an intent for it",)

    def test_after_a_fill_the_new_basis_makes_a_new_id(self) -> None:
        """Half was filled, then it was cancelled: the rest is asked for on what is held now."""
        desk = Desk([wants(AAPL, 4_950)])
        first = _only(desk.run().intents)
        desk.ends(first, "cancelled", seq=7)
        desk.held, desk.basis = holdings(row(AAPL, "20")), {f"V_CORE|{AAPL}": 7}
        made = desk.run()
        second = _only(made.intents)
        assert made.removed == {first.intent_id: "cancelled"}
        assert second.intent_id != first.intent_id
        assert (second.notional, second.basis_seq) == (Decimal(2_950), 7)
        assert second.intent_id == intent_id("paper", "V_CORE", AAPL, 7, {"target_notional": "4950", "close": False})

    def test_a_cut_older_than_the_end_stages_nothing(self) -> None:
        """The log says filled, the portfolio does not show it yet: wait."""
        desk = Desk([wants(AAPL, 4_950)])
        first = _only(desk.run().intents)
        desk.ends(first, "filled", seq=7)
        desk.as_of = 6
        made = desk.run()
        assert made.intents == ()
        assert made.waiting == (f"V_CORE equity:AAPL: portfolio.json does not show yet how {first.intent_id} ended",)
        desk.as_of, desk.held = 7, holdings(row(AAPL, "49.5"))
        desk.basis = {f"V_CORE|{AAPL}": 7}
        assert desk.run().waiting == ()

    @pytest.mark.parametrize("state", ["refused", "rejected", "quarantined", "expired", "cancelled"])
    def test_a_refusal_is_not_asked_for_again_at_once(self, state: str) -> None:
        """Not before its own time is over; then under an id of its own that names its predecessor."""
        desk = Desk([wants(AAPL, 4_950)])
        first = _only(desk.run().intents)
        desk.ends(first, state)
        made = desk.run()
        assert made.intents == ()
        why = f"{first.intent_id} asked for the same and was {state}; asked again at {first.expires_at}"
        assert made.waiting == (f"V_CORE equity:AAPL: {why}",)
        desk.now = parse_iso(first.expires_at)
        again = _only(desk.run().intents)
        assert again.intent_id != first.intent_id
        assert (again.notional, again.basis_seq) == (first.notional, first.basis_seq)

    def test_something_else_than_what_was_refused_may_be_asked_for(self) -> None:
        """Another target by more than the band, or leaving the position."""
        desk = Desk([wants(AAPL, 4_950)])
        desk.ends(_only(desk.run().intents), "refused")
        desk.targets = [wants(AAPL, 3_000)]
        assert len(desk.run().staged) == 1
        desk = Desk([wants(AAPL, 4_950)], holdings(row(AAPL, "20")))
        desk.ends(_only(desk.run().intents), "refused")
        desk.targets = [wants(AAPL, 0)]
        assert _only(desk.run().intents).close

    def test_a_refused_exit_waits_too(self) -> None:
        """A close is the same wish as the close before."""
        desk = Desk([wants(AAPL, 0)], holdings(row(AAPL, "20")))
        desk.ends(_only(desk.run().intents), "refused")
        assert desk.run().staged == ()

    def test_what_was_withdrawn_may_be_wanted_again(self) -> None:
        """At once, and not under the id that the executor has done with."""
        desk = Desk([wants(AAPL, 4_950)])
        first = _only(desk.run().intents)
        desk.ends(first, "withdrawn")
        assert _only(desk.run().intents).intent_id != first.intent_id


class TestLeaving:
    """When an entry leaves the queue."""

    @pytest.mark.parametrize("state", ["filled", "cancelled", "rejected", "refused", "expired", "withdrawn",
                                       "quarantined"])
    def test_the_journal_shows_its_end(self, state: str) -> None:
        """Any terminal state, however it came about."""
        desk = Desk([wants(AAPL, 4_950)])
        first = _only(desk.run().intents)
        desk.targets = []
        desk.ends(first, state)
        assert desk.run().removed == {first.intent_id: state}
        assert desk.queue == ()

    @pytest.mark.parametrize("state", ["seen", "held", "working", "partially_filled", None])
    def test_other_states_end_nothing(self, state: str | None) -> None:
        """Only a terminal state takes it out."""
        desk = Desk([wants(AAPL, 4_950)])
        first = _only(desk.run().intents)
        desk.seen(first)
        desk.log.append(record(3, "whatever", first.intent_id, intent_state=state))
        assert desk.run().intents == (first,)

    def test_expiry_plus_grace(self) -> None:
        """Not a second earlier, and not while the executor says that it is live."""
        desk = Desk([wants(AAPL, 4_950)])
        first = _only(desk.run().intents)
        desk.now = parse_iso(first.expires_at) + timedelta(seconds=299)
        assert desk.run().intents == (first,)
        desk.now += timedelta(seconds=1)
        desk.live = {first.intent_id: "working"}
        assert desk.run().intents == (first,)
        desk.live = {}
        made = desk.run()
        assert made.removed == {first.intent_id: "expired, and the executor never told of it"}
        assert _only(made.intents).intent_id != first.intent_id

    def test_expired_unheard_of_and_wanted_again_later(self) -> None:
        """Its id is never used again with other bytes: the executor may have seen it, or see it yet."""
        desk = Desk([wants(AAPL, 4_950)])
        first = _only(desk.run().intents)
        desk.now, desk.targets = parse_iso(first.expires_at) + timedelta(seconds=300), []
        assert desk.run().intents == ()
        desk.targets = [wants(AAPL, 4_950)]
        second = _only(desk.run().intents)
        assert second.intent_id != first.intent_id
        assert desk.unheard == {}
        desk.now = parse_iso(second.expires_at) + timedelta(seconds=300)
        third = _only(desk.run().intents)
        assert third.intent_id not in (first.intent_id, second.intent_id)

    def test_what_was_unheard_of_is_forgotten_when_its_basis_moves(self) -> None:
        """From then on no id can be the same."""
        desk = Desk([wants(AAPL, 4_950)])
        first = _only(desk.run().intents)
        desk.now, desk.targets = parse_iso(first.expires_at) + timedelta(seconds=300), []
        desk.run()
        assert desk.unheard == {("paper", "V_CORE", AAPL): Unheard(first.intent_id, 0)}
        desk.basis = {f"V_CORE|{AAPL}": 7}
        desk.run()
        assert desk.unheard == {}


class TestWithdrawing:
    """What happens to an entry that is no longer what is wanted."""

    @pytest.mark.parametrize(("targets", "why"), [
        pytest.param([], "nothing of it is wanted any more", id="no target"),
        pytest.param([wants(AAPL, 0)], "nothing of it is wanted any more", id="target 0"),
        pytest.param([wants(AAPL, 3_949)], "the target is now 3949", id="less by more than the band"),
        pytest.param([wants(AAPL, 5_951)], "the target is now 5951", id="more by more than the band"),
    ])
    def test_withdrawn(self, targets: list[Target], why: str) -> None:
        """It stays with a withdrawal beside it; the new wish waits for its end; the withdrawal keeps its time."""
        desk = Desk([wants(AAPL, 4_950)])
        first = _only(desk.run().intents)
        desk.targets = targets
        made = desk.run()
        assert made.intents == (first,)
        assert made.withdrawals == (Withdrawal(intent_id=first.intent_id, at=iso(NOW), reason=why),)
        assert made.withdrawn == (first.intent_id,)
        desk.now += timedelta(seconds=5)
        again = desk.run()
        assert (again.withdrawals, again.withdrawn) == (made.withdrawals, ())
        desk.ends(first, "withdrawn")
        done = desk.run()
        assert done.withdrawals == ()
        assert len(done.staged) == (1 if targets and targets[0].notional else 0)

    @pytest.mark.parametrize("target", [3_950, 5_950])
    def test_noise_withdraws_nothing(self, target: int) -> None:
        """Up to the band the staged intent is good enough."""
        desk = Desk([wants(AAPL, 4_950)])
        first = _only(desk.run().intents)
        desk.targets = [wants(AAPL, target)]
        made = desk.run()
        assert (made.intents, made.withdrawals) == ((first,), ())

    def test_an_exit_is_withdrawn_when_the_position_is_wanted_again(self) -> None:
        """And only then: at target 0, or on the way to the other side, it stays."""
        desk = Desk([wants(AAPL, 0)], holdings(row(AAPL, "20")))
        first = _only(desk.run().intents)
        for target in (0, -5_000):
            desk.targets = [wants(AAPL, target)]
            assert desk.run().withdrawals == ()
        desk.targets = [wants(AAPL, 4_950)]
        assert desk.run().withdrawals[0].reason == "the position is wanted again"
        gone = Desk([wants(AAPL, 4_950)], queue=(first,))
        assert gone.run().withdrawals == ()

    def test_frozen_entries_stay(self) -> None:
        """Nobody knows better at the moment."""
        desk = Desk([wants(AAPL, 4_950)])
        desk.run()
        desk.targets, desk.frozen = [], frozenset({AAPL})
        assert desk.run().withdrawals == ()

    def test_unknown_nav_judges_no_difference(self) -> None:
        """Without NAV there is no band; an entry whose target is gone is withdrawn all the same."""
        desk = Desk([wants(AAPL, 4_950)])
        desk.run()
        desk.held, desk.targets = holdings(nav=None), [wants(AAPL, 9_000)]
        assert desk.run().withdrawals == ()
        desk.targets = []
        assert len(desk.run().withdrawals) == 1

    def test_a_vault_that_is_gone(self) -> None:
        """Its entries are withdrawn; those of a vault that is only not in the portfolio yet stay."""
        desk = Desk([wants(AAPL, 4_950)])
        desk.run()
        desk.planned = False
        assert desk.run().withdrawals == ()
        desk.known = False
        assert desk.run().withdrawals[0].reason == "the vault is no longer in vault.json"
