"""The tracker's fold: one table of states, checks that cannot be talked away, and what people are shown of it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from vanta.alpha.core.board import Shown, board
from vanta.alpha.core.items import (
    Wanted,
    changed_since,
    headline,
    level,
    markdown,
    row,
    sorted_items,
    tally,
    thread_row,
    thread_told,
    told,
)
from vanta.alpha.core.tracked import TrackerFold
from vanta.alpha.core.tracker import LONGEST_TEXT, TABLE, Tracker
from vanta.alpha.core.tracker_words import SENTENCES, explain_tracked, names
from vanta.alpha.tracker import Desk, New, Refused, rendered
from vanta.common.errors import StateError
from vanta.common.events import Kind
from vanta.common.exitcodes import Check
from vanta.common.models.tracker import Evidence
from vanta.common.store.inmemory import MemoryJournal
from vanta.common.store.ports import Record

AT = "2026-11-20T15:00:00.000Z"
NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
HOSTILE = '</p><script>alert(1)</script>\x1b[31m\u202e"\'&\ud800 [x](javascript:1) `'


def desk() -> Desk:
    """A tracker without anything, in memory."""
    return Desk(MemoryJournal(), by="ann", at=AT)


def records(one: Desk) -> list[Record]:
    """What its log holds."""
    return list(one._journal.read())


def again(one: Desk) -> Tracker:
    """The fold of its log from the beginning."""
    tracker = Tracker()
    for record in records(one):
        tracker.apply(record)
    return tracker


def in_state(one: Desk, state: str) -> str:
    """A release that has come into this state."""
    name = one.add(New(title="x", kind="release")).id
    if state == "fixing":
        return one.begin(name).id
    return name if state == "open" else one.mark(name, state, "so").id


def test_every_state_has_its_successors_and_no_others() -> None:
    """All pairs: what the table has goes, what it has not is refused and changes nothing."""
    for before, follows in TABLE.items():
        for after in set(TABLE) - {"fixing"}:
            one = desk()
            name = in_state(one, before)
            if after in follows:
                assert one.mark(name, after, "because").state == after
            else:
                seen = len(records(one))
                with pytest.raises(Refused, match="cannot follow"):
                    one.mark(name, after, "because")
                assert (one.tracker.items[name].state, len(records(one))) == (before, seen)


@pytest.mark.parametrize("state", ["approved", "done", "wontfix"])
def test_what_ended_is_opened_before_it_is_fixed(state: str) -> None:
    """Nothing is written of a fix that cannot begin, no thread either."""
    one = desk()
    name = in_state(one, state)
    seen = len(records(one))
    with pytest.raises(Refused, match=state):
        one.begin(name)
    assert (len(records(one)), one.tracker.threads) == (seen, {})


def test_only_its_check_ends_an_item_that_has_one() -> None:
    """A word does not, another status does not, no status does not, `false` does not; 0 does, and ends the thread."""
    one = desk()
    name = one.add(New(title="x", verify="true")).id
    with pytest.raises(Refused, match="vt-fix"):
        one.mark(name, "done", "I say so")
    with pytest.raises(Refused, match="only what is being fixed"):
        one.checked(name, 0)
    thread = str(one.begin(name).thread)
    for code in (1, None, -9, False):
        assert one.checked(name, code).state == "fixing"
    one.append(thread, "asked around", 4)
    with pytest.raises(Refused, match="vt-fix"):
        one.mark(name, "done", "I say so")
    assert one.checked(name, 0).state == "done"
    assert one.tracker.threads[thread].closed_at == AT
    assert one.tracker.threads[thread].checklist[3].done
    assert again(one).document(written_by="x") == one.tracker.document(written_by="x")


def test_its_check_ticks_the_line_about_it() -> None:
    """The last line of the checklist is what the check has shown; the others are people's."""
    one = desk()
    item = one.begin(one.add(New(title="x", verify="true")).id)
    one.checked(item.id, 0)
    assert [task.done for task in one.tracker.threads[str(item.thread)].checklist] == [False, False, False, True]
    bare = one.begin(one.add(New(title="y", verify="true")).id)
    one.close(str(bare.thread), "gone")
    assert one.checked(bare.id, 0).state == "done"


def test_a_second_fix_goes_on_in_its_thread_or_opens_another() -> None:
    """While the thread goes on it is the same; once it was closed there is a new one."""
    one = desk()
    name = one.add(New(title="x")).id
    first = one.begin(name).thread
    one.mark(name, "blocked", "waiting")
    assert one.begin(name).thread == first
    one.close(str(first), "given up")
    one.mark(name, "open", "again")
    assert one.begin(name).thread != first


