"""ccxt clients: made cheaply, closed for certain, and their errors turned into reactions."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import localcontext
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from engine.errors import ConfigurationError, OctoflowError, PostponedError
from engine.exchanges.failures import failure_of, is_refusal, reaction_to
from engine.exchanges.imports import Client, exchange_class
from engine.exchanges.table import capabilities_of
from engine.exchanges.uninterrupted import uninterrupted
from engine.state import ExchangeDetails
from engine.types import Seconds

REQUEST_TIMEOUT: Final[Seconds] = 10

_DEFAULT_TYPES: Final = {"spot": "spot", "future": "swap"}
_log = logging.getLogger(__name__)
_log.setLevel(logging.WARNING)  # at DEBUG, ccxt would log headers and bodies: the API key among them


def make_client(details: ExchangeDetails, *, timeout: Seconds = REQUEST_TIMEOUT) -> Client:
    """Return a client without credentials, not connected yet; whoever makes it closes it.

    Raises:
        ConfigurationError: ccxt does not know the exchange, or it has no sandbox.
    """
    exchange_id, kind = details.internal_name or "", details.exchange_type
    options: dict[str, Any] = {"defaultType": _DEFAULT_TYPES[kind]}
    market_types = capabilities_of(exchange_id).market_types
    if market_types:
        options["fetchMarkets"] = {"types": list(market_types[kind])}
    client = exchange_class(exchange_id)(
        {
            "enableRateLimit": True,
            "timeout": int(timeout * 1_000),
            "timeout_on_exit": 0,
            "logger": _log,
            "options": options,
        }
    )
    if details.sandboxed:
        with reading(client):
            client.set_sandbox_mode(True)
    if details.url is not None:
        client.urls["api"] = _moved(client.urls["api"], details.url)
    return client


async def close_client(client: Client) -> None:
    """Close a client's connections, even when the caller is being cancelled."""
    await uninterrupted(client.close())


@contextmanager
def reading(client: Client) -> Iterator[None]:
    """Turn the errors of a read without keys into reactions, and keep ccxt's decimal settings to itself.

    What an exchange's class does not expect in an answer can raise anything; so can what we do not expect.

    Raises:
        RetryableError: the exchange did not answer, or not properly; `rate_limited` with the seconds to wait.
        PostponedError: it is under maintenance.
        ConfigurationError: it answered that this cannot be had.
    """
    try:
        with localcontext():  # ccxt changes how the current one rounds, and leaves it so
            yield
    except (ConfigurationError, PostponedError):
        raise
    except Exception as error:
        what = "refuses" if is_refusal(error) else "does not answer"
        told = f"{client.id} {what}: {type(error).__name__}: {error}"
        told = str(error) if isinstance(error, OctoflowError) else told
        raise reaction_to(failure_of(error, client, now=time.time(), told=told)) from error


def connect(client: Client) -> None:
    """Let a client connect with what the process's connections share; needs a running event loop."""
    # aiohttp takes 0.15 s to import; automations without exchange never need it.
    from engine.exchanges.connections import open_session

    open_session(client)


def _moved(urls: Any, base: str) -> Any:
    """Return ccxt's API addresses with scheme and host of `base`, paths kept."""
    if isinstance(urls, Mapping):
        return {name: _moved(url, base) for name, url in urls.items()}
    target, original = urlsplit(base), urlsplit(urls)
    return urlunsplit((target.scheme, target.netloc, original.path, original.query, ""))
