"""`market`, `limit` and `cancel_order` on a paper account of 1 BTC and 100,000 USDT, BTC at 50,000."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.errors import ActionStatus, DslError
from engine.market.market import Bounds, Market
from engine.types import Asset
from tests.support.memory_market import BTC, ETH, MemoryMarket
from tests.support.paper import PaperRun, run_script

RULES = Market(
    BTC, Asset("BTC"), Asset("USDT"), amount=Bounds(Decimal("0.00001")), cost=Bounds(Decimal("0.001"))
)
HOLDINGS = {"BTC": 1, "USDT": 100_000}


def exchange(**prices: str) -> MemoryMarket:
    return MemoryMarket({BTC: "50000", ETH: "2000"}, markets=[RULES])


async def run(script: str) -> PaperRun:
    return await run_script(script, exchange(), HOLDINGS)


@pytest.mark.parametrize(
    ("script", "amount"),
    [
        ("market('buy', 'BTC/USDT', 0.01)", "0.01"),
        ("market('buy', 'BTC/USDT', '0.01b')", "0.01"),
        ("market('buy', 'BTC/USDT', 'q500')", "0.01"),
        ("market('buy', 'BTC/USDT', '%1')", "0.02"),
        ("market('buy', 'BTC/USDT', '10%a')", "0.2"),
        ("market('buy', 'BTC/USDT', '100%')", "2"),
        ("market('buy', 'BTC/USDT', '10s%')", "0.3"),
        ("market('buy', 'BTC/USDT', 0.123456789)", "0.12345678"),
        ("market('buy', 'BTC/USDT', 1e-3)", "0.001"),
        ("market('buy', 'BTC/USDT', '300%', allow_holdings_adaptation=True)", "2"),
        ("market('sell', 'BTC/USDT', '100%')", "1"),
        ("market('sell', 'BTC/USDT', '40a%')", "0.4"),
        ("market('sell', 'BTC/USDT', 0.999999)", "1"),
    ],
)
async def test_a_market_order_trades_the_amount_that_its_text_means(script: str, amount: str) -> None:
    after = await run(script)
    (trade,) = after.trades
    assert (trade.amount, trade.price) == (Decimal(amount), Decimal(50_000))
    assert after.orders == []


@pytest.mark.parametrize(
    ("script", "amount", "price"),
    [
        ("limit('buy', 'BTC/USDT', 0.01, 45000)", "0.01", "45000"),
        ("limit('buy', 'BTC/USDT', 0.01, '-1%')", "0.01", "49500"),
        ("limit('buy', 'BTC/USDT', 0.01, '-500d')", "0.01", "49500"),
        ("limit('buy', 'BTC/USDT', 0.01, '45000q')", "0.01", "45000"),
        ("limit('buy', 'BTC/USDT', '450q', 45000)", "0.01", "45000"),
        ("limit('buy', 'BTC/USDT', '1%', '-10%')", "0.02", "45000"),
        ("limit('sell', 'BTC/USDT', '1%', '10%')", "0.01", "55000"),
        ("limit('buy', 'BTC/USDT', 0.01, 40000.123456789)", "0.01", "40000.12345678"),
    ],
)
async def test_a_limit_order_rests_at_the_price_that_its_text_means(
    script: str, amount: str, price: str
) -> None:
    after = await run(script)
    (order,) = after.orders
    assert (order.amount, order.price, order.status) == (Decimal(amount), Decimal(price), "open")
    assert after.trades == []


async def test_the_result_holds_the_orders() -> None:
    after = await run("limit('buy', 'BTC/USDT', 0.01, 45000, tag='dip', reduce_only=True)")
    (order,) = after.value["created_orders"]
    assert order["amount"] == Decimal("0.01")
    assert (order["tag"], order["reduce_only"], order["status"]) == ("dip", True, "open")
    assert len(order["id"]) == 16


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("market('buy', 'BTC/USDT', '200000q')", ActionStatus.NOT_ENOUGH_FUNDS),
        ("market('buy', 'BTC/USDT', '101a%')", ActionStatus.NOT_ENOUGH_FUNDS),
        ("market('sell', 'BTC/USDT', 2)", ActionStatus.NOT_ENOUGH_FUNDS),
        ("market('buy', 'BTC/USDT', '0.00000001')", ActionStatus.INVALID_ORDER),
        ("limit('buy', 'BTC/USDT', 0.01, 0)", ActionStatus.INVALID_ORDER),
        ("limit('buy', 'BTC/USDT', 0.01, '-100%')", ActionStatus.INVALID_ORDER),
        ("limit('buy', 'BTC/USDT', '10q', '-200%')", ActionStatus.INVALID_ORDER),
        ("limit('buy', 'BTC/USDT', 1, 45000, params={'timeInForce': 'DAY'})", ActionStatus.INVALID_ORDER),
        ("cancel_order('BTC/USDT')", ActionStatus.ORDER_NOT_FOUND),
    ],
)
async def test_what_the_account_or_the_market_cannot_do_has_a_status(
    script: str, status: ActionStatus
) -> None:
    with pytest.raises(DslError) as refused:
        await run(script)
    assert refused.value.status is status
    assert refused.value.line == 1


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("market('buy', 'BTC/USDT', '10 %')", "invalid_parameter_format"),
        ("market('buy', 'BTC/USDT', [1])", "invalid_parameter_format"),
        ("market('buy', 'BTC/USDT', None)", "invalid_parameter_format"),
        ("market('buy', 'BTC/USDT', '5p')", "unsupported"),
        ("limit('buy', 'BTC/USDT', 0.01, '5e%')", "unsupported"),
        ("limit('buy', 'BTC/USDT', 0.01, '45000b')", "invalid_parameter_format"),
        ("market('hold', 'BTC/USDT', 0.01)", "evaluation"),
        ("market('buy', 'BTC/USDC', 0.01)", "invalid_parameters"),
        ("limit('buy', 'BTC/USDT', 0.01)", "invalid_parameters"),
    ],
)
async def test_what_cannot_be_meant_is_refused(script: str, code: str) -> None:
    with pytest.raises(DslError) as refused:
        await run(script)
    assert refused.value.code == code


async def test_a_filled_order_is_found_by_its_id_on_its_own_market_only() -> None:
    bought = await run("market('buy', 'BTC/USDT', 0.01)")
    (trade,) = bought.trades
    name = trade.order_id
    script = f"[fetch_order('BTC/USDT', '{name}')['filled'], fetch_order('ETH/USDT', '{name}')]"
    assert (await run_script(script, exchange(), bought.elements)).value == [Decimal("0.01"), None]


async def test_nothing_is_left_of_a_refused_order() -> None:
    after = await run("if_error(market('buy', 'BTC/USDT', 100), \"'refused'\")")
    assert after.value == "refused"
    assert after.elements.portfolio.content[Asset("USDT")].available == 100_000


async def test_a_percentage_of_all_traded_assets_counts_every_symbol_of_the_script() -> None:
    script = "[price('ETH/USDT'), limit('buy', 'BTC/USDT', '10t%', 40000)]"
    after = await run_script(script, exchange(), {"BTC": 1, "ETH": 25, "USDT": 50_000})
    assert after.orders[0].amount == Decimal("0.3")


TWO_ORDERS = "[limit('buy', 'BTC/USDT', 0.01, 40000, tag='low'), limit('sell', 'BTC/USDT', 0.01, 60000)]"


@pytest.mark.parametrize(
    ("cancel", "left"),
    [
        ("cancel_order('BTC/USDT')", []),
        ("cancel_order('BTC/USDT', side='sell')", ["buy"]),
        ("cancel_order('BTC/USDT', tag='low')", ["sell"]),
    ],
)
async def test_cancel_order_takes_the_matching_orders_off_the_book(cancel: str, left: list[str]) -> None:
    placed = await run(TWO_ORDERS)
    after = await run_script(cancel, exchange(), placed.elements)
    cancelled = {order.id for order in placed.orders} - {order.id for order in after.orders}
    assert set(after.value["cancelled_orders"]) == cancelled
    assert [order.side for order in after.orders] == left


async def test_cancel_order_takes_ids() -> None:
    placed = await run(TWO_ORDERS)
    first, second = placed.orders
    script = f"cancel_order('BTC/USDT', exchange_order_ids=['{second.id}', 'unknown'])"
    after = await run_script(script, exchange(), placed.elements)
    assert [order.id for order in after.orders] == [first.id]
