"""A question, answered from one home: which intent it is, what has to be read for it, and the answer.

Reads only, with one exception: `propose …` writes one file. Every question is answered from the files as they are at
that moment; nothing is remembered from one to the next.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from vanta.alpha.assistant.look import Look, seat
from vanta.alpha.assistant.proposals import Shelf as Proposals
from vanta.alpha.core.assistant import changed, earned, lists, safety, standing, told
from vanta.alpha.core.assistant.about import about
from vanta.alpha.core.assistant.answer import Answer, Fact, Step, unsure
from vanta.alpha.core.assistant.hearing import Heard, heard
from vanta.alpha.core.assistant.intents import ACTS, ASKED, VOCABULARY, Meant, intent_of
from vanta.alpha.core.assistant.proposing import proposed
from vanta.alpha.core.assistant.spans import Since, moment, since
from vanta.alpha.core.releases import approval, unfinished
from vanta.alpha.core.sights import one_line
from vanta.alpha.explainer import Explainer
from vanta.alpha.releases import NotAllowed, Shelf
from vanta.alpha.verifier import Verifier
from vanta.common.errors import OperatorError, StateError, UsageError, VantaError
from vanta.common.exitcodes import Exit
from vanta.common.host import account
from vanta.common.paths import COLLECTION_LOG, PROMOTION_LOG, TRADE_LOG, VAULTS, Home
from vanta.common.settings import load

_MOST_COULD = 12
_STANDING = {
    "halted": standing.halted,
    "refused": standing.refused,
    "status": standing.status,
    "todo": standing.wrong,
    "holdings": lists.holdings,
    "orders": lists.orders,
    "items": lists.items,
    "proposals": lists.proposals,
}
_CAN = tuple(f"  {text}" for text in ASKED.values())


@dataclass(frozen=True, slots=True)
class Assistant:
    """One home. `now` fixes the clock."""

    home: Home
    now: datetime | None = None

    def answer(self, text: str) -> tuple[Answer, Heard]:
        """The answer to one question, and what was heard. Raises `VantaError` where the home cannot be looked at."""
        look = Look(self.home, self.now)
        question = heard(text, VOCABULARY, look.names())
        meant = intent_of(question)
        made = self._made(look, question, meant)
        mended = tuple(
            f"(I read {one_line(typed)!r} as {word!r}.)"
            for typed, word in question.mended.items()
            if made.kind not in ("unknown", "propose")
        )
        return replace(made, notes=(*made.notes, *mended)), question

    def _made(self, look: Look, question: Heard, meant: Meant) -> Answer:
        make = {
            "unknown": self._unknown,
            "unclear": self._unclear,
            "act": self._act,
            "help": self._help,
            "hello": self._help,
            "propose": self._propose,
            "explain": self._explain,
            "about": self._about,
            "changed": self._changed,
            "earned": self._earned,
            "safe": self._safe,
            "candidate": self._candidate,
        }
        if meant.intent in _STANDING:
            return _STANDING[meant.intent](look.view())
        answers: Mapping[str, Callable[[Look, Heard, Meant], Answer]] = make
        return answers[meant.intent](look, question, meant)

    def _unknown(self, look: Look, question: Heard, meant: Meant) -> Answer:  # noqa: ARG002 - the makers' shape
        return Answer(
            kind="unknown",
            exit=Exit.FAILED,
            notes=("I do not understand that, and I do not guess. What I can be asked:", *_CAN),
        )

    def _unclear(self, look: Look, question: Heard, meant: Meant) -> Answer:  # noqa: ARG002 - the makers' shape
        return Answer(
            kind="unclear",
            exit=Exit.FAILED,
            notes=(
                "That can mean more than one thing, and I do not guess. Ask one of these:",
                *(f"  {ASKED.get(one, one)}" for one in meant.could),
            ),
        )

    def _act(self, look: Look, question: Heard, meant: Meant) -> Answer:  # noqa: ARG002 - the makers' shape
        return Answer(
            kind="act",
            exit=Exit.REFUSED,
            decides=True,
            next=(ACTS[meant.could[0]],),
            notes=("I only read; I cannot do that, and nothing was done. You can:",),
        )

    def _help(self, look: Look, question: Heard, meant: Meant) -> Answer:  # noqa: ARG002 - the makers' shape
        return Answer(
            kind="help",
            notes=("I answer from the files of this home, and say from which. I change nothing. Ask me:", *_CAN),
        )

    def _propose(self, look: Look, question: Heard, meant: Meant) -> Answer:  # noqa: ARG002 - the makers' shape
        try:
            wish = proposed(question.typed)
        except UsageError as error:
            return unsure(f"{error.what}. {error.cure}", exit_=Exit.USAGE, kind="propose")
        asks = "It loosens something: the command will ask for the name of the switch once more."
        said = Answer(kind="propose", decides=True, next=(Step("if you agree, run", wish.command),),
                      notes=(asks,) if wish.loosens else ())
        known = [one for one in look.view().proposals if one.command == wish.command and not one.done]
        if known:
            return replace(said, head=Fact(f"That is proposed already, and not done: {wish.said}.", (known[-1].file,)))
        try:
            made = Proposals(self.home).put(wish, question.typed, account(), look.now)
        except OperatorError as error:
            return replace(said, notes=(*said.notes, f"{error.what}. {error.cure}"), exit=Exit.PARTIAL)
        return replace(said, head=Fact(f"Proposed, not done: {wish.said}. I have written it down and changed nothing "
                                       "else.",
                                       (f"memory/proposals/{made.proposal_id}.json",)))

    def _explain(self, look: Look, question: Heard, meant: Meant) -> Answer:  # noqa: ARG002 - the makers' shape
        return self._one(question.ids[0], lambda explainer, name: told.told(explainer.explain(name)))

    def _one(self, name: str, say: Callable[[Explainer, str], Answer]) -> Answer:
        """What is said of the one thing that is meant, here or in what came from another node."""
        homes = dict.fromkeys(seat(self.home, log) for log in (TRADE_LOG, PROMOTION_LOG, COLLECTION_LOG))
        hint = ""
        for place in dict.fromkeys((self.home, *homes)):
            explainer = Explainer(place)
            found = explainer.meant(name)
            if len(found) > 1:
                return unsure(
                    f"{name} can mean {len(found):,} things; give more of it:\n"
                    + "\n".join(map(explainer.brief, found[:_MOST_COULD])),
                    exit_=Exit.USAGE,
                )
            if found:
                made = say(explainer, found[0])
                return replace(made, notes=(*made.notes, *explainer.warnings))
            hint = hint or explainer.hint(name)
        return unsure(f"Nothing here is called {name}. {hint}")

    def _about(self, look: Look, question: Heard, meant: Meant) -> Answer:  # noqa: ARG002 - the makers' shape
        names = (*question.names, *question.strange)
        view = look.view()
        vaults = [one for one in names if one in view.doc("pnl_summary.json").table("by_vault")]
        wanted = next((one for one in names if one not in vaults), None)
        return standing.halted(view) if wanted is None else about(view, wanted, look.earnings())

    def _changed(self, look: Look, question: Heard, meant: Meant) -> Answer:  # noqa: ARG002 - the makers' shape
        return self.since(look, self._span(look, question))

    def since(self, look: Look, span: Since) -> Answer:
        """What changed in a span."""
        view = look.view(span.at)
        return changed.changed(
            view, span, changed.Beside(keys=look.keys(), kept=look.kept(view), settings_at=look.settings_saved())
        )

    def _span(self, look: Look, question: Heard) -> Since:
        for name in question.ids:
            at = look.place_at(name)
            if at is not None:
                return Since(at, f"since {name}, {moment(at)}")
        return since(question.typed, look.now)

    def _earned(self, look: Look, question: Heard, meant: Meant) -> Answer:  # noqa: ARG002 - the makers' shape
        if question.ids:
            return self._one(question.ids[0], lambda explainer, name: earned.earned_by(explainer.explain(name)))
        names = (*question.names, *question.strange)
        return earned.earned(look.view(), names, look.earnings() if names else None)

    def _safe(self, look: Look, question: Heard, meant: Meant) -> Answer:  # noqa: ARG002 - the makers' shape
        view = look.view()
        places = dict.fromkeys((self.home, seat(self.home, TRADE_LOG), seat(self.home, COLLECTION_LOG)))
        findings = [finding for place in places for finding in Verifier(place).run()]
        vaults = "" if seat(self.home, VAULTS).file(VAULTS).exists() else f"there is no {VAULTS}"
        return safety.safe(view, safety.Held(findings=findings, vaults=vaults))

    def _candidate(self, look: Look, question: Heard, meant: Meant) -> Answer:  # noqa: ARG002 - the makers' shape
        if not question.release:
            return self._candidates()
        view = look.view()
        module, _, version = question.release.partition("@")
        try:
            shelf = Shelf(self.home, module)
            made = shelf.manifest(version)
        except VantaError as error:
            return safety.candidate(view, safety.Candidate(subject=question.release, problem=error.what))
        found = safety.Candidate(
            subject=question.release,
            digest=made.digest,
            running=_running(shelf),
            cut_off=unfinished(view.tracker.moves, module) is not None,
        )
        try:
            item = approval(view.tracker, question.release, made.digest, two_person=load(self.home).releases.two_person)
            found = replace(found, item=item)
        except VantaError as error:
            found = replace(found, unapproved=error.what)
        if any(
            str(move.payload.get("after")) == version and move.payload["module"] == module
            for move in view.tracker.moves
        ):
            found = replace(found, signature=_signature(shelf, version, made.digest))
        return safety.candidate(view, found)

    def _candidates(self) -> Answer:
        """Which releases could be meant."""
        modules = self.home.root / "build" / "modules"
        names = sorted(path.name for path in modules.iterdir() if path.is_dir()) if modules.is_dir() else []
        found = [f"{name}@{version}" for name in names for version in Shelf(self.home, name).versions()]
        if not found:
            return unsure("There is no release below build/modules/.", kind="candidate")
        return unsure(
            f"Say which one, as MODULE@VERSION. There are {', '.join(found[:_MOST_COULD])}.",
            kind="candidate",
            exit_=Exit.USAGE,
        )


def _running(shelf: Shelf) -> str | None:
    try:
        return shelf.running()
    except StateError:
        return None


def _signature(shelf: Shelf, version: str, digest: str) -> str:
    try:
        shelf.check_signature(version, digest)
    except NotAllowed as error:
        return error.what
    except StateError as error:
        return f"its signature cannot be checked: {error.what}"
    return ""
