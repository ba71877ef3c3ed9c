"""`vanta install --node NODE`: lay out this host, or an image below --root, for one node. Starts nothing."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from vanta.alpha.core.placing import Place
from vanta.alpha.installer import Installer, Order, Outcome
from vanta.common.cli import JsonFlag, Next, Report, application, emit, exit_table
from vanta.common.clock import SystemClock
from vanta.common.exitcodes import Exit
from vanta.common.settings import DEFAULT_HOME

app = application("Lay out a host for one node.")

Node = Annotated[str, typer.Option("--node", metavar="NODE", help="alpha, markets or executor.")]
Where = Annotated[str, typer.Option("--home", metavar="DIR", help="The node's home, as its host names it.")]
Root = Annotated[Path, typer.Option("--root", metavar="DIR", help="Lay out an image of a host below this folder.")]
Programs = Annotated[str, typer.Option("--programs", metavar="DIR", show_default="those that run now",
                                       help="Where `vanta` is installed, as the host names it.")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
Force = Annotated[bool, typer.Option("--force", help="Replace files of ours that look different. Settings stay.")]


@app.command(epilog=exit_table(Exit.DONE, Exit.PARTIAL, Exit.CONFIG))
def install(node: Node, home: Where = DEFAULT_HOME, root: Root = Path("/"),  # noqa: PLR0913 - the command's options
            programs: Programs = "", *, dry: Dry = False, force: Force = False, json: JsonFlag = False) -> int:
    """Put accounts, folders, units, cron jobs and rules where they belong."""
    place = Place(node, home, programs or str(Path(sys.executable).parent))
    done = Installer(Order(place=place, root=root.absolute(), dry=dry, force=force)).run()
    wrong = [*(f"differs, left as it is (--force replaces it):\n{diff.rstrip()}" for diff in done.differs.values()),
             *(f"not as it should be: {path}" for path in done.missing)]
    return emit(Report(
        schema="vanta.install/1", at=SystemClock().now(), exit=Exit.PARTIAL if wrong else Exit.DONE, warnings=wrong,
        items={"node": node, "root": root.absolute(), "dry_run": dry, "changed": done.changed, "written": done.written,
               "replaced": done.replaced, "same": done.same, "kept": done.kept, "made": done.made,
               "differs": done.differs, "missing": done.missing},
        lines=_said(node, done, dry=dry),
        next=[Next("nothing was started or enabled", "docs/INSTALL.md says what comes next")] if done.changed else []),
        as_json=json)


def _said(node: str, done: Outcome, *, dry: bool) -> list[str]:
    lines = [*(f"  made      {what}" for what in done.made), *(f"  wrote     {what}" for what in done.written),
             *(f"  replaced  {what}" for what in done.replaced), *(f"  kept      {what}" for what in done.kept)]
    if not done.changed:
        return [f"install {node}: nothing to change, {len(done.same)} files are as they should be",
                *(line for line in lines if done.kept)]
    return [f"install {node}: {'would be done' if dry else 'done'}", *lines]
