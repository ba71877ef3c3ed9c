"""`vanta simulate` as a user runs it, on small recordings that the tests write in each feed's wire format."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest

from tests.unit.markets.filings import Paper, Row
from vanta.common.exitcodes import Exit
from vanta.common.paths import (
    COLLECTION_LOG,
    OVERLAY,
    PROMOTION_LOG,
    REFLECTION_LOG,
    SIMULATION,
    TRADE_LOG,
    VAULTS,
    Home,
)
from vanta.suite import dispatch
from vanta.suite.simulation.home import ALL_CLEAR, DEFAULT_VAULTS

HEADER = "date,open,high,low,close,volume"
INSIDER = Paper(rows=(Row(shares="20000", price="50"),))
"""A chief financial officer buys for a million; public on Friday 15 May 2020, 18:03 in New York."""

ACME = (("2020-05-14", 49, 50), ("2020-05-15", 50, 50), ("2020-05-18", 50, 50), ("2020-05-19", 50, 52),
        ("2020-05-20", 52, 53), ("2020-05-21", 53, 54), ("2020-05-22", 54, 55))
"""Day, open and close."""


def bars(rows: Iterable[tuple[str, int, int]], volume: int = 1_000_000) -> str:
    """A price file."""
    lines = (f"{day},{opened},{max(opened, closed)},{min(opened, closed)},{closed},{volume}"
             for day, opened, closed in rows)
    return "\n".join((HEADER, *lines)) + "\n"


def rss(items: Iterable[tuple[datetime, str]]) -> bytes:
    """An RSS page, newest first as feeds are."""
    entries = "".join(
        f"<item><title>{escape(title)}</title><link>https://outlet.example/{at:%Y%m%d%H%M}</link>"
        f"<guid>https://outlet.example/{at:%Y%m%d%H%M}</guid><pubDate>{format_datetime(at)}</pubDate></item>"
        for at, title in sorted(items, reverse=True))
    return (f'<?xml version="1.0"?><rss version="2.0"><channel><title>Outlet</title><link>https://outlet.example</link>'
            f"<description>-</description>{entries}</channel></rss>").encode()


def listing(posts: Iterable[tuple[datetime, str]]) -> bytes:
    """A page of Reddit's API, newest first."""
    things = [{"kind": "t3", "data": {"id": f"p{number}", "name": f"t3_p{number}", "title": title, "selftext": "",
                                      "author": f"user{number}", "created_utc": at.timestamp(), "edited": False}}
              for number, (at, title) in enumerate(posts)]
    return json.dumps({"kind": "Listing", "data": {"children": things[::-1]}}).encode()


@dataclass
class Recording:
    """A folder of feeds and prices, and a home to simulate in."""

    root: Path

    def feed(self, name: str, **files: bytes) -> None:
        """Payload files of one feed; `_` in a name is written as `.`."""
        folder = self.root / "feeds" / name
        folder.mkdir(parents=True, exist_ok=True)
        for file, data in files.items():
            (folder / file.replace("_", ".")).write_bytes(data)

    def prices(self, symbol: str, text: str) -> None:
        """One price file."""
        folder = self.root / "prices"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{symbol}.csv").write_text(text)

    @property
    def home(self) -> Home:
        return Home(self.root / "home")

    def arguments(self, *more: str) -> list[str]:
        """The command line without the program's name; what is given twice counts as it is given last."""
        return ["simulate", "--feeds", str(self.root / "feeds"), "--prices", str(self.root / "prices"), "--home",
                str(self.home.root), "--from", "2020-05-14", "--to", "2020-05-23", *more]

    def run(self, *more: str) -> int:
        """Simulate in this process and return the exit status."""
        return dispatch.main(self.arguments(*more))

    def result(self) -> dict[str, Any]:
        """What `simulation.json` says."""
        return dict(json.loads(self.home.file(SIMULATION).read_bytes()))

    def records(self, kind: str) -> list[dict[str, Any]]:
        """Records of the trade log of one kind."""
        found = map(json.loads, self.home.file(TRADE_LOG).read_bytes().splitlines())
        return [record for record in found if record["kind"] == kind]


