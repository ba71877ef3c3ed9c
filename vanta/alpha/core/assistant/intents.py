"""Which question is it? One table of words, most specific rule first. Pure.

A rule fits if each of its groups has a word in the question. Of several, the one with the most groups counts; two of
different intents with as many are a doubt, and the assistant asks instead of choosing. An order ("halt everything") is
told from a question by where its verb stands, and is answered with the command that a person may run.

    intent_of(heard("is it safe to relese?", …))  ->  Meant("safe")
"""

from collections.abc import Iterable
from typing import NamedTuple

from vanta.alpha.core.assistant.answer import Step
from vanta.alpha.core.assistant.hearing import Heard


class Rule(NamedTuple):
    """One way to ask. `about`: a name of the home, or a word in capitals that could be one, has to be there as well."""

    intent: str
    groups: tuple[frozenset[str], ...]
    about: bool = False


class Meant(NamedTuple):
    """The intent; for a doubt (`unclear`) what it could be."""

    intent: str
    could: tuple[str, ...] = ()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WHY = _words("why reason reasons cause because explain how")
_WHAT = _words("what which why show list tell explain any who whose how")
_STOPPED = _words(
    "halt halted halting stop stopped stopping blocked held holding paused frozen latch latched stuck idle"
    " refusing closed waiting wait"
)
_NOT = _words("no not nothing none never without nobody zero stopped")
_TRADES = _words(
    "order orders trade trades trading traded buy buying bought sell selling sold dispatch sent sending executed"
    " executing filled fills"
)
_REFUSED = _words(
    "refuse refused refusal refusals reject rejected rejection rejections decline declined deny denied skip skipped"
    " quarantined"
)
_CHANGED = _words(
    "change changed changes changing different edited edit edits modified touched altered news happened happens"
    " happening since"
)
_WHO = _words("who whose whom")
_SAFE = _words("safe ok okay ready good clear fine alright wise secure allowed may can could should shall able")
_RELEASE = _words(
    "release released releasing resume resumed resuming unhalt restart restarting reopen go-live unlatch unblock"
    " relaunch rearm"
)
_PROMOTE = _words("promote promoted promotion deploy candidate upgrade rollout roll-out")
_EARNED = _words(
    "earn earned earns earning earnings make made profit profits pnl loss losses lost lose gain gained gains "
    "performance"
    " performing return returns result results winning losing"
)
_DO = _words("do fix fixed repair mend next action actions todo attention help")
_WRONG = _words(
    "wrong broken problem problems issue issues failing failed alarms alerts warnings errors bad fault faults trouble"
)
_STATUS = _words("status state overview summary health healthy doing situation running")
_HOLD = _words("hold holds own owns position positions portfolio holdings exposure holding held")
_OPEN = _words("open working pending waiting staged queue queued live outstanding")
_ORDERS = _words("order orders intent intents queue")
_ITEMS = _words("item items task tasks incident incidents risk risks tracker thread threads")

