"""Is it safe to let orders leave, or to put a release into use? Only if every check was made and is good. Pure.

Decides nothing by itself: what the checks of diagnostics, the verifier, the tracker and the shelf of releases say is
put side by side. A check that could not be made is unknown, and unknown is not safe. That a permit is missing is no
doubt: giving it is what the question is about.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from vanta.alpha.core.assistant.answer import Answer, Fact, Step, cites, unsure
from vanta.alpha.core.assistant.view import View
from vanta.alpha.core.doing import EXECUTOR, doing
from vanta.alpha.core.items import Wanted, sorted_items
from vanta.alpha.core.latches import untold
from vanta.alpha.core.summary import GRAVITY
from vanta.alpha.core.trail import place
from vanta.alpha.core.verification import Finding
from vanta.alpha.core.words import count, several, when
from vanta.common.events import Kind
from vanta.common.exitcodes import Check, Exit
from vanta.common.models.tracker import Item
from vanta.common.paths import EXECUTOR_STATE, OPERATOR_COMMANDS, OVERLAY, PORTFOLIO, QUEUE, TRACKER_LOG, TRADE_LOG
from vanta.common.times import parse_iso

_ELSEWHERE = frozenset({"dispatch", "permission", "latches", "brokers", "confirmation", "locks", "flip", "beside"})
"""Rows of diagnostics whose question is asked here in another way, or that no release rests on."""

_RELEASE = 'vanta-run release --scope global --reason "…"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What is read only for this answer: what the verifier found, and what is wrong with the vaults' file."""

    findings: Sequence[Finding] = ()
    vaults: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What was found of a release. `problem`: why it could not be looked at; `unapproved`: what its approval lacks."""

    subject: str
    digest: str = ""
    problem: str = ""
    item: Item | None = None
    unapproved: str = ""
    running: str | None = None
    cut_off: bool = False
    signature: str | None = None


class _Checks:
    """The checks as they come in, and what helps against those that are not good."""

    def __init__(self) -> None:
        self._made: list[tuple[Check, Fact]] = []
        self._good: list[str] = []
        self._steps: dict[Step, Check] = {}

    def say(self, level: Check, text: str, rests_on: Sequence[str], step: Step | None = None) -> None:
        """One check."""
        self._made.append((level, Fact(text, cites(rests_on), level)))
        self._good += [text.partition(": ")[0].rstrip(".")] if level is Check.OK else []
        if step is not None and level is not Check.OK:
            self._steps.setdefault(step, level)

    def answer(self, kind: str, what: str, yes: Step, note: str) -> Answer:
        """Safe only if there is nothing else than OK, and something at all."""
        bad = [fact for gravest in GRAVITY for level, fact in self._made if level is gravest is not Check.OK]
        good = [fact for level, fact in self._made if level is Check.OK]
        if good and not bad:
            text = f"Yes: all {len(good)} checks that I know for {what} were made just now, and all are good."
            head = Fact(text, cites(one.cites[0] for one in good), Check.OK)
            return Answer(kind=kind, head=head, facts=tuple(good), next=(yes,), notes=(note,), decides=True)
        counts = {name: sum(level is one for level, _ in self._made) for one, name in (
            (Check.CRITICAL, "bad"), (Check.UNKNOWN, "unknown"), (Check.WARNING, "to be looked at"))}
        told = several(f"{number} {'is' if number == 1 else 'are'} {name}" for name, number in counts.items() if number)
        head = Fact(f"No, not by what I see: of {len(self._made)} checks for {what}, {told}.",
                    cites(one.cites[0] for one in bad), bad[0].level)
        rest = [Fact(f"Good: {'; '.join(self._good)}.", cites(one.cites[0] for one in good), Check.OK)] if good else []
        steps = sorted(self._steps, key=lambda step: GRAVITY.index(self._steps[step]))
        return Answer(kind=kind, head=head, facts=(*bad, *rest), next=tuple(steps), exit=Exit.REFUSED, decides=True,
                      notes=(note,))


def safe(view: View, held: Held) -> Answer:
    """May the permit be given?"""
    checks = _Checks()
    for part in (_switches, _latches, _accounts, _orders, _people):
        part(view, checks)
    for row in (row for row in view.rows if row.name not in _ELSEWHERE):
        checks.say(row.level, f"{row.name}: {row.text}", view.source(row), Step(row.name, row.fix) if row.fix else None)
    _files(held, checks)
    staged = [str(row.get("intent_id")) for row in view.doc(QUEUE).rows("intents")]
    note = (
        f"{count(len(staged), 'intent')} {'is' if len(staged) == 1 else 'are'} staged and may leave at once when it "
        "is released. "
        "I see files, not markets: the decision is yours."
    )
    if view.facts.node in ("alpha", "markets"):
        note = "Whether dispatch is permitted already is known on the executor's host alone; releasing is done there."
    elif view.facts.permit:
        note = f"Dispatch is released already: {view.more.permission}. `vanta-run kill` stops it."
    return checks.answer("safe", "letting orders leave", Step("release it, if you want to", _RELEASE), note)


def _switches(view: View, checks: _Checks) -> None:
    where = (OVERLAY, view.place_of("overlay"))
    if view.facts.unreadable:
        checks.say(
            Check.CRITICAL,
            f"The overlay cannot be read: {view.facts.unreadable}.",
            where,
            Step("what is wrong with it", "vanta overlay check memory/vault_overlay.json"),
        )
    elif view.facts.stops:
        checks.say(
            Check.WARNING,
            f"Switches are on, so that nothing would leave: {'; '.join(view.facts.stops)}.",
            where,
            Step("who turned them on, and why", "vanta overlay history"),
        )
    else:
        checks.say(Check.OK, "The overlay can be read and no switch stops everything.", where)
    far = view.facts.far
    for text in () if far is None else (*far.stops, *far.scoped, *filter(None, (far.unreadable,))):
        checks.say(Check.WARNING, f"Alpha's controls stop it: {text}.", (f"memory/replica/alpha/memory/{OVERLAY}",),
                   Step("only there can it be changed", "on Alpha: vanta overlay history"))
    for one in view.facts.scoped:
        checks.say(Check.WARNING, f"A switch stops a part: {one}.", where, Step("all switches", "vanta overlay show"))


def _latches(view: View, checks: _Checks) -> None:
    why = untold(view.facts.executor)
    for latch in view.facts.latches:
        checks.say(
            Check.CRITICAL,
            f"The executor has latched itself: {latch.detail}.",
            (latch.latch_id,),
            Step("once its cause is mended", f'vanta-run release --latch {shlex.quote(latch.latch_id)} --reason "…"'),
        )
    if why or view.facts.executor.value is None:
        checks.say(
            Check.UNKNOWN,
            f"Whether the executor latched itself cannot be told: {why or 'it has not run here yet'}.",
            (EXECUTOR_STATE,),
            Step("the executor", doing(view.facts, EXECUTOR)),
        )
    elif not view.facts.latches:
        checks.say(Check.OK, "No latch holds.", (EXECUTOR_STATE,))


def _accounts(view: View, checks: _Checks) -> None:
    said = view.facts.executor.table("broker_sync")
    for name, state in sorted(said.items()):
        fine = state == "in sync"
        checks.say(
            Check.OK if fine else Check.UNKNOWN,
            f"Account {name} is {state}." if fine else f"Account {name} is not reconciled: {state}.",
            (EXECUTOR_STATE,),
            Step("look at the venue", "vanta-run status"),
        )
    if not said:
        checks.say(
            Check.UNKNOWN,
            "Of no account is it known that it agrees with its venue.",
            (EXECUTOR_STATE,),
            Step("the executor reconciles when it runs", doing(view.facts, EXECUTOR)),
        )


def _orders(view: View, checks: _Checks) -> None:
    """No outcome may be open to doubt."""
    doc = view.doc(PORTFOLIO)
    doubtful = sorted(name for name, state in doc.table("intents").items() if state in ("unknown", "quarantined"))
    if doc.value is None:
        checks.say(
            Check.UNKNOWN,
            f"Outcomes of orders cannot be told: {doc.problem or 'there is no portfolio.json'}.",
            (PORTFOLIO,),
            Step("the executor", doing(view.facts, EXECUTOR)),
        )
    elif doubtful:
        checks.say(
            Check.CRITICAL,
            f"The outcome of {count(len(doubtful), 'intent')} is in doubt; ask the venue first.",
            doubtful,
            Step("what is known of it", f"vanta explain {shlex.quote(doubtful[0])}"),
        )
    else:
        checks.say(Check.OK, "No order's outcome is in doubt.", view.cut)


def _people(view: View, checks: _Checks) -> None:
    """What people asked for that has not happened, or follow and that is grave."""
    answered = {str(one.payload.get("command_id")) for one in view.log(TRADE_LOG)}
    waiting = [
        (name, one)
        for name, records in view.logs.items()
        if name.rpartition("/")[2] == OPERATOR_COMMANDS
        for one in records
        if one.kind == Kind.COMMAND_GIVEN
        and str(one.payload.get("command_id")) not in answered
        and parse_iso(str(one.payload["expires_at"])) > view.facts.now
    ]
    for name, one in waiting:
        checks.say(
            Check.WARNING,
            f"A command to {one.payload.get('kind')} of {when(one.at)} has not been carried out yet.",
            (str(one.payload.get("command_id")), place(name, one) if name == OPERATOR_COMMANDS else f"memory/{name}"),
            Step("the executor", "vanta-run status"),
        )
    for item in sorted_items(view.tracker, Wanted()):
        if item.severity in ("high", "critical") and item.kind in ("incident", "risk"):
            checks.say(
                Check.CRITICAL if item.severity == "critical" else Check.WARNING,
                f"An open {item.kind} of {item.severity} severity: {item.title}.",
                (item.id,),
                Step("look at it", f"vt-open {item.id}"),
            )
    if view.tracker_problem:
        checks.say(
            Check.UNKNOWN,
            f"The tracker cannot be read: {view.tracker_problem}.",
            (TRACKER_LOG,),
            Step("check the log", "vanta verify"),
        )
    for proposal in (one for one in view.proposals if not one.done):
        checks.say(
            Check.WARNING,
            f"Proposed and not carried out: {proposal.command}",
            (proposal.file,),
            Step("carry it out, or remove its file", proposal.command),
        )
    if not waiting and not view.tracker_problem:
        checks.say(Check.OK, "No command waits for the executor.", (OPERATOR_COMMANDS, TRADE_LOG))


def _files(held: Held, checks: _Checks) -> None:
    """What the verifier found, and whether the vaults can be read."""
    if held.vaults:
        checks.say(
            Check.CRITICAL,
            f"The vaults cannot be read: {held.vaults}.",
            ("vault.json",),
            Step("check them", "vanta vault check"),
        )
    bad = [one for one in held.findings if one.level is not Check.OK]
    for finding in bad:
        where = (
            f"{finding.file.removesuffix('.jsonl')}:{finding.line}"
            if finding.line and finding.file.endswith(".jsonl")
            else finding.file
        )
        checks.say(
            finding.level,
            f"Verification: {finding.file}: {finding.text}",
            (where,),
            Step("all that was found", "vanta verify"),
        )
    if not held.findings:
        checks.say(
            Check.UNKNOWN, "There is nothing here that could be verified.", (TRADE_LOG,), Step("verify", "vanta verify")
        )
    elif not bad:
        checks.say(
            Check.OK,
            f"Every log, checkpoint, document and snapshot verifies, {len(held.findings)} findings.",
            ("vanta verify",),
        )


def candidate(view: View, found: Candidate) -> Answer:
    """May this release be put into use?"""
    checks, subject = _Checks(), found.subject
    module, _, version = subject.partition("@")
    if found.problem:
        return unsure(f"{subject} cannot be looked at: {found.problem}.", Step("what there is", "tracker_manager.py "
                                                                                                "status"),
                      exit_=Exit.REFUSED, kind="candidate")
    _approval(found, checks, module, version)
    if found.cut_off:
        checks.say(Check.WARNING, f"A move of {module} was cut off; the next command about it takes that back.",
                   (TRACKER_LOG,), Step("how it stands", "tracker_manager.py status"))
    checks.say(Check.UNKNOWN, "The canary: I run nothing of a candidate. Try it on recorded payloads before you "
                              "promote it.",
               (f"build/modules/{module}/releases/{version}",),
               Step("try it, without putting it into use",
                    f'tracker_manager.py promote {module} {version} --dry-run --canary DIR --reason "…"'))
    _open_about(view, module, checks)
    runs = found.running or "nothing"
    now = f"{subject} is what runs now." if runs == version else f"{module} runs {runs} now."
    promote = Step("put it into use", f'tracker_manager.py promote {module} {version} --canary DIR --reason "…"')
    return checks.answer("candidate", f"putting {subject} into use", promote, now)


def _approval(found: Candidate, checks: _Checks, module: str, version: str) -> None:
    """Approved are exactly these bytes, and what ran before is what was signed then."""
    verify = Step("what is missing", f"tracker_manager.py verify {found.subject}")
    if found.item is not None:
        last = found.item.history[-1]
        checks.say(Check.OK, f"Exactly these bytes are approved by {last.by} at {when(last.at)}: {last.reason}.",
                   (found.item.id,))
    else:
        checks.say(Check.CRITICAL, f"It is not approved: {found.unapproved}.", (TRACKER_LOG,), verify)
    signed = (f"build/modules/{module}/manifests/{version}.sig", "audit_keys.jsonl")
    if found.signature is None:
        checks.say(Check.OK, "It was never in use, so that no signature is due: promoting signs it.", (TRACKER_LOG,))
    else:
        checks.say(Check.CRITICAL if found.signature else Check.OK, found.signature or
                   "Its files and its manifest are those that were signed when it was in use before.", signed, verify)


def _open_about(view: View, module: str, checks: _Checks) -> None:
    """Grave things that people follow and that speak of the module."""
    for item in sorted_items(view.tracker, Wanted()):
        grave = item.kind != "release" and item.severity in ("high", "critical")
        if grave and module.casefold() in item.title.casefold():
            checks.say(Check.WARNING, f"An open {item.kind} speaks of {module}: {item.title}.", (item.id,),
                       Step("look at it", f"vt-open {item.id}"))
