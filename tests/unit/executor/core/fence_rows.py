"""Defects by reason: for every code a world in which exactly that is wrong, and the intent to be judged in it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.unit.executor.world import INSTRUMENTS, OPEN, World, vault, without_permission
from vanta.common.canonical import document
from vanta.common.instruments import Instrument, equity
from vanta.common.models.configuration import ExecutorSettings, PaperSettings
from vanta.common.paths import VAULTS
from vanta.common.reasons import Reason
from vanta.common.times import iso
from vanta.executor.core.approval import Approved, Stopped, judge
from vanta.executor.core.proposal import Context, Line
from vanta.executor.core.size import propose

WIDE = {"max_single_pos_pct": "0.20", "max_asset_class_pct": {"equity": "1.0", "crypto": "0.5"}}


def ready(**risk: Any) -> World:
    """A world with quotes and a vault whose risk limits may be changed."""
    world = World(vaults=[vault(risk={**WIDE, **risk})])
    world.quote("equity:AAPL", "200.00")
    world.quote("equity:MSFT", "100.00")
    world.quote("crypto:BTC-USD", "50000")
    return world


def context(world: World) -> Context:
    """What the fences would see now."""
    world.executor._parts.observer.registry(world.clock.now())
    world.executor._parts.observer.queue(world.clock.now())
    world.executor._parts.observer.quotes(world.clock.now())
    world.executor._learn()
    world.executor._reconciler.run(world.executor._reach(world.gate.read(), world.clock.now()), world.clock.monotonic())
    return world.executor._context(world.gate.read(), world.clock.now())


def verdict(world: World, intent_id: str) -> Approved | Stopped:
    """Judge one intent in the world as it is."""
    seen = context(world)
    return judge(propose(world.book.intents[intent_id], seen), seen)


def stopping(world: World, intent_id: str) -> dict[str, Line]:
    """Lines that stop an intent, by code."""
    found = verdict(world, intent_id)
    return {} if isinstance(found, Approved) else {str(line.code): line for line in found.stopping}


@dataclass(frozen=True)
class Row:
    """`arrange` makes a world and returns it with the intent to be judged."""

    code: Reason
    arrange: Callable[[], tuple[World, str]]


def row_no_permit() -> tuple[World, str]:
    world = ready()
    world.gate.permit = False
    return world, world.want("equity:AAPL", "1000")


def switched(**switches: Any) -> Callable[[], tuple[World, str]]:
    def arrange() -> tuple[World, str]:
        world = ready()
        world.gate.raw = without_permission(switches)
        return world, world.want("equity:AAPL", "1000")
    return arrange


def limited(notional: str = "1000", instrument: str = "equity:AAPL", **risk: Any) -> Callable[[], tuple[World, str]]:
    def arrange() -> tuple[World, str]:
        world = ready(**risk)
        return world, world.want(instrument, notional)
    return arrange


def quoted(price: str = "200.00", before: str | None = None, **more: Any) -> Callable[[], tuple[World, str]]:
    def arrange() -> tuple[World, str]:
        world = ready()
        name = world.want("equity:AAPL", "1000")
        if before is not None:
            world.quote("equity:AAPL", before)
            context(world)
            world.clock.sleep(1)
        world.quote("equity:AAPL", price, **more)
        return world, name
    return arrange


def row_unreadable() -> tuple[World, str]:
    world = ready()
    world.gate.raw = b'{"maintenance": false'
    return world, world.want("equity:AAPL", "1000")


def row_latched() -> tuple[World, str]:
    world = ready()
    world.gate.raw = None
    for _ in range(8):
        world.step()
    world.gate.raw = without_permission({})
    world.gate.permit = True
    return world, world.want("equity:AAPL", "1000")


def row_expired() -> tuple[World, str]:
    world = ready()
    name = world.want("equity:AAPL", "1000")
    world.clock.sleep(1000)
    world.quote("equity:AAPL", "200.00")
    return world, name


def row_future() -> tuple[World, str]:
    world = ready()
    moment = world.clock.now() + timedelta(minutes=1)
    return world, world.want("equity:AAPL", "1000", created_at=iso(moment))


def row_vault_unknown() -> tuple[World, str]:
    world = ready()
    return world, world.want("equity:AAPL", "1000", vault="V_OTHER")


def row_vaults_unreadable() -> tuple[World, str]:
    world = ready()
    world.files.replace(VAULTS, b"{")
    return world, world.want("equity:AAPL", "1000")


def row_account_unknown() -> tuple[World, str]:
    world = ready()
    return world, world.want("equity:AAPL", "1000", account="elsewhere")


def row_persona() -> tuple[World, str]:
    world = World(vaults=[vault(personas=["Nemesis"])])
    world.quote("equity:AAPL", "200.00")
    return world, world.want("equity:AAPL", "1000")


def row_rail() -> tuple[World, str]:
    world = World(vaults=[vault(crypto_enabled=False)])
    world.quote("crypto:BTC-USD", "50000")
    return world, world.want("crypto:BTC-USD", "1000")


def row_currency() -> tuple[World, str]:
    world = World(vaults=[vault(base_currency="EUR")])
    world.quote("equity:AAPL", "200.00")
    return world, world.want("equity:AAPL", "1000")


def row_not_tradable() -> tuple[World, str]:
    world = ready()
    halted = INSTRUMENTS["equity:AAPL"].model_copy(update={"tradable": False})
    world.executor._parts.observer._instrument_source = fixed({**INSTRUMENTS, "equity:AAPL": halted})
    return world, world.want("equity:AAPL", "1000")


def fixed(table: dict[str, Instrument]) -> Callable[[], dict[str, Instrument]]:
    return lambda: table


def row_done_before() -> tuple[World, str]:
    world = ready()
    name = world.want("equity:AAPL", "1000")
    world.step()
    return world, name


def row_other_live() -> tuple[World, str]:
    world = World(settings=ExecutorSettings(paper=PaperSettings(fill="next_quote")))
    world.quote("equity:AAPL", "200.00")
    world.want("equity:AAPL", "1000")
    world.step()
    return world, world.want("equity:AAPL", "1000")


def row_basis() -> tuple[World, str]:
    world = ready()
    world.want("equity:AAPL", "1000")
    world.step()
    return world, world.want("equity:AAPL", "1000", basis_seq=1)


def row_closed() -> tuple[World, str]:
    world = ready()
    world.clock.move_to(OPEN + timedelta(days=1))
    world.quote("equity:AAPL", "200.00")
    return world, world.want("equity:AAPL", "1000")


def row_no_calendar() -> tuple[World, str]:
    world = ready()
    world.clock.move_to(OPEN.replace(year=2040))
    world.quote("equity:AAPL", "200.00")
    return world, world.want("equity:AAPL", "1000")


def row_quote_missing() -> tuple[World, str]:
    world = World()
    return world, world.want("equity:AAPL", "1000")


def row_quote_stale() -> tuple[World, str]:
    world = ready()
    world.clock.sleep(901)
    return world, world.want("equity:AAPL", "1000")


def row_moved(**fields: Any) -> Callable[[], tuple[World, str]]:
    """A funded vault whose entry in vault.json now names another account or currency."""
    def arrange() -> tuple[World, str]:
        world = ready()
        world.step()
        world.files.replace(VAULTS, document({"vaults": [vault(risk=WIDE, **fields)]}))
        return world, world.want("equity:AAPL", "1000", account=fields.get("account", "paper"))
    return arrange


def row_out_of_sync() -> tuple[World, str]:
    world = ready()
    world.executor._reconciler.silent("paper", "no answer", world.clock.now())
    return world, world.want("equity:AAPL", "1000")


def row_instruments_unreadable() -> tuple[World, str]:
    world = ready()
    world.executor._parts.observer._instrument_source = dict
    return world, world.want("equity:AAPL", "1000")


def row_short() -> tuple[World, str]:
    world = ready()
    return world, world.want("equity:AAPL", "1000", side="sell")


def row_nav_unknown() -> tuple[World, str]:
    world = ready()
    world.want("equity:MSFT", "1000")
    world.step()
    del world.book.quotes["equity:MSFT"]
    del world.quoted["equity:MSFT"]
    world.quote("equity:AAPL", "200.00")
    return world, world.want("equity:AAPL", "1000")


def row_gross() -> tuple[World, str]:
    world = ready(max_gross_pct="0.15")
    world.want("equity:MSFT", "10000")
    world.step()
    return world, world.want("equity:AAPL", "10000")


def row_cash() -> tuple[World, str]:
    world = ready(min_cash_pct="0.95")
    return world, world.want("equity:AAPL", "10000")


def row_rate() -> tuple[World, str]:
    world = ready(max_orders_per_minute=1)
    world.want("equity:MSFT", "1000")
    world.step()
    return world, world.want("equity:AAPL", "1000")


def row_open_orders() -> tuple[World, str]:
    world = World(vaults=[vault(risk={**WIDE, "max_open_orders": 1})],
                  settings=ExecutorSettings(paper=PaperSettings(fill="next_quote")))
    world.quote("equity:AAPL", "200.00")
    world.quote("equity:MSFT", "100.00")
    world.want("equity:MSFT", "1000")
    world.step()
    return world, world.want("equity:AAPL", "1000")


def row_sector() -> tuple[World, str]:
    world = ready(max_sector_pct="0.05")
    table = {**INSTRUMENTS, "equity:AAPL": equity("AAPL", sector="technology")}
    world.executor._parts.observer._instrument_source = lambda: table
    return world, world.want("equity:AAPL", "6000")


def row_envelope() -> tuple[World, str]:
    world = World(vaults=[vault(risk=WIDE, envelope={"equity": "900"})])
    world.quote("equity:AAPL", "200.00")
    return world, world.want("equity:AAPL", "1000")


def row_persona_budget() -> tuple[World, str]:
    """Athena asked for three quarters of the position that is held and of the one that is wanted."""
    world = World(vaults=[vault(risk=WIDE, persona_budgets={"risk_averse": "0.0755", "Apollo": "1"})])
    world.quote("equity:MSFT", "100.00")
    world.quote("equity:AAPL", "200.00")
    world.want("equity:MSFT", "10000")
    world.step()
    return world, world.want("equity:AAPL", "10000")


def row_credit() -> tuple[World, str]:
    """Another vault of the same account has used what the house allows."""
    world = World(vaults=[vault(risk=WIDE), vault("V_OTHER", risk=WIDE)])
    world.files.replace(VAULTS, document({"vaults": [vault(risk=WIDE), vault("V_OTHER", risk=WIDE)],
                                          "house": {"max_gross_pct": "0.05"}}))
    world.quote("equity:MSFT", "100.00")
    world.quote("equity:AAPL", "200.00")
    world.want("equity:MSFT", "9500", vault="V_OTHER")
    world.step()
    return world, world.want("equity:AAPL", "1000")


def housed(**house: Any) -> Callable[[], tuple[World, str]]:
    """A house limit of one, and an order that works at the venue already."""
    def arrange() -> tuple[World, str]:
        world = World(settings=ExecutorSettings(paper=PaperSettings(fill="next_quote")))
        world.files.replace(VAULTS, document({"vaults": [vault(risk=WIDE)], "house": house}))
        world.quote("equity:AAPL", "200.00")
        world.quote("equity:MSFT", "100.00")
        world.want("equity:MSFT", "1000")
        world.step()
        return world, world.want("equity:AAPL", "1000")
    return arrange


def row_repeated() -> tuple[World, str]:
    """Buys and sells of the same size, over and over."""
    world = ready(max_repeats=2)
    for _ in range(2):
        world.want("equity:AAPL", "1000")
        world.step()
        world.want("equity:AAPL", "1000", side="sell", close=True)
        world.step()
    return world, world.want("equity:AAPL", "1000")


def row_same_effect() -> tuple[World, str]:
    world = ready()
    world.want("equity:AAPL", "1000")
    world.step()
    return world, world.want("equity:AAPL", "1000")


def row_self_match() -> tuple[World, str]:
    """Another vault of the account sells what this one wants to buy."""
    world = World(vaults=[vault(risk=WIDE), vault("V_OTHER", risk=WIDE)])
    world.quote("equity:AAPL", "200.00")
    world.want("equity:AAPL", "1000", vault="V_OTHER")
    world.step()
    world.quote("equity:AAPL", "200.00", size="0")
    world.clock.sleep(1)
    world.quote("equity:AAPL", "200.00", size="0")
    world.want("equity:AAPL", "1000", side="sell", close=True, vault="V_OTHER")
    world.step()
    return world, world.want("equity:AAPL", "1000")


def row_period() -> tuple[World, str]:
    """Each step is within the jump limit, all of them together are not."""
    world = ready()
    name = world.want("equity:AAPL", "1000", basis_seq=9)
    for price in ("200", "215", "230", "245"):
        world.quote("equity:AAPL", price)
        world.step(seconds=10)
    return world, name


def flipping(flip_id: str | None = "F1", **fields: Any) -> Callable[[], tuple[World, str]]:
    """A flip of a tenth of NAV that has just begun, and an intent that names one."""
    def arrange() -> tuple[World, str]:
        world = ready()
        flip = {"flip_id": "F1", "vault": "V_CORE", "persona": "Apollo", "ttl_min": 45, "slice": "0.10",
                "amplify": "0.35", "started_at": iso(OPEN)}
        world.gate.raw = without_permission({"flip": {**flip, **fields}})
        return world, world.want("equity:AAPL", "12000", flip_id=flip_id)
    return arrange


def row_terms() -> tuple[World, str]:
    """A vault that asks for limit orders, at a venue that takes none."""
    world = World(vaults=[vault(orders={"type": "limit"})])
    world.executor._able = {"paper": frozenset()}
    world.quote("equity:AAPL", "200.00")
    return world, world.want("equity:AAPL", "1000")


def row_limit_of_nothing() -> tuple[World, str]:
    """A tenth less than one step of the price."""
    world = World(vaults=[vault(orders={"type": "limit", "limit_offset_pct": "-0.1"})])
    world.quote("equity:AAPL", "0.01")
    return world, world.want("equity:AAPL", "100")


ROWS = [
    Row(Reason.HALT_NO_PERMIT, row_no_permit),
    Row(Reason.HALT_UNREADABLE, row_unreadable),
    Row(Reason.HALT_MAINTENANCE, switched(maintenance=True)),
    Row(Reason.HALT_ORDERS_DISABLED, switched(orders_disabled=True)),
    Row(Reason.HALT_EXTERNAL_CALLS, switched(external_calls_disabled=True)),
    Row(Reason.HALT_FULL, switched(full_halt=True)),
    Row(Reason.HALT_REDUCE_ONLY, switched(reduce_only=True)),
    Row(Reason.HALT_LATCHED, row_latched),
    Row(Reason.INTENT_EXPIRED, row_expired),
    Row(Reason.INTENT_FUTURE, row_future),
    Row(Reason.DUPLICATE_INTENT, row_done_before),
    Row(Reason.DUPLICATE_LIVE, row_other_live),
    Row(Reason.STALE_BASIS, row_basis),
    Row(Reason.VAULT_UNKNOWN, row_vault_unknown),
    Row(Reason.VAULT_UNREADABLE, row_vaults_unreadable),
    Row(Reason.ACCOUNT_UNKNOWN, row_account_unknown),
    Row(Reason.ACCOUNT_MOVED, row_moved(base_currency="EUR")),
    Row(Reason.BROKER_NOT_IN_SYNC, row_out_of_sync),
    Row(Reason.PERSONA_NOT_ALLOWED, row_persona),
    Row(Reason.INSTRUMENTS_UNREADABLE, row_instruments_unreadable),
    Row(Reason.INSTRUMENT_UNKNOWN, limited(instrument="equity:NOPE")),
    Row(Reason.INSTRUMENT_NOT_TRADABLE, row_not_tradable),
    Row(Reason.INSTRUMENT_RESTRICTED, limited(restricted=["equity:AAPL"])),
    Row(Reason.RAIL_CLOSED, row_rail),
    Row(Reason.CURRENCY_MISMATCH, row_currency),
    Row(Reason.SESSION_CLOSED, row_closed),
    Row(Reason.SESSION_UNKNOWN, row_no_calendar),
    Row(Reason.QUOTE_MISSING, row_quote_missing),
    Row(Reason.QUOTE_STALE, row_quote_stale),
    Row(Reason.QUOTE_CROSSED, quoted(bid="201", ask="199")),
    Row(Reason.QUOTE_JUMP, quoted("300.00", before="200.00")),
    Row(Reason.PRICE_COLLAR, quoted(bid="180", ask="220")),
    Row(Reason.SIZE_ZERO, limited("150")),
    Row(Reason.SIZE_MIN_NOTIONAL, limited("5", instrument="crypto:BTC-USD")),
    Row(Reason.SIZE_MAX_VALUE, limited("10000", max_order_value="9999")),
    Row(Reason.SIZE_MAX_QUANTITY, limited("1000", max_order_quantity="4")),
    Row(Reason.SIZE_MAX_ADV, quoted(average_daily_volume="200")),
    Row(Reason.EXPOSURE_POSITION, limited("20400")),
    Row(Reason.EXPOSURE_GROSS, row_gross),
    Row(Reason.EXPOSURE_ASSET_CLASS, limited("10000", max_asset_class_pct={"equity": "0.05"})),
    Row(Reason.EXPOSURE_SHORT, row_short),
    Row(Reason.NAV_UNKNOWN, row_nav_unknown),
    Row(Reason.EXPOSURE_SECTOR, row_sector),
    Row(Reason.EXPOSURE_NET, limited("6000", max_net_pct="0.05")),
    Row(Reason.EXPOSURE_ENVELOPE, row_envelope),
    Row(Reason.EXPOSURE_PERSONA, row_persona_budget),
    Row(Reason.CREDIT, row_credit),
    Row(Reason.MESSAGES, housed(max_messages_per_minute=1)),
    Row(Reason.BROKER_ORDERS, housed(max_open_orders=1)),
    Row(Reason.REPEATED, row_repeated),
    Row(Reason.ECONOMIC_DUPLICATE, row_same_effect),
    Row(Reason.SELF_MATCH, row_self_match),
    Row(Reason.PRICE_PERIOD, row_period),
    Row(Reason.LIQUIDITY, limited(min_average_daily_volume="1000")),
    Row(Reason.NOT_PERMITTED, limited(permitted=["equity:MSFT"])),
    Row(Reason.FLIP_OVER, flipping(started_at=iso(OPEN - timedelta(minutes=45)))),
    Row(Reason.FLIP_SLICE, flipping()),
    Row(Reason.CASH, row_cash),
    Row(Reason.RATE, row_rate),
    Row(Reason.OPEN_ORDERS, row_open_orders),
    Row(Reason.BROKER_TERMS, row_terms),
    Row(Reason.LIMIT_ZERO, row_limit_of_nothing),
]
ELSEWHERE = {
    Reason.INTENT_WITHDRAWN, Reason.CHANGED_BYTES, Reason.LOSS_DAILY, Reason.LOSS_DRAWDOWN, Reason.BROKER_REJECTED,
    Reason.BROKER_UNKNOWN, Reason.JOURNAL_FAILED, Reason.LOCK_LOST, Reason.GATEWAY_MORE_THAN_QUEUED,
    Reason.BROKER_BUSY, Reason.BROKER_DIFFERS, Reason.BROKER_OVERFILL, Reason.BROKER_LATE_FILL, Reason.BROKER_BUSTED,
    Reason.BROKER_EXTERNAL, Reason.CLOCK_STEPPED, Reason.HOST_CHANGED, Reason.LOSS_STREAK,
    Reason.FLATTENED, Reason.COOLING_DOWN, Reason.HALT_NO_LEASE,
}


