"""`vanta-run demo` as a real process: everything that it promises is looked up in the files that it left behind."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.processes import ROOT
from vanta.common.paths import FEEDS, JOURNALS, Home, signals_file
from vanta.common.store.chain import chain
from vanta.common.store.ports import Record

CENT = Decimal("0.01")
BIN = Path(sys.executable).parent
BARE = {name: value for name, value in os.environ.items() if name != "VANTA_HOME"} | {"PATH": "/usr/bin:/bin"}
"""Nothing of ours is on PATH, no home is set."""


@dataclass(frozen=True)
class Demo:
    """One finished demonstration."""

    home: Home
    done: "subprocess.CompletedProcess[str]"

    def document(self, name: str) -> dict[str, Any]:
        value = json.loads(self.home.file(name).read_bytes(), parse_float=Decimal)
        assert isinstance(value, dict)
        return value

    def records(self, name: str) -> list[Record]:
        """All records of a log; a broken chain raises."""
        return list(chain(self.home.file(name).read_bytes(), name=name))

    def of(self, *kinds: str) -> list[Record]:
        """Records of the trade log, by kind."""
        return [record for record in self.records("trade_log.jsonl") if record.kind in kinds]

    def collected(self, feed: str) -> list[dict[str, Any]]:
        """What each pass of a feed said."""
        return [dict(record.payload) for record in self.records("collection_log.jsonl")
                if record.kind == "collected" and record.payload["feed"] == feed]


def vanta_run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", "vanta.suite.run", *arguments], cwd=ROOT, text=True,
                          capture_output=True, check=False)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demonstration, run once for all tests of this file."""
    folder = tmp_path_factory.mktemp("demo")
    home = Home(folder / "my var")
    done = subprocess.run([BIN / "vanta-run", "demo", "--home", "./my var"], cwd=folder, text=True, capture_output=True,
                          check=False, env=BARE)
    logs = "\n".join(path.read_text() for path in sorted(home.logs.glob("*.log")))
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{logs}"
    return Demo(home, done)


def test_four_feeds_carried_signals(demo: Demo) -> None:
    """Every signal feed has live claims with evidence that lies in the snapshot store."""
    for feed in FEEDS:
        signals = demo.document(signals_file(feed))["signals"]
        assert signals, feed
        for digest in {item["sha256"] for one in signals for item in one["evidence"]}:
            assert (demo.home.snapshots / digest[:2] / f"{digest}.zst").exists()


def test_a_failed_feed_says_why_and_keeps_its_signals(demo: Demo) -> None:
    """Reddit answered with a web page: status error, the reason, and the claims of before."""
    reddit = demo.document("reddit_signals.json")
    assert reddit["status"] == "error"
    assert "not JSON" in reddit["status_reason"]
    assert len(reddit["signals"]) >= 5
    assert demo.collected("reddit")[0]["status"] == "ok"


def test_a_damaged_payload_makes_a_pass_partial(demo: Demo) -> None:
    """One of three news feeds was cut off: the pass is partial and names the file."""
    partial = [one for one in demo.collected("news") if one["status"] == "partial"]
    assert partial
    assert "broken.rss" in partial[0]["status_reason"]


def test_late_and_repeated_records_were_counted(demo: Demo) -> None:
    """A filing and an article came late, a post and a filing came twice; each is counted, none counts twice."""
    assert any(one["counts"]["late"] for one in demo.collected("sec"))
    assert any(one["counts"]["late"] for one in demo.collected("news"))
    assert any(one["counts"]["duplicates"] for one in demo.collected("reddit"))
    assert any(one["counts"]["duplicates"] for one in demo.collected("sec"))
    for feed in FEEDS:
        names = [one["id"] for one in demo.document(signals_file(feed))["signals"]]
        assert len(names) == len(set(names))


def test_a_copied_campaign_is_told_apart(demo: Demo) -> None:
    """Six accounts with one text are one voice that carries no weight worth the name."""
    swarm = [one for one in demo.document("reddit_signals.json")["signals"] if "swarm" in one["flags"]]
    assert [one["entity"]["ticker"] for one in swarm] == ["SNDL"]
    assert swarm[0]["confidence"] <= Decimal("0.05")


