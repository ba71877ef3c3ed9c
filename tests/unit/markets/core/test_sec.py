"""From ownership filings to claims about their issuers."""

import random
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.markets.filings import Entry, Owner, Paper, Row, page, records
from vanta.common.models.signal import Signal
from vanta.markets.core import sec_score
from vanta.markets.core.records import NormaliseContext, Normalised
from vanta.markets.core.sec import normalise
from vanta.markets.core.sec_filing import issuer_ticker
from vanta.markets.core.window import Frame, merge

NOW = datetime(2020, 6, 1, tzinfo=UTC)
SALE = Row(code="S", side="D")
DIRECTOR = Owner(cik="0000000202", name="Roe Rex", officer="0", director="1", title="")


def run(rows: list[dict[str, Any]], *known: Signal, now: datetime = NOW) -> Normalised:
    result = normalise(rows, NormaliseContext(now=now, collector="sec", version="1", run_id="run_0", universe={},
                                              known={signal.id: signal for signal in known}))
    for signal in result.signals:
        assert Signal.model_validate(signal.model_dump()) == signal
    return result


def merged(known: list[Signal], result: Normalised) -> list[Signal]:
    """The window after a pass, as the runner keeps it."""
    done = merge(known, result.signals, Frame(now=NOW, window_s=366 * 86_400, high=None))
    assert not done.problems
    assert not done.duplicates
    return list(done.signals)


def claims(*papers: Paper) -> list[Signal]:
    return run([record for paper in papers for record in paper.records()]).signals


def one(paper: Paper) -> Signal:
    [signal] = claims(paper)
    return signal


def test_a_purchase_becomes_a_claim_about_the_issuer() -> None:
    """The example of the module: a CFO's purchase for $1,000,000, accepted in the evening, Eastern."""
    signal = one(Paper(rows=(Row(shares="20000"),)))
    assert (signal.kind, signal.source, signal.source_kind) == ("insider_buy", "sec.form4", "primary")
    assert (signal.entity.key, signal.entity.id) == ("equity:ACME", "CIK:0000000777")
    assert (signal.direction, signal.strength, signal.confidence) == (1.0, 0.5, 0.9)
    assert (signal.event_at, signal.published_at) == ("2020-05-14T00:00:00.000Z", "2020-05-15T22:03:00.000Z")
    assert (signal.observed_at, signal.time_quality) == ("2020-06-01T00:00:00.000Z", "exact")
    assert (signal.half_life_s, signal.expires_at) == (30 * 86_400, "2020-10-12T22:03:00.000Z")
    assert signal.features["dollars"] == "1000000"
    assert signal.features["price"] == "50"
    assert signal.evidence[0].url == "file:0000000001-20-000001.txt"
    assert signal.raw_ref == f"{signal.evidence[0].sha256}#ownershipDocument"
    assert signal.summary == "Doe Jane bought 20,000 shares of Acme Corp (ACME) for $1,000,000 on 2020-05-14"


def test_a_sale_says_less() -> None:
    """People sell for many reasons."""
    signal = one(Paper(rows=(SALE,)))
    assert (signal.kind, signal.direction) == ("insider_sale", -0.4)


@pytest.mark.parametrize("code", [*"AMFGDCXOEHIJLUWZKV", "", "PP", "p"])
@pytest.mark.parametrize("side", ["A", "D"])
def test_no_other_code_expresses_a_view(code: str, side: str) -> None:
    """Awards, exercises, withholding and gifts are not claims, whatever their column says."""
    result = run(Paper(rows=(Row(code=code, side=side),)).records())
    assert (result.signals, result.not_signals, result.problems) == ([], 1, [])


@pytest.mark.parametrize("code", ["P", "S"])
def test_derivatives_are_not_purchases(code: str) -> None:
    """Buying a put is a bet against the issuer; options are left out."""
    result = run(Paper(rows=(Row(code=code, table="derivative"),)).records())
    assert (result.signals, result.not_signals) == ([], 1)