REFUSED: dict[str, tuple[Callable[[Desk], Any], str]] = {
    "no such item": (lambda one: one.note("vt_aaaaaaaaaaaaaaaa", "x"), "no item"),
    "no such thread": (lambda one: one.append("th_aaaaaaaaaaaaaaaa", "x"), "no thread"),
    "an item's thread": (lambda one: one.open("x", item="vt_aaaaaaaaaaaaaaaa"), "no item"),
    "an empty title": (lambda one: one.add(New(title=" \n ")), "a title has"),
    "a long title": (lambda one: one.add(New(title="x" * 201)), "a title has"),
    "an unknown kind": (lambda one: one.add(New(title="x", kind="wish")), "kind"),
    "an empty word": (lambda one: one.note(one.add(New(title="x")).id, " \n"), "a text has"),
    "a long word": (lambda one: one.note(one.add(New(title="x")).id, "x" * (LONGEST_TEXT + 1)), "a text has"),
    "no reason": (lambda one: one.mark(one.add(New(title="x")).id, "done", ""), "a text has"),
    "no outcome": (lambda one: one.close(one.open("x").id, ""), "a text has"),
    "approval of a task": (lambda one: one.mark(one.add(New(title="x")).id, "approved", "x"), "no release"),
    "a check of what has none": (lambda one: one.checked(one.add(New(title="x")).id, 0), "no check"),
    "no such line": (lambda one: one.append(one.open("x", checklist=["a"]).id, "x", 2), "no line 2"),
    "line 0": (lambda one: one.append(one.open("x", checklist=["a"]).id, "x", 0), "no line 0"),
    "a word after the end": (lambda one: one.append(one.close(one.open("x").id, "so").id, "x"), "is closed"),
    "a second end": (lambda one: one.close(one.close(one.open("x").id, "so").id, "x"), "is closed"),
    "a second link": (lambda one: one.link(one.link(one.open("x").id, "trade_log:1").id, "trade_log:1"), "already"),
}


