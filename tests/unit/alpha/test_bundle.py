"""Records for somebody else: what goes into a bundle, what stays here, and what the reader can tell."""

import json
import shutil
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from tests.unit.alpha.bundles import manifest, members
from tests.unit.alpha.people import WHO, peopled
from vanta.alpha.bundle import unpacked
from vanta.alpha.core.bundle import SIGNATURE
from vanta.alpha.core.node import flatten
from vanta.alpha.core.redaction import SNAPSHOT_FIELDS
from vanta.alpha.core.scope import Scope
from vanta.alpha.core.verification import Finding, outcome
from vanta.alpha.explainer import Explainer
from vanta.alpha.exporter import Asked, SecretFound, export
from vanta.alpha.keys import listed as keys_of
from vanta.alpha.replayer import Replayer
from vanta.alpha.verifier import Verifier
from vanta.alpha.wire import pieces, snapshots
from vanta.common.canonical import sha256
from vanta.common.errors import CredentialsRefused, Missing
from vanta.common.events import Kind
from vanta.common.exitcodes import Check
from vanta.common.paths import (
    COLLECTION_LOG,
    CONTROL_LOG,
    JOURNALS,
    MANIFEST,
    OPERATOR_COMMANDS,
    PROMOTION_LOG,
    REDACTED,
    REFLECTION_LOG,
    SNAPSHOTS,
    TRADE_LOG,
    Home,
)
from vanta.common.signatures import KEYS, fingerprint
from vanta.common.signing_key import signer_of
from vanta.common.store.chain import chain
from vanta.common.store.checkpoint import FOLDER
from vanta.common.store.journal import FileJournal
from vanta.common.store.personal import FIELDS, withhold

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


def test_a_reader_elsewhere_can_tell_that_all_is_there(bundle: Path, lived_in: Home, known: str) -> None:
    """Every log to its end, every signed head, every snapshot; and it says what is not the original."""
    found = look(bundle, known)
    assert (bad(found), outcome(found)) == ([], Check.OK)
    said = {one.file: one.text for one in found}
    for name in JOURNALS:
        records = lived_in.file(name).read_bytes().count(b"\n")
        assert said[name].startswith(f"{records:,} records")
        assert said[f"{FOLDER}/{name}"].endswith("0 records lie after it")
    texts = [one.text for one in found if one.file == MANIFEST]
    assert any("values of logs are withheld" in text and "latch.released.by" in text for text in texts)
    assert any(text.startswith("3 snapshots are redacted copies") for text in texts)


def test_nobody_is_named_in_it(bundle: Path, lived_in: Home) -> None:
    """Not one of the names, addresses and paths, which the home is full of."""
    content = members(bundle)
    assert [(name, text) for name, data in content.items() for text in SPELLED if text in data] == []
    own = b"".join(lived_in.file(name).read_bytes() for name in JOURNALS) + (lived_in.config / KEYS).read_bytes()
    assert sum(text in own for text in SPELLED) >= 3
    assert not any(b"$personal" in data for data in content.values())


def test_every_field_that_names_a_person_was_withheld(bundle: Path, lived_in: Home) -> None:
    """Counted by the manifest, in logs and snapshots; each hash is that of salt and value in the home's own line."""
    said = manifest(members(bundle))
    counted = {(one.log, one.field): one.times for one in said.withheld}
    assert counted[OPERATOR_COMMANDS, "command.given.by"] == 4
    assert counted[f"config/{KEYS}", "key.by"] == 1
    assert {field for log, field in counted if log == TRADE_LOG} >= {
        "command.refused.by", "command.taken.by", "control.edited.by", "control.seen.by", "latch.released.by",
        "override.set.by"}
    assert {name for _, name in counted} <= {"key.by", *(f"{kind}.{name}" for kind, names in FIELDS.items()
                                                         for name in names)}
    assert {one.what for one in said.redacted} <= {*SNAPSHOT_FIELDS}
    line = next(one for one in lived_in.file(OPERATOR_COMMANDS).read_bytes().splitlines() if b"$personal" in one)
    by = orjson.loads(line)["payload"]["by"]
    assert sha256(f"{by['salt']}:".encode() + orjson.dumps(by["$personal"])).encode() in withhold(line)
    assert withhold(line) in members(bundle)[f"memory/{OPERATOR_COMMANDS}"]


