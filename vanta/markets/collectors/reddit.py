"""Reddit's transport: praw 8, read-only, whose raw listing bodies go through the same parser as recorded ones.

Reddit is an optional feed: an app must be approved before any API access, so credentials may simply not exist. They
are named by reference, never held in settings:

    [markets.feeds.reddit.options]
    client_id_file = "/etc/vanta/reddit_id"          # and client_secret_file; readable by the owner alone
    contact = "/u/the-account-of-the-app"
    subreddits = ["wallstreetbets", "stocks"]

Every setting of praw is passed as a keyword, because praw would otherwise take it from a `praw.ini` in the working
directory or from the environment, and such a file can send the credentials elsewhere. After a 429, and when the
allowance of the window is used up, praw would sleep for minutes before its next request: each pass therefore has an
object of its own, which is thrown away, and the wait is remembered for the runs to come.
"""

import hashlib
import logging
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from vanta import __version__
from vanta.common.clock import Clock, SystemClock
from vanta.common.errors import CredentialsRefused, OperatorError, OutsideError, Throttled, VantaError
from vanta.common.outside.over_requests import mount
from vanta.common.store.guarded import guarded_read
from vanta.markets.collectors import options as read
from vanta.markets.collectors.http import retry_after_s
from vanta.markets.collectors.port import Collector, FetchContext, Problem, RawPayload
from vanta.markets.collectors.ratelimit import Rate
from vanta.markets.core.feeds.reddit import RedditFeed

APPROVAL = ("Reddit needs an approved app: request one under its Responsible Builder Policy, write its id and secret "
            "to files that only this user can read, and name them in client_id_file and client_secret_file.")
SUBREDDITS = ("wallstreetbets", "stocks", "investing", "options", "CryptoCurrency")
PAGE = 100
TIMEOUT_S = 20
WINDOW_RESET_S = 600.0
_NAME = re.compile(r"[A-Za-z0-9_]{2,21}")
_OPTIONS = frozenset({"client_id_file", "client_secret_file", "contact", "subreddits", "comments", "pages", "hours",
                      "reddit_url", "oauth_url"})
RATE = Rate(per_second=1, burst=10)  # Reddit allows 100 a minute to one client


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    """The feed's options, checked."""

    client_id: str
    client_secret: str = field(repr=False)
    agent: str
    subreddits: tuple[str, ...]
    listings: tuple[str, ...]
    pages: int
    hours: int
    reddit_url: str
    oauth_url: str


