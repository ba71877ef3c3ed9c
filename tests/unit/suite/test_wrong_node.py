"""A program of one node that is started on the host of another: it does not begin, and says where it belongs."""

from pathlib import Path

import pytest

from vanta.common.exitcodes import Exit
from vanta.common.paths import Home
from vanta.suite.dispatch import main

EXECUTOR = [["executor", "run"], ["executor", "once"], ["executor", "sweep"]]
MARKETS = [["markets", "collect", "sec"], ["markets", "reflect"], ["markets", "promote"], ["markets", "run"]]


@pytest.mark.parametrize(("node", "words"), [
    *(("alpha", words) for words in (*EXECUTOR, *MARKETS)), *(("markets", words) for words in EXECUTOR),
    *(("executor", words) for words in MARKETS)], ids=lambda one: one if isinstance(one, str) else " ".join(one))
def test_it_is_refused_and_writes_nothing(tmp_path: Path, node: str, words: list[str],
                                          capsys: pytest.CaptureFixture[str]) -> None:
    """Two writers of one log on two hosts would be two truths."""
    home = Home(tmp_path / "home").prepare()
    (home.config / "vanta.toml").write_text(f'[node]\nname = "{node}"\n')
    assert main([*words, "--home", str(home.root)]) == Exit.CONFIG
    assert f"this runs on the node {words[0]}" in capsys.readouterr().err
    assert not [path for path in home.memory.rglob("*") if path.is_file()]
