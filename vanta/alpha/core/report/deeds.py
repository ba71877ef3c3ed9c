"""The chapters about what was done: orders with reasons and verdicts, what was stopped, what was allowed when. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from vanta.alpha.core.page import text
from vanta.alpha.core.report import columns
from vanta.alpha.core.report.axes import moment
from vanta.alpha.core.report.history import History
from vanta.alpha.core.report.reign import RUNS, Spell
from vanta.alpha.core.report.svg import NONE, Drawing, Table, figure, table
from vanta.alpha.core.report.told import Told
from vanta.alpha.core.report.wishes import Stop, Wish
from vanta.alpha.core.words import amount, count, meaning, when
from vanta.alpha.core.words import figure as number

STYLE = """
.wish{border-bottom:1px solid var(--line)}
.wish>summary{display:grid;grid-template-columns:.8rem 9.5rem 9.5rem minmax(0,1fr) auto;gap:.1rem 1rem;color:var(--ink);
padding:.35rem 0;align-items:baseline;list-style:none}
.wish>summary::-webkit-details-marker{display:none}
.wish>summary::before{content:"▸";color:var(--quiet)}
.wish[open]>summary::before{content:"▾"}
.wish>summary:hover{background:var(--soft)}
.wish>summary>*{overflow-wrap:anywhere}
.wish .when{color:var(--quiet);font-variant-numeric:tabular-nums;font-size:.82rem}
.wish .end{font-weight:600}
.wish .good{color:var(--good)}.wish .bad{color:var(--bad)}
.wish .much{font-variant-numeric:tabular-nums;text-align:right}
.wish dl{display:grid;grid-template-columns:7rem minmax(0,1fr);gap:.2rem 1rem;margin:.2rem 0 .8rem 1rem;
font-size:.88rem}
.wish dt{color:var(--quiet)}
.wish dd{margin:0;overflow-wrap:anywhere}
@media screen and (max-width:40rem){.wish>summary{grid-template:"t t e" "m w a"/.8rem minmax(0,1fr) auto}
.wish .when{grid-area:t}.wish .end{grid-area:e;text-align:right}.wish .what{grid-area:w}.wish .much{grid-area:a}
.wish>summary::before{grid-area:m}

.wish dl{grid-template-columns:minmax(0,1fr);margin-left:.2rem}.wish dt{margin-top:.3rem}}
@media print{.wish>summary::before{content:""}.wish>summary{padding:.15rem 0}}
"""
MOST_EVENTS, MOST_LANES = 80, 14
_SIGNS = {"filled": "●", "partially_filled": "◐", "working": "◔", "approved": "◔", "submitting": "◔",
          "cancelling": "◔", "refused": "✕", "rejected": "✕", "quarantined": "✕", "unknown": "?", "held": "‖",
          "expired": "○", "cancelled": "○", "withdrawn": "○"}
_TONES = {"●": " good", "✕": " bad", "?": " bad"}


def orders(history: History) -> Iterator[str]:
    """How all intents ended, and the newest of them one by one."""
    wishes, states = history.wishes, Counter(entry.state for entry in history.book.intents.values())
    if not wishes.total:
        yield "<p>No intent was staged yet.</p>"
        return
    said = ", ".join(f"{number_of:,} {state.replace('_', ' ')}" for state, number_of in states.most_common())
    shown = list(wishes.newest.values())[::-1]
    rest = wishes.total - len(shown)
    older = f" The newest {len(shown)} are shown; {count(rest, 'older one')} only counted here." if rest else ""
    yield (f"<p>{text(count(wishes.total, 'intent'))}: {text(said)}. "
           f"{text(count(wishes.orders, 'order'))}, {text(count(wishes.fills, 'fill'))}.{text(older)}</p>")
    yield "\n".join(map(_wish, shown))


def _wish(wish: Wish) -> str:
    sign = _SIGNS.get(wish.state, "·")
    name = wish.state.replace("_", " ")
    much = amount(wish.worth, wish.currency, sign=False) if wish.filled else ""
    rows = "".join(f"<dt>{text(head)}</dt><dd>{text(body)}</dd>" for head, body in _told(wish) if body)
    return (f'<details class="wish"><summary><span class="when">{text(when(wish.at)[:19])}</span>'
            f'<span class="end{_TONES.get(sign, "")}">{sign} {text(name)}</span>'
            f'<span class="what">{text(wish.side)} {text(wish.instrument_id)} · {text(wish.vault)}</span>'
            f'<span class="much">{text(much)}</span></summary><dl>{rows}</dl></details>')


def _told(wish: Wish) -> Iterator[tuple[str, str]]:
    money = f" {wish.currency}" if wish.currency else ""
    yield "asked for", (f"{wish.side} for {abs(wish.notional):,.2f}{money}"
                        f"{', by the executor itself' if wish.by_executor else ''}")
    yield "because", _because(wish)
    yield "verdict", _verdict(wish)
    yield "held by", ", ".join(wish.held)
    yield "filled", _filled(wish)
    yield "also", "; ".join(wish.notes)
    yield "ids", " ".join(filter(None, (wish.intent_id, wish.order_id)))
    yield "all of it", f"vanta explain {wish.intent_id}"


def _because(wish: Wish) -> str:
    lines = ", ".join(f"{name.removeprefix('source:')} {bp:+,}".replace("-", "−") for name, bp in wish.reasons if bp)
    return f"conviction {wish.conviction_bp:,} bp: {lines or 'no reason recorded'}"


def _verdict(wish: Wish) -> str:
    said = [f"{line[0]} said no: {_of(line)}; {meaning(line[1])}" for line in wish.lines]
    passed = f"{count(wish.passed, 'fence')} passed" if wish.passed else ""
    return ". ".join(filter(None, ("; ".join(said).rstrip("."), passed))) or "not judged yet"


def _of(line: Sequence[str]) -> str:
    _, code, value, limit, detail = line
    told = f"{code}, saw {_quantity(value)}" + (f" against {_quantity(limit)}" if limit else "")
    return f"{told} ({detail})" if detail else told


def _quantity(value: str) -> str:
    """Milliseconds as seconds; everything else as it stands."""
    digits, _, unit = value.partition(" ")
    return f"{int(digits) // 1000:,} s" if unit == "ms" and digits.isdigit() else value or "nothing"


def _filled(wish: Wish) -> str:
    if not wish.filled or wish.price is None:
        return ""
    whole = "" if wish.filled == wish.ordered else f" of {number(wish.ordered)}"
    return (f"{number(wish.filled)}{whole} at {wish.price:,.4f} in {count(wish.fills, 'fill')}, "
            f"{amount(wish.worth, wish.currency, sign=False)}, fees {amount(wish.fees, wish.currency, sign=False)}")


def stopped(stops: Mapping[str, Stop]) -> Iterator[str]:
    """Every code that stopped something, the most frequent first."""
    if not stops:
        yield "<p>Nothing was refused, held or withheld.</p>"
        return
    ranked = sorted(stops.items(), key=lambda row: (-row[1].times, row[0]))
    yield table(Table(
        head=("code", "refused", "held", "withheld", "latched", "last (UTC)", "what it means"),
        right=frozenset({1, 2, 3, 4}), stack=True, bare=frozenset({6}),
        rows=[[code, *(f"{value:,}" if value else NONE for value in (one.refused, one.held, one.withheld,
                                                                    one.latched)),
               when(one.last)[:19], meaning(code)] for code, one in ranked]))
    yield ('<p class="quiet">Refused and held count intents, once a code; withheld counts orders that the last look '
           "stopped, latched how often the executor halted itself for it.</p>")


def controls(spells: Sequence[Spell], events: Sequence[Told], counts: Mapping[str, int],
             span: tuple[int, int]) -> Iterator[str]:
    """What was so for a while as lanes, and what happened as a list."""
    names = sorted(dict.fromkeys(spell.name for spell in spells), key=lambda name: name == RUNS)
    shown = names[-MOST_LANES:][::-1]
    if shown:
        yield figure(_lanes([spell for spell in spells if spell.name in shown], shown, len(names), span))
    newest = sorted(events, key=lambda one: one.at)[-MOST_EVENTS:][::-1]
    if not newest:
        yield "<p>Nobody has changed anything.</p>"
        return
    whole = sum(counts.values())
    older = f"The newest {len(newest)} of {whole:,} events." if whole > len(newest) else ""
    yield table(Table(head=("when (UTC)", "what", "record"), caption=older, stack=True, bare=frozenset({1, 2}),
                      rows=[[when(one.at)[:19], one.text, one.place] for one in newest]))


def _lanes(spells: Sequence[Spell], names: Sequence[str], all_names: int, span: tuple[int, int]) -> Drawing:
    more = f" {all_names - len(names)} older ones are left out." if all_names > len(names) else ""
    return Drawing(
        name="controls", title="What was allowed when", told=f"{count(len(spells), 'spell')} of {', '.join(names)}.",
        draw=partial(columns.lanes, spells, names, span),
        caption=f"Grey: the executor ran. Striped: something held orders back or was changed for a while; an arrow "
                f"means that it still was when the log ended.{more}",
        numbers=Table(head=("what", "from", "until"), rows=[
            [spell.name, moment(spell.from_ms), "still so" if spell.open else moment(spell.to_ms)]
            for spell in spells[-200:]]))
