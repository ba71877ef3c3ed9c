"""`vanta explain ID`: why something is what it is, in plain sentences, as data, as a graph, or as a page that draws it.

ID is a signal, conviction, cycle, intent, order, fill, latch or command, the hash of a control file, or any record by
its place (`trade_log:345`). Works from the files of a home alone; nothing has to run. The first eight characters of an
id are enough where they name one thing. An id that nothing knows ends with 1, an ambiguous one with 2 and the list of
what it could be.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from vanta import __version__
from vanta.alpha.core.dot import dot as as_dot
from vanta.alpha.core.gather import passed_together
from vanta.alpha.core.graph import graph_of
from vanta.alpha.core.node import Node, as_json, flatten
from vanta.alpha.core.sheet import sheet
from vanta.alpha.core.sights import one_line
from vanta.alpha.core.words import when
from vanta.alpha.explainer import Explainer
from vanta.alpha.pages import outside
from vanta.common.cli import HomeOption, JsonFlag, Next, Report, application, emit, exit_table, show
from vanta.common.clock import SystemClock
from vanta.common.errors import UsageError, VantaError
from vanta.common.exitcodes import Exit
from vanta.common.settings import home_from
from vanta.common.store import atomic
from vanta.common.times import iso

app = application("Say why a signal, conviction, intent, order, fill, refusal or control change is what it is.")
IdArgument = Annotated[str, typer.Argument(
    metavar="ID", help="sig1_… cv1_… in1_… dag1_… latch_… cmd_… vt_… th_…, an order or fill id, a control's hash, "
                       "or a record's place as in trade_log:345; a beginning of eight characters will do.")]
DotFlag = Annotated[bool, typer.Option("--dot", help="Print the decision as Graphviz text.")]
HtmlOption = Annotated[Path | None, typer.Option(
    "--html", metavar="FILE", show_default=False, help="Write a page that draws the decision; - prints it.")]
_MOST = 20
_VERIFY = Next("check that none of this was changed", "vanta verify")


class UnknownId(VantaError):
    """Nothing in this home has that id."""


@app.command(epilog=exit_table(Exit.DONE, Exit.FAILED, Exit.USAGE))
def explain(name: IdArgument, home: HomeOption = None, *, json: JsonFlag = False, dot: DotFlag = False,
            html: HtmlOption = None) -> int:
    """Follow one thing from what caused it to what came of it."""
    if sum((json, dot, html is not None)) > 1:
        raise UsageError("--json, --dot and --html exclude each other", "Give one of them.")
    place = home_from(home).existing()
    target = None if html is None else outside(html, place, "--html why.html")
    explainer = Explainer(place)
    found = _only(name, explainer)
    tree = explainer.explain(found)
    if dot:
        show(as_dot(passed_together(graph_of(tree)), found), newline=False)
        return _end(explainer.warnings)
    if target is not None:
        return _page(tree, found, target, explainer.warnings)
    return emit(Report(
        schema="vanta.explain/1", at=SystemClock().now(), items={"id": found, "explanation": as_json(tree)},
        lines=["  " * depth + one_line(node.text) for depth, node in flatten(tree)], warnings=explainer.warnings,
        next=[_VERIFY]), as_json=json)


def _only(name: str, explainer: Explainer) -> str:
    """The one thing that is meant. Raises `UnknownId`, or `UsageError` with the list where it is not one."""
    found = explainer.meant(name)
    if not found:
        raise UnknownId(f"nothing here is called {name!r}", explainer.hint(name))
    if len(found) > 1:
        more = f"\n    and {len(found) - _MOST:,} more" if len(found) > _MOST else ""
        shown = "\n    ".join(map(explainer.brief, found[:_MOST]))
        raise UsageError(f"{name!r} can mean {len(found):,} things:\n    {shown}{more}", "Give more of the id.")
    return found[0]


def _page(tree: Node, name: str, target: Path, warnings: Sequence[str]) -> int:
    now = SystemClock().now()
    page = sheet(tree, name=name, gaps=warnings,
                 foot=f"Made by vanta explain {__version__} at {when(iso(now))} from the files "
                 "of a home; vanta verify checks that none of them was changed.")
    if str(target) == "-":
        show(page, newline=False)
        return _end(warnings)
    atomic.replace(target, page.encode(), durable=False)
    return emit(Report(schema="vanta.explain/1", at=now, items={}, lines=[f"the page is in {target}"],
                       warnings=warnings,
                       next=[_VERIFY]), as_json=False)


def _end(warnings: Sequence[str]) -> int:
    """What is said where the output is for a program: warnings alone."""
    return emit(Report(schema="vanta.explain/1", at=SystemClock().now(), items={}, lines=[], warnings=warnings),
                as_json=False)
