"""Ownership filings and feed pages in EDGAR's wire format, written by us."""

from dataclasses import dataclass, field
from typing import Any

from vanta.common.canonical import sha256
from vanta.markets.parsers import sec


@dataclass(frozen=True, kw_only=True)
class Row:
    """One transaction. `price=None` writes only a footnote; `extra` is put into the row as it is."""

    code: str = "P"
    side: str = "A"
    date: str = "2020-05-14"
    shares: str = "1000"
    price: str | None = "50"
    table: str = "nonDerivative"
    extra: str = ""

    def xml(self) -> str:
        price = f"<value>{self.price}</value>" if self.price is not None else '<footnoteId id="F1"/>'
        return (f"<{self.table}Transaction><securityTitle><value>Common Stock</value></securityTitle>"
                f"<transactionDate><value>{self.date}</value></transactionDate>"
                f"<transactionCoding><transactionFormType>4</transactionFormType>"
                f"<transactionCode>{self.code}</transactionCode>{self.extra}</transactionCoding>"
                f"<transactionAmounts><transactionShares><value>{self.shares}</value></transactionShares>"
                f"<transactionPricePerShare>{price}</transactionPricePerShare>"
                f"<transactionAcquiredDisposedCode><value>{self.side}</value></transactionAcquiredDisposedCode>"
                f"</transactionAmounts></{self.table}Transaction>")


@dataclass(frozen=True, kw_only=True)
class Owner:
    """One reporting owner with EDGAR's own boolean spellings."""

    cik: str = "0000000101"
    name: str = "Doe Jane"
    director: str = "0"
    officer: str = "1"
    ten_percent: str = ""
    title: str = "Chief Financial Officer"

    def xml(self) -> str:
        return (f"<reportingOwner><reportingOwnerId><rptOwnerCik>{self.cik}</rptOwnerCik>"
                f"<rptOwnerName>{self.name}</rptOwnerName></reportingOwnerId><reportingOwnerRelationship>"
                f"<isDirector>{self.director}</isDirector><isOfficer>{self.officer}</isOfficer>"
                f"<isTenPercentOwner>{self.ten_percent}</isTenPercentOwner><isOther></isOther>"
                f"<officerTitle>{self.title}</officerTitle></reportingOwnerRelationship></reportingOwner>")


@dataclass(frozen=True, kw_only=True)
class Paper:
    """One filing."""

    accession: str = "0000000001-20-000001"
    form: str = "4"
    accepted: str = "20200515180300"
    filed: str = "20200515"
    period: str = "2020-05-14"
    original: str = ""
    issuer: str = "0000000777"
    issuer_name: str = "Acme Corp"
    symbol: str = "ACME"
    owners: tuple[Owner, ...] = (Owner(),)
    rows: tuple[Row, ...] = (Row(),)
    notes: dict[str, str] = field(default_factory=dict)
    extra: str = ""

    def xml(self) -> str:
        original = f"<dateOfOriginalSubmission>{self.original}</dateOfOriginalSubmission>" if self.original else ""
        notes = "".join(f'<footnote id="{name}">{text}</footnote>' for name, text in self.notes.items())
        rows = "".join(row.xml() for row in self.rows if row.table == "nonDerivative")
        derivative = "".join(row.xml() for row in self.rows if row.table != "nonDerivative")
        return ('<?xml version="1.0"?>\n<ownershipDocument>\n<schemaVersion>X0306</schemaVersion>'
                f"<documentType>{self.form}</documentType><periodOfReport>{self.period}</periodOfReport>{original}"
                f"<issuer><issuerCik>{self.issuer}</issuerCik><issuerName>{self.issuer_name}</issuerName>"
                f"<issuerTradingSymbol>{self.symbol}</issuerTradingSymbol></issuer>"
                f"{''.join(owner.xml() for owner in self.owners)}{self.extra}"
                f"<nonDerivativeTable>{rows}</nonDerivativeTable><derivativeTable>{derivative}</derivativeTable>"
                f"<footnotes>{notes}</footnotes><ownerSignature><signatureName>Jane</signatureName>"
                "<signatureDate>2020-05-15</signatureDate></ownerSignature></ownershipDocument>")

    def submission(self) -> bytes:
        """The full submission as `.txt`."""
        return (f"<SEC-DOCUMENT>{self.accession}.txt : {self.filed}\n<SEC-HEADER>{self.accession}.hdr.sgml\n"
                f"<ACCEPTANCE-DATETIME>{self.accepted}\nACCESSION NUMBER:\t\t{self.accession}\n"
                f"CONFORMED SUBMISSION TYPE:\t{self.form}\nCONFORMED PERIOD OF REPORT:\t20200514\n"
                f"FILED AS OF DATE:\t\t{self.filed}\n</SEC-HEADER>\n<DOCUMENT>\n<TYPE>{self.form}\n<TEXT>\n<XML>\n"
                f"{self.xml()}\n</XML>\n</TEXT>\n</DOCUMENT>\n</SEC-DOCUMENT>\n").encode()

    def dissemination(self) -> bytes:
        """The `.nc` form: another header, no acceptance time, lines that end in a bare CR."""
        return (f"<SUBMISSION>\n<ACCESSION-NUMBER>{self.accession}\n<TYPE>{self.form}\n<PERIOD>20200514\n"
                f"<FILING-DATE>{self.filed}\n<DOCUMENT>\n<TYPE>{self.form}\n<TEXT>\n<XML>\n{self.xml()}\n</XML>\n"
                "</TEXT>\n</DOCUMENT>\n</SUBMISSION>\n").replace("\n", "\r").encode()

    def records(self, body: bytes | None = None, where: str = "") -> list[dict[str, Any]]:
        """What the runner hands to the normaliser for this filing."""
        body = self.submission() if body is None else body
        return records(body, where or f"file:{self.accession}.txt")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry of a feed page."""

    form: str = "4"
    name: str = "Acme Corp"
    cik: str = "0000000777"
    role: str = "Issuer"
    accession: str = "0000000001-20-000001"
    updated: str = "2020-05-15T18:03:00-04:00"
    term: str | None = None

    def xml(self) -> str:
        folder = f"{self.cik.lstrip('0')}/{self.accession.replace('-', '')}"
        return (f"<entry>\n<title>{self.form} - {self.name} ({self.cik}) ({self.role})</title>\n"
                f'<link rel="alternate" type="text/html" href="https://www.sec.gov/Archives/edgar/data/{folder}/'
                f'{self.accession}-index.htm"/>\n<summary type="html"> &lt;b&gt;Filed:&lt;/b&gt; 2020-05-15 '
                f"&lt;b&gt;AccNo:&lt;/b&gt; {self.accession}</summary>\n<updated>{self.updated}</updated>\n"
                f'<category scheme="https://www.sec.gov/" label="form type" term="{self.term or self.form}"/>\n'
                f"<id>urn:tag:sec.gov,2008:accession-number={self.accession}</id>\n</entry>\n")


def page(*entries: Entry) -> bytes:
    """A page of the latest-filings feed."""
    return ('<?xml version="1.0" encoding="ISO-8859-1" ?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
            f"<title>Latest Filings</title>\n{''.join(entry.xml() for entry in entries)}</feed>\n").encode("latin-1")


def records(body: bytes, where: str) -> list[dict[str, Any]]:
    """Parsed records with the runner's keys."""
    reading = sec.read(body, where=where)
    assert not reading.problems, reading.problems
    return [{**record, "_sha256": sha256(body), "_url": where, "_media_type": "text/plain",
             "_fetched_at": "2020-06-01T00:00:00.000Z"} for record in reading.records]