RULES: tuple[Rule, ...] = (
    Rule("halted", (_WHY, _STOPPED)),
    Rule("halted", (_WHY, _NOT, _TRADES)),
    Rule("halted", (_WHY, _STOPPED, _TRADES)),
    Rule("halted", (_words("what who"), _words("halted stopped latched blocked halts stops blocks halt holds"))),
    Rule("halted", (_words("is are"), _words("halted stopped latched blocked paused frozen"))),
    Rule("halted", (_words("is are"), _words("trading dispatch"), _words("halted stopped on off open closed paused"))),
    Rule("about", (_WHY,), about=True),
    Rule("about", (_WHY, _REFUSED), about=True),
    Rule("about", (_REFUSED,), about=True),
    Rule("about", (_WHY, _NOT, _TRADES), about=True),
    Rule("about", (_WHY, _HOLD), about=True),
    Rule("about", (_WHY, _TRADES), about=True),
    Rule("about", (_words("what about tell"),), about=True),
    Rule("about", (_WHY, _STOPPED), about=True),
    Rule("about", (_WHY, _NOT), about=True),
    Rule("refused", (_REFUSED,)),
    Rule("refused", (_WHAT, _REFUSED)),
    Rule("changed", (_CHANGED,)),
    Rule("changed", (_WHAT, _CHANGED)),
    Rule("changed", (_words("what anything"), _words("new"))),
    Rule("changed", (_WHO, _words("released resumed changed edited flipped set loosened approved"))),
    Rule("changed", (_WHAT, _words("did"), _words("happen happened change"))),
    Rule("safe", (_SAFE, _RELEASE)),
    Rule("safe", (_SAFE, _words("trade trading dispatch open start go"))),
    Rule("safe", (_words("safe"),)),
    Rule("safe", (_words("ready safe"), _RELEASE, _words("to"))),
    Rule("safe", (_words("is are can may should could"), _SAFE, _RELEASE)),
    Rule("candidate", (_SAFE, _PROMOTE)),
    Rule("candidate", (_PROMOTE, _words("ready safe approved signed"))),
    Rule("earned", (_EARNED,)),
    Rule("earned", (_EARNED,), about=True),
    Rule("earned", (_WHAT, _EARNED)),
    Rule("earned", (_WHAT, _EARNED), about=True),
    Rule("earned", (_WHAT, _words("did do"), _EARNED), about=True),
    Rule("todo", (_words("what how anything"), _DO)),
    Rule("todo", (_words("what how"), _words("should must can"), _words("do fix next"))),
    Rule("todo", (_words("what"), _words("now next"))),
    Rule("todo", (_WRONG,)),
    Rule("todo", (_words("what anything is why"), _WRONG)),
    Rule("todo", (_words("todo attention"),)),
    Rule("status", (_STATUS,)),
    Rule("status", (_words("how what is"), _STATUS)),
    Rule("status", (_words("how"), _words("things everything we it"))),
    Rule("status", (_words("how what is"), _words("things everything we it"), _STATUS)),
    Rule("status", (_words("ok okay fine well good alright"), _words("everything all things"))),
    Rule("holdings", (_HOLD,)),
    Rule("holdings", (_words("what which show list"), _HOLD)),
    Rule("orders", (_OPEN, _ORDERS)),
    Rule("orders", (_WHAT, _OPEN, _ORDERS)),
    Rule("orders", (_words("queue staged"),)),
    Rule("orders", (_words("what which"), _words("staged queued pending"))),
    Rule("items", (_ITEMS,)),
    Rule("items", (_WHAT, _ITEMS)),
    Rule("items", (_words("open pending"), _ITEMS)),
    Rule("items", (_WHAT, _words("open pending"), _ITEMS)),
    Rule("proposals", (_words("proposal proposals proposed"),)),
    Rule("proposals", (_WHAT, _words("proposal proposals proposed"))),
    Rule("help", (_words("help"),)),
    Rule("help", (_words("what how"), _words("can"), _words("ask answer you"))),
    Rule("help", (_words("what who"), _words("are can"), _words("you"))),
    Rule("help", (_words("what"), _words("can"), _words("you"), _words("do answer"))),
    Rule("hello", (_words("hello hi hey thanks thank"),)),
)

ASKED: dict[str, str] = {
    "explain": "why ID (an order, intent, conviction, signal, latch, command, item, or a record as trade_log:345)",
    "halted": "why is trading halted? why are there no orders?",
    "about": "why was GME refused? why did we skip TSLA?",
    "refused": "what was refused?",
    "changed": "what changed in the last 2 hours (or: since yesterday, since 14:00, since 2026-11-20)?",
    "safe": "is it safe to release?",
    "candidate": "is it safe to release MODULE@VERSION?",
    "status": "how is everything?",
    "earned": "what did V_CORE earn? what did we make? (also an instrument, persona, source, or an id)",
    "todo": "what is wrong? what should I do?",
    "holdings": "what do we hold?",
    "orders": "what orders are open?",
    "items": "which incidents are open?",
    "proposals": "show proposals",
    "propose": "propose overlay SWITCH on|off [for 2h] [on vault V_CORE] because …; propose item TITLE because …",
}
"""What can be asked, by intent, as a person would."""

