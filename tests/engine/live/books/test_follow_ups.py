"""Follow-ups: exits, groups, moves and policies of orders on a real exchange, while nobody looked."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from engine.live.books.catch_up import PATIENCE
from engine.live.guard.result import Mode
from engine.market.candles import Candles
from engine.market.market import Market
from engine.orders.account_protocols import OrderFilter
from engine.orders.cancel_policy import CHAINED_PRICE, EXPIRATION_TIME
from engine.orders.exits import Exits, TakeProfit
from engine.orders.options import TAKE_PROFITS_FIRST
from engine.state import Fee
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
    names,
    standing,
    waiting,
)
from tests.support.live_run import LiveRun, asked, keyed, live_state
from tests.support.memory_exchange import MemoryExchange
from tests.support.memory_market import BTC, HOUR

# Entries


async def test_exits_appear_when_their_entry_has_filled_net_of_a_fee_in_base() -> None:
    run = LiveRun(MemoryExchange({BTC: 50_000}, {"USDT": 100_000}))
    await run.place(asked("limit", "buy", "1", price="49000", exits=exits(stop=STOP)))
    assert run.follow_ups == []
    assert run.watch_at == run.exchange.clock + run.services.settings.live.watch_every

    run.exchange.fill("1")
    await run.invoke()
    assert names(run.follow_ups) == [("create_order", "0/stop")]
    await run.invoke()
    assert standing(run) == [("stop_loss", "45000", Decimal("0.999"))]
    assert [order.origin and order.origin.leg for order in run.orders] == ["0/stop"]
    assert run.watch_at is None, "the exchange takes care of a stop"


async def test_a_fee_in_another_asset_leaves_everything_to_the_exits() -> None:
    run = LiveRun(MemoryExchange({BTC: 50_000}, {"USDT": 100_000}))
    await run.place(asked("limit", "buy", "1", price="49000", exits=exits(stop=STOP)))
    run.exchange.fill("1")
    in_coins_of_the_exchange = Fee(cost=Decimal("0.1"), currency=Asset("BNB"))
    run.exchange.fills = [
        one.model_copy(update={"fee": in_coins_of_the_exchange}) for one in run.exchange.fills
    ]
    run.exchange.balances[Asset("BTC")] = Decimal(1)
    await run.until_quiet()
    assert standing(run) == [("stop_loss", "45000", Decimal(1))]


async def test_what_filled_of_an_entry_that_was_cancelled_elsewhere_gets_its_exits() -> None:
    run = LiveRun(MemoryExchange({BTC: 50_000}, {"USDT": 100_000}))
    await run.place(asked("limit", "buy", "1", price="49000", exits=exits(stop=STOP)))
    run.exchange.fill("1", "0.4")
    run.exchange.cancel_elsewhere("1")
    await run.until_quiet()
    assert standing(run) == [("stop_loss", "45000", Decimal("0.3996"))]


async def test_what_filled_of_an_entry_that_a_script_cancelled_gets_its_exits_too() -> None:
    run = LiveRun(MemoryExchange({BTC: 50_000}, {"USDT": 100_000}))
    await run.place(asked("limit", "buy", "1", price="49000", exits=exits(stop=STOP)))
    await run.invoke(lambda account: account.cancel(OrderFilter(), keyed("cancel")))
    run.exchange.fill("1", "0.4")
    await run.until_quiet()
    assert standing(run) == [("stop_loss", "45000", Decimal("0.3996"))]


async def test_an_entry_whose_trades_are_never_listed_gets_its_exits_by_what_the_exchange_says() -> None:
    run = LiveRun(MemoryExchange({BTC: 50_000}, {"USDT": 100_000}))
    await run.place(asked("limit", "buy", "1", price="49000", exits=exits(stop=STOP)))
    run.exchange.fill("1")
    run.exchange.fills = []
    await run.invoke()
    run.later(PATIENCE)
    await run.until_quiet()
    assert standing(run) == [("stop_loss", "45000", Decimal("0.999"))]


async def test_the_last_take_profit_absorbs_rounding() -> None:
    market = Market(BTC, Asset("BTC"), Asset("USDT"), amount_tick=Decimal("0.01"))
    run = LiveRun(MemoryExchange({BTC: 50_000}, {"USDT": 100_000}, markets=[market]))
    await run.place(asked("market", "buy", "1", exits=exits(PROFIT, FURTHER, Decimal(65_000), stop=None)))
    await run.until_quiet()
    assert [amount for _, _, amount in standing(run)] == [Decimal("0.32"), Decimal("0.32"), Decimal("0.35")]
    assert run.elements.portfolio.content[Asset("BTC")].available == Decimal("0.009")


async def test_a_stop_whose_price_has_passed_already_sells_at_the_market() -> None:
    run = LiveRun(MemoryExchange({BTC: 50_000}, {"USDT": 100_000}))
    await run.place(asked("limit", "buy", "1", price="49000", exits=exits(stop=STOP)))
    run.exchange.fill("1")
    run.exchange.market.prices[BTC] = Decimal(44_000)
    await run.until_quiet()
    assert standing(run) == []
    assert [(trade.side, trade.type, trade.price) for trade in run.trades][1:] == [
        ("sell", "market", Decimal(44_000))
    ]


async def test_take_profits_of_a_stop_that_had_to_sell_at_the_market_are_forgotten() -> None:
    run = LiveRun(MemoryExchange({BTC: 50_000}, {"USDT": 100_000, "BTC": 5}))
    await run.place(asked("limit", "buy", "1", price="49000", exits=TWO_PROFITS))
    run.exchange.fill("1")
    run.exchange.market.prices[BTC] = Decimal(44_000)
    await run.until_quiet()
    assert waiting(run) == []
    assert standing(run) == []
    assert run.exchange.balances[Asset("BTC")] == 5, "what the account held besides is not sold"


async def test_a_lost_result_leads_to_the_same_follow_ups() -> None:
    run = LiveRun(MemoryExchange({BTC: 50_000}, {"USDT": 100_000}))
    await run.place(asked("limit", "buy", "1", price="49000", exits=exits(PROFIT, stop=None)))
    run.exchange.fill("1")
    await run.invoke(result_is_lost=True)
    lost = run.follow_ups
    await run.invoke()
    assert lost == run.follow_ups != []
    await run.invoke(result_is_lost=True)
    await run.invoke()
    assert standing(run) == [("limit", "55000", Decimal("0.999"))]


# Spot: what cannot stand beside each other


async def test_on_spot_the_stop_stands_and_the_take_profits_wait() -> None:
    run = await bought(TWO_PROFITS)
    assert standing(run) == [("stop_loss", "45000", Decimal("0.999"))]
    assert waiting(run) == [("limit", "55000", Decimal("0.4995")), ("limit", "60000", Decimal("0.4995"))]
    assert run.watch_at == run.exchange.clock + run.services.settings.live.watch_every


async def test_on_spot_the_take_profits_stand_where_a_script_wants_them_first() -> None:
    run = await bought(exits(PROFIT, FURTHER, swap_strategy=TAKE_PROFITS_FIRST))
    assert standing(run) == [("limit", "55000", Decimal("0.4995")), ("limit", "60000", Decimal("0.4995"))]
    assert waiting(run) == [("stop_loss", "45000", Decimal("0.999"))]


async def test_a_stop_beside_standing_take_profits_keeps_what_they_leave() -> None:
    part = Exits(STOP, (TakeProfit(PROFIT, Fraction(2, 5)),), swap_strategy=TAKE_PROFITS_FIRST)
    run = await bought(part)
    assert standing(run) == [
        ("limit", "55000", Decimal("0.3996")),
        ("stop_loss", "45000", Decimal("0.5994")),
    ]


async def test_a_take_profit_whose_price_came_takes_its_share_of_the_stop() -> None:
    run = await bought(TWO_PROFITS)
    run.exchange.market.prices[BTC] = PROFIT
    await run.invoke()
    (swap,) = run.follow_ups
    assert (swap.kind, swap.leg) == ("cancel_order", "0/stop/cancel")
    await run.invoke()
    assert names(run.follow_ups) == [("create_order", "0/tp1"), ("create_order", "0/stop/move1")]
    await run.until_quiet()
    assert standing(run) == [("stop_loss", "45000", Decimal("0.4995"))]
    assert [trade.price for trade in run.trades] == [50_000, 55_000]
    assert waiting(run) == [("limit", "60000", Decimal("0.4995"))]


async def test_the_only_take_profit_takes_all_and_the_stop_s_price_is_watched() -> None:
    run = await bought(ONE_OF_EACH)
    run.exchange.market.prices[BTC] = PROFIT
    await run.invoke()
    run.exchange.market.prices[BTC] = PROFIT - 1
    await run.until_quiet()
    assert standing(run) == [("limit", "55000", Decimal("0.999"))], "the price went back before it was placed"
    assert waiting(run) == [("stop_loss", "45000", Decimal("0.999"))]

    run.exchange.market.prices[BTC] = STOP
    await run.until_quiet()
    assert standing(run) == []
    assert waiting(run) == []
    assert [(trade.type, trade.price) for trade in run.trades][1:] == [("market", STOP)]


async def test_what_a_take_profit_sold_before_it_was_given_up_is_not_sold_again() -> None:
    run = await bought(exits(PROFIT, swap_strategy=TAKE_PROFITS_FIRST))
    run.exchange.market.prices[BTC] = STOP
    await run.invoke()
    run.exchange.fill("2", "0.9")
    await run.until_quiet()
    assert [trade.amount for trade in run.trades] == [1, Decimal("0.9"), Decimal("0.099")]
    assert run.exchange.balances[Asset("BTC")] == 0


async def test_a_stop_that_fills_takes_the_coins_of_standing_take_profits_along() -> None:
    run = await bought(TWO_PROFITS)
    run.exchange.market.prices[BTC] = PROFIT
    await run.invoke()
    run.exchange.market.prices[BTC] = PROFIT - 1
    await run.until_quiet()
    assert len(standing(run)) == 2
    run.exchange.market.prices[BTC] = STOP
    run.exchange.fill(next(order.id for order in run.orders if order.stop_price))
    await run.until_quiet()
    assert standing(run) == []
    assert waiting(run) == []
    assert run.exchange.balances[Asset("BTC")] == 0


async def test_when_the_stop_is_taken_away_the_take_profits_are_placed() -> None:
    run = await bought(TWO_PROFITS)
    run.exchange.cancel_elsewhere(run.orders[0].id)
    await run.until_quiet()
    assert standing(run) == [("limit", "55000", Decimal("0.4995")), ("limit", "60000", Decimal("0.4995"))]


@pytest.mark.parametrize("strategy", [TAKE_PROFITS_FIRST, None])
async def test_what_waits_beside_an_exit_that_filled_in_part_covers_only_what_is_left(
    strategy: str | None,
) -> None:
    run = await bought(exits(PROFIT, swap_strategy=strategy))
    (exit_order,) = run.orders
    run.exchange.fill(exit_order.id, "0.4")
    run.exchange.cancel_elsewhere(exit_order.id)

    await run.until_quiet()

    assert [amount for _, _, amount in standing(run)] == [Decimal("0.599")]


async def test_take_profits_beside_a_stop_that_filled_in_part_shrink_from_the_last_one_on() -> None:
    run = await bought(TWO_PROFITS)
    (stop,) = run.orders
    run.exchange.fill(stop.id, "0.6")
    run.exchange.cancel_elsewhere(stop.id)

    await run.until_quiet()

    assert standing(run) == [("limit", "55000", Decimal("0.399"))]


# Groups


async def test_futures_hold_all_exits_and_one_that_fills_cancels_the_other() -> None:
    run = await bought(ONE_OF_EACH, FUTURE)
    assert [kind for kind, _, _ in standing(run)] == ["stop_loss", "limit"]
    assert all(order.reduce_only for order in run.orders)
    assert run.watch_at == run.exchange.clock + run.services.settings.live.watch_every
    run.exchange.fill(run.orders[1].id)
    await run.invoke()
    assert names(run.follow_ups) == [("cancel_order", "0/stop/cancel")]
    await run.until_quiet()
    assert standing(run) == []
    assert run.orders == []
    assert [order.status for order in run.elements.orders.missing_orders] == ["canceled"]


async def test_a_filled_take_profit_of_a_balanced_group_reduces_the_stop() -> None:
    run = await bought(TWO_PROFITS, FUTURE)
    run.exchange.fill(run.orders[1].id)
    await run.until_quiet()
    assert standing(run) == [("limit", "60000", Decimal("0.4995")), ("stop_loss", "45000", Decimal("0.4995"))]
    assert run.elements.orders.missing_orders == [], "a stop that was replaced is not missing"


async def test_two_take_profits_that_filled_meanwhile_reduce_the_stop_once_by_both() -> None:
    run = await bought(exits(PROFIT, FURTHER, Decimal(65_000)), FUTURE)
    for order in run.orders[1:3]:
        run.exchange.fill(order.id)
    await run.until_quiet()
    (stop,) = [order for order in run.orders if order.stop_price]
    assert stop.amount == run.orders[0].amount
    assert sum(kind == "cancel_order" for kind, _ in run.sent) == 1


async def test_a_trailing_stop_goes_up_its_ladder_with_every_take_profit() -> None:
    run = await bought(exits(PROFIT, FURTHER, Decimal(65_000), trails=True), FUTURE)
    for reached, stands in ((PROFIT, 50_000), (FURTHER, 55_000)):
        run.exchange.market.prices[FUTURE] = reached
        run.exchange.fill(next(order.id for order in run.orders if order.price == reached))
        await run.until_quiet()
        assert [order.stop_price for order in run.orders if order.stop_price] == [stands]
    assert [order.origin.leg for order in run.orders if order.origin] == ["0/tp3", "0/stop/move2"]


async def test_on_spot_a_trailing_stop_moves_with_the_coins_that_are_left_to_it() -> None:
    run = await bought(exits(PROFIT, FURTHER, trails=True))
    run.exchange.market.prices[BTC] = PROFIT
    await run.until_quiet()
    assert standing(run) == [("stop_loss", "50000", Decimal("0.4995"))]


async def test_a_group_waits_with_its_reaction_until_nothing_of_it_is_on_the_way() -> None:
    run = await bought(TWO_PROFITS, FUTURE)
    first, second = run.orders[1], run.orders[2]
    run.exchange.fill(first.id)
    await run.invoke()
    run.exchange.fill(second.id)
    await run.invoke(mode=Mode.LOOK_UP)
    assert run.follow_ups == []
    assert [order.status for order in run.elements.orders.closing_orders] == ["closed"]
    await run.until_quiet()
    assert standing(run) == []
    assert run.elements.orders.closing_orders == []


async def test_an_exit_that_was_not_sent_yet_is_not_sent_when_its_group_is_over() -> None:
    run = LiveRun(MemoryExchange({FUTURE: 50_000}, {"USDT": 100_000, "BTC": 10}), state=live_state("future"))
    await run.place(asked("market", "buy", "1", FUTURE, exits=ONE_OF_EACH))
    stop, profit = run.pending
    run.pending = [stop]
    await run.invoke()
    run.exchange.fill(run.orders[0].id)
    run.pending = [profit]
    await run.invoke(mode=Mode.LOOK_UP)
    assert [intent.key for intent in run.pending] == [profit.key]
    await run.until_quiet()
    assert [kind for kind, _ in run.sent] == ["create_order", "create_order"], "the entry and the stop"


# Policies


async def test_an_order_expires_at_its_time() -> None:
    run = LiveRun(MemoryExchange({BTC: 50_000}, {"USDT": 100_000}))
    ends = run.exchange.clock + 100
    policy = {"type": EXPIRATION_TIME, "expiration_time": ends}
    await run.place(asked("limit", "buy", "1", price="49000", cancel_policy=policy))
    assert run.watch_at == ends
    run.later(99)
    await run.invoke()
    assert run.follow_ups == []
    run.later(1)
    await run.until_quiet()
    assert standing(run) == []
    assert run.orders == []
    assert [order.status for order in run.elements.orders.missing_orders] == ["expired"]


async def test_an_entry_ends_when_the_price_reaches_an_exit_before_it_fills() -> None:
    run = LiveRun(MemoryExchange({BTC: 50_000}, {"USDT": 100_000}))
    policy = {"type": CHAINED_PRICE}
    await run.place(asked("limit", "buy", "1", price="49000", cancel_policy=policy, exits=ONE_OF_EACH))
    run.exchange.market.prices[BTC] = PROFIT
    await run.until_quiet()
    assert standing(run) == []
    assert run.orders == []


async def test_the_market_tells_that_the_price_was_at_an_exit_while_nobody_looked() -> None:
    run = LiveRun(MemoryExchange({BTC: 50_000}, {"USDT": 100_000}))
    policy = {"type": CHAINED_PRICE}
    await run.place(asked("limit", "buy", "1", price="49000", cancel_policy=policy, exits=ONE_OF_EACH))
    opened = run.exchange.clock + 10
    run.exchange.market.hourly = Candles.from_rows(HOUR, [(opened, 50_000, 56_000, 49_500, 50_000, 1)])
    run.later(10 + 3_600)
    await run.invoke()
    assert names(run.follow_ups) == [("cancel_order", "0/cancel")], "no script has read a candle"