def test_it_can_be_replayed_and_explained(bundle: Path, lived_in: Home) -> None:
    """The same decisions from copies in which nobody is named; the same tree for every order."""
    mine = Replayer(lived_in).run()
    with unpacked(bundle) as there:
        theirs = Replayer(there).run()
        assert (theirs.differences, theirs.missing) == ([], [])
        del mine.checked["document"]
        del theirs.checked["document"]
        assert theirs.checked == mine.checked
        orders = [orjson.loads(line)["ids"]["order_id"] for line in lived_in.file(TRADE_LOG).read_bytes().splitlines()
                  if b'"kind":"fill"' in line]
        for name in orders[:3]:
            assert [node.text for _, node in flatten(Explainer(there).explain(name))] == \
                   [node.text for _, node in flatten(Explainer(lived_in).explain(name))]


def test_the_same_records_make_the_same_bytes(bundle: Path, lived_in: Home, tmp_path: Path) -> None:
    """Salts and all, as long as the key and the time are the same."""
    export(lived_in, tmp_path / "again.zip", Asked(at=AT))
    assert (tmp_path / "again.zip").read_bytes() == bundle.read_bytes()


def test_only_what_a_bundle_may_hold_goes_in(bundle: Path) -> None:
    """No key, no settings, no documents, nothing of who runs here; a page for strangers and the rules."""
    content = members(bundle)
    assert b"vanta audit verify" in content["README.txt"]
    assert {name.partition("/")[0] for name in content} == {
        "README.txt", "config", "key.pem", MANIFEST, SIGNATURE, "memory", "rules"}
    assert [name for name in content if name.startswith("config/")] == [f"config/{KEYS}"]
    assert {name.split("/")[1] for name in content if name.startswith("memory/")} == {
        *JOURNALS, FOLDER, SNAPSHOTS, REDACTED}
    assert all(sha256(data) == name.rpartition("/")[2] for name, data in content.items()
               if name.startswith(f"memory/{SNAPSHOTS}/") and not name.endswith(".chunks"))
    said = manifest(content)
    assert sorted(said.rules) == sorted(name.removeprefix("rules/") for name in content if name.startswith("rules/"))
    assert [one.more for one in said.logs] == [False] * len(JOURNALS)


def test_a_full_bundle_is_the_home_for_an_archive(lived_in: Home, known: str, tmp_path: Path) -> None:
    """With names, documents and operators' files; every snapshot is the original."""
    (tmp_path / "copy").mkdir()
    made = export(lived_in, tmp_path / "full.zip", Asked(at=AT, full=True, by="ann"))
    assert (made.named, made.manifest.withheld, made.manifest.redacted, made.manifest.gone) == ([], [], [], [])
    assert made.manifest.made_by == "ann"
    content = members(tmp_path / "full.zip")
    assert {f"memory/{name}" for name in ("portfolio.json", "vault.json", "vault_overlay.json")} <= content.keys()
    for name in JOURNALS:
        assert content[f"memory/{name}"] == lived_in.file(name).read_bytes()
    found = look(tmp_path / "full.zip", known)
    assert (bad(found), "portfolio.json" in {one.file for one in found}) == ([], True)
    assert not export(lived_in, tmp_path / "cut.zip", Asked(at=AT, full=True, until=AT)).findings
    assert "memory/portfolio.json" in members(tmp_path / "full.zip").keys() - members(tmp_path / "cut.zip").keys()


SINCE, UNTIL = "2026-11-18T15:01:05.000Z", "2026-11-18T15:02:02.000Z"


def test_a_range_ends_at_signed_heads_and_takes_its_own_inputs(lived_in: Home, known: str, tmp_path: Path) -> None:
    """Logs from their first record; snapshots of the range and what was in force before; nothing open at the end."""
    made = export(lived_in, tmp_path / "x.zip", Asked(at=AT, since=SINCE, until=UNTIL))
    ends = {one.name: one for one in made.manifest.logs}
    for name in (TRADE_LOG, PROMOTION_LOG):
        records = [orjson.loads(line) for line in lived_in.file(name).read_bytes().splitlines()]
        end = ends[name]
        assert (records[end.records - 1]["at"] >= UNTIL, end.more, end.records < len(records)) == (True, True, True)
        assert records[end.since - 1]["at"] >= SINCE > records[end.since - 2]["at"]
        assert records[end.since - 1]["prev"] == end.before
        assert records[end.records]["prev"] == end.head
    whole = members(tmp_path / "x.zip")
    export(lived_in, tmp_path / "all.zip", Asked(at=AT))
    assert whole.keys() < members(tmp_path / "all.zip").keys()
    found = look(tmp_path / "x.zip", known)
    assert bad(found) == []
    assert any(f"inputs of {SINCE} to {UNTIL} only" in one.text for one in found)
    with unpacked(tmp_path / "x.zip") as there:
        again = Replayer(there).run()
        read = [digest for one in chain(there.file(REFLECTION_LOG).read_bytes(), name=REFLECTION_LOG)
                if one.kind == Kind.REFLECTED for digest in one.payload["cause"]["inputs"].values()]
        wrote = {one.payload["output"]["sha256"] for one in chain(there.file(COLLECTION_LOG).read_bytes(),
                                                                  name=COLLECTION_LOG) if one.kind == Kind.COLLECTED}
    assert read
    assert set(read) <= wrote
    assert [str(one) for one in again.differences] == []
    assert not any(TRADE_LOG in text for text in again.missing)


