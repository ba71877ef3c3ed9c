"""Keys that follow one another, and a witness that remembers what a home's own host could make anew."""

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from vanta.alpha.core.verification import outcome
from vanta.alpha.keys import NEXT, listed, rotate
from vanta.alpha.sealing import seal
from vanta.alpha.verifier import Verifier
from vanta.alpha.witness import look
from vanta.common.clock import SystemClock
from vanta.common.errors import CredentialsRefused, OperatorError, UsageError
from vanta.common.exitcodes import Check, Exit
from vanta.common.paths import CONTROL_LOG, OPERATOR_COMMANDS, TRADE_LOG, Home
from vanta.common.signatures import KEYS, Signer, fingerprint, successor
from vanta.common.signing_key import signer_of
from vanta.common.store.chain import chain
from vanta.common.store.checkpoint import FOLDER
from vanta.common.store.journal import FileJournal
from vanta.common.store.lock import FileLock
from vanta.suite.dispatch import main

SAID = {"at": "2026-11-27T10:00:00.000Z", "by": "ann", "reason": "yearly"}
AT = "2026-11-27T11:00:00.000Z"
LOG = "reflection_log.jsonl"


@pytest.fixture
def alpha(tmp_path: Path) -> Home:
    """The witness's own home."""
    return Home(tmp_path / "alpha").prepare()


def append(home: Home, name: str = LOG) -> None:
    """One more record, signed."""
    with closing(FileJournal(home.file(name), signer=signer_of(home))) as journal:
        journal.append("reflected", {"inputs": {}}, at=AT)


def test_another_key_signs_and_everything_still_verifies(copied: Home) -> None:
    """Checkpoints under the old key, then under the new one, each at its time."""
    old = signer_of(copied).public
    assert rotate(copied, SAID) == (old, signer_of(copied).public)
    assert listed(copied) == (old, signer_of(copied).public)
    assert sorted(path.name for path in (copied.config / "credentials" / "audit").iterdir()) == ["signing_key"]
    append(copied, "promotion_log.jsonl")
    found = {one.file: one for one in Verifier(copied).run()}
    assert found[f"{FOLDER}/promotion_log.jsonl"].level is Check.OK
    rotate(copied, SAID)
    assert len(listed(copied)) == 3


@pytest.mark.parametrize("steps", [1, 2])
def test_a_rotation_that_was_interrupted_is_carried_to_its_end(copied: Home, steps: int) -> None:
    """The new key lies there, perhaps on the list already: asking again uses that one."""
    folder = copied.config / "credentials" / "audit"
    before, before_list = (folder / "signing_key").read_bytes(), (copied.config / KEYS).read_bytes()
    _, new = rotate(copied, SAID)
    (folder / "signing_key").rename(folder / NEXT)
    (folder / "signing_key").write_bytes(before)
    (folder / "signing_key").chmod(0o600)
    if steps == 1:
        (copied.config / KEYS).write_bytes(before_list)
    assert rotate(copied, SAID)[1] == new
    assert len(listed(copied)) == 2


def test_no_key_is_replaced_under_a_running_program(copied: Home) -> None:
    """It would go on signing with the key that was replaced."""
    with FileLock(copied.lock("executor"), owner="executor", now=SystemClock().now()), \
            pytest.raises(OperatorError, match="a program runs here: executor"):
        rotate(copied, SAID)
    assert len(listed(copied)) == 1