@pytest.mark.parametrize("form", ["3", "3/A", "5", "5/A"])
def test_forms_3_and_5_are_not_claims(form: str) -> None:
    """They are read, counted and left."""
    result = run(Paper(form=form).records())
    assert (result.signals, result.not_signals, result.problems) == ([], 1, [])


def test_rows_of_one_order_are_one_trade_at_the_weighted_price() -> None:
    """A purchase sliced over prices is one claim with the shares' mean price."""
    signal = one(Paper(rows=(Row(shares="100", price="10"), Row(shares="300", price="12"))))
    assert (signal.features["shares"], signal.features["dollars"]) == ("400", "4600")
    assert (signal.features["price"], signal.features["rows"]) == ("11.5", 2)


def test_days_and_sides_are_claims_of_their_own() -> None:
    """Two days and two sides of one filing give three claims."""
    kinds = sorted((signal.kind, signal.event_at) for signal in claims(
        Paper(rows=(Row(), Row(date="2020-05-13"), SALE, Row(code="M")))))
    assert kinds == [("insider_buy", "2020-05-13T00:00:00.000Z"), ("insider_buy", "2020-05-14T00:00:00.000Z"),
                     ("insider_sale", "2020-05-14T00:00:00.000Z")]


def test_a_filing_with_ten_owners_is_one_decision() -> None:
    """A fund and its nine vehicles report one trade: one claim, and no cluster."""
    owners = tuple(Owner(cik=f"{n:010d}", officer="0", ten_percent="1", title="") for n in range(1, 11))
    signal = one(Paper(owners=owners))
    assert signal.features["owners"] == " ".join(f"{n:010d}" for n in range(1, 11))
    assert "Doe Jane and 9 more" in signal.summary


def test_the_issuer_is_the_subject_whoever_files() -> None:
    """A bank that reports a trade in Acme says something about Acme, nothing about the bank."""
    rows = [*Paper(owners=(Owner(cik="0000886982", name="GOLDMAN SACHS GROUP INC"),)).records(),
            *records(page(Entry(role="Reporting", name="GOLDMAN SACHS GROUP INC", cik="0000886982")), "file:p")]
    [signal] = run(rows).signals
    assert (signal.entity.key, signal.entity.id, signal.entity.name) == ("equity:ACME", "CIK:0000000777", "Acme Corp")


def test_a_price_that_only_a_footnote_tells_is_unknown_and_not_zero() -> None:
    """The claim stands with the least strength and says what is missing."""
    signal = one(Paper(rows=(Row(price=None),), notes={"F1": "See remarks."}))
    assert (signal.strength, signal.flags) == (0.05, ["price_unknown"])
    assert "dollars" not in signal.features
    assert "an unstated amount" in signal.summary
    partly = one(Paper(rows=(Row(price=None), Row(shares="10", price="3"))))
    assert partly.flags == ["price_partly_unknown"]
    assert (partly.features["shares"], partly.features["dollars"], partly.features["price"]) == ("1010", "30", "3")
    assert one(Paper(rows=(Row(price="0"),))).flags == ["price_unknown"]


@pytest.mark.parametrize(("dollars", "role", "strength"), [
    ("100000000", "chief", "1"), ("1000000", "chief", "0.5"), ("1000000", "insider", "0.4"),
    ("1000000", "ten_percent", "0.3"), ("9000", "chief", "0.05"), ("99000000000", "insider", "0.8"),
    ("0", "chief", "0.05")])
def test_strength_grows_with_the_logarithm_and_the_role(dollars: str, role: str, strength: str) -> None:
    """$10,000 is nothing, $100 million is all; a chief officer counts for more than a 10 % owner."""
    assert sec_score.strength(Decimal(dollars), role) == Decimal(strength)


