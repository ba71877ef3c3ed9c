"""What belongs to another node does not begin here, and says where it belongs: programs, switches, vaults."""

from pathlib import Path

import pytest

from tests.processes import ROOT
from vanta.common.exitcodes import Exit
from vanta.common.paths import OVERLAY, VAULTS, Home
from vanta.suite.dispatch import main

DEMO = ROOT / "memory_fixtures" / "demo"
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


SWITCHES = [["overlay", "set", "full_halt"], ["overlay", "flip", "--end"], ["run", "mode", "full_halt"],
            ["run", "kill"], ["overlay", "clear", "full_halt", "--reason", "x", "--confirm", "full_halt"]]
OFF = '{"maintenance": false, "orders_disabled": false, "external_calls_disabled": false, "full_halt": false'


def several(tmp_path: Path, node: str) -> Home:
    """A node's home, with what arrived of Alpha's."""
    home = Home(tmp_path / "home").prepare()
    (home.config / "vanta.toml").write_text(f'[node]\nname = "{node}"\n')
    for name, text in ((VAULTS, (DEMO / "memory" / VAULTS).read_text()), (OVERLAY, f"{OFF}}}")):
        path = home.replica("alpha").file(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return home


@pytest.mark.parametrize("words", SWITCHES, ids=" ".join)
def test_no_switch_is_set_where_nobody_asks_for_it(tmp_path: Path, words: list[str],
                                                   capsys: pytest.CaptureFixture[str]) -> None:
    """On Markets a halt would look as if it held: it ends as a halt of which that is not known, and writes nothing."""
    home = several(tmp_path, "markets")
    assert main([*words, "--home", str(home.root)]) == Exit.OUTCOME_UNKNOWN
    assert "nothing is stopped: this is the node markets" in capsys.readouterr().err
    assert not home.file(OVERLAY).exists()


def test_a_look_at_what_arrived(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On Markets the overlay is Alpha's; on both other nodes the vaults are, and they are changed there."""
    home = several(tmp_path, "markets")
    assert main(["overlay", "show", "--home", str(home.root)]) == Exit.DONE
    assert "these bytes permit an order" in capsys.readouterr().out
    for node in ("markets", "executor"):
        home = several(tmp_path / node, node)
        assert main(["vault", "list", "--home", str(home.root)]) == Exit.DONE
        assert "V_SWIFT" in capsys.readouterr().out
        words = ["vault", "edit", "--set", "V_CORE.risk.max_drawdown=0.01", "--home", str(home.root)]
        assert main(words) == Exit.CONFIG
        assert "the vaults are Alpha's" in capsys.readouterr().err
        assert not home.file(VAULTS).exists()


def test_the_executors_own_overlay_knows_alphas_vaults(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A part is halted on the executor's host too."""
    home = several(tmp_path, "executor")
    home.file(OVERLAY).write_text(f"{OFF}}}")
    words = ["overlay", "set", "maintenance", "--scope"]
    assert main([*words, "vault:V_CORE", "--until", "2h", "--home", str(home.root)]) == Exit.DONE
    assert main([*words, "vault:V_NONE", "--home", str(home.root)]) == Exit.USAGE
    assert main(["overlay", "check", str(home.file(OVERLAY)), "--home", str(home.root)]) == Exit.DONE
    assert "only in part" in capsys.readouterr().out
