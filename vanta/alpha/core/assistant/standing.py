"""How things stand: why nothing leaves, what is wrong, what is held, staged, open, followed. Pure over a `View`."""

from collections.abc import Iterator, Sequence

from vanta.alpha.core.assistant.answer import Answer, Fact, Step, capped, cites
from vanta.alpha.core.assistant.changed import told_change
from vanta.alpha.core.assistant.view import DIAGNOSTICS, View
from vanta.alpha.core.changes import Changes
from vanta.alpha.core.items import Wanted, sorted_items
from vanta.alpha.core.sights import Row
from vanta.alpha.core.summary import GRAVITY
from vanta.alpha.core.trail import place
from vanta.alpha.core.words import amount, count, meaning, several, when
from vanta.common.events import Kind
from vanta.common.exitcodes import Check
from vanta.common.money import decimal
from vanta.common.paths import (
    EXECUTOR_STATE,
    OPEN_ORDERS,
    OVERLAY,
    PERMIT,
    PNL,
    PORTFOLIO,
    QUEUE,
    TRACKER_LOG,
    TRADE_LOG,
)
from vanta.common.store.ports import Record

MOST = 12
_WORDS = {Check.CRITICAL: "bad", Check.UNKNOWN: "unknown", Check.WARNING: "to be looked at"}
_STATUS = Step("one screen of everything", "vanta-diagnostics")


def halted(view: View) -> Answer:
    """Why no order leaves, or that orders may."""
    stops = [*_latched(view), *_switched(view), *_permit(view), *_executor(view)]
    partly = [*_scoped(view), *_held(view), *staged(view)]
    if stops:
        first = stops[0]
        more = f", and {len(stops) - 1} more" if len(stops) > 1 else ""
        head = Fact(
            f"No order leaves now. {len(stops)} reason{'s' if len(stops) > 1 else ''}: {_start(first.text)}{more}.",
            cites(name for one in stops for name in one.cites),
            Check.WARNING,
        )
    else:
        head = Fact(
            "Nothing stops all orders: no latch, no switch, the permit is there, the executor runs.",
            (OVERLAY, PERMIT, EXECUTOR_STATE),
            Check.OK,
        )
    return Answer(kind="halted", head=head, facts=(*stops, *partly, *_who(view)), next=tuple(_cures(view)))


def _start(text: str) -> str:
    return text[:1].lower() + text[1:].split(". ", maxsplit=1)[0].rstrip(".")


def _latched(view: View) -> Iterator[Fact]:
    for latch in view.facts.latches:
        what = "everything" if latch.everything else "one vault"
        yield Fact(
            f"The executor latched itself, which stops {what}: {latch.detail}. Only a release that names the latch "
            "clears it.",
            (latch.latch_id,),
            Check.CRITICAL,
        )


def _switched(view: View) -> Iterator[Fact]:
    if view.facts.unreadable:
        yield Fact(
            f"The overlay cannot be read, and that halts everything: {view.facts.unreadable}.",
            (OVERLAY,),
            Check.CRITICAL,
        )
        return
    far = view.facts.far
    for text in () if far is None else (*far.stops, *filter(None, (far.unreadable,))):
        yield Fact(f"Alpha's controls stop it: {text}.", (f"memory/replica/alpha/memory/{OVERLAY}",), Check.WARNING)
    for stop in view.facts.stops:
        yield Fact(f"A switch stops it: {stop}.", cites((OVERLAY, view.place_of("overlay"))), Check.WARNING)


def _permits_here(view: View) -> bool:
    """Whether the permit would lie here: on several hosts it is the executor's alone."""
    return view.facts.node in ("", "executor")


def _permit(view: View) -> Iterator[Fact]:
    if not view.facts.permit and _permits_here(view):
        said = view.more.permission
        yield Fact(f"There is no permit to dispatch: {said}.", cites((PERMIT, view.place_of("permit"))), Check.WARNING)


def _executor(view: View) -> Iterator[Fact]:
    row = view.row("executor")
    if row is not None and row.level is not Check.OK and not view.facts.latches:
        said = f"The executor {row.text}" if row.text.startswith(("is ", "runs")) else f"About the executor: {row.text}"
        yield Fact(f"{said}.", (EXECUTOR_STATE,), row.level)
    dispatch = view.row("dispatch")
    if dispatch is not None and dispatch.text.startswith(("the switches are open", "it cannot be told")):
        yield Fact(f"{dispatch.text[:1].upper()}{dispatch.text[1:]}.", (EXECUTOR_STATE,), dispatch.level)


def _scoped(view: View) -> Iterator[Fact]:
    for one in view.facts.scoped:
        yield Fact(f"A switch stops a part: {one}.", cites((OVERLAY, view.place_of("overlay"))), Check.WARNING)


