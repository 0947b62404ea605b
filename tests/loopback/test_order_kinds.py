"""Stops, time in force, fees and partial fills follow Binance's rules."""

from __future__ import annotations

from decimal import Decimal

import pytest
from ccxt.base import errors

from engine.exchanges.imports import Client
from tests.support.loopback import CREATE_ORDER, LoopbackExchange, PartialFill
from tests.support.loopback.accounts import Account

BTC = "BTC/USDT"


@pytest.mark.parametrize(
    ("kind", "side", "stop", "quiet", "reached"),
    [
        ("STOP_LOSS", "sell", 55_000, 55_001, 55_000),
        ("STOP_LOSS", "buy", 65_000, 64_999, 65_000),
        ("TAKE_PROFIT", "sell", 65_000, 64_999, 65_000),
        ("TAKE_PROFIT", "buy", 55_000, 55_001, 55_000),
    ],
)
async def test_a_stop_waits_for_its_price_and_then_trades_at_the_market(
    kind: str, side: str, stop: int, quiet: int, reached: int, exchange: LoopbackExchange, client: Client
) -> None:
    order = await client.create_order(BTC, kind, side, 0.1, None, {"stopPrice": stop})
    exchange.books.set_price("BTCUSDT", quiet)
    assert (await client.fetch_order(order["id"], BTC))["status"] == "open"

    exchange.books.set_price("BTCUSDT", reached)

    filled = await client.fetch_order(order["id"], BTC)
    assert (filled["status"], filled["average"], filled["stopPrice"]) == ("closed", reached, stop)


async def test_a_stop_limit_rests_at_its_limit_when_the_price_gaps_beyond(
    exchange: LoopbackExchange, client: Client
) -> None:
    order = await client.create_order(BTC, "STOP_LOSS_LIMIT", "sell", 0.1, 54_900, {"stopPrice": 55_000})

    exchange.books.set_price("BTCUSDT", 54_000)
    assert (await client.fetch_order(order["id"], BTC))["status"] == "open"
    exchange.books.set_price("BTCUSDT", 54_900)

    assert (await client.fetch_order(order["id"], BTC))["average"] == 54_900


async def test_a_stop_that_would_trigger_at_once_and_a_maker_that_would_take_are_refused(
    client: Client,
) -> None:
    with pytest.raises(errors.BaseError, match="trigger immediately"):
        await client.create_order(BTC, "STOP_LOSS", "sell", 0.1, None, {"stopPrice": 60_001})
    with pytest.raises(errors.OrderImmediatelyFillable, match="match and take"):
        await client.create_order(BTC, "LIMIT_MAKER", "buy", 0.1, 60_001)


@pytest.mark.parametrize("time_in_force", ["IOC", "FOK"])
async def test_what_cannot_trade_at_once_expires(
    time_in_force: str, client: Client, account: Account
) -> None:
    order = await client.create_order(BTC, "limit", "buy", 0.1, 50_000, {"timeInForce": time_in_force})

    assert order["status"] == "expired"
    assert account.balance("USDT").locked == 0


async def test_a_partial_fill_leaves_the_rest_of_a_limit_open(
    exchange: LoopbackExchange, client: Client, account: Account
) -> None:
    exchange.faults.add(PartialFill(Decimal("0.25")), CREATE_ORDER)

    order = await client.create_order(BTC, "limit", "buy", 1, 61_000)

    assert (order["status"], order["filled"], order["remaining"]) == ("open", 0.25, 0.75)
    assert account.balance("USDT").locked == Decimal(45_750)
    exchange.books.fill(account, account.orders[0], Decimal("0.25"))
    assert (await client.fetch_order(order["id"], BTC))["filled"] == 0.5
    await client.cancel_order(order["id"], BTC)
    assert account.balance("USDT").locked == 0


@pytest.mark.parametrize(("kind", "price", "filled"), [("market", None, 0.5), ("limit", 61_000, 0)])
async def test_a_partial_fill_of_what_cannot_rest_expires(
    kind: str, price: float | None, filled: float, exchange: LoopbackExchange, client: Client
) -> None:
    exchange.faults.add(PartialFill(Decimal("0.5")), CREATE_ORDER)
    params = {"timeInForce": "FOK"} if price else {}

    order = await client.create_order(BTC, kind, "buy", 1, price, params)

    assert (order["status"], order["filled"]) == ("expired", filled)


async def test_fees_are_paid_in_the_chosen_asset_while_it_lasts(client: Client, account: Account) -> None:
    account.balance("BNB").free = Decimal("0.11")
    account.fee_asset = "BNB"

    first = await client.create_order(BTC, "market", "buy", 1, None)
    second = await client.create_order(BTC, "market", "sell", 1, None)

    assert first["fee"] == {"cost": 0.1, "currency": "BNB"}
    assert second["fee"] == {"cost": 60, "currency": "USDT"}
    assert account.balance("BTC").free == 1


async def test_a_stop_that_gaps_beyond_its_reserve_expires(
    exchange: LoopbackExchange, client: Client, account: Account
) -> None:
    order = await client.create_order(BTC, "STOP_LOSS", "buy", 1.5, None, {"stopPrice": 65_000})

    exchange.books.set_price("BTCUSDT", 80_000)

    assert (await client.fetch_order(order["id"], BTC))["status"] == "expired"
    assert (account.balance("USDT").free, account.balance("USDT").locked) == (Decimal(100_000), Decimal(0))


async def test_one_order_too_many_is_refused(client: Client) -> None:
    for _ in range(5):
        await client.create_order(BTC, "STOP_LOSS", "sell", 0.01, None, {"stopPrice": 50_000})

    with pytest.raises(errors.BaseError, match="MAX_NUM_ALGO_ORDERS"):
        await client.create_order(BTC, "STOP_LOSS", "sell", 0.01, None, {"stopPrice": 50_000})
