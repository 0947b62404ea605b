"""Trailing stops: how they follow the price over many candles."""

from __future__ import annotations

from engine.market import Bars, Market
from engine.money import to_decimal
from engine.orders import first_true, level_of, trailing_stop, waits_for_fall
from engine.state import Order
from engine.types import Price, Timestamp

_SLACK = 1e-9
"""Share of a price by which floats may err; what they find is looked at exactly afterwards."""


def pull(order: Order, price: Price, market: Market | None = None) -> None:
    """Pull a trailing stop behind a price, if that is a better place for it.

    Args:
        order: the trailing stop.
        price: of the market; without `market`, the place of the stop itself.
        market: its trading rules.
    """
    place = price if market is None else _place_behind(order, price, market)
    order.stop_price = _better(order, place)


def pull_by_one_price(
    order: Order, price: Price, market: Market, *, at: Timestamp, followed: Timestamp
) -> None:
    """Pull a trailing stop behind a price within a candle, and keep where it was at that candle's opening.

    Args:
        order: the trailing stop.
        price: of the market.
        market: its trading rules.
        at: when the price was so, UNIX seconds.
        followed: until when it has followed the price in whole candles.
    """
    before, place = level_of(order), _better(order, _place_behind(order, price, market))
    if place == before:
        return
    order.stop_price = place
    if at > followed:
        order.stop_before = before if order.stop_before is None else order.stop_before
        order.stop_since = at


def follow(order: Order, bars: Bars, start: int, end: int, market: Market) -> None:
    """Pull a trailing stop behind the best price of some whole bars that do not reach it."""
    if start < end:
        best = bars.high[start:end].max() if waits_for_fall(order) else bars.low[start:end].min()
        pull(order, to_decimal(float(best)), market)


def first_possible(order: Order, bars: Bars, start: int, market: Market) -> int | None:
    """Return the index of the first bar that may reach a trailing stop that follows the bars from `start`."""
    import numpy as np

    assert order.trailing_percent is not None
    share, stop = float(order.trailing_percent) / 100, float(level_of(order))
    low, high = bars.low[start:], bars.high[start:]
    if waits_for_fall(order):
        stops = np.maximum(np.maximum.accumulate(high) * (1 - share), stop) if len(high) else high
        index = first_true(low <= stops * (1 + _SLACK))
    else:
        stops = np.minimum(np.minimum.accumulate(low) * (1 + share), stop) if len(low) else low
        # The market's step puts the stop of a buy further down than the price alone says.
        index = first_true(high >= stops * (1 - _SLACK) - float(market.price_tick))
    return None if index is None else start + index


def _place_behind(order: Order, price: Price, market: Market) -> Price:
    assert order.trailing_percent is not None
    return market.floor_price(trailing_stop(price, order.trailing_percent, order.side))


def _better(order: Order, place: Price) -> Price:
    stop = level_of(order)
    return max(stop, place) if waits_for_fall(order) else min(stop, place)
