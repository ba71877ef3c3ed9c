"""The one HTTP transport of all collectors that speak HTTP themselves.

It decides how long to wait, how often to ask again, how much to read and where a redirect may lead. It
refuses to know what a body means. GET only, so that asking again is always safe.

- Explicit timeouts, a bound on one request and a budget for the whole pass.
- 429 and 503 honour `Retry-After` (seconds or a date) and are remembered for all feeds and runs; without one the
  wait is a backoff whose jitter comes from a hash of URL and attempt. At most three tries. A wait that does
  not fit the budget is not begun.
- 401 and 403 raise `CredentialsRefused`, other refusals `OutsideError`; neither is tried again.
- Redirects are followed only to hosts that the caller listed, never from https to http.
- Each request, one that was refused as well, leaves its line by the gate's way out.
- The body is read in pieces, inflated here, and cut off at its limit.
- `ETag` and `Last-Modified` are kept and sent back byte for byte. They travel in the feed's cursor, which
  is stored only after the signals are durable: a crash in between fetches again instead of losing items.

Example: `with Transport(Manners(agent=user_agent(contact), hosts=frozenset({"www.sec.gov"}), folder=state),
clock) as web: web.get(Request(url="https://www.sec.gov/..."))`.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from vanta import __version__
from vanta.common.clock import Clock
from vanta.common.errors import BadInput, CredentialsRefused, OutsideError, Throttled
from vanta.common.exitcodes import Exit
from vanta.common.outside.over_httpx import transport
from vanta.common.strictjson import loads
from vanta.markets.collectors.gate import Gate
from vanta.markets.collectors.options import host_of
from vanta.markets.collectors.ratelimit import Rate
from vanta.markets.parsers.inflate import CutShort, Inflater, TooLarge

if TYPE_CHECKING:
    import tenacity

_REDIRECTS = (301, 302, 303, 307, 308)
_TRY_AGAIN = (408, 425, 500, 502, 504)
_THROTTLED = (429, 503)
_MOST_HOPS = 5


class BudgetSpent(OutsideError):
    """The time for this pass is used up; what is missing is fetched by the next one."""

    exit_code = Exit.TEMPORARY


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds and bytes that one pass may spend."""

    connect_s: float = 5.0
    read_s: float = 20.0
    pool_s: float = 5.0
    request_s: float = 60.0
    budget_s: float = 240.0
    max_bytes: int = 16 * 1024 * 1024
    tries: int = 3
    backoff_s: float = 1.0
    longest_wait_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """Who asks, whom it may ask and how often.

    `agent` is the user agent, `hosts` the only host names that may be asked, each of them at its own `rate`.
    """

    agent: str
    hosts: frozenset[str]
    gate: Gate
    rate: Rate
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """A server's `ETag` and `Last-Modified`, exactly as sent (bytes held as Latin-1 text)."""

    etag: str | None = None
    last_modified: str | None = None

    def text(self) -> str:
        """The form that is kept in a cursor."""
        return json.dumps([self.etag, self.last_modified])

    @classmethod
    def parse(cls, text: str | None) -> "Validators":
        """The inverse of `text`; nothing and nonsense are no validators, which only costs a full answer."""
        try:
            etag, modified = loads(text.encode(), file="validators") if text else (None, None)
        except (BadInput, TypeError, ValueError):
            return cls()
        return cls(etag=etag if isinstance(etag, str) else None,
                   last_modified=modified if isinstance(modified, str) else None)

    def __bool__(self) -> bool:
        return bool(self.etag or self.last_modified)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One GET. Statuses in `answers` are returned as they are instead of being errors."""

    url: str
    validators: Validators = field(default_factory=Validators)
    accept: str = "*/*"
    answers: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. `unchanged` is a 304: a success without a body."""

    url: str
    status: int
    body: bytes
    content_type: str
    validators: Validators
    fetched_at: datetime
    unchanged: bool = False

    @property
    def media_type(self) -> str:
        """The content type without its parameters, lower case; `application/octet-stream` if not stated."""
        return self.content_type.partition(";")[0].strip().lower() or "application/octet-stream"


