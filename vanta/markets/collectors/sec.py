"""EDGAR's transport: the pages of the latest-filings feed, then the full submission of each new Form 4 and 4/A.

Options: `contact` (an e-mail address; the SEC refuses anonymous clients), `base_url`, `request_s` and `budget_s`
(seconds for one read and for the pass), `max_pages` of 100 entries and `max_filings` a pass. What a pass does not
reach stays pending for the next one.

At most 5 requests a second over all processes of the host. A page past the end is answered with status 503 and
an HTML page: that is the end of the list, but on the first page it is an outage. A page that is cut ends the
pass before the cursor moves; a filing that cannot be had is a problem of its own and does not stop the others.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vanta.common.clock import Clock, SystemClock
from vanta.common.errors import CredentialsRefused, OperatorError, OutsideError, Throttled
from vanta.markets.collectors import options as read
from vanta.markets.collectors.http import Answer, BudgetSpent, Limits, Manners, Request, Transport, user_agent
from vanta.markets.collectors.port import Collector, FetchContext, Problem, RawPayload
from vanta.markets.collectors.ratelimit import Rate
from vanta.markets.collectors.sec_cursor import Place, Wanted
from vanta.markets.core.feeds.sec import SecFeed
from vanta.markets.parsers import sec as parser

BASE_URL = "https://www.sec.gov"
RATE = Rate(per_second=5)
PAGE = 100
_OPTIONS = frozenset({"contact", "base_url", "max_pages", "max_filings", "request_s", "budget_s"})
_END_OF_LIST = frozenset({503})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """The options, checked."""

    agent: str
    base_url: str
    host: str
    max_pages: int
    max_filings: int
    limits: Limits


class SecCollector(SecFeed, Collector):
    """Insiders' trades, as they are filed."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()

    def hosts(self, options: Mapping[str, Any]) -> frozenset[str]:
        """See `Collector.hosts`."""
        return frozenset({read.host_of(read.url(options, "sec", "base_url", BASE_URL)) or ""})

    def fetch(self, context: FetchContext) -> Iterator[RawPayload | Problem]:
        """See the module's text."""
        plan, place = _plan(context), Place.parse(context.cursor)
        manners = Manners(agent=plan.agent, hosts=frozenset({plan.host}), gate=context.gate, rate=RATE,
                          limits=plan.limits)
        entries: list[dict[str, Any]] = []
        with Transport(manners, self._clock) as web:
            yield from self._pages(web, plan, place, entries)
            yield from self._filings(web, plan, place.wanted(entries))

    def _pages(self, web: Transport, plan: _Plan, place: Place,
               entries: list[dict[str, Any]]) -> Iterator[RawPayload | Problem]:
        """Yield pages and collect their entries until they hold nothing new. Raises if one cannot be read whole."""
        for start in range(0, plan.max_pages * PAGE, PAGE):
            url = (f"{plan.base_url}/cgi-bin/browse-edgar?action=getcurrent&type=4&company=&dateb=&owner=include"
                   f"&count={PAGE}&start={start}&output=atom")
            answer = web.get(Request(url=url, accept="application/atom+xml",
                                     answers=_END_OF_LIST if start else frozenset()))
            if start and parser.is_html(answer.body):
                return
            payload = _payload(answer)
            reading = self.read(payload)
            yield payload
            if not reading.complete:
                raise OutsideError(f"{url} is not a whole page; the list is read again by the next run")
            entries += reading.records
            if not reading.records or place.reaches(reading.records):
                return
        if place.newest is not None:
            yield Problem(code="gap", where=plan.base_url, detail=f"{plan.max_pages} pages do not reach back to the "
                          "last run; filings in between may be missing (raise max_pages)")

    @staticmethod
    def _filings(web: Transport, plan: _Plan, wanted: list[Wanted]) -> Iterator[RawPayload | Problem]:
        for one in wanted[:plan.max_filings]:
            try:
                yield _payload(web.get(Request(url=plan.base_url + one.path)))
            except (CredentialsRefused, Throttled, BudgetSpent) as error:
                yield Problem(code="not_fetched", detail=f"stopped with filings left for the next run: {error.what}",
                              where=plan.base_url + one.path)
                return
            except OutsideError as error:
                yield Problem(code="not_fetched", detail=error.what, where=plan.base_url + one.path)
        left = len(wanted) - plan.max_filings
        if left > 0:
            yield Problem(code="not_fetched", detail=f"{left} filings are left for the next run", where=plan.base_url)

    def next_cursor(self, payloads: list[RawPayload], context: FetchContext) -> dict[str, str]:
        """The newest entry of the pages that were read, and what is still to be fetched."""
        records = [record for payload in payloads for record in self.read(payload).records]
        fetched = {str(record["accession"]) for record in records if record["record"] != "entry"}
        entries = [record for record in records if record["record"] == "entry"]
        return Place.parse(context.cursor).after(entries, fetched, context.now).text()


def _plan(context: FetchContext) -> _Plan:
    options = context.options
    read.known_only(options, "sec", _OPTIONS)
    contact = read.text(options, "sec", "contact", None)
    if contact is None:
        raise OperatorError("the SEC refuses clients that do not say how to reach them, and no contact is set",
                            "Set markets.contact in config/vanta.toml to your e-mail address, or read recorded "
                            "payloads: `vanta markets collect sec --from PATH`.")
    base_url = read.url(options, "sec", "base_url", BASE_URL)
    limits = Limits()
    return _Plan(
        agent=user_agent(contact), base_url=base_url, host=read.host_of(base_url) or "",
        max_pages=read.count(options, "sec", "max_pages", 10),
        max_filings=read.count(options, "sec", "max_filings", 400),
        limits=Limits(read_s=float(read.count(options, "sec", "request_s", int(limits.read_s))),
                      budget_s=float(read.count(options, "sec", "budget_s", int(limits.budget_s)))))


def _payload(answer: Answer) -> RawPayload:
    return RawPayload(url=answer.url, body=answer.body, media_type=answer.media_type, fetched_at=answer.fetched_at,
                      headers={"content-type": answer.content_type})
