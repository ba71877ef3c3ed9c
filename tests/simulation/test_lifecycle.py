"""Any order of events, possible and impossible ones, against a few rules of life that are written down here again.

The fold follows what can happen, refuses what cannot with a `StateError` and is then as it was before, keeps its
indexes in step, and comes to the same when it reads everything again.
"""

from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tests.simulation.records import Desk, picture
from vanta.common.clock import ManualClock
from vanta.common.errors import StateError
from vanta.common.events import Kind

KEYS = (("V_CORE", "equity:AAPL", "buy"), ("V_CORE", "equity:MSFT", "buy"), ("V_CORE", "equity:AAPL", "sell"))
WAITING, OUT = ("seen", "held", "approved"), ("submitting", "unknown", "working", "partially_filled", "cancelling")
OVER = ("filled", "cancelled", "expired", "rejected", "quarantined", "refused", "withdrawn")
FILL = "fill"
PLAIN: dict[str, dict[str, Any]] = {
    Kind.INTENT_HELD: {"codes": ["halt.full_halt"]}, Kind.INTENT_QUARANTINED: {"sha256": "other"},
    Kind.ORDER_WITHHELD: {"code": "broker.outcome_unknown", "detail": ""}, Kind.ORDER_ACCEPTED: {"venue_id": "x1"}}
RESTING = {"type": "limit", "limit_price": "10", "time_in_force": "gtc"}

RULES: tuple[tuple[Kind, tuple[str, ...], str], ...] = (
    (Kind.INTENT_APPROVED, WAITING, "approved"), (Kind.INTENT_HELD, WAITING, "held"),
    (Kind.INTENT_REFUSED, WAITING, "refused"), (Kind.INTENT_EXPIRED, WAITING, "expired"),
    (Kind.INTENT_WITHDRAWN, WAITING, "withdrawn"), (Kind.INTENT_QUARANTINED, WAITING, "quarantined"),
    (Kind.ORDER_SUBMITTING, ("approved",), "submitting"), (Kind.ORDER_WITHHELD, ("submitting", "unknown"), "seen"),
    (Kind.ORDER_UNKNOWN, ("submitting", "unknown"), "unknown"), (Kind.ORDER_ACCEPTED, (*WAITING, *OUT), "working"),
    (Kind.ORDER_CANCELLING, ("working", "partially_filled", "cancelling"), "cancelling"),
    (Kind.ORDER_REJECTED, OUT, "rejected"), (Kind.ORDER_CANCELLED, OUT, "cancelled"),
    (Kind.ORDER_EXPIRED, OUT, "expired"), (Kind.ORDER_QUARANTINED, OUT, "quarantined"))
"""What may happen in which states, and what it leads to. Executions may happen to whatever was sent, whenever."""

OF_ORDERS = frozenset(kind for kind, _, _ in RULES if kind.startswith("order.")) - {Kind.ORDER_SUBMITTING}
EVENTS = (*(str(kind) for kind, _, _ in RULES), FILL)
STAYS = ("partially_filled", "cancelling")
"""Being accepted once more changes neither."""


def leads_to(state: str, kind: str) -> str | None:
    """The state after an event, by the rules; `None` where it cannot happen."""
    for event, states, after in RULES:
        if event == kind and state in states:
            return state if kind == Kind.ORDER_ACCEPTED and state in STAYS else after
    return None


