"""Whatever EDGAR serves to the `sec` feed → records. Pure and total: bad bytes become problems.

It tells apart, by content and never by file name alone: pages of the latest-filings feed, ownership filings
in their three shapes, other filings (kept as `{"record": "other", "form": …}` so that they are counted) and
HTML. EDGAR answers a page past the end with an HTML page and status 503: after the first page that is the
end of the list, on the first page it is an outage.
"""

import re
from typing import Any

from vanta.markets.core.records import Problem, Reading
from vanta.markets.parsers import sec_atom, sec_form4
from vanta.markets.parsers.sec_form4 import Unreadable

_HTML = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL)
_ATOM = re.compile(rb"<feed\b[^>]*http://www\.w3\.org/2005/Atom")
_START = re.compile(r"start=?(\d+)")
_SUBMISSION = re.compile(r"\A\s*(?:<SEC-DOCUMENT>|<SEC-HEADER>|<SUBMISSION>|-----BEGIN)")
_HEAD = 4096


def is_html(body: bytes) -> bool:
    """Whether the bytes are a web page rather than a feed or a filing."""
    return bool(_HTML.match(body[:_HEAD]))


def first_index(where: str) -> int:
    """The `start` of the page that a URL or file name names; 0 if it names none."""
    match = _START.search(where)
    return int(match[1][:9]) if match else 0


def read(body: bytes, *, where: str) -> Reading:
    """Records and problems of one payload. `where` is its URL or file."""
    if not body.strip():
        return _refused("empty", "the payload is empty", where)
    if is_html(body):
        if first_index(where) > 0:
            return Reading(records=[], problems=[])
        return _refused("error_page", "EDGAR answered with a web page instead of the feed", where)
    if _ATOM.search(body[:_HEAD]):
        return sec_atom.page(body, where=where)
    try:
        return _filing(sec_form4.unix_lines(body), where)
    except Unreadable as error:
        return _refused("damaged_filing", str(error), where)


def _filing(text: str, where: str) -> Reading:
    if _SUBMISSION.match(text):
        head, found = sec_form4.header(text), sec_form4.documents(text)
    elif text.lstrip("\ufeff \t\n").startswith("<"):
        head, found = dict.fromkeys(("accession", "acceptance", "form", "filed")), [text]
    else:
        return _refused("unknown_payload", "neither a feed page nor a filing", where)
    records: list[dict[str, Any]] = []
    for xml in found:
        record = sec_form4.ownership(xml, head=head, where=where)
        if record is not None:
            records.append(record)
    if not records:
        records = [{"record": "other", "form": head["form"] or "",
                    "accession": head["accession"] or sec_form4.accession_in(where)}]
    problems = [Problem(code="second_document", detail="a second ownership document is not used", where=where)
                for _ in records[1:]]
    return Reading(records=records[:1], problems=problems)


def _refused(code: str, detail: str, where: str) -> Reading:
    return Reading(records=[], problems=[Problem(code=code, detail=detail, where=where)], complete=False)
