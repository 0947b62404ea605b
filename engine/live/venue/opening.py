"""Opens the exchange of a live account: credentials resolved, one client, nothing requested yet."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.credentials import resolve
from engine.errors import ConfigurationError
from engine.exchanges import capabilities_of, close_client
from engine.live.settings import LiveSettings
from engine.live.venue.api import LiveExchange
from engine.live.venue.ccxt_api import CcxtTradingApi
from engine.live.venue.client import make_live_client
from engine.live.venue.clock import ExchangeClock
from engine.live.venue.live_source import LiveSource
from engine.live.venue.wire import Pace, Wire
from engine.market import PROCESS_CACHES, PublicCaches, fetch_market_list, scope_of
from engine.masking import Secrets
from engine.state import ExchangeAccountDetails

REAL_TIME: Final = Pace(wall=time.time, sleep=asyncio.sleep, jitter=random.random)


@dataclass(frozen=True, slots=True)
class CcxtExchange:
    """One client of one account, for one job; see `LiveExchange`."""

    source: LiveSource
    api: CcxtTradingApi
    wire: Wire

    async def close(self) -> None:
        """Release the connections, also while being cancelled."""
        await close_client(self.wire.client)


def open_live(
    details: ExchangeAccountDetails,
    settings: LiveSettings,
    *,
    caches: PublicCaches = PROCESS_CACHES,
    pace: Pace = REAL_TIME,
    environment: Mapping[str, str] | None = None,
) -> LiveExchange:
    """Return the exchange of a live account.

    Args:
        details: the exchange, and where its keys are.
        settings: how long signed requests are valid.
        caches: shared public data.
        pace: the passing of time.
        environment: variables that hold keys; those of the process by default.

    Raises:
        ConfigurationError: the credentials cannot be resolved, ccxt does not know the exchange, or its class
            does more than it is asked to.
    """
    exchange = details.exchange_details
    if exchange.internal_name is None:
        raise ConfigurationError("the account names no exchange; set `exchange: binance` or another ccxt id")
    capabilities = capabilities_of(exchange.internal_name)
    if capabilities.refused is not None:
        raise ConfigurationError(
            f"{exchange.internal_name} is not traded on: {capabilities.refused}",
            code="exchange_refused",
        )
    credentials = resolve(details.auth_details, environment)
    client = make_live_client(exchange, credentials, settings, pace.wall)
    scope = scope_of(exchange)
    wire = Wire(
        client,
        clock=ExchangeClock(client, scope, caches, pace.wall),
        market_list=lambda: caches.market_list(scope, lambda: fetch_market_list(exchange)),
        secrets=Secrets(credentials.secret_values()),
        pace=pace,
        slowest_signature=settings.slowest_signature,
    )
    return CcxtExchange(
        source=LiveSource(exchange, wire, caches),
        api=CcxtTradingApi(wire, capabilities, exchange.exchange_type),
        wire=wire,
    )
