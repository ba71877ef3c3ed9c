"""What is remembered about a vault or an account is what a fresh look would find."""

from decimal import Decimal

from tests.unit.executor.world import INSTRUMENTS, World, vault
from vanta.common.canonical import document
from vanta.common.models.configuration import ExecutorSettings, PaperSettings
from vanta.common.paths import VAULTS
from vanta.executor.core.totals import together, totals

NAMES = ("V_ONE", "V_TWO", "V_SIX")


def fresh(world: World) -> tuple[object, ...]:
    """NAVs, totals and sums with nothing remembered."""
    for each in world.book.vaults.values():
        each.marked = each.remembered = None
    for account in world.book.accounts.values():
        account.remembered = None
    return known(world)


def known(world: World) -> tuple[object, ...]:
    """The same as it is remembered."""
    return (together(world.book, "paper", INSTRUMENTS),
            [totals(world.book, each, INSTRUMENTS) for each in world.book.vaults.values()],
            [world.book.nav(name) for name in world.book.vaults])


def test_orders_fills_quotes_and_new_vaults_are_counted_at_once() -> None:
    """After every step the remembered sums are those of a fresh look, in the world's every turn."""
    world = World(vaults=[vault(name) for name in NAMES], settings=ExecutorSettings(paper=PaperSettings()))
    assert known(world) == fresh(world)
    assert together(world.book, "paper", INSTRUMENTS).nav == 300_000
    seen = []
    for turn, name in enumerate(NAMES * 3):
        if turn % 3 == 0:  # else what is held moves and its price does not
            world.quote("equity:AAPL", f"{200 + turn}.00", size="2")
            world.quote("crypto:BTC-USD", f"{30_000 + turn}.00")
        world.want("equity:AAPL", "1000", vault=name)
        world.want("crypto:BTC-USD", "500", vault=name)
        world.step(seconds=40)
        seen.append(known(world)[0])
        assert known(world) == fresh(world)
    assert len(set(seen)) == len(seen)
    world.files.replace(VAULTS, document({"vaults": [vault(name) for name in (*NAMES, "V_NEW")]}))
    before = together(world.book, "paper", INSTRUMENTS).nav
    world.step()
    after = together(world.book, "paper", INSTRUMENTS).nav
    assert before is not None
    assert after == before + 100_000
    assert known(world) == fresh(world)


def test_one_vault_without_a_nav_leaves_the_account_without_one() -> None:
    """The first of them is named."""
    world = World(vaults=[vault(name) for name in NAMES])
    world.quote("equity:AAPL", "200.00")
    world.want("equity:AAPL", "1000", vault="V_TWO")
    world.step()
    del world.book.quotes["equity:AAPL"]
    world.book.quotes_seq += 1
    assert together(world.book, "paper", INSTRUMENTS) == (Decimal(0), None, "V_TWO")
