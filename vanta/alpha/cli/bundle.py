"""`vanta audit export | import | verify`: a home's records in one file for somebody else, and what the reader does.

`verify` answers as `vanta verify` does: 0 if everything in the bundle holds together and the key that the reader knows
vouches for it, 2 if anything was changed, lost or forged, 3 if it cannot be told: nobody signed, or no key was given.
`export` ends with 2 if the home itself does not verify; the bundle is written all the same, as evidence.
"""

import re
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from vanta.alpha.archive import Hindered
from vanta.alpha.bundle import unpack, unpacked
from vanta.alpha.core.verification import Finding, outcome
from vanta.alpha.exporter import Asked, export
from vanta.alpha.verifier import Verifier
from vanta.common.cli import HomeOption, JsonFlag, Next, NowOption, Report, application, emit, moment
from vanta.common.clock import clock_for
from vanta.common.errors import StateError, UsageError
from vanta.common.exitcodes import Check
from vanta.common.settings import home_from
from vanta.common.signatures import fingerprint
from vanta.common.times import iso

_SAID = {Check.OK: "everything verifies, and the key that you know vouches for it",
         Check.CRITICAL: "something was changed, lost or forged",
         Check.UNKNOWN: "it cannot be told whether everything verifies"}

app = application("Records of a home in one file for somebody else.")
_FINGERPRINT = re.compile(r"(?:[a-z2-7]{4}-){12}[a-z2-7]{4}", re.ASCII)

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The bundle.")]
Out = Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write it; nothing is written over.")]
From = Annotated[datetime | None, typer.Option("--from", metavar="ISO", parser=moment, show_default=False,
                                               help="Inputs of decisions from then on. Default: all.")]
To = Annotated[datetime | None, typer.Option("--to", metavar="ISO", parser=moment, show_default=False,
                                             help="Logs end at the first signed head from then on. Default: all.")]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who exports it, as the reader may know it.")]
Full = Annotated[bool, typer.Option("--full", help="Withhold nothing: for an archive of your own.")]
WithoutPayloads = Annotated[bool, typer.Option("--without-payloads", help="Leave out what feeds answered: posts name "
                                               "those who wrote them.")]
Key = Annotated[str, typer.Option("--key", metavar="FINGERPRINT", show_default=False, help="A key of the home, as its "
                                  "owner told you by another way than with the bundle.")]


@app.command(name="export", epilog="Exit status: 0 written; 2 written, but the home itself does not verify; 3 not "
             "written, or a wrong command line.")
def export_(out: Out, home: HomeOption = None, start: From = None, end: To = None,  # noqa: PLR0913 - options
            by: By = "", now: NowOption = None, *, full: Full = False, without_payloads: WithoutPayloads = False,
            json: JsonFlag = False) -> int:
    """Write logs, signed heads, inputs, rules and keys into one file; personal values are withheld."""
    if start is not None and end is not None and start > end:
        raise UsageError("--from is later than --to", "Exchange them.")
    at = clock_for(now).now()
    made = export(home_from(home).existing(), out, Asked(
        at=iso(at), since=iso(start) if start else "", until=iso(end) if end else "", by=by, full=full,
        payloads=not without_payloads))
    found, size = made.manifest, out.stat().st_size
    signs = f"signed with {fingerprint(found.key)}" if found.key else found.note
    kept_back = (f"{sum(one.times for one in found.withheld):,} values of logs withheld, {len(found.redacted):,} "
                 f"snapshots redacted, {len(found.gone):,} left out")
    return emit(Report(
        schema="vanta.audit.export/1", at=at, exit=outcome(made.findings) if made.findings else Check.OK,
        items={"file": str(out), "bytes": size, "members": len(found.members), "home": found.home,
               "key": found.key or None, "withheld": sum(one.times for one in found.withheld),
               "redacted": len(found.redacted), "left_out": len(found.gone),
               "findings": [_item(one) for one in made.findings], "named": made.named},
        lines=[f"{out}: {size:,} bytes, {len(found.members):,} files of home {found.home or '(unnamed)'}", signs,
               kept_back],
        warnings=[*(f"the home itself does not verify: {one}" for one in made.findings), *made.named],
        next=[Next("tell the reader the fingerprint by another way than with the file", "vanta audit key"),
              Next("what the reader does", "`vanta audit verify FILE --key FINGERPRINT`")]), as_json=json)


@app.command(name="import", epilog="Exit status: 0 done; 3 nothing was laid out, or a wrong command line.")
def import_(file: FileArgument, home: HomeOption = None, key: Key = "", *, json: JsonFlag = False) -> int:
    """Lay a bundle out in a new or empty folder, as a home that is only read."""
    there = unpack(file, home_from(home).root, key=_fingerprint(key))
    return emit(Report(
        schema="vanta.audit.import/1", at=clock_for(None).now(), items={"home": str(there.root)},
        lines=[f"laid out in {there.root}; it is only read"],
        next=[Next("check it", f"vanta verify --home {there.root}")]), as_json=json)


@app.command(epilog="Exit status: 0 verified; 2 failed; 3 cannot be told, or a wrong command line.")
def verify(file: FileArgument, key: Key = "", *, json: JsonFlag = False) -> int:
    """Check a bundle: its bytes, its signature, every chain, signed head, record and snapshot."""
    findings = look(file, _fingerprint(key))
    level = outcome(findings)
    bad = [one for one in findings if one.level is not Check.OK]
    return emit(Report(
        schema="vanta.audit.verify/1", at=clock_for(None).now(), exit=level,
        items={"outcome": level.name, "findings": [_item(one) for one in findings]},
        lines=[*(str(one) for one in findings if one.level is Check.OK), *map(str, bad),
               f"{level.name}: {_SAID[level]}"],
        next=[Next("keep the evidence", "keep the file as it is, and ask for it again")]
        if level is Check.CRITICAL else []), as_json=json)


def look(file: Path, key: str) -> list[Finding]:
    """Everything that can be said of a bundle. `key`: the fingerprint that is known, empty if none is."""
    try:
        with unpacked(file, key=key) as there:
            return Verifier(there).run()
    except StateError as error:
        level = Check.UNKNOWN if isinstance(error, Hindered) else Check.CRITICAL
        return [Finding(level=level, file=file.name, text=error.what)]


def _fingerprint(text: str) -> str:
    """A fingerprint as people type it; a whole public key will do. Raises `OperatorError` for what is none."""
    found = text.strip().lower()
    if text.strip().endswith("="):
        return fingerprint(text.strip())
    if found and not _FINGERPRINT.fullmatch(found):
        raise UsageError(f"{text[:80]!r} is no fingerprint", "It is thirteen groups of four letters and digits, as "
                         "`vanta audit key` shows it on the home's own host.")
    return found


def _item(finding: Finding) -> dict[str, object]:
    return {"level": finding.level.name, "file": finding.file, "line": finding.line, "text": finding.text}