@pytest.fixture
def insider(tmp_path: Path) -> Recording:
    """One filing and the prices of its issuer."""
    recording = Recording(tmp_path)
    recording.feed("sec", form4_txt=INSIDER.submission())
    recording.prices("ACME", bars(ACME))
    return recording


def test_an_insider_purchase_is_bought_at_the_next_opening_and_filled_at_that_close(insider: Recording) -> None:
    """Published on Friday night, decided at Monday's close, sent at Tuesday's opening, filled at Tuesday's close."""
    assert insider.run() == Exit.DONE
    seen, sent, filled = (insider.records(kind) for kind in ("intent.seen", "order.accepted", "fill"))
    assert [one["at"] for one in (*seen, *sent, *filled)] == [
        "2020-05-18T20:00:00.000Z", "2020-05-19T13:30:00.000Z", "2020-05-19T20:00:00.000Z"]
    assert filled[0]["payload"]["instrument_id"] == "equity:ACME"


def test_profit_and_loss_by_hand(insider: Recording) -> None:
    """99 shares at 52.00 plus 5 basis points, rounded up to 52.03, with a fee of 2 basis points: 5,152.00 in all.

    4,950 wanted at an opening of 50.00 are 99 shares. 94,848.00 of cash are left, and 99 shares worth each close.
    """
    assert insider.run() == Exit.DONE
    fill = insider.records("fill")[0]["payload"]
    assert [fill[name] for name in ("quantity", "price", "cash", "fee")] == ["99", "52.03", "5150.97", "1.03"]
    result = insider.result()
    assert {row["day"]: (row["cash"], row["positions"], row["nav"]) for row in result["days"]} == {
        "2020-05-14": ("100000", "0", "100000"), "2020-05-15": ("100000", "0", "100000"),
        "2020-05-18": ("100000", "0", "100000"), "2020-05-19": ("94848", "5148", "99996"),
        "2020-05-20": ("94848", "5247", "100095"), "2020-05-21": ("94848", "5346", "100194"),
        "2020-05-22": ("94848", "5445", "100293")}
    vault = result["vaults"][0]
    assert [vault[name] for name in ("nav", "realised", "unrealised", "fees", "max_drawdown")] == [
        "100293", "-1.03", "294.03", "1.03", "0"]
    assert [result[name] for name in ("intents", "orders", "fills", "cycles", "moments")] == [1, 1, 1, 7, 14]
    assert [(one["feed"], one["signals"]) for one in result["feeds"]] == [("sec", 1)]


def test_each_simulated_day_is_closed_against_its_benchmark(insider: Recording) -> None:
    """The same NAVs by hand, a weekend that is named, and 100,000 in ACME, which goes from 50 to 52, 53 and 54."""
    insider.home.config.mkdir(parents=True)
    (insider.home.config / "vanta.toml").write_text('[executor]\nbenchmark = "equity:ACME"\n')
    assert insider.run() == Exit.DONE
    closed = [record["payload"] for record in insider.records("day.closed")]
    told = [(day["day"][-2:], day["days_between"], sanity["nav"], sanity["benchmark_nav"], sanity["verdict"])
            for day in closed for sanity in [day["currencies"]["USD"]["sanity"]]]
    assert told == [
        ("14", 0, "100000", None, "benchmark has no price"), ("15", 2, "100000", "100000", "level"),
        ("18", 0, "100000", "100000", "level"), ("19", 0, "99996", "104000", "behind"),
        ("20", 0, "100095", "101919", "behind"), ("21", 0, "100194", "101983.58", "behind")]
    tables = closed[-1]["currencies"]["USD"]
    assert tables["total"] == {"realised": "0", "unrealised": "99", "fees": "0", "total": "99"}
    assert {name: line["total"] for name, line in tables["by_source"].items()} == {"sec.form4": "99"}
    assert sum(Decimal(line["total"]) for line in tables["by_reason"].values()) == 99
    assert dispatch.main(["replay", "--home", str(insider.home.root)]) == Exit.DONE


