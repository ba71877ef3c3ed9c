"""`vanta markets …`: collect, reflect, promote, run. One module a command.

Only the module of the command that is asked for is imported, so that a pass over one feed does not pay for reflecting.
"""

import importlib
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from vanta.common.cli import application

COMMANDS = ("collect", "reflect", "promote", "run")


class OnDemand(TyperGroup):
    """A group whose commands are names until one of them is asked for."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**{**attributes, "commands": {name: TyperCommand(name) for name in COMMANDS}})

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command itself, `None` if there is none of that name."""
        del ctx
        if cmd_name not in self.commands:
            return None
        return typer.main.get_command(importlib.import_module(f"{__name__}.{cmd_name}").app)


app = application("The markets node: collect feeds, reflect on what they say, stage intents.")


@app.callback(cls=OnDemand)
def node() -> None:
    """The markets node: collect feeds, reflect on what they say, stage intents."""