def test_a_range_replays_by_itself(lived_in: Home, tmp_path: Path) -> None:
    """All that a decision of it was made of goes along, from the raw payloads on."""
    span = Scope(begins="2026-11-18T15:00:30.000Z", ends=UNTIL)
    export(lived_in, tmp_path / "x.zip", Asked(at=AT, since=span.begins or "", until=UNTIL))
    with unpacked(tmp_path / "x.zip") as there:
        own = Replayer(there, span).run()
    assert ([str(one) for one in own.differences], own.missing) == ([], [])
    assert {"collected", "reflected", "promoted", "intent.approved"} <= own.checked.keys()


def test_what_the_end_of_a_range_rests_on_is_there(lived_in: Home, known: str, tmp_path: Path) -> None:
    """A promotion on later records of the trade log; a latch that was released by the second of two commands."""
    for number, until in enumerate(("2026-11-18T15:01:00.500Z", "2026-11-18T15:10:03.500Z")):
        file = tmp_path / f"{number}.zip"
        ends = {one.name: one.records for one in export(lived_in, file, Asked(at=AT, until=until)).manifest.logs}
        assert (ends[PROMOTION_LOG], ends.get(OPERATOR_COMMANDS, 0)) == ((3, 2), (5, 4))[number]
        assert bad(look(file, known)) == []


def test_a_range_without_an_end_or_beyond_it_takes_all(lived_in: Home, tmp_path: Path) -> None:
    """There is no signed head so late, so the logs go in as far as they are."""
    late = Asked(at=AT, since="2026-12-01T00:00:00.000Z", until="2026-12-02T00:00:00.000Z")
    logs = export(lived_in, tmp_path / "x.zip", late).manifest.logs
    assert [(one.more, one.since) for one in logs] == [(False, one.records + 1) for one in logs]
    assert bad(look(tmp_path / "x.zip"))[0].startswith(f"{MANIFEST}: nobody has said")


def test_payloads_can_be_left_out_and_that_is_said(lived_in: Home, known: str, tmp_path: Path) -> None:
    """Posts name those who wrote them. Nothing that is missing passes in silence."""
    made = export(lived_in, tmp_path / "x.zip", Asked(at=AT, payloads=False))
    gone = [one for one in made.manifest.gone if one.why == "raw payloads were left out"]
    assert len(gone) > 10
    with unpacked(tmp_path / "x.zip", key=known) as there:
        with pytest.raises(Missing):
            snapshots(there).get(gone[0].sha256)
        found = Verifier(there).run()
    assert bad(found) == []
    assert f"{len(gone):,} snapshots are withheld: raw payloads were left out" in [one.text for one in found]


def test_without_its_key_a_home_exports_unsigned(home: Home, known: str, tmp_path: Path) -> None:
    """And whoever reads it is not told that all is well; salts come by chance, and no key is made."""
    shutil.rmtree(home.config / "credentials")
    made = export(home, tmp_path / "x.zip", Asked(at=AT)).manifest
    assert (made.key, made.note) == ("", "not signed: the key that signs the logs is not here")
    assert not (home.config / "credentials").exists()
    assert {SIGNATURE, "key.pem"}.isdisjoint(members(tmp_path / "x.zip"))
    found = look(tmp_path / "x.zip", known)
    assert outcome(found) is Check.UNKNOWN
    assert [text for text in bad(found) if "nobody signed it" in text]
    (home.config / KEYS).unlink()
    export(home, tmp_path / "y.zip", Asked(at=AT))
    assert f"config/{KEYS}" not in members(tmp_path / "y.zip")
    assert outcome(look(tmp_path / "y.zip", known)) is Check.UNKNOWN
    folder = home.config / "credentials" / "audit"
    folder.mkdir(parents=True)
    (folder / "signing_key").write_text("not a key")
    (folder / "signing_key").chmod(0o600)
    (home.config / KEYS).write_bytes(members(tmp_path / "x.zip")[f"config/{KEYS}"])
    assert "holds no signing key" in export(home, tmp_path / "z.zip", Asked(at=AT)).manifest.note


