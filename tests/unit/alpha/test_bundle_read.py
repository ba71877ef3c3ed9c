"""What the reader of a bundle does with it, and what somebody could have done to it on the way."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.alpha.bundles import Members, listed, manifest, members, packed
from tests.unit.alpha.people import WHO, peopled
from vanta.alpha.archive import Hindered
from vanta.alpha.bundle import TRUSTED, unpack, unpacked
from vanta.alpha.core.bundle import SIGNATURE
from vanta.alpha.core.verification import Finding, outcome
from vanta.alpha.exporter import Asked, export
from vanta.alpha.keys import listed as keys_of
from vanta.alpha.verifier import Verifier, verify_file
from vanta.alpha.wire import snapshots
from vanta.common.canonical import sha256
from vanta.common.errors import Missing, OperatorError, StateError, UsageError
from vanta.common.exitcodes import Check
from vanta.common.paths import (
    CONTROL_LOG,
    MANIFEST,
    OPERATOR_COMMANDS,
    REDACTED,
    SNAPSHOTS,
    TRADE_LOG,
    Home,
)
from vanta.common.signatures import KEYS, Signer, fingerprint, first
from vanta.common.signing_key import signer_of
from vanta.common.store.checkpoint import FOLDER

AT = "2026-11-18T16:00:00.000Z"
SPELLED = [json.dumps(name, ensure_ascii=escaped)[1:-1].encode() for name in WHO for escaped in (True, False)]


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The home. Only to be read."""
    return peopled(tmp_path_factory.mktemp("people") / "var")


@pytest.fixture
def home(lived_in: Home, tmp_path: Path) -> Home:
    """A copy of it, to be damaged."""
    shutil.copytree(lived_in.root, tmp_path / "home")
    return Home(tmp_path / "home")


@pytest.fixture(scope="module")
def known(lived_in: Home) -> str:
    """The fingerprint that the reader was told."""
    return fingerprint(keys_of(lived_in)[0])


