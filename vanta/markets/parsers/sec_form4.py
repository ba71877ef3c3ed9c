"""One ownership filing (Forms 3, 4, 5) as EDGAR serves it → one record. Pure.

Three shapes hold the same document: the full submission (`.txt`, an SGML header and the XML), the
dissemination form (`.nc`, another header without an acceptance time, lines that end in a bare CR), and the
`ownershipDocument` XML alone, sometimes after an empty line. Header values are believed only above the
first document. Nothing is judged here: codes, prices and dates are kept as the filing writes them, as text.

A row: `{"table": "non_derivative", "code": "P", "side": "A", "date": "2020-05-14", "shares": "1000",
"price": "12.5", "plan": false, "swap": false}`; `price` is `None` where only a footnote tells it, `plan` says
that a footnote of the row (or the remarks) names a Rule 10b5-1 plan without denying it.
"""

import re
from typing import Any

Element = Any  # an lxml element; the library is loaded by the function that needs it
_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*\?>\s*")
_XML = re.compile(r"<XML>\s*(.*?)\s*</XML>", re.DOTALL)
_ACCEPTANCE = re.compile(r"<ACCEPTANCE-DATETIME>(\d{14})\b")
_ACCESSION = re.compile(r"(?:^ACCESSION NUMBER:\s*|<ACCESSION-NUMBER>)(\d{10}-\d{2}-\d{6})\b", re.MULTILINE)
_FORM = re.compile(r"(?:^CONFORMED SUBMISSION TYPE:[ \t]*|^<TYPE>)(\S+)", re.MULTILINE)
_FILED = re.compile(r"(?:^FILED AS OF DATE:\s*|^<FILING-DATE>)(\d{4})(\d{2})(\d{2})\b", re.MULTILINE)
_IN_NAME = re.compile(r"(?<!\d)(\d{10})-?(\d{2})-?(\d{6})(?=[./_-]|$)")
_PLAN = re.compile(r"10b-?5-?1", re.IGNORECASE)
_DENIED = re.compile(r"\b(?:not|no|other than|without)\b[^.;]{0,80}10b-?5-?1", re.IGNORECASE)
_TABLES = {"nonDerivativeTransaction": "non_derivative", "derivativeTransaction": "derivative"}


class Unreadable(ValueError):
    """The payload cannot be read as a filing; the message says why."""


def header(text: str) -> dict[str, str | None]:
    r"""Accession, acceptance time, form and filing date from the head of a submission (line ends are `\\n`)."""
    head = text.partition("<DOCUMENT>")[0]
    filed = _FILED.search(head)
    return {
        "accession": _first(_ACCESSION, head), "acceptance": _first(_ACCEPTANCE, head), "form": _first(_FORM, head),
        "filed": "-".join(filed.groups()) if filed else None,
    }


def accession_in(where: str) -> str | None:
    """The accession number in a URL or file name, the file's own before its folder's."""
    named = _IN_NAME.search(where.rpartition("/")[2]) or _IN_NAME.search(where)
    return "-".join(named.groups()) if named else None


def unix_lines(body: bytes) -> str:
    r"""Text with `\\n` line ends: UTF-8 where it is, else Latin-1, in which every byte is a character."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def documents(text: str) -> list[str]:
    """The XML documents of a submission. Raises `Unreadable` if one begins and does not end."""
    found = _XML.findall(text)
    if text.count("<XML>") > len(found):
        raise Unreadable("the submission is cut inside its XML document")
    return found


def ownership(xml: str, *, head: dict[str, str | None], where: str) -> dict[str, Any] | None:
    """The record of an `ownershipDocument`; `None` if the XML is another document. Raises `Unreadable`."""
    root = _root(xml)
    if root.tag != "ownershipDocument":
        return None
    notes = {str(note.get("id")): " ".join("".join(note.itertext()).split())
             for note in root.iterfind("footnotes/footnote")}
    remarks = _get(root, "remarks")
    dates = sorted(_get(signature, "signatureDate") for signature in root.iterfind("ownerSignature"))
    return {
        "record": "ownership",
        "form": head["form"] or _get(root, "documentType"),
        "accession": head["accession"] or accession_in(where),
        "acceptance": head["acceptance"],
        "filed": head["filed"],
        "signed": dates[-1] if dates else None,
        "period": _get(root, "periodOfReport"),
        "original_date": _get(root, "dateOfOriginalSubmission") or None,
        "issuer": {"cik": _cik(_get(root, "issuer/issuerCik")), "name": _get(root, "issuer/issuerName"),
                   "symbol": _get(root, "issuer/issuerTradingSymbol")},
        "owners": [_owner(element) for element in root.iterfind("reportingOwner")],
        "plan_box": _flag(_get(root, "aff10b5One")),
        "remarks_plan": _names_plan(remarks),
        "rows": [_row(element, notes) for element in root.iter(*_TABLES)],
    }


def _root(xml: str) -> Element:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(_DECLARATION.sub("", xml, count=1).strip().encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError as error:
        raise Unreadable(f"the XML is damaged: {error.msg}") from error
    if root.getroottree().docinfo.doctype:
        raise Unreadable("the XML declares a document type, which no filing does")
    return root


def _owner(element: Element) -> dict[str, Any]:
    relation = "reportingOwnerRelationship/"
    return {
        "cik": _cik(_get(element, "reportingOwnerId/rptOwnerCik")),
        "name": _get(element, "reportingOwnerId/rptOwnerName"),
        "director": _flag(_get(element, relation + "isDirector")) is True,
        "officer": _flag(_get(element, relation + "isOfficer")) is True,
        "ten_percent": _flag(_get(element, relation + "isTenPercentOwner")) is True,
        "title": _get(element, relation + "officerTitle"),
    }


def _row(element: Element, notes: dict[str, str]) -> dict[str, Any]:
    texts = [notes.get(str(reference.get("id")), "") for reference in element.iter("footnoteId")]
    return {
        "table": _TABLES[str(element.tag)],
        "code": _get(element, "transactionCoding/transactionCode"),
        "side": _get(element, "transactionAmounts/transactionAcquiredDisposedCode/value"),
        "date": _get(element, "transactionDate/value"),
        "shares": _get(element, "transactionAmounts/transactionShares/value") or None,
        "price": _get(element, "transactionAmounts/transactionPricePerShare/value") or None,
        "plan": any(_names_plan(text) for text in texts),
        "swap": _flag(_get(element, "transactionCoding/equitySwapInvolved")) is True,
    }


def _names_plan(text: str) -> bool:
    return bool(_PLAN.search(text)) and not _DENIED.search(text)


def _flag(text: str) -> bool | None:
    """EDGAR's booleans: `1`, `0`, `true`, `false` and, in the wild, nothing at all (`None`)."""
    return {"1": True, "true": True, "0": False, "false": False}.get(text.lower())


def _cik(text: str) -> str:
    return text.zfill(10) if text.isascii() and text.isdigit() and len(text) <= 10 else ""


def _get(element: Element, path: str) -> str:
    return " ".join((element.findtext(path) or "").split())


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    match = pattern.search(text)
    return match[1] if match else None
