"""The private side of an account: ccxt's real classes on exchanges that speak as Binance and OKX do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from engine.errors import ActionStatus, ConfigurationError, PostponedError, RetryableError
from engine.exchanges.key_rights import KeyRights
from engine.live.venue.api import Absent, Accepted, Confirmed, LiveExchange, Refused, Unclear
from engine.live.venue.key_rights import check_rights
from engine.state import Order, Transaction
from engine.types import Asset, OrderId, Symbol, TimeFrame
from tests.support.live import TestPace, live_details, live_exchange
from tests.support.loopback import (
    CREATE_ORDER,
    Call,
    Drop,
    LoopbackExchange,
    Moment,
    Say,
    Trouble,
    Where,
    serving_binance,
    serving_okx,
)
from tests.support.loopback.accounts import Account, Rights

BTC = Symbol("BTC/USDT")
ORDERS = {"binance": "GET /api/v3/openOrders", "okx": "GET /api/v5/trade/orders-pending"}
READS = Where(method="GET", path=("/openOrders", "/orders-pending"))


@pytest.fixture(params=["binance", "okx"])
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def exchange(dialect: str) -> AsyncIterator[LoopbackExchange]:
    serving = {"binance": serving_binance, "okx": serving_okx}[dialect]
    async with serving() as running:
        running.books.set_price("BTCUSDT", 60_000)
        yield running


@pytest.fixture
def account(exchange: LoopbackExchange) -> Account:
    return exchange.books.add_account("canary-key", "canary-secret", {"USDT": 100_000, "BTC": 1})


@pytest.fixture
def time() -> TestPace:
    return TestPace()


@pytest.fixture
async def live(
    exchange: LoopbackExchange, account: Account, time: TestPace, dialect: str
) -> AsyncIterator[LiveExchange]:
    account.passphrase = "canary-words"
    async with live_exchange(live_details(exchange.url, account, dialect), time.pace) as opened:
        yield opened


def order(client_id: str = "0123456789abcdef0123456789abcdef", **changes: Any) -> Order:
    """A limit buy that rests below the market."""
    fields: dict[str, Any] = {
        "id": "planned",
        "client_order_id": client_id,
        "symbol": BTC,
        "side": "buy",
        "type": "limit",
        "amount": "0.12345",
        "price": "50000.01",
    }
    return Order.model_validate(fields | changes)


async def test_an_order_arrives_exactly_as_it_is(live: LiveExchange, exchange: LoopbackExchange) -> None:
    answer = await live.api.create_order(order(amount="0.12345", price="50000.1"))

    assert isinstance(answer, Accepted)
    assert answer.report.client_order_id == order().client_order_id
    assert (answer.report.amount, answer.report.price) == (Decimal("0.12345"), Decimal("50000.1"))
    assert (answer.report.side, answer.report.kind, answer.report.status) == ("buy", "limit", "open")
    [taken] = exchange.books.accepted
    assert taken.client_id == order().client_order_id
    assert taken.params.get("quantity", taken.params.get("sz")) == "0.12345"
    assert taken.params.get("price", taken.params.get("px")) == "50000.1"


async def test_a_market_buy_is_counted_in_base(live: LiveExchange, exchange: LoopbackExchange) -> None:
    answer = await live.api.create_order(order(type="market", price="60000", amount="0.01"))

    assert isinstance(answer, Accepted)
    found = await live.api.order(answer.report.id, BTC)
    assert found is not None
    assert (found.filled, found.status, found.kind) == (Decimal("0.01"), "closed", "market")
    [taken] = exchange.books.accepted
    assert "quoteOrderQty" not in taken.params


async def test_an_order_is_found_by_its_client_id_open_or_filled(live: LiveExchange) -> None:
    since = live.api.exchange_time() - 1
    await live.api.create_order(order("a" * 32))
    await live.api.create_order(order("b" * 32, type="market", amount="0.01", price=None))

    for wanted in ("a" * 32, "b" * 32):
        found = await live.api.find_orders(BTC, [wanted], since)
        assert list(found) == [wanted]
    both = await live.api.find_orders(BTC, ["a" * 32, "b" * 32, "c" * 32], since)
    assert {known: report.status for known, report in both.items()} == {"a" * 32: "open", "b" * 32: "closed"}
    assert await live.api.find_orders(BTC, ["c" * 32], since) == {}
    assert await live.api.find_orders(BTC, [], since) == {}


async def test_a_cancelled_order_is_found_under_its_own_client_id(live: LiveExchange) -> None:
    since = live.api.exchange_time() - 1
    answer = await live.api.create_order(order())
    assert isinstance(answer, Accepted)
    assert isinstance(await live.api.cancel_order(answer.report.id, BTC), Confirmed)
    assert isinstance(await live.api.cancel_order(answer.report.id, BTC), Absent)

    wanted = str(order().client_order_id)
    found = await live.api.find_orders(BTC, [wanted], since)
    assert found[wanted].status == "canceled"
    listed = await live.api.find_orders(BTC, [wanted, "other"], since)
    assert listed[wanted].status == "canceled"


async def test_what_the_account_holds_and_did(live: LiveExchange, exchange: LoopbackExchange) -> None:
    since = live.api.exchange_time() - 1
    await live.api.create_order(order("a" * 32))
    await live.api.create_order(order("b" * 32, side="sell", type="market", amount="0.1", price=None))

    [resting] = await live.api.open_orders(BTC)
    assert resting.client_order_id == "a" * 32
    [fill] = await live.api.trades(BTC, since)
    assert (fill.side, fill.amount, fill.price) == ("sell", Decimal("0.1"), Decimal(60_000))
    assert fill.fee is not None
    assert fill.fee.currency == "USDT"
    held = (await live.api.portfolio()).content
    assert held[Asset("BTC")].total == Decimal("0.9")
    assert held[Asset("USDT")].available == held[Asset("USDT")].total - Decimal("0.12345") * Decimal(
        "50000.01"
    )
    assert set(held) == {"BTC", "USDT"}


async def test_an_unknown_order_is_none(live: LiveExchange) -> None:
    assert await live.api.order(OrderId("987654321"), BTC) is None


async def test_too_little_money_is_a_definite_refusal(live: LiveExchange) -> None:
    answer = await live.api.create_order(order(amount="10"))
    assert isinstance(answer, Refused)
    assert answer.status is ActionStatus.NOT_ENOUGH_FUNDS


@pytest.mark.parametrize(
    "fault", [Drop(), Drop(Moment.AFTER), Say(Trouble.BAD_GATEWAY), Say(Trouble.TIMEOUT)]
)
async def test_a_lost_answer_is_unclear_and_nothing_is_sent_again(
    live: LiveExchange, exchange: LoopbackExchange, fault: Any
) -> None:
    await live.api.open_orders(BTC)
    exchange.faults.add(fault, CREATE_ORDER)
    answer = await live.api.create_order(order())
    assert isinstance(answer, Unclear)
    assert "canary" not in answer.message
    assert sum(CREATE_ORDER.hits(one.method, one.path, None, {}) for one in exchange.requests) == 1


async def test_refused_keys_postpone(live: LiveExchange, exchange: LoopbackExchange, time: TestPace) -> None:
    exchange.faults.add(Say(Trouble.INVALID_KEY), READS)
    with pytest.raises(PostponedError) as postponed:
        await live.api.open_orders(BTC)
    assert postponed.value.reason == "authentication"
    assert time.slept == []
    exchange.faults.add(Say(Trouble.INVALID_KEY), CREATE_ORDER)
    answer = await live.api.create_order(order())
    assert isinstance(answer, Unclear)
    assert answer.postpone in ("authentication", None)


async def test_a_read_is_repeated_twice(
    live: LiveExchange, exchange: LoopbackExchange, time: TestPace, dialect: str
) -> None:
    exchange.faults.add(Say(Trouble.BAD_GATEWAY), READS, times=2)
    assert await live.api.open_orders(BTC) == []
    assert time.slept == [0.2, 1.0]
    exchange.faults.add(Say(Trouble.BAD_GATEWAY), READS, times=3)
    with pytest.raises(RetryableError) as retryable:
        await live.api.open_orders(BTC)
    assert retryable.value.code == "exchange_unavailable"
    assert "canary" not in retryable.value.message
    assert "signature=" not in retryable.value.message
    assert exchange.counts[ORDERS[dialect]] == 6


async def test_a_rate_limit_is_not_answered_with_more_requests(
    live: LiveExchange, exchange: LoopbackExchange, dialect: str
) -> None:
    exchange.faults.add(Say(Trouble.RATE_LIMITED, retry_after=7), READS)
    with pytest.raises(RetryableError) as retryable:
        await live.api.open_orders(BTC)
    assert (retryable.value.code, retryable.value.retry_after) == ("rate_limited", 7)
    assert exchange.counts[ORDERS[dialect]] == 1
    exchange.faults.add(Say(Trouble.RATE_LIMITED, retry_after=9), CREATE_ORDER)
    answer = await live.api.create_order(order())
    assert isinstance(answer, Unclear)
    assert answer.retry_after == 9


async def test_maintenance_postpones(live: LiveExchange, exchange: LoopbackExchange) -> None:
    exchange.faults.add(Say(Trouble.MAINTENANCE), READS)
    with pytest.raises(PostponedError) as postponed:
        await live.api.open_orders(BTC)
    assert postponed.value.reason == "maintenance"


async def test_requests_are_signed_by_the_exchanges_clock(
    live: LiveExchange, exchange: LoopbackExchange, time: TestPace
) -> None:
    exchange.clock_offset = -300
    assert await live.api.open_orders(BTC) == []
    assert isinstance(await live.api.create_order(order()), Accepted)
    assert abs(live.api.exchange_time() - exchange.now() / 1_000) < 2


async def test_a_clock_that_jumped_is_measured_again_once(
    live: LiveExchange, exchange: LoopbackExchange
) -> None:
    await live.api.open_orders(BTC)
    exchange.clock_offset = -300
    assert await live.api.open_orders(BTC) == []
    assert abs(await live.api.clock_difference() - 300) < 2


async def test_an_order_signed_by_a_wrong_clock_is_unclear_and_the_clock_measured(
    live: LiveExchange, exchange: LoopbackExchange
) -> None:
    await live.api.open_orders(BTC)
    exchange.clock_offset = -300
    answer = await live.api.create_order(order())
    assert isinstance(answer, Unclear)
    assert "clock is 300" in answer.message
    assert "ms ahead of the exchange's" in answer.message
    assert exchange.books.accepted == []
    assert isinstance(await live.api.create_order(order()), Accepted)


async def test_who_is_cancelled_while_an_order_is_under_way_waits_for_its_answer(
    live: LiveExchange, exchange: LoopbackExchange
) -> None:
    await live.api.open_orders(BTC)
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        arrived.set()
        await go_on.wait()

    exchange.faults.add(Call(hold), CREATE_ORDER)
    sending = asyncio.create_task(live.api.create_order(order()))
    await arrived.wait()
    sending.cancel()
    await asyncio.sleep(0)
    sending.cancel()
    assert not sending.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert len(exchange.books.accepted) == 1
    [resting] = await live.api.open_orders(BTC)
    assert resting.client_order_id == order().client_order_id


async def test_a_process_that_was_stopped_before_signing_sends_nothing(
    live: LiveExchange, exchange: LoopbackExchange, time: TestPace
) -> None:
    await live.api.open_orders(BTC)
    client = live.wire.client  # type: ignore[attr-defined]  # behind the protocol
    create = client.create_order

    async def after_a_while(*arguments: Any) -> Any:
        time.ahead = 30
        return await create(*arguments)

    client.create_order = after_a_while
    answer = await live.api.create_order(order())
    assert isinstance(answer, Unclear)
    assert "before the request could be signed" in answer.message
    assert exchange.books.accepted == []


async def test_what_the_key_may_do(live: LiveExchange, account: Account) -> None:
    assert await live.api.key_rights() == KeyRights(
        read=True, trade=True, withdraw=False, ip_restricted=False
    )
    await check_rights(live.api, transfers_allowed=False)


async def test_a_ticker_is_never_taken_from_a_cache(
    live: LiveExchange, exchange: LoopbackExchange, dialect: str
) -> None:
    first = await live.source.tickers([BTC], now=1.0)
    exchange.books.set_price("BTCUSDT", 61_000)
    second = await live.source.tickers([BTC], now=1.0)
    assert (first[BTC].close, second[BTC].close) == (Decimal(60_000), Decimal(61_000))
    exchange.faults.add(Say(Trouble.BAD_GATEWAY), times=3)
    with pytest.raises(RetryableError):
        await live.source.tickers([BTC], now=1.0)


async def test_markets_and_candles_come_through_the_same_client(
    live: LiveExchange, exchange: LoopbackExchange
) -> None:
    assert BTC in await live.source.markets()
    candles = await live.source.candles(BTC, TimeFrame("1h"), now=datetime.now(UTC).timestamp(), count=5)
    assert len(candles) == 5


def withdrawal() -> Transaction:
    return Transaction(
        txid="0123456789abcdef" * 2,
        kind="withdrawal",
        asset=Asset("BTC"),
        amount=Decimal("0.1"),
        network="BTC",
        address_to="bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
    )


@pytest.mark.parametrize("dialect", ["binance"])
async def test_a_withdrawal_is_found_by_its_client_id(live: LiveExchange, account: Account) -> None:
    account.rights = Rights(withdraw=True)
    assert await live.api.find_withdrawal(withdrawal().txid, "BTC", 0) is None
    assert await live.api.withdraw(withdrawal()) == Confirmed()
    found = await live.api.find_withdrawal(withdrawal().txid, "BTC", live.api.exchange_time() - 60)
    assert found is not None
    assert (found.txid, found.asset, found.address_to) == (
        withdrawal().txid,
        "BTC",
        withdrawal().address_to,
    )


@pytest.mark.parametrize("dialect", ["okx"])
async def test_no_funds_leave_where_a_withdrawal_could_not_be_looked_up(live: LiveExchange) -> None:
    answer = await live.api.withdraw(withdrawal())
    assert isinstance(answer, Refused)
    assert answer.status is ActionStatus.DISABLED_FUNDS_TRANSFER_ERROR
    with pytest.raises(ConfigurationError):
        await live.api.find_withdrawal(withdrawal().txid, "BTC", 0)


@pytest.mark.parametrize("dialect", ["binance"])
async def test_a_key_that_may_withdraw_is_refused_unless_transfers_are_allowed(
    live: LiveExchange, account: Account
) -> None:
    account.rights = Rights(withdraw=True)
    with pytest.raises(ConfigurationError) as refused:
        await check_rights(live.api, transfers_allowed=False)
    assert refused.value.code == "withdrawal_rights"
    await check_rights(live.api, transfers_allowed=True)


@pytest.mark.parametrize("dialect", ["binance"])
async def test_stops_are_the_exchanges_own(live: LiveExchange, exchange: LoopbackExchange) -> None:
    answer = await live.api.create_order(
        order(type="stop_limit", side="sell", amount="0.1", price="54000", stop_price="55000")
    )
    assert isinstance(answer, Accepted)
    assert (answer.report.stop_price, answer.report.price) == (Decimal(55_000), Decimal(54_000))
    [taken] = exchange.books.accepted
    assert taken.params["type"] == "STOP_LOSS_LIMIT"
    assert taken.params["timeInForce"] == "GTC"
