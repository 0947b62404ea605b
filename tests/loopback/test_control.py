"""A loopback exchange of another process is held as well as one of the test's own."""

from __future__ import annotations

from decimal import Decimal

import pytest
from ccxt.base import errors

from engine.exchanges.client import close_client, make_client
from engine.state import ExchangeDetails
from tests.support.loopback import CREATE_ORDER, Drop, Moment, PartialFill, Say, Trouble
from tests.support.loopback.process import loopback_process

BTC = "BTC/USDT"


async def test_prices_faults_fills_books_and_requests_are_reached_from_outside() -> None:
    async with loopback_process() as control:
        await control.add_account("key", "secret", {"USDT": 1_000})
        client = make_client(ExchangeDetails(internal_name="binance", url=control.url))
        try:
            await client.load_markets()
            client.apiKey, client.secret = "key", "secret"
            await control.set_price("BTCUSDT", "50000")
            await control.add_fault(Drop(Moment.AFTER), CREATE_ORDER)
            with pytest.raises(errors.NetworkError):
                await client.create_order(BTC, "limit", "buy", 0.01, 40_000, {"newClientOrderId": "one"})
            await control.fill("key", "BTCUSDT", "one", Decimal("0.004"))

            account = await control.account("key")
            assert account.orders[0].filled == Decimal("0.004")
            assert account.balance("USDT").locked == 240
            assert [order.client_id for order in await control.accepted()] == ["one"]
            assert (await control.requests())[-1].params["newClientOrderId"] == "one"

            await control.forget_requests()
            await control.set_clock(60)
            with pytest.raises(errors.InvalidNonce):
                await client.fetch_balance()
            assert [received.path for received in await control.requests()] == ["/api/v3/account"]
        finally:
            await close_client(client)


async def test_faults_are_taken_back_from_outside() -> None:
    async with loopback_process() as control:
        client = make_client(ExchangeDetails(internal_name="binance", url=control.url))
        try:
            await control.add_fault(PartialFill(Decimal("0.5")), times=None)
            outage = await control.add_fault(Say(Trouble.BAD_GATEWAY), times=None)
            with pytest.raises(errors.ExchangeNotAvailable):
                await client.fetch_time()
            await control.remove_fault(outage)
            assert await client.fetch_time() > 0
        finally:
            await close_client(client)
