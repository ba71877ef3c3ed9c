"""Nothing ambient where it must not be: clock, environment, randomness, files; and nothing swallowed or printed.

Ambient reads leave no trace for a runtime hook, so they are looked for in the source.
"""

import ast
from collections.abc import Callable, Iterator

import pytest

from tests.architecture.source import Source, bad, calls, dotted, imports, tree, within
from tests.architecture.test_layers import is_cli, is_core, is_parser

CLOCK = "vanta.common.clock"
SETTINGS = "vanta.common.settings"
IDS = "vanta.common.ids"

MAY_SLEEP = (CLOCK, "vanta.common.store.lock")
MAY_SHOW = ("vanta.common.cli",)

BROAD: dict[str, str] = {
    "vanta.common.log": "a log line must not stop a program",
    "vanta.common.cli": "the last resort of a program: one sentence, the traceback in the log",
    "vanta.executor.brokers.port": "whatever a client library throws, the order may be live",
    "vanta.common.errors": "one feed's fault must not take the others down, and the feed's file says so",
}
"""Where an `except Exception` may end an error instead of passing it on, and why. Nowhere else."""

_CLOCK_CALLS = frozenset({"time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter",
                          "time.perf_counter_ns", "time.process_time", "time.localtime", "time.gmtime", "time.ctime",
                          "time.strftime", "time.clock_gettime"})
_CLOCK_METHODS = frozenset({"now", "utcnow", "today"})
_DATE_NAMES = frozenset({"datetime", "date", "dt", "datetime.datetime", "datetime.date", "dt.datetime", "dt.date"})
_RANDOM = frozenset({"random", "secrets", "uuid", "numpy"})
_IMPURE_BUILTINS = frozenset({"open", "print", "input", "exec", "eval", "compile", "hash", "globals", "vars",
                              "breakpoint", "__import__"})
_IMPURE_CALLS = frozenset({"io.open", "gzip.open", "html.open", "urllib.request.urlopen", "json.load", "json.dump"})


def clock_reads(sources: list[Source]) -> Iterator[str]:
    """Only common/clock.py asks what time it is."""
    for source in (one for one in sources if one.module != CLOCK):
        for one in imports(source):
            if one.target in _CLOCK_CALLS:
                yield f"{source.at(one.node)}: {one.target} is imported"
        for name, node in calls(source):
            base, _, last = name.rpartition(".")
            if name in _CLOCK_CALLS or (last in _CLOCK_METHODS and base in _DATE_NAMES):
                yield f"{source.at(node)}: {name}() reads the clock"
            elif name in ("time.sleep", "sleep") and not within(source.module, *MAY_SLEEP):
                yield f"{source.at(node)}: {name}() waits for the host instead of the program's clock"


def environment_reads(sources: list[Source]) -> Iterator[str]:
    """Only common/settings.py looks at the environment."""
    for source in (one for one in sources if one.module != SETTINGS):
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Attribute) and dotted(node) in (
                    "os.environ", "os.environb", "os.getenv", "os.putenv", "os.unsetenv"):
                yield f"{source.at(node)}: {dotted(node)}"
        for one in imports(source):
            if one.target in ("os.environ", "os.environb", "os.getenv"):
                yield f"{source.at(one.node)}: {one.target} is imported"


_DRAW = ("draw_home_id", "draw_key", "draw_salt")
MAY_NAME = ("vanta.alpha.bundle",)
"""May ask for a temporary folder, whose name nobody can foresee; nothing that is kept comes of it."""


def randomness(sources: list[Source]) -> Iterator[str]:
    """Only common/ids.py draws, a home's id and its key; no core asks it to."""
    for source in sources:
        if source.module != IDS:
            for one in imports(source):
                if one.library in _RANDOM or one.target in ("os.urandom", "os.getrandom") or (
                        one.library == "tempfile" and not within(source.module, *MAY_NAME)):
                    yield f"{source.at(one.node)}: {one.target} is imported"
            for name, node in calls(source):
                if name in ("os.urandom", "os.getrandom"):
                    yield f"{source.at(node)}: {name}()"
        if is_core(source.module) or is_parser(source.module):
            for part in ast.walk(source.tree):
                imported = isinstance(part, ast.alias) and part.name in _DRAW
                if imported or dotted(part).rpartition(".")[2] in _DRAW:
                    yield f"{source.at(part)}: core draws by chance"


def core_touches_nothing(sources: list[Source]) -> Iterator[str]:
    """Core and parsers open nothing, print nothing, and depend on no hash seed."""
    for source in (one for one in sources if is_core(one.module) or is_parser(one.module)):
        for name, node in calls(source):
            if name in _IMPURE_BUILTINS | _IMPURE_CALLS:
                yield f"{source.at(node)}: {name}() in core"
        for statement in ast.walk(source.tree):
            if isinstance(statement, ast.Global | ast.Nonlocal):
                yield f"{source.at(statement)}: state that outlives a call"


def broad_excepts(sources: list[Source]) -> Iterator[str]:
    """A handler for everything either passes the error on or stands in the short list above."""
    for source in sources:
        for node in ast.walk(source.tree):
            if not isinstance(node, ast.ExceptHandler) or not _is_broad(node):
                continue
            passes_on = isinstance(node.body[-1], ast.Raise)
            if not passes_on and source.module not in BROAD:
                yield f"{source.at(node)}: swallows everything"