def test_a_key_from_elsewhere_is_not_replaced_here(copied: Home, tmp_path: Path,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit's credential; and a list whose last key is somebody else's."""
    folder = copied.config / "credentials" / "audit"
    before, elsewhere = (copied.config / KEYS).read_bytes(), Signer(b"e" * 32)
    line = orjson.dumps(successor(elsewhere.public, SAID, signer_of(copied)))
    (copied.config / KEYS).write_bytes(before + line + b"\n")
    with pytest.raises(OperatorError, match="ends with a key that is not here"):
        rotate(copied, SAID)
    (copied.config / KEYS).write_bytes(before)
    loaded = tmp_path / "credentials"
    loaded.mkdir()
    shutil.copy(folder / "signing_key", loaded / "audit.signing_key")
    shutil.rmtree(folder)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(loaded))
    with pytest.raises(CredentialsRefused, match="loaded from elsewhere"):
        rotate(copied, SAID)


def test_a_witness_remembers_what_is_sound_and_sees_it_grow(copied: Home, alpha: Home) -> None:
    """Nothing is known at first; afterwards everything that only grows is kept."""
    for _ in range(2):
        assert outcome(look(copied, alpha, "executor")) is Check.OK
        place = alpha.memory / "replica" / "executor"
        assert (place / KEYS).read_bytes() == (copied.config / KEYS).read_bytes()
        assert (place / FOLDER / LOG).read_bytes() == (copied.memory / FOLDER / LOG).read_bytes()
        append(copied)


def made_anew(home: Home) -> None:
    """The log without its last record, and every signature anew, by whoever has host and key."""
    path = home.file(LOG)
    records = list(chain(path.read_bytes(), name=LOG))
    path.unlink()
    (home.memory / FOLDER / LOG).unlink()
    with closing(FileJournal(path, signer=signer_of(home))) as journal:
        for record in records[:-1]:
            journal.append(record.kind, record.payload, at=record.at, dag_id=record.dag_id, ids=record.ids)


def cut(home: Home) -> None:
    """The last record and the checkpoints of it."""
    path, signed = home.file(LOG), home.memory / FOLDER / LOG
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    kept = [line for line in signed.read_bytes().splitlines(keepends=True)
            if orjson.loads(line)["seq"] <= path.read_bytes().count(b"\n")]
    signed.write_bytes(b"".join(kept))


def another_key(home: Home) -> None:
    """All signatures anew under another key: without holding the first one, and all that is left is the log."""
    shutil.rmtree(home.config / "credentials")
    shutil.rmtree(home.memory / FOLDER)
    (home.config / KEYS).unlink()
    path = home.file(LOG)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    with closing(FileJournal(path, signer=signer_of(home))) as journal:
        journal.checkpoint(at=AT)


@pytest.mark.parametrize(("change", "alone"), [(made_anew, Check.OK), (cut, Check.OK), (another_key, Check.OK)])
def test_only_a_witness_finds_what_the_host_made_anew(copied: Home, alpha: Home, change: Callable[[Home], None],
                                                     alone: Check) -> None:
    """By itself the log verifies; it is no longer what was seen, and nothing is remembered of it."""
    append(copied)
    append(copied)
    assert outcome(look(copied, alpha, "executor")) is Check.OK
    kept = alpha.memory / "replica" / "executor" / FOLDER / LOG
    before = kept.read_bytes()
    change(copied)
    own = [one for one in Verifier(copied).run() if one.file.endswith(LOG)]
    assert outcome(own) is alone
    found = look(copied, alpha, "executor")
    assert outcome(found) is Check.CRITICAL
    assert any("was witnessed" in one.text and one.line for one in found)
    assert kept.read_bytes() == before


def test_a_log_that_is_gone_is_found_by_its_checkpoints(copied: Home, alpha: Home) -> None:
    """With them gone too, the witness knows."""
    assert outcome(look(copied, alpha, "executor")) is Check.OK
    copied.file(LOG).unlink()
    assert any("is missing, but a checkpoint covers its record" in one.text for one in Verifier(copied).run())
    assert any("is missing, but a checkpoint that was witnessed covers its record" in one.text
               for one in look(copied, alpha, "executor"))
    (copied.memory / FOLDER / LOG).unlink()
    assert not any(one.file == LOG and one.level is Check.CRITICAL for one in Verifier(copied).run())
    assert outcome(look(copied, alpha, "executor")) is Check.CRITICAL


def test_a_checkpoint_that_a_power_cut_cost_is_no_rewriting(copied: Home, alpha: Home) -> None:
    """It was never synced; the log still holds what it covered, and that is remembered until more is covered."""
    assert outcome(look(copied, alpha, "executor")) is Check.OK
    kept, signed = alpha.memory / "replica" / "executor" / FOLDER / LOG, copied.memory / FOLDER / LOG
    before = signed.read_bytes()
    signed.write_bytes(b"".join(before.splitlines(keepends=True)[:-1]))
    assert outcome(look(copied, alpha, "executor")) is Check.OK
    assert kept.read_bytes() == before
    append(copied)
    assert outcome(look(copied, alpha, "executor")) is Check.OK
    assert kept.read_bytes() == signed.read_bytes() != before


def test_what_cannot_be_read_is_not_known(copied: Home, alpha: Home) -> None:
    """A folder in the place of a file; a name that is none."""
    (copied.config / KEYS).unlink()
    (copied.config / KEYS).mkdir()
    assert Check.UNKNOWN in {one.level for one in look(copied, alpha, "executor")}
    for name in ("", "a/b", ".x"):
        with pytest.raises(UsageError, match="no name for a node"):
            look(copied, alpha, name)


def test_the_commands(copied: Home, alpha: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """As an operator types them."""
    def run(*words: str, home: Home = copied) -> int:
        return main(["audit", *words, "--home", str(home.root)])

    old = signer_of(copied).public
    assert run("key") == Exit.DONE
    assert capsys.readouterr().out == f"signs now  {fingerprint(old)}\n"
    assert run("witness", str(copied.root), "--node", "executor", home=alpha) == Check.OK
    assert "OK: everything holds together and follows what was seen before" in capsys.readouterr().out
    assert run("rotate", "--reason", " ") == Check.UNKNOWN
    assert run("rotate", "--reason", "yearly", "--by", "ann") == Exit.DONE
    assert run("key", "--json") == Exit.DONE
    assert [one["key"] for one in orjson.loads(capsys.readouterr().out.split("\n{", 1)[1].join(["{", ""]))["keys"]] == [
        old, signer_of(copied).public]
    cut(copied)
    assert run("witness", str(copied.root), "--node", "executor", home=alpha) == Check.CRITICAL
    assert "keep the evidence" in capsys.readouterr().out


def test_open_ends_are_signed_on_demand(copied: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """Of logs that nobody writes; what was signed stays as it is, and what does not hold together is not signed."""
    now = SystemClock().now()
    with closing(FileJournal(copied.file(LOG))) as journal:
        journal.append("reflected", {"inputs": {}}, at=AT)
    with closing(FileJournal(copied.file(CONTROL_LOG))) as journal:
        journal.append("control.changed", {"by": "ann"}, at=AT)
    with closing(FileJournal(copied.file(OPERATOR_COMMANDS))) as journal:
        journal.append("command.given", {"by": "ann"}, at=AT)
    running = FileJournal(copied.file(TRADE_LOG), alone=True)
    assert main(["audit", "checkpoint", "--home", str(copied.root)]) == 0
    running.close()
    said = capsys.readouterr().out.splitlines()
    assert f"{LOG}: signed 1 records" in said
    assert f"{CONTROL_LOG}: signed 1 records" in said
    assert f"{TRADE_LOG}: is being written: its program signs at each sync" in said
    assert "promotion_log.jsonl: was signed" in said
    assert {one.done for one in seal(copied, now)} == {"was signed"}
    copied.file(LOG).write_bytes(copied.file(LOG).read_bytes()[:-200])
    assert main(["audit", "checkpoint", "--home", str(copied.root)]) == 3
    assert "the log was cut" in capsys.readouterr().err


def test_nothing_to_sign_is_said(alpha: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """A new home has no log."""
    assert main(["audit", "checkpoint", "--home", str(alpha.root)]) == 0
    assert "there is no log yet" in capsys.readouterr().out
