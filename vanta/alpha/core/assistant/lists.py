"""What is held, staged, open and followed, as lists. Pure over a `View`."""

from vanta.alpha.core.assistant.answer import Answer, Fact, Step, capped, cites
from vanta.alpha.core.assistant.standing import MOST, staged, work
from vanta.alpha.core.assistant.view import View
from vanta.alpha.core.items import Wanted, age, sorted_items
from vanta.alpha.core.sights import nothing_known
from vanta.alpha.core.words import count, figure, several, when
from vanta.common.exitcodes import Check
from vanta.common.paths import OPEN_ORDERS, PORTFOLIO, QUEUE, TRACKER_LOG


def holdings(view: View) -> Answer:
    """What each vault holds."""
    doc = view.doc(PORTFOLIO)
    vaults = doc.rows("vaults")
    if doc.value is None:
        return Answer(
            kind="holdings",
            head=Fact(
                f"What is held is not known: {doc.problem or nothing_known(view.facts)}.",
                (PORTFOLIO,),
                Check.UNKNOWN,
            ),
        )
    facts = []
    for vault in vaults:
        currency, nav = str(vault.get("currency")), vault.get("nav")
        worth = "an unknown worth, as a position has no mark" if nav is None else f"{figure(nav)} {currency}"
        rows = [
            row
            for row in vault.get("positions", [])
            if isinstance(row, dict) and row.get("quantity") not in (None, "0")
        ]
        held = (
            several(f"{figure(row.get('quantity'))} {row.get('instrument_id')}" for row in rows) if rows else "nothing"
        )
        facts.append(
            Fact(
                f"{vault.get('vault_id')} holds {held}; cash {figure(vault.get('cash'))} {currency}, {worth} in all.",
                view.cut,
            )
        )
    return Answer(
        kind="holdings",
        facts=tuple(facts),
        head=Fact(f"{count(len(vaults), 'vault')}, as of {when(doc.value.get('now'))}.", view.cut),
    )


def orders(view: View) -> Answer:
    """What is staged, and what works at a venue."""
    facts = [*work(view)]
    doc, states = view.doc(QUEUE), view.doc(PORTFOLIO).table("intents")
    facts += [
        Fact(
            f"{row.get('side')} {row.get('instrument_id')} for {row.get('vault')} is in the queue, "
            f"{states.get(str(row.get('intent_id')), 'over, or not seen by the executor yet')}, good until "
            f"{when(row.get('expires_at'))}.",
            cites((str(row.get("intent_id")), QUEUE)),
        )
        for row in doc.rows("intents")
    ]
    facts += [
        Fact(
            f"Working: {row.get('side')} {figure(row.get('quantity'))} {row.get('instrument_id')} for "
            f"{row.get('vault')}, "
            f"{figure(row.get('filled'))} filled.",
            cites((str(row.get("order_id")), OPEN_ORDERS)),
        )
        for row in view.doc(OPEN_ORDERS).rows("orders")
    ]
    facts += list(staged(view))
    head = Fact(
        f"{count(len(doc.rows('intents')), 'intent')} in the queue, "
        f"{count(len(view.doc(OPEN_ORDERS).rows('orders')), 'order')} at the venue.",
        (QUEUE, OPEN_ORDERS),
    )
    return Answer(
        kind="orders",
        head=head,
        facts=tuple(capped(facts, 2 * MOST, "of them")),
        next=(Step("what holds them", 'vanta-assistant ask "why are there no orders?"'),),
    )


def items(view: View) -> Answer:
    """What people follow."""
    if view.tracker_problem:
        return Answer(
            kind="items",
            head=Fact(f"The tracker cannot be read: {view.tracker_problem}.", (TRACKER_LOG,), Check.UNKNOWN),
            next=(Step("check the log", "vanta verify"),),
        )
    found = sorted_items(view.tracker, Wanted())
    head = Fact(
        f"{count(len(found), 'item') if found else 'No item'} {'is' if len(found) < 2 else 'are'} open.", (TRACKER_LOG,)
    )
    facts = [
        Fact(
            f"{one.kind}, {one.severity}, {one.state} for {age(one.history[-1].at, view.facts.now)}: {one.title}"
            f"{f' ({one.owner})' if one.owner else ''}.",
            (one.id,),
        )
        for one in found
    ]
    return Answer(
        kind="items",
        head=head,
        facts=tuple(capped(facts, 2 * MOST, "items")),
        next=(Step("all about one", "vt-open ID"),) if found else (),
    )


def proposals(view: View) -> Answer:
    """What was proposed."""
    if not view.proposals:
        return Answer(kind="proposals", head=Fact("Nothing is proposed.", ("memory/proposals/",)))
    facts = [
        Fact(f"{when(one.at)}, {'done' if one.done else 'not carried out'}: {one.command}", (one.file,))
        for one in view.proposals
    ]
    return Answer(
        kind="proposals",
        head=Fact(f"{count(len(facts), 'proposal')}.", ("memory/proposals/",)),
        facts=tuple(capped(facts, MOST, "proposals")),
    )
