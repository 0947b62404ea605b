"""ccxt clients: only the module of the wanted exchange is imported, and errors become reactions."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.machinery import PathFinder
from types import ModuleType
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from engine.errors import ConfigurationError, RetryableError
from engine.state import ExchangeDetails
from engine.types import Seconds

Client = Any
"""An instance of one of ccxt's async exchange classes, which have no types."""

REQUEST_TIMEOUT: Final[Seconds] = 10

MARKET_TYPES: Final[Mapping[str, Mapping[str, Sequence[str]]]] = {
    "binance": {"spot": ("spot",), "future": ("linear",)},
    "bybit": {"spot": ("spot",), "future": ("linear",)},
    "okx": {"spot": ("spot",), "future": ("swap",)},
}
"""What to load on exchanges whose market list comes in parts: one request instead of three."""

_DEFAULT_TYPES: Final = {"spot": "spot", "future": "swap"}
_PACKAGES: Final = ("ccxt", "ccxt.async_support")
_import_lock: Final = threading.Lock()


def make_client(details: ExchangeDetails, *, timeout: Seconds = REQUEST_TIMEOUT) -> Client:
    """Return a client without credentials, not connected yet; whoever makes it closes it.

    Raises:
        ConfigurationError: ccxt does not know the exchange, or it has no sandbox.
    """
    exchange_id, kind = details.internal_name or "", details.exchange_type
    options: dict[str, Any] = {"defaultType": _DEFAULT_TYPES[kind]}
    if exchange_id in MARKET_TYPES:
        options["fetchMarkets"] = {"types": list(MARKET_TYPES[exchange_id][kind])}
    client = _exchange_class(exchange_id)(
        {"enableRateLimit": True, "timeout": int(timeout * 1_000), "timeout_on_exit": 0, "options": options}
    )
    if details.sandboxed:
        with reading(exchange_id):
            client.set_sandbox_mode(True)
    if details.url is not None:
        client.urls["api"] = _moved(client.urls["api"], details.url)
    return client


async def close_client(client: Client) -> None:
    """Close a client's connections, even when the caller is being cancelled."""
    await asyncio.shield(client.close())


@contextmanager
def reading(exchange_id: str) -> Iterator[None]:
    """Turn ccxt's errors of a read into reactions.

    Raises:
        RetryableError: the exchange did not answer, or not properly.
        ConfigurationError: it answered that this cannot be had.
    """
    from ccxt.base import errors

    try:
        yield
    except (errors.NotSupported, errors.RestrictedLocation, errors.BadRequest) as error:
        raise ConfigurationError(f"{exchange_id} refuses: {error}", code="exchange_refuses") from error
    except errors.BaseError as error:
        raise RetryableError(
            f"{exchange_id} does not answer: {type(error).__name__}: {error}", code="exchange_unavailable"
        ) from error


def _exchange_class(exchange_id: str) -> Any:
    with _import_lock:
        for package in _PACKAGES:
            if package not in sys.modules:
                sys.modules[package] = _stand_in(package)
        name = f"ccxt.async_support.{exchange_id}"
        known = exchange_id.isidentifier() and importlib.util.find_spec(name) is not None
        found = getattr(importlib.import_module(name), exchange_id, None) if known else None
    if found is None:
        raise ConfigurationError(
            f"ccxt knows no exchange `{exchange_id}`; its ids are such as binance, kraken, okx",
            code="unknown_exchange",
        )
    return found


def _stand_in(package: str) -> ModuleType:
    """Return a light module in the place of a ccxt package, whose own `__init__` imports all 100 exchanges.

    The exchange modules need nothing of it but the base class and the errors.
    """
    parent, _, _ = package.rpartition(".")
    spec = PathFinder.find_spec(package, sys.modules[parent].__path__ if parent else None)
    if spec is None or spec.submodule_search_locations is None:
        raise ConfigurationError("the package ccxt is not installed", code="ccxt_missing")
    module = ModuleType(package)
    module.__path__ = list(spec.submodule_search_locations)
    module.__spec__ = spec

    def attribute(name: str) -> Any:
        if name == "Exchange":
            return importlib.import_module(f"{package}.base.exchange").Exchange
        try:
            return getattr(importlib.import_module("ccxt.base.errors"), name)
        except AttributeError:
            raise AttributeError(f"module {package!r} has no attribute {name!r}") from None

    module.__getattr__ = attribute  # type: ignore[method-assign]
    return module


def _moved(urls: Any, base: str) -> Any:
    """Return ccxt's API addresses with scheme and host of `base`, paths kept."""
    if isinstance(urls, Mapping):
        return {name: _moved(url, base) for name, url in urls.items()}
    target, original = urlsplit(base), urlsplit(urls)
    return urlunsplit((target.scheme, target.netloc, original.path, original.query, ""))