def _is_broad(handler: ast.ExceptHandler) -> bool:
    names = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(name is None or dotted(name) in ("Exception", "BaseException") for name in names)


def printing(sources: list[Source]) -> Iterator[str]:
    """Only command lines and renderers write to the terminal."""
    for source in sources:
        if is_cli(source.module) or within(source.module, *MAY_SHOW):
            continue
        for name, node in calls(source):
            if name in ("print", "sys.stdout.write", "sys.stderr.write", "typer.echo", "typer.secho"):
                yield f"{source.at(node)}: {name}()"


Guard = Callable[[list[Source]], Iterator[str]]

CANARIES: dict[str, tuple[Guard, dict[str, str], int]] = {
    "time": (clock_reads, {"vanta__x": "import time\ntime.time()\ntime.monotonic_ns()"}, 2),
    "now": (clock_reads, {"vanta__x": "from datetime import datetime, date\ndatetime.now()\ndate.today()"}, 2),
    "now by the long name": (clock_reads, {"vanta__x": "import datetime\ndatetime.datetime.utcnow()"}, 1),
    "time by its name": (clock_reads, {"vanta__x": "from time import monotonic"}, 1),
    "sleep": (clock_reads, {"vanta__markets__x": "import time\ntime.sleep(1)"}, 1),
    "environment": (environment_reads, {"vanta__x": "import os\nos.environ['A']\nos.getenv('B')"}, 2),
    "environment by its name": (environment_reads, {"vanta__x": "from os import environ"}, 1),
    "random": (randomness, {"vanta__x": "import random\nimport uuid\nfrom secrets import token_hex"}, 3),
    "urandom": (randomness, {"vanta__x": "import os\nos.urandom(8)"}, 1),
    "a drawn id in core": (randomness, {"vanta__executor__core__x": "from vanta.common.ids import draw_home_id"}, 1),
    "a drawn key in core": (randomness, {"vanta__executor__core__x": "from vanta.common.ids import draw_key"}, 1),
    "a drawn id in core by attribute": (randomness, {"vanta__executor__core__x": "ids.draw_home_id()"}, 1),
    "core opens": (core_touches_nothing, {"vanta__markets__core__x": "open('x')\nimport gzip\ngzip.open('y')"}, 2),
    "core prints": (core_touches_nothing, {"vanta__markets__parsers__x": "print(1)"}, 1),
    "core hashes": (core_touches_nothing, {"vanta__alpha__core__x": "hash('x')"}, 1),
    "core remembers": (core_touches_nothing, {"vanta__alpha__core__x": "def f():\n    global a\n    a = 1"}, 1),
    "bare except": (broad_excepts, {"vanta__x": "try:\n    f()\nexcept:\n    pass"}, 1),
    "broad except": (broad_excepts, {"vanta__x": "try:\n    f()\nexcept Exception as e:\n    g(e)"}, 1),
    "broad except in a tuple": (broad_excepts, {"vanta__x": "try:\n    f()\nexcept (OSError, BaseException):\n    pass"}, 1),
    "print": (printing, {"vanta__markets__x": "print(1)\nimport sys\nsys.stdout.write('')"}, 2),
    "echo": (printing, {"vanta__executor__x": "import typer\ntyper.echo('x')"}, 1),
}

ALLOWED: dict[str, tuple[Guard, dict[str, str]]] = {
    "the clock": (clock_reads, {"vanta__common__clock": "import time\ntime.time()"}),
    "the program's clock": (clock_reads, {"vanta__x": "clock.now()\nself._clock.now()\nclock.sleep(1)"}),
    "settings": (environment_reads, {"vanta__common__settings": "import os\nos.environ"}),
    "ids": (randomness, {"vanta__common__ids": "import secrets"}),
    "a shell opens": (core_touches_nothing, {"vanta__markets__x": "open('x')"}),
    "a core method named open": (core_touches_nothing, {"vanta__markets__core__x": "book.open('x')\nself.id(1)"}),
    "clean up and pass on": (broad_excepts, {"vanta__x": "try:\n    f()\nexcept BaseException:\n    g()\n    raise"}),
    "a listed place": (broad_excepts, {"vanta__common__log": "try:\n    f()\nexcept Exception:\n    pass"}),
    "a command": (printing, {"vanta__alpha__cli__x": "print(1)", "vanta__common__cli": "typer.echo('x')"}),
}

GUARDS: list[Guard] = [clock_reads, environment_reads, randomness, core_touches_nothing, broad_excepts, printing]


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.__name__)
def test_tree_obeys(guard: Guard) -> None:
    """The source tree passes every guard."""
    found = list(guard(tree("vanta")))
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


@pytest.mark.parametrize("module", BROAD)
def test_every_broad_except_is_still_there(module: str) -> None:
    """An entry of the short list that is no longer needed is taken out."""
    source = next((one for one in tree("vanta") if one.module == module), None)
    assert source is not None
    assert any(isinstance(node, ast.ExceptHandler) and _is_broad(node) for node in ast.walk(source.tree))
