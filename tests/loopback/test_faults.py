"""Troubles strike the requests that a test names, before or after the exchange acts."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from ccxt.base import errors

from engine.exchanges.imports import Client
from tests.support.loopback import (
    CREATE_ORDER,
    Call,
    Delay,
    Drop,
    Late,
    LoopbackExchange,
    Moment,
    Say,
    Trouble,
    Where,
)

BTC = "BTC/USDT"


def limit_buy(client: Client, client_id: str = "order") -> asyncio.Future[dict[str, object]]:
    """Send an order that rests."""
    named = {"newClientOrderId": client_id}
    sent: Coroutine[Any, Any, dict[str, object]]
    sent = client.create_order(BTC, "limit", "buy", 0.1, 50_000, named)
    return asyncio.ensure_future(sent)


def accepted(exchange: LoopbackExchange) -> list[str]:
    return [order.client_id for order in exchange.books.accepted]


@pytest.mark.parametrize(("moment", "taken"), [(Moment.BEFORE, []), (Moment.AFTER, ["order"])])
async def test_a_connection_breaks_before_or_after_the_order_is_taken(
    moment: Moment, taken: list[str], exchange: LoopbackExchange, client: Client
) -> None:
    exchange.faults.add(Drop(moment), CREATE_ORDER)

    with pytest.raises(errors.NetworkError):
        await limit_buy(client)

    assert accepted(exchange) == taken
    assert (await limit_buy(client, "next"))["clientOrderId"] == "next"


@pytest.mark.parametrize("moment", Moment)
async def test_a_request_whose_sender_gave_up_is_carried_out_all_the_same(
    moment: Moment, exchange: LoopbackExchange, client: Client
) -> None:
    reached, taken = asyncio.Event(), asyncio.Event()

    async def arrive() -> None:
        reached.set()

    async def leave() -> None:
        taken.set()

    exchange.faults.add(Call(arrive, moment), CREATE_ORDER)
    exchange.faults.add(Delay(0.05, moment), CREATE_ORDER)
    exchange.faults.add(Call(leave, Moment.AFTER), CREATE_ORDER)
    sent = limit_buy(client)
    await reached.wait()
    sent.cancel()
    await taken.wait()

    assert accepted(exchange) == ["order"]


@pytest.mark.parametrize(("window", "taken"), [(5_000, ["order"]), (20, [])])
async def test_a_request_can_arrive_when_its_sender_has_long_been_told_that_it_failed(
    window: int, taken: list[str], exchange: LoopbackExchange, client: Client
) -> None:
    client.options["recvWindow"] = window
    exchange.faults.add(Late(0.05), CREATE_ORDER)

    with pytest.raises(errors.NetworkError):
        await limit_buy(client)
    assert accepted(exchange) == []
    exchange.faults.add(Delay(0.1), Where(method="GET", path="/time"))
    await client.fetch_time()

    assert accepted(exchange) == taken


async def test_a_request_that_is_delayed_beyond_its_window_is_not_accepted(
    exchange: LoopbackExchange, client: Client
) -> None:
    client.options["recvWindow"] = 50
    exchange.faults.add(Delay(0.1), CREATE_ORDER)

    with pytest.raises(errors.InvalidNonce, match="outside of the recvWindow"):
        await limit_buy(client)

    assert accepted(exchange) == []


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (Trouble.RATE_LIMITED, errors.DDoSProtection),
        (Trouble.BANNED, errors.DDoSProtection),
        (Trouble.UNAVAILABLE, errors.OperationFailed),
        (Trouble.BAD_GATEWAY, errors.ExchangeNotAvailable),
        (Trouble.UNEXPECTED_RESPONSE, errors.OperationFailed),
        (Trouble.TIMEOUT, errors.RequestTimeout),
        (Trouble.MAINTENANCE, errors.OperationFailed),
        (Trouble.DUPLICATE, errors.InvalidOrder),
        (Trouble.INVALID_KEY, errors.AuthenticationError),
    ],
)
@pytest.mark.parametrize("moment", Moment)
async def test_troubles_are_said_in_the_words_of_the_exchange(
    trouble: Trouble, error: type[Exception], moment: Moment, exchange: LoopbackExchange, client: Client
) -> None:
    exchange.faults.add(Say(trouble, moment), CREATE_ORDER)

    with pytest.raises(error):
        await limit_buy(client)

    assert len(accepted(exchange)) == (moment is Moment.AFTER)


async def test_who_asks_too_often_is_told_when_to_come_back(
    exchange: LoopbackExchange, client: Client
) -> None:
    exchange.faults.add(Say(Trouble.RATE_LIMITED, retry_after=7))

    with pytest.raises(errors.DDoSProtection):
        await client.fetch_time()

    assert client.last_response_headers["Retry-After"] == "7"


async def test_a_fault_strikes_only_what_it_names_and_as_often_as_it_says(
    exchange: LoopbackExchange, client: Client
) -> None:
    exchange.faults.add(Drop(), Where(method="POST", params={"newClientOrderId": "b"}), times=2)

    outcomes = await asyncio.gather(
        *(limit_buy(client, name) for name in ("a", "b", "b", "b", "c")), return_exceptions=True
    )

    assert sum(isinstance(outcome, errors.NetworkError) for outcome in outcomes) == 2
    assert sorted(accepted(exchange)) == ["a", "b", "c"]


async def test_a_fault_can_wait_for_a_later_request_of_one_customer(
    exchange: LoopbackExchange, client: Client
) -> None:
    exchange.faults.add(Drop(), Where(method="POST", key="key"), skip=1)
    exchange.faults.add(Drop(), Where(key="another"), times=None)

    await limit_buy(client, "first")
    with pytest.raises(errors.NetworkError):
        await limit_buy(client, "second")

    assert accepted(exchange) == ["first"]


async def test_an_outage_lasts_until_it_is_taken_back(exchange: LoopbackExchange, client: Client) -> None:
    outage = exchange.faults.add(Drop(), times=None)
    for _ in range(3):
        with pytest.raises(errors.NetworkError):
            await client.fetch_time()

    exchange.faults.remove(outage)

    assert await client.fetch_time() > 0


async def test_chances_are_the_same_with_the_same_seed(exchange: LoopbackExchange, client: Client) -> None:
    async def failures() -> list[int]:
        exchange.faults.clear()
        exchange.faults.add(Say(Trouble.UNAVAILABLE), times=None, probability=0.5, seed=3)
        asked = [await asyncio.gather(client.fetch_time(), return_exceptions=True) for _ in range(12)]
        return [index for index, (answer,) in enumerate(asked) if isinstance(answer, Exception)]

    first = await failures()

    assert 0 < len(first) < 12
    assert await failures() == first


async def test_requests_are_counted_public_ones_apart(exchange: LoopbackExchange, client: Client) -> None:
    exchange.requests.clear()
    await client.fetch_ticker(BTC)
    await limit_buy(client)
    await client.fetch_balance()

    assert exchange.counts["POST /api/v3/order"] == 1
    assert [received.path for received in exchange.private_requests] == ["/api/v3/order", "/api/v3/account"]
    assert all("signature" not in received.params for received in exchange.requests)
