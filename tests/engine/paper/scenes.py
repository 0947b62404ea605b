"""Random candles, orders and moments for the tests of settlement: few prices, so that they often coincide."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from hypothesis import strategies as st

from engine.market.market import Market
from engine.orders.account_protocols import OrderRequest
from engine.orders.cancel_policy import CHAINED_PRICE, EXPIRATION_TIME
from engine.orders.exits import Exits, TakeProfit
from engine.types import Asset, Symbol
from tests.support.candle_market import START, Row, Step

BTC, USDT = Asset("BTC"), Asset("USDT")
AMOUNT_STEP, PRICE_STEP = Decimal("0.001"), Decimal("0.5")
_RULES: Final[dict[str, Any]] = {
    "amount_tick": AMOUNT_STEP,
    "price_tick": PRICE_STEP,
    "maker": Decimal("0.0005"),
    "taker": Decimal("0.001"),
}
SPOT = Market(Symbol("BTC/USDT"), BTC, USDT, **_RULES)
FUTURE = Market(Symbol("BTC/USDT:USDT"), BTC, USDT, kind="future", **_RULES)

LOW, HIGH = 86, 114
"""Prices of the candles lie between; orders reach a little further."""

WAITING: Final = {
    "stop_loss": True,
    "stop_limit": True,
    "trailing_stop": True,
    "take_profit": False,
    "take_profit_limit": False,
}
"""Types that wait for a stop price, and whether a buy waits for it from below."""

prices = st.integers(LOW * 2, HIGH * 2).map(lambda halves: halves / 2)


@st.composite
def candle_rows(draw: st.DrawFn, count: int, *, gaps: bool = True) -> list[Row]:
    """Draw candles; most open where the one before closed, some jump."""
    rows: list[Row] = []
    close = 100.0
    for _ in range(count):
        jumps = gaps and draw(st.integers(0, 3)) == 0
        opening = draw(prices) if jumps else close
        steps = draw(st.lists(st.integers(-14, 14), min_size=3, max_size=3))
        others = [min(HIGH, max(LOW, opening + half / 2)) for half in steps]
        close = others[0]
        rows.append((opening, max(opening, *others), min(opening, *others), close))
    return rows


def level(draw: st.DrawFn, low: int, high: int) -> Decimal:
    """Draw a price in steps of 0.5."""
    return Decimal(draw(st.integers(low * 2, high * 2))) / 2


@st.composite
def exits_of(draw: st.DrawFn, entry: Decimal, side: str) -> Exits:
    """Draw a stop and take-profits for an entry; few are on the wrong side, as people make mistakes."""
    sign = 1 if side == "buy" else -1
    stop = entry - sign * level(draw, -1, 8) if draw(st.booleans()) else None
    targets = draw(st.lists(st.integers(-1, 16), max_size=3, unique=True))
    profits = sorted((entry + sign * Decimal(half) / 2 for half in targets), reverse=side == "sell")
    shares = [Fraction(1, len(profits)) for _ in profits]
    trails = stop is not None and bool(profits) and draw(st.booleans())
    return Exits(stop, tuple(map(TakeProfit, profits, shares)), trails)


@st.composite
def requests_of(draw: st.DrawFn, market: Market, now: float) -> OrderRequest:
    """Draw an order of any type, with exits and policies."""
    side = draw(st.sampled_from(["buy", "sell"]))
    kind = draw(st.sampled_from(["market", "limit", "limit", *WAITING]))
    words: dict[str, Any] = {}
    if kind in ("limit", "stop_limit", "take_profit_limit"):
        words["price"] = level(draw, 90, 102) if side == "buy" else level(draw, 98, 110)
    if kind in WAITING:
        above = WAITING[kind] == (side == "buy")
        words["stop_price"] = level(draw, 101, 112) if above else level(draw, 88, 99)
    if kind == "trailing_stop":
        words["trailing_percent"] = Decimal(draw(st.sampled_from(["2", "5", "8"])))
    entry = words.get("price") or words.get("stop_price") or Decimal(100)
    exits = draw(exits_of(entry, side)) if draw(st.booleans()) else Exits()
    policy = draw(st.integers(0, 5))
    if policy == 0:
        expires = now + draw(st.integers(1, 30)) * 600
        words["cancel_policy"] = {"type": EXPIRATION_TIME, "expiration_time": expires}
    elif policy == 1 and kind != "trailing_stop":
        words["cancel_policy"] = {"type": CHAINED_PRICE}
    if kind == "limit":
        words["time_in_force"] = draw(st.sampled_from(["GTC", "GTC", "GTC", "IOC", "FOK", "PO"]))
    amount = Decimal(draw(st.integers(200, 1_500))) / 1_000
    asked = OrderRequest(kind, side, market.symbol, amount, **words)  # type: ignore[arg-type]  # drawn texts
    return replace(asked, exits=exits)


@st.composite
def steps_of(draw: st.DrawFn, market: Market, hours: int) -> list[Step]:
    """Draw what an account does at some moments, aligned with candles or not."""
    times = draw(st.lists(st.integers(0, hours * 6 - 1), min_size=1, max_size=3, unique=True))
    steps = []
    for part in sorted(times):
        now = START + part * 600
        acts: list[OrderRequest | int | str] = list(
            draw(st.lists(requests_of(market, now), min_size=1, max_size=3))
        )
        if market.kind == "future" and draw(st.booleans()):
            acts.insert(0, draw(st.sampled_from([2, 5, 10, 20])))
        steps.append(Step(now, acts))
    return steps
