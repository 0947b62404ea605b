"""What fills does not depend on when somebody looked: one look or many come to the same account."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.market.funding import FundingRate
from engine.market.market import Market
from engine.market.market_protocols import Ticker
from engine.market.recordings import list_recorded
from engine.orders.account_protocols import OrderRequest
from engine.types import Asset, Symbol
from tests.engine.paper.scenes import FUTURE, SPOT, candle_rows, steps_of
from tests.support.candle_market import START, CandleMarket, Played, Row, Step, candles_of, play

HOURS = 3_600.0
SAMPLE_MARKET = Path(__file__).parents[3] / "examples" / "sample_market"
HOLDINGS = {"BTC": "3", "USDT": "1000"}
WALLET = {"USDT": "1000"}
LENGTH = 12
END = START + LENGTH * HOURS


def told(played: Played) -> dict[str, Any]:
    """All that can be seen of an account, but the names of its trades."""
    elements = played.elements
    return {
        "fills": [trade.model_dump(exclude={"id"}) for trade in elements.trades],
        "ended": played.statuses,
        "open": elements.orders.open_orders,
        "balances": elements.portfolio,
        "positions": elements.positions,
    }


CUTS = st.lists(
    st.one_of(
        st.integers(0, LENGTH).map(lambda hour: START + hour * HOURS),
        st.integers(0, LENGTH * 6).map(lambda part: START + part * 600),
    ),
    max_size=8,
)


@settings(max_examples=50, deadline=None)
@given(rows=candle_rows(LENGTH), steps=steps_of(SPOT, LENGTH), cuts=CUTS)
def test_spot_orders_come_to_the_same_whenever_somebody_looks(
    rows: list[Row], steps: list[Step], cuts: list[float]
) -> None:
    market = CandleMarket(candles_of(rows), SPOT)
    assert told(play(market, HOLDINGS, steps, [*cuts, END])) == told(play(market, HOLDINGS, steps, [END]))


RATES = st.lists(
    st.tuples(st.integers(1, LENGTH * 2), st.sampled_from(["0.01", "-0.02", "0.05"])), max_size=3
).map(
    lambda given: [
        FundingRate(START + half * HOURS / 2, Decimal(rate)) for half, rate in sorted(dict(given).items())
    ]
)


@settings(max_examples=50, deadline=None)
@given(rows=candle_rows(LENGTH), steps=steps_of(FUTURE, LENGTH), cuts=CUTS, rates=RATES)
def test_futures_come_to_the_same_whenever_somebody_looks(
    rows: list[Row], steps: list[Step], cuts: list[float], rates: list[FundingRate]
) -> None:
    market = CandleMarket(candles_of(rows), FUTURE, rates)
    assert told(play(market, WALLET, steps, [*cuts, END])) == told(play(market, WALLET, steps, [END]))


def test_a_position_opened_at_half_past_is_liquidated_by_the_next_candle_however_often_one_looks() -> None:
    market = CandleMarket(candles_of([(100, 101, 80, 100)] * 4), FUTURE)
    steps = [Step(START + HOURS / 2, [10, OrderRequest("market", "buy", FUTURE.symbol, Decimal(1))])]
    end = START + 3.5 * HOURS
    for looks in ([end], [START + (hour + 0.5) * HOURS for hour in (1, 2, 3)]):
        played = play(market, WALLET, steps, looks)
        assert [trade.tag for trade in played.elements.trades] == [None, "liquidation"]
        assert played.elements.trades[-1].timestamp == START + 2 * HOURS


def test_a_trailing_stop_over_recorded_candles_sells_where_one_look_sells() -> None:
    symbol = Symbol("BTC/USDT")
    (candles,) = [
        one.candles()
        for one in list_recorded(SAMPLE_MARKET, "binance")
        if (one.symbol, one.time_frame) == (symbol, "4h")
    ]
    market = CandleMarket(candles, Market(symbol, Asset("BTC"), Asset("USDT"), price_tick=Decimal("0.01")))
    start = candles.opened_at + 400 * 4 * HOURS
    price = Decimal(str(candles.open[400]))
    trail = OrderRequest(
        "trailing_stop", "sell", symbol, Decimal(1),
        stop_price=price * Decimal("0.97"), trailing_percent=Decimal(3),
    )  # fmt: skip
    end = start + 10 * 24 * HOURS
    once = play(market, HOLDINGS, [Step(start, [trail])], [end])
    hourly = play(market, HOLDINGS, [Step(start, [trail])], [start + at * HOURS for at in range(1, 241)])
    assert len(once.fills) == 1
    assert told(once) == told(hourly)


def test_stops_that_were_passed_when_placed_trade_in_one_order_whoever_looks() -> None:
    market = CandleMarket(candles_of([(110, 110, 110, 110)] * 3), FUTURE)
    profit = OrderRequest("take_profit", "sell", FUTURE.symbol, Decimal(1), stop_price=Decimal(108))
    trailing = OrderRequest(
        "trailing_stop",
        "buy",
        FUTURE.symbol,
        Decimal(2),
        stop_price=Decimal(102),
        trailing_percent=Decimal(5),
    )
    steps = [Step(START + HOURS, [profit, trailing])]
    one = play(market, WALLET, steps, [START + 2 * HOURS])
    other = play(market, WALLET, steps, [START + HOURS + 600, START + 2 * HOURS])
    assert len(one.fills) == 2
    assert told(one) == told(other)


class TickingMarket(CandleMarket):
    """A live market: it tells its price at any time, and of candles only those that have closed."""

    prices: Mapping[float, str] = {}

    async def tickers(self, symbols: Collection[Symbol], *, now: float) -> Mapping[Symbol, Ticker]:
        known = await super().tickers(symbols, now=now)
        price = self.prices.get(now)
        return {symbol: Ticker(symbol, Decimal(price), now) for symbol in symbols} if price else known


def test_a_price_seen_within_a_candle_fills_what_it_reaches() -> None:
    market = TickingMarket(candles_of([(100, 110, 90, 100)]), SPOT)
    market.prices = {START + 600: "90"}
    limit = OrderRequest("limit", "buy", SPOT.symbol, Decimal(1), price=Decimal(90))
    played = play(market, HOLDINGS, [Step(START, [limit])], [START + 600])
    assert played.fills == [("0@0", Decimal(90), Decimal(1), START + 600)]


def test_a_trailing_stop_that_followed_a_price_within_a_candle_is_not_hit_by_the_low_before() -> None:
    trailing = OrderRequest(
        "trailing_stop",
        "sell",
        SPOT.symbol,
        Decimal(1),
        stop_price=Decimal(90),
        trailing_percent=Decimal(10),
    )
    market = TickingMarket(candles_of([(100, 120, 95, 115), (115, 115, 107, 107)]), SPOT)
    market.prices = {START + 600: "118"}
    looks = [START + 600, START + HOURS, START + 2 * HOURS]
    played = play(market, HOLDINGS, [Step(START, [trailing])], looks)
    assert played.fills == [("0@0", Decimal(108), Decimal(1), START + 2 * HOURS)]
