"""Logs of calls stay a fortnight and then go to the archive, by themselves; what stays verifies and goes on."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from vanta.alpha.core.verification import outcome
from vanta.alpha.housekeeping import Done, Housekeeping, Order
from vanta.alpha.verifier import Verifier
from vanta.common.clock import ManualClock
from vanta.common.events import Kind
from vanta.common.exitcodes import Check
from vanta.common.models.configuration import RetentionSettings
from vanta.common.outside.call import Call
from vanta.common.outside.ledger import JournalLedger
from vanta.common.paths import EXECUTOR_CALLS, Home
from vanta.common.signing_key import signer_of
from vanta.common.store import segments
from vanta.common.store.trail import TrailJournal

BEGAN = datetime(2026, 11, 1, 12, tzinfo=UTC)
NOW = BEGAN + timedelta(days=20)


class Small(TrailJournal):
    """Seals from the first byte on."""

    least = 1


def called(home: Home, *days: int) -> None:
    """A call on each of these days."""
    clock = ManualClock(BEGAN)
    for day in days:
        clock.sleep((BEGAN + timedelta(days=day) - clock.now()).total_seconds())
        journal = Small(home.file(EXECUTOR_CALLS), alone=True, signer=signer_of(home), daily=True)
        with closing(JournalLedger(journal, clock, program="executor 1")) as ledger:
            ledger.put(Call(Kind.CALL_MADE, "api.example.org", "venue:poll", "200", "GET", 1, 1))


def tidied(home: Home, retention: RetentionSettings) -> Done:
    """One round."""
    return Housekeeping(home, Order(now=NOW, real=NOW, by="cron", retention=retention)).run()


def test_a_fortnight_stays_by_default(tmp_path: Path) -> None:
    """Nothing is deleted, the log's beginning is accounted for, and its program goes on."""
    home = Home(tmp_path).prepare()
    called(home, *range(20))
    done = tidied(home, RetentionSettings())
    assert (done.problems, list(done.retired)) == ([], [EXECUTOR_CALLS])
    assert segments.begins(home.file(EXECUTOR_CALLS))[0] > 1
    away = home.root / "archive" / "segments" / EXECUTOR_CALLS
    assert len(list(away.glob("*.jsonl.zst"))) == 6
    assert outcome(Verifier(home).run()) is Check.OK
    called(home, 20)
    assert outcome(Verifier(home).run()) is Check.OK


def test_all_of_them_stay_where_that_is_said(tmp_path: Path) -> None:
    """They are only packed."""
    home = Home(tmp_path).prepare()
    called(home, 0, 1, 19)
    assert tidied(home, RetentionSettings(calls_days=0, keep_days=1)).retired == {}
    assert segments.begins(home.file(EXECUTOR_CALLS))[0] == 1
