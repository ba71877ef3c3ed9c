"""ccxt, one exchange at a time.

Importing the package imports every exchange that it knows, which takes longer than all the rest of a pass. Its modules
import each other one by one, so the package is put in its place empty while one of them is loaded, and taken out again:
who imports the whole of it later, in the same process, gets the whole of it, made of the same modules.
"""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def exchange(name: str) -> Any:
    """The class of an exchange by its ccxt id: a module of its own, with a class of the same name.

    Raises `LookupError` if there is none.
    """
    with _one_by_one():
        spec = importlib.util.find_spec(f"ccxt.{name}") if name.isidentifier() else None
        if spec is None or spec.submodule_search_locations is not None:  # a package is no exchange
            raise LookupError(f"{name!r} is no exchange that ccxt knows")
        return getattr(importlib.import_module(spec.name), name)


def errors() -> Any:
    """The module of its exceptions."""
    with _one_by_one():
        from ccxt.base import errors
    return errors


def version() -> str:
    """Its version: what an exchange's answer means may change with it."""
    with _one_by_one():
        from ccxt.base.exchange import __version__
    return str(__version__)


@contextmanager
def _one_by_one() -> Iterator[None]:
    """While this lasts, importing a module of ccxt does not import all others."""
    spec = importlib.util.find_spec("ccxt")
    if "ccxt" in sys.modules or spec is None:
        yield
        return
    sys.modules["ccxt"] = importlib.util.module_from_spec(spec)
    try:
        yield
    finally:
        del sys.modules["ccxt"]
