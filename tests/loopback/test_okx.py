"""The same books speak OKX's language to ccxt's own OKX class: nothing in them is Binance's alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from ccxt.base import errors

from engine.exchanges.imports import Client
from tests.support.loopback import (
    CREATE_ORDER,
    Drop,
    LoopbackExchange,
    Moment,
    PartialFill,
    Say,
    Trouble,
    serving_okx,
)
from tests.support.loopback.accounts import Account
from tests.support.loopback.clients import trading_client

BTC = "BTC/USDT"


@pytest.fixture
async def exchange() -> AsyncIterator[LoopbackExchange]:
    """A running exchange that speaks as OKX does."""
    async with serving_okx() as running:
        yield running


@pytest.fixture
def account(exchange: LoopbackExchange) -> Account:
    """A customer with some dollars and a bitcoin."""
    return exchange.books.add_account("key", "secret", {"USDT": 100_000, "BTC": 1}, passphrase="phrase")


@pytest.fixture
async def client(exchange: LoopbackExchange, account: Account) -> AsyncIterator[Client]:
    """The customer's client."""
    async with trading_client(exchange, account, "okx") as connected:
        yield connected


async def test_orders_are_placed_filled_and_found(
    exchange: LoopbackExchange, client: Client, account: Account
) -> None:
    bought = await client.create_order(BTC, "market", "buy", 0.5, None, {"clOrdId": "one"})
    offered = await client.create_order(BTC, "limit", "sell", 0.1, 70_000, {"clOrdId": "two"})

    first = await client.fetch_order(None, BTC, {"clOrdId": "one"})
    assert (first["id"], first["status"], first["average"]) == (bought["id"], "closed", 60_000)
    assert first["fee"] == {"cost": 0.0005, "currency": "BTC"}
    assert [order["id"] for order in await client.fetch_open_orders(BTC)] == [offered["id"]]

    exchange.books.set_price("BTCUSDT", 70_000)
    trades = await client.fetch_my_trades(BTC, since=first["timestamp"])
    assert [(trade["order"], trade["takerOrMaker"]) for trade in trades] == [
        (bought["id"], "taker"),
        (offered["id"], "maker"),
    ]
    assert {order["clientOrderId"] for order in await client.fetch_closed_orders(BTC)} == {"one", "two"}
    balance = await client.fetch_balance()
    assert balance["BTC"]["free"] == balance["BTC"]["total"] == 1.3995


async def test_a_cancelled_order_gives_its_funds_back(client: Client, account: Account) -> None:
    order = await client.create_order(BTC, "limit", "sell", 1, 70_000)
    await client.cancel_order(order["id"], BTC)

    assert account.balance("BTC").free == 1
    assert (await client.fetch_order(order["id"], BTC))["status"] == "canceled"
    with pytest.raises(errors.OrderNotFound, match="51400"):
        await client.cancel_order(order["id"], BTC)
    with pytest.raises(errors.OrderNotFound, match="51603"):
        await client.fetch_order("999", BTC)


async def test_a_client_id_is_refused_while_its_order_is_open(
    exchange: LoopbackExchange, client: Client
) -> None:
    await client.create_order(BTC, "limit", "buy", 0.1, 50_000, {"clOrdId": "same"})
    with pytest.raises(errors.InvalidOrder, match="51016"):
        await client.create_order(BTC, "limit", "buy", 0.1, 50_000, {"clOrdId": "same"})

    exchange.books.set_price("BTCUSDT", 50_000)
    await client.create_order(BTC, "limit", "buy", 0.1, 40_000, {"clOrdId": "same"})

    assert [accepted.params["px"] for accepted in exchange.books.accepted] == ["50000", "40000"]


@pytest.mark.parametrize(
    ("amount", "price", "params", "error", "code"),
    [
        (5, None, {}, errors.InsufficientFunds, "51008"),
        (0.1, 50_000, {"clOrdId": "with-dash"}, errors.BadRequest, "51000"),
        (0.1, 50_000, {"clOrdId": "x" * 33}, errors.BadRequest, "51000"),
        (0.1, 500_000, {}, errors.InvalidOrder, "51006"),
        (0.00001, 50_000, {}, errors.InvalidOrder, "51020"),
    ],
)
async def test_refusals_carry_codes_of_okx(
    amount: float,
    price: float | None,
    params: dict[str, str],
    error: type[Exception],
    code: str,
    exchange: LoopbackExchange,
    client: Client,
) -> None:
    with pytest.raises(error, match=code):
        await client.create_order(BTC, "limit" if price else "market", "buy", amount, price, params)
    assert exchange.books.accepted == []


@pytest.mark.parametrize(
    ("attribute", "value", "code"),
    [("apiKey", "other", "50111"), ("secret", "other", "50113"), ("password", "other", "50105")],
)
async def test_keys_passphrases_and_signatures_are_checked(
    attribute: str, value: str, code: str, client: Client
) -> None:
    setattr(client, attribute, value)
    with pytest.raises(errors.AuthenticationError, match=code):
        await client.fetch_balance()


async def test_a_request_older_than_half_a_minute_is_refused(
    exchange: LoopbackExchange, client: Client
) -> None:
    exchange.clock_offset = 29
    await client.fetch_balance()
    exchange.clock_offset = 31
    with pytest.raises(errors.InvalidNonce, match="50102"):
        await client.fetch_balance()


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (Trouble.RATE_LIMITED, errors.RateLimitExceeded),
        (Trouble.UNAVAILABLE, errors.ExchangeNotAvailable),
        (Trouble.BAD_GATEWAY, errors.ExchangeNotAvailable),
        (Trouble.TIMEOUT, errors.RequestTimeout),
        (Trouble.MAINTENANCE, errors.OnMaintenance),
        (Trouble.DUPLICATE, errors.InvalidOrder),
        (Trouble.INVALID_KEY, errors.AuthenticationError),
    ],
)
async def test_troubles_are_said_in_the_words_of_okx(
    trouble: Trouble, error: type[Exception], exchange: LoopbackExchange, client: Client
) -> None:
    exchange.faults.add(Say(trouble, Moment.AFTER), CREATE_ORDER)
    with pytest.raises(error):
        await client.create_order(BTC, "limit", "buy", 0.1, 50_000)
    assert len(exchange.books.accepted) == 1


async def test_faults_strike_orders_here_too(exchange: LoopbackExchange, client: Client) -> None:
    exchange.faults.add(Drop(Moment.AFTER), CREATE_ORDER)
    with pytest.raises(errors.NetworkError):
        await client.create_order(BTC, "limit", "buy", 0.1, 50_000, {"clOrdId": "lost"})
    assert (await client.fetch_order(None, BTC, {"clOrdId": "lost"}))["status"] == "open"

    exchange.faults.add(PartialFill(Decimal("0.5")), CREATE_ORDER)
    placed = await client.create_order(BTC, "limit", "buy", 0.1, 61_000, {"clOrdId": "half"})
    assert (await client.fetch_order(placed["id"], BTC))["filled"] == 0.05


async def test_public_data_is_read_without_a_key(exchange: LoopbackExchange, client: Client) -> None:
    client.apiKey = None
    exchange.books.set_price("BTCUSDT", 61_000)

    candles = await client.fetch_ohlcv(BTC, "1h", limit=3)
    tickers = await client.fetch_tickers([BTC])

    assert (await client.fetch_ticker(BTC))["last"] == tickers[BTC]["last"] == candles[-1][4] == 61_000
    assert len(candles) == 3
    assert exchange.private_requests == []