class _AskAgain(Exception):
    """One try failed in a way that another may not; `wait_s` is what the server asked for."""

    def __init__(self, error: OutsideError, wait_s: float | None = None) -> None:
        super().__init__(error.what)
        self.error = error
        self.wait_s = wait_s


def user_agent(contact: str | None) -> str:
    """An honest name: `VANTA/<version>`, and how to reach whoever runs it."""
    return f"VANTA/{__version__}" + (f" (+{contact})" if contact else "")


def backoff_s(url: str, attempt: int, base_s: float) -> float:
    """Seconds before try `attempt` + 1: doubling, spread over [½, 1] of it by a hash, never by chance."""
    spread = int.from_bytes(hashlib.sha256(f"{url}|{attempt}".encode()).digest()[:2], "big")
    return base_s * (1 << (attempt - 1)) * (0.5 + spread / 131_070)


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Seconds that a `Retry-After` header asks for, from a number or a date; `None` if it says nothing."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (moment - now).total_seconds()) if moment.tzinfo else None


def next_hop(url: str, location: str) -> str:
    """Where a redirect leads. Raises `OutsideError` if that is out of https or no address at all."""
    try:
        target = urljoin(url, location)
        secure = urlsplit(target).scheme == "https" or urlsplit(url).scheme != "https"
    except ValueError as error:
        raise OutsideError(f"{url} redirects to {location[:200]!r}, which is no address") from error
    if not secure:
        raise OutsideError(f"{url} redirects away from https, to {target}")
    return target


