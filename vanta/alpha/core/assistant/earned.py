"""What was earned: in all, by vault, persona, source, band or instrument, or by one thing with an id. Pure.

Sums are those of `pnl_summary.json`, which is the fold of the trade log at the record that is cited; what an instrument
or an id has made is folded from the log itself.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

from vanta.alpha.core.assistant.about import is_about
from vanta.alpha.core.assistant.answer import Answer, Fact, Step, cites
from vanta.alpha.core.assistant.standing import money
from vanta.alpha.core.assistant.view import View
from vanta.alpha.core.earnings import Earned, Earnings
from vanta.alpha.core.node import Node, flatten
from vanta.alpha.core.outcome import result
from vanta.alpha.core.sights import nothing_known
from vanta.alpha.core.words import several
from vanta.common.exitcodes import Check, Exit
from vanta.common.paths import PNL, TRADE_LOG

_TABLES = ("by_vault", "by_persona", "by_source", "by_band")
_REPORT = Step("drawn as a curve, with drawdown", "vanta report")


def earned(view: View, names: Sequence[str], earnings: Earnings | None) -> Answer:
    """In all, or for each name. `earnings` is the fold of the whole log, where a name is no row of the summary."""
    doc = view.doc(PNL)
    if doc.value is None:
        return Answer(
            kind="earned",
            exit=Exit.FAILED,
            head=Fact(
                f"What was earned is not known: {doc.problem or nothing_known(view.facts)}.",
                (PNL,),
                Check.UNKNOWN,
            ),
        )
    facts = [fact for name in names for fact in _named(view, name, earnings)] if names else list(_vaults(view))
    total = doc.table("total")
    currency = doc.text("currency")
    head = Fact(f"In all {_line(total, currency)}.", _where(view))
    if names and facts:
        return Answer(kind="earned", head=facts[0], facts=(*facts[1:], head), next=(_REPORT,))
    lost = (f"Of {several(names)} nothing is recorded: nothing was filled for it.",) if names else ()
    return Answer(
        kind="earned",
        head=head,
        facts=tuple(facts or _vaults(view)),
        notes=lost,
        next=(_REPORT,),
        exit=Exit.FAILED if lost else Exit.DONE,
    )


def earned_by(tree: Node) -> Answer:
    """What one thing with an id has come to, from the tree that explains it."""
    found = [node for _, node in flatten(tree) if node.kind == "pnl"]
    if not found:
        return Answer(
            kind="earned",
            head=Fact("Nothing was filled for it, so that it has earned nothing.", cites((tree.id, tree.place))),
            next=(Step("why", f"vanta explain {tree.id}"),),
        )
    return Answer(
        kind="earned",
        head=Fact(found[0].text, cites((found[0].id, tree.id))),
        facts=tuple(Fact(node.text, cites((node.id,))) for node in found[1:4]),
        next=(Step("what it rests on", f"vanta explain {tree.id}"),),
    )


def _where(view: View) -> tuple[str, ...]:
    seq = view.doc(PNL).number("as_of_seq")
    return cites((PNL, f"trade_log:{seq}" if seq else ""))


def _line(row: object, currency: str) -> str:
    said = row if isinstance(row, dict) else {}
    return (
        f"{money(said.get('total'), currency)}, of which {money(said.get('realised'), currency)} realised and "
        f"{money(said.get('unrealised'), currency)} still open; fees of "
        f"{money(said.get('fees'), currency, sign=False)} are in it"
    )


def _vaults(view: View) -> Iterator[Fact]:
    doc = view.doc(PNL)
    for name, row in sorted(doc.table("by_vault").items()):
        yield Fact(f"{name}: {_line(row, doc.text('currency'))}.", _where(view))


def _named(view: View, name: str, earnings: Earnings | None) -> Iterator[Fact]:
    doc = view.doc(PNL)
    found = [
        (table.removeprefix("by_"), row)
        for table in _TABLES
        for key, row in doc.table(table).items()
        if key.casefold() == name.casefold()
    ]
    for kind, row in found:
        yield Fact(f"The {kind} {name} made {_line(row, doc.text('currency'))}.", _where(view))
    fills = [] if found or earnings is None else list(_fills(view, name, earnings))
    if fills:
        ids = dict.fromkeys(one.intent_id for one in fills)
        gap = (
            f" Counted up to where the log can be followed: {earnings.problem}."
            if earnings and earnings.problem
            else ""
        )
        yield Fact(f"{name}: {result(fills)}.{gap}", cites((*islice(ids, 5), TRADE_LOG)))


def _fills(view: View, name: str, earnings: Earnings) -> Iterator[Earned]:
    for intent_id in view.affairs.trail.intents():
        body = view.affairs.trail.intent(intent_id)
        if body is not None and is_about(name, body["instrument_id"]):
            yield from earnings.of_intent(intent_id)
