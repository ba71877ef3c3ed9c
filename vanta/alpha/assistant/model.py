"""The port of a language model: a prompt goes in, a text comes out, and nothing of it is believed.

`guard.py` is the only caller. An adapter raises `OutsideError` for whatever is no answer: refused, late, too long,
garbled. It asks once: no retries, no redirects.
"""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from vanta.common.errors import OutsideError


class Prompt(NamedTuple):
    """`rules` are ours; `data` holds facts, in which there may be words that strangers wrote."""

    rules: str
    data: str


class Model(Protocol):
    """One model at one place."""

    @property
    def name(self) -> str:
        """What the model is called."""
        ...

    @property
    def host(self) -> str:
        """Where it is asked."""
        ...

    def answer(self, prompt: Prompt) -> str:
        """What the model says. Raises `OutsideError`."""
        ...


class ScriptedModel:
    """The in-memory twin: says what it was given, in order; then that it is not there. Keeps what it was asked."""

    name, host = "scripted", "in memory"

    def __init__(self, answers: Iterable[str | Exception] = ()) -> None:
        self._answers = list(answers)
        self.asked: list[Prompt] = []

    def answer(self, prompt: Prompt) -> str:
        """See `Model.answer`."""
        self.asked.append(prompt)
        said = self._answers.pop(0) if self._answers else OutsideError("the model is not there")
        if isinstance(said, Exception):
            raise said
        return said
