"""On several hosts: is every other node heard, did all arrive that it shows, and does Alpha's word count here? Pure.

A row for each node that this one pulls from. A file that was refused, a witness that found something changed, and a
link on which kill switches come but no more is heard of are CRITICAL; any other link that is silent is a WARNING, and
CRITICAL after a quarter of an hour. Without the transport nothing arrives, whatever is shown.

Example: Alpha was heard 41 s ago, its word is good for 10 s -> CRITICAL "down for 41 s: no route to host; orders wait".
"""

from collections.abc import Iterator, Mapping
from typing import Any

from vanta.alpha.core.sights import Facts, LinkSight, Row, since, span
from vanta.common.exitcodes import Check

LATE_S = 900.0
SILENT_S = 15.0
"""What the transport says is news: it says something every second while anything is heard, every pause otherwise."""
_CHANGED = "something was changed"


def rows(facts: Facts) -> Iterator[Row]:
    """Nothing where all nodes are here."""
    for link in facts.links:
        level, text = _judged(link, facts)
        yield Row(name=f"link {link.node}", level=level, text=text, fix="" if level is Check.OK else _fix(link, facts))
    if facts.far is not None:
        yield _lease(facts)
    if facts.node == "alpha" and facts.running("lease") is not None:
        said = facts.running("lease")
        yield Row(name="lease", level=Check.OK if said else Check.CRITICAL, fix="" if said else
                  "systemctl start vanta-alpha-lease", text="it is said that these are the controls" if said else
                  "nobody says that these are the controls: the executor sends nothing")


def _fix(link: LinkSight, facts: Facts) -> str:
    if facts.running("transport") is False:
        return f"systemctl start vanta-{facts.node}-transport"
    refused = any(one.get("refused") for one in _files(link).values())
    return f"ls -l memory/replica/{link.node}/refused" if refused else f"systemctl status vanta-{facts.node}-transport"


def _files(link: LinkSight) -> Mapping[str, Mapping[str, Any]]:
    return {name: one for name, one in link.doc.table("files").items() if isinstance(one, dict)}


def _judged(link: LinkSight, facts: Facts) -> tuple[Check, str]:
    heard = link.doc.time("heard_at")
    if heard is None:
        why = link.doc.problem or link.doc.text("problem")
        return Check.CRITICAL if _holds(link, facts) else Check.UNKNOWN, f"never heard{why and f': {why}'}"
    age, files = since(heard, facts.now), _files(link)
    wrong = [f"{name}: {one['problem']}" for name, one in files.items() if one.get("problem")]
    told = "; ".join([f"heard {span(age)} ago", *_behind(files), *wrong])
    if link.doc.text("witness").startswith(_CHANGED):
        return Check.CRITICAL, f"the witness says: {link.doc.text('witness')}; {told}"
    if any(one.get("refused") for one in files.values()):
        return Check.CRITICAL, f"refused; {told}"
    if facts.running("transport") is False:
        return _silent(link, facts, age), f"the transport does not run here; {told}"
    if link.doc.text("link") == "down" or age > SILENT_S:
        why = link.doc.text("problem") if link.doc.text("link") == "down" else "the transport gets nowhere"
        waits = "; orders wait" if _holds(link, facts) and age > facts.lease_s else ""
        return _silent(link, facts, age), f"down for {span(age)}: {why}{waits}"
    return (Check.WARNING if wrong else Check.OK), told


def _holds(link: LinkSight, facts: Facts) -> bool:
    """Whether orders wait for this node."""
    return facts.node == "executor" and link.node == "alpha"


def _silent(link: LinkSight, facts: Facts, age: float) -> Check:
    return Check.CRITICAL if age > (facts.lease_s if _holds(link, facts) else LATE_S) else Check.WARNING


def _behind(files: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Which logs lack how much."""
    for name, one in files.items():
        if isinstance(size := one.get("behind"), int) and size > 0:
            yield f"{name} {size:,} bytes behind"


def _lease(facts: Facts) -> Row:
    """Does Alpha vouch for the kill switches that are known here?"""
    seen = facts.far
    assert seen is not None
    if not seen.lease and seen.said_at is not None:
        return Row(name="lease", level=Check.OK, text=f"Alpha's word is {span(since(seen.said_at, facts.now))} old")
    said = "" if seen.said_at is None else f", said {span(since(seen.said_at, facts.now))} ago"
    return Row(name="lease", level=Check.CRITICAL, text=f"no order leaves: {seen.lease}{said}", fix=LEASE_FIX)


LEASE_FIX = "on Alpha: systemctl start vanta-alpha-lease; here: the link to Alpha, vanta-diagnostics shows it"
