"""The state tree: every file has one name, one writer, one node."""

from pathlib import Path

import pytest

from vanta.common import paths
from vanta.common.errors import OperatorError, UsageError
from vanta.common.paths import FEEDS, JOURNALS, STATE, Home, StateFile, own


def test_every_file_is_listed_once() -> None:
    """No name stands twice."""
    names = [file.name for file in STATE]
    assert len(set(names)) == len(names)


def test_every_name_in_the_module_is_in_the_table() -> None:
    """A file name without an owner in the table would be nobody's."""
    constants = {value for name, value in vars(paths).items()
                 if name.isupper() and isinstance(value, str) and ("." in value)}
    beside = {paths.MANIFEST,  # of what was laid out from a bundle, which nobody writes
              paths.FAR_COMMANDS}  # of what arrived from Alpha
    assert constants <= {file.name for file in STATE} | beside
    assert set(JOURNALS) <= {file.name for file in STATE}
    assert {paths.signals_file(feed) for feed in FEEDS} <= {file.name for file in STATE}


@pytest.mark.parametrize("file", STATE, ids=lambda file: file.name)
def test_each_file_is_described(file: StateFile) -> None:
    """Each has a writer, a node and a sentence; documents have a model, journals and markers do not."""
    assert file.node in ("alpha", "markets", "executor")
    assert file.writer
    assert len(file.what) > 8
    assert (file.model is not None) == file.name.endswith(".json")


def test_home_lays_out_the_tree(tmp_path: Path) -> None:
    """All paths lie below the home."""
    home = Home(tmp_path)
    assert home.file("vault.json") == tmp_path / "memory" / "vault.json"
    assert home.lock("executor") == tmp_path / "memory" / "executor.lock"
    assert home.snapshots == tmp_path / "memory" / "snapshots"
    assert home.collector_state("sec") == tmp_path / "memory" / "collectors" / "sec"
    assert (home.logs, home.config) == (tmp_path / "logs", tmp_path / "config")


def test_what_was_laid_out_from_a_bundle_is_nobodys_to_write(tmp_path: Path) -> None:
    """Its manifest says so, whatever that is."""
    home = Home(tmp_path).prepare()
    assert own(home) is home
    (tmp_path / paths.MANIFEST).symlink_to("nowhere")
    for writes in (home.prepare, lambda: home.lock("executor"), lambda: own(home)):
        with pytest.raises(OperatorError, match="was laid out from an audit bundle"):
            writes()
    assert home.existing() is home


def test_prepare_makes_the_folders_and_may_be_repeated(tmp_path: Path) -> None:
    """A fresh home gets its folders; a used one keeps its files."""
    home = Home(tmp_path / "new" / "home").prepare()
    home.file("vault.json").write_text("{}")
    assert home.prepare().existing() is home
    assert sorted(path.name for path in home.root.iterdir()) == sorted(paths.FOLDERS)
    assert home.file("vault.json").read_text() == "{}"


def test_prepare_says_when_it_cannot(tmp_path: Path) -> None:
    """A file where the home should be is an operator's error with a cure."""
    (tmp_path / "home").write_text("")
    with pytest.raises(OperatorError, match=r"cannot be prepared: .*\n.*--home or VANTA_HOME"):
        Home(tmp_path / "home").prepare()


def test_a_folder_that_is_no_home_is_refused(tmp_path: Path) -> None:
    """A mistyped --home is a usage error, never a fresh empty home."""
    with pytest.raises(UsageError, match="is not a VANTA home"):
        Home(tmp_path).existing()
    assert list(tmp_path.iterdir()) == []
