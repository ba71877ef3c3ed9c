"""One page of EDGAR's "latest filings" feed → one record per entry. Pure.

EDGAR lists a filing once per party: the issuer and each reporting owner get an entry of their own with the
same accession number. `type=4` in the query is a prefix match (424B2, 40-APP, 485BPOS come along), so the
form of each entry is kept exactly as its category states it and nobody here decides what is interesting.

A record: `{"record": "entry", "form": "4/A", "name": …, "cik": "0001973266", "role": "Issuer",
"accession": "0001193125-26-312814", "accepted": "2026-07-23T01:40:03.000Z", "folder_cik": "1973266"}`.

A page that was cut yields its whole entries and says so. This module refuses to know what an HTML page
means; see `sec.py`.
"""

import re
from typing import Any

from vanta.common.times import iso, parse_iso
from vanta.markets.core.records import Problem, Reading

Element = Any  # an lxml element; the library is loaded by the functions that need it
_ATOM = "{http://www.w3.org/2005/Atom}"
_TITLE = re.compile(r"(?P<form>\S.*?) - (?P<name>.*) \((?P<cik>\d{10})\) \((?P<role>[^()]*)\)", re.DOTALL)
_ACCESSION = re.compile(r"accession-number=(\d{10}-\d{2}-\d{6})$")
_FOLDER = re.compile(r"/Archives/edgar/data/(\d{1,10})/\d{18}/")


def page(body: bytes, *, where: str) -> Reading:
    """Read a page. Bad entries become problems; a page that is no Atom at all has no records."""
    from lxml import etree

    strict = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(body, strict)
        whole = True
    except etree.XMLSyntaxError as error:
        root, whole = _salvage(body), False
        cut = Problem(code="cut_page", detail=f"the page is damaged or cut: {error.msg}", where=where)
    if root is None or root.tag != f"{_ATOM}feed" or root.getroottree().docinfo.doctype:
        return Reading(records=[], complete=False, problems=[
            Problem(code="not_atom", detail="the payload is not an Atom feed", where=where)])
    problems = [] if whole else [cut]
    records = []
    for index, element in enumerate(root.iter(f"{_ATOM}entry")):
        record = _entry(element)
        if isinstance(record, str):
            problems.append(Problem(code="bad_entry", detail=record, where=f"{where}#entry[{index}]"))
        else:
            records.append(record)
    return Reading(records=records, problems=problems, complete=whole)


def _salvage(body: bytes) -> Element | None:
    from lxml import etree

    lenient = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True)
    try:
        return etree.fromstring(body, lenient)
    except etree.XMLSyntaxError:
        return None


def _entry(element: Element) -> dict[str, Any] | str:
    """The record, or what is wrong with the entry."""
    title = _TITLE.fullmatch(_text(element, "title"))
    if title is None:
        return f"title {_text(element, 'title')[:80]!r} is not 'FORM - NAME (CIK) (ROLE)'"
    category = element.find(f"{_ATOM}category")
    form = category.get("term", "") if category is not None else ""
    if form and form != title["form"]:
        return f"title says form {title['form']!r}, category says {form!r}"
    accession = _ACCESSION.search(_text(element, "id"))
    if accession is None:
        return f"id {_text(element, 'id')[:80]!r} holds no accession number"
    try:
        accepted = parse_iso(_text(element, "updated"))
    except ValueError:
        return f"updated {_text(element, 'updated')[:40]!r} is not a time with an offset"
    link = element.find(f"{_ATOM}link")
    folder = _FOLDER.search(link.get("href", "") if link is not None else "")
    return {
        "record": "entry", "form": title["form"], "name": title["name"], "cik": title["cik"], "role": title["role"],
        "accession": accession[1], "accepted": iso(accepted),
        "folder_cik": folder[1] if folder else title["cik"].lstrip("0"),
    }


def _text(element: Element, tag: str) -> str:
    return (element.findtext(f"{_ATOM}{tag}") or "").strip()
