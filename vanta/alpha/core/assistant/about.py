"""Why an instrument is, or is not, traded: the chain from conviction over allocation to the last verdicts. Pure.

The chain is told up to where it ends: no conviction, one that got nothing and why, an intent that a fence stopped, a
fill. Each step that is there is told; a step that is not is said not to be.
"""

import shlex
from collections.abc import Iterator, Sequence

from vanta.alpha.core.assistant.answer import Answer, Fact, Step, cites
from vanta.alpha.core.assistant.standing import money
from vanta.alpha.core.assistant.view import View
from vanta.alpha.core.course import state_of, told
from vanta.alpha.core.earnings import Earnings
from vanta.alpha.core.outcome import brief
from vanta.alpha.core.trail import place
from vanta.alpha.core.words import count, figure, several, when
from vanta.common.events import Kind
from vanta.common.exitcodes import Check, Exit
from vanta.common.paths import ALLOCATION, PORTFOLIO, TRADE_LOG, TRADE_SIGNALS

MOST = 4
"""So many of the newest intents are told for each instrument."""

_STOPS = frozenset(
    {
        Kind.INTENT_HELD,
        Kind.INTENT_REFUSED,
        Kind.ORDER_WITHHELD,
        Kind.ORDER_REJECTED,
        Kind.INTENT_QUARANTINED,
        Kind.INTENT_WITHDRAWN,
        Kind.INTENT_EXPIRED,
    }
)
"""The last word on an intent, where that is why nothing came of it."""


def about(view: View, name: str, earnings: Earnings) -> Answer:
    """The answer for one instrument or entity, as the home or a person writes it: `equity:GME`, `GME`, `BTC`."""
    facts = [*_conviction(view, name), *_allocation(view, name), *_intents(view, name, earnings), *_held(view, name)]
    intents = _of(view, name)
    if not facts:
        return Answer(
            kind="about",
            exit=Exit.FAILED,
            head=Fact(
                f"Nothing in this home speaks of {name}: no conviction, no target, no intent in what was read, no "
                "position.",
                (TRADE_SIGNALS, ALLOCATION, TRADE_LOG),
            ),
            next=(Step("which feeds were read, and when", "vanta-diagnostics"),),
        )
    return Answer(kind="about", head=_head(view, name, intents), facts=tuple(facts), next=tuple(_steps(intents)))


def is_about(name: str, said: object) -> bool:
    """Whether an instrument or entity is meant: whole, without its class, or without its currency."""
    whole = str(said).casefold()
    bare = whole.partition(":")[2] or whole
    return name.casefold() in (whole, bare, bare.partition("-")[0])


def _head(view: View, name: str, intents: Sequence[str]) -> Fact:
    """How far the chain came."""
    if intents:
        last = intents[-1]
        records = view.affairs.trail.of_intent(last)
        body = view.affairs.trail.intent(last)
        wish = f"to {body['side']} it for {body['vault']}" if body else "about it"
        return Fact(
            f"{name}: the newest intent {wish} is {state_of(records)}.", cites((last, place(TRADE_LOG, records[-1])))
        )
    left = [text for _, text in _unallocated(view, name)]
    if left:
        return Fact(
            f"{name} is not traded: there is a conviction, but {several(left)}.", cites((ALLOCATION, TRADE_SIGNALS))
        )
    return Fact(f"{name}: no intent about it stands in what was read of the trade log.", (TRADE_LOG,))


def _conviction(view: View, name: str) -> Iterator[Fact]:
    doc = view.doc(TRADE_SIGNALS)
    rows = [
        row for row in doc.rows("convictions") if is_about(name, row.get("entity")) or is_about(name, row.get("ticker"))
    ]
    for row in rows:
        yield Fact(
            f"Conviction: {row.get('entity')} {row.get('direction')}, {row.get('conviction_bp'):,} of 10,000, rank "
            f"{row.get('rank')} of {len(doc.rows('convictions'))}.",
            cites((str(row.get("signal_id")), str(row.get("dag_id")))),
        )
    if doc.value is not None and not rows:
        missing = several(sorted(doc.table("missing"))) if doc.table("missing") else ""
        yield Fact(
            f"No conviction of {name} in the last cycle, {when(doc.value.get('now'))}"
            f"{f'; {missing} had no weight in it' if missing else ''}.",
            cites((doc.text("dag_id"), TRADE_SIGNALS)),
        )


