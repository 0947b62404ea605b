"""The live session of an invocation: opened when needed, always closed, effects settled first."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any, cast

import pytest

from engine.dsl import DataDependency
from engine.effects.transfers import TransferPolicy
from engine.errors import ConfigurationError, DslError, PostponedError, RetryableError
from engine.job.account import InvocationAccount
from engine.job.repository_factory import ExchangeRepositoryFactory
from engine.job.services import Services
from engine.live.books.repositories import LiveRepositories
from engine.live.guard.result import GuardResult, Mode
from engine.live.venue.api import Unclear
from engine.market.market_protocols import MarketData
from engine.orders.account_protocols import Account, OrderFilter
from engine.state import AuthDetails, ExchangeAccountDetails, Order, load_state
from engine.types import Asset, OrderId, Symbol, TimeFrame
from tests.support.builders import automation, paper
from tests.support.live_run import LiveRun, asked, keyed, live_state
from tests.support.memory_exchange import MemoryExchange
from tests.support.memory_market import BTC, MemoryMarket

TRADED = DataDependency(BTC, None, "orders")
RESTING = asked("limit", "buy", "0.01", price="40000")


async def planning() -> LiveRun:
    """A run that has planned one order."""
    run = LiveRun(MemoryExchange())
    await run.invoke(lambda account: account.place(RESTING, keyed("call")), needs=[TRADED])
    return run


async def test_nothing_is_opened_as_long_as_nothing_needs_the_account() -> None:
    run = LiveRun(MemoryExchange())
    async with run.session() as session:
        assert await session.carry_out([], Mode.SEND) == GuardResult()
        assert (session.services, session.watch_at, session.sync_back()) == ({}, None, ())
    assert (run.exchange.opened, run.exchange.closed) == (0, 0)


async def test_an_account_without_credentials_is_simulated() -> None:
    state = load_state(paper(automation(), {"USDT": 1_000}))
    market = MemoryMarket({BTC: 50_000})
    async with InvocationAccount(state, Services(market_source=lambda details: market), 0) as session:
        await session.require([TRADED])
        assert (session.take_follow_ups(), session.watch_at) == ((), None)
    assert market.closed


async def test_operators_find_the_account_its_data_and_the_transfer_policy() -> None:
    run = LiveRun(MemoryExchange())
    async with run.session() as session:
        await session.require([TRADED])
        assert session.services.keys() == {MarketData, Account, TransferPolicy}


async def test_what_was_planned_is_sent_by_the_next_invocation_and_is_an_order_of_its_call() -> None:
    run = await planning()
    assert run.sent == []
    await run.invoke()
    (order,) = run.orders
    assert run.sent == [("create_order", order.client_order_id)]
    assert order.origin is not None
    assert (order.origin.action_id, order.origin.call_site, order.origin.leg) == ("action", "1", "0")
    assert (run.exchange.opened, run.exchange.closed) == (2, 2)


async def test_a_placed_order_is_in_the_state_even_if_nothing_can_be_fetched_behind_it() -> None:
    run = await planning()
    async with run.session() as session:
        settlement = await session.carry_out(run.pending, Mode.SEND)
        assert settlement.acted
        run.exchange.read_error = RetryableError("no answer")
        with pytest.raises(RetryableError):
            await session.require([])
        assert "orders" in session.sync_back()
    assert [order.id for order in run.orders] == ["1"]


async def test_an_unclear_answer_leaves_the_order_pending_and_out_of_the_book() -> None:
    run = await planning()
    run.exchange.will_answer(Unclear("the answer was lost"), happens=True)
    await run.invoke()
    assert [intent.status for intent in run.pending] == ["tried"]
    assert run.orders == []
    run.later(10)
    await run.invoke()
    assert [order.id for order in run.orders] == ["1"]
    assert run.sent == [("create_order", run.orders[0].client_order_id)]


async def test_an_outcome_that_is_told_twice_makes_one_order() -> None:
    run = await planning()
    planned = list(run.pending)
    await run.invoke()
    run.pending = planned
    await run.invoke()
    assert [order.id for order in run.orders] == ["1"]


async def test_a_cancellation_takes_the_order_out_of_the_book_and_keeps_what_filled() -> None:
    run = await planning()
    await run.invoke()
    await run.invoke(lambda account: account.cancel(OrderFilter(), keyed("cancel")))
    run.exchange.fill("1", "0.004")
    await run.invoke()
    assert run.orders == run.elements.orders.closing_orders == []
    assert run.elements.orders.missing_orders == [], "its owner asked for it"
    assert [trade.amount for trade in run.trades] == [Decimal("0.004")]


async def test_a_cancellation_without_an_answer_is_still_its_owner_s() -> None:
    run = await planning()
    await run.invoke()
    await run.invoke(lambda account: account.cancel(OrderFilter(), keyed("cancel")))
    run.exchange.will_answer(Unclear("the answer was lost"), happens=True)
    await run.invoke()
    assert [intent.status for intent in run.pending] == ["tried"]
    assert run.orders == run.elements.orders.missing_orders == []
    await run.until_quiet()
    assert run.elements.orders.missing_orders == []


async def test_an_order_that_filled_before_its_cancellation_came_is_a_trade() -> None:
    run = await planning()
    await run.invoke()
    await run.invoke(lambda account: account.cancel(OrderFilter(), keyed("cancel")))
    run.exchange.fill("1")
    await run.invoke()
    assert run.orders == []
    assert [trade.amount for trade in run.trades] == [Decimal("0.01")]


async def test_a_withdrawal_that_was_sent_is_a_transaction() -> None:
    run = LiveRun(MemoryExchange())
    to: dict[str, Any] = {"network": "TRX", "address": "T1", "tag": None, "key": keyed("w")}
    await run.invoke(lambda account: account.withdraw(Asset("USDT"), Decimal(10), **to))
    await run.invoke()
    (sent,) = run.elements.transactions
    assert (sent.txid, sent.amount, sent.address_to) == (keyed("w")("0"), Decimal(10), "T1")


async def test_stopping_can_cancel_every_open_order_of_the_automation() -> None:
    run = await planning()
    await run.invoke()
    run.exchange.accept(
        Order(id=OrderId("x"), symbol=BTC, side="buy", type="limit", amount=Decimal(1), price=Decimal(9))
    )
    async with run.session() as session:
        await session.look_after()
        (cancellation,) = session.plan_cancel_all()
        settlement = await session.carry_out([cancellation], Mode.WIND_DOWN)
        assert [one.outcome.outcome for one in settlement.settled] == ["cancelled"]
        session.sync_back()
    assert run.orders == []
    assert [report.status for report in run.exchange.orders.values()] == ["canceled", "open"]


async def test_the_session_is_closed_when_its_task_is_cancelled() -> None:
    exchange = MemoryExchange()
    reading = asyncio.Event()

    async def never() -> None:
        reading.set()
        await asyncio.Event().wait()

    exchange.portfolio = never  # type: ignore[method-assign, assignment]  # whatever it is asked
    run = LiveRun(exchange)
    invocation = asyncio.create_task(run.invoke())
    await reading.wait()
    invocation.cancel()
    with pytest.raises(asyncio.CancelledError):
        await invocation
    assert exchange.closed == 1


@pytest.mark.parametrize(
    "error", [RetryableError("no answer"), PostponedError("maintenance", reason="maintenance")]
)
async def test_the_session_is_closed_when_opening_fails_half_way(error: Exception) -> None:
    run = LiveRun(MemoryExchange())
    run.exchange.read_error = error
    with pytest.raises(type(error)):
        await run.invoke()
    assert run.exchange.closed == 1


async def test_a_recorded_market_has_no_account() -> None:
    run = LiveRun(MemoryExchange())
    details = run.state.exchange_account_details
    assert details is not None
    details.exchange_details.recorded = details.exchange_details.model_validate(
        {"recorded": {"folder": "market"}}
    ).recorded
    with pytest.raises(ConfigurationError, match="a recorded market has no account") as refused:
        await run.invoke()
    assert refused.value.code == "recorded_with_credentials"
    assert run.exchange.opened == 0


async def test_what_an_account_did_while_it_was_simulated_is_not_on_the_exchange() -> None:
    paper_order = {"id": "p", "symbol": BTC, "side": "buy", "type": "limit", "amount": "1", "price": "9"}
    run = LiveRun(MemoryExchange(), state=live_state(orders={"open_orders": [paper_order]}))
    await run.invoke()
    assert run.orders == []
    assert run.requests["open_orders"] == 0


async def test_candles_that_cannot_be_had_are_the_error_of_who_reads_them() -> None:
    run = LiveRun(MemoryExchange())

    async def broken(*args: Any, **kwargs: Any) -> None:
        raise ConfigurationError("no such time frame")

    run.exchange.market.candles = broken  # type: ignore[method-assign, assignment]  # whatever it is asked
    async with run.session() as session:
        await session.require([DataDependency(BTC, "1h", "candles"), DataDependency(BTC, None, "price")])
        data = cast("MarketData", session.services[MarketData])
        with pytest.raises(DslError, match="no such time frame"):
            data.candles(BTC, TimeFrame("1h"))
        assert data.mark_price(BTC) == 50_000


async def test_the_repositories_of_a_live_account_read_its_exchange() -> None:
    exchange = MemoryExchange()
    run = LiveRun(exchange)
    await run.place(RESTING)
    exchange.fill("1", "0.004")
    details = run.state.exchange_account_details
    assert details is not None
    repositories = ExchangeRepositoryFactory(Services(live_exchange=exchange.open)).create(details)
    assert isinstance(repositories, LiveRepositories)
    listed = await repositories.orders.fetch_open(run.orders)
    assert [order.filled for order in listed] == [Decimal("0.004")]
    found = await repositories.orders.find(run.orders[0])
    assert found is not None
    assert found.status == "open"
    assert [fill.amount for fill in await repositories.trades.fetch({BTC: 0})] == [Decimal("0.004")]
    assert (await repositories.portfolio.fetch()).content[Asset("BTC")].total == Decimal("1.003996")
    assert await repositories.positions.fetch(run.elements, [Symbol("BTC/USDT:USDT")]) == ()
    tickers = await repositories.exchange.source.tickers([BTC], now=exchange.clock)
    assert tickers[BTC].close == 50_000


async def test_credentials_alone_choose_between_the_exchange_and_its_market() -> None:
    exchange, market = MemoryExchange(), MemoryMarket({})
    factory = ExchangeRepositoryFactory(Services(live_exchange=exchange.open, market_source=lambda _: market))
    simulated = ExchangeAccountDetails.model_validate({"exchange_details": {"internal_name": "binance"}})
    live = simulated.model_copy(update={"auth_details": AuthDetails(credential_ref="env:X")})
    assert factory.create(simulated) is market
    assert isinstance(factory.create(live), LiveRepositories)
