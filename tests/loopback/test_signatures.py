"""Keys, signatures and clocks are really checked."""

from __future__ import annotations

import aiohttp
import pytest
from ccxt.base import errors

from engine.exchanges.imports import Client
from tests.support.loopback import LoopbackExchange
from tests.support.loopback.accounts import Account, Rights


@pytest.mark.parametrize(
    ("attribute", "value", "code"), [("apiKey", "other", "-2015"), ("secret", "other", "-1022")]
)
async def test_a_wrong_key_or_secret_is_refused(
    attribute: str, value: str, code: str, client: Client
) -> None:
    setattr(client, attribute, value)
    with pytest.raises(errors.AuthenticationError, match=code):
        await client.fetch_balance()


async def test_a_request_without_a_key_is_told_so(exchange: LoopbackExchange) -> None:
    async with aiohttp.ClientSession(exchange.url) as session, session.get("/api/v3/account") as answer:
        assert (answer.status, (await answer.json())["code"]) == (401, -2014)


@pytest.mark.parametrize(
    ("offset", "words"), [(60.0, "outside of the recvWindow"), (-60.0, "ahead of the server's time")]
)
async def test_a_clock_that_is_off_is_told_apart_until_the_difference_is_measured(
    offset: float, words: str, exchange: LoopbackExchange, client: Client
) -> None:
    exchange.clock_offset = offset
    with pytest.raises(errors.InvalidNonce, match=words):
        await client.fetch_balance()

    await client.load_time_difference()

    assert (await client.fetch_balance())["BTC"]["free"] == 1


async def test_a_window_longer_than_a_minute_is_refused(client: Client) -> None:
    client.options["recvWindow"] = 60_001
    with pytest.raises(errors.BaseError, match="-1131"):
        await client.fetch_balance()


async def test_a_key_without_the_right_to_trade_or_to_withdraw_may_not(
    exchange: LoopbackExchange, client: Client, account: Account
) -> None:
    account.rights = Rights(trade=False)

    with pytest.raises(errors.AuthenticationError, match="-2015"):
        await client.private_post_order({"symbol": "BTCUSDT", "newClientOrderId": "x"})
    assert exchange.books.accepted == []


async def test_withdrawals_are_found_by_their_client_id(client: Client, account: Account) -> None:
    account.rights = Rights(withdraw=True)
    await client.load_markets(reload=True)

    sent = await client.withdraw("BTC", 0.5, "bc1address", {"withdrawOrderId": "mine"})
    found = await client.fetch_withdrawals("BTC", None, None, {"withdrawOrderId": "mine"})

    assert [one["id"] for one in found] == [sent["id"]]
    assert found[0]["address"] == "bc1address"
    assert account.balance("BTC").free == 0.5
    assert await client.fetch_withdrawals("BTC", None, None, {"withdrawOrderId": "other"}) == []