def _unallocated(view: View, name: str) -> Iterator[tuple[str, str]]:
    for vault in view.doc(ALLOCATION).rows("vaults"):
        for text in vault.get("unallocated", []):
            entity, _, why = str(text).partition(": ")
            if is_about(name, entity):
                yield str(vault.get("vault_id")), f"{vault.get('vault_id')} left it alone: {why}"


def _allocation(view: View, name: str) -> Iterator[Fact]:
    doc = view.doc(ALLOCATION)
    where = cites((ALLOCATION, doc.text("dag_id")))
    for vault in doc.rows("vaults"):
        for row in vault.get("targets", []):
            if is_about(name, row.get("instrument_id")) or is_about(name, row.get("entity")):
                limits = f", cut by {'; '.join(map(str, row['limits']))}" if row.get("limits") else ""
                yield Fact(
                    f"{vault.get('vault_id')} wants {figure(row.get('notional'))} of it, {row.get('weight_bp'):,} bp "
                    "of its "
                    f"NAV{limits}.",
                    where,
                )
    yield from (Fact(f"{text}.", where) for _, text in _unallocated(view, name))


def _of(view: View, name: str) -> list[str]:
    """The intents about it, oldest first."""
    trail = view.affairs.trail
    return [
        one
        for one in trail.intents()
        if (body := trail.intent(one)) is not None and is_about(name, body["instrument_id"])
    ]


def _intents(view: View, name: str, earnings: Earnings) -> Iterator[Fact]:
    names = _of(view, name)
    if len(names) > MOST:
        yield Fact(
            f"{count(len(names), 'intent')} about it in what was read; the newest {MOST} follow.",
            cites((names[0], names[-1])),
        )
    for one in names[-MOST:]:
        yield from _told(view, one, earnings)


def _told(view: View, intent_id: str, earnings: Earnings) -> Iterator[Fact]:
    """One intent: what it asked for, how it stands, and what stopped it last."""
    trail = view.affairs.trail
    body, records = trail.intent(intent_id), trail.of_intent(intent_id)
    assert body is not None, "only intents whose wish is known are told"
    way = "leave" if body["close"] else body["side"]
    wish = f"{way} {body['instrument_id']} for {figure(body['notional'])} in {body['vault']}"
    earned = brief(earnings.of_intent(intent_id))
    yield Fact(
        f"Asked at {when(body['created_at'])} to {wish}: now {state_of(records)}{f'; {earned}' if earned else ''}.",
        cites((intent_id, place(TRADE_LOG, records[0]))),
    )
    record = records[-1]
    node = told(record, trail) if record.kind in _STOPS else None
    if node is not None:
        stopped = {str(part.facts["code"]): part.text for part in node.parts if part.facts.get("code")}
        yield Fact(
            " ".join([node.text, *list(stopped.values())[:3]]),
            cites((place(TRADE_LOG, record), intent_id)),
            Check.WARNING,
        )


def _held(view: View, name: str) -> Iterator[Fact]:
    for vault in view.doc(PORTFOLIO).rows("vaults"):
        for row in vault.get("positions", []):
            if is_about(name, row.get("instrument_id")) and row.get("quantity") not in (None, "0"):
                currency = str(vault.get("currency"))
                yield Fact(
                    f"{vault.get('vault_id')} holds {figure(row.get('quantity'))} {row.get('instrument_id')}, worth "
                    f"{figure(row.get('value'))} {currency}, {money(row.get('unrealised'), currency)} open.",
                    cites((PORTFOLIO, f"trade_log:{row['basis_seq']}" if row.get("basis_seq") else "")),
                )


def _steps(intents: Sequence[str]) -> Iterator[Step]:
    if intents:
        yield Step("the whole of it, down to the raw records", f"vanta explain {shlex.quote(intents[-1])}")
