"""Saying what is going on while it goes on: a spinner on a terminal, one plain line a step elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from vanta.common import cli
from vanta.common.clock import Clock


class Progress:
    """Steps of one command. They go to stdout, or to stderr where stdout carries a JSON document."""

    def __init__(self, clock: Clock, *, as_json: bool) -> None:
        self._clock = clock
        self._stream = sys.stderr if as_json else sys.stdout

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """One step: announced before it begins, with its time once it is done."""
        began = self._clock.monotonic()
        if self._stream.isatty():
            from rich.console import Console

            console = Console(file=self._stream, highlight=False)
            with console.status(title):
                yield
            console.print(f"[green]✓[/green] {title} [dim]{self._clock.monotonic() - began:.1f} s[/dim]")
        else:
            self._plainly(f"- {title} … ")
            yield
            self._plainly(f"{self._clock.monotonic() - began:.1f} s\n")

    def _plainly(self, text: str) -> None:
        if self._stream is sys.stderr:
            self._stream.write(text)
            self._stream.flush()
        else:
            cli.show(text, newline=False)
