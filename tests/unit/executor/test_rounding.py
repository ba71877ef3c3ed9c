"""A client library that changes the rounding of this thread changes no verdict: replay would not follow."""

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, getcontext

from tests.unit.executor.venues import Venue, VenueWorld
from vanta.executor.brokers.port import Answer, Found
from vanta.executor.core.approval import Approved


class Rounds(Venue):
    """A venue whose client rounds half up, and leaves it so."""

    def _submit(self, order: Approved, now: datetime) -> Answer:
        getcontext().rounding = ROUND_HALF_UP
        return super()._submit(order, now)

    def _lookup(self, order_id: str) -> Found | None:
        getcontext().rounding = ROUND_HALF_UP
        return super()._lookup(order_id)


def half() -> str:
    """How this thread writes a tie."""
    return f"{Decimal('0.05965'):.4f}"


def test_a_client_s_rounding_stays_with_the_client() -> None:
    """After a submit and a look-up numbers are written as before."""
    world = VenueWorld(Rounds())
    world.want("equity:AAPL", "1000")
    world.step()
    assert half() == "0.0596"
    world.brokers["paper"].lookup("anything")
    assert half() == "0.0596"


def test_a_step_begins_in_the_one_context_whatever_was_left_behind() -> None:
    """Something outside the brokers changed it: the next step puts it right."""
    world = VenueWorld(Venue())
    getcontext().rounding = ROUND_HALF_UP
    world.step()
    assert half() == "0.0596"
