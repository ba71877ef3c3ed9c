"""`vanta markets promote`: one promotion."""

from vanta.common.cli import HomeOption, JsonFlag, Next, NowOption, Report, application, emit, exit_table
from vanta.common.clock import Clock
from vanta.common.exitcodes import Exit
from vanta.common.paths import ALLOCATION, PORTFOLIO, QUEUE, TRADE_SIGNALS, VAULTS, Home
from vanta.common.settings import clock_from, home_from, insist_on_node, load
from vanta.common.store.ground import doubts
from vanta.markets.promoter import PromoteOutcome
from vanta.markets.wire import build

app = application("Stage intents.")


@app.command(epilog=exit_table(Exit.DONE, Exit.REFUSED, Exit.TEMPORARY, Exit.CONFIG))
def promote(now: NowOption = None, home: HomeOption = None, json: JsonFlag = False) -> int:
    """Turn convictions into targets and stage the intents."""
    place = home_from(home).existing()
    settings = load(place)
    insist_on_node(settings, "markets")
    clock = clock_from(settings, now)
    with build(place, settings, clock) as markets:
        return emit(_promoted(markets.promote(), place, clock), as_json=json)


def _promoted(outcome: PromoteOutcome, home: Home, clock: Clock) -> Report:
    if outcome.held is not None:
        head = f"held - {outcome.held}"
    elif outcome.written:
        head = f"{len(outcome.staged)} staged, {len(outcome.withdrawn)} withdrawn, {len(outcome.removed)} removed"
    else:
        head = "nothing to change"
    waiting = [f"  waiting: {one}" for one in outcome.waiting]
    # What is not there yet is no failure: the node has to start somewhere. What is there and unreadable is one.
    refused = outcome.held is not None and all(home.file(name).exists() for name in (TRADE_SIGNALS, VAULTS, PORTFOLIO))
    return Report(
        schema="vanta.markets.promote/1", at=clock.now(), lines=[f"promote: {head}", *waiting, f"  {home.file(QUEUE)}"],
        exit=Exit.REFUSED if refused else Exit.DONE,
        warnings=[*doubts(home.memory), *(f"  {note}" for note in outcome.notes if note != outcome.held)],
        next=[Next("carry them out", "vanta executor once")] if outcome.staged else [],
        items={"written": outcome.written, "held": outcome.held, "dag_id": outcome.dag_id,
               "staged": list(outcome.staged), "withdrawn": list(outcome.withdrawn), "removed": dict(outcome.removed),
               "waiting": list(outcome.waiting), "notes": list(outcome.notes), "file": home.file(QUEUE),
               "allocation": home.file(ALLOCATION)})
