"""Whatever byte of whatever log is changed, cut, dropped or put in, written or sealed or packed: it is found."""

import shutil
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from vanta.alpha.core.verification import outcome
from vanta.alpha.housekeeping import Housekeeping, Order
from vanta.alpha.reading import journal_bytes
from vanta.alpha.tracker import New, desk
from vanta.alpha.verifier import Verifier, verify_file
from vanta.alpha.wire import ask, assistant_log, control_log
from vanta.common.canonical import canonical
from vanta.common.clock import FixedClock
from vanta.common.errors import StateError
from vanta.common.events import Kind
from vanta.common.exitcodes import Check
from vanta.common.models.configuration import RetentionSettings
from vanta.common.paths import (
    CALLS,
    COLLECTION_LOG,
    CONTROL_LOG,
    JOURNALS,
    OPERATOR_COMMANDS,
    PROMOTION_LOG,
    REFLECTION_LOG,
    TRADE_LOG,
    Home,
)
from vanta.common.signing_key import signer_of
from vanta.common.store import segments
from vanta.common.store.checkpoint import FOLDER
from vanta.common.store.journal import FileJournal
from vanta.common.store.snapshot import FileSnapshots

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
LOGS = [name for name in JOURNALS if name not in CALLS[1:]]
"""One of the logs of calls stands for all."""


class Small(FileJournal):
    """Seals from the first byte on."""

    least = 1


@pytest.fixture(scope="module")
def everything(lived: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with records in every log: some sealed and packed, some sealed, some written."""
    home = Home(tmp_path_factory.mktemp("everything") / "home")
    shutil.copytree(lived.root, home.root)
    with control_log(home, NOW) as journal:
        journal.append(Kind.CONTROL_CHANGED, {"what": "overlay", "before": None, "after": "0" * 64, "by": "ann",
                                              "reason": "drill", "account": "ann", "uid": "1000"},
                       at="2026-11-20T15:00:00.000Z")
    ask(home, {"kind": "cancel"}, by="ann", reason="drill", now=NOW)
    with desk(home, FixedClock(NOW), by="ann") as one:
        one.note(one.add(New(title="the feed is stale", owner="ann")).id, "it answers again")
    with assistant_log(home, NOW) as journal:
        journal.append(Kind.MODEL_ANSWERED, {"asked": 1, "verdict": "used", "why": "", "bytes": 1, "answer": None,
                                             "ms": 1}, at="2026-11-20T15:00:00.000Z")
    _another_day(home, 19)
    Housekeeping(home, Order(now=NOW, real=NOW, by="ann", retention=RetentionSettings())).run()
    _another_day(home, 20)
    return home


def _another_day(home: Home, day: int) -> None:
    """One more record in each log that is sealed: none that another log or document rests on."""
    empty = FileSnapshots(home.snapshots).put(canonical({}))
    for name in (TRADE_LOG, COLLECTION_LOG, REFLECTION_LOG, PROMOTION_LOG):
        with closing(Small(home.file(name), signer=signer_of(home), daily=True)) as journal:
            kind, said = ((Kind.TAIL_REPAIRED, {"sha256": empty, "bytes": 2}) if name == TRADE_LOG else
                          (Kind.PROGRAM_STOPPED, {}))
            journal.append(kind, said, at=f"2026-11-{day}T06:00:00.000Z")
            if name == TRADE_LOG:
                journal.path.with_name(f"{name}.torn-{journal.head().seq}-{empty[:8]}").write_bytes(b"{}")


def files(home: Home, name: str) -> list[Path]:
    """Where a log's bytes are, its signed heads among them."""
    return [path for path in (*sorted(segments.folder(home.file(name)).glob("*")), home.file(name),
                              home.memory / FOLDER / name) if path.is_file()]


def test_the_home_verifies_as_it_is(everything: Home) -> None:
    """Otherwise everything below would show nothing; each sealed log has a packed piece and one that is not."""
    for name in JOURNALS:
        assert outcome(verify_file(everything.file(name))) is Check.OK, name
    assert [str(one) for one in Verifier(everything).run() if one.level is Check.CRITICAL] == []
    for name in (TRADE_LOG, COLLECTION_LOG, REFLECTION_LOG, PROMOTION_LOG):
        assert [one.packed for one in segments.sealed(everything.file(name))] == [True, False]
    assert b"$personal" in everything.file(CONTROL_LOG).read_bytes()
    assert b"$personal" in everything.file(OPERATOR_COMMANDS).read_bytes()


def content(log: Path) -> bytes:
    """What a reader of the log gets."""
    try:
        return journal_bytes(log)
    except StateError as error:
        return error.what.encode()


@pytest.mark.parametrize("name", LOGS)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_change_of_any_byte_is_found(everything: Home, name: str, data: st.DataObject) -> None:
    """One byte becomes another, goes, or comes in between. Only a packed piece may hold the same in other bytes."""
    log = everything.file(name)
    path = data.draw(st.sampled_from(files(everything, name)))
    raw, before = path.read_bytes(), content(log)
    at = data.draw(st.integers(0, len(raw) - 1))
    other = data.draw(st.integers(0, 255))
    changed = data.draw(st.sampled_from([raw[:at] + bytes([other]) + raw[at + 1:], raw[:at] + raw[at + 1:],
                                         raw[:at] + bytes([other]) + raw[at:]]))
    assume(changed != raw)
    mode = path.stat().st_mode
    path.chmod(0o640)
    path.write_bytes(changed)
    try:
        found = verify_file(log)
        assert outcome(found) is not Check.OK or (path.name.endswith(segments.PACKED) and content(log) == before)
    finally:
        path.write_bytes(raw)
        path.chmod(mode)


@pytest.mark.parametrize("name", LOGS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whole_lines_that_go_come_or_change_places_are_found(everything: Home, name: str, data: st.DataObject) -> None:
    """Dropped, doubled, swapped, and every cut of the written file's tail."""
    log = everything.file(name)
    raw = log.read_bytes()
    lines = raw.splitlines(keepends=True)
    one, other = (data.draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    swapped = list(lines)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    changed = data.draw(st.sampled_from([
        b"".join(lines[:one] + lines[one + 1:]), b"".join(lines[:one] + [lines[one]] * 2 + lines[one + 1:]),
        b"".join(swapped), b"".join(lines[:one]), raw[:data.draw(st.integers(0, len(raw) - 1))]]))
    assume(changed != raw)
    log.write_bytes(changed)
    try:
        assert outcome(verify_file(log)) is not Check.OK
    finally:
        log.write_bytes(raw)


@pytest.mark.parametrize("name", [TRADE_LOG, COLLECTION_LOG, REFLECTION_LOG, PROMOTION_LOG])
def test_a_sealed_piece_that_goes_is_found(everything: Home, name: str) -> None:
    """The first, the last, each with its checkpoints or without; the written file too."""
    log = everything.file(name)
    first, last = segments.sealed(log)
    for gone in ([first.path], [first.path, first.checkpoints], [last.path], [last.path, last.checkpoints], [log]):
        kept = {path: path.read_bytes() for path in gone}
        for path in gone:
            path.unlink()
        try:
            assert outcome(Verifier(everything).run()) is Check.CRITICAL, [path.name for path in gone]
        finally:
            for path, raw in kept.items():
                path.write_bytes(raw)
