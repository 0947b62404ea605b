"""When resting orders fill: only on what happened after they existed, at their price, in the right order."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pytest

from engine.market.bars import Bars, join_bars, price_now
from engine.market.market import Market, generic_market
from engine.paper.desk import Rehearsal
from engine.paper.fills import Fill
from engine.paper.settlement import settle
from engine.state import Order, Side
from engine.state.account import OrderStatus
from engine.types import OrderId, Price, Symbol

HOUR = 3_600.0
NOW = 24 * HOUR

BTC = Symbol("BTC/USDT")

Bar = tuple[float, float, float]
"""Low, high, close; the bar opens in the middle between low and high."""


def hourly(*bars: Bar) -> Bars:
    """One bar per hour, the first of which opens at 0."""
    low, high, close = (np.array(column) for column in zip(*bars, strict=True))
    opened = np.arange(len(bars), dtype=np.float64) * float(HOUR)
    return Bars(opened, opened + HOUR, (low + high) / 2, low, high, close)


def limit(name: str, side: Side, price: str, *, created_at: float = 0) -> Order:
    return Order(
        id=OrderId(name),
        symbol=BTC,
        side=side,
        type="limit",
        amount=Decimal(1),
        price=Decimal(price),
        created_at=created_at,
    )


class Fills(list[tuple[str, Decimal, float]]):
    """A desk that writes fills down; `opens` are orders that a fill places, `cancels` those that it ends."""

    def __init__(
        self, opens: dict[str, Order] | None = None, cancels: dict[str, Order] | None = None
    ) -> None:
        super().__init__()
        self._opens = opens or {}
        self._cancels = cancels or {}

    def market(self, symbol: Symbol) -> Market:
        return generic_market(symbol)

    def guard(self, symbol: Symbol) -> Order | None:
        return None

    def fund(self, symbol: Symbol, rate: Decimal, mark: Price, at: float) -> Sequence[Order]:
        return ()

    def falls_first(self, symbol: Symbol) -> bool:
        return True

    def rehearsal(self) -> Rehearsal:
        raise NotImplementedError

    def drop(self, order: Order, status: OrderStatus) -> None:
        order.status = status

    def reach(self, order: Order, fill: Fill, mark: Price) -> Sequence[Order]:
        assert fill.liquidity == "maker"
        order.status = "closed"
        self.append((order.id, fill.price, fill.time / HOUR))
        if order.id in self._cancels:
            self._cancels[order.id].status = "canceled"
        opened = self._opens.get(order.id)
        if opened is None:
            return ()
        opened.created_at = fill.time
        return (opened,)


def filled(orders: Sequence[Order], bars: Bars) -> list[tuple[str, Decimal, float]]:
    """Which orders fill, at which price, after how many hours."""
    fills = Fills()
    settle(orders, {BTC: bars}, fills, now=NOW)
    return list(fills)


@pytest.mark.parametrize(
    ("side", "price", "bar", "fills"),
    [
        ("buy", "100", (100, 110, 105), True),
        ("buy", "100", (100.01, 110, 105), False),
        ("sell", "110", (100, 110, 105), True),
        ("sell", "110", (100, 109.99, 105), False),
    ],
)
def test_a_limit_fills_at_its_price_once_the_market_touches_it(
    side: Side, price: str, bar: Bar, fills: bool
) -> None:
    expected = [("order", Decimal(price), 1)] if fills else []
    assert filled([limit("order", side, price)], hourly(bar)) == expected


def test_the_first_touch_counts() -> None:
    bars = hourly((105, 110, 108), (99, 112, 100), (90, 100, 95))
    assert filled([limit("buy", "buy", "100")], bars) == [("buy", Decimal(100), 2)]


def test_what_happened_before_an_order_existed_does_not_fill_it() -> None:
    bars = hourly((90, 110, 105), (104, 111, 110))
    assert filled([limit("buy", "buy", "100", created_at=HOUR)], bars) == []


def test_of_the_candle_an_order_was_created_in_only_the_close_counts() -> None:
    spike = hourly((90, 130, 105))
    created = {"created_at": HOUR / 2}
    assert filled([limit("buy", "buy", "100", **created)], spike) == []
    assert filled([limit("sell", "sell", "120", **created)], spike) == []
    assert filled([limit("buy", "buy", "105", **created)], spike) == [("buy", Decimal(105), 1)]


def test_a_shorter_bar_inside_that_candle_counts_as_a_whole() -> None:
    opened = np.array([0.5 * HOUR])
    low, high, close = (np.array([price]) for price in (95.0, 106.0, 104.0))
    quarter = Bars(opened, opened + HOUR / 4, close, low, high, close)
    bars = join_bars((quarter, hourly((90, 130, 105))))

    settled = filled([limit("buy", "buy", "100", created_at=0.5 * HOUR)], bars)

    assert settled == [("buy", Decimal(100), 0.75)]


def test_the_price_now_counts_last() -> None:
    bars = join_bars((hourly((105, 110, 108)), price_now(99, 1.5 * HOUR)))
    assert filled([limit("buy", "buy", "100")], bars) == [("buy", Decimal(100), 1.5)]


def test_within_a_bar_prices_are_passed_one_after_the_other_the_adverse_extreme_first() -> None:
    orders = [limit("sell", "sell", "110"), limit("low", "buy", "100"), limit("high", "buy", "102")]
    same = limit("same", "buy", "102")
    fills = filled([*orders, same], hourly((99, 111, 104)))
    assert [name for name, _, _ in fills] == ["high", "same", "low", "sell"], "the older one at one price"


def test_the_open_is_met_when_the_bar_opens() -> None:
    bars = hourly((105, 111, 108), (90, 96, 95))
    assert filled([limit("buy", "buy", "100")], bars) == [("buy", Decimal(100), 1)]


def test_an_order_opened_by_a_fill_is_settled_against_later_bars_of_the_same_batch() -> None:
    bars = hourly((99, 130, 104), (101, 121, 118))
    fills = Fills(opens={"entry": limit("exit", "sell", "120")})
    settle([limit("entry", "buy", "100")], {BTC: bars}, fills, now=NOW)
    assert fills == [("entry", Decimal(100), 1), ("exit", Decimal(120), 2)]


def test_an_order_that_was_closed_meanwhile_is_skipped() -> None:
    other = limit("other", "sell", "110")
    fills = Fills(cancels={"entry": other})
    settle([limit("entry", "buy", "100"), other], {BTC: hourly((99, 111, 104))}, fills, now=NOW)
    assert [name for name, _, _ in fills] == ["entry"]


def test_without_bars_nothing_fills() -> None:
    none = np.array([])
    assert filled([limit("buy", "buy", "100")], Bars(none, none, none, none, none, none)) == []
