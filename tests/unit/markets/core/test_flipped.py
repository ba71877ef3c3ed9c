"""What a flip changes: the weights asked for with it against those without it, as the allocator's own plans show."""

from datetime import timedelta
from typing import Any

from tests.unit.markets.claims import NOW
from tests.unit.markets.core.book import CARDS, INSTRUMENTS, RULES, conviction, holdings, vault
from vanta.common.models.conviction import Conviction
from vanta.common.models.overlay import Overlay
from vanta.common.models.vault import Vault
from vanta.common.registry import by_entity
from vanta.common.times import iso
from vanta.markets.core.allocate import AllocationInputs, allocate
from vanta.markets.core.flipped import Asked, FlipPreview, flipped
from vanta.markets.core.tilt import active_flip

CLEAR = {"maintenance": False, "orders_disabled": False, "external_calls_disabled": False, "full_halt": False}
ROOMY = Vault.model_validate({"vault_id": "VX", "label": "x", "risk": {
    "max_single_pos_pct": "1", "max_asset_class_pct": {"equity": "1", "crypto": "1"}, "max_gross_pct": "1"}}).risk
FLIP = {"flip_id": "F1", "vault": "V_CORE", "persona": "Apollo", "ttl_min": 45, "slice": "0.20", "amplify": "0.50",
        "started_at": iso(NOW)}
ROWS = (conviction("equity:AAPL", {"reddit.posts": 400, "sec.form4": 60}),
        conviction("equity:MSFT", {"sec.form4": 900}))
HELD = vault(risk=ROOMY, personas=["Athena", "Apollo"])


def preview(rows: tuple[Conviction, ...] = ROWS, **flip: Any) -> FlipPreview:
    """What the flip changes in a vault of Athena and Apollo whose caps do not bite."""
    overlay = Overlay.model_validate({**CLEAR, "flip": {**FLIP, **flip}})
    active, _ = active_flip(overlay, HELD, NOW)
    assert active is not None
    return flipped(rows, active, Asked(vault=HELD, overlay=overlay, instruments=by_entity(INSTRUMENTS), cards=CARDS,
                                       strength=RULES.strength), now=NOW)


def planned(overlay: dict[str, Any]) -> dict[str, int]:
    """Target weights of the allocator, in basis points."""
    plan = allocate(AllocationInputs(
        now=NOW, dag_id="dag1_now", convictions=ROWS, missing=frozenset(), vault=HELD, holdings=holdings(), previous={},
        overlay=Overlay.model_validate({**CLEAR, **overlay}), instruments=by_entity(INSTRUMENTS), cards=CARDS,
        strength=RULES.strength))
    return {one.instrument_id: one.weight_bp for one in plan.target.targets}


def test_the_changes_are_those_of_the_plans() -> None:
    """Where no cap bites, what is asked for is what is planned, with the flip and without it."""
    found = preview(amplify="0")
    before, after = planned({}), planned({"flip": {**FLIP, "amplify": "0"}})
    assert before != after
    assert {one.instrument_id: (one.without_bp, one.with_bp) for one in found.changes} == {
        name: (before.get(name, 0), after.get(name, 0)) for name in {*before, *after}
        if before.get(name, 0) != after.get(name, 0)}
    assert (found.vault_id, found.flip.ends) == ("V_CORE", NOW + timedelta(minutes=45))


def test_the_largest_change_comes_first() -> None:
    """Whichever way it goes."""
    sizes = [abs(one.with_bp - one.without_bp) for one in preview(slice="0.25", amplify="1").changes]
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) == 2


def test_without_convictions_nothing_changes() -> None:
    """Nothing is asked for either way; what has outlived its time does not count."""
    assert preview(()).changes == ()
    old = tuple(row.model_copy(update={"expires_at": iso(NOW)}) for row in ROWS)
    assert preview(old).changes == ()
