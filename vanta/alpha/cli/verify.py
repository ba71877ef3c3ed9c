"""`vanta verify [FILE…]`: do all logs and documents of a home hold together?

Exit 0 only if everything that was looked at verifies, 2 if anything was changed, lost or torn, 3 if it cannot be told
(a file that cannot be read, no log at all) or the command line is wrong. A copy of a home verifies as the original.
"""

from pathlib import Path
from typing import Annotated

import typer

from vanta.alpha.core.verification import Finding, outcome
from vanta.alpha.verifier import Verifier, verify_file
from vanta.common.cli import HomeOption, JsonFlag, Next, Report, application, emit
from vanta.common.clock import SystemClock
from vanta.common.exitcodes import Check
from vanta.common.settings import home_from
from vanta.common.uncollected import uncollected

app = application("Check every log and document of a home.")
_SAID = {Check.OK: "everything verifies", Check.CRITICAL: "something was changed, lost or torn",
         Check.UNKNOWN: "it cannot be told whether everything verifies"}
FilesArgument = Annotated[list[Path] | None, typer.Argument(
    metavar="[FILE]...", show_default=False, help="Only these files, each by itself. Default: the whole home.")]


@app.command(epilog="Exit status: 0 verified; 2 failed; 3 cannot be told, or the command line is wrong.")
def verify(files: FilesArgument = None, home: HomeOption = None, *, json: JsonFlag = False) -> int:
    """Check chains, records, documents and snapshots from their bytes alone."""
    if files:
        findings = [finding for path in files for finding in verify_file(path)]
    else:
        with uncollected():
            findings = Verifier(home_from(home).existing()).run()
    level = outcome(findings)
    bad = [finding for finding in findings if finding.level is not Check.OK]
    return emit(Report(
        schema="vanta.verify/1", at=SystemClock().now(), exit=level,
        items={"outcome": level.name, "findings": [_item(finding) for finding in findings]},
        lines=[*(str(one).replace("\n", " ") for one in (*(ok for ok in findings if ok.level is Check.OK), *bad)),
               f"{level.name}: {_SAID[level]}" + (f" ({len(bad)} findings)" if bad else "")],
        next=[Next("keep the evidence", "copy the whole home before anything is repaired")]
        if level is Check.CRITICAL else []), as_json=json)


def _item(finding: Finding) -> dict[str, object]:
    return {"level": finding.level.name, "file": finding.file, "line": finding.line, "text": finding.text}
