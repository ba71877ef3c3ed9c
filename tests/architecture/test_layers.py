"""Import direction, as docs/ARCHITECTURE.md draws it: core is pure, shells keep apart, adapters are named once."""

import sys
from collections.abc import Callable, Iterator

import pytest

from tests.architecture.source import Source, bad, calls, imports, tree, within

PURE_COMMON = tuple(f"vanta.common.{name}" for name in (
    "calendars", "canonical", "causes", "errors", "events", "exitcodes", "ids", "instruments", "models", "money", "outside.allowed", "outside.call",
    "reasons",
    "redact", "signatures", "store.chain", "store.checkpoint", "store.document", "store.personal", "store.ports", "strictjson", "times"))
"""The half of common that core may use. Of `paths` it may use the names of files, not `Home`."""

PURE_LIBRARY = frozenset("""abc base64 bisect collections contextlib csv dataclasses datetime decimal difflib enum
    fractions functools gzip hashlib heapq html io itertools json math operator re shlex statistics string textwrap types typing
    unicodedata urllib zlib""".split())
"""The standard library for core and parsers. What of it reads or draws anything is refused in test_purity."""

CORE_LIBRARIES = frozenset({"msgspec", "orjson", "pydantic"})
PARSER_LIBRARIES = CORE_LIBRARIES | {"feedparser", "lxml"}

LOADER = "vanta.markets.parsers.ccxt_library"
"""Loads the one module of ccxt that knows how to read an exchange's answers; those are read offline."""
LOADER_LIBRARIES = frozenset({"ccxt", "importlib", "sys"})

HOME_OF: dict[str, tuple[str, ...]] = {
    "alpaca": ("vanta.executor.brokers.alpaca", "vanta.executor.brokers.alpaca_stream"),
    "ccxt": ("vanta.markets.parsers.ccxt_library", "vanta.executor.brokers.ccxt", "vanta.executor.brokers.ccxt_client"),
    "cryptography": ("vanta.common.signatures",),
    "feedparser": ("vanta.markets.parsers.news",),
    "httpx": ("vanta.common.outside.over_httpx", "vanta.markets.collectors.http", "vanta.executor.brokers.tradier",
              "vanta.alpha.assistant.chat"),
    "ib_async": ("vanta.executor.brokers.ibkr_wire",),
    "lxml": ("vanta.markets.parsers",),
    "msgspec": ("vanta",),
    "nats": ("vanta.transport.jetstream",),
    "orjson": ("vanta",),
    "praw": ("vanta.markets.collectors.reddit",),
    "prawcore": ("vanta.markets.collectors.reddit",),
    "pydantic": ("vanta",),
    "requests": ("vanta.common.outside.over_requests", "vanta.markets.collectors.reddit"),
    "rich": ("vanta.suite.render", "vanta.suite.progress"),
    "structlog": ("vanta.common.log",),
    "tenacity": ("vanta.markets.collectors.http",),
    "zstandard": ("vanta.common.store.snapshot", "vanta.common.store.segments"),
}
"""Where each third-party library lives. typer has a rule of its own. A library that is not here is not used."""

LAZY = frozenset({"alpaca", "ccxt", "cryptography", "feedparser", "httpx", "ib_async", "lxml", "nats", "praw", "prawcore",
                  "requests", "rich", "structlog"})
"""Imported inside the function that needs them, so that cheap commands stay cheap."""

DYNAMIC = ("vanta.suite.dispatch", "vanta.suite.run", "vanta.markets.cli", "vanta.alpha.cli.diagnostics", "vanta.common.paths",
           "vanta.markets.collectors.wire", "vanta.markets.parsers.ccxt_library")
"""May import by name: the dispatchers the command that was asked for, `paths` the model of a file that is read,
`collectors.wire` the collector of the feed, `ccxt_library` the exchange that is asked."""

ADAPTERS: dict[str, tuple[str, ...]] = {
    "vanta.common.store.files": (), "vanta.common.store.snapshot": (), "vanta.common.store.inmemory": (),
    "vanta.common.store.journal": (), "vanta.common.store.checkpoints": (), "vanta.common.store.storage": ("Storage",),
    "vanta.common.store.routed": (), "vanta.common.store.trail": ("TrailJournal",),
    "vanta.executor.brokers": ("port",), "vanta.markets.collectors": ("port", "wire"),
    "vanta.alpha.assistant.chat": (),
    "vanta.transport.pipe": (), "vanta.transport.reading": (), "vanta.transport.inmemory": (),
    "vanta.transport.jetstream": (), "vanta.transport.streamed": (), "vanta.transport.inmemory_bus": (),
}
"""Concrete adapters by package, and what of it is none. Named in wire.py and beside each other only."""

PACKAGES = ("vanta.markets", "vanta.executor", "vanta.alpha", "vanta.transport")


def is_core(module: str) -> bool:
    """Whether a module is in a `core` package."""
    return "core" in module.split(".")


def is_parser(module: str) -> bool:
    """Whether a module is a pure parser."""
    return within(module, "vanta.markets.parsers")


