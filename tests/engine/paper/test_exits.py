"""Exits on a paper account: they appear with their entry's fill, and react to each other."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from engine.errors import ActionStatus, DslError
from engine.market.candles import Candles
from engine.market.market import Bounds, Market
from engine.types import Asset
from tests.support.memory_market import BTC, HOUR, MemoryMarket
from tests.support.paper import NOW, PaperRun, run_script

RULES = Market(
    BTC,
    Asset("BTC"),
    Asset("USDT"),
    amount_tick=Decimal("0.001"),
    price_tick=Decimal("0.01"),
    amount=Bounds(minimum=Decimal("0.001")),
    max_stops=5,
)
HOLDINGS = {"USDT": 10_000}
BUY = "market('buy', 'BTC/USDT', 1, "
LADDER = BUY + "take_profit_prices=['10%', '20%', '30%'], stop_loss_price='-10%'"


class Scene:
    """An account in a market whose price a test sets; BTC starts at 100."""

    def __init__(self) -> None:
        self.market = MemoryMarket({BTC: "100"}, markets=[RULES])
        self.hour = 0
        self.last: PaperRun | None = None

    async def run(self, script: str) -> PaperRun:
        account = self.last.elements if self.last else HOLDINGS
        now = NOW + self.hour * 3_600
        self.last = await run_script(script, self.market, account, now=now)
        return self.last

    async def price(self, *prices: str) -> PaperRun:
        """Let the price go there, an hour each, and settle."""
        for price in prices:
            self.hour += 1
            self.market.prices[BTC] = Decimal(price)
            await self.run("price('BTC/USDT')")
        assert self.last is not None
        return self.last

    async def candle(self, *, low: float, high: float, close: float) -> PaperRun:
        """Let one whole candle happen, and settle at its end."""
        start = NOW + self.hour * 3_600
        opening = float(self.market.prices[BTC])
        self.market.hourly = Candles.from_rows(HOUR, [(start, opening, high, low, close, 1)])
        return await self.price(str(close))


def summary(after: PaperRun) -> list[tuple[str, Decimal, Decimal | None]]:
    """Each open order: its type, amount and the price it waits for."""
    return [(order.type, order.amount, order.stop_price or order.price) for order in after.orders]


async def test_exits_of_a_market_order_are_there_at_once_net_of_its_fee() -> None:
    after = await Scene().run(LADDER + ")")
    assert summary(after) == [
        ("stop_loss", Decimal("0.999"), Decimal(90)),
        ("limit", Decimal("0.332"), Decimal(110)),
        ("limit", Decimal("0.332"), Decimal(120)),
        ("limit", Decimal("0.335"), Decimal(130)),
    ]
    (entry,) = after.value["created_orders"]
    assert [order["id"] for order in entry["chained"]] == [order.id for order in after.orders]


async def test_the_last_take_profit_absorbs_rounding() -> None:
    script = BUY + "take_profit_prices=['10%', '20%'], take_profit_volume_percents=[33, 67])"
    after = await Scene().run(script)
    assert [order.amount for order in after.orders] == [Decimal("0.329"), Decimal("0.67")]


async def test_exits_of_a_limit_order_wait_for_its_fill_and_are_relative_to_its_price() -> None:
    scene = Scene()
    placed = await scene.run(
        "limit('buy', 'BTC/USDT', 1, 80, take_profit_prices=['10%'], stop_loss_price=70)"
    )
    assert [order.type for order in placed.orders] == ["limit"]
    after = await scene.price("79")
    assert summary(after) == [
        ("stop_loss", Decimal("0.999"), Decimal(70)),
        ("limit", Decimal("0.999"), Decimal(88)),
    ]
    assert {order.created_at for order in after.orders} == {NOW + 3_600}


async def test_waiting_exits_survive_the_json_form_of_the_state() -> None:
    scene = Scene()
    script = LADDER.replace("market(", "limit(").replace(" 1, ", " 1, 80, ")
    placed = await scene.run(script + ", trailing_profile='filled_take_profit')")
    stored = json.dumps(placed.elements.model_dump(mode="json", exclude_defaults=True))
    again = type(placed.elements).model_validate_json(stored)
    assert again == placed.elements
    assert [len(order.chained) for order in again.orders.open_orders] == [4]
    assert again.orders.open_orders[0].chained[0].stop_ladder == [80, 88, 96]


async def test_one_stop_and_one_take_profit_cancel_each_other() -> None:
    for price, kept in (("111", "110"), ("89", "89")):
        scene = Scene()
        await scene.run(BUY + "take_profit_prices=['10%'], stop_loss_price='-10%')")
        after = await scene.price(price)
        assert after.orders == []
        assert [trade.price for trade in after.trades] == [100, Decimal(kept)]
        (gone,) = after.elements.orders.missing_orders
        assert gone.status == "canceled"


async def test_cancelling_one_of_two_cancels_the_other() -> None:
    scene = Scene()
    placed = await scene.run(BUY + "take_profit_prices=['10%'], stop_loss_price='-10%')")
    stop, profit = placed.orders
    after = await scene.run(f"cancel_order('BTC/USDT', exchange_order_ids=['{stop.id}'])")
    assert after.value == {"cancelled_orders": [stop.id, profit.id]}
    assert after.orders == []


async def test_each_take_profit_of_several_reduces_the_stop() -> None:
    scene = Scene()
    await scene.run(LADDER + ")")
    after = await scene.price("110")
    assert summary(after)[0] == ("stop_loss", Decimal("0.667"), Decimal(90))
    after = await scene.price("89")
    assert after.orders == []
    assert after.elements.portfolio.content[Asset("USDT")].total > 9_900


async def test_the_last_take_profit_ends_the_stop() -> None:
    scene = Scene()
    await scene.run(LADDER + ")")
    assert (await scene.price("131")).orders == []


async def test_a_trailing_profile_moves_the_stop_to_the_entry_and_then_to_the_take_profit_before() -> None:
    scene = Scene()
    await scene.run(LADDER + ", trailing_profile='filled_take_profit')")
    assert summary(await scene.price("110"))[0] == ("stop_loss", Decimal("0.667"), Decimal(100))
    assert summary(await scene.price("120"))[0] == ("stop_loss", Decimal("0.335"), Decimal(110))
    assert (await scene.price("110")).orders == []


async def test_a_moved_stop_does_not_see_what_the_price_did_before_it_moved() -> None:
    scene = Scene()
    await scene.run(LADDER + ", trailing_profile='filled_take_profit')")
    after = await scene.candle(low=95, high=111, close=108)
    assert summary(after)[0] == ("stop_loss", Decimal("0.667"), Decimal(100))


async def test_entry_and_exit_can_both_fill_between_two_invocations() -> None:
    scene = Scene()
    await scene.run("limit('buy', 'BTC/USDT', 1, 80, take_profit_prices=[90], stop_loss_price=70)")
    start = NOW
    rows = [(start, 100, 100, 79, 81, 1), (start + 3_600, 81, 91, 81, 85, 1)]
    scene.market.hourly = Candles.from_rows(HOUR, rows)
    scene.hour = 1
    after = await scene.price("85")
    assert [(trade.price, trade.timestamp) for trade in after.trades] == [
        (Decimal(80), start + 3_600),
        (Decimal(90), start + 7_200),
    ]


async def test_an_exit_whose_price_has_passed_takes_the_market() -> None:
    after = await Scene().run(BUY + "take_profit_prices=['-5%'])")
    assert [(trade.side, trade.price) for trade in after.trades] == [
        ("buy", Decimal(100)),
        ("sell", Decimal(100)),
    ]


@pytest.mark.parametrize(
    ("policy", "price", "is_open"),
    [
        (
            "'ExpirationTimeOrderCancelPolicy', cancel_policy_params={'expiration_time': now() + 1800}",
            "101",
            False,
        ),
        (
            "'ExpirationTimeOrderCancelPolicy', cancel_policy_params={'expiration_time': now() + 9000}",
            "101",
            True,
        ),
        ("'ChainedOrderFillingPriceOrderCancelPolicy'", "99.5", False),
        ("'ChainedOrderFillingPriceOrderCancelPolicy'", "98", True),
    ],
)
async def test_a_cancel_policy_ends_an_entry(policy: str, price: str, *, is_open: bool) -> None:
    scene = Scene()
    script = f"limit('buy', 'BTC/USDT', 1, 90, take_profit_prices=[99], cancel_policy={policy})"
    await scene.run(script)
    after = await scene.price(price)
    assert bool(after.orders) is is_open
    assert after.trades == []
    assert after.elements.portfolio.content[Asset("USDT")].available == (9_910 if is_open else 10_000)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ("take_profit_prices=['10%'], take_profit_volume_percents=[50, 50]", "invalid_parameters"),
        ("take_profit_prices=['5%', '10%'], take_profit_volume_percents=[80, 50]", "invalid_parameters"),
        ("take_profit_prices=['5%'], take_profit_volume_percents=['50']", "invalid_parameters"),
        ("take_profit_prices='5%'", "invalid_parameters"),
        ("take_profit_prices=['five']", "invalid_parameter_format"),
        ("take_profit_prices=['5%'], trailing_profile='filled_take_profit'", "invalid_parameters"),
        ("take_profit_prices=['5%'], stop_loss_price=90, trailing_profile='up'", "invalid_parameters"),
        ("stop_loss_price='-100%'", "error_statement"),
        ("take_profit_prices=['5%'], take_profit_volume_percents=[0.01]", "error_statement"),
        ("cancel_policy='ExpirationTimeOrderCancelPolicy'", "invalid_parameters"),
        ("cancel_policy_params={'expiration_time': 1}", "invalid_parameters"),
        ("cancel_policy='Never'", "invalid_parameters"),
        ("active_order_swap_strategy='Never'", "invalid_parameters"),
    ],
)
async def test_exits_that_cannot_be_meant_are_refused_before_anything_is_bought(
    options: str, code: str
) -> None:
    scene = Scene()
    with pytest.raises(DslError) as refused:
        await scene.run(f"{BUY}{options})")
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("script", "order_type", "waits_for", "price", "trades_at"),
    [
        ("stop_loss('buy', 'BTC/USDT', 1, 105)", "stop_loss", "105", "107", "107"),
        (
            "limit('buy', 'BTC/USDT', 1, 106, params={'stopLossPrice': 105})",
            "stop_limit",
            "105",
            "105",
            "105",
        ),
        ("market('buy', 'BTC/USDT', 1, params={'takeProfitPrice': 95})", "take_profit", "95", "94", "94"),
        (
            "limit('buy', 'BTC/USDT', 1, 94, params={'takeProfitPrice': 95})",
            "take_profit_limit",
            "95",
            "94",
            "94",
        ),
        ("market('buy', 'BTC/USDT', 1, params={'trailingPercent': 2})", "trailing_stop", "102", "103", "103"),
        (
            "market('buy', 'BTC/USDT', 1, params={'trailingPercent': True})",
            "trailing_stop",
            "105",
            "105",
            "105",
        ),
    ],
)
async def test_every_kind_of_order_that_waits_for_a_price(
    script: str, order_type: str, waits_for: str, price: str, trades_at: str
) -> None:
    scene = Scene()
    placed = await scene.run(script)
    (order,) = placed.orders
    assert (order.type, order.stop_price) == (order_type, Decimal(waits_for))
    assert placed.elements.portfolio.content[Asset("USDT")].available == 10_000
    after = await scene.price(price)
    assert [trade.price for trade in after.trades] == [Decimal(trades_at)]
    assert after.orders == []


async def test_a_stop_limit_rests_when_the_market_has_left_its_limit() -> None:
    scene = Scene()
    await scene.run("limit('buy', 'BTC/USDT', 1, 106, params={'stopLossPrice': 105})")
    (order,) = (await scene.price("110")).orders
    assert (order.stop_price, order.price, order.status) == (None, Decimal(106), "open")
    (trade,) = (await scene.price("106")).trades
    assert trade.price == 106


async def test_a_trailing_stop_follows_the_best_price_only() -> None:
    scene = Scene()
    await scene.run(
        "[market('buy', 'BTC/USDT', 1), market('sell', 'BTC/USDT', 0.5, params={'trailingPercent': 5})]"
    )
    stops = [(await scene.price(price)).orders[0].stop_price for price in ("120", "116", "130")]
    assert stops == [114, 114, Decimal("123.5")]
    after = await scene.price("123")
    assert after.trades[-1].price == 123


async def test_a_stop_that_can_no_longer_be_paid_is_rejected() -> None:
    scene = Scene()
    await scene.run("[market('buy', 'BTC/USDT', 1), stop_loss('sell', 'BTC/USDT', 0.9, 90)]")
    await scene.run("market('sell', 'BTC/USDT', 0.5)")
    after = await scene.price("80")
    assert after.orders == []
    (gone,) = after.elements.orders.missing_orders
    assert gone.status == "rejected"


async def test_more_orders_than_the_exchange_takes_are_refused() -> None:
    scene = Scene()
    await scene.run("[{0}, {0}, {0}, {0}, {0}]".format("stop_loss('buy', 'BTC/USDT', 1, 105)"))
    with pytest.raises(DslError, match="takes 5 open stop orders") as refused:
        await scene.run("stop_loss('buy', 'BTC/USDT', 1, 105)")
    assert refused.value.status is ActionStatus.INVALID_ORDER


async def test_an_exit_that_is_one_order_too_many_is_rejected_when_its_entry_fills() -> None:
    scene = Scene()
    await scene.run("[{0}, {0}, {0}, {0}]".format("stop_loss('buy', 'BTC/USDT', 1, 150)"))
    entry = "limit('buy', 'BTC/USDT', 1, 90, stop_loss_price=70)"
    await scene.run(f"[{entry}, {entry}]")
    after = await scene.price("89")
    assert [order.type for order in after.orders] == ["stop_loss"] * 5
    assert [trade.price for trade in after.trades] == [90, 90]
    (refused,) = after.elements.orders.missing_orders
    assert (refused.type, refused.stop_price, refused.status) == ("stop_loss", Decimal(70), "rejected")


async def test_an_exit_refused_by_the_ceiling_leaves_the_others_of_its_entry() -> None:
    scene = Scene()
    await scene.run("[{0}, {0}, {0}, {0}, {0}]".format("stop_loss('buy', 'BTC/USDT', 1, 150)"))
    after = await scene.run(LADDER + ")")
    assert [(order.type, order.price) for order in after.orders[5:]] == [
        ("limit", Decimal(110)),
        ("limit", Decimal(120)),
        ("limit", Decimal(130)),
    ]
    (entry,) = after.value["created_orders"]
    assert [order["status"] for order in entry["chained"]] == ["rejected", "open", "open", "open"]


async def test_fetch_order_knows_open_filled_and_ended_orders() -> None:
    scene = Scene()
    placed = await scene.run(BUY + "take_profit_prices=['10%'], stop_loss_price='-10%')")
    stop, profit = placed.orders
    await scene.price("110")
    for order_id, status in ((stop.id, "canceled"), (profit.id, "closed")):
        found = await scene.run(f"fetch_order('BTC/USDT', '{order_id}')")
        assert found.value["status"] == status
        await scene.run("limit('buy', 'BTC/USDT', 1, 50)")
    assert (await scene.run("fetch_order('BTC/USDT', 'unknown')")).value is None
    with pytest.raises(DslError) as missing:
        await scene.run("fetch_order('BTC/USDT', 'unknown', raise_if_not_found=True)")
    assert missing.value.status is ActionStatus.ORDER_NOT_FOUND
