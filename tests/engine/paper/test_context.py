"""The exchange context: what an invocation fetches, what it settles, what it writes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.dsl import DataDependency
from engine.errors import ActionStatus, ConfigurationError, DslError, OperatorError, PostponedError
from engine.market.candles import Candles
from engine.market.market import Bounds, Market
from engine.market.market_protocols import MarketData, MarketSource
from engine.market.recorded import RecordedSource
from engine.orders.account_protocols import Account, OrderFilter, OrderRequest
from engine.paper.context import PaperContext
from engine.state import ExchangeAccountElements, Order
from engine.types import Asset, Symbol
from tests.support.market import write_candles
from tests.support.memory_market import BTC, ETH, HOUR, MemoryMarket

NOW = 1_700_006_400.0
USDT = Asset("USDT")
TRADED = DataDependency(BTC, None, "orders")


def holding(**totals: str) -> ExchangeAccountElements:
    content = {asset: {"available": total, "total": total} for asset, total in totals.items()}
    return ExchangeAccountElements.model_validate({"portfolio": {"content": content}})


def opened(
    source: MarketSource, elements: ExchangeAccountElements, now: float = NOW, **options: Any
) -> PaperContext:
    return PaperContext(elements, source=source, now=now, ids=lambda name: f"id of {name}", **options)


def keyed(name: str) -> Callable[[str], str]:
    return lambda leg: f"{name}-{leg}"


def limit(amount: str, price: str, side: str = "buy", **fields: Any) -> OrderRequest:
    order: dict[str, Any] = {"type": "limit", "side": side, "symbol": BTC, "amount": Decimal(amount)}
    return OrderRequest(**order, price=Decimal(price), **fields)


def market(amount: str, side: str = "buy") -> OrderRequest:
    order: dict[str, Any] = {"type": "market", "side": side, "symbol": BTC, "amount": Decimal(amount)}
    return OrderRequest(**order)


async def after(
    source: MarketSource,
    elements: ExchangeAccountElements,
    act: Callable[[Any], object] = lambda account: None,
    now: float = NOW,
    **options: Any,
) -> ExchangeAccountElements:
    """The account after one invocation that trades BTC and does `act`."""
    async with opened(source, elements, now, **options) as context:
        await context.require([TRADED])
        act(context.services()[Account])
        return context.sync_back()[0]


def balances(elements: ExchangeAccountElements) -> dict[str, tuple[Decimal, Decimal]]:
    return {asset: (held.available, held.total) for asset, held in elements.portfolio.content.items()}


async def test_only_what_is_required_and_missing_is_fetched() -> None:
    source = MemoryMarket({BTC: 100, ETH: 10})
    async with opened(source, holding()) as context:
        await context.require([])
        await context.require([TRADED, DataDependency(BTC, "1h", "candles", 20)])
        await context.require([TRADED, DataDependency(BTC, "1h", "candles", 200)])
        assert source.requests == {"markets": 1, "tickers": 1, "candles": 1}
        await context.require([DataDependency(BTC, "1h", "candles", 300), DataDependency(ETH, None, "price")])
    assert source.requests == {"markets": 1, "tickers": 2, "candles": 2}


async def test_the_source_is_closed_even_when_the_invocation_fails() -> None:
    source = MemoryMarket({BTC: 100})
    with pytest.raises(RuntimeError, match="on purpose"):
        async with opened(source, holding()):
            raise RuntimeError("on purpose")
    assert source.closed


async def test_an_unknown_symbol_costs_only_the_operator_that_uses_it() -> None:
    source = MemoryMarket({BTC: 100, ETH: 10})
    async with opened(source, holding()) as context:
        await context.require([TRADED, DataDependency("BTC/USDC", "1h", "candles")])
        data: Any = context.services()[MarketData]
        assert data.mark_price(BTC) == 100
        with pytest.raises(DslError, match="no symbol `BTC/USDC`") as unknown:
            data.candles(Symbol("BTC/USDC"), HOUR)
    assert unknown.value.code == "invalid_parameters"
    assert "BTC/USDT" in (unknown.value.suggestion or "")


async def test_a_market_order_fills_at_once_at_the_mark_price_as_taker() -> None:
    elements = await after(
        MemoryMarket({BTC: 100}),
        holding(USDT="1000"),
        lambda account: account.place(market("2"), keyed("buy")),
    )
    (trade,) = elements.trades
    assert (trade.price, trade.amount, trade.cost, trade.timestamp) == (
        Decimal(100),
        Decimal(2),
        Decimal(200),
        NOW,
    )
    assert trade.order_id == "buy-0"
    assert balances(elements) == {"BTC": (Decimal("1.998"),) * 2, "USDT": (Decimal(800),) * 2}
    assert elements.orders.open_orders == []


async def test_slippage_works_against_the_trader() -> None:
    source, slippage = MemoryMarket({BTC: 100}), Decimal("0.01")
    bought = await after(
        source,
        holding(USDT="1000"),
        lambda account: account.place(market("1"), keyed("b")),
        slippage=slippage,
    )
    sold = await after(
        source,
        holding(BTC="1"),
        lambda account: account.place(market("1", "sell"), keyed("s")),
        slippage=slippage,
    )
    assert [bought.trades[0].price, sold.trades[0].price] == [101, 99]


async def test_a_resting_limit_order_locks_and_its_cancellation_releases_exactly_that() -> None:
    source = MemoryMarket({BTC: 100})
    placed = await after(
        source, holding(USDT="1000"), lambda account: account.place(limit("2", "90"), keyed("buy"))
    )
    assert balances(placed) == {"USDT": (Decimal(820), Decimal(1000))}
    assert [order.id for order in placed.orders.open_orders] == ["buy-0"]

    cancelled = await after(source, placed, lambda account: account.cancel(OrderFilter(symbol=BTC), str))
    assert balances(cancelled) == {"USDT": (Decimal(1000), Decimal(1000))}
    assert cancelled.orders.open_orders == []


async def test_a_limit_that_crosses_the_market_fills_at_the_market_price_as_taker() -> None:
    elements = await after(
        MemoryMarket({BTC: 100}),
        holding(USDT="1000"),
        lambda account: account.place(limit("1", "110"), keyed("buy")),
    )
    assert (elements.trades[0].price, elements.trades[0].type) == (Decimal(100), "limit")
    assert balances(elements)["USDT"] == (Decimal(900), Decimal(900))


@pytest.mark.parametrize("time_in_force", ["IOC", "FOK"])
async def test_an_immediate_order_that_does_not_fill_is_gone(time_in_force: str) -> None:
    placed: list[Order] = []
    elements = await after(
        MemoryMarket({BTC: 100}),
        holding(USDT="1000"),
        lambda account: placed.extend(
            account.place(limit("1", "90", time_in_force=time_in_force), keyed("buy"))
        ),
    )
    assert placed[0].status == "canceled"
    assert elements.orders.open_orders == []
    assert balances(elements) == {"USDT": (Decimal(1000), Decimal(1000))}


async def test_a_post_only_order_never_takes() -> None:
    with pytest.raises(OperatorError, match="post-only") as refused:
        await after(
            MemoryMarket({BTC: 100}),
            holding(USDT="1000"),
            lambda account: account.place(limit("1", "100", time_in_force="PO"), keyed("buy")),
        )
    assert refused.value.status is ActionStatus.INVALID_ORDER


SMALL = Market(BTC, Asset("BTC"), USDT, amount=Bounds(Decimal("0.5"), Decimal(2)), cost=Bounds(Decimal(10)))


async def test_an_order_above_the_maximum_is_split_all_parts_or_none() -> None:
    source = MemoryMarket({BTC: 100}, markets=[SMALL])
    placed = await after(
        source, holding(USDT="1000"), lambda account: account.place(limit("5", "90"), keyed("buy"))
    )
    assert [(order.id, order.amount) for order in placed.orders.open_orders] == [
        ("buy-0", Decimal(1)),
        ("buy-1", Decimal(2)),
        ("buy-2", Decimal(2)),
    ]

    with pytest.raises(OperatorError, match="USDT") as refused:
        await after(
            source, holding(USDT="300"), lambda account: account.place(limit("5", "90"), keyed("buy"))
        )
    assert refused.value.status is ActionStatus.NOT_ENOUGH_FUNDS


async def test_an_order_below_the_minimum_is_refused_naming_it() -> None:
    with pytest.raises(OperatorError, match=r"the minimum is 0.5 BTC and 10 USDT") as refused:
        await after(
            MemoryMarket({BTC: 100}, markets=[SMALL]),
            holding(USDT="1000"),
            lambda account: account.place(limit("0.1", "90"), keyed("buy")),
        )
    assert refused.value.status is ActionStatus.INVALID_ORDER


@pytest.mark.parametrize(
    "wanted",
    [
        OrderFilter(symbol=ETH),
        OrderFilter(side="sell"),
        OrderFilter(tag="other"),
        OrderFilter(ids=[]),
    ],
)
async def test_cancelling_what_is_not_there_says_so(wanted: OrderFilter) -> None:
    def act(account: Any) -> None:
        account.place(limit("1", "90", tag="mine"), keyed("buy"))
        account.cancel(wanted, str)

    with pytest.raises(OperatorError, match="no open order") as refused:
        await after(MemoryMarket({BTC: 100}), holding(USDT="1000"), act)
    assert refused.value.status is ActionStatus.ORDER_NOT_FOUND


async def test_orders_fill_between_invocations_where_the_market_went() -> None:
    rows = [(NOW - 1_800 + index * 3_600, 100, 104, low, 100, 1) for index, low in enumerate((80, 95, 89))]
    source = MemoryMarket({BTC: 100}, hourly=Candles.from_rows(HOUR, rows))
    placed = await after(
        source, holding(USDT="1000"), lambda account: account.place(limit("2", "90"), keyed("buy"))
    )

    still_open = await after(source, placed, now=NOW + 3_600)
    assert len(still_open.orders.open_orders) == 1
    assert still_open.orders.settled_at == NOW + 3_600

    filled = await after(source, still_open, now=NOW + 3 * 3_600)
    assert filled.orders.open_orders == []
    assert (filled.trades[0].price, filled.trades[0].timestamp) == (Decimal(90), NOW - 1_800 + 3 * 3_600)
    assert balances(filled) == {"USDT": (Decimal(820),) * 2, "BTC": (Decimal("1.998"),) * 2}


async def test_on_a_recorded_market_shorter_candles_decide_what_came_after_the_order(tmp_path: Path) -> None:
    start = 1_700_006_400 - 1_700_006_400 % 14_400
    write_candles(tmp_path, BTC, "4h", [(100, 120, 50, 100)] * 3, start=start)
    write_candles(tmp_path, BTC, "1h", [(100, 101, 50, 100), *[(100, 101, 99, 100)] * 3], start=start)
    source = RecordedSource(tmp_path, "binance")

    placed = await after(
        source,
        holding(USDT="1000"),
        lambda account: account.place(limit("1", "60"), keyed("buy")),
        now=start + 3_600,
    )
    later = await after(source, placed, now=start + 4 * 3_600)
    much_later = await after(source, later, now=start + 9 * 3_600)

    assert len(later.orders.open_orders) == 1, "the fall to 50 came before the order"
    assert much_later.trades[0].timestamp == start + 8 * 3_600, "the second 4h candle fell to 50"


async def test_the_stored_account_is_not_changed() -> None:
    elements = holding(USDT="1000")
    before = elements.model_dump_json()
    await after(MemoryMarket({BTC: 100}), elements, lambda account: account.place(market("1"), keyed("b")))
    assert elements.model_dump_json() == before


async def test_what_changed_is_named() -> None:
    source = MemoryMarket({BTC: 100})
    async with opened(source, holding(USDT="1000")) as context:
        await context.require([TRADED])
        assert context.sync_back()[1] == ()
        account: Any = context.services()[Account]
        account.place(limit("1", "90"), keyed("buy"))
        assert set(context.sync_back()[1]) == {"portfolio", "orders"}
        account.place(market("1"), keyed("now"))
        assert set(context.sync_back()[1]) == {"portfolio", "orders", "trades"}


async def test_an_account_that_cannot_hold_its_own_orders_is_refused() -> None:
    elements = holding(USDT="10")
    elements.orders.open_orders.append(
        Order.model_validate(
            {"id": "x", "symbol": BTC, "side": "buy", "type": "limit", "amount": 1, "price": 90}
        )
    )
    with pytest.raises(ConfigurationError, match="cannot hold the stored order x"):
        await after(MemoryMarket({BTC: 100}), elements)


async def test_an_error_of_the_source_reaches_the_caller_as_itself_and_cancels_the_other_requests() -> None:
    cancelled = asyncio.Event()

    class Failing(MemoryMarket):
        async def tickers(self, symbols: Any, *, now: float) -> Any:
            raise PostponedError("no price", reason="maintenance")

        async def candles(self, *args: Any, **kwargs: Any) -> Any:
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()

    async with opened(Failing({BTC: 100}), holding()) as context:
        with pytest.raises(PostponedError, match="no price"):
            await context.require([TRADED, DataDependency(BTC, "1h", "candles")])
    assert cancelled.is_set()