def package(module: str) -> str:
    """`vanta.markets.core.decay` → `vanta.markets`."""
    return ".".join(module.split(".")[:2])


def is_cli(module: str) -> bool:
    """Whether a module is a command line."""
    return module.endswith(".cli") or ".cli." in module or within(module, "vanta.suite")


def core_is_pure(sources: list[Source]) -> Iterator[str]:
    """Core and parsers import the allow-list, the pure half of common, and pure code of their own package."""
    for source in (one for one in sources if is_core(one.module) or is_parser(one.module)):
        libraries = PARSER_LIBRARIES if is_parser(source.module) else CORE_LIBRARIES
        libraries |= LOADER_LIBRARIES if source.module == LOADER else frozenset()
        for one in imports(source):
            allowed = (one.library in PURE_LIBRARY | libraries if one.library != "vanta" else
                       within(one.target, *PURE_COMMON) or is_core(one.target) or is_parser(one.target)
                       or (within(one.target, "vanta.common.paths") and one.target.split(".")[-1].isupper())
                       or one.target == "vanta.common.paths.signals_file")
            if not allowed:
                yield f"{source.at(one.node)}: {one.target} is no import for core"


def packages_keep_apart(sources: list[Source]) -> Iterator[str]:
    """Markets and executor never meet; alpha sees others' pure code; suite sees wires; nobody sees suite."""
    for source in sources:
        mine = package(source.module)
        for one in imports(source):
            theirs = package(one.target)
            if theirs == mine or theirs not in (*PACKAGES, "vanta.suite"):
                continue
            pure = is_core(one.target) or is_parser(one.target)
            allowed = ((mine == "vanta.alpha" and pure)
                       or (mine == "vanta.suite" and (pure or within(one.target, f"{theirs}.wire"))))
            if theirs == "vanta.suite" or not allowed:
                yield f"{source.at(one.node)}: {source.module} must not import {one.target}"


def libraries_live_in_one_place(sources: list[Source]) -> Iterator[str]:
    """Each third-party library is imported where it lives, and typer in command lines."""
    for source in sources:
        for one in imports(source):
            if one.library in sys.stdlib_module_names or one.library == "vanta":
                continue
            allowed = (is_cli(source.module) if one.library == "typer"
                       else within(source.module, *HOME_OF.get(one.library, ())))
            if not allowed:
                yield f"{source.at(one.node)}: {one.library} does not live in {source.module}"


def heavy_libraries_are_lazy(sources: list[Source]) -> Iterator[str]:
    """No module pays for a heavy library by being imported."""
    for source in sources:
        for one in imports(source):
            if one.library in LAZY and not one.in_function:
                yield f"{source.at(one.node)}: {one.library} is imported at the top"


def own_imports_stand_at_the_top(sources: list[Source]) -> Iterator[str]:
    """Own packages are imported at the top, absolutely, and never by a name made at run time."""
    for source in sources:
        for one in imports(source):
            if one.target.startswith("."):
                yield f"{source.at(one.node)}: relative import"
            elif one.library == "vanta" and one.in_function:
                yield f"{source.at(one.node)}: {one.target} is imported inside a function"
        for name, node in calls(source):
            if name.endswith(("import_module", "__import__")) and not within(source.module, *DYNAMIC):
                yield f"{source.at(node)}: import by name"


def adapters_are_named_in_wire(sources: list[Source]) -> Iterator[str]:
    """Programs name ports; which adapter stands behind one is said in wire.py."""
    for source in sources:
        if source.parts[-1] == "wire" or within(source.module, "vanta.common.store"):
            continue
        for one in imports(source):
            for home, ports in ADAPTERS.items():
                if (within(one.target, home) and not within(source.module, home)
                        and not within(one.target, *(f"{home}.{port}" for port in ports))):
                    yield f"{source.at(one.node)}: {one.target} is named outside wire.py"


def no_utils(sources: list[Source]) -> Iterator[str]:
    """A module says what it is about."""
    for source in sources:
        if set(source.parts) & {"utils", "util", "helper", "helpers", "misc", "stuff"}:
            yield f"{source.path}: no name for a module"


Guard = Callable[[list[Source]], Iterator[str]]

