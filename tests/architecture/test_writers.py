"""One writer per file: who writes what stands in one visible table, and code outside it writes nothing.

The rule that can be checked in source: a call that can change a file (a *write*) stands only in modules named
here; a write that mentions the name of a state file stands only in a module that owns that file; and every owner
belongs to the program that `common/paths.py` names as the file's writer. A module that passes names on in a
variable is trusted with exactly the files that it owns here and mentions.
"""

import ast
from collections.abc import Callable, Iterator

import pytest

from tests.architecture.source import Source, bad, calls, dotted, imports, tree, within
from vanta.common import paths
from vanta.common.paths import FEEDS, STATE, calls_of, signals_file

OWNERS: dict[str, tuple[str, ...]] = {
    "signals_file": ("vanta.markets.core.products",),
    "MARKET_QUOTES": ("vanta.markets.core.products",),
    "calls_of": ("vanta.markets.collectors.wire",),
    "EXECUTOR_CALLS": ("vanta.executor.wire",),
    "TRANSPORT_CALLS": ("vanta.transport.wire",),
    "PUBLISH_CALLS": ("vanta.transport.cli",),
    "COLLECTION_LOG": ("vanta.markets.journals", "vanta.markets.collectors.wire"),
    "TRADE_SIGNALS": ("vanta.markets.reflector",),
    "SYSTEM_BELIEF": ("vanta.markets.reflector",),
    "LEADERBOARD": ("vanta.markets.reflector",),
    "SYSTEM_RISK": ("vanta.markets.reflector",),
    "REFLECTION_LOG": ("vanta.markets.wire",),
    "PROMOTION_LOG": ("vanta.markets.wire",),
    "ALLOCATION": ("vanta.markets.promoter",),
    "QUEUE": ("vanta.markets.promoter",),
    "OPEN_ORDERS": ("vanta.executor.publish",),
    "PORTFOLIO": ("vanta.executor.publish",),
    "PNL": ("vanta.executor.publish",),
    "EXECUTOR_STATE": ("vanta.executor.publish",),
    "TRADE_LOG": ("vanta.executor.wire",),
    "PERMIT": ("vanta.common.permit",),
    "VAULTS": ("vanta.suite.simulation.home", "vanta.suite.scenes",   # as the operator of a new home would
               "vanta.alpha.editing"),   # on request
    "OVERLAY": ("vanta.suite.simulation.home", "vanta.suite.scenes", "vanta.alpha.editing"),
    "CONTROL_LOG": ("vanta.alpha.wire",),
    "CONTROLS_LEASE": ("vanta.transport.lease",),
    "OPERATOR_COMMANDS": ("vanta.alpha.wire",),
    "TRACKER_LOG": ("vanta.alpha.wire",),
    "ASSISTANT_LOG": ("vanta.alpha.wire",),
    "THREAD_TRACKER": ("vanta.alpha.tracker",),
    "SIMULATION": ("vanta.suite.simulation.engine",),
}
"""State files by the name of their constant in common/paths.py, and the modules that write them."""

PROGRAM: dict[str, tuple[str, ...]] = {
    "markets": ("vanta.markets",),
    "executor": ("vanta.executor",),
    "alpha": ("vanta.alpha", "vanta.suite"),
    "operator": ("vanta.alpha", "vanta.suite"),
    "vanta": ("vanta.suite",),
    "vanta-run": ("vanta.common.permit", "vanta.suite"),
    "transport": ("vanta.transport",),
}
"""First word of a file's `writer` in common/paths.py, and the packages of that program."""

