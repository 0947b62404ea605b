"""Importing one exchange of ccxt without the other hundred, and without what its synchronous half needs."""

from __future__ import annotations

import gc
import importlib
import importlib.util
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import PathFinder
from types import ModuleType
from typing import Any, Final

from engine.errors import ConfigurationError

Client = Any
"""An instance of one of ccxt's async exchange classes, which have no types."""

_PACKAGES: Final = ("ccxt", "ccxt.async_support")
_BASE: Final = "ccxt.base.exchange"
_SYNCHRONOUS: Final = {
    "requests": ("Session",),
    "requests.utils": (),
    "requests.exceptions": (
        "ConnectionError",
        "HTTPError",
        "RequestException",
        "Timeout",
        "TooManyRedirects",
    ),
}
"""What the base class imports for its synchronous half: 0.1 s for names that are never used here."""

_USER_AGENT: Final = "octoflow"
_import_lock: Final = threading.Lock()


def exchange_class(exchange_id: str) -> Any:
    """Return ccxt's async class of an exchange; only its module is imported, once per process.

    Raises:
        ConfigurationError: ccxt does not know the exchange, or is not installed.
    """
    with _import_lock, _collector_paused():
        for package in _PACKAGES:
            if package not in sys.modules:
                sys.modules[package] = _package(package)
        name = f"ccxt.async_support.{exchange_id}"
        known = exchange_id.isidentifier() and importlib.util.find_spec(name) is not None
        if known and _BASE not in sys.modules:
            with _without_requests():
                importlib.import_module(_BASE)
        found = getattr(importlib.import_module(name), exchange_id, None) if known else None
    if found is None:
        raise ConfigurationError(
            f"ccxt knows no exchange `{exchange_id}`; its ids are such as binance, kraken, okx",
            code="unknown_exchange",
        )
    return found


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Spare an import the garbage collector, which would look through 100,000 new objects that all stay."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _package(name: str) -> ModuleType:
    """Return a light module in the place of a ccxt package, whose own `__init__` imports all 100 exchanges.

    The exchange modules need nothing of it but the base class and the errors.
    """
    parent, _, _ = name.rpartition(".")
    spec = PathFinder.find_spec(name, sys.modules[parent].__path__ if parent else None)
    if spec is None or spec.submodule_search_locations is None:
        raise ConfigurationError("the package ccxt is not installed", code="ccxt_missing")
    module = ModuleType(name)
    module.__path__ = list(spec.submodule_search_locations)
    module.__spec__ = spec

    def attribute(attribute_name: str) -> Any:
        if attribute_name == "Exchange":
            return importlib.import_module(f"{name}.base.exchange").Exchange
        try:
            return getattr(importlib.import_module("ccxt.base.errors"), attribute_name)
        except AttributeError:
            raise AttributeError(f"module {name!r} has no attribute {attribute_name!r}") from None

    module.__getattr__ = attribute  # type: ignore[method-assign]
    return module


@contextmanager
def _without_requests() -> Iterator[None]:
    """Let the base class be imported as if requests were there; who really uses it imports it as ever."""
    if "requests" in sys.modules:
        yield
        return
    stand_ins = {name: ModuleType(name) for name in _SYNCHRONOUS}
    for name, classes in _SYNCHRONOUS.items():
        for class_name in classes:
            setattr(stand_ins[name], class_name, type(class_name, (Exception,), {}))
    stand_ins["requests"].__path__ = []
    stand_ins["requests.utils"].default_user_agent = lambda: _USER_AGENT  # type: ignore[attr-defined]
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name, module in stand_ins.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