def _held(view: View) -> Iterator[Fact]:
    """What each waiting intent waits for, by the last verdict on it."""
    states = view.doc(PORTFOLIO).table("intents")
    halts = (
        view.facts.stops or view.facts.scoped or view.facts.latches or view.facts.unreadable or not view.facts.permit
    )
    groups: dict[str, list[Record]] = {}
    for name in (name for name, state in states.items() if state == "held"):
        last = [one for one in view.affairs.trail.of_intent(name) if one.kind == Kind.INTENT_HELD]
        for code in last[-1].payload.get("codes", ()) if last else ():
            if str(code).startswith("halt.") and not halts:
                continue  # it was recorded once, and is over
            groups.setdefault(str(code), []).append(last[-1])
    for code, records in groups.items():
        yield Fact(
            f"{count(len(records), 'intent')} wait{'s' if len(records) == 1 else ''} for {code}: {meaning(code)}",
            cites(name for one in records for name in (one.ids["intent_id"], place(TRADE_LOG, one))),
            Check.WARNING,
        )


def staged(view: View) -> Iterator[Fact]:
    """That nothing is staged, or that it is not known."""
    doc = view.doc(QUEUE)
    if view.facts.node == "alpha":
        return  # it is not carried there
    if doc.value is None:
        yield Fact(
            f"What is staged is not known: {doc.problem or 'nothing was promoted here yet'}.", (QUEUE,), Check.UNKNOWN
        )
    elif not doc.rows("intents"):
        yield Fact("Nothing is staged: the promoter wants nothing that is not held or ordered already.", (QUEUE,))


def _who(view: View) -> Iterator[Fact]:
    """Who changed the permit and the overlay last, in the log's own words."""
    for what in ("overlay", "permit"):
        said = view.last(what)
        if said is not None:
            fact, _ = told_change(said, Changes(view.affairs))
            yield Fact(f"The last change of the {what}: {fact.text}", fact.cites)


def _cures(view: View) -> Iterator[Step]:
    """What helps, in the order in which it is needed."""
    seen = set[str]()
    for name in ("executor", "dispatch", "brokers"):
        row = view.row(name)
        if row is not None and row.fix and row.level is not Check.OK and row.fix not in seen and not _loosens(row.fix):
            seen.add(row.fix)
            yield Step(name, row.fix)
    if not view.facts.permit and _permits_here(view):
        yield Step("whether to let them leave again", 'vanta-assistant ask "is it safe to release?"')


def _loosens(fix: str) -> bool:
    """Whether it would let orders leave: that is for whoever has asked whether it is safe."""
    return fix.startswith("vanta-run release --scope")


def refused(view: View) -> Answer:
    """What was refused lately, by code."""
    groups: dict[str, list[Record]] = {}
    for record in view.log(TRADE_LOG):
        if record.kind in (Kind.INTENT_REFUSED, Kind.INTENT_QUARANTINED):
            for code in codes_of(record):
                groups.setdefault(code, []).append(record)
    if not groups:
        return Answer(
            kind="refused",
            head=Fact(
                "No refusal stands in what was read of the trade log.", (TRADE_LOG, *_range(view.log(TRADE_LOG)))
            ),
        )
    found = [
        Fact(
            f"{code} refused {count(len(records), 'intent')}, last {_wish(view, records[-1])} at "
            f"{when(records[-1].at)}: {meaning(code)}",
            cites(name for one in reversed(records) for name in (place(TRADE_LOG, one), one.ids["intent_id"])),
        )
        for code, records in sorted(groups.items(), key=lambda row: -len(row[1]))
    ]
    number = len({one.ids["intent_id"] for records in groups.values() for one in records})
    head = Fact(
        f"{count(number, 'intent')} {'was' if number == 1 else 'were'} refused, for {count(len(groups), 'reason')}.",
        _range(view.log(TRADE_LOG)),
    )
    return Answer(kind="refused", head=head, facts=tuple(capped(found, MOST, "reasons")))


def codes_of(record: Record) -> list[str]:
    """The codes of a verdict, strongest first as the fences stand."""
    return list(dict.fromkeys(str(line[1]) for line in record.payload.get("lines", ()) if line[1]))


def _wish(view: View, record: Record) -> str:
    body = view.affairs.trail.intent(record.ids["intent_id"])
    return f"{body['side']} {body['instrument_id']} in {body['vault']}" if body else record.ids["intent_id"]


def _range(records: Sequence[Record]) -> tuple[str, ...]:
    """The first and the last place of what was read."""
    return cites(place(TRADE_LOG, one) for one in (*records[:1], *records[-1:])) or (TRADE_LOG,)