def test_every_conviction_is_the_sum_of_its_reasons(demo: Demo) -> None:
    """In basis points, exactly, for the published convictions and for what each intent rests on."""
    rows = demo.document("trade_signals.json")["convictions"]
    assert len(rows) >= 10
    wishes = [record.payload["intent"]["provenance"] for record in demo.of("intent.seen")]
    bases = [(row["conviction_bp"], row["reason_vector"]) for row in rows]
    bases += [(one["conviction_bp"], one["reasons"]) for one in wishes if one["reasons"]]
    for total, reasons in bases:
        assert sum(line["bp"] for line in reasons) == total


def test_it_is_no_toy(demo: Demo) -> None:
    """At least 8 instruments of two classes, two vaults and three personas took part in intents."""
    wishes = [record.payload["intent"] for record in demo.of("intent.seen")]
    names = {one["instrument_id"] for one in wishes}
    assert len(names) >= 8
    assert {name.partition(":")[0] for name in names} == {"equity", "crypto"}
    assert {one["vault"] for one in wishes} == {"V_CORE", "V_SWIFT"}
    assert len({persona for one in wishes for persona in one["provenance"]["personas"]}) >= 3


def test_five_different_fences_refused(demo: Demo) -> None:
    """Each refusal names its fence, its code, the value and the limit."""
    stopping = [line for record in demo.of("intent.refused") for line in record.payload["lines"] if line[1]]
    assert {line[0] for line in stopping} >= {"instrument", "vault", "collar", "size", "exposure"}
    assert {line[1] for line in stopping} >= {"instrument.restricted", "price.collar", "size.max_share_of_volume",
                                              "size.rounds_to_zero", "exposure.single_position",
                                              "vault.persona_not_allowed"}
    assert all(line[2] and line[3] for line in stopping)


def test_a_stale_quote_is_waited_for(demo: Demo) -> None:
    """GME's newest quote is too old: its intents are held and never sent."""
    held = {record.ids["intent_id"] for record in demo.of("intent.held") if "quote.stale" in record.payload["codes"]}
    assert held
    assert not held & {record.ids["intent_id"] for record in demo.of("order.submitting")}


def test_orders_were_filled_in_parts(demo: Demo) -> None:
    """One order was completed by a later quote, another was cut short by the halt with a part filled."""
    parts = {record.ids["order_id"] for record in demo.of("fill")
             if record.payload["intent_state"] == "partially_filled"}
    completed = {record.ids["order_id"] for record in demo.of("fill") if record.payload["intent_state"] == "filled"}
    cancelled = {record.ids["order_id"] for record in demo.of("order.cancelled")}
    assert parts & completed
    assert parts & cancelled


def test_nothing_left_while_the_operator_had_halted(demo: Demo) -> None:
    """Between the halt and its release, both seen by the executor, intents were held and no order was sent."""
    overlays = [record for record in demo.of("control.seen") if record.payload["what"] == "overlay"]
    assert len(overlays) == 3  # as shipped, halted, released
    _, halted, released = (record.seq for record in overlays)
    between = [record for record in demo.records("trade_log.jsonl") if halted <= record.seq < released]
    held = {record.ids["intent_id"] for record in between if record.kind == "intent.held"
            and "halt.full_halt" in record.payload["codes"]}
    assert len(held) >= 4
    assert not [record for record in between if record.kind == "order.submitting"]
    sent = {record.ids["intent_id"] for record in demo.of("order.submitting") if record.seq > released}
    assert held & sent


def test_nothing_left_before_the_release_either(demo: Demo) -> None:
    """Until the permit was seen every intent was held for want of it."""
    permits = [record for record in demo.of("control.seen") if record.payload["what"] == "permit"]
    assert [record.payload["sha256"] for record in permits] == ["absent", "present"]
    assert min(record.seq for record in demo.of("order.submitting")) > permits[1].seq


def test_the_release_is_on_record(demo: Demo) -> None:
    """It was given as `vanta-run release` gives it: who and why stand in the control log, which the screen checks."""
    changed = [record.payload for record in demo.records("control_log.jsonl") if record.kind == "control.changed"]
    assert [(one["what"], one["after"], one["by"]) for one in changed] == [("permit", "present", "demo operator")]
    assert re.search(r"^  control_log.jsonl +verified", demo.done.stdout, re.MULTILINE)


