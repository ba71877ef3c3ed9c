"""What EDGAR serves, told apart and read."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.markets.filings import Entry, Owner, Paper, Row, page
from vanta.markets.parsers import sec

HTML = b'<!DOCTYPE html>\n<html lang="en"><head><title>SEC.gov | File Unavailable</title></head></html>'
PAGE = "https://www.sec.gov/cgi-bin/browse-edgar?action=getcurrent&count=100&start={}&output=atom"


def codes(body: bytes, where: str = "file:x") -> tuple[list[str], bool]:
    reading = sec.read(body, where=where)
    return [problem.code for problem in reading.problems], reading.complete


def test_an_entry_is_read_exactly() -> None:
    """One entry per party, with the form as its category states it and the time in UTC."""
    reading = sec.read(page(Entry(), Entry(role="Reporting", name="DOE JANE (Jr) - X", cik="0000000101")), where="p")
    assert reading.complete
    assert reading.records == [
        {"record": "entry", "form": "4", "name": "Acme Corp", "cik": "0000000777", "role": "Issuer",
         "accession": "0000000001-20-000001", "accepted": "2020-05-15T22:03:00.000Z", "folder_cik": "777"},
        {"record": "entry", "form": "4", "name": "DOE JANE (Jr) - X", "cik": "0000000101", "role": "Reporting",
         "accession": "0000000001-20-000001", "accepted": "2020-05-15T22:03:00.000Z", "folder_cik": "101"}]


@pytest.mark.parametrize("form", ["4", "4/A", "424B2", "425", "40-APP", "SCHEDULE 13D/A", "DEF 14A"])
def test_the_form_is_kept_exactly(form: str) -> None:
    """`type=4` is a prefix match: 424B2 must not become a 4."""
    assert sec.read(page(Entry(form=form)), where="p").records[0]["form"] == form


def test_latin_1_names_survive() -> None:
    """The feed declares ISO-8859-1."""
    assert sec.read(page(Entry(name="Société Générale")), where="p").records[0]["name"] == "Société Générale"


@pytest.mark.parametrize("entry", [
    Entry(form="4", term="4/A"), Entry(cik="77"), Entry(accession="1-20-1"), Entry(updated="2020-05-15T18:03:00"),
    Entry(updated="")], ids=["title against category", "no CIK", "no accession", "time without zone", "no time"])
def test_a_bad_entry_is_a_problem_and_not_a_record(entry: Entry) -> None:
    """What an entry does not say properly is not guessed; its neighbours are read."""
    reading = sec.read(page(Entry(), entry), where="p")
    assert len(reading.records) == 1
    assert reading.complete, "an odd entry must not keep the list from moving on"
    assert [problem.code for problem in reading.problems] == ["bad_entry"]
    assert reading.problems[0].where == "p#entry[1]"


def test_a_cut_page_yields_its_whole_entries_and_says_so() -> None:
    """A connection that dies after entry 2 of 3 loses entry 3 and the page's claim to be complete."""
    body = page(Entry(), Entry(role="Reporting"), Entry(accession="0000000001-20-000002"))
    reading = sec.read(body[:body.rindex(b"<updated>")], where="p")
    assert len(reading.records) == 2
    assert not reading.complete
    assert [problem.code for problem in reading.problems] == ["cut_page", "bad_entry"]


@pytest.mark.parametrize("where", [PAGE.format(5100), "file:poll.zip!051_start5100_count100_type4.html"])
def test_html_after_the_first_page_is_the_end_of_the_list(where: str) -> None:
    """EDGAR answers a page past the end with a web page."""
    assert codes(HTML, where) == ([], True)


@pytest.mark.parametrize("where", [PAGE.format(0), "file:000_start0_count100_typeALL.atom", "file:error.html"])
@pytest.mark.parametrize("body", [HTML, b"\xef\xbb\xbf \n<html>", b"<!-- x -->\n<!doctype HTML>"])
def test_html_on_the_first_page_is_an_error(where: str, body: bytes) -> None:
    """An outage page is no empty list."""
    assert codes(body, where) == (["error_page"], False)


