"""Convictions, feeds and disk: what is kept is drawn, what is not is said."""

import re
from datetime import date, timedelta

from tests.unit.alpha.core.report.looks import CHECKS, TAKES, history, look, passed, record, reflected, version
from vanta.alpha.core.report import ground, strips
from vanta.alpha.core.report.sightings import COLUMNS, NONE, ROWS, Ends, Map, Sightings, conviction_map
from vanta.common.times import millis_of

SPAN = (millis_of("2026-11-20T12:00:00Z"), millis_of("2026-11-20T12:00:03Z"))


def mapped(**more: object) -> Map:
    """The map of the usual look."""
    seen = look(history([]), **more)
    return conviction_map(seen.chosen, seen.versions, len(seen.sightings.cycles))


def test_a_map_of_convictions() -> None:
    """Signed, the strongest first; a version that is not kept is a gap, one that held none is empty, not a gap."""
    found = mapped()
    assert found.entities == ["AAPL", "MSFT", "XOM"]
    assert found.columns == [{"AAPL": 4200, "MSFT": -1200, "XOM": 0}, {"AAPL": 100}, None, {}]
    assert (found.hidden, found.cycles, found.most) == (0, 4, 4200)
    shown = "".join(ground.convictions(found))
    for words in ("AAPL, 2026-11-20 12:00:00 UTC: +4,200 bp", "MSFT, 2026-11-20 12:00:00 UTC: −1,200 bp",
                  "XOM, 2026-11-20 12:00:00 UTC: 0 bp", "AAPL, 2026-11-20 12:00:02 UTC: the version is not kept",
                  "All 4 reflections.", "1 versions are not kept", "not kept</td>", "−1,200</td>"):
        assert words in shown
    assert shown.count('fill="url(#convictions-desk-s)"') == 1, "the one that speaks against it is striped"
    assert shown.count('fill="url(#convictions-desk-h)"') == 3
    assert 'class="cut"' in shown, "half an hour between seconds"


def test_a_map_has_bounds() -> None:
    """So many columns and rows, evenly; what is left out is counted."""
    sightings = Sightings()
    for number in range(500):
        sightings.take(reflected(f"{number:064}", at=f"2026-11-20T{number // 60:02}:{number % 60:02}:00.000Z"))
    chosen = sightings.chosen(lambda digest: int(digest) % 2 == 0)
    assert len(chosen) == COLUMNS
    assert chosen[0][1] == f"{0:064}"
    assert chosen[-1][1] == f"{498:064}"
    versions = {digest: version(**{f"E{number}": number + 1 for number in range(40)}) for _, digest in chosen}
    found = conviction_map(chosen, versions, len(sightings.cycles))
    assert len(found.entities) == ROWS
    assert found.entities[0] == "E39"
    shown = "".join(ground.convictions(found))
    assert "72 of 500 reflections, evenly among those whose version is kept" in shown
    assert "16 weaker entities are left out" in shown
    assert "versions are not kept" not in shown
    assert len(re.findall("<text", "".join(strips.heat(found, 352, "k")[1]))) < 40


def test_no_conviction_is_said() -> None:
    """Before the first reflection, where nothing is kept, and of a version that is none."""
    assert "No conviction is kept" in "".join(ground.convictions(conviction_map([], {}, 0)))
    assert conviction_map([(0, "x")], {"x": [1]}, 1).columns == [None]
    one = conviction_map([(0, "x")], {"x": version(A=5)}, 1)
    assert "url(#k-s)" not in "".join(strips.heat(one, 1040, "k")[1])


def test_records_that_are_none_are_told() -> None:
    """They hinder nothing else."""
    sightings = Sightings()
    sightings.take(record("collected", {"feed": "sec"}))
    sightings.take(record("reflected", {"outputs": {}}))
    sightings.take(record("journal.opened", {}))
    sightings.take(passed("news", "ok"))
    assert len(sightings.problems) == 2
    assert sightings.feeds["news"].all == Ends(1, 0, 0)
    sightings.take(record("reflected", {"counts": {"convictions": 0}, "outputs": {"system_risk.json": "e" * 64}}))
    assert sightings.cycles == []
    assert NONE == ""


def test_feeds_say_how_fresh_they_are_and_how_their_passes_ended() -> None:
    """By height and stripes as well as by colour; a feed that was never asked says so."""
    seen = look(history([]))
    shown = "".join(ground.feeds(CHECKS[1:], seen.sightings.feeds, SPAN))
    assert "CRITICAL: no success for 41 min" in shown
    for words in ("1 fine, 0 in part, 0 failed", "0 fine, 1 in part, 0 failed", "0 fine, 0 in part, 1 failed"):
        assert words in shown
    heights = set(re.findall(r'height="(6\.0|11\.0|18\.0)"', shown))
    assert heights == {"6.0", "11.0", "18.0"}
    assert "error: as it is" not in shown, "the last pass was fine"
    assert "ok: as it is" in shown
    off = "".join(ground.feeds((), {**seen.sightings.feeds}, SPAN))
    assert "not switched on" in off
    alone = "".join(ground.feeds(CHECKS[1:], {}, SPAN))
    assert "none is in the log" in alone
    assert "<svg" not in alone
    assert "No feed is switched on" in "".join(ground.feeds((), {}, SPAN))


def test_disk_by_day() -> None:
    """What is not known of a day is hazy, not nothing; the sum is of all; long ago is left out and said."""
    shown = "".join(ground.disk(TAKES))
    assert "5.0 MB" in shown
    assert "1.5 MB" in shown
    assert "12 B" in shown
    assert "unknown" in shown
    assert "2026-11-19: not known" in shown
    assert shown.count("url(#disk-desk-h)") == 1
    assert "left out" not in shown
    first = date(2026, 1, 1)
    many = {(first + timedelta(days=number)).isoformat(): 1_000 for number in range(100)}
    long = "".join(ground.disk((ground.Takes("x", 1, many, 1_000),)))
    assert "Days before 2026-02-10 are left out" in long
    assert "known once one is over" in "".join(ground.disk((ground.Takes("x", 1, {}, 0),)))


def test_sizes_for_people() -> None:
    """In the largest unit that fits, up to terabytes."""
    assert [ground.size(one) for one in (0, 999, 1_000, 1_500_000, 2 * 10**9, 5 * 10**15)] == [
        "0 B", "999 B", "1.0 kB", "1.5 MB", "2.0 GB", "5000.0 TB"]