def wrong(view: View) -> Answer:
    """What is not in order, the gravest first, with what mends it."""
    rows = grave(view.rows)
    facts = [
        Fact(f"{row.name}: {row.text}", view.source(row), row.level, outside=row.name.startswith("feed "))
        for row in rows
    ]
    facts += list(_asks(view))
    if not facts:
        return Answer(
            kind="todo",
            head=Fact(
                f"Nothing that I can see: {count(len(view.rows), 'check')} are in order and nothing grave is open.",
                (DIAGNOSTICS,),
                Check.OK,
            ),
            next=(_STATUS,),
        )
    worst = min((one.level for one in facts if one.level is not None), key=GRAVITY.index)
    words = {
        Check.CRITICAL: "act now",
        Check.UNKNOWN: "some of it cannot be told, so do not take it for good",
        Check.WARNING: "none of it is grave",
    }[worst]
    head = Fact(
        f"{count(len(facts), 'thing')} {'is' if len(facts) == 1 else 'are'} not in order; {words}.",
        cites(one.cites[0] for one in facts),
        worst,
    )
    steps = [Step(row.name, row.fix) for row in rows if row.fix]
    return Answer(kind="todo", head=head, facts=tuple(capped(facts, 2 * MOST, "things")), next=tuple(steps))


def grave(rows: Sequence[Row]) -> list[Row]:
    """The rows that are not in order, the gravest first."""
    return sorted((row for row in rows if row.level is not Check.OK), key=lambda row: GRAVITY.index(row.level))


def _asks(view: View) -> Iterator[Fact]:
    """What people follow that is grave, and proposals that nobody has carried out."""
    if view.tracker_problem:
        yield Fact(f"The tracker cannot be read: {view.tracker_problem}.", (TRACKER_LOG,), Check.UNKNOWN)
    for item in sorted_items(view.tracker, Wanted()):
        if item.severity in ("high", "critical"):
            yield Fact(
                f"{item.kind} of {item.severity} severity, {item.state}: {item.title}.",
                (item.id,),
                Check.CRITICAL if item.severity == "critical" else Check.WARNING,
            )
    for one in view.proposals:
        if not one.done:
            yield Fact(f"A proposal of {when(one.at)} was not carried out: {one.command}", (one.file,), Check.WARNING)


def status(view: View) -> Answer:
    """How everything is, in a few lines."""
    dispatch, executor = view.row("dispatch"), view.row("executor")
    rows = grave(view.rows)
    shown = [row for row in (dispatch, executor) if row is not None]
    facts = [Fact(f"{row.name}: {row.text}", view.source(row), row.level) for row in shown]
    facts += [
        Fact(f"{row.name}: {row.text}", view.source(row), row.level, outside=row.name.startswith("feed "))
        for row in rows
        if row not in shown
    ]
    facts += [*_worth(view), *work(view)]
    good = len(view.rows) - len(rows)
    told = [f"{number} {_WORDS[level]}" for level in GRAVITY if (number := sum(row.level is level for row in rows))]
    head = Fact(
        f"{good} of {len(view.rows)} checks are in order{f'; {several(told)}' if told else ', so all of them'}.",
        (DIAGNOSTICS,),
        rows[0].level if rows else Check.OK,
    )
    return Answer(
        kind="status",
        head=head,
        facts=tuple(capped(facts, 2 * MOST, "lines")),
        next=tuple(Step(row.name, row.fix) for row in rows if row.fix)[:4] or (_STATUS,),
    )


def _worth(view: View) -> Iterator[Fact]:
    total = view.doc(PNL).table("total")
    if total:
        currency = view.doc(PNL).text("currency")
        yield Fact(
            f"Made so far {money(total.get('total'), currency)}, of which {money(total.get('realised'), currency)} "
            f"realised; fees {money(total.get('fees'), currency, sign=False)}.",
            (PNL, *view.cut[1:]),
        )


def work(view: View) -> Iterator[Fact]:
    """How many orders are at a venue."""
    doc = view.doc(OPEN_ORDERS)
    if doc.value is not None:
        rows = doc.rows("orders")
        yield Fact(
            f"{count(len(rows), 'order') if rows else 'No order'} {'is' if len(rows) < 2 else 'are'} working at the "
            "venue.",
            cites((OPEN_ORDERS, *(str(row.get("order_id")) for row in rows))),
        )


def money(value: object, currency: str, *, sign: bool = True) -> str:
    """`+1,234.50 USD`; unknown where there is no figure."""
    try:
        return amount(decimal(str(value)), currency, sign=sign)
    except ValueError:
        return "unknown"