class Transport:
    """One pass's connections, budget and manners. Use as a context manager."""

    def __init__(self, manners: Manners, clock: Clock) -> None:
        import httpx

        self._clock, self._manners, self._limits = clock, manners, manners.limits
        self._ends = clock.monotonic() + self._limits.budget_s
        self._client = httpx.Client(
            headers={"User-Agent": manners.agent, "Accept-Encoding": "gzip, deflate"},
            follow_redirects=False, trust_env=False, transport=transport(manners.gate.out),
            timeout=httpx.Timeout(self._limits.read_s, connect=self._limits.connect_s, pool=self._limits.pool_s),
        )

    def __enter__(self) -> "Transport":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._client.close()

    def get(self, request: Request) -> Answer:
        """Fetch. Raises `Throttled`, `CredentialsRefused`, `BudgetSpent` or another `OutsideError`."""
        import tenacity

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_AskAgain), wait=self._wait(request.url),
            stop=self._stop, sleep=self._clock.sleep, reraise=True,
        )
        try:
            return retrying(self._follow, request)
        except _AskAgain as failed:
            raise failed.error from failed

    def _wait(self, url: str) -> "Callable[[tenacity.RetryCallState], float]":
        def wait(state: "tenacity.RetryCallState") -> float:
            failed = state.outcome.exception() if state.outcome else None
            asked = failed.wait_s if isinstance(failed, _AskAgain) else None
            return backoff_s(url, state.attempt_number, self._limits.backoff_s) if asked is None else asked
        return wait

    def _stop(self, state: "tenacity.RetryCallState") -> bool:
        return state.attempt_number >= self._limits.tries or state.upcoming_sleep >= min(
            self._left(), self._limits.longest_wait_s)

    def _left(self) -> float:
        return self._ends - self._clock.monotonic()

    def _follow(self, request: Request) -> Answer:
        url = request.url
        for _ in range(_MOST_HOPS + 1):
            self._permit(url)
            answer = self._once(url, request)
            if isinstance(answer, Answer):
                return answer
            url = answer
        raise OutsideError(f"{request.url} redirects more than {_MOST_HOPS} times")

    def _permit(self, url: str) -> None:
        """Everything that can forbid a request before it is made."""
        host = host_of(url)
        if host is None or host not in self._manners.hosts:
            self._manners.gate.out.refused(host or "")
            raise OutsideError(f"{url} is not on a host that this feed may ask",
                               f"If it is right, add {host!r} to the feed's allowed hosts.")
        if self._left() <= 0:
            raise BudgetSpent(f"the {self._limits.budget_s:.0f} s of this pass are used up",
                              "Nothing to do: the next scheduled run goes on from here.")
        self._manners.gate.enter(host, self._manners.rate)

    def _once(self, url: str, request: Request) -> "Answer | str":
        """One request: an answer, or the URL that it redirects to."""
        with self._faults(url), self._client.stream("GET", url, headers=_headers(request)) as response:
            host = host_of(url) or ""
            status = response.status_code
            if status in _REDIRECTS and "location" in response.headers:
                return next_hop(url, response.headers["location"])
            if status in _THROTTLED and status not in request.answers:
                raise self._throttled(url, host, response.headers.get("retry-after"))
            if not (200 <= status < 300 or status == 304 or status in request.answers):
                raise _refusal(url, status)
            if status == 304 and not request.validators:
                raise OutsideError(f"{url} answered 304 to a request without validators")
            encoding = response.headers.get("content-encoding", "")
            body = b"" if status == 304 else self._whole(url, encoding, response.iter_raw())
            return Answer(
                url=url, status=status, body=body, content_type=response.headers.get("content-type", ""),
                validators=request.validators if status == 304 else _validators(response.headers.raw),
                fetched_at=self._clock.now(), unchanged=status == 304)

    @contextmanager
    def _faults(self, url: str) -> Iterator[None]:
        import httpx

        try:
            yield
        except httpx.TimeoutException as error:
            raise _AskAgain(OutsideError(f"{url} did not answer in time")) from error
        except (httpx.TransportError, CutShort) as error:
            raise _AskAgain(OutsideError(f"{url} failed: {str(error) or type(error).__name__}")) from error
        except TooLarge as error:
            raise OutsideError(f"{url} sends more than {self._limits.max_bytes:,} bytes") from error
        except httpx.InvalidURL as error:
            raise OutsideError(f"{url} is not a URL: {error}") from error

    def _throttled(self, url: str, host: str, header: str | None) -> _AskAgain:
        wait = retry_after_s(header, self._clock.now())
        if wait is not None:
            wait = self._manners.gate.hold_off(host, wait)
        shown = self._limits.backoff_s if wait is None else wait
        return _AskAgain(Throttled(f"{url} is limiting us or is overloaded", shown), wait)

    def _whole(self, url: str, encoding: str, pieces: Iterator[bytes]) -> bytes:
        inflater = Inflater(encoding, self._limits.max_bytes)
        ends = self._clock.monotonic() + min(self._limits.request_s, max(self._left(), 0.0))
        for piece in pieces:
            inflater.feed(piece)
            if self._clock.monotonic() > ends:
                raise OutsideError(f"{url} is too slow: not whole after {self._limits.request_s:.0f} s")
        return inflater.finish()


def _headers(request: Request) -> list[tuple[bytes, bytes]]:
    sent = [("Accept", request.accept), ("If-None-Match", request.validators.etag),
            ("If-Modified-Since", request.validators.last_modified)]
    return [(name.encode(), value.encode("latin-1", "ignore")) for name, value in sent if value is not None]


def _validators(headers: list[tuple[bytes, bytes]]) -> Validators:
    raw = {name.lower(): value.decode("latin-1") for name, value in headers}
    return Validators(etag=raw.get(b"etag"), last_modified=raw.get(b"last-modified"))


def _refusal(url: str, status: int) -> Exception:
    if status in (401, 403):
        return CredentialsRefused(f"{url} answered {status}",
                                  "Check the feed's credentials and the contact in its user agent.")
    if status in (404, 410):
        return OutsideError(f"{url} is gone ({status})", "Correct or remove the address in the feed's options.")
    if status in _TRY_AGAIN:
        return _AskAgain(OutsideError(f"{url} answered {status}"))
    return OutsideError(f"{url} answered {status}")
