"""What no tracked file may hold: paths of a developer's machine, hosts of package indexes, notes to self."""

import re
import subprocess
from collections.abc import Iterator

import pytest

from tests.architecture.source import ROOT

# A letter of each stands in brackets, so that this file does not find itself.
FORBIDDEN: dict[str, str] = {
    "a developer's folder": r"(?<![\w.])/(?:[w]ork|[r]oot|[h]ome/[a-z]+|[U]sers/[A-Za-z]+)/",
    "a Windows folder": r"\b[A-Z]:\\[U]sers\\",
    "a package index": r"\b(?:[p]ypi\.org|[p]ythonhosted|[n]pmjs\.(?:com|org)|[a]rtifactory|[j]frog|[d]evpi)\b",
    "an index option": r"--(?:extra-)?[i]ndex-url|--[f]ind-links|--[t]rusted-host",
    "a note to self": r"\b(?:[T]ODO|[F]IXME|[H]ACK)\b",
    "how it was written": r"(?i)\b(?:[c]laude|[a]nthropic|[c]hatgpt|[c]opilot|[c]o-authored-by|as an [a]i|[a]i[ -]generated)\b",
    "who is to do what": r"(?i)\b(?:[i]ssue\s*#?\d+|this [i]ssue|[s]ubagent|this [s]ession|[c]oordinator)\b",
    "an unmerged change": r"^(?:[<]{7}|[>]{7}) ",
}
PATTERNS = {name: re.compile(pattern, re.MULTILINE) for name, pattern in FORBIDDEN.items()}


def tracked() -> list[str]:
    """Every file that is or would be committed. Without git this fails: a guard that cannot look must say so."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT,
                            capture_output=True, check=True)
    return sorted(name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file())


def findings(name: str, data: bytes) -> Iterator[str]:
    """What stands in one file that must not. Binary files are looked at too, as far as they are text."""
    text = data.decode("utf-8", "replace")
    for what, pattern in PATTERNS.items():
        for match in pattern.finditer(text):
            yield f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {what}: {match.group()!r}"


def test_no_tracked_file_tells_where_it_was_made() -> None:
    """The project speaks of the project alone."""
    names = tracked()
    assert "pyproject.toml" in names
    found = [line for name in names for line in findings(name, (ROOT / name).read_bytes())]
    assert not found, "\n" + "\n".join(found)


CANARIES = {
    "a developer's folder": "see /[w]ork/main and /[h]ome/ann/x",
    "a Windows folder": "C:\\[U]sers\\ann",
    "a package index": "https://files.[p]ythonhosted.org/x",
    "an index option": "--extra-[i]ndex-url x",
    "a note to self": "# [T]ODO later",
    "how it was written": "[C]o-Authored-By: someone",
    "who is to do what": "as [i]ssue 12 says",
    "an unmerged change": "[<]<<<<<< HEAD",
}


@pytest.mark.parametrize(("what", "text"), CANARIES.items(), ids=CANARIES.keys())
def test_each_pattern_can_fire(what: str, text: str) -> None:
    """Each pattern finds its canary, also beside other text."""
    planted = text.replace("[", "").replace("]", "")
    assert any(f": {what}: " in line for line in findings("x", f"a line\n{planted}\n".encode()))


def test_every_pattern_has_a_canary() -> None:
    """A pattern without a canary may be dead and nobody would know."""
    assert set(CANARIES) == set(PATTERNS)


FINE = ["/opt/vanta/memory", "the user agent", "https://www.sec.gov/Archives/edgar/home/x", "a trading session", "the issuer 12",
        "--home ./var", "GNU/Linux", "homework/x"]


@pytest.mark.parametrize("text", FINE)
def test_ordinary_text_passes(text: str) -> None:
    """Words of the trade are not mistaken for the forbidden ones."""
    assert list(findings("x", text.encode())) == []


def test_no_large_file() -> None:
    """Recorded payloads and build output stay outside; what ships is small."""
    large = [name for name in tracked() if (ROOT / name).stat().st_size > 1_000_000]
    assert not large