def test_a_full_submission_is_read() -> None:
    """Header and document of a Form 4, values as the filing writes them."""
    paper = Paper(owners=(Owner(), Owner(cik="102", officer="false", director="true", title="")), rows=(
        Row(), Row(code="S", side="D", price=None, extra="<equitySwapInvolved>1</equitySwapInvolved>")),
        notes={"F1": "Price in a footnote."}, extra="<aff10b5One>1</aff10b5One>")
    [record] = sec.read(paper.submission(), where="file:x.txt").records
    assert record == {
        "record": "ownership", "form": "4", "accession": "0000000001-20-000001", "acceptance": "20200515180300",
        "filed": "2020-05-15", "signed": "2020-05-15", "period": "2020-05-14", "original_date": None,
        "issuer": {"cik": "0000000777", "name": "Acme Corp", "symbol": "ACME"},
        "owners": [
            {"cik": "0000000101", "name": "Doe Jane", "director": False, "officer": True, "ten_percent": False,
             "title": "Chief Financial Officer"},
            {"cik": "0000000102", "name": "Doe Jane", "director": True, "officer": False, "ten_percent": False,
             "title": ""}],
        "plan_box": True, "remarks_plan": False,
        "rows": [
            {"table": "non_derivative", "code": "P", "side": "A", "date": "2020-05-14", "shares": "1000",
             "price": "50", "plan": False, "swap": False},
            {"table": "non_derivative", "code": "S", "side": "D", "date": "2020-05-14", "shares": "1000",
             "price": None, "plan": False, "swap": True}]}


def test_the_three_shapes_hold_the_same_document() -> None:
    """Full submission, CR-only dissemination form and bare XML differ only in what their header tells."""
    paper = Paper()
    [full] = sec.read(paper.submission(), where="file:x").records
    [cr_only] = sec.read(paper.dissemination(), where="file:x").records
    [bare] = sec.read(b"\n" + paper.xml().encode(), where="file:x").records
    assert cr_only == {**full, "acceptance": None}
    assert bare == {**full, "acceptance": None, "filed": None, "accession": None}


@pytest.mark.parametrize(("where", "accession"), [
    ("https://www.sec.gov/Archives/edgar/data/1/000112760225001055/xslF345X05/doc.xml", "0001127602-25-001055"),
    ("file:1023844_1_0001437749-20-000181.txt", "0001437749-20-000181"),
    ("file:form4.snow.xml", None), ("file:12345678901234567890.xml", None)])
def test_a_bare_document_takes_its_accession_from_its_address(where: str, accession: str | None) -> None:
    """The folder or the file name tells it, or nothing does."""
    assert sec.read(Paper().xml().encode(), where=where).records[0]["accession"] == accession


@pytest.mark.parametrize(("text", "expected"), [
    ("1", True), ("0", False), ("true", True), ("TRUE", True), ("false", False), ("", False), ("yes", False)])
def test_booleans_in_the_wild(text: str, expected: bool) -> None:
    """EDGAR writes 1, 0, true, false and nothing at all."""
    [record] = sec.read(Paper(owners=(Owner(officer=text),)).submission(), where="x").records
    assert record["owners"][0]["officer"] is expected


@pytest.mark.parametrize(("note", "plan"), [
    ("Made pursuant to a Rule 10b5-1 trading plan.", True), ("a 10b-5-1 plan", True), ("a 10b51 plan", True),
    ("This sale was not made pursuant to a Rule 10b5-1 plan.", False), ("No Rule 10b5-1 plan applies.", False),
    ("Sold to cover taxes.", False)])
def test_a_plan_named_in_a_footnote_is_seen_and_a_denial_is_not(note: str, plan: bool) -> None:
    """Before 2023 only footnotes tell that a sale was planned."""
    paper = Paper(rows=(Row(extra='<footnoteId id="F2"/>'), Row(date="2020-05-13")), notes={"F2": note})
    [record] = sec.read(paper.submission(), where="x").records
    assert [row["plan"] for row in record["rows"]] == [plan, False]
    [record] = sec.read(Paper(extra=f"<remarks>{note}</remarks>").submission(), where="x").records
    assert record["remarks_plan"] is plan


