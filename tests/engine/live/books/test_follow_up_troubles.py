"""Follow-ups that are refused, too late or too small, on a real exchange."""

from __future__ import annotations

from decimal import Decimal

from engine.errors import ActionStatus
from engine.live.guard.result import Mode
from engine.live.venue.api import Refused
from engine.market.market import Bounds, Market
from engine.orders.cancel_policy import EXPIRATION_TIME
from engine.types import Asset
from tests.support.live_exits import (
    FURTHER,
    FUTURE,
    ONE_OF_EACH,
    PROFIT,
    STOP,
    TWO_PROFITS,
    bought,
    exits,
    standing,
    waiting,
)
from tests.support.live_run import LiveRun, asked, live_state
from tests.support.memory_exchange import MemoryExchange
from tests.support.memory_market import BTC


async def test_a_refused_exit_is_missing_and_breaks_nothing_else() -> None:
    run = LiveRun(MemoryExchange({BTC: 50_000}, {"USDT": 100_000}))
    await run.place(asked("market", "buy", "1", exits=exits(PROFIT, FURTHER, stop=None)))
    run.exchange.will_answer(Refused(ActionStatus.NOT_ENOUGH_FUNDS, "Account has insufficient balance."))
    await run.invoke()
    assert [order.status for order in run.elements.orders.missing_orders] == ["rejected"]
    assert standing(run) == [("limit", "60000", Decimal("0.4995"))]
    await run.invoke()
    assert run.pending == []
    assert run.elements.orders.missing_orders == []


async def test_a_stop_that_the_price_overtook_on_its_way_sells_at_the_market() -> None:
    run = LiveRun(MemoryExchange({BTC: 50_000}, {"USDT": 100_000}))
    await run.place(asked("market", "buy", "1", exits=exits(stop=STOP)))
    run.exchange.market.prices[BTC] = Decimal(44_000)
    run.exchange.will_answer(Refused(ActionStatus.INVALID_ORDER, "Stop price would trigger immediately."))
    await run.until_quiet()
    assert [(trade.side, trade.price) for trade in run.trades][1:] == [("sell", Decimal(44_000))]


async def test_on_spot_such_a_stop_goes_before_the_take_profits_that_wait() -> None:
    run = LiveRun(MemoryExchange({BTC: 50_000}, {"USDT": 100_000}))
    await run.place(asked("market", "buy", "1", exits=TWO_PROFITS))
    run.exchange.market.prices[BTC] = Decimal(44_000)
    run.exchange.will_answer(Refused(ActionStatus.INVALID_ORDER, "Stop price would trigger immediately."))
    await run.until_quiet()
    assert [(trade.side, trade.amount) for trade in run.trades][1:] == [("sell", Decimal("0.999"))]
    assert standing(run) == []
    assert waiting(run) == []
    assert run.elements.orders.missing_orders == []


async def test_on_futures_a_stop_that_the_price_overtook_closes_the_position_beside_its_take_profits() -> (
    None
):
    markets = [Market(FUTURE, Asset("BTC"), Asset("USDT"), kind="future")]
    exchange = MemoryExchange({FUTURE: 50_000}, {"USDT": 100_000, "BTC": 10}, markets=markets)
    run = LiveRun(exchange, state=live_state("future"))
    await run.place(asked("market", "buy", "1", FUTURE, exits=TWO_PROFITS))
    exchange.market.prices[FUTURE] = Decimal(44_000)
    exchange.will_answer(Refused(ActionStatus.INVALID_ORDER, "Order would immediately trigger."))
    await run.until_quiet()
    assert [(trade.type, trade.price) for trade in run.trades][1:] == [("market", Decimal(44_000))]
    assert standing(run) == []
    assert run.orders == []


async def test_a_stop_that_is_refused_again_is_missing() -> None:
    run = LiveRun(MemoryExchange({BTC: 50_000}, {"USDT": 100_000}))
    await run.place(asked("market", "buy", "1", exits=exits(stop=STOP)))
    for _ in range(2):
        run.exchange.will_answer(Refused(ActionStatus.INVALID_ORDER, "no"))
    await run.invoke()
    await run.invoke()
    assert [order.status for order in run.elements.orders.missing_orders] == ["rejected"]
    assert run.pending == []
    assert run.elements.orders.inactive_orders == []


async def test_an_exit_that_became_too_old_in_an_outage_is_planned_again() -> None:
    run = LiveRun(MemoryExchange({BTC: 50_000}, {"USDT": 100_000}))
    await run.place(asked("market", "buy", "1", exits=exits(stop=STOP)))
    (planned,) = run.pending
    run.later(run.services.settings.live.intent_max_age + 1)
    await run.invoke()
    (again,) = run.pending
    assert (again.leg, again.params["origin"]["leg"]) == ("0/stop/again1", "0/stop/again1")
    assert again.key != planned.key
    assert run.settlement.settled == []
    assert run.settlement.next_at == run.exchange.clock
    await run.invoke()
    assert standing(run) == [("stop_loss", "45000", Decimal("0.999"))]


async def test_a_stop_that_the_price_passed_during_an_outage_sells_at_the_market() -> None:
    run = LiveRun(MemoryExchange({BTC: 50_000}, {"USDT": 100_000}))
    await run.place(asked("market", "buy", "1", exits=exits(stop=STOP)))
    run.later(run.services.settings.live.intent_max_age + 1)
    run.exchange.market.prices[BTC] = Decimal(44_000)
    await run.invoke()
    run.exchange.will_answer(Refused(ActionStatus.INVALID_ORDER, "Stop price would trigger immediately."))
    await run.until_quiet()
    assert [(trade.side, trade.price) for trade in run.trades][1:] == [("sell", Decimal(44_000))]


async def test_an_automation_that_stops_does_not_plan_again() -> None:
    run = LiveRun(MemoryExchange({BTC: 50_000}, {"USDT": 100_000}))
    await run.place(asked("market", "buy", "1", exits=exits(stop=STOP)))
    await run.invoke(mode=Mode.WIND_DOWN)
    assert run.pending == []
    assert [order.status for order in run.elements.orders.missing_orders] == ["expired"]


async def test_an_order_that_the_exchange_refuses_to_cancel_is_left_to_its_owner() -> None:
    run = await bought(ONE_OF_EACH, FUTURE)
    run.exchange.fill(run.orders[1].id)
    await run.invoke()
    run.exchange.will_answer(Refused(ActionStatus.INVALID_ORDER, "This order cannot be cancelled."))
    await run.invoke()
    await run.invoke()
    assert run.pending == []
    assert [order.group for order in run.orders] == [None]


async def test_exits_below_the_market_s_minimum_after_the_fee_do_not_appear() -> None:
    market = Market(BTC, Asset("BTC"), Asset("USDT"), amount=Bounds(Decimal(1)))
    run = LiveRun(MemoryExchange({BTC: 50_000}, {"USDT": 100_000}, markets=[market]))
    await run.place(asked("market", "buy", "1", exits=exits(stop=STOP)))
    assert run.pending == []


async def test_the_same_order_is_not_cancelled_twice_while_its_cancellation_is_on_the_way() -> None:
    run = LiveRun(MemoryExchange({BTC: 50_000}, {"USDT": 100_000}))
    policy = {"type": EXPIRATION_TIME, "expiration_time": run.exchange.clock + 1}
    await run.place(asked("limit", "buy", "1", price="49000", cancel_policy=policy))
    run.later(1)
    await run.invoke()
    asked_for = list(run.pending)
    await run.invoke(mode=Mode.LOOK_UP)
    assert run.follow_ups == []
    assert run.pending == asked_for