def test_money_adds_up_to_the_cent(demo: Demo) -> None:
    """Cash, realised and unrealised profit of each vault, recomputed here from the fills alone."""
    portfolio, summary = demo.document("portfolio.json"), demo.document("pnl_summary.json")
    capital = {record.payload["vault"]: Decimal(record.payload["amount"]) for record in demo.of("adjustment")}
    total = Decimal(0)
    for vault in portfolio["vaults"]:
        name = vault["vault_id"]
        cash, fees, realised, lots = recompute([record.payload for record in demo.of("fill")
                                                if record.payload["vault"] == name])
        marks = {row["instrument_id"]: Decimal(row["mark"]) for row in vault["positions"]}
        held = {instrument: sum(quantity for quantity, _ in rows) for instrument, rows in lots.items()}
        worth = {instrument: cents(float_free(quantity) * marks[instrument]) for instrument, quantity in held.items()
                 if quantity}
        cost = sum((paid for rows in lots.values() for _, paid in rows), Fraction(0))
        line = summary["by_vault"][name]
        assert Decimal(vault["cash"]) == capital[name] - cash - fees
        assert Decimal(vault["nav"]) == Decimal(vault["cash"]) + sum(worth.values())
        assert Decimal(line["fees"]) == fees
        assert Decimal(line["realised"]) == cents(float_free(realised)) - fees
        assert Decimal(line["unrealised"]) == cents(Decimal(sum(worth.values())) - float_free(cost))
        assert Decimal(line["total"]) == Decimal(line["realised"]) + Decimal(line["unrealised"])
        assert Decimal(line["total"]) == Decimal(vault["nav"]) - capital[name]
        total += Decimal(line["total"])
    assert total == Decimal(summary["total"]["total"])
    assert any(Decimal(line["realised"]) + Decimal(line["fees"]) for line in summary["by_vault"].values())


def recompute(fills: list[Any]) -> tuple[Decimal, Decimal, Fraction, dict[str, list[tuple[Fraction, Fraction]]]]:
    """Cash paid, fees, profit of what was closed before fees, and open lots (units, cost), first in first out."""
    cash = fees = Decimal(0)
    realised = Fraction(0)
    lots: dict[str, list[tuple[Fraction, Fraction]]] = {}
    for fill in fills:
        cash, fees = cash + Decimal(fill["cash"]), fees + Decimal(fill["fee"])
        rows = lots.setdefault(fill["instrument_id"], [])
        units, paid = Fraction(fill["quantity"]), Fraction(fill["cash"])
        if fill["side"] == "buy":
            rows.append((units, paid))
            continue
        realised -= paid
        while units:
            size, cost = rows.pop(0)
            part = min(size, units)
            share = cost if part == size else Fraction(cents(float_free(cost * part / size)))
            realised, units = realised - share, units - part
            if part < size:
                rows.insert(0, (size - part, cost - share))
    return cash, fees, realised, lots


def float_free(value: Fraction | int) -> Decimal:
    """A fraction as a Decimal."""
    exact = Fraction(value)
    return Decimal(exact.numerator) / Decimal(exact.denominator)


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_EVEN)


def test_every_order_can_be_traced_to_its_cycle(demo: Demo) -> None:
    """Each fill links to an intent whose provenance names a conviction, and inputs that lie in the snapshot store."""
    wishes = {record.payload["intent"]["intent_id"]: record.payload["intent"] for record in demo.of("intent.seen")}
    fills = demo.of("fill")
    assert fills
    for fill in fills:
        provenance = wishes[fill.ids["intent_id"]]["provenance"]
        assert fill.ids["signal_id"] == provenance["signal_id"]
        for digest in provenance["inputs"].values():
            assert (demo.home.snapshots / digest[:2] / f"{digest}.zst").exists()


