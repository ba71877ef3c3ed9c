"""`vanta explain ID`: why a signal, conviction, cycle, intent, order or fill is what it is, in plain sentences.

Works from the files of a home alone; nothing has to run. The first eight characters of an id are enough where they
name one thing. An id that nothing knows ends with 1, an ambiguous one with 2 and the list of what it could be.
"""

from typing import Annotated

import typer

from vanta.alpha.core.node import as_json, flatten
from vanta.alpha.core.sights import one_line
from vanta.alpha.explainer import Explainer
from vanta.common.cli import HomeOption, JsonFlag, Next, Report, application, emit, exit_table
from vanta.common.clock import SystemClock
from vanta.common.errors import UsageError, VantaError
from vanta.common.exitcodes import Exit
from vanta.common.settings import home_from

app = application("Say why a signal, conviction, cycle, intent, order or fill is what it is.")
IdArgument = Annotated[str, typer.Argument(
    metavar="ID", help="sig1_… cv1_… in1_… dag1_… an order or fill id, or its beginning.")]
_MOST = 20


class UnknownId(VantaError):
    """Nothing in this home has that id."""


@app.command(epilog=exit_table(Exit.DONE, Exit.FAILED, Exit.USAGE))
def explain(name: IdArgument, home: HomeOption = None, *, json: JsonFlag = False) -> int:
    """Follow one id from raw payload to fill."""
    explainer = Explainer(home_from(home).existing())
    found = explainer.meant(name)
    if not found:
        raise UnknownId(f"nothing here is called {name!r}", explainer.hint(name))
    if len(found) > 1:
        shown = "\n    ".join(found[:_MOST])
        raise UsageError(f"{name!r} can mean {len(found)} things:\n    {shown}", "Give more of the id.")
    tree = explainer.explain(found[0])
    return emit(Report(
        schema="vanta.explain/1", at=SystemClock().now(), items={"id": found[0], "explanation": as_json(tree)},
        lines=["  " * depth + one_line(node.text) for depth, node in flatten(tree)], warnings=explainer.warnings,
        next=[Next("check that none of this was changed", "vanta verify")]), as_json=json)
