"""`vanta audit key | rotate | witness | export | import | verify`: what others need to trust a home's logs.

The key that signs them, what another host remembers of them, and bundles of records for others (`bundle.py`).

`witness` answers as `vanta verify` does: 0 if everything that can be seen holds together and follows what was seen
before, 2 if anything was changed, cut or made anew, 3 if it cannot be told.
"""

from pathlib import Path
from typing import Annotated

import typer

from vanta.alpha.cli import bundle
from vanta.alpha.core.verification import Finding, outcome
from vanta.alpha.keys import listed, rotate
from vanta.alpha.sealing import seal
from vanta.alpha.witness import look
from vanta.common.cli import HomeOption, JsonFlag, Next, Report, application, emit
from vanta.common.clock import SystemClock
from vanta.common.errors import UsageError
from vanta.common.exitcodes import Check
from vanta.common.host import account
from vanta.common.paths import Home, own
from vanta.common.settings import home_from
from vanta.common.signatures import fingerprint
from vanta.common.times import iso

app = application("The key that logs are signed with, witnessing another home's logs, and bundles of records.")
app.add_typer(bundle.app)
_SAID = {Check.OK: "everything holds together and follows what was seen before",
         Check.CRITICAL: "something was changed, cut or made anew", Check.UNKNOWN: "it cannot be told"}
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")]
By = Annotated[str | None, typer.Option("--by", metavar="NAME", show_default=False,
                                        help="Who decided it. Default: the account that runs this.")]
There = Annotated[Path, typer.Argument(metavar="DIR", help="The other home, as it is mounted or copied here.")]
Node = Annotated[str, typer.Option("--node", metavar="NAME", help="What it is called here.")]


@app.command()
def key(home: HomeOption = None, *, json: JsonFlag = False) -> int:
    """Show the fingerprints of the keys that this home has signed with. Write the first one down elsewhere."""
    found = listed(home_from(home).existing())
    shown = [fingerprint(one) for one in found]
    return emit(Report(
        schema="vanta.audit.key/1", at=SystemClock().now(),
        items={"keys": [{"key": one, "fingerprint": name} for one, name in zip(found, shown, strict=True)]},
        lines=[f"{'signs now' if number == len(shown) else 'replaced':<9}  {name}"
               for number, name in enumerate(shown, start=1)]), as_json=json)


@app.command(name="rotate")
def rotate_(reason: Reason, home: HomeOption = None, by: By = None, *, json: JsonFlag = False) -> int:
    """Let another key sign from now on. Every program of the home has to be stopped."""
    if not reason.strip():
        raise UsageError("this needs a reason", "Add --reason TEXT.")
    now = SystemClock().now()
    said = {"at": iso(now), "by": by or account(), "reason": reason}
    old, new = rotate(home_from(home).existing(), said)
    return emit(Report(
        schema="vanta.audit.rotate/1", at=now, items={**said, "replaced": old, "signs": new},
        lines=[f"{fingerprint(new)} signs from now on, in the place of {fingerprint(old)}"],
        next=[Next("let the witness see it", "run `vanta audit witness` there")]), as_json=json)


@app.command(epilog="Exit status: 0 sound; 2 changed, cut or made anew; 3 cannot be told, or a wrong command line.")
def witness(there: There, node: Node, home: HomeOption = None, *, json: JsonFlag = False) -> int:
    """Look at another home's logs, hold them to what was seen before, and remember what is sound."""
    findings = look(Home(there).existing(), own(home_from(home).existing()), node)
    level = outcome(findings)
    return emit(Report(
        schema="vanta.audit.witness/1", at=SystemClock().now(), exit=level,
        items={"node": node, "outcome": level.name, "findings": [_item(one) for one in findings]},
        lines=[*map(str, findings), f"{level.name}: {_SAID[level]}"],
        next=[Next("keep the evidence", "copy both homes before anything is repaired")]
        if level is Check.CRITICAL else []), as_json=json)


def _item(finding: Finding) -> dict[str, object]:
    return {"level": finding.level.name, "file": finding.file, "line": finding.line, "text": finding.text}


@app.command()
def checkpoint(home: HomeOption = None, *, json: JsonFlag = False) -> int:
    """Sign the ends of logs that lie open, such as what was recorded while there was no key."""
    now = SystemClock().now()
    done = list(seal(home_from(home).existing(), now))
    return emit(Report(
        schema="vanta.audit.checkpoint/1", at=now, items={"logs": [one._asdict() for one in done]},
        lines=[f"{one.journal}: {one.done}" for one in done] or ["there is no log yet"]), as_json=json)
