"""Longs and shorts are treated alike: mirrored prices and sides give mirrored fills, and money is kept."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.orders.account_protocols import OrderRequest
from engine.orders.exits import TakeProfit
from engine.paper.futures import profit
from tests.engine.paper.scenes import FUTURE, candle_rows, steps_of
from tests.support.candle_market import START, CandleMarket, Row, Step, candles_of, play

HOUR = 3_600.0
LENGTH = 8
END = START + LENGTH * HOUR
AXIS = 200
FREE = replace(FUTURE, maker=Decimal(0), taker=Decimal(0))
WALLET = {"USDT": "100000"}
"""Enough for any margin: what a margin is worth differs between a price and its mirror image."""


def mirrored_rows(rows: list[Row]) -> list[Row]:
    return [(AXIS - opening, AXIS - low, AXIS - high, AXIS - close) for opening, high, low, close in rows]


def mirrored(act: OrderRequest) -> OrderRequest:
    """The same order on the other side of the axis."""
    exits = replace(
        act.exits,
        stop=None if act.exits.stop is None else AXIS - act.exits.stop,
        take_profits=tuple(TakeProfit(AXIS - one.price, one.share) for one in act.exits.take_profits),
    )
    return replace(
        act,
        side="sell" if act.side == "buy" else "buy",
        price=None if act.price is None else AXIS - act.price,
        stop_price=None if act.stop_price is None else AXIS - act.stop_price,
        exits=exits,
    )


def is_mirrored(act: OrderRequest | int | str) -> bool:
    """A trailing stop stays a share of the price behind, which has no mirror image; nor has a leverage."""
    return isinstance(act, OrderRequest) and act.trailing_percent is None


@settings(max_examples=50, deadline=None)
@given(rows=candle_rows(LENGTH), steps=steps_of(FREE, LENGTH))
def test_mirrored_prices_and_sides_give_mirrored_fills(rows: list[Row], steps: list[Step]) -> None:
    steps = [replace(step, acts=[act for act in step.acts if is_mirrored(act)]) for step in steps]
    mirror = [replace(step, acts=[mirrored(act) for act in step.acts]) for step in steps]  # type: ignore[arg-type]
    one = play(CandleMarket(candles_of(rows), FREE), WALLET, steps, [END])
    other = play(CandleMarket(candles_of(mirrored_rows(rows)), FREE), WALLET, mirror, [END])
    assert other.fills == [(name, AXIS - price, amount, time) for name, price, amount, time in one.fills]
    assert other.statuses == one.statuses
    wallets = [played.elements.portfolio.content["USDT"].total for played in (one, other)]  # type: ignore[index]
    assert wallets[0] == wallets[1]


@settings(max_examples=50, deadline=None)
@given(
    rows=candle_rows(LENGTH, gaps=False),  # beyond its margin, a position loses nothing
    steps=steps_of(FUTURE, LENGTH),
    leverages=st.lists(st.tuples(st.integers(1, LENGTH * 6), st.sampled_from([1, 3, 25, 125])), max_size=4),
)
def test_nothing_but_fills_and_fees_changes_what_an_account_is_worth(
    rows: list[Row], steps: list[Step], leverages: list[tuple[int, int]]
) -> None:
    changes = [Step(START + part * 600, [times]) for part, times in dict(leverages).items()]
    taken = {step.time for step in steps}
    steps = [*steps, *(step for step in changes if step.time not in taken)]
    market = CandleMarket(candles_of(rows), FUTURE)
    elements = play(market, WALLET, steps, [END]).elements
    paid = sum((trade.fee.cost for trade in elements.trades if trade.fee), Decimal(0))
    held, received = Decimal(0), Decimal(0)
    for trade in elements.trades:
        signed = trade.amount if trade.side == "buy" else -trade.amount
        if trade.tag == "liquidation":
            assert abs(held + signed) < Decimal("1e-12")
        held, received = held + signed, received - signed * trade.price
    price = Decimal(str(rows[-1][3]))
    unrealised = sum((profit(one, one.amount, price) for one in elements.positions), Decimal(0))
    worth = elements.portfolio.content["USDT"].total + unrealised  # type: ignore[index]
    expected = 100_000 + received - paid + held * price
    assert abs(worth - expected) < Decimal("1e-9")


def test_more_leverage_does_not_pay_out_what_is_lost() -> None:
    rows: list[Row] = [(100, 100, 100, 100), (70, 70, 70, 70)]
    buy = OrderRequest("market", "buy", FUTURE.symbol, Decimal(10))
    sell = OrderRequest("market", "sell", FUTURE.symbol, Decimal(10))
    steps = [Step(START, [2, buy]), Step(START + HOUR, [125, sell])]
    played = play(CandleMarket(candles_of(rows), FUTURE), {"USDT": "1000"}, steps, [])
    assert played.elements.portfolio.content["USDT"].total == Decimal("698.3")  # type: ignore[index]
