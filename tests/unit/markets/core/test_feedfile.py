"""From a pass to the feed's file: status, numbers, reasons."""

import pytest

from tests.unit.markets.claims import NOW, at, claim, feed_document, stamp, whole
from vanta.common.times import iso
from vanta.markets.core.feedfile import MOST_ERRORS, Seen, cause, listed, next_document
from vanta.markets.core.records import Normalised, Problem


def problem(name: str = "p") -> Problem:
    return Problem(code="cut_short", detail="ends inside an entry", where=f"file:{name}")


@pytest.mark.parametrize(("name", "seen", "complete", "usable"), [
    ("all of it", Seen(payloads=2, whole=2, records=5), True, True),
    ("nothing new", Seen(payloads=0, whole=0, records=0), True, True),
    ("one payload cut", Seen(payloads=2, whole=1, records=5), False, True),
    ("one payload missed", Seen(payloads=2, whole=2, records=5, missed=1), False, True),
    ("ended early", Seen(payloads=2, whole=2, records=5, failure="gone"), False, True),
    ("ended early after an empty page", Seen(payloads=1, whole=1, records=0, failure="gone"), False, True),
    ("cut, but with records", Seen(payloads=1, whole=0, records=3), False, True),
    ("never began", Seen(payloads=0, whole=0, records=0, failure="gone"), False, False),
    ("only garbage", Seen(payloads=3, whole=0, records=0), False, False),
    ("only missed", Seen(payloads=0, whole=0, records=0, missed=2), False, False),
])
def test_what_a_pass_is_worth(name: str, seen: Seen, complete: bool, usable: bool) -> None:
    """Complete means nothing is missing; usable means something came of it, and nothing new is something."""
    assert (seen.complete, seen.usable) == (complete, usable), name


def test_a_first_pass() -> None:
    """Counts, window and clocks of the first file."""
    document = feed_document(claim("a"), claim("b", published=at(-5)))
    assert (document.revision, document.status, document.status_reason) == (1, "ok", "2 new")
    assert (document.generated_at, document.last_success_at) == (iso(NOW), iso(NOW))
    assert document.window_to == iso(NOW)
    assert document.counts.signals_new == 2


def test_partial_says_what_is_missing_and_what_was_done() -> None:
    """The reason of a partial pass begins with the trouble."""
    seen = Seen(payloads=2, whole=1, records=1, problems=[problem()])
    document = next_document(None, seen, Normalised(signals=[claim("a")]), stamp())
    assert document.status == "partial"
    assert document.status_reason == "cut_short: ends inside an entry (file:p); 1 new, 1 rejected"
    assert document.last_success_at == iso(NOW)


def test_an_error_keeps_the_last_good_signals() -> None:
    """Signals, window and last success stay; revision and clock move; the reason is there."""
    good = feed_document(claim("a"))
    bad = next_document(good, Seen(payloads=0, whole=0, records=0, failure="the host is down"), None, stamp(at(9)))
    assert bad.signals == good.signals
    assert (bad.status, bad.status_reason, bad.revision) == ("error", "the host is down", 2)
    assert (bad.generated_at, bad.last_success_at) == (iso(at(9)), iso(NOW))
    assert (bad.window_from, bad.window_to) == (good.window_from, good.window_to)
    recovered = next_document(bad, whole(), Normalised(signals=[claim("a")]), stamp(at(10)))
    assert (recovered.status, recovered.counts.duplicates, recovered.revision) == ("ok", 1, 3)


def test_an_error_before_any_success() -> None:
    """The first file of a feed that never worked is empty and says so."""
    bad = next_document(None, Seen(payloads=1, whole=0, records=0), None, stamp())
    assert (bad.signals, bad.last_success_at, bad.window_to) == ([], None, None)
    assert bad.status_reason == "1 of 1 payloads could not be used whole"


def test_every_kind_of_outcome_is_counted() -> None:
    """Records that are no claims, repeats and refusals keep their numbers and are told in words."""
    found = Normalised(signals=[claim("a"), claim("future", published=at(60))], duplicates=3, not_signals=4,
                       problems=[problem()])
    document = next_document(None, whole(records=10), found, stamp())
    numbers = document.counts
    assert (numbers.records, numbers.duplicates, numbers.not_signals, numbers.rejected) == (10, 3, 4, 2)
    assert [one.code for one in document.errors] == ["cut_short", "from_the_future"]
    assert document.status_reason == "1 new, 3 repeated, 2 rejected"


def test_nothing_new_is_told_as_such() -> None:
    """A quiet pass says how much is live."""
    document = next_document(feed_document(claim("a")), whole(records=0), Normalised(signals=[]), stamp(at(1)))
    assert document.status_reason == "nothing new, 1 live"


def test_a_flood_of_problems_does_not_fill_the_file() -> None:
    """The file lists the first ones and how many there are besides; one fewer is listed whole."""
    assert len(listed([problem()] * MOST_ERRORS)) == MOST_ERRORS
    shown = listed([problem()] * (MOST_ERRORS + 7))
    assert len(shown) == MOST_ERRORS + 1
    assert shown[-1].detail.startswith("7 more")


@pytest.mark.parametrize(("seen", "said"), [
    (Seen(payloads=1, whole=0, records=0, problems=[problem()], failure="the host is down"), "the host is down"),
    (Seen(payloads=1, whole=0, records=0, problems=[problem()]), "cut_short: ends inside an entry (file:p)"),
    (Seen(payloads=1, whole=0, records=0, problems=[problem(), problem("q")]),
     "cut_short: ends inside an entry (file:p) (and 1 more)"),
])
def test_the_cause_in_one_sentence(seen: Seen, said: str) -> None:
    """What ended the fetch comes before what was wrong inside."""
    assert cause(seen) == said