@pytest.mark.parametrize(("dollars", "decisions", "strength"), [
    ("1000000", 2, "0.6"), ("1000000", 9, "1"), ("500", 3, "0.25"), ("0", 2, "0.15")])
def test_each_further_decision_adds_a_tenth(dollars: str, decisions: int, strength: str) -> None:
    """Up to the whole, and from the least that a single trade says."""
    assert sec_score.strength(Decimal(dollars), "chief", decisions) == Decimal(strength)


@pytest.mark.parametrize(("owner", "role"), [
    (Owner(title="CEO and President"), "chief"), (Owner(title="VICE CHAIR &amp; CFO"), "chief"),
    (Owner(title="Principal Financial Officer"), "chief"), (Owner(title="EVP, COO"), "insider"),
    (Owner(title="EVP &amp; CCAO"), "insider"), (Owner(officer="0", title="Chief Executive Officer"), "other"),
    (DIRECTOR, "insider"), (Owner(officer="0", ten_percent="true", title=""), "ten_percent")])
def test_the_strongest_role_counts(owner: Owner, role: str) -> None:
    """Titles are typed by hand; only an officer's title makes a chief."""
    assert one(Paper(owners=(owner,))).features["role"] == role


@pytest.mark.parametrize("paper", [
    Paper(extra="<aff10b5One>1</aff10b5One>"), Paper(extra="<remarks>Under a 10b5-1 plan.</remarks>"),
    Paper(rows=(Row(extra='<footnoteId id="F1"/>'),), notes={"F1": "Rule 10b5-1 plan"})],
    ids=["box", "remarks", "footnote"])
def test_a_planned_trade_loses_most_of_its_confidence(paper: Paper) -> None:
    """It was decided long before."""
    signal = one(paper)
    assert (signal.confidence, signal.flags) == (0.27, ["10b5-1"])
    assert [(factor.factor, factor.value) for factor in signal.confidence_basis][1] == ("10b5-1", "× 0.3")


@pytest.mark.parametrize(("accepted", "published"), [
    ("20200128162633", "2020-01-28T21:26:33.000Z"), ("20200515180300", "2020-05-15T22:03:00.000Z"),
    ("20200306235900", "2020-03-07T04:59:00.000Z"), ("20200309000100", "2020-03-09T04:01:00.000Z"),
    ("20191103013000", "2019-11-03T06:30:00.000Z")],
    ids=["winter", "summer", "the Friday before the clocks change", "the Monday after", "the hour that comes twice"])
def test_acceptance_is_eastern_time(accepted: str, published: str) -> None:
    """The header has no zone; it is New York's, summer time included."""
    signal = one(Paper(accepted=accepted, rows=(Row(date="2019-10-31"),)))
    assert signal.published_at == published


def test_without_an_acceptance_time_the_feed_page_tells_it_or_the_day_does() -> None:
    """A dissemination file has only the filing day, whose end is never too early; its feed entry knows better."""
    paper = Paper()
    rows = paper.records(paper.dissemination())
    [late] = run(rows).signals
    assert (late.published_at, late.time_quality) == ("2020-05-16T02:00:00.000Z", "date")
    [exact] = run([*rows, *records(page(Entry()), "file:p")]).signals
    assert (exact.published_at, exact.time_quality) == ("2020-05-15T22:03:00.000Z", "exact")
    [bare] = run(paper.records(paper.xml().encode())).signals
    assert (bare.published_at, bare.time_quality, bare.flags) == (
        "2020-05-16T02:00:00.000Z", "assumed", ["assumed_time"])


def test_a_better_known_time_is_not_replaced_by_a_worse_one() -> None:
    """Reading the same filing again without its acceptance time changes nothing."""
    paper = Paper()
    full = claims(paper)
    again = run(paper.records(paper.dissemination()), *full)
    assert (again.signals, again.duplicates) == ([], 1)
    [first] = run(paper.records(paper.dissemination())).signals
    [better] = run(paper.records(), first).signals
    assert (better.id, better.revision, better.time_quality) == (first.id, 2, "exact")