class RedditCollector(RedditFeed, Collector):
    """New posts, and new comments where asked for, of a list of subreddits."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()

    def hosts(self, options: Mapping[str, Any]) -> frozenset[str]:
        """See `Collector.hosts`. No credential is read for it."""
        return frozenset(read.host_of(url) or "" for url in _urls(options))

    def fetch(self, context: FetchContext) -> Iterator[RawPayload | Problem]:
        """Newest first, page by page, until `hours` back. A closed subreddit does not stop the others."""
        options = _options(context.options)
        failed: list[OutsideError] = []
        paths = [f"r/{name}/{listing}" for name in options.subreddits for listing in options.listings]
        with _Pass(options, context, self._clock) as reddit:
            for path in paths:
                try:
                    yield from reddit.pages(path)
                except (Throttled, CredentialsRefused):
                    raise
                except OutsideError as error:
                    failed.append(error)
                    yield Problem(code="not_fetched", detail=error.what, where=f"{options.oauth_url}/{path}")
        if len(failed) == len(paths):
            raise failed[-1]


class _Pass:
    """One praw object, its recording session and the shared rate limit."""

    def __init__(self, options: _Options, context: FetchContext, clock: Clock) -> None:
        import praw
        import requests

        for name in ("praw", "prawcore", "urllib3"):  # their debug lines hold tokens
            logging.getLogger(name).setLevel(logging.INFO)
        self._options, self._context, self._clock = options, context, clock
        self._started = clock.monotonic()
        self._bodies: list[RawPayload] = []
        self._reset_s = WINDOW_RESET_S
        self._session = requests.Session()
        self._session.trust_env = False  # a netrc entry would replace our authorization, a proxy would see it
        mount(self._session, context.gate.out)
        self._session.hooks["response"].append(self._record)
        self._host = urlsplit(options.oauth_url).netloc
        owner = hashlib.sha256(options.client_id.encode()).hexdigest()[:12]
        self._session.send = context.gate.before(  # type: ignore[method-assign]
            self._session.send, self._host, RATE, f"reddit-{owner}")
        self._reddit = praw.Reddit(
            site_name="DEFAULT", client_id=options.client_id, client_secret=options.client_secret,
            user_agent=options.agent, reddit_url=options.reddit_url, oauth_url=options.oauth_url,
            short_url=options.reddit_url, username=None, password=None, refresh_token=None, redirect_uri=None,
            check_for_updates=False, check_for_async=False, timeout=TIMEOUT_S, ratelimit_seconds=5, window_size=600,
            requestor_kwargs={"session": self._session, "timeout": TIMEOUT_S})

    def __enter__(self) -> "_Pass":
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def pages(self, path: str) -> Iterator[RawPayload]:
        """The bodies of one listing as served, at most `pages` of them, until they reach `hours` back."""
        horizon = (self._context.now - timedelta(hours=self._options.hours)).timestamp()
        after: str | None = None
        for _ in range(self._options.pages):
            try:
                listing = self._page(path, after)
            except OutsideError:
                yield from self._taken()  # what was served is worth a look even where praw gave up on it
                raise
            yield from self._taken()
            # vars(), because praw answers a question for a missing attribute with another request
            times = [vars(item).get("created_utc") for item in listing]
            oldest = min((time for time in times if isinstance(time, int | float)), default=horizon)
            before, after = after, vars(listing).get("after")
            if after in (None, before) or oldest <= horizon:
                return

    def _page(self, path: str, after: str | None) -> Any:
        """One request. Raises the `OutsideError` that fits what praw raised."""
        import prawcore
        from praw.exceptions import PRAWException
        from praw.models import Listing

        remaining = self._reddit.auth.limits["remaining"]
        if remaining is not None and remaining <= 0:
            raise self._throttled("the Reddit allowance of this window is used up", self._reset_s)
        params: dict[str, str | int] = {"limit": PAGE} | ({"after": after} if after else {})
        try:
            listing = self._reddit.get(path, params=params)
        except prawcore.TooManyRequests as error:
            headers = error.response.headers
            wait = retry_after_s(headers.get("retry-after"), self._context.now) or self._reset_s
            raise self._throttled("Reddit is limiting us", wait) from error
        except prawcore.RequestException as error:
            if isinstance(error.original_exception, VantaError):
                raise error.original_exception from error  # the gate's answer; the library wraps whatever it meets
            raise _explained(error, path) from error
        except prawcore.PrawcoreException as error:
            raise _explained(error, path) from error
        except (PRAWException, ValueError, KeyError, AttributeError, TypeError) as error:
            raise OutsideError(f"Reddit's answer for {path} makes no sense to praw: {error!r}") from error
        if not isinstance(listing, Listing):
            raise OutsideError(f"Reddit's answer for {path} is no listing")
        return listing

    def _throttled(self, what: str, wait_s: float) -> Throttled:
        return Throttled(what, self._context.gate.hold_off(self._host, wait_s))

    def _taken(self) -> list[RawPayload]:
        taken, self._bodies = self._bodies, []
        return taken

    def _record(self, response: Any, *_: Any, **__: Any) -> None:
        reset = response.headers.get("x-ratelimit-reset", "")
        if reset.isdecimal():
            self._reset_s = float(reset[:6])
        if response.status_code != 200 or urlsplit(response.url).path.endswith("/api/v1/access_token"):
            return
        passed = timedelta(seconds=self._clock.monotonic() - self._started)
        self._bodies.append(RawPayload(
            url=response.url, body=response.content, fetched_at=self._context.now + passed,
            media_type=response.headers.get("content-type", "").partition(";")[0].strip() or "application/json"))


def _explained(error: Exception, path: str) -> OutsideError:
    import prawcore

    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, prawcore.OAuthException | prawcore.InvalidToken) or status == 401:
        return CredentialsRefused("Reddit does not accept the app's id and secret", APPROVAL)
    if isinstance(error, prawcore.Forbidden | prawcore.NotFound | prawcore.Redirect):
        return OutsideError(f"Reddit does not show {path} ({status})", "Correct or remove it in the option subreddits.")
    if isinstance(error, prawcore.RequestException):
        return OutsideError(f"Reddit did not answer for {path}: {error.original_exception}")
    return OutsideError(f"Reddit failed for {path}: {error}")


def _options(given: dict[str, Any]) -> _Options:
    read.known_only(given, "reddit", _OPTIONS)
    contact = read.text(given, "reddit", "contact", None)
    if contact is None:
        raise OperatorError("the reddit feed has no contact", 'Set contact = "/u/<account of the app>" in its options.')
    subreddits = read.texts(given, "reddit", "subreddits") or list(SUBREDDITS)
    wrong = [name for name in subreddits if not _NAME.fullmatch(name)]
    if wrong:
        raise OperatorError(f"{wrong[0]!r} is no name of a subreddit", 'Write subreddits as ["wallstreetbets"].')
    reddit_url, oauth_url = _urls(given)
    return _Options(
        client_id=_credential(given, "client_id_file"), client_secret=_credential(given, "client_secret_file"),
        agent=f"linux:vanta.collector:{__version__} (by {contact.strip()})", subreddits=tuple(subreddits),
        listings=("new", "comments") if given.get("comments") is True else ("new",),
        pages=read.count(given, "reddit", "pages", 5), hours=read.count(given, "reddit", "hours", 12),
        reddit_url=reddit_url, oauth_url=oauth_url)


def _urls(given: Mapping[str, Any]) -> tuple[str, str]:
    return (read.url(given, "reddit", "reddit_url", "https://www.reddit.com"),
            read.url(given, "reddit", "oauth_url", "https://oauth.reddit.com"))


def _credential(given: dict[str, Any], name: str) -> str:
    """The content of a file that only its owner can read. Its kind is known before it is read: a pipe would wait."""
    path = given.get(name)
    if not isinstance(path, str) or not path:
        raise CredentialsRefused(f"the reddit feed has no {name}", APPROVAL)
    file = Path(path)
    raw, problem = guarded_read(file, owners={0, os.geteuid()}, max_bytes=4096)
    if raw is None:
        raise CredentialsRefused(f"{path}: {problem}", APPROVAL)
    if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise CredentialsRefused(f"{path} can be read by others", f"Run: chmod 600 {path}")
    text = raw.decode("utf-8", "replace").strip()
    if not text.isascii() or not text or any(char.isspace() for char in text):
        raise CredentialsRefused(f"{path} does not hold one credential", APPROVAL)
    return text
