"""Reading a home for its report: documents and logs agree, and what cannot be read is a gap with a name."""

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from tests.unit.alpha.core.report.test_money import chapters, figures
from tests.unit.alpha.core.test_page import read as read_page
from tests.unit.alpha.homes import busy, on_disk
from vanta.alpha.core.report.sightings import NONE, conviction_map
from vanta.alpha.core.report.whole import Look, page
from vanta.alpha.reporter import Reporter
from vanta.common.models.configuration import Settings
from vanta.common.paths import PNL, REFLECTION_LOG, SIMULATION, TRADE_LOG, TRADE_SIGNALS, Home
from vanta.common.store.chain import encode
from vanta.common.store.personal import digest as digest_of
from vanta.common.store.ports import GENESIS
from vanta.common.store.snapshot import FileSnapshots

NOW, TODAY = datetime(2026, 11, 18, 15, 5, tzinfo=UTC), date(2026, 11, 18)
Rewrite = Callable[[str, bytes, bytes], None]


def look(home: Home) -> Look:
    """One look."""
    return Reporter(home, Settings(), NOW).look(TODAY)


def test_a_lived_home_is_read_whole(lived: Home) -> None:
    """No gap; the sums of the page are those of the file beside it, to the cent; every chapter has something."""
    seen = look(lived)
    assert seen.gaps == []
    drawn = page(seen, "")
    body = orjson.loads(lived.file(PNL).read_bytes())
    for name, rows in chapters(drawn).items():
        assert rows[-1][0] == "sum"
        assert [figures(cell)[0] for cell in rows[-1][1:]] == [
            Decimal(body["total"][field]) for field in ("realised", "unrealised", "fees", "total")]
        assert {row[0] for row in rows[:-1]} == set(body[f"by_{name}"])
    assert seen.history.wishes.fills > 0
    assert seen.sightings.feeds.keys() >= {"sec", "news", "prices"}
    assert any(seen.versions.values()), "the versions that promotions used are kept"
    assert drawn.count("<figure>") >= 4
    read_page(drawn)


def test_looking_changes_nothing(copied: Home) -> None:
    """Not a byte, not a file."""
    def files() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in sorted(copied.root.rglob("*")) if path.is_file()}

    before = files()
    look(copied)
    assert files() == before


def test_halts_of_a_busy_morning_are_read_from_kept_overlays(tmp_path: Path) -> None:
    """By hash, out of the snapshot store; without it the page says that they are not kept."""
    home = on_disk(busy(), tmp_path / "home")
    assert "<title>full_halt on everything: from" in page(look(home), "")
    shutil.rmtree(home.snapshots)
    gone = page(look(home), "")
    assert "<title>full_halt on everything: from" not in gone
    assert "switches unknown: the overlay is not kept" in gone


def test_a_document_that_differs_from_its_log_is_a_gap(rewrite: Rewrite, copied: Home) -> None:
    """The page shows what the log gives, and says that the file says something else."""
    body = orjson.loads(copied.file(PNL).read_bytes())
    fees = body["total"]["fees"].encode()
    rewrite(PNL, b'"' + fees + b'"', b'"99.99"')
    assert any(one.startswith(PNL) for one in look(copied).gaps)


def test_a_broken_log_is_told_up_to_the_break(rewrite: Rewrite, copied: Home) -> None:
    """Of either log; the others are read all the same. A torn tail is no break."""
    rewrite(TRADE_LOG, b'"kind":"day.opened"', b'"kind":"day.opener"')
    rewrite(REFLECTION_LOG, b'"kind":"reflected"', b'"kind":"reflecter"')
    seen = look(copied)
    assert [one.partition(":")[0] for one in seen.gaps if "what comes before it is shown" in one] == [
        TRADE_LOG, REFLECTION_LOG]
    assert seen.history.book.seq > 0
    assert "Not everything is as it should be" in page(seen, "")


def test_a_log_that_lost_its_end_is_told(copied: Home) -> None:
    """A document that is ahead of the log says how many records are missing."""
    log = copied.file(TRADE_LOG)
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:-20]))
    assert any("records are missing" in one for one in look(copied).gaps)


def test_documents_that_cannot_be_read(copied: Home) -> None:
    """A missing one is no gap, a folder in its place is."""
    copied.file(PNL).unlink()
    assert look(copied).gaps == []
    copied.file(PNL).mkdir()
    assert any(PNL in one for one in look(copied).gaps)


def test_a_simulated_home_lives_in_its_own_time(copied: Home) -> None:
    """Feeds are as old as they were when it ended, whatever the clock of the host says now."""
    copied.file(SIMULATION).write_bytes(b'{"ends": "2026-11-18T15:10:00.000Z"}')
    seen = Reporter(copied, Settings(), datetime(2030, 1, 1, tzinfo=UTC)).look(TODAY)
    assert seen.now == "2026-11-18T15:10:00.000Z"


def test_a_home_without_anything(tmp_path: Path) -> None:
    """Is told as one."""
    seen = look(Home(tmp_path / "new").prepare())
    assert seen.gaps == []
    assert "holds nothing yet" in page(seen, "")


def test_a_version_that_is_no_document_is_a_gap_in_the_map(copied: Home) -> None:
    """Whatever lies in the store under a hash that a reflection names; one that is gone is not asked for."""
    before = look(copied)
    digest = next(digest for _, digest in before.chosen if digest)
    odd = FileSnapshots(copied.snapshots).put(b"{")
    log = copied.file(REFLECTION_LOG)
    lines = [orjson.loads(line) for line in log.read_bytes().splitlines()]
    for line in lines:
        if line["kind"] == "reflected":
            line["payload"]["outputs"][TRADE_SIGNALS] = odd if line["payload"]["outputs"][
                TRADE_SIGNALS] == digest else "f" * 64
    chained(log, lines)
    found = look(copied)
    assert {one for _, one in found.chosen} - {NONE} == {odd}
    assert found.versions == {odd: None}
    assert conviction_map(found.chosen, found.versions, 1).entities == []


def chained(log: Path, lines: list[dict[str, Any]]) -> None:
    """Write lines with hashes that hold."""
    raw, prev = b"", GENESIS
    for line in lines:
        one = encode({**line, "prev": prev})
        raw, prev = raw + one + b"\n", digest_of(one)
    log.write_bytes(raw)