def test_a_header_is_believed_only_above_the_documents() -> None:
    """A filing cannot give itself another acceptance time from inside its text."""
    body = Paper(notes={"F1": "x"}).submission().replace(b"<ACCEPTANCE-DATETIME>20200515180300\n", b"")
    body = body.replace(b"<TEXT>", b"<ACCEPTANCE-DATETIME>19990101000000\n<TEXT>")
    assert sec.read(body, where="x").records[0]["acceptance"] is None


@pytest.mark.parametrize("form", ["3", "3/A", "5", "4/A"])
def test_other_ownership_forms_are_recognised(form: str) -> None:
    """Forms 3 and 5 are read and named, so that the normaliser can say what they are."""
    assert sec.read(Paper(form=form).submission(), where="x").records[0]["form"] == form


def test_other_filings_are_counted_and_not_read() -> None:
    """A 13F in the same folder is no error and no signal."""
    body = Paper(form="13F-HR").submission().replace(b"ownershipDocument", b"informationTable")
    reading = sec.read(body, where="x")
    assert reading.complete
    assert reading.records == [{"record": "other", "form": "13F-HR", "accession": "0000000001-20-000001"}]


SECRET = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
BOMB = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'


@pytest.mark.parametrize(("body", "code"), [
    (b"", "empty"), (b" \n\t", "empty"), (b"hello", "unknown_payload"), (b"\x00\xff\x1f", "unknown_payload"),
    (Paper().submission()[:-700], "damaged_filing"), (Paper().xml().encode()[:-50], "damaged_filing"),
    (Paper().xml().replace("<ownershipDocument>", SECRET + "<ownershipDocument>").encode(), "damaged_filing"),
    (Paper().xml().replace("<ownershipDocument>", BOMB + "<ownershipDocument>").encode(), "damaged_filing"),
    (page(Entry()).replace(b"<feed", BOMB.encode() + b"<feed"), "not_atom"),
    (b"<feed http://www.w3.org/2005/Atom", "not_atom"), (b"\0<feed http://www.w3.org/2005/Atom>", "not_atom"),
    (b"<x><feed http://www.w3.org/2005/Atom></x>", "not_atom"),
    (b"<a>" * 100_000, "damaged_filing"),
], ids=["empty", "blank", "text", "binary", "cut submission", "cut XML", "outside entity", "entity bomb",
        "entity bomb in a page", "a torn start", "a NUL first", "another root", "deep nesting"])
def test_bad_bytes_are_problems(body: bytes, code: str) -> None:
    """Nothing raises, nothing is half read."""
    reading = sec.read(body, where="x")
    assert [problem.code for problem in reading.problems] == [code]
    assert reading.records == []
    assert not reading.complete


def test_a_submission_with_two_ownership_documents_uses_the_first_and_says_so() -> None:
    """EDGAR allows one; a second is not silently dropped."""
    body = Paper().submission()
    document = body[body.index(b"<DOCUMENT>"):body.index(b"</SEC-DOCUMENT>")]
    reading = sec.read(body.replace(b"</SEC-DOCUMENT>", document + b"</SEC-DOCUMENT>"), where="x")
    assert len(reading.records) == 1
    assert [problem.code for problem in reading.problems] == ["second_document"]


WHOLE = [Paper().submission(), Paper().dissemination(), Paper().xml().encode(), page(Entry(), Entry(form="425"))]


@settings(deadline=None, derandomize=True, max_examples=200)
@given(st.sampled_from(WHOLE), st.integers(0, 4000), st.binary(max_size=8), st.integers(0, 40))
def test_damage_anywhere_never_raises(body: bytes, at: int, noise: bytes, gap: int) -> None:
    """Any bytes put over any place of a good payload give records, problems or both."""
    reading = sec.read(body[:at] + noise + body[at + gap:], where="x")
    assert reading.records or reading.problems


@settings(deadline=None, derandomize=True, max_examples=200)
@given(st.binary(max_size=200))
def test_any_bytes_at_all_give_a_status(body: bytes) -> None:
    """Total: never an exception."""
    reading = sec.read(body, where="x")
    assert reading.records or reading.problems
