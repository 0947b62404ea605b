"""What the real classes of ccxt send for an order: its client id, its exact numbers, and one request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from engine.exchanges.capabilities import Capabilities
from engine.exchanges.client import close_client, make_client
from engine.exchanges.imports import Client
from engine.exchanges.table import EXCHANGES, capabilities_of
from engine.live.venue.order_requests import UnpricedOrder, order_call
from engine.state import ExchangeDetails, Order
from engine.types import EffectKey

KEY = EffectKey("0123456789abcdef0123456789abcdef")
AMOUNT, PRICE, COST = "0.12345", "50000.01", "6172.5"
TRADED = [exchange_id for exchange_id, row in EXCHANGES.items() if row.refused is None]
WITHOUT_NUMBERS = {"phemex"}
"""Exchanges that count in units which only their own market lists tell."""

ACCOUNT = {
    "code": "200000",
    "status": "ok",
    "key": {"mode": 1},
    "data": [{"id": 1, "type": "spot"}],
}
KUCOIN_ACCOUNT = {"code": "200000", "data": {"selfAccountMode": "CLASSIC"}}


class Recorder:
    """An exchange that answers questions about the account, and takes no order."""

    def __init__(self) -> None:
        self.orders: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        if request.method == "GET":
            return web.json_response(KUCOIN_ACCOUNT if "account/mode" in request.path else ACCOUNT)
        self.orders.append(f"{request.path_qs} {await request.text()}")
        return web.Response(status=503)


@asynccontextmanager
async def recording(exchange_id: str) -> AsyncIterator[tuple[Recorder, Client]]:
    recorder = Recorder()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", recorder.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    client = make_client(ExchangeDetails(internal_name=exchange_id, url=f"http://{host}:{port}"))
    client.number, client.enableRateLimit = str, False
    client.apiKey, client.secret, client.password, client.uid = "key", "c2VjcmV0c2VjcmV0", "words", "1"
    client.options.update(capabilities_of(exchange_id).options)
    client.set_markets([market(client)])
    try:
        yield recorder, client
    finally:
        await close_client(client)
        await runner.cleanup()


def market(client: Client) -> dict[str, Any]:
    """BTC/USDT in ccxt's form, with the steps 0.00001 and 0.01."""
    in_steps = client.precisionMode == 4
    kinds = ["LIMIT", "MARKET", "LIMIT_MAKER", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT"]
    return {
        "id": "BTCUSDT",
        "lowercaseId": "btcusdt",
        "symbol": "BTC/USDT",
        "base": "BTC",
        "quote": "USDT",
        "baseId": "BTC",
        "quoteId": "USDT",
        "type": "spot",
        "spot": True,
        **dict.fromkeys(("margin", "swap", "future", "option", "contract"), False),
        "precision": {"amount": 0.00001, "price": 0.01} if in_steps else {"amount": 8, "price": 7},
        "limits": {"amount": {}, "price": {}, "cost": {}},
        "info": {"orderTypes": kinds},
    }


def order(capabilities: Capabilities, **changes: Any) -> Order:
    fields = {
        "id": "planned",
        "client_order_id": capabilities.client_order_id(KEY),
        "symbol": "BTC/USDT",
        "side": "buy",
        "type": "limit",
        "amount": AMOUNT,
        "price": PRICE,
    }
    return Order.model_validate(fields | changes)


async def sent(exchange_id: str, **changes: Any) -> str:
    """The one request with which an exchange's class creates an order."""
    row = capabilities_of(exchange_id)
    async with recording(exchange_id) as (recorder, client):
        call = order_call(order(row, **changes), client.market("BTC/USDT"), row)
        with pytest.raises(Exception, match=exchange_id):
            await client.create_order(
                call.symbol, call.type, call.side, call.amount, call.price, dict(call.params)
            )
    [request] = recorder.orders
    return request


@pytest.mark.parametrize("exchange_id", TRADED)
async def test_an_order_is_one_request_with_its_client_id_and_exact_numbers(exchange_id: str) -> None:
    request = await sent(exchange_id)
    assert capabilities_of(exchange_id).client_order_id(KEY) in request
    if exchange_id not in WITHOUT_NUMBERS:
        assert AMOUNT in request
        assert PRICE in request


@pytest.mark.parametrize("exchange_id", TRADED)
async def test_a_market_buy_is_counted_in_base_or_as_the_table_says_in_cost(exchange_id: str) -> None:
    request = await sent(exchange_id, type="market")
    assert capabilities_of(exchange_id).client_order_id(KEY) in request
    if exchange_id not in WITHOUT_NUMBERS:
        by_cost = capabilities_of(exchange_id).market_buys_by_cost
        assert (COST if by_cost else AMOUNT) in request
        assert (AMOUNT if by_cost else COST) not in request


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"time_in_force": "PO"}, "type=LIMIT_MAKER"),
        ({"time_in_force": "IOC"}, "timeInForce=IOC"),
        ({"time_in_force": "FOK"}, "timeInForce=FOK"),
        ({"type": "stop_loss", "stop_price": "40000", "price": None}, "type=STOP_LOSS&"),
        ({"type": "stop_limit", "stop_price": "40000"}, "stopPrice=40000"),
        ({"type": "take_profit", "stop_price": "60000", "price": None}, "type=TAKE_PROFIT&"),
        ({"type": "trailing_stop", "trailing_percent": "2.5", "price": None}, "trailingDelta=250"),
    ],
)
async def test_order_types_and_times_in_force_are_in_its_words(changes: dict[str, Any], said: str) -> None:
    assert said in await sent("binance", **changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"type": "stop_loss", "stop_price": "40000", "price": None}, '"algoClOrdId":"0123456789abcdef'),
        ({"type": "stop_limit", "stop_price": "40000"}, '"triggerPx":"40000"'),
        ({"time_in_force": "PO"}, '"ordType":"post_only"'),
    ],
)
async def test_stops_have_a_client_id_in_a_book_of_their_own_too(changes: dict[str, Any], said: str) -> None:
    assert said in await sent("okx", **changes)


def test_futures_are_counted_in_contracts() -> None:
    perpetual = {"symbol": "BTC/USDT:USDT", "contract": True, "contractSize": 0.01}
    call = order_call(
        order(capabilities_of("okx"), amount="0.5", reduce_only=True), perpetual, capabilities_of("okx")
    )
    assert call.amount == "50"
    assert call.params["reduceOnly"] is True


def test_a_cost_needs_a_price() -> None:
    row = capabilities_of("gate")
    with pytest.raises(UnpricedOrder):
        order_call(order(row, type="market", price=None), {"symbol": "BTC/USDT"}, row)