@pytest.mark.parametrize(("raw", "ticker"), [
    ("ACME", "ACME"), ("acme", "ACME"), ("BRK.B", "BRK.B"), ("BRK-B", "BRK.B"), ("BRK/B", "BRK.B"), ("brk b", "BRK.B"),
    ("NYSE: MSA", "MSA"), ("(NASDAQ:ABC)", "ABC"), ("GOOG, GOOGL", "GOOG"), ("NYSE:BRK.A; NYSE:BRK.B", "BRK.A"),
    ("LEN and LEN.B", "LEN"), ("NONE", None), ("N/A", None), ("", None), ("-", None), ("n/a", None), ("[NONE]", None),
    ("NOT APPLICABLE", None), ("TOOLONGNAME", None), ("é", None)])
def test_symbol_hygiene(raw: str, ticker: str | None) -> None:
    """Filers type the symbol by hand."""
    found = issuer_ticker(raw)
    assert (found[0] if found else None) == ticker


def test_trades_of_an_issuer_without_a_ticker_are_a_problem() -> None:
    """They cannot be attributed and must not vanish."""
    result = run(Paper(symbol="NONE").records())
    assert result.signals == []
    assert [problem.code for problem in result.problems] == ["no_ticker"]
    quiet = run(Paper(symbol="NONE", rows=(Row(code="A"),)).records())
    assert (quiet.not_signals, quiet.problems) == (1, [])


def test_a_field_with_two_tickers_is_flagged() -> None:
    """The first is used, with less confidence."""
    signal = one(Paper(symbol="GOOG, GOOGL"))
    assert (signal.entity.key, signal.confidence, signal.flags) == ("equity:GOOG", 0.81, ["several_tickers"])


@pytest.mark.parametrize("row", [
    Row(shares="0"), Row(shares="-5"), Row(shares="1_000"), Row(shares="1e9"), Row(shares="9" * 20), Row(shares="NaN"),
    Row(price="1,5"), Row(price="Infinity"), Row(price="9" * 39), Row(price="50." + "1" * 33), Row(code="P", side="D"),
    Row(code="S", side="A"),
    Row(shares=""), Row(date="1920-05-14")], ids=lambda row: f"{row.code}{row.side} {row.shares[:9]} @ {row.price[:9]}")
def test_an_impossible_row_is_a_problem_and_the_others_stand(row: Row) -> None:
    """One typing error does not hide the rest of a filing."""
    result = run(Paper(rows=(row, Row(date="2020-05-13")), period="soon").records())
    assert [problem.code for problem in result.problems] == ["bad_row"]
    assert result.problems[0].where.endswith("#rows[0]")
    assert len(result.signals) == 1


@pytest.mark.parametrize(("day", "event", "flags"), [
    ("2020-05-14-04:00", "2020-05-14", []), ("0020-05-14", "2020-05-12", ["date_from_period"]),
    ("2020-05-16", "2020-05-12", ["date_from_period"]), ("2020-02-30", "2020-05-12", ["date_from_period"])],
    ids=["a zone that means nothing", "year 20", "after acceptance", "no such day"])
def test_a_mistyped_trade_date_falls_back_on_the_period(day: str, event: str, flags: list[str]) -> None:
    """The year 0020 is a common typing error."""
    signal = one(Paper(rows=(Row(date=day),), period="2020-05-12"))
    assert (signal.event_at, signal.flags) == (f"{event}T00:00:00.000Z", flags)


def test_a_filing_from_the_future_is_refused() -> None:
    """A clock is wrong somewhere; nothing is claimed and nothing is retracted."""
    result = run(Paper().records(), now=datetime(2020, 5, 15, 22, 0, tzinfo=UTC))
    assert ([problem.code for problem in result.problems], result.signals) == (["from_the_future"], [])