def test_a_node_of_several_hosts_can_export(home: Home, tmp_path: Path) -> None:
    """What lies under its credentials there: an empty folder, a key without one, and public halves for everybody."""
    folder = home.config / "credentials"
    (folder / "transport").mkdir()
    for name, mode in (("build.key", 0o600), ("build.key.pub", 0o644), (".half", 0o644)):
        (folder / name).write_text("correct horse battery" if name == "build.key" else "a public word")
        (folder / name).chmod(mode)
    export(home, tmp_path / "x.zip", Asked(at=AT))
    with closing(FileJournal(home.file(CONTROL_LOG), signer=signer_of(home))) as journal:
        journal.append("control.changed", {"reason": "it was correct horse battery"}, at=AT)
    with pytest.raises(SecretFound):
        export(home, tmp_path / "y.zip", Asked(at=AT))


def test_a_credential_that_stands_in_a_log_is_not_exported(home: Home, tmp_path: Path) -> None:
    """Nor anything that looks like a secret; the place is named, the secret is not, and no file is left."""
    folder = home.config / "credentials" / "broker"
    folder.mkdir()
    (folder / "secret_key").write_text("correct horse battery")
    (folder / "secret_key").chmod(0o600)
    with closing(FileJournal(home.file(CONTROL_LOG), signer=signer_of(home))) as journal:
        journal.append("control.changed", {"reason": "it was correct horse battery"}, at=AT)
    with pytest.raises(SecretFound, match=rf"memory/{CONTROL_LOG}:3 holds the value of a credential") as raised:
        export(home, tmp_path / "x.zip", Asked(at=AT))
    assert "horse" not in str(raised.value)
    assert not (tmp_path / "x.zip").exists()
    (folder / "secret_key").write_text("another secret")
    with closing(FileJournal(home.file(CONTROL_LOG), signer=signer_of(home))) as journal:
        journal.append("control.changed", {"reason": "asked with api_key=abcdef"}, at=AT)
    with pytest.raises(SecretFound, match=rf"memory/{CONTROL_LOG}:4 holds what looks like a secret"):
        export(home, tmp_path / "x.zip", Asked(at=AT))
    (folder / "secret_key").chmod(0o644)
    with pytest.raises(CredentialsRefused, match="nobody can say whether it stands in what is exported"):
        export(home, tmp_path / "x.zip", Asked(at=AT))


def test_a_name_in_a_text_is_pointed_at(home: Home, tmp_path: Path) -> None:
    """It goes in, because the text is the why; whoever exports is told where."""
    with closing(FileJournal(home.file(CONTROL_LOG), signer=signer_of(home))) as journal:
        journal.append("control.changed", {"by": WHO[0], "reason": f"{WHO[0]} asked for it"}, at=AT)
    made = export(home, tmp_path / "x.zip", Asked(at=AT))
    says = "the text of 1 records names somebody whose name is withheld, first that of record 3"
    assert made.named == [f"{CONTROL_LOG}: {says}"]


def test_a_broken_home_is_exported_as_evidence(home: Home, known: str, tmp_path: Path) -> None:
    """What is wrong is said here and there."""
    raw = home.file(TRADE_LOG).read_bytes()
    home.file(TRADE_LOG).write_bytes(raw.replace(b'"kind":"fill"', b'"kind":"fell"', 1))
    store = pieces(home)
    lost = next(digest for digest in (orjson.loads(line)["payload"]["instruments"] for line in
                                      home.file(PROMOTION_LOG).read_bytes().splitlines()[1:]))
    (home.snapshots / lost[:2] / f"{lost}.zst").unlink()
    assert not store.has(lost)
    made = export(home, tmp_path / "x.zip", Asked(at=AT))
    assert [one.file for one in made.findings] == [TRADE_LOG, PROMOTION_LOG]
    assert outcome(look(tmp_path / "x.zip", known)) is Check.CRITICAL