CANARIES: dict[str, tuple[Guard, dict[str, str], int]] = {
    "core opens files": (core_is_pure, {"vanta__markets__core__x": "import os\nfrom pathlib import Path"}, 2),
    "core reads time zones": (core_is_pure, {"vanta__markets__core__x": "from zoneinfo import ZoneInfo"}, 1),
    "core logs": (core_is_pure, {"vanta__executor__core__x": "from vanta.common.log import Log"}, 1),
    "core reads a clock": (core_is_pure, {"vanta__executor__core__x": "from vanta.common import clock"}, 1),
    "core holds a store": (core_is_pure, {"vanta__alpha__core__x": "from vanta.common.store.journal import FileJournal"}, 1),
    "core knows the home": (core_is_pure, {"vanta__alpha__core__x": "from vanta.common.paths import QUEUE, Home"}, 1),
    "core uses its shell": (core_is_pure, {"vanta__markets__core__x": "from vanta.markets.collect import run"}, 1),
    "core uses pandas": (core_is_pure, {"vanta__markets__core__x": "def f():\n    import pandas"}, 1),
    "a parser loads": (core_is_pure, {"vanta__markets__parsers__x": "import importlib\ndef f():\n    import ccxt"}, 2),
    "parser fetches": (core_is_pure, {"vanta__markets__parsers__x": "import httpx"}, 1),
    "markets uses executor": (packages_keep_apart, {"vanta__markets__x": "from vanta.executor.core.book import Book"}, 1),
    "executor uses markets": (packages_keep_apart, {"vanta__executor__x": "import vanta.markets.parsers.sec"}, 1),
    "alpha uses a shell": (packages_keep_apart, {"vanta__alpha__x": "from vanta.executor.step import Executor"}, 1),
    "alpha uses a wire": (packages_keep_apart, {"vanta__alpha__x": "from vanta.markets.wire import build"}, 1),
    "suite uses a shell": (packages_keep_apart, {"vanta__suite__x": "from vanta.markets.collect import run"}, 1),
    "transport uses a program": (packages_keep_apart, {"vanta__transport__x": "from vanta.alpha.witness import look"}, 1),
    "suite is used": (packages_keep_apart, {"vanta__alpha__x": "from vanta.suite import up"}, 1),
    "common uses a program": (packages_keep_apart, {"vanta__common__x": "from vanta.markets.core import decay"}, 1),
    "a library astray": (libraries_live_in_one_place, {"vanta__executor__x": "def f():\n    import httpx"}, 1),
    "an unknown library": (libraries_live_in_one_place, {"vanta__common__x": "import yaml"}, 1),
    "typer in a shell": (libraries_live_in_one_place, {"vanta__markets__collect": "import typer"}, 1),
    "a heavy import": (heavy_libraries_are_lazy, {"vanta__markets__collectors__x": "import ccxt"}, 1),
    "a hidden import": (own_imports_stand_at_the_top, {"vanta__x": "def f():\n    from vanta.common import ids"}, 1),
    "a hidden import in a method": (own_imports_stand_at_the_top,
                                    {"vanta__x": "class A:\n    def f(self):\n        if 1:\n            import vanta"}, 1),
    "a relative import": (own_imports_stand_at_the_top, {"vanta__x": "from . import ids\nfrom ..a import b"}, 2),
    "an import by name": (own_imports_stand_at_the_top, {"vanta__x": "import importlib\nimportlib.import_module('a')"}, 1),
    "a broker named in a shell": (adapters_are_named_in_wire,
                                  {"vanta__executor__step": "from vanta.executor.brokers.paper import PaperBroker"}, 1),
    "a store named in a shell": (adapters_are_named_in_wire,
                                 {"vanta__markets__x": "from vanta.common.store.files import FolderFiles"}, 1),
    "a utils module": (no_utils, {"vanta__common__utils": "", "vanta__markets__helpers__x": ""}, 2),
}

ALLOWED: dict[str, tuple[Guard, dict[str, str]]] = {
    "core uses core": (core_is_pure, {"vanta__alpha__core__x": "from vanta.executor.core.book import Book\nimport re\n"
                                      "from vanta.common.paths import QUEUE\nfrom vanta.common.models.base import Model"}),
    "parser parses": (core_is_pure, {"vanta__markets__parsers__x": "def f():\n    from lxml import etree"}),
    "a parser's loader": (core_is_pure, {"vanta__markets__parsers__ccxt_library": "import sys\ndef f():\n    import ccxt"}),
    "alpha replays": (packages_keep_apart, {"vanta__alpha__x": "from vanta.markets.core import decay\n"
                                            "from vanta.markets.parsers import sec"}),
    "suite wires": (packages_keep_apart, {"vanta__suite__x": "from vanta.executor.wire import build"}),
    "wire names": (adapters_are_named_in_wire, {"vanta__executor__wire": "from vanta.executor.brokers.paper import P"}),
    "a shell names the port": (adapters_are_named_in_wire, {"vanta__executor__x": "from vanta.executor.brokers.port "
                                                            "import Broker"}),
    "typer in a command": (libraries_live_in_one_place, {"vanta__alpha__cli__x": "import typer", "vanta__a__cli": "import typer"}),
}

GUARDS: list[Guard] = [core_is_pure, packages_keep_apart, libraries_live_in_one_place, heavy_libraries_are_lazy,
                       own_imports_stand_at_the_top, adapters_are_named_in_wire, no_utils]


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
    """What the architecture allows is not reported."""
    assert list(guard(bad(**files))) == []


def test_every_guard_has_a_canary() -> None:
    """A guard without a canary may be dead and nobody would know."""
    assert {guard.__name__ for guard, _, _ in CANARIES.values()} == {guard.__name__ for guard in GUARDS}


def test_every_home_of_a_library_is_used() -> None:
    """An entry whose library is nowhere imported is taken out again (those of later packages excepted)."""
    used = {one.library for source in tree("vanta") for one in imports(source)}
    assert set(HOME_OF) <= used
