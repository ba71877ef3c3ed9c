"""An answer: sentences, each with what it rests on, and what a person may do next. Pure.

A `Fact` without citations is refused when it is made: whoever answers has to say from where. What an assistant says of
itself (that it did not understand, what it can be asked) rests on nothing in the home and is a `note`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from vanta.alpha.core.items import indented
from vanta.alpha.core.sights import one_line
from vanta.common.errors import Bug
from vanta.common.exitcodes import Check, Exit

LONGEST = 600
"""Characters of a sentence: texts from outside may be of any length."""

SHOWN_CITES = 6
_MARKS = {Check.OK: "✓", Check.WARNING: "!", Check.CRITICAL: "✗", Check.UNKNOWN: "?", None: "·"}


class Step(NamedTuple):
    """What to do next, and why: a command by its plain name, or advice."""

    why: str
    command: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One sentence. `cites` are ids, places or files; `level` is what a check came to, `None` for plain facts.

    `outside`: it holds words that strangers may have written.
    """

    text: str
    cites: tuple[str, ...]
    level: Check | None = None
    outside: bool = False

    def __post_init__(self) -> None:
        if not self.cites or not all(self.cites):
            raise Bug(f"a sentence rests on nothing: {self.text[:80]}")

    @property
    def line(self) -> str:
        """The sentence with its citations, printable, on one line."""
        text = one_line(self.text)
        text = text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"
        more = len(self.cites) - SHOWN_CITES
        cites = ", ".join(map(one_line, self.cites[:SHOWN_CITES])) + (f" and {more} more" if more > 0 else "")
        return f"{text}  [{cites}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`kind` is the intent. `head` comes first, `facts` say why; `notes` are about the assistant itself."""

    kind: str
    head: Fact | None = None
    facts: tuple[Fact, ...] = ()
    notes: tuple[str, ...] = ()
    next: tuple[Step, ...] = ()
    exit: Exit = Exit.DONE
    decides: bool = False

    @property
    def all(self) -> tuple[Fact, ...]:
        """Every sentence that rests on the home."""
        return (*((self.head,) if self.head else ()), *self.facts)

    @property
    def lines(self) -> list[str]:
        """The answer for people, without its next steps."""
        head = [self.head.line] if self.head else []
        return [
            *head,
            *(f"  {_MARKS[one.level]} {one.line}" for one in self.facts),
            *(line for note in self.notes for line in map(indented, note.split("\n"))),
        ]


def unsure(why: str, *steps: Step, exit_: Exit = Exit.FAILED, kind: str = "unknown") -> Answer:
    """It is not known, and why."""
    return Answer(kind=kind, notes=(why,), next=steps, exit=exit_)


def capped(facts: Sequence[Fact], most: int, rest: str) -> list[Fact]:
    """At most so many; what is left out is counted, in a sentence that rests on it. `rest` says what it is."""
    if len(facts) <= most:
        return list(facts)
    left = facts[most - 1 :]
    return [*facts[: most - 1], Fact(f"and {len(left):,} more {rest}", cites(one.cites[0] for one in left))]


def cites(found: Iterable[str]) -> tuple[str, ...]:
    """Citations in order, each once."""
    return tuple(dict.fromkeys(one for one in found if one))
