"""What a reader may believe of a feed's file, and when it stops."""

from datetime import timedelta

import pytest

from tests.unit.markets.claims import NOW, at, claim, feed_document, stamp
from vanta.common.models.signal import FeedDocument
from vanta.common.times import iso
from vanta.markets.core.feedfile import Seen, next_document
from vanta.markets.core.freshness import AHEAD_S, age_s, reason_at, status_at, usable_at
from vanta.markets.core.records import Normalised

LIMIT = 3600
OK = feed_document(claim("a"))
PARTIAL = OK.model_copy(update={"status": "partial"})
ERROR = next_document(OK, Seen(payloads=0, whole=0, records=0, failure="the host is down"), None, stamp(at(5)))
NEVER = next_document(None, Seen(payloads=0, whole=0, records=0, failure="the host is down"), None, stamp(NOW))


@pytest.mark.parametrize(("name", "document", "seconds", "status", "usable"), [
    ("fresh and ok", OK, 10, "ok", True),
    ("at the very limit", OK, LIMIT, "ok", True),
    ("one second past the limit", OK, LIMIT + 1, "stale", False),
    ("partial stays partial", PARTIAL, 10, "partial", True),
    ("partial grows stale too", PARTIAL, LIMIT + 1, "stale", False),
    ("an error with a recent success goes on with its signals", ERROR, 400, "error", True),
    ("an error whose last success is old is stale", ERROR, LIMIT + 1, "stale", False),
    ("an error without any success is an error for ever", NEVER, LIMIT * 9, "error", False),
    ("a success slightly in the future is a slow clock", OK, -AHEAD_S, "ok", True),
    ("a success far in the future is not believed", OK, -AHEAD_S - 1, "stale", False),
])
def test_status(name: str, document: FeedDocument, seconds: int, status: str, usable: bool) -> None:
    """The status follows from the last success, the last pass and the reader's clock alone."""
    now = NOW + timedelta(seconds=seconds)
    assert status_at(document, now, LIMIT) == status, name
    assert usable_at(document, now, LIMIT) is usable, name


def test_a_file_without_success_or_error_is_stale() -> None:
    """Unknown is not ok: a file that claims no success carries no weight."""
    odd = OK.model_copy(update={"last_success_at": None})
    assert status_at(odd, NOW, LIMIT) == "stale"
    assert not usable_at(odd, NOW, LIMIT)
    assert age_s(odd, NOW) is None


@pytest.mark.parametrize(("document", "seconds", "said"), [
    (OK, 10, "1 new"),
    (ERROR, 400, "the host is down"),
    (ERROR, LIMIT + 1, f"no success for {LIMIT + 1} s, the limit is {LIMIT} s; last pass: the host is down"),
    (OK, -AHEAD_S - 1, "check the clocks"),
    (OK.model_copy(update={"last_success_at": None}), 0, "no pass has succeeded"),
])
def test_reason(document: FeedDocument, seconds: int, said: str) -> None:
    """A person is told why: the pass's own words, or how late it is and what the last pass said."""
    assert said in reason_at(document, NOW + timedelta(seconds=seconds), LIMIT)


def test_no_news_is_a_success() -> None:
    """A pass that finds nothing new refreshes the feed."""
    later = next_document(OK, Seen(payloads=0, whole=0, records=0), Normalised(signals=[]), stamp(at(50)))
    assert later.last_success_at == iso(at(50))
    assert status_at(later, at(100), LIMIT) == "ok"