@pytest.mark.parametrize(("act", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_is_refused(act: Callable[[Desk], Any], why: str) -> None:
    """With the reason, and without a trace: what is in the log folds again."""
    one = desk()
    with pytest.raises(Refused, match=why):
        act(one)
    assert again(one).document(written_by="x") == one.tracker.document(written_by="x")


def test_a_line_is_ticked_once() -> None:
    """What was done is not done again."""
    one = desk()
    thread = one.append(one.open("x", checklist=["a", "b"]).id, "did it", 1)
    with pytest.raises(Refused, match="no line 1"):
        one.append(thread.id, "did it again", 1)


def test_a_closed_thread_is_still_linked() -> None:
    """What came of it is often seen later."""
    one = desk()
    assert one.link(one.close(one.open("x").id, "so").id, "trade_log:1").links[0].target == "trade_log:1"


FORGED: dict[str, Record] = {
    "another id": Record(1, AT, Kind.ITEM_ADDED, None, {"item_id": "vt_aaaaaaaaaaaaaaaa"}, {"title": "x"}, "0" * 64,
                         ""),
    "another thread's id": Record(1, AT, Kind.THREAD_OPENED, None, {"thread_id": "th_aaaaaaaaaaaaaaaa"},
                                  {"title": "x", "checklist": []}, "0" * 64, ""),
    "no id": Record(1, AT, Kind.ITEM_NOTED, None, {}, {"text": "x", "by": "x", "uid": "0"}, "0" * 64, ""),
    "no title": Record(1, AT, Kind.ITEM_ADDED, None, {"item_id": "vt_aaaaaaaaaaaaaaaa"}, {}, "0" * 64, ""),
}


@pytest.mark.parametrize("record", FORGED.values(), ids=FORGED.keys())
def test_a_record_that_cannot_be_is_a_state_error(record: Record) -> None:
    """Whatever it lacks; and nothing of it stays."""
    tracker = Tracker()
    with pytest.raises(StateError):
        tracker.apply(record)
    assert (tracker.seq, tracker.items, tracker.threads) == (0, {}, {})
    assert TrackerFold(None).take(record)


def test_two_items_of_one_title_are_two() -> None:
    """An id names a place in the log, so that the same words twice are two things."""
    one = desk()
    assert len({one.add(New(title="x")).id for _ in range(20)}) == 20


def watched(one: Desk, raw: bytes | None, *, whole: bool = True, most: int | None = None) -> list[tuple[Check, str]]:
    """What the verification of its log says about the document."""
    fold = TrackerFold(raw)
    for record in records(one)[:most]:
        assert fold.take(record) is None
    return [(found.level, found.text) for found in fold.end(whole=whole)]


def test_the_document_is_held_to_the_log() -> None:
    """Equal, behind, ahead, edited, unreadable, none."""
    one = desk()
    name = one.add(New(title="x")).id
    early = rendered(one.tracker)
    one.note(name, "y")
    late = rendered(one.tracker)
    assert watched(one, late) == [(Check.OK, "is the fold of the log")]
    assert [found[0] for found in watched(one, early)] == [Check.UNKNOWN]
    assert [found[0] for found in watched(one, late, most=1)] == [Check.CRITICAL]
    assert [found[0] for found in watched(one, late, most=1, whole=False)] == [Check.UNKNOWN]
    for wrong in (late.replace(b'"y"', b'"z"'), early.replace(b'"open"', b'"done"')):
        assert [found[0] for found in watched(one, wrong)] == [Check.CRITICAL]
    assert watched(one, late.replace(b'"tracker 0', b'"another 0')) == [(Check.OK, "is the fold of the log")]
    assert watched(one, b"{") == watched(one, None) == []


@pytest.fixture
def busy() -> Desk:
    """A bit of everything, with hostile words in it."""
    one = desk()
    first = one.add(New(title=HOSTILE, kind="incident", severity="critical", owner=HOSTILE, verify="true"))
    one.note(first.id, f"one\n{HOSTILE}")
    thread = str(one.begin(first.id).thread)
    one.append(thread, f"{HOSTILE}\ntwo", 1)
    one.link(thread, "trade_log:1")
    one.checked(first.id, 3)
    one.mark(one.add(New(title="second", severity="high")).id, "blocked", HOSTILE)
    one.mark(one.add(New(title="third", severity="low")).id, "wontfix", "no")
    one.mark(one.add(New(title="fourth", kind="release", subject="m@1", digest="a" * 64)).id, "approved", "good")
    one.close(one.open("a decision").id, "so it is")
    moved = {"module": "m", "before": None, "after": "1", "manifest": "a" * 64, "reason": "better"}
    one.release(Kind.RELEASE_MOVING, moved)
    one.release(Kind.RELEASE_MOVED, moved)
    return one


class Tags(HTMLParser):
    """The tags of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes += attrs


def page_of(one: Desk) -> str:
    """Its board."""
    return board(one.tracker, Shown(NOW, timedelta(minutes=60), "viewer"))


def test_the_board_is_inert(busy: Desk) -> None:
    """Hostile words are words: no script, no handler, no address, nothing that a terminal or a reader would obey."""
    page = page_of(busy)
    tags = Tags()
    tags.feed(page)
    assert not {"script", "img", "iframe", "object", "form", "link", "svg"} & set(tags.seen)
    assert [value for name, value in tags.attributes if name.startswith("on") or name in ("src", "style")] == []
    assert [value for name, value in tags.attributes if name == "href"] == ["#open"]
    assert "&lt;script&gt;" in page
    assert not set("\x1b\u202e\ud800") & set(page)
    assert "default-src &#x27;none&#x27;" in page or "default-src 'none'" in page


def test_the_board_says_what_is_there_and_how_long_that_is_news(busy: Desk) -> None:
    """Times, columns, figures, threads and what ended."""
    page = page_of(busy)
    assert "Made <b>2026-11-20 18:00:00 UTC</b>, stale after <b>2026-11-20 19:00:00 UTC</b>" in page
    for said in ("Being fixed · 1", "Blocked · 1", "Approved · 1", "Open · 0",
                 "3 items are open: 1 critical, 1 high and 1 blocked.", "a decision",
                 "1 of 4 done", "wontfix: no", "record 17 of", "1 note", "3 h old",
                 "nobody owns it"):
        assert said in page, said
    assert page.index("Tracker") < page.index("What is open") < page.index("Ended last")
    assert "earlier entr" not in page
    thread = next(iter(busy.tracker.threads))
    for number in range(3):
        busy.append(thread, f"more {number}")
    assert "2 earlier entries" in page_of(busy)
    empty = page_of(desk())
    for said in ("Nothing is open.", "No thread yet.", "Nothing has ended yet.", "None."):
        assert said in empty


def test_the_figures_make_the_check(busy: Desk) -> None:
    """Critical, then high or blocked, then nothing; the first line has at most 80 characters."""
    assert (level(tally(busy.tracker)), tally(busy.tracker)["unowned"]) == (Check.CRITICAL, 2)
    assert headline(tally(busy.tracker)) == "VANTA TRACKER CRITICAL - 3 open (1 critical, 1 high, 1 blocked)"
    one = desk()
    assert headline(tally(one.tracker)) == "VANTA TRACKER OK - 0 open | open=0 critical=0;;0"
    one.add(New(title="x", severity="high"))
    assert level(tally(one.tracker)) is Check.WARNING
    huge = dict.fromkeys(tally(one.tracker), 10**9)
    assert len(headline(huge)) <= 80
    assert headline(huge).startswith("VANTA TRACKER CRITICAL - 1000000000 open")


def test_lists_show_the_worst_first_and_only_what_is_asked_for(busy: Desk) -> None:
    """By severity, then by age; by state, by owner, all."""
    assert [one.title for one in sorted_items(busy.tracker, Wanted())][1:] == ["second", "fourth"]
    assert [one.title for one in sorted_items(busy.tracker, Wanted(state="wontfix"))] == ["third"]
    assert len(sorted_items(busy.tracker, Wanted(state="all"))) == 4
    owner = next(iter(busy.tracker.items.values())).owner
    assert len(sorted_items(busy.tracker, Wanted(owner=owner))) == 1
    assert row(sorted_items(busy.tracker, Wanted())[1], NOW).endswith("second (3 h)")


def test_an_item_is_told_whole(busy: Desk) -> None:
    """Evidence, check, release, thread, history and notes, each where there is one."""
    items = list(busy.tracker.items.values())
    said = "\n".join(told(items[0], ""))
    assert "  check     true" in said
    assert "its check ended with 3" in said
    assert "(tracker_log:2)" in said
    held = items[0].model_copy(update={"evidence": Evidence(path="/x", sha256="a" * 64, size=5)})
    assert "/x (5 bytes, aaaaaaaaaaaa): gone" in "\n".join(told(held, "gone"))
    assert "  release   m@1" in "\n".join(told(items[3], ""))
    assert "nobody owns it" in "\n".join(told(items[2], ""))


def test_a_thread_is_told_whole(busy: Desk) -> None:
    """In the order in which it happened, with what the home recorded meanwhile; in a terminal and as a document."""
    first, second = busy.tracker.threads.values()
    said = list(thread_told(first, [(AT, "a latch was set")]))
    assert said[1].startswith("  to fix vt_")
    assert said[2].startswith("  [x] 1.")
    assert any("a latch was set" in one for one in said)
    assert said[-1].endswith("a latch was set")
    assert thread_row(first, NOW).startswith(f"{first.id}  open    ")
    assert "closed" in thread_row(second, NOW)
    text = markdown(first, [(AT, "a latch was set")])
    assert "<script" not in text
    assert "](" not in text.replace("\\](", "")
    assert text.count("- [x]") == 1
    assert "a latch was set" in text
    assert markdown(second).startswith("# a decision\n")
    assert "closed: so it is" in markdown(second)


def test_what_happened_since_is_listed_in_order(busy: Desk) -> None:
    """States, notes and threads; nothing from before."""
    said = [text for _, text in changed_since(busy.tracker, AT)]
    assert sum("noted by ann" in one for one in said) == 1
    assert sum("opened:" in one for one in said) == 2
    assert sum("closed:" in one for one in said) == 1
    assert changed_since(busy.tracker, "2026-11-20T15:00:00.001Z") == []


def test_every_record_is_explained(busy: Desk) -> None:
    """A sentence for each kind, and a tree for each item and thread."""
    found = records(busy)
    assert names(found) == {*busy.tracker.items, *busy.tracker.threads}
    assert {one.kind for one in found} == set(SENTENCES)
    for name in names(found):
        tree = explain_tracked(name, found)
        assert tree.id == name
        assert tree.parts
    item = next(iter(busy.tracker.items))
    assert any("ended with 3." in part.text for part in explain_tracked(item, found).parts)
    assert SENTENCES[Kind.ITEM_CHECKED]({"by": "withheld:12", "exit": None}) == (
        "its check, run by somebody whose name is withheld (withheld:12), ended with nothing in time.")


def test_other_records_pass_by() -> None:
    """A log's first record, or one of a newer version, changes nothing but the place."""
    tracker = Tracker()
    body: Mapping[str, Any] = {}
    tracker.apply(Record(1, AT, Kind.JOURNAL_OPENED, None, {}, body, "0" * 64, "1" * 64))
    assert (tracker.seq, tracker.items) == (1, {})