def test_an_item_is_seen_its_latency_after_its_publication(insider: Recording) -> None:
    """Published 30 seconds before Monday's close: in time with a latency of 30 seconds, a day late with 60."""
    insider.feed("sec", form4_txt=Paper(accepted="20200518155930", filed="20200518").submission())
    assert insider.run() == Exit.DONE
    assert insider.records("intent.seen")[0]["at"] == "2020-05-19T20:00:00.000Z"
    other = Recording(insider.root / "other")
    other.feed("sec", form4_txt=Paper(accepted="20200518155930", filed="20200518").submission())
    other.prices("ACME", bars(ACME))
    assert other.run("--latency", "sec=30") == Exit.DONE
    assert other.records("intent.seen")[0]["at"] == "2020-05-18T20:00:00.000Z"


def test_a_simulated_home_verifies_and_replays(insider: Recording) -> None:
    """The logs of a simulation are logs like any other."""
    assert insider.run() == Exit.DONE
    assert dispatch.main(["verify", "--home", str(insider.home.root)]) == Exit.DONE
    assert dispatch.main(["replay", "--home", str(insider.home.root)]) == Exit.DONE


def test_the_summary_is_for_people(insider: Recording, capsys: pytest.CaptureFixture[str]) -> None:
    """Signals per feed, what became of intents, and each vault in one line."""
    assert insider.run() == Exit.DONE
    printed = capsys.readouterr().out
    assert "sec      1 signals (0 updates) from 1 records in 1 payloads, seen 60 s after publication" in printed
    assert "1 intents, 1 orders, 1 fills, 0 expired" in printed
    assert ("V_CORE: 100,000.00 → 100,293.00 USD, realised -1.03, unrealised 294.03, fees 1.03, largest fall 0.00%"
            in printed)