OTHERS: dict[str, str] = {
    "vanta.common.store": "the adapters themselves",
    "vanta.common.cli": "opens /dev/null in the place of an output that takes no more",
    "vanta.alpha.archive": "the one file of a bundle of records, never over another",
    "vanta.alpha.bundle": "what a bundle holds, in a folder that was empty",
    "vanta.alpha.assistant.proposals": "proposals below `memory/proposals/`, for a person to carry out",
    "vanta.alpha.cli.assistant": "the brief that was asked for, in `build/logs/` or outside of the home's state",
    "vanta.alpha.cli.board": "the page that a person asked for, outside of the home's state",
    "vanta.alpha.cli.explain": "the page that a person asked for, outside of the home's state",
    "vanta.alpha.cli.report": "the page that a person asked for, in `build/` or outside of the home's state",
    "vanta.alpha.housekeeping": "sealed pieces of logs, packed or put away; snapshots that nothing names, put away",
    "vanta.alpha.installer": "the host's own folders, below /etc and the root that it is given; no state",
    "vanta.alpha.vaults": "the copy of vault.json that a person edits",
    "vanta.alpha.cli.vault": "takes that copy away once its content is in place",
    "vanta.alpha.support": "the zip for whoever helps, where a person wants it",
    "vanta.alpha.mending": "takes temporary files of dead processes away",
    "vanta.alpha.keys": "another signing key in the place of the one before, and its line in the public list",
    "vanta.alpha.releases": "links, manifests and signatures below `build/modules/`, and releases that nobody needs",
    "vanta.alpha.witness": "copies of another home's checkpoints and keys, below `replica/`",
    "vanta.common.signing_key": "the home's signing key and the first line of the public list, each once",
    "vanta.executor.memory": "states of the executor's book beside the checkpoints, a shortcut for the next start",
    "vanta.markets.collect": "hands on what the feed's product made, and the collector's private cursor",
    "vanta.markets.collectors.ccxt_venue": "a private cache of market lists",
    "vanta.markets.collectors.holdoff": "how long a host asked us to wait, shared between collectors",
    "vanta.markets.collectors.ratelimit": "the rate limiter's state, shared between collectors",
    "vanta.markets.children": "the output of the collectors that the daemon starts",
    "vanta.transport.landing": "what arrived from other hosts, below `replica/`",
    "vanta.suite.stage": "copies a shipped tree for the demonstration",
    "vanta.suite.demo": "the output of the programs that the demonstration starts",
}
"""Modules that write no state file of their own, and what they do write."""

_METHODS = ("atomic.replace", "atomic.remove", "files.replace", "files.remove", "private.replace", "private.remove",
            "document.save", "write_bytes", "write_text", "unlink", "symlink_to", "hardlink_to", "touch", "rmtree",
            "copytree", "copyfile", "os.replace", "os.rename", "os.remove", "os.link", "os.symlink", "os.truncate",
            "shutil.move", "shutil.copy", "storage.journal", "storage.trail", "DURABLE.trail", "fcntl.flock")
_NAMES = ("FileJournal", "DailyJournal", "open_log", "save")
_WRITE_FLAGS = {"O_WRONLY", "O_RDWR", "O_CREAT", "O_APPEND", "O_TRUNC"}


def writes(source: Source) -> Iterator[ast.Call]:
    """Calls that can change a file."""
    replace_is_ours = any(one.target == "vanta.common.store.atomic.replace" for one in imports(source))
    for name, node in calls(source):
        last = name.rpartition(".")[2]
        if (any(name == method or name.endswith("." + method) or ("." in method and name.endswith("_" + method))
                for method in _METHODS) or last in _NAMES or (name == "replace" and replace_is_ours)
                or (last == "open" and _opens_for_writing(source, node))):
            yield node


def _opens_for_writing(source: Source, node: ast.Call) -> bool:
    text = ast.unparse(node)
    if "os.open" in text:
        flags = {dotted(one).rpartition(".")[2] for one in ast.walk(source.tree) if isinstance(one, ast.Attribute)}
        return bool(flags & _WRITE_FLAGS)
    modes = [one.value for one in (*node.args, *(word.value for word in node.keywords)) if isinstance(one, ast.Constant)]
    return any(isinstance(mode, str) and len(mode) <= 3 and set(mode) & set("wax+") for mode in modes)


def mentioned(node: ast.AST) -> set[str]:
    """State names in an expression."""
    return {dotted(one).rpartition(".")[2] for one in ast.walk(node) if isinstance(one, ast.Name | ast.Attribute)
            } & set(OWNERS)


def writers_are_listed(sources: list[Source]) -> Iterator[str]:
    """A module that can change a file owns a state file or stands among the others."""
    owners = {module for modules in OWNERS.values() for module in modules}
    for source in sources:
        if source.module not in owners and not within(source.module, *OTHERS):
            for node in writes(source):
                yield f"{source.at(node)}: {ast.unparse(node.func)} in a module that writes nothing"