@pytest.mark.parametrize("body", [
    Paper().xml().replace("2020-05-15", "soon").encode(), Paper(issuer="12345678901").xml().encode(),
    Paper(accepted="20201399999999").submission()], ids=["no date", "no issuer", "no such time"])
def test_a_filing_without_what_a_claim_needs_is_a_problem(body: bytes) -> None:
    """No time, or nobody to attribute it to."""
    result = run(Paper().records(body))
    assert ([problem.code for problem in result.problems], result.signals) == (["bad_filing"], [])


def test_entries_alone_make_no_claim_and_count_once_by_accession() -> None:
    """Three overlapping polls of two filings with three parties: two filings, the rest repeats."""
    entries = [Entry(), Entry(role="Reporting"), Entry(role="Reporting", cik="0000000102"),
               Entry(accession="0000000001-20-000002", form="424B2")]
    rows = [record for poll in range(3) for record in records(page(*entries), f"file:{poll}")]
    result = run(rows)
    assert (result.signals, result.not_signals, result.duplicates) == ([], 2, 10)


def test_a_filing_seen_twice_counts_once() -> None:
    """In one pass, in a later pass, and in another shape."""
    paper = Paper()
    both = run([*paper.records(), *paper.records(), *paper.records(paper.dissemination())])
    assert (len(both.signals), both.duplicates) == (1, 2)
    later = run(paper.records(), *both.signals, now=datetime(2020, 7, 1, tzinfo=UTC))
    assert (later.signals, later.duplicates) == ([], 1)


AMENDMENT = Paper(accession="0000000001-20-000009", form="4/A", accepted="20200520120000", filed="20200520",
                  original="2020-05-15", rows=(Row(shares="900"),))


@pytest.mark.parametrize("order", ["original first", "amendment first", "together"])
def test_an_amendment_replaces_its_original(order: str) -> None:
    """Whichever arrives first, one claim stands and the other is withdrawn, kept and without weight."""
    passes = {"original first": [[Paper()], [AMENDMENT]], "amendment first": [[AMENDMENT], [Paper()]],
              "together": [[Paper(), AMENDMENT]]}[order]
    window: list[Signal] = []
    for papers in passes:
        window = merged(window, run([record for paper in papers for record in paper.records()], *window))
    by_paper = {signal.features["accession"]: signal for signal in window}
    old, new = by_paper[Paper().accession], by_paper[AMENDMENT.accession]
    assert (old.strength, old.retracted_reason) == (0.0, f"replaced by the 4/A {AMENDMENT.accession}")
    assert "superseded" in old.flags
    assert (new.retracted_reason, new.features["shares"], new.flags) == (None, "900", ["amended"])
    if order != "amendment first":
        assert new.supersedes == old.id


@pytest.mark.parametrize("number", ["0000000001-20-000010", "0000000000-20-000010"])
def test_the_later_of_two_amendments_stands(number: str) -> None:
    """Each amends the same original; time decides, not the numbers that filing agents give."""
    second = replace(AMENDMENT, accession=number, accepted="20200521120000", filed="20200521")
    standing = [signal for signal in claims(second, Paper(), AMENDMENT) if signal.retracted_reason is None]
    assert [signal.features["accession"] for signal in standing] == [second.accession]


@pytest.mark.parametrize("other", [
    replace(AMENDMENT, owners=(DIRECTOR,)), replace(AMENDMENT, issuer="0000000778"),
    replace(AMENDMENT, period="2020-05-13"), replace(AMENDMENT, original="2020-05-14"),
    replace(AMENDMENT, original="")],
    ids=["other owner", "other issuer", "other period", "other day", "no day"])
def test_an_amendment_of_something_else_replaces_nothing(other: Paper) -> None:
    """Owners, issuer, period and day must all be the same."""
    assert all(signal.retracted_reason is None for signal in claims(Paper(), other))


