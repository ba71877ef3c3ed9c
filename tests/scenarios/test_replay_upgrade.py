"""A home that an older VANTA wrote, replayed by this one: under the rules of then, and honest about the code of then.

The older one is a copy of this source tree with other rules, another version and, in one case, other code, run in a
process of its own; nothing of this process is changed.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.processes import ROOT
from tests.unit.alpha.chains import first_of, forget, replayed
from tests.unit.markets.core.book import CARDS
from vanta import __version__
from vanta.alpha.verifier import Verifier
from vanta.common.canonical import sha256
from vanta.common.exitcodes import Check
from vanta.common.paths import PROMOTION_LOG, REFLECTION_LOG, Home
from vanta.common.resources import load

LIVE = """
import sys
from pathlib import Path
from tests.unit.alpha.homes import whole
import vanta
print(vanta.__file__)
whole(Path(sys.argv[1]))
"""
RULES = (("__init__.py", f'"{__version__}"', '"0.0.9"'), ("common/data/sources.json", '"gain": 2000', '"gain": 1500'),
         ("common/data/personas.json", '"temperature_bp": 11000', '"temperature_bp": 10500'))
CODE = ("markets/core/feedfile.py", '(counts.signals_new, "new")', '(counts.signals_new, "fresh")')
Lived = Callable[..., Home]


@pytest.fixture
def lived_before(tmp_path: Path) -> Lived:
    """A home in which everything has run, made by this source tree with some texts replaced."""
    def live(*changes: tuple[str, str, str]) -> Home:
        older = tmp_path / "older"
        shutil.copytree(ROOT / "vanta", older / "vanta", ignore=shutil.ignore_patterns("__pycache__"))
        for name, old, new in changes:
            path = older / "vanta" / name
            text = path.read_text("utf-8")
            assert old in text, name
            path.write_text(text.replace(old, new), "utf-8")
        done = subprocess.run([sys.executable, "-c", LIVE, str(tmp_path / "var")], cwd=older, text=True,
                              env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(str(older))
        return Home(tmp_path / "var")

    return live


def test_a_home_replays_under_the_rules_of_then(lived_before: Lived) -> None:
    """Other source cards and personas than this version ships: not one byte differs, and their loss is found."""
    home = lived_before(*RULES)
    reflected, promoted = first_of(home, REFLECTION_LOG, "reflected"), first_of(home, PROMOTION_LOG, "promoted")
    assert reflected.payload["by"] == "markets reflect 0.0.9"
    sources = reflected.payload["cause"]["rules"]["sources"]
    assert sources != sha256(load("sources.json"))
    done = replayed(home)
    assert ([str(one) for one in done.differences], done.missing) == ([], [])
    assert {"collected", "reflected", "promoted", "intent.approved", "fill", "document"} <= set(done.checked)
    assert [one for one in Verifier(home).run() if one.level is Check.CRITICAL] == []

    shipped = {card.card_hash for card in CARDS.values()}
    [(name, card)] = [(name, digest) for name, digest in promoted.payload["rules"].items()
                      if "persona:" in name and digest not in shipped]
    forget(home, card)
    forget(home, sources)
    done = replayed(home)
    assert done.differences == []
    assert any(f"rules sources ({sources}) is missing" in what for what in done.missing)
    assert any(what.startswith("promotion_log") and card in what for what in done.missing)
    lost = {one.text for one in Verifier(home).run() if one.level is Check.CRITICAL}
    for what, digest in (("cause.rules.sources", sources), (f"rules.{name}", card)):
        assert f"promises {what}: snapshot {digest}.zst is not in the store" in lost


def test_other_code_is_a_difference_that_says_so(lived_before: Lived) -> None:
    """A sentence of a feed's file that this version words otherwise: named, with both values and both versions."""
    home = lived_before(RULES[0], CODE)
    first = replayed(home).differences[0]
    assert (first.stage, first.found.field.partition(".json.")[2]) == ("signals", "status_reason")
    assert "fresh" in first.found.recorded
    assert "fresh" not in first.found.recomputed
    assert first.other_code
    assert f"0.0.9, this is {__version__}: the difference may be the code's" in str(first)