def only_owners_write(sources: list[Source]) -> Iterator[str]:
    """A write that names a state file stands in a module that owns it."""
    for source in sources:
        for node in writes(source):
            for name in sorted(mentioned(node)):
                if source.module not in OWNERS[name]:
                    yield f"{source.at(node)}: {source.module} writes {name}, which is {' or '.join(OWNERS[name])}'s"


Guard = Callable[[list[Source]], Iterator[str]]

CANARIES: dict[str, tuple[Guard, dict[str, str], int]] = {
    "a new writer": (writers_are_listed, {"vanta__alpha__x": "from vanta.common.store import atomic\natomic.replace(p, b'')"}, 1),
    "a new writer by name": (writers_are_listed, {"vanta__alpha__x": "from vanta.common.store.atomic import replace\n"
                                                  "replace(p, b'')"}, 1),
    "a port in a new place": (writers_are_listed, {"vanta__alpha__x": "self._files.replace(name, data)\nfiles.remove(n)"}, 2),
    "an open file": (writers_are_listed, {"vanta__alpha__x": "open(p, 'a')\npath.open(mode='r+b')\nopen(p)\npath.open('rb')"}, 2),
    "a low-level open": (writers_are_listed, {"vanta__alpha__x": "import os\nos.open(p, os.O_RDWR)"}, 1),
    "a journal": (writers_are_listed, {"vanta__alpha__x": "FileJournal(home.file(name))"}, 1),
    "pathlib": (writers_are_listed, {"vanta__alpha__x": "path.write_text('')\npath.unlink()\npath.touch()"}, 3),
    "another's log": (only_owners_write, {"vanta__executor__wire": "FileJournal(home.file(CONTROL_LOG))"}, 1),
    "another's document": (only_owners_write, {"vanta__markets__promoter": "self._files.replace(PORTFOLIO, data)"}, 1),
    "another's document by module": (only_owners_write, {"vanta__executor__publish":
                                                         "document.save(files, paths.QUEUE, fields, stamp)"}, 1),
    "another's feed": (only_owners_write, {"vanta__markets__reflector": "files.replace(signals_file('sec'), b'')"}, 1),
    "the permit": (only_owners_write, {"vanta__alpha__controls": "atomic.remove(home.file(PERMIT))"}, 1),
}

ALLOWED: dict[str, tuple[Guard, dict[str, str]]] = {
    "text is replaced": (writers_are_listed, {"vanta__alpha__x": "text.replace('a', 'b')\nwhen.replace(tzinfo=None)"}),
    "a record is replaced": (writers_are_listed, {"vanta__alpha__x": "from dataclasses import replace\nreplace(a, b=1)"}),
    "reading": (writers_are_listed, {"vanta__alpha__x": "import os\nfiles.read(QUEUE)\nos.open(p, os.O_RDONLY)\n"
                                     "path.read_bytes()"}),
    "the owner": (only_owners_write, {"vanta__common__permit": "atomic.remove(home.file(PERMIT))"}),
}

GUARDS: list[Guard] = [writers_are_listed, only_owners_write]


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


def names_of(constant: str) -> set[str]:
    """The files that a constant, or a function of the feed, names."""
    if constant == "calls_of":
        return {calls_of(feed) for feed in (*FEEDS, "prices")}
    return {signals_file(feed) for feed in FEEDS} if constant == "signals_file" else {getattr(paths, constant)}


def test_every_state_file_has_an_owner() -> None:
    """The table covers every file of the state tree, and nothing else."""
    names = {name for constant in OWNERS for name in names_of(constant)}
    assert names == {file.name for file in STATE}


@pytest.mark.parametrize("constant", OWNERS)
def test_owner_belongs_to_the_writing_program(constant: str) -> None:
    """The module that writes a file is part of the program that is named as its writer, and does mention it."""
    names = names_of(constant)
    programs = {file.writer.split()[0] for file in STATE if file.name in names}
    (program,) = programs
    sources = {source.module: source for source in tree("vanta")}
    for module in OWNERS[constant]:
        assert within(module, *PROGRAM[program])
        assert module in sources
        assert constant in mentioned(sources[module].tree)


@pytest.mark.parametrize("module", OTHERS)
def test_other_writers_do_write(module: str) -> None:
    """An entry that is no longer needed is taken out."""
    assert any(True for source in tree("vanta") if within(source.module, module) for _ in writes(source))