@pytest.fixture(scope="module")
def bundle(lived_in: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As it is given to a stranger. Only to be read."""
    path = tmp_path_factory.mktemp("bundle") / "records.zip"
    assert not export(lived_in, path, Asked(at=AT)).findings
    return path


def look(path: Path, key: str = "") -> list[Finding]:
    """What the reader's verification says."""
    with unpacked(path, key=key) as there:
        return Verifier(there).run()


def bad(findings: list[Finding]) -> list[str]:
    """What is not in order."""
    return [f"{one.file}: {one.text}" for one in findings if one.level is not Check.OK]


# what the reader does with it

def test_it_is_laid_out_in_an_empty_folder_only(bundle: Path, tmp_path: Path, known: str) -> None:
    """And what was there stays; a folder that cannot be made is said."""
    (tmp_path / "there").mkdir()
    assert unpack(bundle, tmp_path / "there", key=known).root == tmp_path / "there"
    before = sorted(tmp_path.rglob("*"))
    (tmp_path / "file").write_bytes(b"x")
    for place, says in ((tmp_path / "there", "is not an empty folder"), (tmp_path / "file", "is not an empty folder"),
                        (tmp_path / "no" / "where", "cannot be made")):
        with pytest.raises(UsageError, match=says):
            unpack(bundle, place)
    (tmp_path / "file").unlink()
    assert sorted(tmp_path.rglob("*")) == before
    assert outcome(Verifier(Home(tmp_path / "there")).run()) is Check.OK
    assert (tmp_path / "there" / TRUSTED).read_text() == f"{known}\n"


def test_it_is_only_read(bundle: Path, tmp_path: Path) -> None:
    """Nobody writes into evidence, and nobody passes it on as their own."""
    there = unpack(bundle, tmp_path / "there")
    for writes in (there.prepare, lambda: there.lock("executor"), lambda: signer_of(there),
                   lambda: export(there, tmp_path / "x.zip", Asked(at=AT))):
        with pytest.raises(OperatorError, match="was laid out from an audit bundle"):
            writes()
    with pytest.raises(StateError, match="was laid out from a bundle"):
        snapshots(there).put(b"x")
    assert all(path.stat().st_mode & 0o222 == 0 for path in there.root.rglob("*") if path.is_file())


def test_a_folder_that_filled_up_is_left_empty(bundle: Path, tmp_path: Path, known: str) -> None:
    """A bundle that breaks off in its middle leaves nothing that could be taken for a home."""
    content = members(bundle)
    name = next(name for name in content if name.startswith(f"memory/{SNAPSHOTS}/"))
    broken = packed(tmp_path / "x.zip", {**content, name: content[name][:-1] + b"?"})
    (tmp_path / "there").mkdir()
    for root in (tmp_path / "there", tmp_path / "new"):
        with pytest.raises(StateError, match=f"{name}: is not what the manifest lists"):
            unpack(broken, root, key=known)
    assert (list((tmp_path / "there").iterdir()), (tmp_path / "new").exists()) == ([], False)


@pytest.mark.parametrize(("options", "says"), [
    ("size=300k", "there is room for"), ("nr_inodes=12", "cannot be written: No space left"),
    ("nr_inodes=28", "cannot be written: No space left")], ids=["all", "a log", "a snapshot"])
def test_where_there_is_no_room_nothing_is_said_about_the_bundle(bundle: Path, tmp_path: Path, options: str,
                                                                 says: str) -> None:
    """Too small a disk for all of it, which is said before anything is written, or for as many files."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", options, "none", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a small disk can be mounted by root only, and not in every container")
    try:
        with pytest.raises(Hindered, match=says):
            unpack(bundle, disk / "there")
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_home_of_ones_own_that_lacks_a_name_was_tampered_with(home: Home, bundle: Path) -> None:
    """The chain holds without the name; only a bundle may lack it."""
    content = members(bundle)
    home.file(OPERATOR_COMMANDS).write_bytes(content[f"memory/{OPERATOR_COMMANDS}"])
    says = f"{OPERATOR_COMMANDS}: a value was withheld from this record: that is no log of a home's own"
    assert says in bad(Verifier(home).run())
    assert says in bad(verify_file(home.file(OPERATOR_COMMANDS)))
    (home.root / MANIFEST).write_bytes(b"{}\n")
    assert outcome(Verifier(home).run()) is Check.CRITICAL


def changes(there: Home) -> Iterator[Path]:
    """One thing after the other is done to what was laid out."""
    root = there.root
    for path in (there.file(TRADE_LOG), there.memory / FOLDER / CONTROL_LOG, root / "README.txt", root / MANIFEST,
                 root / SIGNATURE, next((there.memory / REDACTED).iterdir()), next(there.snapshots.glob("*/*"))):
        path.chmod(0o640)
        raw = path.read_bytes()
        more = [] if path.suffix == ".zst" else [raw + b"x"]  # what follows a compressed piece is not part of it
        for other in (raw[:-1], raw[:9] + bytes([raw[9] ^ 1]) + raw[10:], *more):
            path.write_bytes(other)
            yield path
        path.unlink()
        yield path
        path.symlink_to("/dev/null")
        yield path
        path.unlink()
        path.write_bytes(raw)
    piece = next(there.snapshots.glob("*/*"))
    for path in (there.file("dispatch.permit"), there.file("vault_overlay.json"), root / "config" / "vanta.toml",
                 there.memory / REDACTED / ("0" * 64), piece.with_suffix(""), piece.with_name("0" * 64 + ".zst")):
        path.write_bytes(b"x")
        yield path
        path.unlink()
    (root / "link").symlink_to(root / "memory")
    yield root / "link"
    (root / "link").unlink()


def test_whatever_is_changed_afterwards_is_found(bundle: Path, tmp_path: Path, known: str) -> None:
    """Changed, cut, lengthened, taken away, replaced by a link, or put in: it is no longer what was signed."""
    there = unpack(bundle, tmp_path / "there", key=known)
    seen = 0
    for path in changes(there):
        assert outcome(Verifier(there).run()) is Check.CRITICAL, path
        seen += 1
    assert seen == 41
    assert outcome(Verifier(there).run()) is Check.OK


def test_a_copy_that_was_exchanged_is_not_used(bundle: Path, tmp_path: Path) -> None:
    """Nor is one looked for where the manifest is gone."""
    there = unpack(bundle, tmp_path / "there")
    copy = next((there.memory / REDACTED).iterdir())
    assert snapshots(there).has(copy.name)
    assert not snapshots(there).has("0" * 64)
    assert sha256(snapshots(there).get(copy.name)) != copy.name
    copy.chmod(0o640)
    copy.write_bytes(b"{}")
    with pytest.raises(StateError, match="is not the one that the manifest lists"):
        snapshots(there).get(copy.name)
    (there.root / MANIFEST).unlink()
    (there.root / MANIFEST).write_bytes(b"")
    with pytest.raises(Missing):
        snapshots(there).get(copy.name)


# what somebody could do to it on the way

STRANGER = Signer(b"s" * 32)


def forged(content: Members) -> Iterator[tuple[str, Members]]:
    """Bundles that are whole as files and were made by somebody else."""
    log, heads = f"memory/{CONTROL_LOG}", f"memory/{FOLDER}/{CONTROL_LOG}"
    lines = content[log].splitlines(keepends=True)
    without = {name: data for name, data in content.items() if name != log}
    yield "a member is dropped", without
    yield "a member is dropped from the list too", listed(without)
    yield "a member is put in", {**content, "memory/vault.json": b"{}"}
    yield "a member is renamed", {**without, "memory/vault.json": content[log]}
    yield "two members are swapped", {**content, log: content[heads], heads: content[log]}
    yield "a record is cut off", {**content, log: b"".join(lines[:-1])}
    yield "a record is cut off, unsigned", listed({**content, log: b"".join(lines[:-1])})
    yield "the signature is dropped", {name: data for name, data in content.items() if name != SIGNATURE}
    yield "the signature is another's", {**content, SIGNATURE: STRANGER.sign(content[MANIFEST]).encode() + b"\n"}
    yield "the signature has no end", {**content, SIGNATURE: content[SIGNATURE].rstrip()}
    yield "a stranger signed", listed(content, STRANGER)
    theirs = {f"config/{KEYS}": orjson.dumps(first(STRANGER.public)) + b"\n"}
    yield "a stranger signed, with a list of their own", listed({**content, **theirs}, STRANGER)
    both = {f"config/{KEYS}": theirs[f"config/{KEYS}"] + content[f"config/{KEYS}"]}
    yield "a stranger put the home's keys behind theirs", listed({**content, **both}, STRANGER)
    hidden = content[f"memory/{OPERATOR_COMMANDS}"].partition(b'"$withheld":"')[2][:64]
    other = content[f"memory/{OPERATOR_COMMANDS}"].replace(hidden, sha256(b"eve").encode())
    yield "a withheld value is another's", {**content, f"memory/{OPERATOR_COMMANDS}": other}
    yield "a withheld value is another's, unsigned", listed({**content, f"memory/{OPERATOR_COMMANDS}": other})
    named = content[f"memory/{OPERATOR_COMMANDS}"].replace(b'{"$withheld":"' + hidden + b'"}', b'"eve"')
    yield "a name is put in its place, unsigned", listed({**content, f"memory/{OPERATOR_COMMANDS}": named})
    said = manifest(content)
    yield "a copy is another one", listed({**content, f"memory/{REDACTED}/{said.redacted[0].sha256}": b"{}"})
    piece = next(name for name in content if name.startswith(f"memory/{SNAPSHOTS}/"))
    gone = listed({name: data for name, data in content.items() if name != piece})
    yield "a snapshot is said to be withheld", listed(gone, gone=[
        *said.gone, {"sha256": piece[-64:], "what": "overlay", "why": "it is secret"}])
    end = next(one for one in said.logs if one.name == TRADE_LOG)
    yield "the range is said to be shorter", listed(gone, logs=[
        msgspec.structs.replace(end, since=end.records + 1, before=end.head)])


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_byte_of_any_member_is_free(bundle: Path, tmp_path: Path, known: str, data: st.DataObject) -> None:
    """Whichever is another one, in a file that is whole as an archive, with the reader's key or without."""
    content = members(bundle)
    name = data.draw(st.sampled_from(sorted(name for name, raw in content.items() if raw)))
    raw, bits = content[name], data.draw(st.integers(1, 255))
    at = data.draw(st.integers(0, len(raw) - 1))
    path = packed(tmp_path / "x.zip", {**content, name: raw[:at] + bytes([raw[at] ^ bits]) + raw[at + 1:]})
    try:
        assert outcome(look(path, known)) is Check.CRITICAL
    except StateError:
        return


@pytest.mark.parametrize("change", [{"records": 3}, {"head": "0" * 64}, {"since": 2, "before": "0" * 64}], ids=str)
def test_the_owner_cannot_say_of_a_log_what_it_is_not(bundle: Path, lived_in: Home, tmp_path: Path, known: str,
                                                      change: dict[str, object]) -> None:
    """Signed with the right key: logs are held to the manifest all the same."""
    content = members(bundle)
    logs = [msgspec.structs.replace(one, **change) if one.name == TRADE_LOG else one for one in manifest(content).logs]
    found = look(packed(tmp_path / "x.zip", listed(content, signer_of(lived_in), logs=logs)), known)
    assert next(one.file for one in found if one.level is Check.CRITICAL) == TRADE_LOG


def test_nothing_that_is_done_to_it_on_the_way_passes(bundle: Path, tmp_path: Path, known: str) -> None:
    """With the key that the reader knows, and without one."""
    names = []
    for what, content in forged(members(bundle)):
        path = packed(tmp_path / "x.zip", content)
        for key in (known, ""):
            try:
                level = outcome(look(path, key))
            except StateError:
                level = Check.CRITICAL
            assert level is not Check.OK, what
            signed_by_somebody = SIGNATURE in content and what != "the signature is dropped"
            assert level is Check.CRITICAL or not (signed_by_somebody and key), what
        names.append(what)
    assert len(names) == 19
    assert os.path.lexists(packed(tmp_path / "x.zip", members(bundle)))
    assert outcome(look(tmp_path / "x.zip", known)) is Check.OK
