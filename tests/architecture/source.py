"""The source tree as the guards see it: modules with their syntax trees, real ones or a few bad ones in strings."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Source:
    """One Python file. `module` is its dotted name, without `.__init__`."""

    path: str
    text: str
    tree: ast.Module

    @property
    def module(self) -> str:
        """`vanta/common/ids.py` → `vanta.common.ids`."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def parts(self) -> tuple[str, ...]:
        """The dotted name, split."""
        return tuple(self.module.split("."))

    def at(self, node: ast.AST) -> str:
        """`path:line` of a node."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"


@dataclass(frozen=True)
class Import:
    """One imported name. `target` is the full dotted path, `library` its first part."""

    target: str
    node: ast.stmt
    in_function: bool

    @property
    def library(self) -> str:
        """The top-level package."""
        return self.target.split(".")[0]


def parse(path: str, text: str) -> Source:
    """One source from its text."""
    return Source(path, text, ast.parse(text, filename=path))


def bad(**files: str) -> list[Source]:
    """A small source tree in strings: `bad(vanta__markets__core__x="import os")`."""
    return [parse(name.replace("__", "/") + ".py", text) for name, text in files.items()]


@cache
def tree(*folders: str) -> list[Source]:
    """All Python files below folders of the repository. An empty answer is an error: the guard would see nothing."""
    found = [parse(path.relative_to(ROOT).as_posix(), path.read_text("utf-8"))
             for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    assert found, f"no source below {folders}"
    return found


def imports(source: Source) -> Iterator[Import]:
    """Every imported name, the ones inside functions included."""
    for node, in_function in _statements(source.tree, inside=False):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield Import(name.name, node, in_function)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            for name in node.names:
                yield Import(f"{'.' * node.level}{base}.{name.name}", node, in_function)


def _statements(node: ast.AST, *, inside: bool) -> Iterator[tuple[ast.stmt, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child, inside
        yield from _statements(child, inside=inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef))


def dotted(node: ast.AST) -> str:
    """`a.b.c` for a chain of names; calls and subscripts in it are left out; other expressions give ``."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr}" if base else node.attr
    return ""


def calls(source: Source) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the dotted name of what is called."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            yield dotted(node.func), node


def within(module: str, *prefixes: str) -> bool:
    """Whether a dotted name is one of `prefixes` or below one."""
    return any(module == prefix or module.startswith(prefix + ".") for prefix in prefixes)
