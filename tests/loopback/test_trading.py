"""The loopback exchange trades with ccxt's own Binance class as the real one does."""

from __future__ import annotations

from decimal import Decimal

import pytest
from ccxt.base import errors

from engine.exchanges.imports import Client
from tests.support.loopback import LoopbackExchange
from tests.support.loopback.accounts import Account

BTC = "BTC/USDT"


def held(account: Account, asset: str) -> tuple[Decimal, Decimal]:
    """Free and locked."""
    balance = account.balance(asset)
    return balance.free, balance.locked


async def test_a_market_buy_fills_at_once_and_pays_its_fee_in_base(client: Client, account: Account) -> None:
    order = await client.create_order(BTC, "market", "buy", 0.5, None, {"newClientOrderId": "one"})

    assert (order["status"], order["filled"], order["average"]) == ("closed", 0.5, 60_000)
    assert order["clientOrderId"] == "one"
    assert order["fee"] == {"cost": 0.0005, "currency": "BTC"}
    assert held(account, "USDT") == (Decimal(70_000), Decimal(0))
    assert held(account, "BTC") == (Decimal("1.4995"), Decimal(0))


async def test_a_resting_limit_locks_its_funds_until_the_price_comes(
    exchange: LoopbackExchange, client: Client, account: Account
) -> None:
    order = await client.create_order(BTC, "limit", "buy", 1, 50_000)
    assert order["status"] == "open"
    assert held(account, "USDT") == (Decimal(50_000), Decimal(50_000))

    exchange.books.set_price("BTCUSDT", 49_000)

    filled = await client.fetch_order(order["id"], BTC)
    trade = (await client.fetch_my_trades(BTC))[0]
    assert (filled["status"], filled["average"]) == ("closed", 50_000)
    assert (trade["order"], trade["takerOrMaker"], trade["price"]) == (order["id"], "maker", 50_000)
    assert held(account, "USDT") == (Decimal(50_000), Decimal(0))


async def test_a_limit_that_crosses_fills_at_the_market_as_taker(client: Client, account: Account) -> None:
    order = await client.create_order(BTC, "limit", "sell", 1, 50_000)

    assert (order["status"], order["average"]) == ("closed", 60_000)
    assert (await client.fetch_my_trades(BTC))[0]["takerOrMaker"] == "taker"
    assert held(account, "USDT") == (Decimal(159_940), Decimal(0))


async def test_a_cancelled_order_gives_its_funds_back(client: Client, account: Account) -> None:
    order = await client.create_order(BTC, "limit", "sell", 1, 90_000)

    cancelled = await client.cancel_order(order["id"], BTC)

    assert cancelled["status"] == "canceled"
    assert held(account, "BTC") == (Decimal(1), Decimal(0))
    assert await client.fetch_open_orders(BTC) == []
    with pytest.raises(errors.OrderNotFound, match="Unknown order sent"):
        await client.cancel_order(order["id"], BTC)


async def test_orders_are_found_by_id_by_client_id_and_in_lists(client: Client) -> None:
    first = await client.create_order(BTC, "limit", "buy", 1, 50_000, {"newClientOrderId": "first"})
    await client.create_order("ETH/USDT", "limit", "buy", 1, 2_000, {"newClientOrderId": "second"})
    await client.cancel_order(first["id"], BTC)

    named = await client.fetch_order(None, BTC, {"origClientOrderId": "first"})
    history = await client.fetch_orders(BTC, since=first["timestamp"], limit=10)
    client.options["warnOnFetchOpenOrdersWithoutSymbol"] = False
    open_orders = await client.fetch_open_orders()

    assert named["id"] == first["id"]
    assert [order["clientOrderId"] for order in history] == ["first"]
    assert [order["clientOrderId"] for order in open_orders] == ["second"]
    with pytest.raises(errors.OrderNotFound, match="-2013"):
        await client.fetch_order("999", BTC)


async def test_a_client_id_is_refused_while_its_order_is_open_and_free_again_afterwards(
    exchange: LoopbackExchange, client: Client
) -> None:
    params = {"newClientOrderId": "same"}
    await client.create_order(BTC, "limit", "buy", 0.1, 50_000, params)
    with pytest.raises(errors.InvalidOrder, match="Duplicate order sent"):
        await client.create_order(BTC, "limit", "buy", 0.1, 50_000, params)

    exchange.books.set_price("BTCUSDT", 50_000)
    again = await client.create_order(BTC, "limit", "buy", 0.1, 40_000, params)

    newest = await client.fetch_order(None, BTC, {"origClientOrderId": "same"})
    assert newest["id"] == again["id"]
    assert [accepted.client_id for accepted in exchange.books.accepted] == ["same", "same"]
    assert exchange.books.accepted[1].params["price"] == "40000"


@pytest.mark.parametrize(
    ("symbol", "kind", "side", "amount", "price", "error", "message"),
    [
        (BTC, "market", "buy", 2, None, errors.InsufficientFunds, "insufficient balance"),
        (BTC, "limit", "buy", 0.00001, 50_000, errors.BadRequest, "NOTIONAL"),
        (BTC, "limit", "buy", 0.1, 500_000, errors.BadRequest, "PERCENT_PRICE"),
        (BTC, "limit", "buy", 99_000_000, 20_000, errors.InvalidOrder, "lot size"),
    ],
)
async def test_orders_that_break_a_rule_are_refused_and_change_nothing(
    symbol: str,
    kind: str,
    side: str,
    amount: float,
    price: float | None,
    error: type[Exception],
    message: str,
    exchange: LoopbackExchange,
    client: Client,
    account: Account,
) -> None:
    with pytest.raises(error, match=message):
        await client.create_order(symbol, kind, side, amount, price)

    assert exchange.books.accepted == []
    assert held(account, "USDT") == (Decimal(100_000), Decimal(0))


async def test_a_symbol_that_does_not_exist_is_named_so(client: Client) -> None:
    with pytest.raises(errors.BadSymbol, match="-1121"):
        await client.private_get_openorders({"symbol": "NOPENOPE"})


async def test_tickers_candles_balance_and_rights_are_read(
    exchange: LoopbackExchange, client: Client, account: Account
) -> None:
    exchange.books.set_price("BTCUSDT", 61_000)

    one = await client.fetch_ticker(BTC)
    several = await client.fetch_tickers([BTC, "ETH/USDT"])
    candles = await client.fetch_ohlcv(BTC, "1h", limit=3)
    balance = await client.fetch_balance()
    rights = await client.sapi_get_account_apirestrictions()

    assert one["last"] == several[BTC]["last"] == candles[-1][4] == 61_000
    assert len(candles) == 3
    assert balance["BTC"] == {"free": 1, "used": 0, "total": 1}
    assert rights["enableWithdrawals"] is False
    assert abs(await client.fetch_time() - exchange.now()) < 1_000
