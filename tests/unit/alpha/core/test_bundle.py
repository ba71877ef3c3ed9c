"""What a bundle says about itself: one byte form, no place outside it, and whose word it is."""

import msgspec
import pytest

from vanta.alpha.core.bundle import (
    Copy,
    Count,
    Field,
    Gone,
    LogEnd,
    Manifest,
    Member,
    decode,
    disagreements,
    encode,
    is_member,
    is_piece,
    signed,
    trust,
)
from vanta.common.errors import StateError
from vanta.common.exitcodes import Check
from vanta.common.signatures import Signer, fingerprint

FIRST, SECOND, STRANGER = Signer(b"1" * 32), Signer(b"2" * 32), Signer(b"3" * 32)
A, B = "a" * 64, "b" * 64
MANIFEST = Manifest(
    schema="vanta.bundle/1", home="abc234", made_at="2026-11-18T16:00:00.000Z", made_by="", program="vanta 0.1.0",
    since="", until="", personal="withheld", payloads="kept", key=SECOND.public, note="", code=A,
    rules={"sources.json": B},
    logs=[LogEnd(name="trade_log.jsonl", records=3, head=A, since=1, before="0" * 64, more=False)],
    withheld=[Count(log="operator_commands.jsonl", field="command.given.by", times=2)],
    redacted=[Copy(sha256=A, what="overlay", copy=B, fields=[Field(path="by", withheld=A)])],
    gone=[Gone(sha256=B, what="torn tail", why="half a line")], members=[Member(name="README.txt", size=4, sha256=A)])


def test_a_manifest_has_one_form() -> None:
    """What is written is read again; other bytes that mean the same are refused, so that no byte of it is free."""
    raw = encode(MANIFEST)
    assert decode(raw) == MANIFEST
    assert b'{"name":"README.txt","size":4,' in raw
    for other in (raw + b"\n", raw.replace(b'"size":4', b'"size": 4'), raw.replace(b'"home"', b'"\\u0068ome"')):
        with pytest.raises(StateError, match="as it is written"):
            decode(other)


@pytest.mark.parametrize(("change", "says"), [
    ({"schema": "vanta.bundle/2"}, "not a manifest of form"),
    ({"members": [*MANIFEST.members, *MANIFEST.members]}, "lists a member twice"),
    ({"members": [Member(name="memory/dispatch.permit", size=4, sha256=A)]}, "has no place in a bundle")])
def test_a_manifest_of_another_kind_is_refused(change: dict[str, object], says: str) -> None:
    """Another form, a name twice, a name that is none of a bundle's."""
    with pytest.raises(StateError, match=says):
        decode(encode(msgspec.structs.replace(MANIFEST, **change)))


@pytest.mark.parametrize("raw", [b"", b"{}", b"\xff", b"[1]", encode(MANIFEST)[:-9],
                                 encode(MANIFEST).replace(b'"note"', b'"nothing"')])
def test_what_is_no_manifest_says_so(raw: bytes) -> None:
    """Never a crash, never an empty one."""
    with pytest.raises(StateError, match="not a manifest"):
        decode(raw)


@pytest.mark.parametrize("name", [
    "README.txt", "key.pem", "memory/trade_log.jsonl", "memory/checkpoints/control_log.jsonl", "memory/vault.json",
    f"memory/snapshots/aa/{A}", f"memory/snapshots/aa/{A}.chunks", f"memory/redacted/{B}", "config/audit_keys.jsonl",
    "config/instruments.json", "rules/sources.json"])
def test_names_that_a_bundle_has(name: str) -> None:
    """Each kind of member."""
    assert is_member(name)
    assert is_piece(name) is name.startswith("memory/snapshots/")


@pytest.mark.parametrize("name", [
    "", "/etc/passwd", "../x", "memory/../config/vanta.toml", "memory/dispatch.permit", "config/vanta.toml",
    "config/credentials/audit/signing_key", "memory/trade_log.jsonl/x", "memory\\trade_log.jsonl", "manifest.json",
    f"memory/snapshots/ab/{A}", f"memory/snapshots/aa/{A}.zst", f"memory/snapshots/aa/{A}\n", "rules/../x.json",
    "memory/executor.lock", "memory/checkpoints/x.jsonl", f"memory/redacted/{A.upper()}", "readme.txt", "./README.txt"])
def test_names_that_no_bundle_has(name: str) -> None:
    """Nothing that is acted on, that lies outside, or that two names could mean."""
    assert not is_member(name)


def test_members_are_held_to_the_list() -> None:
    """Missing, changed, put in: each is named."""
    listed = [Member(name="one", size=1, sha256=A), Member(name="two", size=2, sha256=B)]
    assert not list(disagreements(listed, {"one": (1, A), "two": (2, B)}))
    found = list(disagreements(listed, {"two": (2, A), "three": (3, B)}))
    assert [(one.file, one.level) for one in found] == [(name, Check.CRITICAL) for name in ("one", "two", "three")]
    assert [one.text.partition(":")[0] for one in found] == [
        "is on the manifest, but not here", "is not what the manifest lists", "is here, but not on the manifest"]
    assert next(disagreements(listed, {"one": (2, A), "two": (2, B)})).file == "one"


def levels(raw: bytes, signature: str, manifest: Manifest) -> list[Check]:
    """What is said of a signature."""
    return [one.level for one in signed(raw, signature, manifest)]


def test_the_signature_is_that_of_the_very_bytes() -> None:
    """Its own, another's, of other bytes; none where none is named."""
    raw, nobody = encode(MANIFEST), msgspec.structs.replace(MANIFEST, key="")
    assert levels(raw, SECOND.sign(raw), MANIFEST) == [Check.OK]
    assert levels(raw, FIRST.sign(raw), MANIFEST) == [Check.CRITICAL]
    assert levels(raw + b" ", SECOND.sign(raw), MANIFEST) == [Check.CRITICAL]
    assert levels(raw, "", MANIFEST) == [Check.CRITICAL]
    assert levels(raw, "", nobody) == []
    assert levels(raw, FIRST.sign(raw), nobody) == [Check.CRITICAL]


BOTH = (FIRST.public, SECOND.public)


@pytest.mark.parametrize(("key", "listed", "given", "level"), [
    (SECOND, BOTH, FIRST, Check.OK), (SECOND, BOTH, SECOND, Check.OK), (FIRST, BOTH, FIRST, Check.OK),
    (FIRST, BOTH, SECOND, Check.CRITICAL),  # a stranger can put the key that the reader knows behind their own
    (SECOND, BOTH, STRANGER, Check.CRITICAL), (STRANGER, BOTH, FIRST, Check.CRITICAL),
    (STRANGER, BOTH, None, Check.CRITICAL),
    (STRANGER, (STRANGER.public,), FIRST, Check.CRITICAL), (SECOND, (), SECOND, Check.CRITICAL),
    (SECOND, BOTH, None, Check.UNKNOWN), (None, BOTH, None, Check.UNKNOWN), (None, BOTH, FIRST, Check.UNKNOWN)])
def test_whose_word_it_is(key: Signer | None, listed: tuple[str, ...], given: Signer | None, level: Check) -> None:
    """Only the key that the reader knows, or one that it was replaced by, makes a pass."""
    manifest = msgspec.structs.replace(MANIFEST, key=key.public if key else "")
    assert trust(manifest, listed, fingerprint(given.public) if given else "").level is level
