"""An exchange that speaks as Binance does, an account on it, and ccxt's own client of that account."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from engine.exchanges.imports import Client
from tests.support.loopback import LoopbackExchange, serving_binance
from tests.support.loopback.accounts import Account
from tests.support.loopback.clients import trading_client


@pytest.fixture
async def exchange() -> AsyncIterator[LoopbackExchange]:
    """A running exchange without accounts."""
    async with serving_binance() as running:
        yield running


@pytest.fixture
def account(exchange: LoopbackExchange) -> Account:
    """A customer with some dollars and a bitcoin."""
    return exchange.books.add_account("key", "secret", {"USDT": 100_000, "BTC": 1})


@pytest.fixture
async def client(exchange: LoopbackExchange, account: Account) -> AsyncIterator[Client]:
    """The customer's client."""
    async with trading_client(exchange, account) as connected:
        yield connected
