"""The tracker as one static page: what is open in columns, threads, and when this stops being news. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from vanta.alpha.core.items import Wanted, age, sorted_items, tally, timeline
from vanta.alpha.core.page import Page, document, text
from vanta.alpha.core.tracker import Tracker
from vanta.alpha.core.words import count, several, when
from vanta.common.models.tracker import Item, Thread
from vanta.common.times import iso

COLUMNS = (("Open", "open"), ("Being fixed", "fixing"), ("Blocked", "blocked"), ("Approved", "approved"))
ENDED_SHOWN, ENTRIES_SHOWN, THREADS_SHOWN = 12, 4, 20

STYLE = """
.stamp{display:inline-block;border:1px solid var(--line);background:var(--soft);border-radius:6px;padding:.3rem .6rem;
font-size:.9rem}
.figures{display:flex;flex-wrap:wrap;gap:.5rem;list-style:none;margin:1rem 0 0;padding:0}
.figures li{background:var(--box);border:1px solid var(--line);border-radius:8px;padding:.4rem .8rem}
.figures b{font-size:1.3rem;margin-right:.35rem}
.board{display:grid;gap:1rem;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));align-items:start}
.board h3{font-size:.95rem;margin:0 0 .5rem}
.column{background:var(--soft);border-radius:10px;padding:.75rem}
.card{background:var(--box);border:1px solid var(--line);border-left:4px solid var(--line);border-radius:8px;
padding:.6rem .7rem;margin:0 0 .6rem;overflow-wrap:anywhere}
.card:last-child{margin-bottom:0}
.card p{margin:0 0 .3rem}
.card .quiet{margin:0}
.critical,.high{border-left-color:var(--bad)}
.medium{border-left-color:var(--link)}
.word{font-size:.78rem;font-weight:600;border:1px solid currentColor;border-radius:4px;padding:0 .3rem}
.card.critical .word,.card.high .word{color:var(--bad)}
details{background:var(--box);border:1px solid var(--line);border-radius:8px;padding:.5rem .75rem;margin:0 0 .6rem;
overflow-wrap:anywhere}
summary{cursor:pointer}
details ol{padding-left:1.1rem;margin:.5rem 0 0}
@media (max-width:40rem){.board{grid-template-columns:1fr}}
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """When the page was made, how long it is news, and with what."""

    at: datetime
    fresh_for: timedelta
    program: str


def board(tracker: Tracker, shown: Shown) -> str:
    """The whole page."""
    figures, at = tally(tracker), shown.at
    ended = [one for one in tracker.items.values() if one.state in ("done", "wontfix")]
    columns = "\n".join(_column(title, sorted_items(tracker, Wanted(state=state)), at)
                        for title, state in COLUMNS)
    latest = sorted(ended, key=lambda one: one.history[-1].at, reverse=True)[:ENDED_SHOWN]
    newest = list(tracker.threads.values())[::-1]
    threads = sorted(newest, key=lambda one: one.closed_at is not None)
    body = (f'<p class="stamp">Made <b>{text(when(iso(at)))}</b>, stale after '
            f"<b>{text(when(iso(at + shown.fresh_for)))}</b></p>\n"
            f'<ul class="figures">{"".join(_figures(figures))}</ul>\n'
            f'<section><h2 id="open">What is open</h2>\n<div class="board">\n{columns}\n</div></section>\n'
            f"<section><h2>Threads</h2>\n{_all(map(_thread, threads[:THREADS_SHOWN]), 'No thread yet.')}</section>\n"
            f"<section><h2>Ended last</h2>\n<div class=\"board\">"
            f"{_all((_card(one, at) for one in latest), 'Nothing has ended yet.')}</div></section>")
    return document(Page(title="Tracker", lead=_lead(figures), body=body, style=STYLE, skip=("open", "To what is open"),
                         foot=f"Made by {shown.program} from record {tracker.seq:,} of tracker_log.jsonl."))


def _lead(figures: Mapping[str, int]) -> str:
    if not figures["open"]:
        return "Nothing is open."
    worse = [f"{figures[name]} {name}" for name in ("critical", "high", "blocked") if figures[name]]
    return f"{count(figures['open'], 'item is', 'items are')} open" + (f": {several(worse)}." if worse else ".")


def _figures(figures: Mapping[str, int]) -> Iterator[str]:
    return (f"<li><b>{value}</b>{text(name)}</li>" for name, value in figures.items())


def _all(rows: Iterator[str], nothing: str) -> str:
    return "".join(rows) or f'<p class="quiet">{nothing}</p>'


def _column(title: str, items: Sequence[Item], at: datetime) -> str:
    return (f'<section class="column"><h3>{title} · {len(items)}</h3>'
            f"{_all((_card(one, at) for one in items), 'None.')}</section>")


def _card(item: Item, at: datetime) -> str:
    last = item.history[-1]
    why = f"<p>{text(last.state)}: {text(last.reason)}</p>" if last.reason else ""
    whose = f"owned by {item.owner}" if item.owner else "nobody owns it"
    notes = f", {count(len(item.notes), 'note')}" if item.notes else ""
    return (f'<article class="card {item.severity}"><p><span class="word">{item.severity.upper()}</span> '
            f"{text(item.kind)} <code>{text(item.id)}</code></p><p><b>{text(item.title)}</b></p>{why}"
            f'<p class="quiet">{text(whose)}, {text(age(item.at, at))} old{notes}</p></article>')


def _thread(thread: Thread) -> str:
    rows = timeline(thread)
    left = len(rows) - ENTRIES_SHOWN
    more = f'<li class="quiet">{count(left, "earlier entry", "earlier entries")}</li>' if left > 0 else ""
    shown = "".join(f"<li>{text(when(at))} {text(said)}</li>" for at, said in rows[-ENTRIES_SHOWN:])
    done = sum(one.done for one in thread.checklist)
    tasks = f", {done} of {len(thread.checklist)} done" if thread.checklist else ""
    state = "closed" if thread.closed_at else "open"
    return (f"<details><summary><b>{text(thread.title)}</b> <code>{text(thread.id)}</code> {state}{tasks}</summary>"
            f"<ol>{more}{shown}</ol></details>")
