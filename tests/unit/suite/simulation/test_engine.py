"""The driver itself: what it holds the programs to, and what it makes of its inputs."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.unit.markets.filings import Paper
from tests.unit.suite.simulation.test_bars import HEADER
from vanta.common.clock import ManualClock
from vanta.common.errors import Bug
from vanta.common.paths import PORTFOLIO, Home
from vanta.common.settings import load
from vanta.common.store.files import FolderFiles
from vanta.common.store.ports import MAX_BYTES
from vanta.suite.simulation.engine import Plan, Run, read_inputs, simulate
from vanta.suite.simulation.feeds import LATENCY
from vanta.suite.simulation.home import prepare, simulated
from vanta.suite.simulation.tape import Tape
from vanta.suite.simulation.wire import Programs, assemble

STARTS, ENDS = datetime(2020, 5, 14, tzinfo=UTC), datetime(2020, 5, 16, tzinfo=UTC)


def plan(root: Path, *, home_id: str | None = None, price: str = "ACME.csv") -> Plan:
    """Two days of one share and a filing that comes too late."""
    (root / "feeds" / "sec").mkdir(parents=True)
    (root / "feeds" / "sec" / "a.txt").write_bytes(Paper().submission())
    (root / "prices").mkdir()
    (root / "prices" / price).write_text(f"{HEADER}2020-05-14,1,1,1,1,5\n2020-05-15,1,1,1,1,5\n")
    return Plan(home=Home(root / "home"), feeds=root / "feeds", prices=root / "prices", starts=STARTS, ends=ENDS,
                every=timedelta(days=1), latency=LATENCY, home_id=home_id)


class LyingFiles(FolderFiles):
    """A folder whose portfolio is a cent off."""

    def read(self, name: str, *, max_bytes: int = MAX_BYTES) -> bytes:
        """The file, but for one figure."""
        data = super().read(name, max_bytes=max_bytes)
        return data.replace(b'"100000"', b'"100000.01"') if name == PORTFOLIO else data


def test_a_portfolio_that_does_not_add_up_ends_the_simulation(tmp_path: Path) -> None:
    """One cent more than the log accounts for, found at the end of the first day."""
    given = plan(tmp_path)
    inputs, clock = read_inputs(given), ManualClock(STARTS)
    prepare(given.home)
    honest = assemble(given.home, simulated(load(given.home)), clock, "aaaaaa")
    programs = Programs(honest.executor, honest.markets, LyingFiles(given.home.memory))
    moments = list(Tape(inputs.series).moments(STARTS, ENDS))
    with Run(given, inputs, programs, clock) as run:
        run.live(moments[0])
        run.live(moments[1])
        with pytest.raises(Bug, match=r"2020-05-14: V_CORE: cash is published as 100000\.01, counted as 100000"):
            run.live(moments[2])


def test_the_home_id_is_that_of_the_inputs_names(tmp_path: Path) -> None:
    """Other contents or another folder change nothing, another name does; a given one is used."""
    first, second, third = (read_inputs(plan(tmp_path / name, price=price)).home_id for name, price in (
        ("one", "ACME.csv"), ("two", "ACME.csv"), ("three", "OTHER.csv")))
    assert first == second != third
    assert simulate(plan(tmp_path / "four", home_id="abcdef")).home_id == "abcdef"


def test_settings_of_a_simulation_cannot_look_ahead(tmp_path: Path) -> None:
    """Whatever the file says: simulate, next quote, intents that live until the venue opens; the rest as written."""
    home = Home(tmp_path).prepare()
    (home.config / "vanta.toml").write_text(
        '[markets]\nintent_ttl_s = 60\n[executor]\nmode = "live"\n[executor.paper]\nfill = "quote"\nslippage_bp = 9\n')
    settings = simulated(load(home))
    assert (settings.executor.mode, settings.executor.paper.fill, settings.executor.paper.slippage_bp) == (
        "simulate", "next_quote", 9)
    assert settings.markets.intent_ttl_s == 5 * 86_400


def test_what_is_too_late_is_counted(tmp_path: Path) -> None:
    """The filing of Friday night is not seen before Friday's close."""
    result = simulate(plan(tmp_path))
    assert [(one.records, one.unseen, one.signals, one.passes) for one in result.feeds] == [(1, 1, 0, 2)]
    assert [row.nav for row in result.days] == [Decimal(100_000)] * 2