def test_an_amendment_that_withdraws_the_trade_leaves_no_claim_standing() -> None:
    """A 4/A that says "this was a gift" makes no claim and retracts one, and the retraction lasts."""
    gift = replace(AMENDMENT, rows=(Row(code="G", side="D"),))
    before = claims(Paper())
    result = run(gift.records(), *before)
    [withdrawn] = result.signals
    assert (withdrawn.revision, withdrawn.strength, result.not_signals) == (2, 0.0, 1)
    again = run(Paper().records(), withdrawn)
    assert (again.signals, again.duplicates) == ([], 1)


def test_an_amendment_that_fits_two_originals_retracts_both_and_says_so() -> None:
    """A report split over two forms: too little evidence is better than the same trades twice."""
    split = Paper(accession="0000000001-20-000002", rows=(Row(date="2020-05-13"),))
    result = run([record for paper in (Paper(), split, AMENDMENT) for record in paper.records()])
    assert [problem.code for problem in result.problems] == ["ambiguous_amendment"]
    standing = {signal.features["accession"] for signal in result.signals
                if signal.retracted_reason is None and signal.kind != "insider_cluster"}
    assert standing == {AMENDMENT.accession}


FIRST = Paper(rows=(Row(date="2020-05-11", shares="2000"),))
SECOND = Paper(accession="0000000002-20-000001", accepted="20200518090000", filed="20200518", owners=(DIRECTOR,),
               rows=(Row(date="2020-05-15", shares="3000"),))


def clusters(signals: list[Signal]) -> list[Signal]:
    return [signal for signal in signals if signal.kind == "insider_cluster"]


def test_two_decisions_in_a_week_make_a_cluster() -> None:
    """It is public when its second member is, and its id names issuer, week and side."""
    [cluster] = clusters(claims(FIRST, SECOND))
    assert (cluster.source_kind, cluster.direction, cluster.confidence) == ("derived", 1.0, 0.9)
    assert (cluster.published_at, cluster.event_at) == ("2020-05-18T13:00:00.000Z", "2020-05-15T00:00:00.000Z")
    assert cluster.features["decisions"] == 2
    assert cluster.features["dollars"] == "250000"
    assert cluster.strength == sec_score.grid(sec_score.strength(Decimal(250_000), "chief", 2))
    assert len(cluster.evidence) == 2
    assert cluster.summary == "2 separate decisions bought Acme Corp (ACME) for $250,000 in 2020-W20"


@pytest.mark.parametrize("second", [
    replace(SECOND, owners=FIRST.owners), replace(SECOND, owners=(DIRECTOR, *FIRST.owners)),
    replace(SECOND, rows=(Row(date="2020-05-18"),)),
    replace(SECOND, rows=(Row(code="S", side="D", date="2020-05-15"),)),
    replace(SECOND, issuer="0000000778"), replace(SECOND, rows=(Row(date="2020-05-11", shares="2000"),)),
    replace(SECOND, rows=(Row(code="A", date="2020-05-15"),))],
    ids=["same owner", "a common owner", "next week", "other side", "other issuer", "one trade reported twice",
         "an award"])
def test_what_is_no_cluster(second: Paper) -> None:
    """One owner, another week or side, and one trade that two people had to report are no second decision."""
    assert clusters(claims(FIRST, second)) == []


def test_owners_chain_into_one_decision() -> None:
    """A with B, B with C: one group, even though A and C share nobody."""
    middle = replace(SECOND, accession="0000000003-20-000001", owners=(DIRECTOR, *FIRST.owners))
    assert clusters(claims(FIRST, SECOND, middle)) == []


def test_a_cluster_forms_over_passes_and_dissolves_with_its_members() -> None:
    """The second filing may come days later; an amendment may take it back."""
    window = claims(FIRST)
    window = merged(window, run(SECOND.records(), *window))
    assert [cluster.revision for cluster in clusters(window)] == [1]
    taken_back = replace(SECOND, accession="0000000002-20-000002", form="4/A", accepted="20200520120000",
                         filed="20200520", original="2020-05-18", rows=(Row(code="G", side="D"),))
    window = merged(window, run(taken_back.records(), *window))
    [cluster] = clusters(window)
    assert (cluster.revision, cluster.strength) == (2, 0.0)
    assert cluster.retracted_reason == "fewer than two decisions still stand"