ACTS: dict[str, Step] = {
    **dict.fromkeys(("halt", "stop", "kill", "freeze", "pause"), Step("stop every order, at once", "vanta-run kill")),
    **dict.fromkeys(
        ("release", "resume", "unhalt", "restart", "reopen"),
        Step("let orders leave again, once you are sure", 'vanta-run release --scope global --reason "…"'),
    ),
    **dict.fromkeys(("flatten", "liquidate", "exit"), Step("leave every position", 'vanta-run flatten --reason "…"')),
    "cancel": Step("have working orders cancelled", 'vanta-run cancel --reason "…"'),
    **dict.fromkeys(
        ("buy", "sell", "trade", "short"),
        Step("what a vault may trade is for its limits and personas to say", "vanta vault list"),
    ),
    **dict.fromkeys(
        ("promote", "deploy"),
        Step("put an approved release into use", 'tracker_manager.py promote MODULE REL --reason "…"'),
    ),
    "rollback": Step("go back to the release before", 'tracker_manager.py rollback MODULE --reason "…"'),
    "approve": Step("approve an item of the tracker", 'vt-mark ID approved --reason "…"'),
    **dict.fromkeys(
        ("set", "clear", "turn", "enable", "disable", "switch"),
        Step("turn a switch; `propose overlay …` writes the command for you", "vanta overlay --help"),
    ),
    **dict.fromkeys(
        ("delete", "remove", "edit", "write", "run", "execute", "apply"), Step("what there is", "vanta --help")
    ),
}
"""What people order instead of asking, and the command for it: this program carries nothing out."""

_BEFORE = frozenset("please now just and then ok okay can could would will you i we want need to hey hi".split())
_ASKING = frozenset("why what who when which whose how is are was were did does do should shall may has have".split())

VOCABULARY = (
    frozenset(word for rule in RULES for group in rule.groups for word in group)
    | frozenset(ACTS)
    | frozenset(
        "propose because overlay switch maintenance full_halt orders_disabled external_calls_disabled reduce_only "
        "quit exit bye brief "
        "everything trading vault broker instrument latches overlay permit kill dispatch executor feeds feed "
        "logs".split()
    )
)
"""Words that a typo may be mended to."""


def intent_of(heard: Heard) -> Meant:
    """The intent of a question; `unclear` with what it could be, `unknown` if no rule fits."""
    words = heard.words
    act = order_in(heard.order)
    if heard.order[:1] in (("propose",), ("suggest",), ("draft",)):
        return Meant("propose")
    if act is not None:
        return Meant("act", (act,))
    if heard.release and not words & (_CHANGED | _EARNED):
        return Meant("candidate")
    if heard.ids and not words & _CHANGED:
        return Meant("earned" if words & _EARNED else "explain")
    about = bool(heard.names or heard.strange)
    fits = [
        (len(rule.groups) + rule.about, rule.intent)
        for rule in RULES
        if (about or not rule.about) and all(words & group for group in rule.groups)
    ]
    if not fits:
        return Meant("about") if heard.names else Meant("unknown")
    most = max(number for number, _ in fits)
    best = tuple(dict.fromkeys(intent for number, intent in fits if number == most))
    return Meant(_settled(best)) if _settled(best) else Meant("unclear", best)


def order_in(order: Iterable[str]) -> str | None:
    """The verb of an order; `None` for a question. "Can you halt it" is one, "can I release" is a question."""
    words = list(order)
    if words[:2] in (["can", "i"], ["can", "we"], ["could", "i"], ["could", "we"]) or set(words[:1]) & _ASKING:
        return None
    rest = [word for word in words if word not in _BEFORE]
    return rest[0] if rest and rest[0] in ACTS else None


_STRONGER: tuple[tuple[str, str], ...] = (
    ("safe", "status"),
    ("safe", "halted"),
    ("safe", "todo"),
    ("about", "halted"),
    ("about", "refused"),
    ("about", "holdings"),
    ("about", "earned"),
    ("halted", "orders"),
    ("halted", "holdings"),
    ("halted", "status"),
    ("halted", "refused"),
    ("todo", "help"),
    ("earned", "status"),
    ("earned", "holdings"),
    ("changed", "status"),
    ("changed", "todo"),
    ("changed", "orders"),
    ("refused", "orders"),
    ("todo", "status"),
    ("changed", "items"),
    ("orders", "holdings"),
    ("todo", "items"),
    ("items", "orders"),
    ("help", "status"),
    ("changed", "halted"),
    ("halted", "todo"),
    ("safe", "orders"),
    ("candidate", "safe"),
    ("proposals", "orders"),
    ("items", "status"),
    ("changed", "refused"),
    ("holdings", "status"),
    ("holdings", "todo"),
    ("orders", "todo"),
    ("earned", "todo"),
    ("changed", "earned"),
)
"""Of two intents that fit as well, the one that is more particular."""


def _settled(best: tuple[str, ...]) -> str:
    """The one intent that all others give way to; empty if there is none."""
    return next((one for one in best if all(one == other or (one, other) in _STRONGER for other in best)), "")
