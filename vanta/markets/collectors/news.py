"""The news feeds' transport: a list of RSS, Atom and JSON Feed addresses, each asked only for what is new.

Options: `feeds` (addresses), `allow_hosts` (further hosts that a redirect may lead to), `contact`, `request_s` and
`budget_s` (seconds for one read and for the pass).

At most two requests a second of each host, however many of the feeds are its, over all processes.

Each feed's ETag and Last-Modified are part of the cursor, so they count only once the items are durable, and
never for a payload that could not be read whole. A feed that fails is a problem of its own; only if all of
them fail has the pass failed.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from vanta.common.clock import Clock, SystemClock
from vanta.common.errors import OperatorError, OutsideError
from vanta.markets.collectors import options as read
from vanta.markets.collectors.http import Answer, Limits, Manners, Request, Transport, Validators, user_agent
from vanta.markets.collectors.port import Collector, FetchContext, Problem, RawPayload
from vanta.markets.collectors.ratelimit import Rate
from vanta.markets.core.feeds.news import NewsFeed
from vanta.markets.parsers import news as parser

RATE = Rate(per_second=2, burst=2)
_OPTIONS = frozenset({"feeds", "allow_hosts", "contact", "request_s", "budget_s"})
_ACCEPT = "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"
_ASKED = "x-asked-url"


class NewsCollector(NewsFeed, Collector):
    """Headlines of the configured feeds."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()

    def hosts(self, options: Mapping[str, Any]) -> frozenset[str]:
        """See `Collector.hosts`."""
        return _hosts(options, _addresses(options))

    def fetch(self, context: FetchContext) -> Iterator[RawPayload | Problem]:
        """Yield the feeds that changed. Raises only if every one of them failed."""
        addresses, manners = _plan(context)
        failed: list[tuple[str, OutsideError]] = []
        with Transport(manners, self._clock) as web:
            for address in addresses:
                try:
                    answer = web.get(Request(url=address, accept=_ACCEPT,
                                             validators=Validators.parse(context.cursor.get(address))))
                except OutsideError as error:
                    failed.append((address, error))
                    continue
                if not answer.unchanged:
                    yield _payload(address, answer)
        if len(failed) == len(addresses):
            raise failed[0][1]
        for address, why in failed:
            yield Problem(code="not_fetched", detail=why.what, where=address)

    def next_cursor(self, payloads: list[RawPayload], context: FetchContext) -> dict[str, str]:
        """Validators by address: new ones of what was read whole, the old ones of what did not change."""
        addresses = set(read.texts(context.options, "news", "feeds"))
        cursor = {address: text for address, text in context.cursor.items() if address in addresses}
        for payload in payloads:
            address = payload.headers.get(_ASKED, payload.url)
            sent = Validators(etag=payload.headers.get("etag"), last_modified=payload.headers.get("last-modified"))
            cursor.pop(address, None)
            if sent:
                cursor[address] = sent.text()
        return cursor


def _plan(context: FetchContext) -> tuple[list[str], Manners]:
    options = context.options
    read.known_only(options, "news", _OPTIONS)
    addresses = _addresses(options)
    hosts, limits = _hosts(options, addresses), Limits()
    limits = Limits(read_s=float(read.count(options, "news", "request_s", int(limits.read_s))),
                    budget_s=float(read.count(options, "news", "budget_s", int(limits.budget_s))),
                    max_bytes=parser.MAX_BYTES)
    return addresses, Manners(agent=user_agent(read.text(options, "news", "contact", None)), hosts=hosts,
                              gate=context.gate, rate=RATE, limits=limits)


def _addresses(options: Mapping[str, Any]) -> list[str]:
    addresses = list(dict.fromkeys(read.texts(options, "news", "feeds")))
    if not addresses:
        raise OperatorError("news has no feeds to ask", "List their addresses in the option feeds, or use --from PATH.")
    return addresses


def _hosts(options: Mapping[str, Any], addresses: list[str]) -> frozenset[str]:
    """The feeds' own hosts, with and without `www.`, and further ones that a redirect may lead to."""
    hosts = set(read.texts(options, "news", "allow_hosts"))
    for address in addresses:
        host = read.host_of(address)
        if host is None:
            raise OperatorError(f"news: {address!r} in feeds is no address", "Write it as https://….")
        bare = host.removeprefix("www.")
        hosts |= {host, bare, f"www.{bare}"}
    return frozenset(hosts)


def _payload(address: str, answer: Answer) -> RawPayload:
    headers = {"content-type": answer.content_type, _ASKED: address}
    if answer.validators.etag is not None:
        headers["etag"] = answer.validators.etag
    if answer.validators.last_modified is not None:
        headers["last-modified"] = answer.validators.last_modified
    return RawPayload(url=answer.url, body=answer.body, media_type=answer.media_type, fetched_at=answer.fetched_at,
                      headers=headers)