def test_a_cluster_that_forms_again_is_a_new_claim() -> None:
    """A retraction is final, and a third decision in the same week must still count."""
    window = claims(FIRST, SECOND)
    taken_back = replace(SECOND, accession="0000000002-20-000002", form="4/A", accepted="20200520120000",
                         filed="20200520", original="2020-05-18", rows=(Row(code="G", side="D"),))
    third = replace(SECOND, accession="0000000004-20-000001", owners=(Owner(cik="0000000404"),), filed="20200519")
    for paper in (taken_back, third):
        window = merged(window, run(paper.records(), *window))
    old, new = sorted(clusters(window), key=lambda one: one.retracted_reason is None)
    assert old.id != new.id
    assert (new.revision, new.retracted_reason, new.features["decisions"]) == (1, None, 2)


def test_a_cluster_does_not_dissolve_because_a_member_left_the_window() -> None:
    """A third filing months later finds the first gone: the cluster of two stays as it was."""
    window = claims(FIRST, SECOND)
    [cluster] = clusters(window)
    [second] = [signal for signal in window if signal.features.get("accession") == SECOND.accession]
    third = replace(SECOND, accession="0000000004-20-000001", accepted="20200529090000")
    result = run(third.records(), cluster, second)
    assert clusters(result.signals) == []


def test_the_id_names_the_claim_and_not_its_scores() -> None:
    """Another price, name or run is the same claim in a new revision; another filing is another claim."""
    signal = one(Paper())
    [rescored] = run(Paper(rows=(Row(price="60"),)).records(), signal).signals
    assert (rescored.id, rescored.revision) == (signal.id, 2)
    assert one(Paper(accession="0000000001-20-000002")).id != signal.id


WEEK = [FIRST, SECOND, AMENDMENT, Paper(), Paper(accession="0000000005-20-000001", owners=(Owner(cik="0000000303"),)),
        Paper(accession="0000000006-20-000001", rows=(SALE,)), Paper(accession="0000000007-20-000001", symbol="NONE"),
        Paper(accession="0000000008-20-000001", form="5")]
WEEK_RECORDS = [record for paper in WEEK for record in (*paper.records(), *paper.records(paper.dissemination()))]
WEEK_RECORDS += records(page(Entry(), Entry(role="Reporting"), Entry(accession=SECOND.accession)), "file:p")


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.integers(0, 2**32), st.integers(0, len(WEEK_RECORDS)))
def test_order_and_repetition_do_not_matter(seed: int, repeat: int) -> None:
    """Any order of the same records, some of them twice, makes the same signals."""
    expected = run(WEEK_RECORDS).signals
    shuffled = [*WEEK_RECORDS, *WEEK_RECORDS[:repeat]]
    random.Random(seed).shuffle(shuffled)
    assert run(shuffled).signals == expected


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.permutations(range(len(WEEK))), st.integers(0, len(WEEK)))
def test_the_split_into_passes_does_not_matter(order: list[int], cut: int) -> None:
    """Late filings end in the same standing claims as filings in time."""
    def standing(window: list[Signal]) -> dict[str, tuple[Any, ...]]:
        return {signal.id: (signal.strength, signal.confidence, signal.published_at, signal.retracted_reason,
                            signal.features) for signal in window if signal.retracted_reason is None}

    window: list[Signal] = []
    for part in (order[:cut], order[cut:]):
        window = merged(window, run([record for at in part for record in WEEK[at].records()], *window))
    assert standing(window) == standing(run([record for paper in WEEK for record in paper.records()]).signals)