def test_every_log_verifies(demo: Demo) -> None:
    """All hash chains hold, and sequence numbers run without a gap."""
    for name in JOURNALS:
        if demo.home.file(name).exists():
            records = demo.records(name)
            assert all(later.seq == earlier.seq + 1 for earlier, later in pairwise(records))
    assert len(demo.records("trade_log.jsonl")) > 100


def test_the_second_pass_and_a_third_staged_nothing(demo: Demo) -> None:
    """After the daemons stopped, a full pass over the same tree stages no intent, and neither does another one."""
    stopped = demo.of("program.stopped")
    assert len(stopped) == 2  # the daemon, then the second pass
    later = [record for record in demo.records("promotion_log.jsonl")
             if record.kind == "promoted" and record.at > stopped[0].at]
    assert [record.payload["staged"] for record in later if record.payload["staged"]] == []
    before = demo.home.file("trade_log.jsonl").read_bytes().count(b'"order.submitting"')
    third = vanta_run("once", "--home", str(demo.home.root), "--json")
    assert json.loads(third.stdout)["staged"] == []
    assert demo.home.file("trade_log.jsonl").read_bytes().count(b'"order.submitting"') == before


def test_it_ends_with_a_page_that_shows_all_of_it(demo: Demo) -> None:
    """It says where; the page is there, whole, and its sums are those of the document beside it."""
    page = demo.home.root / "build" / "report.html"
    assert f"for a browser: {page.as_uri()}" in demo.done.stdout
    drawn = page.read_text()
    assert drawn.endswith("</html>\n")
    assert "Not everything is as it should be" not in drawn
    total = Decimal(demo.document("pnl_summary.json")["total"]["total"])
    assert f'class="v">{total:+,.2f} USD'.replace("-", "−") in drawn
    assert drawn.count('<details class="wish">') == len(demo.of("intent.seen"))


def test_the_screen_is_plain_where_it_is_piped(demo: Demo) -> None:
    """No escape sequences, no line wider than 120 columns, and nothing on stderr."""
    assert "\x1b" not in demo.done.stdout
    text = demo.done.stdout.replace("./my var", "./var").replace(str(BIN), ".venv/bin")  # as long as their paths
    assert max(len(line) for line in text.splitlines()) <= 120
    assert demo.done.stderr == ""


def test_the_proposed_commands_work_when_they_are_pasted(demo: Demo, tmp_path: Path) -> None:
    """By whoever started the demonstration: in the same folder, with nothing of ours on PATH, home with a space."""
    folder = tmp_path / "copy"
    folder.mkdir()
    shutil.copytree(demo.home.root, folder / "my var", symlinks=True)
    proposed = re.findall(r"^  → .+?: (.+)$", demo.done.stdout, re.MULTILINE)
    statuses = {}
    for line in proposed:
        name = re.sub(r".*/(vanta\S*?)'? (\S+) .*", r"\1 \2", line)
        statuses[name] = until_calm(line, folder) if name == "vanta-run up" else subprocess.run(
            line, shell=True, cwd=folder, env=BARE, capture_output=True, check=False).returncode
    assert statuses == {"vanta-run status": 0, "vanta report": 0, "vanta explain": 0, "vanta verify": 0,
                        "vanta replay": 0, "vanta-run up": 0, "vanta-run kill": 0}


def until_calm(line: str, folder: Path) -> int:
    """The status of a command that runs until it is stopped."""
    with subprocess.Popen(f"exec {line}", shell=True, cwd=folder, env=BARE, text=True, stdout=subprocess.PIPE) as up:
        assert up.stdout is not None
        for said in up.stdout:
            if "markets started" in said:
                up.send_signal(signal.SIGTERM)
        return up.wait()


def test_a_tree_that_no_demonstration_made_is_left_alone(tmp_path: Path) -> None:
    """A folder with somebody's files is refused with 78, and nothing in it changes."""
    treasure = tmp_path / "var" / "memory"
    treasure.mkdir(parents=True)
    (treasure / "vault.json").write_text("mine")
    done = vanta_run("demo", "--home", str(tmp_path / "var"))
    assert done.returncode == 78
    assert "no demonstration made it" in done.stderr
    assert (treasure / "vault.json").read_text() == "mine"
    assert sorted(path.name for path in (tmp_path / "var").iterdir()) == ["memory"]
