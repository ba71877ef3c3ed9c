"""Schedules of faults, drawn from seeds: every promise is kept in all of them, and the hard states were there."""

from tests.simulation.campaign import Campaign

SEEDS = range(2_000)


def test_every_schedule_keeps_every_promise() -> None:
    """No double, no loss, no order after a halt, books that agree, and everything over once faults stop.

    A failing seed replays exactly: `python -m tests.simulation.run --seed N --trace`. A range that never reached one
    of the hard states, or never let a process die between two boundaries that it passed often, proves nothing.
    """
    campaign = Campaign().run(SEEDS)
    assert not campaign.violations, "\n".join(campaign.report())
    assert not campaign.never_reached(), "\n".join(campaign.report())
    assert not campaign.never_died(), "\n".join(campaign.report())