def test_a_lost_payload_is_a_finding_too(home: Home, tmp_path: Path) -> None:
    """One that a manifest of payloads lists."""
    listed_by = next(orjson.loads(line)["payload"]["inputs"]["payloads"] for line in
                     home.file(COLLECTION_LOG).read_bytes().splitlines() if b'"payloads"' in line)
    payload = orjson.loads(snapshots(home).get(listed_by))[0]["sha256"]
    for path in (home.snapshots / payload[:2]).glob(f"{payload}*"):
        path.unlink()
    assert [one.file for one in export(home, tmp_path / "x.zip", Asked(at=AT)).findings] == [COLLECTION_LOG]


def test_what_nobody_can_redact_is_left_out(home: Home, known: str, tmp_path: Path) -> None:
    """An overlay that is no JSON, and half a line that was set aside."""
    digest = snapshots(home).put(b'{"by": "ann"')
    with closing(FileJournal(home.file(TRADE_LOG), signer=signer_of(home))) as journal:
        journal.append("control.seen", {"what": "overlay", "sha256": digest}, at=AT)
        journal.append("tail.repaired", {"bytes": 3, "sha256": sha256(b"ann")}, at=AT)
    home.file(f"{TRADE_LOG}.torn-9-{sha256(b'ann')[:8]}").write_bytes(b"ann")
    made = export(home, tmp_path / "x.zip", Asked(at=AT)).manifest
    assert {one.sha256 for one in made.gone} == {digest, sha256(b"ann")}
    assert bad(look(tmp_path / "x.zip", known)) == []


def test_a_home_without_logs_makes_a_bundle_of_nothing(tmp_path: Path) -> None:
    """Nothing verifies in it."""
    made = export(Home(tmp_path / "new").prepare(), tmp_path / "x.zip", Asked(at=AT)).manifest
    assert (made.home, made.logs) == ("", [])
    assert outcome(look(tmp_path / "x.zip")) is Check.UNKNOWN


def test_large_inputs_go_in_as_the_pieces_that_they_share(home: Home, known: str, tmp_path: Path) -> None:
    """Two versions of a large document share most of their pieces, and come out whole."""
    rows = [f'{{"row": {number}, "text": "{sha256(str(number).encode())}"}}\n'.encode() for number in range(6000)]
    versions = [b"".join(rows), b"".join([*rows, b"one more\n"])]
    with closing(FileJournal(home.file(COLLECTION_LOG), signer=signer_of(home))) as journal:
        for raw in versions:
            journal.append("collected", {"output": {"file": "x", "sha256": snapshots(home).put(raw)}}, at=AT)
    export(home, tmp_path / "x.zip", Asked(at=AT))
    content = members(tmp_path / "x.zip")
    one, two = (set(orjson.loads(data)["chunks"]) for name, data in content.items() if name.endswith(".chunks"))
    assert len(one & two) > 0.9 * len(one)
    with unpacked(tmp_path / "x.zip", key=known) as there:
        assert [snapshots(there).get(sha256(raw)) for raw in versions] == versions
        assert bad(Verifier(there).run()) == []


def test_a_log_whose_oldest_pieces_were_put_away_begins_where_it_begins(home: Home, known: str, tmp_path: Path) -> None:
    """The bundle's log begins at the same record, behind the same signed head."""
    name = REFLECTION_LOG
    heads = (home.memory / FOLDER / name).read_bytes().splitlines(keepends=True)
    seal = orjson.loads(heads[0])
    raw = home.file(name).read_bytes()
    piece = home.memory / "segments" / name / f"{seal['seq'] + 1:012}-{seal['size']:015}-{len(raw):015}.jsonl"
    piece.parent.mkdir(parents=True)
    piece.write_bytes(raw[seal["size"]:])
    piece.with_suffix(".checkpoints").write_bytes(b"".join(heads))
    home.file(name).write_bytes(b"")
    (home.memory / FOLDER / name).write_bytes(heads[-1])
    with closing(FileJournal(home.file(CONTROL_LOG), signer=signer_of(home))) as journal:
        journal.append("log.retired", {"journal": name, "seq": seal["seq"], "head": seal["head"]}, at=AT)
    assert bad(Verifier(home).run()) == []
    made = export(home, tmp_path / "x.zip", Asked(at=AT))
    end = next(one for one in made.manifest.logs if one.name == name)
    assert (made.findings, end.since, end.before) == ([], seal["seq"] + 1, seal["head"])
    found = look(tmp_path / "x.zip", known)
    assert bad(found) == []
    assert f"records 1 to {seal['seq']:,} were put away" in " ".join(one.text for one in found if one.file == name)
    export(home, tmp_path / "y.zip", Asked(at=AT, until=UNTIL))  # which was before they were put away
    assert bad(look(tmp_path / "y.zip", known)) == []
