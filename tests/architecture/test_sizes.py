"""Limits that keep the code livable: lines of a module and a function, methods of a class, parameters."""

import ast
from collections.abc import Callable, Iterator

import pytest

from tests.architecture.source import Source, bad, dotted, tree

MODULE_LINES = 400
TEST_LINES = 500  # tables of cases are long and easy to read
FUNCTION_LINES = 50
PUBLIC_METHODS = 10
PARAMETERS = 5

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(source: Source) -> Iterator[Function]:
    """Every function and method."""
    return (node for node in ast.walk(source.tree) if isinstance(node, Function))


def module_size(sources: list[Source], limit: int = MODULE_LINES) -> Iterator[str]:
    """No module grows beyond what one can keep in mind."""
    for source in sources:
        lines = source.text.count("\n")
        if lines > limit:
            yield f"{source.path}: {lines} lines, at most {limit}"


def function_size(sources: list[Source]) -> Iterator[str]:
    """A function's body, without its docstring, fits on a screen."""
    for source in sources:
        for node in functions(source):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
            if lines > FUNCTION_LINES:
                yield f"{source.at(node)}: {node.name} has {lines} lines, at most {FUNCTION_LINES}"


def public_methods(sources: list[Source]) -> Iterator[str]:
    """A class does few things."""
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ClassDef):
                public = [one.name for one in node.body if isinstance(one, Function) and not one.name.startswith("_")]
                if len(public) > PUBLIC_METHODS:
                    yield f"{source.at(node)}: {node.name} has {len(public)} public methods, at most {PUBLIC_METHODS}"


def parameters(sources: list[Source]) -> Iterator[str]:
    """More than five parameters become a frozen request object. The options of a command line are its interface."""
    for source in sources:
        for node in functions(source):
            given = [one.arg for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
            given = given[1:] if given[:1] in (["self"], ["cls"]) else given
            if len(given) > PARAMETERS and not _is_command(node):
                yield f"{source.at(node)}: {node.name} has {len(given)} parameters, at most {PARAMETERS}"


def _is_command(node: Function) -> bool:
    names = [dotted(one.func if isinstance(one, ast.Call) else one) for one in node.decorator_list]
    return any(name.endswith((".command", ".callback")) for name in names)


Guard = Callable[[list[Source]], Iterator[str]]
LONG = "def f():\n" + "    x = 1\n" * 51
METHODS = "class A:\n" + "".join(f"    def m{n}(self): ...\n" for n in range(11))

CANARIES: dict[str, tuple[Guard, dict[str, str], int]] = {
    "long module": (module_size, {"vanta__x": "x = 1\n" * 401}, 1),
    "long function": (function_size, {"vanta__x": LONG}, 1),
    "long method": (function_size, {"vanta__x": "class A:\n" + "".join(f"    {line}\n" for line in LONG.splitlines())}, 1),
    "long nested statement": (function_size, {"vanta__x": "def f():\n    return [\n" + "    1,\n" * 50 + "    ]"}, 1),
    "many methods": (public_methods, {"vanta__x": METHODS}, 1),
    "many parameters": (parameters, {"vanta__x": "def f(a, b, c, *, d, e, f): ..."}, 1),
    "many parameters of a method": (parameters, {"vanta__x": "class A:\n    def f(self, a, b, c, d, e, f): ..."}, 1),
}

ALLOWED: dict[str, tuple[Guard, dict[str, str]]] = {
    "a long docstring": (function_size, {"vanta__x": 'def f():\n    """' + "x\n" * 60 + '    """\n    return 1'}),
    "private methods": (public_methods, {"vanta__x": METHODS.replace("def m", "def _m")}),
    "five parameters besides self": (parameters, {"vanta__x": "class A:\n    def f(self, a, b, c, *, d, e): ..."}),
    "a command": (parameters, {"vanta__x": "@app.command()\ndef f(a, b, c, d, e, f): ..."}),
}

GUARDS: list[Guard] = [module_size, function_size, public_methods, parameters]


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.__name__)
def test_tree_obeys(guard: Guard) -> None:
    """The source tree passes every guard."""
    found = list(guard(tree("vanta", "scripts")))
    assert not found, "\n" + "\n".join(found)


def test_other_modules_are_not_too_long() -> None:
    """Tests and benchmarks are read as well."""
    found = list(module_size(tree("tests", "benchmarks"), TEST_LINES))
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
