"""Real ccxt clients that trade on a loopback exchange."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from engine.exchanges.client import close_client, make_client
from engine.exchanges.imports import Client
from engine.state import ExchangeDetails
from tests.support.loopback.accounts import Account
from tests.support.loopback.exchange import LoopbackExchange


@asynccontextmanager
async def trading_client(
    exchange: LoopbackExchange, account: Account, exchange_id: str = "binance"
) -> AsyncIterator[Client]:
    """Return a client of ccxt's own class with the account's keys, markets loaded."""
    client = make_client(ExchangeDetails(internal_name=exchange_id, url=exchange.url))
    client.enableRateLimit = False
    try:
        await client.load_markets()
        client.apiKey, client.secret, client.password = account.key, account.secret, account.passphrase
        yield client
    finally:
        await close_client(client)
