"""`vanta-diagnostics serve`: metrics for Prometheus on a port of this host alone, until Ctrl-C or SIGTERM."""

from itertools import takewhile
from typing import Annotated

import typer

from vanta.alpha.cli.diagnostics import sighted
from vanta.alpha.core.exposition import render
from vanta.alpha.core.gauges import metrics
from vanta.alpha.core.tally import Tally
from vanta.alpha.metrics import LOOPBACK, Endpoint, Kept
from vanta.alpha.outlook import saved
from vanta.alpha.recent import last_records
from vanta.alpha.watching import until_ended
from vanta.common.cli import HomeOption, NowOption, application, show
from vanta.common.clock import SystemClock
from vanta.common.paths import TRADE_LOG
from vanta.common.settings import home_from

NEAR_BYTES = 8 << 20
"""Orders are counted from so near to the end of the log when the program starts, and so far at most in one scrape."""

app = application("Metrics for Prometheus.")

Port = Annotated[int, typer.Option("--port", min=0, max=65_535, metavar="N", help="The port; 0 takes a free one.")]
Address = Annotated[str, typer.Option("--address", metavar="IP", help=f"{' or '.join(LOOPBACK)}; no other is taken.")]


@app.command(epilog="Exit status: 0 ended from outside; 3 it cannot serve, or the command line is wrong.")
def serve(port: Port, address: Address = LOOPBACK[0], home: HomeOption = None, now: NowOption = None) -> int:
    """Answer `GET /metrics` on this host alone. Reads files, writes nothing."""
    place, tally = home_from(home).existing(), Tally()

    def made() -> str:
        facts, more, found = sighted(place.root, now)
        tally.take(list(takewhile(tally.is_new, last_records(place.file(TRADE_LOG), near=NEAR_BYTES))))
        return render(metrics(facts, more, found, tally, saved(place)))

    with until_ended(), Endpoint(address, port, Kept(made, SystemClock())) as endpoint:
        show(f"metrics at {endpoint.url}; Ctrl-C ends it")
        endpoint.serve_forever()
    return 0
