"""Two simulated runs over recorded feeds and recorded prices, started with the command line that a user types.

Both print what they saw, so that `pytest -s` shows it, and fail if a feed gave no signal or no order was sent. Both
homes are then replayed from raw payloads to profit, in other surroundings each time: every byte that `vanta replay`
prints has to be the same under two hash seeds, two time zones, every locale that is found, and a second Python. Split
adjusted bars are the way in which splits are handled here; the first run's window holds two of them.
"""

import csv
import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.realdata import converters
from tests.surroundings import alike
from vanta.alpha.reading import records
from vanta.common.exitcodes import Exit
from vanta.common.paths import SIMULATION, Home
from vanta.suite import dispatch

pytestmark = pytest.mark.realdata


def simulated(root: Path, starts: str, ends: str) -> dict[str, Any]:
    """Run `vanta simulate` over `root`'s feeds and prices, say what came of it, and return the result."""
    home = root / "home"
    status = dispatch.main(["simulate", "--feeds", str(root / "feeds"), "--prices", str(root / "prices"),
                            "--from", starts, "--to", ends, "--home", str(home)])
    assert status == Exit.DONE
    result: dict[str, Any] = json.loads(Home(home).file(SIMULATION).read_bytes())
    print({one["feed"]: one["signals"] for one in result["feeds"]}, result["orders"], "orders")
    return result


def check(result: dict[str, Any], feeds: set[str]) -> None:
    """Signals from every feed, orders, and on every day cash plus positions is NAV, to the cent."""
    assert {one["feed"] for one in result["feeds"] if one["signals"] > 0} == feeds
    assert result["orders"] > 0
    assert result["fills"] > 0
    for row in result["days"]:
        assert Decimal(row["cash"]) + Decimal(row["positions"]) == Decimal(row["nav"]), row
        assert Decimal(row["nav"]) == round(Decimal(row["nav"]), 2), row
    last = {row["vault_id"]: row for row in result["days"]}
    for vault in result["vaults"]:
        assert Decimal(vault["nav"]) == Decimal(last[vault["vault_id"]]["nav"])
        assert Decimal(vault["capital"]) + Decimal(vault["realised"]) + Decimal(vault["unrealised"]) \
            == Decimal(vault["nav"])


def replays(root: Path, *kinds: str) -> None:
    """Equal in all surroundings, with these kinds of facts among what was recomputed."""
    said = json.loads(alike(root, "replay", "--home", str(root / "home"), "--json"))
    assert said["equal"] is True
    assert (said["differences"], said["missing"]) == ([], [])
    logs = {"collection_log.jsonl": "collected", "reflection_log.jsonl": "reflected",
            "promotion_log.jsonl": "promoted", "trade_log.jsonl": "fill"}
    for name, kind in logs.items():
        log = records(Home(root / "home").file(name))
        assert said["checked"][kind] == sum(one.kind == kind for one in log), name
    assert {"intent.seen", "intent.approved", "order.submitting", "order.accepted", "document", *kinds} <= set(
        said["checked"])
    print("replayed", said["checked"])


def test_2020_insiders_and_headlines(realdata: Path, tmp_path: Path) -> None:
    """All of 2020: 64 Form 4 filings as they are, finance RSS put back into XML, 25 shares and Bitcoin, day by day."""
    shutil.copytree(realdata / "edgar" / "form4_sgml", tmp_path / "feeds" / "sec")
    items = converters.rss_files(realdata / "news" / "finance_rss_parsed.zip", tmp_path / "feeds" / "news", year="2020")
    assert items > 900
    daily, prices = realdata / "ohlcv_daily", tmp_path / "prices"
    assert len(converters.dated_csv_zip(daily / "stockemotions_prices_2020.zip", prices)) == 26
    converters.stamped_csv(daily / "basana" / "binance_btcusdt_day_2020.csv.gz", prices, "BTCUSDT", column="datetime")
    for symbol in ("AAPL", "TSLA"):  # both were split on 31 August 2020, four and five to one
        rows = {row["date"]: row for row in csv.DictReader((prices / f"{symbol}.csv").read_text().splitlines())}
        assert abs(Decimal(rows["2020-08-31"]["open"]) / Decimal(rows["2020-08-28"]["close"]) - 1) < Decimal("0.1")
    result = simulated(tmp_path, "2020-01-01", "2021-01-01")
    check(result, {"sec", "news"})
    assert len({row["day"] for row in result["days"]}) == 366
    assert [one["where"] for one in result["problems"]] == ["ABNB.csv"]  # the file holds a header and nothing else
    replays(tmp_path, "day.opened", "intent.held")


def test_january_2022_wallstreetbets(realdata: Path, tmp_path: Path) -> None:
    """18 to 21 January 2022: posts and comments as Reddit's API serves them, with the shares whose prices reach there.

    No recorded series of a coin with all four prices covers these days.
    """
    reddit = realdata / "reddit" / "wallstreetbets"
    things = converters.reddit_listings(reddit / "wsb_posts.csv.gz", reddit / "wsb_comments.csv.gz",
                                        tmp_path / "feeds" / "reddit")
    assert things == 1134
    prices = tmp_path / "prices"
    converters.dated_csv_zip(realdata / "ohlcv_daily" / "fnspid_prices_sentiment.zip", prices)
    for chart in sorted((realdata / "ohlcv_daily" / "yahoo_chart_json").glob("*_AAPL__*range=1mo@2022-01-24.json")):
        assert converters.yahoo_chart(chart, prices) == "AAPL"
    result = simulated(tmp_path, "2022-01-18", "2022-01-26")
    check(result, {"reddit"})
    assert [row["day"] for row in result["days"]] == [f"2022-01-{day}" for day in (18, 19, 20, 21, 24, 25)]
    replays(tmp_path, "day.opened", "intent.held")
