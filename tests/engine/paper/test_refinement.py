"""What a candle proves happens, what it disproves does not; shorter candles decide what it leaves open."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.orders.account_protocols import OrderRequest
from engine.orders.exits import Exits, TakeProfit
from engine.types import Symbol
from tests.engine.paper.scenes import FUTURE, SPOT, candle_rows, exits_of
from tests.support.candle_market import (
    QUARTER,
    START,
    CandleMarket,
    Played,
    Row,
    Step,
    candles_of,
    play,
)

HOUR = 3_600.0
HOLDINGS = {"BTC": "3", "USDT": "1000"}
WALLET = {"USDT": "10000"}


def order(kind: str, side: str, *, symbol: Symbol = SPOT.symbol, **words: Any) -> OrderRequest:
    """An order of one coin; prices as texts."""
    prices = {
        key: Decimal(value) if key in ("price", "stop_price", "trailing_percent") else value
        for key, value in words.items()
    }
    return OrderRequest(kind, side, symbol, Decimal(1), **prices)  # type: ignore[arg-type]


def exits(stop: str | None, *profits: str, trails: bool = False) -> Exits:
    """A stop, and take-profits of equal parts."""
    shares = Fraction(1, len(profits) or 1)
    return Exits(
        None if stop is None else Decimal(stop),
        tuple(TakeProfit(Decimal(one), shares) for one in profits),
        trails=trails,
    )


def after(rows: list[Row], *acts: OrderRequest, at: float = 0) -> Played:
    """Place orders so many hours after the first candle has opened, and look when the last has closed."""
    end = START + len(rows) * HOUR
    return play(CandleMarket(candles_of(rows), SPOT), HOLDINGS, [Step(START + at * HOUR, acts)], [end])


def prices(played: Played) -> list[Decimal]:
    return [price for _, price, _, _ in played.fills]


def test_a_candles_own_close_proves_that_a_trailing_stop_was_passed() -> None:
    trailing = order("trailing_stop", "sell", stop_price="95", trailing_percent="5")
    assert prices(after([(100, 110, 100, 100)], trailing)) == [Decimal("104.5")]
    assert prices(after([(100, 110, 100, 105)], trailing)) == []


def test_the_open_comes_before_the_low() -> None:
    trailing = order("trailing_stop", "sell", stop_price="95", trailing_percent="5")
    assert prices(after([(100, 100, 100, 100), (110, 110, 104, 108)], trailing)) == [Decimal("104.5")]


@pytest.mark.parametrize(
    ("candle", "fills"),
    [
        ((100, 101, 90, 99), [95, 92]),
        ((100, 101, 93, 97), [95]),
        ((100, 101, 93, 99), [95, 98]),
    ],
)
def test_exits_are_reached_in_the_candle_of_their_entry_where_it_proves_that(
    candle: Row, fills: list[int]
) -> None:
    entry = order("limit", "buy", price="95", exits=exits("92", "98"))
    assert prices(after([candle], entry)) == fills


def test_a_stop_limit_does_not_fill_at_a_price_from_before_its_trigger() -> None:
    played = after([(100, 100, 94, 94)], order("stop_limit", "sell", stop_price="95", price="96"))
    assert prices(played) == []
    (resting,) = played.elements.orders.open_orders
    assert resting.stop_price is None
    assert resting.price == 96


def test_a_ladder_stop_that_moved_at_the_low_is_not_hit_by_the_high_before() -> None:
    entry = order("market", "sell", symbol=FUTURE.symbol, exits=exits("112", "92", "85", trails=True))
    market = CandleMarket(candles_of([(100, 104, 90, 95)]), FUTURE)
    played = play(market, WALLET, [Step(START, [entry])], [START + HOUR])
    assert prices(played) == [100, 92]
    assert [one.stop_price for one in played.elements.orders.open_orders] == [100, None]


def test_of_a_candle_that_was_cut_only_the_close_counts_for_what_was_placed_within_it() -> None:
    assert prices(after([(100, 120, 80, 100)], order("limit", "buy", price="90"), at=0.5)) == []
    assert prices(after([(100, 120, 80, 85)], order("limit", "buy", price="90"), at=0.5)) == [90]
    assert prices(after([(100, 120, 80, 85)], order("stop_loss", "sell", stop_price="90"), at=0.5)) == [90]


def test_liquidation_comes_before_a_take_profit_in_doubt() -> None:
    for side, profit in (("buy", "110"), ("sell", "90")):
        entry = order("market", side, symbol=FUTURE.symbol, exits=exits(None, profit))
        market = CandleMarket(candles_of([(100, 112, 88, 100)]), FUTURE)
        played = play(market, WALLET, [Step(START, [10, entry])], [START + HOUR])
        assert [trade.tag for trade in played.elements.trades] == [None, "liquidation"]


def test_with_entries_on_both_sides_the_path_is_the_one_that_leaves_less() -> None:
    bracket = exits("97", "104")
    buy = order("limit", "buy", symbol=FUTURE.symbol, price="98", exits=bracket)
    sell = order("stop_loss", "sell", symbol=FUTURE.symbol, stop_price="96")
    market = CandleMarket(candles_of([(100, 105, 95, 100)]), FUTURE)
    played = play(market, WALLET, [Step(START, [buy, sell])], [START + HOUR])
    assert played.fills[0][1] == 98
    assert played.elements.portfolio.content["USDT"].total < 10_000  # type: ignore[index]


def path_of(row: Row, *, low_first: bool) -> list[float]:
    """The turning points of a candle in one of the two possible orders."""
    opening, high, low, close = row
    return [opening, low, high, close] if low_first else [opening, high, low, close]


def quarters(row: Row, *, low_first: bool) -> list[Row]:
    """The same candle as four: one for each part of its path, and one at its close."""
    points = path_of(row, low_first=low_first)
    legs = [*pairwise(points), (row[3], row[3])]
    return [(start, max(start, end), min(start, end), end) for start, end in legs]


@st.composite
def brackets(draw: st.DrawFn) -> OrderRequest:
    """Draw an entry with a stop and take-profits."""
    side = draw(st.sampled_from(["buy", "sell"]))
    away = draw(st.integers(1, 12)) / 2
    is_limit = draw(st.booleans())
    price = Decimal(str(100 - away if (side == "buy") == is_limit else 100 + away))
    bracket = draw(exits_of(price, side))
    if is_limit:
        return order("limit", side, symbol=FUTURE.symbol, price=str(price), exits=bracket)
    return order("stop_loss", side, symbol=FUTURE.symbol, stop_price=str(price), exits=bracket)


@settings(max_examples=80, deadline=None)
@given(rows=candle_rows(1, gaps=False), entry=brackets())
def test_what_happens_in_a_candle_may_have_happened_and_what_must_have_happened_does(
    rows: list[Row], entry: OrderRequest
) -> None:
    def filled(market: CandleMarket) -> list[tuple[str, Decimal]]:
        played = play(market, WALLET, [Step(START, [entry])], [START + HOUR])
        return sorted((name, price) for name, price, _, _ in played.fills)

    coarse = filled(CandleMarket(candles_of(rows), FUTURE))
    fine = [
        filled(CandleMarket(candles_of(quarters(rows[0], low_first=low_first), QUARTER), FUTURE))
        for low_first in (True, False)
    ]
    assert coarse in fine


@settings(max_examples=50, deadline=None)
@given(rows=candle_rows(8), percent=st.sampled_from(["2", "4", "7"]), data=st.data())
def test_a_trailing_stop_sells_in_a_candle_as_it_does_in_shorter_ones_of_its_path(
    rows: list[Row], percent: str, data: st.DataObject
) -> None:
    stop = Decimal(data.draw(st.integers(176, 198))) / 2
    trailing = order("trailing_stop", "sell", stop_price=str(stop), trailing_percent=percent)
    fine = [part for row in rows for part in quarters(row, low_first=True)]
    end = START + len(rows) * HOUR
    steps = [Step(START, [trailing])]
    coarse = play(CandleMarket(candles_of(rows), SPOT), HOLDINGS, steps, [end])
    finely = play(CandleMarket(candles_of(fine, QUARTER), SPOT), HOLDINGS, steps, [end])
    assert prices(coarse) == prices(finely)
    left = [one.elements.orders.open_orders for one in (coarse, finely)]
    assert [one.stop_price for one in left[0]] == [one.stop_price for one in left[1]]
