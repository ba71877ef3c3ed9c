"""Alerts come at half and at four fifths of a limit, once, and again only after they were left."""

from tests.unit.executor.world import World, vault
from vanta.common.models.vault import VaultRegistry
from vanta.executor.core.alerts import of_lines, of_losses
from vanta.executor.core.proposal import Line


def world_of(**risk: str) -> World:
    """A world with wide limits but for some."""
    wide = {"max_single_pos_pct": "0.20", "max_asset_class_pct": {"equity": "1.0", "crypto": "1.0"}}
    return World(vaults=[vault(risk={**wide, **risk})])


def test_a_position_that_nears_its_limit_is_said_once_for_each_level() -> None:
    """9 % of 20 % says nothing, 11 % and 17 % do, and the same level is not said twice."""
    world = world_of()
    world.quote("crypto:BTC-USD", "100.00")
    said = []
    for notional in ("9000", "2000", "2500", "3500"):
        world.want("crypto:BTC-USD", notional)
        said.append([(one.about, one.level) for one in world.step().alerts if "exposure" in one.about])
    assert said == [[], [("V_CORE exposure", 50)], [], [("V_CORE exposure", 80)]]
    assert world.book.alerts["V_CORE exposure"] == 80


def test_a_loss_that_nears_its_limit_is_said_before_it_latches_and_when_it_is_over() -> None:
    """Half of the day's loss, then four fifths; back above both, the levels are left again, silently."""
    world = world_of(max_single_pos_pct="0.9", max_daily_loss="0.05", max_order_value="90000")
    world.quote("crypto:BTC-USD", "100.00")
    world.want("crypto:BTC-USD", "50000")
    world.step()
    world.step()
    world.quote("crypto:BTC-USD", "94.00")
    assert ("V_CORE loss of the day", 50) in [one[:2] for one in world.step().alerts]
    world.quote("crypto:BTC-USD", "91.00")
    assert ("V_CORE loss of the day", 80) in [one[:2] for one in world.step().alerts]
    assert not world.book.latches
    world.quote("crypto:BTC-USD", "100.00")
    assert world.step().alerts == []
    assert world.book.alerts["V_CORE loss of the day"] == 0
    world.quote("crypto:BTC-USD", "80.00")
    report = world.step()
    assert any("loss.daily" in one for one in report.latched)


def test_without_a_nav_nothing_is_measured() -> None:
    """A vault without a day or a mark has no share of its limit."""
    world = World()
    registry = VaultRegistry.model_validate({"vaults": [vault(), vault("V_NEW")]})
    assert of_losses(world.book, registry, {"V_CORE": None}) == []


def test_a_limit_of_nothing_is_never_neared() -> None:
    """Its fence refuses everything; there is no half of it."""
    assert of_lines("V_CORE", [Line("exposure", None, "0", "0")], {}) == []