class Life(RuleBasedStateMachine):
    """Intents of three keys, and whatever may befall them."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(ManualClock(datetime(2026, 11, 20, 15, tzinfo=UTC)))
        self.desk.fund("V_CORE", "100000")
        self.state: dict[str, str] = {}
        self.keys: dict[str, tuple[str, str, str]] = {}
        self.sent: set[str] = set()
        self.rests: dict[str, bool] = {}
        self.filled: dict[str, int] = {}
        self.fills: dict[str, tuple[str, int]] = {}
        self.busted: set[str] = set()
        self.lived: set[tuple[str, str]] = set()

    @rule(key=st.sampled_from(KEYS))
    def see(self, key: tuple[str, str, str]) -> None:
        """A new intent."""
        name = f"i{len(self.state)}"
        self.desk.see(name, key)
        self.state[name], self.keys[name], self.filled[name] = "seen", key, 0

    @precondition(lambda self: self.state)
    @rule(data=st.data())
    def see_again(self, data: st.DataObject) -> None:
        """An intent is seen once."""
        name = data.draw(st.sampled_from(sorted(self.state)))
        with pytest.raises(StateError, match="seen twice"):
            self.desk.see(name, self.keys[name])

    @precondition(lambda self: self.state)
    @rule(seed=st.integers(0, 2**32), events=st.integers(5, 25))
    def go_on(self, seed: int, events: int) -> None:
        """A few things that can happen do, one after the other, endings less often than others."""
        chance = Random(seed)
        for _ in range(events):
            living = [name for name, state in self.state.items() if state not in OVER] or sorted(self.sent)
            if living:
                name = chance.choice(living)
                possible = [kind for kind in self.possible(name)
                            if leads_to(self.state[name], kind) not in OVER or chance.random() < 0.3]
                self.befall(name, chance.choice(possible or [FILL]), chance.randrange(1, 7))
                self.the_states_are_the_rules_own()
                self.executions_are_holdings()

    @precondition(lambda self: self.state)
    @rule(data=st.data(), kind=st.sampled_from(EVENTS), quantity=st.integers(1, 6))
    def anything(self, data: st.DataObject, kind: str, quantity: int) -> None:
        """Something happens that may be impossible."""
        self.befall(data.draw(st.sampled_from(sorted(self.state))), kind, quantity)

    def possible(self, name: str) -> list[str]:
        """Events that may befall an intent now."""
        found = [kind for kind in EVENTS if leads_to(self.state[name], kind) is not None
                 and (name in self.sent or kind not in OF_ORDERS)]
        return [*found, FILL] if name in self.sent else found

    def befall(self, name: str, kind: str, quantity: int) -> None:
        """One event, possible or not."""
        state, after = self.state[name], leads_to(self.state[name], kind)
        if kind in (*OF_ORDERS, FILL) and name not in self.sent:
            return  # there is no order that it could be about
        self.lived.add((state, kind))
        if kind == FILL:
            self._execute(name, quantity)
        elif kind == Kind.ORDER_SUBMITTING and after is not None:
            self.desk.send(name, str(quantity), **(RESTING if quantity % 2 else {}))
            self.state[name] = after
            self.rests[name] = quantity % 2 == 1
            self.sent.add(name)
            self.filled[name] = 0
        elif kind == Kind.INTENT_QUARANTINED and after is None:
            self.desk.about(Kind(kind), name, intent_state=None, sha256="more")  # noted, and nothing else
        else:
            self._expect(name, after, Kind(kind), quantity)

    def _expect(self, name: str, after: str | None, kind: Kind, quantity: int) -> None:
        """The record leads to `after`, or nowhere: then nothing has changed."""
        if after is not None:
            self.desk.about(kind, name, intent_state=after, **PLAIN.get(kind, {}))
            self.state[name] = after
            return
        before = picture(self.desk.book)
        impossible = (partial(self.desk.send, name, str(quantity)) if kind == Kind.ORDER_SUBMITTING else
                      partial(self.desk.about, kind, name, intent_state=None, **PLAIN.get(kind, {})))
        with pytest.raises(StateError):
            impossible()
        assert picture(self.desk.book) == before

    def _execute(self, name: str, quantity: int) -> None:
        """An execution is booked in any state."""
        state, order = self.state[name], self.desk.book.orders[f"o-{name}"]
        if state not in OVER:
            whole = self.filled[name] + quantity >= order.quantity
            self.state[name] = "filled" if whole else "cancelling" if state == "cancelling" else "partially_filled"
        fill_id = f"x{len(self.fills)}"
        cash = quantity * (10 if self.keys[name][2] == "buy" else -10)
        self.desk.fill(name, fill_id, intent_state=self.state[name], quantity=str(quantity), price="10", cash=str(cash))
        self.filled[name] += quantity
        self.fills[fill_id] = (name, quantity)

    @precondition(lambda self: self.fills)
    @rule(data=st.data())
    def executed_again(self, data: st.DataObject) -> None:
        """The same execution is not booked twice."""
        fill_id = data.draw(st.sampled_from(sorted(self.fills)))
        before = picture(self.desk.book)
        with pytest.raises(StateError, match="booked twice"):
            self.desk.fill(self.fills[fill_id][0], fill_id, quantity="1", price="10", cash="10")
        assert picture(self.desk.book) == before

    @precondition(lambda self: self.fills)
    @rule(data=st.data())
    def taken_back(self, data: st.DataObject) -> None:
        """An execution is taken back once."""
        fill_id = data.draw(st.sampled_from([*sorted(self.fills), "never-heard-of"]))
        name, quantity = self.fills.get(fill_id, (next(iter(self.fills.values()))[0], 1))
        body = {"fill_id": fill_id, "quantity": str(quantity), "cash": "0", "fee": "0", "detail": ""}
        if fill_id in self.busted or fill_id not in self.fills:
            before = picture(self.desk.book)
            with pytest.raises(StateError, match="without having been booked"):
                self.desk.about(Kind.FILL_BUSTED, name, **body)
            assert picture(self.desk.book) == before
        else:
            self.desk.about(Kind.FILL_BUSTED, name, **body)
            self.busted.add(fill_id)
            self.filled[name] -= quantity

    @invariant()
    def the_states_are_the_rules_own(self) -> None:
        """What the book thinks is what these rules say, and every intent stands in the index of its state."""
        book = self.desk.book
        assert {name: entry.state for name, entry in book.intents.items()} == self.state
        assert set(book.waiting) == {name for name, state in self.state.items() if state in WAITING}
        assert set(book.working) == {f"o-{name}" for name, state in self.state.items() if state in OUT}
        flying = {entry.intent_id for entry in book.live.values()}
        assert flying <= {name for name, state in self.state.items() if state in OUT}
        for name, order in book.orders.items():
            intent = name.removeprefix("o-")
            assert order.filled == self.filled[intent]
            assert (order.limit_price is not None, order.time_in_force == "gtc") == (self.rests[intent],) * 2

    @invariant()
    def executions_are_holdings(self) -> None:
        """What is held is what was executed and not taken back."""
        held: dict[str, int] = {}
        for fill_id, (name, quantity) in self.fills.items():
            if fill_id not in self.busted:
                _, instrument, side = self.keys[name]
                held[instrument] = held.get(instrument, 0) + (quantity if side == "buy" else -quantity)
        for instrument in ("equity:AAPL", "equity:MSFT"):
            assert self.desk.book.held("V_CORE", instrument) == held.get(instrument, 0)

    def teardown(self) -> None:
        """Reading everything again comes to the same."""
        assert picture(self.desk.refolded()) == picture(self.desk.book)
        assert isinstance(self.desk.book.vaults["V_CORE"].cash, Decimal)


def test_life_is_as_the_rules_say() -> None:
    """Some hundred lives of some dozens of events."""
    run_state_machine_as_test(Life, settings=settings(
        max_examples=70, stateful_step_count=50, deadline=None, derandomize=True,
        suppress_health_check=[HealthCheck.too_slow]))


SENT = (Kind.INTENT_APPROVED, Kind.ORDER_SUBMITTING)
AGAIN = (*SENT, Kind.ORDER_WITHHELD)
PATHS: dict[str, tuple[str, ...]] = {
    "seen": AGAIN, "held": (*AGAIN, Kind.INTENT_HELD), "approved": (*AGAIN, Kind.INTENT_APPROVED), "submitting": SENT,
    "unknown": (*SENT, Kind.ORDER_UNKNOWN), "working": (*SENT, Kind.ORDER_ACCEPTED), "partially_filled": (*SENT, FILL),
    "cancelling": (*SENT, Kind.ORDER_ACCEPTED, Kind.ORDER_CANCELLING), "filled": (*SENT, FILL, FILL, FILL),
    "cancelled": (*SENT, Kind.ORDER_CANCELLED), "expired": (*SENT, Kind.ORDER_EXPIRED),
    "rejected": (*SENT, Kind.ORDER_REJECTED), "quarantined": (*SENT, Kind.ORDER_QUARANTINED),
    "refused": (*AGAIN, Kind.INTENT_REFUSED), "withdrawn": (*AGAIN, Kind.INTENT_WITHDRAWN)}
"""How an intent that was sent once comes to each state. Orders are for 3 units, executions of one."""


@pytest.mark.parametrize("state", PATHS)
def test_every_event_in_every_state(state: str) -> None:
    """All of them, one by one: what can happen leads on, what cannot is refused and changes nothing."""
    for kind in EVENTS:
        life = Life()
        life.see(KEYS[0])
        for step in PATHS[state]:
            life.befall("i0", step, 3 if step == Kind.ORDER_SUBMITTING else 1)
        assert life.state["i0"] == state
        life.befall("i0", kind, 3 if kind == Kind.ORDER_SUBMITTING else 1)
        assert (state, kind) in life.lived
        life.the_states_are_the_rules_own()
        life.executions_are_holdings()
        life.teardown()


def test_the_paths_lead_everywhere() -> None:
    """No state is left out."""
    assert set(PATHS) == {*WAITING, *OUT, *OVER}
