"""Proposals: files below `memory/proposals/` that say what a person might run. The only thing the assistant writes.

A proposal changes nothing and is read by no other program. Whether it was carried out is told by the home itself: the
switch stands so, the tracker has an item of that title.

    memory/proposals/pr_4ktm2c7xq5wz3r6e.json
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from vanta.alpha.core.assistant.proposing import Wish, is_ours
from vanta.alpha.core.assistant.view import Proposal
from vanta.alpha.core.sights import Doc
from vanta.alpha.core.switching import place_of, value_of
from vanta.alpha.core.tracker import Tracker
from vanta.common import strictjson
from vanta.common.canonical import document
from vanta.common.errors import BadInput, OperatorError, StateError
from vanta.common.ids import proposal_id
from vanta.common.models.base import SCHEMA_VERSION, validate
from vanta.common.models.overlay import Overlay
from vanta.common.models.proposal import ProposalDocument
from vanta.common.paths import OVERLAY, PROPOSALS, Home, own
from vanta.common.store import atomic
from vanta.common.times import iso
from vanta.executor.core.controls import is_on

MOST_BYTES = 16_384
MOST = 200
"""So many files are looked at, the newest names last."""


class Shelf:
    """The proposals of one home."""

    def __init__(self, home: Home) -> None:
        self._home = home

    @property
    def folder(self) -> Path:
        """Where they lie."""
        return self._home.memory / PROPOSALS

    def put(self, wish: Wish, typed: str, by: str, now: datetime) -> ProposalDocument:
        """Write one. Raises `OperatorError` where it cannot be written; nothing else was done then either."""
        body = {
            "schema_version": SCHEMA_VERSION,
            "at": iso(now),
            "by": by,
            "about": wish.about,
            "command": wish.command,
            "said": wish.said,
            "typed": typed,
            "switch": wish.switch,
            "scope": wish.scope,
            "on": wish.on,
            "title": wish.title,
            "loosens": wish.loosens,
        }
        made = validate(ProposalDocument, {"proposal_id": proposal_id(body), **body}, file="proposal")
        folder = own(self._home).memory / PROPOSALS
        try:
            folder.mkdir(mode=0o750, exist_ok=True)
            atomic.give_to_owner(folder)
            atomic.replace(folder / f"{made.proposal_id}.json", document(made.model_dump(mode="json")))
        except (OSError, StateError) as error:
            why = atomic.describe(error) if isinstance(error, OSError) else error.what
            raise OperatorError(
                f"the proposal could not be kept: {why}", "The command works all the same."
            ) from error
        return made

    def listed(self, overlay: Doc, tracker: Tracker, now: datetime) -> Iterator[Proposal]:
        """What lies there, oldest first. A file that is no proposal is passed over."""
        for one in sorted(self._read(), key=lambda one: (one.at, one.proposal_id)):
            yield Proposal(file=f"memory/{PROPOSALS}/{one.proposal_id}.json", command=one.command, at=one.at,
                           done=_done(one, overlay, tracker, now))

    def _read(self) -> Iterator[ProposalDocument]:
        for path in sorted(self.folder.glob("pr_*.json"))[-MOST:]:
            try:
                value = strictjson.loads_object(atomic.read(path, max_bytes=MOST_BYTES), file=path.name)
                found = validate(ProposalDocument, value, file=path.name)
            except (StateError, BadInput):
                continue
            if found.proposal_id == path.stem and is_ours(found.command):
                yield found


def _done(one: ProposalDocument, overlay: Doc, tracker: Tracker, now: datetime) -> bool:
    """Whether what it asks for is so."""
    if one.about == "item":
        return any(item.title == one.title and item.at >= one.at for item in tracker.items.values())
    try:
        said = validate(Overlay, dict(overlay.value or {}), file=OVERLAY)
    except BadInput:
        return False
    place = place_of(one.scope) if one.scope else None
    return is_on(one.switch, value_of(said, one.switch, place), now) == one.on
