"""What a full paper account costs: settling its open orders, and its size in the state."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Final, cast

from benchmarks.figures import Figure, median_ms
from engine.market import Bars, Candles, Market, MarketData, finished_bars, generic_market, list_recorded
from engine.paper import PaperAccount
from engine.state import AutomationState, ExchangeAccountElements, Order, Trade, dump_state, load_state
from engine.types import OrderId, Price, Symbol

SAMPLE_MARKET: Final = Path(__file__).parents[1] / "examples" / "sample_market"
BTC: Final = Symbol("BTC/USDT")
RULES: Final = generic_market(BTC)
ORDERS, CANDLES, TRADES = 100, 1_000, 200


async def settlement_figures() -> AsyncIterator[Figure]:
    """100 open orders over 1,000 candles, median of many; half of the orders fill."""
    candles = _candles()
    bars = finished_bars(candles, since=candles.opened_at, now=candles.closes_at)
    account = _account(candles)
    filled = len(_settled(account, candles, bars).trades())

    async def settle() -> None:
        _settled(account, candles, bars)

    async def open_only() -> None:
        _opened(account, candles)

    duration = await median_ms(settle, repeat=50) - await median_ms(open_only, repeat=50)
    name = f"settling {ORDERS} open orders over {len(bars):,} candles, {filled} fills"
    yield Figure(name=name, value=duration, unit="ms", at_most=5)
    size = len(json.dumps(dump_state(_full_state(candles)), separators=(",", ":")))
    name = f"state of an account with {TRADES} trades and {ORDERS} open orders"
    yield Figure(name=name, value=size / 1_000, unit="KB", at_most=60)


class _LastPrice:
    """Market data that knows one price."""

    def __init__(self, candles: Candles) -> None:
        self._price = Decimal(str(candles.close[-1]))

    def market(self, symbol: Symbol) -> Market:  # noqa: ARG002  (it knows one only)
        return RULES

    def mark_price(self, symbol: Symbol) -> Price:  # noqa: ARG002  (it knows one only)
        return self._price


def _candles() -> Candles:
    recordings = list_recorded(SAMPLE_MARKET, "binance")
    (hourly,) = [one for one in recordings if (one.symbol, one.time_frame) == (BTC, "1h")]
    return hourly.candles().last(CANDLES)


def _account(candles: Candles) -> ExchangeAccountElements:
    """Orders around the range of the price, so that about half of them are reached."""
    low, high = Decimal(str(candles.low.min())), Decimal(str(candles.high.max()))
    first, reach = Decimal(str(candles.open[0])), (high - low) * Decimal("0.8")
    orders = []
    for number in range(ORDERS):
        is_buy = number % 2 == 0
        away = reach * (number + 1) / ORDERS
        orders.append(
            Order(
                id=OrderId(f"{number:016x}"),
                symbol=BTC,
                side="buy" if is_buy else "sell",
                type="limit",
                amount=Decimal("0.00123"),
                price=round(first - away if is_buy else first + away, 2),
                created_at=candles.opened_at,
            )
        )
    content = {asset: {"available": "1000000", "total": "1000000"} for asset in ("BTC", "USDT")}
    return ExchangeAccountElements.model_validate(
        {"portfolio": {"content": content}, "orders": {"open_orders": orders}}
    )


def _opened(elements: ExchangeAccountElements, candles: Candles) -> PaperAccount:
    data = cast("MarketData", _LastPrice(candles))  # what an account asks for
    account = PaperAccount(elements, data=data, now=candles.closes_at, ids=lambda name: name.ljust(16, "0"))
    account.restore()
    return account


def _settled(elements: ExchangeAccountElements, candles: Candles, bars: Bars) -> PaperAccount:
    account = _opened(elements, candles)
    account.settle({BTC: bars})
    return account


def _full_state(candles: Candles) -> AutomationState:
    """An account at its bounds, its numbers as long as real ones."""
    elements = _account(candles)
    trade = Trade(
        id="0" * 12,
        order_id=OrderId("0" * 16),
        symbol=BTC,
        side="buy",
        type="limit",
        amount=Decimal("0.00123"),
        price=Decimal("43440.07"),
        cost=Decimal("53.4312861"),
        fee={"cost": "0.00000123", "currency": "BTC"},
        timestamp=candles.opened_at,
    )
    elements.trades = [trade] * TRADES
    state = {"automation": {"exchange_account_elements": elements.model_dump(mode="json")}}
    return load_state({"schema_version": 1, **state})