def test_the_json_document_is_the_file(insider: Recording, capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` prints what `simulation.json` holds, in one document."""
    assert insider.run("--json") == Exit.DONE
    printed = json.loads(capsys.readouterr().out)
    assert printed["schema"] == "vanta.simulate/1"
    assert {name: printed[name] for name in insider.result()} == insider.result()


def test_what_is_in_the_home_is_used(insider: Recording) -> None:
    """An operator's vault and a halted overlay: the vault's capital, and not one order."""
    home = insider.home.prepare()
    vault = {**DEFAULT_VAULTS["vaults"][0], "vault_id": "V_MINE", "capital": "5000"}
    home.file(VAULTS).write_text(json.dumps({"vaults": [vault]}))
    home.file(OVERLAY).write_text(json.dumps({**ALL_CLEAR, "orders_disabled": True}))
    (home.config / "vanta.toml").write_text("[executor]\nmode = \"paper\"\n[executor.paper]\ncommission_bp = 50\n")
    assert insider.run() == Exit.DONE
    result = insider.result()
    assert (result["orders"], result["intents"], result["vaults"][0]["nav"]) == (0, 1, "5000")
    assert "halt.orders_disabled" in result["holds"]
    assert "orders_disabled" in result["halted"]


def test_a_vault_file_that_does_not_validate_is_named(insider: Recording, capsys: pytest.CaptureFixture[str]) -> None:
    """Without vaults nothing could be bought, and nobody would know why."""
    insider.home.prepare().file(VAULTS).write_text('{"vaults": [{"vault_id": "V_MINE", "lable": "Mine"}]}')
    assert insider.run() == Exit.CONFIG
    assert "did you mean 'label'" in capsys.readouterr().err


def test_a_home_that_was_used_is_refused(insider: Recording, capsys: pytest.CaptureFixture[str]) -> None:
    """A simulation starts from nothing, and says so without touching the log."""
    assert insider.run() == Exit.DONE
    before = insider.home.file(TRADE_LOG).read_bytes()
    assert insider.run() == Exit.CONFIG
    assert "has been used" in capsys.readouterr().err
    assert insider.home.file(TRADE_LOG).read_bytes() == before


@pytest.mark.parametrize(("change", "status", "said"), [
    pytest.param(["--feeds", "nowhere"], Exit.USAGE, "nowhere is not a folder", id="no feeds"),
    pytest.param(["--feeds", "."], Exit.USAGE, "holds no folder of a feed", id="feeds without a feed"),
    pytest.param(["--prices", "nowhere"], Exit.USAGE, "nowhere is not a folder", id="no prices"),
    pytest.param(["--from", "2020-05-23", "--to", "2020-05-23"], Exit.USAGE, "does not lie before", id="empty time"),
    pytest.param(["--from", "2020-06-23", "--to", "2020-05-23"], Exit.USAGE, "Swap them", id="swapped"),
    pytest.param(["--from", "2021-05-23", "--to", "2021-06-23"], Exit.CONFIG, "no bar in", id="no bars in that time"),
])
def test_unusable_inputs_are_refused_before_anything_is_written(
        insider: Recording, change: list[str], status: Exit, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A clear sentence, 2 where the command line is wrong and 78 where the files are, and no home."""
    assert dispatch.main([*insider.arguments(), *change]) == status
    assert said in capsys.readouterr().err
    assert not insider.home.root.exists()


@pytest.mark.parametrize("change", [["--every", "often"], ["--every", "0d"], ["--latency", "sec=soon"],
                                    ["--latency", "radio=5"], ["--home-id", "A"], ["--from", "yesterday"]])
def test_a_mistyped_command_line_ends_with_2(insider: Recording, change: list[str]) -> None:
    """A wrong option's value."""
    assert dispatch.main([*insider.arguments(), *change]) == Exit.USAGE


def test_the_home_has_to_be_named(insider: Recording, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The environment's home may be one that trades: a simulation never falls back on it."""
    trading = Home(tmp_path / "trading").prepare()
    monkeypatch.setenv("VANTA_HOME", str(trading.root))
    arguments = insider.arguments()
    at = arguments.index("--home")
    assert dispatch.main([*arguments[:at], *arguments[at + 2:]]) == Exit.USAGE
    assert not any(path.is_file() for path in trading.root.rglob("*"))


def test_an_unreadable_price_file_is_named(insider: Recording, capsys: pytest.CaptureFixture[str]) -> None:
    """File, line and field."""
    insider.prices("BAD", f"{HEADER}\n2020-05-14,1,1,1,one,5\n")
    assert insider.run() == Exit.CONFIG
    assert "BAD.csv:2 (close): 'one' is not a decimal number" in capsys.readouterr().err


def test_two_files_for_one_instrument_are_refused(insider: Recording, capsys: pytest.CaptureFixture[str]) -> None:
    """Dollars and dollar stablecoins are booked alike, so that one of the two series would be lost."""
    for symbol in ("BTC-USD", "BTCUSDT"):
        insider.prices(symbol, bars(ACME))
    assert insider.run() == Exit.CONFIG
    assert "BTC-USD.csv and BTCUSDT.csv both hold prices of crypto:BTC-USD" in capsys.readouterr().err


def test_odd_files_are_reported_and_do_no_harm(insider: Recording, capsys: pytest.CaptureFixture[str]) -> None:
    """Extra folders, notes, damaged and undated payloads, prices of things that are no instrument."""
    insider.feed("sec", notes_md=b"# my notes", broken_txt_gz=b"\x1f\x8bnothing",
                 other_txt=b"<SEC-DOCUMENT>x\n<TYPE>8-K\n")
    insider.feed("news", page_html=b"<html>we are sorry</html>")
    insider.feed("telegram", dump_json=b"[]")
    (insider.root / "feeds" / "README").write_text("hello")
    (insider.root / "feeds" / "crypto").mkdir()
    insider.prices("^GSPC", bars(ACME))
    insider.prices("EMPTY", f"{HEADER}\n")
    assert insider.run() == Exit.DONE
    assert {one["where"].partition(":")[0]: one["code"] for one in insider.result()["problems"]} == {
        "sec/notes.md": "unknown_payload", "sec/broken.txt.gz": "damaged", "sec/other.txt": "undated",
        "news/page.html": "not_a_feed", "telegram": "not_a_feed", "README": "not_a_feed", "crypto": "empty",
        "^GSPC.csv": "not_a_price_file", "EMPTY.csv": "no_bars"}
    assert insider.result()["fills"] == 1
    assert "left out: telegram" in capsys.readouterr().err


def moments(*days: int) -> list[datetime]:
    """Noon of days in May 2020."""
    return [datetime(2020, 5, day, 12, tzinfo=UTC) for day in days]


CUT = datetime(2020, 5, 21, tzinfo=UTC)
GOOD = "{0} (NASDAQ: {0}) beats estimates, raises outlook and surges to a record high"
BAD = "{0} (NASDAQ: {0}) misses estimates, cuts outlook and plunges"


def world(root: Path, *, turn: int) -> Recording:
    """Three feeds and three instruments; what comes after the cut is turned round by `turn` places."""
    recording = Recording(root)

    def turned(items: Sequence[Any], at: Sequence[datetime]) -> list[Any]:
        early = sum(moment < CUT for moment in at)
        late = list(items[early:])
        return [*items[:early], *late[turn % len(late):], *late[:turn % len(late)]]

    late = [Paper(accession=f"0000000001-20-00000{day}", issuer=f"000000077{day}", symbol=symbol,
                  accepted=f"202005{day + 19}180300", filed=f"202005{day + 19}")
            for day, symbol in enumerate("WXYZ", 2)]
    papers = turned([INSIDER, *late], [*moments(15, 21, 22, 23, 24)])
    recording.feed("sec", **{f"filing{number}_txt": paper.submission() for number, paper in enumerate(papers)})
    at = moments(14, 18, 19, 20, 21, 22, 26, 27)
    titles = [form.format(name) for form, name in zip((GOOD, GOOD, BAD, GOOD) * 2, ("MSFT", "AMD") * 4, strict=True)]
    recording.feed("news", page_xml=rss(zip(at, turned(titles, at), strict=True)))
    at = [moment + timedelta(minutes=minute) for moment in moments(18, 19, 20, 21, 22, 26) for minute in range(12)]
    posts = [f"${'AMD' if number % 12 < 8 else 'MSFT'} calls, this will moon, number {number}" for number in range(72)]
    recording.feed("reddit", new_json=listing(zip(at, turned(posts, at), strict=True)))
    days = [moment for moment in moments(*range(11, 31)) if moment.weekday() < 5 and moment.day != 25]
    for symbol, start in (("ACME", 50), ("MSFT", 180), ("AMD", 54)):
        table = turned([(start + number % 3, start + number % 4) for number in range(len(days))], days)
        recording.prices(symbol, bars([(f"{day:%Y-%m-%d}", *row) for day, row in zip(days, table, strict=True)]))
    coins = [(9_000 + 10 * number, 9_010 + 7 * number) for number in range(20)]
    at = moments(*range(11, 31))
    recording.prices("BTC-USD", bars([(f"{day:%Y-%m-%d}", *row) for day, row in
                                      zip(at, turned(coins, at), strict=True)]))
    return recording


def before(recording: Recording, name: str, moment: datetime) -> bytes:
    """The part of a log that was recorded before a moment."""
    lines = recording.home.file(name).read_bytes().splitlines(keepends=True)
    return b"".join(line for line in lines if datetime.fromisoformat(json.loads(line)["at"]) < moment)


def test_nothing_after_a_moment_changes_what_was_recorded_before_it(tmp_path: Path) -> None:
    """Later filings, headlines, posts and prices are turned round, in the same files: the logs agree up to the cut.

    They do not agree after it, and there were fills before it, so that the comparison could have failed.
    """
    recordings = [world(tmp_path / str(turn), turn=turn) for turn in (0, 1, 2)]
    for recording in recordings:
        assert recording.run("--to", "2020-05-29") == Exit.DONE
    first = recordings[0]
    assert any(one["at"] < "2020-05-21" for one in first.records("fill"))
    for other in recordings[1:]:
        for name in (TRADE_LOG, COLLECTION_LOG, REFLECTION_LOG, PROMOTION_LOG):
            assert before(other, name, CUT) == before(first, name, CUT)
            assert other.home.file(name).read_bytes() != first.home.file(name).read_bytes()


def test_an_earlier_end_gives_the_same_beginning(tmp_path: Path) -> None:
    """Stopping at the cut records what a longer run had recorded by then."""
    long, short = (world(tmp_path / name, turn=0) for name in ("long", "short"))
    assert long.run("--to", "2020-05-29") == Exit.DONE
    assert short.run("--to", "2020-05-21") == Exit.DONE
    lines = short.home.file(TRADE_LOG).read_bytes().splitlines(keepends=True)
    assert b"program.stopped" in lines[-1]
    assert long.home.file(TRADE_LOG).read_bytes().startswith(b"".join(lines[:-1]))


def test_two_runs_are_byte_identical_under_other_seeds_and_zones(tmp_path: Path) -> None:
    """Two processes, two hash seeds, two time zones, two folders: every log and the result are the same bytes."""
    found = []
    for name, seed, zone in (("one", "1", "Asia/Tokyo"), ("two", "77", "America/New_York")):
        recording = world(tmp_path / name, turn=0)
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone}
        command = [sys.executable, "-m", "vanta.suite.dispatch", *recording.arguments("--to", "2020-05-29")]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == Exit.DONE, done.stderr
        found.append({file: hashlib.sha256(recording.home.file(file).read_bytes()).hexdigest()
                      for file in (TRADE_LOG, COLLECTION_LOG, REFLECTION_LOG, PROMOTION_LOG, SIMULATION)})
    assert found[0] == found[1]


@pytest.mark.parametrize(("every", "cycles"), [("1d", 15), ("12h", 25)])
def test_a_period_has_one_cycle_at_its_first_close(tmp_path: Path, every: str, cycles: int) -> None:
    """A coin closes at each of 15 midnights, New York at 20:00 UTC on 10 of these days."""
    recording = world(tmp_path, turn=0)
    assert recording.run("--to", "2020-05-29", "--every", every) == Exit.DONE
    assert recording.result()["cycles"] == cycles


def test_no_order_fills_on_a_price_that_was_known_when_it_was_sent(tmp_path: Path) -> None:
    """Every fill is on a quote that is younger than its order, shares and coins alike."""
    recording = world(tmp_path, turn=0)
    assert recording.run("--to", "2020-05-29") == Exit.DONE
    sent = {one["ids"]["order_id"]: one["at"] for one in recording.records("order.submitting")}
    fills = recording.records("fill")
    assert fills
    for fill in fills:
        quoted = datetime.fromtimestamp(fill["payload"]["quote_ms"] / 1000, UTC)
        assert quoted > datetime.fromisoformat(sent[fill["ids"]["order_id"]])


def test_every_day_cash_and_positions_are_nav(tmp_path: Path) -> None:
    """From the file alone: the rows add up, one a day and vault, and the last one is the result."""
    recording = world(tmp_path, turn=0)
    assert recording.run("--to", "2020-05-29") == Exit.DONE
    result = recording.result()
    assert [row["day"] for row in result["days"]] == [f"2020-05-{day}" for day in range(14, 29)]
    for row in result["days"]:
        assert Decimal(row["cash"]) + Decimal(row["positions"]) == Decimal(row["nav"])
    assert result["vaults"][0]["nav"] == result["days"][-1]["nav"]
