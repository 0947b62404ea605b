"""Catch-up: the state follows the exchange's books, whatever happened while nobody looked."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.dsl import DataDependency
from engine.errors import RetryableError
from engine.live.books.catch_up import LISTING_DELAY, PATIENCE
from engine.live.guard.result import Mode
from engine.live.venue.api import Accepted
from engine.state import Fee, Order
from engine.types import Asset, OrderId
from tests.support.intents import order
from tests.support.live_run import LiveRun, asked, keyed
from tests.support.memory_exchange import MemoryExchange
from tests.support.memory_market import BTC

TRADED = DataDependency(BTC, None, "orders")
RESTING = asked("limit", "buy", "0.01", price="40000")


async def resting() -> LiveRun:
    """A run with one open order, which the exchange calls 1."""
    run = LiveRun(MemoryExchange())
    await run.place(RESTING)
    assert [order.id for order in run.orders] == ["1"]
    return run


async def test_an_order_filled_while_nobody_looked_becomes_a_trade_and_moves_the_balance() -> None:
    run = await resting()
    run.exchange.fill("1")
    await run.invoke()
    assert run.orders == []
    (trade,) = run.trades
    assert (trade.order_id, trade.amount, trade.price) == ("1", Decimal("0.01"), Decimal(40_000))
    assert run.elements.portfolio.content[Asset("BTC")].total == Decimal("1.00999")
    assert run.elements.orders.missing_orders == []


async def test_a_partly_filled_order_stays_open_and_its_trades_are_known_once() -> None:
    run = await resting()
    run.exchange.fill("1", "0.004")
    await run.invoke()
    await run.invoke()
    assert [order.filled for order in run.orders] == [Decimal("0.004")]
    run.exchange.fill("1", "0.006")
    await run.invoke()
    assert run.orders == []
    assert [trade.amount for trade in run.trades] == [Decimal("0.004"), Decimal("0.006")]


async def test_the_fills_of_one_order_say_nothing_of_another_one_s() -> None:
    run = await resting()
    run.exchange.fill("1", "0.004")
    await run.invoke()
    run.later(1_000)
    await run.place(asked("limit", "buy", "0.01", price="40000"))
    run.exchange.fill("2", "0.001")
    await run.invoke()
    assert [order.filled for order in run.orders] == [Decimal("0.004"), Decimal("0.001")]


async def test_an_order_cancelled_elsewhere_after_a_partial_fill_keeps_what_filled() -> None:
    run = await resting()
    run.exchange.fill("1", "0.004")
    run.exchange.cancel_elsewhere("1")
    await run.invoke()
    assert run.orders == []
    assert [trade.amount for trade in run.trades] == [Decimal("0.004")]
    (gone,) = run.elements.orders.missing_orders
    assert (gone.id, gone.status, gone.filled) == ("1", "canceled", Decimal("0.004"))


async def test_orders_and_fills_of_others_on_the_same_account_are_not_touched() -> None:
    run = await resting()
    foreign = run.exchange.accept(
        Order(
            id=OrderId("x"), client_order_id="theirs", symbol=BTC, side="buy", type="limit", amount=1, price=9
        )
    )
    run.exchange.fill(foreign.id, "0.5")
    run.exchange.fill("1", "0.001")
    await run.invoke()
    assert [order.id for order in run.orders] == ["1"]
    assert {trade.order_id for trade in run.trades} == {"1"}
    run.exchange.cancel_elsewhere(foreign.id)
    await run.invoke()
    assert run.elements.orders.missing_orders == []


@pytest.mark.parametrize(
    ("fees", "kept"),
    [
        ([Fee(cost="0.00001", currency="BTC")], Fee(cost="0.00001", currency="BTC")),
        ([Fee(cost="0.4", currency="USDT")], Fee(cost="0.4", currency="USDT")),
        ([Fee(cost="0.01", currency="BNB")], Fee(cost="0.01", currency="BNB")),
        (
            [Fee(cost="0.01", currency="BNB"), Fee(cost="0.000005", currency="BTC")],
            Fee(cost="0.000005", currency="BTC"),
        ),
        ([], None),
    ],
    ids=["base", "quote", "third asset", "third asset, then base", "none"],
)
async def test_the_fee_of_an_order_is_that_of_its_trades_base_before_all_others(
    fees: list[Fee], kept: Fee | None
) -> None:
    run = await resting()
    for part in ("0.004", "0.005"):
        run.exchange.fill("1", part)
    charged = [*fees, None, None][:2]
    run.exchange.fills = [
        trade.model_copy(update={"fee": fee}) for trade, fee in zip(run.exchange.fills, charged, strict=True)
    ]
    await run.invoke()
    assert run.orders[0].fee == kept
    assert [trade.fee for trade in run.trades] == charged


async def test_an_order_that_left_the_book_is_over_only_when_its_trades_are_listed() -> None:
    run = await resting()
    run.exchange.fill("1", "0.004")
    run.exchange.fill("1")
    late, run.exchange.fills = run.exchange.fills[1:], run.exchange.fills[:1]
    await run.invoke()
    assert run.orders == []
    assert [order.filled for order in run.elements.orders.closing_orders] == [Decimal("0.004")]
    assert run.watch_at is not None
    assert run.watch_at - run.exchange.clock < 10, "it is looked at again soon"

    run.exchange.fills += late
    await run.invoke()
    assert run.elements.orders.closing_orders == []
    assert [trade.amount for trade in run.trades] == [Decimal("0.004"), Decimal("0.006")]


async def test_trades_that_are_never_listed_do_not_keep_an_order_for_ever() -> None:
    run = await resting()
    run.exchange.fill("1")
    run.exchange.fills = []
    await run.invoke()
    run.later(PATIENCE)
    await run.invoke()
    assert run.elements.orders.closing_orders == []
    assert run.watch_at is None


async def test_an_order_filled_between_two_answers_is_neither_lost_nor_counted_twice() -> None:
    run = await resting()
    exchange, listed = run.exchange, run.exchange.open_orders

    async def open_then_filled(symbol: str) -> object:
        answer = await listed(BTC)
        exchange.fill("1")
        return answer

    exchange.open_orders = open_then_filled  # type: ignore[method-assign, assignment]  # whatever it is asked
    await run.invoke()
    exchange.open_orders = listed  # type: ignore[method-assign]
    await run.invoke()
    assert run.orders == []
    assert [trade.amount for trade in run.trades] == [Decimal("0.01")]


async def test_an_order_that_is_not_listed_yet_is_not_taken_for_gone() -> None:
    run = await resting()
    forgotten = dict(run.exchange.orders)
    run.exchange.orders.clear()
    await run.invoke()
    assert [order.id for order in run.orders] == ["1"]
    run.exchange.orders |= forgotten
    await run.invoke()
    assert [order.id for order in run.orders] == ["1"]


async def test_an_order_is_not_taken_for_gone_when_its_answer_told_nothing_but_an_id() -> None:
    run = LiveRun(MemoryExchange())
    taken = run.exchange.accept(order(amount="0.01", price="40000"))
    run.exchange.will_answer(Accepted(replace(taken, created_at=0.0)))
    run.exchange.orders.clear()  # it is not listed yet

    await run.place(RESTING)
    run.later(LISTING_DELAY / 2)
    await run.invoke()

    assert [order.id for order in run.orders] == ["1"]


async def test_an_order_that_the_exchange_has_forgotten_was_cancelled_unless_trades_say_more() -> None:
    run = await resting()
    run.exchange.orders.clear()
    run.later(LISTING_DELAY)
    await run.invoke()
    assert [order.status for order in run.elements.orders.missing_orders] == ["canceled"]

    filled = await resting()
    filled.exchange.fill("1")
    filled.exchange.orders.clear()
    await filled.invoke()
    assert filled.elements.orders.missing_orders == []
    assert [trade.amount for trade in filled.trades] == [Decimal("0.01")]


async def test_an_order_known_by_its_client_id_only_takes_the_exchange_s_id() -> None:
    run = await resting()
    run.orders[0].id = OrderId(run.orders[0].client_order_id or "")
    await run.invoke()
    assert [order.id for order in run.orders] == ["1"]

    run.orders[0].id = OrderId(run.orders[0].client_order_id or "")
    run.exchange.fill("1")
    await run.invoke()
    assert [trade.order_id for trade in run.trades] == ["1"]


async def test_a_market_order_is_a_trade_in_the_invocation_that_sends_it() -> None:
    run = LiveRun(MemoryExchange())
    await run.place(asked("market", "buy", "0.01"))
    assert run.orders == run.elements.orders.closing_orders == []
    assert [(trade.type, trade.amount) for trade in run.trades] == [("market", Decimal("0.01"))]


async def test_an_order_that_ended_at_once_without_a_fill_is_missing() -> None:
    run = LiveRun(MemoryExchange())
    await run.invoke(lambda account: account.place(RESTING, keyed("x")), needs=[TRADED])
    accepted = run.exchange.accept(Order.model_validate(run.pending[0].params))
    run.exchange.cancel_elsewhere(accepted.id)
    await run.invoke()
    assert [order.status for order in run.elements.orders.missing_orders] == ["canceled"]
    assert run.sent == []


async def test_a_failed_catch_up_changes_nothing_but_what_was_settled() -> None:
    run = LiveRun(MemoryExchange())
    await run.invoke(lambda account: account.place(RESTING, keyed("x")), needs=[TRADED])
    portfolio = run.exchange.portfolio

    async def unreachable() -> None:
        raise RetryableError("no answer")

    run.exchange.portfolio = unreachable  # type: ignore[method-assign, assignment]  # whatever it is asked
    before = run.elements.portfolio
    async with run.session() as session:
        await session.carry_out(run.pending, Mode.SEND)
        run.exchange.fill("1")
        with pytest.raises(RetryableError):
            await session.require([])
        session.sync_back()
    assert [order.id for order in run.orders] == ["1"]
    assert (run.trades, run.elements.portfolio) == ([], before)

    run.exchange.portfolio = portfolio  # type: ignore[method-assign]
    run.pending = []
    await run.invoke()
    assert [trade.order_id for trade in run.trades] == ["1"]


async def test_one_order_on_one_symbol_costs_at_most_seven_requests() -> None:
    run = LiveRun(MemoryExchange())
    await run.invoke()
    await run.invoke(lambda account: account.place(RESTING, keyed("x")), needs=[TRADED])
    assert run.requests == {"markets": 1, "tickers": 1, "portfolio": 1}
    await run.invoke(needs=[TRADED])
    private = {"find_orders": 1, "create_order": 1, "open_orders": 1, "portfolio": 1}
    assert run.requests == {**private, "markets": 1, "tickers": 1}
    await run.invoke()
    assert run.requests == {"open_orders": 1, "portfolio": 1, "markets": 1}
    run.exchange.fill("1")
    await run.invoke()
    assert run.requests == {"open_orders": 1, "order": 1, "trades": 1, "portfolio": 1, "markets": 1}
    await run.invoke()
    assert run.requests == {"portfolio": 1, "markets": 1}


async def test_a_market_order_costs_six_requests_besides_the_cached_markets() -> None:
    run = LiveRun(MemoryExchange())
    request = asked("market", "buy", "0.01")
    await run.invoke(lambda account: account.place(request, keyed("x")), needs=[TRADED])
    await run.invoke(needs=[TRADED])
    private = {"find_orders": 1, "create_order": 1, "trades": 1, "portfolio": 1}
    assert run.requests == {**private, "markets": 1, "tickers": 1}
