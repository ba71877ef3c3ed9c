"""Tests test the real thing: no patch of our own code, no sleeping until it works, no reaching into the network."""

import ast
from collections.abc import Callable, Iterator

import pytest

from tests.architecture.source import Source, bad, calls, dotted, imports, tree
from tests.architecture.test_sizes import functions

MAY_WAIT = ("tests.scenarios", "tests.crash", "tests.processes")
"""Real processes are waited for there; everywhere else a clock is moved by hand."""

_MOCKS = ("unittest.mock", "mock", "pytest_mock", "respx", "responses", "freezegun", "time_machine")

_WORLD = ("monkeypatch.setenv", "monkeypatch.delenv", "monkeypatch.chdir", "monkeypatch.context")
"""The environment and the working folder belong to the world, not to our code."""


def patches(sources: list[Source]) -> Iterator[str]:
    """Nothing of ours is patched: worlds are simulated, ports have twins."""
    for source in sources:
        for one in imports(source):
            if any(one.target == name or one.target.startswith(name + ".") for name in _MOCKS):
                yield f"{source.at(one.node)}: {one.target}"
        for node in functions(source):
            if any(argument.arg == "mocker" for argument in (*node.args.args, *node.args.kwonlyargs)):
                yield f"{source.at(node)}: {node.name} patches"
        for name, call in calls(source):
            setter = name == "setattr" or (name.startswith("monkeypatch.") and name not in _WORLD)
            if setter and call.args and _is_ours(source, call.args[0]):
                yield f"{source.at(call)}: {name} on something of ours"


def _is_ours(source: Source, target: ast.expr) -> bool:
    name = target.value if isinstance(target, ast.Constant) else dotted(target)
    root = str(name).split(".")[0]
    return root in {one.target.rpartition(".")[2] for one in imports(source) if one.library == "vanta"} | {"vanta"}


def sleeps(sources: list[Source]) -> Iterator[str]:
    """A test that waits for time to pass is slow or flaky."""
    for source in sources:
        if not source.module.startswith(MAY_WAIT):
            for name, call in calls(source):
                if name in ("time.sleep", "sleep") and not _is_poll(call):
                    yield f"{source.at(call)}: {name}"


def _is_poll(call: ast.Call) -> bool:
    """A pause of at most a twentieth of a second, as in a loop that waits for a real process."""
    first = call.args[0] if call.args else None
    return isinstance(first, ast.Constant) and isinstance(first.value, int | float) and first.value <= 0.05


def silent_tests(sources: list[Source]) -> Iterator[str]:
    """Every test says in a sentence what it shows."""
    for source in sources:
        for node in functions(source):
            first = node.body[0]
            has_sentence = hasattr(first, "value") and isinstance(getattr(first.value, "value", None), str)
            if node.name.startswith("test_") and not has_sentence:
                yield f"{source.at(node)}: {node.name} has no sentence"


Guard = Callable[[list[Source]], Iterator[str]]

CANARIES: dict[str, tuple[Guard, dict[str, str], int]] = {
    "monkeypatch": (patches, {"tests__x": "from vanta.common import ids\nmonkeypatch.setattr(ids.x, 'y', 1)\n"
                              "monkeypatch.setattr('vanta.common.ids.x', 1)\ndef test_b(mocker): ..."}, 3),
    "mock": (patches, {"tests__x": "from unittest.mock import patch\nimport unittest.mock"}, 2),
    "setattr": (patches, {"tests__x": "from vanta.common import ids\nsetattr(ids, 'draw_home_id', f)"}, 1),
    "sleep": (sleeps, {"tests__unit__x": "import time\ntime.sleep(1)"}, 1),
    "no sentence": (silent_tests, {"tests__x": "def test_a():\n    assert 1\nclass TestX:\n    def test_b(self): ..."}, 2),
}

ALLOWED: dict[str, tuple[Guard, dict[str, str]]] = {
    "a library's cache": (patches, {"tests__x": "import praw\nmonkeypatch.setattr(praw.config.Config, 'CONFIG', None)"}),
    "another environment": (patches, {"tests__x": "def test_a(monkeypatch):\n    monkeypatch.setenv('A', '1')"}),
    "setattr on a value": (patches, {"tests__x": "setattr(row, 'x', 1)"}),
    "polling": (sleeps, {"tests__unit__x": "time.sleep(0.02)"}),
    "waiting for a process": (sleeps, {"tests__scenarios__x": "import time\ntime.sleep(0.01)"}),
    "a sentence": (silent_tests, {"tests__x": 'def test_a():\n    """It works."""'}),
}

GUARDS: list[Guard] = [patches, sleeps, silent_tests]


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.__name__)
def test_tree_obeys(guard: Guard) -> None:
    """The tests pass every guard."""
    found = list(guard(tree("tests")))
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(("guard", "files", "findings"), CANARIES.values(), ids=CANARIES.keys())
def test_guard_can_fail(guard: Guard, files: dict[str, str], findings: int) -> None:
    """Each guard finds what it is there for, in a small bad tree."""
    assert len(list(guard(bad(**files)))) == findings


@pytest.mark.parametrize(("guard", "files"), ALLOWED.values(), ids=ALLOWED.keys())
def test_guard_lets_good_code_pass(guard: Guard, files: dict[str, str]) -> None:
    """What is allowed is not reported."""
    assert list(guard(bad(**files))) == []


def test_every_guard_has_a_canary() -> None:
    """A guard without a canary may be dead and nobody would know."""
    assert {guard.__name__ for guard, _, _ in CANARIES.values()} == {guard.__name__ for guard in GUARDS}
